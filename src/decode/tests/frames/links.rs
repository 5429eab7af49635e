//! Every link type, and what stands between it and the network layer.

use decode::{Ether, Network};
use frame::{LinkType, Loss, VlanTag};

use crate::build::*;

fn packet() -> Vec<u8> {
    inner4()
}

fn assert_inner(link: LinkType, data: &[u8]) {
    let seen = look(link, data);
    assert_eq!(seen.events, [""; 0], "{link:?}");
    assert_eq!(seen.loss, None, "{link:?}");
    assert_eq!(seen.packets.len(), 1, "{link:?}");
    assert_eq!(seen.ports(), (1111, 2222), "{link:?}");
    assert_eq!(seen.last().payload_len, 5);
    assert_eq!(seen.last().length as usize, data.len());
}

#[test]
fn every_link_type_leads_to_ip() {
    let ip = packet();
    let six = ip6(17, &udp(1111, 2222, b"inner"));
    let sll = |p: &[u8]| join(&[&[0; 14], &[8, 0], p]);
    for (link, data) in [
        (LinkType::ETHERNET, eth(0x0800, &ip)),
        (LinkType::ETHERNET, eth(0x86dd, &six)),
        (LinkType::RAW, ip.clone()),
        (LinkType::RAW_OLD, six.clone()),
        (LinkType::RAW_BSD, ip.clone()),
        (LinkType::IPV4, ip.clone()),
        (LinkType::IPV6, six.clone()),
        (LinkType::LINUX_SLL, sll(&ip)),
        (LinkType::LINUX_SLL2, join(&[&[0x86, 0xdd], &[0; 18], &six])),
        (LinkType::NULL, join(&[&[2, 0, 0, 0], &ip])),
        (LinkType::NULL, join(&[&[0, 0, 0, 2], &ip])),
        (LinkType::NULL, join(&[&[30, 0, 0, 0], &six])),
        (LinkType::NULL, join(&[&[0, 0, 0, 28], &six])),
        (LinkType::LOOP, join(&[&[0, 0, 0, 24], &six])),
        (LinkType::LOOP, join(&[&[10, 0, 0, 0], &six])),
        (LinkType::PPP, join(&[&[0, 0x21], &ip])),
        (LinkType::PPP, join(&[&[0x21], &ip])),
        (LinkType::PPP, join(&[&[0xff, 3, 0, 0x57], &six])),
        (LinkType::PPP_HDLC, join(&[&[0xff, 3, 0, 0x21], &ip])),
        (LinkType::C_HDLC, join(&[&[0x0f, 0, 8, 0], &ip])),
        (LinkType::ATM_RFC1483, join(&[&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], &ip])),
    ] {
        assert_inner(link, &data);
    }
}

#[test]
fn every_tag_and_shim_leads_to_ip() {
    let ip = packet();
    let pppoe = |p: &[u8]| {
        join(&[&[0x11, 0, 0, 1], &u16::try_from(p.len() + 2).unwrap().to_be_bytes(), &[0, 0x21], p])
    };
    let snap = join(&[&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], &ip]);
    for data in [
        eth(0x8100, &tag(7, 0x0800, &ip)),
        eth(0x88a8, &tag(1, 0x8100, &tag(2, 0x9100, &tag(3, 0x0800, &ip)))),
        eth(0x8847, &join(&[&[0, 1, 0x01, 64], &ip])),
        eth(0x8848, &join(&[&[0, 1, 0x00, 64], &[0, 2, 0x01, 64], &ip])),
        eth(0x8847, &join(&[&[0, 1, 0x01, 64], &[0; 4], &eth(0x0800, &ip)])),
        eth(0x8864, &pppoe(&ip)),
        eth(0x88e7, &join(&[&[0; 16], &[8, 0], &ip])),
        eth(0x8926, &join(&[&[0; 4], &[8, 0], &ip])),
        eth(0x894f, &join(&[&[0, 6, 1, 1], &[0; 20], &ip])),
        eth(0x894f, &join(&[&[0, 2, 2, 3], &[0; 4], &eth(0x0800, &ip)])),
        eth(0x22f3, &join(&[&[0, 0x40, 0, 1, 0, 2], &[0; 4], &eth(0x0800, &ip)])),
        eth(0x8903, &join(&[&[0; 2], &eth(0x0800, &ip)])),
        eth(u16::try_from(snap.len()).unwrap(), &snap),
    ] {
        assert_inner(LinkType::ETHERNET, &data);
    }
    assert_inner(LinkType::PPP_ETHER, &pppoe(&ip));
}

#[test]
fn vlans_are_listed_outermost_first_and_the_tag_beside_the_frame_is_outermost() {
    let data = eth(0x88a8, &tag(0xe001, 0x8100, &tag(2, 0x0800, &packet())));
    assert_eq!(look(LinkType::ETHERNET, &data).last().vlans.as_slice(), [1, 2]);
    let mut beside = frame(LinkType::ETHERNET, &data);
    beside.vlan = Some(VlanTag { tpid: 0x88a8, tci: 9 });
    let mut decoder = decode::Decoder::new(&decode::Settings::default());
    assert_eq!(look_with(&mut decoder, &beside).last().vlans.as_slice(), [9, 1, 2]);
    assert_eq!(decoder.counters().vlan_qinq, 1);
    assert_eq!(decoder.counters().vlan_qinqinq, 1);
}

#[test]
fn a_tag_beside_the_frame_counts_towards_its_length() {
    let inside = eth(0x8100, &tag(7, 0x0800, &packet()));
    let mut beside = inside.clone();
    beside.drain(12..16);
    let mut frame = frame(LinkType::ETHERNET, &beside);
    frame.vlan = Some(VlanTag { tpid: 0x8100, tci: 7 });
    let mut decoder = decode::Decoder::new(&decode::Settings::default());
    let (one, other) = (look(LinkType::ETHERNET, &inside), look_with(&mut decoder, &frame));
    assert_eq!(one.last().length, other.last().length);
    assert_eq!(one.last().vlans, other.last().vlans);
}

#[test]
fn a_fourth_vlan_is_too_many() {
    let data = eth(0x8100, &tag(1, 0x8100, &tag(2, 0x8100, &tag(3, 0x8100, &tag(4, 0x0800, &packet())))));
    let seen = look(LinkType::ETHERNET, &data);
    assert_eq!(seen.events, ["decoder.vlan.too_many_layers"]);
    assert_eq!(seen.loss, Some(Loss::DecodeError));
}

#[test]
fn padding_is_no_payload_and_nothing_is_missing() {
    let data = join(&[&eth(0x0800, &packet()), &[0; 13]]);
    let seen = look(LinkType::ETHERNET, &data);
    assert_eq!((seen.last().payload_len, seen.last().missing), (5, 0));
}

#[test]
fn arp_for_ethernet_and_ipv4() {
    let body = |hardware: u8, size: u8, operation: u8| {
        join(&[&[0, hardware, 8, 0, size, 4, 0, operation], &[1; 6], &[10, 0, 0, 1], &[2; 6], &[10, 0, 0, 2]])
    };
    let seen = look(LinkType::ETHERNET, &eth(0x0806, &body(1, 6, 2)));
    let Network::Arp(arp) = seen.last().network else { panic!("{seen:?}") };
    assert_eq!((arp.operation, arp.sender_ip, arp.target_mac), (2, [10, 0, 0, 1], [2; 6]));
    for (data, event) in [
        (body(6, 6, 1), "decoder.arp.unsupported_hardware"),
        (body(1, 5, 1), "decoder.arp.invalid_hardware_size"),
        (body(1, 6, 77), "decoder.arp.unsupported_opcode"),
        (body(1, 6, 1)[..27].to_vec(), "decoder.arp.invalid_pkt"),
        (body(1, 6, 1)[..7].to_vec(), "decoder.arp.pkt_too_small"),
    ] {
        let seen = look(LinkType::ETHERNET, &eth(0x0806, &data));
        assert_eq!(seen.events, [event]);
        assert_eq!(seen.last().network, Network::Other);
    }
}

#[test]
fn wifi_data_with_and_without_radiotap() {
    let llc = join(&[&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], &packet()]);
    let header =
        |control: u8, flags: u8| join(&[&[control, flags, 0, 0], &[1; 6], &[2; 6], &[3; 6], &[0, 0]]);
    let (one, two, three, four) = ([1; 6], [2; 6], [3; 6], [4; 6]);
    for (data, src, dst) in [
        (join(&[&header(0x08, 0), &llc]), two, one),
        (join(&[&header(0x08, 1), &llc]), two, three),
        (join(&[&header(0x88, 2), &[0, 0], &llc]), three, one),
        (join(&[&header(0x08, 3), &four, &llc]), four, three),
        (join(&[&header(0x88, 0x83), &four, &[0, 0], &[0; 4], &llc]), four, three),
    ] {
        assert_inner(LinkType::IEEE802_11, &data);
        assert_eq!(look(LinkType::IEEE802_11, &data).last().ether, Some(Ether { src, dst }));
        // timer and flags; the flags say that a check sequence follows
        let tap = join(&[&[0, 0, 17, 0, 3, 0, 0, 0], &[0; 8], &[0x10], &data, &[9; 4]]);
        assert_inner(LinkType::IEEE802_11_RADIOTAP, &tap);
    }
    let encrypted = join(&[&header(0x08, 0x41), &llc]);
    let seen = look(LinkType::IEEE802_11, &encrypted);
    assert_eq!((seen.last().network, seen.loss), (Network::Other, None));
}

#[test]
fn a_bundle_of_wifi_frames_gives_a_packet_each() {
    let llc = join(&[&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], &packet()]);
    let part = |n: u8| join(&[&[n; 6], &[n + 1; 6], &u16::try_from(llc.len()).unwrap().to_be_bytes(), &llc]);
    let pad = vec![0; (4 - part(1).len() % 4) % 4];
    let data =
        join(&[&[0x88, 1, 0, 0], &[7; 18], &[0, 0, 0x80, 0], &part(1), &pad, &part(3), &pad, &part(5)]);
    let seen = look(LinkType::IEEE802_11, &data);
    assert_eq!(seen.packets.len(), 3);
    let dst: Vec<u8> = seen.packets.iter().map(|p| p.ether.unwrap().dst[0]).collect();
    assert_eq!(dst, [1, 3, 5]);
    assert_eq!(seen.ports(), (1111, 2222));
}

#[test]
fn what_ethernet_carries_and_is_not_read_is_named() {
    let ip = packet();
    for (data, event, loss) in [
        (vec![0; 13], "ethernet.pkt_too_small", Some(Loss::DecodeError)),
        (eth(0x88cc, &ip), "ethernet.unknown_ethertype", None),
        (eth(0x8100, &[0, 1, 8]), "vlan.header_too_small", Some(Loss::DecodeError)),
        (eth(0x8100, &tag(1, 0x88cc, &ip)), "vlan.unknown_type", None),
        (eth(0x8926, &[0; 5]), "vntag.header_too_small", Some(Loss::DecodeError)),
        (eth(0x8926, &[0; 6]), "vntag.unknown_type", None),
        (eth(0x88e7, &[0; 17]), "ieee8021ah.header_too_small", Some(Loss::DecodeError)),
        (eth(0x8903, &[0; 15]), "dce.pkt_too_small", Some(Loss::DecodeError)),
        (eth(0x8847, &[0; 3]), "mpls.header_too_small", Some(Loss::DecodeError)),
        (eth(0x8847, &[0, 1, 1, 1, 0]), "mpls.pkt_too_small", Some(Loss::DecodeError)),
        (eth(0x8847, &[0, 1, 1, 1, 0xf0, 0, 0, 0]), "mpls.unknown_payload_type", None),
        (eth(0x8847, &[0, 0, 0x11, 1]), "mpls.bad_label_router_alert", Some(Loss::DecodeError)),
        (eth(0x8847, &[0, 0, 0x31, 1]), "mpls.bad_label_implicit_null", Some(Loss::DecodeError)),
        (eth(0x8847, &[0, 0, 0xf1, 1]), "mpls.bad_label_reserved", Some(Loss::DecodeError)),
        (eth(0x894f, &[0; 7]), "nsh.header_too_small", Some(Loss::DecodeError)),
        (eth(0x894f, &[0x40, 2, 1, 1, 0, 0, 0, 0]), "nsh.unsupported_version", Some(Loss::DecodeError)),
        (eth(0x894f, &[0, 3, 1, 1, 0, 0, 0, 0]), "nsh.bad_header_length", Some(Loss::DecodeError)),
        (eth(0x894f, &[0, 2, 0, 1, 0, 0, 0, 0, 0]), "nsh.reserved_type", Some(Loss::DecodeError)),
        (eth(0x894f, &[0, 2, 9, 1, 0, 0, 0, 0, 0]), "nsh.unsupported_type", Some(Loss::DecodeError)),
        (eth(0x894f, &[0, 2, 2, 9, 0, 0, 0, 0, 0]), "nsh.unknown_payload", None),
        (eth(0x8864, &[0x11, 0, 0, 1, 0]), "pppoe.pkt_too_small", Some(Loss::DecodeError)),
        (eth(0x8864, &[0x11, 5, 0, 1, 0, 2, 0, 0x21]), "pppoe.wrong_code", Some(Loss::DecodeError)),
        (eth(0x8863, &[0x11, 1, 0, 1, 0, 0]), "pppoe.wrong_code", None),
        (eth(0x8863, &[0x11, 9, 0, 0, 0, 4, 1, 1, 0, 9]), "pppoe.malformed_tags", None),
    ] {
        named(LinkType::ETHERNET, &data, event, loss);
    }
}

#[test]
fn what_other_links_carry_and_is_not_read_is_named() {
    for (link, data, event, loss) in [
        (LinkType::LINUX_SLL, vec![0; 15], "sll.pkt_too_small", Some(Loss::DecodeError)),
        (LinkType::LINUX_SLL2, vec![0; 19], "sll2.pkt_too_small", Some(Loss::DecodeError)),
        (LinkType::C_HDLC, vec![0; 3], "chdlc.pkt_too_small", Some(Loss::DecodeError)),
        (LinkType::NULL, vec![0; 3], "ltnull.pkt_too_small", Some(Loss::DecodeError)),
        (LinkType::NULL, vec![9, 0, 0, 0, 1], "ltnull.unsupported_type", None),
        (LinkType::RAW, vec![0x70; 40], "ipraw.invalid_ip_version", Some(Loss::DecodeError)),
        (LinkType::PPP, vec![0], "ppp.pkt_too_small", Some(Loss::DecodeError)),
        (LinkType::PPP, vec![0xc0, 0x21, 1], "ppp.unsup_proto", None),
        (LinkType::PPP, vec![0x40, 0x02, 1], "ppp.wrong_type", Some(Loss::DecodeError)),
        (LinkType::PPP, vec![0, 0x21, 0x45], "ppp.ip4_pkt_too_small", Some(Loss::DecodeError)),
        (LinkType::PPP, vec![0, 0x57, 0x60], "ppp.ip6_pkt_too_small", Some(Loss::DecodeError)),
        (LinkType::PPP, vec![0, 0x2f, 0x45], "ppp.vju_pkt_too_small", Some(Loss::DecodeError)),
    ] {
        named(link, &data, event, loss);
    }
}

fn named(link: LinkType, data: &[u8], event: &str, loss: Option<Loss>) {
    let seen = look(link, data);
    assert_eq!(seen.events, [format!("decoder.{event}")], "{link:?} {data:02x?}");
    assert_eq!(seen.loss, loss, "{event}");
}

#[test]
fn an_unknown_link_type_is_a_loss_of_its_own() {
    let seen = look(LinkType(189), &[0; 60]);
    assert_eq!((seen.loss, seen.packets.len()), (Some(Loss::UnknownLink), 0));
}

#[test]
fn endless_headers_are_given_up() {
    let mut data = packet();
    for _ in 0..30 {
        data = eth(0x6558, &data);
    }
    assert_eq!(look(LinkType::ETHERNET, &data).events, ["decoder.too_many_layers"]);
}

#[test]
fn a_cut_frame_raises_nothing_that_only_the_cut_explains() {
    let whole =
        eth(0x8100, &tag(1, 0x0800, &ip4(6, &tcp(&[1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2], b"payload"))));
    for have in 0..whole.len() {
        let mut cut = frame(LinkType::ETHERNET, &whole[..have]);
        cut.wire_len = u32::try_from(whole.len()).unwrap();
        let mut decoder = decode::Decoder::new(&decode::Settings::default());
        let seen = look_with(&mut decoder, &cut);
        assert_eq!(seen.events, [""; 0], "{have} bytes");
        assert_eq!(seen.loss.is_some(), have < 38, "{have} bytes");
        if have >= 70 {
            let (len, missing) = (seen.last().payload_len as usize, seen.last().missing as usize);
            assert_eq!((len, missing), (have - 70, whole.len() - have));
        }
        assert_eq!(decoder.counters().cut, 1);
    }
}
