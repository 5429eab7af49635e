//! A sink that writes down what it is told, for the tests of this family.

use std::fmt::Write;
use std::net::IpAddr;

use parse::{
    Anomaly, Buffer, Field, FileEvent, Frame, Piece, Protocol, Record, Side, Sink, Transaction, Visitor,
};

/// Lines, in order.
#[derive(Default)]
pub(crate) struct Recorder {
    pub(crate) lines: Vec<String>,
    protocol: Option<&'static Protocol>,
}

impl Recorder {
    pub(crate) fn of(protocol: &'static Protocol) -> Self {
        Self { lines: Vec::new(), protocol: Some(protocol) }
    }

    /// Lines that begin with a word.
    pub(crate) fn some(&self, word: &str) -> Vec<&str> {
        self.lines.iter().filter_map(|line| line.strip_prefix(word)).map(str::trim_start).collect()
    }

    fn buffers(&self, tx: &dyn Transaction, side: Side, phase: u8) -> String {
        let all = self.protocol.map_or(&[][..], |protocol| protocol.buffers);
        let ready = all.iter().filter(|buffer| buffer.ready.contains(&(side, phase)));
        ready.fold(String::new(), |mut text, buffer| {
            if let Some(bytes) = tx.buffer(buffer, side, 0) {
                let _ = write!(text, " {}={}", buffer.name, String::from_utf8_lossy(bytes));
            }
            assert_eq!(tx.buffer(buffer, side, 1), None);
            text
        })
    }
}

impl Sink for Recorder {
    fn progress(&mut self, tx: &dyn Transaction, side: Side, phase: u8) {
        let buffers = self.buffers(tx, side, phase);
        self.lines.push(format!("progress {} {side:?} {phase}{buffers}", tx.id()));
    }

    fn stream(&mut self, _tx: &dyn Transaction, _buffer: &'static Buffer, _piece: Piece<'_>) {}

    fn frame(&mut self, frame: Frame) {
        let Frame { kind, side, offset, len, .. } = frame;
        self.lines.push(format!("frame {} {side:?} {offset} {}", kind.name, len.unwrap()));
    }

    fn file(&mut self, _tx: &dyn Transaction, _side: Side, _event: FileEvent<'_>) {}

    fn anomaly(&mut self, _tx: Option<&dyn Transaction>, side: Side, what: &'static Anomaly) {
        self.lines.push(format!("anomaly {side:?} {}", what.name));
    }

    fn record(&mut self, tx: &dyn Transaction, side: Side, record: &'static Record) {
        let mut json = Json::default();
        tx.fields(&mut json);
        assert_eq!(json.depth, 0);
        self.lines.push(format!("record {} {side:?} {}", record.event_type, json.text));
    }

    fn host(&mut self, name: &[u8]) {
        self.lines.push(format!("host {}", String::from_utf8_lossy(name)));
    }
}

/// Fields as a line of something like JSON.
#[derive(Default)]
struct Json {
    text: String,
    depth: usize,
}

impl Json {
    fn put(&mut self, field: &'static Field, value: &str) {
        let key = field.json.trim_matches([',', '"', ':']).trim_end_matches('"');
        let _ = write!(self.text, "{key}={value} ");
    }
}

impl Visitor for Json {
    fn object(&mut self, field: &'static Field) {
        self.put(field, "{");
        self.depth += 1;
    }

    fn list(&mut self, field: &'static Field) {
        self.put(field, "[");
        self.depth += 1;
    }

    fn item(&mut self) {
        self.text.push('(');
        self.depth += 1;
    }

    fn close(&mut self) {
        self.text.push_str("; ");
        self.depth -= 1;
    }

    fn text(&mut self, field: &'static Field, value: &[u8]) {
        self.put(field, &String::from_utf8_lossy(value));
    }

    fn word(&mut self, field: &'static Field, value: &'static str) {
        self.put(field, value);
    }

    fn number(&mut self, field: &'static Field, value: u64) {
        self.put(field, &value.to_string());
    }

    fn signed(&mut self, field: &'static Field, value: i64) {
        self.put(field, &value.to_string());
    }

    fn flag(&mut self, field: &'static Field, value: bool) {
        self.put(field, &value.to_string());
    }

    fn address(&mut self, field: &'static Field, value: IpAddr) {
        self.put(field, &value.to_string());
    }

    fn time(&mut self, field: &'static Field, micros: i64) {
        self.put(field, &micros.to_string());
    }

    fn hex(&mut self, field: &'static Field, value: &[u8], _separator: &'static str) {
        self.put(field, &format!("{value:x?}"));
    }
}
