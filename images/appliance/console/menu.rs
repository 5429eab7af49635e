//! What can be done by hand.

use crate::{Hands, Place, provision, support};
use std::io::{self, Write};
use std::sync::mpsc::Receiver;
use std::time::Duration;
use toml::{Table, Value};

pub(super) const MENU: &str = "  1 static address    2 address as given    3 support bundle    4 restart the sensor\n  \
    5 restart the machine    6 power off    7 reset to how it was delivered\n\n";

/// How long a question waits for its answer.
const PATIENCE: Duration = Duration::from_secs(120);
/// What is typed before everything is erased.
const SURE: &str = "RESET";

/// Does what was typed.
pub(super) fn act(
    line: &str,
    place: &Place,
    hands: &dyn Hands,
    lines: &Receiver<String>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let done = match line {
        "" => return Ok(()),
        "1" => fixed(place, hands, lines, out)?,
        "2" => as_given(place, hands),
        "3" => bundle(place, hands),
        "4" => run(hands, &["systemctl", "restart", "vigie-prepare.service", "vigie.service"]),
        "5" => run(hands, &["systemctl", "reboot"]),
        "6" => run(hands, &["systemctl", "poweroff"]),
        "7" => {
            let sure =
                asked(&format!("Everything is erased, the machine restarts. Type {SURE}"), lines, out)?;
            match sure.as_deref() == Some(SURE) {
                true => run(hands, &["/usr/lib/vigie/factory-reset"]),
                false => vec!["nothing was done".to_owned()],
            }
        }
        other => vec![format!("`{}`: type one of 1 to 7", crate::problem::shown(other))],
    };
    for line in done {
        writeln!(out, "  {line}")?;
    }
    // What was done can be read before the page comes again.
    write!(out, "  Enter shows the page. ")?;
    out.flush()?;
    let _ = lines.recv_timeout(PATIENCE);
    Ok(())
}

fn asked(question: &str, lines: &Receiver<String>, out: &mut dyn Write) -> io::Result<Option<String>> {
    write!(out, "  {question}: ")?;
    out.flush()?;
    Ok(lines.recv_timeout(PATIENCE).ok().map(|line| line.trim().to_owned()))
}

fn run(hands: &dyn Hands, command: &[&str]) -> Vec<String> {
    vec![hands.run(command).map_or_else(|e| e.to_string(), |_| "done".to_owned())]
}

fn fixed(
    place: &Place,
    hands: &dyn Hands,
    lines: &Receiver<String>,
    out: &mut dyn Write,
) -> io::Result<Vec<String>> {
    let mut network = Table::new();
    for (key, question) in [
        ("address", "Address with its prefix length, such as 192.0.2.7/24"),
        ("gateway", "Gateway (nothing for none)"),
        ("dns", "Name servers, with spaces between (nothing for none)"),
    ] {
        let Some(answer) = asked(question, lines, out)? else {
            return Ok(vec!["nothing was done".to_owned()]);
        };
        let words: Vec<Value> =
            answer.split([' ', ',']).filter(|w| !w.is_empty()).map(|w| Value::String(w.into())).collect();
        if key == "address" && words.is_empty() {
            return Ok(vec!["nothing was done".to_owned()]);
        }
        if !words.is_empty() {
            network.insert(key.into(), Value::Array(words));
        }
    }
    let mut table = Table::new();
    table.insert("network".into(), Value::Table(network));
    Ok(set(place, hands, &table))
}

fn as_given(place: &Place, hands: &dyn Hands) -> Vec<String> {
    set(place, hands, &Table::new())
}

fn set(place: &Place, hands: &dyn Hands, table: &Table) -> Vec<String> {
    match provision::set_local(place, table) {
        Err(problems) => problems,
        Ok(()) => vec![provision::again(place, hands).map_or_else(|e| e.to_string(), |()| "done".to_owned())],
    }
}

fn bundle(place: &Place, hands: &dyn Hands) -> Vec<String> {
    match support::keep(place, hands) {
        Ok(path) => vec![
            format!("{} is there; fetch it with", path.display()),
            "ssh admin@ADDRESS sudo vigie support > vigie-support.tar.gz".to_owned(),
        ],
        Err(error) => vec![error.to_string()],
    }
}
