//! The head of a message: its first line and fields, kept in one arena that is used again for the next message.

use super::bytes::{equals_word, from};
use super::number;
use std::ops::Range;

/// A place in a head's bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    at: u32,
    len: u32,
}

impl Span {
    /// Marks a span of the second part of the arena, which holds what had to be rewritten.
    const REWRITTEN: u32 = 1 << 31;

    fn new(at: usize, len: usize) -> Self {
        Self { at: u32::try_from(at).unwrap_or(u32::MAX), len: u32::try_from(len).unwrap_or(0) }
    }
}

/// Fields that somebody asks for by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Known {
    Host,
    UserAgent,
    Referer,
    ContentType,
    ContentLength,
    TransferEncoding,
    ContentEncoding,
    ContentRange,
    ContentDisposition,
    Cookie,
    SetCookie,
    Connection,
    Accept,
    AcceptLanguage,
    AcceptEncoding,
    Location,
    Server,
    Upgrade,
    Expect,
    Authorization,
    ForwardedFor,
}

/// How many there are.
const KNOWN: usize = 21;

impl Known {
    /// Looks a name up, ASCII case and NUL bytes aside.
    fn of(name: &[u8]) -> Option<Self> {
        let candidates: &[(Self, &[u8])] = match name.len() {
            4 => &[(Self::Host, b"host")],
            6 => &[
                (Self::Cookie, b"cookie"),
                (Self::Accept, b"accept"),
                (Self::Server, b"server"),
                (Self::Expect, b"expect"),
            ],
            7 => &[(Self::Referer, b"referer"), (Self::Upgrade, b"upgrade")],
            8 => &[(Self::Location, b"location")],
            10 => &[
                (Self::UserAgent, b"user-agent"),
                (Self::Connection, b"connection"),
                (Self::SetCookie, b"set-cookie"),
            ],
            12 => &[(Self::ContentType, b"content-type")],
            13 => &[(Self::ContentRange, b"content-range"), (Self::Authorization, b"authorization")],
            14 => &[(Self::ContentLength, b"content-length")],
            15 => &[
                (Self::AcceptEncoding, b"accept-encoding"),
                (Self::AcceptLanguage, b"accept-language"),
                (Self::ForwardedFor, b"x-forwarded-for"),
            ],
            16 => &[(Self::ContentEncoding, b"content-encoding")],
            17 => &[(Self::TransferEncoding, b"transfer-encoding")],
            19 => &[(Self::ContentDisposition, b"content-disposition")],
            _ => &[],
        };
        let found = candidates.iter().find(|(_, lower)| name.eq_ignore_ascii_case(lower));
        found.map(|&(known, _)| known).or_else(|| Self::hidden(name))
    }

    /// The fields that matter for framing and decoding are found even when NUL bytes hide them.
    fn hidden(name: &[u8]) -> Option<Self> {
        memchr::memchr(0, name)?;
        let framing: [(Self, &[u8]); 5] = [
            (Self::ContentLength, b"content-length"),
            (Self::TransferEncoding, b"transfer-encoding"),
            (Self::ContentEncoding, b"content-encoding"),
            (Self::ContentType, b"content-type"),
            (Self::Host, b"host"),
        ];
        framing.iter().find(|(_, lower)| equals_word(name, lower)).map(|&(known, _)| known)
    }
}

/// One field.
#[derive(Clone, Copy, Debug)]
struct Entry {
    name: Span,
    value: Span,
    /// Of the name in lower case, to find repetitions fast; known fields need none.
    hash: u32,
    repeated: bool,
}

/// What became of a field that was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Added {
    /// It is new, or one more of a kind that was told already.
    Quietly,
    /// It is the second of its name.
    Repeated,
    /// It is the second Content-Length of its message; whether it says something else.
    RepeatedLength { differs: bool },
    /// There are too many.
    TooMany,
}

/// Repetitions that are still joined; what comes behind them is dropped.
const MOST_REPETITIONS: u16 = 64;

/// First line and fields of one message.
#[derive(Debug, Default)]
pub(super) struct Head {
    /// The bytes as sent: first line, then the block of fields, then trailers.
    raw: Vec<u8>,
    /// What had to be rewritten: unfolded and joined values, the normal host.
    rewritten: Vec<u8>,
    entries: Vec<Entry>,
    /// Index into `entries`, plus one.
    known: [u16; KNOWN],
    repetitions: u16,
    /// Where the block of fields begins in `raw`.
    block: usize,
    /// The first line, without its end.
    pub(super) line: Span,
}

impl Head {
    /// Empties it for the next message; what it had allocated stays, within reason.
    pub(super) fn clear(&mut self) {
        const KEEP: usize = 8 * 1024;
        self.raw.clear();
        self.raw.shrink_to(KEEP);
        self.rewritten.clear();
        self.rewritten.shrink_to(KEEP);
        self.entries.clear();
        self.entries.shrink_to(128);
        self.known = [0; KNOWN];
        self.repetitions = 0;
        self.block = 0;
        self.line = Span::default();
    }

    /// Takes the first line, `chomped` bytes of which are more than its end.
    pub(super) fn start(&mut self, line: &[u8], chomped: usize) {
        self.raw.clear();
        self.raw.extend_from_slice(line);
        self.block = self.raw.len();
        self.line = Span::new(0, chomped);
    }

    /// A part of the first line.
    pub(super) fn part(range: &Range<usize>) -> Span {
        Span::new(range.start, range.len())
    }

    /// Bytes behind a span.
    pub(super) fn get(&self, span: Span) -> &[u8] {
        let (bytes, at) = if span.at & Span::REWRITTEN == 0 {
            (&self.raw, span.at)
        } else {
            (&self.rewritten, span.at & !Span::REWRITTEN)
        };
        let start = usize::try_from(at).unwrap_or(usize::MAX);
        let len = usize::try_from(span.len).unwrap_or(usize::MAX);
        bytes.get(start..start.saturating_add(len)).unwrap_or_default()
    }

    /// Keeps bytes that do not stand in the message like this.
    pub(super) fn rewrite(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Span {
        let start = self.rewritten.len();
        write(&mut self.rewritten);
        let mut span = Span::new(start, self.rewritten.len().saturating_sub(start));
        span.at |= Span::REWRITTEN;
        span
    }

    /// Adds a piece of the block of fields that is no field: the empty line at its end.
    pub(super) fn push_raw(&mut self, bytes: &[u8]) {
        self.raw.extend_from_slice(bytes);
    }

    /// Adds a field. `raw` is all of it; `name` and a value that is not `unfolded` lie within `raw`.
    pub(super) fn add(&mut self, raw: &[u8], name: &[u8], value: Result<&[u8], &[u8]>, most: usize) -> Added {
        let base = self.raw.len();
        self.raw.extend_from_slice(raw);
        let offset = |part: &[u8]| base + (part.as_ptr().addr()).saturating_sub(raw.as_ptr().addr());
        let name_span =
            if name.is_empty() { Span::new(base, 0) } else { Span::new(offset(name), name.len()) };
        let known = Known::of(name);
        let hash = if known.is_some() { 0 } else { hash(name) };
        let seen = match known.and_then(|known| self.known.get(known as usize).copied()) {
            Some(0) => None,
            Some(index) => Some(usize::from(index) - 1),
            None => self.find(name, hash),
        };
        if let Some(seen) = seen {
            return self.repeat(seen, known, value.unwrap_or_else(|unfolded| unfolded));
        }
        if self.entries.len() > most {
            return Added::TooMany;
        }
        let value = match value {
            Ok([]) => Span::new(base, 0),
            Ok(plain) => Span::new(offset(plain), plain.len()),
            Err(unfolded) => self.rewrite(|out| out.extend_from_slice(unfolded)),
        };
        self.entries.push(Entry { name: name_span, value, hash, repeated: false });
        if let Some(slot) = known.and_then(|known| self.known.get_mut(known as usize)) {
            *slot = u16::try_from(self.entries.len()).unwrap_or(0);
        }
        Added::Quietly
    }

    fn find(&self, name: &[u8], hash: u32) -> Option<usize> {
        let same = |e: &Entry| e.hash == hash && self.get(e.name).eq_ignore_ascii_case(name);
        self.entries.iter().position(same)
    }

    /// A field whose name was there already: its value is joined to the first one's.
    fn repeat(&mut self, index: usize, known: Option<Known>, value: &[u8]) -> Added {
        let Some(entry) = self.entries.get_mut(index) else { return Added::Quietly };
        let first = !entry.repeated;
        entry.repeated = true;
        if !first {
            if self.repetitions >= MOST_REPETITIONS {
                return Added::Quietly;
            }
            self.repetitions += 1;
        }
        let old = entry.value;
        if known == Some(Known::ContentLength) {
            let number = |v: &[u8]| number::length(v).map(|n| n.value);
            let (was, is) = (number(self.get(old)), number(value));
            let differs = was.is_none() || is.is_none() || was != is;
            return if first || differs { Added::RepeatedLength { differs } } else { Added::Quietly };
        }
        let joined = self.join(old, value);
        if let Some(entry) = self.entries.get_mut(index) {
            entry.value = joined;
        }
        if first { Added::Repeated } else { Added::Quietly }
    }

    /// A value with another one behind it; what stands at the arena's end already is not copied again.
    fn join(&mut self, old: Span, value: &[u8]) -> Span {
        let len = usize::try_from(old.len).unwrap_or(0);
        let start = usize::try_from(old.at & !Span::REWRITTEN).unwrap_or(0);
        let at_end = old.at & Span::REWRITTEN != 0 && start + len == self.rewritten.len();
        let before = if at_end { Vec::new() } else { self.get(old).to_vec() };
        let mut joined = self.rewrite(|out| {
            out.extend_from_slice(&before);
            out.extend_from_slice(b", ");
            out.extend_from_slice(value);
        });
        if at_end {
            joined.at = old.at;
            joined.len = joined.len.saturating_add(old.len);
        }
        joined
    }

    /// The value of a field.
    pub(super) fn field(&self, known: Known) -> Option<&[u8]> {
        let index = usize::from(*self.known.get(known as usize)?).checked_sub(1)?;
        self.entries.get(index).map(|e| self.get(e.value))
    }

    /// Every field, in order: name and value.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.entries.iter().map(|e| (self.get(e.name), self.get(e.value)))
    }

    /// Number of fields.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The block of fields as sent, with the empty line that ends it.
    pub(super) fn block(&self) -> &[u8] {
        from(&self.raw, self.block)
    }

    /// First line and fields, as sent.
    pub(super) fn as_sent(&self) -> &[u8] {
        &self.raw
    }

    /// Bytes of fields so far.
    pub(super) fn size(&self) -> usize {
        self.raw.len() + self.rewritten.len()
    }

    /// Heap bytes held.
    pub(super) fn held(&self) -> usize {
        self.raw.capacity() + self.rewritten.capacity() + self.entries.capacity() * size_of::<Entry>()
    }

    /// Forgets the fields, for a message that another one follows (100 Continue).
    pub(super) fn forget(&mut self) {
        self.clear();
    }
}

/// FNV-1a over a name in lower case.
fn hash(name: &[u8]) -> u32 {
    name.iter()
        .fold(0x811c_9dc5, |hash, b| (hash ^ u32::from(b.to_ascii_lowercase())).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(head: &mut Head, raw: &'static str) -> Added {
        let (name, value) = raw.split_once(':').unwrap();
        head.add(raw.as_bytes(), name.as_bytes(), Ok(value.trim().as_bytes()), 4)
    }

    #[test]
    fn fields_are_found_by_name_whatever_the_case() {
        let mut head = Head::default();
        head.start(b"GET / HTTP/1.1\r\n", 14);
        assert_eq!(add(&mut head, "hOST: a\r\n"), Added::Quietly);
        assert_eq!(add(&mut head, "X-Other: b\r\n"), Added::Quietly);
        assert_eq!(head.field(Known::Host), Some(&b"a"[..]));
        assert_eq!(head.field(Known::Cookie), None);
        assert_eq!(head.block(), b"hOST: a\r\nX-Other: b\r\n");
        assert_eq!(head.get(head.line), b"GET / HTTP/1.1");
    }

    #[test]
    fn repeated_fields_are_joined_and_told_once() {
        let mut head = Head::default();
        add(&mut head, "A: 1\r\n");
        assert_eq!(add(&mut head, "a: 2\r\n"), Added::Repeated);
        assert_eq!(add(&mut head, "A: 3\r\n"), Added::Quietly);
        assert_eq!(head.fields().collect::<Vec<_>>(), [(&b"A"[..], &b"1, 2, 3"[..])]);
        add(&mut head, "Content-Length: 4\r\n");
        assert_eq!(add(&mut head, "Content-Length: 04\r\n"), Added::RepeatedLength { differs: false });
        assert_eq!(add(&mut head, "Content-Length: 5\r\n"), Added::RepeatedLength { differs: true });
        assert_eq!(head.field(Known::ContentLength), Some(&b"4"[..]));
    }

    #[test]
    fn too_many_fields_are_refused() {
        let mut head = Head::default();
        for raw in ["A: 1", "B: 1", "C: 1", "D: 1", "E: 1"] {
            assert_eq!(add(&mut head, raw), Added::Quietly);
        }
        assert_eq!(add(&mut head, "F: 1"), Added::TooMany);
    }

    #[test]
    fn framing_fields_are_found_behind_nul_bytes() {
        let mut head = Head::default();
        head.add(b"Transfer-\0Encoding: chunked", b"Transfer-\0Encoding", Ok(b""), 9);
        assert!(head.field(Known::TransferEncoding).is_some());
    }
}
