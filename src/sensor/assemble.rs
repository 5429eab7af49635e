//! Assembly: rooms from settings, everything checked before anything starts; then the run, from first frame to sum.

use crate::counters::Snapshot;
use crate::desk::{Desk, End};
use crate::halves;
use crate::settings::{CaptureBypass, Settings};
use crate::source::{self, Source};
use crate::supervise::{Supervisor, not_captured, wall_nanos};
use crate::watch::Watch;
use crate::worker::{Deal, SHARES, Worker, WorkerSettings, lot_of};
use capture::pcap::FileSettings;
use capture::record::{FlowRecorder, FlowSettings, Recorder};
use frame::{RxError, RxQueue, Sorter};
use output::eve::{Block, Encoder};
use output::files::{Keeper, StoreReport};
use output::hub::{Aside, Hub, Order};
use output::sink::{File, Policy, Rotation, Sink, Socket, Stdout};
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Instant;

/// Why a run could not start, or how it failed. The text says what to do.
#[derive(Debug)]
pub enum Failure {
    /// A source could not be opened.
    Open(capture::pcap::OpenError),
    /// A live source could not be opened.
    Live(capture::af_packet::OpenError),
    /// An output could not be opened.
    Output(String, std::io::Error),
    /// A virtual function could not be captured.
    Vf(capture::vf::OpenError),
    /// A vhost-user socket could not be had.
    Vhost(capture::vhost_user::OpenError),
    /// There is no cable to measure on, or it takes no frames.
    Cable(std::io::Error),
    /// What the settings say of the source makes no sense.
    Settings(String),
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
            Self::Vf(e) => write!(f, "{e}"),
            Self::Vhost(e) => write!(f, "{e}"),
            Self::Cable(e) => write!(f, "no cable to measure on: {e}"),
            Self::Settings(text) => f.write_str(text),
            Self::Output(what, e) => write!(f, "{what}: cannot be written: {e}{}", missing_folder(what, e)),
            Self::Thread(e) => write!(f, "the operating system gave no thread: {e}"),
            Self::Source(e) => write!(f, "{e}"),
        }
    }
}

impl std::error::Error for Failure {}

/// Names the folder that is not there, when that is what is wrong.
fn missing_folder(path: &str, error: &std::io::Error) -> String {
    let folder = Path::new(path).parent().filter(|f| !f.as_os_str().is_empty());
    match folder {
        Some(folder) if error.kind() == std::io::ErrorKind::NotFound && !folder.exists() => {
            format!("; there is no folder {}: make it first", folder.display())
        }
        _ => String::new(),
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
    /// Once the outputs have ended: what they wrote, and what they lost.
    fn with_outputs(mut self, watch: &Watch) -> Self {
        self.snapshot = watch.snapshot_of(self.snapshot.report);
        for sink in &self.snapshot.sinks {
            if let Some(why) = &sink.stopped {
                let lost = sink.lost_stopped;
                self.warnings.push(format!("{}: stopped: {why}; {lost} events were not written", sink.name));
            }
        }
        self.warnings.extend(self.snapshot.store.iter().filter_map(StoreReport::not_kept));
        let captured = self.snapshot.captured.iter().filter(|captured| captured.lost > 0);
        self.warnings.extend(captured.map(not_captured));
        self
    }
}

/// Reads capture files to their end.
///
/// # Errors
/// When a source or an output cannot be opened.
pub fn read(
    paths: &[PathBuf],
    settings: &Settings,
    files: FileSettings,
    watch: &Arc<Watch>,
) -> Result<Outcome, Failure> {
    let count = settings.reader_count();
    let decode = settings.worker.decode.clone();
    let sorter: Sorter = Arc::new(move |frame| lot_of(&decode, frame));
    let queues = capture::pcap::open_shared(paths, usize::from(count), files, Some(sorter));
    let queues = queues.map_err(Failure::Open)?;
    let taps = vec![String::new()];
    let deal = |index| Deal::Split { index, count };
    Ok(go(queues, &taps, deal, false, settings, watch)?.with_outputs(watch))
}

/// Listens to an interface until told to stop.
///
/// # Errors
/// When the interface or an output cannot be opened.
pub fn run(settings: &Settings, watch: &Arc<Watch>) -> Result<Outcome, Failure> {
    let Source { queues, taps, keeper } = source::open(settings, watch)?;
    let count = u16::try_from(queues.len()).unwrap_or(u16::MAX);
    let deal = |_| Deal::Given { count };
    let recorder = record(settings, watch)?;
    let queues = match &recorder {
        Some(recorder) => queues.into_iter().map(|queue| recorder.tee(queue)).collect(),
        None => queues,
    };
    let outcome = go(queues, &taps, deal, true, settings, watch)?;
    // What was handed over is in its files, and the function is given back, before anything is summed up.
    drop(recorder);
    drop(keeper);
    Ok(outcome.with_outputs(watch))
}

/// Begins to record when that is wanted.
fn record(settings: &Settings, watch: &Watch) -> Result<Option<Recorder>, Failure> {
    let wanted = &settings.record;
    if wanted.folder.as_os_str().is_empty() {
        return Ok(None);
    }
    let named = |e| Failure::Output(wanted.folder.display().to_string(), e);
    let recorder = Recorder::start(wanted.clone()).map_err(named)?;
    watch.is_recorded(recorder.counts());
    Ok(Some(recorder))
}

fn go(
    queues: Vec<Box<dyn RxQueue>>,
    taps: &[String],
    deal: impl Fn(u16) -> Deal,
    live: bool,
    settings: &Settings,
    watch: &Arc<Watch>,
) -> Result<Outcome, Failure> {
    let (order, policy) = if live { (Order::AsTheyCome, Policy::Drop) } else { (Order::ByKey, Policy::Wait) };
    let began = Instant::now();
    let sinks = open_sinks(settings, policy)?;
    let keeper = open_store(settings, policy)?;
    watch.begin(queues.len(), sinks.iter().map(Sink::counts).collect(), keeper.as_ref().map(Keeper::counts));
    watch.stats_interval.store(settings.stats_interval, Ordering::Relaxed);
    let store = keeper.as_ref().map(Keeper::store).unwrap_or_default();
    let mut told = WorkerSettings { store, ..settings.worker.clone() };
    told.decode.mirror.resolve(taps);
    told.bypass.at_source = settings.drops.at != CaptureBypass::Off;
    if live {
        // Nobody outside shall know which packets look alike; reading files, the same bytes must come out every time.
        told.decode.mirror.dedupe.seed = RandomState::new().hash_one(began.elapsed());
    }
    watch.tell(Arc::new(told));
    let silent = sinks.is_empty();
    let (ports, aside, hub) = Hub::start(queues.len(), order, sinks).map_err(Failure::Thread)?;
    let host = (!settings.name.is_empty()).then(|| settings.name.clone());
    let desks = ports.into_iter().enumerate().map(|(index, port)| {
        let encoder = Encoder::new(taps.to_vec(), host.clone());
        Desk::new(index, port, encoder, live, silent, Arc::clone(watch))
    });
    let flows = flow_captures(settings, queues.len(), live)?;
    watch.captures(flows.as_ref().map(FlowRecorder::counts));
    let prepared = |index| {
        let worker = Worker::new(watch.told(), deal(index));
        let worker = match live {
            true => worker.watched_by(&halves::Watcher::new(Arc::clone(&watch.halves), index)),
            false => worker,
        };
        flows.iter().fold(worker, |worker, recorder| worker.keeps(recorder, index))
    };
    let threads = start_workers(queues, desks, prepared)?;
    let aside = match live {
        true => Watcher::Live(
            Supervisor::start(watch, aside, host.clone(), silent, settings.steering)
                .map_err(Failure::Thread)?,
        ),
        false => Watcher::None(aside),
    };
    let ended: Vec<End> = threads.into_iter().map(|t| t.join().unwrap_or_default()).collect();
    if let Some(keeper) = keeper {
        keeper.end();
    }
    // What was handed over is in its files before anything is summed up.
    drop(flows);
    let outcome = sum_up(ended, watch);
    if let Some(aside) = aside.end()
        && !silent
    {
        let uptime = live.then(|| began.elapsed().as_secs());
        aside.send(last_stats(&outcome.snapshot, host, uptime));
    }
    hub.join();
    Ok(outcome)
}

/// Who holds the way aside while the workers walk.
enum Watcher {
    Live(Supervisor),
    None(Aside),
}

impl Watcher {
    fn end(self) -> Option<Aside> {
        match self {
            Self::Live(supervisor) => supervisor.end(),
            Self::None(aside) => Some(aside),
        }
    }
}

fn start_workers(
    queues: Vec<Box<dyn RxQueue>>,
    desks: impl Iterator<Item = Desk>,
    prepared: impl Fn(u16) -> Worker,
) -> Result<Vec<JoinHandle<End>>, Failure> {
    let mut threads = Vec::new();
    for (index, (mut queue, desk)) in (0..).zip(queues.into_iter().zip(desks)) {
        let mut worker = prepared(index);
        let thread = std::thread::Builder::new()
            .name(format!("worker {index}"))
            .spawn(move || desk.walk(&mut worker, queue.as_mut()))
            .map_err(Failure::Thread)?;
        threads.push(thread);
    }
    Ok(threads)
}

/// The `stats` event that ends a run: of a live one now, after so many seconds; of a capture at its last packet.
fn last_stats(snapshot: &Snapshot, host: Option<String>, live: Option<u64>) -> Block {
    let report = &snapshot.report;
    let (uptime, nanos) = match live {
        Some(uptime) => (uptime, wall_nanos()),
        None => (report.last.since(report.first.unwrap_or(report.last)).as_secs(), report.last.nanos()),
    };
    let body = snapshot.stats(uptime, live.is_some());
    Encoder::new(Vec::new(), host).stats(nanos, &body.to_string())
}

fn sum_up(ended: Vec<End>, watch: &Watch) -> Outcome {
    let mut report = watch.settle();
    let mut warnings = Vec::new();
    let mut failure = None;
    for end in ended {
        warnings.extend(end.warnings);
        failure = failure.or(end.failure.map(Failure::Source));
    }
    // Frames that a failed worker had in hand were received and never came back.
    let missing = report.ledger().imbalance();
    if let Ok(missing @ 1..) = u64::try_from(missing) {
        report.ledger.lose(frame::Loss::WorkerLost, missing);
    }
    Outcome { snapshot: watch.snapshot_of(report), warnings, failure }
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
        let socket =
            Socket::connect(eve.socket.as_ref()).map_err(|e| Failure::Output(eve.socket.clone(), e))?;
        sinks.push(Sink::start(&eve.socket, policy, socket).map_err(Failure::Thread)?);
    }
    Ok(sinks)
}

/// The folder that captures of flows go to, when there is to be one.
fn flow_captures(settings: &Settings, workers: usize, live: bool) -> Result<Option<FlowRecorder>, Failure> {
    let packets = &settings.worker.packets;
    if packets.folder.is_empty() {
        return Ok(None);
    }
    // A file is read by shares, whatever the number of workers; live, a worker is one.
    let shelves = if live { u16::try_from(workers).unwrap_or(u16::MAX) } else { SHARES };
    let wanted = FlowSettings {
        folder: PathBuf::from(&packets.folder),
        quota: packets.quota,
        keep_seconds: packets.keep,
        shelves,
        waits: !live,
    };
    FlowRecorder::start(&wanted).map(Some).map_err(|e| Failure::Output(packets.folder.clone(), e))
}

/// The folder that files are kept in, when there is to be one.
fn open_store(settings: &Settings, policy: Policy) -> Result<Option<Keeper>, Failure> {
    let files = &settings.worker.files;
    if files.store.is_empty() {
        return Ok(None);
    }
    let wanted = output::files::Settings {
        folder: PathBuf::from(&files.store),
        quota: files.store_quota,
        most: files.store_most,
    };
    Keeper::start(&wanted, policy).map(Some).map_err(|e| Failure::Output(files.store.clone(), e))
}
