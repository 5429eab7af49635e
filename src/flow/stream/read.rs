//! Reading a stream: what is there, what was lost, what was eaten.

use super::{Buffers, Piece, Stream};
use crate::{Chunk, Settings};

/// What a reader is about to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ready {
    /// Bytes readable, from the base on.
    len: usize,
    /// Bytes lost right before them.
    pub(crate) gap: u64,
    /// Bytes dropped because they stood before the gap and were not eaten.
    pub(crate) dropped: u64,
    last: bool,
    truncated: bool,
}

impl Stream {
    /// Whether [`Self::ready`] would give something.
    pub(crate) fn is_ready(&self, settings: &Settings) -> bool {
        let limit = self.limit(settings);
        self.has_news(limit) || self.lost_to(limit).is_some() || (self.is_end(limit) && !self.last_told)
    }

    /// Decides what the reader is shown next. A gap is told once and then passed.
    pub(crate) fn ready(&mut self, settings: &Settings, buffers: &mut Buffers) -> Option<Ready> {
        let mut limit = self.limit(settings);
        let (mut gap, mut dropped) = (0, 0);
        if !self.has_news(limit) {
            if let Some(to) = self.lost_to(limit) {
                gap = to - self.edge();
                dropped = self.contiguous() as u64;
                self.advance(to);
                self.want = 0;
                self.pass_hole(buffers, settings);
                limit = self.limit(settings);
            } else if !self.is_end(limit) || self.last_told {
                return None;
            }
        }
        self.shown = limit;
        let last = self.is_end(limit);
        self.last_told |= last;
        let len = usize::try_from(limit - self.base).unwrap_or(0);
        Some(Ready { len, gap, dropped, last, truncated: last && self.is_cut(limit) })
    }

    /// The bytes that go with what was decided.
    pub(crate) fn chunk(&self, ready: Ready) -> Chunk<'_> {
        let data = self.buffer.get(self.head..).and_then(|rest| rest.get(..ready.len)).unwrap_or_default();
        Chunk { offset: self.base, data, gap: ready.gap, last: ready.last, truncated: ready.truncated }
    }

    /// Behind the last readable byte.
    fn limit(&self, settings: &Settings) -> u64 {
        let free = self.over || settings.inline;
        let limit = if free { self.edge() } else { self.edge().min(self.acked) };
        limit.max(self.base)
    }

    /// Whether there is something the reader has not seen and would want to see.
    fn has_news(&self, limit: u64) -> bool {
        limit > self.base
            && limit > self.shown
            && (limit >= self.want || self.is_end(limit) || self.lost_to(limit).is_some())
    }

    /// How far a hole right behind the readable bytes is lost for good, if it is.
    fn lost_to(&self, limit: u64) -> Option<u64> {
        let edge = self.edge();
        let next = self.pieces.first()?.start;
        let to = if self.over { next } else { next.min(self.acked) };
        (limit == edge && to > edge).then_some(to)
    }

    /// Whether nothing follows what is readable.
    fn is_end(&self, limit: u64) -> bool {
        let all = limit == self.edge() && self.pieces.is_empty();
        self.is_cut(limit) || (all && (self.over || self.closed))
    }

    const fn is_cut(&self, limit: u64) -> bool {
        self.cut && limit >= self.depth
    }

    /// The reader is done with the first `n` bytes. Gives how many there were.
    pub(crate) fn eaten(&mut self, n: usize) -> u64 {
        let n = n.min(self.contiguous());
        if n == 0 {
            return 0;
        }
        self.advance(self.base + n as u64);
        self.head += n;
        if self.head == self.buffer.len() {
            self.buffer.clear();
            self.head = 0;
        }
        self.shown = self.base;
        n as u64
    }

    /// The reader waits for `n` bytes from the first one not eaten.
    pub(crate) fn wait_for(&mut self, n: usize) {
        self.want = self.base.saturating_add(n as u64);
        self.shown = self.base;
    }

    /// The reader is done with everything readable, and does not want the next `n` bytes either. Gives how many were
    /// readable, and how many others were dropped.
    pub(crate) fn skip(&mut self, n: u64, settings: &Settings, buffers: &mut Buffers) -> (u64, u64) {
        let readable = self.eaten(usize::try_from(self.limit(settings) - self.base).unwrap_or(0));
        self.skip = self.base.saturating_add(n);
        let ahead = usize::try_from(n).unwrap_or(usize::MAX);
        let mut dropped = self.eaten(ahead);
        while self.contiguous() == 0
            && let Some(first) = self.pieces.first_mut()
            && first.start < self.skip
        {
            let wanted = self.skip.min(first.end());
            let cut = usize::try_from(wanted - first.start).unwrap_or(usize::MAX).min(first.data.len());
            dropped += cut as u64;
            first.data.drain(..cut);
            first.start = wanted;
            if first.data.is_empty() {
                let Piece { data, .. } = self.pieces.remove(0);
                buffers.give(data);
            }
            self.advance(wanted);
        }
        self.pass_to_pieces(buffers, settings);
        self.shown = self.base;
        self.want = 0;
        (readable, dropped)
    }

    fn pass_to_pieces(&mut self, buffers: &mut Buffers, settings: &Settings) {
        if self.contiguous() == 0 {
            self.pass_hole(buffers, settings);
        }
    }
}
