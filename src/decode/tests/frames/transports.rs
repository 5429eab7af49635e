//! TCP, UDP, SCTP, ESP and ICMP.

use decode::{Address, Embedded, Tcp, Transport, tcp_flags};
use frame::LinkType;

use crate::build::*;

fn tcp_of(options: &[u8]) -> (Tcp, Vec<&'static str>) {
    let seen = look(LinkType::IPV4, &ip4(6, &tcp(options, b"payload")));
    let Transport::Tcp(tcp) = seen.last().transport else { panic!("{seen:?}") };
    assert_eq!(seen.last().payload as usize, 40 + options.len());
    assert_eq!(seen.last().payload_len, 7);
    (tcp, seen.events)
}

#[test]
fn tcp_header_and_options() {
    let (tcp, events) = tcp_of(&[2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 3, 3, 7]);
    assert_eq!(events, [""; 0]);
    assert_eq!((tcp.src_port, tcp.dst_port, tcp.seq, tcp.ack), (12345, 80, 7, 9));
    assert_eq!(tcp.flags, tcp_flags::PSH | tcp_flags::ACK);
    assert_eq!((tcp.window, tcp.mss, tcp.wscale), (256, Some(1460), Some(7)));
    assert_eq!((tcp.sack_permitted, tcp.timestamp), (true, Some((1, 2))));
    assert_eq!(tcp_of(&[1, 1, 8, 10, 0, 0, 0, 3, 0, 0, 0, 4]).0.timestamp, Some((3, 4)));
    assert!(tcp_of(&[29, 4, 0, 0]).0.signed);
    assert!(tcp_of(&[34, 6, 1, 2, 3, 4, 1, 1]).0.fast_open);
    assert!(tcp_of(&[254, 4, 0xf9, 0x89]).0.fast_open);
}

#[test]
fn impossible_tcp_options() {
    for (options, event) in [
        (&[2, 3, 5, 0][..], "opt_invalid_len"),
        (&[2, 0, 5, 0], "opt_invalid_len"),
        (&[99, 5, 5, 0], "opt_invalid_len"),
        (&[3, 3, 1, 3, 3, 1, 1, 1], "opt_duplicate"),
        (&[5, 9, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1], "opt_invalid_len"),
    ] {
        assert_eq!(tcp_of(options).1, [format!("decoder.tcp.{event}")], "{options:?}");
    }
    assert_eq!(tcp_of(&[1, 1, 1, 9]).1, [""; 0]);
}

#[test]
fn impossible_transports_are_analysed_all_the_same() {
    let mut short = tcp(&[], b"");
    short[12] = 0x40;
    let mut long = tcp(&[], b"");
    long[12] = 0x60;
    let udp_with = |length: u8| [0, 1, 0, 2, 0, length, 0, 0, 7];
    for (protocol, body, event) in [
        (6, tcp(&[], b"")[..19].to_vec(), "tcp.pkt_too_small"),
        (6, long, "tcp.hlen_too_small"),
        (6, short, "tcp.invalid_optlen"),
        (17, vec![0; 7], "udp.pkt_too_small"),
        (17, udp_with(10).to_vec(), "udp.hlen_too_small"),
        (17, udp_with(7).to_vec(), "udp.len_invalid"),
        (132, vec![0; 11], "sctp.pkt_too_small"),
        (50, vec![0; 7], "esp.pkt_too_small"),
        (1, vec![8; 7], "icmpv4.pkt_too_small"),
        (47, vec![0; 3], "gre.pkt_too_small"),
    ] {
        let seen = look(LinkType::IPV4, &ip4(protocol, &body));
        assert_eq!(seen.events, [format!("decoder.{event}")]);
        assert_eq!((seen.loss, seen.last().transport), (None, Transport::None), "{event}");
        assert!(ip_of(seen.last()).is_some());
    }
}

#[test]
fn udp_ends_where_its_length_says() {
    let seen = look(LinkType::IPV4, &ip4(17, &[0, 1, 0, 2, 0, 9, 0, 0, 7, 7, 7]));
    assert_eq!((seen.last().payload_len, seen.last().payload), (1, 28));
}

#[test]
fn sctp_and_esp() {
    assert_eq!(look(LinkType::IPV4, &ip4(132, &[0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 9])).ports(), (1, 2));
    let seen = look(LinkType::IPV6, &ip6(50, &[0, 0, 1, 0, 0, 0, 0, 1, 9]));
    assert_eq!((seen.last().transport, seen.last().payload_len), (Transport::Esp(256), 1));
}

#[test]
fn icmp_errors_name_the_flow_they_speak_of() {
    let quoted = ip4(6, &tcp(&[], b""));
    let seen = look(LinkType::IPV4, &ip4(1, &join(&[&[3, 1, 0, 0, 0, 0, 0, 0], &quoted[..28]])));
    let about =
        Embedded { src: Address::v4(SRC), dst: Address::v4(DST), protocol: 6, src_port: 12345, dst_port: 80 };
    assert_eq!(seen.last().transport, Transport::Icmp { kind: 3, code: 1, echo: None, about: Some(about) });
    assert_eq!(seen.events, [""; 0]);
    let quoted = ip6(17, &udp(5, 6, b""));
    let seen = look(LinkType::IPV6, &ip6(58, &join(&[&[1, 4, 0, 0, 0, 0, 0, 0], &quoted])));
    let Transport::Icmp { about: Some(about), .. } = seen.last().transport else { panic!("{seen:?}") };
    assert_eq!((about.protocol, about.src_port, about.dst_port), (17, 5, 6));
}

#[test]
fn icmp_types_and_codes() {
    let v4 = |body: &[u8]| look(LinkType::IPV4, &ip4(1, body)).events;
    let v6 = |body: &[u8]| look(LinkType::IPV6, &ip6(58, body)).events;
    assert_eq!(v4(&[8, 0, 0, 0, 0, 1, 0, 2]), [""; 0]);
    assert_eq!(v4(&[8, 1, 0, 0, 0, 1, 0, 2]), ["decoder.icmpv4.unknown_code"]);
    assert_eq!(v4(&[99, 1, 0, 0, 0, 1, 0, 2]), ["decoder.icmpv4.unknown_type"]);
    assert_eq!(v4(&[3, 1, 0, 0, 0, 0, 0, 0, 0x45]), ["decoder.icmpv4.ipv4_trunc_pkt"]);
    assert_eq!(v4(&join(&[&[3, 1, 0, 0, 0, 0, 0, 0], &[0x65; 20]])), ["decoder.icmpv4.ipv4_unknown_ver"]);
    assert_eq!(v6(&[128, 0, 0, 0, 0, 1, 0, 2]), [""; 0]);
    assert_eq!(v6(&[128, 1, 0, 0, 0, 1, 0, 2]), ["decoder.icmpv6.unknown_code"]);
    assert_eq!(v6(&[50, 0, 0, 0, 0, 0, 0, 0]), ["decoder.icmpv6.unassigned_type"]);
    assert_eq!(v6(&[200, 0, 0, 0, 0, 0, 0, 0]), ["decoder.icmpv6.experimentation_type"]);
    assert_eq!(v6(&[127, 0, 0, 0, 0, 0, 0, 0]), ["decoder.icmpv6.unknown_type"]);
    assert_eq!(v6(&[130, 0, 0, 0, 0, 0, 0, 0]), ["decoder.icmpv6.mld_message_with_invalid_hl"]);
    assert_eq!(v6(&[1, 0, 0, 0, 0, 0, 0, 0, 0x60]), ["decoder.icmpv6.ipv6_trunc_pkt"]);
    assert_eq!(v6(&join(&[&[1, 0, 0, 0, 0, 0, 0, 0], &[0x40; 40]])), ["decoder.icmpv6.ipv6_unknown_version"]);
    assert_eq!(v6(&[155, 4, 0, 0, 0, 0, 0, 0]), ["decoder.icmpv6.unknown_code"]);
    assert_eq!(v6(&[155, 129, 0, 0, 0, 0, 0, 0]), [""; 0]);
    assert_eq!(v4(&[13, 0, 0, 0, 0, 1, 0, 2]), ["decoder.icmpv4.ipv4_trunc_pkt"]);
    assert_eq!(v6(&[1; 7]), ["decoder.icmpv6.pkt_too_small"]);
    let seen = look(LinkType::IPV4, &ip4(1, &[8, 0, 0, 0, 0, 1, 0, 2, 9]));
    assert_eq!(seen.last().transport, Transport::Icmp { kind: 8, code: 0, echo: Some((1, 2)), about: None });
    assert_eq!(seen.last().payload_len, 1);
}
