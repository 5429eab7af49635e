//! EVE JSON: one event a line, keys and formats as Suricata 8 writes them.

mod number;
mod protocol;
mod text;
mod time;

use event::{Batch, Event, Header, Key, Tape, Token, Value};
use number::{dotted, hex, mac, number, signed};
use parse::{Field, Kind};
use std::net::IpAddr;
use text::quoted;
use time::Clock;

/// Where one line stands in a block, and in the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its place in the run.
    pub key: Key,
    /// First byte.
    pub from: usize,
    /// One past the newline.
    pub to: usize,
}

/// Lines of one worker, ready to be written.
#[derive(Clone, Debug, Default)]
pub struct Block {
    /// The bytes, each line with its newline.
    pub bytes: Vec<u8>,
    /// The lines, by rising key.
    pub lines: Vec<Line>,
}

/// Turns events into lines. One a worker; remembers the last second it formatted.
#[derive(Debug, Default)]
pub struct Encoder {
    /// For each tap, what its events say of it: nothing for one without a name.
    taps: Vec<Vec<u8>>,
    /// What every event says of the sensor.
    host: Vec<u8>,
    clock: Clock,
}

impl Encoder {
    /// `taps` are the names that `in_iface` is taken from, by index; empty names are left out. `host` names the sensor.
    #[must_use]
    pub fn new(taps: Vec<String>, host: Option<String>) -> Self {
        let named = |key: &[u8], name: &str| {
            let mut text = key.to_vec();
            quoted(name.as_bytes(), &mut text);
            text
        };
        let tap = |name: &String| if name.is_empty() { Vec::new() } else { named(b",\"in_iface\":", name) };
        let host = host.map_or_else(Vec::new, |host| named(b",\"host\":", &host));
        Self { taps: taps.iter().map(tap).collect(), host, clock: Clock::default() }
    }

    /// Appends every event of a batch to a block.
    pub fn encode(&mut self, batch: &Batch, block: &mut Block) {
        for event in &batch.events {
            let from = block.bytes.len();
            self.event(event, &batch.tape, &mut block.bytes);
            block.lines.push(Line { key: event.key, from, to: block.bytes.len() });
        }
    }

    /// One `stats` event, whose body is JSON already, as a block of its own.
    pub fn stats(&mut self, nanos: u64, body: &str) -> Block {
        let mut bytes = Vec::new();
        self.header(&Header { event_type: "stats", nanos, ..Header::default() }, &mut bytes);
        bytes.extend_from_slice(b",\"stats\":");
        bytes.extend_from_slice(body.as_bytes());
        bytes.extend_from_slice(b"}\n");
        let key = Key { packet: u64::MAX, share: u16::MAX, turn: u32::MAX };
        let lines = vec![Line { key, from: 0, to: bytes.len() }];
        Block { bytes, lines }
    }

    fn event(&mut self, event: &Event, tape: &Tape, out: &mut Vec<u8>) {
        self.header(&event.header, out);
        body(tape.tokens(event.body), tape, &mut self.clock, out);
        out.extend_from_slice(b"}\n");
    }

    fn header(&mut self, h: &Header, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"timestamp\":\"");
        self.clock.write(h.nanos / 1_000, out);
        out.push(b'"');
        if let Some(id) = h.flow_id {
            pair(b",\"flow_id\":", id, out);
        }
        if let Some(tap) = self.taps.get(usize::from(h.tap)) {
            out.extend_from_slice(tap);
        }
        word(b",\"event_type\":\"", h.event_type, out);
        let (count, ids) = h.vlans;
        if count > 0 {
            vlans(ids.get(..usize::from(count)).unwrap_or_default(), out);
        }
        conversation(h, out);
        if h.packet > 0 {
            pair(b",\"pcap_cnt\":", h.packet, out);
        }
        ethernet(h, out);
        if let Some(hash) = &h.community {
            out.extend_from_slice(b",\"community_id\":\"1:");
            text::base64(hash, out);
            out.push(b'"');
        }
        out.extend_from_slice(&self.host);
        if let Some(tx) = h.tx {
            pair(b",\"tx_id\":", tx, out);
        }
        if !h.app_proto.is_empty() {
            word(b",\"app_proto\":\"", h.app_proto, out);
        }
    }
}

/// Addresses, ports, protocol.
fn conversation(h: &Header, out: &mut Vec<u8>) {
    if let Some((src, dst)) = h.addresses {
        out.extend_from_slice(b",\"src_ip\":\"");
        address(src, out);
        out.push(b'"');
        if let Some(ports) = h.ports {
            pair(b",\"src_port\":", ports.src.into(), out);
        }
        out.extend_from_slice(b",\"dest_ip\":\"");
        address(dst, out);
        out.push(b'"');
        if let Some(ports) = h.ports {
            pair(b",\"dest_port\":", ports.dst.into(), out);
        }
        if let Some(protocol) = h.protocol {
            out.extend_from_slice(b",\"proto\":\"");
            match protocol::name(protocol) {
                Some(name) => out.extend_from_slice(name.as_bytes()),
                None => number(protocol.into(), out),
            }
            out.push(b'"');
        }
        pair(b",\"ip_v\":", if src.is_ipv4() { 4 } else { 6 }, out);
    }
    if let Some((kind, code)) = h.icmp {
        pair(b",\"icmp_type\":", kind.into(), out);
        pair(b",\"icmp_code\":", code.into(), out);
    }
    if let Some((kind, code)) = h.icmp_response {
        pair(b",\"response_icmp_type\":", kind.into(), out);
        pair(b",\"response_icmp_code\":", code.into(), out);
    }
    if !h.origin.is_empty() {
        word(b",\"pkt_src\":\"", h.origin, out);
    }
}

fn ethernet(h: &Header, out: &mut Vec<u8>) {
    let Some((src, dst)) = &h.ether else { return };
    out.extend_from_slice(b",\"ether\":{\"src_mac\":\"");
    mac(src, out);
    out.extend_from_slice(b"\",\"dest_mac\":\"");
    mac(dst, out);
    out.extend_from_slice(b"\"}");
}

fn vlans(ids: &[u16], out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"vlan\":[");
    for (i, id) in ids.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        number((*id).into(), out);
    }
    out.push(b']');
}

fn pair(key: &[u8], value: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(key);
    number(value, out);
}

/// `key` ends with the opening quote.
fn word(key: &[u8], value: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(key);
    out.extend_from_slice(value.as_bytes());
    out.push(b'"');
}

fn address(ip: IpAddr, out: &mut Vec<u8>) {
    match ip {
        IpAddr::V4(v4) => dotted(v4.octets(), out),
        // Suricata writes IPv6 addresses in full, without `::`.
        IpAddr::V6(v6) => {
            for (i, part) in v6.segments().into_iter().enumerate() {
                if i > 0 {
                    out.push(b':');
                }
                hex(&part.to_be_bytes(), "", out);
            }
        }
    }
}

/// Nesting deeper than this is not written; no catalogue comes near.
const DEEPEST: usize = 16;

/// An open object or list: what closes it, and whether its members carry keys.
#[derive(Clone, Copy)]
struct Level {
    close: u8,
    keyed: bool,
}

const OBJECT: Level = Level { close: b'}', keyed: true };
const LIST: Level = Level { close: b']', keyed: false };

/// Writes tokens as members of the object that is open already.
fn body(tokens: &[Token], tape: &Tape, clock: &mut Clock, out: &mut Vec<u8>) {
    let mut outer = [OBJECT; DEEPEST];
    let mut depth = 0;
    let mut level = OBJECT;
    let mut first = false;
    for token in tokens {
        let (opening, inside) = match token.value {
            Value::Close => {
                out.push(level.close);
                depth = usize::saturating_sub(depth, 1);
                level = outer.get(depth).copied().unwrap_or(OBJECT);
                first = false;
                continue;
            }
            Value::Object | Value::Item => (b'{', OBJECT),
            Value::List => (b'[', LIST),
            plain => {
                member(token.field, level.keyed, first, out);
                value(token.field, plain, tape, clock, out);
                first = false;
                continue;
            }
        };
        member(token.field, level.keyed, first, out);
        out.push(opening);
        if let Some(place) = outer.get_mut(depth) {
            *place = level;
        }
        depth += 1;
        level = inside;
        first = true;
    }
}

/// What stands before a member's value.
#[inline]
fn member(field: &Field, keyed: bool, first: bool, out: &mut Vec<u8>) {
    let text = if keyed { field.json.as_bytes() } else { b"," };
    out.extend_from_slice(text.get(usize::from(first)..).unwrap_or_default());
}

fn value(field: &Field, value: Value, tape: &Tape, clock: &mut Clock, out: &mut Vec<u8>) {
    match value {
        Value::Text(start, len) => quoted(tape.bytes(start, len), out),
        Value::Word(word) => quoted(word.as_bytes(), out),
        Value::Number(n) => number(n, out),
        Value::Signed(n) => signed(n, out),
        Value::Null => out.extend_from_slice(b"null"),
        Value::Flag(true) => out.extend_from_slice(b"true"),
        Value::Flag(false) => out.extend_from_slice(b"false"),
        Value::Address(ip) => {
            out.push(b'"');
            address(ip, out);
            out.push(b'"');
        }
        Value::Time(micros) => {
            out.push(b'"');
            if field.kind == Kind::Second {
                clock.write_second(micros, out);
            } else {
                clock.write_signed(micros, out);
            }
            out.push(b'"');
        }
        Value::Base64(start, len) => {
            out.push(b'"');
            text::base64(tape.bytes(start, len), out);
            out.push(b'"');
        }
        Value::Hex(start, len, between) => {
            out.push(b'"');
            hex(tape.bytes(start, len), between, out);
            out.push(b'"');
        }
        Value::Object | Value::List | Value::Item | Value::Close => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::{Ports, schema::fileinfo as f, schema::flow};
    use parse::Visitor as _;

    fn line(header: Header, fill: impl FnOnce(&mut Tape)) -> String {
        let mut batch = Batch::default();
        fill(&mut batch.tape);
        batch.push(Key::default(), header, 0);
        let mut block = Block::default();
        Encoder::new(vec!["eth1".into()], None).encode(&batch, &mut block);
        assert_eq!(block.lines[0].to, block.bytes.len());
        String::from_utf8(block.bytes).expect("JSON is UTF-8")
    }

    #[test]
    fn a_flow_reads_as_suricata_writes_it() {
        let header = Header {
            event_type: "flow",
            nanos: 1_480_467_723_123_456_789,
            flow_id: Some(7),
            vlans: (2, [1, 10, 0]),
            addresses: Some(([10, 0, 0, 1].into(), [192, 0, 2, 9].into())),
            ports: Some(Ports { src: 1024, dst: 443 }),
            protocol: Some(6),
            app_proto: "tls",
            ..Header::default()
        };
        let text = line(header, |tape| {
            tape.object(&flow::FLOW);
            tape.number(&flow::PKTS_TOSERVER, 3);
            tape.time(&flow::START, 1_480_467_723_000_001);
            tape.close();
        });
        let expected = concat!(
            r#"{"timestamp":"2016-11-30T01:02:03.123456+0000","flow_id":7,"in_iface":"eth1","event_type":"flow","#,
            r#""vlan":[1,10],"src_ip":"10.0.0.1","src_port":1024,"dest_ip":"192.0.2.9","dest_port":443,"#,
            r#""proto":"TCP","ip_v":4,"app_proto":"tls","#,
            r#""flow":{"pkts_toserver":3,"start":"2016-11-30T01:02:03.000001+0000"}}"#,
            "\n"
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn lists_items_and_bytes_of_any_kind_are_valid_json() {
        static LIST: parse::Field =
            parse::Field { path: "x", json: ",\"x\":", kind: parse::Kind::List, element: None, text: "" };
        let text = line(Header { event_type: "t", ..Header::default() }, |tape| {
            tape.list(&LIST);
            tape.item();
            tape.text(&f::FILENAME, b"a\"\\\x01\xff\xc3\xa9");
            tape.close();
            tape.item();
            tape.hex(&f::MD5, &[0xab, 0x01], ":");
            tape.close();
            tape.text(&LIST, b"bare");
            tape.close();
            tape.base64(&LIST, &[0xff, 0x00]);
            tape.flag(&f::GAPS, true);
        });
        let end =
            r#"[{"filename":"a\"\\\u0001\\xff\\xc3\\xa9"},{"md5":"ab:01"},"bare"],"x":"/wA=","gaps":true}"#;
        assert!(text.trim_end().ends_with(end), "{text}");
    }
}
