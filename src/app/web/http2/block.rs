//! Header blocks (RFC 9113, 4.3): joined over CONTINUATION frames, decoded, and looked at.

use super::connection::{Http2, begin_fields, mark_resize};
use super::exchange::host;
use super::head::Known;
use super::hpack::{Broken, Piece};
use super::wire::{Header, kind};
use super::{anomaly, buffers, doh};
use crate::http::bytes::{from, until};
use parse::{Side, Sink};

/// Longest block that is joined.
const LONGEST: usize = 100 * 1024;

/// A header block that is not complete.
#[derive(Debug)]
pub(super) struct Block {
    bytes: Vec<u8>,
    /// The stream whose frames it comes in; 0 for none.
    carrier: u32,
    /// The stream that it is about.
    about: u32,
    /// The side of that stream is over with it.
    ends: bool,
    /// More came than is joined.
    cut: bool,
}

impl Block {
    pub(super) const fn new() -> Self {
        Self { bytes: Vec::new(), carrier: 0, about: 0, ends: false, cut: false }
    }

    /// Heap bytes held.
    pub(super) fn held(&self) -> usize {
        self.bytes.capacity()
    }

    fn begin(&mut self, carrier: u32, about: u32, ends: bool) {
        self.bytes.clear();
        (self.carrier, self.about, self.ends, self.cut) = (carrier, about, ends, false);
    }

    /// Adds a fragment; says whether it is the first that does not fit.
    fn push(&mut self, fragment: &[u8]) -> bool {
        let fits = until(fragment, LONGEST.saturating_sub(self.bytes.len()));
        self.bytes.extend_from_slice(fits);
        fits.len() < fragment.len() && !std::mem::replace(&mut self.cut, true)
    }
}

impl Http2 {
    /// A frame that carries a header block or a part of one (6.2, 6.6, 6.10).
    pub(super) fn headers(
        &mut self,
        side: Side,
        header: Header,
        payload: &[u8],
        offset: u64,
        sink: &mut dyn Sink,
    ) {
        let (about, fragment, weight) = match header.kind {
            kind::HEADERS => match header.unpadded(payload).and_then(|inner| header.weight(inner)) {
                Some((weight, fragment)) => (header.stream, Some(fragment), weight),
                None => (header.stream, None, None),
            },
            kind::PUSH_PROMISE => match header.unpadded(payload).and_then(promise) {
                Some((promised, fragment)) => (promised, Some(fragment), None),
                None => (header.stream, None, None),
            },
            _ => (self.carried(side, header.stream), Some(payload), None),
        };
        let at = self.stream_of(side, about, header, sink);
        let tx = at.and_then(|at| self.streams.get(at)).map(|stream| stream.tx.id);
        super::connection::show_frame(side, offset, header.len, tx, sink);
        self.note(at, side, header, &[], sink);
        if let (Some(weight), Some(stream)) = (weight, at.and_then(|at| self.streams.get_mut(at))) {
            stream.tx.half_mut(side).mark(super::exchange::Of::Weight, &[weight]);
        }
        match fragment {
            Some(fragment) => self.fragment(side, header, about, fragment, sink),
            None => self.tell(at, side, &anomaly::INVALID_FRAME_DATA, sink),
        }
    }

    /// The stream that a CONTINUATION frame is about.
    fn carried(&mut self, side: Side, carrier: u32) -> u32 {
        let block = &self.half(side).block;
        if block.carrier == carrier { block.about } else { carrier }
    }

    fn stream_of(&mut self, side: Side, about: u32, header: Header, sink: &mut dyn Sink) -> Option<usize> {
        if header.kind == kind::CONTINUATION {
            return self.streams.find_or_begin(about, side, sink);
        }
        let (at, used) = self.streams.of_headers(about, side, sink);
        if used {
            self.tell(at, side, &anomaly::STREAM_ID_REUSE, sink);
        }
        if header.kind == kind::PUSH_PROMISE
            && let Some(stream) = at.and_then(|at| self.streams.get_mut(at))
        {
            // the client has nothing to say on a stream that the server begins
            stream.tx.half_mut(side.other()).ended = true;
        }
        at
    }

    /// Takes a part of a block, and the block when it is the last one. A block in one piece is not copied.
    fn fragment(&mut self, side: Side, header: Header, about: u32, fragment: &[u8], sink: &mut dyn Sink) {
        let continued = header.kind == kind::CONTINUATION && self.half(side).block.carrier == header.stream;
        if !continued && header.ends_block() {
            return self.block(side, about, fragment, header.ends_stream(), sink);
        }
        let block = &mut self.half(side).block;
        if !continued {
            block.begin(header.stream, about, header.ends_stream());
        }
        if block.push(fragment) {
            let at = self.streams.find(about);
            self.tell(at, side, &anomaly::REASSEMBLY_LIMIT_REACHED, sink);
        }
        if header.ends_block() {
            let block = &mut self.half(side).block;
            let (bytes, ends) = (std::mem::take(&mut block.bytes), block.ends);
            block.carrier = 0;
            self.block(side, about, &bytes, ends, sink);
            self.half(side).block.bytes = bytes;
            self.half(side).block.bytes.clear();
            self.half(side).block.bytes.shrink_to(16 * 1024);
        }
    }

    /// Decodes a whole block. This is done even for a stream that is not there, because the table changes with it.
    fn block(&mut self, side: Side, about: u32, bytes: &[u8], ends: bool, sink: &mut dyn Sink) {
        let at = self.streams.find(about);
        let most = self.streams.bounds();
        let (half, streams) = self.parts(side);
        let mut stream = at.and_then(|at| streams.get_mut(at));
        let first = stream.as_deref_mut().map_or(0, |stream| begin_fields(stream, side));
        let mut invalid = false;
        let result = half.decoder.decode(bytes, &mut |piece| {
            invalid |= piece == Piece::Invalid;
            let Some(stream) = &mut stream else { return };
            if let Piece::Resize(size) = piece {
                mark_resize(&mut stream.tx, side, size);
            }
            stream.tx.half_mut(side).head.push(piece, most);
        });
        let flaws = [
            (invalid, &anomaly::INVALID_HEADER),
            (result == Err(Broken::Cut), &anomaly::INVALID_FRAME_DATA),
            (result == Err(Broken::Overflow), &anomaly::HEADER_INTEGER_OVERFLOW),
        ];
        for (wrong, what) in flaws {
            if wrong {
                self.tell(at, side, what, sink);
            }
        }
        let Some(at) = at else { return };
        self.streams.weigh(at);
        self.heard(at, side, first, sink);
        if ends {
            self.streams.end_side(at, side, true, sink);
        }
    }

    /// Looks at the fields of a block, from entry `first` on.
    pub(super) fn heard(&mut self, at: usize, side: Side, first: usize, sink: &mut dyn Sink) {
        let Some(stream) = self.streams.get_mut(at) else { return };
        let (body, tx) = stream.body(side);
        let head = &tx.half(side).head;
        body.prepare(head, first);
        let interim = head.first(Known::Status, first).is_some_and(|status| status.starts_with(b"1"));
        let (authority, host_field) = (head.first(Known::Authority, first), head.first(Known::Host, first));
        let userinfo = authority.is_some_and(|a| memchr::memchr(b'@', a).is_some());
        let differs = authority.zip(host_field).is_some_and(|(a, h)| !a.eq_ignore_ascii_case(h));
        if let Some(name) = authority.or(host_field) {
            sink.host(host(name));
        }
        for (wrong, what) in
            [(userinfo, &anomaly::USERINFO_IN_URI), (differs, &anomaly::AUTHORITY_HOST_MISMATCH)]
        {
            if wrong {
                self.tell(Some(at), side, what, sink);
            }
        }
        if !interim {
            self.begun(at, side, sink);
        }
    }

    /// The first fields of a side are there: its first phases are reached.
    fn begun(&mut self, at: usize, side: Side, sink: &mut dyn Sink) {
        let Some(stream) = self.streams.get_mut(at) else { return };
        if std::mem::replace(&mut stream.tx.half_mut(side).began, true) {
            return;
        }
        for phase in [buffers::LINE, buffers::HEADERS] {
            sink.progress(&stream.tx, side, phase);
        }
        if side == Side::ToServer
            && let Some(question) = doh::in_path(&stream.tx)
        {
            doh::tell(&stream.tx, side, &question, sink);
        }
    }
}

/// The promised stream, and the fragment behind it.
fn promise(payload: &[u8]) -> Option<(u32, &[u8])> {
    let number = u32::from_be_bytes(*payload.first_chunk()?) & 0x7fff_ffff;
    Some((number, from(payload, 4)))
}
