//! The request side (RFC 9112, 3 and 6), state by state.

use super::bytes::{chomp, contains_word, is_space, run, until};
use super::exchange::{Exchange, Stage, is_known_authorization};
use super::head::{Head, Known};
use super::line::{self, Method, Version};
use super::number::{self, Chunk};
use super::parser::{Http, Turn};
use super::{REQUEST_FRAME, anomaly, buffers, uri};
use parse::{Anomaly, Frame, Side, Sink, Step};

const SIDE: Side = Side::ToServer;

/// What the request side waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// The first byte of a request.
    Idle,
    Line,
    /// Whether fields follow a line without a version.
    Version,
    Fields,
    /// What the server says to CONNECT.
    Connect,
    /// A body of known length.
    Body,
    ChunkSize,
    Chunk,
    ChunkEnd,
    Trailer,
    /// Whether what follows is another request.
    Finish,
    /// Nothing: a request of version 0.9 is the last one.
    Nine,
}

/// White space behind a line without a version that is still taken for nothing.
const MOST_BLANKS: usize = 16;

/// How a body is framed.
enum Framing {
    None,
    Length(u64),
    Chunked,
    /// In a way that cannot be followed.
    Invalid(&'static Anomaly),
}

impl Http {
    /// One step of the request side.
    pub(super) fn request_turn(&mut self, rest: &[u8], offset: u64, last: bool, sink: &mut dyn Sink) -> Turn {
        match self.request.state {
            State::Idle => self.request_idle(rest, offset, last, sink),
            State::Line => self.request_line(rest, last, sink),
            State::Version => self.request_version(rest, sink),
            State::Fields => match self.fields(SIDE, rest, last, sink) {
                Ok(n) => self.request_fields_over(n, sink),
                Err(turn) => turn,
            },
            State::Connect => self.request_connect(rest),
            State::Body | State::Chunk => self.request_body(rest, sink),
            State::ChunkSize => self.request_chunk_size(rest, sink),
            State::ChunkEnd => self.request_chunk_end(rest),
            State::Trailer => match self.fields(SIDE, rest, last, sink) {
                Ok(n) => self.request_to(State::Finish, n),
                Err(turn) => turn,
            },
            State::Finish => self.request_finish(rest, last, sink),
            State::Nine if rest.is_empty() => Turn::Want(1),
            State::Nine => Turn::Eat(rest.len()),
        }
    }

    fn request_to(&mut self, state: State, eaten: usize) -> Turn {
        self.request.state = state;
        Turn::Eat(eaten)
    }

    /// Passes over empty lines; anything else begins a request.
    fn request_idle(&mut self, rest: &[u8], offset: u64, last: bool, sink: &mut dyn Sink) -> Turn {
        match rest {
            [] => return Turn::Want(1),
            [b'\r', b'\n', ..] => return Turn::Eat(2),
            [b'\n', ..] => return Turn::Eat(1),
            [b'\r'] if !last => return Turn::Want(2),
            _ => {}
        }
        let Some(tx) = self.begin() else { return Turn::Fail };
        tx.set_stage(SIDE, Stage::Begun);
        let id = tx.id;
        self.request.id = id;
        self.request.has_body = false;
        sink.frame(Frame { kind: &REQUEST_FRAME, side: SIDE, offset, len: None, tx: Some(id) });
        self.request_to(State::Line, 0)
    }

    fn request_line(&mut self, rest: &[u8], last: bool, sink: &mut dyn Sink) -> Turn {
        let len = match self.request.line(rest) {
            Some(len) => len,
            None if last && !rest.is_empty() => rest.len(),
            None if rest.len() <= self.settings.line => return Turn::Want(rest.len() + 1),
            None => rest.len(),
        };
        let line = until(rest, len);
        if self.request.lost && !looks_like_request(line) {
            return Turn::Eat(len);
        }
        self.request.lost = false;
        if len > self.settings.line {
            return self.too_long(SIDE, sink);
        }
        if line::is_empty(line) {
            return Turn::Eat(len);
        }
        self.take_request_line(line, sink);
        Turn::Eat(len)
    }

    fn take_request_line(&mut self, line: &[u8], sink: &mut dyn Sink) {
        let text = chomp(line);
        let parts = line::request(text);
        let method = Method::of(text.get(parts.method.clone()).unwrap_or_default());
        let protocol = parts.protocol.clone().and_then(|range| text.get(range));
        let (version, padded) = protocol.map_or((Version::V0_9, false), line::version);
        let Some(tx) = self.at(SIDE) else { return };
        tx.request.start(line, text.len());
        (tx.method, tx.version, tx.nine) = (method, version, protocol.is_none());
        tx.method_text = Some(Head::part(&parts.method));
        tx.uri = parts.uri.as_ref().map(Head::part);
        tx.protocol = parts.protocol.as_ref().map(Head::part);
        let bad_host = host_of_uri(tx);
        tx.set_stage(SIDE, Stage::Line);
        self.request.state = if protocol.is_none() { State::Version } else { State::Fields };
        self.request.first_field = true;
        let unknown = method == Method::Unknown;
        for (wrong, what) in [
            (parts.leading, &anomaly::REQUEST_LINE_LEADING_WHITESPACE),
            (parts.method_delimiter, &anomaly::METHOD_DELIM_NON_COMPLIANT),
            (parts.uri_delimiter, &anomaly::URI_DELIM_NON_COMPLIANT),
            (unknown && parts.uri.is_none(), &anomaly::REQUEST_LINE_UNKNOWN_METHOD),
            (
                unknown && parts.uri.is_some() && protocol.is_none(),
                &anomaly::REQUEST_LINE_UNKNOWN_METHOD_NO_PROTOCOL,
            ),
            (unknown && version == Version::Invalid, &anomaly::REQUEST_LINE_UNKNOWN_METHOD_INVALID_PROTOCOL),
            (padded, &anomaly::PROTOCOL_CONTAINS_EXTRA_DATA),
            (bad_host, &anomaly::REQUEST_URI_HOST_INVALID),
        ] {
            if wrong {
                self.tell(SIDE, what, sink);
            }
        }
        self.progress(SIDE, buffers::LINE, sink);
    }

    /// A line without a version is a request of version 0.9, unless more than white space follows it.
    fn request_version(&mut self, rest: &[u8], sink: &mut dyn Sink) -> Turn {
        let blanks = run(rest, is_space);
        if blanks == rest.len() && blanks <= MOST_BLANKS {
            return Turn::Want(rest.len() + 1);
        }
        if let Some(tx) = self.at(SIDE) {
            tx.nine = false;
        }
        self.tell(SIDE, &anomaly::REQUEST_LINE_MISSING_PROTOCOL, sink);
        self.request_to(State::Fields, 0)
    }

    /// The fields are complete: what they say about host and body.
    fn request_fields_over(&mut self, eaten: usize, sink: &mut dyn Sink) -> Turn {
        self.request_host(sink);
        let Some(tx) = self.at(SIDE) else { return Turn::Fail };
        let known = tx.request.field(Known::Authorization).is_none_or(is_known_authorization);
        let (framing, flaws) = framing(tx);
        tx.set_stage(SIDE, Stage::Headers);
        let method = tx.method;
        if !known {
            self.tell(SIDE, &anomaly::REQUEST_AUTH_UNRECOGNIZED, sink);
        }
        for what in flaws.into_iter().flatten() {
            self.tell(SIDE, what, sink);
        }
        if let Some((body, tx)) = self.body(SIDE) {
            body.open(tx, matches!(method, Method::Post | Method::Put), sink);
        }
        self.progress(SIDE, buffers::HEADERS, sink);
        self.request.left = 0;
        let state = match framing {
            _ if method == Method::Connect => State::Connect,
            Framing::None | Framing::Length(0) => State::Finish,
            Framing::Length(n) => {
                self.request.left = n;
                State::Body
            }
            Framing::Chunked => State::ChunkSize,
            Framing::Invalid(what) => return self.fail(SIDE, what, sink),
        };
        self.request.has_body = matches!(state, State::Body | State::ChunkSize);
        self.request_to(state, eaten)
    }

    /// Settles the host: the URI's, or else the Host field's; tells when they disagree.
    fn request_host(&mut self, sink: &mut dyn Sink) {
        let Some(tx) = self.at(SIDE) else { return };
        let mut flaws = [None, None];
        match tx.request.field(Known::Host) {
            None if tx.version >= Version::V1_1 => flaws = [Some(&anomaly::MISSING_HOST_HEADER), None],
            None => {}
            Some(value) => {
                let authority = uri::hostport(value);
                let invalid =
                    authority.is_some_and(|a| !a.valid).then_some(&anomaly::REQUEST_HEADER_HOST_INVALID);
                let known = tx.host.map(|span| tx.request.get(span));
                let ambiguous = match (known, authority) {
                    (Some(_), None) => true,
                    (Some(host), Some(a)) => {
                        let port = a.port.is_some_and(|port| tx.port.is_some() && tx.port != port);
                        port || !host.eq_ignore_ascii_case(a.host)
                    }
                    (None, _) => false,
                };
                flaws = [invalid, ambiguous.then_some(&anomaly::HOST_HEADER_AMBIGUOUS)];
                if let (None, Some(a)) = (known, authority) {
                    let (host, port) = (a.host.to_ascii_lowercase(), a.port);
                    tx.host = Some(tx.request.rewrite(|out| out.extend_from_slice(&host)));
                    tx.port = port.flatten();
                }
            }
        }
        if let Some(host) = tx.host {
            let name = tx.request.get(host);
            sink.host(name.strip_suffix(b".").unwrap_or(name));
        }
        for what in flaws.into_iter().flatten() {
            self.tell(SIDE, what, sink);
        }
    }

    /// Behind CONNECT nothing is read until the server has answered.
    fn request_connect(&mut self, rest: &[u8]) -> Turn {
        let answered =
            self.at(SIDE).is_none_or(|tx| matches!(tx.stage, [_, Stage::Headers | Stage::Complete]));
        if answered { self.request_to(State::Finish, 0) } else { Turn::Want(rest.len() + 1) }
    }

    /// Bytes of a body, or of a chunk of one.
    fn request_body(&mut self, rest: &[u8], sink: &mut dyn Sink) -> Turn {
        let (turn, over) = self.some_body(SIDE, rest, sink);
        if over {
            let chunk = self.request.state == State::Chunk;
            self.request.state = if chunk { State::ChunkEnd } else { State::Finish };
        }
        turn
    }

    fn request_chunk_size(&mut self, rest: &[u8], sink: &mut dyn Sink) -> Turn {
        let Some(len) = self.request.line(rest) else {
            return match rest.len() {
                _ if !number::may_be_chunk(rest) => {
                    self.fail(SIDE, &anomaly::INVALID_REQUEST_CHUNK_LEN, sink)
                }
                n if n > self.settings.line => self.too_long(SIDE, sink),
                n => Turn::Want(n + 1),
            };
        };
        let line = until(rest, len);
        self.count(SIDE, len);
        if line.iter().all(|&b| is_space(b)) {
            return Turn::Eat(len);
        }
        let Chunk::Length(n, extended) = number::chunk(line) else {
            return self.fail(SIDE, &anomaly::INVALID_REQUEST_CHUNK_LEN, sink);
        };
        if extended {
            self.tell(SIDE, &anomaly::REQUEST_CHUNK_EXTENSION, sink);
        }
        self.request.left = n;
        self.request.first_field = true;
        self.request_to(if n == 0 { State::Trailer } else { State::Chunk }, len)
    }

    fn request_chunk_end(&mut self, rest: &[u8]) -> Turn {
        if rest.is_empty() {
            return Turn::Want(1);
        }
        match memchr::memchr(b'\n', rest) {
            Some(lf) => {
                self.count(SIDE, lf + 1);
                self.request_to(State::ChunkSize, lf + 1)
            }
            None => {
                self.count(SIDE, rest.len());
                Turn::Eat(rest.len())
            }
        }
    }

    /// Behind a request: another one, or bytes that are taken for a part of its body.
    fn request_finish(&mut self, rest: &[u8], last: bool, sink: &mut dyn Sink) -> Turn {
        if rest.is_empty() {
            return self.request_complete(sink);
        }
        let word = run(rest, is_space);
        let word_len = rest.get(word..).map_or(0, |word| run(word, |b| !is_space(b)));
        let method = Method::of(rest.get(word..word + word_len).unwrap_or_default());
        if method != Method::Unknown && word + word_len < rest.len() {
            return self.request_complete(sink);
        }
        let len = match self.request.line(rest) {
            Some(len) => len,
            None if last => rest.len(),
            None if rest.len() > self.settings.line => return self.too_long(SIDE, sink),
            None => return Turn::Want(rest.len() + 1),
        };
        let line = until(rest, len);
        if !line.iter().all(|&b| is_space(b)) {
            self.tell_once(SIDE, &anomaly::REQUEST_BODY_UNEXPECTED, sink);
        }
        self.body_data(SIDE, line, sink);
        Turn::Eat(len)
    }

    /// Ends the request at hand.
    pub(super) fn request_complete(&mut self, sink: &mut dyn Sink) -> Turn {
        let nine = self.at(SIDE).is_some_and(|tx| tx.nine);
        self.complete(SIDE, sink);
        self.request_to(if nine { State::Nine } else { State::Idle }, 0)
    }

    /// Bytes of the request side were lost.
    pub(super) fn request_gap(&mut self, missing: u64, sink: &mut dyn Sink) -> Step {
        match self.request.state {
            State::Idle => {
                self.request.lost = true;
                self.tell_gap(SIDE, false, sink);
            }
            State::Nine | State::Connect => {}
            State::Body | State::Chunk => {
                let chunk = self.request.state == State::Chunk;
                if chunk {
                    self.tell_gap(SIDE, true, sink);
                }
                let over = self.some_gap(SIDE, missing, sink);
                if !over {
                    return Step::All;
                }
                let exact = self.request.left == missing;
                self.request.left = 0;
                self.request.state = if chunk && exact { State::ChunkEnd } else { State::Finish };
                self.request.lost |= !exact;
                if !chunk {
                    // The message is over, and what follows may have been lost with its end.
                    self.request_complete(sink);
                    self.tell_gap(SIDE, true, sink);
                }
            }
            State::Finish => {
                self.request.lost = true;
                self.request_complete(sink);
            }
            state => {
                self.request.lost |= state == State::Line;
                self.tell_gap(SIDE, true, sink);
            }
        }
        Step::All
    }

    /// No more bytes of the request side will come.
    pub(super) fn end_request(&mut self, sink: &mut dyn Sink) {
        if self.request.state == State::Fields {
            self.request_fields_over(0, sink);
        }
        if matches!(self.request.state, State::Version | State::Trailer | State::Finish) {
            self.request_complete(sink);
        }
    }
}

/// Whether a line behind lost bytes begins a request: its method or its version is known.
fn looks_like_request(line: &[u8]) -> bool {
    let parts = line::request(chomp(line));
    let text = |range| line.get(range).unwrap_or_default();
    let version = parts.protocol.clone().map_or(Version::Unknown, |range| line::version(text(range)).0);
    let method = Method::of(text(parts.method));
    version >= Version::V0_9 || (method != Method::Unknown && parts.uri.is_some())
}

/// Takes the host from the URI, if it has one; says whether it is malformed.
fn host_of_uri(tx: &mut Exchange) -> bool {
    let Some(uri) = tx.uri.map(|span| tx.request.get(span)).filter(|uri| uri::may_have_host(uri)) else {
        return false;
    };
    let (mut host, mut bad) = (Vec::new(), false);
    if tx.method == Method::Connect {
        let Some(authority) = uri::hostport(uri) else { return false };
        host.extend(authority.host.to_ascii_lowercase());
        bad = !authority.valid;
        tx.port = authority.port.flatten();
    } else {
        let parts = uri::split(uri);
        let Some(raw) = parts.host else { return false };
        uri::normal_host(raw, &mut host);
        let port = parts.port.map(number::port);
        bad |= port == Some(None) || !uri::is_host(&host);
        tx.port = port.flatten();
    }
    tx.host = Some(tx.request.rewrite(|out| out.append(&mut host)));
    bad
}

/// How the body is framed (RFC 9112, 6.3), and what is odd about that.
fn framing(tx: &Exchange) -> (Framing, [Option<&'static Anomaly>; 2]) {
    let coding = tx.request.field(Known::TransferEncoding);
    let length = tx.request.field(Known::ContentLength);
    match (coding, length) {
        (Some(coding), _) if contains_word(coding, b"chunked") => {
            let early = tx.version < Version::V1_1;
            (Framing::Chunked, [early.then_some(&anomaly::INVALID_TRANSFER_ENCODING_VALUE_IN_REQUEST), None])
        }
        (Some(_), _) => (Framing::Invalid(&anomaly::INVALID_TRANSFER_ENCODING_VALUE_IN_REQUEST), [None; 2]),
        (None, Some(length)) => match number::length(length) {
            Some(n) => {
                let before = n.before.then_some(&anomaly::CONTENT_LENGTH_EXTRA_DATA_START);
                (
                    Framing::Length(n.value),
                    [before, n.behind.then_some(&anomaly::CONTENT_LENGTH_EXTRA_DATA_END)],
                )
            }
            None => (Framing::Invalid(&anomaly::INVALID_CONTENT_LENGTH_FIELD_IN_REQUEST), [None; 2]),
        },
        (None, None) => (Framing::None, [None; 2]),
    }
}
