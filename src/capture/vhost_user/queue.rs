//! One worker's queue: lends what was copied out of the rings, and waits at them when nothing comes.
//!
//! Frames of one burst have one time, that at which the burst was taken: there is no better one.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use frame::{Batch, Frame, Ledger, LinkType, RxError, RxQueue, RxStatus, TapId, Timestamp};

use super::VhostSettings;
use super::chain::{Arena, Copied};
use super::seat::Seat;
use super::server::Keeper;

/// How long empty rings are looked at again and again before front ends are asked to notify, for each frame that came.
/// To be woken takes longer than a small ring takes to run full, and costs the front end a system call: so at ten million
/// frames a second we never sleep, at a million a tenth of the time is spent looking, and at rest none. More of it would
/// take time from front ends that share our processor.
const PER_FRAME: Duration = Duration::from_nanos(100);
/// The most of it that is saved up.
const MOST_SAVED: Duration = Duration::from_micros(200);
/// Longest wait where a ring is to be looked at again and again.
const POLL: Duration = Duration::from_millis(1);

/// A worker's queue.
pub(super) struct Queue {
    keeper: Arc<Keeper>,
    index: usize,
    arena: Arena,
    wait: Duration,
    tap: TapId,
    names: Vec<String>,
    number: u64,
    /// What was lent since this was last asked.
    tally: Ledger,
    stopped: bool,
    /// How long rings may be looked at while they are empty.
    saved: Duration,
}

impl Queue {
    pub(super) fn new(settings: &VhostSettings, keeper: &Arc<Keeper>, index: usize) -> Self {
        Self {
            keeper: Arc::clone(keeper),
            index,
            arena: Arena::new(settings.burst),
            wait: Duration::from_millis(u64::from(settings.wait_ms)),
            tap: settings.tap,
            names: vec![settings.path.display().to_string()],
            number: 0,
            tally: Ledger::default(),
            stopped: false,
            saved: Duration::ZERO,
        }
    }

    /// Copies what is there; false when nothing came in time.
    fn fill(&mut self) -> Result<bool, RxError> {
        let Some(seat) = self.keeper.house.seats.get(self.index) else { return Ok(false) };
        let begun = Instant::now();
        let mut last = begun;
        loop {
            seat.take(&mut self.arena);
            if !self.arena.frames.is_empty() {
                let earned =
                    PER_FRAME.saturating_mul(u32::try_from(self.arena.frames.len()).unwrap_or(u32::MAX));
                self.saved = self.saved.saturating_add(earned).min(MOST_SAVED);
                return Ok(true);
            }
            if self.stopped && seat.is_done() {
                return Ok(false);
            }
            let now = Instant::now();
            self.saved = self.saved.saturating_sub(now.saturating_duration_since(last));
            last = now;
            let left = self.wait.saturating_sub(now.saturating_duration_since(begun));
            if left.is_zero() {
                return Ok(false);
            }
            if !self.saved.is_zero() {
                std::hint::spin_loop();
            } else if !seat.arm() {
                wait(seat, left)?;
                last = Instant::now();
            }
        }
    }

    fn lend(&mut self) -> Batch<'_> {
        let time = now();
        let bytes = self.arena.bytes();
        let (tap, mut number, mut sum) = (self.tap, self.number, 0);
        let lent = |copied: &Copied| {
            let data = bytes.get(copied.range.clone()).unwrap_or_default();
            let wire_len = u32::try_from(data.len()).unwrap_or(u32::MAX);
            sum += u64::from(wire_len);
            number += 1;
            let (link, checksum) = (LinkType::ETHERNET, copied.checksum);
            Frame { data, wire_len, time, number, link, vlan: None, checksum, tap }
        };
        let frames: Vec<Frame<'_>> = self.arena.frames.iter().map(lent).collect();
        self.number = number;
        self.tally.received += frames.len() as u64;
        self.tally.received_bytes += sum;
        Batch { frames, status: RxStatus::More }
    }

    /// What the source as a whole has to tell is told by its first queue.
    fn is_first(&self) -> bool {
        self.index == 0
    }
}

fn wait(seat: &Seat, left: Duration) -> Result<(), RxError> {
    let left = if seat.is_polled() { left.min(POLL) } else { left };
    let ms = i32::try_from(left.as_millis()).unwrap_or(i32::MAX).max(1);
    seat.bell.wait(ms).map_err(RxError::Io)
}

impl RxQueue for Queue {
    fn burst(&mut self) -> Result<Batch<'_>, RxError> {
        if self.fill()? {
            return Ok(self.lend());
        }
        if self.stopped {
            return Ok(Batch { frames: Vec::new(), status: RxStatus::End });
        }
        if self.keeper.has_ended() {
            let [name] = self.names.as_slice() else { return Err(RxError::Gone(String::new())) };
            return Err(RxError::Gone(format!("{name}: nobody answers front ends any more")));
        }
        Ok(Batch { frames: Vec::new(), status: RxStatus::Idle(now()) })
    }

    fn account(&mut self, ledger: &mut Ledger) {
        ledger.add(&std::mem::take(&mut self.tally));
        let house = &self.keeper.house;
        if let Some(seat) = house.seats.get(self.index) {
            ledger.add(&seat.tally());
        }
        if self.is_first() {
            ledger.absences += house.absences();
        }
    }

    fn warnings(&mut self) -> Vec<String> {
        if self.is_first() { self.keeper.house.warnings() } else { Vec::new() }
    }

    fn taps(&self) -> &[String] {
        &self.names
    }

    fn stop(&mut self) {
        self.stopped = true;
        if let Some(seat) = self.keeper.house.seats.get(self.index) {
            seat.stop();
        }
    }
}

/// Time of the wall.
fn now() -> Timestamp {
    Timestamp::ZERO.plus(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}
