//! Memory that a driver and its device share.

use std::fmt;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::buffers::Posted;
use crate::pages::Pages;

/// What keeps a block mapped; dropping it unmaps and frees.
pub(crate) trait Keep: Send + Sync {
    /// The block is divided into buffers that the device may reach while they are posted alone. A bus that can check
    /// it does; hardware cannot.
    fn guard(&self, _posted: &Arc<Posted>) {}
}

/// A block of memory that the device reaches too, under a device address of its own.
///
/// The device may write it at any time, so it is seen as atomic words and never as a plain slice; what may be lent as
/// bytes are [`crate::Buffers`] that the device has given back.
pub struct Dma {
    memory: NonNull<u8>,
    bytes: usize,
    address: u64,
    keep: Box<dyn Keep>,
}

// SAFETY: the memory belongs to this block alone until `keep` is dropped with it, every access goes through atomics or
// through `Buffers`, which lends only what it owns; `Keep` is Send and Sync by its own bound.
unsafe impl Send for Dma {}
// SAFETY: as above: shared access is by atomics alone.
unsafe impl Sync for Dma {}

impl Dma {
    /// A block over `bytes` of memory that the device sees at `address`.
    ///
    /// # Safety
    /// `memory` is aligned to 4 KiB, zeroed or plain data, valid for reads and writes of `bytes` for as long as `keep`
    /// lives, and not reached by any other way than the device's while this block lives.
    pub(crate) unsafe fn over(memory: NonNull<u8>, bytes: usize, address: u64, keep: Box<dyn Keep>) -> Self {
        Self { memory, bytes, address, keep }
    }

    /// A block over pages of ours that `keep` holds.
    pub(crate) fn over_pages(address: u64, keep: impl Keep + AsRef<Pages> + 'static) -> Self {
        let pages = keep.as_ref();
        let (memory, bytes) = (pages.start(), pages.bytes());
        // SAFETY: `Pages` is mapped memory of whole pages; it does not move when `keep` is boxed, and is unmapped when
        // `keep` is dropped, which is when the block is; `keep` moves in here, so nobody else reaches it.
        unsafe { Self::over(memory, bytes, address, Box::new(keep)) }
    }

    /// Where the device sees its first byte.
    #[inline]
    #[must_use]
    pub fn address(&self) -> u64 {
        self.address
    }

    /// How long it is.
    #[inline]
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The whole block as words, in memory order (little-endian machines alone are supported).
    #[inline]
    #[must_use]
    pub fn words(&self) -> &[AtomicU64] {
        // SAFETY: aligned and valid for `bytes` by the contract of `over`; the device's concurrent writes are what
        // atomics are for; the lifetime is that of the block, which keeps the memory.
        unsafe { std::slice::from_raw_parts(self.memory.as_ptr().cast::<AtomicU64>(), self.bytes / 8) }
    }

    /// Copies `bytes` to offset `at`, a multiple of 8, word by word; what is left of the last word becomes zero. False,
    /// and nothing copied, when they do not fit.
    #[must_use]
    pub fn copy_in(&self, at: usize, bytes: &[u8]) -> bool {
        let Some(words) = self.span(at, bytes.len()) else { return false };
        for (word, chunk) in words.iter().zip(bytes.chunks(8)) {
            let mut value = [0; 8];
            for (to, from) in value.iter_mut().zip(chunk) {
                *to = *from;
            }
            word.store(u64::from_le_bytes(value), Ordering::Relaxed);
        }
        true
    }

    /// Copies bytes from offset `at`, a multiple of 8, word by word. False, and nothing copied, when the block is
    /// shorter.
    #[must_use]
    pub fn copy_out(&self, at: usize, into: &mut [u8]) -> bool {
        let Some(words) = self.span(at, into.len()) else { return false };
        for (word, chunk) in words.iter().zip(into.chunks_mut(8)) {
            let value = word.load(Ordering::Relaxed).to_le_bytes();
            for (to, from) in chunk.iter_mut().zip(value) {
                *to = from;
            }
        }
        true
    }

    /// Makes every word zero.
    pub fn zero(&self) {
        for word in self.words() {
            word.store(0, Ordering::Relaxed);
        }
    }

    /// First byte, for what divides the block.
    pub(crate) fn start(&self) -> NonNull<u8> {
        self.memory
    }

    /// Lets a bus that can check it know which parts the device has.
    pub(crate) fn guard(&self, posted: &Arc<Posted>) {
        self.keep.guard(posted);
    }

    fn span(&self, at: usize, bytes: usize) -> Option<&[AtomicU64]> {
        let from = at.is_multiple_of(8).then_some(at / 8)?;
        self.words().get(from..from.checked_add(bytes.div_ceil(8))?)
    }
}

impl fmt::Debug for Dma {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dma({} bytes at {:#x})", self.bytes, self.address)
    }
}
