//! Packets of events: the frame in the event, and the flow in a capture of its own, the same whatever the number of workers.

use base64::Engine as _;
use replay::{Eve, Sensor, root};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const ANOMALIES: &[&str] = &["--set", "events.anomaly.stream=true", "--set", "events.anomaly.decode=true"];

/// Reads the bundled captures into this folder: the events, and every capture of a flow by its name.
fn read(folder: &Path, workers: &str, sets: &[&str]) -> (Vec<Value>, BTreeMap<String, Vec<u8>>) {
    fs::create_dir_all(folder).expect("a folder");
    let (eve, flows) = (folder.join("eve.json"), folder.join("flows"));
    let store = format!("packets.folder={}", flows.display());
    let ran = Sensor::read(&root().join("tests/cases/bundled"), &eve)
        .args(&["--workers", workers, "--set", &store, "--set", "packets.in_events=true"])
        .args(ANOMALIES)
        .args(sets)
        .run();
    assert!(ran.status.success(), "{}", ran.stderr);
    let files = fs::read_dir(&flows).expect("a folder").flatten();
    let named = |file: fs::DirEntry| {
        (file.file_name().into_string().expect("a name"), fs::read(file.path()).expect("a file"))
    };
    (events(&eve), files.map(named).collect())
}

fn events(eve: &Path) -> Vec<Value> {
    Eve::parse(&fs::read(eve).expect("events")).expect("JSON").events
}

#[test]
fn an_anomaly_carries_its_packet_and_its_flow_whatever_the_number_of_workers() {
    let folder = tempfile::tempdir().expect("a folder");
    let (events, files) = read(&folder.path().join("1"), "1", &[]);
    assert!(files.len() > 20, "{}", files.len());
    let mut named = 0;
    for event in &events {
        if event["event_type"] != "anomaly" {
            assert!(event.get("packet").is_none() && event.get("capture_file").is_none(), "{event}");
            continue;
        }
        let carried = event.get("packet").map(|packet| {
            let text = packet.as_str().expect("a text");
            base64::prelude::BASE64_STANDARD.decode(text).expect("base64")
        });
        assert_eq!(carried.is_some(), event.get("pcap_cnt").is_some(), "{event}");
        assert!(carried.is_none() || event["packet_info"]["linktype"].is_u64(), "{event}");
        let Some(name) = event.get("capture_file").and_then(Value::as_str) else { continue };
        let file = files.get(name).unwrap_or_else(|| panic!("no {name} for {event}"));
        named += 1;
        if let Some(carried) = carried.filter(|_| event["pkt_src"] == "wire/pcap") {
            assert!(file.windows(carried.len()).any(|part| part == carried), "{event} is not in its capture");
        }
    }
    assert!(named > 20, "{named}");
    let (same, alike) = read(&folder.path().join("4"), "4", &[]);
    assert_eq!(events, same);
    assert_eq!(files.keys().collect::<Vec<_>>(), alike.keys().collect::<Vec<_>>());
    assert!(files == alike, "a capture differs between one worker and four");
}

/// The captures of flows, read again, are those flows: the same ends, as many packets.
#[test]
fn a_capture_of_a_flow_is_that_flow() {
    let folder = tempfile::tempdir().expect("a folder");
    let (events, files) = read(folder.path(), "2", &["--set", "packets.on=[\"anomaly.applayer\", \"tls\"]"]);
    let flows: BTreeMap<u64, &Value> = events
        .iter()
        .filter(|e| e["event_type"] == "flow")
        .map(|e| (e["flow_id"].as_u64().expect("a number"), e))
        .collect();
    let tls = events.iter().filter(|e| e["event_type"] == "tls");
    let mut compared = 0;
    for event in tls {
        let name = event["capture_file"].as_str().unwrap_or_else(|| panic!("no capture of {event}"));
        assert!(files.contains_key(name), "{name}");
        let eve = folder.path().join("again.json");
        let ran = Sensor::read(&folder.path().join("flows").join(name), &eve).run();
        assert!(ran.status.success(), "{}", ran.stderr);
        let again = self::events(&eve);
        let whole = flows[&event["flow_id"].as_u64().expect("a number")];
        let ends = |e: &Value| ["src_ip", "src_port", "dest_ip", "dest_port"].map(|key| e[key].clone());
        let flow = again.iter().find(|e| e["event_type"] == "flow" && ends(e) == ends(whole));
        let flow = flow.unwrap_or_else(|| panic!("{name} lacks {whole}"));
        let counts =
            |e: &Value| ["pkts_toserver", "bytes_toclient", "start"].map(|key| e["flow"][key].clone());
        assert_eq!(counts(flow), counts(whole), "{name}");
        compared += 1;
    }
    assert!(compared >= 5, "{compared}");
}

#[test]
fn budgets_hold_and_what_they_cost_is_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let eve = folder.path().join("eve.json");
    let flows = folder.path().join("flows");
    let store = format!("packets.folder={}", flows.display());
    let ran = Sensor::new(["read", "--json", "--workers", "1"])
        .arg(root().join("tests/cases/bundled"))
        .arg("--eve")
        .arg(&eve)
        .args(&["--set", &store, "--set", "packets.on=[\"flow\"]", "--set", "packets.memory=64KiB"])
        .args(&["--set", "packets.before=2KiB", "--set", "packets.quota=1MiB"])
        .run();
    assert!(ran.status.success(), "{}", ran.stderr);
    let summary: Value = serde_json::from_slice(&ran.stdout).expect("JSON");
    let counted = |name: &str| summary["counters"]["packets"][name].as_u64().expect("a number");
    assert!(counted("beyond") > 100 && counted("evicted") > 100, "{}", summary["counters"]["packets"]);
    let sizes: Vec<u64> = fs::read_dir(&flows)
        .expect("a folder")
        .flatten()
        .map(|f| f.metadata().expect("a size").len())
        .collect();
    assert!(sizes.iter().sum::<u64>() <= 1 << 20);
    assert_eq!(sizes.len() as u64, counted("files") - counted("deleted"));
    assert_eq!(counted("lost"), 0);
}
