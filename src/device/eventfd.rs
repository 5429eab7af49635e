//! A vector as an eventfd: how the kernel and a vfio-user server signal.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;
use vmm_sys_util::eventfd::EventFd;

use crate::interrupt::Line;

/// A descriptor that counts signals.
#[derive(Debug)]
pub(crate) struct Event(EventFd);

impl Event {
    pub(crate) fn new() -> io::Result<Self> {
        EventFd::new(libc::EFD_NONBLOCK | libc::EFD_CLOEXEC).map(Self)
    }

    /// Whether it was signalled since the last time, without waiting.
    pub(crate) fn take(&self) -> bool {
        self.0.read().is_ok()
    }
}

impl AsRawFd for Event {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

impl Event {
    /// As [`Line::wait`].
    fn wait(&self, limit: Duration) -> bool {
        let until = Instant::now().checked_add(limit);
        loop {
            if self.take() {
                return true;
            }
            let left = until.map_or(limit, |until| until.saturating_duration_since(Instant::now()));
            if left.is_zero() || !ready(self.0.as_raw_fd(), left) {
                return self.take();
            }
        }
    }
}

/// The backing keeps it too, for as long as its far side may signal.
impl Line for Arc<Event> {
    fn wait(&self, limit: Duration) -> bool {
        Event::wait(self, limit)
    }
}

/// Waits for input; false after `limit` or when waiting is impossible. An interrupted wait counts as input: the caller
/// looks, and waits for the rest.
fn ready(fd: RawFd, limit: Duration) -> bool {
    // SAFETY: the descriptor belongs to the caller's event, which is borrowed meanwhile.
    let fd = unsafe { BorrowedFd::borrow_raw(fd) };
    let mut fds = [PollFd::new(fd, PollFlags::POLLIN)];
    match ppoll(&mut fds, Some(TimeSpec::from_duration(limit)), None) {
        Ok(count) => count > 0,
        Err(error) => error == Errno::EINTR,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_signal_is_taken_once_and_a_wait_ends() {
        let event = Event::new().expect("an eventfd");
        let started = Instant::now();
        assert!(!event.wait(Duration::from_micros(300)));
        assert!(started.elapsed() >= Duration::from_micros(300));
        event.0.write(2).expect("counted");
        assert!(event.wait(Duration::ZERO));
        assert!(!event.wait(Duration::ZERO));
    }

    #[test]
    fn another_thread_ends_a_wait() {
        let event = Event::new().expect("an eventfd");
        // SAFETY: the descriptor is open while `event` lives.
        let near = unsafe { BorrowedFd::borrow_raw(event.as_raw_fd()) };
        let mut far = std::fs::File::from(near.try_clone_to_owned().expect("a duplicate"));
        let signal = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(5));
            far.write_all(&1u64.to_ne_bytes()).expect("written");
        });
        assert!(event.wait(Duration::from_secs(20)));
        signal.join().expect("no panic");
    }
}
