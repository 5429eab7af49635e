//! Putting a segment into its stream.

use super::overlap::{Extent, new_wins};
use super::{Body, Buffers, Head, Piece, Stream};
use crate::Settings;

/// Most pieces that wait behind holes.
const PIECES: usize = 512;
/// Most extents that are remembered; beyond, neighbours are taken for one.
const SEGMENTS: usize = 512;

/// Where the bytes of one segment went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stored {
    /// New in the stream.
    pub(crate) new: u64,
    /// There already, or before everything that is kept.
    pub(crate) duplicate: u64,
    /// Nobody wants them.
    pub(crate) skipped: u64,
    /// Beyond the depth.
    pub(crate) depth: u64,
    /// No memory.
    pub(crate) memory: u64,
    /// Too many stretches, or too far ahead.
    pub(crate) limit: u64,
    /// Stored earlier, and dropped now because there was no memory to put them in order.
    pub(crate) dropped: u64,
    /// The segment overlaps others that are stored.
    pub(crate) overlap: bool,
    /// And its bytes differ.
    pub(crate) different: bool,
    /// It lies wholly before what is kept.
    pub(crate) before_base: bool,
    /// The depth was reached just now.
    pub(crate) depth_reached: bool,
    /// Stretches after it.
    pub(crate) regions: u8,
}

/// A stream with its body at hand.
pub(super) struct Work<'a> {
    pub(super) head: &'a mut Head,
    pub(super) body: &'a mut Body,
    pub(super) buffers: &'a mut Buffers,
    pub(super) settings: &'a Settings,
}

impl Stream {
    /// Stores a segment.
    pub(crate) fn insert(
        &mut self,
        seq: u32,
        data: &[u8],
        settings: &Settings,
        buffers: &mut Buffers,
    ) -> Stored {
        let mut stored = Stored { regions: 1, ..Stored::default() };
        let place = self.place(seq);
        let Some((start, data)) = self.trim(place, data, &mut stored) else { return stored };
        let mut body = self.body.take().unwrap_or_else(|| buffers.take_body());
        Work { head: &mut self.head, body: &mut body, buffers, settings }.insert(start, data, &mut stored);
        self.keep(body, buffers);
        stored
    }

    /// Cuts off what is not wanted: before the base, skipped, beyond the depth.
    fn trim<'a>(&mut self, place: i64, mut data: &'a [u8], stored: &mut Stored) -> Option<(u64, &'a [u8])> {
        let head = &mut self.head;
        let base = i64::try_from(head.base).unwrap_or(i64::MAX);
        let before = usize::try_from(base.saturating_sub(place)).unwrap_or(0).min(data.len());
        stored.duplicate += before as u64;
        data = data.get(before..)?;
        if data.is_empty() {
            stored.before_base = before > 0;
            return None;
        }
        let mut start = u64::try_from(place.max(base)).ok()?;
        if head.base < head.skip {
            // Nothing is stored before the end of what is skipped; holes in it do not matter.
            let end = (start + data.len() as u64).min(head.skip);
            let unwanted =
                usize::try_from(head.skip.saturating_sub(start)).unwrap_or(usize::MAX).min(data.len());
            stored.skipped += unwanted as u64;
            start += unwanted as u64;
            data = data.get(unwanted..)?;
            match &mut self.body {
                Some(body) => head.advance(end, &mut body.oob),
                None => head.advance(end, &mut Vec::new()),
            }
        }
        let room = usize::try_from(head.depth.saturating_sub(start)).unwrap_or(usize::MAX);
        if data.len() > room {
            stored.depth += (data.len() - room) as u64;
            stored.depth_reached = !head.cut;
            head.cut = true;
            data = data.get(..room)?;
        }
        (!data.is_empty()).then_some((start, data))
    }
}

impl Work<'_> {
    fn insert(&mut self, start: u64, data: &[u8], stored: &mut Stored) {
        let extent = Extent { start, end: start + data.len() as u64 };
        if start == self.head.edge && self.head.next >= extent.end {
            if self.append(data, stored) {
                self.remember(extent);
            }
        } else {
            self.insert_slowly(extent, data, stored);
            stored.regions = self.regions();
        }
        if self.head.next == self.head.edge {
            stored.dropped += self.join();
        }
    }

    /// Appends in order. False when there was no room.
    fn append(&mut self, data: &[u8], stored: &mut Stored) -> bool {
        let held = self.body.in_order().len();
        if held + data.len() > self.settings.stream_memory {
            stored.limit += data.len() as u64;
            return false;
        }
        if !self.make_room(data.len()) {
            stored.memory += data.len() as u64;
            return false;
        }
        self.body.buffer.extend_from_slice(data);
        self.head.edge += data.len() as u64;
        stored.new += data.len() as u64;
        true
    }

    /// Room for `more` bytes behind what is in order: first where eaten ones stood, then by growing.
    fn make_room(&mut self, more: usize) -> bool {
        let body = &mut self.body;
        let held = body.buffer.len() - body.start;
        if body.start >= held && body.start > 0 && body.buffer.len() + more > body.buffer.capacity() {
            body.buffer.drain(..body.start);
            body.start = 0;
        }
        self.buffers.reserve(&mut body.buffer, more)
    }

    fn insert_slowly(&mut self, extent: Extent, data: &[u8], stored: &mut Stored) {
        self.overlap(extent, data, stored);
        self.fill(extent, data, stored);
        let refused = stored.memory + stored.limit;
        stored.duplicate += data.len() as u64 - stored.new - refused;
        if stored.new > 0 {
            self.remember(extent);
        }
    }

    /// Applies the policy where the segment overlaps what is stored and may still change.
    fn overlap(&mut self, extent: Extent, data: &[u8], stored: &mut Stored) {
        let settings = self.settings;
        stored.overlap = extent.start < self.head.edge
            || self.body.pieces.iter().any(|p| p.start < extent.end && p.end() > extent.start);
        if !stored.overlap {
            return;
        }
        if settings.check_overlap || settings.inline {
            stored.different = self.differs(extent, data);
        }
        if settings.inline || (settings.check_overlap && !stored.different) {
            return;
        }
        // What the receiver acknowledged or the reader saw stays as it is.
        let fixed = self.head.acked.max(self.head.shown);
        let candidates =
            self.body.segments.iter().copied().filter(|s| s.start < extent.end && s.end > extent.start);
        let won: Vec<Extent> = candidates
            .filter(|old| new_wins(settings.policy, extent, *old))
            .filter_map(|old| old.common(extent)?.common(Extent { start: fixed, end: u64::MAX }))
            .collect();
        for part in won {
            let from = usize::try_from(part.start - extent.start).unwrap_or(usize::MAX);
            let to = usize::try_from(part.end - extent.start).unwrap_or(usize::MAX);
            if let Some(bytes) = data.get(from..to) {
                self.overwrite(part.start, bytes);
            }
        }
    }

    /// Whether any byte that is stored already is another one.
    fn differs(&self, extent: Extent, data: &[u8]) -> bool {
        self.stretches().any(|(start, bytes)| {
            let there = Extent { start, end: start + bytes.len() as u64 };
            there.common(extent).is_some_and(|c| cut(bytes, start, c) != cut(data, extent.start, c))
        })
    }

    /// Everything stored, stretch by stretch.
    fn stretches(&self) -> impl Iterator<Item = (u64, &[u8])> {
        let first = (self.head.base, self.body.in_order());
        std::iter::once(first).chain(self.body.pieces.iter().map(|p| (p.start, p.data.as_slice())))
    }

    /// Replaces bytes that are stored; holes stay holes.
    fn overwrite(&mut self, start: u64, bytes: &[u8]) {
        let extent = Extent { start, end: start + bytes.len() as u64 };
        let Body { buffer, start: from, pieces, .. } = &mut *self.body;
        let first = (self.head.base, buffer.get_mut(*from..).unwrap_or_default());
        let rest = pieces.iter_mut().map(|p| (p.start, p.data.as_mut_slice()));
        for (at, stored) in std::iter::once(first).chain(rest) {
            let there = Extent { start: at, end: at + stored.len() as u64 };
            let Some(common) = there.common(extent) else { continue };
            let from = usize::try_from(common.start - at).unwrap_or(usize::MAX);
            let source = cut(bytes, start, common);
            if let Some(target) = stored.get_mut(from..from.saturating_add(source.len())) {
                target.copy_from_slice(source);
            }
        }
    }

    /// Stores what falls into holes.
    fn fill(&mut self, extent: Extent, data: &[u8], stored: &mut Stored) {
        let mut at = extent.start.max(self.head.edge);
        let mut index = self.body.pieces.partition_point(|p| p.end() <= at);
        loop {
            let next = self.body.pieces.get(index).map_or(u64::MAX, |p| p.start);
            let hole = Extent { start: at, end: extent.end.min(next) };
            if hole.start < hole.end {
                let bytes = cut(data, extent.start, hole);
                if hole.start == self.head.edge {
                    self.append(bytes, stored);
                } else if self.put_piece(index, hole.start, bytes, stored) {
                    index += 1;
                }
            }
            let Some(piece) = self.body.pieces.get(index) else { return };
            at = piece.end();
            index += 1;
            if at >= extent.end {
                return;
            }
        }
    }

    /// Stores bytes behind a hole. Whether that took a piece of its own.
    fn put_piece(&mut self, index: usize, start: u64, bytes: &[u8], stored: &mut Stored) -> bool {
        let len = bytes.len() as u64;
        let held = self.body.in_order().len() + self.body.pieces.iter().map(|p| p.data.len()).sum::<usize>();
        let too_far = start - self.head.base + len > FARTHEST;
        let too_much = held + bytes.len() > self.settings.stream_memory || self.body.pieces.len() >= PIECES;
        if too_far || too_much || self.would_exceed(start) {
            stored.limit += len;
            return false;
        }
        if let Some(before) = index.checked_sub(1).and_then(|i| self.body.pieces.get_mut(i))
            && before.end() == start
        {
            if self.buffers.reserve(&mut before.data, bytes.len()) {
                before.data.extend_from_slice(bytes);
                stored.new += len;
            } else {
                stored.memory += len;
            }
            return false;
        }
        let mut data = Vec::new();
        if !self.buffers.reserve(&mut data, bytes.len()) {
            stored.memory += len;
            return false;
        }
        data.extend_from_slice(bytes);
        stored.new += len;
        self.body.pieces.insert(index, Piece { start, data });
        self.head.next = self.body.first_piece();
        true
    }

    /// Whether one more stretch would be one too many.
    fn would_exceed(&self, start: u64) -> bool {
        let edge = self.body.pieces.last().map_or(self.head.edge, Piece::end);
        let most = self.settings.regions;
        most > 0 && start > edge + APART && self.regions() >= most
    }

    /// Separate stretches of memory, as far apart as a window goes.
    fn regions(&self) -> u8 {
        let mut edge = self.head.edge;
        let mut count = 1u8;
        for piece in &self.body.pieces {
            count = count.saturating_add(u8::from(piece.start > edge + APART));
            edge = piece.end();
        }
        count
    }

    /// Moves pieces that have become contiguous into the buffer. Gives how many bytes had to be dropped because there
    /// is no room: they are a hole again.
    pub(super) fn join(&mut self) -> u64 {
        let mut lost = 0;
        let mut joined = 0;
        while let Some(piece) = self.body.pieces.get_mut(joined) {
            if piece.start != self.head.edge {
                break;
            }
            joined += 1;
            let mut data = std::mem::take(&mut piece.data);
            let len = data.len();
            let held = self.body.buffer.len() - self.body.start;
            if held == 0 {
                // The piece's buffer becomes the stream's.
                std::mem::swap(&mut data, &mut self.body.buffer);
                self.body.start = 0;
            } else if held + len <= self.settings.stream_memory && self.make_room(len) {
                self.body.buffer.extend_from_slice(&data);
            } else {
                lost += len as u64;
                self.buffers.give(data);
                break;
            }
            self.head.edge += len as u64;
            self.buffers.give(data);
        }
        self.body.pieces.drain(..joined);
        self.head.next = self.body.first_piece();
        lost
    }

    /// Remembers where a segment lay.
    fn remember(&mut self, extent: Extent) {
        if self.settings.inline || extent.end <= self.head.acked {
            return;
        }
        let segments = &mut self.body.segments;
        let at = segments.partition_point(|s| s.start <= extent.start);
        segments.insert(at, extent);
        if segments.len() > SEGMENTS {
            segments.dedup_by(|next, before| {
                let touch = next.start <= before.end;
                if touch {
                    before.end = before.end.max(next.end);
                }
                touch
            });
            // Still too many: they lie apart. The oldest knowledge goes.
            let excess = segments.len().saturating_sub(SEGMENTS / 2);
            segments.drain(..excess);
        }
    }
}

/// Pieces that lie farther apart than this are separate stretches of memory.
const APART: u64 = 256 << 10;
/// Farthest that a segment may lie ahead of what was read.
const FARTHEST: u64 = 1 << 30;

/// The part of `bytes`, which start at `start`, that lies in `extent`.
fn cut(bytes: &[u8], start: u64, extent: Extent) -> &[u8] {
    let from = usize::try_from(extent.start - start).unwrap_or(usize::MAX);
    let to = usize::try_from(extent.end - start).unwrap_or(usize::MAX);
    bytes.get(from..to).unwrap_or_default()
}
