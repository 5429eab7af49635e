//! What kernels on the disk are told to do. Their words stand as text in the unified image that lies in the EFI system
//! partition (UAPI.5, section `.cmdline`), and begin with the hash of the root.

use super::{Subject, partitions};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

const SECTOR: u64 = 512;
/// How the words begin.
const BEGIN: &[u8] = b"roothash=";
/// The longest that are read.
const LONGEST: usize = 2048;
/// How much is looked at in one go.
const PIECE: usize = 1 << 20;

pub(super) fn words(subject: &Subject) -> Option<Vec<String>> {
    each(subject, |line| {
        let mut faults = Vec::new();
        let hash = word(line, "roothash=").unwrap_or_default();
        if hash.len() != 64 || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            faults.push(format!("its root has no SHA-256: `{hash}`"));
        }
        if !line.split(' ').any(|word| word.starts_with("console=ttyS0")) {
            faults.push("it is silent on the serial line: no console=ttyS0".to_owned());
        }
        if word(line, "rd.shell=") != Some("0") {
            faults.push("it opens a shell when it fails: no rd.shell=0".to_owned());
        }
        let open = ["init=", "rd.break", "systemd.debug_shell", "systemd.debug-shell", "single", "emergency"];
        let opens = |word: &&str| open.iter().any(|start| word.starts_with(start));
        faults.extend(line.split(' ').filter(opens).map(|word| format!("it opens a shell: {word}")));
        faults
    })
}

pub(super) fn early(subject: &Subject) -> Option<Vec<String>> {
    each(subject, |line| match word(line, "earlyprintk=").is_some_and(|to| to.starts_with("ttyS0")) {
        true => Vec::new(),
        false => vec!["no earlyprintk=ttyS0".to_owned()],
    })
}

/// The rest of the word that begins so.
fn word<'l>(line: &'l str, start: &str) -> Option<&'l str> {
    line.split(' ').find_map(|word| word.strip_prefix(start))
}

/// Faults of every kernel's words; one more where there is no kernel.
fn each(subject: &Subject, look: impl Fn(&str) -> Vec<String>) -> Option<Vec<String>> {
    let path = subject.disk.as_deref()?;
    Some(match lines(path) {
        Err(error) => vec![format!("{}: {error}", path.display())],
        Ok(lines) if lines.is_empty() => {
            vec!["no kernel in the EFI system partition names its root".to_owned()]
        }
        Ok(lines) => lines.iter().flat_map(|line| look(line)).collect(),
    })
}

/// The words of each kernel in the EFI system partition.
fn lines(path: &Path) -> io::Result<Vec<String>> {
    let mut disk = File::open(path)?;
    let Some((first, last)) = partitions::esp(&mut disk)? else { return Ok(Vec::new()) };
    disk.seek(SeekFrom::Start(first * SECTOR))?;
    let mut left = disk.take((last.saturating_sub(first) + 1) * SECTOR);
    let (mut lines, mut held) = (Vec::new(), Vec::new());
    loop {
        let before = held.len();
        let is_end = left.by_ref().take(PIECE as u64).read_to_end(&mut held)? == 0;
        // what begins near the end of a piece is read with the next one
        let whole = if is_end { held.len() } else { held.len().saturating_sub(LONGEST) };
        lines.extend(found(&held, whole));
        if is_end || held.len() == before {
            return Ok(lines);
        }
        held.drain(..whole);
    }
}

/// Words that begin in the first `whole` bytes.
fn found(bytes: &[u8], whole: usize) -> Vec<String> {
    let begins = |at: &usize| bytes.get(*at..).is_some_and(|rest| rest.starts_with(BEGIN));
    let text = |at: usize| {
        let rest = bytes.get(at..bytes.len().min(at + LONGEST)).unwrap_or_default();
        let end = rest.iter().position(|byte| !(b' '..=b'~').contains(byte)).unwrap_or(rest.len());
        String::from_utf8_lossy(rest.get(..end).unwrap_or_default()).into_owned()
    };
    (0..whole).filter(begins).map(text).collect()
}
