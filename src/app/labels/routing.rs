//! How routers and switches talk among themselves.

use super::bytes::{be2, be4, byte, from, is_at, on, zero};
use super::{Answer, TCP, UDP, UDP_TCP, labels, sure, tcp, udp};
use parse::{Look, Transport};

labels! { Network;
    "bgp", "Border Gateway Protocol", ["BGP"], TCP, [tcp(179)], bgp, b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x13\x04";
    "bmp", "BGP Monitoring Protocol", [], TCP, [tcp(11_019)], bmp, b"\x03\0\0\0\x0e\x04\0\x02\0\x04test";
    "rpki-rtr", "RPKI to Router Protocol", [], TCP, [tcp(323)], rpki, b"\x01\x02\x00\x00\x00\x00\x00\x08";
    "ldp", "Label Distribution Protocol", ["LDP"], UDP_TCP, [udp(646), tcp(646)], ldp,
        b"\0\x01\0\x1e\x0a\0\0\x01\0\0\x01\0\0\x14\0\0\0\0\x04\0\0\x04\0\x0f\0\0\x04\x01\0\x04\x0a\0\0\x01";
    "rip", "Routing Information Protocol", [], UDP, [udp(520)], rip, b"\x02\x02\0\0\0\x02\0\0\x0a\0\0\0\xff\0\0\0\0\0\0\0\0\0\0\x01";
    "ripng", "RIP for IPv6", [], UDP, [udp(521)], ripng, b"\x01\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x10";
    "hsrp", "Hot Standby Router Protocol", ["HSRP"], UDP, [udp(1985), udp(2029)], hsrp, b"\0\0\x10\x03\x0a\x78\x01\0cisco\0\0\0\x0a\0\0\x01";
    "glbp", "Gateway Load Balancing Protocol", [], UDP, [udp(3222)], |l: &Look<'_>| sure(on(l, 3222) && byte(l.data, 0)? == 1 && l.data.len() >= 12), b"\x01\0\0\x01\0\0\xaa\xbb\xcc\xdd\xee\xff";
    "bfd", "Bidirectional Forwarding Detection", ["BFD"], UDP, [udp(3784), udp(4784)], bfd, b"\x20\x40\x03\x18\0\0\0\x01\0\0\0\0\0\x0f\x42\x40\0\x0f\x42\x40\0\0\0\0";
    "msdp", "Multicast Source Discovery Protocol", [], TCP, [tcp(639)], |l: &Look<'_>| sure(on(l, 639) && matches!(byte(l.data, 0)?, 1..=5) && be2(l.data, 1)? <= l.data.len() && be2(l.data, 1)? >= 3), b"\x04\x00\x03";
    "ptp", "Precision Time Protocol", ["PTPv2"], UDP, [udp(319), udp(320)], ptp, &super::bytes::pad::<44>(b"\x00\x02\x00\x2c\x00\x00\x02\x00");
    "openflow", "OpenFlow", ["OpenFlow"], TCP, [tcp(6653), tcp(6633)], openflow, b"\x04\x00\x00\x10\x00\x00\x00\x01\x00\x01\x00\x08\x00\x00\x00\x10";
    "pcep", "Path Computation Element Protocol", [], TCP, [tcp(4189)], pcep, b"\x20\x01\0\x0c\x01\x10\0\x08\x20\x1e\x78\x01";
    "olsr", "Optimized Link State Routing", [], UDP, [udp(698)], olsr, b"\x00\x14\x00\x01\x01\x86\x00\x10\x0a\x00\x00\x01\x01\x00\x00\x01\x00\x00\x05\x03";
    "batman", "B.A.T.M.A.N.", [], UDP, [udp(4305)], |l: &Look<'_>| sure(on(l, 4305) && matches!(byte(l.data, 0)?, 4 | 5) && l.data.len() >= 18), &super::bytes::pad::<18>(b"\x05");
    "babel", "Babel", [], UDP, [udp(6696)], |l: &Look<'_>| sure(is_at(l.data, 0, &[42, 2]) && be2(l.data, 2)? + 4 <= l.data.len() && byte(l.data, 4)? <= 20), b"\x2a\x02\0\x08\x04\x06\0\0\0\x01\x01\x90";
    "lwapp", "Lightweight Access Point Protocol", [], UDP, [udp(12_222), udp(12_223)], |l: &Look<'_>| sure((on(l, 12_222) || on(l, 12_223)) && byte(l.data, 6)? & 0xc0 == 0 && l.data.len() >= 12), b"\0\x11\x22\x33\x44\x55\0\0\0\x06\0\0\x01\0\0\0\0\0";
    "cpha", "Check Point cluster control", ["CPHA"], UDP, [udp(8116)], |l: &Look<'_>| sure(l.data.starts_with(b"\x1a\x90") && l.data.len() >= 20), &super::bytes::pad::<20>(b"\x1a\x90\x09\x82");
    "iperf3", "iperf3", [], TCP, [tcp(5201)], iperf, b"abcdefghijklmnopqrstuvwxyz234567abcd\0";
}

/// RFC 4271 section 4.1: a marker of ones, length, type.
fn bgp(l: &Look<'_>) -> Answer {
    let d = l.data;
    let marker = d.get(..16)?.iter().all(|b| *b == 0xff);
    sure(marker && (19..=4096).contains(&be2(d, 16)?) && matches!(byte(d, 18)?, 1..=5))
}

/// RFC 7854 section 4.1.
fn bmp(l: &Look<'_>) -> Answer {
    let d = l.data;
    let length = be4(d, 1)?;
    sure(
        byte(d, 0)? == 3
            && byte(d, 5)? <= 6
            && (6..65_536).contains(&length)
            && (length == d.len() || byte(d, length) == Some(3)),
    )
}

/// RFC 8210 section 5: queries and answers with their fixed lengths.
fn rpki(l: &Look<'_>) -> Answer {
    let d = l.data;
    let length = be4(d, 4)?;
    let fits =
        matches!((byte(d, 1)?, length), (0 | 1, 12) | (2 | 8, 8) | (3, 8) | (4, 20) | (6, 32) | (7, 12 | 24));
    sure(byte(d, 0)? <= 2 && fits && on(l, 323) && length <= d.len())
}

/// RFC 5036 section 3.1: version 1, length, identifier, then a message that fits.
fn ldp(l: &Look<'_>) -> Answer {
    let d = l.data;
    let length = be2(d, 2)?;
    let message =
        matches!(be2(d, 10)? & 0x7fff, 0x0001 | 0x0100 | 0x0200 | 0x0201 | 0x0300 | 0x0301 | 0x0400..=0x0404);
    sure(
        be2(d, 0)? == 1
            && length + 4 <= d.len()
            && length >= 14
            && message
            && be2(d, 12)? <= length
            && be2(d, 8)? == 0,
    )
}

/// RFC 2453 section 4 and RFC 1058 section 3.1: command, version, zero, entries of twenty bytes.
fn rip(l: &Look<'_>) -> Answer {
    let d = l.data;
    let header = matches!((byte(d, 0)?, byte(d, 1)?), (1 | 2, 1 | 2)) && be2(d, 2)? == 0;
    let entries = d.len() > 4 && (d.len() - 4).is_multiple_of(20);
    let family = matches!(be2(d, 4)?, 0 | 2 | 0xffff);
    sure(header && entries && family && byte(d, 20)? == 0 && on(l, 520))
}

/// RFC 2080 section 2.1.
fn ripng(l: &Look<'_>) -> Answer {
    let d = l.data;
    let entries = d.len() > 4 && (d.len() - 4).is_multiple_of(20);
    sure(matches!(byte(d, 0)?, 1 | 2) && byte(d, 1)? == 1 && be2(d, 2)? == 0 && entries && on(l, 521))
}

/// RFC 2281 section 5.1; version 2 in elements, group state first.
fn hsrp(l: &Look<'_>) -> Answer {
    let d = l.data;
    if !on(l, 1985) && !on(l, 2029) {
        return None;
    }
    let first = byte(d, 0)? == 0 && byte(d, 1)? <= 3 && d.len() >= 16 && byte(d, 7)? == 0;
    let second = byte(d, 0)? == 1 && byte(d, 1)? == 40 && byte(d, 2)? == 2 && d.len() >= 42;
    sure(first || second)
}

/// RFC 5880 section 4.1: version 1, length of the whole.
fn bfd(l: &Look<'_>) -> Answer {
    let d = l.data;
    let length = usize::from(byte(d, 3)?);
    sure(
        (on(l, 3784) || on(l, 4784))
            && byte(d, 0)? >> 5 == 1
            && length == d.len()
            && length >= 24
            && byte(d, 2)? != 0,
    )
}

/// IEEE 1588 section 13.3: message type, version 2, length, and the length that each type needs.
fn ptp(l: &Look<'_>) -> Answer {
    let d = l.data;
    let least = match byte(d, 0)? & 15 {
        0 | 1 | 8 | 0xc => 44,
        2 | 3 | 9 | 10 => 54,
        0xb => 64,
        0xd => 48,
        _ => return None,
    };
    let length = be2(d, 2)?;
    sure((on(l, 319) || on(l, 320)) && byte(d, 1)? & 15 == 2 && length >= least && length <= d.len())
}

/// OpenFlow switch specification section 7.1: version, type, length; a hello is first.
fn openflow(l: &Look<'_>) -> Answer {
    let d = l.data;
    let length = be2(d, 2)?;
    let is = matches!(byte(d, 0)?, 1..=6)
        && byte(d, 1)? == 0
        && length >= 8
        && length <= d.len()
        && l.transport == Transport::Tcp;
    let next = from(d, length);
    let elements =
        length == 8 || be2(d, 8)? == 1 && be2(d, 10)? >= 8 && be2(d, 10)? <= length.saturating_sub(8);
    sure(
        is && elements
            && !zero(d.get(4..8)?)
            && (next.is_empty() || byte(next, 0)? == byte(d, 0)?)
            && (length > 8 || on(l, 6653) || on(l, 6633)),
    )
}

/// RFC 5440 section 6.1: version 1, type, length in words, then an object of known class.
fn pcep(l: &Look<'_>) -> Answer {
    let d = l.data;
    let length = be2(d, 2)?;
    let object = length == 4 || be2(d, 6)? <= length && be2(d, 6)? >= 4;
    sure(
        on(l, 4189)
            && byte(d, 0)? >> 5 == 1
            && matches!(byte(d, 1)?, 1..=13)
            && length.is_multiple_of(4)
            && length >= 4
            && length <= d.len()
            && object,
    )
}

/// RFC 3626 section 3.3: packet length, sequence, then a message with its own length.
fn olsr(l: &Look<'_>) -> Answer {
    let d = l.data;
    sure(
        on(l, 698)
            && be2(d, 0)? == d.len()
            && matches!(byte(d, 4)?, 1..=4 | 128..=255)
            && be2(d, 6)? + 4 <= d.len(),
    )
}

/// A cookie of 36 letters and digits in base 32, with a zero behind.
fn iperf(l: &Look<'_>) -> Answer {
    let d = l.data;
    let letters = |b: &u8| b.is_ascii_lowercase() || (b'2'..=b'7').contains(b);
    sure(on(l, 5201) && d.get(..36)?.iter().all(letters) && byte(d, 36)? == 0 && d.len() == 37)
}
