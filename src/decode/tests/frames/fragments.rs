//! Fragments: order, overlaps by policy, bounds, time.

use decode::fragment::{self, Policy};
use decode::{Decoder, Origin, Settings, Source};
use frame::{LinkType, Loss, Timestamp};
use std::num::NonZeroU8;

use crate::build::*;

fn decoder(change: impl FnOnce(&mut fragment::Settings)) -> Decoder {
    let mut settings = Settings::default();
    change(&mut settings.defrag);
    Decoder::new(&settings)
}

fn piece4(id: u16, offset: usize, more: bool, data: &[u8]) -> Vec<u8> {
    let field = u16::try_from(offset / 8).unwrap() | if more { 0x2000 } else { 0 };
    ip4_with(17, id, field, &[], data)
}

fn piece6(id: u8, offset: usize, more: bool, data: &[u8]) -> Vec<u8> {
    let field = u16::try_from(offset).unwrap() | u16::from(more);
    ip6(44, &join(&[&[17, 0], &field.to_be_bytes(), &[0, 0, 0, id], data]))
}

fn feed(decoder: &mut Decoder, data: &[u8]) -> Seen {
    look_with(decoder, &frame(LinkType::RAW, data))
}

fn rebuilt(decoder: &Decoder, data: &[u8]) -> Vec<u8> {
    let frame = frame(LinkType::RAW, data);
    let decoded = decoder.last();
    let packet = decoded.packets.last().unwrap();
    assert_eq!((packet.origin, packet.source), (Origin::Defragmented, Source::Reassembled(NonZeroU8::MIN)));
    decoded.bytes(&frame, packet).to_vec()
}

#[test]
fn a_datagram_in_any_order_comes_out_whole() {
    let whole = udp(1111, 2222, &[7; 56]);
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
        for make in
            [piece4 as fn(u16, usize, bool, &[u8]) -> Vec<u8>, |id, o, m, d| piece6(id as u8, o, m, d)]
        {
            let mut decoder = decoder(|_| {});
            let parts: Vec<Vec<u8>> = (0..3)
                .map(|i| make(9, i * 24, i < 2, &whole[i * 24..(i * 24 + 24).min(whole.len())]))
                .collect();
            for (i, n) in order.iter().enumerate() {
                let seen = feed(&mut decoder, &parts[*n]);
                assert!(seen.held && seen.loss.is_none());
                assert_eq!(seen.packets.len(), if i == 2 { 2 } else { 1 });
                assert!(ip_of(&seen.packets[0]).unwrap().fragment);
                assert_eq!(seen.events, [""; 0]);
            }
            let seen = decoder.last().packets[1];
            assert!(!ip_of(&seen).unwrap().fragment);
            let bytes = rebuilt(&decoder, &parts[order[2]]);
            assert!(bytes.ends_with(&whole));
            assert_eq!(seen.length as usize, bytes.len());
            assert_eq!(decoder.counters().reassembled, 1);
        }
    }
}

#[test]
fn the_rebuilt_header_is_as_if_never_cut() {
    let whole = udp(1111, 2222, &[7; 8]);
    let mut decoder = decoder(|_| {});
    feed(&mut decoder, &piece4(9, 0, true, &whole[..8]));
    let last = piece4(9, 8, false, &whole[8..]);
    assert_eq!(feed(&mut decoder, &last).ports(), (1111, 2222));
    assert_eq!(rebuilt(&decoder, &last), ip4_with(17, 9, 0, &[], &whole));
    // behind another extension header, that one's next-header byte is the one to mend
    let hop = |data: &[u8]| ip6(0, &join(&[&[44, 0, 5, 2, 0, 0, 1, 0], &data[40..]]));
    feed(&mut decoder, &hop(&piece6(1, 0, true, &whole[..8])));
    let last = hop(&piece6(1, 8, false, &whole[8..]));
    assert_eq!(feed(&mut decoder, &last).ports(), (1111, 2222));
    assert_eq!(rebuilt(&decoder, &last), ip6(0, &join(&[&[17, 0, 5, 2, 0, 0, 1, 0], &whole])));
}

/// The fragments of J. Novak, "Target-Based Fragmentation Reassembly" (2005), as letter, offset, length.
const NOVAK: [(u8, usize, usize); 17] = [
    (b'A', 0, 24),
    (b'B', 32, 16),
    (b'C', 48, 24),
    (b'D', 80, 8),
    (b'E', 104, 16),
    (b'F', 120, 24),
    (b'G', 144, 16),
    (b'H', 160, 16),
    (b'I', 176, 8),
    (b'J', 8, 32),
    (b'K', 48, 24),
    (b'L', 72, 24),
    (b'M', 96, 24),
    (b'N', 128, 8),
    (b'O', 152, 8),
    (b'P', 160, 8),
    (b'Q', 176, 16),
];

#[test]
fn every_policy_rebuilds_the_published_table() {
    for (policy, expected) in [
        (Policy::Bsd, "AAAJJBCCCLLLMMMFFFGGHHIQ"),
        (Policy::BsdRight, "AJJJBBKKKLDLMEEFNFGOPHQQ"),
        (Policy::Linux, "AAAJJBKKKLLLMMMFFFGGPHQQ"),
        (Policy::Windows, "AAAJBBCCCLLLMEEFFFGGHHIQ"),
        (Policy::Solaris, "AAAJBBCCCLLLMMMFFFGGHHIQ"),
        (Policy::First, "AAAJBBCCCLDLMEEFFFGGHHIQ"),
        (Policy::Last, "AJJJJBKKKLLLMMMFNFGOPHQQ"),
    ] {
        for six in [false, true] {
            let mut decoder = decoder(|s| s.policy = policy);
            let mut last = Vec::new();
            let mut overlaps = 0;
            for (letter, offset, length) in NOVAK {
                let data = vec![letter; length];
                let more = letter != b'Q';
                last = if six { piece6(1, offset, more, &data) } else { piece4(1, offset, more, &data) };
                let seen = feed(&mut decoder, &last);
                overlaps += seen.events.iter().filter(|e| e.ends_with("frag_overlap")).count();
            }
            let bytes = rebuilt(&decoder, &last);
            let body = &bytes[if six { 40 } else { 20 }..];
            let letters: String = body.chunks(8).map(|c| char::from(c[0])).collect();
            assert_eq!(letters, expected, "{policy:?}");
            assert!(body.chunks(8).all(|c| c.iter().all(|b| *b == c[0])));
            assert_eq!(overlaps, 8, "{policy:?}");
        }
    }
}

#[test]
fn fragments_of_different_networks_do_not_mix() {
    let whole = udp(1111, 2222, &[7; 8]);
    let mut decoder = decoder(|_| {});
    let one = eth(0x8100, &tag(1, 0x0800, &piece4(9, 0, true, &whole[..8])));
    let two = eth(0x8100, &tag(2, 0x0800, &piece4(9, 8, false, &whole[8..])));
    assert_eq!(look_with(&mut decoder, &frame(LinkType::ETHERNET, &one)).packets.len(), 1);
    assert_eq!(look_with(&mut decoder, &frame(LinkType::ETHERNET, &two)).packets.len(), 1);
    let two = eth(0x8100, &tag(1, 0x0800, &piece4(9, 8, false, &whole[8..])));
    let seen = look_with(&mut decoder, &frame(LinkType::ETHERNET, &two));
    assert_eq!(seen.packets.len(), 2);
    // the link layer of a fragment counts for the whole, as it does for every frame
    assert_eq!(seen.last().length as usize, 18 + 20 + whole.len());
    assert_eq!((seen.last().vlans.as_slice(), seen.last().ether.is_some()), (&[1][..], true));
}

#[test]
fn a_tunnel_in_fragments_is_found() {
    let body = ip4(17, &udp(1111, 2222, &[7; 40]));
    let data = |offset: usize, more: bool, part: &[u8]| {
        ip4_with(4, 3, u16::try_from(offset / 8).unwrap() | if more { 0x2000 } else { 0 }, &[], part)
    };
    let mut decoder = decoder(|_| {});
    feed(&mut decoder, &data(0, true, &body[..32]));
    let seen = feed(&mut decoder, &data(32, false, &body[32..]));
    assert_eq!(seen.packets.len(), 3);
    assert_eq!(
        (seen.last().origin, seen.last().source),
        (Origin::IpIp4, Source::Reassembled(NonZeroU8::MIN))
    );
    assert_eq!(seen.ports(), (1111, 2222));
}

#[test]
fn what_cannot_be_a_datagram_is_named_and_not_held() {
    let mut decoder = decoder(|_| {});
    let seen = feed(&mut decoder, &piece4(1, 65_528, false, &[0; 8]));
    assert_eq!((seen.events, seen.held), (vec!["decoder.ipv4.frag_pkt_too_large"], false));
    let seen = feed(&mut decoder, &piece6(1, 65_528, false, &[0; 8]));
    assert_eq!(seen.events, ["decoder.ipv6.frag_pkt_too_large"]);
    let seen = feed(&mut decoder, &piece6(1, 0, true, &[0; 9]));
    assert_eq!(seen.events, ["decoder.ipv6.frag_invalid_length"]);
    // no data at all: nothing to wait for
    let seen = feed(&mut decoder, &piece4(2, 8, false, &[]));
    assert_eq!((seen.events, seen.held), (vec![], false));
    assert_eq!(decoder.counters().fragment_ignored, 3);
}

#[test]
fn teardrop_completes_without_harm() {
    let mut decoder = decoder(|_| {});
    assert_eq!(feed(&mut decoder, &piece4(1, 0, true, &udp(1, 2, &[7; 28]))).packets.len(), 1);
    let seen = feed(&mut decoder, &piece4(1, 24, false, &[9; 4]));
    assert_eq!(seen.events[0], "decoder.ipv4.frag_overlap");
    assert_eq!(seen.packets.len(), 2);
    assert_eq!(seen.ports(), (1, 2));
}

#[test]
fn incomplete_datagrams_are_given_up_after_their_time() {
    let whole = udp(1111, 2222, &[7; 8]);
    let (first, second) = (piece4(9, 0, true, &whole[..8]), piece4(9, 8, false, &whole[8..]));
    for (seconds, complete) in [(60, true), (61, false)] {
        let mut decoder = decoder(|_| {});
        feed(&mut decoder, &first);
        let mut late = frame(LinkType::RAW, &second);
        late.time = Timestamp::new(1 + seconds, 0);
        assert_eq!(look_with(&mut decoder, &late).packets.len(), if complete { 2 } else { 1 });
        assert_eq!(decoder.counters().fragment_expired, u64::from(!complete));
    }
}

#[test]
fn too_many_incomplete_datagrams_push_out_the_oldest() {
    let whole = udp(1111, 2222, &[7; 8]);
    let mut decoder = decoder(|s| s.trackers = 2);
    for id in 1..=2 {
        assert_eq!(feed(&mut decoder, &piece4(id, 0, true, &whole[..8])).loss, None);
    }
    let seen = feed(&mut decoder, &piece4(3, 0, true, &whole[..8]));
    assert_eq!((seen.loss, seen.held), (Some(Loss::FragmentBudget), true));
    assert_eq!(decoder.counters().fragment_evicted, 1);
    assert_eq!(feed(&mut decoder, &piece4(2, 8, false, &whole[8..])).packets.len(), 2);
    assert_eq!(feed(&mut decoder, &piece4(1, 8, false, &whole[8..])).packets.len(), 1);
}

#[test]
fn memory_is_bounded_whatever_arrives() {
    let mut decoder = decoder(|s| s.memory = 20_000);
    for id in 0..200 {
        let seen = feed(&mut decoder, &piece4(id, 0, true, &[7; 1000]));
        assert!(seen.held);
    }
    assert!(decoder.counters().fragment_evicted > 150);
    let seen = feed(&mut decoder, &piece4(999, 0, true, &[7; 30_000]));
    assert_eq!((seen.held, seen.loss), (false, Some(Loss::FragmentBudget)));
    assert_eq!(seen.events, ["decoder.ipv4.frag_ignored"]);
    // overwriting the same place again and again holds no more than a datagram's worth
    let mut last = self::decoder(|s| s.policy = Policy::Last);
    for _ in 0..300 {
        assert_eq!(feed(&mut last, &piece4(1, 8, true, &[7; 32_000])).loss, None);
    }
}

#[test]
fn state_depends_on_fragments_alone() {
    let whole = udp(1111, 2222, &[7; 8]);
    let (first, second) = (piece4(9, 0, true, &whole[..8]), piece4(9, 8, false, &whole[8..]));
    let other = inner4();
    let (mut all, mut some) = (decoder(|_| {}), decoder(|_| {}));
    feed(&mut all, &first);
    feed(&mut some, &first);
    let mut much_later = frame(LinkType::RAW, &other);
    much_later.time = Timestamp::new(1_000_000, 0);
    look_with(&mut all, &much_later);
    assert_eq!(feed(&mut all, &second).packets, feed(&mut some, &second).packets);
}

#[test]
fn a_cut_fragment_is_not_held() {
    let data = piece4(9, 0, true, &[7; 64]);
    let mut cut = frame(LinkType::RAW, &data[..40]);
    cut.wire_len = 84;
    let seen = look_with(&mut decoder(|_| {}), &cut);
    assert_eq!((seen.held, seen.loss, seen.events.len()), (false, None, 0));
}
