//! A message-signalled vector, as its driver sees it.

use std::fmt;
use std::time::Duration;

/// What waits for a vector.
pub(crate) trait Line: Send + Sync {
    /// Waits until the vector was signalled since the last wait, or for `limit`; tells which.
    fn wait(&self, limit: Duration) -> bool;
}

/// A connected vector.
pub struct Interrupt(pub(crate) Box<dyn Line>);

impl Interrupt {
    /// Waits until the vector was signalled since the last wait, or for `limit`; true when it was signalled.
    #[must_use]
    pub fn wait(&self, limit: Duration) -> bool {
        self.0.wait(limit)
    }
}

impl fmt::Debug for Interrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Interrupt")
    }
}
