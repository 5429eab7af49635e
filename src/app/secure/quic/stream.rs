//! The CRYPTO stream of one side: pieces of a hello in any order, over several packets (RFC 9000 section 19.6).

/// Most bytes of a stream that are put together: a hello that needs more is none.
pub(super) const LIMIT: usize = 65_535;
/// Most separate stretches. Clients that scramble their hello on purpose make about ten.
const STRETCHES: usize = 64;

/// What came of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Added {
    /// It has its place.
    Kept,
    /// It lies beyond what is put together.
    TooLong,
}

/// Pieces gathered so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Stream {
    bytes: Vec<u8>,
    /// Stretches that are there, in order, apart from each other.
    have: Vec<(usize, usize)>,
}

impl Stream {
    /// Takes a piece; where it overlaps what is there already, the first one stays.
    pub(super) fn add(&mut self, offset: u64, data: &[u8]) -> Added {
        let Some((start, end)) = place(offset, data.len()) else {
            return Added::TooLong;
        };
        if start == end {
            return Added::Kept;
        }
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        let mut at = start;
        for (from, to) in self.have.iter().copied().chain([(LIMIT + 1, LIMIT + 1)]) {
            if at >= end || to <= at {
                continue;
            }
            copy(&mut self.bytes, at, data.get(at - start..from.clamp(at, end) - start));
            at = to;
        }
        self.note(start, end)
    }

    fn note(&mut self, start: usize, end: usize) -> Added {
        let first = self.have.partition_point(|&(_, to)| to < start);
        let after = self.have.partition_point(|&(from, _)| from <= end);
        let touched = self.have.get(first..after).unwrap_or_default();
        let joined = touched.iter().fold((start, end), |all, one| (all.0.min(one.0), all.1.max(one.1)));
        if touched.is_empty() && self.have.len() == STRETCHES {
            return Added::TooLong;
        }
        self.have.splice(first..after, [joined]);
        Added::Kept
    }

    /// Everything from the beginning up to the first hole.
    pub(super) fn head(&self) -> &[u8] {
        match self.have.first() {
            Some(&(0, end)) => self.bytes.get(..end).unwrap_or_default(),
            _ => &[],
        }
    }

    /// Whether nothing came yet.
    pub(super) fn is_empty(&self) -> bool {
        self.have.is_empty()
    }

    /// Heap bytes held.
    pub(super) fn held(&self) -> usize {
        self.bytes.capacity() + self.have.capacity() * size_of::<(usize, usize)>()
    }
}

fn place(offset: u64, len: usize) -> Option<(usize, usize)> {
    let start = usize::try_from(offset).ok()?;
    let end = start.checked_add(len)?;
    (end <= LIMIT).then_some((start, end))
}

fn copy(bytes: &mut [u8], at: usize, from: Option<&[u8]>) {
    let Some(from) = from else { return };
    if let Some(room) = bytes.get_mut(at..at + from.len()) {
        room.copy_from_slice(from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_in_any_order_make_the_whole() {
        let whole: Vec<u8> = (0..200).collect();
        let cuts = [(150, 200), (0, 10), (90, 150), (10, 11), (11, 95)];
        for turn in 0..cuts.len() {
            let mut stream = Stream::default();
            for &(from, to) in cuts[turn..].iter().chain(&cuts[..turn]) {
                assert_eq!(stream.add(from as u64, &whole[from..to]), Added::Kept);
            }
            assert_eq!(stream.head(), whole, "{turn}");
        }
    }

    #[test]
    fn what_came_first_stays() {
        let mut stream = Stream::default();
        stream.add(2, b"cd");
        stream.add(6, b"gh");
        assert_eq!(stream.head(), b"");
        stream.add(0, b"ABXXEFXXIJ");
        assert_eq!(stream.head(), b"ABcdEFghIJ");
        stream.add(4, b"..........");
        assert_eq!(stream.head(), b"ABcdEFghIJ....");
    }

    #[test]
    fn length_and_number_of_stretches_are_bounded() {
        let mut stream = Stream::default();
        assert_eq!(stream.add(LIMIT as u64, b"x"), Added::TooLong);
        assert_eq!(stream.add(u64::MAX, b"x"), Added::TooLong);
        for stretch in 0..STRETCHES {
            assert_eq!(stream.add(3 + 3 * stretch as u64, b"x"), Added::Kept);
        }
        assert_eq!(stream.add(60_000, b"x"), Added::TooLong);
        assert_eq!(stream.add(2, b"xx"), Added::Kept);
    }
}
