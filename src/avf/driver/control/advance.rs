//! Bring-up: from a function that may be used to one that receives. Its steps are the dialect's.

use std::time::Duration;

use avf::mailbox::{Condition, TimedOut};
use avf::register::{Absent, DynCtl, Icr0, Register, ResetState};
use avf::virtchnl::{
    Answer, Caps, ConfigQueues, EventKind, Opcode, QueueCount, QueuePair, Request, Resources, RxQueue,
    Status, TxQueue, Version,
};

use super::recover::{Cause, SETTLE, WORKER_BUDGET, WORKER_NOTICE};
use super::{Control, Reply, State};
use crate::mail::Came;
use crate::{Ask, Dialect, Negotiated, Polling, Step, VfError};

/// Interval after which the X710 posts lone descriptors: 32 us, in units of 2 us.
const INTERVAL: u32 = 16;

/// The same for X722 and E810: 4 us.
const WRITE_BACK: u32 = 2;

/// Queue pairs of one CONFIG_VSI_QUEUES: what DPDK sends; a mailbox buffer holds 62.
const PAIRS: usize = 32;

impl Control {
    /// One transition; whether another one may follow at once.
    pub(super) fn advance(&mut self, now: Duration) -> bool {
        match self.state {
            State::Waiting { until, ready } => self.wait_ready(until, ready, now),
            State::Dropping { until } => self.wait_drop(until, now),
            State::Next(step) => self.ask(step, now),
            State::Asking(step, _) => self.listen(Some(step), now),
            State::Gathering { since } => self.wait_rings(since, now),
            State::Running => self.run(now),
            State::Resting { until } => self.rest(until, now),
            State::Leaving(leave) => self.leave(leave, now),
            State::Over => false,
        }
    }

    /// When there is something to do next.
    pub(super) fn wake(&self, now: Duration) -> Duration {
        let pause = match self.state {
            State::Next(_) => Duration::ZERO,
            State::Asking(_, since) | State::Leaving(super::leave::Leave::Asking(_, since)) => {
                poll(now, since)
            }
            State::Waiting { .. } | State::Dropping { .. } | State::Gathering { .. } | State::Leaving(_) => {
                Duration::from_millis(1)
            }
            State::Running => return self.watch.next(now),
            State::Resting { until } => until.saturating_sub(now).min(Duration::from_millis(100)),
            State::Over => Duration::from_secs(1),
        };
        now + pause
    }

    /// AVF specification: VFGEN_RSTAT. Ready is believed when it was read so for [`SETTLE`].
    fn wait_ready(&mut self, until: Duration, ready: Option<Duration>, now: Duration) -> bool {
        let raw = self.read(Register::Rstat);
        let is_ready = Absent::of(raw).is_none() && ResetState::of(raw).is_ready();
        match ready {
            Some(since) if is_ready && now >= since + SETTLE => return self.arm(until, now),
            Some(_) if is_ready => {}
            _ if is_ready => {
                self.state = State::Waiting { until, ready: Some(now) };
                self.outage.get_or_insert_default().ready = Some(now);
            }
            _ if now >= until => self.overdue(raw, now),
            _ => {
                if Absent::of(raw) == Some(Absent::Gone) {
                    // A reset from outside may have switched the BARs off. Of a function that is gone nothing comes back.
                    let _ = self.device.set_master(true);
                }
                self.state = State::Waiting { until, ready: None };
            }
        }
        false
    }

    /// AVF specification: mailbox initialisation; bus mastering and vectors are gone after a function-level reset.
    fn arm(&mut self, until: Duration, now: Duration) -> bool {
        let vectors = self.device.vectors().min(2);
        if let Err(error) = self.device.set_master(true) {
            self.fail_for_now(VfError::Device(error), now);
            return false;
        }
        // Nobody takes them: connected, they make the device behave as it does under every other driver.
        self.interrupts.clear();
        match self.device.interrupts(vectors) {
            Ok(interrupts) => self.interrupts = interrupts,
            Err(error) => self.say_once(format!("vectors cannot be connected: {error}")),
        }
        match self.mail.arm() {
            Ok(()) => {}
            Err(register) if now >= until => {
                self.fail_for_now(VfError::Mailbox(register), now);
                return false;
            }
            // The reset is not over yet.
            Err(_) => {
                self.state = State::Waiting { until, ready: None };
                return false;
            }
        }
        self.write(Register::Icr0Ena, Icr0(0).with_adminq(true).0);
        self.write(Register::DynCtl0, DynCtl::arm().0);
        self.agreed = None;
        self.round = 0;
        self.state = State::Next(Step::Version);
        true
    }

    /// Sends this step's next message, or goes on where it has none.
    fn ask(&mut self, step: Step, now: Duration) -> bool {
        if step == Step::ConfigQueues && !self.trouble.rewound {
            self.state = State::Gathering { since: now };
            return true;
        }
        match self.message(step) {
            Some(ask) if self.mail.ask(&ask, now) => {
                self.transcript.sent(step, ask.opcode, now);
                self.state = State::Asking(step, now);
                // A software NIC may have answered already.
                true
            }
            Some(_) => {
                self.lost(Cause::Mailbox, now);
                false
            }
            None => self.go_on(step, now),
        }
    }

    /// What a step has to ask now.
    fn message(&self, step: Step) -> Option<Ask> {
        self.message_of(step, self.round)
    }

    pub(super) fn message_of(&self, step: Step, round: u16) -> Option<Ask> {
        let is_first = round == 0;
        let once = |request: Request| is_first.then(|| request.into());
        match step {
            Step::Version => once(Request::Version(Version::V1_1)),
            Step::Resources => once(Request::Resources((self.choice.wanted)(&self.settings))),
            Step::RequestQueues => {
                self.more_queues().map(|pairs| Request::Queues(QueueCount { pairs }).into())
            }
            Step::ConfigQueues => {
                let pairs = self.queues_message(self.agreed.as_ref()?).messages(PAIRS).nth(round.into());
                pairs.map(|pairs| Request::ConfigQueues(pairs).into())
            }
            _ => self.dialect.as_ref()?.ask(step, round, self.agreed.as_ref()?, &self.settings),
        }
    }

    /// How many queues to ask for, where it makes sense to ask.
    fn more_queues(&self) -> Option<u16> {
        let agreed = self.agreed.as_ref()?;
        if self.trouble.asked_queues || self.has_all_queues() || !agreed.has(Caps::REQ_QUEUES) {
            return None;
        }
        let most = self.dialect.as_ref()?.most_queues(&agreed.resources);
        let wanted = self.trouble.want.unwrap_or(self.settings.queues.min(most));
        (agreed.queues < wanted).then_some(wanted)
    }

    /// Whether every queue that was ever made can be used again.
    fn has_all_queues(&self) -> bool {
        let has = self.agreed.as_ref().map_or(0, |agreed| usize::from(agreed.queues));
        !self.pairs.is_empty() && has >= self.pairs.len()
    }

    /// CONFIG_VSI_QUEUES: both halves of each pair, whether or not it sends.
    fn queues_message(&self, agreed: &Negotiated) -> ConfigQueues {
        let vsi = agreed.vsi;
        let pair = |pair: &super::Pair| {
            let tx = TxQueue {
                vsi,
                queue: pair.seat.number,
                ring_len: pair.tx_length,
                ring: pair.tx_address,
                ..TxQueue::default()
            };
            let mut rx = RxQueue {
                vsi,
                queue: pair.seat.number,
                ring_len: self.settings.descriptors.into(),
                buffer: self.settings.buffer.into(),
                max_frame: self.settings.max_frame.into(),
                ring: pair.rx_address,
                ..RxQueue::default()
            };
            if let Some(dialect) = &self.dialect {
                dialect.dress(agreed, &mut rx);
            }
            QueuePair { tx, rx }
        };
        ConfigQueues { vsi, pairs: self.pairs.iter().take(agreed.queues.into()).map(pair).collect() }
    }

    /// All rings are back, and start anew, to be read as was agreed on this time.
    fn wait_rings(&mut self, since: Duration, now: Duration) -> bool {
        if self.is_lost(now) {
            return true;
        }
        let queues = self.agreed.as_ref().map_or(0, |agreed| agreed.queues);
        if self.pairs.is_empty()
            && let Err(error) = self.make_pairs(queues)
        {
            self.fail(error);
            return false;
        }
        if let Some(queue) = self.gather() {
            let waited = now.saturating_sub(since);
            if waited >= WORKER_BUDGET {
                self.fail_for_now(VfError::Worker(queue, waited), now);
            } else if waited >= WORKER_NOTICE {
                self.say_once(format!("queue {queue}: its worker has not come back for a second"));
            }
            return false;
        }
        for pair in &mut self.pairs {
            let is_used = pair.seat.number < queues;
            if let Some(rx) = &mut pair.rx {
                if is_used {
                    rx.ring.rewind()
                } else {
                    rx.ring.take_back()
                }
                if let (Some(dialect), Some(agreed)) = (&self.dialect, &self.agreed) {
                    rx.decoder = dialect.decoder(agreed, &self.settings);
                }
            }
            if let Some(tx) = &mut pair.tx {
                tx.rewind();
            }
        }
        self.trouble.rewound = true;
        self.state = State::Next(Step::ConfigQueues);
        true
    }

    /// Takes what came and looks after the mailbox; `step` is what is asked. Whether the state has changed.
    pub(super) fn listen(&mut self, step: Option<Step>, now: Duration) -> bool {
        let came = self.mail.take(now);
        match came {
            Ok(Some(Came::Answer(opcode, status, payload))) => {
                return self.answered(step, opcode, status, &payload, now);
            }
            Ok(Some(Came::Event(event))) => {
                self.happened(&event, now);
                return true;
            }
            Ok(Some(Came::Failed(opcode))) => {
                self.counters.timeouts += 1;
                self.failed(opcode, step, now);
                return true;
            }
            Ok(None) => {}
            // The inspection below says why.
            Err(_) => {}
        }
        self.is_lost(now) || self.is_late(step, now)
    }

    /// Whether the function is being reset, or the mailbox had to be mended.
    pub(super) fn is_lost(&mut self, now: Duration) -> bool {
        match self.mail.inspect(now) {
            Condition::Well => return false,
            Condition::Reset | Condition::Gone => {
                let cause = if self.watch.impending.is_some() { Cause::Announced } else { Cause::Host };
                self.lost(cause, now);
            }
            Condition::Overflow { failed: None, .. } => return false,
            Condition::Overflow { failed: Some(late), .. } => self.mend(late, now),
            Condition::Failed { remedy, .. } => self.remedy(remedy, Cause::Mailbox, now),
        }
        true
    }

    /// Whether an answer is late; while a reset is announced no answer is expected.
    fn is_late(&mut self, step: Option<Step>, now: Duration) -> bool {
        if self.watch.impending.is_some() {
            return false;
        }
        match self.mail.expired(now) {
            Some(late) => {
                self.note_late(step);
                self.mend(late, now);
                true
            }
            None => false,
        }
    }

    fn note_late(&mut self, step: Option<Step>) {
        self.counters.timeouts += 1;
        if let Some(step) = step {
            self.trouble.last = Some(VfError::Unanswered(step));
        }
    }

    pub(super) fn mend(&mut self, late: TimedOut, now: Duration) {
        self.remedy(late.remedy, Cause::Silent, now);
    }

    /// An answer to `step`, or to the counters' question while everything runs.
    fn answered(
        &mut self,
        step: Option<Step>,
        opcode: Opcode,
        status: Status,
        payload: &[u8],
        now: Duration,
    ) -> bool {
        if step.is_some() {
            self.transcript.ended(Reply::Status(status), now);
        }
        let Some(step) = step.or_else(|| self.watch.asked()) else { return true };
        if !status.is_ok() {
            return self.refused(step, status, now);
        }
        match Answer::decode(opcode, payload) {
            Ok(answer) => self.granted(step, answer, now),
            Err(why) => {
                self.counters.refusals += 1;
                self.give_up_on(step, VfError::Nonsense(step, why), now)
            }
        }
    }

    fn granted(&mut self, step: Step, answer: Answer, now: Duration) -> bool {
        match (step, answer) {
            (Step::Version, Answer::Version(version)) if version != Version::V1_1 => {
                return self.give_up_on(step, VfError::Version(version), now);
            }
            (Step::Version, _) => {}
            (Step::Resources, Answer::Resources(resources)) => {
                let dialect = self.pick(&resources);
                let most = dialect.most_queues(&resources);
                match Negotiated::new(dialect.name(), resources, &self.settings, most) {
                    Ok(agreed) => self.agree(dialect, agreed),
                    Err(missing) => return self.give_up_on(step, VfError::Nothing(missing), now),
                }
            }
            (Step::RequestQueues, Answer::Queues(QueueCount { pairs })) => {
                if self.fewer_queues(pairs) {
                    self.state = State::Next(step);
                    return true;
                }
            }
            (Step::Baseline, Answer::Stats(stats)) => self.watch.baseline(&stats),
            (Step::Stats, Answer::Stats(stats)) => {
                self.counted(&stats, now);
                return true;
            }
            (Step::ClockTime, Answer::PtpTime(time)) => self.tally.clock.set(time.nanos),
            (_, answer) => {
                if let (Some(dialect), Some(agreed)) = (&mut self.dialect, &mut self.agreed) {
                    dialect.granted(step, self.round, answer, agreed);
                }
            }
        }
        if self.watch.asked() == Some(step) {
            self.watch.forget();
            return true;
        }
        self.after(step)
    }

    /// A message of a step has come to its end: on with the next one, if there is one.
    pub(super) fn after(&mut self, step: Step) -> bool {
        if matches!(step, Step::Enable) && self.message_of(step, self.round + 1).is_none() {
            self.enabled();
        }
        self.round += 1;
        self.state = State::Next(step);
        true
    }

    /// What is spoken with the PF from here on. A dialect keeps what it knows over resets.
    fn pick(&mut self, resources: &Resources) -> Box<dyn Dialect> {
        let new = (self.choice.pick)(resources, &self.settings);
        self.dialect.take().filter(|old| old.name() == new.name()).unwrap_or(new)
    }

    /// Queues are made once: after a reset there can be fewer, never more.
    fn agree(&mut self, dialect: Box<dyn Dialect>, mut agreed: Negotiated) {
        let made = u16::try_from(self.pairs.len()).unwrap_or(u16::MAX);
        if made != 0 && agreed.queues > made {
            agreed.use_queues(made);
        }
        let own = [agreed.address].into_iter().chain(self.settings.addresses.iter().copied()).collect();
        self.tally.set_own(own);
        self.agreed = Some(agreed);
        self.dialect = Some(dialect);
    }

    /// The PF has fewer queues than were asked for, and has not reset the function. Whether it is to be asked for those.
    fn fewer_queues(&mut self, pairs: u16) -> bool {
        let has = self.agreed.as_ref().map_or(0, |agreed| agreed.queues);
        if pairs > has && pairs < self.settings.queues && self.trouble.want.is_none() {
            self.trouble.want = Some(pairs);
            return true;
        }
        self.trouble.asked_queues = true;
        false
    }

    /// Says so where there are fewer queues than were asked for, or fewer flows.
    pub(super) fn tell_fewer(&mut self) {
        let flows = self.agreed.as_ref().map_or(0, |agreed| agreed.subscriptions);
        let wanted = self.settings.subscriptions.len();
        if usize::try_from(flows).unwrap_or(0) < wanted {
            let advice = Step::Subscribe.advice();
            self.say_once(format!("copies of {wanted} flows were asked for, the PF gives {flows}: {advice}"));
        }
        let has = self.agreed.as_ref().map_or(0, |agreed| agreed.queues);
        if has < self.settings.queues {
            let wanted = self.settings.queues;
            let advice = Step::RequestQueues.advice();
            self.say_once(format!("{wanted} queues were asked for, the PF gives {has}: {advice}"));
        }
    }

    /// Doorbells, before and after queues start; then rings go to their workers.
    fn enabled(&mut self) {
        let queues = self.agreed.as_ref().map_or(0, |agreed| agreed.queues);
        for pair in self.pairs.iter_mut().take(queues.into()) {
            if let Some(rx) = pair.rx.take() {
                rx.ring.ring();
                pair.seat.gate.open(rx);
            }
            if let Some(tx) = pair.tx.take_if(|_| self.settings.transmit) {
                pair.sender.open(tx);
            }
        }
        self.trouble.rewound = false;
        self.poll_descriptors();
    }

    /// Makes the device post what it has completed, without anybody taking interrupts.
    pub(super) fn poll_descriptors(&self) {
        match self.agreed.as_ref().map(|agreed| agreed.polling) {
            Some(Polling::VectorZero) => self.write(Register::DynCtl0, DynCtl::polling(INTERVAL).0),
            Some(Polling::WriteBack) => self.write(Register::DynCtln(0), DynCtl::write_back(WRITE_BACK).0),
            None => {}
        }
    }

    /// The step after this one; none after the last.
    fn next(&self, step: Step) -> Option<Step> {
        let order = self.dialect.as_ref().map_or(&[] as &[Step], |dialect| dialect.order());
        match step {
            Step::Version => Some(Step::Resources),
            Step::Resources => order.first().copied(),
            _ => order.iter().skip_while(|other| **other != step).nth(1).copied(),
        }
    }

    /// This step is done.
    fn go_on(&mut self, step: Step, now: Duration) -> bool {
        self.round = 0;
        match self.next(step) {
            Some(Step::Enable) => {
                // AVF specification: descriptors and tails are there before queues start.
                self.pairs
                    .iter()
                    .filter_map(|pair| pair.rx.as_ref())
                    .filter(|rx| rx.ring.posted() != 0)
                    .for_each(|rx| rx.ring.ring());
                self.state = State::Next(Step::Enable);
            }
            Some(next) => self.state = State::Next(next),
            None => self.is_up(now),
        }
        true
    }

    /// Something happened on the PF's side.
    pub(super) fn happened(&mut self, event: &avf::virtchnl::Event, now: Duration) {
        match event.kind {
            EventKind::LINK_CHANGE => {
                let adv = self
                    .agreed
                    .as_ref()
                    .is_none_or(|agreed| agreed.resources.caps.contains(Caps::ADV_LINK_SPEED));
                self.link = event.link_state(adv);
            }
            EventKind::RESET_IMPENDING | EventKind::PF_DRIVER_CLOSE => {
                self.watch.impending.get_or_insert(now);
            }
            _ => {}
        }
    }
}

/// How often to look for an answer: PFs take 100 us when nothing keeps them.
pub(super) fn poll(now: Duration, since: Duration) -> Duration {
    match now.saturating_sub(since).as_millis() {
        0..5 => Duration::from_micros(100),
        5..100 => Duration::from_millis(1),
        _ => Duration::from_millis(5),
    }
}
