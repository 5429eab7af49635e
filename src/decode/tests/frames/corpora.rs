//! Every capture of the public corpora, when `VIGIE_CORPORA` names their folder: no panic, no broken promise, and
//! what steering says is what decoding finds. Without it the test says so and passes.

use std::path::{Path, PathBuf};

use decode::{Decoder, Settings};
use frame::{Frame, LinkType, Timestamp};

use crate::build::{frame, look_with};

/// Reads a classic capture file: either byte order, micro- or nanoseconds, the rest of a broken one left alone.
fn read(bytes: &[u8], mut each: impl FnMut(Frame<'_>)) -> Option<()> {
    let magic: [u8; 4] = bytes.get(..4)?.try_into().ok()?;
    let (big, unit) = match magic {
        [0xd4, 0xc3, 0xb2, 0xa1] => (false, 1000),
        [0x4d, 0x3c, 0xb2, 0xa1] => (false, 1),
        [0xa1, 0xb2, 0xc3, 0xd4] => (true, 1000),
        [0xa1, 0xb2, 0x3c, 0x4d] => (true, 1),
        _ => return None,
    };
    let word = |at: usize| -> Option<u32> {
        let word: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
        Some(if big { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) })
    };
    let link = LinkType(u16::try_from(word(20)? & 0xffff).ok()?);
    let (mut at, mut number) = (24, 0);
    while let (Some(seconds), Some(fraction), Some(have), Some(wire)) =
        (word(at), word(at + 4), word(at + 8), word(at + 12))
    {
        let Some(data) = bytes.get(at + 16..at + 16 + have as usize) else { break };
        number += 1;
        let time = Timestamp::from_nanos(u64::from(seconds) * 1_000_000_000 + u64::from(fraction) * unit);
        each(Frame { wire_len: wire, time, number, ..frame(link, data) });
        at += 16 + have as usize;
    }
    Some(())
}

fn captures(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            captures(&path, found);
        } else if path.extension().is_some_and(|e| e == "pcap" || e == "cap" || e == "pcapng") {
            found.push(path);
        }
    }
}

#[test]
fn every_public_capture_keeps_the_promises() {
    let Some(corpora) = std::env::var_os("VIGIE_CORPORA") else {
        eprintln!("VIGIE_CORPORA is not set: no captures read");
        return;
    };
    let mut files = Vec::new();
    for folder in ["tcpdump", "arkime", "zeek", "suricata", "ndpi", "icsnpp"] {
        captures(&Path::new(&corpora).join(folder), &mut files);
    }
    files.sort();
    let mut sums = decode::Counters::default();
    for file in &files {
        let Ok(bytes) = std::fs::read(file) else { continue };
        let mut decoder = Decoder::new(&Settings::default());
        read(&bytes, |frame| {
            look_with(&mut decoder, &frame);
        });
        sums.add(decoder.counters());
    }
    assert!(sums.packets > 100_000, "{} captures, {} packets", files.len(), sums.packets);
    sums.each(&mut |c| eprintln!("{:>10} {}", c.value, c.name));
}
