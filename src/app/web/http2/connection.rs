//! The parser of one flow: frames taken one after the other, each side apart.

use super::block::Block;
use super::exchange::{Exchange, Of};
use super::hpack::Decoder;
use super::stream::{Stream, Streams};
use super::wire::{self, HEADER, Header, PREFACE, kind};
use super::{DATA_FRAME, HEADER_FRAME, PDU_FRAME, anomaly, upgrade};
use crate::http::bytes::{from, until};
use parse::{Anomaly, Close, Frame, FrameKind, Input, Parser, Settings, Side, Sink, Step};

/// Longest frame, other than DATA, that is looked at.
const LONGEST: usize = 64 * 1024;
/// Anomalies told of one flow; a flow that has more is not worth the ink.
const MOST_ANOMALIES: u16 = 512;

/// What a step of a side came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// So many bytes are done with; go on.
    Eat(usize),
    /// So many bytes, counted from here, are needed to go on.
    Want(usize),
    /// All there is was eaten, and so are the next bytes, unseen.
    Skip(usize),
}

/// What a side waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The client's preface.
    Preface,
    /// The header of a frame.
    Frame,
    /// The rest of a DATA frame: so many bytes of body and of padding, and whether the stream ends with them.
    Data { stream: u32, left: usize, pad: usize, ends: bool },
    /// So many bytes that nobody looks at.
    Pass(usize),
}

/// One side of the connection.
pub(super) struct Half {
    state: State,
    pub(super) decoder: Decoder,
    pub(super) block: Block,
}

impl Half {
    const fn new(state: State) -> Self {
        Self { state, decoder: Decoder::new(), block: Block::new() }
    }
}

/// One flow's parser.
pub(super) struct Http2 {
    pub(super) streams: Streams,
    halves: [Half; 2],
    anomalies: u16,
}

impl Http2 {
    pub(super) fn open(settings: &Settings) -> Box<dyn Parser> {
        Box::new(Self {
            streams: Streams::new(settings),
            halves: [Half::new(State::Preface), Half::new(State::Frame)],
            anomalies: 0,
        })
    }

    pub(super) fn half(&mut self, side: Side) -> &mut Half {
        let [client, server] = &mut self.halves;
        if side == Side::ToServer { client } else { server }
    }

    /// One side of the connection, and the streams.
    pub(super) fn parts(&mut self, side: Side) -> (&mut Half, &mut Streams) {
        let [client, server] = &mut self.halves;
        (if side == Side::ToServer { client } else { server }, &mut self.streams)
    }

    /// Tells an anomaly, of a stream if it is one's.
    pub(super) fn tell(
        &mut self,
        at: Option<usize>,
        side: Side,
        what: &'static Anomaly,
        sink: &mut dyn Sink,
    ) {
        if self.anomalies < MOST_ANOMALIES {
            self.anomalies += 1;
            let tx =
                at.and_then(|at| self.streams.get(at)).map(|stream| &stream.tx as &dyn parse::Transaction);
            sink.anomaly(tx, side, what);
        }
    }

    fn run(&mut self, input: Input<'_>, sink: &mut dyn Sink) -> Step {
        let mut at = 0;
        loop {
            let rest = from(input.data, at);
            let offset = input.offset.saturating_add(u64::try_from(at).unwrap_or(0));
            match self.turn(input.side, rest, offset, sink) {
                Turn::Eat(n) => at += n,
                Turn::Want(_) if rest.is_empty() || input.last => return Step::All,
                Turn::Want(want) => return Step::Wait { eaten: at, want },
                Turn::Skip(n) => return Step::Skip(u64::try_from(n).unwrap_or(u64::MAX)),
            }
        }
    }

    fn turn(&mut self, side: Side, rest: &[u8], offset: u64, sink: &mut dyn Sink) -> Turn {
        match self.half(side).state {
            State::Preface => self.preface(side, rest, sink),
            State::Frame => self.frame(side, rest, offset, sink),
            State::Data { left: 0, pad, stream, ends } => {
                self.end_data(side, stream, pad, ends, sink);
                Turn::Eat(0)
            }
            State::Data { .. } | State::Pass(_) if rest.is_empty() => Turn::Want(1),
            State::Data { .. } => self.data(side, rest, sink),
            State::Pass(left) => {
                self.half(side).state = State::Frame;
                if rest.len() < left { Turn::Skip(left - rest.len()) } else { Turn::Eat(left) }
            }
        }
    }

    fn preface(&mut self, side: Side, rest: &[u8], sink: &mut dyn Sink) -> Turn {
        if rest.len() < PREFACE.len() && PREFACE.starts_with(rest) {
            return Turn::Want(PREFACE.len());
        }
        self.half(side).state = State::Frame;
        if rest.starts_with(PREFACE) {
            return Turn::Eat(PREFACE.len());
        }
        self.tell(None, side, &anomaly::INVALID_CLIENT_MAGIC, sink);
        Turn::Eat(0)
    }

    fn frame(&mut self, side: Side, rest: &[u8], offset: u64, sink: &mut dyn Sink) -> Turn {
        let Some(header) = Header::read(rest) else { return Turn::Want(HEADER) };
        let behind = from(rest, HEADER);
        if header.kind == kind::DATA && header.stream != 0 {
            return self.begin_data(side, header, behind, offset, sink);
        }
        if header.len > LONGEST {
            let at = self.streams.find(header.stream);
            self.tell(at, side, &anomaly::LONG_FRAME_DATA, sink);
            self.show_frame(side, offset, header, at, sink);
            self.half(side).state = State::Pass(header.len);
            return Turn::Eat(HEADER);
        }
        if behind.len() < header.len {
            return Turn::Want(HEADER + header.len);
        }
        let payload = until(behind, header.len);
        match header {
            Header { kind: kind::SETTINGS, len: 0, .. } => self.show_frame(side, offset, header, None, sink),
            Header { stream: 0, .. } => self.on_connection(side, header, payload, offset, sink),
            _ => self.on_stream(side, header, payload, offset, sink),
        }
        Turn::Eat(HEADER + header.len)
    }

    /// Tells where a frame stands.
    fn show_frame(
        &mut self,
        side: Side,
        offset: u64,
        header: Header,
        at: Option<usize>,
        sink: &mut dyn Sink,
    ) {
        let tx = at.and_then(|at| self.streams.get(at)).map(|stream| stream.tx.id);
        show_frame(side, offset, header.len, tx, sink);
    }

    /// A frame of the connection itself is a transaction of its own (6.5, 6.7, 6.8, 6.9).
    fn on_connection(
        &mut self,
        side: Side,
        header: Header,
        payload: &[u8],
        offset: u64,
        sink: &mut dyn Sink,
    ) {
        let fits =
            !matches!(header.kind, kind::DATA..=kind::RST_STREAM | kind::PUSH_PROMISE | kind::CONTINUATION);
        if header.kind == kind::SETTINGS {
            self.settings(side, payload);
        }
        let flaw = match header.kind {
            _ if fits => None,
            kind::DATA => Some(&anomaly::DATA_STREAM_ZERO),
            _ => Some(&anomaly::INVALID_FRAME_HEADER),
        };
        let told = self.anomalies < MOST_ANOMALIES;
        let mut wrong = 0;
        self.streams.global(sink, |tx, sink| {
            show_frame(side, offset, header.len, Some(tx.id), sink);
            let noted = if fits { tx.half_mut(side).note(header, payload) } else { flaw };
            if let Some(what) = noted.filter(|_| told) {
                wrong += 1;
                sink.anomaly(Some(tx), side, what);
            }
        });
        self.anomalies += wrong;
    }

    /// What a side says it takes limits what the other side may send.
    pub(super) fn settings(&mut self, side: Side, payload: &[u8]) {
        for (id, value) in wire::settings(payload) {
            if id == wire::HEADER_TABLE_SIZE {
                self.half(side.other()).decoder.allow(value);
            }
        }
    }

    fn on_stream(&mut self, side: Side, header: Header, payload: &[u8], offset: u64, sink: &mut dyn Sink) {
        match header.kind {
            kind::HEADERS | kind::PUSH_PROMISE | kind::CONTINUATION => {
                self.headers(side, header, payload, offset, sink);
            }
            _ => {
                let at = self.streams.find_or_begin(header.stream, side, sink);
                self.show_frame(side, offset, header, at, sink);
                self.note(at, side, header, payload, sink);
            }
        }
    }

    /// Notes a frame in its stream.
    pub(super) fn note(
        &mut self,
        at: Option<usize>,
        side: Side,
        header: Header,
        payload: &[u8],
        sink: &mut dyn Sink,
    ) {
        let Some(stream) = at.and_then(|at| self.streams.get_mut(at)) else { return };
        stream.reset |= header.kind == kind::RST_STREAM;
        if let Some(what) = stream.tx.half_mut(side).note(header, payload) {
            self.tell(at, side, what, sink);
        }
    }

    /// The header of a DATA frame (6.1), whose payload is taken as it comes.
    fn begin_data(
        &mut self,
        side: Side,
        header: Header,
        behind: &[u8],
        offset: u64,
        sink: &mut dyn Sink,
    ) -> Turn {
        let padded = header.is_padded() && header.len > 0;
        let pad = match behind.first() {
            None if padded => return Turn::Want(HEADER + 1),
            Some(&pad) if padded => usize::from(pad),
            _ => 0,
        };
        let at = self.streams.find_or_begin(header.stream, side, sink);
        self.show_frame(side, offset, header, at, sink);
        self.note(at, side, header, &[], sink);
        let mut left = header.len - usize::from(padded);
        let flaws = [
            (self.streams.is_over(at, side), &anomaly::STREAM_ID_REUSE),
            (header.len > LONGEST, &anomaly::LONG_FRAME_DATA),
            (pad > left || (header.is_padded() && !padded), &anomaly::INVALID_FRAME_DATA),
        ];
        for (wrong, what) in flaws {
            if wrong {
                self.tell(at, side, what, sink);
            }
        }
        let pad = if pad > left { 0 } else { pad };
        left -= pad;
        self.half(side).state = State::Data { stream: header.stream, left, pad, ends: header.ends_stream() };
        Turn::Eat(HEADER + usize::from(padded))
    }

    /// Bytes of a body.
    fn data(&mut self, side: Side, rest: &[u8], sink: &mut dyn Sink) -> Turn {
        let State::Data { stream, left, pad, ends } = self.half(side).state else { return Turn::Eat(0) };
        let bytes = until(rest, left);
        let wanted = self.streams.body(stream, side).is_some_and(|(body, tx)| {
            body.feed(bytes, tx, sink);
            !body.is_full()
        });
        let left = left - bytes.len();
        self.half(side).state = State::Data { stream, left, pad, ends };
        if wanted || left == 0 {
            return Turn::Eat(bytes.len());
        }
        // what nobody will look at need not be kept until it has come
        self.end_data(side, stream, 0, ends, sink);
        Turn::Skip(left + pad)
    }

    fn end_data(&mut self, side: Side, stream: u32, pad: usize, ends: bool, sink: &mut dyn Sink) {
        self.half(side).state = if pad > 0 { State::Pass(pad) } else { State::Frame };
        if ends && let Some(at) = self.streams.find(stream) {
            self.streams.end_side(at, side, true, sink);
        }
    }
}

/// Tells where a frame stands.
pub(super) fn show_frame(side: Side, offset: u64, len: usize, tx: Option<u64>, sink: &mut dyn Sink) {
    let (header, len) = (9, u64::try_from(len).unwrap_or(u64::MAX));
    let mut show =
        |kind: &'static FrameKind, offset, len| sink.frame(Frame { kind, side, offset, len: Some(len), tx });
    show(&PDU_FRAME, offset, len.saturating_add(header));
    show(&HEADER_FRAME, offset, header);
    if len > 0 {
        show(&DATA_FRAME, offset.saturating_add(header), len);
    }
}

impl Parser for Http2 {
    fn feed(&mut self, input: Input<'_>, sink: &mut dyn Sink) -> Step {
        self.run(input, sink)
    }

    fn gap(&mut self, side: Side, missing: u64, sink: &mut dyn Sink) -> Step {
        let missing = usize::try_from(missing).unwrap_or(usize::MAX);
        match self.half(side).state {
            State::Data { stream, left, pad, ends } if missing <= left.saturating_add(pad) => {
                let lost = missing.min(left);
                if let Some((body, tx)) = self.streams.body(stream, side) {
                    body.gap(u64::try_from(lost).unwrap_or(0), tx, sink);
                }
                let pad = pad - (missing - lost);
                self.half(side).state = State::Data { stream, left: left - lost, pad, ends };
                Step::All
            }
            State::Pass(left) if missing <= left => {
                self.half(side).state = State::Pass(left - missing);
                Step::All
            }
            // without the lost frame neither the next one nor the dynamic table can be found again
            _ => Step::Fail,
        }
    }

    fn close(&mut self, _why: Close, sink: &mut dyn Sink) {
        self.streams.close(sink);
    }

    fn inherit(&mut self, bequest: &[u8], sink: &mut dyn Sink) {
        upgrade::inherit(self, bequest, sink);
    }

    fn transactions(&self) -> u64 {
        self.streams.begun()
    }

    fn held(&self) -> usize {
        let halves = self.halves.iter().map(|half| half.decoder.held() + half.block.held()).sum::<usize>();
        size_of::<Self>() + halves + self.streams.held()
    }
}

/// Notes a new size of the dynamic table where rules look for it.
pub(super) fn mark_resize(tx: &mut Exchange, side: Side, size: u64) {
    tx.half_mut(side).mark(Of::Resize, &size.to_be_bytes());
}

/// A stream's head on one side, to be filled.
pub(super) fn begin_fields(stream: &mut Stream, side: Side) -> usize {
    let half = stream.tx.half_mut(side);
    half.changed();
    half.head.len()
}
