//! The relay: several readers of one plain file read it in turns. Whoever comes to the end of what was read reads the
//! next segment, for all of them, and asks whose each frame is, where there is a rule.
//!
//! No thread stands beside the readers, so none of them has to be woken for the others to go on: with two readers on two
//! processors that thread and they took the processors from each other.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::plain::Plain;
use super::segment::{Dealer, Pump, Segment, Spares};
use super::shelf::PATIENCE;

/// What the readers of one file share.
struct Relay {
    /// Taken by the one that reads.
    turn: Mutex<Turn>,
    stretch: Mutex<Stretch>,
    /// The slowest reader has moved on.
    moved: Condvar,
    /// Most segments between the fastest reader and the slowest.
    ahead: usize,
}

struct Turn {
    pump: Pump<Plain>,
    dealer: Option<Dealer>,
}

/// What was read and not yet taken by everybody.
struct Stretch {
    /// Oldest first.
    segments: VecDeque<Arc<Segment>>,
    /// Segments that everybody has taken.
    spares: Spares,
    /// Number of the first of `segments`.
    first: usize,
    /// The segment that each reader takes next; nothing for those that are gone.
    next: Vec<Option<usize>>,
}

/// One reader's place in the relay.
pub(super) struct Runner {
    relay: Arc<Relay>,
    place: usize,
}

/// A relay for so many readers.
pub(super) fn start(
    pump: Pump<Plain>,
    dealer: Option<Dealer>,
    readers: usize,
    ahead: usize,
) -> impl Iterator<Item = Runner> {
    let stretch = Stretch {
        segments: VecDeque::new(),
        spares: Spares::default(),
        first: 0,
        next: vec![Some(0); readers],
    };
    let relay = Arc::new(Relay {
        turn: Mutex::new(Turn { pump, dealer }),
        stretch: Mutex::new(stretch),
        moved: Condvar::new(),
        ahead: ahead.max(1),
    });
    (0..readers).map(move |place| Runner { relay: Arc::clone(&relay), place })
}

impl Runner {
    /// The next segment, read now unless another reader has; nothing when the slowest reader stayed too far behind.
    pub(super) fn next(&self) -> Option<Arc<Segment>> {
        loop {
            if let Some(segment) = self.take(&mut self.stretch()) {
                return Some(segment);
            }
            let turn = lock(&self.relay.turn);
            let mut stretch = self.stretch();
            // Another reader may have read it while this one waited for its turn.
            if let Some(segment) = self.take(&mut stretch) {
                return Some(segment);
            }
            if stretch.segments.len() < self.relay.ahead {
                return self.read(turn, stretch);
            }
            drop(turn);
            let waited =
                self.relay.moved.wait_timeout(stretch, PATIENCE).unwrap_or_else(PoisonError::into_inner);
            if waited.1.timed_out() {
                return None;
            }
        }
    }

    /// Reads the next segment for everybody, while the others go on with what is there.
    fn read(
        &self,
        mut turn: MutexGuard<'_, Turn>,
        mut stretch: MutexGuard<'_, Stretch>,
    ) -> Option<Arc<Segment>> {
        let mut shared = stretch.spares.take();
        drop(stretch);
        turn.read(Arc::get_mut(&mut shared)?);
        let mut stretch = self.stretch();
        stretch.segments.push_back(shared);
        self.take(&mut stretch)
    }

    /// The next segment if it was read already; whoever waits for this reader hears of it.
    fn take(&self, stretch: &mut Stretch) -> Option<Arc<Segment>> {
        let segment = stretch.take(self.place)?;
        self.relay.moved.notify_all();
        Some(segment)
    }

    fn stretch(&self) -> MutexGuard<'_, Stretch> {
        lock(&self.relay.stretch)
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.stretch().go_on(self.place, None);
        self.relay.moved.notify_all();
    }
}

impl Turn {
    fn read(&mut self, segment: &mut Segment) {
        self.pump.fill(segment);
        segment.position = self.pump.source().offset();
        if let Some(dealer) = &mut self.dealer {
            dealer.sort(segment);
        }
    }
}

impl Stretch {
    /// The next segment of the reader at `place`, if it was read already.
    fn take(&mut self, place: usize) -> Option<Arc<Segment>> {
        let number = self.next.get(place).copied().flatten()?;
        let segment = self.segments.get(number - self.first).map(Arc::clone)?;
        self.go_on(place, Some(number + 1));
        Some(segment)
    }

    /// Moves one reader on, and lays aside what everybody has taken.
    fn go_on(&mut self, place: usize, to: Option<usize>) {
        if let Some(next) = self.next.get_mut(place) {
            *next = to;
        }
        let Some(slowest) = self.next.iter().flatten().copied().min() else { return };
        while self.first < slowest
            && let Some(taken) = self.segments.pop_front()
        {
            self.spares.keep(taken);
            self.first += 1;
        }
    }
}

/// A reader that failed in its turn has left a segment that nobody sees.
fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
