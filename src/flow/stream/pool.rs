//! Memory of all streams: one budget, buffers that go round.

use super::Stream;

/// Buffers up to this size are kept for the next stream.
const KEEP: usize = 64 << 10;
/// Smallest buffer: a full segment and some.
const SMALLEST: usize = 2 << 10;

/// Buffers under one budget.
#[derive(Debug)]
pub(crate) struct Buffers {
    free: Vec<Vec<u8>>,
    used: usize,
    limit: usize,
}

impl Buffers {
    fn new(limit: usize) -> Self {
        Self { free: Vec::new(), used: 0, limit }
    }

    /// Makes room for `more` bytes in `buffer`. False when the budget does not allow it; nothing changed then.
    pub(crate) fn reserve(&mut self, buffer: &mut Vec<u8>, more: usize) -> bool {
        let needed = buffer.len() + more;
        if needed <= buffer.capacity() {
            return true;
        }
        if buffer.capacity() == 0
            && let Some(at) = self.free.iter().rev().take(4).position(|b| b.capacity() >= needed)
        {
            let at = self.free.len() - 1 - at;
            *buffer = self.free.swap_remove(at);
            return true;
        }
        let grown = needed.max(buffer.capacity() * 2).max(SMALLEST);
        while self.used + grown - buffer.capacity() > self.limit {
            let Some(spare) = self.free.pop() else { return false };
            self.used -= spare.capacity();
        }
        let before = buffer.capacity();
        buffer.reserve_exact(grown - buffer.len());
        self.used += buffer.capacity() - before;
        true
    }

    /// Takes a buffer back.
    pub(crate) fn give(&mut self, mut buffer: Vec<u8>) {
        if (1..=KEEP).contains(&buffer.capacity()) {
            buffer.clear();
            self.free.push(buffer);
        } else {
            self.used -= buffer.capacity();
        }
    }

    /// Bytes held, free buffers included.
    pub(crate) const fn used(&self) -> usize {
        self.used
    }
}

/// Every stream of a table, by handle; 0 is no handle.
#[derive(Debug)]
pub(crate) struct Streams {
    all: Vec<Stream>,
    free: Vec<u32>,
    pub(crate) buffers: Buffers,
}

impl Streams {
    pub(crate) fn new(limit: usize) -> Self {
        Self { all: Vec::new(), free: Vec::new(), buffers: Buffers::new(limit) }
    }

    /// A fresh stream whose first byte has this sequence number.
    pub(crate) fn open(&mut self, first: u32, depth: u64) -> u32 {
        let handle = self.free.pop().unwrap_or_else(|| {
            self.all.push(Stream::default());
            u32::try_from(self.all.len()).unwrap_or(u32::MAX)
        });
        if let Some(stream) = self.get_mut(handle) {
            stream.begin(first, depth);
        }
        handle
    }

    /// Takes a stream out of use. Gives back how many bytes it still held.
    pub(crate) fn close(&mut self, handle: u32) -> u64 {
        let Some(stream) = handle.checked_sub(1).and_then(|at| self.all.get_mut(at as usize)) else {
            return 0;
        };
        let held = stream.drain(&mut self.buffers);
        self.free.push(handle);
        held
    }

    pub(crate) fn get(&self, handle: u32) -> Option<&Stream> {
        self.all.get(handle.checked_sub(1)? as usize)
    }

    pub(crate) fn get_mut(&mut self, handle: u32) -> Option<&mut Stream> {
        self.all.get_mut(handle.checked_sub(1)? as usize)
    }

    /// A stream and the buffers, side by side.
    pub(crate) fn parts(&mut self, handle: u32) -> Option<(&mut Stream, &mut Buffers)> {
        let stream = self.all.get_mut(handle.checked_sub(1)? as usize)?;
        Some((stream, &mut self.buffers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_counts_free_buffers_and_gives_them_up_first() {
        let mut buffers = Buffers::new(10 << 10);
        let mut a = Vec::new();
        assert!(buffers.reserve(&mut a, 100));
        assert_eq!(buffers.used(), SMALLEST);
        buffers.give(a);
        assert_eq!(buffers.used(), SMALLEST);
        let mut b = Vec::new();
        assert!(buffers.reserve(&mut b, 9 << 10));
        assert!(buffers.used() <= 10 << 10);
        let mut c = Vec::new();
        assert!(!buffers.reserve(&mut c, 2 << 10));
        buffers.give(b);
        assert!(buffers.reserve(&mut c, 2 << 10));
    }
}
