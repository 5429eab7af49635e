//! The shelf: the captures that all readers go through, each in its own time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use frame::Sorter;

use super::FileSettings;
use super::feed;
use super::find::{Capture, Kind};
use super::plain::Plain;
use super::relay;
use super::segment::Dealer;
use super::source::{Intake, Source};

/// Captures that the fastest reader may be ahead of the slowest: each one ahead keeps a file open.
const AHEAD: usize = 16;
/// Longest wait for the slowest reader before a burst comes back empty.
pub(super) const PATIENCE: Duration = Duration::from_millis(100);

/// What a reader takes from the shelf.
pub(super) enum Taken {
    Source(Source),
    /// It cannot be read any more, and the text says why.
    Failed(String),
    /// The slowest reader is too far behind.
    Wait,
}

/// The captures, and who took what.
pub(super) struct Shelf {
    captures: Vec<Capture>,
    settings: FileSettings,
    sorter: Option<Sorter>,
    state: Mutex<State>,
    moved: Condvar,
    stopping: AtomicBool,
}

struct State {
    /// The capture that each reader takes next; nothing for those that are gone.
    next: Vec<Option<usize>>,
    /// Captures that some readers have taken and others have not.
    open: Vec<Open>,
    /// Where each reader was when it heard that all are to stop.
    heard: Vec<Option<u64>>,
}

struct Open {
    index: usize,
    /// For each reader, until it takes it; or why there is none.
    sources: Result<Vec<Option<Source>>, String>,
}

impl Shelf {
    pub(super) fn new(
        captures: Vec<Capture>,
        readers: usize,
        settings: FileSettings,
        sorter: Option<Sorter>,
    ) -> Self {
        let state = State { next: vec![Some(0); readers], open: Vec::new(), heard: vec![None; readers] };
        let stopping = AtomicBool::new(false);
        Self { captures, settings, sorter, state: Mutex::new(state), moved: Condvar::new(), stopping }
    }

    pub(super) fn captures(&self) -> &[Capture] {
        &self.captures
    }

    pub(super) fn settings(&self) -> FileSettings {
        self.settings
    }

    /// Takes the next capture for the reader at `place`; nothing when there are no more.
    pub(super) fn take(&self, place: usize) -> Option<Taken> {
        let mut state = self.lock();
        let index = state.next_of(place)?;
        let capture = self.captures.get(index)?;
        if index >= state.slowest() + AHEAD {
            let waited = self.moved.wait_timeout(state, PATIENCE);
            drop(waited);
            return Some(Taken::Wait);
        }
        let at = match state.open.iter().position(|o| o.index == index) {
            Some(at) => at,
            None => {
                let sources = self.open(capture, &state.next);
                state.open.push(Open { index, sources });
                state.open.len() - 1
            }
        };
        let taken = state.open.get_mut(at)?.hand_out(place);
        state.advance(place, Some(index + 1));
        self.moved.notify_all();
        Some(taken)
    }

    /// The reader at `place` is gone: nothing is kept for it, and nobody waits for it.
    pub(super) fn leave(&self, place: usize) {
        let mut state = self.lock();
        for open in &mut state.open {
            drop(open.hand_out(place));
        }
        state.advance(place, None);
        self.moved.notify_all();
    }

    /// Asks all readers to stop.
    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    pub(super) fn stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// The reader at `place` has lent everything, so many frames.
    pub(super) fn finished(&self, place: usize, number: u64) {
        if let Some(heard) = self.lock().heard.get_mut(place) {
            *heard = Some(number);
        }
        self.moved.notify_all();
    }

    /// The frame after which all readers stop: the last one that any of them has lent, so that every frame is seen by
    /// all or by none. Nothing before every reader that is left has heard of it.
    pub(super) fn last_frame(&self, place: usize, number: u64) -> Option<u64> {
        let mut state = self.lock();
        if let Some(heard) = state.heard.get_mut(place).filter(|heard| heard.is_none()) {
            *heard = Some(number);
            self.moved.notify_all();
        }
        if !state.agreed() {
            state = self.moved.wait_timeout(state, PATIENCE).map_or_else(|e| e.into_inner().0, |s| s.0);
        }
        state.agreed().then(|| state.heard.iter().flatten().copied().max().unwrap_or(number))
    }

    /// Opens a capture for all readers that are left.
    fn open(&self, capture: &Capture, next: &[Option<usize>]) -> Result<Vec<Option<Source>>, String> {
        let present = next.iter().flatten().count();
        // Readers that are gone still have their lots; nobody takes them then.
        let sorter = self.sorter.clone().filter(|_| next.len() > 1);
        let dealer = sorter.map(|sorter| Dealer::new(sorter, next.len()));
        let intakes: Vec<Intake> = if capture.kind == Kind::Plain {
            let pump = Plain::pump(&capture.path, self.settings.buffer)?;
            relay::start(pump, dealer, present, self.settings.ahead).map(Intake::Relay).collect()
        } else {
            let segments = feed::start(capture, present, self.settings, dealer)
                .map_err(|e| format!("it cannot be read: {e}"))?;
            segments.into_iter().map(Intake::Feed).collect()
        };
        let mut sources = intakes.into_iter().map(Source::new);
        Ok(next.iter().map(|next| next.and_then(|_| sources.next())).collect())
    }

    /// A reader that failed while it held the lock has left nothing half done.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn next_of(&self, place: usize) -> Option<usize> {
        self.next.get(place).copied().flatten()
    }

    /// Whether every reader that is left has heard that all are to stop.
    fn agreed(&self) -> bool {
        self.next.iter().zip(&self.heard).all(|(next, heard)| next.is_none() || heard.is_some())
    }

    fn slowest(&self) -> usize {
        self.next.iter().flatten().copied().min().unwrap_or(usize::MAX - AHEAD)
    }

    /// Moves one reader on, and forgets what everybody has taken.
    fn advance(&mut self, place: usize, to: Option<usize>) {
        if let Some(next) = self.next.get_mut(place) {
            *next = to;
        }
        let slowest = self.slowest();
        self.open.retain(|open| open.index >= slowest);
    }
}

impl Open {
    fn hand_out(&mut self, place: usize) -> Taken {
        match &mut self.sources {
            Ok(sources) => match sources.get_mut(place).and_then(Option::take) {
                Some(source) => Taken::Source(source),
                None => Taken::Failed("it was read already".to_owned()),
            },
            Err(text) => Taken::Failed(text.clone()),
        }
    }
}
