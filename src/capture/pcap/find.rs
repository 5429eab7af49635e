//! From paths to captures: folders are looked through, and each file shows by its first bytes what it is.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::OpenError;
use super::format::{Format, Step};
use super::sniff;

/// As many captures as [`frame::TapId`] can number.
const MAX_CAPTURES: usize = 1 << 16;
/// Bytes at the beginning of a file that are looked at.
const HEAD: usize = 32;

/// How a capture is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A regular file that is the capture itself.
    Plain,
    /// A regular file with the capture inside gzip.
    Gzip,
    /// A pipe, or anything else that can be read only once: what it holds shows when it is read.
    Pipe,
    /// Standard input.
    Input,
}

/// One capture to read.
#[derive(Clone, Debug)]
pub(super) struct Capture {
    pub(super) path: PathBuf,
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Length of the file; 0 where it has none.
    pub(super) size: u64,
}

impl Capture {
    fn new(path: &Path, kind: Kind, size: u64) -> Self {
        let name = if kind == Kind::Input { "-".to_owned() } else { path.display().to_string() };
        Self { path: path.to_owned(), name, kind, size }
    }
}

/// Every capture that `paths` name, in their order.
pub(super) fn find(paths: &[PathBuf]) -> Result<Vec<Capture>, OpenError> {
    let mut found = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            if found.iter().any(|c: &Capture| c.kind == Kind::Input) {
                return Err(OpenError::InputTwice);
            }
            found.push(Capture::new(path, Kind::Input, 0));
        } else if metadata(path)?.is_dir() {
            folder(path, &mut found)?;
        } else {
            found.push(look(path)?);
        }
    }
    match found.len() {
        0 => Err(OpenError::Nothing),
        n if n > MAX_CAPTURES => Err(OpenError::TooMany(n, MAX_CAPTURES)),
        _ => Ok(found),
    }
}

fn metadata(path: &Path) -> Result<fs::Metadata, OpenError> {
    fs::metadata(path).map_err(|e| OpenError::from_io(path.to_owned(), e))
}

/// Every capture of a folder, in name order. What is not a capture is passed over; what cannot be read is an error,
/// as nobody could tell otherwise that it is missing.
fn folder(path: &Path, found: &mut Vec<Capture>) -> Result<(), OpenError> {
    let refuse = |e| OpenError::from_io(path.to_owned(), e);
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(refuse)? {
        let file = entry.map_err(refuse)?.path();
        if fs::metadata(&file).is_ok_and(|m| m.is_file()) {
            files.push(file);
        }
    }
    files.sort();
    let before = found.len();
    for file in &files {
        match look(file) {
            Ok(capture) => found.push(capture),
            Err(OpenError::NotCapture(..) | OpenError::BadHeader(..) | OpenError::Empty(_)) => {}
            Err(other) => return Err(other),
        }
    }
    if found.len() == before {
        return Err(OpenError::NoCaptures(path.to_owned(), files.len()));
    }
    Ok(())
}

/// Looks at the beginning of one file.
fn look(path: &Path) -> Result<Capture, OpenError> {
    let meta = metadata(path)?;
    if !meta.is_file() {
        return Ok(Capture::new(path, Kind::Pipe, 0));
    }
    let refuse = |e| OpenError::from_io(path.to_owned(), e);
    let mut file = File::open(path).map_err(refuse)?;
    let head = beginning(&mut file).map_err(refuse)?;
    if head.is_empty() {
        return Err(OpenError::Empty(path.to_owned()));
    }
    if !sniff::is_gzip(&head) {
        check(path, &head)?;
        return Ok(Capture::new(path, Kind::Plain, meta.len()));
    }
    let inside = File::open(path).map_err(refuse)?;
    match beginning(&mut flate2::read::MultiGzDecoder::new(inside)) {
        Ok(head) => check(path, &head).map_err(|e| match e {
            OpenError::NotCapture(path, what) => OpenError::NotCapture(path, format!("gzip of {what}")),
            other => other,
        })?,
        Err(e) => return Err(OpenError::BadHeader(path.to_owned(), format!("its gzip is damaged: {e}"))),
    }
    Ok(Capture::new(path, Kind::Gzip, meta.len()))
}

/// The first bytes, as many as there are.
pub(super) fn beginning(from: &mut impl Read) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(HEAD);
    from.take(HEAD as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// Whether a capture can begin like this.
fn check(path: &Path, head: &[u8]) -> Result<(), OpenError> {
    let Some(mut format) = head.first_chunk::<4>().and_then(|magic| Format::from_magic(*magic)) else {
        return Err(OpenError::NotCapture(path.to_owned(), sniff::describe(head)));
    };
    match format.step(head) {
        Err(fault) => Err(OpenError::BadHeader(path.to_owned(), fault.text)),
        Ok(Step::Need(size)) if head.len() < HEAD => Err(OpenError::BadHeader(
            path.to_owned(),
            format!("it ends after {} of the {size} bytes of its header", head.len()),
        )),
        Ok(_) => Ok(()),
    }
}
