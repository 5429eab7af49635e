//! The gate: how a ring passes between the one that controls a function and the worker that reads its frames.
//!
//! A ring is owned by whoever holds it. While the function runs that is the worker; when the function is to be reset,
//! the controller closes the gate, and the worker, which looks at one atomic a burst, puts the ring back. So a ring that
//! is being rewound, or whose memory is to be freed, can be in nobody's hands by construction; the gate only has to see
//! to it that a worker learns of a closed gate at its next burst, and never takes a ring through one.

#[cfg(loom)]
use loom::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicU32, Ordering},
};
use std::sync::PoisonError;
#[cfg(not(loom))]
use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicU32, Ordering},
};

/// What the controller wants of the worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Put the ring back, and wait.
    Closed,
    /// Take the ring, and work.
    Open,
    /// Put the ring back; nothing comes any more.
    Ended,
}

const CLOSED: u32 = 0;
const OPEN: u32 = 1;
const ENDED: u32 = 2;

/// A bit of [`Gate::worker`]: there is no worker any more.
const GONE: u32 = 1;
/// A bit of [`Gate::worker`]: the worker asked to stop.
const STOPPING: u32 = 2;

/// The gate of one ring.
#[derive(Debug)]
pub(crate) struct Gate<T> {
    wish: AtomicU32,
    worker: AtomicU32,
    place: Mutex<Option<T>>,
}

impl<T> Gate<T> {
    /// A closed gate, no ring in it.
    pub(crate) fn new() -> Self {
        Self { wish: AtomicU32::new(CLOSED), worker: AtomicU32::new(0), place: Mutex::new(None) }
    }

    fn place(&self) -> MutexGuard<'_, Option<T>> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // --- the worker's side ---

    /// What the controller wants. The one thing that a burst costs.
    #[inline]
    pub(crate) fn wish(&self) -> Wish {
        match self.wish.load(Ordering::Acquire) {
            OPEN => Wish::Open,
            ENDED => Wish::Ended,
            _ => Wish::Closed,
        }
    }

    /// The ring, if the gate is open and it is there.
    pub(crate) fn take(&self) -> Option<T> {
        let mut place = self.place();
        // Under the lock: a gate that closed since the last look must keep what it holds.
        if self.wish() == Wish::Open { place.take() } else { None }
    }

    /// Puts the ring back.
    pub(crate) fn put(&self, ring: T) {
        *self.place() = Some(ring);
    }

    /// The worker is done with the function and lends only what is there already.
    pub(crate) fn ask_stop(&self) {
        self.worker.fetch_or(STOPPING, Ordering::Release);
    }

    /// There is no worker any more. What it held was put back before.
    pub(crate) fn leave(&self) {
        self.worker.fetch_or(GONE, Ordering::Release);
    }

    // --- the controller's side ---

    /// Lets the worker have a ring.
    pub(crate) fn open(&self, ring: T) {
        let mut place = self.place();
        *place = Some(ring);
        self.wish.store(OPEN, Ordering::Release);
    }

    /// Asks for the ring back.
    pub(crate) fn close(&self) {
        let _held = self.place();
        self.wish.store(CLOSED, Ordering::Release);
    }

    /// Asks for the ring back, for good.
    pub(crate) fn end(&self) {
        let _held = self.place();
        self.wish.store(ENDED, Ordering::Release);
    }

    /// The ring, if it has been put back into a gate that is not open.
    pub(crate) fn reclaim(&self) -> Option<T> {
        let mut place = self.place();
        if self.wish() == Wish::Open { None } else { place.take() }
    }

    /// Whether the worker asked to stop, or is gone.
    pub(crate) fn is_leaving(&self) -> bool {
        self.worker.load(Ordering::Acquire) != 0
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_ring_goes_through_an_open_gate_only() {
        let gate = Gate::new();
        assert_eq!((gate.wish(), gate.take()), (Wish::Closed, None));
        gate.open(7);
        assert_eq!(gate.reclaim(), None, "it is the worker's while the gate is open");
        gate.close();
        assert_eq!(gate.take(), None);
        assert_eq!(gate.reclaim(), Some(7));
        gate.open(8);
        assert_eq!(gate.take(), Some(8));
        gate.end();
        assert_eq!((gate.wish(), gate.reclaim()), (Wish::Ended, None));
        gate.put(8);
        gate.leave();
        assert!(gate.is_leaving());
        assert_eq!(gate.reclaim(), Some(8));
    }
}

/// Every interleaving of a reset with a worker's bursts: `RUSTFLAGS='--cfg loom' cargo test -p avf-driver --lib loom`.
#[cfg(all(test, loom))]
mod loom_tests {
    use loom::cell::UnsafeCell;
    use loom::sync::Arc;
    use loom::thread;

    use super::*;

    /// A ring whose every use is checked against every other.
    struct Ring(UnsafeCell<u32>);

    impl Ring {
        fn touch(&self) -> u32 {
            let mut seen = 0;
            self.0.with_mut(|at| {
                // A raw pointer is compared, not read: the cell's own checks are what is tested.
                seen = u32::from(!at.is_null());
            });
            seen
        }
    }

    /// A worker's burst, as far as the gate goes.
    fn burst(gate: &Gate<Ring>, held: &mut Option<Ring>) -> u32 {
        match (gate.wish(), held.take()) {
            (Wish::Open, Some(ring)) => {
                let touched = ring.touch();
                *held = Some(ring);
                touched
            }
            (Wish::Open, None) => {
                *held = gate.take();
                0
            }
            (_, Some(ring)) => {
                gate.put(ring);
                0
            }
            (_, None) => 0,
        }
    }

    #[test]
    fn nobody_touches_a_ring_that_is_being_rewound() {
        loom::model(|| {
            let gate = Arc::new(Gate::new());
            gate.open(Ring(UnsafeCell::new(0)));
            let worker = {
                let gate = Arc::clone(&gate);
                thread::spawn(move || {
                    let mut held = None;
                    let touched: u32 = (0..3).map(|_| burst(&gate, &mut held)).sum();
                    held.into_iter().for_each(|ring| gate.put(ring));
                    gate.leave();
                    touched
                })
            };
            gate.close();
            if let Some(ring) = gate.reclaim() {
                assert_eq!(ring.touch(), 1);
                gate.open(ring);
            }
            assert!(worker.join().unwrap() <= 2);
            gate.close();
            assert!(gate.is_leaving());
        });
    }

    #[test]
    fn a_closed_gate_gets_its_ring_back() {
        loom::model(|| {
            let gate = Arc::new(Gate::new());
            gate.open(Ring(UnsafeCell::new(0)));
            let worker = {
                let gate = Arc::clone(&gate);
                thread::spawn(move || {
                    let mut held = None;
                    burst(&gate, &mut held);
                    burst(&gate, &mut held);
                    held.into_iter().for_each(|ring| gate.put(ring));
                })
            };
            gate.end();
            worker.join().unwrap();
            assert!(gate.reclaim().is_some(), "whoever held it put it back");
        });
    }
}
