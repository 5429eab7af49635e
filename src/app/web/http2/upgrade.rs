//! An HTTP/1 connection that goes on as HTTP/2 (RFC 7540, 3.2): the request that asked for it is stream 1.

use super::anomaly;
use super::connection::{Http2, begin_fields};
use super::exchange::Exchange;
use super::hpack::Piece;
use super::wire::{Header, kind};
use crate::http::bytes::{from, until};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use parse::{Side, Sink};

const SIDE: Side = Side::ToServer;
/// Longest settings in text form.
const LONGEST: usize = 4096;

/// Takes over the head of the request, as it was sent.
pub(super) fn inherit(http: &mut Http2, head: &[u8], sink: &mut dyn Sink) {
    if head.starts_with(b"PRI * HTTP/2") {
        // a preface that was taken for a request: the request itself was not seen
        return;
    }
    let (Some(at), _) = http.streams.of_headers(1, SIDE, sink) else { return };
    let most = http.streams.bounds();
    let mut settings = None;
    if let Some(stream) = http.streams.get_mut(at) {
        begin_fields(stream, SIDE);
        let into = &mut stream.tx.half_mut(SIDE).head;
        let mut lines = head.split(|&b| b == b'\n').map(<[u8]>::trim_ascii_end);
        let mut words =
            lines.next().unwrap_or_default().split(|&b| b == b' ').filter(|word| !word.is_empty());
        for name in [&b":method"[..], b":path"] {
            into.push(Piece::Field(name, words.next().unwrap_or_default()), most);
        }
        for (name, value) in lines.filter_map(field) {
            if name.eq_ignore_ascii_case(b"http2-settings") {
                settings = Some(value);
            } else {
                let name = if name.eq_ignore_ascii_case(b"host") { b":authority" } else { name };
                into.push(Piece::Field(name, value), most);
            }
        }
    }
    http.streams.weigh(at);
    http.heard(at, SIDE, 0, sink);
    http.streams.end_side(at, SIDE, true, sink);
    if let Some(text) = settings {
        take_settings(http, text, sink);
    }
}

fn field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr::memchr(b':', line)?;
    Some((until(line, colon).trim_ascii(), from(line, colon + 1).trim_ascii()))
}

/// The settings that came with the request are a transaction of the connection.
fn take_settings(http: &mut Http2, text: &[u8], sink: &mut dyn Sink) {
    let text = until(text, LONGEST);
    let payload = URL_SAFE_NO_PAD.decode(text).or_else(|_| STANDARD.decode(text)).unwrap_or_default();
    let flawed = payload.is_empty() || !payload.len().is_multiple_of(6);
    http.settings(SIDE, &payload);
    let frame = Header::of(kind::SETTINGS);
    http.streams.global(sink, |tx: &mut Exchange, sink: &mut dyn Sink| {
        tx.half_mut(SIDE).note(frame, &payload);
        if flawed {
            sink.anomaly(Some(tx), SIDE, &anomaly::INVALID_HTTP1_SETTINGS);
        }
    });
}
