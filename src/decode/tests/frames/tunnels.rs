//! Every tunnel gives its outer packet and, after it, the inner one.

use decode::{Network, Origin, Settings, Steer, Transport, steer};
use frame::LinkType;

use crate::build::*;

/// Decodes a tunnel in IPv4 and gives the inner packet.
fn inside(protocol: u8, body: &[u8]) -> Seen {
    let data = ip4(protocol, body);
    assert_eq!(steer(&Settings::default(), &frame(LinkType::IPV4, &data)), Steer::Everybody);
    look(LinkType::IPV4, &data)
}

fn assert_inner(seen: &Seen, origin: Origin, length: usize) {
    assert_eq!(seen.events, [""; 0]);
    assert_eq!(seen.packets.len(), 2, "{origin:?}");
    assert_eq!((seen.last().origin, seen.last().depth), (origin, 1));
    assert_eq!(seen.ports(), (1111, 2222));
    assert_eq!(seen.last().length as usize, length, "{origin:?}");
}

#[test]
fn ip_in_ip_all_four_ways() {
    let (four, six) = (inner4(), ip6(17, &udp(1111, 2222, b"inner")));
    assert_inner(&inside(4, &four), Origin::IpIp4, four.len());
    assert_inner(&inside(41, &six), Origin::IpIp4, six.len());
    assert_inner(&look(LinkType::IPV6, &ip6(4, &four)), Origin::IpIp6, four.len());
    assert_inner(&look(LinkType::IPV6, &ip6(41, &six)), Origin::IpIp6, six.len());
    assert_eq!(inside(4, &four).packets[0].origin.name(), "wire/pcap");
    assert_eq!(Origin::IpIp6.name(), "ipv6 tunnel");
}

#[test]
fn gre_with_every_optional_field() {
    let ip = inner4();
    let frame = eth(0x0800, &ip);
    for (body, length) in [
        (join(&[&[0, 0, 8, 0], &ip]), ip.len()),
        (join(&[&[0xb0, 0, 8, 0], &[0; 12], &ip]), ip.len()),
        (join(&[&[0x40, 0, 8, 0], &[0; 4], &[0, 9, 0, 2, 7, 7], &[0; 4], &ip]), ip.len()),
        (join(&[&[0, 0, 0x65, 0x58], &frame]), frame.len()),
        (join(&[&[0, 0, 0x81, 0], &tag(5, 0x0800, &ip)]), ip.len() + 4),
        (join(&[&[0x30, 0x81, 0x88, 0x0b], &[0; 12], &[0xff, 3, 0, 0x21], &ip]), ip.len() + 4),
    ] {
        let seen = inside(47, &body);
        assert_inner(&seen, Origin::Gre, length);
        assert_eq!(seen.packets[0].transport, Transport::Gre);
    }
    assert_eq!(
        inside(47, &join(&[&[0, 0, 0x65, 0x58], &frame])).last().ether.unwrap().src,
        [2, 0, 0, 0, 0, 1]
    );
}

#[test]
fn impossible_gre() {
    for (body, event) in [
        ([0, 2, 8, 0], "wrong_version"),
        ([1, 0, 8, 0], "version0_recur"),
        ([0, 0x80, 8, 0], "version0_flags"),
        ([0x80, 0, 8, 0], "version0_hdr_too_big"),
        ([0x80, 1, 0x88, 0x0b], "version1_chksum"),
        ([0x40, 1, 0x88, 0x0b], "version1_route"),
        ([0x08, 1, 0x88, 0x0b], "version1_ssr"),
        ([0x01, 1, 0x88, 0x0b], "version1_recur"),
        ([0x20, 0x09, 0x88, 0x0b], "version1_flags"),
        ([0x20, 1, 8, 0], "version1_wrong_protocol"),
        ([0, 1, 0x88, 0x0b], "version1_no_key"),
        ([0x20, 1, 0x88, 0x0b], "version1_hdr_too_big"),
    ] {
        let seen = inside(47, &body);
        assert_eq!(seen.events, [format!("decoder.gre.{event}")]);
        assert_eq!((seen.packets.len(), seen.loss), (1, None));
    }
    let routes = inside(47, &join(&[&[0x40, 0, 8, 0], &[0; 4], &[0, 9, 0, 99]]));
    assert_eq!(routes.events, ["decoder.gre.version0_malformed_sre_hdr"]);
}

#[test]
fn erspan_of_three_types() {
    let frame = eth(0x8100, &tag(7, 0x0800, &inner4()));
    let one = inside(47, &join(&[&[0, 0, 0x88, 0xbe], &frame]));
    assert_inner(&one, Origin::Erspan, frame.len());
    assert_eq!(one.last().vlans.as_slice(), [7]);
    let two = inside(47, &join(&[&[0x10, 0, 0x88, 0xbe], &[0; 4], &[0x10, 23, 0, 1, 0, 0, 0, 0], &frame]));
    assert_inner(&two, Origin::Erspan, frame.len() + 8);
    assert_eq!(two.last().vlans.as_slice(), [23, 7]);
    let three = |last: u8, platform: &[u8]| {
        let header = [0x20, 23, 0, 1, 0, 0, 0, 0, 0, 0, 0, last];
        inside(47, &join(&[&[0x10, 0, 0x22, 0xeb], &[0; 4], &header, platform, &frame]))
    };
    assert_inner(&three(0, &[]), Origin::Erspan, frame.len() + 12);
    assert_inner(&three(1, &[0; 8]), Origin::Erspan, frame.len() + 20);
    let wrong = inside(47, &join(&[&[0x10, 0, 0x88, 0xbe], &[0; 4], &[0x50, 23, 0, 1, 0, 0, 0, 0], &frame]));
    assert_eq!(wrong.events, ["decoder.erspan.unsupported_version"]);
}

#[test]
fn an_erspan_copy_that_the_mirror_cut_short_is_no_anomaly() {
    let frame = eth(0x0800, &ip4(6, &tcp(&[], &[7; 100])));
    let body = join(&[&[0x10, 0, 0x88, 0xbe], &[0; 4], &[0x10, 23, 0x04, 1, 0, 0, 0, 0], &frame[..64]]);
    let seen = inside(47, &body);
    assert_eq!(seen.events, [""; 0]);
    assert_eq!((seen.last().payload_len, seen.last().missing), (10, 90));
}

#[test]
fn vxlan_names_its_network() {
    let frame = eth(0x0800, &inner4());
    let header = [8, 0, 0, 0, 0, 0, 42, 0];
    let seen = inside(17, &udp(5555, 4789, &join(&[&header, &frame])));
    assert_inner(&seen, Origin::Vxlan, frame.len() - 14);
    assert_eq!((seen.last().tenant, seen.packets[0].tenant), (42, 0));
    assert_eq!(seen.last().ether.unwrap().dst, [2, 0, 0, 0, 0, 2]);
    assert_eq!(seen.packets[0].transport, Transport::Udp(5555, 4789));
    // the other direction's port says nothing, nor does a header without its flag
    assert_eq!(inside_or_not(&udp(4789, 5555, &join(&[&header, &frame]))), 1);
    assert_eq!(inside_or_not(&udp(5555, 4789, &join(&[&[0; 8], &frame]))), 1);
    let gpe = inside(17, &udp(5555, 4789, &join(&[&[0x0c, 0, 0, 1, 0, 0, 42, 0], &inner4()])));
    assert_inner(&gpe, Origin::Vxlan, inner4().len());
    let unknown = inside(17, &udp(5555, 4789, &join(&[&header, &eth(0x1234, &[0; 20])])));
    assert_eq!(unknown.events, ["decoder.vxlan.unknown_payload_type"]);
}

fn inside_or_not(body: &[u8]) -> usize {
    look(LinkType::IPV4, &ip4(17, body)).packets.len()
}

#[test]
fn geneve_with_options() {
    let frame = eth(0x0800, &inner4());
    let body = |options: &[u8], kind: u16, payload: &[u8]| {
        let words = u8::try_from(options.len() / 4).unwrap();
        udp(5555, 6081, &join(&[&[words, 0x40], &kind.to_be_bytes(), &[0, 0, 9, 0], options, payload]))
    };
    let seen = inside(17, &body(&[], 0x6558, &frame));
    assert_inner(&seen, Origin::Geneve, frame.len());
    assert_eq!(seen.last().tenant, 9);
    let options = [1, 8, 0x81, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1, 8, 3, 1, 0, 0, 0, 0];
    let mut decoder = decode::Decoder::new(&Settings::default());
    let data = ip4(17, &body(&options, 0x0800, &inner4()));
    assert_inner(
        &look_with(&mut decoder, &crate::build::frame(LinkType::IPV4, &data)),
        Origin::Geneve,
        inner4().len(),
    );
    assert_eq!(decoder.counters().geneve_critical, 1);
    assert_eq!(inside(17, &body(&[], 0x1234, &frame)).events, ["decoder.geneve.unknown_payload_type"]);
    // an option that claims more than there is ends the walk, not the packet
    assert_eq!(inside(17, &body(&[1, 8, 0x81, 31], 0x0800, &inner4())).packets.len(), 2);
}

#[test]
fn gtp_carries_user_packets_only() {
    let ip = inner4();
    let message = |flags: u8, kind: u8, between: &[u8]| {
        let length = u16::try_from(between.len() + ip.len()).unwrap();
        udp(2152, 2152, &join(&[&[flags, kind], &length.to_be_bytes(), &[0, 0, 0, 5], between, &ip]))
    };
    assert_inner(&inside(17, &message(0x30, 255, &[])), Origin::Gtp, ip.len());
    assert_inner(&inside(17, &message(0x32, 255, &[0, 1, 0, 0])), Origin::Gtp, ip.len());
    assert_inner(&inside(17, &message(0x34, 255, &[0, 0, 0, 0x85, 1, 0, 0, 0])), Origin::Gtp, ip.len());
    assert_eq!(inside(17, &message(0x30, 255, &[])).last().tenant, 0);
    assert_eq!(inside(17, &message(0x30, 1, &[])).packets.len(), 1);
    assert_eq!(inside(17, &message(0x34, 255, &[0, 0, 0, 0x85, 0, 0, 0, 0])).packets.len(), 1);
}

#[test]
fn teredo_with_indications() {
    let six = ip6(17, &udp(1111, 2222, b"inner"));
    for before in [&[][..], &[0, 0, 1, 2, 3, 4, 5, 6], &[0, 1, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0]] {
        let seen = inside(17, &udp(9999, 3544, &join(&[before, &six])));
        assert_inner(&seen, Origin::Teredo, six.len());
    }
    assert_eq!(inside(17, &udp(9999, 3544, &join(&[&six, &[0]]))).packets.len(), 1);
}

#[test]
fn tunnels_in_tunnels_end_somewhere() {
    let mut data = inner4();
    for _ in 0..9 {
        data = ip4(4, &data);
    }
    let seen = look(LinkType::IPV4, &data);
    assert_eq!(seen.packets.len(), 8);
    assert_eq!(seen.events, ["decoder.too_many_layers"]);
    let shallow = Settings { tunnel_depth: 1, ..Settings::default() };
    let data = ip4(4, &ip4(4, &inner4()));
    let mut decoder = decode::Decoder::new(&shallow);
    assert_eq!(look_with(&mut decoder, &frame(LinkType::IPV4, &data)).packets.len(), 2);
}

#[test]
fn an_arp_in_gre_is_a_packet() {
    let arp = join(&[&[0, 1, 8, 0, 6, 4, 0, 1], &[1; 6], &[10, 0, 0, 1], &[0; 6], &[10, 0, 0, 2]]);
    let seen = inside(47, &join(&[&[0, 0, 0x08, 0x06], &arp]));
    assert!(matches!(seen.last().network, Network::Arp(_)));
}
