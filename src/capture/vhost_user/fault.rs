//! What happens when the front end makes a file shorter that we have mapped.
//!
//! The next look beyond its new end raises SIGBUS, which would end the process. So a handler puts empty memory in the
//! place of a region where that happens, and notes it; the ring's reader finds the note after each burst, throws away
//! what it copied, and ends the connection. Signals from anywhere else go where they went before.
#![expect(unsafe_code, reason = "a signal handler, and mapping over a region that has lost its file")]

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use libc::{c_int, c_void, siginfo_t};

/// Regions that can be guarded at a time, of all sources of the process.
const SLOTS: usize = 1024;

/// A guarded range. A beginning of 0 is no range.
struct Slot {
    taken: AtomicBool,
    begin: AtomicUsize,
    len: AtomicUsize,
    torn: AtomicBool,
}

static TABLE: [Slot; SLOTS] = [const {
    Slot {
        taken: AtomicBool::new(false),
        begin: AtomicUsize::new(0),
        len: AtomicUsize::new(0),
        torn: AtomicBool::new(false),
    }
}; SLOTS];

/// What SIGBUS did before, and why it could not be changed where it could not.
static BEFORE: OnceLock<Result<libc::sigaction, i32>> = OnceLock::new();

/// Guards one mapping while it lives. It has to go before the mapping does.
#[derive(Debug)]
pub(super) struct Guard {
    slot: usize,
}

impl Guard {
    /// # Errors
    /// When too many are guarded already, or the handler cannot be set.
    pub(super) fn new(begin: usize, len: usize) -> io::Result<Self> {
        if let Err(code) = BEFORE.get_or_init(install) {
            return Err(io::Error::from_raw_os_error(*code));
        }
        let free = |slot: &Slot| {
            slot.taken.compare_exchange(false, true, Ordering::AcqRel, Ordering::Relaxed).is_ok()
        };
        let Some((at, slot)) = TABLE.iter().enumerate().find(|(_, slot)| free(slot)) else {
            return Err(io::Error::other("too many regions are mapped"));
        };
        slot.torn.store(false, Ordering::Relaxed);
        slot.len.store(len, Ordering::Relaxed);
        slot.begin.store(begin, Ordering::Release);
        Ok(Self { slot: at })
    }

    pub(super) fn is_torn(&self) -> bool {
        TABLE.get(self.slot).is_some_and(|slot| slot.torn.load(Ordering::Acquire))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(slot) = TABLE.get(self.slot) {
            slot.begin.store(0, Ordering::Release);
            slot.taken.store(false, Ordering::Release);
        }
    }
}

/// Sets the handler, once for the process; it stays.
fn install() -> Result<libc::sigaction, i32> {
    // SAFETY: `sigaction` is plain data of C, for which all zeroes are a valid value.
    let (mut action, mut before): (libc::sigaction, libc::sigaction) = unsafe { std::mem::zeroed() };
    let handler: extern "C" fn(c_int, *mut siginfo_t, *mut c_void) = on_fault;
    action.sa_sigaction = handler as libc::sighandler_t;
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    // SAFETY: both structures live for the call; the handler has the signature that SA_SIGINFO asks for, and calls
    // nothing that is not safe in a handler.
    let done = unsafe { libc::sigaction(libc::SIGBUS, &raw const action, &raw mut before) };
    if done == 0 {
        Ok(before)
    } else {
        Err(io::Error::last_os_error().raw_os_error().unwrap_or(libc::EINVAL))
    }
}

extern "C" fn on_fault(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    // SAFETY: with SA_SIGINFO the kernel hands over a valid `siginfo_t`, and for SIGBUS it has an address.
    let address = unsafe { (*info).si_addr() }.addr();
    if !mend(address) {
        pass_on(signal, info, context);
    }
}

/// Puts empty memory in the place of the guarded region around `address`; false when there is none.
fn mend(address: usize) -> bool {
    let around = |slot: &&Slot| {
        let begin = slot.begin.load(Ordering::Acquire);
        begin != 0 && address.wrapping_sub(begin) < slot.len.load(Ordering::Relaxed)
    };
    let Some(slot) = TABLE.iter().find(around) else { return false };
    let begin = slot.begin.load(Ordering::Acquire);
    let len = slot.len.load(Ordering::Relaxed);
    slot.torn.store(true, Ordering::Release);
    let flags = libc::MAP_FIXED | libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: the range is the whole of one mapping of ours, which lives as long as its guard, and the guard is in the
    // table; whoever faulted is reading it just now, so that it cannot be going. References into it do not exist, only
    // volatile access. mmap is a plain system call and touches no lock of the process.
    let there = unsafe {
        libc::mmap(
            std::ptr::with_exposed_provenance_mut(begin),
            len,
            libc::PROT_READ | libc::PROT_WRITE,
            flags,
            -1,
            0,
        )
    };
    there != libc::MAP_FAILED
}

/// Does what would have been done without us.
fn pass_on(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    let before = match BEFORE.get() {
        Some(Ok(before)) if before.sa_sigaction != libc::SIG_DFL && before.sa_sigaction != libc::SIG_IGN => {
            before
        }
        _ => {
            // SAFETY: sets the default action; the access is made again after the handler, and ends the process.
            unsafe { libc::signal(signal, libc::SIG_DFL) };
            return;
        }
    };
    if before.sa_flags & libc::SA_SIGINFO == 0 {
        // SAFETY: without SA_SIGINFO, what was set is a function of one integer.
        let handler: extern "C" fn(c_int) = unsafe { std::mem::transmute(before.sa_sigaction) };
        handler(signal);
    } else {
        // SAFETY: with SA_SIGINFO, what was set is a function of these three arguments, which are the kernel's own.
        let handler: extern "C" fn(c_int, *mut siginfo_t, *mut c_void) =
            unsafe { std::mem::transmute(before.sa_sigaction) };
        handler(signal, info, context);
    }
}
