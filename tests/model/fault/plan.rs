//! A plan at work: which faults have struck, and which will.

use std::time::Duration;

use super::{Act, Fault, Kind, Site, Unreadable};

/// Faults and how far each has come.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// What a random plan was made from.
    pub seed: Option<u64>,
    entries: Vec<Entry>,
}

/// A fault, and how many of its occurrences have been.
#[derive(Clone, Copy, Debug)]
struct Entry {
    fault: Fault,
    seen: u32,
}

impl Entry {
    /// Counts an occurrence; the act when it strikes.
    fn occur(&mut self) -> Option<Act> {
        self.seen = self.seen.saturating_add(1);
        let Fault { nth, times, act, .. } = self.fault;
        let since = self.seen.checked_sub(nth.max(1))?;
        (times == 0 || since < times).then_some(act)
    }

    fn matches(&self, site: Site, now: Duration) -> bool {
        let Fault { at, number, after, .. } = self.fault;
        let which = number.is_none() || number == site.number();
        at == site.kind() && which && now >= Duration::from_micros(after)
    }

    /// When a fault of time comes next.
    fn due(&self) -> Option<Duration> {
        let Fault { at, nth, times, after, .. } = self.fault;
        let next = self.seen.checked_add(1)?.max(nth.max(1));
        let more = times == 0 || next - nth.max(1) < times;
        (at == Kind::Time && more).then(|| Duration::from_micros(after.saturating_mul(u64::from(next))))
    }
}

impl Plan {
    /// A plan of these faults.
    ///
    /// # Errors
    /// When one of them means nothing where it is to strike, or strikes by time without a period.
    pub fn new(faults: impl IntoIterator<Item = Fault>) -> Result<Self, Unreadable> {
        let entries = faults.into_iter().map(|fault| {
            let timely = fault.at != Kind::Time || fault.number.is_none() && fault.after != 0;
            let fits = fault.act.fits(fault.at) && timely;
            if fits { Ok(Entry { fault, seen: 0 }) } else { Err(Unreadable::misfit(&fault)) }
        });
        Ok(Self { seed: None, entries: entries.collect::<Result<_, _>>()? })
    }

    /// Its faults.
    pub fn faults(&self) -> impl Iterator<Item = Fault> {
        self.entries.iter().map(|entry| entry.fault)
    }

    /// Whether nothing will go wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// An occurrence: what strikes it, if anything. A fault that another one came before does not count it, and so
    /// strikes the next.
    pub fn strike(&mut self, site: Site, now: Duration) -> Option<Act> {
        self.entries.iter_mut().filter(|entry| entry.matches(site, now)).find_map(Entry::occur)
    }

    /// When the next fault of time strikes.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Duration> {
        self.entries.iter().filter_map(Entry::due).min()
    }

    /// Takes a fault of time that is due.
    pub fn take_due(&mut self, now: Duration) -> Option<Act> {
        let entry = self.entries.iter_mut().find(|entry| entry.due().is_some_and(|due| due <= now))?;
        entry.seen = (entry.seen + 1).max(entry.fault.nth);
        Some(entry.fault.act)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(text: &str) -> Plan {
        text.parse().expect(text)
    }

    #[test]
    fn a_fault_strikes_the_occurrences_it_was_meant_for() {
        let mut plan = plan("reply 8 nth 2 times 2: wrong-status -5");
        let mut hear = |op| plan.strike(Site::Reply(op), Duration::ZERO).is_some();
        assert_eq!([hear(8), hear(9), hear(8), hear(8), hear(8)], [false, false, true, true, false]);
    }

    #[test]
    fn what_came_too_early_does_not_count() {
        let mut plan = plan("request any after 50ms: drop");
        assert_eq!(plan.strike(Site::Request(3), Duration::from_millis(49)), None);
        assert_eq!(plan.strike(Site::Request(3), Duration::from_millis(50)), Some(Act::Drop));
        assert_eq!(plan.strike(Site::Request(3), Duration::from_millis(51)), None);
    }

    #[test]
    fn two_faults_at_one_place_strike_one_after_the_other() {
        let mut plan = plan("reply 1: drop\nreply any times 0: duplicate");
        assert_eq!(plan.strike(Site::Reply(1), Duration::ZERO), Some(Act::Drop));
        assert_eq!(plan.strike(Site::Reply(1), Duration::ZERO), Some(Act::Duplicate));
        assert_eq!(plan.strike(Site::Reply(1), Duration::ZERO), Some(Act::Duplicate));
    }

    #[test]
    fn time_strikes_by_its_period() {
        let mut plan = plan("time after 20ms times 2: reset");
        let mut struck = Vec::new();
        while let Some(due) = plan.next_deadline() {
            assert_eq!(plan.take_due(due - Duration::from_micros(1)), None);
            struck.push((due.as_millis(), plan.take_due(due)));
        }
        assert_eq!(struck, [(20, Some(Act::Reset)), (40, Some(Act::Reset))]);
    }
}
