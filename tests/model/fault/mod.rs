//! Faults: what goes wrong, where, how often and when, as a plan that is given to the model.

/// Where a fault can strike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Site {
    /// A request of the driver, by operation, before it is handled.
    Request(u32),
    /// The reply to an operation, before it is delivered.
    Reply(u32),
    /// An event of the PF, by its number.
    Event(u32),
    /// A register is read, by offset.
    Read(u32),
    /// A register is written, by offset.
    Write(u32),
    /// A frame is about to go into a receive queue.
    Receive(u16),
    /// A frame is about to leave a transmit queue.
    Transmit(u16),
    /// A vector is about to be signalled.
    Signal(u16),
    /// Time itself passes.
    Time,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// It never happened.
    Drop,
    /// It happens later, by this many microseconds.
    Delay(u64),
    /// The length is off by this much.
    WrongLength(i32),
    /// The status is this one.
    WrongStatus(i32),
    /// It happens twice.
    Duplicate,
    /// It changes places with the next one.
    Reorder,
    /// The PF resets the function now.
    Reset,
    /// The PF resets the function, and again while it is at it.
    DoubleReset,
    /// The next reset never completes.
    NeverComplete,
    /// The link goes down and comes back.
    Flap,
    /// Registers read as all ones for this many microseconds; 0 is for ever.
    AllOnes(u64),
    /// Registers read as 0xDEADBEEF for this many microseconds.
    DeadBeef(u64),
    /// The queue does nothing any more until the next reset.
    StuckQueue,
    /// The signal is lost.
    LostInterrupt,
}
