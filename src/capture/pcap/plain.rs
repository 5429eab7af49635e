//! A plain file, from its beginning to where it ended when it was opened: what is written behind that while it is read is
//! nobody's.

use std::fs::File;
use std::io::{self, Read, Take};
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::format::Format;
use super::segment::Pump;

/// The bytes of a plain file.
pub(super) struct Plain {
    file: Take<File>,
    len: u64,
}

impl Plain {
    /// Opens a file and finds out what it holds. The text of an error says what became of it since it was found.
    pub(super) fn pump(path: &Path, size: usize) -> Result<Pump<Self>, String> {
        let file = File::open(path).map_err(|e| format!("it went away: {e}"))?;
        let len = file.metadata().map_err(|e| format!("it went away: {e}"))?.len();
        let mut magic = [0; 4];
        file.read_exact_at(&mut magic, 0).map_err(|e| format!("it has changed: {e}"))?;
        let format = Format::from_magic(magic).ok_or("it has changed: it is no capture any more")?;
        Ok(Pump::new(Self { file: file.take(len), len }, format, size, true))
    }

    /// How far it was read.
    pub(super) fn offset(&self) -> u64 {
        self.len - self.file.limit()
    }
}

impl Read for Plain {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.file.read(into)
    }
}
