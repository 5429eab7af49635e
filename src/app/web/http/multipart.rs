//! Forms in parts (RFC 7578): which files they carry, while they stream by. Of the bytes only what may turn out to be
//! a boundary, or one header line, is held back.

use super::bytes::{equals_word, from, is_blank, run, until};
use super::parameter;

/// Longest boundary.
const LONGEST_BOUNDARY: usize = 255;
/// Longest header line of a part.
const LONGEST_LINE: usize = 4096;

/// What is found in a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event<'a> {
    /// A part with a file of this name begins.
    Open(&'a [u8]),
    /// Bytes of the file.
    Data(&'a [u8]),
    /// The file ended at its boundary.
    Close,
    /// A malformed header line.
    InvalidHeader,
    /// A file was named, but its part is empty.
    NoData,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before a boundary line.
    Start,
    /// Within a line that is too long to be looked at.
    LongLine,
    /// In the header of a part.
    Header,
    /// At the first byte of a part's content.
    HeaderEnd,
    /// In the content.
    Content,
}

/// Reads one form.
#[derive(Debug)]
pub(super) struct Form {
    /// CR LF, two dashes, the boundary.
    delimiter: Vec<u8>,
    held: Vec<u8>,
    state: State,
    /// The part at hand is a file.
    file: bool,
}

impl Form {
    /// For a `Content-Type` that has a boundary.
    pub(super) fn of(content_type: &[u8]) -> Option<Self> {
        let boundary = parameter::find(content_type, b"boundary")?;
        if boundary.len() > LONGEST_BOUNDARY {
            return None;
        }
        let mut delimiter = b"\r\n--".to_vec();
        delimiter.extend_from_slice(&boundary);
        Some(Self { delimiter, held: Vec::new(), state: State::Start, file: false })
    }

    /// Reads on.
    pub(super) fn feed(&mut self, data: &[u8], tell: &mut dyn FnMut(Event<'_>)) {
        if self.held.is_empty() {
            let eaten = self.read(data, tell);
            self.held.extend_from_slice(from(data, eaten));
        } else {
            let mut held = std::mem::take(&mut self.held);
            held.extend_from_slice(data);
            let eaten = self.read(&held, tell);
            held.drain(..eaten.min(held.len()));
            self.held = held;
        }
    }

    /// The form is over: gives out what was held back, and says whether a file is still open.
    pub(super) fn finish(&mut self, tell: &mut dyn FnMut(Event<'_>)) -> bool {
        let held = std::mem::take(&mut self.held);
        if self.state == State::Content && self.file && !held.is_empty() {
            tell(Event::Data(&held));
        }
        std::mem::take(&mut self.file)
    }

    /// Heap bytes held.
    pub(super) fn held(&self) -> usize {
        self.held.capacity() + self.delimiter.capacity()
    }

    fn boundary(&self) -> &[u8] {
        from(&self.delimiter, 2)
    }

    /// Reads as far as it can; the bytes it is done with.
    fn read(&mut self, data: &[u8], tell: &mut dyn FnMut(Event<'_>)) -> usize {
        let mut at = 0;
        loop {
            let rest = from(data, at);
            let eaten = match self.state {
                _ if rest.is_empty() => return at,
                State::Start => self.start(rest),
                State::LongLine => self.long_line(rest),
                State::Header => self.header(rest, tell),
                State::HeaderEnd => self.header_end(rest, tell),
                State::Content => {
                    let eaten = self.content(rest, tell);
                    if self.state == State::Content {
                        return at + eaten;
                    }
                    Some(eaten)
                }
            };
            match eaten {
                Some(n) => at += n,
                None => return at,
            }
        }
    }

    fn start(&mut self, rest: &[u8]) -> Option<usize> {
        match memchr::memchr(b'\n', rest) {
            Some(lf) => {
                if rest.starts_with(self.boundary()) {
                    self.state = State::Header;
                }
                Some(lf + 1)
            }
            None if rest.len() > LONGEST_LINE => {
                self.state = State::LongLine;
                Some(rest.len())
            }
            None => None,
        }
    }

    fn long_line(&mut self, rest: &[u8]) -> Option<usize> {
        let lf = memchr::memchr(b'\n', rest);
        if lf.is_some() {
            self.state = State::Header;
        }
        Some(lf.map_or(rest.len(), |lf| lf + 1))
    }

    fn header(&mut self, rest: &[u8], tell: &mut dyn FnMut(Event<'_>)) -> Option<usize> {
        let Some(end) = memchr::memmem::find(rest, b"\r\n") else {
            if rest.len() <= LONGEST_LINE {
                return None;
            }
            self.state = State::LongLine;
            return Some(rest.len());
        };
        let line = until(rest, end);
        if line.is_empty() || line == b"\r" {
            self.state = State::HeaderEnd;
        } else {
            self.field(line, tell);
        }
        Some(end + 2)
    }

    fn field(&mut self, line: &[u8], tell: &mut dyn FnMut(Event<'_>)) {
        let Some(colon) = memchr::memchr(b':', line) else {
            return tell(Event::InvalidHeader);
        };
        let value = from(line, colon + 1);
        let value = from(value, run(value, is_blank));
        if value.is_empty() {
            tell(Event::InvalidHeader);
        } else if equals_word(until(line, colon), b"content-disposition")
            && let Some(name) = parameter::find(value, b"filename").filter(|name| !name.is_empty())
        {
            if self.file {
                tell(Event::Close);
            }
            self.file = true;
            tell(Event::Open(&name));
        }
    }

    fn header_end(&mut self, rest: &[u8], tell: &mut dyn FnMut(Event<'_>)) -> Option<usize> {
        let boundary = self.boundary();
        if rest.len() < boundary.len() && boundary.starts_with(rest) {
            return None;
        }
        if !rest.starts_with(boundary) {
            self.state = State::Content;
            return Some(0);
        }
        self.state = State::Start;
        if std::mem::take(&mut self.file) {
            tell(Event::NoData);
            tell(Event::Close);
        }
        Some(0)
    }

    fn content(&mut self, rest: &[u8], tell: &mut dyn FnMut(Event<'_>)) -> usize {
        let found = memchr::memmem::find(rest, &self.delimiter);
        let end = found.unwrap_or_else(|| rest.len() - partial(rest, &self.delimiter));
        if self.file && end > 0 {
            tell(Event::Data(until(rest, end)));
        }
        if found.is_none() {
            return end;
        }
        self.state = State::Start;
        if std::mem::take(&mut self.file) {
            tell(Event::Close);
        }
        end + 2
    }
}

/// Length of the longest end of `data` that `delimiter` begins with.
fn partial(data: &[u8], delimiter: &[u8]) -> usize {
    let longest = data.len().min(delimiter.len().saturating_sub(1));
    let tail = from(data, data.len() - longest);
    let mut starts = memchr::memchr_iter(b'\r', tail);
    starts.find(|&at| delimiter.starts_with(from(tail, at))).map_or(0, |at| longest - at)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &[u8] =
        b"preamble\r\n--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nvalue\r\n--XX\r\n\
        Content-Disposition: form-data; name=\"f\"; filename=\"one.txt\"\r\nContent-Type: text/plain\r\n\r\n\
        first\r\n--X\r\nfile\r\n--XX\r\nContent-Disposition: form-data; filename=two\r\nBad\r\n\r\n--XX\r\n\
        Content-Disposition: form-data; filename=three\r\n\r\ncut";

    fn read(step: usize) -> Vec<String> {
        let mut form = Form::of(b"multipart/form-data; boundary=\"XX\"").unwrap();
        let mut told: Vec<String> = Vec::new();
        let mut tell = |event: Event<'_>| {
            let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
            match event {
                Event::Open(name) => told.push(format!("open {}", text(name))),
                Event::Data(data) => match told.last_mut().filter(|t| t.starts_with("data ")) {
                    Some(line) => line.push_str(&text(data)),
                    None => told.push(format!("data {}", text(data))),
                },
                other => told.push(format!("{other:?}")),
            }
        };
        for bytes in FORM.chunks(step) {
            form.feed(bytes, &mut tell);
        }
        let open = form.finish(&mut tell);
        told.push(format!("left open: {open}"));
        told
    }

    #[test]
    fn files_of_a_form_are_found_however_it_is_cut() {
        let whole = [
            "open one.txt",
            "data first\r\n--X\r\nfile",
            "Close",
            "open two",
            "InvalidHeader",
            "NoData",
            "Close",
            "open three",
            "data cut",
            "left open: true",
        ];
        for step in [1, 2, 3, 5, 11, FORM.len()] {
            assert_eq!(read(step), whole, "by {step}");
        }
    }

    #[test]
    fn nothing_much_is_held_back() {
        let mut form = Form::of(b"multipart/form-data; boundary=XX").unwrap();
        form.feed(b"--XX\r\nContent-Disposition: x; filename=f\r\n\r\n", &mut |_| {});
        for _ in 0..100 {
            form.feed(&[b'-'; 4096], &mut |_| {});
            form.feed(&[b'\r'; 4096], &mut |_| {});
        }
        assert!(form.held() < 16 * 1024);
        assert!(Form::of(b"text/plain").is_none());
    }
}
