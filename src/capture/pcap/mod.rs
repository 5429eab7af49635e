//! Capture files: pcap and pcapng, either of them inside gzip, from files, folders or standard input.
//!
//! Every reader sees every frame, in the same order and with the same numbers, so that each worker can take the flows
//! that are its own. Frames are borrowed, never copied one by one: a plain file that nobody may write to is mapped and
//! its frames point into the map (`map`), and everything else is read in segments that all readers share (`feed`) or,
//! where somebody may be writing to the file, in segments that each reader fills for itself (`segment`).
//!
//! A record that is cut short or malformed ends its file: what follows has no known beginning, and guessing one would
//! invent frames. The reader counts that record, says so among its warnings, and goes on with the next file.

mod classic;
mod error;
mod feed;
mod find;
mod format;
mod map;
mod ng;
mod order;
mod reader;
mod segment;
mod shelf;
mod sniff;
mod write;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use frame::RxQueue;

pub use error::OpenError;
pub use format::MAX_RECORD;
pub use write::Writer;

/// How capture files are read. None of it changes what is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileSettings {
    /// Bytes of a segment, for what is read and not mapped; also the stride in which a map is given back.
    pub buffer: usize,
    /// Most frames lent in one burst.
    pub burst: usize,
    /// Segments that wait for the slowest reader before the fastest one has to.
    pub ahead: usize,
}

impl Default for FileSettings {
    fn default() -> Self {
        Self { buffer: 256 << 10, burst: 256, ahead: 2 }
    }
}

/// Opens captures for `readers` readers: files, folders (every capture in them, in name order) and `-`, which is
/// standard input. Frames are numbered from 1 over all of them. The first reader alone accounts for what was received
/// and lost, and it alone has the warnings.
///
/// Readers are meant to run side by side. One that never reads holds the others up once they are some segments
/// (compressed and piped input) or 16 files ahead; one that was dropped holds nobody up.
///
/// # Errors
/// When a path cannot be opened, or holds no capture.
pub fn open(
    paths: &[PathBuf],
    readers: usize,
    settings: FileSettings,
) -> Result<Vec<Box<dyn RxQueue>>, OpenError> {
    let captures = find::find(paths)?;
    let readers = readers.max(1);
    let shelf = Arc::new(shelf::Shelf::new(captures, readers, settings));
    Ok((0..readers)
        .map(|place| Box::new(reader::Reader::new(Arc::clone(&shelf), place)) as Box<dyn RxQueue>)
        .collect())
}

/// Names of the captures that [`open`] would read, in the order in which [`frame::TapId`] numbers them.
///
/// # Errors
/// As [`open`].
pub fn names(paths: &[PathBuf]) -> Result<Vec<String>, OpenError> {
    Ok(find::find(paths)?.into_iter().map(|c| c.name).collect())
}
