//! The ledger of events: produced = written + lost, each loss with its reason.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

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
    stops: AtomicU64,
    reopened: AtomicU64,
    returns: AtomicU64,
    is_stopped: AtomicBool,
    /// Why it stopped last.
    why: Mutex<Option<String>>,
    /// Whether somebody wants its target opened anew.
    to_reopen: AtomicBool,
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
    /// How often it stopped.
    pub stops: u64,
    /// Why it stopped last, if it ever did.
    pub stopped: Option<String>,
    /// How often its target was opened anew.
    pub reopened: u64,
    /// How often its reader came back.
    pub returns: u64,
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
            stops: zero(),
            reopened: zero(),
            returns: zero(),
            is_stopped: AtomicBool::new(false),
            why: Mutex::new(None),
            to_reopen: AtomicBool::new(false),
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
        *self.why.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.to_string());
        self.stops.fetch_add(1, Ordering::Relaxed);
        self.is_stopped.store(true, Ordering::Release);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::Acquire)
    }

    pub(crate) fn reopened(&self) {
        self.is_stopped.store(false, Ordering::Release);
        self.reopened.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn reader_returned(&self) {
        self.returns.fetch_add(1, Ordering::Relaxed);
    }

    /// Has the sink open its target anew where that makes sense: a file that was moved away, or one that had failed.
    pub fn ask_to_reopen(&self) {
        self.to_reopen.store(true, Ordering::Release);
    }

    pub(crate) fn is_to_reopen(&self) -> bool {
        self.to_reopen.swap(false, Ordering::AcqRel)
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
            stops: now(&self.stops),
            stopped: self.why.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            reopened: now(&self.reopened),
            returns: now(&self.returns),
        }
    }
}
