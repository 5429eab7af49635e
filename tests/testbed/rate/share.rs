//! A share of a core: who has no more cannot outrun a generator that has the rest of a small machine.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Microseconds of a period. Short, so that a ring holds what comes while its owner waits for the next one.
const PERIOD: u32 = 10_000;

/// How much the group counts beside everything else that runs, as the two kinds of control groups write their most: it is
/// to have what its bound gives when it wants it, however busy the machine is.
const WEIGHT: (&str, &str) = ("262144", "10000");

/// A control group with a bound on processor time. Dropped, it is gone; by then nobody must be in it.
#[derive(Debug)]
pub(crate) struct Share {
    folder: PathBuf,
}

impl Share {
    /// So many hundredths of one core; without, whatever there is, before everybody else.
    pub(crate) fn new(percent: Option<u32>) -> io::Result<Self> {
        let quota = percent.map(|percent| PERIOD / 100 * percent);
        let name = format!("vigie-rate-{}", std::process::id());
        let old = Path::new("/sys/fs/cgroup/cpu");
        let is_old = old.join("cpu.cfs_quota_us").exists();
        let share =
            Self { folder: if is_old { old.join(name) } else { Path::new("/sys/fs/cgroup").join(name) } };
        sweep(share.folder.parent().unwrap_or(Path::new("/")));
        if !share.folder.exists() {
            fs::create_dir(&share.folder)?;
        }
        if is_old {
            share.set("cpu.shares", WEIGHT.0)?;
            share.set("cpu.cfs_period_us", &PERIOD.to_string())?;
            share.set("cpu.cfs_quota_us", &quota.map_or("-1".to_owned(), |quota| quota.to_string()))?;
        } else {
            share.set("cpu.weight", WEIGHT.1)?;
            let quota = quota.map_or("max".to_owned(), |quota| quota.to_string());
            share.set("cpu.max", &format!("{quota} {PERIOD}"))?;
        }
        Ok(share)
    }

    /// From now on this process, with its threads, has no more; and has it where the generator is not.
    pub(crate) fn hold(&self, pid: u32) -> io::Result<()> {
        pin(pid, "1")?;
        self.set("cgroup.procs", &pid.to_string())
    }

    fn set(&self, file: &str, value: &str) -> io::Result<()> {
        fs::write(self.folder.join(file), value)
    }
}

/// Has a process, with its threads, on one processor only.
fn pin(pid: u32, processor: &str) -> io::Result<()> {
    let mut command = Command::new("taskset");
    command.args(["--all-tasks", "--cpu-list", "--pid", processor, &pid.to_string()]);
    let output = command.stdin(Stdio::null()).output()?;
    let said = || io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned());
    output.status.success().then_some(()).ok_or_else(said)
}

/// Pins this process, which generates: it has the first processor, a contender the second.
pub(crate) fn pin_generator() -> io::Result<()> {
    pin(std::process::id(), "0")
}

/// Has this thread run before everything else on its processor, so that a generator does not fall behind on a busy machine.
/// Whoever may not has a generator that may be late.
pub(crate) fn hurry() {
    let thread = fs::read_link("/proc/thread-self").ok();
    let number = thread.as_deref().and_then(Path::file_name).and_then(|name| name.to_str());
    first(&["--pid", "20", number.unwrap_or_default()]);
}

/// Has a process, with its threads, run before everything else, spread over the processors: a group's weight would hold
/// its threads together on one.
pub(crate) fn hurry_all(pid: u32) {
    first(&["--all-tasks", "--pid", "20", &pid.to_string()]);
}

fn first(whom: &[&str]) {
    let mut command = Command::new("chrt");
    command.arg("--fifo").args(whom).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let _ = command.status();
}

/// Removes groups of measurements that were killed.
fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.strip_prefix("vigie-rate-")?.parse::<u32>().ok());
        if pid.is_some_and(|pid| !Path::new("/proc").join(pid.to_string()).exists()) {
            let _ = fs::remove_dir(entry.path());
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.folder);
    }
}
