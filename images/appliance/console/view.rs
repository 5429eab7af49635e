//! What the page shows, as it is now.

use super::Ask;
use crate::prepare;
use crate::provision::{Report, Standing};
use crate::{Hands, Place};
use serde_json::Value;
use std::fs;

/// Counters of the running sensor by name.
pub type Counts = Vec<(String, u64)>;

/// How the machine stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    pub(super) version: String,
    pub(super) hostname: String,
    pub(super) platform: String,
    /// What became of the configuration, and each mistake in it.
    pub(super) configuration: String,
    pub(super) problems: Vec<String>,
    pub(super) notes: Vec<String>,
    /// Management interface with its addresses.
    pub(super) address: String,
    pub(super) capture: String,
    pub(super) reason: String,
    pub(super) refused: Vec<String>,
    /// `active`, `activating`, `failed`, as systemd says.
    pub(super) sensor: String,
    pub(super) counts: Option<Counts>,
    pub(super) keys: usize,
    pub(super) time: &'static str,
    /// Free and all bytes of what persists.
    pub(super) disk: Option<(u64, u64)>,
}

impl View {
    /// Looks at everything once.
    #[must_use]
    pub fn of(place: &Place, hands: &dyn Hands, ask: &Ask<'_>, version: &str) -> Self {
        let report = Report::load(place).unwrap_or_default();
        let (capture, reason, refused) = prepare::chosen(place).unwrap_or_default();
        let from = if report.source.is_empty() { String::new() } else { format!(" from {}", report.source) };
        let keys = fs::read_to_string(place.at("etc/vigie/keys/admin")).unwrap_or_default();
        Self {
            version: version.to_owned(),
            hostname: place.line("proc/sys/kernel/hostname").unwrap_or_else(|| report.hostname.clone()),
            platform: report.platform.name().to_owned(),
            configuration: match report.standing {
                Standing::Nothing => "nothing was given: address by DHCP".to_owned(),
                Standing::Refused => format!("REFUSED{from}; what was in force before stays"),
                standing => format!("{}{from}", standing.text()),
            },
            problems: report.problems,
            notes: report.notes,
            address: address(hands, &report.management),
            capture,
            reason,
            refused,
            sensor: state(hands),
            counts: ask(),
            keys: keys.lines().count(),
            time: match place.at("run/systemd/timesync/synchronized").exists() {
                true => "synchronised",
                false => "not synchronised",
            },
            disk: place.disk(),
        }
    }

    pub(super) fn count(&self, name: &str) -> u64 {
        let counts = self.counts.iter().flatten();
        counts.filter(|(one, _)| one == name).map(|(_, value)| *value).sum()
    }

    pub(super) fn sum(&self, prefix: &str) -> u64 {
        let counts = self.counts.iter().flatten();
        counts.filter(|(one, _)| one.starts_with(prefix)).map(|(_, value)| *value).sum()
    }
}

/// systemd says the state on standard output, and by its exit code whether it is a good one.
fn state(hands: &dyn Hands) -> String {
    let shown = hands.run(&["systemctl", "show", "--property=ActiveState", "--value", "vigie.service"]);
    shown.map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned())
}

fn address(hands: &dyn Hands, nic: &str) -> String {
    if nic.is_empty() {
        return "no Ethernet interface".to_owned();
    }
    let text = hands.run(&["ip", "-json", "addr", "show", "dev", nic]).unwrap_or_default();
    let root: Value = serde_json::from_str(&text).unwrap_or_default();
    let first = root.get(0);
    let infos = first.and_then(|link| link.get("addr_info")).and_then(Value::as_array).into_iter().flatten();
    let global = infos.filter(|info| info.get("scope").and_then(Value::as_str) == Some("global"));
    let shown = global.filter_map(|info| {
        let dynamic = if info.get("dynamic").and_then(Value::as_bool) == Some(true) { " (DHCP)" } else { "" };
        Some(format!("{}/{}{dynamic}", info.get("local")?.as_str()?, info.get("prefixlen")?))
    });
    let shown: Vec<String> = shown.collect();
    let up = first.and_then(|link| link.get("operstate")).and_then(Value::as_str).unwrap_or("unknown");
    match shown.is_empty() {
        true => format!("none yet on {nic} (link {})", up.to_lowercase()),
        false => format!("{} on {nic}", shown.join(", ")),
    }
}
