//! `vigie run`.

use super::control::Control;
use super::exit::{Exit, Told};
use super::flags::Run;
use super::settings::walk_settings;
use super::{read, signals};
use sensor::Watch;
use std::sync::Arc;
use std::time::Instant;

pub(crate) fn run(args: &Run) -> Result<Exit, Told> {
    let mut settings = walk_settings(&args.walk)?;
    if let Some(interface) = &args.interface {
        settings.live.interface.clone_from(interface);
    }
    if settings.live.interface.is_empty() {
        let text = "no interface: give --interface IF, or set capture.interface in the configuration";
        return Err(Told::new(Exit::Usage, text));
    }
    let watch = Arc::new(Watch::default());
    signals::end_on_signal(&watch)?;
    signals::reload_on_hangup(&args.walk, &settings)?;
    let control = Control::open(&settings.control, &watch, args.walk.quiet);
    let began = Instant::now();
    let outcome = sensor::run(&settings, &watch);
    drop(control);
    read::conclude(&outcome?, began, args.walk.quiet, args.walk.json, settings.eve.file == "-")
}
