//! The model: a function, and everything between it and its driver.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use avf::register::Absent;
use device::Bus;

use crate::config::{Config, Table};
use crate::datapath::{self, Ledger, Malice, Verdict};
use crate::fault::{Act, Plan, Site};
use crate::interrupt::{self, Interrupts};
use crate::mailbox::{self, Mailbox};
use crate::note::{Note, Notes};
use crate::reset::{self, Resets};
use crate::vf::Direction;
use crate::{Function, Memory, Options, Persona, Reset, Sent, Wire, virtchnl};

/// How often in one moment the model looks for something to do: more is a circle.
const ROUNDS: usize = 100_000;

/// A software NIC with one virtual function.
///
/// Time is what [`Self::advance`] was told last; nothing here looks at a clock.
#[derive(Debug)]
pub struct Model {
    /// The function as its PF keeps it.
    pub function: Function,
    /// The driver's memory.
    pub memory: Memory,
    /// What the driver sent.
    pub wire: Wire,
    /// What became of every frame from the wire.
    pub ledger: Ledger,
    /// What the driver was disabled for, the first time.
    pub malice: Option<Malice>,
    /// What goes wrong.
    pub plan: Plan,
    /// What happened.
    pub notes: Notes,
    pub(crate) config: Config,
    pub(crate) table: Table,
    pub(crate) mailbox: Mailbox,
    pub(crate) interrupts: Interrupts,
    pub(crate) resets: Resets,
    /// Registers that only store, by offset.
    pub(crate) plain: BTreeMap<u32, u32>,
    pub(crate) now: Duration,
    pub(crate) odd_writes: u64,
    timers: Vec<(Duration, Timer)>,
    veil: Veil,
}

/// Something that happens at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    /// A reset begins.
    Reset(Reset),
    /// The link comes up.
    LinkUp,
}

/// What hides the registers.
#[derive(Clone, Copy, Debug, Default)]
struct Veil {
    removed: bool,
    all_ones_until: Duration,
    dead_beef_until: Duration,
}

/// What was done since the model began, resets or not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Frames from the wire, by what became of them.
    pub frames: Ledger,
    /// Frames that the driver sent.
    pub sent: Sent,
    /// Resets that began.
    pub resets: u64,
    /// Signals, by vector.
    pub signals: Vec<u64>,
    /// Most requests that waited for the PF at a time; more than its flood guard allows and it ignores the function.
    pub requests_at_once: usize,
    /// Whether it ignores the function now.
    pub ignored: bool,
    /// Writes to registers that are none, or must not be written then.
    pub odd_writes: u64,
    /// Accesses outside of the driver's memory.
    pub strays: u64,
}

impl Model {
    /// A function that is active and untouched, on no bus yet.
    #[must_use]
    pub fn new(persona: Persona, options: Options) -> Self {
        let function = Function::new(persona, options);
        Self {
            config: Config::new(&function.persona, &function.host),
            table: Table::new(function.host.vectors),
            interrupts: Interrupts::new(function.host.vectors),
            function,
            memory: Memory::new(Arc::new(crate::memory::Nothing)),
            wire: Wire::default(),
            ledger: Ledger::default(),
            malice: None,
            plan: Plan::default(),
            notes: Notes::default(),
            mailbox: Mailbox::default(),
            resets: Resets::default(),
            plain: BTreeMap::new(),
            now: Duration::ZERO,
            odd_writes: 0,
            timers: Vec::new(),
            veil: Veil::default(),
        }
    }

    /// The same with a plan of faults.
    #[must_use]
    pub fn with_plan(self, plan: Plan) -> Self {
        Self { plan, ..self }
    }

    /// Puts it on a bus.
    pub fn attach(&mut self, bus: Arc<dyn Bus>) {
        let master = self.memory.is_master();
        self.memory = Memory::new(bus);
        self.memory.set_master(master);
    }

    /// Time since the model began.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.now
    }

    /// When something will happen by itself; none is never.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Duration> {
        let timers = self.timers.iter().map(|(due, _)| *due).min();
        let engines =
            [self.mailbox.next_deadline(), self.interrupts.next_deadline(), self.resets.next_deadline()];
        engines.into_iter().chain([timers, self.plan.next_deadline()]).flatten().min()
    }

    /// Lets time pass until `now`, and everything happen that is due until then, in order. Time does not go back.
    ///
    /// # Panics
    /// When things go round in circles within a moment.
    pub fn advance(&mut self, now: Duration) {
        let mut rounds = 0;
        while let Some(due) = self.next_deadline().filter(|due| *due <= now) {
            rounds = if due > self.now { 0 } else { rounds + 1 };
            assert!(rounds < ROUNDS, "the model goes round in circles at {:?}:\n{}", self.now, self.notes);
            self.now = self.now.max(due);
            self.run_due();
        }
        self.now = self.now.max(now);
    }

    fn run_due(&mut self) {
        while let Some(at) = self.timers.iter().position(|(due, _)| *due <= self.now) {
            let (_, timer) = self.timers.swap_remove(at);
            match timer {
                Timer::Reset(kind) => reset::start(self, kind),
                Timer::LinkUp => self.set_link(true),
            }
        }
        while let Some(act) = self.plan.take_due(self.now) {
            self.note(Note::Fault(None, act));
            self.at_large(act);
        }
        reset::run_due(self);
        mailbox::handle_due(self);
        mailbox::deliver_due(self);
        interrupt::run_due(self);
    }

    /// Lets happen what an access made due.
    pub(crate) fn settle(&mut self) {
        self.advance(self.now);
    }

    pub(crate) fn timer(&mut self, after: Duration, timer: Timer) {
        self.timers.push((self.now + after, timer));
    }

    /// A reset that the driver asked for is overtaken by another.
    pub(crate) fn forget_asked(&mut self) {
        self.timers.retain(|(_, timer)| *timer != Timer::Reset(Reset::Asked));
    }

    pub(crate) fn note(&mut self, note: Note) {
        self.notes.put(self.now, note);
    }

    /// Whether queues and mailbox may do anything: bus mastering is on, no reset is under way, nobody removed it.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.memory.is_master() && !self.resets.is_under_way() && !self.veil.removed
    }

    /// Whether it was pulled out.
    #[must_use]
    pub fn is_removed(&self) -> bool {
        self.veil.removed
    }

    /// Whether a reset is under way.
    #[must_use]
    pub fn is_resetting(&self) -> bool {
        self.resets.is_under_way()
    }

    /// The fault that strikes here and now, if one does and it is not one of the whole function: those have happened
    /// when this returns.
    pub fn strike(&mut self, site: Site) -> Option<Act> {
        let act = self.plan.strike(site, self.now)?;
        self.note(Note::Fault(Some(site), act));
        if act.is_at_large() {
            self.at_large(act);
            return None;
        }
        Some(act)
    }

    fn at_large(&mut self, act: Act) {
        match act {
            Act::Reset => reset::start(self, Reset::Pf),
            Act::DoubleReset => reset::twice(self),
            Act::Flap(us) => {
                self.set_link(false);
                self.timer(Duration::from_micros(us), Timer::LinkUp);
            }
            Act::AllOnes(0) => self.remove(),
            Act::AllOnes(us) => self.veil.all_ones_until = self.now + Duration::from_micros(us),
            Act::DeadBeef(us) => self.veil_dead_beef(Duration::from_micros(us)),
            _ => {}
        }
    }

    pub(crate) fn veil_dead_beef(&mut self, time: Duration) {
        self.veil.dead_beef_until = self.now + time;
    }

    /// What every register reads, while something hides them.
    pub(crate) fn veiled(&self) -> Option<u32> {
        let Veil { removed, all_ones_until, dead_beef_until } = self.veil;
        let gated = self.function.options.memory_gate && !self.config.is_memory();
        if removed || gated || self.now < all_ones_until {
            return Some(Absent::ALL_ONES);
        }
        (self.now < dead_beef_until).then_some(Absent::DEAD_BEEF)
    }

    /// The device's clock shows what time it is.
    pub(crate) fn read_clock(&mut self) {
        let passed = u64::try_from(self.now.as_nanos()).unwrap_or(u64::MAX);
        self.function.clock = self.function.options.clock.wrapping_add(passed);
    }

    /// Descriptors of a queue were completed (some may still be pending): lets its vector know.
    pub fn completed(&mut self, direction: Direction, queue: u16) {
        interrupt::completed(self, direction, queue);
    }

    /// A frame arrives from the wire, without its check sequence.
    pub fn receive(&mut self, frame: &[u8]) -> Verdict {
        let verdict = datapath::inject(self, frame);
        self.settle();
        verdict
    }

    /// What was done so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        Tally {
            frames: self.ledger,
            sent: self.wire.sent,
            resets: self.resets.count,
            signals: self.interrupts.signals.clone(),
            requests_at_once: self.mailbox.deepest,
            ignored: self.mailbox.is_ignored(),
            odd_writes: self.odd_writes,
            strays: self.memory.stray_count(),
        }
    }
}

/// What the host and the PF do.
impl Model {
    /// The link goes up or down, and the function is told.
    pub fn set_link(&mut self, up: bool) {
        self.function.host.link_up = up;
        let actions = virtchnl::link_changed(&mut self.function);
        mailbox::act(self, actions);
        self.settle();
    }

    /// The host trusts the function, or not; that resets it.
    pub fn set_trust(&mut self, on: bool) {
        self.function.host.trusted = on;
        reset::of_host(self);
        self.settle();
    }

    /// The host sets the function's MAC address, or leaves it to the function; that resets it.
    pub fn set_mac(&mut self, mac: Option<[u8; 6]>) {
        self.function.host.mac = mac;
        reset::of_host(self);
        self.settle();
    }

    /// The host puts the port into a VLAN, or takes it out; that resets the function.
    pub fn set_port_vlan(&mut self, vlan: Option<u16>) {
        self.function.host.port_vlan = vlan;
        reset::of_host(self);
        self.settle();
    }

    /// The PF warns the function, and is reset a moment later.
    pub fn reset_pf(&mut self) {
        reset::of_pf(self);
        self.settle();
    }

    /// The host resets the function, and tells it.
    pub fn reset_vf(&mut self) {
        reset::of_host(self);
        self.settle();
    }

    /// A reset of a kind begins now, without a warning.
    pub fn reset(&mut self, kind: Reset) {
        reset::start(self, kind);
        self.settle();
    }

    /// The function is pulled out: every register reads all ones, nothing is written any more, for ever.
    pub fn remove(&mut self) {
        self.veil.removed = true;
        self.mailbox.cut();
        self.interrupts.reset();
        self.note(Note::Removed);
    }
}
