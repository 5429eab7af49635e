//! Byte order of a capture file: the writer's, known from its magic number.

/// Which end comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

impl Order {
    /// Two bytes at `at`.
    #[inline]
    pub(super) fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let raw = *bytes.get(at..)?.first_chunk::<2>()?;
        Some(match self {
            Self::Little => u16::from_le_bytes(raw),
            Self::Big => u16::from_be_bytes(raw),
        })
    }

    /// Four bytes at `at`.
    #[inline]
    pub(super) fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let raw = *bytes.get(at..)?.first_chunk::<4>()?;
        Some(match self {
            Self::Little => u32::from_le_bytes(raw),
            Self::Big => u32::from_be_bytes(raw),
        })
    }

    /// Four words in a row.
    #[inline]
    pub(super) fn words(self, raw: &[u8; 16]) -> [u32; 4] {
        let (words, _) = raw.as_chunks::<4>();
        let word = |at: usize| words.get(at).copied().unwrap_or_default();
        let raw = [word(0), word(1), word(2), word(3)];
        match self {
            Self::Little => raw.map(u32::from_le_bytes),
            Self::Big => raw.map(u32::from_be_bytes),
        }
    }

    /// Eight bytes at `at`.
    pub(super) fn u64(self, bytes: &[u8], at: usize) -> Option<u64> {
        let raw = *bytes.get(at..)?.first_chunk::<8>()?;
        Some(match self {
            Self::Little => u64::from_le_bytes(raw),
            Self::Big => u64::from_be_bytes(raw),
        })
    }
}
