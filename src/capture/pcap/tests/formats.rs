//! Every form that a capture may have.

use frame::{Checksum, Frame, VlanTag};

use super::super::Writer;
use super::*;

const NS: u64 = 1_000_000_000;

#[test]
fn pcap_in_both_orders_and_resolutions() {
    for order in [Order::Le, Order::Be] {
        for (magic, fraction, nanos) in [(0xa1b2_c3d4, 7, 7_000), (0xa1b2_3c4d, 7, 7)] {
            let mut file = order.pcap(magic, 4, 65535, 101);
            file.extend(order.record(5, fraction, b"abc"));
            file.extend(order.record(6, 0, b""));
            let read = read_bytes(&format!("pcap-{magic:x}-{}", order == Order::Le), &file);
            let times: Vec<_> = read.frames.iter().map(|f| f.time.nanos()).collect();
            assert_eq!(times, [5 * NS + nanos, 6 * NS]);
            assert_eq!(read.frames[0].data, b"abc");
            assert_eq!(read.frames[0].link, LinkType(101));
            assert_eq!(read.frames[1].number, 2);
            assert_eq!((read.ledger.received, read.ledger.received_bytes), (2, 3));
            assert!(read.warnings.is_empty(), "{:?}", read.warnings);
        }
    }
}

#[test]
fn frame_check_sequence_bits_are_not_the_link_type() {
    let mut file = Order::Le.pcap(0xa1b2_c3d4, 4, 65535, 0x2400_0001);
    file.extend(Order::Le.record(5, 0, b"abc"));
    assert_eq!(read_bytes("fcs", &file).frames[0].link, LinkType::ETHERNET);
}

#[test]
fn modified_and_lcap_headers() {
    let mut modified = Order::Le.pcap(0xa1b2_cd34, 4, 65535, 1);
    modified.extend(Order::Le.words(&[1, 2, 3, 3, 9, 0x0300_0800]));
    modified.extend(b"abc");
    let read = read_bytes("modified", &modified);
    assert_eq!(read.frames[0].data, b"abc");
    assert_eq!(read.frames[0].time.nanos(), NS + 2_000);

    let mut lcap = Order::Be.pcap(0x1c00_01ac, 4, 65535, 1);
    lcap.extend([0, 0, 0, 19]);
    lcap.extend(Order::Be.record(1, 2, b"abc"));
    let read = read_bytes("lcap", &lcap);
    assert_eq!(read.frames[0].data, b"abc");
    assert_eq!(read.frames[0].time.nanos(), NS + 2);
}

#[test]
fn old_versions_order_their_lengths_otherwise() {
    for (minor, lengths) in [(2, [60, 3]), (3, [3, 60]), (3, [60, 3]), (4, [3, 60])] {
        let mut file = Order::Le.pcap(0xa1b2_c3d4, minor, 65535, 1);
        file.extend(Order::Le.words(&[1, 2, lengths[0], lengths[1]]));
        file.extend(b"abc");
        let read = read_bytes(&format!("lengths-{minor}-{}", lengths[0]), &file);
        assert_eq!((read.frames[0].data.as_slice(), read.frames[0].wire_len), (&b"abc"[..], 60));
    }
}

#[test]
fn snapshot_length_cuts_what_is_longer() {
    let mut file = Order::Le.pcap(0xa1b2_c3d4, 4, 2, 1);
    file.extend(Order::Le.record(1, 0, b"abc"));
    file.extend(Order::Le.record(1, 0, b"de"));
    let read = read_bytes("snaplen", &file);
    assert_eq!((read.frames[0].data.as_slice(), read.frames[0].wire_len), (&b"ab"[..], 3));
    assert_eq!(read.frames[1].data, b"de");
}

#[test]
fn pcapng_sections_interfaces_and_blocks() {
    let (le, be) = (Order::Le, Order::Be);
    let mut file = le.section();
    file.extend(le.interface(1, 0, &[]));
    file.extend(le.interface(101, 0, &[(9, vec![9])]));
    file.extend(le.block(5, b"statistics that nobody reads"));
    file.extend(le.packet(1, 42, b"raw", 3));
    file.extend(le.packet(0, 42, b"ether", 9));
    // The second section is of the other order, and knows no interface of the first.
    file.extend(be.section());
    file.extend(be.interface(113, 4, &[(14, be.u64(100).to_vec())]));
    file.extend(be.packet(0, 1, b"cook", 4));
    // A simple packet block: first interface, cut at its snapshot length, no time of its own.
    file.extend(be.block(3, &[&be.u32(60)[..], b"simp"].concat()));
    // An old packet block: interface and drop count are 16 bits each.
    file.extend(be.block(2, &[&be.words(&[0, 0, 2_000_000, 3, 3])[..], b"old"].concat()));
    file.extend(be.block(0x8000_1234, b"private"));
    let read = read_bytes("pcapng", &file);
    assert_eq!(read.warnings, Vec::<String>::new());
    let seen: Vec<_> =
        read.frames.iter().map(|f| (f.link.0, f.data.as_slice(), f.wire_len, f.time.nanos())).collect();
    assert_eq!(
        seen,
        [
            (101, &b"raw"[..], 3, 42),
            (1, &b"ether"[..], 9, 42_000),
            (113, &b"cook"[..], 4, 100 * NS + 1_000),
            (113, &b"simp"[..], 60, 100 * NS + 1_000),
            (113, &b"old"[..], 3, 102 * NS),
        ]
    );
    assert_eq!(read.ledger.received, 5);
    assert_eq!(read.ledger.lost_in_all(), 0);
}

#[test]
fn pcapng_resolutions() {
    let cases = [
        (0, 7, 7 * NS),
        (3, 7, 7_000_000),
        (9, 7, 7),
        (12, 7_999, 7),
        (0x80 | 10, 1_536, 1_500_000_000),
        (0x80, 3, 3 * NS),
        (0x80 | 127, u64::MAX, 0),
        (127, u64::MAX, 0),
        (0, u64::MAX, u64::MAX),
    ];
    for (resolution, units, nanos) in cases {
        let mut file = Order::Le.section();
        file.extend(Order::Le.interface(1, 0, &[(2, b"name".to_vec()), (9, vec![resolution])]));
        file.extend(Order::Le.packet(0, units, b"x", 1));
        let read = read_bytes(&format!("resolution-{resolution}-{units}"), &file);
        assert_eq!(read.frames[0].time.nanos(), nanos, "if_tsresol {resolution:#x}, {units} units");
    }
}

#[test]
fn pcapng_time_offset_may_be_negative() {
    let mut file = Order::Le.section();
    file.extend(Order::Le.interface(1, 0, &[(14, (-5_i64).to_le_bytes().to_vec())]));
    file.extend(Order::Le.packet(0, 6_000_000, b"x", 1));
    file.extend(Order::Le.packet(0, 4_000_000, b"x", 1));
    let times: Vec<_> = read_bytes("offset", &file).frames.iter().map(|f| f.time.nanos()).collect();
    assert_eq!(times, [NS, 0]);
}

/// What is written is what is read: emit and parse are inverses.
#[test]
fn writer_and_reader_are_inverses() {
    let folder = Folder::new("writer");
    let data: Vec<Vec<u8>> = (0..50_u8).map(|i| vec![i; usize::from(i) * 7]).collect();
    let frames: Vec<Frame<'_>> = data
        .iter()
        .zip(0_u64..)
        .map(|(data, i)| Frame {
            data,
            wire_len: u32::try_from(data.len() + 5).unwrap(),
            time: Timestamp::from_nanos(1_700_000_000_123_456_789 + i),
            number: i + 1,
            link: LinkType::ETHERNET,
            vlan: None,
            checksum: Checksum::Unknown,
            tap: TapId(0),
        })
        .collect();
    let mut pcap = Writer::pcap(Vec::new(), LinkType::ETHERNET).unwrap();
    let mut pcapng = Writer::pcapng(Vec::new()).unwrap();
    for frame in &frames {
        pcap.write(frame).unwrap();
        pcapng.write(frame).unwrap();
    }
    for (name, bytes) in [("a.pcap", pcap.finish().unwrap()), ("a.pcapng", pcapng.finish().unwrap())] {
        let read = read(&folder.file(name, &bytes));
        assert_eq!(read.frames.len(), frames.len());
        for (seen, frame) in read.frames.iter().zip(&frames) {
            assert_eq!(
                (seen.data.as_slice(), seen.wire_len, seen.time, seen.number, seen.link),
                (frame.data, frame.wire_len, frame.time, frame.number, frame.link),
                "{name}"
            );
        }
    }
}

#[test]
fn writer_puts_the_tag_back_and_keeps_link_types_apart() {
    let mut frame = Frame {
        data: b"dddddssssss\x08\x08\x00rest",
        wire_len: 18,
        time: Timestamp::ZERO,
        number: 1,
        link: LinkType::ETHERNET,
        vlan: Some(VlanTag { tpid: 0x8100, tci: 7 }),
        checksum: Checksum::Unknown,
        tap: TapId(0),
    };
    let mut pcap = Writer::pcap(Vec::new(), LinkType::ETHERNET).unwrap();
    let mut pcapng = Writer::pcapng(Vec::new()).unwrap();
    pcap.write(&frame).unwrap();
    pcapng.write(&frame).unwrap();
    frame.link = LinkType::RAW;
    assert!(pcap.write(&frame).is_err());
    pcapng.write(&frame).unwrap();
    let read = read_bytes("tag-pcapng", &pcapng.finish().unwrap());
    assert_eq!(read.frames[0].data, b"dddddssssss\x08\x81\x00\x00\x07\x08\x00rest");
    assert_eq!(read.frames[0].wire_len, 22);
    assert_eq!(read.frames[1].data, frame.data);
    assert_eq!(read.frames[1].link, LinkType::RAW);
    assert_eq!(read_bytes("tag-pcap", &pcap.finish().unwrap()).frames, read.frames[..1]);
}
