//! `vigie read`.

use super::exit::{Exit, Told};
use super::flags::{Read, Walk};
use super::settings::walk_settings;
use super::{print, progress, signals};
use capture::pcap::FileSettings;
use sensor::{Outcome, Summary, Watch};
use std::sync::Arc;
use std::time::Instant;

pub(crate) fn read(args: &Read) -> Result<Exit, Told> {
    let settings = walk_settings(&args.walk)?;
    let watch = Arc::new(Watch::default());
    signals::end_on_signal(&watch)?;
    let files = FileSettings { burst: usize::from(args.burst), ..FileSettings::default() };
    let began = Instant::now();
    let bar = (!args.walk.quiet).then(|| progress::Bar::start(&watch));
    let outcome = sensor::read(&args.captures, &settings, files, &watch);
    drop(bar);
    let outcome = outcome?;
    if args.walk.quiet {
        for warning in &outcome.warnings {
            eprintln!("vigie: {warning}");
        }
    }
    conclude(&outcome, began, &args.walk, settings.eve.file == "-")
}

/// Prints the summary and decides the exit code. With events on standard output it goes to standard error.
pub(crate) fn conclude(
    outcome: &Outcome,
    began: Instant,
    walk: &Walk,
    events_on_stdout: bool,
) -> Result<Exit, Told> {
    let summary = Summary::new(outcome, began.elapsed());
    if walk.json {
        print(format!("{:#}\n", summary.to_json()).as_bytes())?;
    } else if !walk.quiet && events_on_stdout {
        eprint!("{summary}");
    } else if !walk.quiet {
        print(summary.to_string().as_bytes())?;
    }
    if let Some(failure) = &outcome.failure {
        return Err(Told::new(Exit::Source, failure.to_string()));
    }
    let failed = outcome.snapshot.sinks.iter().any(|s| s.stopped.is_some());
    Ok(if failed { Exit::Output } else { Exit::Success })
}
