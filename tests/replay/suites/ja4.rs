//! JA4 of every listed client.

use replay::{Eve, Sensor, corpora, each};
use std::collections::BTreeMap;

#[test]
fn corpora_ja4_is_exact() {
    let Some(root) = corpora("ja4") else { return };
    let table = std::fs::read_to_string(root.join("expected.tsv")).expect("expected.tsv");
    let mut wanted: BTreeMap<&str, Vec<Vec<&str>>> = BTreeMap::new();
    for row in table.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>()) {
        wanted.entry(row[0]).or_default().push(row);
    }
    let wanted: Vec<_> = wanted.into_iter().collect();
    let complaints = each(&wanted, |_, (capture, rows)| {
        let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
        let file = folder.path().join("eve.json");
        // Some of these captures hold client hellos alone: connections are picked up in their middle.
        let ran = Sensor::read(&root.join("pcap").join(capture), &file)
            .args(&["--set", "stream.midstream=true"])
            .run();
        if ran.code() != Some(0) {
            return Err(format!("{capture}: {}", ran.told()));
        }
        let eve = Eve::read(&file)?;
        let missing: Vec<_> =
            rows.iter().filter(|row| !has(&eve, row)).map(|row| row[1..].join(" ")).collect();
        if missing.is_empty() { Ok(()) } else { Err(format!("{capture}: {missing:?}")) }
    });
    assert!(complaints.is_empty(), "{complaints:#?}");
}

/// Whether an event of these ends carries this fingerprint.
fn has(eve: &Eve, row: &[&str]) -> bool {
    let [_, src, src_port, dst, dst_port, ja4] = row else { return false };
    let address = |text: &str| text.parse::<std::net::IpAddr>().ok();
    let at = |event: &serde_json::Value, ip: &str, port: &str, want: &str, want_port: &str| {
        event[ip].as_str().and_then(address) == address(want)
            && event[port].as_u64() == want_port.parse().ok()
    };
    eve.events.iter().any(|event| {
        let says = event["tls"]["ja4"] == *ja4 || event["quic"]["ja4"] == *ja4;
        says && at(event, "src_ip", "src_port", src, src_port)
            && at(event, "dest_ip", "dest_port", dst, dst_port)
    })
}
