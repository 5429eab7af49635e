//! Registers: mapped where the kernel allows it, else a system call each.

use std::fs::File;
use std::io;
use std::num::NonZeroUsize;
use std::os::unix::fs::FileExt;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};

use crate::{DeviceError, Window};

/// A mapped region. Its memory is uncached: an access is a message to the device.
pub(super) struct Mapped {
    start: NonNull<u32>,
    bytes: u32,
    /// Keeps the function open, without which an access would be a fault.
    _file: Arc<File>,
}

// SAFETY: the mapping belongs to this value; registers are made to be reached from any thread, 32 bits at a time.
unsafe impl Send for Mapped {}
// SAFETY: as above.
unsafe impl Sync for Mapped {}

impl Mapped {
    pub(super) fn new(file: Arc<File>, offset: u64, bytes: u64) -> Result<Self, DeviceError> {
        let bytes = size(bytes)?;
        let refused = |error| DeviceError::Refused("map BAR 0", error);
        let length =
            NonZeroUsize::new(bytes as usize).ok_or_else(|| refused(io::ErrorKind::InvalidInput.into()))?;
        let at = i64::try_from(offset).map_err(|_| refused(io::ErrorKind::InvalidInput.into()))?;
        let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: a new mapping at an address of the kernel's choice; offset and length are those that the kernel told
        // for this region.
        let start = unsafe { mmap(None, length, access, MapFlags::MAP_SHARED, &*file, at) };
        let start = start.map_err(|error| refused(error.into()))?.cast();
        Ok(Self { start, bytes, _file: file })
    }

    /// The register at `offset`, if the region has it.
    fn register(&self, offset: u32) -> Option<NonNull<u32>> {
        // SAFETY: an aligned offset below the size is inside of the mapping.
        has(offset, self.bytes).then(|| unsafe { self.start.byte_add(offset as usize) })
    }
}

impl Window for Mapped {
    fn read(&self, offset: u32) -> u32 {
        let Some(register) = self.register(offset) else { return u32::MAX };
        // SAFETY: aligned and inside of a mapping that lives as long as `self`. Memory decoding is on (`with_memory`), so
        // that the access is answered; a device that is gone answers all ones.
        let value = unsafe { register.read_volatile() };
        // What the device wrote to memory before it answered is seen by loads after this.
        fence(Ordering::Acquire);
        value
    }

    fn write(&self, offset: u32, value: u32) {
        let Some(register) = self.register(offset) else { return };
        before_doorbell();
        // SAFETY: as in `read`.
        unsafe { register.write_volatile(value) };
    }

    fn size(&self) -> u32 {
        self.bytes
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: mapped with this length in `new`; handles to registers hold the whole value, so none is left.
        let _ = unsafe { munmap(self.start.cast(), self.bytes as usize) };
    }
}

/// Orders every earlier store to memory before the store to a register that follows, as the device sees them.
#[inline]
fn before_doorbell() {
    // On x86 stores are seen in order, uncached ones too; the compiler must keep them so.
    fence(Ordering::Release);
    // Elsewhere a fence among processors does not reach the device's side.
    #[cfg(target_arch = "aarch64")]
    // SAFETY: a barrier, without effect on registers or memory.
    unsafe {
        std::arch::asm!("dmb oshst", options(nostack, preserves_flags));
    }
}

/// A region that cannot be mapped.
pub(super) struct Called {
    file: Arc<File>,
    offset: u64,
    bytes: u32,
}

impl Called {
    pub(super) fn new(file: Arc<File>, offset: u64, bytes: u64) -> Result<Self, DeviceError> {
        Ok(Self { file, offset, bytes: size(bytes)? })
    }
}

impl Window for Called {
    fn read(&self, offset: u32) -> u32 {
        let mut value = [0xFF; 4];
        let read = has(offset, self.bytes)
            .then(|| self.file.read_exact_at(&mut value, self.offset + u64::from(offset)).is_ok());
        if read == Some(true) { u32::from_le_bytes(value) } else { u32::MAX }
    }

    fn write(&self, offset: u32, value: u32) {
        if has(offset, self.bytes) {
            // A device that is gone takes no writes; the next read says so.
            let _ = self.file.write_all_at(&value.to_le_bytes(), self.offset + u64::from(offset));
        }
    }

    fn size(&self) -> u32 {
        self.bytes
    }
}

fn has(offset: u32, bytes: u32) -> bool {
    offset.is_multiple_of(4) && offset < bytes
}

/// The size of a region of whole registers.
fn size(bytes: u64) -> Result<u32, DeviceError> {
    u32::try_from(bytes).ok().filter(|bytes| *bytes >= 4 && bytes.is_multiple_of(4)).ok_or_else(|| {
        DeviceError::Unusable(format!(
            "BAR 0 has {bytes} bytes: the kernel does not show it; see its log for this function"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of two pages, the second of which is the region.
    fn region() -> Arc<File> {
        let file = tempfile::tempfile().expect("a file");
        file.set_len(8192).expect("a length");
        Arc::new(file)
    }

    fn check(window: &dyn Window, file: &File) {
        window.write(0, 0x0102_0304);
        window.write(4092, 7);
        window.write(4096, 9);
        window.write(5, 9);
        assert_eq!(
            [0, 4092, 4096, 2, u32::MAX].map(|at| window.read(at)),
            [0x0102_0304, 7, u32::MAX, u32::MAX, u32::MAX]
        );
        let mut bytes = [0; 8];
        file.read_exact_at(&mut bytes, 4096).expect("read");
        assert_eq!((bytes, window.size()), ([4, 3, 2, 1, 0, 0, 0, 0], 4096));
    }

    #[test]
    fn mapped_and_called_registers_are_the_same() {
        let file = region();
        check(&Mapped::new(Arc::clone(&file), 4096, 4096).expect("mapped"), &file);
        let file = region();
        check(&Called::new(Arc::clone(&file), 4096, 4096).expect("there"), &file);
    }

    #[test]
    fn a_device_that_is_gone_reads_all_ones() {
        let file = region();
        let window = Called::new(Arc::clone(&file), 4096, 4096).expect("there");
        file.set_len(4096 + 2).expect("shorter");
        assert_eq!(window.read(0), u32::MAX);
    }

    #[test]
    fn regions_that_cannot_be_are_told() {
        for bytes in [0, 3, 6, u64::MAX] {
            assert!(
                Called::new(region(), 0, bytes).err().expect("an error").to_string().contains("BAR 0 has")
            );
        }
        assert!(Mapped::new(region(), 17, 4096).is_err());
    }
}
