//! Traffic on the wire of the capture interface, and what the sensor makes of it.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testbed::guest::{Appliance, Board, Firmware, Made, Nic};
use testbed::{assert_same_events, binary, events, events_of};
use world::{PcapReader, PcapWriter};

use crate::stage::Stage;

/// How long a sensor may take to begin, from when scripts run.
const BEGIN: Duration = Duration::from_secs(420);
/// Frames a second: within what a machine without hardware virtualisation takes.
const RATE: u32 = 500;

/// Sends DNS to the capture interface until its events are on the disk.
pub(crate) fn captures(stage: &Stage, appliance: &mut Appliance) {
    let frames = frames(&bundled("dns"));
    let since = Instant::now();
    loop {
        for frame in &frames {
            appliance.send(frame);
        }
        let seen = appliance.machine.attempt("cat /var/log/vigie/*.json | grep -c '\"event_type\":\"dns\"'");
        if seen.status == 0 {
            stage.note("dns_events", seen.text.trim());
            return;
        }
        let told = "systemctl list-jobs --no-legend | head; systemctl --no-pager status vigie vigie-prepare | tail -n 40";
        assert!(
            since.elapsed() < BEGIN,
            "no event: {}\n{}",
            appliance.machine.run(told),
            appliance.machine.told()
        );
        std::thread::sleep(Duration::from_secs(2));
    }
}

/// What was chosen to capture from, and why.
pub(crate) fn prepared(appliance: &mut Appliance) -> Value {
    let text = appliance.machine.run("cat /run/vigie-appliance/capture.json");
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

/// Secure Boot by keys of one's own, a virtual IOMMU and a virtual function of an X710: the sensor drives it under its
/// sandbox, and sees what reading the capture sees.
#[test]
fn secure_boot_and_a_function() {
    let Some(stage) = Stage::set("secure_boot") else { return };
    let Some(keys) = std::env::var_os("VIGIE_IMAGE_KEYS").map(PathBuf::from) else {
        stage.note("skipped", "VIGIE_IMAGE_KEYS names no keys");
        return;
    };
    enrol(&stage, &keys);
    let nic = Nic::start(stage.path(), &["--persona", "i40e"]);
    let board = Board {
        firmware: Firmware::SecureBoot,
        iommu: true,
        nic: Some(Nic::SOCKET),
        credentials: vec![("vigie.config".to_owned(), "[sensor]\nworkers = 1\n".to_owned())],
        ..Board::default()
    };
    let mut appliance = stage.boot(&board);
    appliance.is_good();
    let lockdown = appliance
        .machine
        .run("cat /sys/kernel/security/lockdown; bootctl status --no-pager | grep 'Secure Boot'");
    stage.note("lockdown", lockdown.trim().replace('\n', " "));
    assert!(lockdown.contains("[integrity]") && lockdown.contains("enabled"), "{lockdown}");
    let told = prepared(&mut appliance);
    stage.note("prepared", &told);
    let capture = padded("web", stage.path());
    let played = nic.ask(&json!({ "do": "play", "file": capture, "rate": RATE }));
    assert_eq!(played["frames"], played["received"], "{played} {told}");
    let frames = played["frames"].as_u64().expect("a number");
    let since = Instant::now();
    while received(&mut appliance) < frames {
        assert!(since.elapsed() < Duration::from_secs(60), "{}", appliance.machine.run("vigie counters"));
        std::thread::sleep(Duration::from_millis(500));
    }
    assert_eq!(received(&mut appliance), frames);
    // its end writes what is left of the flows
    appliance.machine.run("systemctl stop vigie");
    let live = events_of(&appliance.machine.run("cat /var/log/vigie/*.json"));
    let read = read(&capture, &stage.path().join("read.json"));
    assert_same_events("web", &live, &read);
    stage.note("events", live.len());
}

/// Firmware in setup mode takes the keys that the image brings, starts again, and from then on checks what it starts.
#[test]
fn setup_mode_takes_the_keys() {
    let Some(stage) = Stage::set("setup_mode") else { return };
    if std::env::var_os("VIGIE_IMAGE_KEYS").is_none() {
        stage.note("skipped", "the image has no keys");
        return;
    }
    let mut appliance = stage.boot(&Board { firmware: Firmware::SecureBoot, ..Board::default() });
    appliance.is_good();
    let told = appliance.machine.run("bootctl status --no-pager | grep -E 'Secure Boot|Setup Mode' || :");
    stage.note("firmware", told.trim().replace('\n', " "));
    assert!(told.contains("enabled (user)"), "{told}");
    let owner = appliance.machine.run("grep -ac 'vigie appliance PK' /sys/firmware/efi/efivars/PK-*");
    assert_eq!(owner.trim(), "1", "{owner}");
}

/// Frames that the sensor has counted.
fn received(appliance: &mut Appliance) -> u64 {
    let said = appliance.machine.run("vigie counters --json");
    let all: Value = serde_json::from_str(&said).unwrap_or_else(|e| panic!("{e}: {said}"));
    let found = all.as_array().into_iter().flatten().find(|c| c["name"] == "ledger.received");
    found.and_then(|c| c["value"].as_u64()).unwrap_or_else(|| panic!("no ledger.received: {said}"))
}

/// Puts our certificates into the firmware's variables.
fn enrol(stage: &Stage, keys: &Path) {
    for name in ["PK", "KEK", "db"] {
        let file = format!("{name}.crt");
        std::fs::copy(keys.join(&file), stage.path().join(&file)).expect("keys that images/keys made");
    }
    let guid = std::fs::read_to_string(keys.join("guid")).expect("keys that images/keys made");
    let guid = guid.trim();
    let words = [
        "virt-fw-vars",
        "--input",
        "/usr/share/OVMF/OVMF_VARS_4M.fd",
        "--output",
        "vars.fd",
        "--set-pk",
        guid,
        "PK.crt",
        "--add-kek",
        guid,
        "KEK.crt",
        "--add-db",
        guid,
        "db.crt",
        "--secure-boot",
    ];
    Made::build_tool(stage.path(), &words);
}

fn bundled(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../cases/bundled/{name}.pcap"))
}

fn frames(capture: &Path) -> Vec<Vec<u8>> {
    let input = File::open(capture).expect("a capture");
    let mut reader = PcapReader::new(BufReader::new(input)).expect("a capture");
    let (mut all, mut frame) = (Vec::new(), Vec::new());
    while reader.read(&mut frame).expect("a whole capture").is_some() {
        all.push(frame.clone());
    }
    all
}

/// A bundled capture as a NIC delivers it: frames have 60 bytes at least.
fn padded(name: &str, folder: &Path) -> PathBuf {
    let path = folder.join(format!("{name}.pcap"));
    let mut reader =
        PcapReader::new(BufReader::new(File::open(bundled(name)).expect("a capture"))).expect("a capture");
    let mut writer = PcapWriter::new(File::create(&path).expect("a file")).expect("room");
    let mut frame = Vec::new();
    while let Some(at) = reader.read(&mut frame).expect("a whole capture") {
        frame.resize(frame.len().max(60), 0);
        writer.write(at, &frame).expect("room");
    }
    writer.finish().expect("room");
    path
}

fn read(capture: &Path, eve: &Path) -> Vec<Value> {
    let mut command = Command::new(binary());
    command.arg("read").arg(capture).arg("--eve").arg(eve).args([
        "--quiet",
        "--workers",
        "1",
        "--set",
        "name=vigie",
    ]);
    assert!(command.status().expect("the binary runs").success());
    events(eve)
}
