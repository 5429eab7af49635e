//! Events that belong to no protocol: flow, netflow, anomaly, arp, fileinfo.

use crate::bypass::Amount;
use crate::files::Finished;
use crate::out::{EventTypes, Out, Place};
use crate::share::Attached;
use crate::who::Who;
use app::Label;
use decode::{Arp, Packet, tcp_flags};
use event::schema::{anomaly, arp, fileinfo as file, flow as f};
use event::{Header, Ports, Tape};
use flow::{End, Flow};
use parse::{Field, FileEnd, Side, Visitor as _};
use std::net::Ipv4Addr;

/// Names that Suricata gives as `app_proto`; for others EVE says `failed` and our own name stands in `app`.
const EVE_PROTOCOLS: &[&str] = &[
    "http",
    "http2",
    "doh2",
    "tls",
    "quic",
    "dns",
    "mdns",
    "ftp",
    "ftp-data",
    "tftp",
    "smtp",
    "pop3",
    "imap",
    "irc",
    "jabber",
    "telnet",
    "ssh",
    "rfb",
    "rdp",
    "smb",
    "dcerpc",
    "nfs",
    "krb5",
    "ldap",
    "snmp",
    "ntp",
    "dhcp",
    "ike",
    "sip",
    "mqtt",
    "websocket",
    "bittorrent-dht",
    "pgsql",
    "modbus",
    "dnp3",
    "enip",
];

const UDP: u8 = 17;

/// How often each anomaly was seen.
#[derive(Clone, Debug, Default)]
pub struct AnomalyCounts(Vec<(&'static str, u64)>);

impl AnomalyCounts {
    /// Counts one.
    pub fn count(&mut self, name: &'static str) {
        match self.0.iter_mut().find(|(n, _)| std::ptr::eq(*n, name) || *n == name) {
            Some((_, count)) => *count += 1,
            None => self.0.push((name, 1)),
        }
    }

    /// Every anomaly seen and how often.
    #[must_use]
    pub fn seen(&self) -> &[(&'static str, u64)] {
        &self.0
    }

    /// Adds another worker's.
    pub fn add(&mut self, other: &Self) {
        for (name, n) in &other.0 {
            match self.0.iter_mut().find(|(mine, _)| mine == name) {
                Some((_, count)) => *count += n,
                None => self.0.push((name, *n)),
            }
        }
    }
}

/// What EVE calls the application protocol of a flow.
fn eve_name(flow: &Flow<Attached>) -> &'static str {
    let label = flow.a.app.label();
    match label.protocol {
        // Suricata names no protocol for streams that it does not read; ours stands in `app`.
        _ if label.glimpsed => "",
        _ if label.lost => "failed",
        Some(p) if label.confidence != Some(app::Confidence::Port) && EVE_PROTOCOLS.contains(&p.name) => {
            p.name
        }
        // It has looked and found nothing: at any datagram, at both sides of a connection.
        _ if flow.key.protocol == UDP || flow.tcp.data_both_ways() => "failed",
        _ => "",
    }
}

/// Writes the flow's records.
pub(crate) fn flow(flow: &Flow<Attached>, why: End, types: &EventTypes, place: &mut Place, out: &mut Out) {
    let who = Who::of(flow, types);
    if types.flow {
        let from = out.batch.tape.mark();
        flow_fields(&mut out.batch.tape, flow, why);
        let mut header = who.flow_header("flow", Side::ToServer, place);
        header.app_proto = eve_name(flow);
        out.push(place.next(), header, from);
    }
    if types.netflow {
        for side in Side::BOTH {
            netflow(flow, side, &who, place, out);
        }
    }
}

fn netflow(flow: &Flow<Attached>, side: Side, who: &Who, place: &mut Place, out: &mut Out) {
    let [packets, bytes] = [flow.packets, flow.bytes].map(|pair| of(&pair, side));
    if packets == 0 {
        return;
    }
    let from = out.batch.tape.mark();
    let tape = &mut out.batch.tape;
    tape.object(&f::NETFLOW);
    tape.number(&f::PKTS, packets);
    tape.number(&f::BYTES, bytes);
    tape.time(&f::NETFLOW_START, micros(flow.first.time.nanos()));
    tape.time(&f::NETFLOW_END, micros(flow.last.time.nanos()));
    tape.number(&f::NETFLOW_AGE, age(flow));
    let ttl = flow.ttl.get(side.index()).copied().unwrap_or_default();
    tape.number(&f::MIN_TTL, ttl.min.into());
    tape.number(&f::MAX_TTL, ttl.max.into());
    tape.number(&f::NETFLOW_TX_CNT, flow.a.app.transactions());
    tape.close();
    let mut header = who.flow_header("netflow", side, place);
    header.app_proto = eve_name(flow);
    if flow.key.protocol == 6 {
        tcp_flags_fields(tape, flow.peer(flow_side(side)).flags);
    }
    out.push(place.next(), header, from);
}

fn flow_fields(tape: &mut Tape, flow: &Flow<Attached>, why: End) {
    let label = flow.a.app.label();
    side_names(tape, label);
    if let Some(original) = label.original {
        tape.word(&f::APP_PROTO_ORIG, original.name);
    }
    if let Some(spi) = flow.key.spi() {
        tape.number(&f::SPI, spi.into());
    }
    tape.object(&f::FLOW);
    let ([pkts_ts, pkts_tc], [bytes_ts, bytes_tc]) = (flow.packets, flow.bytes);
    tape.number(&f::PKTS_TOSERVER, pkts_ts);
    tape.number(&f::PKTS_TOCLIENT, pkts_tc);
    tape.number(&f::BYTES_TOSERVER, bytes_ts);
    tape.number(&f::BYTES_TOCLIENT, bytes_tc);
    tape.time(&f::START, micros(flow.first.time.nanos()));
    tape.time(&f::END, micros(flow.last.time.nanos()));
    tape.number(&f::AGE, age(flow));
    bypass_fields(tape, flow);
    tape.word(&f::STATE, flow.phase.name());
    tape.word(&f::REASON, reason(why));
    tape.flag(&f::ALERTED, false);
    if flow.a.app.transactions() > 0 {
        tape.number(&f::TX_CNT, flow.a.app.transactions());
    }
    tape.close();
    if flow.key.protocol == 6 {
        tcp_fields(tape, flow);
    }
    app_fields(tape, label);
}

/// What a side speaks that does not begin as the flow's protocol does.
fn side_names(tape: &mut Tape, label: &Label) {
    for (side, field) in [(Side::ToServer, &f::APP_PROTO_TS), (Side::ToClient, &f::APP_PROTO_TC)] {
        if let Some(name) = label.heard(side).name() {
            tape.word(field, name);
        }
    }
}

/// Nothing for a flow that was looked at to its end.
fn bypass_fields(tape: &mut Tape, flow: &Flow<Attached>) {
    let Some(bypassed) = &flow.a.bypassed else { return };
    tape.word(&f::BYPASS, if bypassed.captured { "capture" } else { "local" });
    tape.object(&f::BYPASSED);
    amount_fields(tape, &bypassed.capture);
    tape.object(&f::BYPASSED_LOCAL);
    amount_fields(tape, &bypassed.local);
    tape.close();
    tape.word(&f::BYPASSED_REASON, bypassed.reason.name());
    tape.close();
}

fn amount_fields(tape: &mut Tape, amount: &Amount) {
    let ([pkts_ts, pkts_tc], [bytes_ts, bytes_tc]) = (amount.packets, amount.bytes);
    tape.number(&f::BYPASSED_PKTS_TOSERVER, pkts_ts);
    tape.number(&f::BYPASSED_PKTS_TOCLIENT, pkts_tc);
    tape.number(&f::BYPASSED_BYTES_TOSERVER, bytes_ts);
    tape.number(&f::BYPASSED_BYTES_TOCLIENT, bytes_tc);
}

/// Every flow says what it is, if only that nobody knows.
fn app_fields(tape: &mut Tape, label: &Label) {
    let word = |tape: &mut Tape, field, value: Option<&'static str>| match value {
        Some(value) => tape.word(field, value),
        None => tape.none(field),
    };
    let category = label.service.map(|s| s.category).or(label.protocol.map(|p| p.category));
    tape.object(&f::APP);
    word(tape, &f::APP_PROTOCOL, label.protocol.map(|p| p.name));
    word(tape, &f::APP_SERVICE, label.service.map(|s| s.name));
    word(tape, &f::APP_CATEGORY, category.map(parse::Category::name));
    word(tape, &f::APP_CONFIDENCE, label.confidence.map(app::Confidence::name));
    tape.close();
}

fn tcp_fields(tape: &mut Tape, flow: &Flow<Attached>) {
    let (ts, tc) = (flow.peer(flow::Side::ToServer), flow.peer(flow::Side::ToClient));
    tape.object(&f::TCP);
    let mut digits = [0; 2];
    tape.text(&f::TCP_FLAGS, hex(ts.flags | tc.flags, &mut digits));
    tape.text(&f::TCP_FLAGS_TS, hex(ts.flags, &mut digits));
    tape.text(&f::TCP_FLAGS_TC, hex(tc.flags, &mut digits));
    flag_names(tape, ts.flags | tc.flags);
    if let Some(state) = flow.tcp.state.name() {
        tape.word(&f::TCP_STATE, state);
    }
    if ts.gap() {
        tape.flag(&f::TS_GAP, true);
    }
    if tc.gap() {
        tape.flag(&f::TC_GAP, true);
    }
    tape.number(&f::TS_MAX_REGIONS, ts.max_regions.into());
    tape.number(&f::TC_MAX_REGIONS, tc.max_regions.into());
    if ts.urgent > 0 {
        tape.number(&f::TS_URGENT, ts.urgent.into());
    }
    if tc.urgent > 0 {
        tape.number(&f::TC_URGENT, tc.urgent.into());
    }
    tape.close();
}

fn tcp_flags_fields(tape: &mut Tape, flags: u8) {
    let mut digits = [0; 2];
    tape.object(&f::TCP);
    tape.text(&f::TCP_FLAGS, hex(flags, &mut digits));
    flag_names(tape, flags);
    tape.close();
}

fn flag_names(tape: &mut Tape, flags: u8) {
    let named = [
        (tcp_flags::SYN, &f::SYN),
        (tcp_flags::FIN, &f::FIN),
        (tcp_flags::RST, &f::RST),
        (tcp_flags::PSH, &f::PSH),
        (tcp_flags::ACK, &f::ACK),
        (tcp_flags::URG, &f::URG),
        (tcp_flags::ECE, &f::ECN),
        (tcp_flags::CWR, &f::CWR),
    ];
    for (bit, field) in named {
        if flags & bit != 0 {
            tape.flag(field, true);
        }
    }
}

fn hex(value: u8, digits: &mut [u8; 2]) -> &[u8] {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    let at = |n: u8| DIGITS.get(usize::from(n & 15)).copied().unwrap_or(b'0');
    *digits = [at(value >> 4), at(value)];
    digits
}

/// EVE's words for why a flow ended.
fn reason(why: End) -> &'static str {
    match why {
        End::Timeout => "timeout",
        End::Forced => "shutdown",
        End::Evicted | End::Reused => "forced",
        End::Closed => "timeout",
    }
}

fn age(flow: &Flow<Attached>) -> u64 {
    flow.last.time.seconds().saturating_sub(flow.first.time.seconds())
}

fn flow_side(side: Side) -> flow::Side {
    match side {
        Side::ToServer => flow::Side::ToServer,
        Side::ToClient => flow::Side::ToClient,
    }
}

fn of<T: Copy + Default>(pair: &[T; 2], side: Side) -> T {
    pair.get(side.index()).copied().unwrap_or_default()
}

fn micros(nanos: u64) -> i64 {
    i64::try_from(nanos / 1_000).unwrap_or(i64::MAX)
}

/// Writes a `fileinfo` object.
pub(crate) fn fileinfo(tape: &mut Tape, tx: u64, done: &Finished) {
    let hashes = &done.hashes;
    let found = &done.file;
    tape.object(&file::FILEINFO);
    tape.text(&file::FILENAME, &found.name);
    tape.flag(&file::GAPS, found.gaps);
    let state = match done.end {
        FileEnd::Closed => "CLOSED",
        FileEnd::Truncated => "TRUNCATED",
        FileEnd::Error => "ERROR",
    };
    tape.word(&file::STATE, state);
    if let Some(md5) = hashes.md5 {
        tape.hex(&file::MD5, &md5, "");
    }
    if let Some(sha1) = hashes.sha1 {
        tape.hex(&file::SHA1, &sha1, "");
    }
    if let Some(sha256) = hashes.sha256 {
        tape.hex(&file::SHA256, &sha256, "");
    }
    tape.flag(&file::STORED, done.kept.is_some());
    if let Some(id) = done.kept {
        tape.number(&file::FILE_ID, id);
    }
    tape.number(&file::SIZE, found.size);
    tape.number(&file::TX_ID, tx);
    if let Some((start, end, _)) = found.range {
        tape.number(&file::START, start);
        tape.number(&file::END, end);
    }
    tape.close();
}

/// Writes an `arp` event.
pub(crate) fn arp(message: &Arp, packet: &Packet, place: &mut Place, out: &mut Out) {
    let from = out.batch.tape.mark();
    let tape = &mut out.batch.tape;
    tape.object(&arp::ARP);
    tape.word(&arp::HW_TYPE, "ethernet");
    tape.word(&arp::PROTO_TYPE, "ipv4");
    tape.word(&arp::OPCODE, arp_operation(message.operation));
    tape.hex(&arp::SRC_MAC, &message.sender_mac, ":");
    tape.address(&arp::SRC_IP, Ipv4Addr::from(message.sender_ip).into());
    tape.hex(&arp::DEST_MAC, &message.target_mac, ":");
    tape.address(&arp::DEST_IP, Ipv4Addr::from(message.target_ip).into());
    tape.close();
    let header = packet_header("arp", packet, place);
    out.push(place.next(), header, from);
}

fn arp_operation(operation: u16) -> &'static str {
    match operation {
        1 => "request",
        2 => "reply",
        3 => "request_reverse",
        4 => "reply_reverse",
        8 => "inarp_request",
        9 => "inarp_reply",
        _ => "unknown",
    }
}

/// The header of an event of a packet that has no flow.
pub(crate) fn packet_header(event_type: &'static str, packet: &Packet, place: &Place) -> Header {
    let ip = if let decode::Network::Ip(ip) = packet.network { Some(ip) } else { None };
    let ports = match packet.transport {
        decode::Transport::Tcp(t) => Some(Ports { src: t.src_port, dst: t.dst_port }),
        decode::Transport::Udp(src, dst) | decode::Transport::Sctp(src, dst) => Some(Ports { src, dst }),
        _ => None,
    };
    let icmp = match packet.transport {
        decode::Transport::Icmp { kind, code, .. } => Some((kind, code)),
        _ => None,
    };
    Header {
        event_type,
        icmp,
        nanos: place.nanos,
        packet: place.packet,
        tap: place.tap,
        vlans: (packet.vlans.count, packet.vlans.ids),
        tenant: packet.tenant,
        addresses: ip.map(|ip| (ip.src.to_ip(ip.version), ip.dst.to_ip(ip.version))),
        ports,
        protocol: ip.map(|ip| ip.protocol),
        origin: place.origin,
        ..Header::default()
    }
}

/// Protocols whose anomalies EVE names in capitals; those of the others are in lower case.
const CAPITALS: &[&str] = &["http", "tls", "dtls", "smtp"];
/// Longest name of an anomaly.
const LONGEST: usize = 96;

/// Writes an application anomaly's name as EVE spells it.
pub(crate) fn anomaly_name(tape: &mut Tape, field: &'static Field, app_proto: &str, name: &'static str) {
    let mut lower = [0; LONGEST];
    match lower.get_mut(..name.len()) {
        Some(lower) if !CAPITALS.contains(&app_proto) => {
            lower.copy_from_slice(name.as_bytes());
            lower.make_ascii_lowercase();
            tape.text(field, lower);
        }
        _ => tape.word(field, name),
    }
}

/// Writes an `anomaly` of decoding or of a stream.
pub(crate) fn anomaly(
    kind: &'static str,
    event: &'static str,
    header: Header,
    place: &mut Place,
    out: &mut Out,
) {
    let from = out.batch.tape.mark();
    let tape = &mut out.batch.tape;
    tape.object(&anomaly::ANOMALY);
    tape.word(&anomaly::KIND, kind);
    tape.word(&anomaly::EVENT, event);
    tape.close();
    out.push_kind(place.next(), header, kind, from);
}
