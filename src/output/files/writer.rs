//! The writer: small files lie in memory until they are whole, larger ones in `tmp`, and whole ones under their name.

use super::{Settings, StoreCounts};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes of one file that are gathered before they are written.
const GATHER: usize = 64 << 10;
/// Bytes of all files that are gathered.
const GATHER_ALL: usize = 32 << 20;
/// What was extracted from traffic is nobody's business but the sensor's and its group's.
const MODE: u32 = 0o640;

pub(super) struct Writer {
    folder: PathBuf,
    quota: u64,
    /// Bytes of files in the folder, those on their way included.
    used: u64,
    gathered: usize,
    pending: HashMap<u64, Pending>,
    counts: Arc<StoreCounts>,
}

/// A file that is not whole yet.
#[derive(Default)]
struct Pending {
    gathered: Vec<u8>,
    /// Where the rest lies, once some was written.
    place: Option<PathBuf>,
    size: u64,
    given_up: bool,
}

impl Writer {
    pub(super) fn open(settings: &Settings, counts: Arc<StoreCounts>) -> io::Result<Self> {
        let folder = settings.folder.clone();
        fs::create_dir_all(folder.join("tmp"))?;
        remove_leftovers(&folder.join("tmp"))?;
        let used = bytes_in(&folder)?;
        Ok(Self { folder, quota: settings.quota, used, gathered: 0, pending: HashMap::new(), counts })
    }

    pub(super) fn piece(&mut self, id: u64, bytes: &[u8]) {
        let pending = self.pending.entry(id).or_default();
        if pending.given_up {
            return;
        }
        let len = bytes.len() as u64;
        if self.used.saturating_add(len) > self.quota {
            self.counts.lost_quota();
            return self.give_up(id);
        }
        self.used += len;
        pending.size += len;
        pending.gathered.extend_from_slice(bytes);
        self.gathered += bytes.len();
        let due = pending.gathered.len() >= GATHER || self.gathered > GATHER_ALL;
        if due && let Err(error) = self.spill(id) {
            self.counts.lost_failed(&error);
            self.give_up(id);
        }
    }

    pub(super) fn keep(&mut self, id: u64, digest: &[u8; 32]) {
        if self.pending.entry(id).or_default().given_up {
            self.pending.remove(&id);
            return;
        }
        match self.place(id, digest) {
            Ok(true) => {
                let size = self.pending.remove(&id).map_or(0, |p| p.size);
                self.counts.kept(size);
            }
            Ok(false) => {
                self.counts.known();
                self.forget(id);
            }
            Err(error) => {
                self.counts.lost_failed(&error);
                self.forget(id);
            }
        }
    }

    pub(super) fn forget(&mut self, id: u64) {
        self.give_up(id);
        self.pending.remove(&id);
    }

    /// Undoes what was written and gathered; later pieces of the file are passed over.
    fn give_up(&mut self, id: u64) {
        let Some(pending) = self.pending.get_mut(&id) else { return };
        self.used = self.used.saturating_sub(pending.size);
        self.gathered = self.gathered.saturating_sub(pending.gathered.len());
        if let Some(place) = pending.place.take() {
            // When it cannot be removed now, the next start will do so.
            let _ = fs::remove_file(place);
        }
        *pending = Pending { given_up: true, ..Pending::default() };
    }

    /// Moves the file to its name; false when one of that name is there.
    fn place(&mut self, id: u64, digest: &[u8; 32]) -> io::Result<bool> {
        let name = name(digest);
        let folder = self.folder.join(name.get(..2).unwrap_or_default());
        let path = folder.join(&name);
        if path.exists() {
            return Ok(false);
        }
        fs::create_dir_all(&folder)?;
        self.spill(id)?;
        let Some(from) = self.pending.get(&id).and_then(|p| p.place.as_deref()) else { return Ok(false) };
        fs::rename(from, &path)?;
        Ok(true)
    }

    /// Writes what was gathered of a file behind what was written of it. The file is open only here, so that ten
    /// thousand at once need no more than one descriptor.
    fn spill(&mut self, id: u64) -> io::Result<()> {
        let Some(pending) = self.pending.get_mut(&id) else { return Ok(()) };
        let place = self.folder.join("tmp").join(format!("{}.{id}", std::process::id()));
        let mut options = OpenOptions::new();
        options.create(true).append(true).mode(MODE);
        let mut file = options.open(pending.place.insert(place))?;
        self.gathered = self.gathered.saturating_sub(pending.gathered.len());
        file.write_all(&std::mem::take(&mut pending.gathered))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let open: Vec<u64> = self.pending.keys().copied().collect();
        for id in open {
            self.forget(id);
        }
    }
}

fn name(digest: &[u8; 32]) -> String {
    digest.iter().fold(String::with_capacity(64), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// Removes what sensors left that were killed: names begin with the number of their process.
fn remove_leftovers(tmp: &Path) -> io::Result<()> {
    for entry in fs::read_dir(tmp)? {
        let entry = entry?;
        let name = entry.file_name();
        let process = name.to_str().and_then(|n| n.split('.').next()).and_then(|n| n.parse::<u32>().ok());
        let Some(process) = process else { continue };
        if process == std::process::id() || !Path::new("/proc").join(process.to_string()).exists() {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Bytes of the files that lie in the folder already.
fn bytes_in(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for byte in 0..=u8::MAX {
        match fs::read_dir(folder.join(format!("{byte:02x}"))) {
            Ok(entries) => {
                for entry in entries {
                    bytes += entry?.metadata()?.len();
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(bytes)
}
