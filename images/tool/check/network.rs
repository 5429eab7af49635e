//! What of the image can be reached.

use super::Subject;
use super::tree::Root;

/// Folders of units, the first that has one wins.
const UNITS: &[&str] = &["etc/systemd/system", "usr/lib/systemd/system"];
/// Services of Debian that listen on a network when they run.
const LISTENERS: &[&str] = &[
    "rpcbind",
    "avahi-daemon",
    "cups",
    "exim4",
    "postfix",
    "nginx",
    "apache2",
    "systemd-journal-remote",
    "sshd-vsock",
];

/// Units that are enabled, by what wants them.
fn enabled(root: &Root<'_>) -> Vec<String> {
    let mut units = Vec::new();
    for folder in UNITS {
        let wanting =
            root.names(folder).into_iter().filter(|n| n.ends_with(".wants") || n.ends_with(".requires"));
        units.extend(wanting.flat_map(|wants| root.names(&format!("{folder}/{wants}"))));
    }
    units.sort();
    units.dedup();
    units
}

fn masked(root: &Root<'_>, unit: &str) -> bool {
    std::fs::read_link(root.at(&format!("etc/systemd/system/{unit}")))
        .is_ok_and(|to| to.as_os_str() == "/dev/null")
}

fn unit_text(root: &Root<'_>, unit: &str) -> String {
    let texts = UNITS.iter().filter_map(|folder| root.text(&format!("{folder}/{unit}")));
    texts.take(1).collect()
}

pub(super) fn listening(subject: &Subject) -> Option<Vec<String>> {
    let root = subject.tree()?;
    let mut faults = Vec::new();
    for unit in enabled(&root).into_iter().filter(|unit| !masked(&root, unit)) {
        let text = unit_text(&root, &unit);
        let addresses = text.lines().filter_map(|line| line.trim().strip_prefix("Listen")?.split_once('='));
        for (kind, address) in addresses {
            // Paths and abstract names are local, vsock and netlink are no network.
            let local = address.trim().starts_with(['/', '@', '%'])
                || address.trim().is_empty()
                || address.contains("vsock");
            if matches!(kind, "Stream" | "Datagram" | "SequentialPacket") && !local {
                faults.push(format!("{unit} listens on {}", address.trim()));
            }
        }
        let name = unit.split('.').next().unwrap_or_default();
        if LISTENERS.contains(&name) {
            faults.push(format!("{unit} is enabled"));
        }
    }
    let resolved: String = root
        .files("usr/lib/systemd/resolved.conf.d")
        .iter()
        .chain(&root.files("etc/systemd/resolved.conf.d"))
        .filter_map(|path| root.text(path))
        .collect();
    if root.has("usr/lib/systemd/systemd-resolved") {
        for key in ["LLMNR=no", "MulticastDNS=no"] {
            if !resolved.lines().any(|line| line.trim() == key) {
                faults.push(format!("systemd-resolved without {key} listens on every interface"));
            }
        }
    }
    Some(faults)
}

pub(super) fn firewall(subject: &Subject) -> Option<Vec<String>> {
    let root = subject.tree()?;
    let text = root.text("etc/nftables.conf").unwrap_or_default();
    let mut faults = Vec::new();
    for hook in ["input", "forward"] {
        let closed =
            text.lines().any(|line| line.contains(&format!("hook {hook} ")) && line.contains("policy drop"));
        if !closed {
            faults.push(format!("/etc/nftables.conf does not drop {hook}"));
        }
    }
    if !enabled(&root).iter().any(|unit| unit == "nftables.service") || masked(&root, "nftables.service") {
        faults.push("nftables.service is not enabled".into());
    }
    Some(faults)
}

pub(super) fn ssh(subject: &Subject) -> Option<Vec<String>> {
    let root = subject.tree()?;
    if !root.has("usr/sbin/sshd") {
        return Some(Vec::new());
    }
    // The first value of a key counts, and parts are read before the rest.
    let parts = root.files("etc/ssh/sshd_config.d");
    let text: String = parts
        .iter()
        .map(String::as_str)
        .chain(["etc/ssh/sshd_config"])
        .filter_map(|p| root.text(p))
        .collect();
    let value = |key: &str| {
        text.lines().find_map(|line| {
            let (name, value) = line.trim().split_once(char::is_whitespace)?;
            name.eq_ignore_ascii_case(key).then(|| value.trim().to_owned())
        })
    };
    let mut faults = Vec::new();
    for key in
        ["PasswordAuthentication", "KbdInteractiveAuthentication", "PermitRootLogin", "PermitEmptyPasswords"]
    {
        if value(key).as_deref() != Some("no") {
            faults.push(format!("{key} is {}, not no", value(key).unwrap_or_else(|| "not set".into())));
        }
    }
    let waits = UNITS.iter().flat_map(|folder| root.files(&format!("{folder}/ssh.service.d")));
    let waits: String = waits.filter_map(|path| root.text(&path)).collect();
    if !waits.contains("ConditionPathExists=") {
        faults.push("ssh.service runs without a key: no ConditionPathExists".into());
    }
    Some(faults)
}

pub(super) fn prompts(subject: &Subject) -> Option<Vec<String>> {
    let root = subject.tree()?;
    let prompts = ["getty@.service", "serial-getty@.service", "console-getty.service", "debug-shell.service"];
    let open = |unit: &&&str| root.has(&format!("usr/lib/systemd/system/{unit}")) && !masked(&root, unit);
    Some(prompts.iter().filter(open).map(|unit| format!("{unit} is not masked")).collect())
}
