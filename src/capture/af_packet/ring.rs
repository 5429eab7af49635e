//! The ring: blocks of memory that the kernel and we hand to each other.
#![expect(unsafe_code, reason = "memory shared with the kernel")]

use std::io;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

use super::block::{BLK_LEN, BLOCK_HEADER, u32_at};
use super::socket::Socket;

/// Offset of a block's status, the only word that we write.
const STATUS: usize = 8;
/// The block is ours.
const USER: u32 = 1;

/// A mapped ring and the block that comes next. It is owned by one worker: a ring may be sent, but not shared.
#[derive(Debug)]
pub(super) struct Ring {
    base: NonNull<u8>,
    block_size: usize,
    blocks: usize,
    current: usize,
    /// Closed after the map is gone: fields are dropped after `drop` has run.
    socket: Socket,
}

// SAFETY: the map belongs to the process and not to a thread, and only the owner of the `Ring` touches it.
unsafe impl Send for Ring {}

impl Ring {
    /// Maps the ring of `socket`, which was asked for with these sizes.
    pub(super) fn map(socket: Socket, block_size: usize, blocks: usize) -> io::Result<Self> {
        let len = block_size.checked_mul(blocks).ok_or(io::ErrorKind::OutOfMemory)?;
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: no address is asked for, so nothing that is mapped is replaced; the descriptor is open, and the
        // kernel refuses a length that is not exactly the ring's.
        let base =
            unsafe { libc::mmap(std::ptr::null_mut(), len, access, libc::MAP_SHARED, socket.raw(), 0) };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let base = NonNull::new(base.cast()).ok_or(io::ErrorKind::AddrNotAvailable)?;
        Ok(Self { base, block_size, blocks, current: 0, socket })
    }

    pub(super) fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Bytes of the block that comes next, once it is ours.
    pub(super) fn block(&self) -> Option<&[u8]> {
        if self.status().load(Ordering::Acquire) & USER == 0 {
            return None;
        }
        let begin = self.begin();
        // SAFETY: the header lies within the mapped block; the kernel wrote it before it handed the block over, which
        // the acquire load above has seen, and writes nothing before it gets the block back: `release` needs the ring
        // exclusively, so no borrow of these bytes is alive then.
        let header = unsafe { std::slice::from_raw_parts(begin.as_ptr(), BLOCK_HEADER) };
        let len = u32_at(header, BLK_LEN).unwrap_or_default() as usize;
        let len = len.clamp(BLOCK_HEADER, self.block_size);
        // SAFETY: as above, and `len` was bounded by the block's size.
        Some(unsafe { std::slice::from_raw_parts(begin.as_ptr(), len) })
    }

    /// Gives the block that was read back to the kernel. In order: the kernel waits for exactly this one.
    pub(super) fn release(&mut self) {
        self.status().store(0, Ordering::Release);
        self.current = if self.current + 1 == self.blocks { 0 } else { self.current + 1 };
    }

    fn begin(&self) -> NonNull<u8> {
        // SAFETY: `current` is below `blocks`, so the place lies within the map of `blocks` times `block_size` bytes.
        unsafe { self.base.add(self.current * self.block_size) }
    }

    fn status(&self) -> &AtomicU32 {
        // SAFETY: the word lies within the block's header; it is aligned, as blocks begin at page boundaries and the
        // offset is a multiple of 4; it is valid for as long as the map is, which `self` holds; and both sides access
        // it as one aligned word only.
        unsafe { AtomicU32::from_ptr(self.begin().add(STATUS).cast().as_ptr()) }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: this is the map that `map` made, with its length, and nothing borrows from it any more.
        let _ = unsafe { libc::munmap(self.base.as_ptr().cast(), self.block_size * self.blocks) };
    }
}
