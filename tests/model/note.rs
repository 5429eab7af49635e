//! What a model did, for whoever has to find out why.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use avf::register::Register;
use avf::virtchnl::{Opcode, Status};

use crate::Reset;
use crate::datapath::Malice;
use crate::fault::{Act, Site};

/// How many notes are kept; older ones give way.
const KEPT: usize = 4096;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// The driver sent a request of so many bytes.
    Request(Opcode, usize),
    /// The driver got a message.
    Message(Opcode, Status, usize),
    /// The driver closes its mailbox.
    Closing,
    /// A mailbox ring could not be reached.
    Critical,
    /// A message found no buffer.
    Overflow,
    /// A reset began.
    Reset(Reset),
    /// The function is active again.
    Active,
    /// A vector was signalled.
    Signal(u16),
    /// A fault struck there; none is time.
    Fault(Option<Site>, Act),
    /// A register was written that is none, or must not be now.
    Odd(u32, u32),
    /// The driver did what no driver may, and its function was disabled.
    Malice(Malice),
    /// The function was removed.
    Removed,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(op, bytes) => write!(f, "request {op}, {bytes} bytes"),
            Self::Message(op, status, bytes) => write!(f, "message {op} {status}, {bytes} bytes"),
            Self::Closing => f.write_str("mailbox closes"),
            Self::Critical => f.write_str("a mailbox ring cannot be reached"),
            Self::Overflow => f.write_str("a message found no buffer"),
            Self::Reset(kind) => write!(f, "reset ({kind:?})"),
            Self::Active => f.write_str("active"),
            Self::Signal(vector) => write!(f, "signal {vector}"),
            Self::Fault(Some(site), act) => write!(f, "fault at {site:?}: {act}"),
            Self::Fault(None, act) => write!(f, "fault of time: {act}"),
            Self::Odd(offset, value) => match Register::at(*offset) {
                Some(register) => write!(f, "{register} is written {value:#x} now"),
                None => write!(f, "no register at {offset:#x} is written {value:#x}"),
            },
            Self::Malice(malice) => write!(f, "malice, {malice}"),
            Self::Removed => f.write_str("removed"),
        }
    }
}

/// Notes with their time, oldest first.
#[derive(Debug, Default)]
pub struct Notes {
    kept: VecDeque<(Duration, Note)>,
    /// How many there were before the oldest that is kept.
    before: u64,
}

impl Notes {
    pub(crate) fn put(&mut self, now: Duration, note: Note) {
        if self.kept.len() == KEPT {
            self.kept.pop_front();
            self.before += 1;
        }
        self.kept.push_back((now, note));
    }

    /// What is there.
    pub fn iter(&self) -> impl Iterator<Item = &(Duration, Note)> {
        self.kept.iter()
    }

    /// How many there were so far, kept or not.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.before + self.kept.len() as u64
    }

    /// Those that came after the first `seen`, as far as they are kept.
    pub fn since(&self, seen: u64) -> impl Iterator<Item = &(Duration, Note)> {
        self.kept.iter().skip(usize::try_from(seen.saturating_sub(self.before)).unwrap_or(usize::MAX))
    }
}

/// One line each, with seconds.
impl fmt::Display for Notes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kept.iter().try_for_each(|(at, note)| writeln!(f, "{:12.6} {note}", at.as_secs_f64()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_reads_on_misses_no_note_that_is_kept() {
        let mut notes = Notes::default();
        let total = KEPT as u64 + 10;
        (0..total).for_each(|at| notes.put(Duration::from_secs(at), Note::Active));
        assert_eq!((notes.count(), notes.iter().count()), (total, KEPT));
        assert_eq!(notes.since(0).count(), KEPT, "ten gave way");
        assert_eq!(notes.since(total - 1).map(|(at, _)| at.as_secs()).collect::<Vec<_>>(), [total - 1]);
        assert_eq!(notes.since(total).count(), 0);
    }
}
