//! Dealing in this process: one queue's frames, copied out to several workers by any rule.
//!
//! For sources that cannot deal out both directions of a flow to one worker by themselves: a kernel that takes no eBPF,
//! or a NIC whose receive-side scaling is not symmetric. One thread takes from the source and copies frames into chunks;
//! when a worker is too slow it waits for it, so that nothing is lost here: what does not fit is lost in front of
//! the source, where it is counted.

mod hand;
#[cfg(test)]
mod tests;

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SendError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use frame::{Batch, Frame, Ledger, Loss, RxError, RxQueue, RxStatus, Timestamp};

use hand::Hand;

/// A chunk is handed over when it holds this many bytes, or when the source has nothing more at once.
const CHUNK: usize = 128 << 10;
/// Chunks that may wait for one worker.
const WAITING: usize = 32;
/// A worker waits no longer than this for a chunk.
const PATIENCE: Duration = Duration::from_millis(100);

/// Most warnings that wait to be read.
const MAX_WARNINGS: usize = 64;

/// Which worker a frame is for: taken modulo their number.
pub type Rule = Arc<dyn Fn(&Frame<'_>) -> u32 + Send + Sync>;

/// What the dealing thread knows of its source, for the queue that accounts for it.
#[derive(Debug, Default)]
struct Shared {
    ledger: Mutex<Ledger>,
    warnings: Mutex<Vec<String>>,
    error: Mutex<Option<RxError>>,
    stop: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What passes from the dealing thread to a worker.
enum Passed {
    Frames(Hand),
    Idle(Timestamp),
    End,
}

/// Deals the frames of `source` out to so many queues, by `rule`.
///
/// # Errors
/// When the system gives no thread.
pub fn deal(source: Box<dyn RxQueue>, workers: usize, rule: Rule) -> io::Result<Vec<Box<dyn RxQueue>>> {
    let shared = Arc::new(Shared::default());
    let taps = source.taps().to_vec();
    let (hands, arriving): (Vec<_>, Vec<_>) = (0..workers.max(1)).map(|_| sync_channel(WAITING)).unzip();
    let told = Arc::clone(&shared);
    let work = move || Dealer { source, rule, hands, shared: told }.run();
    let thread = Arc::new(Mutex::new(Some(std::thread::Builder::new().name("dealer".into()).spawn(work)?)));
    let queue = |(index, arriving)| {
        let shared = Arc::clone(&shared);
        let (taps, thread) = (taps.clone(), Arc::clone(&thread));
        let hand = Hand::default();
        Box::new(Dealt { arriving, hand, shared, taps, first: index == 0, thread }) as Box<dyn RxQueue>
    };
    Ok(arriving.into_iter().enumerate().map(queue).collect())
}

/// The thread that deals.
struct Dealer {
    source: Box<dyn RxQueue>,
    rule: Rule,
    hands: Vec<SyncSender<Passed>>,
    shared: Arc<Shared>,
}

impl Dealer {
    fn run(mut self) {
        let mut filling: Vec<Hand> = self.hands.iter().map(|_| Hand::default()).collect();
        let mut stopped = false;
        loop {
            if !stopped && self.shared.stop.load(Ordering::Acquire) {
                stopped = true;
                self.source.stop();
            }
            let status = self.turn(&mut filling);
            self.source.account(&mut lock(&self.shared.ledger));
            self.note_warnings();
            match status {
                Ok(RxStatus::More) => {}
                Ok(RxStatus::Idle(now)) => self.tell(|| Passed::Idle(now)),
                Ok(RxStatus::End) => break,
                Err(error) => {
                    *lock(&self.shared.error) = Some(error);
                    break;
                }
            }
        }
        self.tell(|| Passed::End);
    }

    fn note_warnings(&mut self) {
        let mut warnings = lock(&self.shared.warnings);
        let room = MAX_WARNINGS.saturating_sub(warnings.len());
        warnings.extend(self.source.warnings().into_iter().take(room));
    }

    /// One burst: copied, and handed over.
    fn turn(&mut self, filling: &mut [Hand]) -> Result<RxStatus, RxError> {
        let Self { source, rule, hands, shared } = self;
        let batch = source.burst()?;
        let count = u32::try_from(filling.len()).unwrap_or(1).max(1);
        for frame in &batch.frames {
            let worker = (rule(frame) % count) as usize;
            if let (Some(hand), Some(to)) = (filling.get_mut(worker), hands.get(worker)) {
                hand.add(frame);
                if hand.bytes() >= CHUNK {
                    pass(hand, to, shared);
                }
            }
        }
        for (hand, to) in filling.iter_mut().zip(hands) {
            if !hand.is_empty() {
                pass(hand, to, shared);
            }
        }
        Ok(batch.status)
    }

    /// Tells every worker that is still there.
    fn tell(&self, what: impl Fn() -> Passed) {
        self.hands.iter().for_each(|hand| drop(hand.send(what())));
    }
}

/// Hands over; what is for a worker that went away is lost, and counted.
fn pass(hand: &mut Hand, to: &SyncSender<Passed>, shared: &Shared) {
    if let Err(SendError(Passed::Frames(hand))) = to.send(Passed::Frames(std::mem::take(hand))) {
        lock(&shared.ledger).lose(Loss::WorkerLost, hand.len());
    }
}

/// One worker's queue.
struct Dealt {
    arriving: Receiver<Passed>,
    /// What is lent.
    hand: Hand,
    shared: Arc<Shared>,
    taps: Vec<String>,
    /// Whether this queue accounts for the source.
    first: bool,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl RxQueue for Dealt {
    fn burst(&mut self) -> Result<Batch<'_>, RxError> {
        let status = match self.arriving.recv_timeout(PATIENCE) {
            Ok(Passed::Frames(hand)) => {
                self.hand = hand;
                return Ok(Batch { frames: self.hand.frames(), status: RxStatus::More });
            }
            Ok(Passed::Idle(now)) => RxStatus::Idle(now),
            Ok(Passed::End) | Err(RecvTimeoutError::Disconnected) => {
                if let Some(error) = lock(&self.shared.error).take() {
                    return Err(error);
                }
                RxStatus::End
            }
            Err(RecvTimeoutError::Timeout) => RxStatus::More,
        };
        Ok(Batch { frames: Vec::new(), status })
    }

    fn account(&mut self, ledger: &mut Ledger) {
        if self.first {
            ledger.add(&std::mem::take(&mut *lock(&self.shared.ledger)));
        }
    }

    fn warnings(&mut self) -> Vec<String> {
        if self.first { std::mem::take(&mut *lock(&self.shared.warnings)) } else { Vec::new() }
    }

    fn taps(&self) -> &[String] {
        &self.taps
    }

    fn stop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
    }
}

impl Drop for Dealt {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        // The last queue to go waits for the thread, which sees then that nobody listens.
        if Arc::strong_count(&self.thread) == 1
            && let Some(thread) = lock(&self.thread).take()
        {
            let (_, nobody) = sync_channel(0);
            self.arriving = nobody;
            let _ = thread.join();
        }
    }
}
