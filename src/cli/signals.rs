//! Signals: TERM and INT drain and end with the summary, HUP reads the configuration again.

use super::exit::{Exit, Told};
use super::flags::Run;
use sensor::{Change, Settings, Watch};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// A second signal so soon after the first is the same wish: `timeout` and some supervisors send to a process and then
/// to its group.
const SAME: Duration = Duration::from_millis(500);

/// The first TERM or INT ends the run in order; the second ends the process at once.
pub(crate) fn end_on_signal(watch: &Arc<Watch>) -> Result<(), Told> {
    let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(|e| refused(&e))?;
    let watch = Arc::clone(watch);
    spawn("signals", move || {
        let mut first = None;
        for signal in signals.forever() {
            watch.stop.store(true, Ordering::Release);
            if first.get_or_insert_with(Instant::now).elapsed() > SAME {
                let _ = signal_hook::low_level::emulate_default_handler(signal);
            }
        }
    })
}

/// At HUP the configuration is read again: what can be taken over is, and what needs a restart is named, key by key.
/// The EVE file is opened anew if it was moved away.
pub(crate) fn reload_on_hangup(args: &Run, running: &Settings, watch: &Arc<Watch>) -> Result<(), Told> {
    let mut signals = Signals::new([SIGHUP]).map_err(|e| refused(&e))?;
    let (args, mut running, watch) = (args.clone(), running.clone(), Arc::clone(watch));
    spawn("reload", move || {
        for _ in signals.forever() {
            watch.reopen();
            match super::settings::run_settings(&args) {
                Ok(new) => tell_changes(&sensor::reload(&mut running, &new, &watch)),
                Err(told) => {
                    told.tell();
                    eprintln!("vigie: the running configuration stays as it is");
                }
            }
        }
    })
}

fn tell_changes(changes: &[Change]) {
    for change in changes {
        eprintln!("vigie: {change}");
    }
    if changes.is_empty() {
        eprintln!("vigie: the configuration has not changed");
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), Told> {
    std::thread::Builder::new().name(name.into()).spawn(work).map(drop).map_err(|e| refused(&e))
}

fn refused(error: &std::io::Error) -> Told {
    Told::new(Exit::System, format!("the operating system refused a signal handler: {error}"))
}
