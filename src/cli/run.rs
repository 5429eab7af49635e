//! `vigie run`.

use super::control::Control;
use super::exit::{Exit, Told};
use super::flags::Run;
use super::notify::Notifier;
use super::settings::{CONFIGURATION, check, run_settings};
use super::tell::Teller;
use super::{read, signals};
use sensor::Watch;
use std::sync::Arc;
use std::time::Instant;

pub(crate) fn run(args: &Run) -> Result<Exit, Told> {
    let settings = run_settings(args)?;
    check(&args.walk, &settings)?;
    let sources = [&settings.live.interface, &settings.vf.place, &settings.vhost.path];
    let source = sources.into_iter().find(|source| !source.is_empty()).map_or("", String::as_str);
    if source.is_empty() {
        let text = format!(
            "no source: give --interface IF or --vf FUNCTION or --vhost-user PATH, or set capture.interface, vf.place or vhost.path in the configuration \
             (--config FILE, or {CONFIGURATION} when that is there)"
        );
        return Err(Told::new(Exit::Usage, text));
    }
    let watch = Arc::new(Watch::default());
    signals::end_on_signal(&watch)?;
    signals::reload_on_hangup(args, &settings, &watch)?;
    let control = Control::open(&settings.control, &watch);
    let greeting = (!args.walk.quiet).then(|| format!("listening on {source}"));
    let teller = Teller::start(&watch, greeting);
    let notifier = Notifier::start(&watch);
    let began = Instant::now();
    let outcome = sensor::run(&settings, &watch);
    drop(notifier);
    drop(teller);
    drop(control);
    read::conclude(&outcome?, began, &args.walk, settings.eve.file == "-")
}
