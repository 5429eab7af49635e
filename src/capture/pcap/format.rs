//! What both formats have in common: a step from one record to the next, and the walk over many.

use frame::{LinkType, Timestamp};

use super::classic::Classic;
use super::ng::Ng;

/// Most bytes that one record may claim to hold: four times what libpcap writes, and more than the largest frame that
/// Linux makes. Anything beyond is not a long frame but a file that is not what it claims to be.
pub const MAX_RECORD: usize = 1 << 20;

/// Where one frame lies in the bytes it was found in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) start: usize,
    pub(super) len: usize,
    pub(super) wire_len: u32,
    pub(super) time: Timestamp,
    pub(super) link: LinkType,
}

impl Record {
    /// A frame of no bytes.
    pub(super) const EMPTY: Self =
        Self { start: 0, len: 0, wire_len: 0, time: Timestamp::ZERO, link: LinkType::NULL };
}

/// What begins at a place in the file.
#[derive(Debug)]
pub(super) enum Step {
    /// A frame, whose record is `size` bytes long; its place counts from the beginning of the record.
    Frame { record: Record, size: usize },
    /// No frame, and so many bytes to pass over: possibly more than are at hand.
    Skip(u64),
    /// More bytes are needed before this can be told: so many from the beginning of the record.
    Need(usize),
}

/// The file is not what it claims to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// What was read, and what is allowed.
    pub(super) text: String,
    /// Whether the place held a frame, which is lost.
    pub(super) frame: bool,
}

impl Fault {
    pub(super) fn frame(text: String) -> Self {
        Self { text, frame: true }
    }

    pub(super) fn head(text: String) -> Self {
        Self { text, frame: false }
    }
}

/// One of the two formats, with what it knows of the file so far.
#[derive(Clone, Debug)]
pub(super) enum Format {
    Classic(Classic),
    Ng(Ng),
}

impl Format {
    /// The format that the first four bytes announce.
    pub(super) fn from_magic(magic: [u8; 4]) -> Option<Self> {
        Classic::from_magic(magic).map(Self::Classic).or_else(|| Ng::from_magic(magic).map(Self::Ng))
    }

    /// What begins at `at`. A step that needs more bytes has changed nothing.
    #[inline]
    pub(super) fn step(&mut self, at: &[u8]) -> Result<Step, Fault> {
        match self {
            Self::Classic(classic) => classic.step(at),
            Self::Ng(ng) => ng.step(at),
        }
    }

    /// Whether the unfinished record at the end of a file, of which these bytes are left, held a frame.
    pub(super) fn held_frame(&self, rest: &[u8]) -> bool {
        match self {
            Self::Classic(classic) => classic.in_records(),
            Self::Ng(ng) => ng.held_frame(rest),
        }
    }
}

/// Why a walk came to a halt.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Halt {
    /// The record at the place needs so many bytes.
    Need(usize),
    /// Everything is used up, and so many bytes beyond the end are to be passed over first.
    Beyond(u64),
    /// The record at the place is malformed.
    Fault(Fault),
}

/// Collects records from `place` on, until the bytes end.
pub(super) fn walk(format: &mut Format, bytes: &[u8], place: &mut usize, records: &mut Vec<Record>) -> Halt {
    loop {
        if let Format::Classic(classic) = format {
            whole(classic, bytes, place, records);
        }
        let at = bytes.get(*place..).unwrap_or_default();
        match format.step(at) {
            Ok(Step::Frame { mut record, size }) => {
                record.start += *place;
                records.push(record);
                *place += size;
            }
            Ok(Step::Skip(size)) if size > at.len() as u64 => {
                *place = bytes.len();
                return Halt::Beyond(size - at.len() as u64);
            }
            Ok(Step::Skip(size)) => *place += usize::try_from(size).unwrap_or(at.len()),
            Ok(Step::Need(size)) => return Halt::Need(size),
            Err(fault) => return Halt::Fault(fault),
        }
    }
}

/// As [`walk`], as far as one whole record follows another.
fn whole(classic: &Classic, bytes: &[u8], place: &mut usize, records: &mut Vec<Record>) {
    let mut at = *place;
    while let Some((mut record, size)) = classic.whole(bytes.get(at..).unwrap_or_default()) {
        record.start += at;
        records.push(record);
        at += size;
    }
    *place = at;
}
