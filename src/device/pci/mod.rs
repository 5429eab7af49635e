//! The system's view of PCI functions: which virtual functions there are, and whose they are.
//!
//! Everything is read and written below a root folder, so that a made-up tree serves a test.

mod address;
mod bind;
mod function;
mod group;

pub use address::PciAddress;
pub use bind::Before;
pub use function::{Family, Function, Parent, State};

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Writes one attribute of sysfs.
type Write = Box<dyn Fn(&Path, &str) -> io::Result<()> + Send + Sync>;

/// A system: its `/sys`, `/dev` and `/run`.
pub struct System {
    root: PathBuf,
    write: Write,
}

impl System {
    /// The one we run on.
    #[must_use]
    pub fn live() -> Self {
        Self::under("/")
    }

    /// The one whose root folder is `root`.
    #[must_use]
    pub fn under(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), write: Box::new(|path, text| fs::write(path, text)) }
    }

    /// As [`System::under`], with somebody else to answer writes to attributes, as a kernel does.
    #[cfg(test)]
    pub(crate) fn with_kernel(
        root: impl Into<PathBuf>,
        write: impl Fn(&Path, &str) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self { root: root.into(), write: Box::new(write) }
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.root.join(below.trim_start_matches('/'))
    }

    /// Folder of a PCI function.
    pub(crate) fn folder(&self, address: &PciAddress) -> PathBuf {
        self.path("sys/bus/pci/devices").join(address.to_string())
    }

    /// Folder of a PCI driver.
    pub(crate) fn driver(&self, name: &str) -> PathBuf {
        self.path("sys/bus/pci/drivers").join(name)
    }

    fn set(&self, path: &Path, text: &str) -> io::Result<()> {
        (self.write)(path, text)
    }
}

impl fmt::Debug for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "System({})", self.root.display())
    }
}

/// An attribute without its line end; None when it is absent or says nothing.
pub(crate) fn text(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The last part of what a link points to.
pub(crate) fn link(path: &Path) -> Option<String> {
    Some(fs::read_link(path).ok()?.file_name()?.to_str()?.to_owned())
}

/// Names in a folder, in order; none where there is no folder.
pub(crate) fn names(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests;
