//! The two tables of HPACK (RFC 7541, 2.3): the static one, and the dynamic one that a side builds up.

use std::collections::VecDeque;

/// The static table (appendix A); index 1 comes first.
#[rustfmt::skip]
static STATIC: [(&[u8], &[u8]); 61] = [
    (b":authority", b""), (b":method", b"GET"), (b":method", b"POST"), (b":path", b"/"), (b":path", b"/index.html"),
    (b":scheme", b"http"), (b":scheme", b"https"), (b":status", b"200"), (b":status", b"204"), (b":status", b"206"),
    (b":status", b"304"), (b":status", b"400"), (b":status", b"404"), (b":status", b"500"), (b"accept-charset", b""),
    (b"accept-encoding", b"gzip, deflate"), (b"accept-language", b""), (b"accept-ranges", b""), (b"accept", b""),
    (b"access-control-allow-origin", b""), (b"age", b""), (b"allow", b""), (b"authorization", b""),
    (b"cache-control", b""), (b"content-disposition", b""), (b"content-encoding", b""), (b"content-language", b""),
    (b"content-length", b""), (b"content-location", b""), (b"content-range", b""), (b"content-type", b""),
    (b"cookie", b""), (b"date", b""), (b"etag", b""), (b"expect", b""), (b"expires", b""), (b"from", b""),
    (b"host", b""), (b"if-match", b""), (b"if-modified-since", b""), (b"if-none-match", b""), (b"if-range", b""),
    (b"if-unmodified-since", b""), (b"last-modified", b""), (b"link", b""), (b"location", b""),
    (b"max-forwards", b""), (b"proxy-authenticate", b""), (b"proxy-authorization", b""), (b"range", b""),
    (b"referer", b""), (b"refresh", b""), (b"retry-after", b""), (b"server", b""), (b"set-cookie", b""),
    (b"strict-transport-security", b""), (b"transfer-encoding", b""), (b"user-agent", b""), (b"vary", b""),
    (b"via", b""), (b"www-authenticate", b""),
];

/// What an entry costs besides its bytes (4.1).
const OVERHEAD: usize = 32;
/// Size before anything else was said (RFC 9113, 6.5.2).
const USUAL: usize = 4096;
/// Largest dynamic table that is kept, whatever the peers agree on; older entries are forgotten.
const LARGEST: usize = 64 * 1024;

/// One entry: where its name begins, and how long name and value are. The value stands behind the name.
#[derive(Clone, Copy, Debug)]
struct Entry {
    at: u64,
    name: usize,
    value: usize,
}

/// The dynamic table of one side, behind the static one.
#[derive(Debug)]
pub(super) struct Table {
    /// Bytes of the entries, oldest first; some in front may be of entries that are gone.
    bytes: Vec<u8>,
    /// Place of `bytes[0]` among all bytes ever put in.
    base: u64,
    /// Oldest first.
    entries: VecDeque<Entry>,
    size: usize,
    most: usize,
}

impl Table {
    pub(super) const fn new() -> Self {
        Self { bytes: Vec::new(), base: 0, entries: VecDeque::new(), size: 0, most: USUAL }
    }

    /// The entry of an index, from 1 on.
    pub(super) fn get(&self, index: u64) -> Option<(&[u8], &[u8])> {
        let index = usize::try_from(index).ok()?.checked_sub(1)?;
        if let Some(&known) = STATIC.get(index) {
            return Some(known);
        }
        let from_oldest = self.entries.len().checked_sub(index - STATIC.len() + 1)?;
        let entry = self.entries.get(from_oldest)?;
        let start = usize::try_from(entry.at.checked_sub(self.base)?).ok()?;
        self.bytes.get(start..start + entry.name + entry.value)?.split_at_checked(entry.name)
    }

    /// Puts an entry in front of all others, and the oldest ones out (4.4).
    pub(super) fn insert(&mut self, name: &[u8], value: &[u8]) {
        let size = OVERHEAD + name.len() + value.len();
        self.shrink(self.most.saturating_sub(size));
        if size > self.most {
            return;
        }
        let at = self.base.saturating_add(u64::try_from(self.bytes.len()).unwrap_or(0));
        self.bytes.extend_from_slice(name);
        self.bytes.extend_from_slice(value);
        self.entries.push_back(Entry { at, name: name.len(), value: value.len() });
        self.size += size;
    }

    /// The encoder says how large its table is from now on (6.3).
    pub(super) fn resize(&mut self, most: u64) {
        self.most = usize::try_from(most).unwrap_or(LARGEST).min(LARGEST);
        self.shrink(self.most);
    }

    /// The decoder would take a table of this size: keep what the encoder may still speak of.
    pub(super) fn allow(&mut self, most: u64) {
        let most = usize::try_from(most).unwrap_or(LARGEST).min(LARGEST);
        self.most = self.most.max(most);
    }

    /// Puts entries out until no more than `size` is left.
    fn shrink(&mut self, size: usize) {
        while self.size > size {
            let Some(oldest) = self.entries.pop_front() else { break };
            self.size = self.size.saturating_sub(OVERHEAD + oldest.name + oldest.value);
        }
        let dead = match self.entries.front() {
            Some(oldest) => usize::try_from(oldest.at.saturating_sub(self.base)).unwrap_or(0),
            None => self.bytes.len(),
        };
        // moved together only when half of it is gone, so that each byte is moved about once
        if dead > 0 && dead >= self.bytes.len() / 2 {
            self.bytes.drain(..dead.min(self.bytes.len()));
            self.base = self.base.saturating_add(u64::try_from(dead).unwrap_or(0));
        }
    }

    /// Heap bytes held.
    pub(super) fn held(&self) -> usize {
        self.bytes.capacity() + self.entries.capacity() * size_of::<Entry>()
    }

    /// Size as the specification counts it.
    #[cfg(test)]
    pub(super) const fn size(&self) -> usize {
        self.size
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_static_table_comes_first() {
        let table = Table::new();
        assert_eq!(table.get(0), None);
        assert_eq!(table.get(1), Some((&b":authority"[..], &b""[..])));
        assert_eq!(table.get(61), Some((&b"www-authenticate"[..], &b""[..])));
        assert_eq!(table.get(62), None);
        assert_eq!(table.get(u64::MAX), None);
    }

    #[test]
    fn the_newest_entry_has_the_lowest_index_and_the_oldest_goes_first() {
        let mut table = Table::new();
        for n in 0..1000u32 {
            table.insert(b"name", format!("{n:04}").as_bytes());
        }
        assert_eq!(table.size(), 4096 / 40 * 40);
        assert_eq!(table.get(62), Some((&b"name"[..], &b"0999"[..])));
        assert_eq!(table.get(62 + 101), Some((&b"name"[..], &b"0898"[..])));
        assert_eq!(table.get(62 + 102), None);
        assert!(table.held() < 16 * 1024, "{}", table.held());
    }

    #[test]
    fn an_entry_that_is_too_large_empties_the_table() {
        let mut table = Table::new();
        table.insert(b"a", b"b");
        table.insert(b"c", &[0; 4096]);
        assert_eq!((table.get(62), table.size()), (None, 0));
    }

    #[test]
    fn sizes_are_bounded() {
        let mut table = Table::new();
        table.resize(u64::MAX);
        for _ in 0..10_000 {
            table.insert(b"a", &[b'x'; 100]);
        }
        assert!(table.size() <= LARGEST && table.held() < 4 * LARGEST);
        table.resize(0);
        assert_eq!((table.size(), table.get(62)), (0, None));
        table.insert(b"a", b"b");
        assert_eq!(table.get(62), None);
    }
}
