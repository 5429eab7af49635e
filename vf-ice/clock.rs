//! The NIC's clock: read through the mailbox, by the controller, once a second. Descriptors carry its low bits.

use std::time::Duration;

use avf::virtchnl::{PhcTime, Request};
use avf_driver::{Ask, Step};

/// How often it is read. Low bits come round every 4.3 s, and are told apart over half of that.
const EVERY: Duration = Duration::from_millis(900);

/// When the clock is to be read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock {
    next: Duration,
}

impl Clock {
    /// Asks what time it is, where that is due.
    pub(crate) fn errand(&mut self, now: Duration) -> Option<(Step, Ask)> {
        if now < self.next {
            return None;
        }
        self.next = now + EVERY;
        Some((Step::ClockTime, Request::PtpTime(PhcTime::default()).into()))
    }

    /// The function was reset, or the answer was lost: ask as soon as that is possible.
    pub(crate) fn interrupted(&mut self) {
        self.next = Duration::ZERO;
    }
}
