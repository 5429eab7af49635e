//! Watching and steering machines: logs, flows, metrics, agents.

use super::bytes::{be2, be4, ber, byte, from, has, is_at, le4, on, printable};
use super::{Answer, TCP, TCP_UDP, UDP, UDP_TCP, at_home, labels, sure, tcp, udp};
use parse::Look;

labels! { Management;
    "snmp", "Simple Network Management Protocol", ["SNMP"], UDP_TCP, [udp(161), udp(162), tcp(161)], snmp,
        b"\x30\x1f\x02\x01\x01\x04\x06public\xa0\x12\x02\x01\x01\x02\x01\0\x02\x01\0\x30\x07\x30\x05\x06\x01\x2b\x05\0";
    "syslog", "Syslog", ["Syslog"], UDP_TCP, [udp(514), tcp(514), tcp(601)], syslog, b"<34>Oct 11 22:14:15 host su: 'su root' failed\n";
    "netflow", "NetFlow", ["NetFlow"], UDP, [udp(2055), udp(9995), udp(9996)], netflow,
        b"\0\x09\0\x01\0\0\x10\0\x5f\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x0c\x01\0\0\x01\0\x08\0\x04";
    "ipfix", "IP Flow Information Export", ["NetFlow"], UDP_TCP, [udp(4739), tcp(4739)], ipfix,
        b"\0\x0a\0\x1c\x5f\0\0\0\0\0\0\x01\0\0\0\0\0\x02\0\x0c\x01\0\0\x01\0\x08\0\x04";
    "sflow", "sFlow", ["sFlow"], UDP, [udp(6343)], sflow, b"\0\0\0\x05\0\0\0\x01\xc0\0\x02\x01\0\0\0\0\0\0\0\x01\0\0\x10\0\0\0\0\x01\0\0\0\x01";
    "collectd", "collectd", ["collectd"], UDP, [udp(25_826)], collectd, b"\0\0\0\x09host\0\0\x08\0\x0c\0\0\0\0\0\0\0\x01";
    "munin", "Munin", ["Munin"], TCP, [tcp(4949)], |l: &Look<'_>| sure(l.data.starts_with(b"# munin node at ")), b"# munin node at host.example\n";
    "zabbix", "Zabbix", ["Zabbix"], TCP, [tcp(10_050), tcp(10_051)], |l: &Look<'_>| sure(l.data.starts_with(b"ZBXD") && matches!(byte(l.data, 4)?, 1 | 3 | 5 | 7) && le4(l.data, 5)? < 1 << 30), b"ZBXD\x01\x0b\0\0\0\0\0\0\0agent.ping\n";
    "check-mk", "Checkmk agent", ["CHECKMK"], TCP, [tcp(6556)], |l: &Look<'_>| sure(l.data.starts_with(b"<<<check_mk>>>")), b"<<<check_mk>>>\nVersion: 2.0\n";
    "ganglia", "Ganglia", [], TCP_UDP, [tcp(8649), udp(8649)], ganglia, b"\0\0\0\x80\0\0\0\x04host\0\0\0\x03cpu\0\0\0\0\0";
    "statsd", "StatsD", [], UDP, [udp(8125)], statsd, b"api.requests:1|c\n";
    "gelf", "Graylog extended log format", [], UDP_TCP, [udp(12_201), tcp(12_201)], gelf, b"{\"version\":\"1.1\",\"host\":\"a\",\"short_message\":\"b\"}";
    "lumberjack", "Lumberjack (Beats)", [], TCP, [tcp(5044)], lumberjack, b"2W\0\0\0\x012C\0\0\0\x10\x78\x9c";
    "kismet", "Kismet server", ["Kismet"], TCP, [tcp(2501)], |l: &Look<'_>| sure(l.data.starts_with(b"*KISMET: ") || l.data.starts_with(b"KISMET\0")), b"*KISMET: 0.0.0 1238000000 Kismet 20080100\n";
    "jdwp", "Java Debug Wire Protocol", [], TCP, [tcp(5005), tcp(8000)], |l: &Look<'_>| sure(l.data.starts_with(b"JDWP-Handshake")), b"JDWP-Handshake";
    "netconf", "NETCONF in the clear", [], TCP, [tcp(830)], |l: &Look<'_>| sure(byte(l.data, 0)? == b'<' && has(l.data, b"urn:ietf:params:xml:ns:netconf:base:1.")), b"<hello xmlns=\"urn:ietf:params:xml:ns:netconf:base:1.0\">";
    "salt", "Salt", [], TCP, [tcp(4505), tcp(4506)], salt, b"\x82\xa3enc\xa5clear\xa4load\x81";
    "nrpe", "Nagios NRPE", [], TCP, [tcp(5666)], nrpe, &super::bytes::pad::<1036>(b"\0\x02\0\x01\x8c\xec\x34\x9b\0\0_NRPE_CHECK");
    "ripe-atlas", "RIPE Atlas probe", ["RipeAtlas"], UDP, [udp(33_435)], |l: &Look<'_>| sure(l.data.starts_with(b"http://atlas.ripe.net")), b"http://atlas.ripe.net Atlas says Hi!";
    "ndmp", "Network Data Management Protocol", [], TCP, [tcp(10_000)], ndmp, b"\x80\0\0\x1c\0\0\0\x01\x5f\0\0\0\0\0\0\0\0\0\x09\0\0\0\0\0\0\0\0\0\0\0\0\x04";
    "memberlist", "Memberlist gossip (Consul, Serf)", [], UDP_TCP, [udp(8301), udp(7946)], memberlist, b"\x00\x82\xa5SeqNo\x01\xa4Node\xa1a";
}

/// RFC 3416 section 3 and RFC 3412 section 6: a sequence with version, community or header, and a request inside.
fn snmp(l: &Look<'_>) -> Answer {
    let d = l.data;
    let (at, length) = ber(d, 1)?;
    let whole = at + length == d.len() || l.transport == parse::Transport::Tcp && length < 1 << 16;
    if byte(d, 0)? != 0x30 || !whole || !is_at(d, at, &[2, 1]) {
        return None;
    }
    let next = at + 3;
    let (inside, size) = ber(d, next + 1)?;
    match byte(d, at + 2)? {
        0..=2 => sure(byte(d, next)? == 4 && matches!(byte(d, inside + size)?, 0xa0..=0xa8)),
        3 => sure(byte(d, next)? == 0x30 && byte(d, inside)? == 2 && byte(d, inside + size)? == 4),
        _ => None,
    }
}

/// RFC 3164 section 4.1 and RFC 5424 section 6: priority of at most 191 in angle brackets, then text; over TCP perhaps
/// behind a count (RFC 6587 section 3.4.1).
fn syslog(l: &Look<'_>) -> Answer {
    let mut d = l.data;
    let counted = d.iter().take(6).take_while(|b| b.is_ascii_digit()).count();
    if counted > 0 && byte(d, counted) == Some(b' ') {
        d = from(d, counted + 1);
    }
    let end = d.iter().take(5).position(|b| *b == b'>')?;
    let number = d.get(1..end).filter(|n| !n.is_empty() && n.iter().all(u8::is_ascii_digit))?;
    let priority = number.iter().fold(0, |n: u32, b| n * 10 + u32::from(b - b'0'));
    let text = d.get(end + 1..d.len().min(end + 17))?;
    let plain = text.iter().all(|b| (b' '..=b'~').contains(b) || matches!(b, b'\n' | b'\r' | b'\t'));
    sure(byte(d, 0)? == b'<' && priority <= 191 && plain && text.len() >= 3)
}

/// Cisco's NetFlow export formats 1, 5, 7 (counts that fit the length) and RFC 3954 section 5 (version 9).
fn netflow(l: &Look<'_>) -> Answer {
    let d = l.data;
    let count = be2(d, 2)?;
    let (header, record) = match be2(d, 0)? {
        1 => (16, 52),
        5 => (24, 48),
        7 => (24, 52),
        9 => {
            let set = matches!(be2(d, 20)?, 0 | 1 | 256..) && be2(d, 22)? + 20 <= d.len() && be2(d, 22)? >= 4;
            return sure(
                set && (1..=64).contains(&count) && be4(d, 8)? > 0x3000_0000 && be4(d, 8)? < 0xa000_0000,
            );
        }
        _ => return None,
    };
    sure((1..=30).contains(&count) && d.len() == header + count * record)
}

/// RFC 7011 section 3.1: version 10, length of the whole, time, then a set that fits.
fn ipfix(l: &Look<'_>) -> Answer {
    let d = l.data;
    let length = be2(d, 2)?;
    let set = matches!(be2(d, 16)?, 2 | 3 | 256..) && (4..=length).contains(&be2(d, 18)?);
    let time = (0x3000_0000..0xa000_0000).contains(&be4(d, 4)?);
    sure(be2(d, 0)? == 10 && length <= d.len() && length >= 20 && set && time)
}

/// sFlow version 5, "Datagram format": version, address kind, then agents and samples.
fn sflow(l: &Look<'_>) -> Answer {
    let d = l.data;
    let at = match be4(d, 4)? {
        1 => 12,
        2 => 24,
        _ => return None,
    };
    sure(
        matches!(be4(d, 0)?, 2 | 4 | 5)
            && (be4(d, at)? < 1 << 16 || be4(d, 0)? < 5)
            && be4(d, at + 12)? <= 64
            && (on(l, 6343) || matches!(be4(d, at + 16)?, 1..=4)),
    )
}

/// collectd's binary protocol: parts of type and length; the host comes first.
fn collectd(l: &Look<'_>) -> Answer {
    let d = l.data;
    let length = be2(d, 2)?;
    let name = d.get(4..length.checked_sub(1)?)?;
    let next = matches!(be2(d, length)?, 1..=8 | 9 | 0x100 | 0x101);
    sure(be2(d, 0)? == 0 && printable(name) && byte(d, length - 1)? == 0 && next && be2(d, length + 2)? >= 5)
}

fn ganglia(l: &Look<'_>) -> Answer {
    let d = l.data;
    let xml = d.starts_with(b"<?xml") && has(d, b"GANGLIA_XML");
    let metric = on(l, 8649)
        && matches!(be4(d, 0)?, 0x80..=0x86)
        && be4(d, 4)? < 256
        && d.get(8..8 + be4(d, 4)?).is_some_and(printable);
    sure(xml || metric)
}

/// Etsy's format: name, colon, value, bar, type.
fn statsd(l: &Look<'_>) -> Answer {
    let d = l.data;
    let is_name = |b: &&u8| b.is_ascii_alphanumeric() || matches!(**b, b'.' | b'_' | b'-' | b'/');
    let colon = d.iter().take_while(is_name).count();
    if colon == 0 || byte(d, colon)? != b':' {
        return sure(false);
    }
    let is_value = |b: &&u8| b.is_ascii_digit() || matches!(**b, b'.' | b'-' | b'+');
    let value = from(d, colon + 1).iter().take_while(is_value).count();
    let bar = colon + 1 + value;
    let kind = from(d, bar + 1);
    let known = matches!(byte(kind, 0)?, b'c' | b'g' | b'm' | b'h' | b's' | b'd');
    let end = kind.iter().take_while(|b| b.is_ascii_lowercase()).count() <= 2;
    sure(value > 0 && byte(d, bar)? == b'|' && known && end)
}

/// GELF payload specification: JSON with a version, or a chunk's magic.
fn gelf(l: &Look<'_>) -> Answer {
    let d = l.data;
    let chunk = d.starts_with(b"\x1e\x0f") && byte(d, 10)? < byte(d, 11)? && byte(d, 11)? <= 128;
    sure(d.starts_with(b"{") && has(d, b"\"short_message\"") || chunk)
}

/// Beats: window size, then data or compressed frames of the same version.
fn lumberjack(l: &Look<'_>) -> Answer {
    let d = l.data;
    let version = matches!(byte(d, 0)?, b'1' | b'2');
    let window = byte(d, 1)? == b'W'
        && be4(d, 2)? <= 1 << 16
        && (d.len() == 6 || byte(d, 6)? == byte(d, 0)? && matches!(byte(d, 7)?, b'C' | b'J' | b'D'));
    sure(version && window)
}

/// Salt's transport: a map with an encoding and a load.
fn salt(l: &Look<'_>) -> Answer {
    let d = l.data;
    sure(
        matches!(byte(d, 0)?, 0x82 | 0x83)
            && (has(d, b"\xa3enc\xa5clear") || has(d, b"\xa3enc\xa3aes") || has(d, b"\xa3enc\xa3pub")),
    )
}

/// NRPE 2 and 3: version, query or answer, and a size that is fixed or told.
fn nrpe(l: &Look<'_>) -> Answer {
    let d = l.data;
    let kind = matches!(be2(d, 2)?, 1 | 2);
    let second = be2(d, 0)? == 2 && d.len() == 1036;
    let third = matches!(be2(d, 0)?, 3 | 4) && be4(d, 12)? + 16 <= d.len() + 3;
    at_home(kind && (second || third), on(l, 5666) || second)
}

/// NDMP version 4 section 2: a record mark, then sequence, time, request or answer, message, reply sequence, error.
fn ndmp(l: &Look<'_>) -> Answer {
    let d = l.data;
    let kind = be4(d, 12)? <= 1 && matches!(be4(d, 16)?, 0x100..=0x10b | 0x200..=0x5ff | 0x900..=0x904);
    sure(
        be4(d, 0)? & 0x8000_0000 != 0
            && be4(d, 0)? & 0x7fff_ffff >= 24
            && kind
            && be4(d, 24)? <= 0x20
            && be4(d, 4)? < 1 << 20,
    )
}

/// HashiCorp memberlist: a kind, then a map of fields.
fn memberlist(l: &Look<'_>) -> Answer {
    let d = l.data;
    let fields = [&b"\xa5SeqNo"[..], b"\xa4Node", b"\xa8SourceAd", b"\xabIncarnation", b"\xa3Vsn"];
    sure(byte(d, 0)? <= 13 && matches!(byte(d, 1)?, 0x81..=0x8f) && fields.iter().any(|f| is_at(d, 2, f)))
}
