//! The index: from a hash to a slot. Open addressing, one cache line a lookup in the usual case.
//!
//! It is small while flows are few, so that it stays in the caches, and doubles as they come. Nothing is moved all at once:
//! each new entry takes a few old ones along, and until the old place is empty both are searched.

/// Longest stretch that is searched before a new entry is refused; reached only by keys made to collide.
const LONGEST: usize = 512;
/// Entries at the beginning: 8 KiB.
const FIRST: u32 = 10;
/// Places of the old table that one new entry empties. Eight would do to be done before the next doubling.
const STEP: usize = 32;
/// Stands in the old table where something was taken away, so that searches go on behind it. No slot is so large.
const GONE: u64 = u64::MAX;

/// The index.
#[derive(Debug)]
pub(crate) struct Index {
    table: Places,
    /// The table before the last doubling, while there is something in it.
    old: Places,
    /// Places of `old` that are empty by now, from its beginning on.
    emptied: usize,
    /// Entries in both.
    used: usize,
    /// Most places there may be, as a power of two.
    bits: u32,
}

impl Index {
    /// Room for `1 << bits` entries in the end.
    pub(crate) fn new(bits: u32) -> Self {
        Self { table: Places::new(bits.min(FIRST)), old: Places::default(), emptied: 0, used: 0, bits }
    }

    /// Bytes taken.
    pub(crate) fn size(&self) -> usize {
        (self.table.entries.len() + self.old.entries.len()) * size_of::<u64>()
    }

    /// The slot under this hash that `is_it` agrees to.
    #[inline]
    pub(crate) fn find(&self, tag: u32, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        let found = self.table.find(tag, &mut is_it);
        if found.is_some() || self.old.entries.is_empty() {
            return found;
        }
        self.old.find(tag, &mut is_it)
    }

    /// Reads the entry where a search begins.
    #[inline]
    pub(crate) fn touch(&self, tag: u32) -> u64 {
        self.table.entries.get(tag as usize & self.table.mask).copied().unwrap_or(0)
    }

    /// Adds a slot. False when its stretch is full.
    pub(crate) fn insert(&mut self, tag: u32, slot: u32) -> bool {
        self.grow();
        let fits = self.table.insert(entry_of(tag, slot));
        self.used += usize::from(fits);
        fits
    }

    /// Takes a slot out.
    pub(crate) fn remove(&mut self, tag: u32, slot: u32) {
        let entry = entry_of(tag, slot);
        if let Some(at) = self.table.place_of(entry) {
            self.table.close(at);
        } else if let Some(at) = self.old.place_of(entry) {
            self.old.put(at, GONE);
        } else {
            return;
        }
        self.used -= 1;
    }

    /// Doubles a table that is half full, and empties some of the one before.
    fn grow(&mut self) {
        let room = self.table.entries.len();
        if self.old.entries.is_empty() {
            if self.used * 2 < room || room >= 1 << self.bits {
                return;
            }
            self.old = std::mem::replace(&mut self.table, Places::new(room.ilog2() + 1));
            self.emptied = 0;
        }
        for _ in 0..STEP {
            let Some(&entry) = self.old.entries.get(self.emptied) else {
                self.old = Places::default();
                return;
            };
            // One that finds no room stays where it is found, and is tried again.
            if split(entry).is_some() && !self.table.insert(entry) {
                return;
            }
            self.old.put(self.emptied, if entry == 0 { 0 } else { GONE });
            self.emptied += 1;
        }
    }
}

/// A table. Entries: hash in the upper half, slot + 1 in the lower half; 0 is free.
#[derive(Debug, Default)]
struct Places {
    entries: Vec<u64>,
    mask: usize,
}

impl Places {
    fn new(bits: u32) -> Self {
        let entries = vec![0; 1 << bits];
        Self { mask: entries.len() - 1, entries }
    }

    #[inline]
    fn find(&self, tag: u32, is_it: &mut impl FnMut(u32) -> bool) -> Option<u32> {
        let mut at = tag as usize & self.mask;
        for _ in 0..LONGEST {
            let entry = *self.entries.get(at)?;
            match split(entry) {
                Some((entry_tag, slot)) if entry_tag == tag && is_it(slot) => return Some(slot),
                None if entry == 0 => return None,
                _ => at = (at + 1) & self.mask,
            }
        }
        None
    }

    fn insert(&mut self, new: u64) -> bool {
        let mut at = home(new) & self.mask;
        for _ in 0..LONGEST {
            match self.entries.get_mut(at) {
                Some(entry) if *entry == 0 => {
                    *entry = new;
                    return true;
                }
                _ => at = (at + 1) & self.mask,
            }
        }
        false
    }

    /// Where an entry stands.
    fn place_of(&self, wanted: u64) -> Option<usize> {
        let mut at = home(wanted) & self.mask;
        for _ in 0..LONGEST {
            match self.entries.get(at) {
                Some(entry) if *entry == wanted => return Some(at),
                Some(0) | None => return None,
                Some(_) => at = (at + 1) & self.mask,
            }
        }
        None
    }

    /// Takes out what stands at `hole`, and closes it so that every search still ends at the first free entry.
    fn close(&mut self, mut hole: usize) {
        let mut at = hole;
        loop {
            at = (at + 1) & self.mask;
            let Some(&entry) = self.entries.get(at).filter(|entry| **entry != 0) else { break };
            // Distance from home, around the end: the entry may move back only as far as its home.
            if (at.wrapping_sub(home(entry)) & self.mask) >= (at.wrapping_sub(hole) & self.mask) {
                self.put(hole, entry);
                hole = at;
            }
        }
        self.put(hole, 0);
    }

    fn put(&mut self, at: usize, entry: u64) {
        if let Some(place) = self.entries.get_mut(at) {
            *place = entry;
        }
    }
}

const fn entry_of(tag: u32, slot: u32) -> u64 {
    (tag as u64) << 32 | (slot as u64 + 1)
}

/// Where a search for an entry begins, before the mask.
const fn home(entry: u64) -> usize {
    (entry >> 32) as usize
}

/// Hash and slot of an entry that is one.
const fn split(entry: u64) -> Option<(u32, u32)> {
    if entry == 0 || entry == GONE {
        return None;
    }
    #[allow(clippy::cast_possible_truncation, reason = "the two halves are what is meant")]
    Some(((entry >> 32) as u32, (entry as u32).wrapping_sub(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    /// One that has grown to `1 << bits` places.
    fn grown(bits: u32) -> Index {
        Index { table: Places::new(bits), ..Index::new(bits) }
    }

    #[test]
    fn behaves_like_a_map_under_churn_and_collisions() {
        let mut index = grown(8);
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
        let mut index = grown(10);
        let taken = (0..1000).filter(|slot| index.insert(5, *slot)).count();
        assert_eq!(taken, LONGEST);
        assert_eq!(index.find(5, |_| false), None);
    }

    #[test]
    fn it_grows_with_what_it_holds_and_loses_nothing_on_the_way() {
        let mut index = Index::new(16);
        let tag = |slot: u32| slot.wrapping_mul(0x9e37_79b9);
        let mut alive = std::collections::BTreeSet::new();
        let small = index.size();
        let mut in_two_places = 0;
        for slot in 0..30_000 {
            assert!(index.insert(tag(slot), slot));
            alive.insert(slot);
            // Some go again, from the old place as well as from the new one.
            let gone = slot / 2 + slot % 3;
            if slot % 5 == 0 && alive.remove(&gone) {
                index.remove(tag(gone), gone);
            }
            in_two_places += usize::from(!index.old.entries.is_empty());
            let (young, old) = (slot, slot / 3);
            for probe in [young, old, gone] {
                let found = index.find(tag(probe), |s| s == probe);
                assert_eq!(found.is_some(), alive.contains(&probe), "slot {probe} after {slot}");
            }
        }
        assert!(in_two_places > 100, "{in_two_places}");
        assert_eq!(index.used, alive.len());
        assert_eq!((small, index.size()), (8 << 10, 8 << 16));
        assert!((0..30_000).all(|s| index.find(tag(s), |x| x == s).is_some() == alive.contains(&s)));
    }

    #[test]
    fn what_finds_no_room_in_the_new_table_stays_in_the_old_one() {
        let mut index = Index::new(11);
        // All of one home in the new table, which they share with nobody else; the old table takes 512 of them.
        let taken: Vec<u32> = (0..LONGEST as u32).filter(|slot| index.insert(5, *slot)).collect();
        assert_eq!(taken.len(), LONGEST);
        let others: Vec<u32> = (1000..1600).filter(|slot| index.insert(5, *slot)).collect();
        assert!(!others.is_empty() && !index.old.entries.is_empty(), "the doubling is under way and stuck");
        for slot in taken.iter().chain(&others) {
            assert_eq!(index.find(5, |s| s == *slot), Some(*slot));
            index.remove(5, *slot);
            assert_eq!(index.find(5, |s| s == *slot), None);
        }
        assert_eq!(index.used, 0);
    }
}
