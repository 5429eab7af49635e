//! Memory of all streams: one budget, buffers that go round.

use super::{Body, Stream};

/// Buffers up to this size are kept for the next stream.
const KEEP: usize = 64 << 10;
/// Most bodies that rest.
const BODIES: usize = 1 << 14;
/// Smallest buffer: a full segment and some.
const SMALLEST: usize = 2 << 10;

/// Buffers under one budget.
#[derive(Debug)]
pub(crate) struct Buffers {
    free: Vec<Vec<u8>>,
    /// Bodies that rest, without buffers.
    #[allow(
        clippy::vec_box,
        reason = "bodies go to and fro between here and streams: eight bytes move, not a hundred"
    )]
    bodies: Vec<Box<Body>>,
    used: usize,
    limit: usize,
}

impl Buffers {
    fn new(limit: usize) -> Self {
        Self {
            free: Vec::with_capacity(limit / SMALLEST),
            bodies: Vec::with_capacity(BODIES),
            used: 0,
            limit,
        }
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
            if !self.give_up() {
                return false;
            }
        }
        let before = buffer.capacity();
        buffer.reserve_exact(grown - buffer.len());
        self.used += buffer.capacity() - before;
        true
    }

    /// Frees memory that rests. False when there is none.
    fn give_up(&mut self) -> bool {
        let Some(spare) = self.free.pop() else { return false };
        self.used -= spare.capacity();
        true
    }

    /// A body that holds nothing.
    pub(crate) fn take_body(&mut self) -> Box<Body> {
        self.bodies.pop().unwrap_or_default()
    }

    /// Takes a body back.
    pub(crate) fn give_body(&mut self, mut body: Box<Body>) {
        self.give(std::mem::take(&mut body.buffer));
        body.start = 0;
        body.segments.clear();
        body.oob.clear();
        if self.bodies.len() < BODIES {
            self.bodies.push(body);
        }
    }

    /// Takes the pieces of a body back. Gives how many bytes they held.
    pub(crate) fn give_pieces(&mut self, body: &mut Body) -> u64 {
        let mut held = 0;
        for piece in body.pieces.drain(..) {
            held += piece.data.len() as u64;
            self.give(piece.data);
        }
        held
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

/// Streams of one page. Pages never move, so that growing costs no copy.
const PAGE: usize = 256;

/// Every stream of a table, by handle; 0 is no handle.
#[derive(Debug)]
pub(crate) struct Streams {
    pages: Vec<Vec<Stream>>,
    free: Vec<u32>,
    pub(crate) buffers: Buffers,
}

impl Streams {
    /// For so many flows; takes address space only.
    pub(crate) fn new(limit: usize, flows: usize) -> Self {
        let pages = Vec::with_capacity(flows * 2 / PAGE + 1);
        Self { pages, free: Vec::with_capacity(flows * 2), buffers: Buffers::new(limit) }
    }

    /// A fresh stream whose first byte has this sequence number.
    pub(crate) fn open(&mut self, first: u32, depth: u64) -> u32 {
        let handle = self.free.pop().unwrap_or_else(|| self.add());
        if let Some(stream) = self.get_mut(handle) {
            stream.begin(first, depth);
        }
        handle
    }

    fn add(&mut self) -> u32 {
        if self.pages.last().is_none_or(|page| page.len() == PAGE) {
            self.pages.push(Vec::with_capacity(PAGE));
        }
        let before = (self.pages.len() - 1) * PAGE;
        let Some(page) = self.pages.last_mut() else { return 0 };
        page.push(Stream::default());
        u32::try_from(before + page.len()).unwrap_or(0)
    }

    /// Takes a stream out of use. Gives back how many bytes it still held.
    pub(crate) fn close(&mut self, handle: u32) -> u64 {
        let Some((stream, buffers)) = self.parts(handle) else { return 0 };
        let held = stream.drain(buffers);
        self.free.push(handle);
        held
    }

    pub(crate) fn get(&self, handle: u32) -> Option<&Stream> {
        let at = handle.checked_sub(1)? as usize;
        self.pages.get(at / PAGE)?.get(at % PAGE)
    }

    pub(crate) fn get_mut(&mut self, handle: u32) -> Option<&mut Stream> {
        self.parts(handle).map(|(stream, _)| stream)
    }

    /// A stream and the buffers, side by side.
    pub(crate) fn parts(&mut self, handle: u32) -> Option<(&mut Stream, &mut Buffers)> {
        let at = handle.checked_sub(1)? as usize;
        let stream = self.pages.get_mut(at / PAGE)?.get_mut(at % PAGE)?;
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
