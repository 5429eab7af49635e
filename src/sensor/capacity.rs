//! Capacity: what this machine can take, measured with the sensor itself on a cable of its own.
//!
//! Every attempt is a whole run: sender threads at one end of the cable, the sensor as configured at the other. What was
//! sent and not analysed was lost, in the ring (the ledger has it) or in front of it, where the kernel's own queue to the
//! cable's far end was full.

use crate::settings::Settings;
use crate::watch::Watch;
use crate::{Failure, assemble};
use capture::generator::{Cable, Injector, Sent, Shape, send};
use frame::{Ledger, Loss};
use serde_json::{Value, json};
use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

/// How long the sensor may take to begin.
const BEGINS: Duration = Duration::from_secs(10);
/// The search ends when it knows the highest rate to this part of what can be sent,
const NEAR: u64 = 50;
/// or when not even so many frames a second pass.
const LEAST: u64 = 1000;

/// What is measured.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Frame lengths, each a measurement of its own.
    pub lengths: Vec<u16>,
    /// Conversations alive at once.
    pub flows: u32,
    /// Threads that send.
    pub senders: u32,
    /// How long a rate is held.
    pub time: Duration,
    /// Frames are made in the kernel, at the far end, in place of being sent.
    pub inject: bool,
}

/// What one rate came to.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// What was sent.
    pub shape: Shape,
    /// Worker threads that took it.
    pub workers: usize,
    /// Frames that the cable took, and how long that took them.
    pub sent: Sent,
    /// Where they went.
    pub ledger: Ledger,
}

impl Attempt {
    /// Frames sent a second.
    #[must_use]
    pub fn rate(&self) -> u64 {
        let nanos = self.sent.time.as_nanos().max(1);
        u64::try_from(u128::from(self.sent.frames) * 1_000_000_000 / nanos).unwrap_or(u64::MAX)
    }

    /// Gigabits a second on an Ethernet of that rate, with preamble and gap (20 bytes a frame).
    #[must_use]
    pub fn gigabits(&self) -> f64 {
        (self.rate() * (u64::from(self.shape.length) + 20) * 8) as f64 / 1e9
    }

    /// Frames sent and not analysed.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.sent.frames.saturating_sub(self.ledger.analysed)
    }

    /// Frames lost in front of the ring: sent, and never received.
    #[must_use]
    pub fn lost_before(&self) -> u64 {
        self.sent.frames.saturating_sub(self.ledger.received)
    }

    /// As JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "length": self.shape.length,
            "flows": self.shape.flows,
            "workers": self.workers,
            "frames_per_second": self.rate(),
            "gigabits_per_second": self.gigabits(),
            "sent": self.sent.frames,
            "received": self.ledger.received,
            "analysed": self.ledger.analysed,
            "lost_before_the_ring": self.lost_before(),
            "lost_in_the_ring": self.ledger.lost(Loss::KernelDrop),
            "ring_freezes": self.ledger.ring_freezes,
            "balances": self.ledger.imbalance() == 0,
        })
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ring = self.ledger.lost(Loss::KernelDrop);
        write!(
            f,
            "{:>6} {:>12} {:>8.2} {:>11} {:>11} {:>11} {:>10} {:>10}  {}",
            self.shape.length,
            self.rate(),
            self.gigabits(),
            self.sent.frames,
            self.ledger.received,
            self.ledger.analysed,
            self.lost_before(),
            ring,
            if self.ledger.imbalance() == 0 { "balances" } else { "DOES NOT BALANCE" },
        )
    }
}

/// The heading over attempts.
pub const HEADING: &str =
    "length     frames/s  Gbit/s        sent    received    analysed     before    in ring  ledger";

/// Measures: for each length what can be sent at most, and the highest rate found at which nothing was lost, each told
/// when it is known, the latter as `true`.
///
/// # Errors
/// Without root, or when the sensor cannot start.
pub fn measure(
    plan: &Plan,
    settings: &Settings,
    tell: &mut (dyn FnMut(&Attempt, bool) + Send),
) -> Result<(), Failure> {
    // The namespace goes with the thread that lives in it, and this thread stays where it is.
    let work = || {
        let cable = Cable::lay().map_err(Failure::Cable)?;
        for length in &plan.lengths {
            let shape = Shape { length: *length, flows: plan.flows };
            search(&cable, shape, plan, settings, tell)?;
        }
        Ok(())
    };
    thread::scope(|scope| scope.spawn(work).join().unwrap_or_else(|_| Err(panicked())))
}

fn panicked() -> Failure {
    Failure::Thread(io::Error::other("the measuring thread failed"))
}

fn search(
    cable: &Cable,
    shape: Shape,
    plan: &Plan,
    settings: &Settings,
    tell: &mut (dyn FnMut(&Attempt, bool) + Send),
) -> Result<(), Failure> {
    let most = attempt(cable, shape, None, plan, settings)?;
    let limit = most.rate();
    tell(&most, false);
    // What lost nothing at the limit needs no search.
    let mut good = if most.lost() == 0 { limit } else { 0 };
    let (mut bad, mut best) = (limit, (good == limit).then_some(most));
    let least = if plan.inject { 2 * Injector::SLOWEST } else { LEAST };
    while bad - good > limit / NEAR && bad > least {
        let rate = u64::midpoint(good, bad);
        let tried = attempt(cable, shape, Some(rate), plan, settings)?;
        if tried.lost() == 0 {
            (good, best) = (rate, Some(tried));
        } else {
            bad = rate;
        }
    }
    if let Some(best) = best {
        tell(&best, true);
    }
    Ok(())
}

fn attempt(
    cable: &Cable,
    shape: Shape,
    rate: Option<u64>,
    plan: &Plan,
    settings: &Settings,
) -> Result<Attempt, Failure> {
    let mut settings = settings.clone();
    settings.live.interface = cable.far().into();
    let watch = Arc::new(Watch::default());
    thread::scope(|scope| {
        let run = scope.spawn(|| assemble::run(&settings, &watch));
        let sent = wait_for_workers(&watch, &run).and_then(|()| send_all(cable, shape, rate, plan));
        let workers = watch.workers();
        watch.stop.store(true, Ordering::Release);
        let outcome = run.join().map_err(|_| panicked())??;
        let ledger = outcome.snapshot.ledger;
        let sent = sent.map_err(Failure::Cable)?;
        Ok(Attempt { shape, workers, sent, ledger })
    })
}

fn wait_for_workers<T>(watch: &Watch, run: &thread::ScopedJoinHandle<'_, T>) -> io::Result<()> {
    let since = Instant::now();
    while watch.workers() == 0 && !run.is_finished() {
        if since.elapsed() > BEGINS {
            return Err(io::Error::other("the sensor did not begin"));
        }
        thread::sleep(Duration::from_millis(2));
    }
    // Workers are counted a moment before the first of them looks at its ring.
    thread::sleep(Duration::from_millis(50));
    Ok(())
}

fn send_all(cable: &Cable, shape: Shape, rate: Option<u64>, plan: &Plan) -> io::Result<Sent> {
    if plan.inject {
        return Injector::load(cable.far(), shape, rate)?.pour(plan.time);
    }
    let senders = plan.senders.max(1);
    let each = rate.map(|rate| rate / u64::from(senders));
    thread::scope(|scope| {
        let threads: Vec<_> = (0..senders)
            .map(|index| scope.spawn(move || send(cable.near(), shape, each, plan.time, (index, senders))))
            .collect();
        let mut sum = Sent::default();
        for thread in threads {
            let sent = thread.join().map_err(|_| io::Error::other("a sender failed"))??;
            sum.frames += sent.frames;
            sum.time = sum.time.max(sent.time);
        }
        Ok(sum)
    })
}
