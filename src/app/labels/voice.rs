//! Calls: their signalling and their sound.

use super::bytes::{be2, be4, begins, byte, from, has, has_text, is_at, le4, line, on, zero};
use super::{Answer, TCP, TCP_UDP, UDP, UDP_TCP, at_home, labels, sure, tcp, udp, weak};
use parse::{Look, Transport};

labels! { Voice;
    "stun", "Session Traversal Utilities for NAT", ["STUN"], UDP_TCP, [udp(3478), tcp(3478), udp(19_302)], stun,
        b"\0\x01\0\0\x21\x12\xa4\x42\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c";
    "sip", "Session Initiation Protocol", ["SIP", "TruPhone"], UDP_TCP, [udp(5060), tcp(5060)], sip, b"REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP a\r\n\r\n";
    "mgcp", "Media Gateway Control Protocol", ["MGCP"], UDP, [udp(2427), udp(2727)], mgcp, b"AUEP 1200 *@gw1.example.com MGCP 1.0\r\n";
    "megaco", "Megaco (H.248)", ["Megaco"], UDP_TCP, [udp(2944), tcp(2944)], |l: &Look<'_>| sure(begins(l.data, b"MEGACO/") || is_at(l.data, 0, b"!/") && byte(l.data, 2)?.is_ascii_digit() && byte(l.data, 3)? == b' '), b"!/1 [192.0.2.1]:2944 P=1{C=-{}}";
    "h323", "H.323 call signalling", ["H323"], TCP_UDP, [tcp(1720), udp(1719)], h323, b"\x03\0\0\x14\x08\x02\x12\x34\x05\x04\x03\x88\xc0\xa5\x7e\0\x03\x05\x20\x80";
    "skinny", "Cisco Skinny", ["CiscoSkinny"], TCP, [tcp(2000)], skinny, b"\x04\0\0\0\0\0\0\0\0\0\0\0";
    "iax", "Inter-Asterisk eXchange", ["IAX"], UDP, [udp(4569)], iax, b"\x80\x01\0\0\0\0\0\x03\0\0\x06\x01\x0b\x02\0\x02\x06\x05alice";
    "teamspeak", "TeamSpeak", ["TeamSpeak"], UDP_TCP, [udp(9987), tcp(10_011)], |l: &Look<'_>| sure(l.data.starts_with(b"TS3INIT1") || l.data.starts_with(b"TS3\n\rWelcome") || is_at(l.data, 0, b"\xf4\xbe\x03\0") && l.data.len() >= 16), b"TS3INIT1\0\x65\0\0\x88\x09\x67";
    "bfcp", "Binary Floor Control Protocol", ["BFCP"], UDP_TCP, [], bfcp, b"\x20\x0b\0\0\0\0\0\x01\0\x01\0\x02";
    "rtcp", "RTP Control Protocol", ["RTCP", "RTP"], UDP, [], rtcp, b"\x80\xc9\0\x01\x01\x02\x03\x04\x81\xca\0\x03\x01\x02\x03\x04\x01\x03abc\0\0\0";
    "zoom", "Zoom meetings", ["Zoom"], UDP, [udp(8801)], zoom, &super::bytes::pad::<64>(b"\x05\x10\x01\0\0\0\0\x04\x0f\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x80\x63");
    "rtp", "Real-time Transport Protocol", ["RTP", "SRTP"], UDP, [], rtp, &super::bytes::pad::<172>(b"\x80\0\x12\x34\0\0\x01\x40\xde\xad\xbe\xef"), after b"\x80\0\x43\x21\0\0\x02\x80\xca\xfe\xba\xbe\0\0\0\0\0\0\0\0\0\0\0\0";
    "noe", "Alcatel new office environment", ["NOE"], UDP, [udp(32_512)], |l: &Look<'_>| sure(on(l, 32_512) && (matches!(l.data, [4, _]) || is_at(l.data, 0, b"\x07\0\x62\x6c") || is_at(l.data, 0, b"\x07\0\x5c"))), b"\x04\x01";
}

/// RFC 8489 section 5: type without its two first bits, length in words, cookie; without the cookie (RFC 3489) known
/// methods and attributes that fill the message. Over TCP perhaps framed (RFC 4571).
fn stun(l: &Look<'_>) -> Answer {
    let framed = l.transport == Transport::Tcp
        && be2(l.data, 0)? + 2 == l.data.len()
        && be4(l.data, 6) == Some(0x2112_a442);
    let d = if framed { from(l.data, 2) } else { l.data };
    let (kind, length) = (be2(d, 0)?, be2(d, 2)?);
    let whole = length + 20 == d.len() || l.transport == Transport::Tcp && length + 20 < d.len();
    if kind >> 14 != 0 || !whole || length & 3 != 0 {
        return None;
    }
    if be4(d, 4)? == 0x2112_a442 {
        // Checks of ICE (RFC 8445 section 7) come before the media, whose protocol is the better name.
        let checks = l.transport == Transport::Udp && matches!(kind, 0x0001 | 0x0101) && has_ice(d);
        return if checks { weak(true) } else { sure(true) };
    }
    let classic = matches!(
        kind,
        0x0001
            | 0x0101
            | 0x0111
            | 0x0002
            | 0x0102
            | 0x0112
            | 0x0003
            | 0x0103
            | 0x0113
            | 0x0004
            | 0x0104
            | 0x0115
    );
    let attributes = stun_attributes(d)?;
    sure(classic && !zero(d.get(4..20)?) && (attributes > 0 || l.server_port == 3478))
}

/// Whether the first attributes are those that ICE adds: user name, priority, role, candidate.
fn has_ice(d: &[u8]) -> bool {
    let mut at = 20;
    for _ in 0..6 {
        let (Some(kind), Some(size)) = (be2(d, at), be2(d, at + 2)) else { return false };
        if matches!(kind, 0x0006 | 0x0024 | 0x0025 | 0x8029 | 0x802a) {
            return true;
        }
        at += 4 + size.div_ceil(4) * 4;
    }
    false
}

/// How many attributes fill the message; `None` when they do not.
fn stun_attributes(d: &[u8]) -> Option<usize> {
    let mut at = 20;
    let mut count = 0;
    while at < d.len() {
        let (kind, size) = (be2(d, at)?, be2(d, at + 2)?);
        let known = matches!(kind, 1..=0x2f | 0x8000..=0x8100 | 0xc000..=0xc100 | 0xff00..=0xff05);
        at += 4 + size.div_ceil(4) * 4;
        count += 1;
        if !known || at > d.len() {
            return None;
        }
    }
    Some(count)
}

/// RFC 3261 section 7: request and status lines of version 2.0; and keepalives at the usual port.
fn sip(l: &Look<'_>) -> Answer {
    let d = l.data;
    let text = line(d)?;
    let request = text.ends_with(b" SIP/2.0") && text.first().is_some_and(u8::is_ascii_uppercase);
    sure(request || text.starts_with(b"SIP/2.0 ") && super::bytes::digits(from(text, 8), 3))
}

/// RFC 3435 section 3.2: a verb of four letters, transaction, endpoint, version.
fn mgcp(l: &Look<'_>) -> Answer {
    let text = line(l.data)?;
    let verb = [&b"EPCF"[..], b"CRCX", b"MDCX", b"DLCX", b"RQNT", b"NTFY", b"AUEP", b"AUCX", b"RSIP"]
        .iter()
        .any(|v| begins(text, v));
    let answer = super::bytes::digits(text, 3)
        && byte(text, 3)? == b' '
        && super::bytes::digits(from(text, 4), 1)
        && (on(l, 2427) || on(l, 2727));
    sure(verb && has_text(text, b" MGCP 1.") || answer)
}

/// ITU-T H.225.0 over RFC 1006: Q.931 with a call reference and user-user information; registration over UDP has the
/// object identifier of H.225.0.
fn h323(l: &Look<'_>) -> Answer {
    let d = l.data;
    if l.transport == Transport::Udp {
        return sure((on(l, 1719) || on(l, 1718)) && has(d.get(..24).unwrap_or(d), b"\x06\0\x08\x91\x4a\0"));
    }
    let message =
        matches!(byte(d, 8)?, 0x01 | 0x02 | 0x03 | 0x05 | 0x07 | 0x0d | 0x5a | 0x62 | 0x6e | 0x7b | 0x7d);
    sure(
        is_at(d, 0, &[3, 0])
            && be2(d, 2)? >= 9
            && is_at(d, 4, &[8, 2])
            && message
            && (be2(d, 2)? == d.len() || has(d, b"\x7e")),
    )
}

/// Skinny: little-endian length, header version, message identifier.
fn skinny(l: &Look<'_>) -> Answer {
    let d = l.data;
    let length = le4(d, 0)?;
    let version = matches!(le4(d, 4)?, 0 | 0x0a..=0x16);
    let message = matches!(le4(d, 8)?, 0..=0x5a | 0x81..=0x160);
    at_home((4..4096).contains(&length) && length + 8 <= d.len() && version && message, on(l, 2000))
}

/// RFC 5456 section 8.1.1: a full frame with calls, time, sequence, and a control type; elements fill it.
fn iax(l: &Look<'_>) -> Answer {
    let d = l.data;
    let full = byte(d, 0)? & 0x80 != 0 && byte(d, 10)? == 6 && matches!(byte(d, 11)?, 1..=0x28);
    let mut at = 12;
    while at < d.len() {
        at += 2 + usize::from(byte(d, at + 1)?);
    }
    at_home(full && at == d.len() && be2(d, 0)? & 0x7fff != 0, on(l, 4569))
}

/// RFC 8855 section 5.1: version 1 (2 over datagrams), primitive, length in words, and attributes that fill it.
fn bfcp(l: &Look<'_>) -> Answer {
    let d = l.data;
    let length = be2(d, 2)? * 4;
    let header = matches!(byte(d, 0)? >> 5, 1 | 2) && byte(d, 0)? & 7 == 0 && matches!(byte(d, 1)?, 1..=18);
    if !header || d.len() < 12 || length + 12 < d.len() {
        return None;
    }
    if length + 12 > d.len() {
        return (l.transport == Transport::Tcp && length < 4096).then_some(parse::Probe::More);
    }
    let mut at = 12;
    while at < d.len() {
        let size = usize::from(byte(d, at + 1)?);
        if size < 2 || !matches!(byte(d, at)? >> 1, 1..=18) {
            return None;
        }
        at += size.div_ceil(4) * 4;
    }
    sure(at == d.len() && be4(d, 4)? != 0 && be2(d, 10)? != 0)
}

/// RFC 3550 section 6.4: reports, descriptions and feedback, each with its length in words, to the end; encryption and
/// authentication may stand behind (RFC 3711 section 3.4).
fn rtcp(l: &Look<'_>) -> Answer {
    let d = l.data;
    let mut at = 0;
    let mut packets = 0;
    while at < d.len() {
        if byte(d, at)? >> 6 != 2 || !matches!(byte(d, at + 1)?, 192 | 193 | 200..=213) {
            break;
        }
        at += (be2(d, at + 2)? + 1) * 4;
        packets += 1;
    }
    let first = matches!(byte(d, 1)?, 200..=207);
    if packets == 0 || !first || be4(d, 4)? == 0 {
        return None;
    }
    if at == d.len() { sure(true) } else { weak(at < d.len() && d.len() >= at + 4) }
}

/// RFC 3550 section 5.1: version 2, a payload type in use, and a header that fits. One alone is a weak sign; another
/// of the same kind from the other side is enough.
fn rtp(l: &Look<'_>) -> Answer {
    let d = l.data;
    let header = |d: &[u8]| {
        let first = byte(d, 0)?;
        let kind = byte(d, 1)? & 0x7f;
        let known = matches!(kind, 0 | 3..=18 | 25 | 26 | 28 | 31..=34 | 96..=127);
        let fixed = 12 + usize::from(first & 15) * 4;
        (first >> 6 == 2 && known && first & 15 <= 4 && be4(d, 8)? != 0).then_some((fixed, kind))
    };
    let (mut at, kind) = header(d)?;
    if byte(d, 0)? & 0x10 != 0 {
        at += 4 + be2(d, at + 2)? * 4;
    }
    let payload = d.len().checked_sub(at)?;
    if payload == 0 || payload > 1500 {
        return None;
    }
    let answered = header(l.other).is_some_and(|(_, other)| other == kind) && byte(d, 0) == byte(l.other, 0);
    let reported =
        byte(l.other, 0).is_some_and(|b| b >> 6 == 2) && matches!(byte(l.other, 1), Some(200..=207));
    let round =
        matches!((kind, payload), (0 | 8, 80 | 160 | 240) | (18, 10 | 20 | 30) | (3, 33) | (9, 80 | 160));
    at_home(true, (answered || reported) && l.packets > 1 || round && answered)
}

/// Media to and from Zoom's servers: an outer header with direction, an inner one with the kind, RTP or RTCP inside.
fn zoom(l: &Look<'_>) -> Answer {
    let d = l.data;
    let home = (8801..=8810).contains(&l.server_port) || (8801..=8810).contains(&l.client_port);
    let inner = match byte(d, 8)? {
        15 => 27,
        13 => 27,
        16 => 32,
        30 => 28,
        33..=35 => 24,
        _ => return sure(home && matches!(d.get(..3)?, [1 | 2, 0, 2 | 3]) && d.len() >= 20),
    };
    let media = byte(d, inner).is_some_and(|b| b >> 6 == 2);
    sure(home && byte(d, 0)? == 5 && matches!(byte(d, 7)?, 0 | 4) && media)
}
