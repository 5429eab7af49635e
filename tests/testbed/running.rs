//! The binary, listening at one end of a network until it is told to end.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{End, Network};

/// How long anything that should happen soon may take on a busy machine.
const SOON: Duration = Duration::from_secs(20);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(5);

/// A sensor at work. Dropped before it has ended, it is killed.
#[derive(Debug)]
pub struct Running {
    child: Child,
    folder: tempfile::TempDir,
}

/// A sensor that has ended.
#[derive(Debug)]
pub struct Ended {
    /// Exit code, when no signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it complained about.
    pub stderr: String,
}

impl Running {
    /// `vigie run` on the interface at `end`, with a control socket and an EVE file of its own, and these arguments.
    /// Comes back when it listens, or has ended without.
    ///
    /// # Panics
    /// When it does neither.
    #[must_use]
    pub fn start<A: AsRef<OsStr>>(network: &Network, end: End, args: impl IntoIterator<Item = A>) -> Self {
        Self::with_stdout(network, end, args, None)
    }

    /// As [`Self::start`], with somewhere else for what it prints.
    ///
    /// # Panics
    /// When it neither listens nor ends.
    #[must_use]
    pub fn with_stdout<A: AsRef<OsStr>>(
        network: &Network,
        end: End,
        args: impl IntoIterator<Item = A>,
        stdout: Option<Stdio>,
    ) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut command = network.command(end, &binary().display().to_string());
        command.args(["run", "--interface", end.interface(), "--json", "--set"]);
        command.arg(format!("control.socket={}", folder.path().join("control").display()));
        command.arg("--set").arg(format!("eve.file={}", folder.path().join("eve.json").display()));
        Self::spawn(command, folder, args, stdout)
    }

    /// Any command that becomes the sensor.
    ///
    /// # Panics
    /// When it neither listens nor ends.
    #[must_use]
    pub fn spawn<A: AsRef<OsStr>>(
        command: Command,
        folder: tempfile::TempDir,
        args: impl IntoIterator<Item = A>,
        stdout: Option<Stdio>,
    ) -> Self {
        let mut command = bound(&command);
        let file = |name| File::create(folder.path().join(name)).expect("a file");
        let stdout = stdout.unwrap_or_else(|| file("stdout").into());
        command.args(args).stdin(Stdio::null()).stdout(stdout).stderr(file("stderr"));
        let child = command.spawn().expect("the binary runs");
        let mut running = Self { child, folder };
        running.until("it listens or ends", |r| r.stderr().contains("listening on") || r.has_ended());
        running
    }

    /// Where it writes events.
    #[must_use]
    pub fn eve(&self) -> PathBuf {
        self.folder.path().join("eve.json")
    }

    /// Its control socket.
    #[must_use]
    pub fn control(&self) -> PathBuf {
        self.folder.path().join("control")
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Processor time that it has had so far, in user and kernel mode.
    ///
    /// # Panics
    /// When it is gone.
    #[must_use]
    pub fn processor_time(&self) -> Duration {
        processor_time(self.child.id()).expect("a process")
    }

    /// A place for a test's own files, gone with the sensor.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it has complained about so far.
    #[must_use]
    pub fn stderr(&self) -> String {
        fs::read_to_string(self.folder.path().join("stderr")).unwrap_or_default()
    }

    /// Waits until it says something on standard error.
    ///
    /// # Panics
    /// When it does not.
    pub fn until_said(&mut self, text: &str) {
        self.until(&format!("it says {text:?}"), |r| r.stderr().contains(text));
    }

    /// Waits until something is so.
    ///
    /// # Panics
    /// When it does not become so.
    pub fn until(&mut self, what: &str, mut is_so: impl FnMut(&mut Self) -> bool) {
        let since = Instant::now();
        while !is_so(self) {
            assert!(since.elapsed() < SOON, "waited in vain until {what}; it said: {}", self.stderr());
            std::thread::sleep(LOOK);
        }
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)))
    }

    /// Sends it a signal: `TERM`, `HUP`, `STOP`, ...
    ///
    /// # Panics
    /// When it is gone.
    pub fn signal(&self, name: &str) {
        // not waited for yet, so its number is still its own
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "no process to send {name} to");
    }

    /// Its counters, asked by `vigie counters --json`.
    ///
    /// # Panics
    /// When it does not answer.
    #[must_use]
    pub fn counters(&self) -> Value {
        let mut command = Command::new(binary());
        command.args(["counters", "--json", "--set"]);
        let output = command.arg(format!("control.socket={}", self.control().display())).output();
        let output = output.expect("the binary runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    /// One of its counters.
    ///
    /// # Panics
    /// When it does not answer, or has no such counter.
    #[must_use]
    pub fn counter(&self, name: &str) -> u64 {
        let all = self.counters();
        let found = all.as_array().into_iter().flatten().find(|c| c["name"] == name);
        found.and_then(|c| c["value"].as_u64()).unwrap_or_else(|| panic!("no counter {name}"))
    }

    /// Sends TERM and waits for its end.
    ///
    /// # Panics
    /// When it does not end.
    #[must_use]
    pub fn end(self) -> Ended {
        self.signal("TERM");
        self.wait()
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it does not end.
    #[must_use]
    pub fn wait(mut self) -> Ended {
        self.until("it ends", Self::has_ended);
        let status = self.child.wait().expect("it has ended");
        let stdout = fs::read_to_string(self.folder.path().join("stdout")).unwrap_or_default();
        Ended { code: status.code(), signal: status.signal(), stdout, stderr: self.stderr() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// The summary.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn summary(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {} {}", self.stdout, self.stderr))
    }

    /// The ledger, which balances.
    ///
    /// # Panics
    /// When it does not.
    #[must_use]
    pub fn ledger(&self) -> Value {
        let ledger = self.summary()["ledger"].clone();
        assert_eq!(ledger["balances"], true, "{ledger}");
        ledger
    }
}

/// The same command, killed when the thread that starts it ends, however that ends: a test that is killed leaves nothing
/// behind that runs. `setpriv` asks the kernel for it (PR_SET_PDEATHSIG) and becomes the command, so the process is the same.
#[must_use]
pub fn bound(command: &Command) -> Command {
    let mut bound = Command::new("setpriv");
    bound.args(["--pdeathsig", "KILL", "--"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => bound.env(name, value),
            None => bound.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        bound.current_dir(folder);
    }
    bound
}

/// Processor time of a process, all its threads together, in user and kernel mode: `utime` and `stime` of proc(5), in
/// hundredths of a second.
#[must_use]
pub fn processor_time(pid: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command's name stands in parentheses and may hold anything; the numbers behind it begin with the third.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    Some(Duration::from_millis(10 * (ticks()? + ticks()?)))
}

/// The binary under test.
#[must_use]
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| named("VIGIE_BIN", "vigie"))
}

/// The software NIC: the one named by `VIGIE_MODEL`, or one that is built first.
pub(crate) fn model() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| named("VIGIE_MODEL", "model"))
}

fn named(variable: &str, package: &str) -> PathBuf {
    std::env::var_os(variable).map_or_else(|| build(package), |path| root().join(path))
}

/// The folder of the workspace.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new("."))
}

/// Builds a package's program where this one was built, and with the same profile.
fn build(package: &str) -> PathBuf {
    let this = std::env::current_exe().expect("a program knows itself");
    let named = |folder: &&Path| folder.ends_with("debug") || folder.ends_with("release");
    let folder = this.ancestors().find(named).expect("a profile's folder").to_owned();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(["build", "--quiet", "--package", package, "--target-dir"])
        .arg(folder.parent().expect("a target"));
    if folder.ends_with("release") {
        command.arg("--release");
    }
    let status = command.current_dir(root()).status().expect("cargo runs");
    assert!(status.success(), "{package} does not build");
    folder.join(package)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn a_bound_command_is_what_it_was_and_ends_with_the_thread_that_started_it() {
        let mut said = Command::new("sh");
        said.args(["-c", "echo $WORD $PWD"]).env("WORD", "yes").current_dir("/");
        let said = bound(&said).output().expect("setpriv, of util-linux");
        assert_eq!(String::from_utf8_lossy(&said.stdout), "yes /\n");
        let sleep = || {
            let mut command = Command::new("sh");
            command.args(["-c", "echo; exec sleep 60"]);
            let mut child = bound(&command).stdout(Stdio::piped()).spawn().expect("setpriv");
            // By now it has asked to be killed.
            let mut said = [0];
            child.stdout.take().expect("a pipe").read_exact(&mut said).expect("it runs");
            child
        };
        let mut child = std::thread::spawn(sleep).join().expect("a child");
        assert_eq!(child.wait().expect("it ends").signal(), Some(9));
    }
}
