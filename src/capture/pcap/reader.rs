//! A reader: one worker's way through all captures.

use std::sync::Arc;

use frame::{Batch, Frame, Ledger, RxError, RxQueue, RxStatus, Sorted, TapId, Timestamp};

use super::find::Kind;
use super::format::Record;
use super::segment::Ending;
use super::shelf::{Shelf, Taken};
use super::source::{Ready, Source};

/// What the first reader knows of frames received and lost since it was last asked.
#[derive(Debug, Default)]
struct Tally {
    ledger: Ledger,
    warnings: Vec<String>,
}

/// One of several readers of the same captures.
pub(super) struct Reader {
    shelf: Arc<Shelf>,
    place: usize,
    /// Nothing between two captures.
    source: Option<Source>,
    /// Captures taken from the shelf so far; the present one is the last of them.
    taken: usize,
    /// Bytes of the captures before the present one.
    behind: u64,
    /// Bytes of all captures; nothing when one of them is a pipe.
    in_all: Option<u64>,
    names: Vec<String>,
    number: u64,
    /// The last frame to lend, once all readers are to stop.
    stop_after: Option<u64>,
    last: Timestamp,
    tally: Tally,
}

impl Reader {
    pub(super) fn new(shelf: Arc<Shelf>, place: usize) -> Self {
        let captures = shelf.captures();
        let piped = captures.iter().any(|c| matches!(c.kind, Kind::Pipe | Kind::Input));
        let in_all = (!piped).then(|| captures.iter().map(|c| c.size).sum());
        let names = captures.iter().map(|c| c.name.clone()).collect();
        Self {
            shelf,
            place,
            source: None,
            taken: 0,
            behind: 0,
            in_all,
            names,
            number: 0,
            stop_after: None,
            last: Timestamp::ZERO,
            tally: Tally::default(),
        }
    }

    /// Goes on until there is something to lend, or a reason why not.
    fn advance(&mut self) -> Result<(usize, usize), RxStatus> {
        let burst = self.allowance()?;
        loop {
            let Some(source) = &mut self.source else {
                if self.next_capture()? {
                    continue;
                }
                return Err(RxStatus::Idle(self.last));
            };
            match source.ready(burst) {
                Ready::Frames(from, to) => return Ok((from, to)),
                Ready::Waiting => return Err(RxStatus::Idle(self.last)),
                Ready::Over(ending) => {
                    self.source = None;
                    self.close(ending);
                }
            }
        }
    }

    /// Most frames of this burst. A reader that is to stop goes on to where the foremost one was, and no further.
    fn allowance(&mut self) -> Result<usize, RxStatus> {
        let burst = self.shelf.settings().burst.max(1);
        if !self.shelf.stopping() {
            return Ok(burst);
        }
        if self.stop_after.is_none() {
            self.stop_after = self.shelf.last_frame(self.place, self.number);
        }
        let last = self.stop_after.ok_or(RxStatus::Idle(self.last))?;
        match usize::try_from(last.saturating_sub(self.number)).unwrap_or(usize::MAX) {
            0 => Err(RxStatus::End),
            left => Ok(burst.min(left)),
        }
    }

    /// Takes the next capture; false when the slowest reader has to be waited for first.
    fn next_capture(&mut self) -> Result<bool, RxStatus> {
        let Some(taken) = self.shelf.take(self.place) else {
            self.shelf.finished(self.place, self.number);
            return Err(RxStatus::End);
        };
        let opened = match taken {
            Taken::Wait => return Ok(false),
            Taken::Source(source) => Ok(source),
            Taken::Failed(text) => Err(Ending { loss: None, warning: Some(text) }),
        };
        self.taken += 1;
        match opened {
            Ok(source) => self.source = Some(source),
            Err(ending) => self.close(ending),
        }
        Ok(true)
    }

    /// Notes how the present capture ended. All readers come by here; the first one keeps it.
    fn close(&mut self, ending: Ending) {
        let capture = self.taken.checked_sub(1).and_then(|i| self.shelf.captures().get(i));
        self.behind += capture.map_or(0, |c| c.size);
        if self.place != 0 {
            return;
        }
        if let Some(loss) = ending.loss {
            self.tally.ledger.received += 1;
            self.tally.ledger.lose(loss, 1);
        }
        if let Some(text) = ending.warning {
            let name = self.taken.checked_sub(1).and_then(|i| self.names.get(i));
            self.tally.warnings.push(format!("{}: {text}", name.map_or("", String::as_str)));
        }
    }

    /// Whether somebody has found out whose these records are.
    fn is_sorted(&self, from: usize, to: usize) -> bool {
        self.source.as_ref().is_some_and(|source| source.sorted(self.place, from, to).is_some())
    }

    /// Lends those of these records that concern this reader.
    fn lend_sorted(&mut self, from: usize, to: usize) -> Sorted<'_> {
        let Some(source) = &self.source else { return Sorted::default() };
        let (bytes, records) = source.lot(from, to);
        let (places, lots) = source.sorted(self.place, from, to).unwrap_or_default();
        let tap = self.tap();
        let first = self.number + 1;
        let frame = |place: &u32| {
            let behind = *place as usize - from;
            records.get(behind).unwrap_or(&Record::EMPTY).frame(bytes, first + behind as u64, tap)
        };
        let frames: Vec<Frame<'_>> = places.iter().map(frame).collect();
        touch(&frames);
        let latest = records.iter().map(|r| r.time).max().unwrap_or_default();
        pass(records, &mut self.number, &mut self.last, (self.place == 0).then_some(&mut self.tally.ledger));
        Sorted { batch: Batch { frames, status: RxStatus::More }, lots, seen: Some((self.number, latest)) }
    }

    /// Which capture is being read.
    fn tap(&self) -> TapId {
        TapId(u16::try_from(self.taken.saturating_sub(1)).unwrap_or(u16::MAX))
    }

    /// Lends these records of the present source.
    fn lend(&mut self, from: usize, to: usize) -> Batch<'_> {
        let Some(source) = &self.source else { return Batch::default() };
        let (bytes, records) = source.lot(from, to);
        let tap = self.tap();
        let first = self.number + 1;
        let frames = records.iter().enumerate().map(|(i, record)| record.frame(bytes, first + i as u64, tap));
        let frames = frames.collect();
        pass(records, &mut self.number, &mut self.last, (self.place == 0).then_some(&mut self.tally.ledger));
        Batch { frames, status: RxStatus::More }
    }
}

impl RxQueue for Reader {
    fn burst(&mut self) -> Result<Batch<'_>, RxError> {
        match self.advance() {
            Ok((from, to)) => Ok(self.lend(from, to)),
            Err(status) => Ok(Batch { frames: Vec::new(), status }),
        }
    }

    fn sorted(&mut self) -> Result<Sorted<'_>, RxError> {
        match self.advance() {
            Ok((from, to)) if self.is_sorted(from, to) => Ok(self.lend_sorted(from, to)),
            Ok((from, to)) => Ok(Sorted { batch: self.lend(from, to), ..Sorted::default() }),
            Err(status) => Ok(Sorted { batch: Batch { frames: Vec::new(), status }, ..Sorted::default() }),
        }
    }

    fn account(&mut self, ledger: &mut Ledger) {
        ledger.add(&std::mem::take(&mut self.tally.ledger));
    }

    fn progress(&self) -> Option<(u64, u64)> {
        let in_all = self.in_all?;
        let position = self.source.as_ref().map_or(0, Source::position);
        Some(((self.behind + position).min(in_all), in_all))
    }

    fn warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.tally.warnings)
    }

    fn taps(&self) -> &[String] {
        &self.names
    }

    fn stop(&mut self) {
        self.shelf.stop();
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.shelf.leave(self.place);
    }
}

/// Counts records that are behind a reader, lent or not.
fn pass(records: &[Record], number: &mut u64, last: &mut Timestamp, ledger: Option<&mut Ledger>) {
    *number += records.len() as u64;
    *last = records.last().map_or(*last, |r| r.time);
    if let Some(ledger) = ledger {
        ledger.received += records.len() as u64;
        ledger.received_bytes += records.iter().map(|r| u64::from(r.wire_len)).sum::<u64>();
    }
}

/// Reads from the first lines of each frame: the feed's processor has them, and here they come all at once instead of one
/// by one.
fn touch(frames: &[Frame<'_>]) {
    let byte = |frame: &Frame<'_>, at| frame.data.get(at).copied().unwrap_or_default();
    std::hint::black_box(frames.iter().fold(0, |sum, frame| sum ^ byte(frame, 0) ^ byte(frame, 64)));
}
