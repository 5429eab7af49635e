//! Files that come in ranges over several transactions or flows (RFC 9110 section 14), put together again.
//!
//! A share keeps the ranges it saw of one file of one server until they make a whole. Everything is bounded: when the
//! memory is used up the oldest bytes go, and the file is never told as a whole. Ranges of one client and server meet
//! in one share, so what is put together does not depend on the number of workers.

use crate::files::{File, Finished, Settings};
use output::files::Store;
use parse::{FileEnd, Side};
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

/// Bytes of ranges that one share holds.
const BUDGET: usize = 16 << 20;
/// What a range counts for of which only the length is kept.
const UNREAD: usize = 64;
/// Files being put together in one share.
const MOST_WHOLES: usize = 64;

/// A range, on its way or waiting: how long it is, and its bytes if somebody reads them.
#[derive(Debug, Default)]
struct Part {
    size: u64,
    bytes: Option<Vec<u8>>,
}

impl Part {
    /// Bytes that it holds.
    fn held(&self) -> usize {
        self.bytes.as_ref().map_or(UNREAD, Vec::len)
    }
}

/// A file being put together.
struct Whole {
    /// Tenant and address.
    server: (u32, IpAddr),
    name: Vec<u8>,
    size: u64,
    /// Hashes and size of what is there from the beginning without a hole.
    front: File,
    /// Ranges behind a hole, by their first byte.
    waiting: BTreeMap<u64, Part>,
}

/// What a share holds of ranges.
#[derive(Default)]
pub(crate) struct Ranges {
    parts: BTreeMap<u64, Part>,
    next: u64,
    wholes: VecDeque<Whole>,
    held: usize,
}

impl Ranges {
    /// A range begins; its bytes go under this number. `read`: somebody hashes or keeps them, else their number is enough.
    pub(crate) fn begin(&mut self, read: bool) -> u64 {
        self.next += 1;
        let part = Part { size: 0, bytes: read.then(Vec::new) };
        let held = part.held();
        self.parts.insert(self.next, part);
        self.hold(held);
        self.next
    }

    /// Its next bytes. A range that lost its place is not missed.
    pub(crate) fn add(&mut self, number: u64, data: &[u8]) {
        let Some(part) = self.parts.get_mut(&number) else { return };
        part.size += data.len() as u64;
        let Some(bytes) = &mut part.bytes else { return };
        bytes.extend_from_slice(data);
        self.hold(data.len());
    }

    /// Holds so many bytes more, and forgets what is oldest where they are too many.
    fn hold(&mut self, more: usize) {
        self.held += more;
        while self.held > BUDGET && self.forget_oldest() {}
    }

    /// It was not sent whole.
    pub(crate) fn drop(&mut self, number: u64) {
        if let Some(part) = self.parts.remove(&number) {
            self.held -= part.held();
        }
    }

    /// It was: joins the file, and answers with that when nothing of it is missing any more.
    pub(crate) fn join(
        &mut self,
        number: u64,
        server: (u32, IpAddr),
        file: &File,
        settings: &Settings,
        store: &Store,
    ) -> Option<Finished> {
        let part = self.parts.remove(&number)?;
        let (start, _, Some(size)) = file.range? else {
            self.held -= part.held();
            return None;
        };
        let at = self.whole(server, &file.name, size, settings, store);
        let whole = self.wholes.get_mut(at)?;
        self.held -= whole.take(start, part, settings.most);
        if whole.front.size < size {
            return None;
        }
        let whole = self.wholes.remove(at)?;
        self.held -= whole.held();
        Some(whole.front.conclude(FileEnd::Closed, settings))
    }

    /// The place of the file that a range belongs to; begun when it is the first.
    fn whole(
        &mut self,
        server: (u32, IpAddr),
        name: &[u8],
        size: u64,
        settings: &Settings,
        store: &Store,
    ) -> usize {
        let same = |w: &Whole| w.server == server && w.size == size && w.name == name;
        if let Some(at) = self.wholes.iter().position(same) {
            return at;
        }
        if self.wholes.len() >= MOST_WHOLES {
            self.forget_whole();
        }
        let front = File::new(settings, store, 0, Side::ToClient, name, None);
        let waiting = BTreeMap::new();
        self.wholes.push_back(Whole { server, name: name.to_vec(), size, front, waiting });
        self.wholes.len() - 1
    }

    /// Whether there was something to forget.
    fn forget_oldest(&mut self) -> bool {
        if !self.wholes.is_empty() {
            self.forget_whole();
            return true;
        }
        let Some((_, part)) = self.parts.pop_first() else { return false };
        self.held -= part.held();
        true
    }

    fn forget_whole(&mut self) {
        if let Some(whole) = self.wholes.pop_front() {
            self.held -= whole.held();
        }
    }
}

impl Whole {
    /// Bytes that wait.
    fn held(&self) -> usize {
        self.waiting.values().map(Part::held).sum()
    }

    /// Takes a range, and answers how many bytes need not be held any more.
    fn take(&mut self, start: u64, part: Part, most: u64) -> usize {
        let mut freed = self.waiting.insert(start, part).map_or(0, |old| old.held());
        while let Some((start, part)) = self.waiting.pop_first() {
            if start > self.front.size {
                self.waiting.insert(start, part);
                break;
            }
            self.join(start, &part, most);
            freed += part.held();
        }
        freed
    }

    /// Adds what a range that begins in the front, or right behind it, has beyond it.
    fn join(&mut self, start: u64, part: &Part, most: u64) {
        let known = self.front.size - start;
        match &part.bytes {
            Some(bytes) => {
                let known = usize::try_from(known).unwrap_or(usize::MAX);
                self.front.add(bytes.get(known..).unwrap_or_default(), most);
            }
            None => self.front.pass_over(part.size.saturating_sub(known)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn join(ranges: &mut Ranges, start: u64, bytes: &[u8], size: u64) -> Option<Finished> {
        join_if(ranges, true, start, bytes, size)
    }

    fn join_if(ranges: &mut Ranges, read: bool, start: u64, bytes: &[u8], size: u64) -> Option<Finished> {
        let settings = Settings { sha256: true, ..Settings::default() };
        let store = Store::default();
        let number = ranges.begin(read);
        ranges.add(number, bytes);
        let range = Some((start, start + bytes.len() as u64 - 1, Some(size)));
        let file = File::new(&settings, &store, 0, Side::ToClient, b"/f", range);
        ranges.join(number, (0, [192, 0, 2, 1].into()), &file, &settings, &store)
    }

    #[test]
    fn ranges_in_any_order_and_overlapping_make_a_whole() {
        let mut ranges = Ranges::default();
        assert!(join(&mut ranges, 4, b"efgh", 10).is_none());
        assert!(join(&mut ranges, 2, b"cdef", 10).is_none());
        assert!(join(&mut ranges, 8, b"ij", 10).is_none());
        let whole = join(&mut ranges, 0, b"abc", 10).expect("nothing is missing");
        assert_eq!((whole.file.size, whole.file.range), (10, None));
        // SHA-256 of "abcdefghij".
        assert_eq!(whole.hashes.sha256.map(|h| [h[0], h[1]]), Some([0x72, 0x39]));
        assert_eq!(ranges.held, 0);
    }

    #[test]
    fn what_nobody_reads_is_only_counted() {
        let mut ranges = Ranges::default();
        assert!(join_if(&mut ranges, false, 4, b"efgh", 10).is_none());
        assert!(join_if(&mut ranges, false, 2, b"cdef", 10).is_none());
        assert!(join_if(&mut ranges, true, 8, b"ij", 10).is_none());
        assert_eq!(ranges.held, 2 + 2 * UNREAD);
        let whole = join_if(&mut ranges, false, 0, b"abc", 10).expect("nothing is missing");
        assert_eq!((whole.file.size, whole.file.gaps), (10, false));
        assert_eq!(whole.hashes.sha256, None, "of what was not read there is no hash");
        assert_eq!(ranges.held, 0);
    }

    #[test]
    fn ranges_that_are_only_counted_are_bounded_too() {
        let mut ranges = Ranges::default();
        let mut most = 0;
        for n in 0..BUDGET as u64 / UNREAD as u64 + 1000 {
            assert!(join_if(&mut ranges, false, 2 * n + 1, b"a", 1 << 40).is_none());
            most = most.max(ranges.wholes.iter().map(|whole| whole.waiting.len()).sum::<usize>());
            assert!(ranges.held <= BUDGET);
        }
        assert!(most > 100_000 && most <= BUDGET / UNREAD, "{most}");
    }

    #[test]
    fn memory_is_bounded_and_what_was_forgotten_is_not_told() {
        let mut ranges = Ranges::default();
        let chunk = vec![0; 1 << 20];
        for n in 0..40 {
            assert!(join(&mut ranges, (n + 1) << 20, &chunk, 1 << 40).is_none());
            assert!(ranges.held <= BUDGET);
        }
        let lost = ranges.begin(true);
        for _ in 0..40 {
            ranges.add(lost, &chunk);
        }
        assert!(ranges.held <= BUDGET);
        ranges.drop(lost);
        assert_eq!(ranges.held, 0);
    }
}
