//! One side's stream: bytes put in order, waiting to be acknowledged and read.
//!
//! What is contiguous lies in one buffer, so that reading it needs no copy; what came too early lies in pieces behind
//! it. The extents of segments that are not acknowledged yet are remembered, because overlaps go by their geometry.
//! A stream that holds nothing is a few numbers: its [`Body`] went back to the pool.

mod insert;
mod overlap;
mod pool;
mod read;

pub(crate) use insert::Stored;
use overlap::Extent;
pub(crate) use pool::{Buffers, Streams};

/// One side's stream.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    head: Head,
    body: Option<Box<Body>>,
}

/// Where a stream stands. Places count from the first byte behind the SYN.
#[derive(Debug, Default)]
struct Head {
    /// The first byte that was not eaten.
    base: u64,
    /// Behind the last byte in order.
    edge: u64,
    /// The first byte of the first piece; the largest number when there is none.
    next: u64,
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
    /// Sequence number of the base.
    base_seq: u32,
    /// The connection is closed: what is acknowledged is all there is.
    closed: bool,
    /// Nothing more will come: everything is readable, acknowledged or not.
    over: bool,
    /// Bytes were cut off at the depth.
    cut: bool,
    /// The reader was told that nothing follows.
    last_told: bool,
}

/// What a stream needs as long as it holds anything.
#[derive(Debug, Default)]
pub(crate) struct Body {
    /// `buffer[start..]` is what is in order.
    buffer: Vec<u8>,
    start: usize,
    /// Sorted, disjoint, all behind the buffer's end.
    pieces: Vec<Piece>,
    /// Sorted by start; may overlap; those wholly acknowledged are forgotten.
    segments: Vec<Extent>,
    /// Sequence numbers of bytes that travelled out of band, not before the base.
    oob: Vec<u32>,
}

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

impl Body {
    fn is_idle(&self) -> bool {
        self.start == self.buffer.len()
            && self.pieces.is_empty()
            && self.segments.is_empty()
            && self.oob.is_empty()
    }

    /// What is in order.
    fn in_order(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    fn first_piece(&self) -> u64 {
        self.pieces.first().map_or(u64::MAX, |p| p.start)
    }

    /// Drops the first `n` bytes in order.
    fn drop_front(&mut self, n: usize) {
        self.start = (self.start + n).min(self.buffer.len());
        if self.start == self.buffer.len() {
            self.buffer.clear();
            self.start = 0;
        }
    }

    /// How many bytes travelled out of band before `ahead`, counted from the base.
    fn removed(&self, base_seq: u32, ahead: i64) -> i64 {
        let before = |o: &&u32| distance(**o, base_seq) < ahead;
        i64::try_from(self.oob.iter().filter(before).count()).unwrap_or(0)
    }
}

/// How far a sequence number lies ahead of another.
fn distance(seq: u32, from: u32) -> i64 {
    i64::from(seq.wrapping_sub(from).cast_signed())
}

impl Stream {
    /// Starts afresh.
    fn begin(&mut self, first: u32, depth: u64) {
        self.head = Head { base_seq: first, next: u64::MAX, depth, ..Head::default() };
    }

    /// Gives all memory back. How many bytes were held?
    fn drain(&mut self, buffers: &mut Buffers) -> u64 {
        let Some(mut body) = self.body.take() else { return 0 };
        let held = body.in_order().len() as u64;
        let early = buffers.give_pieces(&mut body);
        buffers.give_body(body);
        held + early
    }

    /// Puts the body back, or into the pool when it holds nothing.
    fn keep(&mut self, body: Box<Body>, buffers: &mut Buffers) {
        if body.is_idle() {
            buffers.give_body(body);
        } else {
            self.body = Some(body);
        }
    }

    /// Lets the body go if it holds nothing.
    pub(crate) fn rest(&mut self, buffers: &mut Buffers) {
        if let Some(body) = self.body.take() {
            self.keep(body, buffers);
        }
    }

    /// Bytes in order that were not eaten.
    fn contiguous(&self) -> usize {
        usize::try_from(self.head.edge - self.head.base).unwrap_or(0)
    }

    /// Place of a sequence number; negative when it lies before everything that is kept.
    fn place(&self, seq: u32) -> i64 {
        let ahead = distance(seq, self.head.base_seq);
        let removed = self.body.as_ref().map_or(0, |b| b.removed(self.head.base_seq, ahead));
        i64::try_from(self.head.base).unwrap_or(i64::MAX).saturating_add(ahead) - removed
    }

    /// The receiver has everything before this sequence number.
    pub(crate) fn acknowledge(&mut self, seq: u32) {
        let place = u64::try_from(self.place(seq)).unwrap_or(0);
        if place > self.head.acked {
            self.head.acked = place;
            self.forget_segments();
        }
    }

    /// Extents of what was acknowledged or eaten do not matter any more.
    fn forget_segments(&mut self) {
        let settled = self.head.acked.max(self.head.base);
        if let Some(body) = &mut self.body {
            let gone = body.segments.iter().take_while(|s| s.end <= settled).count();
            body.segments.drain(..gone);
        }
    }

    /// The connection is closed.
    pub(crate) const fn close(&mut self) {
        self.head.closed = true;
    }

    /// Nothing more will come: everything is readable, acknowledged or not.
    pub(crate) const fn flush(&mut self) {
        self.head.over = true;
    }

    /// Changes the depth; `None` for no limit.
    pub(crate) fn set_depth(&mut self, depth: Option<u64>) {
        self.head.depth = depth.unwrap_or(u64::MAX);
        self.head.cut = self.head.cut && self.head.edge >= self.head.depth;
    }

    /// Takes the byte with this sequence number out of the stream: it travels out of band. False when too many do,
    /// or when it is stored already.
    pub(crate) fn take_out_of_band(&mut self, seq: u32, buffers: &mut Buffers) -> bool {
        /// Most that are remembered at once.
        const MOST: usize = 64;
        let known = self.place(seq) < i64::try_from(self.head.edge).unwrap_or(i64::MAX);
        let mut body = self.body.take().unwrap_or_else(|| buffers.take_body());
        let fits = !known && body.oob.len() < MOST;
        if fits {
            body.oob.push(seq);
        }
        self.keep(body, buffers);
        fits
    }

    /// Whether any byte that is kept or expected travelled out of band.
    pub(crate) fn has_out_of_band(&self) -> bool {
        self.body.as_ref().is_some_and(|b| !b.oob.is_empty())
    }

    /// Whether this sequence number travelled out of band.
    pub(crate) fn is_out_of_band(&self, seq: u32) -> bool {
        self.body.as_ref().is_some_and(|b| b.oob.contains(&seq))
    }
}

impl Head {
    /// Moves the base forward over bytes that were eaten, skipped or lost.
    fn advance(&mut self, to: u64, oob: &mut Vec<u32>) {
        let by = to.saturating_sub(self.base);
        self.base += by;
        self.edge = self.edge.max(self.base);
        #[allow(clippy::cast_possible_truncation, reason = "sequence numbers wrap")]
        let by = by as u32;
        let from = self.base_seq;
        self.base_seq = from.wrapping_add(by);
        if oob.is_empty() {
            return;
        }
        // Bytes that were taken out stand in the sequence space, not in the stream.
        oob.sort_by_key(|o| o.wrapping_sub(from));
        let passed = oob.iter().take_while(|o| {
            let within = o.wrapping_sub(from) <= self.base_seq.wrapping_sub(from);
            self.base_seq = self.base_seq.wrapping_add(u32::from(within));
            within
        });
        let passed = passed.count();
        oob.drain(..passed);
    }
}
