use avf::ptype::Ptype;
use avf::rx::Verdict;
use etherparse::PacketBuilder;

use super::{PEER, tagged, tcp, udp};
use crate::datapath::sight::{Ports, Sight, look};
use crate::datapath::sums;
use crate::rig::OWN;

const PORTS: Ports<'_> = Ports { vxlan: &[4789], geneve: &[6081] };

fn seen(frame: &[u8]) -> Sight {
    look(frame, PORTS)
}

fn ptype(frame: &[u8]) -> u16 {
    Ptype::of(&seen(frame).layers).0
}

fn ethernet(kind: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = [OWN, PEER].concat();
    frame.extend(kind.to_be_bytes());
    frame.extend(payload);
    frame
}

fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let length = (20 + payload.len()) as u16;
    let mut header = vec![0x45, 0, 0, 0, 0, 1, 0, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
    header[2..4].copy_from_slice(&length.to_be_bytes());
    let sum = sums::of_header(&header);
    header[10..12].copy_from_slice(&sum.to_be_bytes());
    header.extend(payload);
    header
}

fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
    let mut header = vec![0x60, 0, 0, 0, 0, 0, next, 64];
    header[4..6].copy_from_slice(&(payload.len() as u16).to_be_bytes());
    header.extend([0x20; 16]);
    header.extend([0x30; 16]);
    header.extend(payload);
    header
}

#[test]
fn packet_types() {
    let builder = PacketBuilder::ethernet2(PEER, OWN).ipv6([1; 16], [2; 16], 64);
    let mut udp6 = Vec::new();
    builder.udp(1, 2).write(&mut udp6, &[0; 20]).unwrap();
    let inner_udp = &udp(20)[14..];
    let gre = |kind: [u8; 2], inner: &[u8]| [&[0, 0, kind[0], kind[1]][..], inner].concat();
    let vxlan = [&[0x10, 0, 0x12, 0xB5, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 5, 0][..], &udp(20)].concat();
    let geneve =
        [&[0x10, 0, 0x17, 0xC1, 0, 0, 0, 0, 1, 0, 0x65, 0x58, 0, 0, 5, 0, 0, 0, 0, 0][..], &udp(20)].concat();
    let cases = [
        (udp(20), 24),
        (tcp(b"x", |tcp| tcp), 26),
        (tagged(&udp(20), 0x8100, 5), 24),
        (tagged(&tagged(&udp(20), 0x8100, 5), 0x88A8, 6), 24),
        (udp6, 90),
        (ethernet(0x0806, &[0; 46]), 11),
        (ethernet(0x88CC, &[0; 46]), 6),
        (ethernet(0x88F7, &[0; 46]), 2),
        (ethernet(0x9000, &[0; 46]), 1),
        (ethernet(0x0800, &ipv4(1, &[8, 0, 0, 0, 0, 0, 0, 0])), 28),
        (ethernet(0x0800, &ipv4(132, &[0; 20])), 27),
        (ethernet(0x0800, &ipv4(50, &[0; 20])), 23),
        (ethernet(0x86DD, &ipv6(58, &[128, 0, 0, 0])), 94),
        (ethernet(0x86DD, &ipv6(44, &[17, 0, 0, 1, 0, 0, 0, 1])), 88),
        (ethernet(0x0800, &ipv4(4, inner_udp)), 31),
        (ethernet(0x0800, &ipv4(41, &ipv6(17, &[0; 8]))), 38),
        (ethernet(0x86DD, &ipv6(4, inner_udp)), 97),
        (ethernet(0x0800, &ipv4(47, &gre([8, 0], inner_udp))), 46),
        (ethernet(0x0800, &ipv4(47, &gre([0x65, 0x58], &udp(20)))), 61),
        (ethernet(0x0800, &ipv4(47, &gre([0x65, 0x58], &tagged(&udp(20), 0x8100, 1)))), 76),
        (ethernet(0x0800, &ipv4(47, &gre([0x88, 0x0B], &[0; 8]))), 43),
        (ethernet(0x0800, &ipv4(17, &vxlan)), 61),
        (ethernet(0x0800, &ipv4(17, &geneve)), 61),
        (ethernet(0x0800, &[0x45, 0, 0]), 1),
        (vec![1, 2, 3], 1),
    ];
    for (at, (frame, row)) in cases.iter().enumerate() {
        assert_eq!(ptype(frame), *row, "case {at}: {:?}", seen(frame).layers);
    }
    assert_eq!(
        Ptype::of(&look(&ethernet(0x0800, &ipv4(17, &vxlan)), Ports::default()).layers).0,
        24,
        "not registered"
    );
}

#[test]
fn checksums_are_computed() {
    let good = udp(33);
    assert_eq!(seen(&good).checks.verdict(), Verdict::Good);
    for (at, ip, transport) in [(18, true, false), (45, false, true), (26, true, true)] {
        let mut bad = good.clone();
        bad[at] ^= 0x40;
        let checks = seen(&bad).checks;
        assert_eq!((checks.ip_bad, checks.transport_bad), (ip, transport), "byte {at}");
    }
    let mut none = good.clone();
    none[40..42].fill(0);
    assert_eq!(seen(&none).checks.verdict(), Verdict::Good, "no checksum is none that is wrong");
    let segment = tcp(b"abc", |tcp| tcp);
    assert_eq!(seen(&segment).checks.verdict(), Verdict::Good);
    let mut sctp = vec![0, 1, 0, 2, 0, 0, 0, 9, 0, 0, 0, 0, 1, 2, 3, 4];
    let sum = sums::of_sctp(&sctp);
    assert!(seen(&ethernet(0x0800, &ipv4(132, &sctp))).checks.transport_bad);
    sctp[8..12].copy_from_slice(&sum);
    assert_eq!(seen(&ethernet(0x0800, &ipv4(132, &sctp))).checks.verdict(), Verdict::Good);
}

#[test]
fn what_cannot_be_verified_is_not() {
    assert_eq!(seen(&ethernet(0x0806, &[0; 46])).checks.verdict(), Verdict::Unknown);
    let mut cut = udp(100);
    cut.truncate(80);
    assert_eq!(seen(&cut).checks.verdict(), Verdict::Unknown);
    let routed = ipv6(43, &[&[17, 0, 0, 0, 0, 0, 0, 0][..], &[0, 1, 0, 2, 0, 8, 0x12, 0x34]].concat());
    let checks = seen(&ethernet(0x86DD, &routed)).checks;
    assert!(checks.ipv6_extension && !checks.transport_bad);
}

#[test]
fn errors_outside_of_a_tunnel_are_told_apart() {
    let inner = &udp(20)[14..];
    let mut outer = ethernet(0x0800, &ipv4(4, inner));
    outer[22] ^= 1;
    let checks = seen(&outer).checks;
    assert_eq!((checks.outer_ip_bad, checks.ip_bad, checks.transport_bad), (true, false, false));
}

#[test]
fn nothing_that_is_sent_panics() {
    let whole = tagged(
        &ethernet(0x0800, &ipv4(47, &[&[0xB0, 0, 0x65, 0x58][..], &[0; 12], &udp(20)].concat())),
        0x8100,
        1,
    );
    for length in 0..whole.len() {
        look(&whole[..length], PORTS);
    }
    let mut state = 1_u64;
    for _ in 0..20_000 {
        let mut frame = whole.clone();
        for _ in 0..3 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = (state >> 33) as usize % frame.len();
            frame[at] = (state >> 20) as u8;
        }
        look(&frame, PORTS);
    }
}
