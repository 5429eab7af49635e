//! Frames and header blocks to feed.

use crate::http::tests::recorder::{Flow, Recorder};
use crate::http2::connection::Http2;
use crate::http2::wire::PREFACE;
use parse::{Settings, Side};

pub(super) const END_STREAM: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;
pub(super) const PADDED: u8 = 8;
pub(super) const PRIORITY: u8 = 0x20;

/// A frame.
pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let len = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&len[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A header block in which every field stands in full and enters no table.
pub(super) fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in fields {
        out.push(0);
        for text in [name, value] {
            assert!(text.len() < 127 + 128);
            match u8::try_from(text.len()).unwrap() {
                len @ 0..127 => out.push(len),
                len => out.extend([127, len - 127]),
            }
            out.extend_from_slice(text.as_bytes());
        }
    }
    out
}

/// A whole HEADERS frame.
pub(super) fn headers(stream: u32, ends: bool, fields: &[(&str, &str)]) -> Vec<u8> {
    frame(1, END_HEADERS | u8::from(ends), stream, &block(fields))
}

/// A GET request.
pub(super) fn get(stream: u32, path: &str) -> Vec<u8> {
    headers(stream, true, &[(":method", "GET"), (":path", path), (":authority", "a.example:80")])
}

/// The preface and what follows it.
pub(super) fn client(frames: &[Vec<u8>]) -> Vec<u8> {
    [PREFACE, &frames.concat()].concat()
}

/// A flow.
pub(super) fn flow(settings: &Settings) -> Flow {
    Flow::of(Http2::open(settings))
}

/// Runs a conversation.
pub(super) fn talk(pieces: &[(Side, &[u8])]) -> Recorder {
    let mut flow = flow(&Settings::default());
    for (side, data) in pieces {
        flow.send(*side, data, false);
    }
    flow.close()
}
