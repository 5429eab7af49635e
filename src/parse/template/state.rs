//! The parser: lines and bodies in, exchanges out. Bounded: open exchanges and the bytes of a line have limits, and
//! bodies pass through without being kept.

use super::fields::{anomaly, buffer, field, frame, phase};
use super::wire::{Line, Status, decode, first_line};
use crate::{
    Buffer, Close, Done, FileEnd, FileEvent, Frame, Inner, Input, Parser, Piece, Settings, Side, Sink, Step,
    Transaction, Transport, Visitor,
};
use std::collections::VecDeque;

/// One flow's parser.
pub(super) struct Template {
    longest_line: usize,
    most_open: usize,
    most_body: u64,
    by_datagram: bool,
    reading: [Reading; 2],
    open: VecDeque<Exchange>,
    begun: u64,
}

/// What comes next on a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// A line.
    Line,
    /// The body of the exchange opened last.
    Body {
        /// Bytes read, lost or passed over.
        at: u64,
        /// Bytes altogether.
        length: u64,
    },
    /// Bytes were lost: the place is found again behind the next end of a line.
    Lost,
}

/// A question and, when it has come, its answer.
struct Exchange {
    id: u64,
    number: u32,
    length: u64,
    raw: Vec<u8>,
    /// Only where it differs from what was sent.
    decoded: Option<Vec<u8>>,
    tags: Vec<u8>,
    status: Option<Status>,
}

/// What one look at the input gave.
enum Turn {
    /// So many bytes were read; look again.
    Ate(usize),
    /// This, counted from the bytes that were looked at.
    Stop(Step),
}

impl Template {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            longest_line: settings.line,
            most_open: settings.transactions.max(1),
            most_body: settings.body,
            by_datagram: false,
            reading: [Reading::Line; 2],
            open: VecDeque::new(),
            begun: 0,
        }
    }

    fn reading(&mut self, side: Side) -> &mut Reading {
        let [client, server] = &mut self.reading;
        if side == Side::ToServer { client } else { server }
    }

    fn look(&mut self, input: Input<'_>, sink: &mut dyn Sink) -> Turn {
        match *self.reading(input.side) {
            Reading::Line => self.line(input, sink),
            Reading::Body { at, length } => self.body(input, at, length, sink),
            Reading::Lost => self.find_line(input),
        }
    }

    fn line(&mut self, input: Input<'_>, sink: &mut dyn Sink) -> Turn {
        let whole = first_line(input.data).or_else(|| {
            // A datagram is a line even without an end.
            self.by_datagram.then_some((input.data, input.data.len()))
        });
        let Some((line, eaten)) = whole.filter(|(_, eaten)| *eaten <= self.longest_line) else {
            if input.data.len() < self.longest_line {
                return Turn::Stop(Step::Wait { eaten: 0, want: input.data.len() + 1 });
            }
            sink.anomaly(None, input.side, &anomaly::LINE_TOO_LONG);
            return Turn::Stop(Step::Fail);
        };
        self.frame(&frame::LINE, &input, eaten as u64, sink);
        match Line::read(line) {
            Some(Line::Ping { number, name, length, tags }) if input.side == Side::ToServer => {
                self.question(input.side, Exchange::new(self.begun, number, name, length, tags), sink);
                Turn::Ate(eaten)
            }
            Some(Line::Pong { number, status }) if input.side == Side::ToClient => {
                self.answer(input.side, number, status, sink);
                Turn::Ate(eaten)
            }
            // The catalogue's own name, never the peer's bytes: a name that is not there is recognised afresh.
            Some(Line::Switch { to }) => {
                let to = if to == b"http" { Some("http") } else { None };
                Turn::Stop(Step::Switch { eaten, to })
            }
            Some(Line::Bye) => Turn::Stop(Step::Done(Done::Finished)),
            Some(Line::Ping { .. } | Line::Pong { .. }) | None => {
                sink.anomaly(None, input.side, &anomaly::BAD_LINE);
                Turn::Ate(eaten)
            }
        }
    }

    fn question(&mut self, side: Side, exchange: Exchange, sink: &mut dyn Sink) {
        if self.open.len() == self.most_open
            && let Some(oldest) = self.open.pop_front()
        {
            sink.anomaly(Some(&oldest), side, &anomaly::TOO_MANY_OPEN);
            sink.record(&oldest, Side::ToServer, &super::RECORD);
        }
        self.begun += 1;
        sink.host(exchange.name());
        sink.progress(&exchange, Side::ToServer, phase::LINE);
        let length = exchange.length;
        if length > 0 {
            *self.reading(side) = Reading::Body { at: 0, length };
            sink.file(&exchange, Side::ToServer, FileEvent::Open { name: exchange.name(), range: None });
        } else {
            sink.progress(&exchange, Side::ToServer, phase::BODY);
        }
        self.open.push_back(exchange);
    }

    fn answer(&mut self, side: Side, number: u32, status: Status, sink: &mut dyn Sink) {
        let Some(at) = self.open.iter().position(|exchange| exchange.number == number) else {
            sink.anomaly(None, side, &anomaly::UNEXPECTED_ANSWER);
            return;
        };
        // An answer may overtake the end of its question's body; the exchange stays until both are there.
        let body_open = at + 1 == self.open.len() && matches!(self.reading, [Reading::Body { .. }, _]);
        let Some(exchange) = self.open.get_mut(at) else { return };
        exchange.status = Some(status);
        sink.progress(exchange, Side::ToClient, phase::ANSWER);
        if !body_open && let Some(exchange) = self.open.remove(at) {
            sink.record(&exchange, Side::ToServer, &super::RECORD);
        }
    }

    /// A body is passed on as it comes, up to the limit; what lies behind the limit is not even asked for.
    fn body(&mut self, input: Input<'_>, at: u64, length: u64, sink: &mut dyn Sink) -> Turn {
        let here = (length - at).min(input.data.len() as u64);
        let shown_end = length.min(self.most_body);
        let shown = usize::try_from(shown_end.saturating_sub(at).min(here)).unwrap_or(usize::MAX);
        let data = input.data.get(..shown).unwrap_or_default();
        let last = at + shown as u64 >= shown_end;
        if at == 0 {
            self.frame(&frame::BODY, &input, length, sink);
        }
        if let Some(exchange) = self.open.back() {
            if !data.is_empty() {
                sink.file(exchange, Side::ToServer, FileEvent::Data(data));
            }
            sink.stream(exchange, &buffer::BODY, Piece { offset: at, data, last });
            // A message of another protocol is passed on where it is at hand in one piece.
            if data.len() as u64 == length && exchange.tags().any(|tag| tag == b"dns") {
                let inner = Inner { protocol: "dns", together: "template-dns", data };
                sink.carries(exchange, Side::ToServer, inner);
            }
        }
        if !last {
            *self.reading(input.side) = Reading::Body { at: at + here, length };
            return if here == 0 { Turn::Stop(Step::All) } else { Turn::Ate(data.len()) };
        }
        let end = if shown_end == length { FileEnd::Closed } else { FileEnd::Truncated };
        self.end_body(input.side, end, Reading::Line, sink);
        let behind = length - at - here;
        if behind > 0 {
            Turn::Stop(Step::Skip(behind))
        } else {
            Turn::Ate(usize::try_from(here).unwrap_or(shown))
        }
    }

    fn end_body(&mut self, side: Side, end: FileEnd, next: Reading, sink: &mut dyn Sink) {
        *self.reading(side) = next;
        let Some(exchange) = self.open.pop_back() else { return };
        sink.file(&exchange, Side::ToServer, FileEvent::Close(end));
        sink.progress(&exchange, Side::ToServer, phase::BODY);
        if exchange.status.is_some() {
            sink.record(&exchange, Side::ToServer, &super::RECORD);
        } else {
            self.open.push_back(exchange);
        }
    }

    fn find_line(&mut self, input: Input<'_>) -> Turn {
        match first_line(input.data) {
            Some((_, eaten)) => {
                *self.reading(input.side) = Reading::Line;
                Turn::Ate(eaten)
            }
            None => Turn::Stop(Step::All),
        }
    }

    fn frame(&self, kind: &'static crate::FrameKind, input: &Input<'_>, len: u64, sink: &mut dyn Sink) {
        let tx = self.begun.checked_sub(1);
        sink.frame(Frame { kind, side: input.side, offset: input.offset, len: Some(len), tx });
    }
}

impl Parser for Template {
    fn carried(&mut self, transport: Transport) {
        self.by_datagram = transport == Transport::Udp;
    }

    fn feed(&mut self, input: Input<'_>, sink: &mut dyn Sink) -> Step {
        let mut eaten = 0;
        loop {
            let data = input.data.get(eaten..).unwrap_or_default();
            if data.is_empty() {
                return Step::All;
            }
            match self.look(Input { data, offset: input.offset + eaten as u64, ..input }, sink) {
                Turn::Ate(n) => eaten += n,
                Turn::Stop(Step::Wait { eaten: more, want }) => {
                    return Step::Wait { eaten: eaten + more, want };
                }
                Turn::Stop(Step::Switch { eaten: more, to }) => {
                    return Step::Switch { eaten: eaten + more, to };
                }
                Turn::Stop(step) => return step,
            }
        }
    }

    fn gap(&mut self, side: Side, missing: u64, sink: &mut dyn Sink) -> Step {
        match *self.reading(side) {
            Reading::Body { at, length } => {
                let of_body = missing.min(length - at);
                if let Some(exchange) = self.open.back() {
                    sink.file(exchange, Side::ToServer, FileEvent::Gap(of_body));
                }
                if missing < length - at {
                    *self.reading(side) = Reading::Body { at: at + missing, length };
                } else {
                    let next = if missing == length - at { Reading::Line } else { Reading::Lost };
                    self.end_body(side, FileEnd::Truncated, next, sink);
                }
            }
            Reading::Line | Reading::Lost => *self.reading(side) = Reading::Lost,
        }
        Step::All
    }

    fn close(&mut self, _why: Close, sink: &mut dyn Sink) {
        if matches!(self.reading, [Reading::Body { .. }, _]) {
            self.end_body(Side::ToServer, FileEnd::Truncated, Reading::Line, sink);
        }
        for exchange in self.open.drain(..) {
            sink.record(&exchange, Side::ToServer, &super::RECORD);
        }
    }

    /// Agreed upon: the name that was asked for last and not answered.
    fn bequest(&mut self) -> Option<Box<[u8]>> {
        self.open.back().map(|exchange| exchange.name().into())
    }

    fn inherit(&mut self, bequest: &[u8], sink: &mut dyn Sink) {
        sink.host(bequest);
    }

    fn transactions(&self) -> u64 {
        self.begun
    }

    fn held(&self) -> usize {
        let room = self.open.capacity() * size_of::<Exchange>();
        room + self.open.iter().map(Exchange::held).sum::<usize>()
    }
}

impl Exchange {
    fn new(id: u64, number: u32, name: &[u8], length: u64, tags: &[u8]) -> Self {
        let decoded = name.contains(&b'%').then(|| decode(name));
        Self { id, number, length, raw: name.to_vec(), decoded, tags: tags.to_vec(), status: None }
    }

    fn name(&self) -> &[u8] {
        self.decoded.as_deref().unwrap_or(&self.raw)
    }

    fn tags(&self) -> impl Iterator<Item = &[u8]> {
        self.tags.split(|b| *b == b',').filter(|tag| !tag.is_empty())
    }

    fn held(&self) -> usize {
        self.raw.capacity() + self.tags.capacity() + self.decoded.as_ref().map_or(0, Vec::capacity)
    }
}

impl Transaction for Exchange {
    fn id(&self) -> u64 {
        self.id
    }

    fn buffer(&self, which: &'static Buffer, side: Side, index: usize) -> Option<&[u8]> {
        if side != Side::ToServer {
            return None;
        }
        if std::ptr::eq(which, &buffer::TAG) {
            return self.tags().nth(index);
        }
        let one = if std::ptr::eq(which, &buffer::NAME) {
            Some(self.name())
        } else if std::ptr::eq(which, &buffer::NAME_RAW) {
            Some(self.raw.as_slice())
        } else {
            None
        };
        one.filter(|_| index == 0)
    }

    fn fields(&self, visitor: &mut dyn Visitor) {
        visitor.object(&field::TEMPLATE);
        visitor.number(&field::NUMBER, u64::from(self.number));
        visitor.text(&field::NAME, self.name());
        if !self.tags.is_empty() {
            visitor.list(&field::TAGS);
            self.tags().for_each(|tag| visitor.text(&field::TAGS, tag));
            visitor.close();
        }
        visitor.number(&field::LENGTH, self.length);
        if let Some(status) = self.status {
            visitor.word(&field::STATUS, status.name());
        }
        visitor.close();
    }

    fn elements(&self, visitor: &mut dyn Visitor) {
        visitor.number(&field::NUMBER, u64::from(self.number));
        if let Some(status) = self.status {
            visitor.number(&field::STATUS_CODE, u64::from(status.0));
        }
    }
}
