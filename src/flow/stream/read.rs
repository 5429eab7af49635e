//! Reading a stream: what is there, what was lost, what was eaten.

use super::insert::Work;
use super::{Buffers, Stream};
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
    /// Bytes dropped because there was no memory to put them in order.
    pub(crate) memory: u64,
    last: bool,
    truncated: bool,
}

impl Stream {
    /// Whether [`Self::ready`] would give something.
    pub(crate) fn is_ready(&self, settings: &Settings) -> bool {
        let limit = self.limit(settings);
        self.has_news(limit) || self.lost_to(limit).is_some() || (self.is_end(limit) && !self.head.last_told)
    }

    /// Whether the reader is about to be told of lost bytes.
    pub(crate) fn has_lost(&self, settings: &Settings) -> bool {
        self.lost_to(self.limit(settings)).is_some()
    }

    /// Decides what the reader is shown next. A gap is told once and then passed.
    pub(crate) fn ready(&mut self, settings: &Settings, buffers: &mut Buffers) -> Option<Ready> {
        let mut limit = self.limit(settings);
        let mut ready = Ready { len: 0, gap: 0, dropped: 0, memory: 0, last: false, truncated: false };
        if !self.has_news(limit) {
            if let Some(to) = self.lost_to(limit) {
                ready.gap = to - self.head.edge;
                ready.dropped = self.contiguous() as u64;
                ready.memory = self.pass(to, settings, buffers);
                self.head.want = 0;
                limit = self.limit(settings);
            } else if !self.is_end(limit) || self.head.last_told {
                return None;
            }
        }
        self.head.shown = limit;
        ready.last = self.is_end(limit);
        self.head.last_told |= ready.last;
        ready.len = usize::try_from(limit - self.head.base).unwrap_or(0);
        ready.truncated = ready.last && self.is_cut(limit);
        Some(ready)
    }

    /// The bytes that go with what was decided.
    pub(crate) fn chunk(&self, ready: Ready) -> Chunk<'_> {
        let in_order = self.body.as_ref().map_or(&[][..], |b| b.in_order());
        let data = in_order.get(..ready.len).unwrap_or_default();
        Chunk { offset: self.head.base, data, gap: ready.gap, last: ready.last, truncated: ready.truncated }
    }

    /// Behind the last readable byte.
    fn limit(&self, settings: &Settings) -> u64 {
        let head = &self.head;
        let free = head.over || settings.inline;
        let limit = if free { head.edge } else { head.edge.min(head.acked) };
        limit.max(head.base)
    }

    /// Whether there is something the reader has not seen and would want to see.
    fn has_news(&self, limit: u64) -> bool {
        let head = &self.head;
        limit > head.base
            && limit > head.shown
            && (limit >= head.want || self.is_end(limit) || self.lost_to(limit).is_some())
    }

    /// How far a hole right behind the readable bytes is lost for good, if it is.
    fn lost_to(&self, limit: u64) -> Option<u64> {
        let head = &self.head;
        if head.next == u64::MAX {
            return None;
        }
        let to = if head.over { head.next } else { head.next.min(head.acked) };
        (limit == head.edge && to > head.edge).then_some(to)
    }

    /// Whether nothing follows what is readable.
    const fn is_end(&self, limit: u64) -> bool {
        let all = limit == self.head.edge && self.head.next == u64::MAX;
        self.is_cut(limit) || (all && (self.head.over || self.head.closed))
    }

    const fn is_cut(&self, limit: u64) -> bool {
        self.head.cut && limit >= self.head.depth
    }

    /// Gives up everything before `to`; what stands there becomes the stream's start. Gives how many bytes had to be
    /// dropped behind it for want of memory.
    fn pass(&mut self, to: u64, settings: &Settings, buffers: &mut Buffers) -> u64 {
        let mut body = self.body.take().unwrap_or_else(|| buffers.take_body());
        body.drop_front(usize::MAX / 2);
        self.head.advance(to, &mut body.oob);
        let lost = Work { head: &mut self.head, body: &mut body, buffers, settings }.join();
        self.keep(body, buffers);
        lost
    }

    /// The reader is done with the first `n` bytes. Gives how many there were, and how many behind them had to be
    /// dropped for want of memory.
    pub(crate) fn eaten(&mut self, n: usize, settings: &Settings, buffers: &mut Buffers) -> (u64, u64) {
        let n = n.min(self.contiguous());
        let Some(body) = self.body.as_mut().filter(|_| n > 0) else { return (0, 0) };
        body.drop_front(n);
        let to = self.head.base + n as u64;
        self.head.advance(to, &mut body.oob);
        self.head.shown = to;
        let mut lost = 0;
        if self.head.next == self.head.edge {
            lost = Work { head: &mut self.head, body, buffers, settings }.join();
        }
        self.forget_segments();
        if self.head.base == self.head.edge {
            self.rest(buffers);
        }
        (n as u64, lost)
    }

    /// The reader waits for `n` bytes from the first one not eaten.
    pub(crate) const fn wait_for(&mut self, n: usize) {
        self.head.want = self.head.base.saturating_add(n as u64);
        self.head.shown = self.head.base;
    }

    /// The reader is done with everything readable, and does not want the next `n` bytes either. Gives how many were
    /// readable, how many others were dropped, and how many for want of memory.
    pub(crate) fn skip(&mut self, n: u64, settings: &Settings, buffers: &mut Buffers) -> (u64, u64, u64) {
        let readable = usize::try_from(self.limit(settings) - self.head.base).unwrap_or(0);
        let (readable, mut lost) = self.eaten(readable, settings, buffers);
        self.head.skip = self.head.base.saturating_add(n);
        let mut dropped = 0;
        // Every round either passes the end of what is skipped, or a piece.
        while self.head.base < self.head.skip
            && (self.head.edge > self.head.base || self.head.next < self.head.skip)
        {
            let ahead = usize::try_from(self.head.skip - self.head.base).unwrap_or(usize::MAX);
            let (cut, memory) = self.eaten(ahead, settings, buffers);
            dropped += cut;
            lost += memory;
            if self.head.edge == self.head.base && self.head.next < self.head.skip {
                lost += self.pass(self.head.next, settings, buffers);
            }
        }
        self.head.shown = self.head.base;
        self.head.want = 0;
        (readable, dropped, lost)
    }
}
