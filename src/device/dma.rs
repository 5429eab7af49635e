//! Memory that a driver and its device share.

use std::fmt;
use std::ptr::NonNull;
use std::sync::atomic::AtomicU64;

/// What keeps a block mapped; dropping it unmaps and frees.
pub(crate) trait Keep: Send + Sync {}

/// A block of memory that the device reaches too, under a device address of its own.
///
/// The device may write it at any time, so it is seen as atomic words and never as a plain slice; what may be lent as
/// bytes are [`crate::Buffers`] that the device has given back.
pub struct Dma {
    memory: NonNull<u8>,
    bytes: usize,
    address: u64,
    _keep: Box<dyn Keep>,
}

// SAFETY: the memory belongs to this block alone until `_keep` is dropped with it, every access goes through atomics or
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
        Self { memory, bytes, address, _keep: keep }
    }

    /// Where the device sees its first byte.
    #[must_use]
    pub fn address(&self) -> u64 {
        self.address
    }

    /// How long it is.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The whole block as words, in memory order (little-endian machines alone are supported).
    #[must_use]
    pub fn words(&self) -> &[AtomicU64] {
        // SAFETY: aligned and valid for `bytes` by the contract of `over`; the device's concurrent writes are what
        // atomics are for; the lifetime is that of the block, which keeps the memory.
        unsafe { std::slice::from_raw_parts(self.memory.as_ptr().cast::<AtomicU64>(), self.bytes / 8) }
    }
}

impl fmt::Debug for Dma {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dma({} bytes at {:#x})", self.bytes, self.address)
    }
}
