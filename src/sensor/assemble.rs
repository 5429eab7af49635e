//! Assembly: rooms from settings, everything checked before anything starts; then the run, from first frame to sum.

use crate::counters::Snapshot;
use crate::settings::Settings;
use crate::worker::{Deal, Handover, Report, Worker};
use capture::pcap::FileSettings;
use event::{Batch, Key};
use frame::{RxError, RxQueue};
use output::eve::{Block, Encoder};
use output::hub::{Hub, Order, Port};
use output::sink::{File, Policy, Rotation, Sink, SinkCounts, Socket, Stdout};
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Why a run could not start, or how it failed. The text says what to do.
#[derive(Debug)]
pub enum Failure {
    /// A source could not be opened.
    Open(capture::pcap::OpenError),
    /// A live source could not be opened.
    Live(capture::af_packet::OpenError),
    /// An output could not be opened.
    Output(String, std::io::Error),
    /// The operating system refused a thread.
    Thread(std::io::Error),
    /// A worker's source failed in mid-run.
    Source(RxError),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(e) => write!(f, "{e}"),
            Self::Live(e) => write!(f, "{e}"),
            Self::Output(what, e) => write!(f, "{what}: cannot be written: {e}"),
            Self::Thread(e) => write!(f, "the operating system gave no thread: {e}"),
            Self::Source(e) => write!(f, "{e}"),
        }
    }
}

impl std::error::Error for Failure {}

/// What a run is watched and ended by, shared with whoever started it.
#[derive(Debug, Default)]
pub struct Watch {
    /// Set to end the run: workers drain and sum up.
    pub stop: AtomicBool,
    /// Bytes of bounded sources done, and in all.
    pub progress: (AtomicU64, AtomicU64),
    /// Set to have every worker publish its present state.
    pub asked: AtomicU64,
    states: Mutex<Vec<(u64, Report)>>,
    sinks: Mutex<Vec<Arc<SinkCounts>>>,
}

impl Watch {
    /// The state that workers published last, and the sinks' counts now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        let mut report = Report::default();
        for (_, state) in states.iter() {
            report.add(state);
        }
        Snapshot::new(report, self.sinks())
    }

    /// Asks every worker for its state; they answer after their next burst.
    pub fn ask(&self) -> u64 {
        self.asked.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// Whether every worker has answered that question.
    #[must_use]
    pub fn answered(&self, question: u64) -> bool {
        let states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        states.iter().all(|(answered, _)| *answered >= question)
    }

    fn sinks(&self) -> Vec<output::sink::SinkReport> {
        let sinks = self.sinks.lock().unwrap_or_else(PoisonError::into_inner);
        sinks.iter().map(|s| s.report()).collect()
    }

    fn publish(&self, index: usize, question: u64, report: Report) {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = states.get_mut(index) {
            *state = (question, report);
        }
    }
}

/// A run that has ended.
#[derive(Debug)]
pub struct Outcome {
    /// Everything counted.
    pub snapshot: Snapshot,
    /// What went wrong on the way without ending the run.
    pub warnings: Vec<String>,
    /// The first failure of a source, if one failed.
    pub failure: Option<Failure>,
}

impl Outcome {
    /// Once the sinks have ended: what they wrote, and what they lost.
    fn with_sinks(mut self, watch: &Watch) -> Self {
        self.snapshot.sinks = watch.sinks();
        for sink in &self.snapshot.sinks {
            if let Some(why) = &sink.stopped {
                let lost = sink.lost_stopped;
                self.warnings.push(format!("{}: stopped: {why}; {lost} events were not written", sink.name));
            }
        }
        self
    }
}

/// Reads capture files to their end.
///
/// # Errors
/// When a source or an output cannot be opened.
pub fn read(paths: &[PathBuf], settings: &Settings, files: FileSettings, watch: &Arc<Watch>) -> Result<Outcome, Failure> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let count = settings.worker_count(cores);
    let queues = capture::pcap::open(paths, usize::from(count), files).map_err(Failure::Open)?;
    let taps = vec![String::new()];
    let deal = |index| Deal::Split { index, count };
    go(queues, &taps, deal, Order::ByKey, Policy::Wait, settings, watch)
}

/// Listens to an interface until told to stop.
///
/// # Errors
/// When the interface or an output cannot be opened.
pub fn run(settings: &Settings, watch: &Arc<Watch>) -> Result<Outcome, Failure> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let count = settings.worker_count(cores);
    let live = capture::af_packet::LiveSettings { workers: usize::from(count), ..settings.live.clone() };
    let queues = capture::af_packet::open(&live).map_err(Failure::Live)?;
    let taps = vec![settings.live.interface.clone()];
    let deal = |_| Deal::Given { count };
    go(queues, &taps, deal, Order::AsTheyCome, Policy::Drop, settings, watch)
}

fn go(
    queues: Vec<Box<dyn RxQueue>>,
    taps: &[String],
    deal: impl Fn(u16) -> Deal,
    order: Order,
    policy: Policy,
    settings: &Settings,
    watch: &Arc<Watch>,
) -> Result<Outcome, Failure> {
    let sinks = open_sinks(settings, policy)?;
    *watch.sinks.lock().unwrap_or_else(PoisonError::into_inner) = sinks.iter().map(Sink::counts).collect();
    *watch.states.lock().unwrap_or_else(PoisonError::into_inner) = vec![(0, Report::default()); queues.len()];
    let silent = sinks.is_empty();
    let (ports, aside, hub) = Hub::start(queues.len(), order, sinks).map_err(Failure::Thread)?;
    let shared = Arc::new(settings.worker.clone());
    let host = (!settings.name.is_empty()).then(|| settings.name.clone());
    let mut threads = Vec::new();
    for (index, (mut queue, port)) in queues.into_iter().zip(ports).enumerate() {
        let number = u16::try_from(index).unwrap_or(u16::MAX);
        let mut worker = Worker::new(Arc::clone(&shared), deal(number));
        let mut desk = Desk {
            index,
            port,
            encoder: Encoder::new(taps.to_vec(), host.clone()),
            block: Block::default(),
            calls: 0,
            patience: if order == Order::ByKey { PATIENCE } else { 1 },
            silent,
            answered: 0,
            watch: Arc::clone(watch),
        };
        let thread = std::thread::Builder::new()
            .name(format!("worker {index}"))
            .spawn(move || walk(&mut worker, queue.as_mut(), &mut desk))
            .map_err(Failure::Thread)?;
        threads.push(thread);
    }
    let ended: Vec<End> = threads.into_iter().map(|t| t.join().unwrap_or_default()).collect();
    let outcome = sum_up(ended, watch);
    if !silent {
        aside.send(last_stats(&outcome.snapshot, host, order));
    }
    drop(aside);
    hub.join();
    Ok(outcome.with_sinks(watch))
}

/// The `stats` event that ends a run, at the time of its last packet.
fn last_stats(snapshot: &Snapshot, host: Option<String>, order: Order) -> Block {
    let tally = &snapshot.report.tally.timeline;
    let uptime = tally.steps.len() as u64 * tally.width;
    let nanos = snapshot.report.last.nanos();
    let body = snapshot.stats(uptime, order == Order::AsTheyCome);
    Encoder::new(Vec::new(), host).stats(nanos, &body.to_string())
}

fn sum_up(ended: Vec<End>, watch: &Watch) -> Outcome {
    let mut report = Report::default();
    let mut warnings = Vec::new();
    let mut failure = None;
    for end in ended {
        report.add(&end.report);
        warnings.extend(end.warnings);
        failure = failure.or(end.failure.map(Failure::Source));
    }
    // Frames that a failed worker had in hand were received and never came back.
    let missing = report.ledger().imbalance();
    if let Ok(missing @ 1..) = u64::try_from(missing) {
        report.ledger.lose(frame::Loss::WorkerLost, missing);
    }
    Outcome { snapshot: Snapshot::new(report, watch.sinks()), warnings, failure }
}

/// How one worker ended.
#[derive(Default)]
struct End {
    report: Report,
    warnings: Vec<String>,
    failure: Option<RxError>,
}

fn walk(worker: &mut Worker, queue: &mut dyn RxQueue, desk: &mut Desk) -> End {
    // A parser's mistake must not take the other workers' flows with it: the worker ends, its frames are counted lost.
    let walked = std::panic::catch_unwind(AssertUnwindSafe(|| worker.run(queue, desk)));
    let (failure, mut warnings) = match walked {
        Ok(result) => (result.err(), Vec::new()),
        Err(_) => (None, vec![format!("worker {} failed; its frames are counted as lost", desk.index)]),
    };
    warnings.extend(queue.warnings());
    let report = worker.report();
    desk.watch.publish(desk.index, u64::MAX, report.clone());
    End { report, warnings, failure }
}

/// A worker's desk: encodes its events, hands them to the hub, answers questions.
struct Desk {
    index: usize,
    port: Port,
    encoder: Encoder,
    block: Block,
    /// Calls since the last block went.
    calls: u32,
    /// Calls after which a block goes even if it is small or empty: others wait for what it says of its end.
    patience: u32,
    silent: bool,
    answered: u64,
    watch: Arc<Watch>,
}

/// Blocks are handed over when they have so many bytes.
const BLOCK: usize = 64 * 1024;
/// Or, of a capture file, after so many bursts; of live traffic, after every one.
const PATIENCE: u32 = 32;

impl Handover for Desk {
    fn events(&mut self, batch: &mut Batch, upto: Key) {
        if self.silent {
            return;
        }
        self.encoder.encode(batch, &mut self.block);
        self.calls += 1;
        let due = self.calls >= self.patience && (self.patience > 1 || !self.block.lines.is_empty());
        if due || self.block.bytes.len() >= BLOCK || upto.packet >= crate::worker::END {
            self.calls = 0;
            self.block = self.port.send(std::mem::take(&mut self.block), upto);
        }
    }

    fn pause(&mut self, worker: &mut Worker, queue: &mut dyn RxQueue) -> bool {
        if let Some((done, all)) = queue.progress() {
            self.watch.progress.0.fetch_max(done, Ordering::Relaxed);
            self.watch.progress.1.store(all, Ordering::Relaxed);
        }
        let question = self.watch.asked.load(Ordering::Acquire);
        if question > self.answered {
            self.answered = question;
            self.watch.publish(self.index, question, worker.report());
        }
        !self.watch.stop.load(Ordering::Acquire)
    }
}

fn open_sinks(settings: &Settings, policy: Policy) -> Result<Vec<Sink>, Failure> {
    let mut sinks = Vec::new();
    let eve = &settings.eve;
    if eve.file == "-" {
        sinks.push(Sink::start("standard output", Policy::Wait, Stdout).map_err(Failure::Thread)?);
    } else if let Some(path) = settings.eve_file() {
        let live = policy == Policy::Drop;
        let rotation = if live { eve.rotation.clone() } else { Rotation::default() };
        let file = File::open(&path, live, rotation).map_err(|e| Failure::Output(eve.file.clone(), e))?;
        sinks.push(Sink::start(&eve.file, policy, file).map_err(Failure::Thread)?);
    }
    if !eve.socket.is_empty() {
        let socket = Socket::connect(eve.socket.as_ref()).map_err(|e| Failure::Output(eve.socket.clone(), e))?;
        sinks.push(Sink::start(&eve.socket, policy, socket).map_err(Failure::Thread)?);
    }
    Ok(sinks)
}
