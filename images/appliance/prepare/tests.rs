//! Choosing, and what is done for it, on a made-up machine.

use super::*;
use crate::hands::tests::Fake;
use crate::nic::tests::put;
use capture::vf::pci::Family;

fn function(address: &str, group: Option<u32>, interface: Option<&str>) -> Function {
    Function {
        address: address.parse().expect("an address"),
        device: 0x154c,
        family: Family::X710,
        driver: interface.map(|_| "iavf".to_owned()),
        group,
        node: None,
        parent: None,
        state: match interface {
            Some(name) => State::Kernel { interface: Some((name.into(), false)) },
            None => State::Free,
        },
    }
}

fn nic(name: &str, slot: &str) -> Nic {
    Nic {
        name: name.into(),
        mac: "02:00:00:00:00:01".into(),
        slot: slot.into(),
        driver: "virtio_net".into(),
        up: true,
    }
}

fn roles(management: &str, capture: &str) -> Roles {
    Roles {
        management: Some(nic(management, "0000:00:03.0")),
        capture: Some(nic(capture, "0000:00:04.0")),
        missing: Vec::new(),
    }
}

fn chosen_of(mode: Mode, named: Option<&str>, roles: &Roles, functions: &[Function]) -> (String, String) {
    let choice = choose(&Seen { mode, named, roles, functions });
    (choice.name(), choice.reason)
}

#[test]
fn a_function_behind_an_iommu_is_taken() {
    let functions = [function("06:10.0", Some(7), Some("eth1"))];
    let (name, _) = chosen_of(Mode::Auto, None, &roles("eth0", "eth1"), &functions);
    assert_eq!(name, "X710 function 0000:06:10.0");
}

#[test]
fn without_an_iommu_the_ring_is_taken_and_the_reason_told() {
    let functions = [function("06:10.0", None, Some("eth1"))];
    let (name, reason) = chosen_of(Mode::Auto, None, &roles("eth0", "eth1"), &functions);
    assert_eq!(name, "interface eth1 (virtio_net), packet ring");
    assert!(
        reason.contains("0000:06:10.0") && reason.contains("no IOMMU") && reason.contains("viommu"),
        "{reason}"
    );
    let (name, _) = chosen_of(Mode::Vf, None, &roles("eth0", "eth1"), &functions);
    assert_eq!(name, "nothing");
}

#[test]
fn the_function_by_which_the_machine_is_reached_is_left_alone() {
    let functions = [function("06:10.0", Some(7), Some("eth0")), function("06:10.1", Some(8), None)];
    let (name, _) = chosen_of(Mode::Auto, None, &roles("eth0", "eth1"), &functions);
    assert_eq!(name, "X710 function 0000:06:10.1");
    let (name, reason) = chosen_of(Mode::Auto, None, &roles("eth0", "eth1"), &functions[..1]);
    assert_eq!(name, "interface eth1 (virtio_net), packet ring");
    assert!(reason.contains("no virtual function"), "{reason}");
}

#[test]
fn what_was_asked_for_wins() {
    let functions = [function("06:10.0", Some(7), None), function("06:10.1", Some(8), None)];
    let seen = |mode, named| chosen_of(mode, named, &roles("eth0", "eth1"), &functions).0;
    assert_eq!(seen(Mode::Auto, Some("0000:06:10.1")), "X710 function 0000:06:10.1");
    assert_eq!(seen(Mode::Auto, Some("eth1")), "interface eth1 (virtio_net), packet ring");
    assert_eq!(seen(Mode::Packet, None), "interface eth1 (virtio_net), packet ring");
}

/// A machine with two virtio interfaces.
fn machine() -> (tempfile::TempDir, Place) {
    let folder = tempfile::tempdir().expect("a folder");
    let place = Place::under(folder.path());
    put(&place, "eth0", "02:00:00:00:00:01", "0000:00:03.0", "virtio_net");
    put(&place, "eth1", "02:00:00:00:00:02", "0000:00:04.0", "virtio_net");
    (folder, place)
}

#[test]
fn an_interface_is_hidden_tuned_and_brought_up_in_this_order() {
    let (_folder, place) = machine();
    let ethtool = "generic-receive-offload: on\nrx-vlan-offload: off\n";
    let hands = Fake { answers: vec![("ethtool -k", Ok(ethtool))], ..Fake::default() };
    let prepared = prepare(&place, &hands).expect("prepared");
    let seen = hands.seen.borrow();
    let at = |start: &str| {
        seen.iter().position(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{start}: {seen:?}"))
    };
    assert!(at("nft add table netdev vigie_eth1") < at("ethtool -K eth1 gro off"));
    assert!(at("ethtool -K eth1 gro off") < at("ip link set dev eth1 arp off promisc on up"));
    assert!(prepared.refused.is_empty(), "{:?}", prepared.refused);
    let told = fs::read_to_string(place.run("capture.env")).expect("written");
    assert_eq!(told, "VIGIE_CAPTURE=--interface eth1\n");
    let (source, reason, _) = chosen(&place).expect("written");
    assert!(source.contains("eth1") && reason.contains("no virtual function"), "{source}: {reason}");
}

#[test]
fn what_is_refused_is_told_and_capturing_goes_on() {
    let (_folder, place) = machine();
    let hands = Fake {
        answers: vec![
            ("ethtool -k", Ok("generic-receive-offload: on")),
            ("ethtool -K", Err("not supported")),
        ],
        ..Fake::default()
    };
    let prepared = prepare(&place, &hands).expect("prepared");
    assert_eq!(prepared.refused, ["eth1: gro off: not supported"]);
}

#[test]
fn a_machine_without_interfaces_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = Place::under(folder.path());
    let error = prepare(&place, &Fake::default()).expect_err("nothing there");
    assert!(error.to_string().contains("no Ethernet interface"), "{error}");
    assert_eq!(fs::read_to_string(place.run("capture.env")).expect("written"), "VIGIE_CAPTURE=\n");
}
