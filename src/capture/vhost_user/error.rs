//! Why the source could not be opened.

use std::io;
use std::path::PathBuf;

/// What stands in the way. Each text says what to do about it.
#[derive(Debug)]
pub enum OpenError {
    /// A setting makes no sense; the text gives what was read and what is allowed.
    Settings(String),
    /// Somebody listens at this path.
    InUse(PathBuf),
    /// Something lies at this path that is no socket.
    NoSocket(PathBuf),
    /// The path is longer than the address of a socket can be.
    TooLong(PathBuf),
    /// The system refused this step, at this path.
    Refused(&'static str, PathBuf, io::Error),
}

impl std::fmt::Display for OpenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Settings(text) => write!(f, "{text}"),
            Self::InUse(path) => {
                write!(f, "somebody listens at {} already: choose another path", path.display())
            }
            Self::NoSocket(path) => {
                write!(f, "{} is there and is no socket: choose another path", path.display())
            }
            Self::TooLong(path) => {
                write!(f, "{} is too long: the path of a socket has 107 bytes at the most", path.display())
            }
            Self::Refused(step, path, e) => write!(f, "cannot {step} {}: {e}", path.display()),
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Refused(_, _, e) => Some(e),
            _ => None,
        }
    }
}
