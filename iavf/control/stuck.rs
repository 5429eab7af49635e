//! Rings that show nothing although frames arrive.
//!
//! The PF counts the function's frames, workers count what they took. Between the two lies what is on its way, which is
//! little and does not grow. A difference that grows by more than a hundredth of what arrives, three seconds in a row,
//! while some queue looks and finds nothing at all, is a ring whose descriptors the device no longer posts. First it is
//! pushed; then the function is reset. Where a reset did not help, the counts mean something else on that host, and
//! it is not done again before a long time.

use std::time::Duration;

/// Looks in a row that are needed.
const LOOKS: u32 = 3;

/// Part of the frames that may be on their way.
const PART: u64 = 100;

/// Frames that may be on their way in any case: four descriptors a queue, and those under a worker's hands.
const SOME: u64 = 64;

/// Time between two resets for this reason, the first time; it doubles.
const BETWEEN: Duration = Duration::from_secs(600);

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing.
    Well,
    /// Make the device post what it has.
    Push,
    /// Reset the function.
    Reset,
}

/// What one queue's worker said: frames taken, looks in vain.
type Reading = (u64, u64);

/// Frames that arrived and were not taken.
#[derive(Debug, Default)]
pub(super) struct Deficit {
    last: Vec<Reading>,
    suspicious: u32,
    pushed: bool,
    resets: u32,
    not_before: Duration,
}

impl Deficit {
    /// Rings start anew.
    pub(super) fn restart(&mut self) {
        self.last.clear();
        self.suspicious = 0;
        self.pushed = false;
    }

    /// `arrived` frames came since the last look; workers stand at `readings`.
    pub(super) fn look(&mut self, arrived: u64, readings: &[Reading], now: Duration) -> Verdict {
        if self.last.len() != readings.len() {
            self.last = readings.to_vec();
            return Verdict::Well;
        }
        let pairs = readings.iter().zip(&self.last);
        let taken: u64 = pairs.clone().map(|(now, before)| now.0.wrapping_sub(before.0)).sum();
        // A queue that nobody looks at is no evidence: its ring fills up, and what is lost then is counted.
        let dry = pairs.clone().any(|(now, before)| now.0 == before.0 && now.1 != before.1);
        self.last = readings.to_vec();
        let missing = arrived.saturating_sub(taken);
        let is_all = taken == 0 && arrived >= 8;
        if !dry || !(is_all || missing > SOME.max(arrived / PART)) {
            self.suspicious = 0;
            self.pushed = false;
            return Verdict::Well;
        }
        self.suspicious += 1;
        self.judge(now)
    }

    fn judge(&mut self, now: Duration) -> Verdict {
        if self.suspicious < LOOKS || now < self.not_before {
            return Verdict::Well;
        }
        if !self.pushed {
            self.pushed = true;
            return Verdict::Push;
        }
        self.resets += 1;
        self.not_before = now + BETWEEN.saturating_mul(1 << self.resets.min(8));
        self.restart();
        Verdict::Reset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looks(deficit: &mut Deficit, each: &[(u64, &[Reading])]) -> Vec<Verdict> {
        let seconds = (0..).map(Duration::from_secs);
        each.iter()
            .zip(seconds)
            .map(|((arrived, readings), now)| deficit.look(*arrived, readings, now))
            .collect()
    }

    #[test]
    fn a_ring_that_shows_nothing_is_pushed_and_then_reset() {
        let mut deficit = Deficit::default();
        let rows: Vec<(u64, Vec<Reading>)> = (0..6).map(|n| (1000, vec![(n * 900, n), (0, n)])).collect();
        let rows: Vec<(u64, &[Reading])> = rows.iter().map(|(n, r)| (*n, r.as_slice())).collect();
        use Verdict::{Push, Reset, Well};
        assert_eq!(looks(&mut deficit, &rows), [Well, Well, Well, Push, Reset, Well]);
    }

    #[test]
    fn frames_on_their_way_and_workers_away_are_no_evidence() {
        let mut deficit = Deficit::default();
        let on_way: Vec<Vec<Reading>> = (0..8).map(|n| vec![(n * 9_950, n), (0, n)]).collect();
        let rows: Vec<(u64, &[Reading])> = on_way.iter().map(|r| (10_000, r.as_slice())).collect();
        assert!(looks(&mut deficit, &rows).iter().all(|verdict| *verdict == Verdict::Well));
        let away: Vec<Vec<Reading>> = (0..8).map(|_| vec![(5, 3)]).collect();
        let rows: Vec<(u64, &[Reading])> = away.iter().map(|r| (10_000, r.as_slice())).collect();
        assert!(looks(&mut Deficit::default(), &rows).iter().all(|verdict| *verdict == Verdict::Well));
    }
}
