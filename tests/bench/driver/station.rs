//! A function that is up, one queue of it, and rounds in which its ring is filled and emptied.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use avf::rx::Rxdid;
use avf_driver::{Control, Queue, Settings, Standing};
use device::{Local, Time, Witness};
use frame::{Frame, RxQueue as _, Timestamp};
use model::{Model, Options, Persona};

use crate::replay::Replay;

/// Longest bring-up, in the model's time.
const PATIENCE: Duration = Duration::from_secs(60);
/// Reading so much pushes everything else out of a core's own caches (2 MiB and less).
const FLUSH: usize = 16 << 20;
/// Bursts in a row that may come back empty while frames are still missing.
const MOST_EMPTY: u32 = 1000;

/// Where descriptors and frames lie when the driver comes for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Near {
    /// In the core's own caches.
    Core,
    /// In the last-level cache, where a NIC's writes arrive.
    Cache,
}

impl Near {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Core => "near",
            Self::Cache => "far",
        }
    }
}

/// Whose function it is, and so which driver's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Card {
    /// X710, by iavf: legacy descriptors.
    X710,
    /// E810, by vf-ice: flexible descriptors.
    E810,
    /// The same, with the NIC's time in each.
    E810Time,
}

impl Card {
    pub(crate) const ALL: [Self; 3] = [Self::X710, Self::E810, Self::E810Time];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::X710 => "iavf",
            Self::E810 | Self::E810Time => "vf-ice",
        }
    }

    /// What a line of the table calls it.
    pub(crate) const fn work(self) -> &'static str {
        match self {
            Self::X710 | Self::E810 => "receive",
            Self::E810Time => "receive, NIC time",
        }
    }

    fn persona(self) -> Persona {
        match self {
            Self::X710 => Persona::i40e(),
            Self::E810 | Self::E810Time => Persona::ice(),
        }
    }

    /// What it is brought up with.
    const fn profile(self) -> Rxdid {
        match self {
            Self::X710 => Rxdid::LEGACY,
            Self::E810 | Self::E810Time => Rxdid::OVS,
        }
    }
}

/// What one round came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Round {
    /// Frames.
    pub(crate) frames: u64,
    /// Sum of their numbers.
    pub(crate) sum: u64,
    /// How long the queue took to be emptied.
    pub(crate) time: Duration,
}

/// A function that is up.
pub(crate) struct Station {
    nic: Arc<Mutex<Replay>>,
    witness: Witness,
    /// Before the controller, which stops the function when it is dropped.
    queue: Queue,
    _control: Control,
    flush: Vec<u64>,
    number: u64,
    nic_time: bool,
    /// When the last round ended: others may have theirs before the next.
    left: Instant,
    /// Nanoseconds that passed while the queue was not being emptied.
    outside: Arc<AtomicU64>,
}

/// Real time less what the replay took of it: packets come as close together as the driver takes them, and flows age
/// as they would on a wire that brings them so.
struct Wall {
    begin: Instant,
    outside: Arc<AtomicU64>,
}

impl avf_driver::Clock for Wall {
    fn now(&mut self) -> Timestamp {
        let outside = Duration::from_nanos(self.outside.load(Ordering::Relaxed));
        // Packet time of a live source never begins at zero.
        Timestamp::new(1_700_000_000, 0).plus(self.begin.elapsed().saturating_sub(outside))
    }

    fn pause(&mut self, length: Duration) {
        if !length.is_zero() {
            std::thread::sleep(length);
        }
    }
}

impl Station {
    /// Brings a function up, in the model's own time.
    pub(crate) fn new(card: Card, descriptors: u16) -> Result<Self, String> {
        let model = Model::new(card.persona(), Options::lenient());
        let nic = Arc::new(Mutex::new(Replay::new(model)));
        let device = Local::new(Arc::clone(&nic), Time::Virtual);
        let witness = device.witness();
        // A busy queue never waits. Sleeping after each round would hand the core to others, and the next round would be
        // measured with their caches and address translations.
        let nic_time = card == Card::E810Time;
        let settings = Settings { descriptors, nic_time, wait: Duration::ZERO, ..Settings::new(1) };
        let opened = match card {
            Card::X710 => iavf::open(Box::new(device), settings, Duration::ZERO),
            Card::E810 | Card::E810Time => vf_ice::open(Box::new(device), settings, Duration::ZERO),
        };
        let mut control = opened.map_err(|e| e.to_string())?;
        let mut queues = Vec::new();
        let outside = Arc::new(AtomicU64::new(0));
        let mut now = Duration::ZERO;
        while control.standing() != Standing::Up || queues.is_empty() {
            if now > PATIENCE {
                return Err(format!("not up after {PATIENCE:?}: {control:?}"));
            }
            now = turn(&nic, &mut control, now);
            queues
                .extend(control.queues(&mut |_| {
                    Box::new(Wall { begin: Instant::now(), outside: Arc::clone(&outside) })
                }));
        }
        let queue = queues.pop().ok_or("no queue")?;
        let agreed = control.negotiated().map(|agreed| (agreed.driver, agreed.format));
        if agreed != Some((card.name(), card.profile())) {
            return Err(format!("agreed on {agreed:?}, expected {:?}", card.profile()));
        }
        // Time for the NIC's clock to be read.
        for _ in 0..20 {
            now = turn(&nic, &mut control, now);
        }
        lock(&nic).begin(card.profile(), nic_time)?;
        Ok(Self {
            nic,
            witness,
            queue,
            _control: control,
            flush: vec![1; FLUSH / 8],
            number: 0,
            nic_time,
            left: Instant::now(),
            outside,
        })
    }

    /// Fills the ring, and has every frame of it seen. Only the second half is timed.
    pub(crate) fn round(
        &mut self,
        near: Near,
        numbers: &mut dyn Iterator<Item = u32>,
        each: &mut impl FnMut(&[Frame<'_>]),
    ) -> Result<Round, String> {
        let before = self.left;
        let filled = lock(&self.nic).fill(numbers)?;
        if near == Near::Cache {
            self.flush();
        }
        let filling = u64::try_from(before.elapsed().as_nanos()).unwrap_or(0);
        self.outside.fetch_add(filling, Ordering::Relaxed);
        let begin = Instant::now();
        let last = drain(&mut self.queue, filled.frames, each)?;
        let time = begin.elapsed();
        self.number += filled.frames;
        if last != self.number {
            return Err(format!("the last of {} frames has number {last}", self.number));
        }
        // What was lent last goes back when the queue finds nothing, as on an idle wire.
        drop(self.queue.burst().map_err(|e| e.to_string())?);
        self.left = Instant::now();
        Ok(Round { frames: filled.frames, sum: filled.sum, time })
    }

    /// Frames so far.
    pub(crate) fn frames(&self) -> u64 {
        self.number
    }

    /// Whether driver and replay kept to the rules.
    pub(crate) fn check(&self) -> Result<(), String> {
        let nic = lock(&self.nic);
        if self.witness.stray_count() != 0 {
            return Err(format!("{} stray accesses", self.witness.stray_count()));
        }
        let counters = self.queue.counters();
        if self.nic_time && counters.stamped != counters.frames {
            return Err(format!("{} of {} frames carry the NIC's time", counters.stamped, counters.frames));
        }
        if nic.crooked != 0 {
            return Err(format!("{} doorbells at no multiple of 8", nic.crooked));
        }
        if nic.doorbells * 32 > self.number {
            return Err(format!(
                "{} doorbells for {} frames: more than one in 32",
                nic.doorbells, self.number
            ));
        }
        Ok(())
    }

    fn flush(&mut self) {
        // Written and read back, so that neither pass can be left out.
        let sum = self.flush.iter().step_by(8).fold(0_u64, |sum, word| sum.wrapping_add(*word));
        self.flush.iter_mut().step_by(8).for_each(|word| *word ^= sum);
    }
}

/// Empties the queue of `frames` frames; the number of the last one.
fn drain(queue: &mut Queue, frames: u64, each: &mut impl FnMut(&[Frame<'_>])) -> Result<u64, String> {
    let (mut seen, mut empty, mut last) = (0, 0, 0);
    while seen < frames {
        let batch = queue.burst().map_err(|e| e.to_string())?;
        each(&batch.frames);
        seen += batch.frames.len() as u64;
        last = batch.frames.last().map_or(last, |frame| frame.number);
        empty = if batch.frames.is_empty() { empty + 1 } else { 0 };
        if empty > MOST_EMPTY {
            return Err(format!("{seen} of {frames} frames came"));
        }
    }
    Ok(last)
}

/// Lets driver and model do what is due, and tells what time it is then.
fn turn(nic: &Mutex<Replay>, control: &mut Control, now: Duration) -> Duration {
    lock(nic).model.advance(now);
    let next = control.step(now).next;
    let due = lock(nic).model.next_deadline().unwrap_or(next);
    due.min(next).max(now + Duration::from_micros(10))
}

fn lock(nic: &Mutex<Replay>) -> MutexGuard<'_, Replay> {
    nic.lock().unwrap_or_else(PoisonError::into_inner)
}
