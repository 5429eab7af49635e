//! The files of a recording: named by time, bounded in size and age together.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use frame::Timestamp;

use super::{Chunk, RecordSettings};

const PREFIX: &str = "vigie-";
const SUFFIX: &str = ".pcapng";
/// Two files of the same second are told apart by a number of this many digits.
const DIGITS: usize = 6;

/// One file that is complete, or was left by an earlier run.
#[derive(Debug)]
struct Kept {
    path: PathBuf,
    bytes: u64,
    /// Second of its first frame.
    begins: u64,
}

/// The file that is being written.
#[derive(Debug)]
struct Current {
    file: File,
    kept: Kept,
}

/// The files of one folder, oldest first.
#[derive(Debug)]
pub(super) struct Ring {
    settings: RecordSettings,
    old: VecDeque<Kept>,
    current: Option<Current>,
    /// Files begun.
    pub(super) begun: u64,
    /// Files deleted.
    pub(super) deleted: u64,
}

impl Ring {
    pub(super) fn open(settings: RecordSettings) -> io::Result<Self> {
        fs::create_dir_all(&settings.folder)?;
        let old = files(&settings.folder)?;
        let probe = settings.folder.join(".vigie-may-write");
        File::create(&probe)?;
        fs::remove_file(&probe)?;
        Ok(Self { settings, old, current: None, begun: 0, deleted: 0 })
    }

    /// Appends one chunk; on failure the file holds whole chunks only and the next chunk begins another.
    pub(super) fn write(&mut self, chunk: &Chunk) -> io::Result<()> {
        self.rotate(chunk);
        self.expire(chunk.first.seconds());
        self.make_room(chunk.bytes.len() as u64);
        if self.current.is_none() {
            self.begin(chunk.first)?;
        }
        let Some(current) = &mut self.current else { return Ok(()) };
        match current.file.write_all(&chunk.bytes) {
            Ok(()) => {
                current.kept.bytes += chunk.bytes.len() as u64;
                Ok(())
            }
            Err(error) => {
                let _ = current.file.set_len(current.kept.bytes);
                let why = format!("{}: {error}", current.kept.path.display());
                self.put_aside();
                Err(io::Error::new(error.kind(), why))
            }
        }
    }

    /// Ends the current file when it is full or spans its time.
    fn rotate(&mut self, chunk: &Chunk) {
        let Some(Current { kept, .. }) = &self.current else { return };
        let full = kept.bytes + chunk.bytes.len() as u64 > self.settings.file_size;
        let spans = chunk.first.seconds().saturating_sub(kept.begins);
        if full || (self.settings.file_seconds > 0 && spans >= self.settings.file_seconds) {
            self.put_aside();
        }
    }

    fn put_aside(&mut self) {
        if let Some(Current { kept, .. }) = self.current.take() {
            self.old.push_back(kept);
        }
    }

    fn begin(&mut self, first: Timestamp) -> io::Result<()> {
        let path = self.free_name(first.seconds());
        let file = OpenOptions::new().create_new(true).write(true).open(&path);
        let file = file.map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", path.display())))?;
        self.current = Some(Current { file, kept: Kept { path, bytes: 0, begins: first.seconds() } });
        self.begun += 1;
        Ok(())
    }

    /// `vigie-1795219200-000001.pcapng`: names sort in the order in which the files were begun.
    fn free_name(&self, seconds: u64) -> PathBuf {
        let name = |n: u32| self.settings.folder.join(format!("{PREFIX}{seconds:010}-{n:0DIGITS$}{SUFFIX}"));
        (1..).map(name).find(|path| !path.exists()).unwrap_or_default()
    }

    /// Deletes files whose successor began longer ago than files are kept.
    fn expire(&mut self, now: u64) {
        let keep = self.settings.keep_seconds;
        while keep > 0 && self.end_of_oldest().is_some_and(|end| now.saturating_sub(end) > keep) {
            self.delete_oldest();
        }
    }

    /// Where the oldest finished file ends at the latest: where the next one begins.
    fn end_of_oldest(&self) -> Option<u64> {
        let next = self.old.get(1).or(self.current.as_ref().map(|current| &current.kept));
        (!self.old.is_empty()).then_some(next)?.map(|kept| kept.begins)
    }

    fn make_room(&mut self, bytes: u64) {
        let current = self.current.as_ref().map_or(0, |current| current.kept.bytes);
        let used = |ring: &Self| ring.old.iter().map(|kept| kept.bytes).sum::<u64>() + current;
        while !self.old.is_empty() && used(self) + bytes > self.settings.size {
            self.delete_oldest();
        }
    }

    /// A file that somebody else took away is as good as deleted.
    fn delete_oldest(&mut self) {
        if let Some(kept) = self.old.pop_front() {
            let _ = fs::remove_file(kept.path);
            self.deleted += 1;
        }
    }
}

/// Files of earlier recordings, oldest first. Everything else in the folder is left alone.
fn files(folder: &Path) -> io::Result<VecDeque<Kept>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if let Some(begins) = began(&entry.file_name().to_string_lossy()) {
            found.push(Kept { path: entry.path(), bytes: entry.metadata()?.len(), begins });
        }
    }
    found.sort_by(|a, b| (a.begins, &a.path).cmp(&(b.begins, &b.path)));
    Ok(found.into())
}

/// The second in the name of a recorded file.
fn began(name: &str) -> Option<u64> {
    let (seconds, number) = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.split_once('-')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    (is_number(number) && is_number(seconds)).then(|| seconds.parse().ok())?
}
