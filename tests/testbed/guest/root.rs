//! The root folder with QEMU, kernels and programs, and whether it can be used here.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Why no guest runs here. A test prints it and passes.
#[derive(Debug)]
pub struct NoGuests(String);

impl NoGuests {
    pub(super) fn because(reason: &str) -> Self {
        Self(reason.to_owned())
    }
}

impl std::fmt::Display for NoGuests {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "no guests: {}", self.0)
    }
}

impl std::error::Error for NoGuests {}

/// A kernel that guests boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// The one of Debian 13, Linux 6.12.
    Stable,
    /// The one of its backports.
    Backports,
}

impl Kernel {
    /// Name of its folder under `/kernels`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Backports => "backports",
        }
    }
}

/// The folder that `peers/guest.sh` made.
#[derive(Clone, Debug)]
pub struct Root {
    folder: PathBuf,
}

impl Root {
    /// Finds it.
    ///
    /// # Errors
    /// Where it was not made, or this user may not enter it; the reason is the script's own.
    pub fn find() -> Result<Self, NoGuests> {
        let output = Command::new(script()).arg("ready").output();
        let output = output.map_err(|e| NoGuests(format!("{}: {e}", script().display())))?;
        if !output.status.success() {
            return Err(NoGuests(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
        }
        Ok(Self { folder: String::from_utf8_lossy(&output.stdout).trim().into() })
    }

    /// A file of it, as seen from here.
    #[must_use]
    pub fn file(&self, path: &str) -> PathBuf {
        self.folder.join(path.trim_start_matches('/'))
    }

    /// A file of a kernel.
    #[must_use]
    pub fn kernel_file(&self, kernel: Kernel, name: &str) -> PathBuf {
        self.folder.join("kernels").join(kernel.name()).join(name)
    }

    /// Modules that inserting `module` takes, in their order, itself the last. Nothing when the kernel has it built in.
    ///
    /// # Panics
    /// When `peers/guest.sh` does not know the module.
    #[must_use]
    pub fn order(&self, kernel: Kernel, module: &str) -> Vec<String> {
        let path = self.kernel_file(kernel, &format!("{module}.order"));
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        text.lines().map(str::to_owned).collect()
    }

    /// A command that runs a program of it, with `folder` as its `/machine` and current folder. Mounts are its own.
    #[must_use]
    pub fn command(&self, folder: &Path, program: &str) -> Command {
        let mut command = Command::new(script());
        command.arg("run").arg(folder).arg(program);
        command
    }
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/guest.sh")
}
