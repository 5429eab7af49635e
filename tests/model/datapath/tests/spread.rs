use std::collections::BTreeSet;

use avf::rss::KEY_BYTES;
use avf::virtchnl::{
    Algorithm, Header, HeaderKind, HeaderPattern, Hena, Request, RssConfig, RssKey, RssLut, field,
};

use super::{tagged, udp, udp_between};
use crate::rig::{Rig, Setting};
use crate::{Options, Persona};

/// The key of Microsoft's verification suite, and then zeros.
const MICROSOFT: [u8; 40] = [
    0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0,
    0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42,
    0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
];

fn with_key(persona: Persona, key: Vec<u8>) -> Rig {
    let mut rig = Rig::running(persona, Options::lenient(), Setting::default());
    let vsi = rig.vsi();
    rig.ok(Request::RssKey(RssKey { vsi, key }));
    rig
}

#[test]
fn published_vectors_stand_in_descriptors() {
    let mut key = MICROSOFT.to_vec();
    key.resize(KEY_BYTES, 0);
    let mut rig = with_key(Persona::i40e(), key);
    let cases = [
        ([66, 9, 149, 187], [161, 142, 100, 80], 2794, 1766, 0x51cc_c178),
        ([199, 92, 111, 2], [65, 69, 140, 83], 14230, 4739, 0xc626_b0ea),
        ([24, 19, 198, 95], [12, 22, 207, 184], 12898, 38024, 0x5c2b_394a),
    ];
    for (from, to, source, destination, hash) in cases {
        let (queue, said, _) = rig.through(&udp_between(from, to, source, destination, 30));
        assert_eq!(said.hash, Some(hash));
        assert_eq!(u32::from(queue), hash % 64 % 4);
    }
}

#[test]
fn the_symmetric_key_keeps_both_directions_together() {
    let mut rig = with_key(Persona::i40e(), [0x6D, 0x5A].repeat(26));
    let mut queues = BTreeSet::new();
    for n in 0..64_u8 {
        let there = udp_between([10, 0, n, 1], [10, 9, 0, n], 1000 + u16::from(n), 53, 20);
        let back = udp_between([10, 9, 0, n], [10, 0, n, 1], 53, 1000 + u16::from(n), 20);
        let (there, back) = (rig.through(&there), rig.through(&back));
        assert_eq!((there.0, there.1.hash), (back.0, back.1.hash));
        queues.insert(there.0);
    }
    assert_eq!(queues.len(), 4);
}

#[test]
fn classes_that_are_not_hashed_go_to_queue_0() {
    let mut rig = Rig::lenient();
    rig.ok(Request::SetHena(Hena(0)));
    let (queue, said, _) = rig.through(&udp(20));
    assert_eq!((queue, said.hash), (0, None));
    rig.ok(Request::SetHena(Hena(1 << 31)));
    assert!(rig.through(&udp(20)).1.hash.is_some());
}

/// The X722 has names of its own for the same packets.
#[test]
fn the_x722_hashes_what_it_was_told_and_nothing_else() {
    let mut rig = with_key(Persona::x722(), vec![7; KEY_BYTES]);
    rig.ok(Request::SetHena(Hena(1 << 31)));
    assert_eq!(rig.through(&udp(20)).1.hash, None);
    rig.ok(Request::SetHena(Hena(1 << 29)));
    assert!(rig.through(&udp(20)).1.hash.is_some());
}

#[test]
fn fragments_are_hashed_by_addresses_alone() {
    let mut rig = Rig::lenient();
    let mut first = udp_between([10, 0, 0, 1], [10, 0, 0, 2], 1, 2, 64);
    first[20] = 0x20;
    let mut other = udp_between([10, 0, 0, 1], [10, 0, 0, 2], 7, 9, 64);
    other[20] = 0x20;
    let hashes = [&first, &other].map(|frame| rig.through(frame).1.hash);
    assert!(hashes[0].is_some());
    assert_eq!(hashes[0], hashes[1]);
    assert_eq!(rig.through(&first).1.ptype.0, 22);
}

#[test]
fn the_table_decides_the_queue() {
    let mut rig = Rig::lenient();
    let vsi = rig.vsi();
    rig.ok(Request::RssLut(RssLut { vsi, entries: vec![3; 64] }));
    for n in 0..8 {
        assert_eq!(rig.through(&udp_between([1, 2, 3, n], [4, 3, 2, 1], 5, 6, 20)).0, 3);
    }
}

/// A frame in VXLAN or GENEVE from one tunnel end to the other; the source port follows the flow, as RFC 7348 has it.
fn tunnelled(port: u16, header: &[u8], entropy: u16, inner: &[u8]) -> Vec<u8> {
    let builder = etherparse::PacketBuilder::ethernet2([2; 6], crate::rig::OWN)
        .ipv4([172, 16, 0, 1], [172, 16, 0, 2], 64)
        .udp(entropy, port);
    let mut frame = Vec::new();
    builder.write(&mut frame, &[header, inner].concat()).expect("room");
    frame
}

fn vxlan(entropy: u16, inner: &[u8]) -> Vec<u8> {
    tunnelled(4789, &[8, 0, 0, 0, 0, 0, 5, 0], entropy, inner)
}

fn geneve(entropy: u16, inner: &[u8]) -> Vec<u8> {
    tunnelled(6081, &[1, 0, 0x65, 0x58, 0, 0, 5, 0, 0, 0, 0, 0], entropy, inner)
}

fn headers() -> Vec<Header> {
    vec![Header::new(HeaderKind::IPV4, field::ENDS), Header::new(HeaderKind::UDP, field::ENDS)]
}

fn symmetric(pattern: HeaderPattern) -> Request {
    Request::AddRss(RssConfig { pattern, algorithm: Algorithm::TOEPLITZ_SYMMETRIC })
}

/// Both directions of a conversation, each in its own outer flow.
fn conversation(wrap: fn(u16, &[u8]) -> Vec<u8>, n: u8) -> [Vec<u8>; 2] {
    let there = udp_between([10, 0, n, 1], [10, 9, 0, n], 1000 + u16::from(n), 53, 20);
    let back = udp_between([10, 9, 0, n], [10, 0, n, 1], 53, 1000 + u16::from(n), 20);
    [wrap(50_000 + u16::from(n), &there), wrap(60_000 - u16::from(n), &tagged(&back, 0x8100, 7))]
}

/// Of a tunnel the inner headers are hashed where the PF can and was asked; otherwise outer ones, whatever was asked.
#[test]
fn inner_headers_are_hashed_where_the_pf_can() {
    for (inner_patterns, wrap) in [(true, vxlan as fn(u16, &[u8]) -> Vec<u8>), (true, geneve), (false, vxlan)]
    {
        let options = Options { inner_patterns, vxlan: vec![4789], geneve: vec![6081], ..Options::lenient() };
        let mut rig = Rig::running(Persona::ice(), options, Setting::default());
        rig.ok(symmetric(HeaderPattern::of(headers())));
        rig.ok(symmetric(HeaderPattern::inside(headers())));
        let mut queues = BTreeSet::new();
        let mut together = 0;
        for n in 0..64 {
            let [there, back] = conversation(wrap, n).map(|frame| rig.through(&frame));
            together += u32::from(there.1.hash == back.1.hash);
            queues.extend([there.0, back.0]);
        }
        assert_eq!(queues.len(), 4);
        assert_eq!(together == 64, inner_patterns, "{together} of 64");
        // what is in no tunnel is hashed as ever
        let plain = |from, to, source, port| udp_between(from, to, source, port, 20);
        let there = rig.through(&plain([10, 0, 0, 1], [10, 0, 0, 2], 5, 6)).1.hash;
        assert!(there.is_some() && there == rig.through(&plain([10, 0, 0, 2], [10, 0, 0, 1], 6, 5)).1.hash);
    }
}

/// Ports that the PF has not registered are those of any datagram.
#[test]
fn a_tunnel_that_the_pf_does_not_know_is_udp() {
    let options = Options { inner_patterns: true, ..Options::lenient() };
    let mut rig = Rig::running(Persona::ice(), options, Setting::default());
    rig.ok(symmetric(HeaderPattern::inside(headers())));
    let [there, _] = conversation(vxlan, 1);
    assert_eq!(rig.through(&there).1.hash, None, "no pattern is one of outer headers");
    rig.ok(symmetric(HeaderPattern::of(headers())));
    assert_eq!(rig.through(&there).1.ptype.0, 24);
}
