use etherparse::{PacketBuilder, TcpHeader};

use super::{PEER, frame_of, tcp, udp};
use crate::datapath::answer::{ADDRESS, answer};
use crate::datapath::sight::{Ports, look};
use crate::rig::{OWN, Rig, Setting};
use crate::{Loopback, Options, Persona};

fn right(frame: &[u8]) -> bool {
    let checks = look(frame, Ports::default()).checks;
    !checks.ip_bad && !checks.transport_bad
}

fn arp(sender: [u8; 4], target: [u8; 4]) -> Vec<u8> {
    let mut frame = [&[0xFF; 6][..], &PEER, &[8, 6, 0, 1, 8, 0, 6, 4, 0, 1], &PEER].concat();
    frame.extend(sender);
    frame.extend([0; 6]);
    frame.extend(target);
    frame
}

#[test]
fn whoever_asks_for_an_address_finds_it() {
    let reply = answer(&arp([10, 0, 0, 1], [10, 0, 0, 2])).unwrap();
    assert_eq!((&reply[..6], &reply[6..12]), (&PEER[..], &ADDRESS[..]));
    assert_eq!(reply[20..22], [0, 2]);
    assert_eq!((&reply[22..28], &reply[28..32]), (&ADDRESS[..], &[10, 0, 0, 2][..]));
    assert_eq!((&reply[32..38], &reply[38..42]), (&PEER[..], &[10, 0, 0, 1][..]));
    assert_eq!(answer(&arp([0; 4], [10, 0, 0, 2])), None, "a probe for duplicates");
    assert_eq!(answer(&arp([10, 0, 0, 2], [10, 0, 0, 2])), None, "an announcement");
}

#[test]
fn pings_are_answered() {
    let mut frame = Vec::new();
    let builder = PacketBuilder::ethernet2(PEER, OWN).ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64);
    builder.icmpv4_echo_request(5, 6).write(&mut frame, b"payload").unwrap();
    let reply = answer(&frame).unwrap();
    assert!(right(&reply));
    assert_eq!((&reply[26..30], &reply[30..34], reply[34]), (&[10, 0, 0, 2][..], &[10, 0, 0, 1][..], 0));
    assert_eq!(crate::datapath::sums::of_segment(0, &reply[34..]), 0);
    let mut frame = Vec::new();
    let builder = PacketBuilder::ethernet2(PEER, OWN).ipv6([1; 16], [2; 16], 64);
    builder.icmpv6_echo_request(5, 6).write(&mut frame, b"payload").unwrap();
    let reply = answer(&frame).unwrap();
    assert_eq!((reply[54], &reply[22..38]), (129, &[2; 16][..]));
    let pseudo = crate::datapath::sums::pseudo(&reply[22..54], 58, reply.len() - 54);
    assert_eq!(crate::datapath::sums::of_segment(pseudo, &reply[54..]), 0);
}

#[test]
fn neighbours_are_found() {
    let target = [0xFE; 16];
    let mut frame = Vec::new();
    let body = [&target[..], &[1, 1], &PEER].concat();
    let builder = PacketBuilder::ethernet2(PEER, [0x33, 0x33, 0xFF, 0, 0, 2]).ipv6([1; 16], [0xFF; 16], 255);
    builder.icmpv6_raw(135, 0, [0; 4]).write(&mut frame, &body).unwrap();
    let reply = answer(&frame).unwrap();
    assert_eq!((reply[54], reply[58]), (136, 0x60));
    assert_eq!((&reply[62..78], &reply[78..86]), (&target[..], &[&[2, 1][..], &ADDRESS].concat()[..]));
    assert_eq!((&reply[22..38], &reply[38..54]), (&target[..], &[1; 16][..]));
    let pseudo = crate::datapath::sums::pseudo(&reply[22..54], 58, 32);
    assert_eq!(crate::datapath::sums::of_segment(pseudo, &reply[54..86]), 0);
}

#[test]
fn datagrams_come_back() {
    let reply = answer(&udp(1000)).unwrap();
    assert!(right(&reply));
    assert_eq!((&reply[34..36], &reply[36..38]), (&2000_u16.to_be_bytes()[..], &1000_u16.to_be_bytes()[..]));
    assert_eq!(reply[42..], udp(1000)[42..]);
    let mut wrong = udp(1000);
    wrong[500] ^= 1;
    assert_eq!(answer(&wrong), None);
}

fn header(reply: &[u8]) -> TcpHeader {
    assert!(right(reply));
    TcpHeader::from_slice(&reply[34..]).unwrap().0
}

#[test]
fn connections_open_echo_and_close() {
    let syn = tcp(b"", |mut tcp| {
        tcp.syn = true;
        tcp.set_options_raw(&[2, 4, 5, 0xB4, 4, 2, 8, 10, 0, 0, 0, 9, 0, 0, 0, 0, 1, 3, 3, 7]).unwrap();
        tcp
    });
    let reply = header(&answer(&syn).unwrap());
    assert!(reply.syn && reply.ack);
    assert_eq!((reply.sequence_number, reply.acknowledgment_number), (7, 8));
    assert_eq!(reply.options.as_slice()[4..16], [1, 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 9]);
    let data = tcp(b"hello", |mut tcp| {
        (tcp.ack, tcp.psh, tcp.sequence_number, tcp.acknowledgment_number) = (true, true, 8, 8);
        tcp
    });
    let answered = answer(&data).unwrap();
    let reply = header(&answered);
    assert_eq!((reply.sequence_number, reply.acknowledgment_number), (8, 13));
    assert_eq!(&answered[54..59], b"hello");
    let pure = tcp(b"", |mut tcp| {
        tcp.ack = true;
        tcp
    });
    assert_eq!(answer(&pure), None);
    let fin = tcp(b"", |mut tcp| {
        (tcp.ack, tcp.fin, tcp.sequence_number) = (true, true, 13);
        tcp
    });
    let reply = header(&answer(&fin).unwrap());
    assert!(reply.fin);
    assert_eq!((reply.sequence_number, reply.acknowledgment_number), (13, 14));
    let rst = tcp(b"x", |mut tcp| {
        tcp.rst = true;
        tcp
    });
    assert_eq!(answer(&rst), None);
}

#[test]
fn options_that_lie_about_their_length_end_the_walk() {
    for options in [&[8, 0, 1, 1][..], &[8, 200, 1, 1], &[1, 1, 1, 8], &[8, 1, 8, 1]] {
        let segment = tcp(b"x", |mut tcp| {
            tcp.set_options_raw(options).unwrap();
            tcp
        });
        assert!(answer(&segment).is_some_and(|reply| right(&reply)));
    }
}

/// Every length from the shortest frame to jumbo, over the function's queues and back.
#[test]
fn frames_of_all_lengths_come_back() {
    for loopback in [Loopback::Answer, Loopback::Swap, Loopback::Echo] {
        let options = Options { loopback, ..Options::lenient() };
        let mut rig = Rig::running(Persona::i40e(), options, Setting::default());
        for bytes in [60, 64, 65, 128, 1514, 2047, 2048, 2049, 4096, 9000, 9014] {
            let mut frame = frame_of(bytes);
            if loopback != Loopback::Echo {
                frame[..6].copy_from_slice(&PEER);
                frame[6..12].copy_from_slice(&OWN);
            }
            rig.transmit(0, &frame);
            let back: Vec<_> = (0..4).flat_map(|queue| rig.frames(queue)).collect();
            assert_eq!(back.len(), 1, "{bytes} bytes, {loopback:?}");
            assert_eq!((back[0].1.len(), &back[0].1[42..]), (bytes, &frame[42..]));
        }
        assert!(rig.model.ledger.balances());
    }
}

#[test]
fn nothing_that_is_sent_panics() {
    let mut state = 7_u64;
    let seeds = [udp(30), tcp(b"abc", |tcp| tcp), arp([1; 4], [2; 4])];
    for round in 0..30_000 {
        let mut frame = seeds[round % 3].clone();
        for _ in 0..3 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = (state >> 33) as usize % frame.len();
            frame[at] = (state >> 20) as u8;
        }
        frame.truncate(1 + (state >> 40) as usize % frame.len());
        answer(&frame);
    }
}

/// Cuts an IPv4 packet in two, as a sender with a small MTU does.
fn halves(frame: &[u8], at: usize) -> [Vec<u8>; 2] {
    let part = |from: usize, to: usize, word: u16| {
        let mut part = [&frame[..34], &frame[34 + from..34 + to]].concat();
        part[16..18].copy_from_slice(&((20 + to - from) as u16).to_be_bytes());
        part[20..22].copy_from_slice(&word.to_be_bytes());
        part[24..26].fill(0);
        let sum = crate::datapath::sums::of_header(&part[14..34]);
        part[24..26].copy_from_slice(&sum.to_be_bytes());
        part
    };
    [part(0, at, 0x2000), part(at, frame.len() - 34, (at / 8) as u16)]
}

#[test]
fn fragments_come_back_one_by_one() {
    let mut ping = Vec::new();
    let builder = PacketBuilder::ethernet2(PEER, OWN).ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64);
    builder.icmpv4_echo_request(5, 6).write(&mut ping, &[9; 3000]).unwrap();
    for whole in [ping, udp(3000)] {
        let expected = answer(&whole).unwrap();
        let [first, second] = halves(&whole, 1480).map(|part| answer(&part).unwrap());
        assert!(right(&first) && right(&second));
        assert_eq!([&first[34..], &second[34..]].concat(), expected[34..]);
        assert_eq!(first[26..34], expected[26..34]);
        assert_eq!(second[26..34], expected[26..34]);
    }
}

#[test]
fn fragments_of_ipv6_come_back_too() {
    let mut ping = Vec::new();
    let builder = PacketBuilder::ethernet2(PEER, OWN).ipv6([1; 16], [2; 16], 64);
    builder.icmpv6_echo_request(5, 6).write(&mut ping, &[9; 100]).unwrap();
    let expected = answer(&ping).unwrap();
    let mut fragment = ping.clone();
    fragment[20] = 44;
    fragment.splice(54..54, [58, 0, 0, 1, 0, 0, 0, 7]);
    let length = (fragment.len() - 54) as u16;
    fragment[18..20].copy_from_slice(&length.to_be_bytes());
    assert_eq!(answer(&fragment).unwrap()[62..], expected[54..]);
    fragment[57] = 9;
    assert_eq!(answer(&fragment).unwrap()[62..], ping[54..], "only the first has the kind");
}
