//! Whether frames for other stations come.
//!
//! A PF answers "success" to an untrusted function that asks to be promiscuous, and gives it nothing. Whether a function
//! sees other stations' frames is therefore known when it has seen some, and doubtful when it has seen plenty of frames
//! and none of them was another station's.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// Frames without a foreign one among them after which promiscuity is held to be off.
const ENOUGH: u64 = 1000;

/// What traffic says about promiscuity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promiscuity {
    /// Too little was seen.
    Unknown {
        /// Frames looked at.
        seen: u64,
    },
    /// Unicast frames for other stations came.
    Proven {
        /// Frames looked at.
        seen: u64,
        /// Those that were for other stations.
        foreign: u64,
    },
    /// Plenty of frames came, and none of them was a unicast frame for another station.
    Disproven {
        /// Frames looked at.
        seen: u64,
    },
}

impl fmt::Display for Promiscuity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { seen } => {
                write!(f, "not known: {seen} frames seen, {ENOUGH} are needed to judge")
            }
            Self::Proven { seen, foreign } => {
                write!(f, "proven: {foreign} of {seen} frames were for other stations")
            }
            Self::Disproven { seen } => {
                write!(
                    f,
                    "not in effect: none of {seen} frames was for another station. On the hypervisor: `ip link set PF \
                     vf N trust on`, and `ethtool --set-priv-flags PF vf-true-promisc-support on` to see what other \
                     functions receive; or no such traffic reaches this port"
                )
            }
        }
    }
}

/// Counts that all queues of a function write.
#[derive(Debug, Default)]
pub(crate) struct Evidence {
    seen: AtomicU64,
    foreign: AtomicU64,
}

impl Evidence {
    /// Frames looked at in one burst, of which so many were foreign.
    pub(crate) fn add(&self, seen: u64, foreign: u64) {
        self.seen.fetch_add(seen, Ordering::Relaxed);
        if foreign != 0 {
            self.foreign.fetch_add(foreign, Ordering::Relaxed);
        }
    }

    /// Starts anew: after a reset the PF has to be believed anew.
    pub(crate) fn clear(&self) {
        self.seen.store(0, Ordering::Relaxed);
        self.foreign.store(0, Ordering::Relaxed);
    }

    /// Whether nothing is left to be found out.
    #[inline]
    pub(crate) fn is_settled(&self) -> bool {
        self.foreign.load(Ordering::Relaxed) != 0
    }

    pub(crate) fn verdict(&self) -> Promiscuity {
        let (seen, foreign) = (self.seen.load(Ordering::Relaxed), self.foreign.load(Ordering::Relaxed));
        match (seen, foreign) {
            (seen, 1..) => Promiscuity::Proven { seen, foreign },
            (ENOUGH.., 0) => Promiscuity::Disproven { seen },
            (seen, 0) => Promiscuity::Unknown { seen },
        }
    }
}

/// Whether a frame is a unicast frame for none of `own`.
#[must_use]
pub fn is_foreign(data: &[u8], own: &[[u8; 6]]) -> bool {
    match data.first_chunk::<6>() {
        Some(to @ [first, ..]) => first & 1 == 0 && !own.contains(to),
        None => false,
    }
}
