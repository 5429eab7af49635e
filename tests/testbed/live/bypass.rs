//! Flows that are bypassed: nothing of them is lost to their records and to the ledger.

use crate::stage::{Stage, conversations, number, of};
use serde_json::Value;
use std::fs::File;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use testbed::{End, Running, binary, events};
use world::{Builder, Conversation, Pace, PcapWriter, Side, Source};

/// Everything about flows but what bypass changes: ends, networks, and how much each had.
fn amounts(all: &[Value]) -> Vec<String> {
    let mut amounts: Vec<String> = of(all, "flow")
        .into_iter()
        .map(|e| {
            let ends =
                ["src_ip", "src_port", "dest_ip", "dest_port", "proto", "vlan"].map(|k| e[k].to_string());
            let counts = ["pkts_toserver", "pkts_toclient", "bytes_toserver", "bytes_toclient"]
                .map(|k| e["flow"][k].to_string());
            format!("{} {}: {}", e["tap"]["tenant"], ends.join(" "), counts.join(" "))
        })
        .collect();
    amounts.sort();
    amounts
}

fn read(capture: &Path, folder: &Path, more: &[&str]) -> Vec<Value> {
    let eve = folder.join("read.json");
    let _ = std::fs::remove_file(&eve);
    let mut command = Command::new(binary());
    command.arg("read").arg(capture).arg("--eve").arg(&eve).args(["--quiet", "--workers", "1"]).args(more);
    assert!(command.status().expect("the binary runs").success());
    events(&eve)
}

/// Sends a capture to a sensor that is told this: its events, its ledger, its counters and what it said.
fn live(stage: &Stage, capture: &Path, folder: &Path, more: &[&str]) -> (Vec<Value>, Value, Value, String) {
    let running = Running::start(&stage.network, End::Right, more);
    let sent = stage.play(capture, 4000.0);
    let eve = folder.join("live.json");
    let _ = std::fs::remove_file(&eve);
    std::fs::hard_link(running.eve(), &eve).expect("a link");
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let ledger = ended.ledger();
    assert_eq!(number(&ledger, "/received"), sent.frames, "{ledger} {}", ended.stderr);
    let summary: Value = serde_json::from_str(&ended.stdout).expect("a summary");
    (events(&eve), ledger, summary["counters"]["bypass"].clone(), ended.stderr)
}

/// Whether the kernel drops frames here at all; a reason that is no missing permission is a failure.
fn drops(said: &str) -> bool {
    assert!(!said.contains("received still") || said.contains("Operation not permitted"), "{said}");
    !said.contains("received still")
}

/// One worker: flows of tunnels are seen by several, in parts.
const SOCKET: [&str; 6] =
    ["--set", "bypass.capture=socket", "--set", "bypass.networks=any", "--workers", "1"];
const HERE: [&str; 2] = ["--set", "bypass.networks=any"];

#[test]
fn what_the_kernel_dropped_comes_home_to_the_flows() {
    let Some(stage) = Stage::set() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let mut captures = vec![conversations(folder.path(), 200, 8000.0)];
    let bundled = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cases/bundled");
    captures.extend(
        ["web.pcap", "quic.pcap", "vxlan.pcap", "tunnels.pcap", "qinq.pcap"].map(|name| bundled.join(name)),
    );
    for capture in captures {
        let expected = amounts(&read(&capture, folder.path(), &[]));
        let (seen, ledger, counters, said) = live(&stage, &capture, folder.path(), &SOCKET);
        if !drops(&said) {
            return;
        }
        // How many were in the ring already when the kernel was asked is a matter of time; their sum is not.
        let name = capture.display();
        assert_eq!(amounts(&seen), expected, "{name}");
        let captured = number(&counters, "/capture_packets");
        assert!(number(&ledger, "/bypassed") >= captured, "{name}: {ledger} {counters}");
    }
}

/// Frames, one after the other.
struct Frames(Vec<Vec<u8>>);

impl Source for Frames {
    fn fill(&mut self, frame: &mut Vec<u8>) -> bool {
        let Some(next) = self.0.pop() else { return false };
        frame.clone_from(&next);
        true
    }
}

/// A datagram between two ends, in a virtual network when there is a number.
fn datagram(vni: Option<u8>, from: (u8, u16), to: (u8, u16), times: usize) -> Frames {
    let outer = Builder::ethernet();
    let around = match vni {
        Some(vni) => {
            outer.ipv4([192, 0, 2, 1], [192, 0, 2, 2]).udp(50_000, 4789).vxlan(vni.into()).inner_ethernet()
        }
        None => outer,
    };
    let inner = around.ipv4([10, 0, 0, from.0], [10, 0, 0, to.0]).udp(from.1, to.1);
    let frame = inner.payload(&[0x81; 100]).build();
    Frames(vec![frame; times])
}

/// A sensor that has the kernel drop one flow, when it can.
fn with_one_flow(stage: &Stage, vni: Option<u8>, more: &[&str]) -> Option<Running> {
    let mut args = vec!["--workers", "1", "--set", "bypass.capture=socket"];
    args.extend(["--set", "bypass.networks=[\"10.0.0.0/8 port 7000\"]"]);
    args.extend(more);
    let mut running = Running::start(&stage.network, End::Right, &args);
    stage.send(&mut datagram(vni, (1, 6000), (2, 7000), 1), Pace::Unlimited);
    if !drops(&running.stderr()) {
        return None;
    }
    running.until("the kernel drops both directions", |r| r.counter("bypass.halves") == 2);
    Some(running)
}

#[test]
fn a_hundred_of_a_hundred_vanish_and_are_counted() {
    let Some(stage) = Stage::set() else { return };
    for vni in [None, Some(7)] {
        let Some(running) = with_one_flow(&stage, vni, &[]) else { return };
        let kept = tempfile::tempdir().expect("a folder");
        std::fs::hard_link(running.eve(), kept.path().join("eve")).expect("a link");
        stage.send(&mut datagram(vni, (1, 6000), (2, 7000), 100), Pace::Unlimited);
        stage.send(&mut datagram(vni, (2, 7000), (1, 6000), 40), Pace::Unlimited);
        // Another flow of the same hosts, and the same flow of another tenant.
        stage.send(&mut datagram(vni, (1, 6001), (2, 7001), 3), Pace::Unlimited);
        stage.send(&mut datagram(Some(8), (1, 6000), (2, 7002), 5), Pace::Unlimited);
        let ended = running.end();
        let ledger = ended.ledger();
        assert_eq!(number(&ledger, "/received"), 149, "{ledger}");
        assert_eq!(number(&ledger, "/bypassed"), 140, "{ledger}");
        let all = events(&kept.path().join("eve"));
        let flow = of(&all, "flow").into_iter().find(|e| e["dest_port"] == 7000).expect("a flow").clone();
        assert_eq!(flow["flow"]["bypass"], "capture", "{flow}");
        let bypassed = &flow["flow"]["bypassed"];
        let (there, back) = (number(bypassed, "/pkts_toserver"), number(bypassed, "/pkts_toclient"));
        assert_eq!((there, back, bypassed["reason"].as_str()), (100, 40, Some("policy")), "{flow}");
        assert_eq!((number(&flow, "/flow/pkts_toserver"), number(&flow, "/flow/pkts_toclient")), (101, 40));
        let length = if vni.is_some() { 128 } else { 142 };
        assert_eq!(number(&flow, "/flow/bytes_toserver"), 101 * length, "{flow}");
        let tunnel = of(&all, "flow").into_iter().find(|e| e["dest_port"] == 4789);
        // What was counted at the very end is in the flow of the tunnel too, which ends before those inside.
        let carried = tunnel.map_or(0, |e| number(e, "/flow/pkts_toserver"));
        assert_eq!(carried, if vni.is_some() { 149 } else { 5 }, "{tunnel:?}");
    }
}

#[test]
fn a_sensor_that_is_held_up_loses_nothing_of_what_is_bypassed() {
    let Some(stage) = Stage::set() else { return };
    let small = ["--set", "capture.blocks=2", "--set", "capture.block_size=131072"];
    let Some(running) = with_one_flow(&stage, None, &small) else { return };
    running.signal("STOP");
    stage.send(&mut datagram(None, (1, 6000), (2, 7000), 2000), Pace::Unlimited);
    stage.send(&mut datagram(None, (1, 6001), (2, 7001), 3000), Pace::Unlimited);
    running.signal("CONT");
    let ended = running.end();
    let ledger = ended.ledger();
    assert_eq!(number(&ledger, "/received"), 5001, "{ledger}");
    assert_eq!(number(&ledger, "/bypassed"), 2000, "{ledger}");
    let lost = number(&ledger, "/lost/kernel.drop");
    assert_eq!(number(&ledger, "/analysed") + lost, 3001, "{ledger}");
    assert!(lost > 0, "the ring was meant to be too small: {ledger}");
}

#[test]
fn without_the_kernel_flows_are_bypassed_all_the_same() {
    let Some(stage) = Stage::set() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let capture = conversations(folder.path(), 100, 8000.0);
    let expected = amounts(&read(&capture, folder.path(), &[]));
    let (seen, ledger, counters, _) = live(&stage, &capture, folder.path(), &HERE);
    assert_eq!(amounts(&seen), expected);
    assert_eq!(number(&ledger, "/bypassed"), number(&counters, "/local_packets"));
    let flows = of(&seen, "flow");
    assert!(flows.iter().all(|e| e["flow"]["bypass"] == "local" && e["flow"]["state"] == "bypassed"));
    assert!(of(&seen, "http").is_empty(), "nothing is parsed");
    // Read from a file, whatever the number of workers, it is the same.
    assert_eq!(amounts(&read(&capture, folder.path(), &HERE)), expected);
}

#[test]
fn without_the_capability_the_sensor_says_so_and_goes_on() {
    let Some(stage) = Stage::set() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).expect("ours");
    let control = format!("control.socket={}", folder.path().join("control").display());
    let mut command = stage.network.command(End::Right, "setpriv");
    command.args(["--bounding-set", "-all,+net_raw", "--inh-caps", "-all,+net_raw"]);
    command.arg(binary()).args(["run", "--interface", "right", "--json", "--set", &control]).args(SOCKET);
    let running = Running::spawn(command, folder, [""; 0], None);
    let sent = stage.send(&mut datagram(None, (1, 6000), (2, 7000), 50), Pace::PerSecond(4000.0));
    let ended = running.end();
    assert!(ended.stderr.contains("received still") && ended.stderr.contains("CAP_BPF"), "{}", ended.stderr);
    let ledger = ended.ledger();
    assert_eq!((number(&ledger, "/received"), number(&ledger, "/bypassed")), (sent.frames, 49), "{ledger}");
}

/// Flows bypassed for this reason, and everything else that was said but about flows.
fn by_reason(all: &[Value], reason: &str) -> (usize, Vec<String>) {
    let flows = of(all, "flow").into_iter().filter(|e| e["flow"]["bypassed"]["reason"] == reason).count();
    let mut rest: Vec<String> = all
        .iter()
        .filter(|e| !["flow", "stats"].contains(&e["event_type"].as_str().unwrap_or_default()))
        .map(Value::to_string)
        .collect();
    rest.sort();
    (flows, rest)
}

/// Three seconds of long flows that speak no known protocol, 2 MB a second each: TCP, the same of which the far side's
/// acknowledgments or the beginning were not seen, and UDP.
fn elephants(folder: &Path) -> PathBuf {
    let end = |text: &str| text.parse().expect("an end");
    let tcp = ["10.0.0.1:40001", "10.0.0.2:40002", "10.0.0.3:40003"];
    let mut tcp = tcp.map(|client| Conversation::new(end(client), end("10.0.1.1:9800")));
    tcp.iter_mut().for_each(Conversation::open);
    tcp[2].take_frames();
    let bytes = [0x81; 40 * 1448];
    let udp = Builder::ethernet().ipv4([10, 0, 0, 4], [10, 0, 1, 1]).udp(40_004, 9800);
    let udp = vec![udp.payload(&bytes[..1400]).build(); 40];
    let path = folder.join("elephants.pcap");
    let mut out = PcapWriter::new(File::create(&path).expect("a file")).expect("room");
    for round in 0..105 {
        tcp.iter_mut().for_each(|flow| flow.say(Side::Client, &bytes));
        let mut frames = tcp.each_mut().map(Conversation::take_frames);
        frames[1].pop();
        for frame in frames.iter().flatten().chain(&udp) {
            out.write(1_700_000_000_000_000_000 + round * 1_000_000_000 / 35, frame).expect("room");
        }
    }
    out.finish().expect("room");
    path
}

#[test]
fn long_flows_are_bypassed_when_nobody_will_ever_know_what_they_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let capture = elephants(folder.path());
    let plain = read(&capture, folder.path(), &[]);
    let bypassed = read(&capture, folder.path(), &["--set", "bypass.rate=1MiB"]);
    assert_eq!(by_reason(&bypassed, "rate").0, 4, "{bypassed:?}");
    assert_eq!(amounts(&bypassed), amounts(&plain));
    // About half a second passes before it is so fast.
    for flow in of(&bypassed, "flow") {
        let passed_by = number(flow, "/flow/bypassed/local/bytes_toserver");
        let all = number(flow, "/flow/bytes_toserver");
        assert!(passed_by > all / 2 && passed_by < all, "{flow}");
    }
    assert_eq!(by_reason(&read(&capture, folder.path(), &["--set", "bypass.rate=4MiB"]), "rate").0, 0);
}

#[test]
fn each_reason_bypasses_and_keeps_what_came_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let bundled = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cases/bundled");
    let talk = conversations(folder.path(), 60, 8000.0);
    let depth = ["--set", "stream.depth=1000"];
    let cases: [(PathBuf, &str, &str, &[&str]); 5] = [
        (bundled.join("tls.pcap"), "encryption", "bypass.encrypted=tls", &[]),
        (bundled.join("ssh.pcap"), "encryption", "bypass.encrypted=ssh", &[]),
        (bundled.join("quic.pcap"), "encryption", "bypass.encrypted=quic", &[]),
        (bundled.join("mail.pcap"), "rate", "bypass.rate=1KiB", &[]),
        (talk, "depth", "bypass.depth=one", &depth),
    ];
    for (capture, reason, key, more) in cases {
        let name = capture.display();
        let plain = read(&capture, folder.path(), more);
        let bypassed = read(&capture, folder.path(), &[more, &["--set", key]].concat());
        let (flows, rest) = by_reason(&bypassed, reason);
        assert!(flows > 0, "{name}: no flow was bypassed for {reason}");
        assert_eq!(amounts(&bypassed), amounts(&plain), "{name}");
        if reason == "encryption" {
            assert_eq!(rest, by_reason(&plain, reason).1, "{name}: nothing but flows differs");
        }
    }
}
