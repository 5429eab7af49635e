//! Captures made byte by byte, and what readers make of them.

mod corpora;
mod damage;
mod formats;
mod mutation;
mod sources;

use std::fs;
use std::path::{Path, PathBuf};

use frame::{Ledger, LinkType, Lot, RxQueue, RxStatus, Sorter, TapId, Timestamp};

use super::{FileSettings, OpenError, open, open_shared};

/// A folder of its own for one test, gone when the test is.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("vigie-capture-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// One frame as a reader saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    data: Vec<u8>,
    wire_len: u32,
    time: Timestamp,
    number: u64,
    link: LinkType,
    tap: TapId,
}

/// Everything that one reader saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Read {
    frames: Vec<Seen>,
    ledger: Ledger,
    warnings: Vec<String>,
}

fn drain(mut queue: Box<dyn RxQueue>) -> Read {
    let mut read = Read::default();
    let mut idle = 0;
    loop {
        let batch = queue.burst().unwrap();
        read.frames.extend(batch.frames.iter().map(|f| Seen {
            data: f.data.to_vec(),
            wire_len: f.wire_len,
            time: f.time,
            number: f.number,
            link: f.link,
            tap: f.tap,
        }));
        match batch.status {
            RxStatus::More => {}
            RxStatus::Idle(_) => idle += 1,
            RxStatus::End => break,
        }
        assert!(idle < 100, "ten seconds without a frame");
    }
    queue.account(&mut read.ledger);
    read.warnings = queue.warnings();
    read
}

/// Reads everything with so many readers side by side.
fn read_by(paths: &[PathBuf], readers: usize, settings: FileSettings) -> Result<Vec<Read>, OpenError> {
    let threads: Vec<_> = open(paths, readers, settings)?
        .into_iter()
        .map(|queue| std::thread::spawn(move || drain(queue)))
        .collect();
    Ok(threads.into_iter().map(|t| t.join().unwrap()).collect())
}

fn read(path: &Path) -> Read {
    read_by(&[path.to_owned()], 1, FileSettings::default()).unwrap().remove(0)
}

/// Reads bytes as a file of that name.
fn read_bytes(name: &str, bytes: &[u8]) -> Read {
    let folder = Folder::new(name);
    read(&folder.file("capture", bytes))
}

/// Byte order of a writer.
#[derive(Clone, Copy, PartialEq)]
enum Order {
    Le,
    Be,
}

impl Order {
    fn u16(self, v: u16) -> [u8; 2] {
        if self == Self::Le { v.to_le_bytes() } else { v.to_be_bytes() }
    }
    fn u32(self, v: u32) -> [u8; 4] {
        if self == Self::Le { v.to_le_bytes() } else { v.to_be_bytes() }
    }
    fn u64(self, v: u64) -> [u8; 8] {
        if self == Self::Le { v.to_le_bytes() } else { v.to_be_bytes() }
    }
    fn words(self, words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|w| self.u32(*w)).collect()
    }

    /// File header of a pcap.
    fn pcap(self, magic: u32, minor: u16, snaplen: u32, link: u32) -> Vec<u8> {
        let mut out = self.u32(magic).to_vec();
        out.extend([self.u16(2), self.u16(minor)].concat());
        out.extend(self.words(&[0, 0, snaplen, link]));
        out
    }

    /// A record of a pcap.
    fn record(self, seconds: u32, fraction: u32, data: &[u8]) -> Vec<u8> {
        let len = u32::try_from(data.len()).unwrap();
        let mut out = self.words(&[seconds, fraction, len, len]);
        out.extend(data);
        out
    }

    /// A block of a pcapng.
    fn block(self, kind: u32, body: &[u8]) -> Vec<u8> {
        let padded = body.len().next_multiple_of(4);
        let size = u32::try_from(padded + 12).unwrap();
        let mut out = self.words(&[kind, size]);
        out.extend(body);
        out.resize(8 + padded, 0);
        out.extend(self.u32(size));
        out
    }

    fn section(self) -> Vec<u8> {
        let mut body = self.u32(0x1a2b_3c4d).to_vec();
        body.extend([self.u16(1), self.u16(0)].concat());
        body.extend([0xff; 8]);
        self.block(0x0a0d_0d0a, &body)
    }

    fn interface(self, link: u16, snaplen: u32, options: &[(u16, Vec<u8>)]) -> Vec<u8> {
        let mut body = [self.u16(link), self.u16(0)].concat();
        body.extend(self.u32(snaplen));
        for (code, value) in options {
            body.extend(self.u16(*code));
            body.extend(self.u16(u16::try_from(value.len()).unwrap()));
            body.extend(value);
            body.resize(body.len().next_multiple_of(4), 0);
        }
        self.block(1, &body)
    }

    fn packet(self, interface: u32, units: u64, data: &[u8], wire_len: u32) -> Vec<u8> {
        let [high, low] = [units >> 32, units & 0xffff_ffff].map(|half| u32::try_from(half).unwrap());
        let mut body = self.words(&[interface, high, low, u32::try_from(data.len()).unwrap(), wire_len]);
        body.extend(data);
        self.block(6, &body)
    }
}

/// A pcap of so many frames, each of which shows its place.
fn numbered(count: u32) -> Vec<u8> {
    let mut out = Order::Le.pcap(0xa1b2_c3d4, 4, 65535, 1);
    for i in 0..count {
        let len = 4 + (i as usize * 37) % 400;
        let mut data = i.to_be_bytes().to_vec();
        data.resize(len, 0x5a);
        out.extend(Order::Le.record(1_000 + i, i % 1_000_000, &data));
    }
    out
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
