//! The door: every source of frames, live or on disk, is an [`RxQueue`].

use crate::{Frame, Ledger, Timestamp};

/// Frames lent for one burst. They go back to the source when the batch is dropped.
#[derive(Debug, Default)]
pub struct Batch<'a> {
    /// The frames, in the order in which the source saw them.
    pub frames: Vec<Frame<'a>>,
    /// What the source knows about itself after this burst.
    pub status: RxStatus,
}

/// Whose a frame is, where several workers share a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lot {
    /// It belongs to this lot of flows, and to no other; lots are dealt to workers in turn, lot modulo workers.
    One(u16),
    /// It belongs to no flow: the first worker alone looks at it.
    First,
    /// Every worker looks at it.
    All,
}

/// A rule that says whose a frame is: the same for the same frame, whoever asks.
pub type Sorter = std::sync::Arc<dyn Fn(&Frame<'_>) -> Lot + Send + Sync>;

/// A burst of which a worker is lent what concerns it: its own frames, those that are everybody's, and each with which
/// a second of packet time begins.
#[derive(Debug, Default)]
pub struct Sorted<'a> {
    /// The frames.
    pub batch: Batch<'a>,
    /// Whose each of them is; empty when nobody has asked yet.
    pub lots: &'a [Lot],
    /// Number of the last frame that the source has passed, lent or not, and the latest packet time among them.
    pub seen: Option<(u64, Timestamp)>,
}

/// Why a burst came back as it did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RxStatus {
    /// More may be ready at once.
    #[default]
    More,
    /// Nothing was ready within the queue's own bounded wait; time went on, as told by the source's clock.
    Idle(Timestamp),
    /// The source has ended for good; this batch may still hold its last frames.
    End,
}

/// What can go wrong at the door. Each text says what to do about it.
#[derive(Debug)]
pub enum RxError {
    /// The interface or device went away and did not come back within the queue's patience.
    Gone(String),
    /// The operating system refused.
    Io(std::io::Error),
    /// What was read is not what it claims to be; the text names the place.
    Malformed(String),
}

impl std::fmt::Display for RxError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Gone(what) => write!(f, "source went away: {what}"),
            Self::Io(e) => write!(f, "reading frames: {e}"),
            Self::Malformed(what) => write!(f, "malformed capture: {what}"),
        }
    }
}

impl std::error::Error for RxError {}

/// A source of frames, owned by one worker.
pub trait RxQueue: Send {
    /// Lends the next burst. Waits no longer than the queue's own bound.
    ///
    /// # Errors
    /// When the source cannot go on; the ledger still holds what was counted until then.
    fn burst(&mut self) -> Result<Batch<'_>, RxError>;

    /// As [`RxQueue::burst`], for a worker that shares the source. A source that was given a [`Sorter`] leaves out what is
    /// other workers'; every other one lends everything, and nobody has asked whose it is.
    ///
    /// # Errors
    /// As [`RxQueue::burst`].
    fn sorted(&mut self) -> Result<Sorted<'_>, RxError> {
        Ok(Sorted { batch: self.burst()?, ..Sorted::default() })
    }

    /// Adds what this source knows about frames it received and lost (never about those it lent) into `ledger`: what
    /// is new since the last call, so that calls may be as many as one likes and always into the same ledger.
    fn account(&mut self, ledger: &mut Ledger);

    /// How far a bounded source has come, as bytes done and bytes in all; `None` for live sources and pipes.
    fn progress(&self) -> Option<(u64, u64)> {
        None
    }

    /// What happened to the source that its user should read, since this was last asked. Bounded by the source.
    fn warnings(&mut self) -> Vec<String> {
        Vec::new()
    }

    /// Names of the mirrors (files, interfaces), as [`crate::TapId`] numbers them.
    fn taps(&self) -> &[String] {
        &[]
    }

    /// Hands over, once, the way to have frames of single flows dropped by this source; none where it cannot do that.
    fn bypass(&mut self) -> Option<Box<dyn crate::bypass::Bypass>> {
        None
    }

    /// Takes nothing in any more, where the source can be told so: the bursts until [`RxStatus::End`] lend what is
    /// there already, and after that the ledger is exact.
    fn stop(&mut self) {}
}
