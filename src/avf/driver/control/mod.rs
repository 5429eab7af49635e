//! The controller of a function: it owns the device and the mailbox, and is called from time to time.
//!
//! It never waits: [`Control::step`] does what can be done now and says when to be called next. Whoever calls it has the
//! clock; a sensor calls it from a thread, a test from the loop that drives the software NIC too.

mod advance;
mod leave;
mod recover;
mod running;
mod stuck;
mod transcript;

use std::sync::Arc;
use std::time::Duration;

use avf::register::Register;
use avf::virtchnl::{Link, Stats};
use device::{Device, Identity, Interrupt, Registers};

use crate::gate::Gate;
use crate::mail::Mail;
use crate::rx::{Receiver, RxRing, Seat};
use crate::tally::{Meter, Tally};
use crate::tx::{self, TxRing};
use crate::verify::Promiscuity;
use crate::{Choice, Clock, Dialect, Negotiated, Queue, Sender, Settings, Step, Ticker, VfError};

use running::Watch;
use transcript::Transcript;
pub use transcript::{Exchange, Reply};

/// Device ids of functions that speak virtchnl through these registers: X710/XL710/XXV710, the same under Hyper-V, X722
/// and its first stepping, and whatever calls itself adaptive, E810 and relatives among it. Which card it is, and what it
/// can do, is known when the PF has said so.
pub const DEVICES: [u16; 5] = [0x154C, 0x1571, 0x37CD, 0x374D, 0x1889];

/// Intel.
const VENDOR: u16 = 0x8086;

/// Transitions of one step; each is a handful of register accesses.
const TRANSITIONS: usize = 64;

frame::counters! {
    /// What the controller of a function counts.
    pub struct ControlCounters("vf") {
        /// Resets of any kind that were seen through.
        resets: "resets that the function came back from",
        /// Of these, asked for by this driver.
        own_resets: "resets that this driver asked for",
        /// Messages the PF refused.
        refusals: "messages that the PF refused",
        /// Messages without an answer.
        timeouts: "messages that the PF did not answer in time",
        /// Warnings that came to nothing.
        false_alarms: "resets that were announced and did not come",
        /// Stuck rings.
        stuck: "times that frames arrived and a ring showed none",
        /// Failures.
        pauses: "times that everything had been tried and the function was left alone for a while",
    }
}

/// How a function stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is being brought up, for the first time or again.
    Coming,
    /// It receives.
    Up,
    /// Everything has been tried; it is left alone for a while.
    Resting,
    /// It is being given back.
    Leaving,
    /// It is over; [`Control::error`] says whether that is a failure.
    Over,
}

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// When to call [`Control::step`] next, at the latest; earlier does no harm.
    pub next: Duration,
    /// How the function stands.
    pub standing: Standing,
}

/// A time during which the function could not be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outage {
    /// When it was noticed.
    pub since: Duration,
    /// When the PF set the function free, for the last time.
    pub ready: Option<Duration>,
    /// When queues ran again.
    pub up: Option<Duration>,
}

/// Where a function is between nothing and running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The PF is to set the function free. `ready` is when it first looked so.
    Waiting { until: Duration, ready: Option<Duration> },
    /// A reset was asked for: its beginning is to show.
    Dropping { until: Duration },
    /// This step's message is to be sent.
    Next(Step),
    /// This step's message is to be answered.
    Asking(Step, Duration),
    /// Rings are to come back from their workers.
    Gathering { since: Duration },
    /// Everything runs.
    Running,
    /// Everything was tried.
    Resting { until: Duration },
    /// Being given back.
    Leaving(leave::Leave),
    /// It is over.
    Over,
}

/// One queue pair: what is shared with its worker, and what is held here while the worker may not have it.
#[derive(Debug)]
struct Pair {
    seat: Seat,
    rx: Option<Box<Receiver>>,
    rx_address: u64,
    sender: Arc<Gate<Box<TxRing>>>,
    tx: Option<Box<TxRing>>,
    tx_address: u64,
    tx_length: u16,
}

/// The controller of one virtual function.
///
/// Dropped, it stops the device; dropped after [`Control::close`] has come to its end, the function is as it was found.
pub struct Control {
    // Interrupts, then memory, then the device: the order in which they have to go.
    interrupts: Vec<Interrupt>,
    mail: Mail,
    pairs: Vec<Pair>,
    registers: Registers,
    device: Box<dyn Device>,
    settings: Arc<Settings>,
    tally: Arc<Tally>,
    name: Arc<[String]>,
    state: State,
    choice: Choice,
    /// What is spoken with the PF; chosen anew each time that it has said what the function has.
    dialect: Option<Box<dyn Dialect>>,
    /// Messages of the step that is being asked which have been answered.
    round: u16,
    agreed: Option<Negotiated>,
    transcript: Transcript,
    watch: Watch,
    link: Option<Link>,
    outage: Option<Outage>,
    last_outage: Outage,
    trouble: recover::Trouble,
    error: Option<VfError>,
    counters: ControlCounters,
}

impl Control {
    /// Takes a function over. Nothing is asked of it before the first [`Control::step`].
    ///
    /// # Errors
    /// When settings make no sense, the function is none of this driver's, or the device cannot be used.
    pub fn open(
        mut device: Box<dyn Device>,
        choice: Choice,
        settings: Settings,
        now: Duration,
    ) -> Result<Self, VfError> {
        settings.check()?;
        let Identity { vendor, device: id, place, .. } = device.identity().clone();
        if vendor != VENDOR || !DEVICES.contains(&id) {
            return Err(VfError::Foreign { vendor, device: id });
        }
        let registers = device.registers()?;
        device.set_master(true)?;
        let mail = Mail::new(device.as_mut(), &registers)?;
        Ok(Self {
            interrupts: Vec::new(),
            mail,
            pairs: Vec::new(),
            registers,
            device,
            settings: Arc::new(settings),
            tally: Arc::default(),
            name: Arc::from([place]),
            state: State::Waiting { until: now + recover::RESET_BUDGET, ready: None },
            choice,
            dialect: None,
            round: 0,
            agreed: None,
            transcript: Transcript::default(),
            watch: Watch::default(),
            link: None,
            outage: Some(Outage { since: now, ..Outage::default() }),
            last_outage: Outage::default(),
            trouble: recover::Trouble::default(),
            error: None,
            counters: ControlCounters::default(),
        })
    }

    /// Steps until the function is up, for callers that have nothing else to do. Ends within `limit`.
    ///
    /// # Errors
    /// Why the function is over, or what the last attempt failed of.
    pub fn bring_up(&mut self, ticker: &mut dyn Ticker, limit: Duration) -> Result<(), VfError> {
        let begin = ticker.now();
        loop {
            let now = ticker.now();
            let turn = self.step(now);
            match turn.standing {
                Standing::Up => return Ok(()),
                Standing::Over => break,
                _ if now.saturating_sub(begin) > limit => break,
                _ => ticker.wait(turn.next),
            }
        }
        Err(self.error.take().unwrap_or(VfError::NeverReady(limit)))
    }

    /// Does what can be done now.
    pub fn step(&mut self, now: Duration) -> Turn {
        if self.device.is_leaving() && !matches!(self.state, State::Leaving(_) | State::Over) {
            self.error = Some(VfError::AskedBack);
            self.tally.tell(VfError::AskedBack.to_string());
            self.close(now);
        }
        self.lose_patience(now);
        for _ in 0..TRANSITIONS {
            if !self.advance(now) {
                break;
            }
        }
        Turn { next: self.wake(now), standing: self.standing() }
    }

    /// How it stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match self.state {
            State::Running => Standing::Up,
            State::Resting { .. } => Standing::Resting,
            State::Leaving(_) => Standing::Leaving,
            State::Over => Standing::Over,
            State::Waiting { .. }
            | State::Dropping { .. }
            | State::Next(_)
            | State::Asking(..)
            | State::Gathering { .. } => Standing::Coming,
        }
    }

    /// The function's queues, one a worker, once it has been up for the first time; each call gives none that were given
    /// before. `clock` makes each queue's clock.
    pub fn queues(&mut self, clock: &mut dyn FnMut(u16) -> Box<dyn Clock>) -> Vec<Queue> {
        if self.standing() != Standing::Up || std::mem::replace(&mut self.watch.given, true) {
            return Vec::new();
        }
        let queue = |pair: &Pair| {
            let both = self.dialect.as_ref().zip(self.agreed.as_ref());
            let bypass = both.and_then(|(dialect, agreed)| dialect.bypass(pair.seat.number, agreed));
            Queue::new(pair.seat.clone(), clock(pair.seat.number), bypass)
        };
        self.pairs.iter().map(queue).collect()
    }

    /// The sending halves of its queues, where the settings ask for them; each call gives none that were given before.
    pub fn senders(&mut self) -> Vec<Sender> {
        let is_late = self.standing() != Standing::Up || !self.settings.transmit;
        if is_late || std::mem::replace(&mut self.watch.senders_given, true) {
            return Vec::new();
        }
        self.pairs.iter().map(|pair| Sender::new(pair.seat.number, Arc::clone(&pair.sender))).collect()
    }

    /// What was agreed on with the PF, the last time.
    #[must_use]
    pub fn negotiated(&self) -> Option<&Negotiated> {
        self.agreed.as_ref()
    }

    /// What was asked on the last way up, and what the PF said.
    #[must_use]
    pub fn exchanges(&self) -> &[Exchange] {
        self.transcript.exchanges()
    }

    /// The link, where the PF has said something about it.
    #[must_use]
    pub fn link(&self) -> Option<Link> {
        self.link
    }

    /// The function's counters since it was opened, resets included.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.watch.total
    }

    /// Whether frames for other stations come, as traffic shows it.
    #[must_use]
    pub fn promiscuity(&self) -> Promiscuity {
        self.tally.evidence.verdict()
    }

    /// The last time that the function could not be used; the one that is going on, if one is.
    #[must_use]
    pub fn outage(&self) -> Outage {
        self.outage.unwrap_or(self.last_outage)
    }

    /// Why the function is over, or what the last attempt failed of.
    #[must_use]
    pub fn error(&self) -> Option<&VfError> {
        self.error.as_ref()
    }

    /// What it counted.
    #[must_use]
    pub fn counters(&self) -> &ControlCounters {
        &self.counters
    }

    /// What the mailbox counted.
    #[must_use]
    pub fn mailbox(&self) -> &avf::mailbox::Counters {
        self.mail.counters()
    }

    /// Who the function is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        self.device.identity()
    }

    fn read(&self, register: Register) -> u32 {
        self.registers.read(register.offset())
    }

    fn write(&self, register: Register, value: u32) {
        self.registers.write(register.offset(), value);
    }

    /// Closes every gate: workers put their rings back at their next burst.
    fn close_gates(&self) {
        for pair in &self.pairs {
            pair.seat.gate.close();
            pair.sender.close();
        }
    }

    /// Takes back what workers have put back; the first queue whose rings are still out.
    fn gather(&mut self) -> Option<u16> {
        let mut missing = None;
        for pair in &mut self.pairs {
            pair.rx = pair.rx.take().or_else(|| pair.seat.gate.reclaim());
            pair.tx = pair.tx.take().or_else(|| pair.sender.reclaim());
            if pair.rx.is_none() || pair.tx.is_none() {
                missing = missing.or(Some(pair.seat.number));
            }
        }
        missing
    }

    /// Makes the rings of `count` queue pairs.
    fn make_pairs(&mut self, count: u16) -> Result<(), VfError> {
        let settings = Arc::clone(&self.settings);
        for number in 0..count {
            let device = self.device.as_mut();
            let rx = RxRing::new(device, &self.registers, number, settings.descriptors, settings.buffer)?;
            let (length, buffer) = if settings.transmit {
                (tx::LENGTH, settings.max_frame.next_multiple_of(128))
            } else {
                (tx::IDLE, 0)
            };
            let tx = TxRing::new(device, &self.registers, number, length, buffer)?;
            let seat = Seat {
                number,
                gate: Arc::new(Gate::new()),
                meter: Arc::new(Meter::default()),
                function: Arc::clone(&self.tally),
                most: settings.burst.max(settings.segments()),
                settings: Arc::clone(&settings),
                name: Arc::clone(&self.name),
            };
            self.pairs.push(Pair {
                seat,
                rx_address: rx.address(),
                rx: Some(Box::new(Receiver { ring: rx, decoder: Box::new(crate::rx::Nothing) })),
                sender: Arc::new(Gate::new()),
                tx_address: tx.address(),
                tx_length: tx.length(),
                tx: Some(Box::new(tx)),
            });
        }
        Ok(())
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        if self.state != State::Over {
            // Nobody gave the function back in order: at least it must not write into memory that is about to be freed.
            let _ = self.device.set_master(false);
            let _ = self.device.reset();
        }
        self.tally.end(self.error.as_ref().map(ToString::to_string));
        for pair in &self.pairs {
            pair.seat.gate.end();
            pair.sender.end();
        }
    }
}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Control({:?}, {:?})", self.device.identity().place, self.state)
    }
}
