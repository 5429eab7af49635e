//! The index: from a hash to a slot. Open addressing, one cache line a lookup in the usual case.
//!
//! All of its address space is taken at once and zero: memory is touched as flows come, nothing is ever rehashed.

/// Longest stretch that is searched before a new entry is refused; reached only by keys made to collide.
const LONGEST: usize = 512;

/// Entries: hash in the upper half, slot + 1 in the lower half; 0 is free.
#[derive(Debug)]
pub(crate) struct Index {
    entries: Vec<u64>,
    mask: usize,
}

impl Index {
    /// Room for `1 << bits` entries.
    pub(crate) fn new(bits: u32) -> Self {
        let entries = vec![0; 1 << bits];
        Self { mask: entries.len() - 1, entries }
    }

    /// Bytes of address space.
    pub(crate) fn size(&self) -> usize {
        self.entries.len() * size_of::<u64>()
    }

    /// The slot under this hash that `is_it` agrees to.
    pub(crate) fn find(&self, tag: u32, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        let mut at = tag as usize & self.mask;
        for _ in 0..LONGEST {
            let (entry_tag, slot) = split(*self.entries.get(at)?)?;
            if entry_tag == tag && is_it(slot) {
                return Some(slot);
            }
            at = (at + 1) & self.mask;
        }
        None
    }

    /// Reads the entry where a search begins.
    #[inline]
    pub(crate) fn touch(&self, tag: u32) -> u64 {
        self.entries.get(tag as usize & self.mask).copied().unwrap_or(0)
    }

    /// Adds a slot. False when its stretch is full.
    pub(crate) fn insert(&mut self, tag: u32, slot: u32) -> bool {
        let mut at = tag as usize & self.mask;
        for _ in 0..LONGEST {
            match self.entries.get_mut(at) {
                Some(entry) if *entry == 0 => {
                    *entry = u64::from(tag) << 32 | (u64::from(slot) + 1);
                    return true;
                }
                _ => at = (at + 1) & self.mask,
            }
        }
        false
    }

    /// Takes a slot out, and closes the hole so that every search still ends at the first free entry.
    pub(crate) fn remove(&mut self, tag: u32, slot: u32) {
        let wanted = u64::from(tag) << 32 | (u64::from(slot) + 1);
        let mut hole = tag as usize & self.mask;
        for _ in 0..LONGEST {
            match self.entries.get(hole) {
                Some(e) if *e == wanted => return self.close(hole),
                Some(0) | None => return,
                Some(_) => hole = (hole + 1) & self.mask,
            }
        }
    }

    fn close(&mut self, mut hole: usize) {
        let mut at = hole;
        loop {
            at = (at + 1) & self.mask;
            let Some(&entry) = self.entries.get(at) else { return };
            let Some((tag, _)) = split(entry) else { break };
            let home = tag as usize & self.mask;
            // Distance from home, around the end: the entry may move back only as far as its home.
            if (at.wrapping_sub(home) & self.mask) >= (at.wrapping_sub(hole) & self.mask) {
                if let Some(place) = self.entries.get_mut(hole) {
                    *place = entry;
                }
                hole = at;
            }
        }
        if let Some(place) = self.entries.get_mut(hole) {
            *place = 0;
        }
    }
}

/// Hash and slot of an entry that is not free.
const fn split(entry: u64) -> Option<(u32, u32)> {
    if entry == 0 {
        return None;
    }
    #[allow(clippy::cast_possible_truncation, reason = "the two halves are what is meant")]
    Some(((entry >> 32) as u32, (entry as u32).wrapping_sub(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn behaves_like_a_map_under_churn_and_collisions() {
        let mut index = Index::new(8);
        let mut model: HashMap<u32, u32> = HashMap::new();
        let mut x = 1u64;
        for step in 0..50_000u32 {
            x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let slot = (x >> 40) as u32 % 120;
            // Few different homes, so that stretches grow long and wrap around.
            let tag = slot % 7 * 37 + if slot > 60 { 250 } else { 0 };
            if model.remove(&slot).is_some() {
                index.remove(tag, slot);
            } else {
                assert!(index.insert(tag, slot));
                model.insert(slot, tag);
            }
            if step % 64 == 0 {
                for slot in 0..120 {
                    let tag = slot % 7 * 37 + if slot > 60 { 250 } else { 0 };
                    assert_eq!(index.find(tag, |s| s == slot).is_some(), model.contains_key(&slot));
                }
            }
        }
    }

    #[test]
    fn a_full_stretch_refuses_instead_of_searching_on() {
        let mut index = Index::new(10);
        let taken = (0..1000).filter(|slot| index.insert(5, *slot)).count();
        assert_eq!(taken, LONGEST);
        assert_eq!(index.find(5, |_| false), None);
    }
}
