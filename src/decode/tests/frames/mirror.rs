//! Mirror sessions as clouds, hypervisors and switches send them: bytes by hand after each one's published layout.

use decode::mirror::{Direction, Kind, Settings as Mirror, Tap, is_mirrored};
use decode::{Address, Decoder, Origin, Packet, Settings};
use frame::{LinkType, Timestamp};
use std::time::Duration;

use crate::build::*;

const SENDER: [u8; 4] = [10, 20, 0, 7];
const SENSOR: [u8; 4] = [10, 9, 0, 5];

/// A decoder that strips these sessions.
pub(crate) fn decoder(sessions: &[&str], names: &[&str], window: u64) -> Decoder {
    let mut mirror = Mirror {
        strip: true,
        sessions: sessions.iter().map(|s| s.parse().expect("a session")).collect(),
        names: names.iter().map(|n| n.parse().expect("a name")).collect(),
        ..Mirror::default()
    };
    mirror.dedupe.window = Duration::from_millis(window);
    Decoder::new(&Settings { mirror, ..Settings::default() })
}

/// IPv4 between a mirror's ends.
fn outer(from: [u8; 4], protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = ip4(protocol, payload);
    packet[12..16].copy_from_slice(&from);
    packet[16..20].copy_from_slice(&SENSOR);
    packet
}

fn vxlan(vni: u8, inside: &[u8]) -> Vec<u8> {
    udp(0xc123, 4789, &join(&[&[8, 0, 0, 0, 0, 0, vni, 0], inside]))
}

fn geneve(kind: u16, vni: u8, options: &[u8], inside: &[u8]) -> Vec<u8> {
    let words = u8::try_from(options.len() / 4).expect("few options");
    udp(0xc123, 6081, &join(&[&[words, 0], &kind.to_be_bytes(), &[0, 0, vni, 0], options, inside]))
}

fn option(class: u16, kind: u8, value: &[u8]) -> Vec<u8> {
    let words = u8::try_from(value.len() / 4).expect("a short value");
    join(&[&class.to_be_bytes(), &[kind, words], value])
}

/// What a gateway load balancer writes: endpoint, attachment, flow cookie; 32 bytes in all.
fn balancer(class: u16) -> Vec<u8> {
    let endpoint = option(class, 1, &[0, 0, 0, 0, 0xab, 0xcd, 0, 1]);
    join(&[&endpoint, &option(class, 2, &[9; 8]), &option(class, 3, &[1, 2, 3, 4])])
}

/// The frame that was mirrored.
fn mirrored() -> Vec<u8> {
    eth(0x0800, &ip4(6, &tcp(&[], b"GET / HTTP/1.1\r\n\r\n")))
}

fn erspan2(session: u16, truncated: bool, inside: &[u8]) -> Vec<u8> {
    let [high, low] = (session | if truncated { 0x0400 } else { 0 }).to_be_bytes();
    join(&[&[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 0, high, low, 0, 0, 0, 5], inside])
}

fn erspan3(session: u16, last: u8, platform: &[u8], inside: &[u8]) -> Vec<u8> {
    let [high, low] = session.to_be_bytes();
    let header = [0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 0, high, low, 1, 2, 3, 4, 0, 0, 0, last];
    join(&[&header, platform, inside])
}

/// One packet, of which only the mirror knows that it was wrapped.
fn strip(session: &str, packet: &[u8]) -> (Packet, Tap, String) {
    let data = eth(0x0800, packet);
    let mut decoder = decoder(&[session], &[], 0);
    let frame = frame(LinkType::ETHERNET, &data);
    let decoded = decoder.decode(&frame);
    assert!(decoded.events.is_empty() && decoded.loss.is_none(), "{session}: {:?}", decoded.events);
    let [packet] = decoded.packets else { panic!("{session}: {:?}", decoded.packets) };
    assert!(packet.mirrored && packet.depth == 0 && is_mirrored(packet.tenant));
    let (packet, tap) = (*packet, *decoded.tap.expect("a tap"));
    assert_eq!(tap.tenant, packet.tenant);
    let labels = decoder.tenants();
    let label = labels.last().expect("a tenant").to_string();
    (packet, tap, label)
}

fn source(address: [u8; 4]) -> Option<(Address, u8)> {
    Some((Address::v4(address), 4))
}

#[test]
fn aws_to_an_interface_or_a_network_balancer() {
    let data = outer(SENDER, 17, &vxlan(77, &mirrored()));
    let (packet, tap, label) = strip("vxlan to 10.9.0.5 tenant vni", &data);
    assert_eq!((packet.origin, packet.length as usize), (Origin::Vxlan, mirrored().len()));
    assert!(packet.ether.is_some());
    assert_eq!((tap.kind, tap.ids.vni, tap.ids.source), (Kind::Vxlan, Some(77), source(SENDER)));
    assert_eq!((tap.direction, tap.truncated, label.as_str()), (None, false, "vni 77"));
}

#[test]
fn aws_through_a_gateway_balancer() {
    let eni = [172, 31, 0, 9];
    let inside = outer(eni, 17, &vxlan(5, &mirrored()));
    let data = outer(SENDER, 17, &geneve(0x0800, 0, &balancer(0x0108), &inside));
    assert_eq!(data.len() - mirrored().len(), 68 + 36);
    let (packet, tap, label) = strip("geneve+vxlan to 10.9.0.5 tenant endpoint+vni", &data);
    assert_eq!((packet.origin, packet.length as usize), (Origin::Vxlan, mirrored().len()));
    let ids = tap.ids;
    assert_eq!((ids.endpoint, ids.vni, ids.source), (Some(0xabcd_0001), Some(5), source(eni)));
    assert_eq!((tap.kind, label.as_str()), (Kind::GeneveVxlan, "vni 5 endpoint 0x00000000abcd0001"));
}

#[test]
fn gateway_balancers_in_line() {
    for class in [0x0108, 0x0167] {
        let data = outer(SENDER, 17, &geneve(0x0800, 0, &balancer(class), &inner4()));
        let (packet, tap, label) = strip("geneve from 10.20.0.0/16 tenant endpoint", &data);
        assert_eq!((packet.origin, packet.length as usize), (Origin::Geneve, inner4().len()));
        assert_eq!(tap.ids.endpoint, Some(0xabcd_0001));
        assert_eq!(label, "endpoint 0x00000000abcd0001");
    }
}

#[test]
fn google_network_security_integration() {
    let network = (0x00ab_cdef << 4 | 1_u32).to_be_bytes();
    let options = [option(0x0132, 3, &[7; 8]), option(0x0132, 1, &network), option(0x0132, 2, &[1; 20])];
    for (kind, inside) in [(0x0800, inner4()), (0x86dd, ip6(17, &udp(1111, 2222, b"inner")))] {
        let data = outer(SENDER, 17, &geneve(kind, 0, &options.concat(), &inside));
        let (packet, tap, label) = strip("geneve to 10.9.0.5 tenant network", &data);
        assert_eq!(packet.length as usize, inside.len());
        assert_eq!((tap.ids.network, tap.direction), (Some(0x00ab_cdef), Some(Direction::Egress)));
        assert_eq!(label, format!("network {}", 0x00ab_cdef));
    }
}

#[test]
fn azure_virtual_network_tap() {
    let data = outer(SENDER, 17, &vxlan(27, &mirrored()));
    let (_, tap, label) = strip("vxlan to any from 10.20.0.0/16 tenant source+vni", &data);
    assert_eq!((tap.ids.vni, label.as_str()), (Some(27), "vni 27 source 10.20.0.7"));
}

#[test]
fn erspan_of_every_type() {
    let one = outer(SENDER, 47, &join(&[&[0, 0, 0x88, 0xbe], &mirrored()]));
    let (packet, tap, label) = strip("erspan to any tenant source", &one);
    assert_eq!((packet.origin, packet.length as usize), (Origin::Erspan, mirrored().len()));
    assert_eq!((tap.ids.session, label.as_str()), (None, "source 10.20.0.7"));

    let two = outer(SENDER, 47, &erspan2(513, false, &mirrored()));
    let (_, tap, label) = strip("erspan to any tenant session+source", &two);
    assert_eq!((tap.ids.session, tap.direction, tap.truncated), (Some(513), None, false));
    assert_eq!(label, "session 513 source 10.20.0.7");

    for (last, platform, direction) in
        [(0, [].as_slice(), Direction::Ingress), (8, &[], Direction::Egress), (9, &[0; 8], Direction::Egress)]
    {
        let three = outer(SENDER, 47, &erspan3(3, last, platform, &mirrored()));
        let (packet, tap, _) = strip("erspan to any tenant session", &three);
        assert!(packet.ether.is_some());
        assert_eq!((tap.ids.session, tap.direction), (Some(3), Some(direction)));
    }
}

#[test]
fn nsx_and_open_vswitch() {
    let option = option(0x0104, 0, &[0, 0, 0, 1]);
    let data = outer(SENDER, 17, &geneve(0x6558, 44, &option, &mirrored()));
    let (packet, tap, _) = strip("geneve to any tenant vni", &data);
    assert_eq!((packet.length as usize, tap.ids.vni), (mirrored().len(), Some(44)));

    for (flags, tail) in [(0x20, [].as_slice()), (0x30, &[0, 0, 0, 9])] {
        let gre = join(&[&[flags, 0, 0x65, 0x58, 0, 0, 1, 2], tail, &mirrored()]);
        let (packet, tap, label) = strip("gre to any tenant key", &outer(SENDER, 47, &gre));
        assert_eq!((packet.origin, tap.ids.key, label.as_str()), (Origin::Gre, Some(258), "key 258"));
    }
}

#[test]
fn only_what_the_list_allows_is_stripped() {
    let data = eth(0x0800, &outer(SENDER, 17, &vxlan(77, &mirrored())));
    let frame = frame(LinkType::ETHERNET, &data);
    let plain = look_with(&mut Decoder::new(&Settings::default()), &frame);
    assert_eq!(plain.packets.len(), 2);
    for session in [
        "vxlan to 10.9.0.6 tenant vni",
        "vxlan from 10.21.0.0/16 tenant vni",
        "geneve to any tenant vni",
        "vxlan on eth7 tenant vni",
    ] {
        let seen = look_with(&mut decoder(&[session], &[], 0), &frame);
        assert_eq!(seen.packets, plain.packets, "{session}");
    }
}

#[test]
fn tunnels_further_in_are_traffic() {
    let inside = eth(0x0800, &outer(SENDER, 17, &vxlan(5, &mirrored())));
    let data = eth(0x0800, &outer(SENDER, 17, &vxlan(77, &inside)));
    let mut decoder = decoder(&["vxlan to any tenant vni"], &[], 0);
    let seen = look_with(&mut decoder, &frame(LinkType::ETHERNET, &data));
    let [sent, within] = seen.packets[..] else { panic!("{:?}", seen.packets) };
    assert_eq!((sent.depth, within.depth), (0, 1));
    assert!(is_mirrored(sent.tenant) && is_mirrored(within.tenant) && sent.tenant != within.tenant);
    let labels: Vec<_> = decoder.tenants().iter().map(|l| &**l).collect();
    assert_eq!(labels, ["vni 77", "vni 77/vni 5"]);
    assert_eq!(decoder.counters().stripped, 1);
}

#[test]
fn tenants_with_one_address_plan_do_not_share_fragments() {
    let datagram = udp(1111, 2222, &[7; 40]);
    let first = eth(0x0800, &ip4_with(17, 9, 0x2000, &[], &datagram[..24]));
    let last = eth(0x0800, &ip4_with(17, 9, 3, &[], &datagram[24..]));
    let mut decoder = decoder(&["vxlan to any tenant vni"], &[], 0);
    let mut look = |vni, piece: &[u8]| {
        let data = eth(0x0800, &outer(SENDER, 17, &vxlan(vni, piece)));
        look_with(&mut decoder, &frame(LinkType::ETHERNET, &data)).packets.len()
    };
    assert_eq!(look(1, &first), 1);
    assert_eq!(look(2, &last), 1, "another tenant's piece");
    assert_eq!(look(1, &last), 2, "its own");
    assert_eq!(look(2, &first), 2);
}

#[test]
fn a_wrapping_in_fragments_is_put_together_first() {
    let whole = outer(SENDER, 17, &vxlan(77, &mirrored()));
    let body = &whole[20..];
    let piece = |fragment, bytes: &[u8]| {
        let mut packet = ip4_with(17, 9, fragment, &[], bytes);
        packet[12..20].copy_from_slice(&whole[12..20]);
        eth(0x0800, &packet)
    };
    let mut decoder = decoder(&["vxlan to any tenant vni"], &[], 0);
    look_with(&mut decoder, &frame(LinkType::ETHERNET, &piece(0x2000, &body[..32])));
    let seen = look_with(&mut decoder, &frame(LinkType::ETHERNET, &piece(4, &body[32..])));
    assert!(seen.last().mirrored && seen.last().depth == 0 && seen.packets.len() == 2);
}

#[test]
fn what_a_mirror_cut_is_missing_and_not_odd() {
    let whole = mirrored();
    for length in 0..whole.len() {
        let cut = &whole[..length];
        for packet in [vxlan(77, cut), geneve(0x6558, 77, &[], cut)] {
            let data = eth(0x0800, &outer(SENDER, 17, &packet));
            let mut decoder = decoder(&["vxlan to any tenant vni", "geneve to any tenant vni"], &[], 0);
            let seen = look_with(&mut decoder, &frame(LinkType::ETHERNET, &data));
            assert!(seen.events.is_empty(), "{length}: {:?}", seen.events);
            let last = seen.last();
            assert!(seen.packets.len() == 1 && last.mirrored);
            if length >= 14 + 40 {
                let (missing, have) = (last.missing as usize, last.payload_len as usize);
                assert_eq!((missing, have + missing), (whole.len() - length, whole.len() - 54));
            }
        }
    }
    let mut decoder = decoder(&["erspan to any tenant session"], &[], 0);
    let data = eth(0x0800, &outer(SENDER, 47, &erspan2(1, true, &whole[..60])));
    look_with(&mut decoder, &frame(LinkType::ETHERNET, &data));
    assert!(decoder.last().tap.expect("a tap").truncated);
    assert_eq!(decoder.counters().mirror_cut, 1);
}

/// The same frame, `ms` later, through a mirror with this network number.
fn copy(decoder: &mut Decoder, vni: u8, ms: u64, inside: &[u8]) -> (usize, bool) {
    let data = eth(0x0800, &outer(SENDER, 17, &vxlan(vni, inside)));
    let mut frame = frame(LinkType::ETHERNET, &data);
    frame.time = Timestamp::from_nanos(ms * 1_000_000);
    let decoded = decoder.decode(&frame);
    (decoded.packets.len(), decoded.copy)
}

#[test]
fn copies_of_both_ends_are_one_packet() {
    let names = ["prod = vni 1-2"];
    let mut decoder = decoder(&["vxlan to any tenant vni"], &names, 50);
    let sent = eth(0x0800, &ip4_with(6, 9, 0, &[], &tcp(&[], b"hello")));
    let mut routed = sent.clone();
    // Other Ethernet addresses, a hop further, with the checksums filled in.
    routed[..12].copy_from_slice(&[7; 12]);
    (routed[22], routed[24], routed[25], routed[50]) = (63, 9, 9, 9);
    assert_eq!(copy(&mut decoder, 1, 100, &sent), (1, false));
    assert_eq!(copy(&mut decoder, 2, 105, &routed), (0, true));
    assert_eq!(copy(&mut decoder, 3, 106, &sent), (1, false), "another tenant");
    let again = eth(0x0800, &ip4_with(6, 10, 0, &[], &tcp(&[], b"hello")));
    assert_eq!(copy(&mut decoder, 1, 110, &again), (1, false), "sent again: another id");
    assert_eq!(copy(&mut decoder, 2, 200, &sent), (1, false), "beyond the window");
    assert_eq!(decoder.counters().copies, 1);
}

#[test]
fn copied_fragments_do_not_overlap() {
    let mut decoder = decoder(&["vxlan to any as all"], &[], 50);
    let datagram = udp(1111, 2222, &[7; 40]);
    let first = eth(0x0800, &ip4_with(17, 9, 0x2000, &[], &datagram[..24]));
    let last = eth(0x0800, &ip4_with(17, 9, 3, &[], &datagram[24..]));
    assert_eq!(copy(&mut decoder, 1, 1, &first), (1, false));
    assert_eq!(copy(&mut decoder, 2, 2, &first), (0, true));
    assert_eq!(copy(&mut decoder, 2, 3, &last), (2, false));
    assert_eq!(copy(&mut decoder, 1, 4, &last), (0, true));
    assert_eq!(decoder.counters().reassembled, 1);
}

#[test]
fn option_walks_with_random_lengths_stay_inside() {
    let mut state = 0x1234_5678_9abc_def1_u64;
    let mut roll = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let sessions = ["geneve+vxlan to 10.9.0.5 tenant endpoint+vni+network", "erspan to any tenant session"];
    let mut decoder = decoder(&sessions, &[], 50);
    let mut options_read = 0;
    for _ in 0..50_000 {
        let [words, class, kind, length, cut, shape, ..] = roll();
        let classes = [0x0108_u16, 0x0132, 0x0167, 0x0104];
        let mut options = option(classes[usize::from(class % 4)], kind % 4, &[]);
        options[3] = if length & 0x80 != 0 { length } else { length % 4 };
        (0..words % 24).for_each(|_| options.extend_from_slice(&roll()));
        options.truncate(usize::from(words % 64) * 4);
        let packet = match shape % 3 {
            0 => outer(SENDER, 17, &geneve(0x0800, 0, &options, &outer(SENDER, 17, &vxlan(1, &mirrored())))),
            1 => outer(SENDER, 17, &geneve(0x0800, 0, &options, &options)),
            _ => outer(SENDER, 47, &join(&[&[0x10, 0, 0x22, 0xeb], &options])),
        };
        let mut data = eth(0x0800, &packet);
        if cut % 4 == 0 {
            data.truncate(data.len() - usize::from(cut) % data.len());
        }
        look_with(&mut decoder, &frame(LinkType::ETHERNET, &data));
        let ids = decoder.last().tap.map(|tap| tap.ids);
        options_read += u32::from(ids.is_some_and(|i| i.endpoint.is_some() || i.network.is_some()));
    }
    assert!(options_read > 100, "{options_read}");
    assert!(decoder.counters().stripped > 1000);
}
