//! Malicious driver detection: what a driver did that no driver may do (reference section 8.4).

use std::fmt;

use avf::tx::Violation;

/// Why a function was disabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malice {
    /// A transmit queue's descriptors or tail.
    Transmit {
        /// The queue.
        queue: u16,
        /// The rule that was broken.
        violation: Violation,
    },
    /// A receive queue's tail.
    Receive {
        /// The queue.
        queue: u16,
        /// The rule that was broken.
        violation: Violation,
    },
}

impl fmt::Display for Malice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transmit { queue, violation } => write!(f, "transmit queue {queue}: {violation}"),
            Self::Receive { queue, violation } => write!(f, "receive queue {queue}: {violation}"),
        }
    }
}
