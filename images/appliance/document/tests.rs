//! Drafts and documents.

use super::*;
use proptest::prelude::*;

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl a@b";

fn read(text: &str) -> Result<Document, Vec<String>> {
    let draft = Draft::of("vigie.toml", text.parse().expect("TOML"));
    Document::read(&draft).map_err(|list| list.iter().map(ToString::to_string).collect())
}

#[test]
fn everything_can_be_said() {
    let text = format!(
        "hostname = \"Sensor-7.example.org\"\n[network]\naddress = [\"192.0.2.7/24\", \"2001:db8::7/64\"]\n\
         gateway = [\"192.0.2.1\", \"fe80::1\"]\ndns = \"192.0.2.53\"\nmtu = 1500\ninterface = \"02:00:00:00:00:01\"\n\
         [ssh]\nkeys = [\"{KEY}\"]\nfrom = [\"192.0.2.9/24\", \"2001:db8::1\"]\n[time]\nservers = [\"ntp.example.org\"]\n\
         [capture]\nmode = \"vf\"\ninterface = \"0000:06:10.0\"\nmtu = 9001\n\
         [sensor]\nworkers = 2\n[sensor.eve]\nsocket = \"/run/collect.sock\"\n"
    );
    let document = read(&text).expect("a document");
    assert_eq!(document.hostname.as_deref(), Some("sensor-7.example.org"));
    assert_eq!(document.network.addresses.len(), 2);
    assert_eq!(document.ssh.from[0].to_string(), "192.0.2.0/24");
    assert_eq!(document.capture.mode, Mode::Vf);
    let file: Table = document.sensor_file(None).parse().expect("TOML");
    assert_eq!(file["name"].as_str(), Some("sensor-7.example.org"));
    assert!(file["eve"].get("file").is_none(), "a socket was asked for");
}

#[test]
fn nothing_said_is_a_document_too() {
    let document = read("").expect("nothing");
    let file: Table = document.sensor_file(None).parse().expect("TOML");
    assert_eq!(file["eve"]["file"].as_str(), Some(EVE));
    assert!(file["eve"]["rotate"]["size"].as_str().is_some());
}

#[test]
fn events_leave_half_of_a_small_disk() {
    let document = read("").expect("nothing");
    let size = |disk| {
        let file: Table = document.sensor_file(disk).parse().expect("TOML");
        file["eve"]["rotate"]["size"].as_str().expect("text").to_owned()
    };
    // what an image of 2 GiB leaves, a disk of 8 GiB, none that is known
    assert_eq!(size(Some(650 << 20)), "36 MiB");
    assert_eq!(size(Some(6 << 30)), "128 MiB");
    assert_eq!(size(None), "128 MiB");
    assert_eq!(size(Some(0)), "1 MiB");
    let own = read("[sensor]\neve.rotate.size = \"5 MiB\"\n").expect("a document");
    assert!(own.sensor_file(Some(650 << 20)).contains("5 MiB"));
}

#[test]
fn each_mistake_names_its_key_and_what_is_allowed() {
    for (text, key, allowed) in [
        ("hostname = \"-x\"", "hostname", "letters"),
        ("hostname = \"a b\"", "hostname", "letters"),
        ("network.address = \"192.0.2.7\"", "network.address", "192.0.2.7/24"),
        ("network.address = \"192.0.2.300/24\"", "network.address", "dhcp"),
        ("network.address = []", "network.address", "dhcp"),
        ("network.gateway = \"192.0.2.1\"", "network.gateway", "DHCP"),
        (
            "network.address = \"192.0.2.7/24\"\nnetwork.gateway = \"192.0.3.1\"",
            "network.gateway",
            "in the prefix",
        ),
        (
            "network.address = \"192.0.2.7/24\"\nnetwork.gateway = \"192.0.2.7\"",
            "network.gateway",
            "another address",
        ),
        ("network.mtu = 100", "network.mtu", "1280"),
        ("ssh.keys = [\"ssh-ed25519 AAAA\"]", "ssh.keys", "OpenSSH"),
        ("ssh.keys = [\"command=\\\"x\\\" ssh-ed25519 AAAA\"]", "ssh.keys", "without options"),
        ("ssh.from = \"everywhere\"", "ssh.from", "prefixes"),
        ("time.servers = [\"a b\"]", "time.servers", "NTP"),
        ("update.source = \"ftp://x\"", "update.source", "https://"),
        ("update.source = \"/a b\"", "update.source", "folder"),
        ("capture.mode = \"dpdk\"", "capture.mode", "auto, vf, packet"),
        ("capture.interface = \"eth0;reboot\"", "capture.interface", "MAC"),
        ("capture.mood = \"vf\"", "capture.mood", "capture.mode"),
        ("password = \"x\"", "password", "there is no such key"),
        ("sensor = 5", "sensor", "table"),
        ("sensor.workers = 999", "sensor.workers", "0 to 256"),
        ("sensor.wrokers = 1", "sensor.wrokers", "sensor.workers"),
        ("sensor.capture.interface = \"eth1\"", "sensor.capture.interface", "beside"),
    ] {
        let found = read(text).expect_err(text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(found[0].contains(&format!("`{key}`")), "{text}: {found:?}");
        assert!(found[0].contains(allowed), "{text}: {found:?}");
    }
}

#[test]
fn every_mistake_is_told_at_once() {
    assert_eq!(read("hostname = \"?\"\nnetwork.mtu = 1\nnothing = 2\n").expect_err("wrong").len(), 3);
}

#[test]
fn a_draft_yields_to_what_was_said_before_and_keeps_names() {
    let mut first = Draft::from("OVF property");
    first.put("hostname", "hostname", Value::String("one".into()));
    let mut second = Draft::from("user-data");
    second.put("hostname", "fqdn", Value::String("two".into()));
    second.put("network.mtu", "mtu", Value::Integer(3));
    first.under(second);
    let found = Document::read(&first).expect_err("an MTU of three");
    assert_eq!(first.table["hostname"].as_str(), Some("one"));
    assert!(found[0].to_string().starts_with("user-data: `mtu` is `3`"), "{}", found[0]);
}

#[test]
fn the_manual_explains_every_key() {
    let page = include_str!("../../../docs/appliance.md");
    for key in KEYS {
        assert!(page.contains(&format!("`{}`", key.path)), "docs/appliance.md lacks {}", key.path);
        assert!(!key.text.is_empty());
    }
}

proptest! {
    #[test]
    fn no_text_breaks_out_of_the_files_that_are_made_of_it(name in ".{0,80}", key in "[ -~\n]{0,60}") {
        let mut draft = Draft::from("test");
        draft.put("hostname", "hostname", Value::String(name));
        draft.put("capture.interface", "interface", Value::String(key.clone()));
        draft.put("ssh.keys", "keys", Value::String(key));
        if let Ok(document) = Document::read(&draft) {
            for text in document.hostname.iter().chain(&document.capture.interface).chain(&document.ssh.keys) {
                prop_assert!(!text.contains(['\n', '\r', '\0', ';', '{', '"']), "{text:?}");
            }
        }
    }
}
