//! Doubly linked rings over slot numbers: queues from whose middle anything can be taken at once.

/// Links of the ring heads, then of the slots.
#[derive(Debug)]
pub(crate) struct Rings {
    links: Vec<Link>,
    heads: u32,
    linked: usize,
}

#[derive(Clone, Copy, Debug)]
struct Link {
    before: u32,
    after: u32,
}

impl Rings {
    /// `heads` empty rings, and room for `slots` slots whose memory is touched only when used.
    pub(crate) fn new(heads: u32, slots: usize) -> Self {
        let mut links = Vec::with_capacity(slots + heads as usize);
        links.extend((0..heads).map(|at| Link { before: at, after: at }));
        Self { links, heads, linked: 0 }
    }

    /// Bytes of address space for each slot.
    pub(crate) const SLOT: usize = size_of::<Link>();

    /// How many slots are in some ring.
    pub(crate) const fn linked(&self) -> usize {
        self.linked
    }

    /// The first slot of a ring.
    pub(crate) fn front(&self, ring: u32) -> Option<u32> {
        self.links.get(ring as usize)?.after.checked_sub(self.heads)
    }

    /// Appends a slot that is in no ring.
    pub(crate) fn push(&mut self, ring: u32, slot: u32) {
        let me = slot + self.heads;
        if self.links.len() <= me as usize {
            let next = u32::try_from(self.links.len()).unwrap_or(u32::MAX);
            self.links.extend((next..=me).map(|at| Link { before: at, after: at }));
        }
        let Some(last) = self.links.get(ring as usize).map(|head| head.before) else { return };
        self.set(me, Link { before: last, after: ring });
        if let Some(link) = self.links.get_mut(last as usize) {
            link.after = me;
        }
        if let Some(head) = self.links.get_mut(ring as usize) {
            head.before = me;
        }
        self.linked += 1;
    }

    /// Takes a slot out of its ring, if it is in one.
    pub(crate) fn take(&mut self, slot: u32) {
        let me = slot + self.heads;
        let Some(&Link { before, after }) = self.links.get(me as usize) else { return };
        if before == me {
            return;
        }
        if let Some(link) = self.links.get_mut(before as usize) {
            link.after = after;
        }
        if let Some(link) = self.links.get_mut(after as usize) {
            link.before = before;
        }
        self.set(me, Link { before: me, after: me });
        self.linked -= 1;
    }

    fn set(&mut self, at: u32, link: Link) {
        if let Some(place) = self.links.get_mut(at as usize) {
            *place = link;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(rings: &mut Rings, ring: u32) -> Vec<u32> {
        std::iter::from_fn(|| rings.front(ring).inspect(|&slot| rings.take(slot))).collect()
    }

    #[test]
    fn slots_leave_in_order_or_from_the_middle() {
        let mut rings = Rings::new(2, 10);
        for slot in 0..6 {
            rings.push(slot % 2, slot);
        }
        rings.take(2);
        rings.take(2);
        assert_eq!(rings.linked(), 5);
        assert_eq!(drain(&mut rings, 0), [0, 4]);
        rings.push(1, 2);
        assert_eq!(drain(&mut rings, 1), [1, 3, 5, 2]);
        assert_eq!((rings.linked(), rings.front(1)), (0, None));
    }
}
