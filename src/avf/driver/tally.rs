//! What the queues of a function and its controller tell each other while both run: numbers, no order.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::verify::{self, Evidence};

/// Notices of a function that wait to be read.
const NOTICES: usize = 64;

/// What one worker says of its queue.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    /// Frames taken out of the ring, whatever became of them.
    pub(crate) taken: AtomicU64,
    /// Looks that found nothing.
    pub(crate) empty: AtomicU64,
}

impl Meter {
    /// One writer: a load and a store cost what plain memory costs.
    #[inline]
    pub(crate) fn add(counter: &AtomicU64, n: u64) {
        counter.store(counter.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
    }
}

/// What belongs to the function as a whole.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Frames for which the NIC had no descriptor, not yet in anybody's ledger.
    pub(crate) discards: AtomicU64,
    /// How often the function was away, not yet in anybody's ledger.
    pub(crate) absences: AtomicU64,
    /// Whether frames for other stations come.
    pub(crate) evidence: Evidence,
    /// The NIC's clock, where frames carry its time.
    pub(crate) clock: crate::rx::NicClock,
    /// Whether the function has gone away for good, and why.
    pub(crate) ended: AtomicBool,
    /// Addresses that are the function's own.
    own: Mutex<Vec<[u8; 6]>>,
    why: Mutex<Option<String>>,
    notices: Mutex<Vec<String>>,
}

impl Tally {
    /// Something that the function's user should read.
    pub(crate) fn tell(&self, notice: String) {
        let mut notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
        if notices.len() < NOTICES {
            notices.push(notice);
        }
    }

    /// What was told since this was last asked.
    pub(crate) fn told(&self) -> Vec<String> {
        std::mem::take(&mut *self.notices.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// These addresses are the function's own.
    pub(crate) fn set_own(&self, own: Vec<[u8; 6]>) {
        *self.own.lock().unwrap_or_else(PoisonError::into_inner) = own;
    }

    /// Whether a frame is a unicast frame for another station.
    pub(crate) fn is_foreign(&self, data: &[u8]) -> bool {
        verify::is_foreign(data, &self.own.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The function is gone for good; without a reason it was given back in order.
    pub(crate) fn end(&self, why: Option<String>) {
        *self.why.lock().unwrap_or_else(PoisonError::into_inner) = why;
        self.ended.store(true, Ordering::Release);
    }

    /// Why it is gone, where that is a failure.
    pub(crate) fn failure(&self) -> Option<String> {
        if !self.ended.load(Ordering::Acquire) {
            return None;
        }
        self.why.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
