//! The response side (RFC 9112, 4 and 6), state by state.

use super::bytes::{chomp, contains_word, equals_word, from, is_space, until};
use super::exchange::Stage;
use super::head::{Head, Known};
use super::line::{self, Method, Version};
use super::number::{self, Chunk};
use super::parser::{Http, Turn};
use super::{RESPONSE_FRAME, anomaly, buffers, request};
use parse::{Frame, Side, Sink, Step};

const SIDE: Side = Side::ToClient;

/// What the response side waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// The first byte of a response.
    Idle,
    Line,
    Fields,
    /// Whether a response that must have no body has one, as it says.
    Doubt,
    /// A body of known length.
    Body,
    /// A body that ends with the connection.
    Close,
    ChunkSize,
    Chunk,
    ChunkEnd,
    Trailer,
    /// Whether what follows is another response.
    Finish,
}

impl Http {
    /// One step of the response side.
    pub(super) fn response_turn(
        &mut self,
        rest: &[u8],
        offset: u64,
        last: bool,
        sink: &mut dyn Sink,
    ) -> Turn {
        match self.response.state {
            State::Idle if rest.is_empty() => Turn::Want(1),
            State::Idle => self.response_start(offset, sink),
            State::Line => self.response_line(rest, last, sink),
            State::Fields => match self.fields(SIDE, rest, last, sink) {
                Ok(n) => self.response_fields_over(n, sink),
                Err(turn) => turn,
            },
            State::Doubt => self.response_doubt(rest),
            State::Body | State::Chunk => self.response_body(rest, sink),
            State::Close if rest.is_empty() => Turn::Want(1),
            State::Close => {
                self.body_data(SIDE, rest, sink);
                Turn::Eat(rest.len())
            }
            State::ChunkSize => self.response_chunk_size(rest, sink),
            State::ChunkEnd => self.response_chunk_end(rest),
            State::Trailer => match self.fields(SIDE, rest, last, sink) {
                Ok(n) => self.response_to(State::Finish, n),
                Err(turn) => turn,
            },
            State::Finish => self.response_finish(rest, last, sink),
        }
    }

    fn response_to(&mut self, state: State, eaten: usize) -> Turn {
        self.response.state = state;
        Turn::Eat(eaten)
    }

    /// Finds the request that a response belongs to.
    fn response_start(&mut self, offset: u64, sink: &mut dyn Sink) -> Turn {
        let same = self.request.id == self.response.id;
        if same && self.request.state == request::State::Version {
            self.request_complete(sink);
        }
        let id = self.response.id;
        if self.find(id).is_none() {
            let Some(tx) = self.begin() else { return Turn::Fail };
            tx.unmatched = true;
            tx.set_stage(Side::ToServer, Stage::Complete);
            self.tell(SIDE, &anomaly::UNABLE_TO_MATCH_RESPONSE_TO_REQUEST, sink);
        }
        let Some(tx) = self.find(id) else { return Turn::Fail };
        tx.set_stage(SIDE, Stage::Begun);
        let (nine, early) = (tx.nine, tx.method_text.is_none() && !tx.unmatched);
        self.response.has_body = nine;
        sink.frame(Frame { kind: &RESPONSE_FRAME, side: SIDE, offset, len: None, tx: Some(id) });
        if early {
            self.tell(SIDE, &anomaly::REQUEST_LINE_INCOMPLETE, sink);
        }
        if nine {
            self.response.body.open_plain();
        }
        self.response_to(if nine { State::Close } else { State::Line }, 0)
    }

    fn response_line(&mut self, rest: &[u8], last: bool, sink: &mut dyn Sink) -> Turn {
        let end = memchr::memchr2(b'\r', b'\n', rest);
        let len = match end.map(|at| (at, from(rest, at))) {
            Some((_, [b'\r'])) if !last => return Turn::Want(rest.len() + 1),
            Some((at, [b'\r', b'\n', ..])) => at + 2,
            Some((at, _)) => at + 1,
            None if last && !rest.is_empty() => rest.len(),
            None if rest.len() <= self.settings.line => return Turn::Want(rest.len() + 1),
            None => rest.len(),
        };
        let line = until(rest, len);
        if self.response.lost && !line::is_status(line) {
            return Turn::Eat(len);
        }
        self.response.lost = false;
        if len > self.settings.line {
            return self.too_long(SIDE, sink);
        }
        if line::is_empty(line) {
            return Turn::Eat(len);
        }
        if line::is_status(line) {
            self.take_status_line(line, sink);
            return Turn::Eat(len);
        }
        self.no_status(line, from(rest, len), sink)
    }

    /// A line that is no status line: a browser would show it.
    fn no_status(&mut self, line: &[u8], behind: &[u8], sink: &mut dyn Sink) -> Turn {
        let passed = matches!(behind, [first, _, ..] if *first == b'H' || chomp(line).len() <= 2);
        if !passed {
            self.body_data(SIDE, line, sink);
            self.response.has_body = true;
            if behind.is_empty() {
                self.response.state = State::Finish;
            }
        }
        Turn::Eat(line.len())
    }

    fn take_status_line(&mut self, line: &[u8], sink: &mut dyn Sink) {
        let parts = line::response(line);
        let text = |range: &Option<std::ops::Range<usize>>| range.clone().and_then(|range| line.get(range));
        let (version, padded) = text(&parts.protocol).map_or((Version::Invalid, false), line::version);
        let status = text(&parts.status).and_then(number::status);
        let Some(tx) = self.at(SIDE) else { return };
        tx.response.start(line, chomp(line).len());
        (tx.answer_version, tx.status, tx.answered) = (version, status, true);
        tx.answer_protocol = parts.protocol.as_ref().map(Head::part);
        tx.status_text = parts.status.as_ref().map(Head::part);
        tx.message = parts.message.as_ref().map(Head::part);
        tx.set_stage(SIDE, Stage::Line);
        for (wrong, what) in [
            (padded, &anomaly::PROTOCOL_CONTAINS_EXTRA_DATA),
            (version == Version::Invalid, &anomaly::RESPONSE_INVALID_PROTOCOL),
            (status.is_none(), &anomaly::RESPONSE_INVALID_STATUS),
        ] {
            if wrong {
                self.tell(SIDE, what, sink);
            }
        }
        self.response.state = State::Fields;
        self.response.first_field = true;
        self.progress(SIDE, buffers::LINE, sink);
    }

    /// The fields are complete: whether another protocol, another response or a body follows.
    fn response_fields_over(&mut self, eaten: usize, sink: &mut dyn Sink) -> Turn {
        let Some(tx) = self.at(SIDE) else { return Turn::Fail };
        let (method, status) = (tx.method, tx.status.unwrap_or(0));
        let chunked = tx.response.field(Known::TransferEncoding);
        let length = tx.response.field(Known::ContentLength);
        let framed = chunked.is_some() || length.is_some();
        let number = length.and_then(number::length);
        let empty = chunked.is_none() && number.is_none_or(|n| n.value == 0);
        if method == Method::Connect && (200..=299).contains(&status) {
            return self.response_switch(eaten, None, sink);
        }
        if status == 101 && !framed {
            let to = tx.response.field(Known::Upgrade).and_then(upgrade);
            return self.response_switch(eaten, to, sink);
        }
        if status == 100 && empty {
            return self.response_continue(eaten, sink);
        }
        self.expectation_failed(status);
        if status == 101 {
            self.tell(SIDE, &anomaly::SWITCHING_PROTO_WITH_CONTENT_LENGTH, sink);
        }
        let bodiless = matches!(status, 100..=199 | 204 | 304);
        if method == Method::Head || (bodiless && !framed) {
            self.response_headers(sink);
            return self.response_to(State::Finish, eaten);
        }
        if bodiless {
            self.tell(SIDE, &anomaly::RESPONSE_BODY_UNEXPECTED, sink);
        }
        match self.response_framing(sink) {
            Ok(State::Body) if bodiless => self.response_to(State::Doubt, eaten),
            Ok(state) => self.response_to(state, eaten),
            Err(turn) => turn,
        }
    }

    /// Behind this response another protocol speaks.
    fn response_switch(&mut self, eaten: usize, to: Option<&'static str>, sink: &mut dyn Sink) -> Turn {
        self.response_headers(sink);
        if to == Some("http2") {
            self.bequest = self.at(SIDE).map(|tx| tx.request.as_sent().into());
        }
        if self.request.id == self.response.id && self.request.state == request::State::Connect {
            self.request_complete(sink);
        }
        self.response_complete(sink);
        Turn::Switch(eaten, to)
    }

    /// 100 Continue: the response proper is still to come.
    fn response_continue(&mut self, eaten: usize, sink: &mut dyn Sink) -> Turn {
        let Some(tx) = self.at(SIDE) else { return Turn::Fail };
        let again = std::mem::replace(&mut tx.continued, true);
        if again {
            self.tell(SIDE, &anomaly::CONTINUE_ALREADY_SEEN, sink);
        }
        if let Some(tx) = self.at(SIDE) {
            tx.forget_response();
            tx.set_stage(SIDE, Stage::Begun);
        }
        self.response_to(State::Line, eaten)
    }

    /// A client that waits for 100 Continue sends no body when it is refused.
    fn expectation_failed(&mut self, status: u16) {
        let waits = self.request.id == self.response.id && self.request.state == request::State::Body;
        let Some(tx) = self.at(SIDE).filter(|_| waits && (400..=499).contains(&status)) else { return };
        let untouched = matches!(tx.sent, [0, _]);
        if untouched && tx.request.field(Known::Expect) == Some(b"100-continue") {
            self.request.state = request::State::Finish;
        }
    }

    fn response_headers(&mut self, sink: &mut dyn Sink) {
        if let Some((body, tx)) = self.body(SIDE) {
            body.open(tx, false, sink);
            tx.set_stage(SIDE, Stage::Headers);
        }
        self.progress(SIDE, buffers::HEADERS, sink);
    }

    /// How the body is framed (RFC 9112, 6.3).
    fn response_framing(&mut self, sink: &mut dyn Sink) -> Result<State, Turn> {
        let Some(tx) = self.at(SIDE) else { return Err(Turn::Fail) };
        let coding = tx.response.field(Known::TransferEncoding).filter(|te| contains_word(te, b"chunked"));
        let odd = coding.is_some_and(|te| !te.eq_ignore_ascii_case(b"chunked"));
        let old = tx.answer_version < Version::V1_1;
        let chunked = coding.is_some();
        let length = tx.response.field(Known::ContentLength).map(number::length);
        let ranges =
            tx.response.field(Known::ContentType).is_some_and(|t| contains_word(t, b"multipart/byteranges"));
        self.response_headers(sink);
        self.response.has_body = true;
        let mut flaws = [None, None];
        let state = match length {
            _ if chunked => {
                flaws = [
                    odd.then_some(&anomaly::RESPONSE_ABNORMAL_TRANSFER_ENCODING),
                    old.then_some(&anomaly::RESPONSE_CHUNKED_OLD_PROTO),
                ];
                State::ChunkSize
            }
            Some(None) => {
                return Err(self.fail(SIDE, &anomaly::INVALID_CONTENT_LENGTH_FIELD_IN_RESPONSE, sink));
            }
            Some(Some(n)) => {
                flaws = [
                    n.before.then_some(&anomaly::CONTENT_LENGTH_EXTRA_DATA_START),
                    n.behind.then_some(&anomaly::CONTENT_LENGTH_EXTRA_DATA_END),
                ];
                self.response.left = n.value;
                self.response.has_body = n.value > 0;
                if n.value == 0 { State::Finish } else { State::Body }
            }
            None if ranges => return Err(self.fail(SIDE, &anomaly::RESPONSE_MULTIPART_BYTERANGES, sink)),
            None => State::Close,
        };
        for what in flaws.into_iter().flatten() {
            self.tell(SIDE, what, sink);
        }
        Ok(state)
    }

    /// A response that must have no body says that it has one: what comes next shows who is right.
    fn response_doubt(&mut self, rest: &[u8]) -> Turn {
        const NEXT: &[u8] = b"HTTP/";
        if rest.len() < NEXT.len() && NEXT.starts_with(rest) {
            return Turn::Want(NEXT.len());
        }
        let wrong = rest.starts_with(NEXT);
        self.response.has_body = !wrong;
        self.response_to(if wrong { State::Finish } else { State::Body }, 0)
    }

    fn response_body(&mut self, rest: &[u8], sink: &mut dyn Sink) -> Turn {
        let (turn, over) = self.some_body(SIDE, rest, sink);
        if over {
            let chunk = self.response.state == State::Chunk;
            self.response.state = if chunk { State::ChunkEnd } else { State::Finish };
        }
        turn
    }

    fn response_chunk_size(&mut self, rest: &[u8], sink: &mut dyn Sink) -> Turn {
        let Some(len) = self.response.line(rest) else {
            return match rest.len() {
                _ if !number::may_be_chunk(rest) => self.not_chunked(sink),
                n if n > self.settings.line => self.too_long(SIDE, sink),
                n => Turn::Want(n + 1),
            };
        };
        let line = until(rest, len);
        self.count(SIDE, len);
        if line.iter().all(|&b| is_space(b)) {
            return Turn::Eat(len);
        }
        match number::chunk(line) {
            Chunk::None => Turn::Eat(len),
            Chunk::Invalid => self.not_chunked(sink),
            Chunk::Length(n, extended) => {
                if extended {
                    self.tell(SIDE, &anomaly::RESPONSE_CHUNK_EXTENSION, sink);
                }
                self.response.left = n;
                self.response.first_field = true;
                self.response_to(if n == 0 { State::Trailer } else { State::Chunk }, len)
            }
        }
    }

    /// A chunk without a length: browsers take all the rest as it is.
    fn not_chunked(&mut self, sink: &mut dyn Sink) -> Turn {
        self.tell(SIDE, &anomaly::INVALID_RESPONSE_CHUNK_LEN, sink);
        self.response_to(State::Close, 0)
    }

    fn response_chunk_end(&mut self, rest: &[u8]) -> Turn {
        if rest.is_empty() {
            return Turn::Want(1);
        }
        match memchr::memchr(b'\n', rest) {
            Some(lf) => {
                self.count(SIDE, lf + 1);
                self.response_to(State::ChunkSize, lf + 1)
            }
            None => {
                self.count(SIDE, rest.len());
                Turn::Eat(rest.len())
            }
        }
    }

    /// Behind a response: another one, or bytes that are taken for a part of its body.
    fn response_finish(&mut self, rest: &[u8], last: bool, sink: &mut dyn Sink) -> Turn {
        let len = match rest {
            [] => return self.response_complete(sink),
            [b'\n', ..] => rest.len(),
            _ if rest.starts_with(b"HTTP/") => return self.response_complete(sink),
            _ => match self.response.line(rest) {
                Some(len) => len,
                None if last => rest.len(),
                None if rest.len() > self.settings.line => return self.too_long(SIDE, sink),
                None => return Turn::Want(rest.len() + 1),
            },
        };
        let junk = until(rest, len);
        if line::is_status(junk) {
            return self.response_complete(sink);
        }
        self.tell_once(SIDE, &anomaly::RESPONSE_BODY_UNEXPECTED, sink);
        self.body_data(SIDE, junk, sink);
        Turn::Eat(len)
    }

    /// Ends the response at hand.
    fn response_complete(&mut self, sink: &mut dyn Sink) -> Turn {
        if self.request.id == self.response.id && self.request.state == request::State::Connect {
            self.request_complete(sink);
        }
        self.complete(SIDE, sink);
        self.response.id += 1;
        self.response_to(State::Idle, 0)
    }

    /// Bytes of the response side were lost.
    pub(super) fn response_gap(&mut self, missing: u64, sink: &mut dyn Sink) -> Step {
        match self.response.state {
            State::Idle => {
                self.response.lost = true;
                self.tell_gap(SIDE, true, sink);
            }
            State::Doubt | State::Body | State::Chunk => {
                if self.response.state == State::Doubt {
                    self.response.state = State::Body;
                }
                // Where chunks end is known, but not to Suricata, and what it says of that is said here, too.
                let chunk = self.response.state == State::Chunk;
                if chunk {
                    self.tell_gap(SIDE, true, sink);
                }
                if !self.some_gap(SIDE, missing, sink) {
                    return Step::All;
                }
                let exact = self.response.left == missing;
                self.response.left = 0;
                self.response.state = if chunk && exact { State::ChunkEnd } else { State::Finish };
                self.response.lost |= !exact;
                if !chunk {
                    // The message is over, and what follows may have been lost with its end.
                    self.response_complete(sink);
                    self.tell_gap(SIDE, true, sink);
                }
            }
            State::Close => {
                if let Some((body, tx)) = self.body(SIDE) {
                    tx.count(SIDE, missing);
                    body.gap(missing, tx, sink);
                }
            }
            State::Finish => {
                self.response.lost = true;
                self.response_complete(sink);
            }
            state => {
                self.response.lost |= state == State::Line;
                self.tell_gap(SIDE, true, sink);
            }
        }
        Step::All
    }

    /// No more bytes of the response side will come. As in Suricata a file that ends so is closed, whatever its length
    /// was said to be.
    pub(super) fn end_response(&mut self, sink: &mut dyn Sink) {
        match self.response.state {
            State::Idle | State::Line => return,
            State::Fields => {
                self.response_headers(sink);
            }
            State::Doubt => self.response.has_body = false,
            _ => {}
        }
        self.response_complete(sink);
    }
}

/// The protocol that an `Upgrade` field names, if it is one that can be followed.
fn upgrade(value: &[u8]) -> Option<&'static str> {
    if contains_word(value, b"h2c") {
        Some("http2")
    } else if equals_word(value, b"websocket") {
        Some("websocket")
    } else {
        None
    }
}
