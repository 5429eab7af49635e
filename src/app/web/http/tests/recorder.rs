//! A sink that writes down what it is told, and a flow to feed.

use super::super::parser::Http;
use parse::{
    Anomaly, Buffer, Close, Field, FileEnd, FileEvent, Frame, Input, Parser, Piece, Record, Settings, Side,
    Sink, Step, Transaction, Visitor,
};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Writes a transaction's fields as `key=value` words.
#[derive(Default)]
struct Words(String);

impl Words {
    fn word(&mut self, field: &Field, value: impl std::fmt::Display) {
        let key = field.json.trim_matches(|c| matches!(c, ',' | '"' | ':'));
        self.0.push_str(&format!(" {key}={value}"));
    }
}

impl Visitor for Words {
    fn object(&mut self, field: &'static Field) {
        self.0.push_str(&format!(" {}{{", field.path.rsplit('.').next().unwrap()));
    }
    fn list(&mut self, field: &'static Field) {
        self.0.push_str(&format!(" {}[", field.path.rsplit('.').next().unwrap()));
    }
    fn item(&mut self) {
        self.0.push_str(" {");
    }
    fn close(&mut self) {
        self.0.push_str(" }");
    }
    fn text(&mut self, field: &'static Field, value: &[u8]) {
        self.word(field, value.escape_ascii());
    }
    fn word(&mut self, field: &'static Field, value: &'static str) {
        self.word(field, value);
    }
    fn number(&mut self, field: &'static Field, value: u64) {
        self.word(field, value);
    }
    fn signed(&mut self, field: &'static Field, value: i64) {
        self.word(field, value);
    }
    fn flag(&mut self, field: &'static Field, value: bool) {
        self.word(field, value);
    }
    fn address(&mut self, field: &'static Field, value: IpAddr) {
        self.word(field, value);
    }
    fn time(&mut self, field: &'static Field, micros: i64) {
        self.word(field, micros);
    }
    fn hex(&mut self, field: &'static Field, value: &[u8], _separator: &'static str) {
        self.word(field, value.escape_ascii());
    }
}

/// One file that was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) name: String,
    pub(crate) data: Vec<u8>,
    pub(crate) gap: u64,
    pub(crate) end: Option<FileEnd>,
}

/// What was told. Pieces of data are joined, so that it does not matter how bytes were cut.
#[derive(Default)]
pub(crate) struct Recorder {
    pub(crate) lines: Vec<String>,
    pub(crate) files: Vec<Told>,
    /// Open files, by transaction and side.
    open: BTreeMap<(u64, usize), usize>,
    pub(crate) streams: Vec<(String, Vec<u8>)>,
    /// Buffers read when their phase is reached.
    pub(crate) wanted: Vec<(&'static Buffer, Side)>,
}

impl Recorder {
    fn line(&mut self, line: String) {
        self.lines.push(line);
    }

    /// Bytes of a streaming buffer, over all exchanges.
    pub(crate) fn stream_of(&self, name: &str) -> Vec<u8> {
        self.streams
            .iter()
            .filter(|(n, _)| n.split(' ').next() == Some(name))
            .flat_map(|(_, data)| data.clone())
            .collect()
    }

    /// Lines that begin so.
    pub(crate) fn of(&self, start: &str) -> Vec<&str> {
        self.lines.iter().map(String::as_str).filter(|line| line.starts_with(start)).collect()
    }
}

const fn side_name(side: Side) -> &'static str {
    match side {
        Side::ToServer => "ts",
        Side::ToClient => "tc",
    }
}

impl Sink for Recorder {
    fn progress(&mut self, tx: &dyn Transaction, side: Side, phase: u8) {
        self.line(format!("progress {} {} {phase}", tx.id(), side_name(side)));
        for (buffer, at) in self.wanted.clone() {
            if at != side || !buffer.ready.contains(&(side, phase)) {
                continue;
            }
            for index in 0.. {
                let Some(value) = tx.buffer(buffer, side, index) else { break };
                let line = format!("{} {}", buffer.name, value.escape_ascii());
                self.lines.push(line);
                if !buffer.many {
                    break;
                }
            }
        }
    }

    fn stream(&mut self, tx: &dyn Transaction, buffer: &'static Buffer, piece: Piece<'_>) {
        let [(side, _)] = buffer.ready else { panic!("a stream has one side") };
        let key = format!("{} {} {}", buffer.name, side_name(*side), tx.id());
        if piece.offset == 0 && !piece.data.is_empty() {
            self.streams.push((key.clone(), Vec::new()));
        }
        let held = self.streams.iter_mut().rev().find(|(name, _)| *name == key);
        if let Some((_, held)) = held {
            assert!(piece.offset >= held.len() as u64, "{key}: pieces must not go back");
            held.extend_from_slice(piece.data);
        }
    }

    fn frame(&mut self, frame: Frame) {
        self.line(format!("frame {} {} {:?}", frame.kind.name, frame.offset, frame.tx));
    }

    fn file(&mut self, tx: &dyn Transaction, side: Side, event: FileEvent<'_>) {
        let key = (tx.id(), side.index());
        let at = self.open.get(&key).copied();
        match event {
            FileEvent::Open { name, range } => {
                assert!(at.is_none(), "one file at a time");
                self.open.insert(key, self.files.len());
                self.files.push(Told { name: name.escape_ascii().to_string(), ..Told::default() });
                self.line(format!("file {} {} {} {range:?}", tx.id(), side_name(side), name.escape_ascii()));
            }
            FileEvent::Data(data) => self.files[at.expect("open")].data.extend_from_slice(data),
            FileEvent::Gap(n) => self.files[at.expect("open")].gap += n,
            FileEvent::Close(end) => {
                let file = &mut self.files[at.expect("open")];
                file.end = Some(end);
                let line = format!("close {} {} {} {end:?}", tx.id(), side_name(side), file.data.len());
                self.open.remove(&key);
                self.line(line);
            }
        }
    }

    fn anomaly(&mut self, tx: Option<&dyn Transaction>, side: Side, what: &'static Anomaly) {
        self.line(format!("anomaly {:?} {} {}", tx.map(Transaction::id), side_name(side), what.name));
    }

    fn record(&mut self, tx: &dyn Transaction, _side: Side, record: &'static Record) {
        let mut words = Words::default();
        tx.fields(&mut words);
        self.line(format!("record {} {}{}", tx.id(), record.event_type, words.0));
    }

    fn host(&mut self, name: &[u8]) {
        self.line(format!("host {}", name.escape_ascii()));
    }
}

/// A flow: bytes of both sides on their way into a parser, held back and shown again as the contract says.
pub(crate) struct Flow {
    parser: Box<dyn Parser>,
    held: [Vec<u8>; 2],
    want: [usize; 2],
    offset: [u64; 2],
    skip: [u64; 2],
    pub(crate) sink: Recorder,
    pub(crate) steps: Vec<Step>,
    over: bool,
}

impl Flow {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self::of(Http::open(settings))
    }

    /// A flow of any parser.
    pub(crate) fn of(parser: Box<dyn Parser>) -> Self {
        Self {
            parser,
            held: Default::default(),
            want: [1; 2],
            offset: [0; 2],
            skip: [0; 2],
            sink: Recorder::default(),
            steps: Vec::new(),
            over: false,
        }
    }

    /// The next bytes of a side; `last` when nothing follows.
    pub(crate) fn send(&mut self, side: Side, data: &[u8], last: bool) {
        let s = side.index();
        if self.over {
            return;
        }
        let skipped = usize::try_from(self.skip[s]).unwrap().min(data.len());
        self.skip[s] -= skipped as u64;
        self.offset[s] += skipped as u64;
        self.held[s].extend_from_slice(&data[skipped..]);
        if !last && self.held[s].len() < self.want[s] {
            return;
        }
        let input = Input { side, data: &self.held[s], offset: self.offset[s], micros: 0, last };
        let step = self.parser.feed(input, &mut self.sink);
        let (eaten, want) = match step {
            Step::All => (self.held[s].len(), 1),
            Step::Wait { eaten, want } => {
                assert!(eaten + want > self.held[s].len(), "waits for what is there: {step:?}");
                (eaten, want)
            }
            Step::Skip(n) => {
                self.skip[s] = n;
                (self.held[s].len(), 1)
            }
            Step::Switch { .. } | Step::Done(_) | Step::Fail => {
                self.over = true;
                (0, 1)
            }
        };
        self.steps.push(step);
        self.held[s].drain(..eaten);
        self.offset[s] += eaten as u64;
        self.want[s] = want;
    }

    /// Bytes of a side that were lost.
    pub(crate) fn lose(&mut self, side: Side, missing: u64) {
        if !self.over {
            self.held[side.index()].clear();
            let step = self.parser.gap(side, missing, &mut self.sink);
            self.want[side.index()] = 1;
            self.over = step == Step::Fail;
            self.steps.push(step);
        }
    }

    pub(crate) fn held(&self) -> usize {
        self.parser.held()
    }

    /// Ends the flow and gives what was told.
    pub(crate) fn close(mut self) -> Recorder {
        self.parser.close(Close::Ended, &mut self.sink);
        self.sink
    }
}

/// Runs a conversation: to-server and to-client pieces in turn.
pub(crate) fn talk(pieces: &[(Side, &[u8])]) -> Recorder {
    talk_with(&Settings::default(), pieces)
}

/// Runs a conversation under given settings.
pub(crate) fn talk_with(settings: &Settings, pieces: &[(Side, &[u8])]) -> Recorder {
    let mut flow = Flow::new(settings);
    for (side, data) in pieces {
        flow.send(*side, data, false);
    }
    flow.close()
}
