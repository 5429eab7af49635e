//! What Google Cloud imports: one sparse `disk.raw` in a tar of the old GNU format, in gzip ("Requirements to build custom
//! images"; the layout is that of the GNU tar manual, "Old GNU Format").

use crate::Fault;
use crate::disk::stretches;
use flate2::{Compression, GzBuilder};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use tar::{EntryType, GnuExtSparseHeader, GnuSparseHeader, Header};

/// The name that is expected.
pub const NAME: &str = "disk.raw";
/// Disks are whole GiB.
const GIB: u64 = 1 << 30;
const BLOCK: u64 = 512;

/// Writes a raw disk as that archive.
///
/// # Errors
/// When its size is not whole GiB, or something cannot be read or written.
pub fn write(disk: &mut File, size: u64, out: &mut impl Write) -> Result<(), Fault> {
    if size == 0 || !size.is_multiple_of(GIB) {
        return Err(Fault::new(format!("{size} bytes: Google Cloud takes whole GiB")));
    }
    let mut gzip = GzBuilder::new().mtime(0).write(out, Compression::default());
    archive(disk, size, &mut gzip)?;
    gzip.finish()?.flush().map_err(Fault::from)
}

/// The archive without its gzip, of a disk of any size.
fn archive(disk: &mut File, size: u64, out: &mut impl Write) -> io::Result<()> {
    disk.rewind()?;
    let mut map = stretches(disk)?;
    let stored: u64 = map.iter().map(|(_, length)| length).sum();
    // An entry without bytes says how far the last hole reaches.
    map.push((size, 0));
    let mut header = Header::new_gnu();
    header.set_path(NAME)?;
    header.set_mode(0o644);
    header.set_entry_type(EntryType::GNUSparse);
    header.set_size(stored);
    for set in [Header::set_uid, Header::set_gid, Header::set_mtime] {
        set(&mut header, 0);
    }
    let (first, rest) = map.split_at(map.len().min(4));
    if let Some(gnu) = header.as_gnu_mut() {
        gnu.sparse.iter_mut().zip(first).for_each(|(place, piece)| describe(place, *piece));
        gnu.set_is_extended(!rest.is_empty());
        gnu.set_real_size(size);
    }
    header.set_cksum();
    out.write_all(header.as_bytes())?;
    let mut pieces = rest.chunks(21).peekable();
    while let Some(part) = pieces.next() {
        let mut more = GnuExtSparseHeader::new();
        more.sparse.iter_mut().zip(part).for_each(|(place, piece)| describe(place, *piece));
        more.set_is_extended(pieces.peek().is_some());
        out.write_all(more.as_bytes())?;
    }
    for (offset, length) in map {
        disk.seek(SeekFrom::Start(offset))?;
        io::copy(&mut disk.take(length), out)?;
    }
    // The file is filled to a block; two empty blocks end the archive.
    let fill = stored.next_multiple_of(BLOCK) - stored + 2 * BLOCK;
    io::copy(&mut io::repeat(0).take(fill), out).map(drop)
}

fn describe(place: &mut GnuSparseHeader, (offset, length): (u64, u64)) {
    place.set_offset(offset);
    place.set_length(length);
}

/// Reads such an archive, writes the disk that it holds, and gives its size.
///
/// # Errors
/// When it holds anything else, or the disk is not whole GiB.
pub fn read(file: impl Read, disk: &mut dyn Write) -> Result<u64, Fault> {
    let size = unpacked(flate2::read::GzDecoder::new(file), disk)?;
    if !size.is_multiple_of(GIB) {
        return Err(Fault::new(format!("{NAME} has {size} bytes: not whole GiB")));
    }
    Ok(size)
}

fn unpacked(file: impl Read, disk: &mut dyn Write) -> Result<u64, Fault> {
    let mut archive = tar::Archive::new(file);
    let mut size = None;
    for entry in archive.entries()? {
        let mut entry = entry?;
        let name = entry.path()?.display().to_string();
        if name != NAME || size.is_some() {
            return Err(Fault::new(format!("{name}: {NAME} alone is expected")));
        }
        if entry.header().as_gnu().is_none() {
            return Err(Fault::new("it is not in the GNU format"));
        }
        size = Some(io::copy(&mut entry, disk)?);
    }
    size.ok_or_else(|| Fault::new(format!("there is no {NAME}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// A disk with more stretches than one header describes.
    fn disk() -> (File, Vec<u8>) {
        let mut bytes = vec![0_u8; 8 << 20];
        for at in (0..40).map(|n| n * 3 * 65_536 + 17) {
            bytes[at] = 7;
        }
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(&bytes).expect("written");
        (file, bytes)
    }

    #[test]
    fn it_reads_back_and_the_same_disk_gives_the_same_bytes() {
        let (mut file, bytes) = disk();
        let mut made = Vec::new();
        archive(&mut file, bytes.len() as u64, &mut made).expect("written");
        let mut again = Vec::new();
        archive(&mut file, bytes.len() as u64, &mut again).expect("written");
        assert!(made == again && made.len() < bytes.len() / 2);
        let mut read = Vec::new();
        assert_eq!(unpacked(made.as_slice(), &mut read).expect("an archive"), bytes.len() as u64);
        assert!(read == bytes);
    }

    #[test]
    fn gnu_tar_unpacks_it() {
        let (mut file, bytes) = disk();
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("disk.tar");
        archive(&mut file, bytes.len() as u64, &mut File::create(&path).expect("a file")).expect("written");
        let done =
            Command::new("tar").arg("-C").arg(folder.path()).arg("-xf").arg(&path).status().expect("tar");
        assert!(done.success());
        assert!(std::fs::read(folder.path().join(NAME)).expect("unpacked") == bytes);
    }

    #[test]
    fn other_sizes_and_other_content_are_refused() {
        let (mut file, bytes) = disk();
        assert!(write(&mut file, bytes.len() as u64, &mut Vec::new()).is_err());
        let mut other = tar::Builder::new(Vec::new());
        let mut header = Header::new_gnu();
        header.set_size(0);
        other.append_data(&mut header, "disk.img", io::empty()).expect("memory");
        let other = other.into_inner().expect("memory");
        assert!(
            unpacked(other.as_slice(), &mut io::sink())
                .expect_err("another name")
                .to_string()
                .contains("disk.img")
        );
    }
}
