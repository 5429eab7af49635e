//! Whole files, each under the name of its SHA-256: `<folder>/<first two digits>/<digest>`, the layout of Suricata's
//! file-store version 2. A file is written to `<folder>/tmp` and moved to its name when it is whole.
//!
//! Workers hand over pieces and never touch the disk; one thread writes. Bytes on their way are bounded: beyond the
//! bound a worker waits or gives the file up, as the policy says. Each file that is not kept has a counted reason.

mod budget;
mod counters;
mod writer;

pub use counters::{StoreCounts, StoreReport};

use crate::sink::Policy;
use budget::Budget;
use crossbeam_channel::{Sender, unbounded};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use writer::Writer;

/// Bytes that may be on their way from the workers to the writer.
const ON_THE_WAY: usize = 32 << 20;
/// What a piece costs beside its bytes.
const PIECE: usize = 64;
/// Files that may be open at once.
const MOST_OPEN: usize = 65_536;

/// Where files go, and how much of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The folder; it is made when it is not there.
    pub folder: PathBuf,
    /// Bytes that all files in the folder may have together, those of earlier runs included.
    pub quota: u64,
    /// Bytes that one file may have.
    pub most: u64,
}

/// A worker's way to the writer. Cheap to clone; the default leads nowhere.
#[derive(Clone, Debug, Default)]
pub struct Store(Option<Arc<Door>>);

/// Two are equal when they lead to the same writer.
impl PartialEq for Store {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(mine), Some(theirs)) => Arc::ptr_eq(mine, theirs),
            (mine, theirs) => mine.is_none() && theirs.is_none(),
        }
    }
}

#[derive(Debug)]
struct Door {
    /// Unbounded in messages: pieces are bounded by the budget, the rest by the number of open files.
    parcels: Sender<Parcel>,
    budget: Budget,
    policy: Policy,
    most: u64,
    next: AtomicU64,
    open: AtomicUsize,
    counts: Arc<StoreCounts>,
}

/// What travels to the writer.
enum Parcel {
    Piece(u64, Vec<u8>),
    Keep(u64, [u8; 32]),
    Forget(u64),
    End,
}

/// The writer at work.
#[derive(Debug)]
pub struct Keeper {
    door: Arc<Door>,
    thread: JoinHandle<()>,
}

impl Keeper {
    /// Opens the folder and starts the writer.
    ///
    /// # Errors
    /// When the folder cannot be made or read, or the operating system has no thread.
    pub fn start(settings: &Settings, policy: Policy) -> io::Result<Self> {
        let counts = Arc::new(StoreCounts::new(&settings.folder.display().to_string()));
        let mut writer = Writer::open(settings, Arc::clone(&counts))?;
        let (parcels, inbox) = unbounded();
        let door = Arc::new(Door {
            parcels,
            budget: Budget::new(ON_THE_WAY),
            policy,
            most: settings.most,
            next: AtomicU64::new(0),
            open: AtomicUsize::new(0),
            counts,
        });
        let shared = Arc::clone(&door);
        let thread = std::thread::Builder::new().name("files".into()).spawn(move || {
            // Whatever ends this thread, nobody may wait for it after that.
            let _closing = shared.budget.close_at_end();
            for parcel in inbox {
                match parcel {
                    Parcel::Piece(id, bytes) => {
                        shared.budget.give_back(bytes.len() + PIECE);
                        writer.piece(id, &bytes);
                    }
                    Parcel::Keep(id, digest) => writer.keep(id, &digest),
                    Parcel::Forget(id) => writer.forget(id),
                    Parcel::End => return,
                }
            }
        })?;
        Ok(Self { door, thread })
    }

    /// The workers' way in.
    #[must_use]
    pub fn store(&self) -> Store {
        Store(Some(Arc::clone(&self.door)))
    }

    /// What it counts.
    #[must_use]
    pub fn counts(&self) -> Arc<StoreCounts> {
        Arc::clone(&self.door.counts)
    }

    /// Waits until everything handed over is written. What comes later is lost: workers end first.
    pub fn end(self) {
        let _ = self.door.parcels.send(Parcel::End);
        // A panic of the writer has been printed by the hook; files that it did not keep were counted as failed.
        let _ = self.thread.join();
    }
}

impl Store {
    /// Whether files are kept at all.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Begins a file; nothing when files are not kept, or too many are open.
    #[must_use]
    pub fn begin(&self) -> Option<Incoming> {
        let door = self.0.as_ref()?;
        if door.open.fetch_add(1, Ordering::Relaxed) >= MOST_OPEN {
            door.open.fetch_sub(1, Ordering::Relaxed);
            door.counts.lost_slow();
            return None;
        }
        let id = door.next.fetch_add(1, Ordering::Relaxed);
        Some(Incoming { door: Arc::clone(door), id, size: 0, given_up: false })
    }
}

/// A file on its way. Dropped before it is kept, it is forgotten.
#[derive(Debug)]
pub struct Incoming {
    door: Arc<Door>,
    id: u64,
    size: u64,
    given_up: bool,
}

impl Incoming {
    /// Adds bytes at its end.
    pub fn add(&mut self, bytes: &[u8]) {
        if self.given_up || bytes.is_empty() {
            return;
        }
        self.size += bytes.len() as u64;
        if self.size > self.door.most {
            self.door.counts.lost_large();
            self.give_up();
        } else if !self.door.budget.take(bytes.len() + PIECE, self.door.policy == Policy::Wait) {
            self.door.counts.lost_slow();
            self.give_up();
        } else {
            let _ = self.door.parcels.send(Parcel::Piece(self.id, bytes.to_vec()));
        }
    }

    /// The file is whole, and this is its SHA-256.
    pub fn keep(mut self, digest: [u8; 32]) {
        if !self.given_up {
            self.given_up = true;
            let _ = self.door.parcels.send(Parcel::Keep(self.id, digest));
        }
    }

    fn give_up(&mut self) {
        self.given_up = true;
        let _ = self.door.parcels.send(Parcel::Forget(self.id));
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if !self.given_up {
            self.door.counts.lost_incomplete();
            self.give_up();
        }
        self.door.open.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
