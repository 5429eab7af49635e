//! Giving a function back as it was found: nothing for others, queues stopped, reset, mailbox closed, registers zero.

use std::time::Duration;

use avf::register::{Absent, MailboxLen, Register, ResetState};
use avf::virtchnl::Request;

use super::{Control, State};
use crate::mail::Came;
use crate::{Ask, Step};

/// How long each part may take before it goes on without.
const ANSWER: Duration = Duration::from_millis(500);
const WORKERS: Duration = Duration::from_millis(500);
const DROP: Duration = Duration::from_millis(500);
const CLOSE: Duration = Duration::from_millis(50);
const READY: Duration = Duration::from_secs(1);

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leave {
    /// This is to be asked.
    Next(Step),
    /// This was asked, then.
    Asking(Step, Duration),
    /// Rings are to come back, since then.
    Workers(Duration),
    /// A reset is to begin, since then.
    Dropping(Duration),
    /// The mailbox is to take its last message, since then.
    Closing(Duration),
    /// The PF is to set the function free for whoever comes next, since then.
    Ready(Duration),
}

impl Control {
    /// Begins to give the function back; [`Control::step`] does it. Queues lend what is in their rings, then end.
    pub fn close(&mut self, now: Duration) {
        let next = match self.state {
            State::Leaving(_) | State::Over => return,
            state if state.is_running() => Leave::Next(Step::NotPromiscuous),
            // Queues do not run; what is open will not be answered in any way that matters.
            _ => Leave::Workers(now),
        };
        self.watch.forget();
        self.state = State::Leaving(next);
    }

    pub(super) fn leave(&mut self, leave: Leave, now: Duration) -> bool {
        match leave {
            Leave::Next(step) => self.ask_last(step, now),
            Leave::Asking(step, since) => self.await_last(step, since, now),
            Leave::Workers(since) => self.await_workers(since, now),
            Leave::Dropping(since) => self.await_drop(since, now),
            Leave::Closing(since) => self.await_sent(since, now),
            Leave::Ready(since) => self.await_ready(since, now),
        }
    }

    fn go(&mut self, leave: Leave) -> bool {
        self.state = State::Leaving(leave);
        true
    }

    fn leave_after(&mut self, step: Step, now: Duration) -> bool {
        self.go(if step == Step::NotPromiscuous { Leave::Next(Step::Disable) } else { Leave::Workers(now) })
    }

    fn ask_last(&mut self, step: Step, now: Duration) -> bool {
        // What is open now is the counters' question: its answer is awaited like ours.
        match self.last_words(step) {
            Some(_) if self.mail.is_open() => self.go(Leave::Asking(step, now)),
            Some(ask) if self.mail.ask(&ask, now) => self.go(Leave::Asking(step, now)),
            _ => self.leave_after(step, now),
        }
    }

    fn last_words(&self, step: Step) -> Option<Ask> {
        self.dialect.as_ref()?.ask(step, 0, self.agreed.as_ref()?, &self.settings)
    }

    fn await_last(&mut self, step: Step, since: Duration, now: Duration) -> bool {
        match self.mail.take(now) {
            Ok(Some(Came::Answer(opcode, ..)))
                if self.last_words(step).is_none_or(|ask| ask.opcode == opcode) =>
            {
                self.leave_after(step, now)
            }
            // The counters' answer: ask now.
            Ok(Some(Came::Answer(..))) => self.go(Leave::Next(step)),
            Ok(Some(Came::Event(_))) => true,
            Ok(Some(Came::Failed(_))) | Err(_) => self.leave_after(step, now),
            Ok(None) if now >= since + ANSWER || self.mail.is_taken_away() => self.leave_after(step, now),
            Ok(None) => false,
        }
    }

    /// Workers lend what is left and put their rings back.
    fn await_workers(&mut self, since: Duration, now: Duration) -> bool {
        self.end_gates();
        let missing = self.gather();
        if missing.is_some() && now < since + WORKERS {
            return false;
        }
        if self.mail.ask(&Request::Reset.into(), now) {
            return self.go(Leave::Dropping(now));
        }
        self.go(Leave::Ready(now))
    }

    fn await_drop(&mut self, since: Duration, now: Duration) -> bool {
        if self.mail.is_taken_away() {
            return self.go(Leave::Ready(now));
        }
        if now < since + DROP {
            return false;
        }
        self.mail.post_shutdown();
        self.go(Leave::Closing(now))
    }

    fn await_sent(&mut self, since: Duration, now: Duration) -> bool {
        if self.mail.is_sent() || now >= since + CLOSE {
            return self.go(Leave::Ready(now));
        }
        false
    }

    fn await_ready(&mut self, since: Duration, now: Duration) -> bool {
        let raw = self.read(Register::Rstat);
        let is_ready = ResetState::of(raw).is_ready() && Absent::of(raw).is_none();
        if !is_ready && Absent::of(raw) != Some(Absent::Gone) && now < since + READY {
            return false;
        }
        self.finish();
        false
    }

    /// Registers as they were found, and no more memory for the device.
    fn finish(&mut self) {
        if MailboxLen(self.read(Register::AtqLen)).enable() {
            self.mail.post_shutdown();
        }
        self.mail.disarm();
        self.write(Register::Icr0Ena, 0);
        self.write(Register::DynCtl0, 0);
        self.write(Register::DynCtln(0), 0);
        for pair in &self.pairs {
            self.write(Register::QrxTail(pair.seat.number), 0);
            self.write(Register::QtxTail(pair.seat.number), 0);
        }
        // The flush of every driver: what was written has arrived when this is answered.
        let _ = self.read(Register::Rstat);
        self.interrupts.clear();
        let _ = self.device.interrupts(0);
        if self.device.set_master(false).is_err() {
            // Then a reset has to keep the device from memory that is about to be freed.
            let _ = self.device.reset();
        }
        self.tally.end(self.error.as_ref().map(ToString::to_string));
        self.end_gates();
        self.state = State::Over;
    }
}
