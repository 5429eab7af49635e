//! The progress bar, on a terminal only.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sensor::Watch;
use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

const EVERY: Duration = Duration::from_millis(100);

/// A bar that draws itself until it is dropped.
pub(crate) struct Bar {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Bar {
    pub(crate) fn start(watch: &Arc<Watch>) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let (watch, ended) = (Arc::clone(watch), Arc::clone(&over));
        let thread =
            std::io::stderr().is_terminal().then(|| std::thread::spawn(move || draw(&watch, &ended)));
        Self { over, thread }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn draw(watch: &Watch, over: &AtomicBool) {
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
    if let Ok(style) =
        ProgressStyle::with_template("  {bar:40} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left")
    {
        bar.set_style(style);
    }
    while !over.load(Ordering::Relaxed) {
        bar.set_length(watch.progress.1.load(Ordering::Relaxed));
        bar.set_position(watch.progress.0.load(Ordering::Relaxed));
        std::thread::sleep(EVERY);
    }
    bar.finish_and_clear();
}
