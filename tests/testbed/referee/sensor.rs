//! The binary in a guest: the kernel's vfio-pci, a virtual IOMMU, and a capture that comes through the NIC.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testbed::guest::{Kernel, Machine, Shape};
use testbed::{assert_same_events, binary, events, events_of};
use world::{PcapReader, PcapWriter};

use crate::role::X710;
use crate::stage::{Plan, Stage, number};

/// How long it may take to listen, and to end.
const SOON: Duration = Duration::from_secs(30);
/// Frames a second: within what a guest without hardware virtualisation takes.
const RATE: u32 = 1000;

/// Captures of `tests/cases/bundled`, and queues. What one address pair says plainly, in fragments and inside tunnels
/// comes over several queues, where workers would see parts of one flow: one queue for these.
const CAPTURES: [(&str, u16); 7] =
    [("web", 2), ("tls", 2), ("dns", 2), ("lossy", 4), ("vlan", 1), ("ping", 1), ("tunnels", 1)];

#[test]
fn sensor_over_vfio_pci() {
    let plan = Plan {
        name: "sensor",
        kernel: Kernel::Stable,
        shape: Shape { processors: 2, memory: 1024, ..Shape::default() },
        role: X710,
        nic: &[],
        pack: &|image| image.module("vfio-pci").own_program(binary()),
    };
    let Some(mut stage) = Stage::set(&plan) else { return };
    let function = binds(&mut stage);
    for (name, queues) in CAPTURES {
        let capture = padded(name, stage.path());
        let live = live(&mut stage, &function, &capture, queues);
        let read = read(&capture, &stage.path().join("read.json"));
        assert_same_events(name, &live, &read);
        stage.note(name, live.len());
    }
    survives_resets(&mut stage, &function);
    let said = stage.machine.run(&format!("vigie vf unbind {function}; vigie vf list --json"));
    assert!(said.contains("\"state\": \"free\""), "{said}");
    stage.close();
}

/// The binary finds the function and gives it to vfio-pci.
fn binds(stage: &mut Stage) -> String {
    let function = stage.function();
    let said = stage.machine.run(&format!(
        "insert-vfio-pci
        vigie vf bind {function}
        readlink /sys/bus/pci/devices/{function}/driver | grep '/vfio-pci$'
        vigie vf list --json"
    ));
    assert!(said.contains("\"state\": \"ready\""), "{said}");
    function
}

/// Events of a run that saw the capture, whose ledger must balance.
fn live(stage: &mut Stage, function: &str, capture: &Path, queues: u16) -> Vec<Value> {
    listen(stage, function, queues);
    let frames = play(stage, capture);
    stage.await_count(frames, &mut received);
    end(stage, frames);
    events_of(&stage.machine.run("cat /run/eve.json"))
}

/// Resets of every kind while it runs: it comes back by itself, and loses nothing of what arrives afterwards.
fn survives_resets(stage: &mut Stage, function: &str) {
    let capture = padded("web", stage.path());
    listen(stage, function, 2);
    let mut frames = play(stage, &capture);
    for kind in ["pf", "vf", "flr"] {
        stage.await_count(frames, &mut received);
        let before = number(&stage.nic.stats(), "resets");
        let since = Instant::now();
        match kind {
            // by whoever owns the guest; its kernel saves and restores what the reset clears in configuration space
            "flr" => drop(stage.machine.run(&format!("echo 1 >/sys/bus/pci/devices/{function}/reset"))),
            by_the_host => stage.reset(by_the_host),
        }
        let is_back = |stats: &Value| number(stats, "resets") > before && number(stats, "enabled") == 2;
        while !is_back(&stage.nic.stats()) {
            let said = || stage.nic.stats().to_string();
            assert!(since.elapsed() < SOON, "{kind}: {} {}", said(), stage.machine.run("cat /run/said"));
            std::thread::sleep(Duration::from_millis(5));
        }
        stage.note(&format!("{kind}_recovered_ms"), since.elapsed().as_millis());
        frames += play(stage, &capture);
    }
    stage.await_count(frames, &mut received);
    end(stage, frames);
}

/// Starts the binary and waits until it listens.
fn listen(stage: &mut Stage, function: &str, queues: u16) {
    let start = format!(
        "cd /run
        rm -f eve.json summary
        vigie run --vf {function} --queues {queues} --eve eve.json --json --set control.socket=/run/control \
            >summary 2>said &
        echo $! >process"
    );
    stage.machine.run(&start);
    stage.machine.until(SOON, "grep -q 'listening on' /run/said || { cat /run/said; exit 1; }");
}

/// Plays a capture through the NIC; gives the number of frames, all of which reached a ring.
fn play(stage: &Stage, capture: &Path) -> u64 {
    let played = stage.nic.ask(&json!({ "do": "play", "file": capture, "rate": RATE }));
    let frames = number(&played, "frames");
    assert_eq!(number(&played, "received"), frames, "{played}");
    frames
}

/// Frames that the running binary has counted.
fn received(machine: &mut Machine) -> u64 {
    let said = machine.run("vigie counters --json --set control.socket=/run/control");
    let all: Value = serde_json::from_str(&said).unwrap_or_else(|e| panic!("{e}: {said}"));
    let found = all.as_array().into_iter().flatten().find(|c| c["name"] == "ledger.received");
    found.and_then(|c| c["value"].as_u64()).unwrap_or_else(|| panic!("no ledger.received: {said}"))
}

/// Ends the binary; its ledger balances and has analysed all frames.
fn end(stage: &mut Stage, frames: u64) {
    stage.machine.run("kill -TERM $(cat /run/process)");
    stage.machine.until(SOON, "! kill -0 $(cat /run/process) 2>/dev/null");
    let summary = stage.machine.run("cat /run/summary");
    let summary: Value = serde_json::from_str(&summary).unwrap_or_else(|e| panic!("{e}: {summary}"));
    let ledger = &summary["ledger"];
    assert_eq!((&ledger["balances"], &ledger["analysed"]), (&json!(true), &json!(frames)), "{ledger}");
}

/// A bundled capture as a NIC delivers it: frames have 60 bytes at least, which virtual cables do not see to.
fn padded(name: &str, folder: &Path) -> PathBuf {
    let bundled = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../cases/bundled/{name}.pcap"));
    let path = folder.join(format!("{name}.pcap"));
    let input = File::open(&bundled).expect("a bundled capture");
    let mut reader = PcapReader::new(BufReader::new(input)).expect("a capture");
    let mut writer = PcapWriter::new(File::create(&path).expect("a file")).expect("room");
    let mut frame = Vec::new();
    while let Some(at) = reader.read(&mut frame).expect("a whole capture") {
        if frame.len() < 60 {
            frame.resize(60, 0);
        }
        writer.write(at, &frame).expect("room");
    }
    writer.finish().expect("room");
    path
}

fn read(capture: &Path, eve: &Path) -> Vec<Value> {
    let mut command = Command::new(binary());
    command.arg("read").arg(capture).arg("--eve").arg(eve).args(["--quiet", "--workers", "1"]);
    assert!(command.status().expect("the binary runs").success());
    events(eve)
}
