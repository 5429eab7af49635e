//! Peers sharing among themselves.

use super::bytes::{be2, be4, begins, byte, from, has, is_at, le2, le4, line, on, zero};
use super::{Answer, TCP, TCP_UDP, UDP, UDP_TCP, at_home, labels, sure, tcp, udp, weak};
use parse::Look;

labels! { PeerToPeer;
    "bittorrent-dht", "BitTorrent distributed hash table", ["BitTorrent"], UDP, [udp(6881)], dht, b"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe";
    "bittorrent", "BitTorrent", ["BitTorrent"], TCP_UDP, [tcp(6881)], bittorrent, b"\x13BitTorrent protocol\0\0\0\0\0\0\0\0";
    "utp", "Micro transport protocol (BitTorrent)", ["BitTorrent"], UDP, [], utp, b"\x41\0\x12\x34\x01\x02\x03\x04\0\0\0\0\0\0\xf0\0\0\x01\0\0";
    "gnutella", "Gnutella", ["Gnutella"], UDP_TCP, [tcp(6346), udp(6346)], gnutella, b"\x01\x02\x03\x04\x05\x06\x07\x08\xff\x0a\x0b\x0c\x0d\x0e\x0f\0\0\x01\0\0\0\0\0";
    "edonkey", "eDonkey and eMule", ["eDonkey"], TCP_UDP, [tcp(4662), udp(4672), tcp(4661)], edonkey, b"\xe3\x1d\0\0\0\x01\x10\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\0\0\0\0\x36\x12\0\0\0\0\0";
    "direct-connect", "Direct Connect", [], TCP, [tcp(411)], |l: &Look<'_>| sure(l.data.starts_with(b"$Lock ") && has(l.data, b"Pk=") || l.data.starts_with(b"$MyNick ") && l.data.contains(&b'|') || begins(l.data, b"HSUP ADBAS") || begins(l.data, b"CSUP ADBAS")), b"$Lock EXTENDEDPROTOCOL_hub Pk=ex|";
    "libp2p", "libp2p multistream", [], TCP, [tcp(4001)], |l: &Look<'_>| sure(l.data.starts_with(b"\x13/multistream/1.0.0\n")), b"\x13/multistream/1.0.0\n\x07/noise\n";
    "soulseek", "Soulseek", [], TCP, [tcp(2242)], soulseek, b"\x10\0\0\0\x01\0\0\0\x04\0\0\0user\0\0\0\0";
    "fasttrack", "FastTrack", [], TCP, [tcp(1214)], |l: &Look<'_>| sure(l.data.starts_with(b"GIVE ") && super::bytes::digits(from(l.data, 5), 1) && line(l.data).is_some_and(|t| t.len() <= 16) || l.data.starts_with(b"GET /.hash=") && has(l.data, b"X-Kazaa-Username: ")), b"GET /.hash=0 HTTP/1.1\r\nX-Kazaa-Username: a\r\n";
}

/// BEP 5, "KRPC Protocol": bencoded dictionaries whose keys are sorted: arguments, errors, addresses or answers first.
fn dht(l: &Look<'_>) -> Answer {
    let d = l.data;
    let first = [&b"d1:ad"[..], b"d1:rd", b"d1:el", b"d2:ip", b"d1:y1:", b"d1:t", b"d2:ro"]
        .iter()
        .any(|k| d.starts_with(k));
    if !first {
        return None;
    }
    let kind = has(d, b"1:y1:q")
        || has(d, b"1:y1:r")
        || has(d, b"1:y1:e")
        || d.starts_with(b"d1:ad2:id20:")
        || d.starts_with(b"d1:rd2:id20:");
    sure(kind && (d.last() == Some(&b'e') || d.len() > 512))
}

/// BEP 3, handshake and tracker requests; BEP 15, UDP tracker; BEP 14, local discovery.
fn bittorrent(l: &Look<'_>) -> Answer {
    let d = l.data;
    let handshake = d.starts_with(b"\x13BitTorrent protocol");
    let tracker = d.starts_with(b"GET /announce?info_hash=")
        || d.starts_with(b"GET /scrape?info_hash=")
        || d.starts_with(b"BT-SEARCH * HTTP/1.1");
    let connect = l.transport == parse::Transport::Udp
        && is_at(d, 0, b"\0\0\x04\x17\x27\x10\x19\x80\0\0\0\0")
        && d.len() == 16;
    sure(handshake || tracker || connect)
}

/// BEP 29, "header": type and version 1, extension, connection, times, window, sequence; the first of a side has no
/// difference of times yet and sequence 1.
fn utp(l: &Look<'_>) -> Answer {
    let d = l.data;
    let (kind, extension) = (byte(d, 0)?, byte(d, 1)?);
    if kind & 15 != 1 || kind >> 4 > 4 || d.len() < 20 {
        return None;
    }
    let mut at = 20;
    let mut next = extension;
    while next != 0 {
        let size = usize::from(byte(d, at + 1)?);
        if next > 3 || size == 0 || size > 64 {
            return None;
        }
        next = byte(d, at)?;
        at += size + 2;
    }
    let whole = at == d.len();
    match kind >> 4 {
        4 => sure(whole && be4(d, 8)? == 0 && be2(d, 18)? == 0 && matches!(be2(d, 16)?, 0 | 1)),
        // An acknowledgement of the first that was seen: its connection number, and sequence 1 acknowledged.
        2 => {
            let opened = byte(l.other, 0)? == 0x41 && be2(l.other, 2)? == be2(d, 2)?;
            at_home(whole, opened)
        }
        // Windows are whole kilobytes or less than a megabyte in every client.
        _ => weak((1..=4 << 20).contains(&be4(d, 12)?) && be4(d, 4)? != 0 && (whole || kind >> 4 == 0)),
    }
}

/// Gnutella 0.6 section 2 and 3: handshake lines; messages of identifier, type, hops and length; reliability layer.
fn gnutella(l: &Look<'_>) -> Answer {
    let d = l.data;
    if [&b"GNUTELLA CONNECT/"[..], b"GNUTELLA/0.", b"GNUTELLA OK", b"GIV ", b"GET /uri-res/N2R?urn:sha1:"]
        .iter()
        .any(|k| d.starts_with(k))
    {
        return sure(line(d).is_some());
    }
    if l.transport == parse::Transport::Tcp {
        return None;
    }
    // The layer that makes datagrams arrive: flags, sequence, part, and how many parts; an answer has none.
    if d.starts_with(b"GND") || d.starts_with(b"GTA") {
        let (part, parts) = (byte(d, 6)?, byte(d, 7)?);
        let message = (1..=parts).contains(&part) && d.len() > 8;
        return sure(byte(d, 3)? & 0xe0 == 0 && (message || parts == 0 && d.len() <= 12));
    }
    // Mojito, the hash table of LimeWire, has its own header behind type 0x44: operation, vendor, contact.
    let table = byte(d, 16)? == 0x44
        && matches!(byte(d, 23)?, 1..=8)
        && d.get(24..28)?.iter().all(u8::is_ascii_graphic);
    let kind = table || matches!(byte(d, 16)?, 0 | 1 | 2 | 0x30..=0x32 | 0x40 | 0x80 | 0x81);
    sure(
        kind && le4(d, 19)? & 0xffff == d.len() - 23
            && byte(d, 17)? & 0x7f <= 16
            && byte(d, 18)? <= 16
            && byte(d, 22)? == 0
            && !zero(d.get(..16)?),
    )
}

/// eDonkey: mark, length behind it, operation; over UDP mark and operation, and lengths that operations have.
fn edonkey(l: &Look<'_>) -> Answer {
    let d = l.data;
    let mark = matches!(byte(d, 0)?, 0xe3 | 0xc5 | 0xd4);
    if l.transport == parse::Transport::Tcp {
        let length = le4(d, 1)?;
        let hello =
            byte(d, 5)? == 1 && (byte(d, 6)? == 0x10 || byte(l.other, 0) == Some(0xe3) || length > 16);
        let other = matches!(byte(d, 5)?, 0x01..=0x60 | 0x81..=0xaa);
        return sure(mark && length + 5 == d.len() && length > 1 && (hello || other));
    }
    let fixed = match (byte(d, 0)?, byte(d, 1)?) {
        (0xe3, 0x96) => d.len() == 6,
        (0xe3, 0x97) => d.len() >= 14,
        (0xe3, 0xa2) => d.len() == 2 || d.len() == 6,
        (0xe3, 0x9a) => d.len() == 18,
        (0xc5, 0x90 | 0x91) => d.len() == 18 || d.len() == 22,
        // Kademlia 2: hello, bootstrap, request, ping.
        (0xe4, 0x01) => d.len() == 2,
        (0xe4, 0x21) => d.len() == 35 && matches!(byte(d, 2)?, 1..=11),
        (0xe4, 0x11 | 0x19) => d.len() >= 22,
        (0xe4, 0x60) => d.len() == 2,
        _ => false,
    };
    let home = on(l, 4672) || on(l, 4665);
    if byte(d, 0)? == 0xe4 && d.len() == 35 || home { sure(fixed) } else { weak(fixed && d.len() > 6) }
}

/// Server login: length, code 1, user name with its length.
fn soulseek(l: &Look<'_>) -> Answer {
    let d = l.data;
    let size = le4(d, 8)?;
    let peer = le4(d, 0)? + 4 == d.len() && le4(d, 4)? == 1 && (1..64).contains(&size);
    sure(peer && d.get(12..12 + size).is_some_and(super::bytes::printable) && le2(d, 2)? == 0)
}
