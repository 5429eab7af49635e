//! From flags to settings.

use super::exit::{Exit, Told};
use super::flags::{Sources, Walk};
use sensor::Settings;
use sensor::settings::Problem;

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
    if let Some(eve) = &walk.eve {
        settings.eve.file.clone_from(eve);
    }
    if let Some(workers) = walk.workers {
        settings.workers = workers;
    }
    if walk.json && settings.eve.file == "-" {
        return Err(Told::new(Exit::Usage, "--json and --eve - both want standard output"));
    }
    for path in &walk.rules {
        if let Err(error) = std::fs::metadata(path) {
            return Err(Told::new(Exit::Configuration, format!("{}: {error}", path.display())));
        }
    }
    if !walk.rules.is_empty() && !walk.quiet {
        eprintln!("vigie: this version has no signature engine: --rules is accepted, and no alert will be raised");
    }
    Ok(settings)
}

fn told(problems: &[Problem]) -> Told {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    Told::new(Exit::Configuration, lines.join("\n"))
}
