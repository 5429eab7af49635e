//! `vigie counters`.

use super::exit::{Exit, Told};
use super::flags::Counters;
use super::settings::settings;
use super::{control, print};
use serde_json::Value;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

pub(crate) fn counters(args: &Counters) -> Result<Exit, Told> {
    if args.reference {
        return print(reference().as_bytes());
    }
    let path = settings(&args.sources)?.control;
    loop {
        let answer = control::ask(Path::new(&path), "counters").map_err(|e| {
            let text = format!("no sensor answers at {path}: {e}; is `vigie run` running, with this control.socket?");
            Told::new(Exit::NoSensor, text)
        })?;
        if args.json {
            print(format!("{answer:#}\n").as_bytes())?;
        } else {
            print(table(&answer).as_bytes())?;
        }
        if !args.watch {
            return Ok(Exit::Success);
        }
        std::thread::sleep(Duration::from_secs(1));
    }
}

fn table(answer: &Value) -> String {
    let mut out = String::new();
    for counter in answer.as_array().into_iter().flatten() {
        let text = |key| counter.get(key).and_then(Value::as_str).unwrap_or_default();
        let value = counter.get("value").and_then(Value::as_u64).unwrap_or(0);
        let _ = writeln!(out, "{:<34} {value:>16}  {}", text("name"), text("text"));
    }
    out
}

/// The reference page, in Markdown.
fn reference() -> String {
    let mut out = String::from("# Counters\n\nDerived from the rooms' catalogues by `vigie counters --reference`.\n\n");
    out.push_str("| counter | text |\n|---|---|\n");
    sensor::Snapshot::default().each(&mut |c| {
        let _ = writeln!(out, "| `{}` | {} |", c.name, c.text);
    });
    out
}
