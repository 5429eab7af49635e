//! Databases and caches.

use super::bytes::{be2, be3, be4, begins, byte, from, has, is_at, le2, le3, le4, line, on, printable, zero};
use super::{Answer, TCP, TCP_UDP, at_home, labels, sure, tcp, udp, weak};
use parse::{Look, Side, Transport};

labels! { Data;
    "pgsql", "PostgreSQL", ["PostgreSQL"], TCP, [tcp(5432)], pgsql, b"\0\0\0\x08\x04\xd2\x16\x2f";
    "mysql", "MySQL", ["MySQL"], TCP, [tcp(3306)], mysql, &super::bytes::pad::<78>(b"\x4a\0\0\0\x0a8.0.30\0\x0b\0\0\0\x01\x02\x03\x04\x05\x06\x07\x08\0\xff\xff");
    "tds", "Tabular Data Stream (SQL Server)", ["MsSQL-TDS"], TCP, [tcp(1433)], tds,
        b"\x12\x01\0\x1a\0\0\0\0\0\0\x0b\0\x06\x01\0\x11\0\x01\xff\x08\0\x01\x55\0\0\0";
    "oracle-tns", "Oracle transparent network substrate", ["Oracle"], TCP, [tcp(1521)], tns,
        b"\0\x3a\0\0\x01\0\0\0\x01\x36\x01\x2c\0\0\x08\0\x7f\xff\x7f\x08\0\0\0\x01\0\x20\0\x3a\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    "mongodb", "MongoDB", ["MongoDB"], TCP, [tcp(27_017)], mongo,
        b"\x2a\0\0\0\x01\0\0\0\0\0\0\0\xd4\x07\0\0\0\0\0\0admin.$cmd\0\0\0\0\0\xff\xff\xff\xff";
    "redis", "Redis", ["RESP"], TCP, [tcp(6379)], redis, b"*1\r\n$4\r\nPING\r\n";
    "memcached", "memcached", ["Memcached"], TCP_UDP, [tcp(11_211), udp(11_211)], memcached, b"get key1\r\n";
    "cassandra", "Cassandra query language", ["Cassandra"], TCP, [tcp(9042)], cassandra, b"\x04\0\0\0\x05\0\0\0\0";
    "clickhouse", "ClickHouse", ["ClickHouse"], TCP, [tcp(9000)], clickhouse, b"\0\x11ClickHouse client\x15\x08\xa2\xa9\x03";
    "drda", "Distributed Relational Database Architecture", ["DRDA"], TCP, [tcp(50_000), tcp(446)], drda, b"\0\x0e\xd0\x41\0\x01\0\x08\x10\x41\0\x04\x11\x5e";
    "elasticsearch", "Elasticsearch transport", ["Elasticsearch"], TCP, [tcp(9300)], elastic, b"ES\0\0\0\x1a\0\0\0\0\0\0\0\x01\x08\0\x6b\xff\xff";
    "neo4j-bolt", "Bolt", [], TCP, [tcp(7687)], |l: &Look<'_>| sure(l.data.starts_with(b"\x60\x60\xb0\x17") && l.data.len() >= 20), b"\x60\x60\xb0\x17\0\0\x04\x04\0\0\0\x03\0\0\0\0\0\0\0\0";
    "rethinkdb", "RethinkDB", [], TCP, [tcp(28_015)], |l: &Look<'_>| sure(matches!(le4(l.data, 0)?, 0x3f61_ba36 | 0x723081e1 | 0x5f75_e83e | 0x400c_2d20 | 0x34c2_bdc3)), b"\xc3\xbd\xc2\x34";
    "tarantool", "Tarantool", [], TCP, [tcp(3301)], |l: &Look<'_>| sure(l.data.starts_with(b"Tarantool ")), b"Tarantool 2.10.0 (Binary) 0000\n";
    "aerospike", "Aerospike", [], TCP, [tcp(3000)], aerospike, b"\x02\x01\0\0\0\0\0\x05node\n";
    "zookeeper", "ZooKeeper", [], TCP, [tcp(2181)], zookeeper,
        b"\0\0\0\x2d\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x75\x30\0\0\0\0\0\0\0\0\0\0\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    "hazelcast", "Hazelcast", [], TCP, [tcp(5701)], |l: &Look<'_>| sure(matches!(l.data.get(..3)?, b"HZC" | b"HZX") || l.data.starts_with(b"CP2") && on(l, 5701)), b"HZC";
    "firebird", "Firebird", [], TCP, [tcp(3050)], firebird, b"\0\0\0\x01\0\0\0\x13\0\0\0\x03\0\0\0\x01\0\0\0\x08test.fdb";
    "raft", "Canonical Raft", ["Raft"], TCP, [tcp(9000), tcp(7000)], raft, b"\x01\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x18\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0";
    "couchbase", "Couchbase and memcached, binary", ["Memcached"], TCP, [tcp(11_210), tcp(11_211)], couchbase, b"\x80\x0b\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0";
    "z3950", "Z39.50", ["Z3950"], TCP, [tcp(210)], z3950, b"\xb4\x12\x83\x02\x05\xe0\x84\x03\0\xe9\xa2\x85\x03\x10\0\0\x86\x02\x04\0";
    "h2", "H2 database", [], TCP, [tcp(9092)], |l: &Look<'_>| sure(on(l, 9092) && be4(l.data, 0)? <= 20 && be4(l.data, 0)? >= 6 && be4(l.data, 4)? <= 20 && be4(l.data, 4)? >= be4(l.data, 0)?), b"\0\0\0\x11\0\0\0\x14\0\0\0\x01";
}

/// PostgreSQL, "Message Formats": a startup message of known version with names and values; encryption requests.
fn pgsql(l: &Look<'_>) -> Answer {
    let d = l.data;
    let length = be4(d, 0)?;
    match be4(d, 4)? {
        80_877_102..=80_877_104 => sure(matches!(length, 8 | 16) && length == d.len()),
        0x0003_0000..=0x0003_0002 => {
            sure(length == d.len() && d.ends_with(&[0, 0]) && (is_at(d, 8, b"user\0") || has(d, b"\0user\0")))
        }
        0x0002_0000 => sure(length == 296 && d.len() == 296),
        _ => None,
    }
}

/// MySQL, "Protocol::HandshakeV10": length, sequence 0, version 10, server version, and thirteen bytes behind.
fn mysql(l: &Look<'_>) -> Answer {
    let d = l.data;
    let length = le3(d, 0)?;
    if length + 4 != d.len() || byte(d, 3)? != 0 {
        return None;
    }
    match byte(d, 4)? {
        10 => {
            let end = from(d, 5).iter().take(64).position(|b| *b == 0)?;
            sure(
                printable(d.get(5..5 + end)?)
                    && byte(d, 5)?.is_ascii_digit()
                    && byte(d, 5 + end + 13)? == 0
                    && length >= end + 30,
            )
        }
        0xff => sure(matches!(le2(d, 5)?, 1040..=1160) && printable(from(d, 7)) && l.side == Side::ToClient),
        _ => None,
    }
}

/// MS-TDS section 2.2.3.1: type, status, length, and a packet number; pre-login options are in order (2.2.6.5).
fn tds(l: &Look<'_>) -> Answer {
    let d = l.data;
    let length = be2(d, 2)?;
    let frame = matches!(byte(d, 1)?, 0 | 1 | 4 | 9)
        && (length == d.len()
            || length < d.len() && byte(d, length)? <= 0x12
            || length > d.len() && length == 4096)
        && byte(d, 7)? == 0;
    match byte(d, 0)? {
        0x12 => sure(frame && byte(d, 8)? == 0 && be2(d, 9)? < length && be2(d, 11)? == 6),
        0x10 => sure(frame && le4(d, 8)? + 8 == length && matches!(byte(d, 15)?, 0x70..=0x74)),
        0x04 => at_home(
            frame
                && (be2(d, 11)? == 6 && byte(d, 8)? == 0
                    || matches!(byte(d, 8)?, 0xaa | 0xab | 0xad | 0xe3 | 0x81 | 0xed | 0xfd | 0xff)),
            on(l, 1433) || byte(l.other, 0) == Some(0x12),
        ),
        0x02 => at_home(
            frame && length == d.len() && length > 100 && byte(d, 4)? == 0 && byte(d, 6)? <= 1,
            on(l, 1433),
        ),
        0x01 | 0x03 => at_home(
            frame && length == d.len() && le4(d, 8)? == 22,
            on(l, 1433) || le4(d, 8)? == 22 && le4(d, 12)? == 18,
        ),
        0x11 | 0x17 | 0x0e => weak(frame && on(l, 1433)),
        _ => None,
    }
}

/// Oracle Net: length, sum 0, type, reserved, header sum 0; a connect packet names its version and its data's place.
fn tns(l: &Look<'_>) -> Answer {
    let d = l.data;
    let wide = be2(d, 0)? == 0;
    let length = if wide { be4(d, 0)? } else { be2(d, 0)? };
    let header = (wide || be2(d, 2)? == 0) && be2(d, 6)? == 0 && length >= 8;
    match byte(d, 4)? {
        1 => sure(
            header && length <= d.len() && (300..=330).contains(&be2(d, 8)?) && be2(d, 10)? <= be2(d, 8)?,
        ),
        2 => sure(header && length == d.len() && (300..=330).contains(&be2(d, 8)?)),
        4 | 5 => at_home(
            header && length <= d.len() && (has(d, b"(DESCRIPTION=") || has(d, b"(ADDRESS=")),
            on(l, 1521),
        ),
        11 => at_home(header && length == 8 && d.len() == 8, on(l, 1521) || byte(l.other, 4)? == 1),
        _ => None,
    }
}

/// MongoDB, "Wire Protocol": length, request, answer, operation; and what stands behind each.
fn mongo(l: &Look<'_>) -> Answer {
    let d = l.data;
    let length = le4(d, 0)?;
    let body = match le4(d, 12)? {
        2013 => le4(d, 16)? & 0xfffe_fffc == 0 && byte(d, 20)? <= 1,
        2004 | 2001 | 2002 | 2006 => {
            let end = from(d, 20).iter().take(128).position(|b| *b == 0)?;
            d.get(20..20 + end)?.contains(&b'.') && printable(d.get(20..20 + end)?)
        }
        2012 => matches!(le4(d, 16)?, 2004 | 2013 | 1) && byte(d, 24)? <= 3,
        1 => le4(d, 16)? <= 15 && le4(d, 32)? <= 1 << 16 && le4(d, 8)? != 0,
        _ => false,
    };
    sure((21..48 << 20).contains(&length) && length >= d.len().min(64) && body)
}

/// Redis serialization protocol: an array of bulk strings, each with its length; inline PING and errors.
fn redis(l: &Look<'_>) -> Answer {
    let d = l.data;
    let answered = l.other.starts_with(b"*")
        && is_at(from(l.other, 1), 0, &[byte(l.other, 1)?])
        && has(l.other, b"\r\n$");
    match byte(d, 0)? {
        b'*' => {
            let count = line(d)?;
            let digits =
                count.get(1..).filter(|n| (1..=6).contains(&n.len()) && n.iter().all(u8::is_ascii_digit));
            let rest = from(d, count.len() + 2);
            let bulk = line(rest)?;
            let size =
                bulk.get(1..).filter(|n| (1..=7).contains(&n.len()) && n.iter().all(u8::is_ascii_digit));
            sure(
                digits.is_some()
                    && byte(bulk, 0)? == b'$'
                    && size.is_some()
                    && is_at(d, count.len(), b"\r\n")
                    && is_at(rest, bulk.len(), b"\r\n"),
            )
        }
        b'+' => sure(answered && (d == b"+OK\r\n" || d == b"+PONG\r\n")),
        b'-' => sure(
            [&b"-ERR "[..], b"-NOAUTH ", b"-WRONGTYPE ", b"-MOVED "].iter().any(|k| d.starts_with(k))
                && (answered || on(l, 6379)),
        ),
        _ => sure(on(l, 6379) && begins(d, b"PING\r\n")),
    }
}

/// memcached, "protocol.txt": commands and answers as lines; over UDP behind eight bytes of frame header.
fn memcached(l: &Look<'_>) -> Answer {
    let mut d = l.data;
    if l.transport == Transport::Udp {
        if be2(d, 6)? != 0 || be2(d, 2)? >= be2(d, 4)? {
            return None;
        }
        d = from(d, 8);
    }
    let home = on(l, 11_211);
    let text = line(d)?;
    let mut words = text.split(|b| *b == b' ');
    let (command, key) = (words.next()?, words.next().unwrap_or_default());
    let numbers = words.clone().take(3).filter(|n| !n.is_empty() && n.iter().all(u8::is_ascii_digit)).count();
    let stored = matches!(command, b"set" | b"add" | b"replace" | b"append" | b"prepend") && numbers == 3;
    let value = command == b"VALUE" && numbers >= 2;
    let simple = matches!(command, b"get" | b"gets" | b"delete" | b"incr" | b"touch")
        && !key.is_empty()
        && key.len() <= 250;
    let alone = matches!(
        text,
        b"stats" | b"version" | b"flush_all" | b"stats items" | b"stats slabs" | b"stats settings"
    ) || d.starts_with(b"STAT pid ")
        || text.starts_with(b"STAT ") && home;
    if home {
        sure(stored || value || simple || alone)
    } else {
        sure(
            d.ends_with(b"\r\n") && (stored || value || d.starts_with(b"STAT pid "))
                || simple
                    && d.len() == text.len() + 2
                    && printable(key)
                    && words.next().is_none()
                    && matches!(command, b"get" | b"gets"),
        )
    }
}

/// CQL binary protocol section 2: version with direction, flags, stream, operation, length; the first is OPTIONS or
/// STARTUP.
fn cassandra(l: &Look<'_>) -> Answer {
    let d = l.data;
    let version = byte(d, 0)?;
    let at = if version & 0x7f <= 2 { 3 } else { 4 };
    let operation = byte(d, at)?;
    let length = be4(d, at + 1)?;
    let body = at + 5;
    let request = version & 0x80 == 0
        && match operation {
            5 => length == 0 && d.len() == body,
            1 => length >= 20 && is_at(d, body + 2, b"\0\x0bCQL_VERSION") || has(d, b"CQL_VERSION"),
            _ => false,
        };
    let answer = version & 0x80 != 0
        && match operation {
            2 => length == 0 && on(l, 9042),
            6 => has(d, b"CQL_VERSION"),
            _ => false,
        };
    sure(matches!(version & 0x7f, 1..=6) && byte(d, 1)? & 0xe0 == 0 && (request || answer))
}

/// ClickHouse native protocol: hello, then the client's name behind its length.
fn clickhouse(l: &Look<'_>) -> Answer {
    let d = l.data;
    let name = d.get(2..2 + usize::from(byte(d, 1)?))?;
    sure(byte(d, 0)? == 0 && begins(name, b"ClickHouse"))
}

/// DRDA volume 3: length, magic, format and kind, correlation, length again, code point.
fn drda(l: &Look<'_>) -> Answer {
    let d = l.data;
    let length = be2(d, 0)?;
    sure(
        byte(d, 2)? == 0xd0
            && matches!(byte(d, 3)? & 15, 1..=5)
            && length == be2(d, 6)? + 6
            && length <= d.len()
            && matches!(byte(d, 8)?, 0x10 | 0x12 | 0x14 | 0x20 | 0x22 | 0x24),
    )
}

/// Elasticsearch transport: magic, length, request number, status, version.
fn elastic(l: &Look<'_>) -> Answer {
    let d = l.data;
    sure(is_at(d, 0, b"ES") && (13..1 << 28).contains(&be4(d, 2)?) && byte(d, 14)? < 0x20 && be4(d, 15)? > 0)
}

/// Aerospike: protocol 2, kind information or message, six bytes of length.
fn aerospike(l: &Look<'_>) -> Answer {
    let d = l.data;
    sure(
        matches!((byte(d, 0)?, byte(d, 1)?), (2, 1..=4))
            && be2(d, 2)? == 0
            && be4(d, 4)? + 8 == d.len()
            && (on(l, 3000) || byte(d, 1)? == 1 && printable(from(d, 8).trim_ascii())),
    )
}

/// ZooKeeper: four-letter words, or a connect request of protocol 0 with a timeout and a password of 16 bytes.
fn zookeeper(l: &Look<'_>) -> Answer {
    let d = l.data;
    let length = be4(d, 0)?;
    let connect = matches!(length, 44 | 45)
        && length + 4 == d.len()
        && be4(d, 4)? == 0
        && be4(d, 28)? == 16
        && (1000..600_000).contains(&be4(d, 16)?);
    let word = [&b"ruok"[..], b"srvr", b"mntr", b"conf", b"envi"].contains(&d);
    sure(connect || word && on(l, 2181))
}

/// Firebird: connect, attach or create, connect version, architecture, number of protocols, path.
fn firebird(l: &Look<'_>) -> Answer {
    let d = l.data;
    sure(
        be4(d, 0)? == 1
            && matches!(be4(d, 4)?, 0x13 | 0x14 | 0)
            && matches!(be4(d, 8)?, 2 | 3)
            && matches!(be4(d, 12)?, 1 | 36)
            && be4(d, 16)? < 4096
            && (on(l, 3050) || be4(d, 4)? == 0x13),
    )
}

/// Canonical's raft library: protocol version, type, header size, each a little-endian word of eight bytes.
fn raft(l: &Look<'_>) -> Answer {
    let d = l.data;
    let word = |at: usize| (le4(d, at + 4)? == 0).then(|| le4(d, at)).flatten();
    sure(
        matches!(word(0)?, 1)
            && matches!(word(8)?, 1..=7)
            && (8..65_536).contains(&word(16)?)
            && word(16)?.is_multiple_of(8)
            && byte(d, 24)? != 0,
    )
}

/// memcached binary protocol: magic, operation, lengths that add up.
fn couchbase(l: &Look<'_>) -> Answer {
    let d = l.data;
    let body = be4(d, 8)?;
    let parts = be2(d, 2)? + usize::from(byte(d, 4)?);
    let request = byte(d, 0)? == 0x80 && byte(d, 1)? <= 0x22 && byte(d, 5)? == 0 && zero(d.get(16..24)?);
    at_home(request && parts <= body && body + 24 == d.len(), on(l, 11_210) || on(l, 11_211))
}

/// ISO 23950 section 4.1: an initialise request, whose first elements are bit strings of versions and options.
fn z3950(l: &Look<'_>) -> Answer {
    let d = l.data;
    let (at, length) = super::bytes::ber(d, 1)?;
    let reference = if byte(d, at)? == 0x82 { 2 + usize::from(byte(d, at + 1)?) } else { 0 };
    let version = at + reference;
    sure(
        matches!(byte(d, 0)?, 0xb4 | 0xb5)
            && byte(d, version)? == 0x83
            && byte(d, version + 1)? == 2
            && byte(d, version + 4)? == 0x84
            && at + length == d.len()
            && be3(d, 0).is_some(),
    )
}
