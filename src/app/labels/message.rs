//! Messages between programs: brokers and remote calls.

use super::bytes::{be2, be4, begins, byte, from, has, is_at, le2, le4, line, on, printable, zero};
use super::{Answer, TCP, TCP_UDP, UDP, at_home, labels, sure, tcp, udp};
use parse::Look;

labels! { Message;
    "mqtt", "MQTT", ["MQTT"], TCP, [tcp(1883)], mqtt, b"\x10\x10\0\x04MQTT\x04\x02\0\x3c\0\x04test";
    "mqtt-sn", "MQTT for sensor networks", [], UDP, [udp(1884), udp(10_000)], |l: &Look<'_>| sure(usize::from(byte(l.data, 0)?) == l.data.len() && byte(l.data, 1)? == 4 && byte(l.data, 3)? == 1 && l.data.len() >= 7 && printable(from(l.data, 6))), b"\x0a\x04\x04\x01\0\x3ctest";
    "amqp", "Advanced Message Queuing Protocol", ["AMQP"], TCP, [tcp(5672)], amqp, b"AMQP\0\0\x09\x01";
    "kafka", "Apache Kafka", ["Kafka"], TCP, [tcp(9092)], kafka, b"\0\0\0\x15\0\x12\0\x03\0\0\0\x01\0\x04test\0\x01\x02a\x02\x31\0";
    "nats", "NATS", ["Nats"], TCP, [tcp(4222)], nats, b"INFO {\"server_id\":\"abc\",\"version\":\"2.9\"}\r\n";
    "stomp", "STOMP", ["STOMP"], TCP, [tcp(61_613)], stomp, b"CONNECT\naccept-version:1.2\nhost:a\n\n\0";
    "zeromq", "ZeroMQ message transport", ["ZeroMQ"], TCP, [tcp(5555)], zmtp, b"\xff\0\0\0\0\0\0\0\0\x7f\x03\0NULL\0\0\0\0\0\0";
    "openwire", "ActiveMQ OpenWire", ["OpenWire"], TCP, [tcp(61_616)], |l: &Look<'_>| sure(is_at(l.data, 4, b"\x01ActiveMQ\0\0\0") && be4(l.data, 0)? >= 13), b"\0\0\0\xf0\x01ActiveMQ\0\0\0\x0c\x01";
    "gearman", "Gearman", ["Gearman"], TCP, [tcp(4730)], |l: &Look<'_>| sure((l.data.starts_with(b"\0REQ") || l.data.starts_with(b"\0RES")) && be4(l.data, 4)? <= 64), b"\0REQ\0\0\0\x01\0\0\0\x04test";
    "nsq", "NSQ", [], TCP, [tcp(4150)], |l: &Look<'_>| sure(l.data.starts_with(b"  V2") || l.data.starts_with(b"  V1")), b"  V2IDENTIFY\n";
    "nanomsg", "Scalability protocols (nanomsg)", [], TCP, [], |l: &Look<'_>| sure(is_at(l.data, 0, b"\0SP\0") && be2(l.data, 6)? == 0 && l.data.len() == 8), b"\0SP\0\0\x10\0\0";
    "pulsar", "Apache Pulsar", [], TCP, [tcp(6650)], pulsar, b"\0\0\0\x17\0\0\0\x13\x08\x02\x12\x0d\x0a\x05\x32\x2e\x31\x30\x2e\x20\x13\x2a\x04none";
    "thrift", "Apache Thrift", ["Thrift"], TCP_UDP, [tcp(9090), udp(6831), udp(6832)], thrift, b"\x80\x01\0\x01\0\0\0\x04ping\0\0\0\x01\0";
    "giop", "CORBA GIOP", ["Corba"], TCP, [tcp(2809)], |l: &Look<'_>| sure(l.data.starts_with(b"GIOP\x01") && byte(l.data, 5)? <= 3 && byte(l.data, 7)? <= 7), b"GIOP\x01\0\x01\0\x24\0\0\0";
    "rtps", "Real-Time Publish-Subscribe (DDS)", ["RTPS"], TCP_UDP, [udp(7400)], |l: &Look<'_>| sure((l.data.starts_with(b"RTPS") || l.data.starts_with(b"RTPX")) && matches!(byte(l.data, 4)?, 1 | 2) && l.data.len() >= 20), b"RTPS\x02\x02\x01\x03\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c";
    "fix", "Financial Information Exchange", ["FIX"], TCP, [], |l: &Look<'_>| sure(l.data.starts_with(b"8=FIX") && has(l.data.get(..24).unwrap_or(l.data), b"\x019=")), b"8=FIX.4.4\x019=63\x0135=A\x01";
    "hl7", "HL7 minimal lower layer", ["HL7"], TCP, [tcp(2575)], |l: &Look<'_>| sure(l.data.starts_with(b"\x0bMSH|") || l.data.starts_with(b"\x0bFHS|") || l.data.starts_with(b"\x0bBHS|")), b"\x0bMSH|^~\\&|A|B|C|D|20200101||ACK|1|P|2.3\r\x1c\r";
    "dicom", "DICOM upper layer", [], TCP, [tcp(104), tcp(11_112)], dicom, &super::bytes::pad::<84>(b"\x01\0\0\0\0\x4e\0\x01\0\0ANY-SCP         STORESCU        ");
    "smpp", "Short Message Peer-to-Peer", ["SMPP"], TCP, [tcp(2775)], smpp, b"\0\0\0\x10\0\0\0\x15\0\0\0\0\0\0\0\x01";
    "json-rpc", "JSON-RPC", ["JSON-RPC"], TCP, [], |l: &Look<'_>| sure(matches!(byte(l.data, 0)?, b'{' | b'[') && has(l.data, b"\"jsonrpc\"") && has(l.data, b"\"2.0\"")), b"{\"jsonrpc\":\"2.0\",\"method\":\"a\",\"id\":1}";
    "tibco-rv", "TIBCO Rendezvous", [], TCP_UDP, [tcp(7500), udp(7500)], |l: &Look<'_>| sure(be4(l.data, 4)? == 0x9955_eeaa && be4(l.data, 0)? <= 1 << 24), b"\0\0\0\x40\x99\x55\xee\xaa\x06mtype\0";
    "tcpros", "Robot Operating System", [], TCP, [], ros, b"\x3c\0\0\0\x12\0\0\0callerid=/listener\x0e\0\0\0topic=/chatter";
    "ignite", "Ignite thin client", [], TCP, [tcp(10_800)], |l: &Look<'_>| sure(on(l, 10_800) && le4(l.data, 0)? + 4 == l.data.len() && byte(l.data, 4)? == 1 && le2(l.data, 5)? == 1 && byte(l.data, 11)? == 2), b"\x08\0\0\0\x01\x01\0\x07\0\0\0\x02";
}

/// MQTT 3.1.1 and 5.0 section 3.1: CONNECT, remaining length, protocol name and level.
fn mqtt(l: &Look<'_>) -> Answer {
    let d = l.data;
    let at = 1 + from(d, 1).iter().take(4).position(|b| *b < 0x80)? + 1;
    let name = is_at(d, at, b"\0\x04MQTT") && matches!(byte(d, at + 6)?, 4 | 5)
        || is_at(d, at, b"\0\x06MQIsdp") && byte(d, at + 8)? == 3;
    sure(byte(d, 0)? == 0x10 && name)
}

/// AMQP 0-9-1 section 4.2.2 and 1.0 section 2.2: the header, or a method frame with its end mark.
fn amqp(l: &Look<'_>) -> Answer {
    let d = l.data;
    if d.starts_with(b"AMQP") {
        return sure(matches!(byte(d, 4)?, 0..=3) && byte(d, 5)? <= 1);
    }
    let length = be4(d, 3)?;
    sure(
        byte(d, 0)? == 1
            && length >= 4
            && matches!(be2(d, 7)?, 10 | 20 | 30 | 40 | 50 | 60 | 85 | 90)
            && be2(d, 9)? <= 120
            && byte(d, length.checked_add(7)?)? == 0xce,
    )
}

/// Kafka protocol guide, "Request Header": length, key, version, correlation, client's name; or the answer to that.
fn kafka(l: &Look<'_>) -> Answer {
    let d = l.data;
    let length = be4(d, 0)?;
    let whole = length + 4 == d.len() || length > d.len() && length < 1 << 20 && on(l, 9092);
    let name =
        be2(d, 12).filter(|n| (1..=249).contains(n)).and_then(|n| d.get(14..14 + n)).is_some_and(printable);
    let request = be2(d, 4)? <= 92 && be2(d, 6)? <= 20 && name && be4(d, 8)? < 1 << 31;
    let asked = be4(l.other, 0).is_some_and(|n| n >= 10)
        && be2(l.other, 4).is_some_and(|k| k <= 92)
        && be4(l.other, 8) == be4(d, 4);
    sure(whole && (request || asked && length >= 4 && on(l, 9092)))
}

/// NATS client protocol: both sides begin with a word and JSON.
fn nats(l: &Look<'_>) -> Answer {
    let d = l.data;
    sure(
        begins(d, b"INFO {\"") && has(d, b"\"server_id\"")
            || begins(d, b"CONNECT {\"") && has(d, b"\"verbose\""),
    )
}

/// STOMP 1.2: a command on its own line, then headers.
fn stomp(l: &Look<'_>) -> Answer {
    let d = l.data;
    let command = line(d)?;
    let header = line(from(d, command.len() + 1).trim_ascii_start())?;
    sure(
        matches!(command, b"CONNECT" | b"STOMP" | b"CONNECTED")
            && (header.contains(&b':') || header.is_empty()),
    )
}

/// ZMTP 2.0 and 3.x section "Greeting": signature, then version and mechanism.
fn zmtp(l: &Look<'_>) -> Answer {
    let d = l.data;
    let signature = byte(d, 0)? == 0xff && zero(d.get(1..8)?) && byte(d, 9)? == 0x7f;
    sure(signature && byte(d, 10).is_none_or(|v| matches!(v, 0 | 1 | 3)))
}

/// Pulsar binary protocol: total size, command size, and a connect command of protobuf.
fn pulsar(l: &Look<'_>) -> Answer {
    let d = l.data;
    sure(
        be4(d, 0)? + 4 == d.len()
            && be4(d, 4)? + 8 <= d.len()
            && matches!(d.get(8..11)?, [8, 2, 0x12] | [8, 3, 0x1a]),
    )
}

/// Thrift binary protocol: strict version, message type, name; perhaps behind a frame's length; compact over UDP.
fn thrift(l: &Look<'_>) -> Answer {
    let mut d = l.data;
    if be4(d, 0)? + 4 == d.len() {
        d = from(d, 4);
    }
    if byte(d, 0)? == 0x82 {
        let kind = byte(d, 1)? & 0x1f == 1 && matches!(byte(d, 1)? >> 5, 1..=4);
        let at = 2 + from(d, 2).iter().take(5).position(|b| *b < 0x80)? + 1;
        let size = usize::from(byte(d, at)?);
        return sure(
            kind && (3..64).contains(&size)
                && d.get(at + 1..at + 1 + size)
                    .is_some_and(|n| n.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_')),
        );
    }
    let size = be4(d, 4)?;
    let name = (1..128).contains(&size).then(|| d.get(8..8 + size)).flatten()?;
    sure(
        is_at(d, 0, b"\x80\x01\0")
            && matches!(byte(d, 3)?, 1..=4)
            && name.iter().all(|b| b.is_ascii_alphanumeric() || b"_.:".contains(b)),
    )
}

/// DICOM PS3.8 section 9.3.2: associate request or accept, length, version 1, titles of sixteen characters.
fn dicom(l: &Look<'_>) -> Answer {
    let d = l.data;
    let titles = d.get(10..42)?;
    sure(
        matches!(byte(d, 0)?, 1 | 2)
            && byte(d, 1)? == 0
            && be2(d, 6)? & 1 == 1
            && be2(d, 8)? == 0
            && printable(titles)
            && (68..1 << 17).contains(&be4(d, 2)?),
    )
}

/// SMPP 3.4 section 3.2: length, command, status, sequence; the length is the whole unit's.
fn smpp(l: &Look<'_>) -> Answer {
    let d = l.data;
    let length = be4(d, 0)?;
    let command = be4(d, 4)? & 0x7fff_ffff;
    let known = matches!(command, 0..=9 | 0x0b | 0x15 | 0x21 | 0x102 | 0x103);
    let request = be4(d, 4)? & 0x8000_0000 == 0;
    let status = be4(d, 8)? <= 0x4ff && (!request || be4(d, 8)? == 0);
    let next = from(d, length);
    sure(
        (16..4096).contains(&length)
            && length <= d.len()
            && known
            && status
            && (1..0x8000_0000).contains(&be4(d, 12)?)
            && (next.is_empty() || be4(next, 0)? >= 16 && be4(next, 0)? < 4096),
    )
}

/// ROS, "TCPROS": a length, then fields of length, name and value.
fn ros(l: &Look<'_>) -> Answer {
    let d = l.data;
    let field = d.get(8..8 + le4(d, 4).filter(|n| *n < 512)?)?;
    at_home(le4(d, 0)? >= le4(d, 4)? + 4 && begins(field, b"callerid=/"), true)
}
