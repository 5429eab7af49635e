//! VHD, fixed (Microsoft, "Virtual Hard Disk Image Format Specification" 1.0): the raw disk with a footer behind it.
//!
//! Azure takes fixed disks alone, of whole MiB, and reads the size from the footer. Time and UUID come from the content, so
//! that the same disk gives the same bytes.

use crate::Fault;
use crate::disk::{SECTOR, copy_sparse, hash};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};

/// Azure's unit.
const MIB: u64 = 1 << 20;
/// Azure's largest disk for a machine's system.
const MOST: u64 = 1023 << 30;

/// Cylinders, heads and sectors of a track, by the appendix "CHS Calculation".
#[must_use]
pub fn geometry(sectors: u64) -> (u16, u8, u8) {
    let sectors = sectors.min(65_535 * 16 * 255);
    let (track, heads, rows);
    if sectors >= 65_535 * 16 * 63 {
        (track, heads, rows) = (255, 16, sectors / 255);
    } else {
        let tried = sectors / 17;
        let wanted = tried.div_ceil(1024).max(4);
        if tried < wanted * 1024 && wanted <= 16 {
            (track, heads, rows) = (17, wanted, tried);
        } else if sectors / 31 < 16 * 1024 {
            (track, heads, rows) = (31, 16, sectors / 31);
        } else {
            (track, heads, rows) = (63, 16, sectors / 63);
        }
    }
    let small = |n: u64| u8::try_from(n).unwrap_or(u8::MAX);
    (u16::try_from(rows / heads).unwrap_or(u16::MAX), small(heads), small(track))
}

/// The footer of a disk of `size` bytes with this content.
#[must_use]
pub fn footer(size: u64, content: &[u8; 32]) -> [u8; SECTOR as usize] {
    let mut out = [0; SECTOR as usize];
    let mut put = |at: usize, bytes: &[u8]| out[at..at + bytes.len()].copy_from_slice(bytes);
    let (cylinders, heads, track) = geometry(size / SECTOR);
    put(0, b"conectix");
    // Reserved, always set; version 1.0; no dynamic header follows.
    put(8, &2_u32.to_be_bytes());
    put(12, &0x1_0000_u32.to_be_bytes());
    put(16, &u64::MAX.to_be_bytes());
    // The time, 0 for the beginning of 2000; then who made it. Readers take the size below for true, and not the geometry,
    // where it was made by the system that is named here.
    put(28, b"win ");
    put(32, &0x6_0003_u32.to_be_bytes());
    put(36, b"Wi2k");
    put(40, &size.to_be_bytes());
    put(48, &size.to_be_bytes());
    put(56, &cylinders.to_be_bytes());
    put(58, &[heads, track]);
    put(60, &2_u32.to_be_bytes());
    put(68, &content[..16]);
    let sum = checksum(&out);
    out[64..68].copy_from_slice(&sum.to_be_bytes());
    out
}

/// One's complement of the sum of all bytes, those of the checksum itself left out.
fn checksum(footer: &[u8]) -> u32 {
    let counted = footer.iter().enumerate().filter(|(at, _)| !(64..68).contains(at));
    !counted.map(|(_, byte)| u32::from(*byte)).sum::<u32>()
}

/// Writes a raw disk as fixed VHD.
///
/// # Errors
/// When its size is not what Azure takes, or something cannot be read or written.
pub fn write(disk: &mut File, size: u64, out: &mut File) -> Result<(), Fault> {
    allowed(size)?;
    disk.rewind()?;
    let content = hash(disk)?;
    copy_sparse(disk, out)?;
    out.seek(SeekFrom::Start(size))?;
    out.write_all(&footer(size, &content))?;
    out.flush().map_err(Fault::from)
}

fn allowed(size: u64) -> Result<(), Fault> {
    if size == 0 || !size.is_multiple_of(MIB) || size > MOST {
        return Err(Fault::new(format!("{size} bytes: Azure takes whole MiB, 1023 GiB at the most")));
    }
    Ok(())
}

/// Reads a footer as Azure does, and gives the size of the disk before it.
///
/// # Errors
/// When it breaks a rule, or the file does.
pub fn read(file: &mut File) -> Result<u64, Fault> {
    let bad = |text: String| Err(Fault::new(format!("VHD: {text}")));
    let length = file.seek(SeekFrom::End(0))?;
    let Some(before) = length.checked_sub(SECTOR) else { return bad("shorter than its footer".into()) };
    file.seek(SeekFrom::Start(before))?;
    let mut footer = [0; SECTOR as usize];
    file.read_exact(&mut footer)?;
    let word = |at: usize| footer[at..at + 4].iter().fold(0_u32, |n, b| n << 8 | u32::from(*b));
    let long = |at: usize| u64::from(word(at)) << 32 | u64::from(word(at + 4));
    if &footer[..8] != b"conectix" {
        return bad("no footer in the last sector".into());
    }
    if word(64) != checksum(&footer) {
        return bad(format!("checksum {:#x} where {:#x} is right", word(64), checksum(&footer)));
    }
    if (word(12), word(60), long(16)) != (0x1_0000, 2, u64::MAX) {
        return bad(format!(
            "type {} of version {:#x}: a fixed disk of version 1.0 is expected",
            word(60),
            word(12)
        ));
    }
    if long(48) != before || long(40) != before {
        return bad(format!("it says {} bytes and has {before}", long(48)));
    }
    allowed(before)?;
    Ok(before)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// From the appendix: small disks have few heads, large ones all of them.
    #[test]
    fn geometry_follows_the_specification() {
        for (sectors, chs) in [
            (65_535 * 16 * 255 + 7, (65_535, 16, 255)),
            (4 << 21, (8_322, 16, 63)),
            (32 << 11, (963, 4, 17)),
            (450_000, (907, 16, 31)),
        ] {
            let (c, h, s) = geometry(sectors);
            assert!(u64::from(c) * u64::from(h) * u64::from(s) <= sectors);
            assert_eq!((c, h, s), chs, "{sectors}");
        }
    }

    fn disk(size: u64) -> File {
        let mut file = tempfile::tempfile().expect("a file");
        file.set_len(size).expect("long");
        file.seek(SeekFrom::Start(size / 2)).expect("there");
        file.write_all(b"something").expect("written");
        file
    }

    #[test]
    fn it_reads_back_and_the_same_disk_gives_the_same_bytes() {
        let all = |file: &mut File| {
            let mut bytes = Vec::new();
            file.rewind().and_then(|()| file.read_to_end(&mut bytes)).expect("read");
            bytes
        };
        let mut made = Vec::new();
        for _ in 0..2 {
            let mut out = tempfile::tempfile().expect("a file");
            write(&mut disk(4 << 20), 4 << 20, &mut out).expect("written");
            assert_eq!(read(&mut out).expect("a VHD"), 4 << 20);
            made.push(all(&mut out));
        }
        assert!(made[0] == made[1]);
        assert!(made[0][..4 << 20] == all(&mut disk(4 << 20)));
    }

    #[test]
    fn what_azure_refuses_is_refused_here() {
        let mut out = tempfile::tempfile().expect("a file");
        assert!(write(&mut disk((4 << 20) + 512), (4 << 20) + 512, &mut out).is_err());
        write(&mut disk(4 << 20), 4 << 20, &mut out).expect("written");
        for (at, told) in [(0, "no footer"), (60, "checksum"), (48, "checksum")] {
            let mut byte = [0];
            out.seek(SeekFrom::Start((4 << 20) + at)).and_then(|_| out.read_exact(&mut byte)).expect("read");
            let put = |out: &mut File, byte: u8| {
                out.seek(SeekFrom::Start((4 << 20) + at))
                    .and_then(|_| out.write_all(&[byte]))
                    .expect("written");
            };
            put(&mut out, byte[0] ^ 1);
            assert!(read(&mut out).expect_err("spoiled").to_string().contains(told));
            put(&mut out, byte[0]);
        }
        out.set_len((3 << 20) + 512).expect("shorter");
        assert!(read(&mut out).is_err());
    }

    #[test]
    fn qemu_reads_the_same_disk() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name).display().to_string();
        let size = 8 << 20;
        let mut raw = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(path("raw"))
            .expect("a file");
        copy_sparse(&mut disk(size), &mut raw).expect("copied");
        let mut out = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(path("vhd"))
            .expect("a file");
        write(&mut raw, size, &mut out).expect("written");
        let compared = Command::new("qemu-img")
            .args(["compare", "-f", "raw", "-F", "vpc", &path("raw"), &path("vhd")])
            .output();
        match compared {
            Ok(compared) => assert!(compared.status.success(), "{compared:?}"),
            Err(_) => eprintln!("skipped: qemu-img is not installed"),
        }
    }
}
