//! A worker's events of one stretch of packets, in an order that does not depend on how many workers there are.

use crate::{Header, Span, Tape};

/// Where an event stands among all events of a run. Compared field by field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Number of the packet that caused it; the end of the run counts as the greatest.
    pub packet: u64,
    /// Which share of the flows raised it; a share belongs to one worker, whatever their number.
    pub share: u16,
    /// Counts within packet and share.
    pub turn: u32,
}

/// One event: its place, its header, and where its body stands on the tape.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    /// Its place.
    pub key: Key,
    /// Its common part.
    pub header: Header,
    /// Its fields.
    pub body: Span,
}

/// Events and their tape, filled by a worker and emptied by the outputs.
#[derive(Debug, Default)]
pub struct Batch {
    /// The events, in the order of their keys.
    pub events: Vec<Event>,
    /// Their fields.
    pub tape: Tape,
}

impl Batch {
    /// Ends an event whose fields were written to the tape since `from`.
    pub fn push(&mut self, key: Key, header: Header, from: usize) {
        let body = Span { from, to: self.tape.mark() };
        self.events.push(Event { key, header, body });
    }

    /// Forgets everything, keeps the memory.
    pub fn clear(&mut self) {
        self.events.clear();
        self.tape.clear();
    }
}
