//! A mail message as it streams by (RFC 5322, RFC 2045 to 2047): header fields, attachments as files, URLs in its texts.
//!
//! Nothing is kept but the line at hand, the fields that events show, names and URLs, each bounded in size and number.

pub mod anomaly;
mod coding;
mod header;
mod parameter;
#[cfg(test)]
mod tests;
mod url;

use coding::{Coding, Decoder};
pub use header::Known;
use header::{Fields, Kind, Part};
use parse::{Anomaly, FileEnd};

/// Longest line that is looked at as a whole; longer ones are read in pieces.
const LONGEST_PIECE: usize = 4096;
/// Lines longer than this are told (RFC 5322, 2.1.1), and encoded ones (RFC 2045, 6.7 and 6.8).
const LONG_LINE: usize = 998;
const LONG_ENCODED: usize = 76;
/// Names and values of fields, boundaries and names of files longer than this are told.
const LONG_FIELD_NAME: usize = 76;
const LONG_FIELD_VALUE: usize = 2000;
const LONG_BOUNDARY: usize = 254;
const LONG_FILE_NAME: usize = 255;
/// Longest field that is read; of longer ones the beginning.
const LONGEST_FIELD: usize = 8192;
/// Parts within parts.
const DEEPEST: usize = 16;
/// Names and URLs that are kept.
const MOST_NAMES: usize = 64;
const MOST_URLS: usize = 256;

/// What is found in a message.
#[derive(Clone, Copy, Debug)]
pub enum Told<'a> {
    /// An attachment of this name begins.
    Open(&'a [u8]),
    /// Its next bytes, decoded.
    Data(&'a [u8]),
    /// Bytes of it were lost.
    Gap(u64),
    /// It ends.
    Close(FileEnd),
    /// Something is wrong with the message.
    Flaw(&'static Anomaly),
}

/// Whoever is told.
pub type Tell<'t> = &'t mut dyn FnMut(Told<'_>);

/// Where in a message the next line is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// In a header: the message's or a part's.
    #[default]
    Header,
    /// In the content of a part.
    Body,
    /// Outside of all parts: nobody reads that.
    Between,
}

/// How far a message was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Status {
    #[default]
    Header,
    Body,
    Done,
}

/// One message.
#[derive(Debug, Default)]
pub struct Message {
    /// The beginning of a line whose end has not come.
    held: Vec<u8>,
    /// What comes next is still the line before.
    within: bool,
    place: Place,
    status: Status,
    /// The header at hand is that of a part.
    in_part: bool,
    /// The field at hand, unfolded.
    field: Vec<u8>,
    part: Part,
    boundaries: Vec<Vec<u8>>,
    decoder: Decoder,
    file: bool,
    /// Bytes are missing from the file at hand.
    cut: bool,
    /// The end of the line before, which may belong to a boundary.
    line_end: &'static [u8],
    decoded: Vec<u8>,
    /// Text in which URLs are looked for, up to the last line.
    text: Vec<u8>,
    fields: Fields,
    names: Vec<Vec<u8>>,
    urls: Vec<Vec<u8>>,
    /// Flaws told already, a bit each.
    told: u16,
}

impl Message {
    /// A field of its header.
    #[must_use]
    pub fn field(&self, known: Known) -> Option<&[u8]> {
        self.fields.get(known)
    }

    /// Names of its attachments.
    #[must_use]
    pub fn names(&self) -> &[Vec<u8>] {
        &self.names
    }

    /// URLs in its texts, without their scheme.
    #[must_use]
    pub fn urls(&self) -> &[Vec<u8>] {
        &self.urls
    }

    /// How far it was read, in Suricata's words: nothing more of it will come when its transaction is over.
    #[must_use]
    pub const fn status(&self) -> &'static str {
        match self.status {
            Status::Header => "HEADER_STARTED",
            Status::Body => "BODY_STARTED",
            Status::Done => "PARSE_DONE",
        }
    }

    /// Heap bytes held.
    #[must_use]
    pub fn held(&self) -> usize {
        let lists = self.names.iter().chain(&self.urls).chain(&self.boundaries);
        self.held.capacity()
            + self.field.capacity()
            + self.decoded.capacity()
            + self.text.capacity()
            + self.fields.held()
            + lists.map(|one| one.capacity() + size_of::<Vec<u8>>()).sum::<usize>()
    }

    /// The next bytes of the message.
    pub fn feed(&mut self, data: &[u8], tell: Tell<'_>) {
        let mut rest = data;
        while let Some(at) = memchr::memchr(b'\n', rest) {
            let (line, behind) = rest.split_at(at + 1);
            self.whole(line, tell);
            rest = behind;
        }
        self.held.extend_from_slice(rest);
        if self.held.len() > LONGEST_PIECE {
            let held = std::mem::take(&mut self.held);
            self.piece(&held, None, tell);
        }
    }

    /// A line to its end, or what was missing of one.
    fn whole(&mut self, line: &[u8], tell: Tell<'_>) {
        if self.held.is_empty() {
            return self.ended(line, tell);
        }
        let mut held = std::mem::take(&mut self.held);
        held.extend_from_slice(line);
        self.ended(&held, tell);
        held.clear();
        self.held = held;
    }

    fn ended(&mut self, line: &[u8], tell: Tell<'_>) {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        match line.strip_suffix(b"\r") {
            Some(line) => self.piece(line, Some(b"\r\n"), tell),
            None => self.piece(line, Some(b"\n"), tell),
        }
    }

    /// A line, or a piece of a long one; its end, when it has come.
    fn piece(&mut self, piece: &[u8], end: Option<&'static [u8]>, tell: Tell<'_>) {
        let begins = !std::mem::replace(&mut self.within, end.is_none());
        if piece.len() > LONG_LINE {
            self.flaw(&anomaly::MIME_LONG_LINE, tell);
        }
        if begins && piece.starts_with(b"--") && self.place != Place::Header && self.boundary(piece, tell) {
            return;
        }
        match self.place {
            Place::Header if begins => self.header_line(piece, tell),
            Place::Header => self.extend_field(piece),
            Place::Body => self.content(piece, end, tell),
            Place::Between => {}
        }
    }

    /// Takes a line for a boundary, if it is one.
    fn boundary(&mut self, line: &[u8], tell: Tell<'_>) -> bool {
        let behind = line.get(2..).unwrap_or_default();
        let closes = |boundary: &Vec<u8>| match behind.strip_prefix(boundary.as_slice())?.trim_ascii() {
            b"" => Some(false),
            b"--" => Some(true),
            _ => None,
        };
        let found = self.boundaries.iter().enumerate().rev();
        let Some((at, last)) = found.map(|(at, b)| (at, closes(b))).find_map(|(at, c)| Some((at, c?))) else {
            return false;
        };
        self.end_part(FileEnd::Closed, tell);
        self.boundaries.truncate(if last { at } else { at + 1 });
        self.place = if last { Place::Between } else { Place::Header };
        (self.in_part, self.part) = (true, Part::default());
        true
    }

    fn header_line(&mut self, line: &[u8], tell: Tell<'_>) {
        match line.first() {
            None => {
                self.end_field(tell);
                self.begin_content(tell);
            }
            Some(b' ' | b'\t') => self.extend_field(line),
            Some(_) => {
                self.end_field(tell);
                self.extend_field(line);
            }
        }
    }

    fn extend_field(&mut self, more: &[u8]) {
        let room = LONGEST_FIELD.saturating_sub(self.field.len());
        self.field.extend_from_slice(more.get(..room).unwrap_or(more));
    }

    fn end_field(&mut self, tell: Tell<'_>) {
        let field = std::mem::take(&mut self.field);
        if field.is_empty() {
            return;
        }
        // Behind an empty header some programs begin without an empty line.
        let Some(colon) = memchr::memchr(b':', &field) else { return };
        let (name, value) = field.split_at(colon);
        let (name, value) = (name.trim_ascii(), value.get(1..).unwrap_or_default().trim_ascii());
        if name.len() > LONG_FIELD_NAME {
            self.flaw(&anomaly::MIME_LONG_HEADER_NAME, tell);
        }
        if value.len() > LONG_FIELD_VALUE {
            self.flaw(&anomaly::MIME_LONG_HEADER_VALUE, tell);
        }
        self.part.take(name, value);
        if !self.in_part {
            self.fields.take(name, value);
        }
    }

    /// The header at hand is over.
    fn begin_content(&mut self, tell: Tell<'_>) {
        self.status = Status::Body;
        let mut part = std::mem::take(&mut self.part);
        if let Some(boundary) = part.boundary.take() {
            return self.begin_parts(boundary, tell);
        }
        if part.kind == Kind::Message && part.name.is_none() {
            // The message within begins with a header of its own.
            (self.in_part, self.place) = (true, Place::Header);
            return;
        }
        (self.place, self.line_end, self.cut) = (Place::Body, b"", false);
        self.decoder = Decoder::new(part.coding);
        self.text.clear();
        if let Some(name) = &part.name {
            self.open(name, tell);
        } else if part.kind != Kind::Text {
            self.place = Place::Between;
        }
    }

    fn begin_parts(&mut self, boundary: Vec<u8>, tell: Tell<'_>) {
        if boundary.len() > LONG_BOUNDARY {
            self.flaw(&anomaly::MIME_LONG_BOUNDARY, tell);
        }
        self.place = Place::Between;
        if self.boundaries.len() < DEEPEST {
            self.boundaries.push(boundary);
        }
    }

    fn open(&mut self, name: &[u8], tell: Tell<'_>) {
        if name.len() > LONG_FILE_NAME {
            self.flaw(&anomaly::MIME_LONG_FILENAME, tell);
        }
        let name = name.get(..LONG_FILE_NAME).unwrap_or(name);
        self.file = true;
        tell(Told::Open(name));
        if self.names.len() < MOST_NAMES {
            self.names.push(name.to_vec());
        }
    }

    /// A line of content, or a piece of one.
    fn content(&mut self, piece: &[u8], end: Option<&'static [u8]>, tell: Tell<'_>) {
        let mut decoded = std::mem::take(&mut self.decoded);
        decoded.clear();
        if end.is_some() || self.decoder.coding() != Coding::QuotedPrintable {
            decoded.extend_from_slice(std::mem::take(&mut self.line_end));
        }
        let (fine, hard) = self.decoder.line(piece, &mut decoded);
        if hard {
            self.line_end = end.unwrap_or_default();
        }
        self.encoded_flaws(piece.len(), fine, tell);
        if self.file {
            if !decoded.is_empty() {
                tell(Told::Data(&decoded));
            }
        } else {
            self.search(&decoded);
        }
        self.decoded = decoded;
    }

    fn encoded_flaws(&mut self, len: usize, fine: bool, tell: Tell<'_>) {
        let wrong = match self.decoder.coding() {
            Coding::Plain => return,
            Coding::Base64 => &anomaly::MIME_INVALID_BASE64,
            Coding::QuotedPrintable => &anomaly::MIME_INVALID_QP,
        };
        if len > LONG_ENCODED {
            self.flaw(&anomaly::MIME_LONG_ENC_LINE, tell);
        }
        if !fine {
            self.flaw(wrong, tell);
        }
    }

    /// Looks for URLs in whole lines of text.
    fn search(&mut self, text: &[u8]) {
        self.text.extend_from_slice(text);
        let whole = match memchr::memrchr(b'\n', &self.text) {
            Some(end) => end + 1,
            None if self.text.len() > LONGEST_PIECE => self.text.len(),
            None => return,
        };
        self.search_lines(whole);
        self.text.drain(..whole);
    }

    fn search_lines(&mut self, whole: usize) {
        let urls = &mut self.urls;
        url::find(self.text.get(..whole).unwrap_or_default(), &mut |url| {
            if urls.len() < MOST_URLS && !urls.iter().any(|known| known == url) {
                urls.push(url.to_vec());
            }
        });
    }

    fn end_part(&mut self, end: FileEnd, tell: Tell<'_>) {
        self.search_lines(self.text.len());
        self.text.clear();
        if std::mem::take(&mut self.file) {
            let end = if self.cut { FileEnd::Truncated } else { end };
            tell(Told::Close(end));
        }
    }

    /// Bytes of the message were lost: what is left of the line that follows is not looked at as one.
    pub fn gap(&mut self, missing: u64, tell: Tell<'_>) {
        let held = std::mem::take(&mut self.held);
        if !held.is_empty() {
            self.piece(&held, None, tell);
        }
        self.within = true;
        self.decoder = Decoder::new(self.decoder.coding());
        if self.file {
            self.cut = true;
            tell(Told::Gap(missing));
        }
    }

    /// The message is over.
    pub fn finish(&mut self, tell: Tell<'_>) {
        if !self.held.is_empty() {
            let held = std::mem::take(&mut self.held);
            self.piece(&held, Some(b""), tell);
        }
        if self.place == Place::Header {
            self.end_field(tell);
        }
        if !self.boundaries.is_empty() {
            self.flaw(&anomaly::MIME_MALFORMED_MSG, tell);
        }
        self.end_part(FileEnd::Closed, tell);
        self.status = Status::Done;
    }

    /// What is left of it will not come.
    pub fn break_off(&mut self, tell: Tell<'_>) {
        self.end_part(FileEnd::Truncated, tell);
        self.status = Status::Done;
    }

    /// Tells a flaw, once a message.
    fn flaw(&mut self, what: &'static Anomaly, tell: Tell<'_>) {
        let Some(at) = anomaly::ALL.iter().position(|known| std::ptr::eq(*known, what)) else { return };
        let bit = 1u16 << (at % 16);
        if self.told & bit == 0 {
            self.told |= bit;
            tell(Told::Flaw(what));
        }
    }
}
