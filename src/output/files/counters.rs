//! What became of the files: found = kept + already there + each reason why one was not kept.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Live counts, shared with whoever reports them.
#[derive(Debug)]
pub struct StoreCounts {
    folder: String,
    kept: AtomicU64,
    bytes: AtomicU64,
    known: AtomicU64,
    quota: AtomicU64,
    large: AtomicU64,
    slow: AtomicU64,
    failed: AtomicU64,
    incomplete: AtomicU64,
    why: Mutex<Option<String>>,
}

/// The counts at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreReport {
    /// Which folder.
    pub folder: String,
    /// Files written.
    pub kept: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Files that the folder had already.
    pub known: u64,
    /// Files not written because the quota was reached.
    pub quota: u64,
    /// Files not written because they are larger than one may be.
    pub large: u64,
    /// Files not written because the writer was behind, or too many were open.
    pub slow: u64,
    /// Files not written because the disk refused.
    pub failed: u64,
    /// Files not written because they never became whole.
    pub incomplete: u64,
    /// What the disk said when it refused last.
    pub why: Option<String>,
}

impl StoreCounts {
    pub(super) fn new(folder: &str) -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            folder: folder.to_owned(),
            kept: zero(),
            bytes: zero(),
            known: zero(),
            quota: zero(),
            large: zero(),
            slow: zero(),
            failed: zero(),
            incomplete: zero(),
            why: Mutex::new(None),
        }
    }

    pub(super) fn kept(&self, bytes: u64) {
        self.kept.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn known(&self) {
        self.known.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn lost_quota(&self) {
        self.quota.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn lost_large(&self) {
        self.large.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn lost_slow(&self) {
        self.slow.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn lost_failed(&self, why: &std::io::Error) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        *self.why.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.to_string());
    }

    pub(super) fn lost_incomplete(&self) {
        self.incomplete.fetch_add(1, Ordering::Relaxed);
    }

    /// The counts now.
    #[must_use]
    pub fn report(&self) -> StoreReport {
        let now = |c: &AtomicU64| c.load(Ordering::Relaxed);
        StoreReport {
            folder: self.folder.clone(),
            kept: now(&self.kept),
            bytes: now(&self.bytes),
            known: now(&self.known),
            quota: now(&self.quota),
            large: now(&self.large),
            slow: now(&self.slow),
            failed: now(&self.failed),
            incomplete: now(&self.incomplete),
            why: self.why.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

impl StoreReport {
    /// Files that were found and are not in the folder.
    #[must_use]
    pub const fn lost(&self) -> u64 {
        self.quota + self.large + self.slow + self.failed + self.incomplete
    }

    /// One line on files that a user may have expected in the folder, when there are any.
    #[must_use]
    pub fn not_kept(&self) -> Option<String> {
        let mut reasons = Vec::new();
        for (n, why) in [(self.quota, "over the quota"), (self.slow, "the disk was too slow")] {
            if n > 0 {
                reasons.push(format!("{n}: {why}"));
            }
        }
        if self.failed > 0 {
            reasons.push(format!("{}: {}", self.failed, self.why.as_deref().unwrap_or("the disk refused")));
        }
        (!reasons.is_empty()).then(|| format!("{}: files not kept: {}", self.folder, reasons.join("; ")))
    }
}
