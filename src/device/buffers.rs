//! A pool of equal buffers that go back and forth between a driver and its device.
//!
//! A ring's frames are read where the device put them. That is sound because a buffer is either the device's or ours,
//! one bit says which, and only what is ours can be seen as bytes. A driver claims a run of buffers when it has seen
//! their descriptors done, lends the run for the burst, and posts it again when the borrow has ended; so ownership costs
//! a few operations a burst, and a frame one comparison of its length.

use std::ptr::NonNull;
use std::sync::Arc;

#[cfg(loom)]
use loom::sync::atomic::{AtomicU64, Ordering};
#[cfg(not(loom))]
use std::sync::atomic::{AtomicU64, Ordering};

use crate::Dma;

/// Slots in a word of the map.
const WORD: usize = 64;

/// Equal buffers over one DMA block. Slot `n` begins at byte `n * size` of it.
///
/// Slots that follow each other are adjacent in memory: a frame that a device spread over whole buffers of consecutive
/// slots is one slice.
#[derive(Debug)]
pub struct Buffers {
    memory: Dma,
    size: usize,
    slots: usize,
    posted: Arc<Posted>,
}

impl Buffers {
    /// As many buffers of `size` bytes as fit into `memory`; all are ours. None when `size` is 0, no multiple of 8, or
    /// larger than the block.
    #[must_use]
    pub fn new(memory: Dma, size: usize) -> Option<Self> {
        let slots = memory.bytes().checked_div(size)?;
        if slots == 0 || !size.is_multiple_of(8) {
            return None;
        }
        let posted = Arc::new(Posted::new(size, slots));
        memory.guard(&posted);
        Some(Self { memory, size, slots, posted })
    }

    /// How many buffers there are.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// Bytes of each buffer.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// Where the device sees a buffer, whoever has it; None past the last one.
    #[inline]
    #[must_use]
    pub fn address(&self, slot: usize) -> Option<u64> {
        (slot < self.slots).then(|| self.memory.address() + (slot * self.size) as u64)
    }

    /// Gives a buffer to the device and tells its device address; from here on it is the device's. None past the last.
    #[inline]
    pub fn post(&mut self, slot: usize) -> Option<u64> {
        let address = self.address(slot)?;
        self.posted.set(slot, 1);
        Some(address)
    }

    /// Gives `count` buffers from `first` on to the device; false, and nothing given, when they are not all there.
    #[inline]
    #[must_use]
    pub fn post_run(&mut self, first: usize, count: usize) -> bool {
        let fits = self.fits(first, count);
        if fits {
            self.posted.set(first, count);
        }
        fits
    }

    /// The device gave a buffer back: its descriptor is done, as an acquire load said. Past the last one: nothing.
    #[inline]
    pub fn returned(&mut self, slot: usize) {
        self.returned_run(slot, 1);
    }

    /// The device gave `count` buffers from `first` on back. Those past the last one are left out.
    #[inline]
    pub fn returned_run(&mut self, first: usize, count: usize) {
        if self.fits(first, count) {
            self.posted.clear(first, count);
        }
    }

    /// Everything is ours again. Only after the device has stopped: its reset has ended, or bus mastering is off.
    pub fn take_back(&mut self) {
        self.posted.clear(0, self.slots);
    }

    /// How many buffers the device has.
    #[must_use]
    pub fn with_device(&self) -> usize {
        self.posted.count()
    }

    /// The first `len` bytes from a buffer on; None unless every buffer that they touch is ours.
    #[inline]
    #[must_use]
    pub fn lend(&self, slot: usize, len: usize) -> Option<&[u8]> {
        self.lend_run(slot, len.div_ceil(self.size).max(1))?.frame(0, len)
    }

    /// `count` buffers from `first` on, for a burst; None unless all of them are ours.
    #[inline]
    #[must_use]
    pub fn lend_run(&self, first: usize, count: usize) -> Option<Lent<'_>> {
        if !self.fits(first, count) || self.posted.any(first, count) {
            return None;
        }
        // SAFETY: the run lies inside of the block (`fits`), which is valid, initialised memory for as long as `self`
        // is borrowed. Nobody of this process writes it meanwhile: `fill` needs `&mut self`, the words of the block
        // are not reachable because `self` owns it, and the in-process bus refuses buffers that are not posted. The
        // device gave these buffers back (`returned`), and posting them again needs `&mut self`, so not during this
        // borrow. That the device keeps to its word, and does not write what it gave back, is beyond what software can
        // exclude: an IOMMU bounds where it writes, not when.
        let bytes = unsafe { std::slice::from_raw_parts(self.start(first).as_ptr(), count * self.size) };
        Some(Lent { bytes, size: self.size })
    }

    /// Copies a frame into buffers from `slot` on, before they are posted; false, and nothing copied, unless every
    /// buffer that it touches is ours.
    #[must_use]
    pub fn fill(&mut self, slot: usize, bytes: &[u8]) -> bool {
        let count = bytes.len().div_ceil(self.size).max(1);
        if !self.fits(slot, count) || self.posted.any(slot, count) {
            return false;
        }
        // SAFETY: the destination lies inside of the block (`fits`) and is ours, so the device does not look at it;
        // `&mut self` excludes every lent slice, and `bytes` cannot overlap it for the same reason.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.start(slot).as_ptr(), bytes.len()) };
        true
    }

    /// Asks the processor to fetch the first line of a buffer, whoever has it. Past the last one: nothing.
    #[inline]
    pub fn prefetch(&self, slot: usize) {
        if slot < self.slots {
            fetch(self.start(slot).as_ptr());
        }
    }

    #[inline]
    fn fits(&self, first: usize, count: usize) -> bool {
        first <= self.slots && count <= self.slots - first
    }

    /// First byte of a slot that is known to be there.
    #[inline]
    fn start(&self, slot: usize) -> NonNull<u8> {
        debug_assert!(slot <= self.slots);
        // SAFETY: callers have checked that the slot is inside of the block; one past the last is its end.
        unsafe { self.memory.start().add(slot * self.size) }
    }
}

#[cfg(target_arch = "x86_64")]
#[inline]
fn fetch(at: *const u8) {
    // SAFETY: a hint; it never faults, and SSE is part of this architecture.
    unsafe { std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(at.cast()) };
}

#[cfg(not(target_arch = "x86_64"))]
#[inline]
fn fetch(_at: *const u8) {}

/// A run of buffers that are ours, as bytes.
#[derive(Clone, Copy, Debug)]
pub struct Lent<'a> {
    bytes: &'a [u8],
    size: usize,
}

impl<'a> Lent<'a> {
    /// `len` bytes from the start of the buffer at `index` of the run; they may reach into the ones that follow. None
    /// when they leave the run.
    #[inline]
    #[must_use]
    pub fn frame(&self, index: usize, len: usize) -> Option<&'a [u8]> {
        let at = index.checked_mul(self.size)?;
        self.bytes.get(at..at.checked_add(len)?)
    }

    /// The buffers from `index` of the run on, each whole. None of them past its end.
    #[inline]
    pub fn buffers(&self, index: usize) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let from = index.checked_mul(self.size).and_then(|at| self.bytes.get(at..));
        from.unwrap_or_default().chunks_exact(self.size)
    }
}

/// Asks the processor to fetch the line in which `bytes` begin: worth its while some frames before they are read.
#[inline]
pub fn prefetch(bytes: &[u8]) {
    fetch(bytes.as_ptr());
}

/// Which buffers the device has, one bit each. Its driver alone writes it; the in-process bus reads it.
#[derive(Debug)]
pub(crate) struct Posted {
    size: usize,
    words: Box<[AtomicU64]>,
}

impl Posted {
    fn new(size: usize, slots: usize) -> Self {
        Self { size, words: (0..slots.div_ceil(WORD)).map(|_| AtomicU64::new(0)).collect() }
    }

    /// Whether the device has every buffer that `bytes` bytes at `offset` of the block touch.
    pub(crate) fn covers(&self, offset: usize, bytes: usize) -> bool {
        let first = offset / self.size;
        let last = (offset + bytes.max(1) - 1) / self.size;
        parts(first, last + 1 - first).all(|(word, mask)| {
            self.words.get(word).is_some_and(|bits| bits.load(Ordering::Acquire) & mask == mask)
        })
    }

    #[inline]
    fn set(&self, first: usize, count: usize) {
        self.change(first, count, |bits, mask| bits | mask);
    }

    #[inline]
    fn clear(&self, first: usize, count: usize) {
        self.change(first, count, |bits, mask| bits & !mask);
    }

    /// One writer: a load and a store are enough, and cost what plain memory costs.
    #[inline]
    fn change(&self, first: usize, count: usize, to: impl Fn(u64, u64) -> u64) {
        for (word, mask) in parts(first, count) {
            if let Some(bits) = self.words.get(word) {
                bits.store(to(bits.load(Ordering::Relaxed), mask), Ordering::Release);
            }
        }
    }

    #[inline]
    fn any(&self, first: usize, count: usize) -> bool {
        parts(first, count).any(|(word, mask)| {
            self.words.get(word).is_none_or(|bits| bits.load(Ordering::Relaxed) & mask != 0)
        })
    }

    fn count(&self) -> usize {
        self.words.iter().map(|bits| bits.load(Ordering::Relaxed).count_ones() as usize).sum()
    }
}

/// Words and masks of a run of bits.
#[inline]
fn parts(first: usize, count: usize) -> impl Iterator<Item = (usize, u64)> {
    let end = first + count;
    let words = first / WORD..end.div_ceil(WORD);
    words.filter(move |_| count != 0).map(move |word| {
        let from = first.saturating_sub(word * WORD);
        let to = (end - word * WORD).min(WORD);
        (word, (u64::MAX << from) & (u64::MAX >> (WORD - to)))
    })
}

#[cfg(all(test, loom))]
mod hand_off;

#[cfg(all(test, not(loom)))]
mod tests;
