//! The rings of one worker, and how they come and go while it works.
//!
//! The worker holds the lock for the length of a burst, and copies under it. Whoever serves the front end takes it to
//! add a ring or to take one away; a ring that goes is emptied first, for which the worker is waited for a while.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use std::{fs::File, io};

use frame::{Ledger, Loss};

use super::bell::Bell;
use super::chain::Arena;
use super::ring::{Failure, Ring};
use super::server::Line;

/// What is behind the lock.
#[derive(Debug, Default)]
struct Rings {
    /// With their numbers among the front end's.
    list: Vec<(usize, Ring)>,
    /// Which one comes first in the next burst.
    turn: usize,
    /// What was lost since this was last asked.
    tally: Ledger,
    stopped: bool,
}

impl Rings {
    fn lose(&mut self, why: Loss, frames: u64) {
        self.tally.received += frames;
        self.tally.lose(why, frames);
    }

    fn ring(&mut self, index: usize) -> Option<&mut Ring> {
        self.list.iter_mut().find_map(|(own, ring)| (*own == index).then_some(ring))
    }
}

/// A worker's place.
#[derive(Debug)]
pub(super) struct Seat {
    rings: Mutex<Rings>,
    emptied: Condvar,
    pub(super) bell: Bell,
    line: Arc<Line>,
}

impl Seat {
    pub(super) fn new(line: Arc<Line>) -> io::Result<Self> {
        Ok(Self { rings: Mutex::default(), emptied: Condvar::new(), bell: Bell::new()?, line })
    }

    fn lock(&self) -> MutexGuard<'_, Rings> {
        self.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Copies frames out of the rings, in turn, until the arena is full or all of them are empty.
    pub(super) fn take(&self, arena: &mut Arena) {
        arena.clear();
        let mut rings = self.lock();
        let count = rings.list.len();
        rings.turn = rings.turn.wrapping_add(1);
        for step in 0..count {
            let at = rings.turn.wrapping_add(step).checked_rem(count).unwrap_or(0);
            let Some((_, ring)) = rings.list.get_mut(at) else { continue };
            let taken = ring.take(arena);
            ring.tell();
            if ring.is_emptied() {
                self.emptied.notify_all();
            }
            if let Err(failure) = taken {
                self.fail(&mut rings, at, &failure);
                break;
            }
            if arena.is_full() {
                break;
            }
        }
    }

    /// Takes a ring away whose front end cannot be believed, and ends the connection.
    fn fail(&self, rings: &mut Rings, at: usize, failure: &Failure) {
        let (index, ring) = rings.list.swap_remove(at);
        self.forget(&ring);
        rings.lose(Loss::NicBroken, failure.frames);
        // Frames behind the one that is broken: what it says of their number is not worth much, and bounded.
        let behind = u64::from(ring.left()).saturating_sub(failure.frames);
        rings.lose(Loss::NicReset, behind);
        self.line.cut(format!("ring {index}: {}", failure.why));
        self.emptied.notify_all();
    }

    fn forget(&self, ring: &Ring) {
        if let Some(kick) = &ring.kick {
            self.bell.unwatch(kick);
        }
    }

    /// Asks every ring to notify; true when something is there already.
    pub(super) fn arm(&self) -> bool {
        let mut rings = self.lock();
        let mut at = 0;
        let mut ready = false;
        while let Some((_, ring)) = rings.list.get_mut(at) {
            match ring.arm() {
                Ok(more) => {
                    ready |= more;
                    at += 1;
                }
                Err(why) => self.fail(&mut rings, at, &Failure { why, frames: 0 }),
            }
        }
        ready
    }

    /// Whether a ring has to be looked at, as nobody will tell.
    pub(super) fn is_polled(&self) -> bool {
        self.lock().list.iter().any(|(_, ring)| ring.is_polled())
    }

    /// Lets no frame in that is not in a ring now.
    pub(super) fn stop(&self) {
        let mut rings = self.lock();
        rings.stopped = true;
        rings.list.iter_mut().for_each(|(_, ring)| ring.close());
    }

    /// Whether nothing is there any more, and nothing will come.
    pub(super) fn is_done(&self) -> bool {
        let rings = self.lock();
        rings.stopped && rings.list.iter().all(|(_, ring)| ring.is_emptied())
    }

    /// What was lost since this was last asked.
    pub(super) fn tally(&self) -> Ledger {
        std::mem::take(&mut self.lock().tally)
    }

    /// Adds a ring.
    pub(super) fn place(&self, index: usize, mut ring: Ring) -> io::Result<()> {
        if let Some(kick) = &ring.kick {
            self.bell.watch(kick)?;
        }
        let mut rings = self.lock();
        if rings.stopped {
            // What the front end hands over from now on comes too late to be received.
            ring.close_at_once();
        }
        rings.list.push((index, ring));
        drop(rings);
        self.bell.ring();
        Ok(())
    }

    /// Changes where the driver of a ring waits.
    pub(super) fn set_call(&self, index: usize, call: Option<File>) {
        if let Some(ring) = self.lock().ring(index) {
            ring.call = call;
        }
    }

    /// Lets nothing more into a ring that is going to be taken away.
    pub(super) fn close(&self, index: usize) {
        if let Some(ring) = self.lock().ring(index) {
            ring.close();
        }
        self.bell.ring();
    }

    /// Takes a closed ring away once it is empty; what the worker has not taken at `deadline` is lost, and counted.
    pub(super) fn remove(&self, index: usize, deadline: Instant) -> Option<Ring> {
        let mut rings = self.lock();
        while rings.ring(index).is_some_and(|ring| !ring.is_emptied()) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.emptied.wait_timeout(rings, left);
            rings = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let at = rings.list.iter().position(|(own, _)| *own == index)?;
        let (_, ring) = rings.list.swap_remove(at);
        self.forget(&ring);
        rings.lose(Loss::NicReset, u64::from(ring.left()));
        Some(ring)
    }
}
