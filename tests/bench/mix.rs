//! The capture that speed figures speak of: made once, kept outside the clone.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a capture holds, counted by nobody who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) packets: u64,
    pub(crate) bytes: u64,
}

/// The benchmark mix: of the corpora where there are any, else of the bundled traffic.
pub(crate) fn capture(root: &Path) -> Result<PathBuf, String> {
    let cache = cache_folder()?;
    std::fs::create_dir_all(&cache).map_err(|e| format!("{}: {e}", cache.display()))?;
    match std::env::var_os("VIGIE_CORPORA") {
        Some(corpora) => of_corpora(Path::new(&corpora), &cache),
        None => of_bundled(&root.join("tests/cases/bundled"), &cache),
    }
}

fn cache_folder() -> Result<PathBuf, String> {
    if let Some(folder) = std::env::var_os("VIGIE_CACHE") {
        return Ok(folder.into());
    }
    let home = std::env::var_os("HOME").ok_or("neither VIGIE_CACHE nor HOME is set")?;
    Ok(Path::new(&home).join(".cache/vigie"))
}

fn of_corpora(corpora: &Path, cache: &Path) -> Result<PathBuf, String> {
    let mix = cache.join("mix-8-60.pcap");
    if mix.exists() {
        return Ok(mix);
    }
    super::say("making the benchmark mix from the corpora");
    let half = cache.join(format!("mix-8-60.pcap.{}", std::process::id()));
    let status = Command::new("python3")
        .arg(corpora.join("../tools/mixgen.py"))
        .arg(&half)
        .args(["8", "60"])
        .args(["ndpi", "zeek", "tcpdump"].map(|name| corpora.join(name).join("pcaps")))
        .stdout(std::process::Stdio::null())
        .status()
        .map_err(|e| format!("python3: {e}"))?;
    if !status.success() {
        return Err(format!("mixgen.py ended with {status}"));
    }
    std::fs::rename(&half, &mix).map_err(|e| format!("{}: {e}", mix.display()))?;
    Ok(mix)
}

/// Bundled captures one after another, again and again, with addresses of each round apart, until it is worth measuring.
fn of_bundled(folder: &Path, cache: &Path) -> Result<PathBuf, String> {
    const ROUNDS: u32 = 100;
    super::say(
        "VIGIE_CORPORA is not set: measuring on the bundled traffic, which no published figure speaks of",
    );
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .map_err(|e| format!("{}: {e}", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "pcap"))
        .collect();
    files.sort();
    let mut records = Vec::new();
    for path in &files {
        let bytes = std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
        records.extend(ethernet_records(&bytes).map(<[u8]>::to_vec));
    }
    if records.is_empty() {
        return Err(format!("{}: no captures", folder.display()));
    }
    let mix = cache.join("mix-bundled.pcap");
    std::fs::write(&mix, rounds(&records, ROUNDS)).map_err(|e| format!("{}: {e}", mix.display()))?;
    Ok(mix)
}

/// Frames of a little-endian Ethernet pcap with nanoseconds, as the recording script writes them.
fn ethernet_records(file: &[u8]) -> impl Iterator<Item = &[u8]> {
    let readable = file.starts_with(&0xa1b2_3c4d_u32.to_le_bytes()) && le32(file, 20) == 1;
    let mut rest = if readable { &file[24..] } else { &[] };
    std::iter::from_fn(move || {
        let len = 16 + rest.get(8..12).map(|_| le32(rest, 8))? as usize;
        let record = rest.get(16..len)?;
        rest = &rest[len..];
        Some(record)
    })
}

/// All records, `times` over, ten microseconds apart; each round under an 802.1Q tag of its own, so that flows differ.
fn rounds(records: &[Vec<u8>], times: u32) -> Vec<u8> {
    let mut out = Vec::new();
    for word in [0xa1b2_3c4d, 0x0004_0002, 0, 0, 262_144, 1_u32] {
        out.extend_from_slice(&word.to_le_bytes());
    }
    let frames = (1..=times).flat_map(|round| records.iter().map(move |r| (round, r)));
    for (i, (round, record)) in frames.filter(|(_, r)| r.len() >= 12).enumerate() {
        let nanos = i as u64 * 10_000;
        let len = record.len() as u32 + 4;
        for word in [1_700_000_000 + (nanos / 1_000_000_000) as u32, (nanos % 1_000_000_000) as u32, len, len]
        {
            out.extend_from_slice(&word.to_le_bytes());
        }
        out.extend_from_slice(&record[..12]);
        out.extend_from_slice(&(0x8100_0000 | round).to_be_bytes());
        out.extend_from_slice(&record[12..]);
    }
    out
}

/// Counts the records of a little-endian pcap.
pub(crate) fn count(path: &Path) -> Result<Counted, String> {
    let named = |e: std::io::Error| format!("{}: {e}", path.display());
    let mut from = BufReader::with_capacity(1 << 20, File::open(path).map_err(named)?);
    let mut header = [0; 24];
    from.read_exact(&mut header).map_err(named)?;
    if !matches!(le32(&header, 0), 0xa1b2_3c4d | 0xa1b2_c3d4) {
        return Err(format!(
            "{}: not a little-endian pcap, which this bench counts by itself",
            path.display()
        ));
    }
    let mut counted = Counted { packets: 0, bytes: 0 };
    let mut record = [0; 16];
    while from.read_exact(&mut record).is_ok() {
        let len = le32(&record, 8);
        from.seek_relative(i64::from(len)).map_err(named)?;
        counted.packets += 1;
        counted.bytes += u64::from(len);
    }
    Ok(counted)
}

fn le32(bytes: &[u8], at: usize) -> u32 {
    bytes.iter().skip(at).take(4).rev().fold(0, |n, byte| n << 8 | u32::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_are_tagged_and_counted() {
        let records = vec![vec![1; 60], vec![2; 30]];
        let file = rounds(&records, 3);
        let path = std::env::temp_dir().join(format!("vigie-bench-rounds-{}.pcap", std::process::id()));
        std::fs::write(&path, &file).unwrap();
        assert_eq!(count(&path).unwrap(), Counted { packets: 6, bytes: 3 * (64 + 34) });
        std::fs::remove_file(&path).unwrap();
        let last = ethernet_records(&file).last().unwrap();
        assert_eq!(&last[..18], [2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 0x81, 0, 0, 3, 2, 2]);
    }

    #[test]
    fn cut_files_end_early() {
        let file = rounds(&[vec![1; 60]], 2);
        assert_eq!(ethernet_records(&file[..file.len() - 1]).count(), 1);
        assert_eq!(ethernet_records(b"nothing").count(), 0);
    }
}
