//! The catalogue of keys.

use super::{Document, Mode, checks};
use toml::{Table, Value};

/// One key of the schema.
pub struct Key {
    /// Dotted path.
    pub path: &'static str,
    /// What it takes.
    pub allowed: &'static str,
    /// What it does.
    pub text: &'static str,
    /// Reads a value; nothing when it is not allowed.
    pub(super) put: fn(&mut Document, &Value) -> Option<()>,
}

const NIC: &str = "the name of an interface, its MAC address (02:00:00:00:00:01) or its slot (0000:06:13.0)";
const MTU: &str = "a number of bytes, 1280 to 9216";
const ADDRESSES: &str = "an IPv4 or IPv6 address, or a list of them";

/// Every key, but those below `sensor`, which are the sensor's own.
pub static KEYS: &[Key] = &[
    Key {
        path: "hostname",
        allowed: "a host name of letters, digits, `-` and `.`, 64 characters at the most",
        text: "Name of the machine, and `host` in its events.",
        put: |d, v| {
            d.hostname = Some(checks::hostname(v)?);
            Some(())
        },
    },
    Key {
        path: "network.interface",
        allowed: NIC,
        text: "Interface by which the machine is reached; the first one when it is left out.",
        put: |d, v| {
            d.network.interface = Some(checks::nic(v)?);
            Some(())
        },
    },
    Key {
        path: "network.address",
        allowed: "`dhcp`, or addresses with their prefix length such as 192.0.2.7/24",
        text: "Its addresses, `dhcp` when left out.",
        put: |d, v| {
            d.network.addresses = checks::addresses(v)?;
            Some(())
        },
    },
    Key {
        path: "network.gateway",
        allowed: ADDRESSES,
        text: "Default routes, one for IPv4 and one for IPv6.",
        put: |d, v| {
            d.network.gateways = checks::list(v, checks::ip)?;
            Some(())
        },
    },
    Key {
        path: "network.dns",
        allowed: ADDRESSES,
        text: "Name servers.",
        put: |d, v| {
            d.network.dns = checks::list(v, checks::ip)?;
            Some(())
        },
    },
    Key {
        path: "network.mtu",
        allowed: MTU,
        text: "Longest packet on it.",
        put: |d, v| {
            d.network.mtu = Some(checks::mtu(v)?);
            Some(())
        },
    },
    Key {
        path: "ssh.keys",
        allowed: "OpenSSH public keys (ssh-ed25519, ecdsa-sha2-*, sk-*, ssh-rsa), without options, 64 at the most",
        text: "Who may log in as `admin`; without a key no SSH server runs.",
        put: |d, v| {
            let mut keys = checks::list(v, checks::ssh_key)?;
            keys.dedup();
            d.ssh.keys = keys;
            (d.ssh.keys.len() <= 64).then_some(())
        },
    },
    Key {
        path: "ssh.from",
        allowed: "prefixes such as 192.0.2.0/24, or a list of them",
        text: "From where; from anywhere when left out.",
        put: |d, v| {
            d.ssh.from = checks::list(v, checks::prefix)?;
            Some(())
        },
    },
    Key {
        path: "time.servers",
        allowed: "host names or addresses of NTP servers, 8 at the most",
        text: "Who knows the time; the image's own servers when left out.",
        put: |d, v| {
            d.time = checks::list(v, checks::server)?;
            (d.time.len() <= 8).then_some(())
        },
    },
    Key {
        path: "update.source",
        allowed: "an absolute folder, or a URL that begins with https:// or http://",
        text: "Where signed versions of the image are looked for, once a day.",
        put: |d, v| {
            d.update = Some(checks::place(v)?);
            Some(())
        },
    },
    Key {
        path: "capture.mode",
        allowed: "one of auto, vf, packet",
        text: "How frames are captured: `auto` drives a virtual function where the machine has an IOMMU, and takes a packet \
               ring of the kernel elsewhere.",
        put: |d, v| {
            d.capture.mode = match v.as_str()? {
                "auto" => Mode::Auto,
                "vf" => Mode::Vf,
                "packet" => Mode::Packet,
                _ => return None,
            };
            Some(())
        },
    },
    Key {
        path: "capture.interface",
        allowed: NIC,
        text: "Interface or virtual function of the mirror; the one after the management interface when left out.",
        put: |d, v| {
            d.capture.interface = Some(checks::nic(v)?);
            Some(())
        },
    },
    Key {
        path: "capture.mtu",
        allowed: MTU,
        text: "Longest packet on it.",
        put: |d, v| {
            d.capture.mtu = Some(checks::mtu(v)?);
            Some(())
        },
    },
];

/// Every value that is no table, with its dotted path.
pub(super) fn leaves<'t>(prefix: &str, table: &'t Table, out: &mut Vec<(String, &'t Value)>) {
    for (name, value) in table {
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            Value::Table(inner) if !inner.is_empty() => leaves(&path, inner, out),
            _ => out.push((path, value)),
        }
    }
}

/// What there is to say to somebody who wrote a key that does not exist.
pub(super) fn unknown(path: &str) -> String {
    let likeness = |key: &&Key| strsim::jaro_winkler(key.path, path);
    let best = KEYS.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    match best.filter(|best| likeness(best) > 0.8) {
        Some(best) => format!("there is no such key; did you mean `{}`?", best.path),
        None => {
            let all: Vec<&str> = KEYS.iter().map(|key| key.path).collect();
            format!("there is no such key; there are {}, and `sensor` for keys of vigie.toml", all.join(", "))
        }
    }
}
