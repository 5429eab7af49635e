//! What is done when something goes wrong: resets that came, resets that are asked for, and giving up for a while.

use std::time::Duration;

use avf::mailbox::Remedy;
use avf::register::Absent;
use avf::virtchnl::{Opcode, Request, Status};

use super::{Control, Outage, Reply, State};
use crate::{Refusal, Step, VfError};

/// How long a reset may take.
pub(super) const RESET_BUDGET: Duration = Duration::from_secs(10);

/// How long a reset that was asked for may take to begin.
const DROP_BUDGET: Duration = Duration::from_secs(1);

/// How long the function must look ready before it is believed to be.
pub(super) const SETTLE: Duration = Duration::from_millis(10);

/// How long a worker may keep its ring before somebody is told, and before that is a failure.
pub(super) const WORKER_NOTICE: Duration = Duration::from_secs(1);
pub(super) const WORKER_BUDGET: Duration = Duration::from_secs(10);

/// Resets without having been up in between after which something must be wrong.
const LOOP: u32 = 20;

/// Refusals of what cannot be done without, after each of which everything starts anew.
const REFUSALS: u32 = 3;

/// Messages that the transport itself failed, in a row.
const FAILURES: u32 = 3;

/// Why a function is reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// Its host did it, without a word: trust, address, VLAN or number of queues were changed, or the PF was reset.
    Host,
    /// The PF had announced it.
    Announced,
    /// It was asked for more queues.
    Queues,
    /// The PF did not answer.
    Silent,
    /// The PF refused what cannot be done without.
    Refused,
    /// The mailbox is broken.
    Mailbox,
    /// Frames arrived, and a ring showed none.
    Stuck,
}

impl Cause {
    fn text(self) -> &'static str {
        match self {
            Self::Host => "by its host, which sets trust, address or VLAN, or resets the PF",
            Self::Announced => "by its host, as announced",
            Self::Queues => "to get more queues",
            Self::Silent => "because the PF did not answer",
            Self::Refused => "because the PF refused a message",
            Self::Mailbox => "because its mailbox was broken",
            Self::Stuck => "because frames arrived and a ring showed none",
        }
    }
}

/// What has gone wrong since the function was last up.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    /// Resets.
    pub(super) resets: u32,
    /// Refusals.
    refusals: u32,
    /// Failures of the transport.
    failures: u32,
    /// Times that it was left alone.
    rests: u32,
    /// Why it was reset last.
    cause: Option<Cause>,
    /// Whether more queues were asked for, and no more will come.
    pub(super) asked_queues: bool,
    /// How many the PF said that it can give.
    pub(super) want: Option<u16>,
    /// Whether rings start anew, and nobody has had them since.
    pub(super) rewound: bool,
    /// What failed last.
    pub(super) last: Option<VfError>,
    /// What has been told and need not be told again.
    told: Vec<String>,
}

/// Sentences that are remembered as told.
const TOLD: usize = 32;

impl Control {
    /// Tells something unless it was told before.
    pub(super) fn say_once(&mut self, text: String) {
        if self.trouble.told.contains(&text) {
            return;
        }
        if self.trouble.told.len() == TOLD {
            self.trouble.told.remove(0);
        }
        self.tally.tell(text.clone());
        self.trouble.told.push(text);
    }

    /// The function is down from here on.
    fn down(&mut self, cause: Cause, now: Duration) {
        self.close_gates();
        self.trouble.rewound = false;
        self.trouble.cause = Some(cause);
        self.trouble.resets += 1;
        self.transcript.ended(Reply::Reset, now);
        if self.outage.is_none() {
            self.transcript.restart();
            self.outage = Some(Outage { since: now, ..Outage::default() });
            self.tally.absences.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
        self.watch.impending = None;
        self.watch.forget();
        if let Some(dialect) = &mut self.dialect {
            dialect.interrupted(None);
        }
    }

    /// The function is being reset: the PF has taken its mailbox away.
    pub(super) fn lost(&mut self, cause: Cause, now: Duration) {
        // A request for more queues is answered so when it is granted.
        let open = self.mail.reset_seen();
        let cause = if open == Some(Opcode::REQUEST_QUEUES) { Cause::Queues } else { cause };
        if cause == Cause::Queues {
            self.trouble.asked_queues = true;
        }
        self.down(cause, now);
        if self.trouble.resets > LOOP {
            let resets = self.trouble.resets;
            self.fail_for_now(VfError::ResetLoop(resets), now);
            return;
        }
        self.state = State::Waiting { until: now + RESET_BUDGET, ready: None };
    }

    /// Asks for a reset. AVF specification: the driver waits for the mailbox to be taken away before it does anything
    /// else, for VFGEN_RSTAT still says that all is well.
    pub(super) fn reset_function(&mut self, cause: Cause, now: Duration) {
        self.counters.own_resets += 1;
        if self.mail.ask(&Request::Reset.into(), now) {
            self.down(cause, now);
            self.state = State::Dropping { until: now + DROP_BUDGET };
        } else {
            self.reset_device(cause, now);
        }
    }

    /// Resets the PCI function itself.
    pub(super) fn reset_device(&mut self, cause: Cause, now: Duration) {
        self.counters.own_resets += 1;
        self.mail.reset_seen();
        self.down(cause, now);
        self.interrupts.clear();
        match self.device.reset() {
            Ok(()) => self.state = State::Waiting { until: now + RESET_BUDGET, ready: None },
            Err(error) => self.fail_for_now(VfError::Device(error), now),
        }
    }

    /// A reset was asked for: its beginning shows in the mailbox, or does not show at all.
    pub(super) fn wait_drop(&mut self, until: Duration, now: Duration) -> bool {
        if self.mail.is_taken_away() {
            self.state = State::Waiting { until: now + RESET_BUDGET, ready: None };
            return true;
        }
        if now >= until {
            // Nobody listens to messages.
            let cause = self.trouble.cause.unwrap_or(Cause::Silent);
            self.reset_device(cause, now);
            return true;
        }
        false
    }

    /// What a mailbox that failed needs.
    pub(super) fn remedy(&mut self, remedy: Remedy, cause: Cause, now: Duration) {
        match remedy {
            Remedy::Reinitialise => self.reinitialise(now),
            Remedy::ResetFunction => self.reset_function(cause, now),
            Remedy::ResetDevice => self.reset_device(cause, now),
            Remedy::BackOff(_) => {
                let last = self.trouble.last.take();
                self.fail_for_now(last.unwrap_or(VfError::Unanswered(Step::Version)), now);
            }
        }
    }

    /// Sets the rings of the mailbox up anew, and asks again; queues go on.
    fn reinitialise(&mut self, now: Duration) {
        self.mail.disarm();
        if self.mail.arm().is_err() || !self.mail.again(now) {
            self.lost(Cause::Mailbox, now);
            return;
        }
        if let State::Asking(step, _) = self.state {
            self.state = State::Asking(step, now);
        }
    }

    /// A question that the transport did not take, or whose answer cannot be read.
    pub(super) fn failed(&mut self, _opcode: Opcode, step: Option<Step>, now: Duration) {
        self.trouble.failures += 1;
        match step {
            Some(step) if self.trouble.failures < FAILURES => self.state = State::Next(step),
            Some(step) => {
                self.trouble.failures = 0;
                self.trouble.last = Some(VfError::Unanswered(step));
                self.count_refusal(VfError::Unanswered(step), now);
            }
            None => self.drop_errand(),
        }
    }

    /// What was asked while everything runs is not answered.
    fn drop_errand(&mut self) {
        let step = self.watch.asked();
        self.watch.forget();
        if let (Some(step), Some(dialect)) = (step, &mut self.dialect) {
            dialect.interrupted(Some(step));
        }
    }

    /// The PF said no.
    pub(super) fn refused(&mut self, step: Step, status: Status, now: Duration) -> bool {
        self.counters.refusals += 1;
        let error = VfError::Refused(step, status);
        let refusal = match (&mut self.dialect, &mut self.agreed) {
            (Some(dialect), Some(agreed)) => dialect.refused(step, self.round, status, agreed),
            _ => Refusal::Fatal,
        };
        if step == Step::RequestQueues {
            self.trouble.asked_queues = true;
        }
        if matches!(refusal, Refusal::Without) {
            self.say_once(error.to_string());
        }
        if self.watch.asked() == Some(step) {
            if step == Step::Stats {
                self.watch.no_stats();
            }
            self.watch.forget();
            return true;
        }
        match refusal {
            Refusal::Without | Refusal::Silent => self.after(step),
            Refusal::Again => {
                self.state = State::Next(step);
                true
            }
            Refusal::Fatal => {
                self.count_refusal(error, now);
                true
            }
        }
    }

    /// An answer makes no sense: without it where that is possible, else from the beginning.
    pub(super) fn give_up_on(&mut self, step: Step, error: VfError, now: Duration) -> bool {
        if self.watch.asked() == Some(step) {
            self.drop_errand();
            return true;
        }
        if step.is_optional() {
            self.say_once(error.to_string());
            return self.after(step);
        }
        self.count_refusal(error, now);
        true
    }

    fn count_refusal(&mut self, error: VfError, now: Duration) {
        self.trouble.refusals += 1;
        if self.trouble.refusals >= REFUSALS {
            self.trouble.refusals = 0;
            self.fail_for_now(error, now);
        } else {
            self.trouble.last = Some(error);
            self.reset_function(Cause::Refused, now);
        }
    }

    /// The PF has not set the function free in time.
    pub(super) fn overdue(&mut self, raw: u32, now: Duration) {
        if Absent::of(raw) == Some(Absent::Gone) {
            self.fail(VfError::Gone(RESET_BUDGET));
        } else {
            self.fail_for_now(VfError::NeverReady(RESET_BUDGET), now);
        }
    }

    /// Everything was tried: the function is left alone, the longer the more often, and then reset.
    pub(super) fn fail_for_now(&mut self, error: VfError, now: Duration) {
        self.counters.pauses += 1;
        self.mail.reset_seen();
        self.down(Cause::Silent, now);
        self.trouble.resets = 0;
        let pause = Duration::from_secs(1 << self.trouble.rests.min(5)).min(Duration::from_secs(30));
        self.trouble.rests += 1;
        self.say_once(format!("{error}; trying again"));
        self.error = Some(error);
        self.state = State::Resting { until: now + pause };
    }

    /// The pause is over.
    pub(super) fn rest(&mut self, until: Duration, now: Duration) -> bool {
        if now < until {
            return false;
        }
        self.reset_device(Cause::Silent, now);
        // Another attempt is no further reset of somebody's.
        self.trouble.resets = 0;
        true
    }

    /// Gives up when the function has been away for longer than anybody wants to wait.
    pub(super) fn lose_patience(&mut self, now: Duration) {
        let (Some(outage), Some(patience)) = (self.outage, self.settings.patience) else { return };
        if matches!(self.state, State::Leaving(_) | State::Over) {
            return;
        }
        if now.saturating_sub(outage.since) > patience {
            let why = self.error.take().or_else(|| self.trouble.last.take());
            self.fail(why.unwrap_or(VfError::NeverReady(patience)));
        }
    }

    /// It is over. The device is stopped, and queues are told why.
    pub(super) fn fail(&mut self, error: VfError) {
        self.close_gates();
        self.mail.reset_seen();
        let _ = self.device.set_master(false);
        let _ = self.device.reset();
        self.tally.end(Some(error.to_string()));
        self.end_gates();
        self.error = Some(error);
        self.state = State::Over;
    }

    pub(super) fn end_gates(&self) {
        for pair in &self.pairs {
            pair.seat.gate.end();
            pair.sender.end();
        }
    }

    /// Everything runs, for the first time or again.
    pub(super) fn is_up(&mut self, now: Duration) {
        if let Some(mut outage) = self.outage.take() {
            outage.up = Some(now);
            self.last_outage = outage;
            if self.watch.has_been_up {
                self.counters.resets += u64::from(self.trouble.resets.max(1));
                self.tell_back(&outage, now);
            }
        }
        self.tell_fewer();
        let told = std::mem::take(&mut self.trouble.told);
        self.trouble = Trouble { told, ..Trouble::default() };
        self.error = None;
        self.tally.evidence.clear();
        self.watch.start(now);
        self.state = State::Running;
    }

    fn tell_back(&mut self, outage: &Outage, now: Duration) {
        let cause = self.trouble.cause.map_or("for no known reason", Cause::text);
        let queues = self.agreed.as_ref().map_or(0, |agreed| usize::from(agreed.queues));
        let fewer = if queues < self.pairs.len() {
            format!(", with {queues} of {} queues", self.pairs.len())
        } else {
            String::new()
        };
        let after = now.saturating_sub(outage.since).as_millis();
        self.tally.tell(format!("the function was reset {cause}; it is back after {after} ms{fewer}"));
    }
}
