//! A support bundle: what somebody needs who is to help, and no secret. It holds states and logs; what a machine was given
//! is in it without keys and user-data.

use crate::{Hands, Place, place};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};
use toml::{Table, Value};

/// Commands, and the files that their output becomes.
const COMMANDS: &[(&str, &[&str])] = &[
    ("journal.txt", &["journalctl", "--boot", "--no-pager", "--output=short-monotonic", "--lines=20000"]),
    ("journal-before.txt", &["journalctl", "--boot=-1", "--no-pager", "--lines=2000"]),
    ("units.txt", &["systemctl", "list-units", "--all", "--no-pager", "--plain"]),
    ("failed.txt", &["systemctl", "--failed", "--no-pager", "--plain"]),
    ("sensor.txt", &["systemctl", "status", "--no-pager", "--full", "vigie.service"]),
    ("counters.json", &["vigie", "counters", "--json"]),
    ("configuration.toml", &["vigie", "config", "show", "--config", "/etc/vigie/vigie.toml"]),
    ("functions.txt", &["vigie", "vf", "list"]),
    ("links.txt", &["ip", "-details", "-statistics", "link"]),
    ("addresses.txt", &["ip", "addr"]),
    ("routes.txt", &["ip", "route", "show", "table", "all"]),
    ("networks.txt", &["networkctl", "status", "--all", "--no-pager"]),
    ("firewall.txt", &["nft", "list", "ruleset"]),
    ("sockets.txt", &["ss", "-tulpn"]),
    ("pci.txt", &["lspci", "-nnk"]),
    ("disk.txt", &["df", "-h"]),
    ("memory.txt", &["free", "-m"]),
    ("processes.txt", &["ps", "-eo", "pid,user,pcpu,rss,etime,args"]),
    ("time.txt", &["timedatectl", "timesync-status"]),
    ("boot.txt", &["bootctl", "status", "--no-pager"]),
];

/// Files that go in as they are.
const FILES: &[&str] = &[
    "run/vigie-appliance/provision.json",
    "run/vigie-appliance/capture.json",
    "etc/os-release",
    "proc/cmdline",
    "proc/meminfo",
    "proc/interrupts",
    "proc/softirqs",
];

/// Most bytes of one file.
const MOST: usize = 8 << 20;

/// Writes a bundle. What cannot be had is in it as the reason why.
///
/// # Errors
/// When `out` cannot be written.
pub fn bundle(place: &Place, hands: &dyn Hands, out: impl Write) -> io::Result<()> {
    let mut tar = tar::Builder::new(GzEncoder::new(out, Compression::default()));
    let time = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |t| t.as_secs());
    let mut add = |name: &str, body: &[u8]| {
        let body = body.get(..MOST).unwrap_or(body);
        let mut header = tar::Header::new_ustar();
        header.set_size(u64::try_from(body.len()).unwrap_or(0));
        header.set_mode(0o640);
        header.set_mtime(time);
        tar.append_data(&mut header, format!("vigie-support/{name}"), body)
    };
    for (name, command) in COMMANDS {
        let text = hands.run(command).unwrap_or_else(|e| format!("{e}\n"));
        add(name, text.as_bytes())?;
    }
    for path in FILES {
        let body = fs::read(place.at(path)).unwrap_or_else(|e| format!("{path}: {e}\n").into_bytes());
        add(path.rsplit('/').next().unwrap_or(path), &body)?;
    }
    for name in ["accepted.toml", "local.toml"] {
        if let Ok(text) = fs::read_to_string(place.state(name)) {
            add(name, without_keys(&text).as_bytes())?;
        }
    }
    tar.into_inner()?.finish()?.flush()
}

/// Who may log in is nobody's business who helps.
fn without_keys(text: &str) -> String {
    let Ok(mut table) = text.parse::<Table>() else { return "not TOML\n".to_owned() };
    if let Some(Value::Table(ssh)) = table.get_mut("ssh") {
        let keys = ssh.get("keys").and_then(Value::as_array).map_or(0, Vec::len);
        ssh.insert("keys".into(), Value::String(format!("{keys} of them, left out")));
    }
    table.to_string()
}

/// Keeps a bundle on the disk, in place of the one before.
///
/// # Errors
/// When the system refuses the file.
pub fn keep(place: &Place, hands: &dyn Hands) -> io::Result<PathBuf> {
    let path = place.state("support/vigie-support.tar.gz");
    let mut body = Vec::new();
    bundle(place, hands, &mut body)?;
    place::write(&path, &body, 0o600)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hands::tests::Fake;
    use flate2::read::GzDecoder;
    use std::io::Read as _;

    #[test]
    fn a_bundle_has_what_there_is_and_the_reason_for_what_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = Place::under(folder.path());
        let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
        place::write(
            &place.state("accepted.toml"),
            format!("hostname = \"a\"\n[ssh]\nkeys = [\"{key}\"]\n").as_bytes(),
            0o600,
        )
        .expect("a file");
        let hands = Fake {
            answers: vec![("nft", Ok("table inet vigie {}")), ("lspci", Err("no such command"))],
            ..Fake::default()
        };
        let kept = keep(&place, &hands).expect("a bundle");
        let mut tar = tar::Archive::new(GzDecoder::new(fs::File::open(kept).expect("there")));
        let mut found = std::collections::BTreeMap::new();
        for entry in tar.entries().expect("a tar") {
            let mut entry = entry.expect("an entry");
            let mut text = String::new();
            let name = entry.path().expect("a name").display().to_string();
            entry.read_to_string(&mut text).expect("text");
            found.insert(name, text);
        }
        assert_eq!(found["vigie-support/firewall.txt"], "table inet vigie {}");
        assert_eq!(found["vigie-support/pci.txt"], "no such command\n");
        assert!(found["vigie-support/accepted.toml"].contains("1 of them, left out"));
        assert!(found.values().all(|text| !text.contains("AAAAC3")));
        assert!(found.contains_key("vigie-support/capture.json"));
    }
}
