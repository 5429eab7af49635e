//! Mirrored traffic: what comes out of a mirror's wrapping is what would have been captured where it was copied, tenants
//! never meet, and two copies of a packet are one packet.

use replay::{Classic, Eve, Packet, Schema, Sensor, bundled, corpora, root};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

const SENSOR: [u8; 4] = [10, 9, 0, 5];
const STRIP: &[&str] = &["--set", "mirror.mode=strip"];
const BY_VNI: &[&str] = &["--set", "mirror.sessions=vxlan to 10.9.0.5 tenant vni"];
const ONE_TENANT: &[&str] = &[
    "--set",
    "mirror.tenants=prod = vni 1-2",
    "--set",
    "mirror.dedupe=50",
    "--set",
    "events.anomaly.stream=true",
];
const MS: u64 = 1_000_000;

fn capture(name: &str) -> Classic {
    let path = root().join("tests/cases/bundled").join(name);
    Classic::parse(&std::fs::read(&path).expect("a bundled capture")).expect("in pcap's own format")
}

/// Ethernet, IPv4 from a host of its own for each network, UDP, VXLAN.
fn wrap(vni: u8, packet: &Packet) -> Packet {
    let mut bytes = vec![2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8, 8, 0];
    let length = |more: usize| u16::try_from(packet.bytes.len() + more).expect("a short frame").to_be_bytes();
    bytes.extend([0x45, 0]);
    bytes.extend(length(20 + 8 + 8));
    bytes.extend([0, 0, 0, 0, 64, 17, 0, 0, 10, 20, 0, vni]);
    bytes.extend(SENSOR);
    bytes.extend([0xc0, vni, 0x12, 0xb5]);
    bytes.extend(length(8 + 8));
    bytes.extend([0, 0, 8, 0, 0, 0, 0, 0, vni, 0]);
    bytes.extend(&packet.bytes);
    let wire_len = bytes.len();
    Packet { nanos: packet.nanos, bytes, wire_len }
}

/// Captures one into another, by time; what comes at the same time in the order of the captures.
fn merge(captures: &[Vec<Packet>], link: u16) -> Classic {
    let mut packets: Vec<Packet> = captures.iter().flatten().cloned().collect();
    packets.sort_by_key(|p| p.nanos);
    Classic { link, packets }
}

fn wrapped(capture: &Classic, vni: u8, later: u64) -> Vec<Packet> {
    let later = |p: &Packet| Packet { nanos: p.nanos + later, ..p.clone() };
    capture.packets.iter().map(|p| wrap(vni, &later(p))).collect()
}

/// The same packet one hop further: other Ethernet addresses and time to live, checksums as they may be.
fn a_hop_on(packet: &Packet) -> Packet {
    let mut bytes = packet.bytes.clone();
    bytes[..12].copy_from_slice(&[6; 12]);
    if bytes[12..14] == [8, 0] {
        bytes[22] -= 1;
        bytes[24] ^= 0xff;
    }
    Packet { bytes, ..packet.clone() }
}

fn run(capture: &Classic, sets: &[&[&str]], workers: &str) -> Vec<u8> {
    let mut sensor = Sensor::new(["read", "-", "--quiet", "--eve", "-", "--workers", workers]);
    for set in sets {
        sensor = sensor.args(set);
    }
    let ran = sensor.input_bytes(capture.write()).run();
    assert!(ran.is_orderly(), "{}", ran.told());
    ran.stdout
}

fn events(capture: &Classic, sets: &[&[&str]]) -> Eve {
    Eve::parse(&run(capture, sets, "2")).expect("whole lines")
}

/// Events by their content: without the number of the flow and of the packet, the way they came, and when the capture
/// ended; in an order of their own.
fn content<'a>(events: impl Iterator<Item = &'a Value>) -> Vec<String> {
    let mut all: Vec<String> = events
        .filter(|event| event["event_type"] != "stats")
        .map(|event| {
            let mut event = event.clone();
            let fields = event.as_object_mut().expect("an object");
            if !fields.contains_key("pcap_cnt") {
                fields.remove("timestamp");
            }
            for field in ["flow_id", "pcap_cnt", "pkt_src", "tap"] {
                fields.remove(field);
            }
            event.to_string()
        })
        .collect();
    all.sort_unstable();
    all
}

/// Whether two runs say the same; names the first event that only one of them has.
fn same(what: &str, got: &[String], want: &[String]) {
    let other = got.iter().zip(want).find(|(a, b)| a != b);
    assert!(got == want, "{what}: {} events, not {}: {other:#?}", got.len(), want.len());
}

fn stats(eve: &Eve) -> &Value {
    &eve.of("stats").last().expect("stats at the end")["stats"]["vigie"]
}

/// Frames without IP are not looked at for copies.
fn with_ip(capture: Classic) -> Classic {
    let is_ip = |p: &Packet| matches!(p.bytes[12..14], [8, 0] | [0x86, 0xdd]);
    Classic { packets: capture.packets.into_iter().filter(is_ip).collect(), ..capture }
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// Received is what became of it, and nothing is left over.
fn balances(eve: &Eve) {
    let ledger = &stats(eve)["ledger"];
    let lost: u64 = ledger["lost"].as_object().expect("kinds of loss").values().map(number).sum();
    let settled = ["analysed", "bypassed", "filtered"].map(|name| number(&ledger[name]));
    assert_eq!(number(&ledger["received"]), settled.iter().sum::<u64>() + lost, "{ledger}");
}

/// Captures of Ethernet frames that are whole and short enough to be wrapped.
fn plain_captures() -> Vec<(String, Classic)> {
    let read = |path: &Path| Classic::parse(&std::fs::read(path).ok()?);
    let name = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let all = bundled().into_iter().filter_map(|path| Some((name(&path), read(&path)?)));
    let fits = |p: &Packet| p.bytes.len() == p.wire_len && (60..60_000).contains(&p.bytes.len());
    all.filter(|(_, capture)| capture.link == 1 && capture.packets.iter().all(fits)).collect()
}

#[test]
fn stripped_is_what_was_copied() {
    let captures = plain_captures();
    assert!(captures.len() > 5, "{}", captures.len());
    for (name, plain) in captures {
        let mirrored = Classic { link: 1, packets: wrapped(&plain, 7, 0) };
        let (want, got) = (events(&plain, &[]), events(&mirrored, &[STRIP, BY_VNI]));
        same(&name, &content(got.events.iter()), &content(want.events.iter()));
        balances(&got);
        assert_eq!(number(&stats(&got)["decode"]["stripped"]), plain.packets.len() as u64, "{name}");
        for event in got.events.iter().filter(|e| e["event_type"] != "stats") {
            let tap = &event["tap"];
            // A network within the tenant's traffic is a part of it.
            assert!(tap["tenant"].as_str().is_some_and(|t| t.split('/').next() == Some("vni 7")), "{event}");
            assert_eq!(
                (&tap["kind"], &tap["vni"], &tap["outer_src"]),
                (&"vxlan".into(), &7.into(), &"10.20.0.7".into())
            );
        }
    }
}

#[test]
fn without_strip_nothing_changes() {
    let mirrored = Classic { link: 1, packets: wrapped(&capture("web.pcap"), 7, 0) };
    let plain = run(&mirrored, &[], "2");
    assert_eq!(run(&mirrored, &[BY_VNI], "2"), plain);
    let text = String::from_utf8(plain).expect("text");
    assert!(!text.contains("\"tap\"") && text.contains("\"dest_port\":4789"));
}

#[test]
fn tenants_with_one_address_plan_never_merge() {
    for name in ["web.pcap", "files.pcap", "lossy.pcap", "tunnels.pcap"] {
        let plain = capture(name);
        let dedupe: &[&str] = &["--set", "mirror.dedupe=50"];
        let want = content(events(&plain, &[dedupe]).events.iter());
        let both = merge(&[wrapped(&plain, 1, 0), wrapped(&plain, 2, 0)], 1);
        let eve = events(&both, &[STRIP, BY_VNI, dedupe]);
        balances(&eve);
        for vni in [1, 2] {
            let mine = |e: &&Value| e["tap"]["vni"] == vni;
            same(&format!("{name}, network {vni}"), &content(eve.events.iter().filter(mine)), &want);
        }
    }
}

#[test]
fn both_ends_of_one_tenant_are_one_copy() {
    for name in ["web.pcap", "tls.pcap", "dns.pcap", "mail.pcap"] {
        let plain = with_ip(capture(name));
        let far: Vec<Packet> = plain.packets.iter().map(a_hop_on).collect();
        let far = Classic { link: 1, packets: far };
        let both = merge(&[wrapped(&plain, 1, 0), wrapped(&far, 2, 5 * MS)], 1);
        let eve = events(&both, &[STRIP, BY_VNI, ONE_TENANT]);
        let want = events(&plain, &[&["--set", "events.anomaly.stream=true"]]);
        same(name, &content(eve.events.iter()), &content(want.events.iter()));
        balances(&eve);
        let ledger = &stats(&eve)["ledger"];
        assert_eq!(number(&ledger["filtered"]), plain.packets.len() as u64, "{name}: {ledger}");
        assert!(eve.events.iter().all(|e| e["event_type"] == "stats" || e["tap"]["tenant"] == "prod"));
    }
}

#[test]
fn copies_without_a_wrapping_are_found_too() {
    let plain = with_ip(capture("web.pcap"));
    let later = |p: &Packet| Packet { nanos: p.nanos + MS, ..a_hop_on(p) };
    let far: Vec<Packet> = plain.packets.iter().map(later).collect();
    let both = merge(&[plain.packets.clone(), far], 1);
    let eve = events(&both, &[&["--set", "mirror.dedupe=50"]]);
    same("web.pcap", &content(eve.events.iter()), &content(events(&plain, &[]).events.iter()));
    balances(&eve);
}

/// The network doubled two packets of this capture (30 and 58, within 12 microseconds, with the IPv4 id of the first);
/// what its hosts sent again has an id of its own.
#[test]
fn what_was_sent_again_is_kept() {
    let plain = capture("lossy.pcap");
    let want = events(&plain, &[]);
    let eve = events(&plain, &[&["--set", "mirror.dedupe=50"]]);
    balances(&eve);
    assert_eq!(number(&stats(&eve)["ledger"]["filtered"]), 2);
    assert_eq!(number(&stats(&eve)["decode"]["copies"]), 2);
    assert!(number(&stats(&eve)["flow"]["tcp_retransmission"]) > 0);
    let said = |eve: &Eve| content(eve.events.iter().filter(|e| e["event_type"] != "flow"));
    same("lossy.pcap", &said(&eve), &said(&want));
}

#[test]
fn what_a_mirror_cut_is_counted_and_nothing_odd() {
    let sets = ["decode", "stream"].map(|kind| format!("events.anomaly.{kind}=true"));
    let all: Vec<&str> = sets.iter().flat_map(|set| ["--set", set]).collect();
    for (name, plain) in plain_captures() {
        let want = events(&plain, &[&all]);
        let odd = |eve: &Eve| {
            let odd = eve.of("anomaly").filter(|e| e["anomaly"]["type"] != "applayer");
            odd.map(|e| e["anomaly"]["event"].to_string()).collect::<BTreeSet<_>>()
        };
        for length in [128, 100, 66] {
            let cut = |p: &Packet| Packet {
                bytes: p.bytes.get(..length).unwrap_or(&p.bytes).to_vec(),
                ..p.clone()
            };
            let mirrored = plain.packets.iter().map(|p| wrap(7, &cut(p))).collect();
            let eve = events(&Classic { link: 1, packets: mirrored }, &[STRIP, BY_VNI, &all]);
            balances(&eve);
            let new: Vec<_> = odd(&eve).difference(&odd(&want)).cloned().collect();
            assert!(new.is_empty(), "{name}, {length}: {new:?}");
        }
    }
    let web = capture("web.pcap");
    let cut =
        |p: &Packet| wrap(7, &Packet { bytes: p.bytes[..p.bytes.len().min(128)].to_vec(), ..p.clone() });
    let mirrored = Classic { link: 1, packets: web.packets.iter().map(cut).collect() };
    let (eve, want) = (events(&mirrored, &[STRIP, BY_VNI]), events(&web, &[]));
    let sizes = |eve: &Eve| content(eve.of("flow")).len();
    assert_eq!(sizes(&eve), sizes(&want));
    let bytes = |eve: &Eve| eve.of("flow").map(|e| number(&e["flow"]["bytes_toclient"])).sum::<u64>();
    assert_eq!(bytes(&eve), bytes(&want), "as long as they were");
    assert!(eve.of("flow").any(|e| e["tap"]["truncated"] == true));
    assert!(number(&stats(&eve)["decode"]["mirror_cut"]) > 0);
}

/// Every packet changes places with its neighbour, answers with their questions included.
#[test]
fn packets_that_overtake_each_other_are_read() {
    let plain = capture("web.pcap");
    let mut exchanged = plain.clone();
    for pair in exchanged.packets.chunks_exact_mut(2) {
        let [first, second] = pair else { unreachable!("chunks of two") };
        std::mem::swap(&mut first.bytes, &mut second.bytes);
        std::mem::swap(&mut first.wire_len, &mut second.wire_len);
    }
    let mirrored = Classic { link: 1, packets: wrapped(&exchanged, 7, 0) };
    let eve = events(&mirrored, &[STRIP, BY_VNI, &["--set", "stream.midstream=true"]]);
    balances(&eve);
    assert_eq!(eve.of("http").count(), events(&plain, &[]).of("http").count());
    assert_eq!(eve.of("flow").count(), events(&plain, &[]).of("flow").count());
}

#[test]
fn the_number_of_workers_changes_nothing() {
    let (web, lossy) = (capture("web.pcap"), capture("lossy.pcap"));
    let mirrored = merge(
        &[wrapped(&web, 1, 0), wrapped(&web, 2, 5 * MS), wrapped(&lossy, 3, 0), lossy.packets.clone()],
        1,
    );
    let later: Vec<Packet> =
        lossy.packets.iter().map(|p| Packet { nanos: p.nanos + MS, ..p.clone() }).collect();
    let plain = merge(&[lossy.packets.clone(), later], 1);
    let small: &[&str] = &["--set", "mirror.dedupe_memory=65536"];
    for (capture, sets) in
        [(mirrored, [STRIP, BY_VNI, ONE_TENANT, small]), (plain, [STRIP, BY_VNI, ONE_TENANT, small])]
    {
        let want = run(&capture, &sets, "1");
        for workers in ["2", "3", "4"] {
            assert!(run(&capture, &sets, workers) == want, "{workers} workers say something else");
        }
    }
}

#[test]
fn events_keep_to_the_schema() {
    let Some(root) = corpora("rules/suricata-config") else {
        return;
    };
    let schema = Schema::read(&root.join("schema.json"));
    let mirrored = Classic { link: 1, packets: wrapped(&capture("web.pcap"), 7, 0) };
    for event in &events(&mirrored, &[STRIP, BY_VNI]).events {
        assert_eq!(schema.faults(event), Vec::<String>::new(), "{event}");
    }
}
