//! The thread that owns a function's controller.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use avf_driver::{Clock, Control, Counters, Queue, Standing, Ticker};
use frame::{Batch, Ledger, RxError, RxQueue, Timestamp};

use super::{OpenError, VfReport, VfSettings};

/// The controller is called at least so often: what a reset must be noticed within, twice over.
const LONGEST: Duration = Duration::from_millis(50);
/// Between two looks while the function comes up or is given back.
const SHORTEST: Duration = Duration::from_micros(50);
const PAUSE: Duration = Duration::from_millis(5);
/// How long giving the function back may take.
const LEAVES: Duration = Duration::from_secs(4);

/// What the thread and its watchers share.
#[derive(Debug)]
struct Shared {
    report: Mutex<VfReport>,
    /// What each queue counted.
    queues: Mutex<Vec<Counters>>,
    end: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A function at work. Dropped, it waits until the function was given back, for which its queues must have been dropped
/// or stopped; whoever only wants to look has [`Keeper::watch`].
#[derive(Debug)]
pub struct Keeper {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// A look at a function while it is at work.
#[derive(Clone, Debug)]
pub struct Look(Arc<Shared>);

impl Look {
    /// How it stands now.
    #[must_use]
    pub fn report(&self) -> VfReport {
        lock(&self.0.report).clone()
    }
}

impl Keeper {
    /// How the function stands now.
    #[must_use]
    pub fn report(&self) -> VfReport {
        self.watch().report()
    }

    /// A look at it that may be had from elsewhere.
    #[must_use]
    pub fn watch(&self) -> Look {
        Look(Arc::clone(&self.shared))
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.shared.end.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

/// Opens the function, waits until it is up, and leaves its controller to a thread.
pub(super) fn start(settings: &VfSettings) -> Result<(Vec<Box<dyn RxQueue>>, Keeper), OpenError> {
    let place = &settings.place;
    let device = place.open().map_err(|error| OpenError::Device(place.clone(), error))?;
    let begin = Instant::now();
    let mut control = Control::open(device, super::CHOICE, settings.driver.clone(), Duration::ZERO)
        .map_err(|error| OpenError::Driver(place.clone(), error))?;
    if let Err(why) = control.bring_up(&mut Since(begin), settings.comes_up) {
        give_back(&mut control, begin);
        return Err(OpenError::Late(place.clone(), begin.elapsed(), why));
    }
    let queues = control.queues(&mut |_| Box::new(Wall));
    let shared = Arc::new(Shared {
        report: Mutex::new(VfReport::of(&control, Counters::default())),
        queues: Mutex::new(vec![Counters::default(); queues.len()]),
        end: AtomicBool::new(false),
    });
    let queues = queues
        .into_iter()
        .enumerate()
        .map(|(index, queue)| {
            Box::new(Counted { queue, index, shared: Arc::clone(&shared) }) as Box<dyn RxQueue>
        })
        .collect();
    let told = Arc::clone(&shared);
    let work = move || keep(&mut control, begin, &told);
    let thread = thread::Builder::new().name("vf".into()).spawn(work).map_err(OpenError::Thread)?;
    Ok((queues, Keeper { shared, thread: Some(thread) }))
}

fn keep(control: &mut Control, begin: Instant, shared: &Shared) {
    loop {
        let now = begin.elapsed();
        let turn = control.step(now);
        let sum = lock(&shared.queues).iter().fold(Counters::default(), |mut sum, one| {
            sum.add(one);
            sum
        });
        *lock(&shared.report) = VfReport::of(control, sum);
        if turn.standing == Standing::Over {
            return;
        }
        if shared.end.load(Ordering::Acquire) {
            return give_back(control, begin);
        }
        thread::park_timeout(turn.next.saturating_sub(begin.elapsed()).clamp(SHORTEST, LONGEST));
    }
}

fn give_back(control: &mut Control, begin: Instant) {
    let mut ticker = Since(begin);
    let until = ticker.now() + LEAVES;
    control.close(ticker.now());
    loop {
        let now = ticker.now();
        let turn = control.step(now);
        if turn.standing == Standing::Over || now > until {
            return;
        }
        ticker.wait(turn.next);
    }
}

/// Time since the function was opened.
struct Since(Instant);

impl Ticker for Since {
    fn now(&mut self) -> Duration {
        self.0.elapsed()
    }

    fn wait(&mut self, until: Duration) {
        thread::sleep(until.saturating_sub(self.now()).clamp(SHORTEST, PAUSE));
    }
}

/// The clock on the wall.
struct Wall;

impl Clock for Wall {
    fn now(&mut self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::new(since.as_secs(), since.subsec_nanos())
    }

    fn pause(&mut self, length: Duration) {
        if length.is_zero() {
            std::hint::spin_loop();
        } else {
            thread::sleep(length);
        }
    }
}

/// A queue whose counters can be seen.
struct Counted {
    queue: Queue,
    index: usize,
    shared: Arc<Shared>,
}

impl RxQueue for Counted {
    #[inline]
    fn burst(&mut self) -> Result<Batch<'_>, RxError> {
        self.queue.burst()
    }

    fn account(&mut self, ledger: &mut Ledger) {
        self.queue.account(ledger);
        if let Some(place) = lock(&self.shared.queues).get_mut(self.index) {
            place.clone_from(self.queue.counters());
        }
    }

    fn warnings(&mut self) -> Vec<String> {
        self.queue.warnings()
    }

    fn taps(&self) -> &[String] {
        self.queue.taps()
    }

    fn bypass(&mut self) -> Option<Box<dyn frame::bypass::Bypass>> {
        self.queue.bypass()
    }

    fn stop(&mut self) {
        self.queue.stop();
    }
}
