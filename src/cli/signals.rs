//! Signals: TERM and INT drain and end with the summary, HUP reads the configuration again.

use super::exit::{Exit, Told};
use super::flags::Walk;
use sensor::settings::KEYS;
use sensor::{Settings, Watch};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The first TERM or INT ends the run in order; the second ends the process at once.
pub(crate) fn end_on_signal(watch: &Arc<Watch>) -> Result<(), Told> {
    let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(|e| refused(&e))?;
    let watch = Arc::clone(watch);
    spawn("signals", move || {
        for (n, signal) in signals.forever().enumerate() {
            watch.stop.store(true, Ordering::Release);
            if n > 0 {
                let _ = signal_hook::low_level::emulate_default_handler(signal);
            }
        }
    })
}

/// At HUP the configuration is read again; what is different is told, key by key.
pub(crate) fn reload_on_hangup(walk: &Walk, running: &Settings) -> Result<(), Told> {
    let mut signals = Signals::new([SIGHUP]).map_err(|e| refused(&e))?;
    let (sources, running) = (walk.sources.clone(), running.clone());
    spawn("reload", move || {
        for _ in signals.forever() {
            match super::settings::settings(&sources) {
                Ok(new) => tell_difference(&running, &new),
                Err(told) => {
                    told.tell();
                    eprintln!("vigie: the running configuration stays");
                }
            }
        }
    })
}

fn tell_difference(running: &Settings, new: &Settings) {
    let changed = KEYS.iter().filter(|k| (k.show)(running) != (k.show)(new));
    let mut any = false;
    for key in changed {
        any = true;
        eprintln!("vigie: {} is now {}: needs a restart", key.path, (key.show)(new));
    }
    if !any {
        eprintln!("vigie: the configuration has not changed");
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), Told> {
    std::thread::Builder::new().name(name.into()).spawn(work).map(drop).map_err(|e| refused(&e))
}

fn refused(error: &std::io::Error) -> Told {
    Told::new(Exit::System, format!("the operating system refused a signal handler: {error}"))
}
