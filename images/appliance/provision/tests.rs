//! Provisioning on a made-up machine, start after start.

use super::*;
use crate::hands::tests::Fake;
use crate::nic::tests::put;

struct Machine {
    folder: tempfile::TempDir,
    place: Place,
}

impl Machine {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let place = Place::under(folder.path().join("root"));
        put(&place, "eth0", "02:00:00:00:00:01", "0000:00:03.0", "virtio_net");
        put(&place, "eth1", "02:00:00:00:00:02", "0000:00:04.0", "virtio_net");
        Self { folder, place }
    }

    /// One start with this user-data.
    fn start(&self, user_data: &str) -> Report {
        let seed = self.folder.path().join("seed");
        fs::create_dir_all(&seed).expect("a folder");
        fs::write(seed.join("user-data"), user_data).expect("a file");
        let wish = Wish {
            place: self.place.clone(),
            seed: Some(seed),
            metadata: Metadata::default(),
            cloud: false,
            live: false,
            patience: Duration::ZERO,
        };
        provision(&wish, &Fake::default()).expect("provisioned")
    }

    fn file(&self, path: &str) -> String {
        fs::read_to_string(self.place.at(path)).unwrap_or_default()
    }

    /// /etc lies in memory: a start finds it as the image has it.
    fn power_cycle(&self) {
        for folder in ["etc", "run"] {
            fs::remove_dir_all(self.place.at(folder)).expect("gone");
        }
    }
}

const MANAGEMENT: &str = "etc/systemd/network/10-management.network";

#[test]
fn a_document_is_accepted_kept_and_made_again_at_each_start() {
    let machine = Machine::new();
    let text = "hostname = \"sensor-7\"\nnetwork.address = \"192.0.2.7/24\"\n[sensor]\nworkers = 2\n";
    let report = machine.start(text);
    assert_eq!((report.standing, report.source.as_str()), (Standing::Accepted, "NoCloud drive"));
    assert_eq!((report.management.as_str(), report.capture.as_str()), ("eth0", "eth1"));
    assert_eq!(machine.file("etc/hostname"), "sensor-7\n");
    assert!(machine.file(MANAGEMENT).contains("Address=192.0.2.7/24"));
    assert!(machine.file("etc/vigie/vigie.toml").contains("workers = 2"));
    machine.power_cycle();
    assert_eq!(machine.start(text).standing, Standing::Unchanged);
    assert_eq!(machine.file("etc/hostname"), "sensor-7\n");
}

#[test]
fn bad_input_leaves_what_was_in_force_and_names_the_key() {
    let machine = Machine::new();
    machine.start("hostname = \"sensor-7\"\nnetwork.address = \"192.0.2.7/24\"");
    machine.power_cycle();
    for (wrong, told) in [
        ("hostname = \"sensor-8\"\nnetwork.address = \"192.0.2.8\"", "`network.address` is `192.0.2.8`"),
        ("hostname = ", "not TOML"),
        ("hostname = \"sensor-8\"\nnetwork.interface = \"eth9\"", "eth0 (02:00:00:00:00:01, 0000:00:03.0)"),
        ("#!/bin/sh\nreboot\n", "runs nothing"),
    ] {
        let report = machine.start(wrong);
        assert_eq!(report.standing, Standing::Refused, "{wrong}");
        assert!(report.problems.iter().any(|p| p.contains(told)), "{wrong}: {:?}", report.problems);
        assert_eq!(machine.file("etc/hostname"), "sensor-7\n");
        assert!(machine.file(MANAGEMENT).contains("Address=192.0.2.7/24"));
        assert_eq!(Report::load(&machine.place).expect("kept for the console"), report);
    }
}

#[test]
fn bad_input_at_a_first_start_leaves_a_machine_that_can_be_reached() {
    let machine = Machine::new();
    let report = machine.start("network.address = \"nowhere\"");
    assert_eq!(report.standing, Standing::Refused);
    assert!(machine.file(MANAGEMENT).contains("DHCP=yes"));
    assert_eq!(machine.file("etc/hostname"), "vigie\n");
}

#[test]
fn what_is_taken_back_is_gone() {
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
    let machine = Machine::new();
    machine.start(&format!("ssh.keys = \"{key}\""));
    assert_eq!(machine.file("etc/vigie/keys/admin"), format!("{key}\n"));
    machine.start("hostname = \"a\"");
    assert!(!machine.place.at("etc/vigie/keys/admin").exists());
    assert!(!machine.file("etc/vigie/sets.nft").contains("ssh4"));
}

#[test]
fn the_console_wins_over_the_source_in_what_it_sets() {
    let machine = Machine::new();
    let given = "hostname = \"a\"\nnetwork.address = \"192.0.2.7/24\"\nnetwork.gateway = \"192.0.2.1\"\nnetwork.mtu = 1400";
    machine.start(given);
    let set = |text: &str| set_local(&machine.place, &text.parse().expect("TOML"));
    let wrong =
        set("network.address = \"198.51.100.7/24\"\nnetwork.gateway = \"192.0.2.1\"").expect_err("elsewhere");
    assert!(wrong[0].contains("network.gateway"), "{wrong:?}");
    set("network.address = \"198.51.100.7/24\"").expect("fine");
    machine.power_cycle();
    machine.start(given);
    let text = machine.file(MANAGEMENT);
    assert!(
        text.contains("Address=198.51.100.7/24")
            && !text.contains("Gateway")
            && text.contains("MTUBytes=1400"),
        "{text}"
    );
    set("").expect("taken back");
    machine.start(given);
    assert!(machine.file(MANAGEMENT).contains("Address=192.0.2.7/24"));
}

#[test]
fn a_spoiled_memory_is_no_memory() {
    let machine = Machine::new();
    machine.start("hostname = \"a\"");
    fs::write(machine.place.state("accepted.toml"), [0xff, 0, b'=']).expect("spoiled");
    assert_eq!(machine.start("hostname = 5").standing, Standing::Refused);
    assert_eq!(machine.file("etc/hostname"), "vigie\n");
}
