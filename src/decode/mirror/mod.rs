//! Mirror sessions: which tunnels are only the way by which copies of packets come here, and whose packets those are.
//!
//! A tunnel is stripped when it is the outermost one and a [`Session`] says so; every other tunnel is traffic like any
//! other. What is inside belongs to a tenant, by the ids that the mirror wrote around it.

mod prefix;
mod session;
mod tap;
mod tenant;

use std::time::Duration;

pub use prefix::Prefix;
pub use session::Session;
pub(crate) use session::Shape;
pub(crate) use tap::Facts;
pub use tap::{Direction, Kind, Tap};
pub(crate) use tenant::Tenants;
pub use tenant::{Ids, Name, Part, Rule, index, is_mirrored};

/// What a user may say about mirrored traffic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Strip the tunnels of [`Settings::sessions`]. Otherwise they are decoded as traffic.
    pub strip: bool,
    /// Which tunnels are mirror sessions; the first that fits counts.
    pub sessions: Vec<Session>,
    /// Names of tenants; the first that fits counts.
    pub names: Vec<Name>,
    /// Dropping copies of packets that were copied twice.
    pub dedupe: Dedupe,
}

impl Settings {
    /// Whether any tunnel may be stripped.
    #[must_use]
    pub fn strips(&self) -> bool {
        self.strip && !self.sessions.is_empty()
    }

    /// Finds out which sessions are meant for which of the sources' `taps`, by name.
    pub fn resolve(&mut self, taps: &[String]) {
        for session in &mut self.sessions {
            session.resolve(taps);
        }
    }
}

/// How copies of the same packet are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dedupe {
    /// Packet time between two copies at most; zero for no search.
    pub window: Duration,
    /// Bytes that the memory of packets seen may take in each worker.
    pub memory: usize,
    /// What hashes begin with: whoever does not know it cannot make two packets look alike.
    pub seed: u64,
}

impl Default for Dedupe {
    fn default() -> Self {
        Self { window: Duration::ZERO, memory: 16 << 20, seed: 0x9e37_79b9_7f4a_7c15 }
    }
}

impl Dedupe {
    /// Whether copies are searched for.
    #[must_use]
    pub fn is_on(&self) -> bool {
        !self.window.is_zero()
    }
}

/// A line of the configuration that cannot be read: the words that are wrong, and what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable(pub String);

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unreadable {}

/// A number, decimal or hexadecimal behind `0x`.
fn number(word: &str) -> Result<u64, Unreadable> {
    let read = match word.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => word.parse(),
    };
    read.map_err(|_| Unreadable(format!("`{word}` is no number")))
}
