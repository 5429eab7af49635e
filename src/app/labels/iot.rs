//! Things in homes and cities.

use super::bytes::{be2, be4, byte, from, has, is_at, on};
use super::{Answer, TCP_UDP, UDP, UDP_TCP, labels, sure, tcp, udp, weak};
use parse::{Look, Transport};

labels! { Industry;
    "coap", "Constrained Application Protocol", ["COAP"], UDP, [udp(5683)], coap,
        b"\x44\x01\x12\x34\x01\x02\x03\x04\xbb.well-known\x04core";
    "tuya-lp", "Tuya LAN protocol", ["TuyaLP"], UDP_TCP, [udp(6667), tcp(6668)], tuya,
        b"\0\0\x55\xaa\0\0\0\x01\0\0\0\x0a\0\0\0\x08\x01\x02\x03\x04\0\0\xaa\x55";
    "tplink-shp", "TP-Link Smart Home Protocol", ["TPLINK_SHP"], UDP_TCP, [udp(9999), tcp(9999)], tplink,
        b"\xd0\xf2\x81\xf8\x8b\xff\x9a\xf7\xd5\xef\x94\xb6";
    "art-net", "Art-Net", [], UDP, [udp(6454)], |l: &Look<'_>| sure(l.data.starts_with(b"Art-Net\0") && l.data.len() >= 10),
        b"Art-Net\0\x00\x20\x00\x0e\x02\x00";
    "sacn", "Streaming ACN (E1.31)", [], UDP, [udp(5568)],
        |l: &Look<'_>| sure(l.data.starts_with(b"\0\x10\0\0ASC-E1.17\0\0\0")), b"\0\x10\0\0ASC-E1.17\0\0\0\x72\x6e\0\0\0\x04";
    "semtech-lora", "Semtech LoRa packet forwarder", [], UDP, [udp(1700)], lora,
        b"\x02\x12\x34\x00\xaa\x55\x5a\0\0\0\0\0{\"stat\":{}}";
    "addp", "Digi device discovery", [], UDP, [udp(2362)], addp, b"DIGI\x00\x01\x00\x06\xff\xff\xff\xff\xff\xff";
    "zep", "ZigBee encapsulation", [], UDP, [udp(17_754)], zep,
        b"EX\x02\x01\x0f\0\x01\0\xff\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\x05\x02\x00\x01\x02\x03";
    "lifx", "LIFX LAN protocol", [], UDP, [udp(56_700)], lifx,
        b"\x24\0\0\x34\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\x02\0\0\0";
    "matter", "Matter message", [], UDP, [udp(5540)], matter,
        b"\x04\x00\x00\x00\x01\x02\x03\x04\x11\x22\x33\x44\x55\x66\x77\x88\x05\x20\x01\x00\x00\x00";
    "nest-log-sink", "Nest log sink", ["NestLogSink"], TCP_UDP, [tcp(11_095)], nest, b"\0\0\0\x13\x01\x02\x03\x04";
    "meshtastic", "Meshtastic over UDP", [], UDP, [udp(4403)], meshtastic, b"\x0d\xaa\xbb\xcc\xdd\x15\xff\xff\xff\xff\x22\x04\x08\x01\x12\x00";
}

/// RFC 7252 section 3: version 1, token of at most 8, code, and options that add up.
fn coap(l: &Look<'_>) -> Answer {
    let d = l.data;
    let (first, code) = (byte(d, 0)?, byte(d, 1)?);
    let token = usize::from(first & 15);
    let known =
        matches!(code, 0 | 1..=7 | 0x41..=0x45 | 0x5f | 0x80..=0x8f | 0x95 | 0x96 | 0x9d | 0xa0..=0xa5);
    if first >> 6 != 1 || token > 8 || !known || d.len() < 4 + token {
        return None;
    }
    if code == 0 {
        // An empty message is a ping or an acknowledgement and has nothing to read.
        return weak(token == 0 && d.len() == 4);
    }
    let (options, payload) = coap_options(from(d, 4 + token))?;
    let strong = on(l, 5683) || has(d, b".well-known");
    if strong { sure(options > 0 || payload || code > 0x40) } else { weak(options > 0 || payload) }
}

/// The registry of option numbers (IANA, CoAP Option Numbers); vendors' begin at 2048.
const COAP_OPTIONS: [usize; 29] = [
    1, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 19, 20, 21, 23, 27, 28, 31, 35, 39, 51, 60, 252, 258,
    292,
];

/// Number of options, and whether a payload follows; `None` when they do not add up to the end.
fn coap_options(mut d: &[u8]) -> Option<(usize, bool)> {
    let (mut count, mut number) = (0, 0);
    while let Some(first) = byte(d, 0) {
        if first == 0xff {
            return (d.len() > 1).then_some((count, true));
        }
        let (delta, at) = coap_extended(d, usize::from(first >> 4), 1)?;
        let (length, at) = coap_extended(d, usize::from(first & 15), at)?;
        number += delta;
        if !(COAP_OPTIONS.contains(&number) || number >= 2048) || length > 1034 || at + length > d.len() {
            return None;
        }
        d = from(d, at + length);
        count += 1;
    }
    Some((count, false))
}

fn coap_extended(d: &[u8], nibble: usize, at: usize) -> Option<(usize, usize)> {
    match nibble {
        13 => Some((usize::from(byte(d, at)?) + 13, at + 1)),
        14 => Some((be2(d, at)? + 269, at + 2)),
        15 => None,
        n => Some((n, at)),
    }
}

/// Prefix, sequence, command, length, suffix.
fn tuya(l: &Look<'_>) -> Answer {
    let d = l.data;
    let length = be4(d, 12)?;
    let suffix = length.checked_add(12)?;
    sure(
        is_at(d, 0, b"\0\0\x55\xaa")
            && be4(d, 8)? < 256
            && (length > 4096 || suffix > d.len() || is_at(d, suffix, b"\0\0\xaa\x55")),
    )
}

/// JSON under an autokey XOR that starts from 171; over TCP behind a length.
fn tplink(l: &Look<'_>) -> Answer {
    let d = if l.transport == Transport::Tcp { from(l.data, 4) } else { l.data };
    let mut key = 171;
    let mut plain = [0; 4];
    for (to, byte) in plain.iter_mut().zip(d.get(..4)?) {
        *to = byte ^ key;
        key = *byte;
    }
    sure(plain.starts_with(b"{\"") && plain.iter().all(|b| b.is_ascii_graphic()) && d.len() > 8)
}

/// Semtech gateway protocol: version, token, identifier; those that carry anything carry JSON.
fn lora(l: &Look<'_>) -> Answer {
    let d = l.data;
    let json = match byte(d, 3)? {
        0 => from(d, 12),
        3 => from(d, 4),
        _ => return None,
    };
    sure(
        matches!(byte(d, 0)?, 1 | 2)
            && [&b"{\"rxpk"[..], b"{\"stat", b"{\"txpk"].iter().any(|k| json.starts_with(k)),
    )
}

fn addp(l: &Look<'_>) -> Answer {
    let d = l.data;
    sure(d.starts_with(b"DIGI") && be2(d, 4)? < 0x20 && be2(d, 6)? + 8 == d.len())
}

/// Preamble, version, type; version 2 data gives its length last.
fn zep(l: &Look<'_>) -> Answer {
    let d = l.data;
    if !d.starts_with(b"EX") {
        return None;
    }
    match (byte(d, 2)?, byte(d, 3)?) {
        (2, 2) => sure(d.len() == 8),
        (2, 1) => sure(usize::from(byte(d, 31)?) + 32 == d.len()),
        (1, _) => sure(usize::from(byte(d, 15)?) + 16 == d.len()),
        _ => None,
    }
}

/// LIFX LAN documentation: size, protocol 1024 with the addressable bit.
fn lifx(l: &Look<'_>) -> Answer {
    let d = l.data;
    let size = super::bytes::le2(d, 0)?;
    sure(size == d.len() && size >= 36 && super::bytes::le2(d, 2)? & 0x1fff == 0x1400 && on(l, 56_700))
}

/// Matter core specification section 4.4: unsecured session 0, source node there, and the secure channel's opcodes.
fn matter(l: &Look<'_>) -> Answer {
    let d = l.data;
    let unsecured = matches!(byte(d, 0)?, 0 | 4) && super::bytes::le2(d, 1)? == 0 && byte(d, 3)? == 0;
    let at = if byte(d, 0)? == 4 { 16 } else { 8 };
    let opcode = matches!(byte(d, at + 1)?, 0x10 | 0x20..=0x24 | 0x30..=0x33 | 0x40 | 0x50);
    sure(on(l, 5540) && unsecured && byte(d, at)? & 0xe0 == 0 && opcode && be2(d, at + 4)? == 0)
}

/// A thermostat's log messages: small version and flags, then kind 19.
fn nest(l: &Look<'_>) -> Answer {
    let d = l.data;
    sure(
        on(l, 11_095)
            && byte(d, 1)? <= 2
            && matches!(byte(d, 2)?, 0 | 0x10)
            && byte(d, 3)? == 0x13
            && d.len() >= 8,
    )
}

/// A protobuf packet: from and to as fixed words, then the encrypted or decoded part.
fn meshtastic(l: &Look<'_>) -> Answer {
    let d = l.data;
    sure(
        on(l, 4403)
            && byte(d, 0)? == 0x0d
            && byte(d, 5)? == 0x15
            && matches!(byte(d, 10)?, 0x18 | 0x22 | 0x2a),
    )
}
