//! The fields of one side of a stream: header block, trailers and all, in one arena that is used again.

use super::hpack::Piece;
use std::cell::OnceCell;

/// Fields that somebody asks for by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Known {
    Method,
    Path,
    Authority,
    Status,
    Host,
    UserAgent,
    Referer,
    Accept,
    AcceptLanguage,
    AcceptEncoding,
    Cookie,
    SetCookie,
    ContentType,
    ContentLength,
    ContentEncoding,
    ContentRange,
    Connection,
    Server,
    Location,
}

/// Their names, in the same order.
const NAMES: [&[u8]; 19] = [
    b":method",
    b":path",
    b":authority",
    b":status",
    b"host",
    b"user-agent",
    b"referer",
    b"accept",
    b"accept-language",
    b"accept-encoding",
    b"cookie",
    b"set-cookie",
    b"content-type",
    b"content-length",
    b"content-encoding",
    b"content-range",
    b"connection",
    b"server",
    b"location",
];

/// One entry, in the order in which they came.
#[derive(Clone, Copy, Debug)]
enum Entry {
    /// A field: where its name begins, and how long name and value are. The value stands behind the name. `known` is
    /// the place of its name in `NAMES`, if it stands there.
    Field { known: Option<u8>, at: u32, name: u32, value: u32 },
    /// A new size of the dynamic table.
    Resize(u64),
}

/// An entry as others see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown<'a> {
    Field(&'a [u8], &'a [u8]),
    Resize(u64),
}

/// Bounds on what is kept of the fields of one side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) bytes: usize,
    pub(super) fields: usize,
}

/// A value for each known field.
type Joined = [OnceCell<Vec<u8>>; NAMES.len()];

/// The fields of one side.
#[derive(Debug, Default)]
pub(super) struct Head {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    /// Known names that occur, as bits.
    present: u32,
    /// Values of fields that came more than once, put together when somebody asks.
    joined: OnceCell<Box<Joined>>,
}

impl Head {
    /// Empties it for the next stream; what it had allocated stays, within reason.
    pub(super) fn clear(&mut self) {
        const KEEP: usize = 4 * 1024;
        self.bytes.clear();
        self.bytes.shrink_to(KEEP);
        self.entries.clear();
        self.entries.shrink_to(64);
        self.present = 0;
        self.changed();
    }

    /// Forgets what was put together before more came.
    pub(super) fn changed(&mut self) {
        self.joined.take();
    }

    /// Adds what a header block held. Beyond the bounds nothing is kept.
    pub(super) fn push(&mut self, piece: Piece<'_>, most: Bounds) {
        if self.entries.len() >= most.fields {
            return;
        }
        match piece {
            Piece::Field(name, value) => self.add(name, value, most),
            Piece::Resize(size) => self.entries.push(Entry::Resize(size)),
            Piece::Invalid => {}
        }
    }

    fn add(&mut self, name: &[u8], value: &[u8], most: Bounds) {
        let whole = self.bytes.len() + name.len() + value.len();
        if whole > most.bytes {
            return;
        }
        let [at, name_len, value_len] =
            [self.bytes.len(), name.len(), value.len()].map(|n| u32::try_from(n).unwrap_or(u32::MAX));
        self.bytes.extend_from_slice(name);
        self.bytes.extend_from_slice(value);
        let known = NAMES.iter().position(|known| *known == name).and_then(|place| u8::try_from(place).ok());
        self.present |= known.map_or(0, |place| 1 << place);
        self.entries.push(Entry::Field { known, at, name: name_len, value: value_len });
    }

    fn shown(&self, entry: Entry) -> Shown<'_> {
        let Entry::Field { at, name, value, .. } = entry else {
            let Entry::Resize(size) = entry else { return Shown::Resize(0) };
            return Shown::Resize(size);
        };
        let [at, name, value] = [at, name, value].map(|n| usize::try_from(n).unwrap_or(0));
        let both = self.bytes.get(at..at + name + value).unwrap_or_default();
        let (name, value) = both.split_at_checked(name).unwrap_or_default();
        Shown::Field(name, value)
    }

    /// Every entry from the `first` on, in order.
    pub(super) fn entries(&self, first: usize) -> impl Iterator<Item = Shown<'_>> {
        self.entries.iter().skip(first).map(|&entry| self.shown(entry))
    }

    /// Every field from entry `first` on: name and value.
    pub(super) fn fields(&self, first: usize) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.entries(first).filter_map(|shown| match shown {
            Shown::Field(name, value) => Some((name, value)),
            Shown::Resize(_) => None,
        })
    }

    /// Number of entries.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The values of a field, among the entries from `first` on. Names are in lower case (RFC 9113, 8.2); others are
    /// names of their own, and only a request taken over from HTTP/1 can have them.
    fn values(&self, known: Known, first: usize) -> impl Iterator<Item = &[u8]> {
        let present = self.present & (1 << known as u8) != 0;
        let entries = if present { self.entries.as_slice() } else { &[] };
        let same =
            move |entry: &&Entry| matches!(entry, Entry::Field { known: Some(k), .. } if *k == known as u8);
        entries.iter().skip(first).filter(same).filter_map(|&entry| match self.shown(entry) {
            Shown::Field(_, value) => Some(value),
            Shown::Resize(_) => None,
        })
    }

    /// The first value of a field, among the entries from `first` on.
    pub(super) fn first(&self, known: Known, first: usize) -> Option<&[u8]> {
        self.values(known, first).next()
    }

    /// All values of a field, with commas between them.
    pub(super) fn all(&self, known: Known) -> Option<&[u8]> {
        let mut found = self.values(known, 0);
        let first = found.next()?;
        if found.next().is_none() {
            return Some(first);
        }
        let join = || self.values(known, 0).collect::<Vec<_>>().join(&b", "[..]);
        let joined = self.joined.get_or_init(Box::default).get(known as usize)?;
        Some(joined.get_or_init(join))
    }

    /// The last value of a field, whatever the case of its name.
    pub(super) fn last(&self, known: Known) -> Option<&[u8]> {
        let name = *NAMES.get(known as usize)?;
        self.fields(0).filter(|(found, _)| found.eq_ignore_ascii_case(name)).last().map(|(_, value)| value)
    }

    /// Heap bytes held.
    pub(super) fn held(&self) -> usize {
        self.bytes.capacity() + self.entries.capacity() * size_of::<Entry>()
    }

    /// Bytes of the fields.
    pub(super) fn size(&self) -> usize {
        self.bytes.len() + self.entries.len() * size_of::<Entry>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: Bounds = Bounds { bytes: 100, fields: 5 };

    #[test]
    fn values_of_one_name_are_joined_and_known_apart() {
        let mut head = Head::default();
        for (name, value) in [("cookie", "a=1"), ("server", "x"), ("Cookie", "c=3"), ("cookie", "b=2")] {
            head.push(Piece::Field(name.as_bytes(), value.as_bytes()), MOST);
        }
        assert_eq!(head.all(Known::Cookie), Some(&b"a=1, b=2"[..]));
        assert_eq!(head.first(Known::Cookie, 0), Some(&b"a=1"[..]));
        assert_eq!(head.last(Known::Cookie), Some(&b"b=2"[..]));
        head.push(Piece::Field(b"Server", b"y"), MOST);
        assert_eq!(head.last(Known::Server), Some(&b"y"[..]));
        assert_eq!((head.all(Known::Server), head.all(Known::Host)), (Some(&b"x"[..]), None));
    }

    #[test]
    fn it_is_bounded() {
        let mut head = Head::default();
        head.push(Piece::Field(b"a", &[0; 100]), MOST);
        assert_eq!(head.len(), 0);
        for n in 0..10 {
            head.push(Piece::Resize(n), MOST);
        }
        assert_eq!(head.len(), 5);
    }
}
