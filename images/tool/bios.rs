//! A loader for firmware without UEFI, put into a disk by offset: no loop device, and nothing of the machine that does it.
//!
//! GRUB's boot sector reads one sector whose place stands in it; that sector reads the others by a list at its end (GRUB's
//! sources, `grub-core/boot/i386/pc/boot.S` and `diskboot.S`; include/grub/i386/pc/boot.h and kernel.h have the offsets).

use crate::Fault;
use crate::disk::SECTOR;
use std::io::{Read, Seek, SeekFrom, Write};

/// Code of the boot sector; behind it the partition table begins.
const CODE: usize = 440;
/// Where the place of the second sector stands.
const KERNEL: usize = 0x5c;
/// A jump that asks the firmware which disk this is; two NOPs believe the firmware.
const DRIVE: usize = 0x66;
/// Where the list of the second sector stands: first sector, count, segment.
const LIST: usize = 512 - 12;
/// Segment to which the rest is read.
const SEGMENT: u16 = 0x820;

/// Puts GRUB into a disk: `boot` is its boot.img, `core` what grub-mkimage made, `start` and `sectors` the BIOS boot
/// partition.
///
/// # Errors
/// When the core does not fit, an image is none of GRUB's, or the disk cannot be written.
pub fn embed(
    disk: &mut (impl Read + Write + Seek),
    boot: &[u8],
    core: &[u8],
    start: u64,
    sectors: u64,
) -> Result<(), Fault> {
    let code = boot.get(..CODE).filter(|_| boot.len() == 512 && boot[510..] == [0x55, 0xaa]);
    let code = code.ok_or_else(|| Fault::new("boot.img is not one sector that ends in 55 aa"))?;
    let length = (core.len() as u64).div_ceil(SECTOR);
    if length < 2 || length > sectors || length - 1 > u64::from(u16::MAX) {
        return Err(Fault::new(format!("GRUB's core takes {length} sectors, its partition has {sectors}")));
    }
    let mut first = code.to_vec();
    first[KERNEL..KERNEL + 8].copy_from_slice(&start.to_le_bytes());
    first[DRIVE..DRIVE + 2].copy_from_slice(&[0x90, 0x90]);
    let mut core = core.to_vec();
    core[LIST..LIST + 8].copy_from_slice(&(start + 1).to_le_bytes());
    core[LIST + 8..LIST + 10].copy_from_slice(&u16::try_from(length - 1).unwrap_or(u16::MAX).to_le_bytes());
    core[LIST + 10..LIST + 12].copy_from_slice(&SEGMENT.to_le_bytes());
    core.resize(usize::try_from(length * SECTOR).unwrap_or(usize::MAX), 0);
    disk.seek(SeekFrom::Start(start * SECTOR))?;
    disk.write_all(&core)?;
    disk.rewind()?;
    disk.write_all(&first)?;
    disk.flush().map_err(Fault::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn boot() -> Vec<u8> {
        let mut boot = vec![0xcc; 512];
        boot[510..].copy_from_slice(&[0x55, 0xaa]);
        boot
    }

    #[test]
    fn both_sectors_lead_on_and_the_partition_table_stays() {
        let mut disk = Cursor::new(vec![0x11; 100 * 512]);
        embed(&mut disk, &boot(), &[0xee; 1300], 40, 10).expect("embedded");
        let disk = disk.into_inner();
        assert_eq!(disk[KERNEL..KERNEL + 8], 40_u64.to_le_bytes());
        assert_eq!(disk[DRIVE..DRIVE + 2], [0x90, 0x90]);
        assert!(disk[CODE..40 * 512].iter().all(|b| *b == 0x11));
        let core = &disk[40 * 512..43 * 512];
        assert_eq!(
            core[LIST..],
            [&41_u64.to_le_bytes()[..], &[2, 0, 0x20, 0x08], &[0xee; 788], &[0; 236]].concat()
        );
        assert!(disk[43 * 512..].iter().all(|b| *b == 0x11));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let mut disk = Cursor::new(vec![0; 100 * 512]);
        assert!(embed(&mut disk, &boot(), &[0; 1300], 40, 2).is_err());
        assert!(embed(&mut disk, &boot(), &[0; 300], 40, 2).is_err());
        assert!(embed(&mut disk, &[0; 512], &[0; 1300], 40, 9).is_err());
    }
}
