//! `vigie counters`.

use super::exit::{Exit, Told};
use super::flags::{Counters, Sources};
use super::settings::{of_the_machine, settings};
use super::{control, print};
use serde_json::Value;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

pub(crate) fn counters(args: &Counters) -> Result<Exit, Told> {
    if args.reference {
        return print(reference().as_bytes());
    }
    show(&args.sources, args.watch, args.json, &|_| true)
}

/// Asks the running sensor, and shows those counters whose names are wanted.
pub(crate) fn show(
    sources: &Sources,
    watch: bool,
    json: bool,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Exit, Told> {
    let path = settings(&of_the_machine(sources))?.control;
    let mut before = None;
    loop {
        let mut answer = control::ask(Path::new(&path), "counters").map_err(|e| {
            let text = format!(
                "no sensor answers at {path}: {e}; is `vigie run` running, with this control.socket?"
            );
            Told::new(Exit::NoSensor, text)
        })?;
        if let Some(list) = answer.as_array_mut() {
            list.retain(|counter| counter.get("name").and_then(Value::as_str).is_some_and(wanted));
        }
        if json {
            print(format!("{answer:#}\n").as_bytes())?;
        } else {
            print(table(&answer, before.as_ref()).as_bytes())?;
        }
        if !watch {
            return Ok(Exit::Success);
        }
        before = Some(answer);
        std::thread::sleep(Duration::from_secs(1));
    }
}

/// Every counter; and where there was an answer before, what was added since.
fn table(answer: &Value, before: Option<&Value>) -> String {
    let value = |counter: &Value| counter.get("value").and_then(Value::as_u64).unwrap_or(0);
    let mut out = String::new();
    for (index, counter) in answer.as_array().into_iter().flatten().enumerate() {
        let text = |key| counter.get(key).and_then(Value::as_str).unwrap_or_default();
        let added = before.and_then(|b| b.get(index)).map_or(0, |b| value(counter).saturating_sub(value(b)));
        let added = if added > 0 { format!("+{added}") } else { String::new() };
        let _ = writeln!(out, "{:<34} {:>16} {added:>12}  {}", text("name"), value(counter), text("text"));
    }
    if before.is_some() {
        out.push('\n');
    }
    out
}

/// The reference page, in Markdown.
fn reference() -> String {
    let mut out =
        String::from("# Counters\n\nDerived from the rooms' catalogues by `vigie counters --reference`.\n\n");
    out.push_str("| counter | text |\n|---|---|\n");
    sensor::Snapshot::default().each(&mut |c| {
        let _ = writeln!(out, "| `{}` | {} |", c.name, c.text);
    });
    out
}
