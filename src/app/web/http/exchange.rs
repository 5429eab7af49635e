//! One exchange: a request and its response, and everything that is told about them.

use super::bytes::{from, is_token, run, starts_nocase, trim, until};
use super::head::{Head, Known, Span};
use super::line::{Method, Version};
use super::number;
use super::{fields, uri};
use parse::{Buffer, FileEnd, Side, Visitor};
use std::cell::{Cell, OnceCell};

/// How far one side of an exchange came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    #[default]
    Unseen,
    Begun,
    Line,
    Headers,
    Complete,
}

/// What the URI of a response without a request is said to be.
const UNSEEN_URI: &[u8] = b"/libhtp::request_uri_not_seen";

/// Buffers of one side that are put together only when a rule asks for them.
#[derive(Debug, Default)]
struct Lazy {
    header: OnceCell<Vec<u8>>,
    names: OnceCell<Vec<u8>>,
    start: OnceCell<Vec<u8>>,
    /// Every field, and where each one ends.
    each: OnceCell<(Vec<u8>, Vec<usize>)>,
}

/// A request and its response.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    pub(super) id: u64,
    pub(super) request: Head,
    pub(super) response: Head,
    /// Stage of the request and of the response.
    pub(super) stage: [Stage; 2],
    pub(super) method: Method,
    pub(super) method_text: Option<Span>,
    pub(super) uri: Option<Span>,
    pub(super) protocol: Option<Span>,
    pub(super) version: Version,
    /// The request has no version and no fields: its response has no head.
    pub(super) nine: bool,
    /// The response came without a request.
    pub(super) unmatched: bool,
    /// Host in normal form.
    pub(super) host: Option<Span>,
    pub(super) port: Option<u16>,
    pub(super) answer_protocol: Option<Span>,
    pub(super) answer_version: Version,
    pub(super) status_text: Option<Span>,
    pub(super) status: Option<u16>,
    pub(super) message: Option<Span>,
    /// A status line was read.
    pub(super) answered: bool,
    /// 100 Continue was seen.
    pub(super) continued: bool,
    /// Bytes of the bodies as sent, framing of chunks included.
    pub(super) sent: [u64; 2],
    /// Kinds of malformed fields told already, each side.
    pub(super) told: [u8; 2],
    pub(super) all_headers: bool,
    /// How the uploaded file ended that was not told of yet.
    pub(super) upload: Cell<Option<FileEnd>>,
    normal_uri: OnceCell<Option<Vec<u8>>>,
    path: OnceCell<Vec<u8>>,
    lazy: [Lazy; 2],
}

impl Exchange {
    /// Makes a used one new; the room it holds is kept.
    pub(super) fn renew(&mut self, id: u64, all_headers: bool) {
        let (mut request, mut response) =
            (std::mem::take(&mut self.request), std::mem::take(&mut self.response));
        request.clear();
        response.clear();
        *self = Self { id, request, response, all_headers, ..Self::default() };
    }

    /// Whether it is over on both sides.
    pub(super) fn is_complete(&self) -> bool {
        self.stage == [Stage::Complete; 2]
    }

    /// Whether there is anything to tell about it: the beginning of a request line alone is not.
    pub(super) fn is_known(&self) -> bool {
        self.method_text.is_some() || self.unmatched || self.stage != [Stage::Begun, Stage::Unseen]
    }

    /// Head of one side.
    pub(super) fn head(&self, side: Side) -> &Head {
        match side {
            Side::ToServer => &self.request,
            Side::ToClient => &self.response,
        }
    }

    /// Head of one side.
    pub(super) fn head_mut(&mut self, side: Side) -> &mut Head {
        match side {
            Side::ToServer => &mut self.request,
            Side::ToClient => &mut self.response,
        }
    }

    /// Stage of one side.
    pub(super) fn set_stage(&mut self, side: Side, stage: Stage) {
        if let Some(slot) = self.stage.get_mut(side.index()) {
            *slot = stage;
        }
    }

    /// Counts bytes of a body as sent.
    pub(super) fn count(&mut self, side: Side, bytes: u64) {
        if let Some(sent) = self.sent.get_mut(side.index()) {
            *sent = sent.saturating_add(bytes);
        }
    }

    /// Forgets a response that another one follows.
    pub(super) fn forget_response(&mut self) {
        self.response.forget();
        let [_, lazy] = &mut self.lazy;
        *lazy = Lazy::default();
        (self.answer_protocol, self.status_text, self.message) = (None, None, None);
        (self.status, self.answered, self.answer_version) = (None, false, Version::Unknown);
    }

    /// URI as sent.
    pub(super) fn uri(&self) -> Option<&[u8]> {
        if self.unmatched {
            return Some(UNSEEN_URI);
        }
        self.uri.map(|span| self.request.get(span))
    }

    /// Path of the URI in normal form: the name of files that have none of their own.
    pub(super) fn path(&self) -> Option<&[u8]> {
        let uri = self.uri().filter(|_| self.method != Method::Connect)?;
        let path = uri::split(uri).path?;
        if uri::is_normal(path) {
            return Some(path);
        }
        let normal = || {
            let mut out = Vec::new();
            uri::normal_path(path, &mut out);
            out
        };
        Some(self.path.get_or_init(normal))
    }

    fn normal_uri(&self) -> Option<&[u8]> {
        let uri = self.uri.filter(|_| self.method != Method::Connect).map(|span| self.request.get(span))?;
        if uri::is_whole_normal(uri) {
            return Some(uri);
        }
        self.normal_uri.get_or_init(|| uri::normal(&uri::split(uri))).as_deref()
    }

    /// Host as sent: the URI's, or else the field's.
    fn raw_host(&self) -> Option<&[u8]> {
        let uri = self.uri.map(|span| self.request.get(span)).filter(|uri| uri::may_have_host(uri));
        let in_uri = uri.and_then(|uri| match self.method {
            Method::Connect => uri::hostport(uri).map(|a| a.host),
            _ => uri::split(uri).host,
        });
        in_uri.or_else(|| self.request.field(Known::Host))
    }

    /// A span of one side's head.
    fn text(&self, side: Side, span: Option<Span>) -> Option<&[u8]> {
        span.map(|span| self.head(side).get(span))
    }

    /// A buffer that is put together from several fields.
    fn composed(&self, which: &str, side: Side, index: usize) -> Option<&[u8]> {
        let lazy = self.lazy.get(side.index())?;
        let head = self.head(side);
        if self.stage.get(side.index())? < &Stage::Headers {
            return None;
        }
        match which {
            "http.header" => Some(lazy.header.get_or_init(|| header(head))),
            "http.header_names" => Some(lazy.names.get_or_init(|| names(head))),
            "http.start" => Some(lazy.start.get_or_init(|| start(head))),
            _ => {
                let (bytes, ends) = lazy.each.get_or_init(|| each(head));
                let begin = index.checked_sub(1).map_or(Some(0), |before| ends.get(before).copied())?;
                bytes.get(begin..*ends.get(index)?)
            }
        }
    }
}

/// Every field but cookies, one a line.
fn header(head: &Head) -> Vec<u8> {
    let mut out = Vec::with_capacity(head.size());
    for (name, value) in head.fields() {
        if !name.eq_ignore_ascii_case(b"cookie") && !name.eq_ignore_ascii_case(b"set-cookie") {
            field(&mut out, name, value, b"\r\n");
        }
    }
    out
}

/// The names of the fields, each between line ends.
fn names(head: &Head) -> Vec<u8> {
    let mut out = b"\r\n".to_vec();
    for (name, _) in head.fields() {
        out.extend_from_slice(name);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
    out
}

/// First line and fields.
fn start(head: &Head) -> Vec<u8> {
    let mut out = head.get(head.line).to_vec();
    out.extend_from_slice(b"\r\n");
    for (name, value) in head.fields() {
        field(&mut out, name, value, b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
    out
}

/// Every field, one behind the other, and where each one ends.
fn each(head: &Head) -> (Vec<u8>, Vec<usize>) {
    let (mut out, mut ends) = (Vec::with_capacity(head.size()), Vec::with_capacity(head.len()));
    for (name, value) in head.fields() {
        field(&mut out, name, value, b"");
        ends.push(out.len());
    }
    (out, ends)
}

fn field(out: &mut Vec<u8>, name: &[u8], value: &[u8], end: &[u8]) {
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(end);
}

impl parse::Transaction for Exchange {
    fn id(&self) -> u64 {
        self.id
    }

    fn buffer(&self, which: &'static Buffer, side: Side, index: usize) -> Option<&[u8]> {
        use Side::{ToClient, ToServer};
        if index > 0 && !which.many {
            return None;
        }
        let named = |known| self.head(side).field(known);
        match (which.name, side) {
            ("http.method", ToServer) => self.text(side, self.method_text),
            ("http.uri", ToServer) => self.normal_uri(),
            ("http.uri.raw", ToServer) => self.text(side, self.uri),
            ("http.protocol", ToServer) => self.text(side, self.protocol),
            ("http.protocol", ToClient) => self.text(side, self.answer_protocol),
            ("http.request_line", ToServer) | ("http.response_line", ToClient) => {
                Some(self.head(side)).map(|head| head.get(head.line)).filter(|line| !line.is_empty())
            }
            ("http.stat_code", ToClient) => self.text(side, self.status_text),
            ("http.stat_msg", ToClient) => self.text(side, self.message),
            ("http.host", ToServer) => self.text(side, self.host),
            ("http.host.raw", ToServer) => self.raw_host(),
            ("http.user_agent", ToServer) => named(Known::UserAgent),
            ("http.referer", ToServer) => named(Known::Referer),
            ("http.accept", ToServer) => named(Known::Accept),
            ("http.accept_lang", ToServer) => named(Known::AcceptLanguage),
            ("http.accept_enc", ToServer) => named(Known::AcceptEncoding),
            ("http.cookie", ToServer) => named(Known::Cookie),
            ("http.cookie", ToClient) => named(Known::SetCookie),
            ("http.content_type", _) => named(Known::ContentType),
            ("http.content_len", _) => named(Known::ContentLength),
            ("http.connection", _) => named(Known::Connection),
            ("http.server", ToClient) => named(Known::Server),
            ("http.location", ToClient) => named(Known::Location),
            ("http.header.raw", _) => Some(self.head(side).block()).filter(|block| !block.is_empty()),
            ("http.header" | "http.header_names" | "http.start", _)
            | ("http.request_header", ToServer)
            | ("http.response_header", ToClient) => self.composed(which.name, side, index),
            _ => None,
        }
    }

    fn fields(&self, v: &mut dyn Visitor) {
        v.object(&fields::HTTP);
        self.basic(v);
        self.extended(v);
        if self.all_headers {
            all(v, &fields::REQUEST_HEADERS, &self.request);
            all(v, &fields::RESPONSE_HEADERS, &self.response);
        }
        v.close();
    }

    fn elements(&self, v: &mut dyn Visitor) {
        v.object(&fields::HTTP);
        self.basic(v);
        self.extended(v);
        if let Some(server) = self.response.field(Known::Server) {
            v.text(&fields::SERVER, server);
        }
        if let Some(cookies) = self.response.field(Known::SetCookie) {
            v.text(&fields::COOKIE_NAMES, &cookie_names(cookies));
        }
        v.close();
    }
}

/// The names in joined Set-Cookie fields, with commas between them. A comma within a date is followed by no name.
fn cookie_names(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for cookie in value.split(|&b| b == b',') {
        let cookie = trim(cookie);
        let name = until(cookie, run(cookie, is_token));
        if !name.is_empty() && cookie.get(name.len()) == Some(&b'=') {
            if !out.is_empty() {
                out.push(b',');
            }
            out.extend_from_slice(name);
        }
    }
    out
}

impl Exchange {
    fn basic(&self, v: &mut dyn Visitor) {
        if let Some(host) = self.host {
            v.text(&fields::HOSTNAME, self.request.get(host));
        }
        if let Some(port) = self.port {
            v.number(&fields::PORT, u64::from(port));
        }
        if let Some(uri) = self.uri() {
            v.text(&fields::URL, uri);
        }
        if let Some(agent) = self.request.field(Known::UserAgent) {
            v.text(&fields::USER_AGENT, agent);
        }
        if let Some(xff) = self.request.field(Known::ForwardedFor) {
            v.text(&fields::XFF, xff);
        }
        if let Some(kind) = self.response.field(Known::ContentType) {
            v.text(&fields::CONTENT_TYPE, until(kind, run(kind, |b| b != b';')));
        }
        if let Some(raw) = self.response.field(Known::ContentRange) {
            v.object(&fields::CONTENT_RANGE);
            v.text(&fields::RANGE_RAW, raw);
            content_range(v, raw);
            v.close();
        }
    }

    fn extended(&self, v: &mut dyn Visitor) {
        if let Some(referer) = self.request.field(Known::Referer) {
            v.text(&fields::REFERER, referer);
        }
        if let Some(method) = self.method_text {
            v.text(&fields::METHOD, self.request.get(method));
        }
        if let Some(protocol) = self.protocol {
            v.text(&fields::PROTOCOL, self.request.get(protocol));
        }
        if let Some(status) = self.status {
            v.number(&fields::STATUS, u64::from(status));
        } else if let Some(status) = self.status_text {
            v.text(&fields::STATUS_STRING, self.response.get(status));
        }
        if let Some(location) = self.response.field(Known::Location) {
            v.text(&fields::REDIRECT, location);
        }
        let [_, length] = self.sent;
        v.number(&fields::LENGTH, length);
    }
}

fn content_range(v: &mut dyn Visitor, raw: &[u8]) {
    let Some(range) = number::range(raw) else { return };
    if let Some((start, end)) = range.bytes {
        v.number(&fields::RANGE_START, start);
        v.number(&fields::RANGE_END, end);
    }
    if let Some(size) = range.size {
        v.number(&fields::RANGE_SIZE, size);
    }
}

/// Every field of a message, cut to lengths that a log can bear.
fn all(v: &mut dyn Visitor, list: &'static parse::Field, head: &Head) {
    const LONGEST_NAME: usize = 255;
    const LONGEST_VALUE: usize = 2047;
    if head.len() == 0 {
        return;
    }
    v.list(list);
    for (name, value) in head.fields() {
        v.item();
        v.text(&fields::HEADER_NAME, until(name, LONGEST_NAME));
        v.text(&fields::HEADER_VALUE, until(value, LONGEST_VALUE));
        v.close();
    }
    v.close();
}

/// Whether an `Authorization` is of a kind that is known.
pub(super) fn is_known_authorization(value: &[u8]) -> bool {
    let value = from(value, run(value, |b| b == b' '));
    [&b"basic"[..], b"digest", b"bearer"].iter().any(|kind| starts_nocase(value, kind))
}
