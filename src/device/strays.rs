//! A record of stray accesses.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::Stray;

/// How many are kept; more are counted.
const KEPT: usize = 64;

/// What a device touched outside of what its driver lets it reach.
#[derive(Clone, Debug, Default)]
pub struct Strays(Arc<Record>);

#[derive(Debug, Default)]
struct Record {
    first: Mutex<Vec<Stray>>,
    count: AtomicU64,
}

impl Strays {
    /// The first 64, in order.
    #[must_use]
    pub fn first(&self) -> Vec<Stray> {
        self.0.first.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.count.load(Ordering::Relaxed)
    }

    pub(crate) fn record(&self, stray: Stray) {
        self.0.count.fetch_add(1, Ordering::Relaxed);
        let mut first = self.0.first.lock().unwrap_or_else(PoisonError::into_inner);
        if first.len() < KEPT {
            first.push(stray);
        }
    }
}
