//! What tests see with: a sink that writes everything down, and a visitor that writes JSON.

use parse::{
    Anomaly, Buffer, Field, FileEvent, Frame, Input, Look, Parser, Piece, Record, Side, Sink, Step,
    Transaction, Transport, Visitor,
};
use std::net::IpAddr;

/// Writes fields as one JSON text.
#[derive(Default)]
pub(crate) struct Json {
    pub(crate) text: String,
    /// What closes each level, and whether it is a list.
    open: Vec<char>,
}

impl Json {
    fn lead(&mut self, field: &'static Field) {
        if !self.text.ends_with(['{', '[']) && !self.text.is_empty() {
            self.text.push(',');
        }
        if self.open.last() != Some(&']') {
            self.text.push_str(field.json.trim_start_matches(','));
        }
    }

    fn raw(&mut self, field: &'static Field, value: &str) {
        self.lead(field);
        self.text.push_str(value);
    }
}

impl Visitor for Json {
    fn object(&mut self, field: &'static Field) {
        self.lead(field);
        self.text.push('{');
        self.open.push('}');
    }
    fn list(&mut self, field: &'static Field) {
        self.lead(field);
        self.text.push('[');
        self.open.push(']');
    }
    fn item(&mut self) {
        assert_eq!(self.open.last(), Some(&']'), "items stand in lists");
        if !self.text.ends_with('[') {
            self.text.push(',');
        }
        self.text.push('{');
        self.open.push('}');
    }
    fn close(&mut self) {
        let end = self.open.pop().expect("nothing is open");
        self.text.push(end);
    }
    fn text(&mut self, field: &'static Field, value: &[u8]) {
        self.raw(field, &format!("\"{}\"", value.escape_ascii()));
    }
    fn word(&mut self, field: &'static Field, value: &'static str) {
        self.raw(field, &format!("\"{value}\""));
    }
    fn number(&mut self, field: &'static Field, value: u64) {
        self.raw(field, &value.to_string());
    }
    fn signed(&mut self, field: &'static Field, value: i64) {
        self.raw(field, &value.to_string());
    }
    fn flag(&mut self, field: &'static Field, value: bool) {
        self.raw(field, &value.to_string());
    }
    fn address(&mut self, field: &'static Field, value: IpAddr) {
        self.raw(field, &format!("\"{value}\""));
    }
    fn time(&mut self, field: &'static Field, micros: i64) {
        self.raw(field, &micros.to_string());
    }
    fn hex(&mut self, field: &'static Field, value: &[u8], separator: &'static str) {
        let hex: Vec<String> = value.iter().map(|b| format!("{b:02x}")).collect();
        self.raw(field, &format!("\"{}\"", hex.join(separator)));
    }
}

/// Everything that a parser told.
#[derive(Default, Debug, PartialEq, Eq)]
pub(crate) struct Witness {
    /// One line a record: event type, side, fields.
    pub(crate) records: Vec<String>,
    pub(crate) anomalies: Vec<(&'static str, Option<u64>)>,
    pub(crate) frames: Vec<(u64, Option<u64>, Option<u64>)>,
    pub(crate) hosts: Vec<String>,
    pub(crate) progress: Vec<(u64, Side, u8)>,
    /// Buffers that tests asked for, as each transaction showed them when it made progress.
    pub(crate) buffers: Vec<String>,
    pub(crate) exports: Vec<String>,
    ask: Vec<&'static Buffer>,
}

impl Witness {
    /// One that reads these buffers of every transaction.
    pub(crate) fn reading(ask: &[&'static Buffer]) -> Self {
        Self { ask: ask.to_vec(), ..Self::default() }
    }
}

impl Sink for Witness {
    fn progress(&mut self, tx: &dyn Transaction, side: Side, phase: u8) {
        self.progress.push((tx.id(), side, phase));
        for buffer in &self.ask {
            let values: Vec<String> = (0..)
                .map_while(|i| tx.buffer(buffer, side, i))
                .map(|b| b.escape_ascii().to_string())
                .collect();
            self.buffers.push(format!("{}={}", buffer.name, values.join("|")));
        }
        let mut export = Json::default();
        tx.elements(&mut export);
        self.exports.push(export.text);
    }
    fn stream(&mut self, _: &dyn Transaction, _: &'static Buffer, _: Piece<'_>) {}
    fn frame(&mut self, frame: Frame) {
        self.frames.push((frame.offset, frame.len, frame.tx));
    }
    fn file(&mut self, _: &dyn Transaction, _: Side, _: FileEvent<'_>) {}
    fn anomaly(&mut self, tx: Option<&dyn Transaction>, _: Side, what: &'static Anomaly) {
        self.anomalies.push((what.name, tx.map(Transaction::id)));
    }
    fn record(&mut self, tx: &dyn Transaction, side: Side, record: &'static Record) {
        let mut json = Json::default();
        tx.fields(&mut json);
        assert!(json.open.is_empty(), "everything that was opened is closed");
        self.records.push(format!("{} {side:?} {}", record.event_type, json.text));
    }
    fn host(&mut self, name: &[u8]) {
        self.hosts.push(name.escape_ascii().to_string());
    }
}

/// Feeds one datagram.
pub(crate) fn datagram(parser: &mut dyn Parser, side: Side, data: &[u8], to: &mut Witness) -> Step {
    parser.feed(Input { side, data, offset: 0, micros: 0, last: false }, to)
}

/// Feeds a stream cut at `cuts`, keeping what the parser leaves, as the worker does.
pub(crate) fn stream(
    parser: &mut dyn Parser,
    side: Side,
    data: &[u8],
    cuts: &[usize],
    to: &mut Witness,
) -> Step {
    let (mut done, mut want, mut step) = (0, 0, Step::All);
    for &cut in cuts.iter().chain(&[data.len()]) {
        let seen = &data[done..cut];
        if seen.len() < want || seen.is_empty() {
            continue;
        }
        step = parser.feed(Input { side, data: seen, offset: done as u64, micros: 0, last: false }, to);
        match step {
            Step::All => (done, want) = (cut, 0),
            Step::Wait { eaten, want: wanted } => {
                assert!(wanted > seen.len() - eaten, "waits for more than there is");
                (done, want) = (done + eaten, wanted);
            }
            _ => return step,
        }
    }
    step
}

/// A look at the first bytes of one side.
pub(crate) fn look(side: Side, data: &[u8], client_port: u16, server_port: u16) -> Look<'_> {
    Look {
        side,
        data,
        other: &[],
        transport: Transport::Udp,
        client_port,
        server_port,
        packets: 1,
        midstream: false,
    }
}

/// A query for an address of one name, given as labels.
pub(crate) fn query(name: &[u8]) -> Vec<u8> {
    let mut message = vec![0x12, 0x34, 0x01, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    message.extend_from_slice(name);
    message.extend_from_slice(&[0, 1, 0, 1]);
    message
}

/// Numbers that look random and are always the same (xorshift).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }

    /// Changes some bytes, cuts some off.
    pub(crate) fn spoil(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(6) {
            let at = self.below(bytes.len());
            bytes[at] = match self.below(4) {
                0 => 0xc0,
                1 => 0xff,
                _ => self.below(256) as u8,
            };
        }
        if self.below(3) == 0 {
            let len = self.below(bytes.len());
            bytes.truncate(len.max(1));
        }
    }
}
