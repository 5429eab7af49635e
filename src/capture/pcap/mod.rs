//! Capture files: pcap and pcapng, either of them inside gzip, from files, folders or standard input.
//!
//! Every reader sees every frame, in the same order and with the same numbers, so that each worker can take the flows
//! that are its own. Frames are borrowed from segments: whole records, some hundred KiB of them, read at once into
//! memory that is used again. Readers of a plain file read it in turns, each segment for all of them (`relay`); what is
//! compressed or can be read only once is read by one thread (`feed`).
//!
//! Nothing is mapped. Reading into memory that stays in the cache takes two thirds of the time that the page faults of
//! a map take (measured: 0.09 against 0.14 µs a packet of 730 bytes) and a third of its memory, and a file that shrinks
//! while it is read ends early, where a map would end the process.
//!
//! A record that is cut short or malformed ends its file: what follows has no known beginning, and guessing one would
//! invent frames. The reader counts that record, says so among its warnings, and goes on with the next file.

mod classic;
mod error;
mod feed;
mod find;
mod format;
mod ng;
mod order;
mod plain;
mod reader;
mod relay;
mod segment;
mod shelf;
mod sniff;
mod source;
mod write;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use frame::{RxQueue, Sorter};

pub use error::OpenError;
pub use format::MAX_RECORD;
pub use write::Writer;

/// How capture files are read. None of it changes what is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileSettings {
    /// Bytes of a segment: what is read at once. It grows where a single record needs more.
    pub buffer: usize,
    /// Most frames lent in one burst.
    pub burst: usize,
    /// Segments that wait for the slowest reader before the fastest one has to.
    pub ahead: usize,
}

impl Default for FileSettings {
    fn default() -> Self {
        Self { buffer: 256 << 10, burst: 256, ahead: 16 }
    }
}

/// Opens captures for `readers` readers: files, folders (every capture in them, in name order) and `-`, which is
/// standard input. Frames are numbered from 1 over all of them. The first reader alone accounts for what was received
/// and lost, and it alone has the warnings.
///
/// Readers are meant to run side by side. One that never reads holds the others up once they are some segments or 16
/// files ahead; one that was dropped holds nobody up.
///
/// # Errors
/// When a path cannot be opened, or holds no capture.
pub fn open(
    paths: &[PathBuf],
    readers: usize,
    settings: FileSettings,
) -> Result<Vec<Box<dyn RxQueue>>, OpenError> {
    open_shared(paths, readers, settings, None)
}

/// As [`open`], for readers of which each wants what is its own: with a rule, [`RxQueue::sorted`] leaves out what is
/// other readers', and the thread that reads has asked once for all of them.
///
/// # Errors
/// As [`open`].
pub fn open_shared(
    paths: &[PathBuf],
    readers: usize,
    settings: FileSettings,
    sorter: Option<Sorter>,
) -> Result<Vec<Box<dyn RxQueue>>, OpenError> {
    let captures = find::find(paths)?;
    let readers = readers.max(1);
    let shelf = Arc::new(shelf::Shelf::new(captures, readers, settings, sorter));
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
