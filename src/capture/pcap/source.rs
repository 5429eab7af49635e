//! What a reader reads of one capture: segments that it shares with the other readers, and how far it has lent them.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};

use frame::Lot;

use super::format::Record;
use super::relay::Runner;
use super::segment::{Ending, Segment};
use super::shelf::PATIENCE;

/// Where segments come from.
pub(super) enum Intake {
    /// A thread reads them.
    Feed(Receiver<Arc<Segment>>),
    /// The readers read them in turns.
    Relay(Runner),
}

/// What can be lent now.
pub(super) enum Ready {
    /// So many records of the present segment, from this one on.
    Frames(usize, usize),
    /// Nothing yet.
    Waiting,
    /// The capture has ended.
    Over(Ending),
}

/// Where the frames of the present capture come from.
pub(super) struct Source {
    intake: Intake,
    segment: Arc<Segment>,
    /// Records of the segment that were lent.
    lent: usize,
}

impl Source {
    pub(super) fn new(intake: Intake) -> Self {
        Self { intake, segment: Arc::default(), lent: 0 }
    }

    /// Makes the next records ready to be lent.
    pub(super) fn ready(&mut self, burst: usize) -> Ready {
        if self.lent == self.segment.records.len() && self.segment.ending.is_none() {
            match self.next_segment() {
                Ok(Some(fresh)) => self.segment = fresh,
                Ok(None) => return Ready::Waiting,
                Err(ending) => return Ready::Over(ending),
            }
        }
        let from = self.lent;
        let to = self.segment.records.len().min(from + burst);
        if from == to {
            return self.segment.ending.clone().map_or(Ready::Waiting, Ready::Over);
        }
        self.lent = to;
        Ready::Frames(from, to)
    }

    /// Lets go of the present segment first, so that its memory can take the next one.
    fn next_segment(&mut self) -> Result<Option<Arc<Segment>>, Ending> {
        let position = self.segment.position;
        (self.segment, self.lent) = (Arc::new(Segment { position, ..Segment::default() }), 0);
        match &self.intake {
            Intake::Relay(runner) => Ok(runner.next()),
            Intake::Feed(segments) => match segments.recv_timeout(PATIENCE) {
                Ok(segment) => Ok(Some(segment)),
                Err(RecvTimeoutError::Timeout) => Ok(None),
                Err(RecvTimeoutError::Disconnected) => Err(broken_feed()),
            },
        }
    }

    /// Bytes and records that [`Ready::Frames`] spoke of.
    pub(super) fn lot(&self, from: usize, to: usize) -> (&[u8], &[Record]) {
        (&self.segment.bytes, self.segment.records.get(from..to).unwrap_or_default())
    }

    /// Of these records, those that concern the reader at `place`, and whose they are; nothing when nobody has sorted them.
    pub(super) fn sorted(&self, place: usize, from: usize, to: usize) -> Option<(&[u32], &[Lot])> {
        Some(self.segment.sorted.get(place)?.between(from, to))
    }

    /// Bytes of the present capture that are behind us.
    pub(super) fn position(&self) -> u64 {
        self.segment.position
    }
}

fn broken_feed() -> Ending {
    Ending { loss: None, warning: Some("the thread that reads it has failed: the rest is lost".to_owned()) }
}
