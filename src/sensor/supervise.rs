//! The supervisor of a live run: `stats` events by the clock on the wall, and an eye on the outputs.

use crate::alarm::{Alarm, Eye};
use crate::watch::Watch;
use capture::record::FlowReport;
use output::eve::Encoder;
use output::files::StoreReport;
use output::hub::Aside;
use output::sink::SinkReport;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);
/// How long workers may take to publish their state.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often losses that go on are told again.
const AGAIN: Duration = Duration::from_secs(10);

/// A supervisor at work.
pub(crate) struct Supervisor {
    over: Arc<AtomicBool>,
    thread: JoinHandle<Aside>,
}

impl Supervisor {
    /// Starts one. It writes `stats` events aside unless it is told to be silent.
    pub(crate) fn start(
        watch: &Arc<Watch>,
        aside: Aside,
        host: Option<String>,
        silent: bool,
        alarm: Alarm,
    ) -> io::Result<Self> {
        let over = Arc::new(AtomicBool::new(false));
        let (ended, watch) = (Arc::clone(&over), Arc::clone(watch));
        let mut round = Round {
            watch,
            aside,
            encoder: Encoder::new(Vec::new(), host),
            silent,
            began: Instant::now(),
            last: Instant::now(),
            sinks: Vec::new(),
            store: None,
            captured: 0,
            told: None,
            eye: Eye::new(alarm, Instant::now()),
        };
        let thread = std::thread::Builder::new().name("supervisor".into()).spawn(move || {
            while !ended.load(Ordering::Acquire) {
                round.look();
                std::thread::park_timeout(LOOK);
            }
            round.watch_steering(true);
            round.aside
        })?;
        Ok(Self { over, thread })
    }

    /// Ends it and gives the way aside back; nothing when it had failed.
    pub(crate) fn end(self) -> Option<Aside> {
        self.over.store(true, Ordering::Release);
        self.thread.thread().unpark();
        self.thread.join().ok()
    }
}

struct Round {
    watch: Arc<Watch>,
    aside: Aside,
    encoder: Encoder,
    silent: bool,
    began: Instant,
    /// When the last `stats` event was due.
    last: Instant,
    /// What was seen at the last look.
    sinks: Vec<SinkReport>,
    store: Option<StoreReport>,
    captured: u64,
    /// When losses were told last.
    told: Option<Instant>,
    /// On how flows are dealt out.
    eye: Eye,
}

impl Round {
    fn look(&mut self) {
        let interval = Duration::from_secs(self.watch.stats_interval.load(Ordering::Relaxed));
        if !self.silent && !interval.is_zero() && self.last.elapsed() >= interval {
            self.last = Instant::now();
            self.write_stats();
        }
        self.watch_steering(false);
        let again = self.told.is_none_or(|told| told.elapsed() >= AGAIN);
        let found = self.changes(again);
        if again && found.iter().any(|(_, counts)| *counts) {
            self.told = Some(Instant::now());
        }
        for (text, _) in found {
            self.watch.notices.say(text);
        }
    }

    fn watch_steering(&mut self, last: bool) {
        let halves = &self.watch.halves;
        let Some(verdict) = self.eye.look(&halves.noted(), Instant::now(), last) else { return };
        self.watch.notices.say(verdict.text());
        if let Some(event) = verdict.event(&mut self.encoder, wall_nanos()) {
            halves.alarms.fetch_add(1, Ordering::Relaxed);
            if !self.silent {
                self.aside.send(event);
            }
        }
    }

    fn write_stats(&mut self) {
        let question = self.watch.ask();
        let since = Instant::now();
        while !self.watch.answered(question) && since.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(2));
        }
        let body = self.watch.snapshot().stats(self.began.elapsed().as_secs(), true);
        self.aside.send(self.encoder.stats(wall_nanos(), &body.to_string()));
    }

    /// What has changed since the last look, each with whether it is a loss that goes on counting. Such losses are told
    /// when `again` is due, and remembered only then.
    fn changes(&mut self, again: bool) -> Vec<(String, bool)> {
        let mut found = Vec::new();
        let sinks = self.watch.sinks();
        self.sinks.resize_with(sinks.len(), SinkReport::default);
        for (before, now) in self.sinks.iter_mut().zip(sinks) {
            sink_changes(before, &now, again, &mut found);
        }
        if let Some(now) = self.watch.store() {
            store_changes(self.store.get_or_insert_default(), &now, again, &mut found);
        }
        if let Some(now) = self.watch.captured()
            && again
            && now.lost > self.captured
        {
            self.captured = now.lost;
            found.push((not_captured(&now), true));
        }
        found
    }
}

/// Says that frames are missing from captures of flows.
pub(crate) fn not_captured(report: &FlowReport) -> String {
    let why = report.why.as_deref().unwrap_or("the disk is slow, or the quota is small");
    format!("{}: {} frames are in no capture so far: {why}", report.folder, report.lost)
}

fn sink_changes(before: &mut SinkReport, now: &SinkReport, again: bool, found: &mut Vec<(String, bool)>) {
    let name = &now.name;
    if now.stops > before.stops {
        let why = now.stopped.as_deref().unwrap_or("unknown");
        let text =
            format!("{name}: stopped: {why}; events for it are lost and counted, until SIGHUP opens it anew");
        found.push((text, false));
    }
    if now.reopened > before.reopened {
        found.push((format!("{name}: opened anew"), false));
    }
    if now.returns > before.returns {
        found.push((format!("{name}: its reader is back"), false));
    }
    (before.stops, before.reopened, before.returns) = (now.stops, now.reopened, now.returns);
    if again && now.lost_gone > before.lost_gone {
        found.push((format!("{name}: its reader is away; {} events lost so far", now.lost_gone), true));
        before.lost_gone = now.lost_gone;
    }
    if again && now.lost_slow > before.lost_slow {
        found.push((format!("{name}: it is slow; {} events lost so far", now.lost_slow), true));
        before.lost_slow = now.lost_slow;
    }
}

fn store_changes(before: &mut StoreReport, now: &StoreReport, again: bool, found: &mut Vec<(String, bool)>) {
    if !again {
        return;
    }
    let name = &now.folder;
    if now.failed > before.failed {
        let why = now.why.as_deref().unwrap_or("unknown");
        found.push((format!("{name}: {} files could not be written so far: {why}", now.failed), true));
    }
    if now.quota > before.quota {
        found.push((format!("{name}: the quota is reached; {} files not kept so far", now.quota), true));
    }
    if now.slow > before.slow {
        found.push((format!("{name}: the disk is slow; {} files not kept so far", now.slow), true));
    }
    before.clone_from(now);
}

/// Nanoseconds of the clock on the wall.
pub(crate) fn wall_nanos() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(found: &[(String, bool)]) -> Vec<&str> {
        found.iter().map(|(text, _)| text.as_str()).collect()
    }

    #[test]
    fn a_sink_that_stops_is_told_once_and_losses_when_due() {
        let mut before = SinkReport::default();
        let now = SinkReport {
            name: "eve".into(),
            stops: 1,
            stopped: Some("disk full".into()),
            lost_slow: 4,
            ..SinkReport::default()
        };
        let mut found = Vec::new();
        sink_changes(&mut before, &now, false, &mut found);
        assert!(matches!(texts(&found)[..], [one] if one.contains("disk full")), "{found:?}");
        found.clear();
        sink_changes(&mut before, &now, true, &mut found);
        assert!(matches!(texts(&found)[..], [one] if one.contains("slow; 4 events")), "{found:?}");
        found.clear();
        sink_changes(&mut before, &now, true, &mut found);
        assert!(found.is_empty());
    }
}
