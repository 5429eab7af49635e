//! Putting a segment into its stream.

use super::overlap::{Extent, new_wins};
use super::{Buffers, Piece, Stream};
use crate::Settings;

/// Most pieces that wait behind holes.
const PIECES: usize = 512;
/// Most extents that are remembered; beyond, neighbours are taken for one.
const SEGMENTS: usize = 512;
/// Most out-of-band bytes that are remembered at once.
const OOB: usize = 64;

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

impl Stream {
    /// Takes the byte with this sequence number out of the stream: it travels out of band. False when too many do.
    pub(crate) fn take_out_of_band(&mut self, seq: u32) -> bool {
        if self.oob.contains(&seq) {
            return true;
        }
        let known = self.place(seq) < i64::try_from(self.edge()).unwrap_or(i64::MAX);
        if known || self.oob.len() >= OOB {
            return false;
        }
        self.oob.push(seq);
        true
    }

    /// Whether any byte that is kept or expected travelled out of band.
    pub(crate) const fn has_out_of_band(&self) -> bool {
        !self.oob.is_empty()
    }

    /// Whether this sequence number travelled out of band.
    pub(crate) fn is_out_of_band(&self, seq: u32) -> bool {
        self.oob.contains(&seq)
    }

    /// Stores a segment.
    pub(crate) fn insert(
        &mut self,
        seq: u32,
        data: &[u8],
        settings: &Settings,
        buffers: &mut Buffers,
    ) -> Stored {
        let mut stored = Stored::default();
        let place = self.place(seq);
        let Some((start, data)) = self.trim(place, data, &mut stored) else {
            stored.regions = self.regions();
            return stored;
        };
        let extent = Extent { start, end: start + data.len() as u64 };
        let in_order = start == self.edge() && self.pieces.first().is_none_or(|p| p.start >= extent.end);
        if in_order {
            stored.regions = 1;
            if self.append(data, settings, buffers, &mut stored) && !settings.inline {
                self.remember(extent);
            }
            if !self.pieces.is_empty() {
                self.join(settings, buffers);
            }
        } else {
            self.insert_slowly(extent, data, settings, buffers, &mut stored);
            stored.regions = self.regions();
        }
        stored
    }

    /// Cuts off what is not wanted: before the base, skipped, beyond the depth.
    fn trim<'a>(&mut self, place: i64, mut data: &'a [u8], stored: &mut Stored) -> Option<(u64, &'a [u8])> {
        let base = i64::try_from(self.base).unwrap_or(i64::MAX);
        let before = usize::try_from(base.saturating_sub(place)).unwrap_or(0).min(data.len());
        stored.duplicate += before as u64;
        data = data.get(before..)?;
        if data.is_empty() {
            stored.before_base = before > 0;
            return None;
        }
        let mut start = u64::try_from(place.max(base)).ok()?;
        if self.base < self.skip {
            // Nothing is stored before the end of what is skipped; holes in it do not matter.
            let end = start + data.len() as u64;
            let unwanted =
                usize::try_from(self.skip.saturating_sub(start)).unwrap_or(usize::MAX).min(data.len());
            stored.skipped += unwanted as u64;
            start += unwanted as u64;
            data = data.get(unwanted..)?;
            self.advance(end.min(self.skip));
        }
        let room = usize::try_from(self.depth.saturating_sub(start)).unwrap_or(usize::MAX);
        if data.len() > room {
            stored.depth += (data.len() - room) as u64;
            stored.depth_reached = !self.cut;
            self.cut = true;
            data = data.get(..room)?;
        }
        (!data.is_empty()).then_some((start, data))
    }

    /// Appends in order. False when there was no room.
    fn append(
        &mut self,
        data: &[u8],
        settings: &Settings,
        buffers: &mut Buffers,
        stored: &mut Stored,
    ) -> bool {
        if self.contiguous() + data.len() > settings.stream_memory {
            stored.limit += data.len() as u64;
            return false;
        }
        if self.head > 0
            && self.buffer.len() + data.len() > self.buffer.capacity()
            && self.head >= self.contiguous()
        {
            self.buffer.drain(..self.head);
            self.head = 0;
        }
        if !buffers.reserve(&mut self.buffer, data.len()) {
            stored.memory += data.len() as u64;
            return false;
        }
        self.buffer.extend_from_slice(data);
        stored.new += data.len() as u64;
        true
    }

    fn insert_slowly(
        &mut self,
        extent: Extent,
        data: &[u8],
        settings: &Settings,
        buffers: &mut Buffers,
        stored: &mut Stored,
    ) {
        self.overlap(extent, data, settings, stored);
        let before = stored.new;
        self.fill(extent, data, settings, buffers, stored);
        let refused = stored.memory + stored.limit;
        stored.duplicate += data.len() as u64 - (stored.new - before) - refused;
        if !settings.inline && stored.new > before {
            self.remember(extent);
        }
        self.join(settings, buffers);
    }

    /// Applies the policy where the segment overlaps what is stored and may still change.
    fn overlap(&mut self, extent: Extent, data: &[u8], settings: &Settings, stored: &mut Stored) {
        stored.overlap = extent.start < self.edge()
            || self.pieces.iter().any(|p| p.start < extent.end && p.end() > extent.start);
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
        let fixed = self.acked.max(self.shown);
        let candidates =
            self.segments.iter().copied().filter(|s| s.start < extent.end && s.end > extent.start);
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
        let first = (self.base, self.buffer.get(self.head..).unwrap_or_default());
        std::iter::once(first).chain(self.pieces.iter().map(|p| (p.start, p.data.as_slice())))
    }

    /// Replaces bytes that are stored; holes stay holes.
    fn overwrite(&mut self, start: u64, bytes: &[u8]) {
        let extent = Extent { start, end: start + bytes.len() as u64 };
        let head = self.head;
        let first = (self.base, self.buffer.get_mut(head..).unwrap_or_default());
        let rest = self.pieces.iter_mut().map(|p| (p.start, p.data.as_mut_slice()));
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
    fn fill(
        &mut self,
        extent: Extent,
        data: &[u8],
        settings: &Settings,
        buffers: &mut Buffers,
        stored: &mut Stored,
    ) {
        let mut at = extent.start.max(self.edge());
        let mut index = self.pieces.partition_point(|p| p.end() <= at);
        loop {
            let next = self.pieces.get(index).map_or(u64::MAX, |p| p.start);
            let hole = Extent { start: at, end: extent.end.min(next) };
            if hole.start < hole.end {
                let bytes = cut(data, extent.start, hole);
                if hole.start == self.edge() {
                    self.append(bytes, settings, buffers, stored);
                } else if self.put_piece(index, hole.start, bytes, settings, buffers, stored) {
                    index += 1;
                }
            }
            let Some(piece) = self.pieces.get(index) else { return };
            at = piece.end();
            index += 1;
            if at >= extent.end {
                return;
            }
        }
    }

    /// Stores bytes behind a hole. Whether that took a piece of its own.
    fn put_piece(
        &mut self,
        index: usize,
        start: u64,
        bytes: &[u8],
        settings: &Settings,
        buffers: &mut Buffers,
        stored: &mut Stored,
    ) -> bool {
        let too_far = start - self.base + bytes.len() as u64 > FARTHEST
            || self.stored() + bytes.len() as u64 > settings.stream_memory as u64;
        if too_far || self.pieces.len() >= PIECES || self.would_exceed(start, settings) {
            stored.limit += bytes.len() as u64;
            return false;
        }
        if let Some(before) = index.checked_sub(1).and_then(|i| self.pieces.get_mut(i))
            && before.end() == start
        {
            if buffers.reserve(&mut before.data, bytes.len()) {
                before.data.extend_from_slice(bytes);
                stored.new += bytes.len() as u64;
            } else {
                stored.memory += bytes.len() as u64;
            }
            return false;
        }
        let mut data = Vec::new();
        if !buffers.reserve(&mut data, bytes.len()) {
            stored.memory += bytes.len() as u64;
            return false;
        }
        data.extend_from_slice(bytes);
        stored.new += bytes.len() as u64;
        self.pieces.insert(index, Piece { start, data });
        true
    }

    /// Whether one more stretch would be one too many.
    fn would_exceed(&self, start: u64, settings: &Settings) -> bool {
        let edge = self.pieces.last().map_or_else(|| self.edge(), Piece::end);
        settings.regions > 0 && start > edge + (256 << 10) && self.regions() >= settings.regions
    }

    /// Moves pieces that have become contiguous into the buffer.
    fn join(&mut self, settings: &Settings, buffers: &mut Buffers) {
        let mut joined = 0;
        while let Some(piece) = self.pieces.get_mut(joined) {
            let edge = self.base + (self.buffer.len() - self.head) as u64;
            if piece.start != edge
                || self.buffer.len() - self.head + piece.data.len() > settings.stream_memory
            {
                break;
            }
            if self.contiguous_is_empty() {
                self.adopt(joined, buffers);
            } else if !self.copy_piece(joined, buffers) {
                break;
            }
            joined += 1;
        }
        for piece in self.pieces.drain(..joined) {
            buffers.give(piece.data);
        }
    }

    const fn contiguous_is_empty(&self) -> bool {
        self.buffer.len() == self.head
    }

    /// The piece's buffer becomes the stream's.
    fn adopt(&mut self, index: usize, buffers: &mut Buffers) {
        if let Some(piece) = self.pieces.get_mut(index) {
            buffers.give(std::mem::replace(&mut self.buffer, std::mem::take(&mut piece.data)));
            self.head = 0;
        }
    }

    fn copy_piece(&mut self, index: usize, buffers: &mut Buffers) -> bool {
        let Some(piece) = self.pieces.get_mut(index) else { return false };
        if !buffers.reserve(&mut self.buffer, piece.data.len()) {
            return false;
        }
        self.buffer.extend_from_slice(&piece.data);
        true
    }

    /// The next stretch behind a hole becomes the stream's start, the hole having been given up.
    pub(super) fn pass_hole(&mut self, buffers: &mut Buffers, settings: &Settings) {
        self.buffer.clear();
        self.head = 0;
        self.join(settings, buffers);
    }

    /// Remembers where a segment lay.
    fn remember(&mut self, extent: Extent) {
        if extent.end <= self.acked {
            return;
        }
        let at = self.segments.partition_point(|s| s.start <= extent.start);
        self.segments.insert(at, extent);
        if self.segments.len() > SEGMENTS {
            self.segments.dedup_by(|next, before| {
                let touch = next.start <= before.end;
                if touch {
                    before.end = before.end.max(next.end);
                }
                touch
            });
            // Still too many: they lie apart. The oldest knowledge goes.
            let excess = self.segments.len().saturating_sub(SEGMENTS / 2);
            if self.segments.len() > SEGMENTS * 3 / 4 {
                self.segments.drain(..excess);
            }
        }
    }
}

/// Farthest that a segment may lie ahead of what was read.
const FARTHEST: u64 = 1 << 30;

/// The part of `bytes`, which start at `start`, that lies in `extent`.
fn cut(bytes: &[u8], start: u64, extent: Extent) -> &[u8] {
    let from = usize::try_from(extent.start - start).unwrap_or(usize::MAX);
    let to = usize::try_from(extent.end - start).unwrap_or(usize::MAX);
    bytes.get(from..to).unwrap_or_default()
}
