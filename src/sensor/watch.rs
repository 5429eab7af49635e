//! What a run is watched, told and ended by, shared with whoever started it.

use crate::counters::Snapshot;
use crate::halves::Halves;
use crate::notices::Notices;
use crate::worker::{Report, WorkerSettings};
use capture::record::{FlowCounts, FlowReport, RecordCounts, RecordReport};
use capture::vf::{Look, VfCounters};
use output::files::{StoreCounts, StoreReport};
use output::sink::{SinkCounts, SinkReport};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A run, from outside.
#[derive(Debug, Default)]
pub struct Watch {
    /// Set to end the run: workers drain and sum up.
    pub stop: AtomicBool,
    /// Bytes of bounded sources done, and in all.
    pub progress: (AtomicU64, AtomicU64),
    /// What happens to the run that its user should read at once.
    pub notices: Notices,
    /// What workers see halves of.
    pub(crate) halves: Arc<Halves>,
    /// Seconds between `stats` events of a live run; 0 for none.
    pub(crate) stats_interval: AtomicU64,
    /// The number of the last question; workers answer by publishing their state.
    asked: AtomicU64,
    states: Mutex<Vec<(u64, Report)>>,
    sinks: Mutex<Vec<Arc<SinkCounts>>>,
    store: Mutex<Option<Arc<StoreCounts>>>,
    record: Mutex<Option<RecordCounts>>,
    flows: Mutex<Option<FlowCounts>>,
    vf: Mutex<Option<Look>>,
    /// What workers are to be told, and how often that has changed.
    told: (AtomicU64, Mutex<Arc<WorkerSettings>>),
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Watch {
    /// The state that workers published last, and the counts of the outputs now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let mut report = Report::default();
        for (_, state) in lock(&self.states).iter() {
            report.add(state);
        }
        self.snapshot_of(report)
    }

    pub(crate) fn snapshot_of(&self, report: Report) -> Snapshot {
        Snapshot {
            record: self.record(),
            captured: self.captured(),
            vf: self.vf(),
            noted: self.halves.noted(),
            ..Snapshot::new(report, self.sinks(), self.store())
        }
    }

    /// Workers at work; none before the run has begun.
    #[must_use]
    pub fn workers(&self) -> usize {
        lock(&self.states).len()
    }

    /// Asks every worker for its state; they answer after their next burst.
    pub fn ask(&self) -> u64 {
        self.asked.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// Whether every worker has answered that question.
    #[must_use]
    pub fn answered(&self, question: u64) -> bool {
        lock(&self.states).iter().all(|(answered, _)| *answered >= question)
    }

    /// Has every output that is a file of lines look whether its file was moved away, and open it anew then.
    pub fn reopen(&self) {
        for sink in lock(&self.sinks).iter() {
            sink.ask_to_reopen();
        }
    }

    pub(crate) fn sinks(&self) -> Vec<SinkReport> {
        lock(&self.sinks).iter().map(|s| s.report()).collect()
    }

    pub(crate) fn store(&self) -> Option<StoreReport> {
        lock(&self.store).as_ref().map(|s| s.report())
    }

    pub(crate) fn record(&self) -> Option<RecordReport> {
        lock(&self.record).as_ref().map(RecordCounts::report)
    }

    pub(crate) fn captured(&self) -> Option<FlowReport> {
        lock(&self.flows).as_ref().map(FlowCounts::report)
    }

    /// Before the run begins: flows of events are captured.
    pub(crate) fn captures(&self, counts: Option<FlowCounts>) {
        *lock(&self.flows) = counts;
    }

    pub(crate) fn vf(&self) -> Option<VfCounters> {
        lock(&self.vf).as_ref().map(|look| look.report().counters)
    }

    /// Before the run begins: frames come from a virtual function.
    pub(crate) fn is_driven(&self, look: Look) {
        *lock(&self.vf) = Some(look);
    }

    /// Before the run begins: frames are recorded.
    pub(crate) fn is_recorded(&self, counts: RecordCounts) {
        *lock(&self.record) = Some(counts);
    }

    /// The last question asked.
    pub(crate) fn question(&self) -> u64 {
        self.asked.load(Ordering::Acquire)
    }

    pub(crate) fn publish(&self, index: usize, question: u64, report: Report) {
        if let Some(state) = lock(&self.states).get_mut(index) {
            *state = (question, report);
        }
    }

    /// When every worker has ended: the sum of what they published, which stands for all of them from now on.
    pub(crate) fn settle(&self) -> Report {
        let mut states = lock(&self.states);
        let mut sum = Report::default();
        for (_, state) in states.iter_mut() {
            // Taken and not copied: the summary's tables are large.
            sum.add(&std::mem::take(state));
        }
        if let Some((_, first)) = states.first_mut() {
            first.clone_from(&sum);
        }
        sum
    }

    /// Before the run begins: what there is to watch.
    pub(crate) fn begin(&self, workers: usize, sinks: Vec<Arc<SinkCounts>>, store: Option<Arc<StoreCounts>>) {
        *lock(&self.states) = vec![(0, Report::default()); workers];
        *lock(&self.sinks) = sinks;
        *lock(&self.store) = store;
    }

    /// How often the settings have changed: one look, no lock.
    pub(crate) fn edition(&self) -> u64 {
        self.told.0.load(Ordering::Acquire)
    }

    /// The settings in force.
    pub(crate) fn told(&self) -> Arc<WorkerSettings> {
        Arc::clone(&lock(&self.told.1))
    }

    /// Puts settings in force: workers take them after their present burst.
    pub(crate) fn tell(&self, settings: Arc<WorkerSettings>) {
        *lock(&self.told.1) = settings;
        self.told.0.fetch_add(1, Ordering::AcqRel);
    }
}
