//! What a machine can be told: one small schema, whatever it was written in.
//!
//! A source makes a [`Draft`] (a table, and for each key the name under which its user knows it). Reading the draft gives
//! a [`Document`], or every mistake that is in it.

mod checks;
mod draft;
mod keys;

pub use draft::Draft;
pub use keys::{KEYS, Key};

use crate::Problem;
use ipnet::IpNet;
use std::net::IpAddr;
use std::path::Path;
use toml::{Table, Value};

/// Everything that a machine was told, checked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    /// Name of the machine.
    pub hostname: Option<String>,
    /// The interface by which it is reached.
    pub network: Network,
    /// Who may log in.
    pub ssh: Ssh,
    /// Servers that know the time; the image's own when there is none.
    pub time: Vec<String>,
    /// Where newer versions of the image are looked for.
    pub update: Option<String>,
    /// Where frames come from.
    pub capture: Capture,
    /// Keys of the sensor's own configuration.
    pub sensor: Table,
}

/// The interface by which a machine is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// Name, MAC address or slot; the first one when none is named.
    pub interface: Option<String>,
    /// Addresses; DHCP when there is none.
    pub addresses: Vec<IpNet>,
    /// Default routes.
    pub gateways: Vec<IpAddr>,
    /// Name servers.
    pub dns: Vec<IpAddr>,
    /// Longest packet.
    pub mtu: Option<u16>,
}

/// Who may log in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ssh {
    /// Public keys; no server runs without one.
    pub keys: Vec<String>,
    /// From where; from anywhere when empty.
    pub from: Vec<IpNet>,
}

/// Where frames come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capture {
    /// How.
    pub mode: Mode,
    /// Name, MAC address or slot; the one after the management interface when none is named.
    pub interface: Option<String>,
    /// Longest packet.
    pub mtu: Option<u16>,
}

/// How frames are captured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// A virtual function where one can be driven, else a packet ring.
    #[default]
    Auto,
    /// A virtual function, or nothing.
    Vf,
    /// A packet ring of the kernel.
    Packet,
}

impl Document {
    /// Reads a draft. Keys of the sensor are checked against the sensor's own catalogue.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn read(draft: &Draft) -> Result<Self, Vec<Problem>> {
        let mut document = Self::default();
        let mut problems = draft.problems.clone();
        let mut table = draft.table.clone();
        match table.remove("sensor") {
            Some(Value::Table(sensor)) => {
                problems.extend(checks::sensor(draft, &sensor));
                document.sensor = sensor;
            }
            Some(other) => {
                problems.push(draft.problem(
                    "sensor",
                    &checks::written(&other),
                    "a table of keys of vigie.toml",
                ));
            }
            None => {}
        }
        let mut leaves = Vec::new();
        keys::leaves("", &table, &mut leaves);
        for (path, value) in leaves {
            match KEYS.iter().find(|key| key.path == path) {
                Some(key) if (key.put)(&mut document, value).is_some() => {}
                Some(key) => problems.push(draft.problem(&path, &checks::written(value), key.allowed)),
                None => problems.push(draft.problem(&path, "", keys::unknown(&path))),
            }
        }
        problems.extend(checks::agree(draft, &document));
        if problems.is_empty() { Ok(document) } else { Err(problems) }
    }

    /// The sensor's configuration file, on a machine with a disk of so many bytes for what persists.
    #[must_use]
    pub fn sensor_file(&self, disk: Option<u64>) -> String {
        let mut table = self.sensor.clone();
        if !table.contains_key("name")
            && let Some(name) = &self.hostname
        {
            table.insert("name".into(), Value::String(name.clone()));
        }
        let eve = table.entry("eve").or_insert_with(|| Value::Table(Table::new()));
        if let Value::Table(eve) = eve
            && !eve.contains_key("file")
            && !eve.contains_key("socket")
        {
            eve.insert("file".into(), Value::String(EVE.into()));
        }
        bound_rotation(&mut table, disk);
        format!(
            "# Written by `vigie provision` at every start: change what the machine is given instead.\n\n{table}"
        )
    }
}

/// Where events go when nothing else is said: a file that is put aside by size.
const EVE: &str = "/var/log/vigie/eve.json";
/// So much of the disk, in all, unless something else is said: nine files of so many MiB.
const EVE_SIZE: u64 = 128;
/// How many there are: the one that is written to, and what the sensor keeps.
const EVE_FILES: u64 = 9;

/// Events take half of a small disk at the most.
fn eve_size(disk: Option<u64>) -> u64 {
    disk.map_or(EVE_SIZE, |bytes| ((bytes >> 20) / 2 / EVE_FILES).clamp(1, EVE_SIZE))
}

fn bound_rotation(table: &mut Table, disk: Option<u64>) {
    let Some(Value::Table(eve)) = table.get_mut("eve") else { return };
    let rotate = eve.entry("rotate").or_insert_with(|| Value::Table(Table::new()));
    if let Value::Table(rotate) = rotate
        && !rotate.contains_key("size")
    {
        rotate.insert("size".into(), Value::String(format!("{} MiB", eve_size(disk))));
    }
}

/// Checks a file of the sensor's configuration with the sensor's own catalogue.
pub(crate) fn sensor_problems(path: &Path) -> Vec<sensor::settings::Problem> {
    sensor::settings::load(&mut sensor::Settings::default(), path).err().unwrap_or_default()
}

#[cfg(test)]
mod tests;
