//! Segments: whole records, read from a stream into memory that is used again.

use std::io::{self, Read};
use std::sync::Arc;

use frame::{Checksum, Frame, Loss, Lot, Sorter, TapId, Timestamp};

use super::format::{Fault, Format, Halt, Record, walk};

/// How a capture ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ending {
    /// The frame that was lost with it, if one was.
    pub(super) loss: Option<Loss>,
    /// What is to be said about it; a capture that ends as it should says nothing.
    pub(super) warning: Option<String>,
}

impl Ending {
    /// The capture ended in mid-record, or even in mid-header, at this offset.
    pub(super) fn cut(offset: u64, held_frame: bool) -> Self {
        let what = if held_frame { "a frame, which is lost" } else { "something other than a frame" };
        Self {
            loss: held_frame.then_some(Loss::FileTruncated),
            warning: Some(format!("the file is cut short in the record at byte {offset}, which held {what}")),
        }
    }

    /// What stands at this offset is malformed.
    pub(super) fn fault(offset: u64, fault: Fault) -> Self {
        Self {
            loss: fault.frame.then_some(Loss::FileMalformed),
            warning: Some(format!("the rest of the file from byte {offset} on is given up: {}", fault.text)),
        }
    }

    /// The stream could not be read on.
    fn refused(offset: u64, e: &io::Error, held_frame: bool) -> Self {
        let loss = match e.kind() {
            io::ErrorKind::UnexpectedEof => Loss::FileTruncated,
            _ => Loss::FileMalformed,
        };
        Self {
            loss: held_frame.then_some(loss),
            warning: Some(format!("reading stopped at byte {offset}: {e}")),
        }
    }
}

/// Bytes and the records in them, as many as were read at once.
#[derive(Debug, Default)]
pub(super) struct Segment {
    pub(super) bytes: Vec<u8>,
    pub(super) records: Vec<Record>,
    /// For each reader, which records concern it; nothing when nobody has sorted them.
    pub(super) sorted: Vec<Own>,
    /// Set in the last segment of a capture.
    pub(super) ending: Option<Ending>,
    /// How far into the file this segment reaches, in bytes of the file.
    pub(super) position: u64,
}

/// The records of a segment that concern one reader.
#[derive(Debug, Default)]
pub(super) struct Own {
    /// Their places in the segment, rising.
    pub(super) places: Vec<u32>,
    /// Whose each of them is.
    pub(super) lots: Vec<Lot>,
}

impl Own {
    #[inline]
    fn push(&mut self, place: u32, lot: Lot) {
        self.places.push(place);
        self.lots.push(lot);
    }

    fn clear(&mut self) {
        self.places.clear();
        self.lots.clear();
    }

    /// Those at the places from `from` on and before `to`.
    pub(super) fn between(&self, from: usize, to: usize) -> (&[u32], &[Lot]) {
        let at = |place: usize| self.places.partition_point(|own| (*own as usize) < place);
        let range = at(from)..at(to);
        let places = self.places.get(range.clone()).unwrap_or_default();
        (places, self.lots.get(range).unwrap_or_default())
    }
}

/// Segments that were handed out, to be filled anew when everybody has let go of them.
#[derive(Debug, Default)]
pub(super) struct Spares(Vec<Arc<Segment>>);

impl Spares {
    /// Keeps one that readers may still hold.
    pub(super) fn keep(&mut self, segment: Arc<Segment>) {
        self.0.push(segment);
    }

    /// The latest that nobody holds, since the caches may still have it; a new one when there is none.
    pub(super) fn take(&mut self) -> Arc<Segment> {
        let free = self.0.iter_mut().rposition(|segment| Arc::get_mut(segment).is_some());
        free.map(|at| self.0.swap_remove(at)).unwrap_or_default()
    }
}

/// Deals the records of one capture out to readers.
pub(super) struct Dealer {
    sorter: Sorter,
    readers: u16,
    /// The latest packet time so far.
    latest: Timestamp,
}

impl Dealer {
    pub(super) fn new(sorter: Sorter, readers: usize) -> Self {
        let readers = u16::try_from(readers).unwrap_or(u16::MAX);
        Self { sorter, readers, latest: Timestamp::ZERO }
    }

    /// Says of each record which readers it concerns.
    pub(super) fn sort(&mut self, segment: &mut Segment) {
        let Segment { bytes, records, sorted, .. } = segment;
        sorted.resize_with(usize::from(self.readers), Own::default);
        sorted.iter_mut().for_each(Own::clear);
        for (at, record) in (0..).zip(records.iter()) {
            let lot = (self.sorter)(&record.frame(bytes, 0, TapId(0)));
            let begins = record.time.seconds() > self.latest.seconds();
            self.latest = self.latest.max(record.time);
            match lot {
                Lot::One(number) if !begins => {
                    let reader = usize::from(number % self.readers);
                    sorted.get_mut(reader).into_iter().for_each(|own| own.push(at, lot));
                }
                Lot::First if !begins => sorted.first_mut().into_iter().for_each(|own| own.push(at, lot)),
                _ => sorted.iter_mut().for_each(|own| own.push(at, lot)),
            }
        }
    }
}

impl Record {
    /// The frame in these bytes.
    #[inline]
    pub(super) fn frame<'a>(&self, bytes: &'a [u8], number: u64, tap: TapId) -> Frame<'a> {
        Frame {
            data: bytes.get(self.start..self.start + self.len).unwrap_or_default(),
            wire_len: self.wire_len,
            time: self.time,
            number,
            link: self.link,
            vlan: None,
            checksum: Checksum::Unknown,
            tap,
        }
    }
}

/// Fills segments from a stream, each up to the end of its last whole record.
pub(super) struct Pump<R> {
    from: R,
    format: Format,
    size: usize,
    /// Wait for a whole segment, and not only for what is there.
    patient: bool,
    /// Beginning of the record that the segment before had no room for.
    carry: Vec<u8>,
    /// Bytes to pass over before the next record.
    skip: u64,
    /// Where in the stream the next record begins.
    offset: u64,
}

impl<R: Read> Pump<R> {
    pub(super) fn new(from: R, format: Format, size: usize, patient: bool) -> Self {
        Self { from, format, size: size.max(64), patient, carry: Vec::new(), skip: 0, offset: 0 }
    }

    pub(super) fn source(&self) -> &R {
        &self.from
    }

    /// Puts the next records into `segment`: at least one, unless the capture ends.
    pub(super) fn fill(&mut self, segment: &mut Segment) {
        segment.records.clear();
        segment.ending = None;
        let room = self.size.max(self.carry.len());
        if segment.bytes.len() < room {
            segment.bytes.resize(room, 0);
        }
        let mut filled = self.carry.len();
        if let Some(front) = segment.bytes.get_mut(..filled) {
            front.copy_from_slice(&self.carry);
        }
        let mut place = 0;
        while segment.records.is_empty() && segment.ending.is_none() {
            let got = self.read(segment, &mut filled);
            self.parse(segment, filled, &mut place);
            if segment.ending.is_none() {
                let left = segment.bytes.get(place..filled).unwrap_or_default();
                segment.ending = match got {
                    Ok(0) => Some(self.end(left)),
                    Err(e) => Some(Ending::refused(self.offset, &e, self.held_frame(left))),
                    Ok(_) => None,
                };
            }
            if segment.records.is_empty() && place > 0 {
                segment.bytes.copy_within(place..filled, 0);
                filled -= place;
                place = 0;
            }
        }
        self.carry.clear();
        self.carry.extend_from_slice(segment.bytes.get(place..filled).unwrap_or_default());
    }

    /// Reads behind what is there; makes room first where a record needs it.
    fn read(&mut self, segment: &mut Segment, filled: &mut usize) -> io::Result<usize> {
        if *filled == segment.bytes.len() {
            // Bounded by the longest record that a format lets pass.
            segment.bytes.resize(*filled * 2, 0);
        }
        let mut got = 0;
        while let Some(room) = segment.bytes.get_mut(*filled..).filter(|room| !room.is_empty()) {
            match self.from.read(room) {
                Ok(0) => break,
                Ok(n) => {
                    *filled += n;
                    got += n;
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                // What came before the error is still good; the next read meets the error again.
                Err(_) if got > 0 => break,
                Err(e) => return Err(e),
            }
            if !self.patient {
                break;
            }
        }
        Ok(got)
    }

    /// Finds the whole records between `place` and `filled`.
    fn parse(&mut self, segment: &mut Segment, filled: usize, place: &mut usize) {
        let here = usize::try_from(self.skip).unwrap_or(usize::MAX).min(filled - *place);
        self.skip -= here as u64;
        *place += here;
        self.offset += here as u64;
        if self.skip > 0 {
            return;
        }
        let begin = *place;
        let bytes = segment.bytes.get(..filled).unwrap_or_default();
        let halt = walk(&mut self.format, bytes, place, &mut segment.records);
        self.offset += (*place - begin) as u64;
        match halt {
            Halt::Fault(fault) => segment.ending = Some(Ending::fault(self.offset, fault)),
            Halt::Beyond(more) => self.skip = more,
            Halt::Need(_) => {}
        }
    }

    /// The stream has ended, with these bytes that are no whole record.
    fn end(&self, left: &[u8]) -> Ending {
        match (left.len(), self.skip) {
            (0, 0) => Ending::default(),
            _ => Ending::cut(self.offset, self.held_frame(left)),
        }
    }

    fn held_frame(&self, left: &[u8]) -> bool {
        self.skip == 0 && !left.is_empty() && self.format.held_frame(left)
    }
}
