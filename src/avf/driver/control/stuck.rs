//! Rings that show nothing although frames arrive.
//!
//! The PF counts the function's frames, workers count what they took. Between the two lies what is on its way, which is
//! little and does not grow. When more than that, and more than a hundredth of what arrived, was not taken while some queue
//! looked all the time and found nothing at all, that is a ring whose descriptors the device no longer posts. First it is
//! pushed; when that does not help the function is reset. Where a reset did not help, the counts mean something else on
//! that host, and it is not done again before a long time.

use std::time::Duration;

/// Looks, a second apart, before there is a judgement.
const LOOKS: u32 = 2;

/// Part of the frames that may be on their way.
const PART: u64 = 100;

/// Frames that may be on their way in any case: some, and a line of descriptors of each queue.
const SOME: u64 = 8;
const LINE: u64 = 4;

/// Frames that are enough to judge by when none of them was taken.
const FEW: u64 = 8;

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
    /// Whether each queue has looked, and found nothing, at every look so far.
    dry: Vec<bool>,
    arrived: u64,
    taken: u64,
    looks: u32,
    pushed: bool,
    resets: u32,
    not_before: Duration,
}

impl Deficit {
    /// Rings start anew.
    pub(super) fn restart(&mut self) {
        self.pushed = false;
        self.last.clear();
        self.next_window();
    }

    fn next_window(&mut self) {
        self.dry = vec![true; self.last.len()];
        (self.arrived, self.taken, self.looks) = (0, 0, 0);
    }

    /// `arrived` frames came since the last look; workers stand at `readings`.
    pub(super) fn look(&mut self, arrived: u64, readings: &[Reading], now: Duration) -> Verdict {
        if self.last.len() != readings.len() {
            self.last = readings.to_vec();
            self.next_window();
            return Verdict::Well;
        }
        let pairs = readings.iter().zip(&self.last);
        self.taken += pairs.clone().map(|(now, before)| now.0.wrapping_sub(before.0)).sum::<u64>();
        // A queue that nobody looks at is no evidence: its ring fills up, and what is lost then is counted.
        for ((now, before), dry) in pairs.zip(&mut self.dry) {
            *dry &= now.0 == before.0 && now.1 != before.1;
        }
        self.last = readings.to_vec();
        self.arrived += arrived;
        self.looks += 1;
        if self.looks < LOOKS {
            return Verdict::Well;
        }
        if self.is_suspicious() {
            self.next_window();
            return self.judge(now);
        }
        // As long as some queue has shown nothing, what is missing adds up: a ring may be stuck where little arrives.
        if !self.dry.iter().any(|dry| *dry) {
            self.next_window();
            self.pushed = false;
        }
        Verdict::Well
    }

    fn is_suspicious(&self) -> bool {
        let missing = self.arrived.saturating_sub(self.taken);
        let nothing = self.taken == 0 && self.arrived >= FEW && self.dry.iter().all(|dry| *dry);
        let on_its_way = SOME + LINE * self.dry.len() as u64;
        let some = missing > on_its_way.max(self.arrived / PART) && self.dry.iter().any(|dry| *dry);
        nothing || some
    }

    fn judge(&mut self, now: Duration) -> Verdict {
        if now < self.not_before {
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
        assert_eq!(looks(&mut deficit, &rows), [Well, Well, Push, Well, Reset, Well]);
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
