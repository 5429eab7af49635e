//! Mapped memory, as words.

use std::io;
use std::num::NonZeroUsize;
use std::os::fd::AsFd;
use std::ptr::NonNull;
use std::sync::atomic::AtomicU64;

use nix::sys::mman::{MapFlags, ProtFlags, mmap, mmap_anonymous, munmap};

/// Smallest page.
pub(crate) const PAGE: usize = 4096;

/// How large the pages behind a mapping are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PageSize {
    Small,
    Huge2M,
    Huge1G,
}

impl PageSize {
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::Small => PAGE,
            Self::Huge2M => 2 << 20,
            Self::Huge1G => 1 << 30,
        }
    }

    fn flags(self) -> MapFlags {
        match self {
            Self::Small => MapFlags::empty(),
            Self::Huge2M => MapFlags::MAP_HUGETLB | MapFlags::MAP_HUGE_2MB,
            Self::Huge1G => MapFlags::MAP_HUGETLB | MapFlags::MAP_HUGE_1GB,
        }
    }
}

/// A mapping of our own; unmapped on drop.
#[derive(Debug)]
pub(crate) struct Pages {
    start: NonNull<u8>,
    bytes: usize,
}

// SAFETY: the mapping belongs to this value alone and is reached as atomics.
unsafe impl Send for Pages {}
// SAFETY: as above.
unsafe impl Sync for Pages {}

impl Pages {
    /// Zeroed memory of this process, present from the start. `bytes` is rounded up to whole pages.
    pub(crate) fn zeroed(bytes: usize, size: PageSize) -> io::Result<Self> {
        let bytes = whole(bytes, size.bytes())?;
        let flags = MapFlags::MAP_PRIVATE | MapFlags::MAP_POPULATE | size.flags();
        // SAFETY: a new mapping at an address of the kernel's choice touches nothing that exists.
        let start = unsafe { mmap_anonymous(None, bytes, readable(), flags) }?;
        Ok(Self { start: start.cast(), bytes: bytes.get() })
    }

    /// The first `bytes` of a file, shared with whoever has it too. The file must not become shorter while it is mapped:
    /// an access past its end is a fault. We seal our own; another process' is trusted in that.
    pub(crate) fn shared(file: impl AsFd, bytes: usize) -> io::Result<Self> {
        let bytes = whole(bytes, PAGE)?;
        // SAFETY: as above; that others may write the file's pages is why they are reached as atomics.
        let start = unsafe { mmap(None, bytes, readable(), MapFlags::MAP_SHARED, file, 0) }?;
        Ok(Self { start: start.cast(), bytes: bytes.get() })
    }

    pub(crate) fn start(&self) -> NonNull<u8> {
        self.start
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn words(&self) -> &[AtomicU64] {
        // SAFETY: page-aligned, `bytes` long, and mapped as long as `self` lives.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr().cast(), self.bytes / 8) }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: mapped with this length by the constructors, and nobody borrows it any more. A failure would leave it
        // mapped, which harms nobody.
        let _ = unsafe { munmap(self.start.cast(), self.bytes) };
    }
}

fn readable() -> ProtFlags {
    ProtFlags::PROT_READ | ProtFlags::PROT_WRITE
}

fn whole(bytes: usize, page: usize) -> io::Result<NonZeroUsize> {
    let whole = bytes.max(1).checked_next_multiple_of(page).filter(|bytes| isize::try_from(*bytes).is_ok());
    whole.and_then(NonZeroUsize::new).ok_or_else(|| io::ErrorKind::OutOfMemory.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::Ordering;

    #[test]
    fn memory_is_whole_zeroed_pages() {
        let pages = Pages::zeroed(5000, PageSize::Small).expect("two pages");
        assert_eq!((pages.bytes(), pages.start().as_ptr() as usize % PAGE), (2 * PAGE, 0));
        assert!(pages.words().iter().all(|word| word.load(Ordering::Relaxed) == 0));
        pages.words()[1023].store(9, Ordering::Relaxed);
    }

    #[test]
    fn sizes_that_cannot_be_are_refused() {
        assert!(Pages::zeroed(usize::MAX, PageSize::Small).is_err());
        assert!(Pages::zeroed(usize::MAX / 2, PageSize::Huge1G).is_err());
    }

    #[test]
    fn a_file_is_seen_by_both_sides() {
        let file = tempfile::tempfile().expect("a file");
        file.set_len(PAGE as u64).expect("a page");
        let (one, two) =
            (Pages::shared(&file, PAGE).expect("mapped"), Pages::shared(&file, 8).expect("mapped"));
        one.words()[3].store(77, Ordering::Release);
        assert_eq!(two.words()[3].load(Ordering::Acquire), 77);
    }
}
