//! What a service manager is told (sd_notify): ready when every worker walks, how it stands, alive while every worker
//! answers. Without a manager nothing happens.

use sd_notify::NotifyState;
use sensor::Watch;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often it is looked whether the workers have begun, or have answered.
const LOOK: Duration = Duration::from_millis(100);
/// How often the state is told.
const STATUS: Duration = Duration::from_secs(10);

/// A notifier at work until it is dropped.
pub(crate) struct Notifier {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Notifier {
    /// Begins, where a service manager listens.
    pub(crate) fn start(watch: &Arc<Watch>) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        if std::env::var_os("NOTIFY_SOCKET").is_none() {
            return Self { over, thread: None };
        }
        let (watch, ended) = (Arc::clone(watch), Arc::clone(&over));
        let work = move || {
            let mut turn = Turn::new(sd_notify::watchdog_enabled());
            while !ended.load(Ordering::Acquire) {
                for state in turn.look(&watch, Instant::now()) {
                    tell(&state);
                }
                std::thread::park_timeout(LOOK);
            }
            tell(&State::Ending);
        };
        // A manager that hears nothing gives up on us, and says so.
        Self { over, thread: std::thread::Builder::new().name("notifier".into()).spawn(work).ok() }
    }
}

impl Drop for Notifier {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

/// What there is to tell.
#[derive(Debug, PartialEq, Eq)]
enum State {
    Ready,
    Status(String),
    Alive,
    Ending,
}

fn tell(state: &State) {
    // A manager that is gone needs no news.
    let _ = match state {
        State::Ready => sd_notify::notify(&[NotifyState::Ready]),
        State::Status(text) => sd_notify::notify(&[NotifyState::Status(text)]),
        State::Alive => sd_notify::notify(&[NotifyState::Watchdog]),
        State::Ending => sd_notify::notify(&[NotifyState::Stopping]),
    };
}

/// What was told, and what was asked of the workers.
struct Turn {
    /// How often the manager wants to hear that we live: three times as often as it must.
    every: Option<Duration>,
    ready: bool,
    asked: Option<u64>,
    asked_at: Option<Instant>,
    told_at: Option<Instant>,
}

impl Turn {
    fn new(watchdog: Option<Duration>) -> Self {
        Self {
            every: watchdog.map(|time| time / 3),
            ready: false,
            asked: None,
            asked_at: None,
            told_at: None,
        }
    }

    fn look(&mut self, watch: &Watch, now: Instant) -> Vec<State> {
        let mut states = Vec::new();
        if watch.workers() == 0 {
            return states;
        }
        if !self.ready {
            self.ready = true;
            states.push(State::Ready);
        }
        let due = |at: Option<Instant>, every: Duration| at.is_none_or(|at| now.duration_since(at) >= every);
        if self.asked.is_none() && due(self.asked_at, self.every.unwrap_or(STATUS)) {
            self.asked = Some(watch.ask());
            self.asked_at = Some(now);
        }
        if self.asked.is_some_and(|question| watch.answered(question)) {
            self.asked = None;
            states.extend(self.every.map(|_| State::Alive));
            if due(self.told_at, STATUS) {
                self.told_at = Some(now);
                states.push(State::Status(status(watch)));
            }
        }
        states
    }
}

fn status(watch: &Watch) -> String {
    let ledger = watch.snapshot().report.ledger();
    let workers = watch.workers();
    format!(
        "{workers} worker{}, {} frames received, {} analysed, {} lost",
        if workers == 1 { "" } else { "s" },
        ledger.received,
        ledger.analysed,
        ledger.lost_in_all()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_told_before_workers_walk() {
        let mut turn = Turn::new(Some(Duration::from_secs(3)));
        assert_eq!(turn.look(&Watch::default(), Instant::now()), []);
    }
}
