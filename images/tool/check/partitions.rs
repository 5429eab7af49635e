//! The disk itself, by the UEFI specification 2.10, section 5.3 (GUID Partition Table).

use super::Subject;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

const SECTOR: u64 = 512;
/// The type of an EFI system partition, as it lies on the disk.
const ESP: [u8; 16] =
    [0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b];
/// The type of a Linux swap partition.
const SWAP: [u8; 16] =
    [0x6d, 0xfd, 0x57, 0x06, 0xab, 0xa4, 0xc4, 0x43, 0x84, 0xe5, 0x09, 0x33, 0xc8, 0x4b, 0x4f, 0x4f];

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|b| b.try_into().ok()).map_or(0, u64::from_le_bytes)
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

pub(super) fn table(subject: &Subject) -> Option<Vec<String>> {
    let path = subject.disk.as_deref()?;
    Some(looked(path).unwrap_or_else(|e| vec![format!("{}: {e}", path.display())]))
}

fn looked(path: &Path) -> io::Result<Vec<String>> {
    let mut disk = File::open(path)?;
    let size = disk.metadata()?.len();
    let mut faults = Vec::new();
    let mbr = sectors(&mut disk, 0, 1)?;
    if mbr.get(450) != Some(&0xee) || mbr.get(510..) != Some(&[0x55, 0xaa]) {
        faults.push("no protective MBR".to_owned());
    }
    let (first, last) = (1, (size / SECTOR).saturating_sub(1));
    let mut lists = Vec::new();
    for (name, at, other) in [("first", first, last), ("second", last, first)] {
        match copy(&mut disk, at, other) {
            Ok(list) => lists.push(list),
            Err(why) => faults.push(format!("the {name} partition table: {why}")),
        }
    }
    if let [one, two] = lists.as_slice()
        && one != two
    {
        faults.push("the two partition tables differ".to_owned());
    }
    if let Some(list) = lists.first() {
        let has = |kind: [u8; 16]| list.chunks(128).any(|entry| entry.starts_with(&kind));
        if !has(ESP) {
            faults.push("no EFI system partition".to_owned());
        }
        if has(SWAP) {
            faults.push("a swap partition".to_owned());
        }
        for entry in list.chunks(128).filter(|entry| entry.get(..16) != Some(&[0; 16])) {
            let (start, end) = (u64_at(entry, 32), u64_at(entry, 40));
            if !start.is_multiple_of(2048) || end < start || end >= last {
                faults.push(format!(
                    "a partition from sector {start} to {end}: not on whole MiB, or outside the disk"
                ));
            }
        }
    }
    Ok(faults)
}

/// First and last sector of the EFI system partition, by the first table.
pub(super) fn esp(disk: &mut File) -> io::Result<Option<(u64, u64)>> {
    let last = disk.seek(SeekFrom::End(0))? / SECTOR;
    let list = copy(disk, 1, last.saturating_sub(1)).unwrap_or_default();
    let entry = list.chunks(128).find(|entry| entry.starts_with(&ESP));
    Ok(entry.map(|entry| (u64_at(entry, 32), u64_at(entry, 40))))
}

fn sectors(disk: &mut File, at: u64, count: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(count * SECTOR).unwrap_or(0)];
    disk.seek(SeekFrom::Start(at * SECTOR))?;
    disk.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// The entries of one copy of the table, when it is right.
fn copy(disk: &mut File, at: u64, other: u64) -> Result<Vec<u8>, String> {
    let header = sectors(disk, at, 1).map_err(|e| e.to_string())?;
    let length = usize::try_from(u32_at(&header, 12)).unwrap_or(0);
    if header.get(..8) != Some(b"EFI PART") || !(92..=512).contains(&length) {
        return Err(format!("none at sector {at}"));
    }
    let mut summed = header.clone();
    summed[16..20].fill(0);
    if crc(&summed[..length]) != u32_at(&header, 16) {
        return Err("its checksum is wrong".into());
    }
    if (u64_at(&header, 24), u64_at(&header, 32)) != (at, other) {
        return Err(format!(
            "it says it is at {} and the other at {}",
            u64_at(&header, 24),
            u64_at(&header, 32)
        ));
    }
    let (count, size) = (u64::from(u32_at(&header, 80)), u64::from(u32_at(&header, 84)));
    if size != 128 || count > 1024 {
        return Err(format!("{count} entries of {size} bytes"));
    }
    let list =
        sectors(disk, u64_at(&header, 72), (count * size).div_ceil(SECTOR)).map_err(|e| e.to_string())?;
    let list = list.get(..usize::try_from(count * size).unwrap_or(0)).unwrap_or_default().to_vec();
    if crc(&list) != u32_at(&header, 88) {
        return Err("the checksum of its entries is wrong".into());
    }
    Ok(list)
}

pub(super) fn size(subject: &Subject) -> Option<Vec<String>> {
    let size = std::fs::metadata(subject.disk.as_deref()?).map(|m| m.len()).unwrap_or(0);
    let fine = size > 0 && size.is_multiple_of(1 << 30);
    Some(if fine { Vec::new() } else { vec![format!("{size} bytes are not whole GiB")] })
}
