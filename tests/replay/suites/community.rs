//! Community id, version 1: the published values, and our own reading of the specification for everything else.

use base64::Engine as _;
use replay::{Eve, Sensor, captures_below, corpora, root};
use serde_json::Value;
use sha1::{Digest as _, Sha1};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Protocol, one end, the other end, id: the baseline of the specification's own captures, one line a conversation.
const PUBLISHED: &[(u8, &str, &str, &str)] = &[
    (58, "fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea", "1:dGHyGvjMfljg6Bppwm3bg0LO8TY="),
    (58, "fe80::260:97ff:fe07:69ea", "fe80::200:86ff:fe05:80da", "1:zavyT/cezQr1fmImYCwYnMXbgck="),
    (58, "3ffe:501:1800:2345::2", "3ffe:507:0:1:200:86ff:fe05:80da", "1:2ObVBgIn28oZvibYZhZMBgh7WdQ="),
    (
        58,
        "3ffe:501:410:0:2c0:dfff:fe47:33e",
        "3ffe:507:0:1:200:86ff:fe05:80da",
        "1:hLZd0XGWojozrvxqE0dWB1iM6R0=",
    ),
    (58, "3ffe:507:0:1:200:86ff:fe05:80da", "3ffe:501:0:1001::2", "1:+TW+HtLHvV1xnGhV1lv7XoJrqQg="),
    (58, "fe80::200:86ff:fe05:80da", "ff02::2", "1:hO+sN4H+MG5MY/8hIrXPqc4ZQz0="),
    (58, "fe80::260:97ff:fe07:69ea", "ff02::1", "1:pkvHqCL88/tg1k4cPigmZXUtL00="),
    (6, "2001:470:e5bf:dead:4957:2174:e82c:4887", "2607:f8b0:400c:c03::1a", "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4="),
    (6, "128.232.110.120", "66.35.250.204", "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
    (46, "10.1.12.1", "10.1.12.2", "1:KHlLkgoJW7ifUTyTSgyVfkFHzKw="),
];

/// Sets of (protocol, ends in order, id).
fn seen(eve: &Eve) -> BTreeSet<(u64, [String; 2], String)> {
    eve.of("flow")
        .filter_map(|flow| {
            let address = |key: &str| flow[key].as_str()?.parse::<IpAddr>().ok().map(|a| a.to_string());
            let mut ends = [address("src_ip")?, address("dest_ip")?];
            ends.sort();
            Some((protocol(flow)?, ends, flow["community_id"].as_str()?.to_owned()))
        })
        .collect()
}

fn protocol(flow: &Value) -> Option<u64> {
    match flow["proto"].as_str()? {
        "TCP" => Some(6),
        "UDP" => Some(17),
        "ICMP" => Some(1),
        "IPv6-ICMP" => Some(58),
        "SCTP" => Some(132),
        "RSVP" => Some(46),
        other => other.parse().ok(),
    }
}

fn events(path: &std::path::Path) -> Eve {
    let args = ["read", "--quiet", "--eve", "-", "--set", "events.community_id=true"];
    let ran = Sensor::new(args).arg(path).run();
    assert_eq!(ran.code(), Some(0), "{}", ran.told());
    Eve::parse(&ran.stdout).expect("events")
}

#[test]
fn corpora_community_id_is_the_published_one() {
    let Some(root) = corpora("community-id") else { return };
    let mut all = BTreeSet::new();
    for capture in captures_below(&root) {
        all.extend(seen(&events(&capture)));
    }
    for (protocol, one, other, id) in PUBLISHED {
        let mut ends = [*one, *other].map(|a| a.parse::<IpAddr>().expect("an address").to_string());
        ends.sort();
        let want = (u64::from(*protocol), ends, (*id).to_owned());
        assert!(all.contains(&want), "{want:?} is not among {all:#?}");
    }
}

#[test]
fn every_bundled_flow_has_the_id_that_its_ends_give() {
    let eve = events(&root().join("tests/cases/bundled"));
    let mut checked = 0;
    for flow in eve.of("flow").filter(|f| f["src_port"].is_u64()) {
        assert_eq!(flow["community_id"].as_str(), id_of(flow).as_deref(), "{flow}");
        checked += 1;
    }
    assert!(checked > 20, "{checked} flows with ports");
}

/// The specification: SHA-1 over seed, ends in order, protocol, a zero, ports; the smaller end first.
fn id_of(flow: &Value) -> Option<String> {
    let end = |ip: &str, port: &str| {
        let bytes = match flow[ip].as_str()?.parse().ok()? {
            IpAddr::V4(a) => a.octets().to_vec(),
            IpAddr::V6(a) => a.octets().to_vec(),
        };
        Some((bytes, u16::try_from(flow[port].as_u64()?).ok()?))
    };
    let mut ends = [end("src_ip", "src_port")?, end("dest_ip", "dest_port")?];
    ends.sort();
    let mut bytes = vec![0, 0];
    ends.iter().for_each(|(address, _)| bytes.extend(address));
    bytes.extend([u8::try_from(protocol(flow)?).ok()?, 0]);
    ends.iter().for_each(|(_, port)| bytes.extend(port.to_be_bytes()));
    Some(format!("1:{}", base64::engine::general_purpose::STANDARD.encode(Sha1::digest(&bytes))))
}
