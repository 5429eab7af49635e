//! Who somebody is and what they may: directories and authentication.

use super::bytes::{be2, be4, ber, byte, from, is_at, on};
use super::{Answer, TCP, TCP_UDP, UDP_TCP, at_home, labels, sure, tcp, udp};
use parse::{Look, Transport};

labels! { Identity;
    "krb5", "Kerberos", ["Kerberos"], TCP_UDP, [tcp(88), udp(88), tcp(464), udp(464)], krb5,
        b"\0\0\0\x14\x6a\x12\x30\x10\xa1\x03\x02\x01\x05\xa2\x03\x02\x01\x0a\xa4\x04\x30\x02\xa0\x00";
    "ldap", "Lightweight Directory Access Protocol", ["LDAP"], TCP_UDP, [tcp(389), udp(389), tcp(3268)], ldap,
        b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00";
    "radius", "RADIUS", ["Radius"], UDP_TCP, [udp(1812), udp(1813), udp(1645), udp(1646), udp(3799)], radius,
        b"\x01\x07\x00\x19\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x01\x05bob";
    "diameter", "Diameter", ["Diameter"], TCP, [tcp(3868)], diameter,
        b"\x01\0\0\x20\x80\0\x01\x01\0\0\0\0\0\0\0\x01\0\0\0\x02\0\0\x01\x08\x40\0\0\x0aab\0\0";
    "tacacs", "TACACS+", [], TCP, [tcp(49)], tacacs, b"\xc0\x01\x01\x00\x12\x34\x56\x78\x00\x00\x00\x04\x01\x02\x03\x04";
    "ident", "Identification Protocol", [], TCP, [tcp(113)], ident, b"6193, 23 : USERID : UNIX : joe\r\n";
    "finger", "Finger", [], TCP, [tcp(79)], |l: &Look<'_>| sure(on(l, 79) && l.side == parse::Side::ToServer && super::bytes::line(l.data)?.len() + 2 == l.data.len()), b"/W joe\r\n";
    "acap", "Application Configuration Access Protocol", [], TCP, [tcp(674)], |l: &Look<'_>| sure(l.data.starts_with(b"* ACAP (")), b"* ACAP (IMPLEMENTATION \"x\")\r\n";
}

/// RFC 4120 section 5.10: application tags, protocol version 5, message type the same as the tag; over TCP behind a
/// length (section 7.2.2). Password changes have their own header (RFC 3244 section 2).
fn krb5(l: &Look<'_>) -> Answer {
    let mut d = l.data;
    if l.transport == Transport::Tcp {
        let length = be4(d, 0)?;
        d = from(d, 4);
        if !(10..=1 << 20).contains(&length) || length < d.len() && d.len() - length < 4 {
            return None;
        }
    }
    let tag = byte(d, 0)?;
    if be2(d, 0)? == d.len() && on(l, 464) {
        return sure(matches!(be2(d, 2)?, 1 | 0xff80) && byte(d, 6)? == 0x6e);
    }
    if !matches!(tag & 0x1f, 10..=16 | 20..=22 | 25..=30) || tag >> 5 != 3 {
        return None;
    }
    let (at, _) = ber(d, 1)?;
    let (at, _) = ber(d, at + 1).filter(|_| byte(d, at) == Some(0x30))?;
    let version = |at: usize| is_at(d, at + 1, &[3, 2, 1, 5]) && matches!(byte(d, at), Some(0xa0 | 0xa1));
    sure(version(at) && byte(d, at + 9)? == tag & 0x1f)
}

/// RFC 4511 section 4.1.1: a sequence of message number and operation, with lengths that add up.
fn ldap(l: &Look<'_>) -> Answer {
    let d = l.data;
    let (at, length) = ber(d, 1)?;
    let size = usize::from(byte(d, at + 1)?);
    let op = at + 2 + size;
    let tag = byte(d, op)?;
    let (inside, inner) = ber(d, op + 1)?;
    let known = matches!(tag, 0x60 | 0x61 | 0x63..=0x69 | 0x6b..=0x6f | 0x73 | 0x77 | 0x78 | 0x79 | 0x4a | 0x42 | 0x50);
    let frame =
        byte(d, 0)? == 0x30 && byte(d, at)? == 2 && (1..=4).contains(&size) && inside + inner <= at + length;
    let inner_ok = match tag {
        0x60 => is_at(d, inside, &[2, 1]) && matches!(byte(d, inside + 2)?, 2 | 3),
        0x61 | 0x65 | 0x67 | 0x69 | 0x6b | 0x6d | 0x6f | 0x78 => is_at(d, inside, &[0x0a, 1]),
        0x63 | 0x64 | 0x66 | 0x68 | 0x6c | 0x6e | 0x73 => byte(d, inside)? == 4,
        0x77 => byte(d, inside)? == 0x80,
        0x42 => inner == 0,
        _ => inner > 0,
    };
    sure(frame && known && inner_ok && length < 1 << 24)
}

/// RFC 2865 section 3: code, length of the whole, authenticator, attributes that fill it.
fn radius(l: &Look<'_>) -> Answer {
    let d = l.data;
    let length = be2(d, 2)?;
    if !matches!(byte(d, 0)?, 1..=5 | 11 | 12 | 13 | 40..=45)
        || length < 20
        || length > d.len()
        || d.len() - length > 16
    {
        return None;
    }
    let mut at = 20;
    let mut attributes = 0;
    while at < length {
        let size = usize::from(byte(d, at + 1)?);
        if size < 2 || byte(d, at)? == 0 {
            return None;
        }
        at += size;
        attributes += 1;
    }
    let home = [1812, 1813, 1645, 1646, 3799, 2083].iter().any(|p| on(l, *p));
    if at == length && (attributes > 0 || home) { at_home(true, home || attributes > 2) } else { None }
}

/// RFC 6733 section 3: version 1, length in words, command flags, then an attribute that fits.
fn diameter(l: &Look<'_>) -> Answer {
    let d = l.data;
    let length = super::bytes::be3(d, 1)?;
    let flags = byte(d, 4)? & 0x0f == 0 && byte(d, 24)? & 0x1f == 0;
    let attribute = super::bytes::be3(d, 25)?;
    let is = byte(d, 0)? == 1
        && length >= 28
        && length.is_multiple_of(4)
        && flags
        && attribute >= 8
        && attribute + 20 <= length;
    sure(is && super::bytes::be3(d, 5)? > 0 && matches!(be4(d, 20)?, 1..=0xffff))
}

/// RFC 8907 section 4.1: version, type, sequence, flags, length behind twelve bytes.
fn tacacs(l: &Look<'_>) -> Answer {
    let d = l.data;
    let header = byte(d, 0)? >> 1 == 0x60
        && matches!(byte(d, 1)?, 1..=3)
        && matches!(byte(d, 2)?, 1 | 2)
        && byte(d, 3)? & !5 == 0;
    sure(header && be4(d, 8)? + 12 == d.len())
}

/// RFC 1413 section 6: a pair of ports, and in the answer what they are.
fn ident(l: &Look<'_>) -> Answer {
    let line = super::bytes::line(l.data)?;
    let mut parts = line.split(|b| *b == b':');
    let pair = parts.next()?;
    let numbers = pair.iter().all(|b| b.is_ascii_digit() || matches!(b, b',' | b' ')) && pair.contains(&b',');
    match parts.next() {
        None => sure(numbers && on(l, 113) && pair.len() <= 14),
        Some(kind) => sure(numbers && matches!(kind.trim_ascii(), b"USERID" | b"ERROR")),
    }
}
