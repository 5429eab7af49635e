//! Time that a test moves by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use frame::Timestamp;

/// Moves the time of every watch that it gave.
#[derive(Clone, Debug, Default)]
pub struct Hands(Arc<AtomicU64>);

impl Hands {
    /// Sets them.
    pub fn set(&self, now: Duration) {
        self.0.store(u64::try_from(now.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// A watch for one queue.
    #[must_use]
    pub fn watch(&self) -> Watch {
        Watch(Arc::clone(&self.0))
    }
}

/// One queue's clock. A pause takes no time: whoever has the hands decides what passes.
#[derive(Clone, Debug)]
pub struct Watch(Arc<AtomicU64>);

impl avf_driver::Clock for Watch {
    fn now(&mut self) -> Timestamp {
        Timestamp::from_nanos(self.0.load(Ordering::Relaxed))
    }

    fn pause(&mut self, _length: Duration) {}
}
