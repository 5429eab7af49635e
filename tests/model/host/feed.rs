//! Frames into the model, at a pace.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::Shared;
use super::hosted::lock;
use crate::datapath::{Ledger, Verdict};

/// Frames given to the model without letting go of it.
const BURST: u64 = 64;
/// How often a paced feed looks whether frames are due.
const LOOK: Duration = Duration::from_micros(500);

/// A way for frames into a model.
#[derive(Clone, Debug)]
pub struct Feed {
    to: Shared,
    /// Frames a second; none is as fast as can be.
    pub rate: Option<u64>,
}

/// What became of frames that were fed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Fed {
    /// All of them.
    pub frames: u64,
    /// In a ring.
    pub received: u64,
    /// Wanted by no filter.
    pub filtered: u64,
    /// Wanted, and lost.
    pub lost: u64,
}

impl Fed {
    fn count(&mut self, verdict: Verdict) {
        self.frames += 1;
        match verdict {
            Verdict::Received(_) => self.received += 1,
            Verdict::Filtered => self.filtered += 1,
            _ => self.lost += 1,
        }
    }
}

impl Feed {
    /// A way into `to`, at `rate` frames a second.
    #[must_use]
    pub fn new(to: &Shared, rate: Option<u64>) -> Self {
        Self { to: Shared::clone(to), rate: rate.filter(|rate| *rate != 0) }
    }

    /// Waits until a receive queue is enabled, for `limit` at most; tells whether one is.
    #[must_use]
    pub fn wait(&self, limit: Duration) -> bool {
        let since = Instant::now();
        while !lock(&self.to).is_receiving() {
            if since.elapsed() >= limit {
                return false;
            }
            std::thread::sleep(LOOK);
        }
        true
    }

    /// Gives all frames, each when it is due.
    pub fn give(&self, frames: impl IntoIterator<Item = Vec<u8>>) -> Fed {
        let mut fed = Fed::default();
        let began = Instant::now();
        let mut frames = frames.into_iter();
        loop {
            let may = self.due(began.elapsed()).saturating_sub(fed.frames).min(BURST);
            let burst: Vec<_> = frames.by_ref().take(usize::try_from(may).unwrap_or(0)).collect();
            if may != 0 && burst.is_empty() {
                return fed;
            }
            lock(&self.to).now(|model| burst.iter().for_each(|frame| fed.count(model.receive(frame))));
            if may < BURST {
                std::thread::sleep(LOOK);
            }
        }
    }

    /// How many frames are due so long after the first: the first is due at once.
    fn due(&self, since: Duration) -> u64 {
        let Some(rate) = self.rate else { return u64::MAX };
        let due = 1 + since.as_nanos() * u128::from(rate) / 1_000_000_000;
        u64::try_from(due).unwrap_or(u64::MAX)
    }
}

/// The ledger as orders tell it.
pub(super) fn lines(ledger: &Ledger) -> [(&'static str, u64); 9] {
    [
        ("offered", ledger.offered),
        ("received", ledger.received),
        ("filtered", ledger.filtered),
        ("lost", ledger.lost()),
        ("not_enabled", ledger.not_enabled),
        ("too_long", ledger.too_long),
        ("no_descriptor", ledger.no_descriptor),
        ("denied", ledger.denied),
        ("fault", ledger.fault),
    ]
}
