//! Tunnels and proxies.

use super::bytes::{be2, be3, be4, byte, from, has, is_at, le4, on, printable, zero};
use super::{Answer, TCP, TCP_UDP, UDP, at_home, labels, sure, tcp, udp, weak};
use parse::{Look, Side, Transport};

labels! { Vpn;
    "ike", "Internet Key Exchange", ["IPSec"], UDP, [udp(500), udp(4500)], ike,
        b"\x11\x22\x33\x44\x55\x66\x77\x88\0\0\0\0\0\0\0\0\x21\x20\x22\x08\0\0\0\0\0\0\0\x20\x29\0\0\x04";
    "ipsec-nat-t", "IPsec through NAT", ["IPSec"], UDP, [udp(4500)], nat_t,
        b"\xc1\x22\x33\x44\0\0\0\x01\x99\x88\x77\x66\x55\x44\x33\x22\x11\0\x12\x34\x56\x78\x9a\xbc\xde\xf0\x01\x02\x03\x04\x05\x06";
    "wireguard", "WireGuard", ["WireGuard"], UDP, [udp(51_820)], wireguard, &super::bytes::pad::<148>(b"\x01\0\0\0\x12\x34\x56\x78\x9a");
    "openvpn", "OpenVPN", ["OpenVPN"], TCP_UDP, [udp(1194), tcp(1194)], openvpn,
        b"\x00\x0e\x38\x11\x22\x33\x44\x55\x66\x77\x88\x00\x00\x00\x00\x00";
    "pptp", "Point-to-Point Tunneling Protocol", ["PPTP"], TCP, [tcp(1723)], pptp, &super::bytes::pad::<156>(b"\x00\x9c\x00\x01\x1a\x2b\x3c\x4d\x00\x01");
    "l2tp", "Layer Two Tunneling Protocol", [], UDP, [udp(1701)], l2tp,
        b"\xc8\x02\x00\x14\0\0\0\0\0\0\0\0\x80\x08\0\0\0\0\0\x01";
    "tinc", "tinc", ["TINC"], TCP, [tcp(655)], tinc, b"0 alpha 17.2\n1 94 64 0 0 ABCDEF0123456789\n";
    "tailscale", "Tailscale disco", ["Tailscale"], UDP, [udp(41_641)], |l: &Look<'_>| sure(l.data.starts_with(b"TS\xf0\x9f\x92\xac") && l.data.len() >= 62),
        &super::bytes::pad::<64>(b"TS\xf0\x9f\x92\xac");
    "zerotier", "ZeroTier", [], UDP, [udp(9993)], zerotier, b"\x01\x02\x03\x04\x05\x06\x07\x08\x89\xe9\x2c\x53\x01\x12\x1a\x2b\x3c\x4d\x00\x01\x02\x03\x04\x05\x06\x07\x08\x01\x0b\x01\x08\0";
    "nebula", "Nebula", [], UDP, [udp(4242)], nebula, b"\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x0a\x20\x01\x02";
    "socks5", "SOCKS version 5", ["SOCKS"], TCP, [tcp(1080)], socks5, b"\x05\x01\x00";
    "socks4", "SOCKS version 4", ["SOCKS"], TCP, [tcp(1080)], socks4, b"\x04\x01\x00\x50\x01\x02\x03\x04user\0";
    "haproxy", "PROXY protocol", ["HAProxy"], TCP, [], haproxy, b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n";
    "softether", "SoftEther VPN", ["Softether"], UDP, [udp(5004)], softether, b"IP=192.0.2.1,PORT=40000";
    "teredo", "Teredo", ["Teredo"], UDP, [udp(3544)], teredo,
        b"\x60\0\0\0\0\x04\x3a\xff\xfe\x80\0\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xfe\xff\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\x02\x85\0\0\0";
    "cisco-tunnel", "Cisco TCP encapsulation", ["CiscoVPN"], TCP, [tcp(10_000)], cisco, b"!TS1.0\0\0\0\0";
    "yamux", "yamux stream multiplexing", [], TCP, [], yamux, b"\x00\x01\x00\x01\0\0\0\x01\0\0\0\0", after b"\x00\x01\x00\x02\0\0\0\x01\0\0\0\0";
    "vtun", "VTun", [], TCP, [tcp(5000)], |l: &Look<'_>| sure(l.data.starts_with(b"VTUN server ver ")), b"VTUN server ver 3.0.3\n";
    "overlay", "VXLAN or Geneve that is not opened", ["VXLAN"], UDP, [udp(6081), udp(4789)], geneve, b"\x00\x00\x65\x58\x00\x00\x7b\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x08\x00";
    "gtp-c", "GTP control", ["GTP_C", "GTP"], UDP, [udp(2123)], gtp_c, b"\x40\x01\x00\x09\x00\x00\x01\x00\x03\x00\x01\x00\x05";
    "gtp-u", "GTP user plane", ["GTP_U", "GTP"], UDP, [udp(2152)], gtp_u, b"\x30\xff\x00\x04\x00\x00\x00\x01\x45\x00\x00\x04";
    "gtp-prime", "GTP prime", ["GTP_PRIME", "GTP"], UDP, [udp(3386)], gtp_prime, b"\x4e\x01\x00\x02\x00\x01\x0e\x05";
    "pfcp", "Packet Forwarding Control Protocol", ["PFCP"], UDP, [udp(8805)], pfcp, b"\x20\x01\x00\x0c\x00\x00\x01\x00\x00\x60\x00\x04\xe1\x47\x5d\x40";
    "capwap", "Control and Provisioning of Wireless Access Points", ["CAPWAP"], UDP, [udp(5246), udp(5247)], capwap,
        b"\x00\x10\x02\0\0\0\0\0\0\0\0\x01\0\0\x0c\0\0\x14\0\x01\0\0\x26\0\x04\0\0\0\0";
    "lisp", "Locator/ID Separation Protocol", ["LISP"], UDP, [udp(4342), udp(4341)], lisp,
        b"\x10\x00\x00\x01\x01\x02\x03\x04\x05\x06\x07\x08\x00\x01\xc0\x00\x02\x01\x00\x20\x00\x01\x0a\x00\x00\x01";
    "dlep", "Dynamic Link Exchange Protocol", ["DLEP"], UDP, [udp(854)], |l: &Look<'_>| sure(l.data.starts_with(b"DLEP") && be2(l.data, 6)? + 8 == l.data.len()), b"DLEP\0\x01\0\x00";
}

/// RFC 7296 section 3.1 and RFC 2408 section 3.1: cookies, next payload, version, exchange, flags, length; on port
/// 4500 behind four zeros (RFC 3948 section 2.2).
fn ike(l: &Look<'_>) -> Answer {
    let d = if zero(l.data.get(..4)?) && on(l, 4500) { from(l.data, 4) } else { l.data };
    let (version, exchange, flags) = (byte(d, 17)?, byte(d, 18)?, byte(d, 19)?);
    let known = match version {
        0x10 => matches!(exchange, 1..=6 | 32..=34) && flags & 0xf8 == 0,
        0x20 => matches!(exchange, 34..=39 | 43..=45) && flags & 0xc7 == 0,
        _ => false,
    };
    let length = be4(d, 24)?;
    sure(known && !zero(d.get(..8)?) && length >= 28 && (length == d.len() || on(l, 500) && length > d.len()))
}

/// RFC 3948 sections 2.1 and 2.3: ESP with a small first sequence, or a keepalive of one byte.
fn nat_t(l: &Look<'_>) -> Answer {
    let d = l.data;
    if !on(l, 4500) {
        return None;
    }
    if d == [0xff] {
        return weak(true);
    }
    let sequence = be4(d, 4)?;
    at_home(be4(d, 0)? > 255 && d.len() >= 32 && sequence != 0 && sequence < 1 << 24, sequence < 1 << 16)
}

/// The WireGuard protocol, section 5.4: type with three reserved zeros, and the length of each type.
fn wireguard(l: &Look<'_>) -> Answer {
    let d = l.data;
    let receiver = le4(d, 4)?;
    match (le4(d, 0)?, d.len()) {
        (1, 148) | (2, 92) => sure(receiver != 0),
        (3, 64) => weak(receiver != 0),
        (4, n) if n >= 32 && n.is_multiple_of(16) => {
            // Data: the counter is small in the beginning.
            weak(receiver != 0 && le4(d, 12)? == 0 && le4(d, 8)? < 1 << 24)
        }
        _ => None,
    }
}

/// The OpenVPN wire protocol: opcode and key id, session, then with no authentication an empty acknowledgement array
/// and packet id 0; with `tls-auth` a digest, a packet id of 1 and a time between.
fn openvpn(l: &Look<'_>) -> Answer {
    let d = match l.transport {
        Transport::Tcp => {
            let length = be2(l.data, 0)?;
            if length < 14
                || length + 2 > l.data.len()
                || l.side == Side::ToServer && length + 2 != l.data.len() && length > 90
            {
                return None;
            }
            l.data.get(2..2 + length)?
        }
        _ => l.data,
    };
    let opcode = byte(d, 0)?;
    if !matches!(opcode, 0x08 | 0x10 | 0x38 | 0x40 | 0x50) || zero(d.get(1..9)?) || d.len() > 400 {
        return None;
    }
    let plain = |at: usize| {
        byte(d, at) == Some(0) && be4(d, at + 1) == Some(0) && (d.len() == at + 5 || opcode == 0x50)
    };
    let answered = byte(d, 9)? == 1 && d.len() == 26 && be4(d, 10)? == 0 && be4(d, 22)? == 0;
    let signed =
        [16, 20, 28, 32, 48, 64].iter().any(|digest| be4(d, 9 + digest) == Some(1) && plain(9 + digest + 8));
    sure(plain(9) || answered || signed || opcode == 0x50 && d.len() > 300 && on(l, 1194))
}

/// RFC 2637 section 2: length 156, control message, magic cookie.
fn pptp(l: &Look<'_>) -> Answer {
    sure(be2(l.data, 2)? == 1 && is_at(l.data, 4, b"\x1a\x2b\x3c\x4d") && be2(l.data, 0)? >= 12)
}

/// RFC 2661 section 3.1: control bit, version 2, length, then the message type as first attribute.
fn l2tp(l: &Look<'_>) -> Answer {
    let d = l.data;
    let control = byte(d, 0)? & 0xcb == 0xc8 && byte(d, 1)? & 15 == 2 && be2(d, 2)? == d.len();
    sure(control && (d.len() == 12 || be2(d, 12)? & 0x83ff == 0x8008 && be4(d, 14)? == 0))
}

/// tinc manual, "Meta-protocol": an identification line of number, name and version.
fn tinc(l: &Look<'_>) -> Answer {
    let line = super::bytes::line(l.data)?;
    let mut words = line.split(|b| *b == b' ');
    let (id, name, version) = (words.next()?, words.next()?, words.next()?);
    let plain = name.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let numbers = version.starts_with(b"17") && version.iter().all(|b| b.is_ascii_digit() || *b == b'.');
    sure(id == b"0" && words.next().is_none() && !name.is_empty() && plain && numbers)
}

/// ZeroTier packet header: identifier, destination and source of five bytes; a hello carries its protocol version.
fn zerotier(l: &Look<'_>) -> Answer {
    let d = l.data;
    sure(on(l, 9993) && d.len() >= 28 && byte(d, 27)? & 0x1f == 1 && matches!(byte(d, 28)?, 4..=20))
}

/// Nebula header: version 1 and type, subtype, reserved, index, counter.
fn nebula(l: &Look<'_>) -> Answer {
    let d = l.data;
    sure(
        matches!(byte(d, 0)?, 0x10..=0x15)
            && byte(d, 1)? <= 1
            && be2(d, 2)? == 0
            && on(l, 4242)
            && be4(d, 8)? == 0
            && d.len() > 16,
    )
}

/// RFC 1928 sections 3 to 6: methods that fill the message, then the one that was chosen.
fn socks5(l: &Look<'_>) -> Answer {
    let d = l.data;
    if byte(d, 0)? != 5 {
        return None;
    }
    if l.side == Side::ToClient && !l.midstream {
        let greeting = byte(l.other, 0)? == 5 && usize::from(byte(l.other, 1)?) + 2 <= l.other.len();
        return sure(greeting && matches!(byte(d, 1)?, 0..=9 | 0xff) && d.len() == 2);
    }
    let methods = usize::from(byte(d, 1)?);
    let known = d.get(2..2 + methods)?.iter().all(|m| *m <= 9 || *m >= 0x80);
    let rest = from(d, 2 + methods);
    let behind = rest.is_empty() || is_at(rest, 0, &[5]) || is_at(rest, 0, &[1]);
    at_home(
        (1..=10).contains(&methods) && known && behind,
        on(l, 1080) || matches!(d, [5, 1, 0] | [5, 2, 0, 2] | [5, 2, 0, 1] | [5, 3, 0, 1, 2] | [5, 1, 2]),
    )
}

/// The SOCKS 4 and 4A memos: command, port, address, user behind which a zero stands.
fn socks4(l: &Look<'_>) -> Answer {
    let d = l.data;
    if byte(d, 0)? != 4 {
        return None;
    }
    let end = from(d, 8).iter().position(|b| *b == 0)?;
    let user = d.get(8..8 + end)?;
    let name = from(d, 9 + end);
    let version4a = be3(d, 4)? == 0 && byte(d, 7)? != 0;
    let whole = if version4a {
        name.len() > 1 && name.ends_with(&[0]) && printable(name.get(..name.len() - 1)?)
    } else {
        name.is_empty()
    };
    let plausible = matches!(byte(d, 1)?, 1 | 2) && be2(d, 2)? != 0 && byte(d, 4)? < 224 && whole;
    sure(byte(d, 0)? == 4 && plausible && (user.is_empty() || printable(user)))
}

/// HAProxy's PROXY protocol, sections 2.1 and 2.2.
fn haproxy(l: &Look<'_>) -> Answer {
    let d = l.data;
    let text = [&b"PROXY TCP4 "[..], b"PROXY TCP6 ", b"PROXY UNKNOWN"].iter().any(|k| d.starts_with(k));
    sure(text || d.starts_with(b"\r\n\r\n\0\r\nQUIT\n") && byte(d, 12)? >> 4 == 2)
}

/// Keepalives to the public address services, and their answers.
fn softether(l: &Look<'_>) -> Answer {
    let d = l.data;
    sure(d.starts_with(b"IP=") && has(d, b",PORT=") && printable(d.strip_suffix(b"\0").unwrap_or(d)))
}

/// RFC 4380 section 5.1: optional authentication and origin indications, then an IPv6 packet of the length it says.
fn teredo(l: &Look<'_>) -> Answer {
    let mut d = l.data;
    if is_at(d, 0, &[0, 1]) {
        d = from(d, 13 + usize::from(byte(d, 2)?) + usize::from(byte(d, 3)?));
    }
    if is_at(d, 0, &[0, 0]) {
        d = from(d, 8);
    }
    let teredo = is_at(d, 8, b"\x20\x01\0\0")
        || is_at(d, 24, b"\x20\x01\0\0")
        || is_at(d, 8, b"\xfe\x80")
        || on(l, 3544);
    sure(byte(d, 0)? >> 4 == 6 && d.len() >= 40 && be2(d, 4)? + 40 == d.len() && teredo)
}

fn cisco(l: &Look<'_>) -> Answer {
    sure(on(l, 10_000) && (l.data.starts_with(b"!TS") || is_at(l.data, 0, b"\xfe\x57\x7e\x2b")))
}

/// The yamux specification: version 0, type, flags, stream, length; both sides speak it.
fn yamux(l: &Look<'_>) -> Answer {
    let header = |d: &[u8]| {
        let flags = be2(d, 2)?;
        let empty = matches!(byte(d, 1)?, 1..=3);
        (byte(d, 0)? == 0
            && empty
            && matches!(flags, 1 | 2)
            && be4(d, 4)? < 16
            && (d.len() == 12 || byte(d, 12)? == 0))
            .then_some(())
    };
    header(l.data)?;
    header(l.other)?;
    sure(be2(l.data, 2)? != be2(l.other, 2)?)
}

/// RFC 8926 section 3.4 and RFC 7348 section 5: at an endpoint that is not decapsulated.
fn geneve(l: &Look<'_>) -> Answer {
    let d = l.data;
    if on(l, 4789) {
        return sure(byte(d, 0)? == 8 && be3(d, 1)? == 0 && byte(d, 7)? == 0 && d.len() >= 22);
    }
    let options = usize::from(byte(d, 0)? & 0x3f) * 4;
    sure(
        on(l, 6081)
            && byte(d, 0)? >> 6 == 0
            && byte(d, 1)? & 0x3f == 0
            && be2(d, 2)? == 0x6558
            && byte(d, 7)? == 0
            && d.len() >= 22 + options,
    )
}

/// 3GPP TS 29.274 section 5.1 and TS 29.060 section 6: version, message, length.
fn gtp_c(l: &Look<'_>) -> Answer {
    let d = l.data;
    let flags = byte(d, 0)?;
    let header = match flags >> 5 {
        2 => be2(d, 2)? + 4 <= d.len() && flags & 7 == 0 && d.len() >= 8 + if flags & 8 == 0 { 0 } else { 4 },
        1 => flags & 0x10 != 0 && be2(d, 2)? + 8 == d.len(),
        _ => false,
    };
    sure(on(l, 2123) && header)
}

/// 3GPP TS 29.281 section 5.1: version 1, protocol GTP, user-plane messages, length behind eight bytes.
fn gtp_u(l: &Look<'_>) -> Answer {
    let d = l.data;
    let message = matches!(byte(d, 1)?, 1 | 2 | 26 | 31 | 254 | 255);
    sure(on(l, 2152) && byte(d, 0)? & 0xf8 == 0x30 && message && be2(d, 2)? + 8 == d.len())
}

/// 3GPP TS 32.295 section 6: protocol type prime, charging messages, length.
fn gtp_prime(l: &Look<'_>) -> Answer {
    let d = l.data;
    let message = matches!(byte(d, 1)?, 1..=7 | 0xf0 | 0xf1);
    let header = if byte(d, 0)? & 1 == 0 && byte(d, 0)? >> 5 == 0 { 20 } else { 6 };
    sure(on(l, 3386) && byte(d, 0)? & 0x10 == 0 && message && be2(d, 2)? + header == d.len())
}

/// 3GPP TS 29.244 section 7.2: version 1, message, length behind four bytes, sequence and a spare zero.
fn pfcp(l: &Look<'_>) -> Answer {
    let d = l.data;
    let message = matches!(byte(d, 1)?, 1..=16 | 50..=57);
    let spare = if byte(d, 0)? & 1 == 1 { 15 } else { 7 };
    at_home(
        byte(d, 0)? & 0xf8 == 0x20 && message && be2(d, 2)? + 4 == d.len() && byte(d, spare)? & 0x0f == 0,
        on(l, 8805),
    )
}

/// RFC 5415 section 4: preamble, header length, and on the control port a message with its length.
fn capwap(l: &Look<'_>) -> Answer {
    let d = l.data;
    if !on(l, 5246) && !on(l, 5247) {
        return None;
    }
    match byte(d, 0)? {
        1 => sure(be3(d, 1)? == 0 && matches!(byte(d, 4)?, 0x14..=0x17) && byte(d, 5)? == 0xfe),
        0 => {
            let header = usize::from(byte(d, 1)? >> 3) * 4;
            let control = on(l, 5246) && be3(d, header + 4).is_some() && header >= 8;
            let length = be2(d, header + 5).unwrap_or(0);
            sure(
                header >= 8
                    && header < d.len()
                    && (!control && on(l, 5247)
                        || matches!(be4(d, header)?, 1..=26 | 0x0033_d101..=0x0033_d1ff)
                            && length <= d.len()),
            )
        }
        _ => None,
    }
}

/// RFC 9301 section 5 and RFC 9300 section 5.1: control message types, or data that carries IP.
fn lisp(l: &Look<'_>) -> Answer {
    let d = l.data;
    if on(l, 4341) {
        return sure(byte(d, 0)? & 7 == 0 && matches!(byte(d, 8)? >> 4, 4 | 6) && d.len() >= 28);
    }
    sure(on(l, 4342) && matches!(byte(d, 0)? >> 4, 1..=4 | 7 | 8) && d.len() >= 16)
}
