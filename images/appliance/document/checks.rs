//! What values may be. Everything that passes here may be written into configuration files of the system as it stands.

use super::{Document, Draft, sensor_problems};
use crate::Problem;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ipnet::IpNet;
use sensor::settings;
use std::io::Write as _;
use std::net::IpAddr;
use toml::{Table, Value};

/// Kinds of keys that OpenSSH takes; ssh-dss is not among them.
const KEY_KINDS: &[&str] = &[
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
];

/// Keys of the sensor that the machine decides.
const OURS: &[(&str, &str)] = &[
    ("capture.interface", "say `capture.interface` beside `sensor`, not in it"),
    ("vf.place", "say `capture.interface` beside `sensor`"),
    ("vhost.path", "an appliance takes frames from an interface or a function"),
    ("control.socket", "the appliance's own commands look for it where it is"),
];

pub(super) fn written(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A text, or a list of texts, each read by the same rule.
pub(super) fn list<T>(value: &Value, one: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    match value {
        Value::String(text) => Some(vec![one(text)?]),
        Value::Array(items) => items.iter().map(|item| one(item.as_str()?)).collect(),
        _ => None,
    }
}

pub(super) fn hostname(value: &Value) -> Option<String> {
    let name = value.as_str()?;
    (name.len() <= 64 && is_host(name)).then(|| name.to_ascii_lowercase())
}

/// RFC 1123, section 2.1.
fn is_host(name: &str) -> bool {
    let label = |part: &str| {
        (1..=63).contains(&part.len())
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    name.len() <= 253 && name.split('.').all(label)
}

pub(super) fn server(text: &str) -> Option<String> {
    (is_host(text) || text.parse::<IpAddr>().is_ok()).then(|| text.to_owned())
}

pub(super) fn nic(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let fine = |b: u8| b.is_ascii_alphanumeric() || b"-_.:@".contains(&b);
    (!text.is_empty() && text.len() <= 64 && text.bytes().all(fine)).then(|| text.to_owned())
}

/// A folder or a URL, in characters that mean nothing to anybody on the way.
pub(super) fn place(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let begins = ["/", "https://", "http://"].iter().any(|start| text.starts_with(start));
    let fine = |b: u8| b.is_ascii_alphanumeric() || b"/:.-_~%+@[]".contains(&b);
    (begins && text.len() <= 500 && text.bytes().all(fine)).then(|| text.to_owned())
}

pub(super) fn ip(text: &str) -> Option<IpAddr> {
    text.parse().ok().filter(|ip: &IpAddr| !ip.is_unspecified() && !ip.is_multicast())
}

pub(super) fn prefix(text: &str) -> Option<IpNet> {
    text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok().map(|net: IpNet| net.trunc())
}

pub(super) fn addresses(value: &Value) -> Option<Vec<IpNet>> {
    if value.as_str() == Some("dhcp") {
        return Some(Vec::new());
    }
    let usable = |net: &IpNet| net.prefix_len() > 0 && ip(&net.addr().to_string()).is_some();
    let found = list(value, |text| text.contains('/').then(|| text.parse().ok())?.filter(usable))?;
    (1..=16).contains(&found.len()).then_some(found)
}

pub(super) fn mtu(value: &Value) -> Option<u16> {
    let number = value.as_integer().or_else(|| value.as_str()?.parse().ok())?;
    u16::try_from(number).ok().filter(|n| (1280..=9216).contains(n))
}

/// A line of an authorized_keys file, without options: kind, key, comment.
pub(super) fn ssh_key(text: &str) -> Option<String> {
    let text = text.trim();
    let mut parts = text.split_ascii_whitespace();
    let (kind, body) = (parts.next()?, parts.next()?);
    let blob = STANDARD.decode(body).ok()?;
    // RFC 4253, section 6.6: the blob repeats its kind, with its length before it.
    let length = u32::from_be_bytes(blob.get(..4)?.try_into().ok()?);
    let inner = blob.get(4..)?.get(..usize::try_from(length).ok()?)?;
    let fine = KEY_KINDS.contains(&kind)
        && inner == kind.as_bytes()
        && text.len() <= 16_384
        && !text.contains(|c: char| c.is_control());
    fine.then(|| text.to_owned())
}

/// Keys of the sensor, checked by the sensor.
pub(super) fn sensor(draft: &Draft, table: &Table) -> Vec<Problem> {
    let mut leaves = Vec::new();
    super::keys::leaves("", table, &mut leaves);
    let taken = leaves.iter().filter_map(|(path, value)| {
        let (key, why) = OURS.iter().find(|(key, _)| key == path)?;
        Some(draft.problem(&format!("sensor.{key}"), &written(value), format!("nothing here: {why}")))
    });
    let mut problems: Vec<Problem> = taken.collect();
    let Ok(mut file) = tempfile::NamedTempFile::new() else { return problems };
    if file.write_all(table.to_string().as_bytes()).and_then(|()| file.flush()).is_ok() {
        problems.extend(sensor_problems(file.path()).into_iter().map(|p| ours(draft, p)));
    }
    problems
}

fn ours(draft: &Draft, problem: settings::Problem) -> Problem {
    match problem {
        settings::Problem::Unknown(_, key, near) => {
            let hint = near.map_or_else(
                || "`vigie config reference` lists them all".to_owned(),
                |near| format!("did you mean `sensor.{near}`?"),
            );
            draft.problem(&format!("sensor.{key}"), "", format!("the sensor has no such key; {hint}"))
        }
        settings::Problem::NotAllowed(_, key, read, allowed) => {
            draft.problem(&format!("sensor.{key}"), &read, allowed)
        }
        other => draft.problem("sensor", "", other.to_string()),
    }
}

/// Whether keys agree with each other.
pub(super) fn agree(draft: &Draft, document: &Document) -> Vec<Problem> {
    let network = &document.network;
    let mut problems = Vec::new();
    for gateway in &network.gateways {
        let reached = |net: &IpNet| net.contains(gateway) && net.addr() != *gateway;
        let link_local = matches!(gateway, IpAddr::V6(v6) if v6.is_unicast_link_local());
        if network.addresses.is_empty() {
            problems.push(draft.problem(
                "network.gateway",
                &gateway.to_string(),
                "nothing while the address comes by DHCP",
            ));
        } else if !link_local && !network.addresses.iter().any(reached) {
            problems.push(draft.problem(
                "network.gateway",
                &gateway.to_string(),
                "another address in the prefix of `network.address`",
            ));
        }
    }
    let same = document.capture.interface.as_ref().filter(|_| document.network.interface.is_some());
    if let Some(same) = same.filter(|same| Some(*same) == document.network.interface.as_ref())
        && document.capture.mode == super::Mode::Vf
    {
        problems.push(draft.problem(
            "capture.interface",
            same,
            "another one than `network.interface`, as a function that is driven is no interface any more",
        ));
    }
    problems
}
