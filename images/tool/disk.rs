//! The raw disk: read in order, its holes and its hash.

use crate::Fault;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Bytes of a sector.
pub const SECTOR: u64 = 512;
/// Bytes that are read at once.
const CHUNK: usize = 1 << 20;
/// Bytes of a stretch that is a hole or none.
const STRETCH: usize = 64 << 10;

/// Opens a raw disk and gives its size, which is whole sectors.
///
/// # Errors
/// When it cannot be read, is empty, or ends within a sector.
pub fn open(path: &Path) -> Result<(File, u64), Fault> {
    let named = |e: io::Error| Fault::new(format!("{}: {e}", path.display()));
    let file = File::open(path).map_err(named)?;
    let size = file.metadata().map_err(named)?.len();
    if size == 0 || !size.is_multiple_of(SECTOR) {
        return Err(Fault::new(format!("{}: {size} bytes are no disk of whole sectors", path.display())));
    }
    Ok((file, size))
}

/// SHA-256 of everything that a reader gives.
///
/// # Errors
/// When it cannot be read.
pub fn hash(reader: &mut dyn Read) -> io::Result<[u8; 32]> {
    let mut hash = Sha256::new();
    let mut chunk = vec![0; CHUNK];
    loop {
        match fill(reader, &mut chunk)? {
            0 => return Ok(hash.finalize().into()),
            n => hash.update(&chunk[..n]),
        }
    }
}

/// Reads until the buffer is full or the end is reached.
///
/// # Errors
/// When it cannot be read.
pub fn fill(reader: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut done = 0;
    while done < buffer.len() {
        match reader.read(&mut buffer[done..]) {
            Ok(0) => break,
            Ok(n) => done += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(done)
}

/// Whether there are zeros alone.
#[must_use]
pub fn is_zero(bytes: &[u8]) -> bool {
    let (head, words, tail) = (bytes.len() % 8, bytes.chunks_exact(8), bytes.chunks_exact(8).remainder());
    let word = |w: &[u8]| w.iter().fold(0_u8, |a, b| a | b) == 0;
    (head == 0 || word(tail)) && words.into_iter().all(word)
}

/// Stretches that are no holes, as offset and length, in order.
///
/// # Errors
/// When it cannot be read.
pub fn stretches(reader: &mut dyn Read) -> io::Result<Vec<(u64, u64)>> {
    let mut found: Vec<(u64, u64)> = Vec::new();
    let mut buffer = vec![0; STRETCH];
    let mut at = 0;
    loop {
        let n = fill(reader, &mut buffer)?;
        if n == 0 {
            return Ok(found);
        }
        if !is_zero(&buffer[..n]) {
            match found.last_mut() {
                Some((offset, length)) if *offset + *length == at => *length += n as u64,
                _ => found.push((at, n as u64)),
            }
        }
        at += n as u64;
    }
}

/// Copies a disk, leaving its holes out. The target is as long as the source afterwards.
///
/// # Errors
/// When it cannot be read or written.
pub fn copy_sparse(from: &mut File, to: &mut File) -> io::Result<()> {
    from.rewind()?;
    let mut buffer = vec![0; STRETCH];
    let mut at = 0;
    loop {
        let n = fill(from, &mut buffer)?;
        if n == 0 {
            return to.set_len(at);
        }
        if !is_zero(&buffer[..n]) {
            to.seek(SeekFrom::Start(at))?;
            to.write_all(&buffer[..n])?;
        }
        at += n as u64;
    }
}

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_are_seen_wherever_one_hides() {
        for n in [0, 1, 7, 8, 9, 4096] {
            let mut bytes = vec![0; n];
            assert!(is_zero(&bytes));
            for at in (0..n).step_by(3) {
                bytes[at] = 1;
                assert!(!is_zero(&bytes), "{at} of {n}");
                bytes[at] = 0;
            }
        }
    }

    #[test]
    fn stretches_are_joined_and_holes_left_out() {
        let mut disk = vec![0_u8; 5 * STRETCH + 512];
        disk[STRETCH] = 1;
        disk[2 * STRETCH] = 1;
        disk[5 * STRETCH + 511] = 1;
        let (s, l) = (STRETCH as u64, STRETCH as u64);
        assert_eq!(stretches(&mut disk.as_slice()).expect("memory"), [(s, 2 * l), (5 * s, 512)]);
    }
}
