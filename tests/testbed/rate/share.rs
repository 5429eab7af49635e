//! A share of a core: who has no more cannot outrun a generator that has the rest of a small machine.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Microseconds of a period. Short, so that a ring holds what comes while its owner waits for the next one.
const PERIOD: u32 = 10_000;

/// A control group with a bound on processor time. Dropped, it is gone; by then nobody must be in it.
#[derive(Debug)]
pub(crate) struct Share {
    folder: PathBuf,
}

impl Share {
    /// So many hundredths of one core.
    pub(crate) fn new(percent: u32) -> io::Result<Self> {
        let quota = PERIOD / 100 * percent;
        let name = format!("vigie-rate-{}", std::process::id());
        let old = Path::new("/sys/fs/cgroup/cpu");
        let is_old = old.join("cpu.cfs_quota_us").exists();
        let share =
            Self { folder: if is_old { old.join(name) } else { Path::new("/sys/fs/cgroup").join(name) } };
        if !share.folder.exists() {
            fs::create_dir(&share.folder)?;
        }
        if is_old {
            share.set("cpu.cfs_period_us", &PERIOD.to_string())?;
            share.set("cpu.cfs_quota_us", &quota.to_string())?;
        } else {
            share.set("cpu.max", &format!("{quota} {PERIOD}"))?;
        }
        Ok(share)
    }

    /// From now on this process, with its threads, has no more.
    pub(crate) fn hold(&self, pid: u32) -> io::Result<()> {
        self.set("cgroup.procs", &pid.to_string())
    }

    fn set(&self, file: &str, value: &str) -> io::Result<()> {
        fs::write(self.folder.join(file), value)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.folder);
    }
}
