//! Waiting for front ends, and waking them: eventfds that the front end made, and may have made badly.
//!
//! A notification is taken by its edge, never read, so that nobody can keep us waiting in a read. One that we give is
//! written only where there is room for it.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsRawFd as _;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use vmm_sys_util::epoll::{ControlOperation, Epoll, EpollEvent, EventSet};
use vmm_sys_util::eventfd::{EFD_NONBLOCK, EventFd};

/// Data of our own eventfd; rings have their index.
const OURS: u64 = u64::MAX;

/// What a worker waits at.
#[derive(Debug)]
pub(super) struct Bell {
    epoll: Epoll,
    ours: EventFd,
}

impl Bell {
    pub(super) fn new() -> io::Result<Self> {
        let (epoll, ours) = (Epoll::new()?, EventFd::new(EFD_NONBLOCK)?);
        epoll.ctl(ControlOperation::Add, ours.as_raw_fd(), EpollEvent::new(EventSet::IN, OURS))?;
        Ok(Self { epoll, ours })
    }

    /// Ends the wait that is going on, or the next one.
    pub(super) fn ring(&self) {
        // It fails when it would overflow, and then it is ringing.
        let _ = self.ours.write(1);
    }

    /// Waits until something happens, or for so many milliseconds.
    pub(super) fn wait(&self, ms: i32) -> io::Result<()> {
        let mut events = [EpollEvent::default(); 8];
        let ready = match self.epoll.wait(ms, &mut events) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => 0,
            ready => ready?,
        };
        if events.iter().take(ready).any(|event| event.data() == OURS) {
            let _ = self.ours.read();
        }
        Ok(())
    }

    pub(super) fn watch(&self, kick: &File) -> io::Result<()> {
        let edge = EpollEvent::new(EventSet::IN | EventSet::EDGE_TRIGGERED, 0);
        self.epoll.ctl(ControlOperation::Add, kick.as_raw_fd(), edge)
    }

    pub(super) fn unwatch(&self, kick: &File) {
        let _ = self.epoll.ctl(ControlOperation::Delete, kick.as_raw_fd(), EpollEvent::default());
    }
}

/// Takes a file from the front end that it says is an eventfd, and makes it one that does not block.
pub(super) fn eventfd(file: File) -> io::Result<File> {
    let link = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()))?;
    if link.as_os_str() != "anon_inode:[eventfd]" {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{} is no eventfd", link.display())));
    }
    fcntl(&file, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    Ok(file)
}

/// Wakes the driver. Where the count is full it is awake.
pub(super) fn call(mut eventfd: &File) {
    let _ = eventfd.write(&1u64.to_ne_bytes());
}
