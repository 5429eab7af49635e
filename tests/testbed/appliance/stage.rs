//! What every test stands on: an image, a folder for the disk, and its turn.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use testbed::guest::{Appliance, Board, Made, NoGuests};

/// A folder for one machine, and the right to run it: one at a time, in whatever process, as a machine without hardware
/// virtualisation takes what cores there are.
pub(crate) struct Stage {
    pub(crate) made: Made,
    folder: tempfile::TempDir,
    name: &'static str,
    begun: Instant,
    /// Unlocked when it is dropped.
    _turn: File,
}

impl Stage {
    /// Nothing where there is no image or no machine; the reason is told.
    pub(crate) fn set(name: &'static str) -> Option<Self> {
        let told = |reason: &NoGuests| {
            let _ = writeln!(std::io::stderr(), "skipped: {reason}");
        };
        let made = Made::find().inspect_err(told).ok()?;
        let turn = File::create(std::env::temp_dir().join("vigie-guests")).expect("a file");
        turn.lock().expect("a lock");
        let folder = tempfile::tempdir().expect("a folder");
        Some(Self { made, folder, name, begun: Instant::now(), _turn: turn })
    }

    /// Boots the image on this board.
    pub(crate) fn boot(&self, board: &Board) -> Appliance {
        let since = Instant::now();
        let mut appliance = Appliance::boot(&self.made, board, self.path());
        self.note("answers_s", since.elapsed().as_secs());
        let version = appliance.machine.run("sed -n 's/^IMAGE_VERSION=//p' /etc/os-release");
        self.note("version", version.trim());
        appliance
    }

    /// A line for whoever reads the log.
    pub(crate) fn note(&self, what: &str, value: impl std::fmt::Display) {
        let at = self.begun.elapsed().as_secs_f64();
        let _ = writeln!(std::io::stderr(), "appliance test={} at={at:.1} {what}={value}", self.name);
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}
