//! Why captures could not be opened.

use std::io;
use std::path::PathBuf;

/// A path that cannot be read as a capture. Each text says what was found and what to do about it.
#[derive(Debug)]
pub enum OpenError {
    /// No path was given.
    Nothing,
    /// There is nothing at this path.
    Missing(PathBuf),
    /// The file or folder may not be read.
    Denied(PathBuf),
    /// The operating system refused for another reason.
    Io(PathBuf, io::Error),
    /// The file has no bytes at all.
    Empty(PathBuf),
    /// The file is something else; the text says what.
    NotCapture(PathBuf, String),
    /// The file begins as a capture, and its header makes no sense; the text says why.
    BadHeader(PathBuf, String),
    /// None of the files in this folder, so many, is a capture.
    NoCaptures(PathBuf, usize),
    /// Standard input was named more than once.
    InputTwice,
    /// More captures than frames can tell apart: found, allowed.
    TooMany(usize, usize),
}

impl std::fmt::Display for OpenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nothing => {
                write!(f, "no capture was named: give files, folders, or `-` for standard input")
            }
            Self::Missing(path) => write!(f, "{}: no such file or folder", path.display()),
            Self::Denied(path) => write!(f, "{}: no permission to read it", path.display()),
            Self::Io(path, e) => write!(f, "{}: {e}", path.display()),
            Self::Empty(path) => write!(f, "{}: the file is empty", path.display()),
            Self::NotCapture(path, found) => {
                write!(f, "{}: neither pcap nor pcapng; what it holds is {found}", path.display())
            }
            Self::BadHeader(path, why) => write!(f, "{}: not a usable capture: {why}", path.display()),
            Self::NoCaptures(path, 0) => write!(f, "{}: the folder holds no files", path.display()),
            Self::NoCaptures(path, n) => {
                write!(f, "{}: none of the {n} files in this folder is a capture", path.display())
            }
            Self::InputTwice => write!(f, "standard input (`-`) can be read only once"),
            Self::TooMany(found, allowed) => {
                write!(f, "{found} captures are too many for one run: at most {allowed}")
            }
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(_, e) => Some(e),
            _ => None,
        }
    }
}

impl OpenError {
    /// From what the operating system said about `path`.
    pub(super) fn from_io(path: PathBuf, e: io::Error) -> Self {
        match e.kind() {
            io::ErrorKind::NotFound => Self::Missing(path),
            io::ErrorKind::PermissionDenied => Self::Denied(path),
            _ => Self::Io(path, e),
        }
    }
}
