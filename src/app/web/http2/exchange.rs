//! One transaction: a stream, or one frame of the connection itself; and everything that is told about it.

use super::head::{Head, Known};
use super::wire::{self, Header, kind};
use super::{anomaly, show};
use crate::http::bytes::{from, until};
use parse::{Anomaly, Buffer, Side, Transaction, Visitor};
use std::cell::OnceCell;

/// Most numbers of one sort that are kept of the frames of one side.
const MOST_MARKS: u8 = 64;

/// What a number that a frame carried is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Of {
    Kind,
    Error,
    Weight,
    Window,
    Setting,
    Resize,
}

/// A number that a frame carried, in network order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    pub(super) of: Of,
    len: u8,
    bytes: [u8; 8],
}

impl Mark {
    pub(super) fn new(of: Of, number: &[u8]) -> Self {
        let mut bytes = [0; 8];
        for (to, from) in bytes.iter_mut().zip(number) {
            *to = *from;
        }
        Self { of, len: u8::try_from(number.len().min(8)).unwrap_or(8), bytes }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        until(&self.bytes, usize::from(self.len))
    }
}

/// Buffers of one side that are put together only when a rule asks for them.
#[derive(Debug, Default)]
struct Lazy {
    line: OnceCell<Vec<u8>>,
    host: OnceCell<Vec<u8>>,
    header: OnceCell<Vec<u8>>,
    raw: OnceCell<Vec<u8>>,
    names: OnceCell<Vec<u8>>,
    /// Every field, and where each one ends.
    each: OnceCell<(Vec<u8>, Vec<usize>)>,
}

/// One side of a transaction.
#[derive(Debug, Default)]
pub(super) struct Half {
    pub(super) head: Head,
    pub(super) marks: Vec<Mark>,
    /// How many of them there are of each sort.
    sorts: [u8; 6],
    /// Kinds of frames seen, as bits.
    kinds: u16,
    /// Its first header block was told.
    pub(super) began: bool,
    /// Nothing more comes on this side.
    pub(super) ended: bool,
    lazy: Lazy,
}

impl Half {
    fn clear(&mut self) {
        self.head.clear();
        self.marks.clear();
        self.sorts = [0; 6];
        (self.kinds, self.began, self.ended) = (0, false, false);
        self.lazy = Lazy::default();
    }

    /// More fields are about to come.
    pub(super) fn changed(&mut self) {
        self.head.changed();
        self.lazy = Lazy::default();
    }

    pub(super) fn mark(&mut self, of: Of, number: &[u8]) {
        if let Some(count) = self.sorts.get_mut(of as usize).filter(|count| **count < MOST_MARKS) {
            *count += 1;
            self.marks.push(Mark::new(of, number));
        }
    }

    /// Notes a frame and the numbers in it; gives what is wrong with it.
    pub(super) fn note(&mut self, frame: Header, payload: &[u8]) -> Option<&'static Anomaly> {
        self.note_kind(frame.kind);
        let whole = match frame.kind {
            kind::RST_STREAM | kind::WINDOW_UPDATE => payload.len() == 4,
            kind::PRIORITY => payload.len() == 5,
            kind::GOAWAY => payload.len() >= 8,
            _ => true,
        };
        if !whole {
            return Some(&anomaly::INVALID_FRAME_LENGTH);
        }
        match frame.kind {
            kind::RST_STREAM => self.mark(Of::Error, payload),
            kind::GOAWAY => self.mark(Of::Error, until(from(payload, 4), 4)),
            kind::PRIORITY => self.mark(Of::Weight, from(payload, 4)),
            kind::WINDOW_UPDATE => {
                let increment = payload.try_into().map_or(0, u32::from_be_bytes) & 0x7fff_ffff;
                self.mark(Of::Window, &increment.to_be_bytes());
            }
            kind::SETTINGS => {
                for (pair, _) in payload.chunks_exact(6).zip(wire::settings(payload)) {
                    self.mark(Of::Setting, pair);
                }
            }
            _ => {}
        }
        None
    }

    /// Notes a kind of frame, each once.
    fn note_kind(&mut self, kind: u8) {
        let known = 1u16.checked_shl(u32::from(kind));
        let seen = match known {
            Some(bit) => self.kinds & bit != 0,
            None => self.marks(Of::Kind).any(|seen| seen == [kind]),
        };
        if !seen {
            self.kinds |= known.unwrap_or(0);
            self.mark(Of::Kind, &[kind]);
        }
    }

    /// The numbers of one sort.
    pub(super) fn marks(&self, of: Of) -> impl Iterator<Item = &[u8]> {
        self.marks.iter().filter(move |mark| mark.of == of).map(Mark::bytes)
    }
}

/// A transaction.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    pub(super) id: u64,
    /// Number of the stream; 0 for the connection.
    pub(super) stream: u32,
    sides: [Half; 2],
}

impl Exchange {
    /// Makes a used one new; the room it holds is kept.
    pub(super) fn renew(&mut self, id: u64, stream: u32) {
        (self.id, self.stream) = (id, stream);
        for half in &mut self.sides {
            half.clear();
        }
    }

    pub(super) fn half(&self, side: Side) -> &Half {
        let [client, server] = &self.sides;
        if side == Side::ToServer { client } else { server }
    }

    pub(super) fn half_mut(&mut self, side: Side) -> &mut Half {
        let [client, server] = &mut self.sides;
        if side == Side::ToServer { client } else { server }
    }

    /// A field of the request; of a request that the server only promised, too.
    pub(super) fn requested(&self, known: Known) -> Option<&[u8]> {
        let [client, server] = &self.sides;
        client.head.first(known, 0).or_else(|| server.head.first(known, 0))
    }

    /// Path of the request, without the query: the name of its files.
    pub(super) fn path(&self) -> Option<&[u8]> {
        let path = self.requested(Known::Path)?;
        Some(until(path, memchr::memchr(b'?', path).unwrap_or(path.len())))
    }

    /// Whether an event is written about it.
    pub(super) fn says_something(&self) -> bool {
        self.sides.iter().any(|half| {
            half.head.len() > 0
                || half.marks.iter().any(|m| matches!(m.of, Of::Error | Of::Weight | Of::Setting))
        })
    }

    /// Heap bytes held.
    pub(super) fn held(&self) -> usize {
        self.sides.iter().map(|half| half.head.held() + half.marks.capacity() * size_of::<Mark>()).sum()
    }

    /// Bytes of the fields of both sides.
    pub(super) fn size(&self) -> usize {
        self.sides.iter().map(|half| half.head.size()).sum()
    }
}

impl Transaction for Exchange {
    fn id(&self) -> u64 {
        self.id
    }

    fn buffer(&self, which: &'static Buffer, side: Side, index: usize) -> Option<&[u8]> {
        let half = self.half(side);
        if which.many {
            return half.nth(which.name, index);
        }
        if index > 0 { None } else { half.single(which.name, side) }
    }

    fn fields(&self, visitor: &mut dyn Visitor) {
        show::show(self, visitor);
    }
}

impl Half {
    /// A buffer of which there is one.
    fn single(&self, which: &str, side: Side) -> Option<&[u8]> {
        let (head, lazy) = (&self.head, &self.lazy);
        let cookie = if side == Side::ToServer { Known::Cookie } else { Known::SetCookie };
        match which {
            "http.method" => head.first(Known::Method, 0),
            "http.uri" | "http.uri.raw" => head.first(Known::Path, 0),
            "http.protocol" => Some(b"HTTP/2"),
            "http.stat_msg" => Some(b""),
            "http.stat_code" => head.first(Known::Status, 0),
            "http.request_line" => {
                let (method, path) = (head.first(Known::Method, 0)?, head.first(Known::Path, 0)?);
                Some(lazy.line.get_or_init(|| [method, b" ", path, b" HTTP/2\r\n"].concat()))
            }
            "http.response_line" => {
                let status = head.first(Known::Status, 0)?;
                Some(lazy.line.get_or_init(|| [b"HTTP/2 ", status, b"\r\n"].concat()))
            }
            "http.host" => {
                self.authority().map(|a| lazy.host.get_or_init(|| host(a).to_ascii_lowercase()).as_slice())
            }
            "http.host.raw" => self.authority(),
            "http.user_agent" => head.all(Known::UserAgent),
            "http.referer" => head.all(Known::Referer),
            "http.accept" => head.all(Known::Accept),
            "http.accept_lang" => head.all(Known::AcceptLanguage),
            "http.accept_enc" => head.all(Known::AcceptEncoding),
            "http.content_type" => head.all(Known::ContentType),
            "http.content_len" => head.all(Known::ContentLength),
            "http.connection" => head.all(Known::Connection),
            "http.server" => head.all(Known::Server),
            "http.location" => head.all(Known::Location),
            "http.cookie" => head.all(cookie),
            _ => self.composed(which),
        }
    }

    /// A buffer put together of all fields.
    fn composed(&self, which: &str) -> Option<&[u8]> {
        let cell = match which {
            "http.header" => self.lazy.header.get_or_init(|| lines(&self.head, |name| !is_cookie(name))),
            "http.header.raw" => self.lazy.raw.get_or_init(|| lines(&self.head, |_| true)),
            "http.header_names" => self.lazy.names.get_or_init(|| names(&self.head)),
            _ => return None,
        };
        (!cell.is_empty()).then_some(cell)
    }

    /// One of a buffer of which there may be many.
    fn nth(&self, which: &str, index: usize) -> Option<&[u8]> {
        let of = match which {
            "http.request_header" | "http.response_header" => return self.each(index),
            "http2.header_name" => return self.head.fields(0).nth(index).map(|(name, _)| name),
            "http2.frametype" => Of::Kind,
            "http2.errorcode" => Of::Error,
            "http2.priority" => Of::Weight,
            "http2.window" => Of::Window,
            "http2.settings" => Of::Setting,
            "http2.size_update" => Of::Resize,
            _ => return None,
        };
        self.marks(of).nth(index)
    }

    fn each(&self, index: usize) -> Option<&[u8]> {
        let (bytes, ends) = self.lazy.each.get_or_init(|| {
            let (mut bytes, mut ends) = (Vec::new(), Vec::new());
            for (name, value) in self.head.fields(0) {
                field(&mut bytes, name, value, b"");
                ends.push(bytes.len());
            }
            (bytes, ends)
        });
        let begin = index.checked_sub(1).map_or(Some(0), |before| ends.get(before).copied())?;
        bytes.get(begin..*ends.get(index)?)
    }

    /// Whom the request is for.
    pub(super) fn authority(&self) -> Option<&[u8]> {
        self.head.first(Known::Authority, 0).or_else(|| self.head.first(Known::Host, 0))
    }
}

/// An authority without its port.
pub(super) fn host(authority: &[u8]) -> &[u8] {
    let end = match authority.first() {
        Some(b'[') => memchr::memchr(b']', authority).map(|at| at + 1),
        _ => memchr::memchr(b':', authority),
    };
    until(authority, end.unwrap_or(authority.len()))
}

fn is_cookie(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"cookie") || name.eq_ignore_ascii_case(b"set-cookie")
}

fn field(out: &mut Vec<u8>, name: &[u8], value: &[u8], end: &[u8]) {
    for part in [name, b": ", value, end] {
        out.extend_from_slice(part);
    }
}

fn lines(head: &Head, wanted: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in head.fields(0).filter(|(name, _)| wanted(name)) {
        field(&mut out, name, value.trim_ascii(), b"\r\n");
    }
    out
}

fn names(head: &Head) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, _) in head.fields(0) {
        out.extend_from_slice(if out.is_empty() { b"\r\n" } else { b"" });
        out.extend_from_slice(name);
        out.extend_from_slice(b"\r\n");
    }
    if !out.is_empty() {
        out.extend_from_slice(b"\r\n");
    }
    out
}
