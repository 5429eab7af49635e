//! Recording: every frame that a worker is lent is also written to a rolling ring of pcapng files ([`Recorder`]); or the
//! frames of single flows go to files of their own ([`FlowRecorder`]), those that were remembered ([`Past`]) first.
//!
//! Workers gather frames in chunks and never wait for the disk: a chunk for which the writer has no room is dropped and
//! counted, and analysis goes on. Each chunk is a pcapng section of its own (draft-ietf-opsawg-pcapng, section 4.1), so
//! chunks of several workers follow one another in one file; between workers, frames may be out of order by
//! as much as a chunk waits ([`LONGEST_WAIT`]).

mod flows;
mod past;
mod ring;
mod tee;
#[cfg(test)]
mod tests;

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use frame::{RxQueue, Timestamp};

pub use flows::{FlowCapture, FlowCounts, FlowName, FlowRecorder, FlowReport, FlowSettings, Outbox};
pub use past::{Chain, Past};
use ring::Ring;
use tee::Tee;

/// A chunk is handed over when it holds this many bytes.
const CHUNK: usize = 256 << 10;
/// Chunks that may wait for the writer: with [`CHUNK`], a bound on memory and on what a stall of the disk may cost.
const WAITING: usize = 128;
/// A frame waits in its chunk no longer than this, as far as later frames or an idle source tell the time.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// Most warnings that wait to be read.
const MAX_WARNINGS: usize = 16;

/// Where and how much is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordSettings {
    /// The folder; nothing is recorded when it is empty.
    pub folder: PathBuf,
    /// Bytes of all files together; the oldest goes when a new one would pass it.
    pub size: u64,
    /// Bytes of one file, at which the next one is begun.
    pub file_size: u64,
    /// Seconds of packet time that one file spans; 0 for no limit.
    pub file_seconds: u64,
    /// Seconds of packet time after which a file is deleted; 0 for never.
    pub keep_seconds: u64,
}

impl Default for RecordSettings {
    fn default() -> Self {
        Self {
            folder: PathBuf::new(),
            size: 10 << 30,
            file_size: 256 << 20,
            file_seconds: 3600,
            keep_seconds: 0,
        }
    }
}

/// What was recorded so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordReport {
    /// Frames in files.
    pub frames: u64,
    /// Bytes written, with what pcapng puts around frames.
    pub bytes: u64,
    /// Frames that are in no file: the disk was too slow, or refused.
    pub lost: u64,
    /// Files begun.
    pub files: u64,
    /// Files deleted because of size or age.
    pub deleted: u64,
}

/// Counts and warnings that the writer and the workers share.
#[derive(Debug, Default)]
struct Shared {
    frames: AtomicU64,
    bytes: AtomicU64,
    lost: AtomicU64,
    files: AtomicU64,
    deleted: AtomicU64,
    warnings: Mutex<Vec<String>>,
}

impl Shared {
    fn warn(&self, text: String) {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        if warnings.len() < MAX_WARNINGS && !warnings.contains(&text) {
            warnings.push(text);
        }
    }

    fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut *self.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A run of frames of one worker, as a pcapng section.
#[derive(Debug)]
struct Chunk {
    bytes: Vec<u8>,
    frames: u64,
    first: Timestamp,
}

/// The counts of a recording, for whoever shows them while it goes on.
#[derive(Clone, Debug)]
pub struct RecordCounts(Arc<Shared>);

impl RecordCounts {
    /// What was recorded so far.
    #[must_use]
    pub fn report(&self) -> RecordReport {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let shared = &self.0;
        RecordReport {
            frames: of(&shared.frames),
            bytes: of(&shared.bytes),
            lost: of(&shared.lost),
            files: of(&shared.files),
            deleted: of(&shared.deleted),
        }
    }
}

/// A recording that goes on.
#[derive(Debug)]
pub struct Recorder {
    shared: Arc<Shared>,
    chunks: Option<SyncSender<Chunk>>,
    writer: Option<JoinHandle<()>>,
}

impl Recorder {
    /// Begins to record into a folder, which is made when it is not there. Files of earlier recordings in it count
    /// towards size and age.
    ///
    /// # Errors
    /// When the folder cannot be made, read or written.
    pub fn start(settings: RecordSettings) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let ring = Ring::open(settings)?;
        let (chunks, arriving) = sync_channel(WAITING);
        let counts = Arc::clone(&shared);
        let writer = std::thread::Builder::new()
            .name("record".to_owned())
            .spawn(move || write(&arriving, ring, &counts))?;
        Ok(Self { shared, chunks: Some(chunks), writer: Some(writer) })
    }

    /// The same queue; what it lends is recorded.
    #[must_use]
    pub fn tee(&self, queue: Box<dyn RxQueue>) -> Box<dyn RxQueue> {
        match &self.chunks {
            Some(chunks) => Box::new(Tee::new(queue, chunks.clone(), Arc::clone(&self.shared))),
            None => queue,
        }
    }

    /// Its counts.
    #[must_use]
    pub fn counts(&self) -> RecordCounts {
        RecordCounts(Arc::clone(&self.shared))
    }
}

impl Drop for Recorder {
    /// Waits until everything handed over is in its file; queues made by [`Self::tee`] must have been dropped before.
    fn drop(&mut self) {
        self.chunks = None;
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

fn write(chunks: &Receiver<Chunk>, mut ring: Ring, shared: &Shared) {
    for chunk in chunks {
        match ring.write(&chunk) {
            Ok(()) => {
                shared.frames.fetch_add(chunk.frames, Ordering::Relaxed);
                shared.bytes.fetch_add(chunk.bytes.len() as u64, Ordering::Relaxed);
            }
            Err(error) => {
                shared.lost.fetch_add(chunk.frames, Ordering::Relaxed);
                shared.warn(format!(
                    "recording: {error}; frames are analysed and not recorded while this lasts"
                ));
            }
        }
        shared.files.store(ring.begun, Ordering::Relaxed);
        shared.deleted.store(ring.deleted, Ordering::Relaxed);
    }
}
