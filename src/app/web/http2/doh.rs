//! DNS queries over HTTP (RFC 8484): found here, read by whoever reads DNS.

use super::exchange::Exchange;
use super::head::Known;
use crate::http::bytes::{from, until};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use parse::{Inner, Side, Sink};

/// Header of a DNS message (RFC 1035, 4.1.1).
const HEADER: usize = 12;
/// Longest message in text form.
const LONGEST: usize = 0xffff * 4 / 3 + 4;

/// Tells of a message, if it is one.
pub(super) fn tell(tx: &Exchange, side: Side, message: &[u8], sink: &mut dyn Sink) {
    if is_message(message, side) {
        sink.carries(tx, side, Inner { protocol: "dns", together: "doh2", data: message });
    }
}

/// Whether a header stands there that says query or response, as it should, and has one question at least.
fn is_message(message: &[u8], side: Side) -> bool {
    let Some(&[_, _, flags, _, _, questions, ..]) = message.get(..HEADER) else { return false };
    let response = flags & 0x80 != 0;
    questions > 0 && response == (side == Side::ToClient)
}

/// The message in the query of a path, if the client wants DNS for an answer.
pub(super) fn in_path(tx: &Exchange) -> Option<Vec<u8>> {
    let head = &tx.half(Side::ToServer).head;
    head.first(Known::Accept, 0).filter(|wants| *wants == b"application/dns-message")?;
    let path = head.first(Known::Path, 0)?;
    let query = from(path, memchr::memchr(b'?', path)? + 1);
    let text = query.split(|&b| b == b'&').find_map(|parameter| parameter.strip_prefix(b"dns="))?;
    let text = until(text, text.iter().rposition(|&b| b != b'=').map_or(0, |last| last + 1));
    if text.len() > LONGEST {
        return None;
    }
    URL_SAFE_NO_PAD.decode(text).or_else(|_| STANDARD_NO_PAD.decode(text)).ok()
}
