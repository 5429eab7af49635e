//! The ledger of events: produced = written + lost, each loss with its reason.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Live counts of one sink, shared with whoever reports them.
#[derive(Debug)]
pub struct SinkCounts {
    name: String,
    produced: AtomicU64,
    written: AtomicU64,
    bytes: AtomicU64,
    lost_slow: AtomicU64,
    lost_gone: AtomicU64,
    lost_stopped: AtomicU64,
    stopped: Mutex<Option<String>>,
}

/// A sink's counts at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SinkReport {
    /// Which sink.
    pub name: String,
    /// Events produced for it.
    pub produced: u64,
    /// Events written.
    pub written: u64,
    /// Bytes written.
    pub bytes: u64,
    /// Events dropped because it was slow.
    pub lost_slow: u64,
    /// Events dropped because its reader was away.
    pub lost_gone: u64,
    /// Events dropped because it had failed.
    pub lost_stopped: u64,
    /// Why it stopped, if it did.
    pub stopped: Option<String>,
}

impl SinkCounts {
    pub(crate) fn new(name: &str) -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            name: name.to_owned(),
            produced: zero(),
            written: zero(),
            bytes: zero(),
            lost_slow: zero(),
            lost_gone: zero(),
            lost_stopped: zero(),
            stopped: Mutex::new(None),
        }
    }

    pub(crate) fn produce(&self, lines: u64) {
        self.produced.fetch_add(lines, Ordering::Relaxed);
    }

    pub(crate) fn wrote(&self, lines: u64, bytes: u64) {
        self.written.fetch_add(lines, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn drop_slow(&self, lines: u64) {
        self.lost_slow.fetch_add(lines, Ordering::Relaxed);
    }

    pub(crate) fn drop_gone(&self, lines: u64) {
        self.lost_gone.fetch_add(lines, Ordering::Relaxed);
    }

    pub(crate) fn drop_stopped(&self, lines: u64) {
        self.lost_stopped.fetch_add(lines, Ordering::Relaxed);
    }

    pub(crate) fn stop(&self, why: &std::io::Error) {
        let mut stopped = self.stopped.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        stopped.get_or_insert_with(|| why.to_string());
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.lock().unwrap_or_else(std::sync::PoisonError::into_inner).is_some()
    }

    /// The counts now. Lines on their way are produced and not yet anything else.
    #[must_use]
    pub fn report(&self) -> SinkReport {
        let now = |c: &AtomicU64| c.load(Ordering::Relaxed);
        SinkReport {
            name: self.name.clone(),
            produced: now(&self.produced),
            written: now(&self.written),
            bytes: now(&self.bytes),
            lost_slow: now(&self.lost_slow),
            lost_gone: now(&self.lost_gone),
            lost_stopped: now(&self.lost_stopped),
            stopped: self.stopped.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone(),
        }
    }
}
