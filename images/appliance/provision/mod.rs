//! What a machine was given becomes its configuration, at every start.
//!
//! The root file system is read-only below a layer of memory; what persists is the document that was accepted last and
//! what the console set. A new document takes its place when it is right in every part; otherwise the old one stays, and
//! each mistake is told by key.

mod derive;
mod report;

pub use derive::{Made, Roles, files};
pub use report::{Report, Standing};

use crate::document::{Document, Draft};
use crate::source::{self, Found, Metadata, Platform};
use crate::{Hands, Nic, Place, Problem, place};
use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;
use toml::Table;

/// The document that was accepted last.
const ACCEPTED: &str = "accepted.toml";
/// What the console set; it wins over what a source says.
const LOCAL: &str = "local.toml";

/// How a machine is provisioned.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The machine.
    pub place: Place,
    /// A folder in place of a drive.
    pub seed: Option<PathBuf>,
    /// Where metadata services are asked.
    pub metadata: Metadata,
    /// Whether the metadata service of a cloud is asked, rather than drives and credentials.
    pub cloud: bool,
    /// Whether the running system is told; otherwise files are written alone.
    pub live: bool,
    /// How long a metadata service may be silent.
    pub patience: Duration,
}

/// Provisions a machine.
///
/// # Errors
/// When the system refuses a file; what was written before is whole.
pub fn provision(wish: &Wish, hands: &dyn Hands) -> io::Result<Report> {
    let platform = Platform::of(&wish.place);
    let found = match wish.cloud {
        true => source::cloud(platform, &wish.metadata, wish.patience),
        false => source::local(&wish.place, wish.seed.as_deref()),
    };
    let mut report = Report { platform, ..Report::default() };
    let accepted = match found {
        Ok(found) => settle(wish, found, &mut report)?,
        Err(problem) => {
            report.refused(vec![problem]);
            old(wish)?
        }
    };
    let document = with_local(wish, accepted, &mut report)?;
    apply(wish, &document, &mut report, hands)?;
    if wish.cloud && platform == Platform::Azure {
        let told = source::azure::ready(&wish.metadata, &report.standing, wish.patience);
        report
            .notes
            .extend(told.err().map(|e| format!("Azure was not told that this machine is ready: {e}")));
    }
    place::write(&wish.place.run("provision.json"), report.json().as_bytes(), 0o644)?;
    if !wish.cloud && wish.live && platform.is_cloud() {
        // The second half waits for a network; where there is no cloud, nothing waits.
        let begun = hands.run(&["systemctl", "start", "--no-block", "vigie-provision-cloud.service"]);
        report.notes.extend(begun.err().map(|e| format!("the cloud's metadata is not asked: {e}")));
    }
    Ok(report)
}

/// The document that counts from here on: the new one if it is right, else the old one.
fn settle(wish: &Wish, found: Option<Found>, report: &mut Report) -> io::Result<Draft> {
    let Some(found) = found else {
        return old(wish);
    };
    report.source = found.source.to_owned();
    report.notes.extend(found.draft.notes.iter().cloned());
    match checked(wish, &found.draft) {
        Ok(()) => {
            let body = found.draft.table.to_string();
            let text = format!("# Accepted from {}.\n{body}", found.source);
            let changed = place::write(&wish.place.state(ACCEPTED), text.as_bytes(), 0o600)?;
            report.standing = if changed { Standing::Accepted } else { Standing::Unchanged };
            Ok(found.draft)
        }
        Err(problems) => {
            report.refused(problems);
            old(wish)
        }
    }
}

/// Whether a document is right, and what it names is there.
fn checked(wish: &Wish, draft: &Draft) -> Result<(), Vec<Problem>> {
    let document = Document::read(draft)?;
    let nics = Nic::all(&wish.place);
    let there: Vec<String> =
        nics.iter().map(|nic| format!("{} ({}, {})", nic.name, nic.mac, nic.slot)).collect();
    let missing = Roles::of(&document, &nics).missing;
    // A function that vfio-pci has is no interface.
    let function = |said: &str| wish.place.at("sys/bus/pci/devices").join(said).is_dir();
    let problems: Vec<Problem> = missing
        .into_iter()
        .filter(|(_, said)| !function(said))
        .map(|(key, said)| draft.problem(key, &said, format!("what this machine has: {}", there.join(", "))))
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// What was accepted before; nothing on a first start.
fn old(wish: &Wish) -> io::Result<Draft> {
    Ok(Draft::of("what was accepted before", table(wish, ACCEPTED)?))
}

/// A file of ours: absent at first, and taken for absent when the disk has spoiled it.
fn table(wish: &Wish, name: &str) -> io::Result<Table> {
    match fs::read_to_string(wish.place.state(name)) {
        Ok(text) => Ok(text.parse().unwrap_or_default()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Table::new()),
        Err(e) if e.kind() == io::ErrorKind::InvalidData => Ok(Table::new()),
        Err(e) => Err(e),
    }
}

/// The document with what the console set on top. What the console set was checked then; should it not agree with the
/// document of today, it is left out, and that is told.
fn with_local(wish: &Wish, accepted: Draft, report: &mut Report) -> io::Result<Document> {
    let local = Draft::of("set at the console", table(wish, LOCAL)?);
    let alone = Document::read(&accepted).unwrap_or_default();
    if local.is_empty() {
        return Ok(alone);
    }
    match Document::read(&on_top(&local, accepted)) {
        Ok(document) => {
            report.notes.push("the address was set at the console".to_owned());
            Ok(document)
        }
        Err(problems) => {
            report.notes.extend(problems.iter().map(|p| format!("left out: {p}")));
            Ok(alone)
        }
    }
}

/// An address set at the console takes the place of everything that a source said about the address.
fn on_top(local: &Draft, mut accepted: Draft) -> Draft {
    if local.table.contains_key("network")
        && let Some(network) = accepted.table.get_mut("network").and_then(toml::Value::as_table_mut)
    {
        for key in ["address", "gateway", "dns"] {
            network.remove(key);
        }
    }
    let mut draft = local.clone();
    draft.under(accepted);
    draft
}

/// Notes what the console sets, after checking that it agrees with everything else.
///
/// # Errors
/// Each mistake, or what the system refused.
pub fn set_local(place: &Place, table: &Table) -> Result<(), Vec<String>> {
    let say = |e: io::Error| vec![e.to_string()];
    let local = Draft::of("console", table.clone());
    let accepted = fs::read_to_string(place.state(ACCEPTED)).unwrap_or_default();
    let accepted = Draft::of("what was accepted before", accepted.parse().unwrap_or_default());
    Document::read(&on_top(&local, accepted))
        .map_err(|list| list.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    if table.is_empty() {
        place::remove(&place.state(LOCAL)).map(drop).map_err(say)
    } else {
        place::write(&place.state(LOCAL), table.to_string().as_bytes(), 0o600).map(drop).map_err(say)
    }
}

/// Writes what the document makes, and tells the running system what has changed.
fn apply(wish: &Wish, document: &Document, report: &mut Report, hands: &dyn Hands) -> io::Result<()> {
    let roles = Roles::of(document, &Nic::all(&wish.place));
    report.roles(&roles);
    let mut changed = Vec::new();
    let disk = wish.place.disk().map(|(_, all)| all);
    for made in files(document, &roles, disk) {
        let path = wish.place.at(made.path);
        let differs = match &made.body {
            Some(body) => place::write(&path, body.as_bytes(), made.mode)?,
            None => place::remove(&path)?,
        };
        if differs {
            changed.push(made.path);
        }
    }
    let name = document.hostname.clone().unwrap_or_else(|| "vigie".to_owned());
    report.hostname.clone_from(&name);
    if !wish.live {
        return Ok(());
    }
    if let Err(error) = fs::write(wish.place.at("proc/sys/kernel/hostname"), &name) {
        report.notes.push(format!("the kernel keeps its host name: {error}"));
    }
    // At the first call nothing of this runs yet, and each takes its files when it starts.
    if wish.cloud {
        tell(&changed, report, hands);
    }
    Ok(())
}

fn tell(changed: &[&str], report: &mut Report, hands: &dyn Hands) {
    let commands: [(&str, &[&str]); 4] = [
        ("/etc/systemd/network/", &["networkctl", "reload"]),
        ("/etc/vigie/sets.nft", &["systemctl", "reload-or-restart", "nftables.service"]),
        ("/etc/systemd/timesyncd.conf.d/", &["systemctl", "try-restart", "systemd-timesyncd.service"]),
        ("/etc/vigie/vigie.toml", &["systemctl", "try-restart", "--no-block", "vigie.service"]),
    ];
    for (path, command) in commands {
        if changed.iter().any(|c| c.starts_with(path))
            && let Err(error) = hands.run(command)
        {
            report.notes.push(error.to_string());
        }
    }
}

/// Derives everything again after the console has set something, and tells the running system.
///
/// # Errors
/// When the system refuses a file.
pub fn again(place: &Place, hands: &dyn Hands) -> io::Result<()> {
    let wish = Wish {
        place: place.clone(),
        seed: None,
        metadata: Metadata::default(),
        cloud: true,
        live: true,
        patience: Duration::ZERO,
    };
    let mut report = Report::load(place).unwrap_or_default();
    let document = with_local(&wish, old(&wish)?, &mut report)?;
    apply(&wish, &document, &mut report, hands)?;
    place::write(&place.run("provision.json"), report.json().as_bytes(), 0o644).map(drop)
}

#[cfg(test)]
mod tests;
