//! A number of bytes that may be on their way at once.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

#[derive(Debug)]
pub(super) struct Budget {
    most: usize,
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    taken: usize,
    closed: bool,
}

/// Closes the budget when it is dropped.
pub(super) struct Closing<'b>(&'b Budget);

impl Budget {
    pub(super) fn new(most: usize) -> Self {
        Self { most, state: Mutex::default(), freed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes bytes, and waits for them when told so. A piece larger than the whole budget passes when it is alone.
    pub(super) fn take(&self, bytes: usize, wait: bool) -> bool {
        let mut state = self.lock();
        while !state.closed && state.taken > 0 && state.taken + bytes > self.most {
            if !wait {
                return false;
            }
            state = self.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.taken += bytes;
        !state.closed
    }

    pub(super) fn give_back(&self, bytes: usize) {
        let mut state = self.lock();
        state.taken = state.taken.saturating_sub(bytes);
        drop(state);
        self.freed.notify_all();
    }

    /// Refuses everybody from the moment on at which what this returns is dropped.
    pub(super) fn close_at_end(&self) -> Closing<'_> {
        Closing(self)
    }
}

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.freed.notify_all();
    }
}
