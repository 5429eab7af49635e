//! Device addresses: which a device may use, and who has them.
//!
//! They begin at 4 GiB where the IOMMU allows it, so that a lost upper half shows at once, have a gap between blocks, and
//! are given again as late as possible: an access to what was freed faults instead of reaching what came after.

use std::collections::BTreeMap;

/// Where addresses begin if they may.
const FIRST: u64 = 1 << 32;

/// Below this nothing is given, whatever is allowed: null and what firmware left in a guest's first mebibyte.
const LOWEST: u64 = 1 << 20;

/// Unused addresses after a block.
const GAP: u64 = 1 << 16;

/// Where x86 receives messages of interrupts (Intel SDM volume 3, section 11.11.1); not memory to an IOMMU.
const MESSAGES: (u64, u64) = (0xFEE0_0000, 0xFEEF_FFFF);

/// What every IOMMU in use can do: 39 bits. For kernels that do not tell.
pub(crate) const NARROW: (u64, u64) = (0, (1 << 39) - 1);

/// Addresses of one device.
#[derive(Debug)]
pub(crate) struct Space {
    /// First and last of each allowed run, in order.
    allowed: Vec<(u64, u64)>,
    /// First address and end of what is in use.
    used: BTreeMap<u64, u64>,
    next: u64,
}

impl Space {
    /// All of `allowed` (first and last of each run) but what is never given.
    pub(crate) fn new(allowed: &[(u64, u64)]) -> Self {
        let cut = |&(first, last): &(u64, u64)| {
            let below = (first.max(LOWEST), last.min(MESSAGES.0 - 1));
            let above = (first.max(MESSAGES.1 + 1), last);
            [below, above].into_iter().filter(|(first, last)| first < last)
        };
        let mut allowed: Vec<(u64, u64)> = allowed.iter().flat_map(cut).collect();
        allowed.sort_unstable();
        Self { allowed, used: BTreeMap::new(), next: FIRST }
    }

    /// Takes `bytes` addresses, the first a multiple of `align`, a power of two; None when there is no such run.
    pub(crate) fn take(&mut self, bytes: u64, align: u64) -> Option<u64> {
        let starts = [self.next, FIRST, 0];
        let at = starts.into_iter().find_map(|from| self.fit(from, bytes.max(1), align))?;
        let end = at + bytes.max(1);
        self.used.insert(at, end);
        self.next = end.saturating_add(GAP);
        Some(at)
    }

    /// Gives back what `take` answered.
    pub(crate) fn give_back(&mut self, at: u64) {
        self.used.remove(&at);
    }

    /// Bytes of the largest run that is allowed.
    pub(crate) fn largest(&self) -> u64 {
        self.allowed.iter().map(|(first, last)| (last - first).saturating_add(1)).max().unwrap_or(0)
    }

    fn fit(&self, from: u64, bytes: u64, align: u64) -> Option<u64> {
        self.allowed.iter().find_map(|&(first, last)| {
            let mut at = first.max(from).checked_next_multiple_of(align)?;
            loop {
                let end = at.checked_add(bytes).filter(|end| end - 1 <= last)?;
                match self.used.range(..end).next_back() {
                    Some((_, taken)) if *taken > at => at = taken.checked_next_multiple_of(align)?,
                    _ => return Some(at),
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: u64 = 4096;

    #[test]
    fn addresses_begin_at_four_gibibytes_and_have_gaps() {
        let mut space = Space::new(&[NARROW]);
        assert_eq!(space.take(PAGE, PAGE), Some(FIRST));
        assert_eq!(space.take(PAGE, PAGE), Some(FIRST + PAGE + GAP));
        assert_eq!(space.take(1 << 21, 1 << 21), Some(FIRST + (1 << 21)));
    }

    #[test]
    fn what_was_given_back_comes_again_last() {
        let mut space = Space::new(&[(FIRST, FIRST + 40 * PAGE - 1)]);
        let first = space.take(PAGE, PAGE).expect("room");
        space.give_back(first);
        let second = space.take(PAGE, PAGE).expect("room");
        assert_ne!(first, second);
        let rest: Vec<u64> = std::iter::from_fn(|| space.take(PAGE, PAGE)).collect();
        assert_eq!(rest.len(), 39);
        assert!(rest.contains(&first) && !rest.contains(&second));
    }

    #[test]
    fn null_firmware_and_the_window_of_messages_are_never_given() {
        let mut space = Space::new(&[(0, FIRST - 1)]);
        let mut seen = Vec::new();
        while let Some(at) = space.take(1 << 24, PAGE) {
            seen.push(at);
        }
        assert!(seen.iter().all(|at| *at >= LOWEST));
        assert!(seen.iter().all(|at| at + (1 << 24) <= MESSAGES.0 || *at > MESSAGES.1));
        assert!(seen.len() > 200, "{} blocks of 16 MiB in 4 GiB", seen.len());
    }

    #[test]
    fn a_narrow_or_broken_space_is_respected() {
        let mut space = Space::new(&[(0x10_0000, 0x10_2FFF), (0x20_0000, 0x20_0FFF)]);
        assert_eq!(space.take(2 * PAGE, PAGE), Some(0x10_0000));
        assert_eq!(space.take(2 * PAGE, PAGE), None);
        assert_eq!(space.take(PAGE, PAGE), Some(0x20_0000));
        assert_eq!(space.take(PAGE, PAGE), Some(0x10_2000));
        assert_eq!(space.take(PAGE, PAGE), None);
        assert_eq!(space.largest(), 3 * PAGE);
        assert_eq!(Space::new(&[]).take(1, 1), None);
        assert_eq!(Space::new(&[(0, u64::MAX)]).take(u64::MAX, PAGE), None);
    }

    #[test]
    fn blocks_never_overlap() {
        let mut space = Space::new(&[(FIRST, FIRST + (1 << 24))]);
        let mut held: Vec<(u64, u64)> = Vec::new();
        let mut state = 7u64;
        for _ in 0..5000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let pages = 1 + (state >> 33) % 40;
            if state >> 63 == 0 {
                if let Some(at) = space.take(pages * PAGE, PAGE) {
                    let end = at + pages * PAGE;
                    assert!(held.iter().all(|(from, to)| end <= *from || at >= *to));
                    held.push((at, end));
                }
            } else if !held.is_empty() {
                let (at, _) = held.swap_remove((state >> 40) as usize % held.len());
                space.give_back(at);
            }
        }
    }
}
