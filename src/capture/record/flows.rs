//! Captures of single flows: a pcapng file each, written by one thread, all of them together within a quota.
//!
//! A file is called by the second in which its flow began and by the flow's number. Files are dealt to shelves as flows are
//! to shares of the analysis; each shelf has its part of the quota, and its oldest file makes room for the newest, so that
//! what is kept does not depend on how shares are spread over workers. A door that may not wait drops what the writer has no
//! room for.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use frame::Frame;

use crate::pcap::Writer;

/// Parts that may wait for the writer.
const WAITING: usize = 1024;
/// Bytes that may wait with them, beyond which a part waits or is dropped.
const WAITING_BYTES: u64 = 64 << 20;
/// Bytes that gather in an outbox at most.
const GATHERED: usize = 256 << 10;
const PREFIX: &str = "flow-";
const SUFFIX: &str = ".pcapng";

/// Where captures of flows go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowSettings {
    /// The folder; it is made when it is not there.
    pub folder: PathBuf,
    /// Bytes of all files together.
    pub quota: u64,
    /// Seconds of packet time after which a file is deleted; 0 for never.
    pub keep_seconds: u64,
    /// Parts that the quota is divided into.
    pub shelves: u16,
    /// Whether a door waits for the writer, or drops.
    pub waits: bool,
}

/// What was written so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlowReport {
    /// The folder.
    pub folder: String,
    /// Files begun.
    pub files: u64,
    /// Frames in files.
    pub frames: u64,
    /// Bytes written.
    pub bytes: u64,
    /// Frames that are in no file: the disk was slow or refused, or their file had made room for another.
    pub lost: u64,
    /// Files deleted because of quota or age.
    pub deleted: u64,
    /// Why the disk refused last.
    pub why: Option<String>,
}

#[derive(Debug, Default)]
struct Shared {
    folder: String,
    files: AtomicU64,
    frames: AtomicU64,
    bytes: AtomicU64,
    lost: AtomicU64,
    deleted: AtomicU64,
    waiting: AtomicU64,
    why: Mutex<Option<String>>,
}

/// Counts of the captures of flows, for whoever shows them.
#[derive(Clone, Debug)]
pub struct FlowCounts(Arc<Shared>);

impl FlowCounts {
    /// What was written so far.
    #[must_use]
    pub fn report(&self) -> FlowReport {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let shared = &self.0;
        FlowReport {
            folder: shared.folder.clone(),
            files: of(&shared.files),
            frames: of(&shared.frames),
            bytes: of(&shared.bytes),
            lost: of(&shared.lost),
            deleted: of(&shared.deleted),
            why: shared.why.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

/// Which flow: the second of its first packet, and its number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlowName {
    /// Seconds since 1970.
    pub second: u64,
    /// The flow's number.
    pub id: u64,
}

impl std::fmt::Display for FlowName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{PREFIX}{:010}-{}{SUFFIX}", self.second, self.id)
    }
}

impl FlowName {
    fn of(name: &str) -> Option<Self> {
        let (second, id) = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.split_once('-')?;
        let this = Self { second: second.parse().ok()?, id: id.parse().ok()? };
        (this.to_string() == name).then_some(this)
    }
}

/// Some frames of one flow, as pcapng blocks.
#[derive(Debug, Default)]
struct Part {
    name: FlowName,
    shelf: u16,
    /// Second of its first frame.
    second: u64,
    begins: bool,
    frames: u64,
    bytes: Vec<u8>,
}

/// A capture of one flow that goes on.
#[derive(Debug)]
pub struct FlowCapture {
    name: FlowName,
    writer: Writer<Vec<u8>>,
    begins: bool,
    /// Bytes that are still taken.
    left: u64,
}

impl FlowCapture {
    /// Of this flow; after what is written by [`Outbox::begin`] it takes so many bytes of frames.
    #[must_use]
    pub fn new(name: FlowName, left: u64) -> Option<Self> {
        Some(Self { name, writer: Writer::pcapng(Vec::new()).ok()?, begins: true, left })
    }

    /// Whether it has everything it takes.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.left == 0
    }
}

/// One share's way to the writer: parts gather here until they are handed over.
#[derive(Debug)]
pub struct Outbox {
    door: SyncSender<Part>,
    shared: Arc<Shared>,
    shelf: u16,
    waits: bool,
    parts: Vec<Part>,
    /// Bytes of them.
    gathered: usize,
}

impl Outbox {
    /// The way of another share.
    #[must_use]
    pub fn of(&self, shelf: u16) -> Self {
        let (door, shared) = (self.door.clone(), Arc::clone(&self.shared));
        Self { door, shared, shelf, waits: self.waits, parts: Vec::new(), gathered: 0 }
    }

    /// Begins a capture with what is remembered of its flow.
    pub fn begin<'f>(&mut self, capture: &mut FlowCapture, frames: impl Iterator<Item = Frame<'f>>) {
        for frame in frames {
            self.write(capture, &frame);
        }
    }

    /// Adds a frame that came after the trigger.
    pub fn add(&mut self, capture: &mut FlowCapture, frame: &Frame<'_>) {
        if capture.left > 0 {
            capture.left = capture.left.saturating_sub(frame.data.len() as u64);
            self.write(capture, frame);
        }
    }

    fn write(&mut self, capture: &mut FlowCapture, frame: &Frame<'_>) {
        if capture.writer.write(frame).is_err() {
            // Longer than a record may be: memory itself does not refuse.
            self.shared.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        if self.gathered >= GATHERED {
            self.hand_over();
        }
        let bytes = capture.writer.take();
        self.gathered += bytes.len();
        let begins = std::mem::take(&mut capture.begins);
        if let Some(last) = self.parts.last_mut().filter(|part| part.name == capture.name) {
            last.bytes.extend(bytes);
            last.frames += 1;
            return;
        }
        let (name, shelf) = (capture.name, self.shelf);
        self.parts.push(Part { name, shelf, second: frame.time.seconds(), begins, frames: 1, bytes });
    }

    /// Hands over what has gathered.
    pub fn hand_over(&mut self) {
        self.gathered = 0;
        for part in self.parts.drain(..) {
            let (frames, bytes) = (part.frames, part.bytes.len() as u64);
            let waiting = self.shared.waiting.fetch_add(bytes, Ordering::Relaxed);
            let refused = if self.waits {
                self.door.send(part).is_err()
            } else if waiting > WAITING_BYTES {
                true
            } else {
                match self.door.try_send(part) {
                    Ok(()) => false,
                    Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => true,
                }
            };
            if refused {
                self.shared.waiting.fetch_sub(bytes, Ordering::Relaxed);
                self.shared.lost.fetch_add(frames, Ordering::Relaxed);
            }
        }
    }
}

/// The writer at work.
#[derive(Debug)]
pub struct FlowRecorder {
    first: Option<Outbox>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl FlowRecorder {
    /// Starts it. Files of earlier runs count towards quota and age.
    ///
    /// # Errors
    /// When the folder cannot be made, read or written.
    pub fn start(settings: &FlowSettings) -> io::Result<Self> {
        let cabinet = Cabinet::open(settings)?;
        let folder = settings.folder.display().to_string();
        let shared = Arc::new(Shared { folder, ..Shared::default() });
        let (door, parts) = sync_channel(WAITING);
        let counts = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("flow captures".into())
            .spawn(move || write(&parts, cabinet, &counts))?;
        let first = Outbox {
            door,
            shared: Arc::clone(&shared),
            shelf: 0,
            waits: settings.waits,
            parts: Vec::new(),
            gathered: 0,
        };
        Ok(Self { first: Some(first), shared, thread: Some(thread) })
    }

    /// A share's way to it.
    #[must_use]
    pub fn outbox(&self, shelf: u16) -> Option<Outbox> {
        self.first.as_ref().map(|first| first.of(shelf))
    }

    /// Its counts.
    #[must_use]
    pub fn counts(&self) -> FlowCounts {
        FlowCounts(Arc::clone(&self.shared))
    }
}

impl Drop for FlowRecorder {
    /// Waits until everything handed over is in its file; outboxes must have been dropped before.
    fn drop(&mut self) {
        self.first = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn write(parts: &Receiver<Part>, mut cabinet: Cabinet, shared: &Shared) {
    for part in parts {
        shared.waiting.fetch_sub(part.bytes.len() as u64, Ordering::Relaxed);
        match cabinet.put(&part) {
            Ok(true) => {
                shared.files.fetch_add(u64::from(part.begins), Ordering::Relaxed);
                shared.frames.fetch_add(part.frames, Ordering::Relaxed);
                shared.bytes.fetch_add(part.bytes.len() as u64, Ordering::Relaxed);
            }
            Ok(false) => drop(shared.lost.fetch_add(part.frames, Ordering::Relaxed)),
            Err(error) => {
                shared.lost.fetch_add(part.frames, Ordering::Relaxed);
                *shared.why.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
            }
        }
        shared.deleted.store(cabinet.deleted, Ordering::Relaxed);
    }
}

/// One file.
#[derive(Clone, Copy, Debug)]
struct Kept {
    name: FlowName,
    bytes: u64,
}

/// Every file, by shelf, oldest first.
#[derive(Debug)]
struct Cabinet {
    folder: PathBuf,
    /// Of one shelf.
    quota: u64,
    keep_seconds: u64,
    shelves: Vec<VecDeque<Kept>>,
    deleted: u64,
}

impl Cabinet {
    fn open(settings: &FlowSettings) -> io::Result<Self> {
        fs::create_dir_all(&settings.folder)?;
        let probe = settings.folder.join(".vigie-may-write");
        File::create(&probe)?;
        fs::remove_file(&probe)?;
        let count = usize::from(settings.shelves.max(1));
        let mut shelves = vec![VecDeque::new(); count];
        for kept in files(&settings.folder)? {
            let shelf = usize::try_from(kept.name.id % count as u64).unwrap_or(0);
            if let Some(shelf) = shelves.get_mut(shelf) {
                shelf.push_back(kept);
            }
        }
        let quota = settings.quota / count as u64;
        let folder = settings.folder.clone();
        Ok(Self { folder, quota, keep_seconds: settings.keep_seconds, shelves, deleted: 0 })
    }

    /// Appends a part to its file. False when that has made room for another.
    fn put(&mut self, part: &Part) -> io::Result<bool> {
        if part.begins {
            // The same flow, of an earlier run over the same capture: written anew.
            self.shelves.iter_mut().for_each(|shelf| shelf.retain(|kept| kept.name != part.name));
        }
        self.expire(part);
        let Some(shelf) = self.shelves.get_mut(usize::from(part.shelf)) else { return Ok(false) };
        let there = shelf.iter().rposition(|kept| kept.name == part.name);
        if there.is_none() && !part.begins {
            return Ok(false);
        }
        let path = self.folder.join(part.name.to_string());
        let named = |e: io::Error| io::Error::new(e.kind(), format!("{}: {e}", path.display()));
        let mut file = OpenOptions::new();
        file.create(part.begins).append(!part.begins).write(true).truncate(part.begins);
        let mut file = file.open(&path).map_err(named)?;
        let before = there.and_then(|at| shelf.get(at)).map_or(0, |kept| kept.bytes);
        if let Err(error) = file.write_all(&part.bytes) {
            // Whole parts or nothing.
            let _ = file.set_len(before);
            return Err(named(error));
        }
        match there.and_then(|at| shelf.get_mut(at)) {
            Some(kept) => kept.bytes += part.bytes.len() as u64,
            None => shelf.push_back(Kept { name: part.name, bytes: part.bytes.len() as u64 }),
        }
        Ok(self.make_room(part))
    }

    /// The oldest files of the shelf go until it is within its quota; whether that part's own is still there.
    fn make_room(&mut self, part: &Part) -> bool {
        let quota = self.quota;
        let over = |shelf: &VecDeque<Kept>| shelf.iter().map(|kept| kept.bytes).sum::<u64>() > quota;
        let Some(shelf) = self.shelves.get_mut(usize::from(part.shelf)) else { return false };
        let mut gone = Vec::new();
        while over(shelf) {
            gone.extend(shelf.pop_front());
        }
        let stays = gone.iter().all(|kept: &Kept| kept.name != part.name);
        gone.into_iter().for_each(|kept| self.delete(kept));
        stays
    }

    /// Files whose flow began too long ago go.
    fn expire(&mut self, part: &Part) {
        if self.keep_seconds == 0 {
            return;
        }
        let too_old = part.second.saturating_sub(self.keep_seconds);
        let Some(shelf) = self.shelves.get_mut(usize::from(part.shelf)) else { return };
        let mut gone = Vec::new();
        while shelf.front().is_some_and(|kept| kept.name.second < too_old) {
            gone.extend(shelf.pop_front());
        }
        gone.into_iter().for_each(|kept| self.delete(kept));
    }

    /// A file that somebody else took away is as good as deleted.
    fn delete(&mut self, kept: Kept) {
        let _ = fs::remove_file(self.folder.join(kept.name.to_string()));
        self.deleted += 1;
    }
}

/// Captures of earlier runs, oldest first. Everything else in the folder is left alone.
fn files(folder: &Path) -> io::Result<Vec<Kept>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if let Some(name) = FlowName::of(&entry.file_name().to_string_lossy()) {
            found.push(Kept { name, bytes: entry.metadata()?.len() });
        }
    }
    found.sort_by_key(|kept| (kept.name.second, kept.name.id));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use frame::{Checksum, LinkType, TapId, Timestamp};

    fn frame(data: &[u8], second: u64) -> Frame<'_> {
        Frame {
            data,
            wire_len: u32::try_from(data.len()).expect("short"),
            time: Timestamp::new(second, 0),
            number: second,
            link: LinkType::ETHERNET,
            vlan: None,
            checksum: Checksum::Unknown,
            tap: TapId(0),
        }
    }

    fn settings(folder: &Path) -> FlowSettings {
        let folder = folder.to_owned();
        FlowSettings { folder, quota: 1 << 20, keep_seconds: 0, shelves: 2, waits: true }
    }

    /// Captures of so many flows, a second after the other, each of a thousand bytes before and after the trigger.
    fn run(settings: &FlowSettings, flows: std::ops::Range<u64>) -> FlowReport {
        let recorder = FlowRecorder::start(settings).expect("a folder");
        let counts = recorder.counts();
        let mut out = recorder.outbox(1).expect("open");
        for id in flows {
            let mut capture = FlowCapture::new(FlowName { second: id, id }, 1_500).expect("memory");
            out.begin(&mut capture, [frame(&[1; 1_000], id)].into_iter());
            for _ in 0..3 {
                out.add(&mut capture, &frame(&[2; 1_000], id));
            }
            assert!(capture.is_full());
            out.hand_over();
        }
        drop((out, recorder));
        counts.report()
    }

    fn names(folder: &Path) -> Vec<String> {
        files(folder).expect("a folder").iter().map(|kept| kept.name.to_string()).collect()
    }

    #[test]
    fn a_capture_has_what_was_before_and_so_much_after() {
        let folder = tempfile::tempdir().expect("a folder");
        let report = run(&settings(folder.path()), 5..6);
        assert_eq!((report.files, report.frames, report.lost), (1, 3, 0));
        let path = folder.path().join("flow-0000000005-5.pcapng");
        let found = crate::pcap::open(&[path], 1, crate::pcap::FileSettings::default()).expect("a capture");
        let mut seen = Vec::new();
        for mut queue in found {
            while let Ok(batch) = queue.burst() {
                seen.extend(batch.frames.iter().map(|f| (f.data[0], f.data.len(), f.time.seconds())));
                if batch.status == frame::RxStatus::End {
                    break;
                }
            }
        }
        assert_eq!(seen, [(1, 1_000, 5), (2, 1_000, 5), (2, 1_000, 5)]);
    }

    #[test]
    fn the_quota_keeps_the_newest_and_counts_the_others() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("flow-notes.txt"), [0; 9_000]).expect("a file");
        let report = run(&FlowSettings { quota: 20_000, ..settings(folder.path()) }, 0..10);
        assert_eq!((report.files, report.deleted, report.lost), (10, 7, 0));
        assert_eq!(names(folder.path()).len(), 3, "{:?}", names(folder.path()));
        assert!(folder.path().join("flow-0000000009-9.pcapng").exists());
        assert!(folder.path().join("flow-notes.txt").exists());
        let again = run(&FlowSettings { quota: 20_000, ..settings(folder.path()) }, 9..12);
        assert_eq!((again.files, again.lost), (3, 0), "{again:?}");
        assert!(names(folder.path()).contains(&"flow-0000000011-11.pcapng".to_owned()));
    }

    #[test]
    fn old_ones_go_by_packet_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let report = run(&FlowSettings { keep_seconds: 3, ..settings(folder.path()) }, 0..10);
        assert_eq!((report.files, report.deleted), (10, 6));
    }

    #[test]
    fn a_disk_that_refuses_costs_frames_and_says_why() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().join("gone");
        let recorder = FlowRecorder::start(&settings(&place)).expect("a folder");
        fs::remove_dir(&place).expect("empty");
        let mut out = recorder.outbox(0).expect("open");
        let mut capture = FlowCapture::new(FlowName { second: 1, id: 1 }, 0).expect("memory");
        out.begin(&mut capture, [frame(&[1; 10], 1), frame(&[1; 10], 1)].into_iter());
        out.hand_over();
        let counts = recorder.counts();
        drop((out, recorder));
        let report = counts.report();
        assert_eq!((report.files, report.frames, report.lost), (0, 0, 2));
        assert!(report.why.expect("a reason").contains("flow-0000000001-1.pcapng"));
    }
}
