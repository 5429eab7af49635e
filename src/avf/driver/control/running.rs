//! While everything runs: is the mailbox still there, what does the PF say, where do the counters stand.

use std::sync::atomic::Ordering;
use std::time::Duration;

use avf::register::{DynCtl, Register};
use avf::virtchnl::{Caps, Stats};

use super::recover::Cause;
use super::stuck::{Deficit, Verdict};
use super::{Control, State};
use crate::{Ask, Polling, Step};

/// How often the mailbox is looked at: a reset shows there, and nowhere else for certain.
const LOOK: Duration = Duration::from_millis(50);

/// The same while a reset is announced.
const LOOK_SHARP: Duration = Duration::from_millis(5);

/// How often counters are read.
const COUNT: Duration = Duration::from_secs(1);

/// How long after its announcement a reset may come. After that it is held for a false alarm.
const IMPENDING: Duration = Duration::from_secs(5);

/// What is kept in mind while everything runs.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// When the mailbox is to be looked at.
    look: Duration,
    /// When counters are to be read.
    count: Duration,
    /// What was asked while everything runs, as long as that is not answered.
    asked: Option<(Step, Duration)>,
    /// Whether the PF refuses to tell counters.
    has_no_stats: bool,
    /// When a reset was announced that has not come yet.
    pub(super) impending: Option<Duration>,
    /// Counters as they were read last.
    last: Stats,
    /// Counters since the function was opened.
    pub(super) total: Stats,
    /// Whether it ever was up.
    pub(super) has_been_up: bool,
    /// Whether queues, and senders, were given away.
    pub(super) given: bool,
    pub(super) senders_given: bool,
    deficit: Deficit,
}

impl Watch {
    /// Everything runs from here on.
    pub(super) fn start(&mut self, now: Duration) {
        self.look = now;
        self.count = now + COUNT;
        self.has_been_up = true;
        self.deficit.restart();
    }

    /// Nothing that was asked will be answered.
    pub(super) fn forget(&mut self) {
        self.asked = None;
    }

    pub(super) fn no_stats(&mut self) {
        self.has_no_stats = true;
        self.forget();
    }

    /// What was asked, if anything was.
    pub(super) fn asked(&self) -> Option<Step> {
        self.asked.map(|(step, _)| step)
    }

    pub(super) fn next(&self, now: Duration) -> Duration {
        match self.asked {
            Some((_, since)) => now + super::advance::poll(now, since),
            None if self.impending.is_some() => now + LOOK_SHARP,
            None => self.look.min(self.count),
        }
    }

    /// Where counters stand before the first frame after a reset. Those that go on are counted on; those that begin
    /// anew begin here.
    pub(super) fn baseline(&mut self, now: &Stats) {
        if self.has_been_up {
            self.add(now);
        }
        self.last = *now;
    }

    /// Adds what is new. A counter that is smaller than it was has begun anew.
    fn add(&mut self, now: &Stats) -> Stats {
        let new = differences(now, &self.last);
        self.total = sums(&self.total, &new);
        self.last = *now;
        new
    }
}

/// Field by field.
fn each(a: &Stats, b: &Stats, of: fn(u64, u64) -> u64) -> Stats {
    Stats {
        rx_bytes: of(a.rx_bytes, b.rx_bytes),
        rx_unicast: of(a.rx_unicast, b.rx_unicast),
        rx_multicast: of(a.rx_multicast, b.rx_multicast),
        rx_broadcast: of(a.rx_broadcast, b.rx_broadcast),
        rx_discards: of(a.rx_discards, b.rx_discards),
        rx_unknown_protocol: of(a.rx_unknown_protocol, b.rx_unknown_protocol),
        tx_bytes: of(a.tx_bytes, b.tx_bytes),
        tx_unicast: of(a.tx_unicast, b.tx_unicast),
        tx_multicast: of(a.tx_multicast, b.tx_multicast),
        tx_broadcast: of(a.tx_broadcast, b.tx_broadcast),
        tx_discards: of(a.tx_discards, b.tx_discards),
        tx_errors: of(a.tx_errors, b.tx_errors),
    }
}

fn differences(now: &Stats, before: &Stats) -> Stats {
    each(now, before, |now, before| now.checked_sub(before).unwrap_or(now))
}

fn sums(a: &Stats, b: &Stats) -> Stats {
    each(a, b, u64::wrapping_add)
}

impl Control {
    /// One look; whether the state has changed.
    pub(super) fn run(&mut self, now: Duration) -> bool {
        if self.pairs.iter().all(|pair| pair.seat.gate.is_leaving()) {
            self.close(now);
            return true;
        }
        let is_due = now >= self.watch.look || self.watch.asked.is_some() || self.watch.impending.is_some();
        if is_due {
            self.watch.look = now + LOOK;
            if self.listen(None, now) {
                return true;
            }
            self.rearm();
        }
        if self.watch.impending.is_some_and(|since| now >= since + IMPENDING) {
            self.watch.impending = None;
            self.counters.false_alarms += 1;
            self.tally.tell("the PF announced a reset that did not come".to_owned());
        }
        if now >= self.watch.count && self.watch.impending.is_none() {
            self.watch.count = now + COUNT;
            self.ask_counters(now);
        }
        // A software NIC may have answered already.
        self.watch.impending.is_none() && self.ask_errand(now)
    }

    /// Without RX_POLLING vector 0 masks itself when it fires, and lone descriptors wait until it is armed again.
    fn rearm(&self) {
        let masks = self.agreed.as_ref().is_some_and(|agreed| {
            agreed.polling == Polling::VectorZero && !agreed.resources.caps.contains(Caps::RX_POLLING)
        });
        if masks {
            self.poll_descriptors();
        }
    }

    fn ask_counters(&mut self, now: Duration) {
        if !self.watch.has_no_stats {
            let ask = self.message_of(Step::Stats, 0);
            self.run_errand(ask.map(|ask| (Step::Stats, ask)), now);
        }
    }

    /// What the dialect wants to know or to change while everything runs.
    fn ask_errand(&mut self, now: Duration) -> bool {
        if self.mail.is_open() {
            return false;
        }
        let (Some(dialect), Some(agreed)) = (&mut self.dialect, &self.agreed) else { return false };
        let errand = dialect.errand(now, agreed);
        self.run_errand(errand, now)
    }

    fn run_errand(&mut self, errand: Option<(Step, Ask)>, now: Duration) -> bool {
        match errand {
            Some((step, ask)) if !self.mail.is_open() && self.mail.ask(&ask, now) => {
                self.watch.asked = Some((step, now));
                true
            }
            _ => false,
        }
    }

    /// Counters came.
    pub(super) fn counted(&mut self, stats: &Stats, now: Duration) {
        self.watch.forget();
        let new = self.watch.add(stats);
        self.tally.discards.fetch_add(new.rx_discards, Ordering::Relaxed);
        let arrived = new.rx_frames().saturating_sub(new.rx_discards);
        let readings: Vec<_> = self.pairs.iter().map(|pair| pair.seat.read()).collect();
        match self.watch.deficit.look(arrived, &readings, now) {
            Verdict::Well => {}
            Verdict::Push => {
                self.counters.stuck += 1;
                self.push();
            }
            Verdict::Reset => {
                self.tally.tell("frames arrive and a ring shows none: the function is reset".to_owned());
                self.reset_function(Cause::Stuck, now);
            }
        }
    }

    /// Makes the device post what it has, by a software interrupt. AVF specification: VFINT_DYN_CTL.
    fn push(&self) {
        let (register, control) = match self.agreed.as_ref().map(|agreed| agreed.polling) {
            Some(Polling::WriteBack) => (Register::DynCtln(0), DynCtl::arm()),
            _ => (Register::DynCtl0, DynCtl::arm()),
        };
        self.write(register, control.with_swint(true).with_sw_itr_index_ena(true).0);
        self.poll_descriptors();
    }
}

impl State {
    /// Whether queues may be receiving.
    pub(super) fn is_running(self) -> bool {
        match self {
            Self::Running => true,
            Self::Next(step) | Self::Asking(step, _) => step.is_after_start(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_that_begin_anew_are_counted_from_zero() {
        let mut watch = Watch::default();
        watch.baseline(&Stats { rx_discards: 100, ..Stats::default() });
        assert_eq!(watch.total.rx_discards, 0, "what was before belongs to nobody");
        watch.start(Duration::ZERO);
        assert_eq!(watch.add(&Stats { rx_discards: 130, ..Stats::default() }).rx_discards, 30);
        watch.baseline(&Stats { rx_discards: 135, ..Stats::default() });
        assert_eq!(watch.total.rx_discards, 35, "a reset that left counters alone");
        watch.baseline(&Stats { rx_discards: 2, ..Stats::default() });
        assert_eq!(watch.total.rx_discards, 37, "a reset that cleared them");
        assert_eq!(watch.add(&Stats { rx_discards: 1, ..Stats::default() }).rx_discards, 1);
    }
}
