//! `vigie provision`, `prepare`, `console`, `support`: commands of the appliance.

use super::exit::{Exit, Told};
use super::flags::{Console, Prepare, Provision, Sources};
use super::settings::{of_the_machine, settings};
use super::{control, print};
use appliance::console::Counts;
use appliance::document::Document;
use appliance::provision::{Standing, Wish};
use appliance::source::{Metadata, environment, user_text};
use appliance::{Machine, Place};
use serde_json::Value;
use std::io;
use std::path::Path;
use std::time::Duration;

fn system(error: &io::Error) -> Told {
    Told::new(Exit::System, error.to_string())
}

/// Refused input is told and is no failure: what was in force before stays in force, and the machine goes on.
pub(crate) fn provision(args: &Provision) -> Result<Exit, Told> {
    if let Some(file) = &args.check {
        return check(file);
    }
    let wish = Wish {
        place: Place::under(&args.root),
        seed: args.seed.clone(),
        metadata: Metadata { service: args.metadata.clone(), fabric: args.fabric.clone() },
        cloud: args.cloud,
        live: args.root == Path::new("/"),
        patience: Duration::from_secs(args.patience.into()),
    };
    let report = appliance::provision::provision(&wish, &Machine).map_err(|e| system(&e))?;
    if report.standing == Standing::Refused {
        for line in report.lines() {
            eprintln!("vigie: {line}");
        }
        return Ok(Exit::Success);
    }
    print((report.lines().join("\n") + "\n").as_bytes())
}

/// Tells every mistake of a document, whatever form it has.
fn check(file: &Path) -> Result<Exit, Told> {
    let bytes = std::fs::read(file)
        .map_err(|e| Told::new(Exit::Configuration, format!("{}: {e}", file.display())))?;
    let name = file.display().to_string();
    let draft = match bytes.trim_ascii_start().starts_with(b"<") {
        true => environment(&String::from_utf8_lossy(&bytes)),
        false => user_text(&name, &bytes),
    };
    match Document::read(&draft) {
        Ok(_) => {
            let notes: String = draft.notes.iter().map(|note| format!("note: {note}\n")).collect();
            print(format!("{notes}{name}: fine\n").as_bytes())
        }
        Err(problems) => {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            Err(Told::new(Exit::Configuration, lines.join("\n")))
        }
    }
}

pub(crate) fn prepare(args: &Prepare) -> Result<Exit, Told> {
    let prepared =
        appliance::prepare::prepare(&Place::under(&args.root), &Machine).map_err(|e| system(&e))?;
    let mut text = format!("capture from {}, because {}\n", prepared.choice.name(), prepared.choice.reason);
    for line in &prepared.set {
        text += &format!("set: {line}\n");
    }
    for line in &prepared.refused {
        text += &format!("not set: {line}\n");
    }
    print(text.as_bytes())
}

pub(crate) fn console(args: &Console) -> Result<Exit, Told> {
    let place = Place::under(&args.root);
    let version = env!("CARGO_PKG_VERSION");
    if args.once {
        return print(appliance::console::page(&place, &Machine, &counters, version).as_bytes());
    }
    appliance::console::console(&place, &Machine, &counters, version, &mut io::stdout().lock())
        .map(|()| Exit::Success)
        .map_err(|e| system(&e))
}

/// What the running sensor counts, when there is one.
fn counters() -> Option<Counts> {
    let path = settings(&of_the_machine(&Sources::default())).ok()?.control;
    let answer = control::ask(Path::new(&path), "counters").ok()?;
    let one =
        |counter: &Value| Some((counter.get("name")?.as_str()?.to_owned(), counter.get("value")?.as_u64()?));
    Some(answer.as_array()?.iter().filter_map(one).collect())
}

pub(crate) fn support() -> Result<Exit, Told> {
    appliance::support::bundle(&Place::under("/"), &Machine, io::stdout().lock())
        .map(|()| Exit::Success)
        .map_err(|e| system(&e))
}
