//! Checksums are verified when asked for, and only where there is something to verify.
//! The good packets are made by another implementation.

use decode::{Decoder, Settings};
use etherparse::PacketBuilder;
use frame::{Checksum, LinkType};

use crate::build::{frame, ip4, udp};

fn is_bad(data: &[u8], change: impl FnOnce(&mut frame::Frame<'_>)) -> bool {
    let settings = Settings { checksums: true, ..Settings::default() };
    let mut frame = frame(LinkType::ETHERNET, data);
    change(&mut frame);
    Decoder::new(&settings).decode(&frame).packets[0].bad_checksum
}

/// One packet of each kind, with an odd payload.
fn packets() -> Vec<Vec<u8>> {
    let four = || PacketBuilder::ethernet2([1; 6], [2; 6]).ipv4([10, 0, 0, 1], [10, 9, 8, 7], 64);
    let six = || PacketBuilder::ethernet2([1; 6], [2; 6]).ipv6([0x20; 16], [0x30; 16], 64);
    let payload = b"an odd number of bytes!";
    let mut all = vec![Vec::new(); 6];
    four().tcp(1, 2, 3, 4).write(&mut all[0], payload).unwrap();
    four().udp(1, 2).write(&mut all[1], payload).unwrap();
    four().icmpv4_echo_request(1, 2).write(&mut all[2], payload).unwrap();
    six().tcp(1, 2, 3, 4).write(&mut all[3], payload).unwrap();
    six().udp(1, 2).write(&mut all[4], payload).unwrap();
    six().icmpv6_echo_request(1, 2).write(&mut all[5], payload).unwrap();
    all
}

#[test]
fn good_ones_are_good_and_any_changed_byte_is_seen() {
    for packet in packets() {
        assert!(!is_bad(&packet, |_| {}));
        for at in [packet.len() - 1, packet.len() - 2, packet.len() - 24] {
            let mut changed = packet.clone();
            changed[at] ^= 0x40;
            assert!(is_bad(&changed, |_| {}), "byte {at}");
            assert!(!is_bad(&changed, |f| f.checksum = Checksum::Partial));
            assert!(!is_bad(&changed, |f| f.checksum = Checksum::Good));
        }
    }
}

#[test]
fn the_ipv4_header_has_its_own() {
    let mut packet = packets().swap_remove(0);
    packet[14 + 8] ^= 1;
    assert!(is_bad(&packet, |f| f.checksum = Checksum::Partial));
}

#[test]
fn cut_and_absent_checksums_are_not_verified() {
    let mut packet = packets().swap_remove(0);
    let wire = u32::try_from(packet.len()).unwrap();
    packet.truncate(packet.len() - 3);
    assert!(!is_bad(&packet, |f| f.wire_len = wire));
    let none = crate::build::eth(0x0800, &ip4(17, &udp(1, 2, b"none computed")));
    assert!(!is_bad(&none, |_| {}));
}

#[test]
fn nothing_is_verified_unless_asked_for() {
    let mut packet = packets().swap_remove(0);
    let last = packet.len() - 1;
    packet[last] ^= 1;
    let frame = frame(LinkType::ETHERNET, &packet);
    assert!(!Decoder::new(&Settings::default()).decode(&frame).packets[0].bad_checksum);
}
