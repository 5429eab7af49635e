//! Files carried by transactions: size, state, hashes, and extraction within a quota.

use crate::ranges::Ranges;
use output::files::{Incoming, Store};
use parse::{FileEnd, FileEvent, Side};
use sha1::Digest as _;

/// What is done with files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Compute MD5.
    pub md5: bool,
    /// Compute SHA-1.
    pub sha1: bool,
    /// Compute SHA-256.
    pub sha256: bool,
    /// Most bytes of one file that are hashed; a larger one has no hashes, and is not kept.
    pub most: u64,
    /// Folder that whole files are kept in; empty for none.
    pub store: String,
    /// Bytes that the folder may hold.
    pub store_quota: u64,
    /// Most bytes of one file that is kept.
    pub store_most: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            md5: false,
            sha1: false,
            sha256: false,
            most: u64::MAX,
            store: String::new(),
            store_quota: 1 << 30,
            store_most: 64 << 20,
        }
    }
}

/// A file on its way.
pub(crate) struct File {
    tx: u64,
    side: Side,
    pub(crate) name: Vec<u8>,
    pub(crate) range: Option<(u64, u64, Option<u64>)>,
    pub(crate) size: u64,
    pub(crate) gaps: bool,
    md5: Option<md5::Md5>,
    sha1: Option<sha1::Sha1>,
    sha256: Option<sha2::Sha256>,
    /// Where its bytes are collected, when it is a range of a larger file.
    pub(crate) part: Option<u64>,
    /// Whether it is to go to the folder: nothing of it is missing.
    kept: bool,
    /// Its way there, while there is room.
    incoming: Option<Incoming>,
}

/// A file that has ended.
pub(crate) struct Finished {
    pub(crate) file: File,
    pub(crate) end: FileEnd,
    pub(crate) hashes: Hashes,
    /// Its number in the folder, when the settings say that it is kept there: the first 48 bits of its name.
    ///
    /// What the settings say does not depend on the machine; what the disk made of it is counted.
    pub(crate) kept: Option<u64>,
}

/// Hashes of a whole file.
#[derive(Default)]
pub(crate) struct Hashes {
    pub(crate) md5: Option<[u8; 16]>,
    pub(crate) sha1: Option<[u8; 20]>,
    pub(crate) sha256: Option<[u8; 32]>,
}

/// Longest name kept; longer ones are cut.
const NAME: usize = 4096;
/// Most files of one flow that are open at once.
const MOST_OPEN: usize = 64;

/// The open files of one flow.
#[derive(Default)]
pub(crate) struct Files {
    open: Vec<File>,
}

impl Files {
    /// Whether none is on its way.
    pub(crate) fn is_idle(&self) -> bool {
        self.open.is_empty()
    }

    /// Takes one event; answers with the file when it has ended.
    pub(crate) fn take(
        &mut self,
        settings: &Settings,
        store: &Store,
        ranges: &mut Ranges,
        tx: u64,
        side: Side,
        event: FileEvent<'_>,
    ) -> Option<Finished> {
        if let FileEvent::Open { name, range } = event {
            if self.open.len() < MOST_OPEN {
                let mut file = File::new(settings, store, tx, side, name, range);
                file.part = matches!(range, Some((.., Some(_)))).then(|| ranges.begin(file.is_read()));
                self.open.push(file);
            }
            return None;
        }
        let at = self.open.iter().rposition(|f| f.tx == tx && f.side == side)?;
        let file = self.open.get_mut(at)?;
        match event {
            FileEvent::Data(data) => {
                file.add(data, settings.most);
                file.part.iter().for_each(|part| ranges.add(*part, data));
            }
            FileEvent::Gap(n) => {
                file.lose(n);
                file.part.take().into_iter().for_each(|part| ranges.drop(part));
            }
            FileEvent::Close(end) => return Some(self.open.remove(at).conclude(end, settings)),
            FileEvent::Open { .. } => {}
        }
        None
    }
}

impl File {
    pub(crate) fn new(
        settings: &Settings,
        store: &Store,
        tx: u64,
        side: Side,
        name: &[u8],
        range: Option<(u64, u64, Option<u64>)>,
    ) -> Self {
        Self {
            tx,
            side,
            name: name.get(..NAME).unwrap_or(name).to_vec(),
            range,
            part: None,
            size: 0,
            gaps: false,
            md5: settings.md5.then(md5::Md5::default),
            sha1: settings.sha1.then(sha1::Sha1::default),
            sha256: (settings.sha256 || store.is_on()).then(sha2::Sha256::default),
            kept: store.is_on(),
            incoming: store.begin(),
        }
    }

    pub(crate) fn add(&mut self, data: &[u8], most: u64) {
        let room = usize::try_from(most.saturating_sub(self.size)).unwrap_or(usize::MAX);
        let kept = data.get(..room).unwrap_or(data);
        self.size += data.len() as u64;
        if let Some(incoming) = &mut self.incoming {
            incoming.add(data);
        }
        if let Some(h) = &mut self.md5 {
            h.update(kept);
        }
        if let Some(h) = &mut self.sha1 {
            h.update(kept);
        }
        if let Some(h) = &mut self.sha256 {
            h.update(kept);
        }
    }

    /// Whether it is hashed or goes to the folder.
    fn is_read(&self) -> bool {
        self.md5.is_some() || self.sha1.is_some() || self.sha256.is_some() || self.kept
    }

    fn lose(&mut self, n: u64) {
        // As in Suricata the size is that of the file, lost bytes included.
        self.gaps |= n > 0;
        self.pass_over(n);
    }

    /// Bytes that nobody has read: there is nothing to hash and to keep any more.
    pub(crate) fn pass_over(&mut self, n: u64) {
        self.size += n;
        self.md5 = None;
        self.sha1 = None;
        self.sha256 = None;
        self.kept = false;
        self.incoming = None;
    }

    /// Hashes and a place in the folder, for files that are whole.
    pub(crate) fn conclude(mut self, end: FileEnd, settings: &Settings) -> Finished {
        if end != FileEnd::Closed || self.gaps || self.size > settings.most {
            self.incoming = None;
            return Finished { file: self, end, hashes: Hashes::default(), kept: None };
        }
        let hashes = Hashes {
            md5: self.md5.take().map(|h| h.finalize().into()),
            sha1: self.sha1.take().map(|h| h.finalize().into()),
            sha256: self.sha256.take().map(|h| h.finalize().into()),
        };
        let kept = hashes.sha256.filter(|_| self.kept && self.size <= settings.store_most);
        if let (Some(incoming), Some(digest)) = (self.incoming.take(), kept) {
            incoming.keep(digest);
        }
        let number = |digest: [u8; 32]| digest.iter().take(6).fold(0, |n, byte| n << 8 | u64::from(*byte));
        Finished { file: self, end, hashes, kept: kept.map(number) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings { md5: true, sha1: true, sha256: true, ..Settings::default() }
    }

    #[test]
    fn a_whole_file_has_size_and_hashes() {
        let mut files = Files::default();
        let s = settings();
        assert!(
            files
                .take(
                    &s,
                    &Store::default(),
                    &mut Ranges::default(),
                    1,
                    Side::ToClient,
                    FileEvent::Open { name: b"a", range: None }
                )
                .is_none()
        );
        files.take(&s, &Store::default(), &mut Ranges::default(), 1, Side::ToClient, FileEvent::Data(b"ab"));
        files.take(&s, &Store::default(), &mut Ranges::default(), 1, Side::ToClient, FileEvent::Data(b"c"));
        let done = files
            .take(
                &s,
                &Store::default(),
                &mut Ranges::default(),
                1,
                Side::ToClient,
                FileEvent::Close(FileEnd::Closed),
            )
            .unwrap();
        assert_eq!(done.file.size, 3);
        let md5 = done.hashes.md5.unwrap();
        assert_eq!(md5[..4], [0x90, 0x01, 0x50, 0x98]);
    }

    #[test]
    fn a_gap_leaves_no_hash_and_sides_do_not_mix() {
        let mut files = Files::default();
        let s = settings();
        for side in Side::BOTH {
            files.take(
                &s,
                &Store::default(),
                &mut Ranges::default(),
                1,
                side,
                FileEvent::Open { name: b"", range: None },
            );
        }
        files.take(&s, &Store::default(), &mut Ranges::default(), 1, Side::ToServer, FileEvent::Data(b"xyz"));
        files.take(&s, &Store::default(), &mut Ranges::default(), 1, Side::ToClient, FileEvent::Gap(5));
        let down = files
            .take(
                &s,
                &Store::default(),
                &mut Ranges::default(),
                1,
                Side::ToClient,
                FileEvent::Close(FileEnd::Closed),
            )
            .unwrap();
        assert!(down.file.gaps && down.file.size == 5);
        assert!(down.hashes.sha256.is_none());
        let up = files
            .take(
                &s,
                &Store::default(),
                &mut Ranges::default(),
                1,
                Side::ToServer,
                FileEvent::Close(FileEnd::Truncated),
            )
            .unwrap();
        assert_eq!(up.file.size, 3);
    }
}
