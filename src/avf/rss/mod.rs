//! Receive side scaling: which classes of packets are hashed, how, and to which queue a hash leads.
//!
//! AVF specification, RSS chapters; classes as the Linux `i40e` and `ice` drivers number them.

mod class;
mod toeplitz;

pub use class::{Class, Family, Hena, Input, Seen};
pub use toeplitz::{Addresses, KEY_BYTES, SYMMETRIC_KEY, Toeplitz, is_symmetric};

/// Entries of a classic function's indirection table.
pub const LUT_ENTRIES: usize = 64;

/// Most queues that a classic function's table can name: its entries have four bits.
pub const LUT_QUEUES: u8 = 16;

/// The indirection table: which queue a hash leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lut(Vec<u8>);

impl Lut {
    /// From one queue number an entry, as CONFIG_RSS_LUT carries them. `None` unless there is a power of two of them.
    #[must_use]
    pub fn new(queues: &[u8]) -> Option<Self> {
        queues.len().is_power_of_two().then(|| Self(queues.to_vec()))
    }

    /// A classic table that deals hashes out to queues 0 to `queues` - 1 in turn; at least one, at most
    /// [`LUT_QUEUES`].
    #[must_use]
    pub fn spread(queues: u8) -> Self {
        Self::deal(queues.min(LUT_QUEUES).into(), LUT_ENTRIES)
    }

    /// A table of `entries`, rounded up to a power of two, that deals hashes out to queues 0 to `queues` - 1 in turn; at
    /// least one and at most 256, which is what an entry can name. Large functions have 512 entries or 2048.
    #[must_use]
    pub fn deal(queues: u16, entries: usize) -> Self {
        let last = u8::try_from(queues.max(1) - 1).unwrap_or(u8::MAX);
        Self((0..=last).cycle().take(entries.next_power_of_two()).collect())
    }

    /// Where a packet goes: the entry that the low bits of its hash name.
    #[must_use]
    pub fn queue(&self, hash: u32) -> u8 {
        let low = usize::try_from(hash).unwrap_or_default() & (self.0.len() - 1);
        self.0.get(low).copied().unwrap_or(0)
    }

    /// One queue number an entry.
    #[must_use]
    pub fn entries(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn low_bits_of_the_hash_pick_an_entry() {
        let lut = Lut::spread(4);
        assert_eq!(lut.entries().len(), LUT_ENTRIES);
        assert_eq!((lut.queue(0), lut.queue(63), lut.queue(64), lut.queue(0xFFFF_FFC5)), (0, 3, 0, 1));
        let counts = (0..4).map(|queue| lut.entries().iter().filter(|entry| **entry == queue).count());
        assert!(counts.into_iter().all(|count| count == 16));
    }

    #[test]
    fn large_tables_name_every_queue() {
        let lut = Lut::deal(256, 2048);
        assert_eq!(
            (lut.entries().len(), lut.queue(255), lut.queue(256), lut.queue(2047)),
            (2048, 255, 0, 255)
        );
        assert_eq!(Lut::deal(64, 512).entries().iter().max(), Some(&63));
        assert_eq!((Lut::deal(0, 64), Lut::deal(1000, 512)), (Lut::spread(1), Lut::deal(256, 512)));
    }

    #[test]
    fn tables_have_a_power_of_two_of_entries() {
        assert_eq!(Lut::new(&[0; 63]), None);
        assert_eq!(Lut::new(&[]), None);
        assert_eq!(Lut::new(&[3, 5]).map(|lut| lut.queue(7)), Some(5));
        assert_eq!(Lut::spread(0), Lut::spread(1));
        assert_eq!(Lut::spread(200), Lut::spread(16));
    }
}
