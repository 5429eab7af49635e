//! The socket in the file system: made without a moment in which others could use it, and removed when we go.

use std::fs;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use nix::sys::socket::{AddressFamily, Backlog, SockFlag, SockType, UnixAddr, bind, connect, listen, socket};

use super::{OpenError, Role, VhostSettings};

/// Where front ends come from.
#[derive(Debug)]
pub(super) enum Door {
    /// We listen; with device and number of the file that is ours.
    Server { listener: UnixListener, path: PathBuf, file: (u64, u64) },
    /// We connect.
    Client { path: PathBuf, address: UnixAddr },
}

impl Door {
    pub(super) fn open(settings: &VhostSettings) -> Result<Self, OpenError> {
        let path = settings.path.clone();
        let address = UnixAddr::new(&path).map_err(|_| OpenError::TooLong(path.clone()))?;
        match settings.role {
            Role::Server => make(path, &address, settings.mode),
            Role::Client => Ok(Self::Client { path, address }),
        }
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Server { path, .. } | Self::Client { path, .. } => path,
        }
    }

    /// The next front end, where one is there. Does not wait.
    pub(super) fn next(&mut self) -> Option<UnixStream> {
        let stream = match self {
            Self::Server { listener, .. } => listener.accept().ok()?.0,
            Self::Client { address, .. } => reach(address).ok()?,
        };
        stream.set_nonblocking(false).ok()?;
        Some(stream)
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        if let Self::Server { path, file, .. } = self
            && fs::symlink_metadata(&*path).is_ok_and(|there| (there.dev(), there.ino()) == *file)
        {
            let _ = fs::remove_file(path);
        }
    }
}

/// A socket that nobody is connected to yet, and that waits for nobody.
fn unconnected() -> nix::Result<OwnedFd> {
    socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK, None)
}

fn reach(address: &UnixAddr) -> nix::Result<UnixStream> {
    let socket = unconnected()?;
    connect(socket.as_raw_fd(), address)?;
    Ok(UnixStream::from(socket))
}

/// Binds, sets the permissions, and only then listens: until then nobody can connect, whatever the process's mask.
fn make(path: PathBuf, address: &UnixAddr, mode: u32) -> Result<Door, OpenError> {
    clear(&path, address)?;
    let refuse = |step: &'static str| {
        let path = path.clone();
        move |e: io::Error| OpenError::Refused(step, path, e)
    };
    let socket = unconnected().map_err(|e| refuse("make a socket for")(e.into()))?;
    bind(socket.as_raw_fd(), address).map_err(|e| refuse("make the socket")(e.into()))?;
    let made = fs::symlink_metadata(&path).map_err(refuse("see the socket"))?;
    let listener = UnixListener::from(socket.try_clone().map_err(refuse("keep the socket"))?);
    let door = Door::Server { listener, path: path.clone(), file: (made.dev(), made.ino()) };
    let permissions = fs::Permissions::from_mode(mode);
    fs::set_permissions(&path, permissions).map_err(refuse("set the permissions of"))?;
    listen(&socket, Backlog::new(1).unwrap_or(Backlog::MAXCONN))
        .map_err(|e| refuse("listen at")(e.into()))?;
    Ok(door)
}

/// Removes a socket that nobody listens at: its process was killed.
fn clear(path: &Path, address: &UnixAddr) -> Result<(), OpenError> {
    let Ok(there) = fs::symlink_metadata(path) else { return Ok(()) };
    if !there.file_type().is_socket() {
        return Err(OpenError::NoSocket(path.to_owned()));
    }
    match reach(address) {
        Err(nix::errno::Errno::ECONNREFUSED) => fs::remove_file(path)
            .map_err(|e| OpenError::Refused("remove what is left of", path.to_owned(), e)),
        Ok(_) | Err(nix::errno::Errno::EAGAIN) => Err(OpenError::InUse(path.to_owned())),
        Err(e) => Err(OpenError::Refused("look who listens at", path.to_owned(), e.into())),
    }
}
