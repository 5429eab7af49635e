//! A plain file as memory, as long as nobody can change it.
//!
//! A file that shrinks under a map kills the process that touches what is gone, so a file is only mapped under a read
//! lease (`fcntl(2)`, "Leases"): the kernel grants it when nobody has the file open for writing, and lets nobody open
//! it for writing, or truncate it, before the lease is given up or 45 seconds have gone by (`lease-break-time`). Readers
//! ask before each burst whether somebody waits for it, and read on by `read` if so. Files of another owner (without
//! CAP_LEASE), files being written to, and file systems without leases are read and not mapped from the start.
#![expect(unsafe_code, reason = "mapping a file, and asking the kernel for the lease that makes it sound")]

use std::fs::File;
use std::os::fd::AsRawFd;
use std::sync::Arc;

use memmap2::{Advice, Mmap, UncheckedAdvice};

/// `F_SETSIG` of Linux (`asm-generic/fcntl.h`), on every architecture but parisc; libc has it for some targets only.
const F_SETSIG: libc::c_int = 10;

/// The lease; given up when dropped.
#[derive(Debug)]
struct Lease {
    file: Arc<File>,
}

impl Lease {
    fn take(file: Arc<File>) -> Option<Self> {
        let fd = file.as_raw_fd();
        // A broken lease is announced by a signal; by default one that ends the process, so it is changed to one that
        // is ignored before the lease is taken. Nobody waits for it: `broken` asks.
        // SAFETY: F_SETSIG takes an integer and touches no memory; the descriptor is open, as `file` holds it.
        if unsafe { libc::fcntl(fd, F_SETSIG, libc::SIGURG) } < 0 {
            return None;
        }
        // SAFETY: F_SETLEASE takes an integer and touches no memory; the descriptor is open, as `file` holds it.
        let granted = unsafe { libc::fcntl(fd, libc::F_SETLEASE, libc::F_RDLCK) } == 0;
        granted.then_some(Self { file })
    }

    fn broken(&self) -> bool {
        // SAFETY: F_GETLEASE takes no argument and touches no memory; the descriptor is open, as `file` holds it.
        let held = unsafe { libc::fcntl(self.file.as_raw_fd(), libc::F_GETLEASE) };
        held != libc::F_RDLCK
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // SAFETY: as in `take`. A failure means that the lease is gone already.
        let _ = unsafe { libc::fcntl(self.file.as_raw_fd(), libc::F_SETLEASE, libc::F_UNLCK) };
    }
}

/// A mapped file under its lease. The map goes first when dropped: fields are dropped in the order written here.
#[derive(Debug)]
pub(super) struct Mapped {
    map: Mmap,
    lease: Lease,
}

impl Mapped {
    /// Maps `file`, unless the lease is refused or the file cannot be mapped.
    pub(super) fn new(file: &Arc<File>) -> Option<Self> {
        let lease = Lease::take(Arc::clone(file))?;
        // SAFETY: the bytes of a map must not change or vanish while borrowed.
        // - Writing or truncating needs the lease to be broken first, and the lease was taken before the length was.
        // - Readers ask `broken` before each burst, and borrow for no longer than that burst.
        // - The kernel waits 45 seconds for the lease; a burst that takes longer has long been called a dead worker.
        let map = unsafe { Mmap::map(&**file) }.ok()?;
        // Advice only: reading works without.
        let _ = map.advise(Advice::Sequential);
        Some(Self { map, lease })
    }

    /// Whether somebody wants to write to the file: the bytes must not be touched from now on.
    pub(super) fn broken(&self) -> bool {
        self.lease.broken()
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.map
    }

    /// Gives pages back to the kernel, so that they count towards this process no more.
    pub(super) fn give_back(&self, from: usize, to: usize) {
        // SAFETY: MADV_DONTNEED on a map of a file drops pages that the next touch reads again with the same content,
        // as the lease keeps the file unchanged; the range is checked by memmap2 against the map's length.
        let _ = unsafe { self.map.unchecked_advise_range(UncheckedAdvice::DontNeed, from, to - from) };
    }
}
