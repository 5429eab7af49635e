//! The project's own captures: events are whole JSON, the ledger balances, every program that spoke is seen.

use replay::{Classic, Eve, Sensor, bundled, root};
use serde_json::Value;
use std::io::Write as _;

#[test]
fn every_capture_gives_whole_events_and_a_balanced_ledger() {
    let folder = tempfile::tempdir().expect("a folder");
    for capture in bundled() {
        let name = capture.display();
        let file = folder.path().join("eve.json");
        let args =
            ["read".as_ref(), capture.as_os_str(), "--json".as_ref(), "--eve".as_ref(), file.as_os_str()];
        let ran = Sensor::new(args).run();
        assert_eq!(ran.code(), Some(0), "{name}: {}", ran.told());
        let eve = Eve::read(&file).unwrap_or_else(|e| panic!("{name}: {e}"));
        let summary = ran.json();
        let ledger = &summary["ledger"];
        assert_eq!(ledger["balances"], true, "{name}: {ledger}");
        let received = ledger["received"].as_u64().expect("a number");
        let lost: u64 =
            ledger["lost"].as_object().expect("an object").values().filter_map(|v| v.as_u64()).sum();
        let rest: u64 = ["analysed", "bypassed", "filtered"].iter().filter_map(|k| ledger[*k].as_u64()).sum();
        assert_eq!(received, rest + lost, "{name}: {ledger}");
        let flows = eve.of("flow").count();
        assert!(flows > 0 || eve.of("arp").count() > 0, "{name}: nothing was seen");
        std::fs::remove_file(&file).expect("written");
    }
}

#[test]
fn programs_are_recognised_by_what_they_say() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("eve.json");
    let ran = Sensor::read(&root().join("tests/cases/bundled"), &file)
        .args(&["--set", "events.netflow=true"])
        .run();
    assert_eq!(ran.code(), Some(0), "{}", ran.told());
    let kinds = Eve::read(&file).expect("events").kinds();
    for kind in [
        "flow", "netflow", "http", "fileinfo", "tls", "dns", "ssh", "quic", "dhcp", "arp", "anomaly", "stats",
    ] {
        assert!(kinds.contains_key(kind), "no {kind} event: {kinds:?}");
    }
}

#[test]
fn every_recognised_flow_carries_our_object() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("eve.json");
    let _ = Sensor::read(&root().join("tests/cases/bundled"), &file).run();
    let eve = Eve::read(&file).expect("events");
    let recognised = |flow: &&Value| flow["app_proto"].as_str().is_some_and(|name| name != "failed");
    for flow in eve.of("flow").filter(recognised) {
        let app = flow["app"].as_object().unwrap_or_else(|| panic!("no object `app`: {flow}"));
        for key in ["protocol", "category", "confidence"] {
            assert!(app.contains_key(key), "no `app.{key}`: {flow}");
        }
    }
}

/// Of a conversation whose question was missed the first packet is the server's: who it comes from stands in its event.
#[test]
fn an_answer_comes_from_the_server_also_without_its_question() {
    let folder = tempfile::tempdir().expect("a folder");
    let whole = std::fs::read(root().join("tests/cases/bundled/dns.pcap")).expect("a capture");
    let mut capture = Classic::parse(&whole).expect("pcap");
    let is_answer = |bytes: &[u8]| bytes.get(23) == Some(&17) && bytes.get(34..36) == Some(&[0, 53]);
    capture.packets.retain(|packet| is_answer(&packet.bytes));
    let answers = folder.path().join("answers.pcap");
    std::fs::write(&answers, capture.write()).expect("room");
    let seen = Eve::parse(&events(answers.as_os_str(), None)).expect("events");
    let mut told = 0;
    for event in seen.of("dns") {
        assert_eq!((&event["dns"]["type"], &event["src_port"]), (&"response".into(), &53.into()), "{event}");
        told += 1;
    }
    assert!(told > 5, "{told} of {}", capture.packets.len());
}

/// Events that `vigie read CAPTURE --eve -` writes.
fn events(capture: &std::ffi::OsStr, input: Option<Vec<u8>>) -> Vec<u8> {
    let args = ["read".as_ref(), capture, "--quiet".as_ref(), "--eve".as_ref(), "-".as_ref()];
    let sensor = Sensor::new(args);
    let ran = if let Some(bytes) = input { sensor.input_bytes(bytes) } else { sensor }.run();
    assert_eq!(ran.code(), Some(0), "{}", ran.told());
    ran.stdout
}

#[test]
fn standard_input_and_gzip_say_what_the_file_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let capture = bundled().into_iter().find(|p| p.ends_with("web.pcap")).expect("web.pcap");
    let bytes = std::fs::read(&capture).expect("readable");
    let want = events(capture.as_os_str(), None);
    assert!(want.len() > 1000);
    let zipped = folder.path().join("web.pcap.gz");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&bytes).expect("memory");
    std::fs::write(&zipped, gzip.finish().expect("memory")).expect("written");
    assert!(events(zipped.as_os_str(), None) == want, "gzip changes events");
    assert!(events("-".as_ref(), Some(bytes)) == want, "standard input changes events");
}

/// An anomaly of decoding says which ICMP message it was found in.
#[test]
fn an_anomaly_of_an_icmp_message_says_which() {
    let folder = tempfile::tempdir().expect("a folder");
    let whole = std::fs::read(root().join("tests/cases/bundled/ping.pcap")).expect("a capture");
    let mut capture = Classic::parse(&whole).expect("pcap");
    capture
        .packets
        .retain(|packet| packet.bytes.get(12..14) == Some(&[8, 0]) && packet.bytes.get(23) == Some(&1));
    capture.packets.truncate(1);
    let packet = capture.packets.first_mut().expect("an echo");
    packet.bytes[34..36].copy_from_slice(&[200, 7]);
    let (odd, eve) = (folder.path().join("odd.pcap"), folder.path().join("eve.json"));
    std::fs::write(&odd, capture.write()).expect("room");
    let ran = Sensor::read(&odd, &eve).args(&["--set", "events.anomaly.decode=true"]).run();
    assert_eq!(ran.code(), Some(0), "{}", ran.told());
    let seen = Eve::read(&eve).expect("events");
    let told: Vec<&Value> = seen.of("anomaly").collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["anomaly"]["event"], "decoder.icmpv4.unknown_type");
    assert_eq!((&told[0]["icmp_type"], &told[0]["icmp_code"]), (&200.into(), &7.into()), "{}", told[0]);
}
