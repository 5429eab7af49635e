//! Frames in and out (reference section 12.8).
//!
//! The contract with the rest of the model:
//! * a descriptor that is done goes to its queue's `pending`; full groups of four (or all, with
//!   [`crate::WriteBack::Immediate`]) are written at once, then [`Model::completed`] is called, once for a burst or a
//!   frame. The interrupt engine calls [`flush`] when the throttle of the queue's vector ends.
//! * nothing is written while [`Model::is_running`] is false (a reset, or bus mastering off).
//! * faults are asked for at [`crate::fault::Site::Receive`] and [`crate::fault::Site::Transmit`].

mod answer;
mod filter;
mod ledger;
mod malice;
pub(crate) mod pattern;
mod receive;
mod sight;
mod spread;
mod stack;
mod steer;
mod sums;
#[cfg(test)]
mod tests;
mod transmit;

pub use ledger::{Ledger, Verdict};
pub use malice::Malice;

use avf::rx::Cast;
use avf::tx::check_tail;

use crate::note::Note;
use crate::vf::Direction;
use crate::{Loopback, Model};

/// A frame arrives from the wire, without its check sequence.
pub fn inject(model: &mut Model, frame: &[u8]) -> Verdict {
    let verdict = receive::offer(model, frame);
    model.ledger.count(verdict);
    if let Verdict::Received(queue) = verdict {
        model.completed(Direction::Rx, queue);
    }
    verdict
}

/// The driver wrote a queue's tail register.
pub fn tail_written(model: &mut Model, direction: Direction, queue: u16, value: u32) {
    match direction {
        Direction::Rx => receive_tail(model, queue, value),
        Direction::Tx => transmit::kick(model, queue, value),
    }
}

/// Writes back what is pending on a queue, whether its group is full or not. True when something was.
pub fn flush(model: &mut Model, direction: Direction, queue: u16) -> bool {
    match direction {
        Direction::Rx => receive::flush(model, queue),
        Direction::Tx => transmit::flush(model, queue),
    }
}

/// Writes back what is pending on queues that were stopped: hardware finishes them before it says so.
pub(crate) fn drain(model: &mut Model) {
    let vf = &model.function.vf;
    let rx =
        (0..).zip(&vf.rx).filter(|(_, rx)| !rx.enabled && !rx.pending.is_empty()).map(|(queue, _)| queue);
    let tx =
        (0..).zip(&vf.tx).filter(|(_, tx)| !tx.enabled && !tx.pending.is_empty()).map(|(queue, _)| queue);
    let (rx, tx): (Vec<u16>, Vec<u16>) = (rx.collect(), tx.collect());
    for queue in rx {
        receive::flush(model, queue);
    }
    for queue in tx {
        transmit::flush(model, queue);
    }
}

/// A tail may be written before its queue is configured; once there is a ring, it must lie inside.
fn receive_tail(model: &mut Model, queue: u16, value: u32) {
    let Some(rx) = model.function.vf.rx.get_mut(usize::from(queue)) else { return };
    let ring = u16::try_from(rx.len).unwrap_or(u16::MAX);
    match check_tail(value, ring) {
        Err(violation) if rx.enabled => model.accuse(Malice::Receive { queue, violation }),
        _ => rx.tail = value,
    }
}

/// A frame is on the wire: it is kept, or comes back.
fn departed(model: &mut Model, frame: Vec<u8>) {
    model.wire.leave(&frame);
    match model.function.options.loopback {
        Loopback::Off => model.wire.put(frame),
        Loopback::Echo => {
            inject(model, &frame);
        }
        Loopback::Swap => {
            inject(model, &swapped(frame));
        }
        Loopback::Answer => {
            if let Some(reply) = answer::answer(&frame) {
                inject(model, &reply);
            }
        }
    }
}

fn swapped(mut frame: Vec<u8>) -> Vec<u8> {
    if let Some((destination, rest)) = frame.split_first_chunk_mut::<6>()
        && let Some(source) = rest.first_chunk_mut::<6>()
    {
        std::mem::swap(destination, source);
    }
    frame
}

/// The counter that a frame belongs to.
fn by_cast<'a>(cast: Cast, one: &'a mut u64, many: &'a mut u64, all: &'a mut u64) -> &'a mut u64 {
    match cast {
        Cast::Unicast | Cast::Mirrored => one,
        Cast::Multicast => many,
        Cast::Broadcast => all,
    }
}

impl Model {
    /// Holds something against the driver: its function is disabled, and its queues stop, until the next reset, which
    /// the host may be quick to make.
    pub(crate) fn accuse(&mut self, malice: Malice) {
        self.note(Note::Malice(malice));
        self.malice.get_or_insert(malice);
        self.function.host.disabled = true;
        for rx in &mut self.function.vf.rx {
            rx.enabled = false;
            rx.pending.clear();
        }
        for tx in &mut self.function.vf.tx {
            tx.enabled = false;
            tx.pending.clear();
        }
        if self.function.options.resets_malicious {
            crate::reset::of_host(self);
        }
    }
}
