//! The part of `#cloud-config` that a sensor can be told: its name, its keys, its time servers, and below `vigie` the
//! schema itself. Keys that ask for what this machine does not do are passed over and told; unknown ones are mistakes.

use crate::document::Draft;
use serde_json::Value as Json;
use toml::{Table, Value};

/// What is passed over: keys of cloud-init that drives and clouds write by themselves, or that mean nothing here.
const PASSED_OVER: &[&str] = &[
    "apt",
    "bootcmd",
    "chpasswd",
    "disable_root",
    "disk_setup",
    "final_message",
    "fs_setup",
    "groups",
    "growpart",
    "keyboard",
    "locale",
    "manage_etc_hosts",
    "manage_resolv_conf",
    "mounts",
    "output",
    "package_reboot_if_required",
    "package_update",
    "package_upgrade",
    "packages",
    "password",
    "phone_home",
    "power_state",
    "prefer_fqdn_over_hostname",
    "preserve_hostname",
    "resize_rootfs",
    "resolv_conf",
    "runcmd",
    "ssh",
    "ssh_deletekeys",
    "ssh_genkeytypes",
    "ssh_pwauth",
    "swap",
    "timezone",
    "user",
    "write_files",
];

/// Reads a `#cloud-config` document.
#[must_use]
pub fn cloud_config(origin: &str, text: &str) -> Draft {
    let mut draft = Draft::from(origin);
    let root = match yaml(text) {
        Ok(Json::Object(root)) => root,
        Ok(Json::Null) => return draft,
        Ok(_) => {
            draft.refuse("", "", "a mapping of keys is expected");
            return draft;
        }
        Err(why) => {
            draft.refuse("", "", format!("not YAML: {why}"));
            return draft;
        }
    };
    if let Some(own) = root.get("vigie") {
        match to_toml(own) {
            Some(Value::Table(table)) => draft.under(Draft::of(&format!("{origin}, vigie"), table)),
            _ => draft.refuse("vigie", &own.to_string(), "a mapping of keys, without null"),
        }
    }
    for name in ["hostname", "fqdn"] {
        text_to(&mut draft, "hostname", name, root.get(name));
    }
    let mut keys = strings(root.get("ssh_authorized_keys"));
    for user in root.get("users").and_then(Json::as_array).into_iter().flatten() {
        keys.extend(strings(user.get("ssh_authorized_keys")));
    }
    if !keys.is_empty() {
        draft.put("ssh.keys", "ssh_authorized_keys", Value::Array(keys));
    }
    if let Some(ntp) = root.get("ntp") {
        let mut servers = strings(ntp.get("servers"));
        servers.extend(strings(ntp.get("pools")));
        if !servers.is_empty() {
            draft.put("time.servers", "ntp", Value::Array(servers));
        }
    }
    const TAKEN: &[&str] = &["vigie", "hostname", "fqdn", "ssh_authorized_keys", "users", "ntp"];
    for key in root.keys().filter(|key| !TAKEN.contains(&key.as_str())) {
        match key.as_str() {
            "password" | "chpasswd" => draft.note(key, "is passed over: this machine has no passwords"),
            known if PASSED_OVER.contains(&known) => draft.note(key, "is passed over: it means nothing here"),
            _ => draft.refuse(
                key,
                "",
                "there is no such key; there are hostname, fqdn, ssh_authorized_keys, users, ntp and vigie",
            ),
        }
    }
    draft
}

/// YAML into a tree, within the library's budget of nodes, depth and aliases.
pub(super) fn yaml(text: &str) -> Result<Json, String> {
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(Json::Null);
    }
    serde_saphyr::from_str(text).map_err(|e| e.to_string().lines().next().unwrap_or_default().to_owned())
}

fn text_to(draft: &mut Draft, path: &str, name: &str, value: Option<&Json>) {
    match value {
        Some(Json::String(text)) => draft.put(path, name, Value::String(text.clone())),
        Some(Json::Null) | None => {}
        Some(other) => draft.put(path, name, Value::String(other.to_string())),
    }
}

/// A text or a list of texts.
pub(super) fn strings(value: Option<&Json>) -> Vec<Value> {
    match value {
        Some(Json::String(text)) => text.split_whitespace().map(|word| Value::String(word.into())).collect(),
        Some(Json::Array(items)) => {
            let text = |item: &Json| item.as_str().map_or_else(|| item.to_string(), str::to_owned);
            items.iter().map(|item| Value::String(text(item))).collect()
        }
        _ => Vec::new(),
    }
}

/// The same tree in TOML; nothing where it has null or a number that TOML has not.
fn to_toml(value: &Json) -> Option<Value> {
    Some(match value {
        Json::Null => return None,
        Json::Bool(flag) => Value::Boolean(*flag),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Value::Integer(whole),
            None => Value::Float(number.as_f64()?),
        },
        Json::String(text) => Value::String(text.clone()),
        Json::Array(items) => Value::Array(items.iter().map(to_toml).collect::<Option<_>>()?),
        Json::Object(map) => {
            let entry = |(key, value): (&String, &Json)| Some((key.clone(), to_toml(value)?));
            Value::Table(map.iter().map(entry).collect::<Option<Table>>()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Document;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

    /// What Proxmox writes onto its drive.
    #[test]
    fn the_drive_of_proxmox_is_read_and_its_password_passed_over() {
        let text = format!(
            "#cloud-config\nhostname: sensor-7\nmanage_etc_hosts: true\nfqdn: sensor-7.example.org\nuser: jo\n\
             password: $5$abc\nssh_authorized_keys:\n  - {KEY}\nchpasswd:\n  expire: False\nusers:\n  - default\n\
             package_upgrade: true\n"
        );
        let draft = cloud_config("user-data", &text);
        let document = Document::read(&draft).expect("a document");
        assert_eq!(document.hostname.as_deref(), Some("sensor-7"));
        assert_eq!(document.ssh.keys, [KEY]);
        assert!(
            draft.notes.iter().any(|n| n.contains("`password`") && n.contains("no passwords")),
            "{:?}",
            draft.notes
        );
        assert!(draft.notes.iter().all(|n| !n.contains("$5$")));
    }

    #[test]
    fn our_own_schema_stands_below_vigie_and_wins() {
        let text = "#cloud-config\nhostname: a\nvigie:\n  hostname: b\n  capture: {mode: packet, interface: eth1}\n  \
            sensor:\n    workers: 2\n    events: {netflow: true}\nntp: {servers: [192.0.2.1], pools: pool.example.org}\n";
        let document = Document::read(&cloud_config("user-data", text)).expect("a document");
        assert_eq!(document.hostname.as_deref(), Some("b"));
        assert_eq!(document.time, ["192.0.2.1", "pool.example.org"]);
        assert_eq!(document.sensor["workers"].as_integer(), Some(2));
    }

    #[test]
    fn mistakes_are_told_by_key() {
        for (text, told) in [
            ("#cloud-config\nhostnam: a\n", "`hostnam`: there is no such key"),
            ("#cloud-config\nvigie: {network: {address: 192.0.2.7}}\n", "`network.address` is `192.0.2.7`"),
            ("#cloud-config\nvigie: {network: ~}\n", "`vigie`"),
            ("#cloud-config\n- a\n", "a mapping of keys"),
            ("#cloud-config\na: [\n", "not YAML"),
            ("#cloud-config\na: 1\na: 2\n", "not YAML"),
            ("#cloud-config\nhostname: [a]\n", "`hostname`"),
        ] {
            let problems = Document::read(&cloud_config("user-data", text)).expect_err(text);
            assert!(problems.iter().any(|p| p.to_string().contains(told)), "{text}: {problems:?}");
        }
        assert!(cloud_config("user-data", "#cloud-config\n# nothing\n").is_empty());
    }

    #[test]
    fn references_that_grow_are_refused() {
        let mut text = "#cloud-config\na: &a [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for (name, before) in "bcdefghij".chars().zip("abcdefghi".chars()) {
            text += &format!("{name}: &{name} [{}]\n", vec![format!("*{before}"); 9].join(", "));
        }
        let draft = cloud_config("user-data", &text);
        assert!(draft.problems[0].to_string().contains("not YAML"), "{:?}", draft.problems);
    }
}
