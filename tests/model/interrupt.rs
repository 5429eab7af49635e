//! Vectors, their throttles, and when completed descriptors are posted (reference section 12.4).

use std::time::Duration;

use avf::register::{DynCtl, Icr0};
use avf::virtchnl::Caps;

use crate::fault::{Act, Site};
use crate::note::Note;
use crate::vf::{Direction, Seat};
use crate::{Model, datapath};

/// Unit of throttle intervals.
const UNIT: Duration = Duration::from_micros(2);

/// All vectors of the function.
#[derive(Debug)]
pub(crate) struct Interrupts {
    vectors: Vec<Vector>,
    /// Causes of vector 0 since they were read last.
    icr0: Icr0,
    /// Which causes raise vector 0.
    icr0_ena: Icr0,
    /// Mail came, and vector 0 has not been signalled since.
    mail: bool,
    /// Signals that a fault holds back.
    delayed: Vec<(Duration, u16)>,
    /// How many signals each vector got.
    pub(crate) signals: Vec<u64>,
}

/// One vector. Vector 0 is the mailbox's, and may serve queues too.
#[derive(Clone, Debug, Default)]
struct Vector {
    control: DynCtl,
    intervals: [u16; 3],
    /// Descriptors of its queues were completed, and it has not acted on them.
    waiting: bool,
    /// When it may act.
    due: Option<Duration>,
    /// When it acted last.
    acted: Option<Duration>,
}

impl Vector {
    fn interval(&self, itr: u16) -> Duration {
        self.intervals.get(usize::from(itr)).map_or(Duration::ZERO, |units| UNIT * u32::from(*units))
    }
}

impl Interrupts {
    pub(crate) fn new(vectors: u16) -> Self {
        let count = usize::from(vectors);
        Self {
            vectors: vec![Vector::default(); count],
            icr0: Icr0(0),
            icr0_ena: Icr0(0),
            mail: false,
            delayed: Vec::new(),
            signals: vec![0; count],
        }
    }

    /// As after a reset.
    pub(crate) fn reset(&mut self) {
        let signals = std::mem::take(&mut self.signals);
        *self = Self { vectors: vec![Vector::default(); self.vectors.len()], signals, ..Self::new(0) };
    }

    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        let due = self.vectors.iter().filter_map(|vector| vector.due);
        due.chain(self.delayed.iter().map(|(due, _)| *due)).min()
    }

    /// Causes since the last read; reading clears them.
    pub(crate) fn read_icr0(&mut self) -> u32 {
        std::mem::take(&mut self.icr0).0
    }

    pub(crate) fn icr0_ena(&self) -> u32 {
        self.icr0_ena.0
    }

    /// The control register of a vector, as it reads.
    pub(crate) fn control(&self, vector: u16) -> Option<u32> {
        Some(self.vectors.get(usize::from(vector))?.control.0)
    }

    /// A throttle of a vector, in units of 2 us.
    pub(crate) fn interval(&self, vector: u16, itr: u16) -> Option<u16> {
        self.vectors.get(usize::from(vector))?.intervals.get(usize::from(itr)).copied()
    }

    pub(crate) fn set_interval(&mut self, vector: u16, itr: u16, value: u32) {
        let vector = self.vectors.get_mut(usize::from(vector));
        if let Some(to) = vector.and_then(|vector| vector.intervals.get_mut(usize::from(itr))) {
            *to = (value & 0xFFF) as u16;
        }
    }
}

/// A message is in the receive ring of the mailbox.
pub(crate) fn mail(model: &mut Model) {
    let interrupts = &mut model.interrupts;
    interrupts.icr0 = interrupts.icr0.with_adminq(true).with_event(true);
    interrupts.mail = true;
    raise_mail(model);
}

/// Signals vector 0 for mail that it was not signalled for, if it may fire: neither a lost wake-up nor a storm.
fn raise_mail(model: &mut Model) {
    let interrupts = &mut model.interrupts;
    let may =
        interrupts.icr0_ena.adminq() && interrupts.vectors.first().is_some_and(|zero| zero.control.intena());
    if may && interrupts.mail {
        interrupts.mail = false;
        fire(model, 0);
    }
}

/// The driver wrote the causes that raise vector 0.
pub(crate) fn write_icr0_ena(model: &mut Model, value: u32) {
    model.interrupts.icr0_ena = Icr0(value);
    raise_mail(model);
}

/// The driver wrote a vector's control register.
pub(crate) fn write_control(model: &mut Model, vector: u16, value: u32) {
    let written = DynCtl(value);
    let Some(entry) = model.interrupts.vectors.get_mut(usize::from(vector)) else { return };
    let intena = if written.intena_msk() { entry.control.intena() } else { written.intena() };
    // CLEARPBA and SWINT act and do not stay; bit 31 reads as 0
    entry.control = written.with_intena(intena).with_clearpba(false).with_swint(false).with_intena_msk(false);
    if let Some(interval) = entry.intervals.get_mut(written.itr_index() as usize) {
        *interval = (written.interval() & 0xFFF) as u16;
    }
    if written.clearpba() {
        model.table.forget(vector);
    }
    if written.swint() {
        if vector == 0 {
            model.interrupts.icr0 = model.interrupts.icr0.with_swint(true);
        }
        flush(model, vector);
        if intena {
            fire(model, vector);
        }
    }
    if vector == 0 {
        raise_mail(model);
    }
    let itr = model.function.vf.seats.throttle(vector);
    schedule(model, vector, itr);
}

/// Descriptors of a queue were completed; its vector acts when its throttle lets it.
pub(crate) fn completed(model: &mut Model, direction: Direction, queue: u16) {
    let Some(Seat { vector, itr }) = model.function.vf.seats.of(direction, queue) else { return };
    let Some(entry) = model.interrupts.vectors.get_mut(usize::from(vector)) else { return };
    entry.waiting = true;
    schedule(model, vector, itr);
}

/// Lets a vector act when its throttle `itr` ends, or before if it was to, if it has something to do and may.
fn schedule(model: &mut Model, vector: u16, itr: u16) {
    let polls = model.function.persona.write_back_on_itr;
    let now = model.now;
    let Some(entry) = model.interrupts.vectors.get_mut(usize::from(vector)) else { return };
    let interval = entry.interval(itr);
    let due = entry.acted.map_or(Duration::ZERO, |acted| acted + interval);
    // polled by WB_ON_ITR, a vector waits for its whole interval; armed, it acts at once when it has been idle
    let due = if entry.control.intena() { due } else { due.max(now + interval) };
    let may = entry.control.intena() || polls && entry.control.wb_on_itr();
    if !entry.waiting || !may {
        entry.due = None;
        return;
    }
    let due = entry.due.map_or(due, |before| before.min(due));
    entry.due = Some(due);
    if due <= now {
        act(model, vector);
    }
}

/// A vector acts: what its queues have completed is written back, and it fires if it is armed.
fn act(model: &mut Model, vector: u16) {
    let Some(entry) = model.interrupts.vectors.get_mut(usize::from(vector)) else { return };
    entry.due = None;
    entry.waiting = false;
    entry.acted = Some(model.now);
    let armed = entry.control.intena();
    flush(model, vector);
    if armed {
        if vector == 0 {
            let queues = model.function.vf.seats.queues(0).fold(0, |mask, (_, queue)| mask | bit(queue));
            let causes = model.interrupts.icr0;
            model.interrupts.icr0 = causes.with_queues(causes.queues() | queues).with_event(true);
        }
        fire(model, vector);
    }
}

/// Writes back whatever the queues of a vector have completed.
fn flush(model: &mut Model, vector: u16) {
    let queues: Vec<(Direction, u16)> = model.function.vf.seats.queues(vector).collect();
    for (direction, queue) in queues {
        datapath::flush(model, direction, queue);
    }
}

/// The cause of a queue, of those that ICR0 has room for.
fn bit(queue: u16) -> u32 {
    1_u32.checked_shl(queue.into()).unwrap_or(0)
}

/// Signals a vector and masks it, unless a fault has other plans.
fn fire(model: &mut Model, vector: u16) {
    if !stays_armed(model, vector)
        && let Some(entry) = model.interrupts.vectors.get_mut(usize::from(vector))
    {
        entry.control = entry.control.with_intena(false);
    }
    match model.strike(Site::Signal(vector)) {
        Some(Act::LostInterrupt) => {}
        Some(Act::Delay(us)) => {
            let due = model.now + Duration::from_micros(us);
            model.interrupts.delayed.push((due, vector));
        }
        Some(Act::Duplicate) => {
            signal(model, vector);
            signal(model, vector);
        }
        _ => signal(model, vector),
    }
}

/// Vector 0 is not masked when it fires if the PF was asked to let it be polled and a queue is on it.
fn stays_armed(model: &Model, vector: u16) -> bool {
    let vf = &model.function.vf;
    let polled = vf.granted.is_some_and(|caps| caps.contains(Caps::RX_POLLING));
    let queues = vf.seats.queues(0).next().is_some();
    vector == 0 && model.function.persona.polling_unmasks && polled && queues
}

/// Sends the message, or latches it where the table masks it.
pub(crate) fn signal(model: &mut Model, vector: u16) {
    if model.table.holds(vector) {
        return;
    }
    if let Some(count) = model.interrupts.signals.get_mut(usize::from(vector)) {
        *count += 1;
    }
    model.note(Note::Signal(vector));
    model.memory.signal(vector);
}

/// Lets every vector act whose time has come.
pub(crate) fn run_due(model: &mut Model) {
    let now = model.now;
    while let Some(at) = model.interrupts.delayed.iter().position(|(due, _)| *due <= now) {
        let (_, vector) = model.interrupts.delayed.swap_remove(at);
        signal(model, vector);
    }
    for vector in 0u16.. {
        let Some(entry) = model.interrupts.vectors.get(usize::from(vector)) else { return };
        if entry.due.is_some_and(|due| due <= now) {
            act(model, vector);
        }
    }
}
