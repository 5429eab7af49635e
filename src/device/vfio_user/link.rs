//! Faults of the crate's client (0.1.7), worked around here and nowhere else.
//!
//! - It waits without limit, for the connection's first answers as for every later one. Its socket is private: it is
//!   found among the process' descriptors, duplicated, and given time limits.
//! - An answer shorter than expected (an error is a header alone) leaves it waiting for the rest: the same limits end it.
//! - After any failure the two sides may disagree about where a message begins: the connection is shut down, and the
//!   device is gone.
//! - It panics on answers that contradict themselves while it connects: it connects in a thread of its own.
//! - It does not look at the error flag of an answer that is as long as expected: nothing can be done from outside. The
//!   answers concerned are those to mapping, vectors and reset.
//! - `resettable()` is the opposite of what the server said: it is not asked, reset is always sent.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{UnixAddr, getpeername};
use vfio_user::{Client, Error};

use crate::DeviceError;

/// Longest wait for one answer.
const LIMIT: Duration = Duration::from_secs(5);

/// One connection at a time is being made, so that what is new among the descriptors is known.
static CONNECTING: Mutex<()> = Mutex::new(());

/// A connection whose every wait ends.
pub(super) struct Link {
    client: Client,
    socket: UnixStream,
    failed: Option<String>,
}

impl Link {
    /// Connects to the socket at `path`.
    pub(super) fn connect(path: &Path) -> Result<Self, DeviceError> {
        Self::connect_within(path, LIMIT)
    }

    /// As [`Link::connect`], with another limit for each answer.
    pub(super) fn connect_within(path: &Path, limit: Duration) -> Result<Self, DeviceError> {
        let say = |why: String| DeviceError::Unusable(format!("vfio-user socket {}: {why}", path.display()));
        let real = fs::canonicalize(path)
            .map_err(|error| say(format!("{error}; is the device's server running?")))?;
        let _alone = CONNECTING.lock().unwrap_or_else(PoisonError::into_inner);
        let before = sockets_to(&real);
        let (send, receive) = channel();
        let place = real.clone();
        let thread = thread::Builder::new().name("vfio-user connect".to_owned());
        let connecting = thread
            .spawn(move || send.send(Client::new(&place)))
            .map_err(|error| DeviceError::Refused("start a thread", error))?;
        let answer = receive.recv_timeout(limit);
        let ours = || sockets_to(&real).difference(&before).map(|(fd, _)| *fd).collect::<Vec<_>>();
        if matches!(answer, Err(RecvTimeoutError::Timeout)) {
            ours().into_iter().filter_map(duplicate).for_each(|socket| hang_up(&socket));
            // It ends now that its socket has; its answer is no longer of interest.
            let _ = connecting.join();
            return Err(say(
                "no answer; a server speaks to one client at a time, is another connected?".to_owned()
            ));
        }
        let client = match answer {
            Ok(Ok(client)) => client,
            Ok(Err(error)) => return Err(say(advice(&error))),
            Err(_) => return Err(say("the server's first answers contradict themselves".to_owned())),
        };
        let socket = ours().into_iter().find_map(duplicate);
        let socket =
            socket.ok_or_else(|| say("its descriptor cannot be found below /proc/self/fd".to_owned()))?;
        socket
            .set_read_timeout(Some(limit))
            .and_then(|()| socket.set_write_timeout(Some(limit)))
            .map_err(|error| DeviceError::Refused("limit waits on the vfio-user socket", error))?;
        Ok(Self { client, socket, failed: None })
    }

    /// One exchange with the server. After one that failed, all fail.
    pub(super) fn ask<R>(
        &mut self,
        what: &'static str,
        exchange: impl FnOnce(&mut Client) -> Result<R, Error>,
    ) -> Result<R, DeviceError> {
        if let Some(why) = &self.failed {
            return Err(DeviceError::Gone(why.clone()));
        }
        exchange(&mut self.client).map_err(|error| {
            hang_up(&self.socket);
            let why = format!("vfio-user, {what}: {error}");
            self.failed = Some(why.clone());
            DeviceError::Gone(why)
        })
    }

    /// Whether the server has left, or an exchange failed.
    pub(super) fn is_gone(&self) -> bool {
        self.failed.is_some() || has_hung_up(&self.socket)
    }
}

fn advice(error: &Error) -> String {
    match error {
        Error::Connect(why) if why.kind() == io::ErrorKind::PermissionDenied => {
            format!("{why}: who may write the socket file may connect")
        }
        Error::Connect(why) if why.kind() == io::ErrorKind::ConnectionRefused => {
            format!("{why}: the file is there, its server is not")
        }
        other => other.to_string(),
    }
}

/// Descriptors of this process that are connected to the socket bound as `path`, each with its socket's own number: one
/// that was closed leaves its descriptor's number to the next. Servers may know the path by another folder (a relative
/// path, a chroot), never by another name.
fn sockets_to(path: &Path) -> BTreeSet<(RawFd, PathBuf)> {
    let entries = fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<RawFd>().ok());
    let same = |fd: &RawFd| {
        let peer = getpeername::<UnixAddr>(*fd).ok();
        let name = peer.as_ref().and_then(|peer| peer.path()).and_then(Path::file_name);
        name.is_some() && name == path.file_name()
    };
    let with_socket = |fd: RawFd| Some((fd, fs::read_link(format!("/proc/self/fd/{fd}")).ok()?));
    numbers.filter(same).filter_map(with_socket).collect()
}

fn duplicate(fd: RawFd) -> Option<UnixStream> {
    // SAFETY: borrowed for the length of this call; were it closed meanwhile, duplicating it fails or gives a socket
    // that nobody else uses through this handle.
    let fd = unsafe { BorrowedFd::borrow_raw(fd) };
    fd.try_clone_to_owned().ok().map(UnixStream::from)
}

fn hang_up(socket: &UnixStream) {
    // It may have ended by itself.
    let _ = socket.shutdown(std::net::Shutdown::Both);
}

fn has_hung_up(socket: &UnixStream) -> bool {
    let mut fds = [PollFd::new(socket.as_fd(), PollFlags::empty())];
    let ended = PollFlags::POLLHUP | PollFlags::POLLERR;
    poll(&mut fds, PollTimeout::ZERO).is_ok()
        && fds.iter().any(|fd| fd.revents().is_some_and(|events| events.intersects(ended)))
}
