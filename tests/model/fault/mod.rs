//! Faults: what goes wrong, where, how often and when, as a plan that is given to the model.
//!
//! A plan is a list of lines such as `reply 8 nth 2 after 50ms: wrong-status -5`. It prints as it is read, so a random
//! plan that broke something can be kept as text.

mod plan;
mod random;
mod text;

pub use plan::Plan;
#[cfg(test)]
pub(crate) use random::Dice;
pub use text::Unreadable;

use serde::{Deserialize, Serialize};

/// One thing that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What it strikes.
    pub at: Kind,
    /// Which one: operation, event, register offset, queue or vector; none is any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
    /// At which occurrence it begins to strike, from 1.
    #[serde(default = "one")]
    pub nth: u32,
    /// How many occurrences in a row it strikes; 0 is all.
    #[serde(default = "one")]
    pub times: u32,
    /// Occurrences before this time, in microseconds, do not count. At [`Kind::Time`] it is the period.
    #[serde(default)]
    pub after: u64,
    /// What it does.
    pub act: Act,
}

fn one() -> u32 {
    1
}

/// Where a fault can strike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A request of the driver, by operation, before the PF sees it.
    Request,
    /// The reply to an operation, before it is delivered.
    Reply,
    /// An event of the PF, by its number.
    Event,
    /// A register is read, by offset.
    Read,
    /// A register is written, by offset.
    Write,
    /// A frame is about to go into a receive queue.
    Receive,
    /// A frame is about to leave a transmit queue.
    Transmit,
    /// A vector is about to be signalled.
    Signal,
    /// A reset begins.
    Reset,
    /// Time itself passes.
    Time,
}

/// An occurrence that a fault may strike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Site {
    /// See [`Kind::Request`].
    Request(u32),
    /// See [`Kind::Reply`].
    Reply(u32),
    /// See [`Kind::Event`].
    Event(u32),
    /// See [`Kind::Read`].
    Read(u32),
    /// See [`Kind::Write`].
    Write(u32),
    /// See [`Kind::Receive`].
    Receive(u16),
    /// See [`Kind::Transmit`].
    Transmit(u16),
    /// See [`Kind::Signal`].
    Signal(u16),
    /// See [`Kind::Reset`].
    Reset,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// It never happened.
    Drop,
    /// It happens later, by this many microseconds.
    Delay(u64),
    /// Its length is off by this much.
    WrongLength(i32),
    /// Its status is this one.
    WrongStatus(i32),
    /// It happens twice.
    Duplicate,
    /// It changes places with the next one.
    Reorder,
    /// It is not completed: the mailbox takes no more requests, the frame is not reported sent, the reset does not end.
    NeverComplete,
    /// The queue does nothing any more until the next reset.
    StuckQueue,
    /// The signal is lost.
    LostInterrupt,
    /// The PF resets the function now.
    Reset,
    /// The PF resets the function, and again as soon as it is back.
    DoubleReset,
    /// The link goes down, and comes back after this many microseconds.
    Flap(u64),
    /// Registers read as all ones for this many microseconds, and writes are lost; 0 is for ever, and nothing is written
    /// to memory any more.
    AllOnes(u64),
    /// Registers read as 0xDEADBEEF for this many microseconds, and writes are lost.
    DeadBeef(u64),
}

impl Site {
    /// What kind of occurrence it is.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            Self::Request(_) => Kind::Request,
            Self::Reply(_) => Kind::Reply,
            Self::Event(_) => Kind::Event,
            Self::Read(_) => Kind::Read,
            Self::Write(_) => Kind::Write,
            Self::Receive(_) => Kind::Receive,
            Self::Transmit(_) => Kind::Transmit,
            Self::Signal(_) => Kind::Signal,
            Self::Reset => Kind::Reset,
        }
    }

    /// Which one of its kind.
    #[must_use]
    pub fn number(self) -> Option<u32> {
        match self {
            Self::Request(n) | Self::Reply(n) | Self::Event(n) | Self::Read(n) | Self::Write(n) => Some(n),
            Self::Receive(n) | Self::Transmit(n) | Self::Signal(n) => Some(u32::from(n)),
            Self::Reset => None,
        }
    }
}

impl Act {
    /// Whether it happens to the function as a whole, wherever it struck.
    #[must_use]
    pub fn is_at_large(self) -> bool {
        matches!(self, Self::Reset | Self::DoubleReset | Self::Flap(_) | Self::AllOnes(_) | Self::DeadBeef(_))
    }

    /// Whether it means anything at occurrences of a kind.
    #[must_use]
    pub fn fits(self, kind: Kind) -> bool {
        match self {
            Self::Reset | Self::Flap(_) => kind != Kind::Reset,
            Self::DoubleReset | Self::AllOnes(_) | Self::DeadBeef(_) => true,
            Self::Drop => !matches!(kind, Kind::Read | Kind::Signal | Kind::Reset | Kind::Time),
            Self::Delay(_) => {
                matches!(kind, Kind::Request | Kind::Reply | Kind::Event | Kind::Signal | Kind::Reset)
            }
            Self::WrongLength(_) => {
                matches!(kind, Kind::Request | Kind::Reply | Kind::Event | Kind::Receive)
            }
            Self::WrongStatus(_) | Self::Reorder => matches!(kind, Kind::Reply | Kind::Event),
            Self::Duplicate => !matches!(kind, Kind::Read | Kind::Write | Kind::Reset | Kind::Time),
            Self::NeverComplete => matches!(kind, Kind::Request | Kind::Transmit | Kind::Reset),
            Self::StuckQueue => matches!(kind, Kind::Receive | Kind::Transmit),
            Self::LostInterrupt => kind == Kind::Signal,
        }
    }
}

impl Fault {
    /// A fault at the first occurrence of `number`.
    #[must_use]
    pub fn new(at: Kind, number: impl Into<Option<u32>>, act: Act) -> Self {
        Self { at, number: number.into(), nth: 1, times: 1, after: 0, act }
    }

    /// The same, from the `nth` occurrence on.
    #[must_use]
    pub fn nth(self, nth: u32) -> Self {
        Self { nth, ..self }
    }

    /// The same, `times` in a row; 0 is for ever.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }

    /// The same, occurrences before `after` microseconds uncounted.
    #[must_use]
    pub fn after(self, after: u64) -> Self {
        Self { after, ..self }
    }
}
