//! What capturing needs of root, done once and then let go: the source is chosen, a function bound to vfio-pci, huge pages,
//! rings and offloads set. The sensor itself never touches any of this.

mod choice;
mod interface;

pub use choice::{Choice, Seen, Source, choose};

use crate::document::{Document, Draft, Mode};
use crate::provision::Roles;
use crate::{Hands, Nic, Place, place};
use capture::vf::pci::{Function, State, System};
use serde_json::{Value, json};
use std::fs;
use std::io;

/// What `vigie run` is told to capture from.
const TOLD: &str = "capture.env";

/// What was chosen, and what was set for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// The source, and why it is this one.
    pub choice: Choice,
    /// What was set.
    pub set: Vec<String>,
    /// What the system refused.
    pub refused: Vec<String>,
}

/// Prepares a machine for capturing.
///
/// # Errors
/// When there is nothing to capture from, or the system refuses a file.
pub fn prepare(place: &Place, hands: &dyn Hands) -> io::Result<Prepared> {
    let document = provisioned(place);
    let nics = Nic::all(place);
    let roles = Roles::of(&document, &nics);
    let system = System::under(place.root());
    let functions = system.functions().unwrap_or_default();
    let seen = Seen {
        mode: document.capture.mode,
        named: document.capture.interface.as_deref(),
        roles: &roles,
        functions: &functions,
    };
    let mut prepared = Prepared { choice: choose(&seen), set: Vec::new(), refused: Vec::new() };
    if let Source::Function(function) = prepared.choice.source.clone()
        && let Err(why) = bind(&system, &function, hands, &mut prepared)
    {
        fall_back(&document, &roles, &function, &why, &mut prepared);
    }
    match &prepared.choice.source {
        Source::Function(_) => huge_pages(place, &document, &mut prepared),
        Source::Interface(nic) => {
            let nic = nic.clone();
            interface::tune(place, hands, &nic, prepared.choice.shared, &mut prepared);
        }
        Source::Nothing => {}
    }
    publish(place, &prepared)?;
    Ok(prepared)
}

/// What `vigie provision` put in force.
fn provisioned(place: &Place) -> Document {
    let read = |name: &str| fs::read_to_string(place.state(name)).unwrap_or_default();
    let draft = Draft::of("accepted", read("accepted.toml").parse().unwrap_or_default());
    Document::read(&draft).unwrap_or_default()
}

/// Gives a function to vfio-pci. An interface that a kernel driver made of it goes down first: nobody spoke of it but as
/// the one to capture from.
fn bind(
    system: &System,
    function: &Function,
    hands: &dyn Hands,
    prepared: &mut Prepared,
) -> Result<(), String> {
    if let State::Kernel { interface: Some((name, true)) } = &function.state {
        hands.run(&["ip", "link", "set", "dev", name, "down"]).map_err(|e| e.to_string())?;
    }
    let before = system.bind(function.address).map_err(|e| e.to_string())?;
    system.free_group(function.address).map_err(|e| e.to_string())?;
    let was = before.driver.unwrap_or_else(|| "nobody".to_owned());
    prepared.set.push(format!("{} is with vfio-pci, was with {was}", function.address));
    Ok(())
}

/// A function that cannot be driven leaves the packet ring, unless nothing but a function was asked for.
fn fall_back(document: &Document, roles: &Roles, function: &Function, why: &str, prepared: &mut Prepared) {
    prepared.refused.push(why.to_owned());
    let reason = format!("{} cannot be driven: {why}", function.address);
    prepared.choice = match document.capture.mode {
        Mode::Vf => Choice { source: Source::Nothing, reason, shared: false },
        _ => choice::ring(roles, reason),
    };
}

/// Memory that a function writes lies in huge pages where some are free: as much as its rings take, and never more than a
/// quarter of the machine's.
fn huge_pages(place: &Place, document: &Document, prepared: &mut Prepared) {
    const PAGE: u64 = 2 << 20;
    let number = |path: &[&str], default: u64| {
        let mut value = document.sensor.get(*path.first()?)?;
        for part in path.iter().skip(1) {
            value = value.get(part)?;
        }
        Some(value.as_integer().and_then(|n| u64::try_from(n).ok()).unwrap_or(default))
    };
    let cores = std::thread::available_parallelism().map_or(1, |n| u64::try_from(n.get()).unwrap_or(1));
    let workers = number(&["workers"], 0).filter(|n| *n > 0).unwrap_or(cores).min(16);
    let settings = sensor::Settings::default();
    let descriptors = number(&["vf", "descriptors"], 0).unwrap_or(settings.vf.descriptors.into());
    let buffer = number(&["vf", "buffer"], 0).unwrap_or(settings.vf.buffer.into());
    // Two buffers a descriptor: one with the NIC, one lent out; and pages for rings and mailboxes.
    let wanted = (workers * descriptors * buffer * 2).div_ceil(PAGE) + workers + 4;
    let memory =
        place.line("proc/meminfo").and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    let most = memory.map_or(wanted, |kib| kib * 1024 / 4 / PAGE);
    let pages = wanted.min(most);
    let path = place.at("sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages");
    let got = fs::write(&path, pages.to_string()).and_then(|()| fs::read_to_string(&path));
    match got {
        Ok(got) if got.trim() == pages.to_string() => {
            prepared.set.push(format!("{pages} huge pages of 2 MiB"))
        }
        Ok(got) => {
            prepared.refused.push(format!("{} of {pages} huge pages: memory is in pieces", got.trim()))
        }
        Err(error) => prepared.refused.push(format!("huge pages: {error}; small ones serve")),
    }
}

/// Tells the sensor and everybody who asks.
fn publish(place: &Place, prepared: &Prepared) -> io::Result<()> {
    let choice = &prepared.choice;
    let argument = match &choice.source {
        Source::Function(function) => format!("--vf {}", function.address),
        Source::Interface(nic) => format!("--interface {}", nic.name),
        Source::Nothing => String::new(),
    };
    let value = json!({
        "source": choice.name(),
        "argument": argument,
        "reason": choice.reason,
        "shared": choice.shared,
        "set": prepared.set,
        "refused": prepared.refused,
    });
    place::write(&place.run("capture.json"), format!("{value:#}\n").as_bytes(), 0o644)?;
    place::write(&place.run(TOLD), format!("VIGIE_CAPTURE={argument}\n").as_bytes(), 0o644)?;
    match &choice.source {
        Source::Nothing => Err(io::Error::other(choice.reason.clone())),
        _ => Ok(()),
    }
}

/// What was chosen at this boot and why, and what was refused.
#[must_use]
pub fn chosen(place: &Place) -> Option<(String, String, Vec<String>)> {
    let value: Value = serde_json::from_str(&fs::read_to_string(place.run("capture.json")).ok()?).ok()?;
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let refused = value.get("refused").and_then(Value::as_array).into_iter().flatten();
    Some((text("source"), text("reason"), refused.filter_map(Value::as_str).map(str::to_owned).collect()))
}

#[cfg(test)]
mod tests;
