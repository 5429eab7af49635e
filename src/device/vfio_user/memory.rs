//! The memory that a client shares with a server, as the server's model reaches it.
//!
//! A client maps in small pieces: behind a virtual IOMMU, a guest's huge page arrives as 512 messages. So a file is
//! mapped once and whole, pieces are entries of a table, and one access may cross pieces that adjoin.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, Weak};

use crate::pages::Pages;
use crate::{Bus, Stray, Strays, words};

/// A run of device addresses.
struct Piece {
    bytes: u64,
    /// Memory behind it and where it begins there; None for what a client maps without sharing it, such as its ROM.
    memory: Option<(Arc<Pages>, u64)>,
}

/// Which file, and its mapping while some piece needs it.
type Known = ((u64, u64), Weak<Pages>);

/// A client's memory and vectors.
#[derive(Default)]
pub(super) struct Memory {
    pieces: RwLock<BTreeMap<u64, Piece>>,
    files: Mutex<Vec<Known>>,
    vectors: Mutex<Vec<Option<Arc<File>>>>,
    pub(super) strays: Strays,
}

impl Memory {
    /// Enters a run of addresses.
    pub(super) fn map(&self, address: u64, bytes: u64, file: Option<(File, u64)>) -> io::Result<()> {
        let last = last(address, bytes)?;
        let memory = match file {
            None => None,
            Some((file, offset)) => {
                let needed = offset.checked_add(bytes).ok_or(ErrorKind::InvalidInput)?;
                if !offset.is_multiple_of(8) || !address.is_multiple_of(8) {
                    return Err(ErrorKind::InvalidInput.into());
                }
                Some((self.whole(&file, needed)?, offset))
            }
        };
        let mut pieces = self.pieces.write().unwrap_or_else(PoisonError::into_inner);
        if pieces
            .range(..=last)
            .next_back()
            .is_some_and(|(start, piece)| start + (piece.bytes - 1) >= address)
        {
            return Err(ErrorKind::AlreadyExists.into());
        }
        pieces.insert(address, Piece { bytes, memory });
        Ok(())
    }

    /// Takes out what lies in a run of addresses; a piece that only partly does is an error.
    pub(super) fn unmap(&self, address: u64, bytes: u64) -> io::Result<()> {
        let last = last(address, bytes)?;
        let mut pieces = self.pieces.write().unwrap_or_else(PoisonError::into_inner);
        // Whether a piece has both the address and the one before it.
        let cut = |at: u64| {
            let before = pieces.range(..at).next_back();
            before.is_some_and(|(start, piece)| start + (piece.bytes - 1) >= at)
        };
        if cut(address) || last.checked_add(1).is_some_and(cut) {
            return Err(ErrorKind::InvalidInput.into());
        }
        let inside: Vec<u64> = pieces.range(address..=last).map(|(start, _)| *start).collect();
        inside.iter().for_each(|start| {
            pieces.remove(start);
        });
        Ok(())
    }

    /// Forgets everything: the client has left.
    pub(super) fn clear(&self) {
        self.forget_pieces();
        self.vectors().clear();
    }

    /// Takes every run of addresses out.
    pub(super) fn forget_pieces(&self) {
        self.pieces.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Connects vectors from `start` on.
    pub(super) fn connect(&self, start: usize, files: impl IntoIterator<Item = Option<File>>) {
        let mut vectors = self.vectors();
        for (at, file) in files.into_iter().enumerate().map(|(at, file)| (start + at, file)) {
            if vectors.len() <= at {
                vectors.resize(at + 1, None);
            }
            if let Some(place) = vectors.get_mut(at) {
                *place = file.map(Arc::new);
            }
        }
    }

    /// Disconnects every vector.
    pub(super) fn disconnect(&self) {
        self.vectors().clear();
    }

    fn vectors(&self) -> std::sync::MutexGuard<'_, Vec<Option<Arc<File>>>> {
        self.vectors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The mapping of a file that is at least `needed` long; shared by all its pieces.
    fn whole(&self, file: &File, needed: u64) -> io::Result<Arc<Pages>> {
        let about = file.metadata()?;
        let id = (about.dev(), about.ino());
        if about.len() < needed {
            return Err(ErrorKind::InvalidInput.into());
        }
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.retain(|(_, pages)| pages.strong_count() > 0);
        let enough = |pages: &Arc<Pages>| pages.bytes() as u64 >= needed;
        let known = files.iter().filter(|(other, _)| *other == id).find_map(|(_, pages)| pages.upgrade());
        if let Some(pages) = known.filter(enough) {
            return Ok(pages);
        }
        let length = usize::try_from(about.len()).map_err(|_| ErrorKind::InvalidInput)?;
        let pages = Arc::new(Pages::shared(file, length)?);
        files.push((id, Arc::downgrade(&pages)));
        Ok(pages)
    }

    /// Runs `access` on each part of memory that the bytes lie in, told how far into the bytes it begins.
    fn reach(&self, stray: Stray, mut access: impl FnMut(&Pages, usize, usize, usize)) -> Result<(), Stray> {
        let pieces = read(&self.pieces);
        let mut parts = Vec::new();
        let mut done = 0;
        while done < stray.bytes {
            let Some(part) = part(&pieces, stray, done) else {
                drop(pieces);
                self.strays.record(stray);
                return Err(stray);
            };
            done += part.2;
            parts.push(part);
        }
        let mut done = 0;
        for (pages, at, take) in parts {
            access(pages, at, done, take);
            done += take;
        }
        Ok(())
    }
}

/// The last address of a run; the very last of all belongs to some: hypervisors unmap the upper half of everything.
fn last(address: u64, bytes: u64) -> io::Result<u64> {
    let last = bytes.checked_sub(1).and_then(|more| address.checked_add(more));
    last.ok_or_else(|| ErrorKind::InvalidInput.into())
}

fn read(of: &RwLock<BTreeMap<u64, Piece>>) -> RwLockReadGuard<'_, BTreeMap<u64, Piece>> {
    of.read().unwrap_or_else(PoisonError::into_inner)
}

/// Where the bytes from `done` on lie, and how many of them.
fn part(pieces: &BTreeMap<u64, Piece>, stray: Stray, done: usize) -> Option<(&Pages, usize, usize)> {
    let address = stray.address.checked_add(done as u64)?;
    let (start, piece) = pieces.range(..=address).next_back()?;
    let into = address - start;
    let left = piece.bytes.checked_sub(into).filter(|left| *left > 0)?;
    let (pages, offset) = piece.memory.as_ref()?;
    let take = usize::try_from(left).unwrap_or(usize::MAX).min(stray.bytes - done);
    Some((pages, usize::try_from(offset + into).ok()?, take))
}

impl Bus for Memory {
    fn read(&self, address: u64, into: &mut [u8]) -> Result<(), Stray> {
        let stray = Stray { address, bytes: into.len(), write: false };
        self.reach(stray, |pages, at, done, take| {
            let part = into.get_mut(done..done + take).unwrap_or_default();
            words::read(pages.words(), at, part);
        })
    }

    fn write(&self, address: u64, bytes: &[u8]) -> Result<(), Stray> {
        let stray = Stray { address, bytes: bytes.len(), write: true };
        self.reach(stray, |pages, at, done, take| {
            words::write(pages.words(), at, bytes.get(done..done + take).unwrap_or_default());
        })
    }

    fn store(&self, address: u64, word: u64) -> Result<(), Stray> {
        let stray = Stray { address, bytes: 8, write: true };
        if !address.is_multiple_of(8) {
            self.strays.record(stray);
            return Err(stray);
        }
        // Pieces begin at multiples of 8 in address and file: a whole word is stored at once, with release.
        self.reach(stray, |pages, at, _, _| words::write(pages.words(), at, &word.to_le_bytes()))
    }

    fn signal(&self, vector: u16) {
        use std::io::Write;
        let file = self.vectors().get(usize::from(vector)).cloned().flatten();
        if let Some(file) = file {
            // A client that has gone hears nothing.
            let _ = file.as_ref().write_all(&1u64.to_ne_bytes());
        }
    }
}
