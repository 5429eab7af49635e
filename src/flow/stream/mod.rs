//! One side's stream: bytes put in order, waiting to be acknowledged and read.
//!
//! What is contiguous lies in one buffer, so that reading it needs no copy; what came too early lies in pieces behind
//! it. The extents of segments that are not acknowledged yet are remembered, because overlaps go by their geometry.

mod insert;
mod overlap;
mod pool;
mod read;

pub(crate) use insert::Stored;
use overlap::Extent;
pub(crate) use pool::{Buffers, Streams};

/// Data that came too early.
#[derive(Debug)]
struct Piece {
    start: u64,
    data: Vec<u8>,
}

impl Piece {
    fn end(&self) -> u64 {
        self.start + self.data.len() as u64
    }
}

/// One side's stream.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    /// Place of the first byte that was not eaten: `buffer[head]`.
    base: u64,
    /// Its sequence number.
    base_seq: u32,
    buffer: Vec<u8>,
    head: usize,
    /// Sorted, disjoint, all behind the buffer's end.
    pieces: Vec<Piece>,
    /// Sorted by start; may overlap; those wholly acknowledged are forgotten.
    segments: Vec<Extent>,
    /// Sequence numbers of bytes that travelled out of band, not before `base_seq`.
    oob: Vec<u32>,
    /// The receiver has everything before this.
    acked: u64,
    /// The reader has seen everything before this.
    shown: u64,
    /// The reader waits until this is readable.
    want: u64,
    /// What lies before this is not even to be stored.
    skip: u64,
    /// Nothing is stored from here on.
    depth: u64,
    /// The connection is closed: what is acknowledged is all there is.
    closed: bool,
    /// Nothing more will come: everything is readable, acknowledged or not.
    over: bool,
    /// Bytes were cut off at the depth.
    cut: bool,
    /// The reader was told that nothing follows.
    last_told: bool,
}

impl Stream {
    /// Starts afresh, keeping what memory there is.
    fn begin(&mut self, first: u32, depth: u64) {
        let (buffer, mut pieces) = (std::mem::take(&mut self.buffer), std::mem::take(&mut self.pieces));
        let (mut segments, mut oob) = (std::mem::take(&mut self.segments), std::mem::take(&mut self.oob));
        pieces.clear();
        segments.clear();
        oob.clear();
        *self = Self { base_seq: first, buffer, pieces, segments, oob, depth, ..Self::default() };
    }

    /// Gives all memory back. How many bytes were held?
    fn drain(&mut self, buffers: &mut Buffers) -> u64 {
        let held = self.stored();
        buffers.give(std::mem::take(&mut self.buffer));
        self.head = 0;
        for piece in self.pieces.drain(..) {
            buffers.give(piece.data);
        }
        self.segments.clear();
        self.oob.clear();
        held
    }

    /// Bytes held.
    pub(crate) fn stored(&self) -> u64 {
        self.contiguous() as u64 + self.pieces.iter().map(|p| p.data.len() as u64).sum::<u64>()
    }

    /// Bytes in order that were not eaten.
    const fn contiguous(&self) -> usize {
        self.buffer.len() - self.head
    }

    /// Behind the last byte in order.
    const fn edge(&self) -> u64 {
        self.base + self.contiguous() as u64
    }

    /// Place of a sequence number; negative when it lies before everything that is kept.
    pub(crate) fn place(&self, seq: u32) -> i64 {
        let ahead = i64::from(seq.wrapping_sub(self.base_seq).cast_signed());
        let removed = self
            .oob
            .iter()
            .filter(|o| i64::from(o.wrapping_sub(self.base_seq).cast_signed()) < ahead)
            .count();
        i64::try_from(self.base).unwrap_or(i64::MAX).saturating_add(ahead)
            - i64::try_from(removed).unwrap_or(0)
    }

    /// The receiver has everything before this sequence number.
    pub(crate) fn acknowledge(&mut self, seq: u32) {
        let place = u64::try_from(self.place(seq)).unwrap_or(0);
        if place > self.acked {
            self.acked = place;
            let gone = self.segments.iter().take_while(|s| s.end <= place).count();
            self.segments.drain(..gone);
        }
    }

    /// The connection is closed.
    pub(crate) const fn close(&mut self) {
        self.closed = true;
    }

    /// Nothing more will come: everything is readable, acknowledged or not.
    pub(crate) const fn flush(&mut self) {
        self.over = true;
    }

    /// Changes the depth; `None` for no limit.
    pub(crate) fn set_depth(&mut self, depth: Option<u64>) {
        self.depth = depth.unwrap_or(u64::MAX);
        self.cut = self.cut && self.edge() >= self.depth;
    }

    /// Separate stretches of memory, as far apart as a window goes.
    fn regions(&self) -> u8 {
        const APART: u64 = 256 << 10;
        let mut edge = self.edge();
        let mut count = 1u8;
        for piece in &self.pieces {
            if piece.start > edge + APART {
                count = count.saturating_add(1);
            }
            edge = piece.end();
        }
        count
    }

    /// Moves the base forward over bytes that were eaten, skipped or lost.
    fn advance(&mut self, to: u64) {
        let by = to.saturating_sub(self.base);
        self.base += by;
        #[allow(clippy::cast_possible_truncation, reason = "sequence numbers wrap")]
        let by = by as u32;
        let mut seq = self.base_seq.wrapping_add(by);
        if !self.oob.is_empty() {
            // Bytes that were taken out stand in the sequence space, not in the stream.
            let from = self.base_seq;
            self.oob.sort_by_key(|o| o.wrapping_sub(from));
            let passed = self.oob.iter().take_while(|&&o| {
                let within = o.wrapping_sub(from) <= seq.wrapping_sub(from);
                if within {
                    seq = seq.wrapping_add(1);
                }
                within
            });
            let passed = passed.count();
            self.oob.drain(..passed);
        }
        self.base_seq = seq;
    }
}
