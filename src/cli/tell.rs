//! Tells what happens to a run while it goes on, on standard error, at a limited rate: whatever a remote can cause is
//! counted in full and told in part.

use sensor::Watch;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const EVERY: Duration = Duration::from_millis(100);
/// Lines that may be told at once,
const MOST: u32 = 20;
/// and the time after which one more may.
const AGAIN: Duration = Duration::from_secs(1);
/// What is said again within this time is not told again: two workers see the same interface go.
const SAME: Duration = Duration::from_secs(2);

/// A teller at work until it is dropped.
pub(crate) struct Teller {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Teller {
    /// Begins, unless it is to be quiet, with `greeting` and the number of workers when they are at work.
    pub(crate) fn start(watch: &Arc<Watch>, greeting: Option<String>) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let (watch, ended) = (Arc::clone(watch), Arc::clone(&over));
        let work = move || {
            let mut greeting = greeting;
            let mut limit = Limit::new(Instant::now());
            loop {
                let last = ended.load(Ordering::Acquire);
                let (mut texts, passed_over) = watch.notices.take();
                let workers = watch.workers();
                if workers > 0 {
                    let with =
                        |text| format!("{text}, {workers} worker{}", if workers == 1 { "" } else { "s" });
                    texts.splice(..0, greeting.take().map(with));
                }
                for line in limit.pass(texts, passed_over, Instant::now()) {
                    eprintln!("vigie: {line}");
                }
                if last {
                    return;
                }
                std::thread::park_timeout(EVERY);
            }
        };
        // Without this thread nothing is told before the end; the run itself is worth more than that.
        Self { over, thread: std::thread::Builder::new().name("teller".into()).spawn(work).ok() }
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

/// Which lines pass.
struct Limit {
    left: u32,
    since: Instant,
    suppressed: u64,
    /// What was told of late.
    told: Vec<(String, Instant)>,
}

impl Limit {
    const fn new(now: Instant) -> Self {
        Self { left: MOST, since: now, suppressed: 0, told: Vec::new() }
    }

    fn pass(&mut self, texts: Vec<String>, passed_over: u64, now: Instant) -> Vec<String> {
        self.told.retain(|(_, when)| now.duration_since(*when) < SAME);
        self.suppressed += passed_over;
        while self.left < MOST && now.duration_since(self.since) >= AGAIN {
            self.left += 1;
            self.since += AGAIN;
        }
        let mut lines = Vec::new();
        for text in texts {
            if self.told.iter().any(|(told, _)| *told == text) {
                continue;
            }
            if self.left == 0 {
                self.suppressed += 1;
                continue;
            }
            if self.left == MOST {
                self.since = now;
            }
            self.left -= 1;
            self.told.push((text.clone(), now));
            lines.push(text);
        }
        if self.suppressed > 0 && self.left > 0 {
            self.left -= 1;
            lines.push(format!("{} more warnings were not told, to spare you", self.suppressed));
            self.suppressed = 0;
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storm_is_told_in_part_and_its_rest_counted() {
        let began = Instant::now();
        let mut limit = Limit::new(began);
        let storm = (0..100).map(|n| format!("{n}")).collect();
        assert_eq!(limit.pass(storm, 5, began).len(), MOST as usize);
        let later = limit.pass(Vec::new(), 0, began + AGAIN);
        assert_eq!(later, ["85 more warnings were not told, to spare you"]);
        assert!(limit.pass(Vec::new(), 0, began + AGAIN * 2).is_empty());
    }

    #[test]
    fn what_two_workers_say_is_told_once() {
        let began = Instant::now();
        let mut limit = Limit::new(began);
        let both = vec!["eth0: is not there any more".to_owned(); 2];
        assert_eq!(limit.pass(both.clone(), 0, began).len(), 1);
        assert_eq!(limit.pass(both, 0, began + SAME).len(), 1);
    }
}
