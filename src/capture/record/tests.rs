//! What is recorded is what was lent; the ring keeps its bounds; a disk that refuses costs frames and nothing else.

use super::*;
use crate::pcap::{self, FileSettings};
use frame::{Batch, Frame, Ledger, LinkType, RxError, RxStatus};
use std::fs;
use std::path::Path;

/// Frames of 1,000 bytes, `per_second` of them in each second, numbered in their first bytes.
struct Source {
    left: u32,
    sent: u32,
    per_second: u32,
    data: Vec<u8>,
}

impl Source {
    fn boxed(count: u32, per_second: u32) -> Box<dyn RxQueue> {
        Box::new(Self { left: count, sent: 0, per_second, data: vec![0; 1000] })
    }
}

impl RxQueue for Source {
    fn burst(&mut self) -> Result<Batch<'_>, RxError> {
        if self.left == 0 {
            return Ok(Batch { frames: Vec::new(), status: RxStatus::End });
        }
        self.left -= 1;
        self.sent += 1;
        self.data[..4].copy_from_slice(&self.sent.to_be_bytes());
        let nanos = 1_000_000_000 * u64::from(self.sent / self.per_second) + u64::from(self.sent);
        let frame = Frame {
            data: &self.data,
            wire_len: 1000,
            time: Timestamp::from_nanos(nanos),
            number: u64::from(self.sent),
            link: LinkType::ETHERNET,
            vlan: None,
            checksum: frame::Checksum::Unknown,
            tap: frame::TapId(0),
        };
        Ok(Batch { frames: vec![frame], status: RxStatus::More })
    }

    fn account(&mut self, _: &mut Ledger) {}
}

fn drain(queue: &mut dyn RxQueue) -> Vec<u32> {
    let mut seen = Vec::new();
    loop {
        let batch = queue.burst().expect("frames");
        seen.extend(batch.frames.iter().map(|f| u32::from_be_bytes(f.data[..4].try_into().expect("four"))));
        if batch.status == RxStatus::End {
            return seen;
        }
    }
}

fn record(settings: RecordSettings, sources: Vec<Box<dyn RxQueue>>) -> (RecordReport, Vec<String>) {
    let recorder = Recorder::start(settings).expect("a folder");
    let counts = recorder.counts();
    let mut warnings = Vec::new();
    for source in sources {
        let mut queue = recorder.tee(source);
        drain(queue.as_mut());
        warnings.extend(queue.warnings());
    }
    drop(recorder);
    (counts.report(), warnings)
}

fn recorded(folder: &Path) -> Vec<u32> {
    let queues = pcap::open(&[folder.to_owned()], 1, FileSettings::default()).expect("captures");
    queues.into_iter().flat_map(|mut queue| drain(queue.as_mut())).collect()
}

fn sizes(folder: &Path) -> Vec<u64> {
    fs::read_dir(folder)
        .expect("a folder")
        .map(|e| e.expect("entry").metadata().expect("size").len())
        .collect()
}

#[test]
fn every_frame_of_every_worker_is_in_a_file() {
    let folder = tempfile::tempdir().expect("folder");
    let settings = RecordSettings { folder: folder.path().join("made"), ..RecordSettings::default() };
    let (report, warnings) = record(settings, vec![Source::boxed(1500, 400), Source::boxed(1500, 400)]);
    assert_eq!((report.frames, report.lost, report.files, warnings), (3000, 0, 1, Vec::new()));
    let mut seen = recorded(&folder.path().join("made"));
    assert_eq!(seen.len(), 3000);
    seen.sort_unstable();
    assert!(seen.chunks(2).zip(1..).all(|(pair, n)| pair == [n, n]));
}

#[test]
fn the_ring_keeps_its_size_and_the_newest() {
    let folder = tempfile::tempdir().expect("folder");
    let settings = RecordSettings {
        folder: folder.path().to_owned(),
        size: 2 << 20,
        file_size: 600 << 10,
        file_seconds: 0,
        ..RecordSettings::default()
    };
    let (report, _) = record(settings, vec![Source::boxed(10_000, 100_000)]);
    assert_eq!(report.frames, 10_000);
    assert!(report.deleted > 10, "{report:?}");
    assert!(sizes(folder.path()).iter().sum::<u64>() <= 2 << 20);
    let seen = recorded(folder.path());
    assert_eq!(seen.last(), Some(&10_000));
    assert!(seen.windows(2).all(|pair| pair[1] == pair[0] + 1));
}

#[test]
fn files_end_and_go_by_packet_time() {
    let folder = tempfile::tempdir().expect("folder");
    let settings = RecordSettings {
        folder: folder.path().to_owned(),
        file_seconds: 10,
        keep_seconds: 20,
        ..RecordSettings::default()
    };
    let (report, _) = record(settings, vec![Source::boxed(1000, 10)]);
    assert!(report.files >= 9, "{report:?}");
    let seen = recorded(folder.path());
    assert!(seen[0] > 500 && seen[0] <= 800, "{}", seen[0]);
    assert_eq!(seen.last(), Some(&1000));
}

#[test]
fn what_is_not_ours_stays_and_what_was_ours_counts() {
    let folder = tempfile::tempdir().expect("folder");
    let other = ["notes.txt", "vigie-x-000001.pcapng", "vigie-12-.pcapng"];
    for name in other {
        fs::write(folder.path().join(name), [0; 4096]).expect("a file");
    }
    let left = folder.path().join("vigie-0000000001-000001.pcapng");
    fs::write(&left, vec![0; 1 << 20]).expect("a file");
    let settings =
        RecordSettings { folder: folder.path().to_owned(), size: 1 << 20, ..RecordSettings::default() };
    record(settings, vec![Source::boxed(100, 1000)]);
    assert!(!left.exists());
    assert!(other.iter().all(|name| folder.path().join(name).exists()));
}

#[test]
fn a_disk_that_refuses_costs_frames_and_says_so() {
    let folder = tempfile::tempdir().expect("folder");
    let place = folder.path().join("ring");
    let settings = RecordSettings { folder: place.clone(), ..RecordSettings::default() };
    let recorder = Recorder::start(settings).expect("a folder");
    fs::remove_dir(&place).expect("empty");
    let counts = recorder.counts();
    let mut queue = recorder.tee(Source::boxed(5000, 100_000));
    assert_eq!(drain(queue.as_mut()).len(), 5000);
    let looks = (0..1000).take_while(|_| counts.report().lost < 5000);
    looks.for_each(|_| std::thread::sleep(Duration::from_millis(5)));
    assert!(queue.warnings().iter().any(|text| text.contains("vigie-")), "it names the file");
    drop(queue);
    drop(recorder);
    assert_eq!((counts.report().frames, counts.report().lost), (0, 5000));
}

#[test]
fn a_folder_that_cannot_be_is_an_error_at_once() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("file");
    fs::write(&file, []).expect("a file");
    let settings = RecordSettings { folder: file, ..RecordSettings::default() };
    assert!(Recorder::start(settings).is_err());
}
