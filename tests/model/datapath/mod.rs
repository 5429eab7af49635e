//! Frames in and out (reference section 12.8).
//!
//! The contract with the rest of the model:
//! * a descriptor that is done goes to its queue's `pending`; full groups of four (or all, with
//!   [`crate::WriteBack::Immediate`]) are written at once, then [`Model::completed`] is called, once for a burst or a
//!   frame. The interrupt engine calls [`flush`] when the throttle of the queue's vector ends.
//! * nothing is written while [`Model::is_running`] is false (a reset, or bus mastering off).
//! * faults are asked for at [`crate::fault::Site::Receive`] and [`crate::fault::Site::Transmit`].

use crate::Model;
use crate::vf::Direction;

/// What became of a frame from the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is in the ring of this queue.
    Received(u16),
    /// The function is in reset, or its queue is not enabled.
    NotEnabled,
    /// No filter wants it.
    Filtered,
    /// Longer than the queue takes.
    TooLong,
    /// Too few descriptors.
    NoDescriptor,
    /// Memory could not be reached.
    Denied,
    /// A fault took it.
    Fault,
}

/// A frame arrives from the wire, without its check sequence.
pub fn inject(_model: &mut Model, _frame: &[u8]) -> Verdict {
    Verdict::NotEnabled
}

/// The driver wrote a queue's tail register.
pub fn tail_written(model: &mut Model, direction: Direction, queue: u16, value: u32) {
    let vf = &mut model.function.vf;
    let tail = match direction {
        Direction::Rx => vf.rx.get_mut(usize::from(queue)).map(|rx| &mut rx.tail),
        Direction::Tx => vf.tx.get_mut(usize::from(queue)).map(|tx| &mut tx.tail),
    };
    if let Some(tail) = tail {
        *tail = value;
    }
}

/// Writes back what is pending on a queue, whether its group is full or not. True when something was.
pub fn flush(_model: &mut Model, _direction: Direction, _queue: u16) -> bool {
    false
}
