//! An interface, open for sending alone.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use super::socket::Socket;

/// A packet socket through which whole frames are sent. It receives nothing.
#[derive(Debug)]
pub struct Outlet(Socket);

impl Outlet {
    /// Opens an interface of this thread's namespace.
    ///
    /// # Errors
    /// When there is none of that name, or without `CAP_NET_RAW`.
    pub fn open(interface: &str) -> io::Result<Self> {
        let socket = Socket::new()?;
        socket.shut()?;
        let index = socket.index_of(interface);
        let index = index.map_err(|e| io::Error::new(e.kind(), format!("interface {interface}: {e}")))?;
        socket.bind(index)?;
        Ok(Self(socket))
    }
}

impl AsFd for Outlet {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
