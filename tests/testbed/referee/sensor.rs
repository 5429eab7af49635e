//! The binary in a guest: the kernel's vfio-pci, a virtual IOMMU, and a capture that comes through the NIC.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testbed::guest::{Kernel, Machine, Shape};
use testbed::{assert_same_events, binary, events, events_of};
use world::{PcapReader, PcapWriter};

use crate::role::{E810, Role, X710};
use crate::stage::{Plan, Stage, number};

/// How long it may take to listen, and to end.
const SOON: Duration = Duration::from_secs(30);
/// Frames a second: within what a guest without hardware virtualisation takes.
const RATE: u32 = 1000;

/// A capture of `tests/cases/bundled`, and queues.
type Played = (&'static str, u16);

/// What one address pair says plainly, in fragments and inside tunnels comes over several queues of an X710, where
/// workers would see parts of one flow: one queue for these.
const ON_AN_X710: [Played; 7] =
    [("web", 2), ("tls", 2), ("dns", 2), ("lossy", 4), ("vlan", 1), ("ping", 1), ("tunnels", 1)];

/// A PF that hashes what is inside of tunnels keeps inner flows together, of the tunnels that it looks into.
const ON_AN_E810: [Played; 8] = [
    ("web", 4),
    ("tls", 4),
    ("dns", 1),
    ("vlan", 1),
    ("ping", 1),
    ("vxlan", 4),
    (KNOWN_TUNNELS, 4),
    ("tunnels", 1),
];

/// What of the capture of tunnels such a PF looks into: GENEVE, IP and Ethernet in GRE, IP in IP.
const KNOWN_TUNNELS: &str = "known-tunnels";

/// Such a PF, with the ports that tunnels usually have.
const INNER: [&str; 5] = ["--inner-patterns", "--vxlan", "4789", "--geneve", "6081"];

/// What flows that carry tunnels are recognised as.
const CARRIERS: [&str; 2] = ["overlay", "ipip"];

#[test]
fn sensor_over_vfio_pci() {
    judge(X710, &[], &ON_AN_X710);
}

#[test]
fn sensor_over_vfio_pci_on_an_e810() {
    judge(E810, &INNER, &ON_AN_E810);
}

fn judge(role: Role, nic: &[&str], captures: &[Played]) {
    let plan = Plan {
        name: "sensor",
        kernel: Kernel::Stable,
        shape: Shape { processors: 2, memory: 1024, ..Shape::default() },
        role,
        nic,
        pack: &|image| image.module("vfio-pci").own_program(binary()),
    };
    let Some(mut stage) = Stage::set(&plan) else { return };
    let function = binds(&mut stage);
    for (name, queues) in captures {
        let capture = padded(name, stage.path());
        let live = live(&mut stage, &function, &capture, *queues);
        let read = read(&capture, &stage.path().join("read.json"));
        let ((live, carried), (read, carries)) = (without_carriers(live), without_carriers(read));
        assert_same_events(name, &live, &read);
        assert_eq!(carried, carries, "packets of tunnels, by what carries them");
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
    spread(stage, queues);
    end(stage, frames);
    events_of(&stage.machine.run("cat /run/eve.json"))
}

/// The descriptors are the best that this function has, and of several queues more than one had frames.
fn spread(stage: &Stage, queues: u16) {
    let stats = stage.nic.stats();
    assert_eq!(stats["formats"], if stage.role.is_flexible { json!([22]) } else { json!([1]) }, "{stats}");
    let busy = stats["queues"].as_array().into_iter().flatten().filter(|frames| **frames != 0).count();
    assert_eq!(busy > 1, queues > 1, "{stats}");
    stage.note("queues", stats["queues"].clone());
}

/// Events without the flows that carry tunnels, and the packets of those, by what they are: a tunnel's own flow is in as
/// many parts as the flows inside of it have workers.
fn without_carriers(mut events: Vec<Value>) -> (Vec<Value>, BTreeMap<String, u64>) {
    let mut packets = BTreeMap::new();
    events.retain(|event| {
        let carrier = event["app"]["protocol"].as_str().filter(|name| CARRIERS.contains(name));
        let (Some(name), true) = (carrier, event["event_type"] == "flow") else { return true };
        let flow = &event["flow"];
        *packets.entry(name.to_owned()).or_default() +=
            number(flow, "pkts_toserver") + number(flow, "pkts_toclient");
        false
    });
    (events, packets)
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

/// Whether a frame is in a tunnel that the NIC looks into. The outer headers of the capture have no options.
fn is_looked_into(frame: &[u8]) -> bool {
    let word = |at: usize| frame.get(at..at + 2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]));
    let inside_gre = [Some(0x0800), Some(0x86DD), Some(0x6558)];
    match (word(12), frame.get(23)) {
        (Some(0x0800), Some(4 | 41)) => true,
        (Some(0x0800), Some(47)) => inside_gre.contains(&word(36)),
        (Some(0x0800), Some(17)) => word(36) == Some(6081),
        _ => false,
    }
}

/// A bundled capture as a NIC delivers it: frames have 60 bytes at least, which virtual cables do not see to.
fn padded(name: &str, folder: &Path) -> PathBuf {
    let (bundled, wanted): (&str, fn(&[u8]) -> bool) = match name {
        KNOWN_TUNNELS => ("tunnels", is_looked_into),
        other => (other, |_| true),
    };
    let bundled = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../cases/bundled/{bundled}.pcap"));
    let path = folder.join(format!("{name}.pcap"));
    let input = File::open(&bundled).expect("a bundled capture");
    let mut reader = PcapReader::new(BufReader::new(input)).expect("a capture");
    let mut writer = PcapWriter::new(File::create(&path).expect("a file")).expect("room");
    let mut frame = Vec::new();
    while let Some(at) = reader.read(&mut frame).expect("a whole capture") {
        if !wanted(&frame) {
            continue;
        }
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
