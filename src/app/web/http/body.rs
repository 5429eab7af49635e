//! A body on its way: compression taken off, files told, pieces handed on. Nothing of it is kept.

use super::anomaly;
use super::buffers;
use super::bytes::{contains_word, equals_word, until};
use super::decompress::{Coding, Layer, Take};
use super::exchange::Exchange;
use super::head::Known;
use super::multipart::{Event, Form};
use super::number;
use super::parameter;
use parse::{Anomaly, Buffer, FileEnd, FileEvent, Piece, Settings, Side, Sink};

/// Longest file name that is told.
pub(crate) const LONGEST_NAME: usize = 4096;
/// Growth by decompression that no honest body has, and the size from which it counts.
pub(crate) const BOMB_RATIO: u64 = 2048;
pub(crate) const BOMB_SIZE: u64 = 1024 * 1024;
/// Uploads whose end waits to be told, in one flow.
const MOST_HELD: u8 = 8;
/// Bombs in one flow after which nothing is decompressed any more.
const MOST_BOMBS: u8 = 3;

/// What a body is taken for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    /// Of a request that uploads nothing.
    #[default]
    Plain,
    /// One file.
    File,
    /// A form that may carry several.
    Form,
}

/// State of the file at hand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum File {
    #[default]
    None,
    Open,
    Closed,
}

/// Bounds on what is decoded.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    /// Most bytes handed on.
    body: u64,
    /// Most bytes that come of compressed ones.
    decompress: u64,
    layers: u32,
}

/// The body of one side's message at hand.
pub(super) struct Body {
    side: Side,
    bounds: Bounds,
    layers: Vec<Layer>,
    kind: Kind,
    form: Option<Form>,
    file: File,
    /// Bytes are missing from the file at hand.
    cut: bool,
    /// Nothing more is handed on: a bound was reached, or decompression broke off.
    full: bool,
    /// Bytes as sent (without framing), and bytes handed on.
    sent: u64,
    given: u64,
    /// Offset within the file at hand.
    in_file: u64,
    bombs: u8,
    /// Uploads whose end is still to be told.
    held: u8,
}

impl Body {
    pub(super) fn new(side: Side, settings: &Settings) -> Self {
        Self {
            side,
            bounds: Bounds {
                body: settings.body,
                decompress: settings.decompress,
                layers: settings.decompress_layers,
            },
            layers: Vec::new(),
            kind: Kind::Plain,
            form: None,
            file: File::None,
            cut: false,
            full: false,
            sent: 0,
            given: 0,
            in_file: 0,
            bombs: 0,
            held: 0,
        }
    }

    /// Heap bytes held.
    pub(super) fn held(&self) -> usize {
        self.layers.iter().map(Layer::held).sum::<usize>() + self.form.as_ref().map_or(0, Form::held)
    }

    /// Whether further bytes would change nothing.
    pub(super) const fn is_full(&self) -> bool {
        self.full
    }

    /// Makes ready for the body of a message whose fields are complete.
    pub(super) fn open(&mut self, tx: &Exchange, uploads: bool, sink: &mut dyn Sink) {
        self.reset();
        let head = tx.head(self.side);
        if self.side == Side::ToClient {
            self.kind = Kind::File;
        } else if uploads {
            self.form = head.field(Known::ContentType).and_then(Form::of);
            self.kind = if self.form.is_some() { Kind::Form } else { Kind::File };
        }
        let Some(codings) = head.field(Known::ContentEncoding) else { return };
        if self.bombs >= MOST_BOMBS {
            return self.tell(tx, &anomaly::COMPRESSION_BOMB_LIMIT_REACHED, sink);
        }
        self.stack(codings, tx, sink);
    }

    /// Makes ready for bytes that are taken as they are.
    pub(super) fn open_plain(&mut self) {
        self.reset();
        if self.side == Side::ToClient {
            self.kind = Kind::File;
        }
    }

    fn reset(&mut self) {
        self.layers.clear();
        self.form = None;
        self.kind = Kind::Plain;
        self.file = File::None;
        (self.cut, self.full) = (false, false);
        (self.sent, self.given, self.in_file) = (0, 0, 0);
    }

    fn tell(&self, tx: &Exchange, what: &'static Anomaly, sink: &mut dyn Sink) {
        sink.anomaly(Some(tx), self.side, what);
    }

    /// Lays one layer for each coding of a `Content-Encoding`.
    fn stack(&mut self, codings: &[u8], tx: &Exchange, sink: &mut dyn Sink) {
        match whole(codings) {
            Some(Some(coding)) => return self.layers.push(Layer::new(coding)),
            Some(None) => return,
            None => {}
        }
        let mut lzma = 0;
        let list = codings.split(|&b| matches!(b, b',' | b' ')).filter(|name| !name.is_empty());
        for (at, name) in list.enumerate() {
            if u32::try_from(at).unwrap_or(u32::MAX) >= self.bounds.layers {
                return self.tell(tx, &anomaly::TOO_MANY_ENCODING_LAYERS, sink);
            }
            let (coding, usual) = listed(name);
            if !usual {
                self.tell(tx, &anomaly::ABNORMAL_CE_HEADER, sink);
            }
            if coding == Some(Coding::Lzma) {
                lzma += 1;
                if lzma > 1 {
                    let what = match self.side {
                        Side::ToServer => &anomaly::REQUEST_TOO_MANY_LZMA_LAYERS,
                        Side::ToClient => &anomaly::RESPONSE_TOO_MANY_LZMA_LAYERS,
                    };
                    return self.tell(tx, what, sink);
                }
            }
            if let Some(coding) = coding {
                self.layers.push(Layer::new(coding));
            }
        }
    }

    /// The next bytes, framing taken off.
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
            self.tell(tx, &anomaly::GZIP_DECOMPRESSION_FAILED, sink);
        }
        self.layers = layers;
    }

    /// Bytes that came of compressed ones: bounded more strictly.
    fn decoded(&mut self, data: &[u8], tx: &Exchange, sink: &mut dyn Sink) -> bool {
        let grown = self.given.saturating_add(u64::try_from(data.len()).unwrap_or(u64::MAX));
        let bomb = grown > BOMB_SIZE && grown > self.sent.saturating_mul(BOMB_RATIO);
        if bomb || grown > self.bounds.decompress {
            self.bombs = self.bombs.saturating_add(1);
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
        let room = usize::try_from(self.bounds.body.saturating_sub(self.given)).unwrap_or(usize::MAX);
        let piece = until(data, room);
        if !piece.is_empty() {
            let buffer = match self.side {
                Side::ToServer => &buffers::REQUEST_BODY,
                Side::ToClient => &buffers::RESPONSE_BODY,
            };
            stream(tx, buffer, self.given, piece, false, sink);
            if self.side == Side::ToClient {
                stream(tx, &buffers::FILE_DATA, self.given, piece, false, sink);
            }
            self.given = self.given.saturating_add(u64::try_from(piece.len()).unwrap_or(0));
            self.file(piece, tx, sink);
        }
        if room <= data.len() {
            self.full = room < data.len();
            if self.full {
                self.fill(tx, sink);
            }
        }
        !self.full
    }

    /// Decoded bytes as part of a file, or of a form that carries some.
    fn file(&mut self, data: &[u8], tx: &Exchange, sink: &mut dyn Sink) {
        match self.kind {
            Kind::Plain => {}
            Kind::File => {
                self.begin_file(tx, sink);
                self.file_data(data, tx, sink);
            }
            Kind::Form => {
                if let Some(mut form) = self.form.take() {
                    form.feed(data, &mut |event| self.form_event(event, tx, sink));
                    self.form = Some(form);
                }
            }
        }
    }

    fn form_event(&mut self, event: Event<'_>, tx: &Exchange, sink: &mut dyn Sink) {
        match event {
            Event::Open(name) => self.open_file(name, None, tx, sink),
            Event::Data(data) => self.file_data(data, tx, sink),
            Event::Close => self.close_file(FileEnd::Closed, tx, sink),
            Event::InvalidHeader => self.tell(tx, &anomaly::MULTIPART_INVALID_HEADER, sink),
            Event::NoData => self.tell(tx, &anomaly::MULTIPART_NO_FILEDATA, sink),
        }
    }

    /// Opens the one file of the message with its first bytes. What stands before a status line is no file.
    fn begin_file(&mut self, tx: &Exchange, sink: &mut dyn Sink) {
        let answered = self.side == Side::ToServer || tx.answered || tx.nine;
        if self.file != File::None || !answered {
            return;
        }
        if self.side == Side::ToServer {
            if let Some(path) = tx.path() {
                self.open_file(path, None, tx, sink);
            }
            return;
        }
        let disposition = tx.response.field(Known::ContentDisposition);
        let given =
            disposition.and_then(|value| parameter::find(value, b"filename")).filter(|name| !name.is_empty());
        let Some(name) = given.as_deref().or_else(|| tx.path()) else { return };
        let range = self.range(tx, sink);
        self.open_file(name, range, tx, sink);
    }

    /// The part of a file that a response carries, when it is a real part.
    fn range(&self, tx: &Exchange, sink: &mut dyn Sink) -> Option<(u64, u64, Option<u64>)> {
        let raw = tx.response.field(Known::ContentRange)?;
        let Some(range) = number::range(raw) else {
            self.tell(tx, &anomaly::RANGE_INVALID, sink);
            return None;
        };
        let ((start, end), size) = (range.bytes?, range.size?);
        if end == 0 || size == 0 || (start == 0 && end == size - 1) {
            return None;
        }
        if start > end || end > size - 1 {
            self.tell(tx, &anomaly::RANGE_INVALID, sink);
            return None;
        }
        Some((start, end, Some(size)))
    }

    fn open_file(
        &mut self,
        name: &[u8],
        range: Option<(u64, u64, Option<u64>)>,
        tx: &Exchange,
        sink: &mut dyn Sink,
    ) {
        if name.len() > LONGEST_NAME {
            self.tell(tx, &anomaly::FILE_NAME_TOO_LONG, sink);
        }
        if self.side == Side::ToServer {
            self.release(tx, sink);
        }
        (self.file, self.cut, self.in_file) = (File::Open, false, 0);
        sink.file(tx, self.side, FileEvent::Open { name: until(name, LONGEST_NAME), range });
    }

    fn file_data(&mut self, data: &[u8], tx: &Exchange, sink: &mut dyn Sink) {
        if self.file == File::Open {
            self.stream_file(data, false, tx, sink);
            sink.file(tx, self.side, FileEvent::Data(data));
            self.in_file = self.in_file.saturating_add(u64::try_from(data.len()).unwrap_or(0));
        }
    }

    /// The content of an uploaded file; that of a response goes with its body, file or not.
    fn stream_file(&self, data: &[u8], last: bool, tx: &Exchange, sink: &mut dyn Sink) {
        if self.side == Side::ToServer {
            stream(tx, &buffers::FILE_DATA_UP, self.in_file, data, last, sink);
        }
    }

    fn close_file(&mut self, end: FileEnd, tx: &Exchange, sink: &mut dyn Sink) {
        if self.file == File::Open {
            self.file = File::Closed;
            self.stream_file(&[], true, tx, sink);
            let end = if self.cut && end == FileEnd::Closed { FileEnd::Truncated } else { end };
            if self.side == Side::ToServer && self.held < MOST_HELD {
                self.held += 1;
                tx.upload.set(Some(end));
            } else {
                sink.file(tx, self.side, FileEvent::Close(end));
            }
        }
    }

    /// Tells the end of the upload of an exchange. It waits for the response, so that its event has the answer, too.
    pub(super) fn release(&mut self, tx: &Exchange, sink: &mut dyn Sink) {
        if let Some(end) = tx.upload.take() {
            self.held = self.held.saturating_sub(1);
            sink.file(tx, Side::ToServer, FileEvent::Close(end));
        }
    }

    /// Bytes were lost within the body. Compressed ones cannot be read any further.
    pub(super) fn gap(&mut self, missing: u64, tx: &Exchange, sink: &mut dyn Sink) {
        self.sent = self.sent.saturating_add(missing);
        if self.full {
            return;
        }
        if !self.layers.is_empty() {
            self.drain(tx, sink);
            self.cut = true;
            return self.fill(tx, sink);
        }
        self.given = self.given.saturating_add(missing);
        if self.kind == Kind::File {
            self.begin_file(tx, sink);
        }
        if self.file == File::Open {
            self.cut = true;
            self.in_file = self.in_file.saturating_add(missing);
            sink.file(tx, self.side, FileEvent::Gap(missing));
        }
    }

    /// Gives out what decoders still hold.
    fn drain(&mut self, tx: &Exchange, sink: &mut dyn Sink) {
        let mut layers = std::mem::take(&mut self.layers);
        while let Some(mut layer) = layers.pop() {
            let below = &mut layers;
            layer.finish(&mut |left| unwrap(below, left, &mut |decoded| self.decoded(decoded, tx, sink)));
        }
    }

    /// What is left of it cannot be read.
    pub(super) fn break_off(&mut self, tx: &Exchange, sink: &mut dyn Sink) {
        self.end(FileEnd::Truncated, tx, sink);
    }

    /// The body is over.
    pub(super) fn finish(&mut self, tx: &Exchange, sink: &mut dyn Sink) {
        self.end(FileEnd::Closed, tx, sink);
    }

    /// Gives out what is held, and ends the file at hand so; one that its form left open is cut.
    fn end(&mut self, mut end: FileEnd, tx: &Exchange, sink: &mut dyn Sink) {
        if !self.full {
            self.drain(tx, sink);
        }
        if let Some(mut form) = self.form.take()
            && form.finish(&mut |event| self.form_event(event, tx, sink))
        {
            end = FileEnd::Truncated;
        }
        self.close_file(end, tx, sink);
        if self.given > 0 {
            let buffer = match self.side {
                Side::ToServer => &buffers::REQUEST_BODY,
                Side::ToClient => &buffers::RESPONSE_BODY,
            };
            stream(tx, buffer, self.given, &[], true, sink);
            if self.side == Side::ToClient {
                stream(tx, &buffers::FILE_DATA, self.given, &[], true, sink);
            }
        }
        self.reset();
    }
}

fn stream(tx: &Exchange, buffer: &'static Buffer, offset: u64, data: &[u8], last: bool, sink: &mut dyn Sink) {
    sink.stream(tx, buffer, Piece { offset, data, last });
}

/// Takes layer after layer off, the outermost of which is the last one.
pub(crate) fn unwrap(layers: &mut [Layer], data: &[u8], out: Take<'_>) -> bool {
    match layers.split_last_mut() {
        None => out(data),
        Some((outer, inner)) => outer.feed(data, &mut |decoded| unwrap(inner, decoded, out)),
    }
}

/// What a `Content-Encoding` of a single, plainly written coding says; `None` when it is anything else.
fn whole(codings: &[u8]) -> Option<Option<Coding>> {
    let is = |name: &[u8]| equals_word(codings, name);
    if is(b"gzip") || is(b"x-gzip") {
        Some(Some(Coding::Gzip))
    } else if is(b"deflate") || is(b"x-deflate") {
        Some(Some(Coding::Deflate))
    } else if is(b"br") {
        Some(Some(Coding::Brotli))
    } else if is(b"lzma") {
        Some(Some(Coding::Lzma))
    } else if is(b"inflate") || is(b"none") || is(b"identity") {
        Some(None)
    } else {
        None
    }
}

/// What one name of a list of codings says, and whether it is written as usual.
fn listed(name: &[u8]) -> (Option<Coding>, bool) {
    if contains_word(name, b"gzip") {
        (Some(Coding::Gzip), matches!(name, b"gzip" | b"x-gzip"))
    } else if contains_word(name, b"deflate") {
        (Some(Coding::Deflate), matches!(name, b"deflate" | b"x-deflate"))
    } else {
        match name {
            b"lzma" => (Some(Coding::Lzma), true),
            b"br" => (Some(Coding::Brotli), true),
            b"inflate" | b"none" | b"identity" => (None, true),
            _ => (None, false),
        }
    }
}
