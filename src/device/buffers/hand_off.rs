//! Two threads hand one buffer back and forth, in every order that the memory model allows (loom).
//!
//! The buffer is a cell in which loom finds any two accesses that nothing orders. The descriptor's done bit and the tail
//! register stand for themselves, with the orders that driver and model use: done is stored with release and loaded with
//! acquire, as is the tail.

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicU64, Ordering};
use loom::thread;

use super::Posted;

struct Ring {
    posted: Posted,
    buffer: UnsafeCell<u64>,
    done: AtomicU64,
    tail: AtomicU64,
}

impl Ring {
    fn new() -> Arc<Self> {
        let ring = Self {
            posted: Posted::new(64, 1),
            buffer: UnsafeCell::new(0),
            done: AtomicU64::new(0),
            tail: AtomicU64::new(0),
        };
        Arc::new(ring)
    }

    /// The driver gives the buffer away and tells the tail.
    fn post(&self, round: u64) {
        self.posted.set(0, 1);
        self.tail.store(round, Ordering::Release);
    }

    /// The device writes a frame if it has been given the buffer for this round.
    fn receive(&self, round: u64) {
        if self.tail.load(Ordering::Acquire) < round {
            return;
        }
        assert!(self.posted.covers(0, 64), "the tail was seen, so the buffer is known to be given");
        self.buffer.with_mut(|at| {
            // SAFETY: loom checks that nobody else is in the cell; that is what this test is for.
            unsafe { *at = round }
        });
        self.done.store(round, Ordering::Release);
    }

    /// The driver takes the buffer back if the device is done with this round, and reads the frame.
    fn take(&self, round: u64) -> bool {
        if self.done.load(Ordering::Acquire) < round {
            return false;
        }
        self.posted.clear(0, 1);
        assert!(!self.posted.any(0, 1));
        self.buffer.with(|at| {
            // SAFETY: as above.
            assert_eq!(unsafe { *at }, round);
        });
        true
    }
}

#[test]
fn a_buffer_is_never_in_two_hands() {
    loom::model(|| {
        let ring = Ring::new();
        let device = {
            let ring = Arc::clone(&ring);
            thread::spawn(move || {
                ring.receive(1);
                ring.receive(2);
            })
        };
        ring.post(1);
        if ring.take(1) {
            ring.post(2);
            let _ = ring.take(2);
        }
        device.join().expect("no panic");
    });
}
