//! What became of every frame.

/// What became of a frame from the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It is in the ring of this queue.
    Received(u16),
    /// The function is in reset, or its queue is not enabled.
    NotEnabled,
    /// No filter wants it.
    Filtered,
    /// A rule of the driver's dropped it.
    Dropped,
    /// Longer than the queue takes.
    TooLong,
    /// Too few descriptors.
    NoDescriptor,
    /// Memory could not be reached.
    Denied,
    /// A fault took it.
    Fault,
}

impl Verdict {
    /// In a word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Received(_) => "received",
            Self::NotEnabled => "not-enabled",
            Self::Filtered => "filtered",
            Self::Dropped => "dropped",
            Self::TooLong => "too-long",
            Self::NoDescriptor => "no-descriptor",
            Self::Denied => "denied",
            Self::Fault => "fault",
        }
    }
}

/// Frames from the wire, each counted once: `offered` is the sum of all others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// All of them.
    pub offered: u64,
    /// In a ring.
    pub received: u64,
    /// Came while the function, or the queue they belong to, was not enabled.
    pub not_enabled: u64,
    /// Wanted by no filter.
    pub filtered: u64,
    /// Dropped by a rule of the driver's.
    pub dropped: u64,
    /// Longer than their queue takes.
    pub too_long: u64,
    /// Found too few descriptors.
    pub no_descriptor: u64,
    /// Could not be written to memory.
    pub denied: u64,
    /// Taken by a fault.
    pub fault: u64,
    /// Descriptors that were posted with an old write-back in them; no frames.
    pub unclean: u64,
}

impl Ledger {
    pub(crate) fn count(&mut self, verdict: Verdict) {
        self.offered += 1;
        *self.line(verdict) += 1;
    }

    fn line(&mut self, verdict: Verdict) -> &mut u64 {
        match verdict {
            Verdict::Received(_) => &mut self.received,
            Verdict::NotEnabled => &mut self.not_enabled,
            Verdict::Filtered => &mut self.filtered,
            Verdict::Dropped => &mut self.dropped,
            Verdict::TooLong => &mut self.too_long,
            Verdict::NoDescriptor => &mut self.no_descriptor,
            Verdict::Denied => &mut self.denied,
            Verdict::Fault => &mut self.fault,
        }
    }

    /// Frames that were wanted and did not reach a ring.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.not_enabled + self.too_long + self.no_descriptor + self.denied + self.fault
    }

    /// Whether every frame is accounted for.
    #[must_use]
    pub fn balances(&self) -> bool {
        self.offered == self.received + self.filtered + self.dropped + self.lost()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verdict_has_a_line_of_its_own() {
        let mut ledger = Ledger::default();
        let all = [
            Verdict::Received(3),
            Verdict::NotEnabled,
            Verdict::Filtered,
            Verdict::Dropped,
            Verdict::TooLong,
            Verdict::NoDescriptor,
            Verdict::Denied,
            Verdict::Fault,
        ];
        all.into_iter().for_each(|verdict| ledger.count(verdict));
        let each = Ledger {
            offered: 8,
            received: 1,
            not_enabled: 1,
            filtered: 1,
            dropped: 1,
            too_long: 1,
            no_descriptor: 1,
            denied: 1,
            fault: 1,
            unclean: 0,
        };
        assert_eq!(ledger, each);
        assert!(ledger.balances());
        assert_eq!(ledger.lost(), 5);
        ledger.offered += 1;
        assert!(!ledger.balances());
    }
}
