//! From flags to settings.

use super::exit::{Exit, Told};
use super::flags::{Run, Sources, Walk};
use sensor::Settings;
use sensor::settings::Problem;
use std::path::Path;

/// The configuration of a running sensor, when none is named and this one is there.
pub(crate) const CONFIGURATION: &str = "/etc/vigie/vigie.toml";

/// The sources as given, with the sensor's own configuration file where none is named.
pub(crate) fn of_the_machine(sources: &Sources) -> Sources {
    let mut sources = sources.clone();
    if sources.config.is_none() && Path::new(CONFIGURATION).exists() {
        sources.config = Some(CONFIGURATION.into());
    }
    sources
}

/// Everything that `vigie run` is told. The same at SIGHUP, with the files as they are then.
pub(crate) fn run_settings(args: &Run) -> Result<Settings, Told> {
    let mut settings = settings(&of_the_machine(&args.walk.sources))?;
    apply(&args.walk, &mut settings);
    if args.interface.is_some() || args.vf.is_some() || args.vhost_user.is_some() {
        // What the command line names takes the place of what the configuration names.
        settings.live.interface = args.interface.clone().unwrap_or_default();
        settings.vf.place = args.vf.as_ref().map(ToString::to_string).unwrap_or_default();
        settings.vhost.path = args.vhost_user.clone().unwrap_or_default();
    }
    if let Some(queues) = args.queues {
        settings.workers = queues;
    }
    if let Some(folder) = &args.record {
        settings.record.folder.clone_from(folder);
    }
    Ok(settings)
}

/// Reads the file, then every `--set`.
pub(crate) fn settings(sources: &Sources) -> Result<Settings, Told> {
    let mut settings = Settings::default();
    let mut problems = Vec::new();
    if let Some(path) = &sources.config
        && let Err(found) = sensor::settings::load(&mut settings, path)
    {
        problems.extend(found);
    }
    for text in &sources.set {
        problems.extend(sensor::settings::set(&mut settings, text).err());
    }
    if problems.is_empty() { Ok(settings) } else { Err(told(&problems)) }
}

/// As [`settings`], then the flags that `read` and `run` share.
pub(crate) fn walk_settings(walk: &Walk) -> Result<Settings, Told> {
    let mut settings = settings(&walk.sources)?;
    apply(walk, &mut settings);
    check(walk, &settings)?;
    Ok(settings)
}

fn apply(walk: &Walk, settings: &mut Settings) {
    if let Some(eve) = &walk.eve {
        settings.eve.file.clone_from(eve);
    }
    if let Some(workers) = walk.workers {
        settings.workers = workers;
    }
}

/// Refuses flags that contradict each other, and names what this version does not do.
pub(crate) fn check(walk: &Walk, settings: &Settings) -> Result<(), Told> {
    if walk.json && settings.eve.file == "-" {
        return Err(Told::new(Exit::Usage, "--json and --eve - both want standard output"));
    }
    for path in &walk.rules {
        if let Err(error) = std::fs::metadata(path) {
            return Err(Told::new(Exit::Configuration, format!("{}: {error}", path.display())));
        }
    }
    if !walk.rules.is_empty() && !walk.quiet {
        eprintln!(
            "vigie: this version has no signature engine: --rules is accepted, and no alert will be raised"
        );
    }
    Ok(())
}

fn told(problems: &[Problem]) -> Told {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    Told::new(Exit::Configuration, lines.join("\n"))
}
