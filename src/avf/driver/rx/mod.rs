//! One worker's queue: frames are lent where the device put them, and given back at the next burst.

mod joiner;
mod legacy;
mod ring;
mod time;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use frame::bypass::Bypass;
use frame::{Batch, Frame, Ledger, Loss, RxError, RxQueue, RxStatus, Timestamp};

use crate::Settings;
use crate::gate::{Gate, Wish};
use crate::pace::{Clock, Rest};
use crate::tally::{Meter, Tally};

pub use joiner::{Decode, Found, Joiner, Layout, Plain, Stamp};
pub use legacy::legacy;
pub use ring::Done;
pub(crate) use ring::RxRing;
pub(crate) use time::NicClock;
use time::Sample;

/// Frames of a burst that are looked at while it is not known whether the function is promiscuous.
const SAMPLE: usize = 4;

frame::counters! {
    /// What a queue counts.
    pub struct Counters("nic") {
        /// Frames that were lent.
        frames: "frames received from the NIC",
        /// Of these, so many lay in several buffers.
        chained: "frames that the NIC spread over several buffers",
        /// Of these, so many had to be copied.
        joined: "of these, frames that had to be copied together",
        /// Frames whose checksum the NIC found wrong.
        bad_checksum: "frames whose checksum the NIC found wrong",
        /// Frames of flows that were steered out of the walk.
        bypassed: "frames of flows that nobody looks at any more, recognised by the NIC",
        /// Frames with a time of the NIC's.
        stamped: "frames that carry the time at which the NIC saw them",
        /// Times the queue waited in vain.
        idle: "bursts that found nothing",
        /// Rings taken up.
        rings: "times the queue began with an empty ring, once at the start and once after each reset",
    }
}

/// A receive queue of a function. It lends nothing before its function is up, nor while it is being reset.
pub struct Queue {
    seat: Seat,
    held: Option<Box<Receiver>>,
    sample: Option<Sample>,
    clock: Box<dyn Clock>,
    rest: Rest,
    number: u64,
    /// What was received and lost since this was last asked.
    tally: Ledger,
    counters: Counters,
    /// Whether what is done in the ring is the beginning of a frame without its end.
    torn: bool,
    /// When this was asked to stop.
    stopped: Option<Timestamp>,
    /// The way to have single flows left out, until somebody takes it.
    bypass: Option<Box<dyn Bypass>>,
}

/// What passes through the gate: a ring, and what reads its descriptors as they were agreed on this time.
pub(crate) struct Receiver {
    pub(crate) ring: RxRing,
    pub(crate) decoder: Box<dyn Decode>,
}

/// Reads nothing: of a ring that nothing was agreed on for.
pub(crate) struct Nothing;

impl Decode for Nothing {
    fn frames<'a>(&'a mut self, _done: Done<'a>, _stamp: Stamp, _frames: &mut Vec<Frame<'a>>) -> Found {
        Found::default()
    }
}

impl std::fmt::Debug for Receiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.ring.fmt(f)
    }
}

/// What a queue shares with its function's controller.
#[derive(Clone, Debug)]
pub(crate) struct Seat {
    pub(crate) number: u16,
    pub(crate) gate: Arc<Gate<Box<Receiver>>>,
    pub(crate) meter: Arc<Meter>,
    pub(crate) function: Arc<Tally>,
    pub(crate) settings: Arc<Settings>,
    /// Most descriptors of one burst: what the settings say, and never less than the longest frame takes.
    pub(crate) most: usize,
    /// Name of the tap.
    pub(crate) name: Arc<[String]>,
}

impl Queue {
    pub(crate) fn new(seat: Seat, clock: Box<dyn Clock>, bypass: Option<Box<dyn Bypass>>) -> Self {
        Self {
            seat,
            held: None,
            sample: None,
            clock,
            rest: Rest::default(),
            number: 0,
            tally: Ledger::default(),
            counters: Counters::default(),
            torn: false,
            stopped: None,
            bypass,
        }
    }

    /// Which of the function's queues it is, from 0.
    #[must_use]
    pub fn number(&self) -> u16 {
        self.seat.number
    }

    /// What it counted.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Takes the ring, or puts it back when there is nothing left in it, as the controller wishes.
    #[inline]
    fn attend(&mut self) -> Wish {
        let wish = self.seat.gate.wish();
        match (wish, &self.held) {
            (Wish::Open, None) => self.take(),
            (Wish::Closed | Wish::Ended, Some(_)) => self.settle(),
            (Wish::Open, Some(_)) | (_, None) => {}
        }
        if let (Wish::Open, Some(held)) = (wish, &mut self.held) {
            held.ring.give_back(false);
        }
        wish
    }

    #[cold]
    fn take(&mut self) {
        self.held = self.seat.gate.take();
        self.counters.rings += u64::from(self.held.is_some());
    }

    /// Before a ring is put back, what the device has finished in it is lent; a frame that it has not finished is lost.
    #[cold]
    fn settle(&mut self) {
        let is_ready = self.is_ready();
        if is_ready && !self.torn {
            return;
        }
        if is_ready {
            self.tally.received += 1;
            self.tally.lose(Loss::NicReset, 1);
            Meter::add(&self.seat.meter.taken, 1);
        }
        self.torn = false;
        if let Some(held) = self.held.take() {
            self.seat.gate.put(held);
        }
    }

    #[inline]
    fn is_ready(&self) -> bool {
        self.held.as_ref().is_some_and(|held| held.ring.is_ready())
    }

    /// Waits until something is there, no longer than the settings say; tells the time.
    fn wait(&mut self) -> Timestamp {
        let begin = self.clock.now();
        if self.is_ready() {
            self.rest.awake();
            return begin;
        }
        if self.seat.gate.wish() == Wish::Open
            && let Some(held) = &mut self.held
        {
            held.ring.give_back(true);
        }
        let until = begin.plus(self.seat.settings.wait);
        let mut now = begin;
        while now < until && self.seat.gate.wish() == Wish::Open {
            self.clock.pause(self.rest.next());
            if self.held.is_none() {
                self.take();
            }
            if self.is_ready() {
                self.rest.awake();
                return self.clock.now();
            }
            now = self.clock.now();
        }
        if now < until {
            // The gate is closed: there is nothing to look at.
            self.clock.pause(self.seat.settings.wait);
            now = self.clock.now();
        }
        now
    }

    /// Whether nothing will come any more.
    fn is_over(&self, wish: Wish) -> bool {
        self.held.is_none() && (wish == Wish::Ended || self.seat.function.ended.load(Ordering::Acquire))
    }

    /// Whether it was asked to stop so long ago that the function's controller must be gone.
    fn is_overdue(&self, now: Timestamp) -> bool {
        self.stopped.is_some_and(|since| now.since(since) >= std::time::Duration::from_secs(3))
    }

    fn end(&self) -> Result<Batch<'_>, RxError> {
        match self.seat.function.failure() {
            Some(why) => Err(RxError::Gone(why)),
            None => Ok(Batch { frames: Vec::new(), status: RxStatus::End }),
        }
    }
}

impl RxQueue for Queue {
    #[inline]
    fn burst(&mut self) -> Result<Batch<'_>, RxError> {
        let wish = self.attend();
        if self.is_over(wish) {
            return self.end();
        }
        let time = self.wait();
        if self.is_overdue(time) {
            return Ok(Batch { frames: Vec::new(), status: RxStatus::End });
        }
        self.sample = Sample::renew(self.sample, &self.seat.function.clock, time);
        let Self { seat, held, sample, number, tally, counters, torn, .. } = self;
        let mut frames = Vec::new();
        let mut found = Found::default();
        if let Some(Receiver { ring, decoder }) = held.as_deref_mut()
            && let Some(done) = ring.done(seat.most)
            && done.count != 0
        {
            frames.reserve_exact(done.count);
            let stamp = Stamp { time, tap: seat.settings.tap, number: *number, sample: *sample };
            found = decoder.frames(done, stamp, &mut frames);
            *torn = frames.is_empty() && found == Found::default();
            account(tally, counters, &found, frames.len() as u64);
            seat.note(&found, &frames);
            *number += frames.len() as u64;
        }
        let status = if frames.is_empty() && found == Found::default() {
            counters.idle += 1;
            Meter::add(&seat.meter.empty, 1);
            RxStatus::Idle(time)
        } else {
            RxStatus::More
        };
        Ok(Batch { frames, status })
    }

    fn account(&mut self, ledger: &mut Ledger) {
        let discards = self.seat.function.discards.swap(0, Ordering::Relaxed);
        self.tally.received += discards;
        self.tally.lose(Loss::NicNoBuffer, discards);
        self.tally.absences += self.seat.function.absences.swap(0, Ordering::Relaxed);
        ledger.add(&std::mem::take(&mut self.tally));
    }

    fn warnings(&mut self) -> Vec<String> {
        self.seat.function.told()
    }

    fn taps(&self) -> &[String] {
        &self.seat.name
    }

    fn bypass(&mut self) -> Option<Box<dyn Bypass>> {
        self.bypass.take()
    }

    fn stop(&mut self) {
        if self.stopped.is_none() {
            self.stopped = Some(self.clock.now());
            self.seat.gate.ask_stop();
        }
    }
}

/// What a burst came to, in the ledger and the counters.
fn account(tally: &mut Ledger, counters: &mut Counters, found: &Found, frames: u64) {
    let lost = found.damaged + found.broken;
    tally.received += frames + lost + found.bypassed;
    tally.bypassed += found.bypassed;
    tally.received_bytes += found.bytes;
    if lost != 0 {
        tally.lose(Loss::NicDamaged, found.damaged);
        tally.lose(Loss::NicBroken, found.broken);
    }
    counters.frames += frames;
    counters.chained += found.chained;
    counters.joined += found.joined;
    counters.bad_checksum += found.bad_checksum;
    counters.bypassed += found.bypassed;
    counters.stamped += found.stamped;
}

impl Seat {
    /// Tells the controller what a burst came to.
    #[inline]
    fn note(&self, found: &Found, frames: &[Frame<'_>]) {
        let taken = frames.len() as u64 + found.damaged + found.broken + found.bypassed;
        Meter::add(&self.meter.taken, taken);
        if !self.function.evidence.is_settled() {
            self.sample(frames);
        }
    }

    #[cold]
    fn sample(&self, frames: &[Frame<'_>]) {
        let looked = frames.iter().take(SAMPLE);
        let seen = looked.len() as u64;
        let foreign = looked.filter(|frame| self.function.is_foreign(frame.data)).count() as u64;
        self.function.evidence.add(seen, foreign);
    }

    /// Frames taken, and looks that found nothing.
    pub(crate) fn read(&self) -> (u64, u64) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (read(&self.meter.taken), read(&self.meter.empty))
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // The device may still write into the ring: whoever stops it frees the memory.
        if let Some(held) = self.held.take() {
            self.seat.gate.put(held);
        }
        self.seat.gate.leave();
    }
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Queue {} of {}", self.seat.number, self.seat.name.join(""))
    }
}
