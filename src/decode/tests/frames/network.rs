//! IPv4 and IPv6: impossible headers, options, extension headers.

use decode::{Network, Transport};
use frame::{LinkType, Loss};

use crate::build::*;

fn events(link: LinkType, data: &[u8]) -> Vec<&'static str> {
    look(link, data).events
}

#[test]
fn impossible_ipv4_headers() {
    let good = inner4();
    let change = |at: usize, to: u8| {
        let mut bad = good.clone();
        bad[at] = to;
        bad
    };
    for (data, event) in [
        (good[..19].to_vec(), "pkt_too_small"),
        (change(0, 0x65), "wrong_ip_version"),
        (change(0, 0x44), "hlen_too_small"),
        (change(3, 19), "iplen_smaller_than_hlen"),
        (change(3, 99), "trunc_pkt"),
    ] {
        let seen = look(LinkType::IPV4, &data);
        assert_eq!(seen.events, [format!("decoder.ipv4.{event}")]);
        assert_eq!(seen.loss, Some(Loss::DecodeError));
        assert_eq!(seen.last().network, Network::Other);
    }
    assert_eq!(events(LinkType::IPV4, &ip4(58, &[0; 8])), ["decoder.ipv4.icmpv6"]);
}

#[test]
fn ipv4_options() {
    for (options, expected) in [
        (&[1, 1, 1, 1, 1, 1, 1, 0][..], &[][..]),
        (&[1, 1, 1, 0], &["opt_pad_required"]),
        (&[7, 7, 4, 0, 0, 0, 0, 0], &[]),
        (&[7, 7, 3, 0, 0, 0, 0, 0], &["opt_malformed"]),
        (&[7, 7, 12, 0, 0, 0, 0, 0], &["opt_malformed"]),
        (&[131, 9, 4, 0, 0, 0, 0, 0], &["opt_invalid_len"]),
        (&[131, 1, 4, 0, 0, 0, 0, 0], &["opt_invalid_len"]),
        (&[68, 8, 5, 0, 0, 0, 0, 0], &[]),
        (&[68, 8, 7, 0, 0, 0, 0, 0], &["opt_malformed"]),
        (&[148, 4, 0, 0, 148, 4, 0, 0], &["opt_duplicate"]),
        (&[148, 5, 0, 0, 0, 0, 0, 0], &["opt_invalid_len"]),
        (&[222, 4, 0, 0, 0, 0, 0, 0], &["opt_invalid"]),
        (&[1, 1, 1, 1, 1, 1, 1, 7], &["opt_eol_required"]),
        (&[134, 16, 0, 0, 0, 1, 1, 10, 0, 0, 0, 0, 0, 0, 0, 0], &[]),
        (&[134, 16, 0, 0, 0, 1, 1, 10, 1, 0, 0, 0, 0, 0, 0, 0], &["opt_malformed"]),
        (&[134, 16, 0, 0, 0, 1, 9, 10, 0, 0, 0, 0, 0, 0, 0, 0], &["opt_malformed"]),
    ] {
        let data = ip4_with(17, 0, 0, options, &udp(1111, 2222, b"x"));
        let seen = look(LinkType::IPV4, &data);
        let expected: Vec<String> = expected.iter().map(|e| format!("decoder.ipv4.{e}")).collect();
        assert_eq!(seen.events, expected, "{options:?}");
        assert_eq!(seen.ports(), (1111, 2222));
    }
}

#[test]
fn impossible_ipv6_headers() {
    let good = ip6(17, &udp(1111, 2222, b"inner"));
    let change = |at: usize, to: u8| {
        let mut bad = good.clone();
        bad[at] = to;
        bad
    };
    for (data, event) in [
        (good[..39].to_vec(), "pkt_too_small"),
        (change(0, 0x40), "wrong_ip_version"),
        (change(5, 99), "trunc_pkt"),
    ] {
        let seen = look(LinkType::IPV6, &data);
        assert_eq!(seen.events, [format!("decoder.ipv6.{event}")]);
        assert_eq!(seen.loss, Some(Loss::DecodeError));
    }
}

#[test]
fn every_ipv6_extension_header_is_walked() {
    let udp = udp(1111, 2222, b"inner");
    let alert = [0, 0, 5, 2, 0, 0, 0, 0];
    let chain = |first: u8, headers: &[&[u8]]| ip6(first, &join(&[&headers.concat(), &udp]));
    let next = |mut header: [u8; 8], to: u8| {
        header[0] = to;
        header
    };
    let plain = [17, 0, 3, 0, 0, 0, 0, 0];
    let auth = [17, 2, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 9, 9, 9, 9];
    let first = |to| next(alert, to);
    for (data, expected) in [
        (chain(0, &[&first(17)]), &[][..]),
        (chain(43, &[&plain]), &[]),
        (chain(43, &[&[17, 0, 0, 0, 0, 0, 0, 0]]), &["rh_type_0"]),
        (chain(43, &[&next(plain, 43), &plain]), &["exthdr_dupl_rh"]),
        (chain(51, &[&auth]), &[]),
        (chain(51, &[&[17, 2, 1], &auth[3..]]), &["exthdr_ah_res_not_null"]),
        (chain(135, &[&plain]), &[]),
        (chain(139, &[&plain]), &[]),
        (chain(140, &[&plain]), &[]),
        (chain(60, &[&[17, 0, 1, 4, 0, 0, 0, 0]]), &["dstopts_only_padding"]),
        (chain(60, &[&[17, 0, 0x1e, 4, 0, 0, 0, 0]]), &["dstopts_unknown_opt"]),
        (chain(0, &[&[17, 0, 0, 0, 0, 0, 0, 0]]), &["hopopts_only_padding"]),
        (chain(0, &[&[17, 0, 0x1e, 4, 0, 0, 0, 0]]), &["hopopts_unknown_opt"]),
        (chain(0, &[&[17, 0, 5, 2, 0, 0, 1, 0]]), &["zero_len_padn"]),
        (chain(0, &[&[17, 0, 5, 2, 0, 0, 1, 9]]), &["exthdr_invalid_optlen"]),
        (chain(0, &[&[17, 0, 5, 2, 0, 0, 0, 0]]), &[]),
        (chain(0, &[&[17, 0, 1, 0, 5, 2, 0, 0]]), &["zero_len_padn"]),
        (chain(0, &[&first(0), &first(17)]), &["exthdr_dupl_hh"]),
        (chain(60, &[&first(60), &first(60), &first(17)]), &["exthdr_dupl_dh"]),
        (chain(44, &[&[17, 0, 0, 0, 0, 0, 0, 1]]), &["exthdr_useless_fh"]),
        (chain(44, &[&[17, 9, 0, 0, 0, 0, 0, 1]]), &["fh_non_zero_reserved_field", "exthdr_useless_fh"]),
        (
            chain(44, &[&[44, 0, 0, 0, 0, 0, 0, 1], &[17, 0, 0, 0, 0, 0, 0, 1]]),
            &["exthdr_useless_fh", "exthdr_dupl_fh"],
        ),
    ] {
        let seen = look(LinkType::IPV6, &data);
        let expected: Vec<String> = expected.iter().map(|e| format!("decoder.ipv6.{e}")).collect();
        assert_eq!(seen.events, expected, "{data:02x?}");
        assert_eq!(seen.ports(), (1111, 2222), "{data:02x?}");
        assert_eq!(ip_of(seen.last()).unwrap().protocol, 17);
    }
}

#[test]
fn ipv6_that_leads_nowhere() {
    for (data, event) in [
        (ip6(59, &[1]), "data_after_none_header"),
        (ip6(1, &[0; 8]), "icmpv4"),
        (ip6(200, &[0; 8]), "unknown_next_header"),
        (ip6(0, &[17, 9, 0, 0, 0, 0, 0, 0]), "trunc_exthdr"),
        (ip6(43, &[17]), "trunc_exthdr"),
        (ip6(44, &[6, 0, 0, 0, 0, 0, 0, 1, 7]), "exthdr_useless_fh"),
        (ip6(4, &[0x45; 19]), "ipv4_in_ipv6_too_small"),
        (ip6(4, &[0x65; 40]), "ipv4_in_ipv6_wrong_version"),
        (ip6(41, &[0x60; 39]), "ipv6_in_ipv6_too_small"),
        (ip6(41, &[0x45; 40]), "ipv6_in_ipv6_wrong_version"),
    ] {
        let seen = look(LinkType::IPV6, &data);
        assert_eq!(seen.events[0], format!("decoder.ipv6.{event}"));
        assert_eq!(
            seen.events.get(1).copied(),
            event.contains("useless").then_some("decoder.ipv6.trunc_exthdr")
        );
        assert_eq!(seen.loss, None, "{event}");
        assert_eq!(seen.last().transport, Transport::None);
    }
    assert_eq!(events(LinkType::IPV6, &ip6(59, &[])), [""; 0]);
}

#[test]
fn an_authentication_header_in_ipv4_is_walked_once() {
    let auth = |next: u8| [next, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2];
    let seen = look(LinkType::IPV4, &ip4(51, &join(&[&auth(17), &udp(1111, 2222, b"x")])));
    assert_eq!((seen.ports(), ip_of(seen.last()).unwrap().protocol), ((1111, 2222), 17));
    let nested = ip4(51, &join(&[&auth(51), &auth(17), &udp(1111, 2222, b"x")]));
    assert_eq!(look(LinkType::IPV4, &nested).last().transport, Transport::None);
}

#[test]
fn a_length_of_zero_means_all_of_a_packet_that_no_length_could_say() {
    let (mut four, mut six) = (ip4(6, &tcp(&[], b"")), ip6(6, &tcp(&[], b"")));
    (four[2], four[3], six[4], six[5]) = (0, 0, 0, 0);
    for (link, head) in [(LinkType::IPV4, four), (LinkType::IPV6, six)] {
        let small = look(link, &join(&[&head, &[7; 1000]]));
        assert!(!small.events.is_empty());
        let big = look(link, &join(&[&head, &[7; 70_000]]));
        assert_eq!((big.events.len(), big.last().payload_len, big.last().missing), (0, 70_000, 0));
    }
}
