//! What is written reads back, by our own reader and by qemu-img; what was spoiled is told.

use super::*;
use proptest::prelude::*;
use std::io::Cursor;
use std::process::Command;

const GRAIN: usize = 64 << 10;

fn written(disk: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut Cursor::new(disk), disk.len() as u64, "disk.vmdk", &mut out).expect("written");
    out
}

fn back(vmdk: &[u8]) -> Result<(Vec<u8>, Shape), String> {
    let mut disk = Vec::new();
    read(vmdk, &mut disk).map(|shape| (disk, shape)).map_err(|e| e.to_string())
}

/// A disk with something in its first, some middle, and its last grain, which it does not fill.
fn disk() -> Vec<u8> {
    let mut disk = vec![0; 33 * (1 << 20) + 512];
    for (at, byte) in disk.iter_mut().enumerate().skip(700 * GRAIN / 2).take(3 * GRAIN) {
        *byte = (at.wrapping_mul(2_654_435_761) >> 13) as u8;
    }
    disk[0] = 1;
    *disk.last_mut().expect("long") = 2;
    disk
}

#[test]
fn it_reads_back_and_ends_with_a_sector_of_zeros() {
    let disk = disk();
    let vmdk = written(&disk);
    let (read, shape) = back(&vmdk).expect("whole");
    assert!(read == disk);
    assert_eq!((shape.capacity, shape.length), (disk.len() as u64 / 512, vmdk.len() as u64 / 512));
    assert!(vmdk[vmdk.len() - 512..].iter().all(|b| *b == 0));
    assert_eq!(&vmdk[vmdk.len() - 1024..][..4], b"KDMV", "the footer stands before the end");
    assert!(vmdk == written(&disk), "the same bytes again");
}

#[test]
fn an_empty_disk_is_one_too() {
    let (read, shape) = back(&written(&[0; 1 << 20])).expect("whole");
    assert_eq!((read.len(), shape.grains), (1 << 20, 0));
}

#[test]
fn whatever_is_spoiled_is_told() {
    let vmdk = written(&disk());
    let said = |spoil: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = vmdk.clone();
        spoil(&mut bytes);
        back(&bytes).expect_err("spoiled")
    };
    let end = vmdk.len();
    assert!(said(&|b| b.extend([0; 512])).contains("behind the end-of-stream"));
    assert!(said(&|b| b.truncate(end - 512)).contains("breaks off"));
    assert!(said(&|b| b[end - 1] = 1).contains("no end-of-stream"));
    assert!(said(&|b| b[0] = 0).contains("no header"));
    assert!(said(&|b| b[56] = 0).contains("not written as a stream"));
    assert!(said(&|b| b[75] = b'\n').contains("line ends"));
    assert!(said(&|b| b[128 * 512 + 40] ^= 0xff).contains("the grain at sector 128"));
    assert!(said(&|b| b[end - 1024 + 12] ^= 1).contains("footer contradicts"));
}

#[test]
fn a_single_flipped_bit_never_reads_back_as_another_disk() {
    let disk: Vec<u8> = (0..2 * GRAIN).map(|n| if n % 5000 < 3 { (n % 251) as u8 } else { 0 }).collect();
    let vmdk = written(&disk);
    for at in (0..100).chain((100..vmdk.len()).step_by(997)) {
        let mut bytes = vmdk.clone();
        bytes[at] ^= 0x10;
        if let Ok((read, _)) = back(&bytes) {
            // Bytes that nobody reads: padding, and what the descriptor says in words.
            assert!(read == disk, "byte {at}");
        }
    }
}

#[test]
fn qemu_reads_the_same_disk() {
    let folder = tempfile::tempdir().expect("a folder");
    let (raw, vmdk) = (folder.path().join("disk.raw"), folder.path().join("disk.vmdk"));
    let disk = disk();
    std::fs::write(&raw, &disk).and_then(|()| std::fs::write(&vmdk, written(&disk))).expect("files");
    let run = |arguments: &[&str]| Command::new("qemu-img").args(arguments).output();
    let (raw, vmdk) = (raw.display().to_string(), vmdk.display().to_string());
    let Ok(compared) = run(&["compare", "-f", "raw", "-F", "vmdk", &raw, &vmdk]) else {
        return eprintln!("skipped: qemu-img is not installed");
    };
    assert!(compared.status.success(), "{compared:?}");
    let checked = run(&["check", "-f", "vmdk", &vmdk]).expect("qemu-img");
    assert!(checked.status.success(), "{checked:?}");
    // What qemu-img writes itself is what importers refuse, and our reader says why.
    let theirs = folder.path().join("theirs.vmdk").display().to_string();
    run(&["convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=streamOptimized", &raw, &theirs])
        .expect("qemu-img");
    let said = back(&std::fs::read(theirs).expect("a file")).expect_err("it is no stream");
    assert!(said.contains("flags 0x30003") || said.contains("not written as a stream"), "{said}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_disk_reads_back(sectors in 1_usize..900, marks in proptest::collection::vec((any::<usize>(), any::<u8>()), 0..20)) {
        let mut disk = vec![0; sectors * 512];
        for (at, byte) in marks {
            let at = at % disk.len();
            disk[at] = byte;
        }
        prop_assert!(back(&written(&disk)).expect("whole").0 == disk);
    }

    #[test]
    fn any_bytes_are_survived(tail in proptest::collection::vec(any::<u8>(), 0..2000), at in 0_usize..600) {
        let mut bytes = written(&[1; 4096]);
        for (place, byte) in bytes.iter_mut().skip(at * 20).zip(&tail) {
            *place = *byte;
        }
        let _ = read(bytes.as_slice(), &mut std::io::sink());
    }
}
