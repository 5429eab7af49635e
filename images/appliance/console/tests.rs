//! The menu on a made-up machine.

use super::*;
use crate::hands::tests::Fake;
use crate::nic::tests::put;
use std::fs;

/// Types lines, and gives what was shown and what was run.
fn typing(place: &Place, lines: &[&str]) -> (String, Vec<String>) {
    let (to, from) = channel();
    for line in lines.iter().skip(1) {
        to.send(format!("{line}\n")).expect("room");
    }
    drop(to);
    let hands = Fake::default();
    let mut out = Vec::new();
    menu::act(lines[0], place, &hands, &from, &mut out).expect("memory");
    (String::from_utf8(out).expect("text"), hands.seen.into_inner())
}

fn machine() -> (tempfile::TempDir, Place) {
    let folder = tempfile::tempdir().expect("a folder");
    let place = Place::under(folder.path());
    put(&place, "eth0", "02:00:00:00:00:01", "0000:00:03.0", "virtio_net");
    (folder, place)
}

#[test]
fn a_static_address_is_set_and_taken_back() {
    let (_folder, place) = machine();
    let file =
        || fs::read_to_string(place.at("etc/systemd/network/10-management.network")).unwrap_or_default();
    let (told, run) = typing(&place, &["1", "192.0.2.7/24", "192.0.2.1", ""]);
    assert!(told.contains("done"), "{told}");
    assert!(run.iter().any(|line| line == "networkctl reload"), "{run:?}");
    assert!(file().contains("Address=192.0.2.7/24"), "{}", file());
    typing(&place, &["2"]);
    assert!(file().contains("DHCP=yes"), "{}", file());
}

#[test]
fn a_wrong_address_changes_nothing_and_says_why() {
    let (_folder, place) = machine();
    let (told, run) = typing(&place, &["1", "192.0.2.7", "", ""]);
    assert!(told.contains("`network.address`") && told.contains("192.0.2.7/24"), "{told}");
    assert!(run.is_empty() && !place.state("local.toml").exists());
    let (told, _) = typing(&place, &["1", ""]);
    assert!(told.contains("nothing was done"), "{told}");
}

#[test]
fn nothing_is_erased_unless_it_is_meant() {
    let (_folder, place) = machine();
    assert!(typing(&place, &["7", "yes"]).1.is_empty());
    assert!(typing(&place, &["7"]).1.is_empty());
    assert_eq!(typing(&place, &["7", "RESET"]).1, ["/usr/lib/vigie/factory-reset"]);
    let (told, run) = typing(&place, &["\x1b[A; rm"]);
    assert!(told.contains("one of 1 to 7") && run.is_empty(), "{told}");
}

#[test]
fn a_machine_is_looked_at() {
    let (_folder, place) = machine();
    fs::create_dir_all(place.at("run/vigie-appliance")).expect("a folder");
    let report = crate::provision::Report { management: "eth0".into(), ..Default::default() };
    fs::write(place.run("provision.json"), report.json()).expect("a file");
    let addresses = r#"[{"operstate":"UP","addr_info":[{"local":"192.0.2.7","prefixlen":24,"scope":"global","dynamic":true},
        {"local":"fe80::1","prefixlen":64,"scope":"link"}]}]"#;
    let hands = Fake {
        answers: vec![("ip -json", Ok(addresses)), ("systemctl show", Ok("failed\n"))],
        ..Fake::default()
    };
    let text = page(&place, &hands, &|| None, "1.2.3");
    assert!(text.contains("192.0.2.7/24 (DHCP) on eth0") && !text.contains("fe80"), "{text}");
    assert!(text.contains("FAILED") && text.contains("vigie 1.2.3"), "{text}");
}
