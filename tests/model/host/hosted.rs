//! A model whose time is the time.

use std::io::Write as _;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use device::{Bus, Peer, Region, Shape};

use crate::Model;

/// How long the keeper of time sleeps at most: it looks whether the model is still there.
const LONGEST: Duration = Duration::from_millis(100);

/// A hosted model, as threads share it.
pub type Shared = Arc<Mutex<Hosted>>;

/// A model whose time passes by itself: before every access, and by [`keep_time`] in between.
#[derive(Debug)]
pub struct Hosted {
    model: Model,
    began: Instant,
    changed: Arc<Condvar>,
    /// Whether what happens is told on standard error.
    pub traced: bool,
    /// How many notes were told.
    told: u64,
}

impl Hosted {
    /// Time begins now.
    #[must_use]
    pub fn new(model: Model) -> Self {
        Self { model, began: Instant::now(), changed: Arc::default(), traced: false, told: 0 }
    }

    /// Does something to the model, now.
    pub fn now<T>(&mut self, what: impl FnOnce(&mut Model) -> T) -> T {
        self.model.advance(self.began.elapsed());
        let done = what(&mut self.model);
        // nobody takes what is on the wire
        self.model.wire.clear();
        self.tell();
        // what was done may be due earlier than what the keeper of time sleeps for
        self.changed.notify_one();
        done
    }

    /// Whether any receive queue is enabled.
    #[must_use]
    pub fn is_receiving(&self) -> bool {
        self.model.is_running() && self.model.function.vf.rx.iter().any(|rx| rx.enabled)
    }

    /// How long nothing will happen by itself.
    fn rest(&self) -> Duration {
        let until =
            self.model.next_deadline().map_or(LONGEST, |due| due.saturating_sub(self.began.elapsed()));
        until.min(LONGEST)
    }

    fn tell(&mut self) {
        if self.traced {
            let mut out = std::io::stderr().lock();
            for (at, note) in self.model.notes.since(self.told) {
                // whoever does not listen misses it
                let _ = writeln!(out, "{:12.6} {note}", at.as_secs_f64());
            }
            self.told = self.model.notes.count();
        }
    }
}

impl Peer for Hosted {
    fn shape(&self) -> Shape {
        self.model.shape()
    }

    fn read(&mut self, region: Region, offset: u32, into: &mut [u8]) {
        self.now(|model| Peer::read(model, region, offset, into));
    }

    fn write(&mut self, region: Region, offset: u32, bytes: &[u8]) {
        self.now(|model| Peer::write(model, region, offset, bytes));
    }

    fn reset(&mut self) {
        self.now(Peer::reset);
    }

    fn attach(&mut self, bus: Arc<dyn Bus>) {
        self.now(|model| model.attach(bus));
    }
}

/// Lets what is due happen when it is due, until the model is gone.
///
/// # Errors
/// When there can be no more threads.
pub fn keep_time(of: &Shared) -> std::io::Result<JoinHandle<()>> {
    let (model, changed) = (Arc::downgrade(of), Arc::clone(&lock(of).changed));
    std::thread::Builder::new().name("time".into()).spawn(move || while keep(&model, &changed) {})
}

fn keep(model: &Weak<Mutex<Hosted>>, changed: &Condvar) -> bool {
    let Some(model) = model.upgrade() else { return false };
    let mut hosted = lock(&model);
    let now = hosted.began.elapsed();
    hosted.model.advance(now);
    hosted.tell();
    let rest = hosted.rest();
    if !rest.is_zero() {
        drop(changed.wait_timeout(hosted, rest).unwrap_or_else(PoisonError::into_inner));
    }
    true
}

/// The model; whoever panicked with it has said so.
pub(crate) fn lock(of: &Shared) -> MutexGuard<'_, Hosted> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
