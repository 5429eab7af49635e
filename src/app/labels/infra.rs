//! What networks need to run: time, discovery, address translation, remote procedure calls.

use super::bytes::{
    be2, be3, be4, begins, byte, from, has, has_text, is_at, le2, le4, line, on, printable, zero,
};
use super::{Answer, TCP, TCP_UDP, UDP, UDP_TCP, at_home, labels, sure, tcp, udp, weak};
use parse::{Look, Transport};

labels! { Network;
    "ntp", "Network Time Protocol", ["NTP"], UDP, [udp(123)], ntp,
        &super::bytes::pad::<48>(b"\x23\0\x06\xec\0\0\0\0\0\0\0\0\0\0\0\0");
    "ssdp", "Simple Service Discovery Protocol", ["SSDP"], UDP, [udp(1900)], ssdp,
        b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: ssdp:all\r\n\r\n";
    "wsd", "Web Services Dynamic Discovery", ["WSD"], UDP, [udp(3702)], wsd,
        b"<?xml version=\"1.0\" encoding=\"utf-8\"?><soap:Envelope xmlns:wsd=\"http://schemas.xmlsoap.org/ws/2005/04/discovery\">";
    "slp", "Service Location Protocol", ["Service_Location_Protocol"], UDP_TCP, [udp(427), tcp(427)], slp,
        b"\x02\x09\0\0\x1d\0\0\0\0\0\0\x01\0\x02en\0\0\xff\xff\0\x07default";
    "nat-pmp", "NAT Port Mapping Protocol", ["NAT-PMP"], UDP, [udp(5351), udp(5350)], nat_pmp, b"\0\x02\0\0\x1f\x90\x1f\x90\0\0\x0e\x10";
    "pcp", "Port Control Protocol", ["NAT-PMP"], UDP, [udp(5351), udp(5350)], pcp, &super::bytes::pad::<60>(b"\x02\x01\0\0\0\0\x0e\x10\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\xa8\0\x02");
    "dcerpc", "Distributed Computing Environment RPC", ["DCERPC"], TCP_UDP, [tcp(135), udp(135), udp(34_964)], dcerpc,
        b"\x05\x00\x0b\x03\x10\0\0\0\x1c\0\0\0\x01\0\0\0\xd0\x16\xd0\x16\0\0\0\0\0\0\0\0";
    "rx", "RX remote procedure calls (AFS)", ["RX"], UDP, [udp(7000), udp(7001), udp(7002), udp(7003)], rx,
        b"\x40\0\0\x01\x12\x34\x56\x78\0\0\0\x01\0\0\0\x01\0\0\0\x01\x01\x05\0\0\0\0\0\x34\0\0\0\x82";
    "whois", "WHOIS", ["Whois-DAS"], TCP, [tcp(43), tcp(4343)], whois, b"example.com\r\n";
    "rmcp", "Remote Management and Control Protocol (IPMI)", ["RMCP"], UDP, [udp(623)], rmcp,
        b"\x06\0\xff\x07\0\0\0\0\0\0\0\0\0\x09\x20\x18\xc8\x81\0\x38\x8e\x04\xb5";
    "wol", "Wake on LAN", [], UDP, [udp(9), udp(7)], wake, b"\xff\xff\xff\xff\xff\xff\0\x11\x22\x33\x44\x55\0\x11\x22\x33\x44\x55\0\x11\x22\x33\x44\x55\0\x11\x22\x33\x44\x55\0\x11\x22\x33\x44\x55\0\x11\x22\x33\x44\x55\0\x11\x22\x33\x44\x55\0\x11\x22\x33\x44\x55\0\x11\x22\x33\x44\x55\0\x11\x22\x33\x44\x55\0\x11\x22\x33\x44\x55\0\x11\x22\x33\x44\x55\0\x11\x22\x33\x44\x55\0\x11\x22\x33\x44\x55\0\x11\x22\x33\x44\x55\0\x11\x22\x33\x44\x55";
    "dnscrypt", "DNSCrypt", ["DNScrypt"], UDP_TCP, [udp(443), tcp(443)], |l: &Look<'_>| sure(l.data.starts_with(b"r6fnvWj8") && l.data.len() >= 48), &super::bytes::pad::<64>(b"r6fnvWj8");
    "ubnt-discovery", "Ubiquiti device discovery", ["UBNTAC2"], UDP, [udp(10_001)], ubnt, b"\x01\0\0\x0d\x02\0\x0a\x24\xa4\x3c\x01\x02\x03\xc0\xa8\x01\x14";
    "mndp", "MikroTik Neighbor Discovery", [], UDP, [udp(5678)], mndp, b"\0\0\0\0\0\x01\0\x06\x0a\x0b\x0c\x0d\x0e\x0f\0\x05\0\x08MikroTik";
    "meraki-cloud", "Meraki cloud management", ["MerakiCloud"], UDP, [udp(7351), udp(9350)], |l: &Look<'_>| sure(is_at(l.data, 0, b"\xfe\xf7") && be2(l.data, 6)? == l.data.len()), &super::bytes::pad::<24>(b"\xfe\xf7\x28\x91\x0d\x01\0\x18");
    "echo", "Echo", [], UDP_TCP, [udp(7), tcp(7)], |l: &Look<'_>| sure(on(l, 7) && !l.other.is_empty() && l.data.starts_with(l.other)), b"0123456789", after b"0123456789";
    "daytime", "Daytime", [], TCP_UDP, [tcp(13), udp(13)], daytime, b"Tue Feb 22 17:37:43 1982\r\n";
    "time", "Time", [], TCP_UDP, [tcp(37), udp(37)], |l: &Look<'_>| sure(on(l, 37) && l.data.len() == 4 && byte(l.data, 0)? >= 0xd0), b"\xe9\x12\x34\x56";
    "chargen", "Character Generator", [], TCP_UDP, [tcp(19), udp(19)], |l: &Look<'_>| sure(on(l, 19) && has(l.data, b"!\"#$%&'()*+,-./0123456789:;<=>?@")), b" !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefg\r\n";
    "qotd", "Quote of the Day", [], TCP_UDP, [tcp(17), udp(17)], |l: &Look<'_>| sure(on(l, 17) && line(l.data).is_some_and(printable)), b"\"Well begun is half done.\" Aristotle\r\n";
    "roughtime", "Roughtime", ["Roughtime"], UDP, [udp(2002)], |l: &Look<'_>| sure(l.data.starts_with(b"ROUGHTIM") && le4(l.data, 8)? + 12 <= l.data.len()), b"ROUGHTIM\x08\0\0\0\x01\0\0\0NONC";
    "tivo-connect", "TiVo Connect discovery", ["TiVoConnect"], UDP_TCP, [udp(2190), tcp(2190)], |l: &Look<'_>| sure(begins(l.data, b"tivoconnect=")), b"TiVoConnect=1\nMethod=broadcast\nPlatform=pc\n";
    "bjnp", "Canon BJNP", ["BJNP"], UDP, [udp(8611), udp(8612)], bjnp, b"BJNP\x01\x01\0\0\0\0\0\0\0\0\0\0";
    "ajp", "Apache JServ Protocol", ["AJP"], TCP, [tcp(8009)], ajp, b"\x12\x34\0\x01\x0a";
    "fastcgi", "FastCGI", ["FastCGI"], TCP, [tcp(9000)], fastcgi, b"\x01\x01\0\x01\0\x08\0\0\0\x01\0\0\0\0\0\0";
    "hp-virtgrp", "HP virtual machine group management", ["HP_VIRTGRP"], TCP, [tcp(5223)], |l: &Look<'_>| sure(byte(l.data, 0)? == 0x16 && be2(l.data, 1)? == l.data.len() && byte(l.data, 3)? == 0 && l.other.is_empty()), b"\x16\0\x08\0\x01\x02\x03\x04";
    "eaq", "Broadband quality measurement (EAQ)", ["EAQ"], UDP, [udp(6000)], eaq, b"\0\0\x01\x02\0\0\0\0\0\0\0\0\0\0\0\0", after b"\0\0\x01\x01\0\0\0\0\0\0\0\0\0\0\0\0";
    "nfs", "Network File System", ["NFS"], UDP_TCP, [udp(2049), tcp(2049)], nfs,
        b"\x12\x34\x56\x78\0\0\0\0\0\0\0\x02\0\x01\x86\xa3\0\0\0\x03\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    "sunrpc", "ONC Remote Procedure Call", ["NFS"], UDP_TCP, [udp(111), tcp(111)], sunrpc,
        b"\x12\x34\x56\x78\0\0\0\0\0\0\0\x02\0\x01\x86\xa0\0\0\0\x02\0\0\0\x03\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
}

/// RFC 5905 section 7.3: version and mode, stratum, poll, precision; 48 bytes, then extensions or a digest. Control
/// and private modes have their own headers (RFC 9327 section 2).
fn ntp(l: &Look<'_>) -> Answer {
    let d = l.data;
    let first = byte(d, 0)?;
    let (version, mode) = (first >> 3 & 7, first & 7);
    let home = on(l, 123);
    match mode {
        6 => sure(home && matches!(version, 1..=4) && d.len() >= 12 && be2(d, 10)? <= d.len()),
        7 => sure(home && d.len() >= 8),
        1..=5 => {
            let root_delay_small = be2(d, 4)? < 64;
            let poll_precision = byte(d, 2)? <= 17 && (byte(d, 3)? == 0 || byte(d, 3)? >= 0xe0);
            let size =
                matches!(d.len(), 48 | 52 | 56 | 60 | 64 | 68 | 72 | 80..=1468) && d.len().is_multiple_of(4);
            let is = matches!(version, 1..=4)
                && byte(d, 1)? <= 16
                && size
                && (home || poll_precision && root_delay_small);
            if home { sure(is) } else { weak(is && d.len() == 48) }
        }
        _ => None,
    }
}

/// UPnP Device Architecture section 1: HTTP over multicast; M-SEARCH and NOTIFY are its own methods.
fn ssdp(l: &Look<'_>) -> Answer {
    let d = l.data;
    let asks = d.starts_with(b"M-SEARCH * HTTP/1.") || d.starts_with(b"NOTIFY * HTTP/1.");
    let answers = d.starts_with(b"HTTP/1.") && has_text(d, b"\r\nST:") && has_text(d, b"\r\nUSN:");
    sure(asks || answers)
}

/// OASIS WS-Discovery: SOAP over UDP in the discovery namespaces.
fn wsd(l: &Look<'_>) -> Answer {
    let xml = l.data.trim_ascii_start().starts_with(b"<");
    if !xml {
        return None;
    }
    let discovery = has(l.data, b"/ws/2005/04/discovery")
        || has(l.data, b"ws-dd/ns/discovery")
        || on(l, 3702) && has_text(l.data, b":Envelope");
    sure(discovery)
}

/// RFC 2608 section 8 and RFC 2165 section 4: version, function, length of the whole, language.
fn slp(l: &Look<'_>) -> Answer {
    let d = l.data;
    match byte(d, 0)? {
        2 => {
            let tag = d.get(14..14 + be2(d, 12)?)?;
            let language = tag.len() <= 35 && tag.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-');
            let flags = byte(d, 5)? & 0x1f == 0 && byte(d, 6)? == 0;
            sure(matches!(byte(d, 1)?, 1..=11) && be3(d, 2)? == d.len() && flags && language)
        }
        1 => sure(
            matches!(byte(d, 1)?, 1..=10)
                && be2(d, 2)? == d.len()
                && byte(d, 4)? & 7 == 0
                && be2(d, 8)? < 1024
                && d.len() >= 12
                && (on(l, 427) || is_at(d, 6, b"en")),
        ),
        _ => None,
    }
}

/// RFC 6886 section 3: version 0, operation, and the length of each.
fn nat_pmp(l: &Look<'_>) -> Answer {
    let d = l.data;
    let home = on(l, 5351) || on(l, 5350);
    let request = matches!((d.len(), byte(d, 1)?), (2, 0) | (12, 1 | 2));
    let answer = matches!((d.len(), byte(d, 1)?), (12, 128) | (16, 129 | 130))
        || d.len() >= 8 && byte(d, 1)? >= 128 && be2(d, 2)? != 0 && be2(d, 2)? <= 5;
    sure(home && byte(d, 0)? == 0 && (request || answer))
}

/// RFC 6887 section 7: version 2, opcode, reserved, lifetime; multiples of four from 24 to 1100.
fn pcp(l: &Look<'_>) -> Answer {
    let d = l.data;
    let home = on(l, 5351) || on(l, 5350);
    let size = (24..=1100).contains(&d.len()) && d.len().is_multiple_of(4);
    sure(home && matches!(byte(d, 0)?, 1 | 2) && byte(d, 1)? & 0x7f <= 4 && byte(d, 2)? == 0 && size)
}

/// C706 section 12.6: version 5, type, flags, data representation, lengths; connectionless (12.5) has version 4.
fn dcerpc(l: &Look<'_>) -> Answer {
    let d = l.data;
    if l.transport == Transport::Udp {
        let little = byte(d, 4)? & 0x10 != 0;
        let length = if little { le2(d, 74)? } else { be2(d, 74)? };
        let representation = byte(d, 4)? & 0xee == 0 && byte(d, 5)? <= 3 && byte(d, 6)? == 0;
        let kind = byte(d, 1)? <= 10 && byte(d, 3)? & 0xfe == 0;
        return sure(byte(d, 0)? == 4 && kind && representation && d.len() >= 80 && length + 80 <= d.len());
    }
    let little = byte(d, 4)? & 0x10 != 0;
    let length = if little { le2(d, 8)? } else { be2(d, 8)? };
    let representation = byte(d, 4)? & 0xee == 0 && byte(d, 5)? <= 3 && be2(d, 6)? == 0;
    let kind = matches!(byte(d, 2)?, 0 | 2 | 3 | 11..=20);
    let flags = byte(d, 3)? & 3 != 0 || byte(d, 2)? < 11;
    sure(byte(d, 0)? == 5 && byte(d, 1)? <= 1 && kind && flags && representation && length >= 16)
}

/// The RX protocol specification: epoch, connection, call, sequence, serial, type, flags; a call names its service.
fn rx(l: &Look<'_>) -> Answer {
    let d = l.data;
    let home = (7000..=7009).contains(&l.server_port) || (7000..=7009).contains(&l.client_port);
    let kind = matches!(byte(d, 20)?, 1..=8 | 13);
    sure(
        home && kind
            && be4(d, 4)? != 0
            && byte(d, 22)? == 0
            && byte(d, 23)? <= 3
            && be2(d, 26)? != 0
            && be4(d, 16)? < 1 << 24,
    )
}

/// RFC 3912: one line and an answer; only the port tells it from other lines.
fn whois(l: &Look<'_>) -> Answer {
    let home = on(l, 43) || on(l, 4343);
    let asks = l.side == parse::Side::ToServer && l.data.ends_with(b"\r\n");
    sure(home && asks && line(l.data).is_some_and(|line| line.len() + 2 == l.data.len() && !line.is_empty()))
}

/// IPMI 2.0 section 13.1.3: version 6, reserved, sequence, class; IPMI behind it has its authentication type.
fn rmcp(l: &Look<'_>) -> Answer {
    let d = l.data;
    let body = match byte(d, 3)? & 0x1f {
        6 => be4(d, 4)? == 0x11be,
        7 => matches!(byte(d, 4)?, 0..=2 | 4..=6),
        _ => false,
    };
    at_home(byte(d, 0)? == 6 && byte(d, 1)? == 0 && body && d.len() >= 12, on(l, 623) || be4(d, 4)? == 0x11be)
}

/// AMD's magic packet: six bytes of ones, an address sixteen times.
fn wake(l: &Look<'_>) -> Answer {
    let d = l.data;
    let address = d.get(6..12)?;
    let again = d.get(12..102)?.chunks_exact(6).all(|a| a == address);
    sure(is_at(d, 0, &[0xff; 6]) && again && !zero(address))
}

/// Type, length of the rest, then elements of kind and length.
fn ubnt(l: &Look<'_>) -> Answer {
    let d = l.data;
    let request = on(l, 10_001) && matches!(d, [1 | 2, 0 | 8, 0, 0]);
    let element =
        matches!(byte(d, 4), Some(1 | 2)) && byte(d, 5) == Some(0) && matches!(byte(d, 6), Some(6 | 10));
    sure(request || matches!(byte(d, 0)?, 1 | 2) && be2(d, 2)? + 4 == d.len() && element)
}

/// A sequence, then elements; the first is a hardware address.
fn mndp(l: &Look<'_>) -> Answer {
    let d = l.data;
    sure(on(l, 5678) && (is_at(d, 4, &[0, 1, 0, 6]) || d == [0, 0, 0, 0]))
}

/// RFC 867 names no form; the usual one is a weekday, a month, a time and a year.
fn daytime(l: &Look<'_>) -> Answer {
    let text = line(l.data)?;
    sure(
        on(l, 13)
            && text.len() >= 16
            && text.iter().filter(|b| **b == b':').count() == 2
            && has(text, b"19") | has(text, b"20"),
    )
}

fn bjnp(l: &Look<'_>) -> Answer {
    let d = l.data;
    let magic = [&b"BJNP"[..], b"BNJB", b"BJNB", b"PNJB", b"MFNP"].iter().any(|m| d.starts_with(m));
    sure(magic && be4(d, 12)? + 16 == d.len())
}

/// AJP 1.3, "Packet structure": a magic for each side, and the length behind it.
fn ajp(l: &Look<'_>) -> Answer {
    let d = l.data;
    let length = be2(d, 2)?;
    let request = is_at(d, 0, b"\x12\x34") && matches!(byte(d, 4)?, 2 | 7 | 8 | 10);
    let answer = is_at(d, 0, b"AB") && matches!(byte(d, 4)?, 3..=6 | 9);
    sure((request || answer) && (1..=8188).contains(&length) && (length + 4 <= d.len() || length > 512))
}

/// FastCGI specification section 3.3: version 1, a begin request of eight bytes with its role.
fn fastcgi(l: &Look<'_>) -> Answer {
    let d = l.data;
    let begin = is_at(d, 0, &[1, 1])
        && be2(d, 4)? == 8
        && matches!(be2(d, 8)?, 1..=3)
        && byte(d, 10)? <= 1
        && zero(d.get(11..16)?);
    sure(begin && be2(d, 2)? != 0)
}

/// Datagrams of sixteen bytes that begin with a counter of four decimal digits, one a byte; answers repeat it.
fn eaq(l: &Look<'_>) -> Answer {
    let count = |d: &[u8]| {
        let digits = d.get(..4)?;
        let plain = digits.iter().all(|b| *b < 10) || digits.iter().all(u8::is_ascii_digit);
        plain.then(|| digits.iter().fold(0usize, |n, b| n * 10 + usize::from(b & 15)))
    };
    let now = count(l.data)?;
    let near = count(l.other).is_some_and(|then| now.abs_diff(then) <= 1);
    at_home(on(l, 6000) && l.data.len() == 16, near)
}

/// RFC 5531 section 9: the program of a call, when it is one. Over TCP a record mark stands before (section 11).
fn rpc_program(l: &Look<'_>) -> Option<usize> {
    let d = if l.transport == Transport::Tcp {
        let mark = be4(l.data, 0)?;
        let length = mark & 0x7fff_ffff;
        if !(24..1 << 24).contains(&length) {
            return None;
        }
        from(l.data, 4)
    } else {
        l.data
    };
    let call = be4(d, 4)? == 0 && be4(d, 8)? == 2 && be4(d, 16)? <= 10 && be4(d, 20)? <= 64;
    let credential = matches!(be4(d, 24)?, 0..=6 | 0x0005_f3a7..=0x0005_f3ff) && be4(d, 28)? <= 400;
    (call && credential).then(|| be4(d, 12)).flatten()
}

fn nfs(l: &Look<'_>) -> Answer {
    sure(rpc_program(l)? == 100_003)
}

fn sunrpc(l: &Look<'_>) -> Answer {
    if let Some(program) = rpc_program(l) {
        return sure((100_000..=400_000).contains(&program));
    }
    // An answer whose question was not seen: accepted, no verifier, success.
    let d = if l.transport == Transport::Tcp { from(l.data, 4) } else { l.data };
    let answered = be4(d, 4)? == 1 && be4(d, 8)? <= 1 && be4(d, 12)? <= 6 && be4(d, 16)? <= 400;
    weak(answered && d.len() >= 24)
}
