//! The body of one side of a stream: compression taken off, file told, DNS messages gathered.

use super::anomaly;
use super::exchange::Exchange;
use super::head::{Head, Known};
use crate::http::body::{BOMB_RATIO, BOMB_SIZE, LONGEST_NAME, unwrap};
use crate::http::buffers;
use crate::http::bytes::until;
use crate::http::decompress::{Coding, Layer};
use crate::http::number;
use parse::{Anomaly, FileEnd, FileEvent, Piece, Settings, Side, Sink};

/// Longest DNS message (RFC 1035, 4.2.2).
const LONGEST_MESSAGE: usize = 0xffff;

/// State of the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum File {
    #[default]
    None,
    Open,
    Closed,
}

/// A part of a file: first byte, last byte, size of the whole.
type Part = (u64, u64, Option<u64>);

/// The body of one side.
pub(super) struct Body {
    side: Side,
    /// Most bytes handed on, and most that come of compressed ones.
    most: u64,
    most_decoded: u64,
    most_layers: usize,
    layers: Vec<Layer>,
    /// Gathered as a DNS message.
    message: Option<Vec<u8>>,
    file: File,
    /// Bytes are missing.
    cut: bool,
    /// Nothing more is handed on.
    full: bool,
    /// Bytes as sent, and bytes handed on.
    sent: u64,
    given: u64,
}

impl Body {
    pub(super) fn new(side: Side, settings: &Settings) -> Self {
        Self {
            side,
            most: settings.body,
            most_decoded: settings.decompress,
            most_layers: usize::try_from(settings.decompress_layers).unwrap_or(usize::MAX),
            layers: Vec::new(),
            message: None,
            file: File::None,
            cut: false,
            full: false,
            sent: 0,
            given: 0,
        }
    }

    /// Makes a used one new.
    pub(super) fn renew(&mut self) {
        self.layers.clear();
        self.message = None;
        self.file = File::None;
        (self.cut, self.full) = (false, false);
        (self.sent, self.given) = (0, 0);
    }

    /// Heap bytes held.
    pub(super) fn held(&self) -> usize {
        self.layers.iter().map(Layer::held).sum::<usize>() + self.message.as_ref().map_or(0, Vec::capacity)
    }

    /// Whether further bytes would change nothing.
    pub(super) const fn is_full(&self) -> bool {
        self.full
    }

    /// Whether any byte of it was sent.
    pub(super) const fn is_any(&self) -> bool {
        self.sent > 0
    }

    /// Takes notice of the fields from entry `first` on, as long as no byte of the body was seen.
    pub(super) fn prepare(&mut self, head: &Head, first: usize) {
        if self.sent > 0 {
            return;
        }
        if head.first(Known::ContentType, first) == Some(b"application/dns-message") {
            self.message = Some(Vec::new());
        }
        if let Some(codings) = head.first(Known::ContentEncoding, first) {
            let names = codings.split(|&b| b == b',').map(<[u8]>::trim_ascii).take(self.most_layers);
            self.layers = names.map_while(coding).map(Layer::new).collect();
        }
    }

    fn tell(&self, tx: &Exchange, what: &'static Anomaly, sink: &mut dyn Sink) {
        sink.anomaly(Some(tx), self.side, what);
    }

    /// The next bytes, framing and padding taken off.
    pub(super) fn feed(&mut self, data: &[u8], tx: &Exchange, sink: &mut dyn Sink) {
        self.sent = self.sent.saturating_add(u64::try_from(data.len()).unwrap_or(u64::MAX));
        if data.is_empty() || self.full {
            return;
        }
        if self.layers.is_empty() {
            self.give(data, tx, sink);
            return;
        }
        let mut layers = std::mem::take(&mut self.layers);
        let failed = layers.iter().any(Layer::failed);
        unwrap(&mut layers, data, &mut |decoded| self.decoded(decoded, tx, sink));
        if !failed && layers.iter().any(Layer::failed) {
            self.tell(tx, &anomaly::FAILED_DECOMPRESSION, sink);
        }
        self.layers = layers;
    }

    /// Bytes that came of compressed ones: bounded more strictly.
    fn decoded(&mut self, data: &[u8], tx: &Exchange, sink: &mut dyn Sink) -> bool {
        let grown = self.given.saturating_add(u64::try_from(data.len()).unwrap_or(u64::MAX));
        let bomb = grown > BOMB_SIZE && grown > self.sent.saturating_mul(BOMB_RATIO);
        if bomb || grown > self.most_decoded {
            self.tell(tx, &anomaly::COMPRESSION_BOMB, sink);
            self.fill(tx, sink);
            return false;
        }
        self.give(data, tx, sink)
    }

    /// Nothing more will be handed on.
    fn fill(&mut self, tx: &Exchange, sink: &mut dyn Sink) {
        self.full = true;
        self.close_file(FileEnd::Truncated, tx, sink);
    }

    /// Hands decoded bytes on; says whether more are wanted.
    fn give(&mut self, data: &[u8], tx: &Exchange, sink: &mut dyn Sink) -> bool {
        let room = usize::try_from(self.most.saturating_sub(self.given)).unwrap_or(usize::MAX);
        let piece = until(data, room);
        if !piece.is_empty() {
            self.open_file(tx, sink);
            self.stream(piece, false, tx, sink);
            sink.file(tx, self.side, FileEvent::Data(piece));
            self.gather(piece, tx, sink);
            self.given = self.given.saturating_add(u64::try_from(piece.len()).unwrap_or(0));
        }
        if room < data.len() {
            self.fill(tx, sink);
        }
        !self.full
    }

    /// The same bytes are the content of the body and of its file.
    fn stream(&self, data: &[u8], last: bool, tx: &Exchange, sink: &mut dyn Sink) {
        let both = match self.side {
            Side::ToServer => [&buffers::REQUEST_BODY, &buffers::FILE_DATA_UP],
            Side::ToClient => [&buffers::RESPONSE_BODY, &buffers::FILE_DATA],
        };
        for buffer in both {
            sink.stream(tx, buffer, Piece { offset: self.given, data, last });
        }
    }

    fn gather(&mut self, data: &[u8], tx: &Exchange, sink: &mut dyn Sink) {
        let Some(message) = &mut self.message else { return };
        if message.len() + data.len() <= LONGEST_MESSAGE {
            message.extend_from_slice(data);
            return;
        }
        self.message = None;
        let what = match self.side {
            Side::ToServer => &anomaly::DNS_REQUEST_TOO_LONG,
            Side::ToClient => &anomaly::DNS_RESPONSE_TOO_LONG,
        };
        self.tell(tx, what, sink);
    }

    fn open_file(&mut self, tx: &Exchange, sink: &mut dyn Sink) {
        if self.file != File::None {
            return;
        }
        self.file = File::Open;
        let range = match (self.side, tx.half(self.side).head.all(Known::ContentRange).map(part)) {
            (Side::ToServer, _) | (_, None) => None,
            (Side::ToClient, Some(Some(part))) => part,
            (Side::ToClient, Some(None)) => {
                self.tell(tx, &anomaly::INVALID_RANGE, sink);
                None
            }
        };
        let name = until(tx.path().unwrap_or_default(), LONGEST_NAME);
        sink.file(tx, self.side, FileEvent::Open { name, range });
    }

    fn close_file(&mut self, end: FileEnd, tx: &Exchange, sink: &mut dyn Sink) {
        if self.file == File::Open {
            self.file = File::Closed;
            self.stream(&[], true, tx, sink);
            let end = if self.cut && end == FileEnd::Closed { FileEnd::Truncated } else { end };
            sink.file(tx, self.side, FileEvent::Close(end));
        }
    }

    /// Bytes were lost within the body. Compressed ones cannot be read any further.
    pub(super) fn gap(&mut self, missing: u64, tx: &Exchange, sink: &mut dyn Sink) {
        self.sent = self.sent.saturating_add(missing);
        self.message = None;
        if self.full || missing == 0 {
            return;
        }
        self.cut = true;
        if !self.layers.is_empty() {
            self.drain(tx, sink);
            return self.fill(tx, sink);
        }
        self.open_file(tx, sink);
        self.given = self.given.saturating_add(missing);
        sink.file(tx, self.side, FileEvent::Gap(missing));
    }

    /// Gives out what decoders still hold.
    fn drain(&mut self, tx: &Exchange, sink: &mut dyn Sink) {
        let mut layers = std::mem::take(&mut self.layers);
        while let Some(mut layer) = layers.pop() {
            let below = &mut layers;
            layer.finish(&mut |left| unwrap(below, left, &mut |decoded| self.decoded(decoded, tx, sink)));
        }
    }

    /// The body is over; `whole` when nothing was missing at its end. Gives the DNS message that it was.
    pub(super) fn finish(&mut self, whole: bool, tx: &Exchange, sink: &mut dyn Sink) -> Option<Vec<u8>> {
        if !self.full {
            self.drain(tx, sink);
        }
        self.close_file(if whole { FileEnd::Closed } else { FileEnd::Truncated }, tx, sink);
        self.full = true;
        self.message.take().filter(|message| whole && !message.is_empty())
    }
}

/// What a name in `Content-Encoding` says, if it is one that can be decoded.
fn coding(name: &[u8]) -> Option<Coding> {
    let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
    if is(b"gzip") || is(b"x-gzip") {
        Some(Coding::Gzip)
    } else if is(b"deflate") {
        Some(Coding::Deflate)
    } else if is(b"br") {
        Some(Coding::Brotli)
    } else {
        None
    }
}

/// The real part of a file that a `Content-Range` names, if it is one; `None` when it contradicts itself.
fn part(raw: &[u8]) -> Option<Option<Part>> {
    let range = number::range(raw)?;
    let (Some((start, end)), Some(size)) = (range.bytes, range.size) else { return Some(None) };
    if start > end || (end > 0 && size > 0 && end >= size) {
        return None;
    }
    let real = end > 0 && size > 0 && !(start == 0 && end == size - 1);
    Some(real.then_some((start, end, Some(size))))
}

#[cfg(test)]
mod tests {
    use super::part;

    #[test]
    fn only_real_parts_count() {
        assert_eq!(part(b"bytes 5-6/10"), Some(Some((5, 6, Some(10)))));
        assert_eq!(part(b"bytes 0-9/10"), Some(None));
        assert_eq!(part(b"bytes 5-6/*"), Some(None));
        assert_eq!(part(b"bytes 6-5/10"), None);
        assert_eq!(part(b"bytes 5-10/10"), None);
        assert_eq!(part(b"what"), None);
    }
}
