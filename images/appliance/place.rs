//! Where things lie on the machine, below a root folder.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// The machine's file system.
#[derive(Clone, Debug)]
pub struct Place {
    root: PathBuf,
}

/// What persists: what was accepted, what the console set.
const STATE: &str = "var/lib/vigie-appliance";
/// What this boot knows.
const RUN: &str = "run/vigie-appliance";

impl Place {
    /// The machine whose root folder this is.
    #[must_use]
    pub fn under(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The root folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A path on the machine.
    #[must_use]
    pub fn at(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// What persists.
    #[must_use]
    pub fn state(&self, name: &str) -> PathBuf {
        self.at(STATE).join(name)
    }

    /// What this boot knows.
    #[must_use]
    pub fn run(&self, name: &str) -> PathBuf {
        self.at(RUN).join(name)
    }

    /// Of what persists: bytes that are free, and all of them.
    #[must_use]
    pub fn disk(&self) -> Option<(u64, u64)> {
        let stat = nix::sys::statvfs::statvfs(&self.at("var")).ok()?;
        let block = stat.fragment_size();
        Some((stat.blocks_available() * block, stat.blocks() * block))
    }

    /// The first line of a small file, trimmed; nothing when it is absent.
    #[must_use]
    pub fn line(&self, path: &str) -> Option<String> {
        let text = fs::read_to_string(self.at(path)).ok()?;
        Some(text.lines().next().unwrap_or_default().trim().to_owned())
    }
}

/// Writes a file as a whole or not at all: a new one beside it, on the disk, then renamed. Says whether anything changed.
///
/// # Errors
/// When the system refuses; the old file is still there then.
pub(crate) fn write(path: &Path, body: &[u8], mode: u32) -> io::Result<bool> {
    let is_mode = |m: fs::Metadata| m.permissions().mode() & 0o7777 == mode;
    if fs::read(path).is_ok_and(|old| old == body) && fs::metadata(path).is_ok_and(is_mode) {
        return Ok(false);
    }
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new().prefix(".vigie-").tempfile_in(folder)?;
    file.write_all(body)?;
    file.as_file().set_permissions(fs::Permissions::from_mode(mode))?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|e| e.error)?;
    fs::File::open(folder)?.sync_all()?;
    Ok(true)
}

/// Removes a file that may be absent. Says whether it was there.
///
/// # Errors
/// When the system refuses.
pub(crate) fn remove(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(e),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_whole_with_its_mode_and_only_when_it_differs() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a/b");
        assert!(write(&path, b"one", 0o600).expect("written"));
        assert!(!write(&path, b"one", 0o600).expect("the same"));
        assert!(write(&path, b"one", 0o644).expect("another mode"));
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o644);
        assert_eq!(fs::read_dir(folder.path().join("a")).expect("a folder").count(), 1);
        assert!(remove(&path).expect("gone") && !remove(&path).expect("still gone"));
    }
}
