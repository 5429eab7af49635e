//! One run of the binary, with a limit on its time, and its memory measured.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};
use wait4::Wait4 as _;

/// A run to be.
pub struct Sensor {
    command: Command,
    input: Option<Input>,
    limit: Duration,
    signal: Option<(&'static str, Duration)>,
}

/// Writes what the sensor reads from standard input.
type Input = Box<dyn FnOnce(&mut dyn std::io::Write) + Send>;

/// A run that has ended.
#[derive(Debug)]
pub struct Ran {
    /// How it ended.
    pub status: ExitStatus,
    /// What it said.
    pub stdout: Vec<u8>,
    /// What it complained about.
    pub stderr: String,
    /// Most memory it held, in bytes.
    pub peak: u64,
    /// How long it took.
    pub took: Duration,
    /// Whether it was ended because it took too long.
    pub hung: bool,
}

impl Sensor {
    /// A run with these arguments.
    pub fn new<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Self {
        let mut command = Command::new(binary());
        command.args(args);
        Self { command, input: None, limit: Duration::from_secs(60), signal: None }
    }

    /// `vigie read CAPTURE --quiet --eve EVE`.
    #[must_use]
    pub fn read(capture: &Path, eve: &Path) -> Self {
        let args = [OsStr::new("read"), capture.as_ref(), "--quiet".as_ref(), "--eve".as_ref(), eve.as_ref()];
        Self::new(args)
    }

    /// One more argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// Several more arguments.
    #[must_use]
    pub fn args(mut self, args: &[&str]) -> Self {
        self.command.args(args);
        self
    }

    /// Ended by force after so long.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// What it reads from standard input.
    #[must_use]
    pub fn input(mut self, input: impl FnOnce(&mut dyn std::io::Write) + Send + 'static) -> Self {
        self.input = Some(Box::new(input));
        self
    }

    /// Gets a signal (`TERM`, `KILL`, ...) after so long.
    #[must_use]
    pub fn signal(mut self, name: &'static str, after: Duration) -> Self {
        self.signal = Some((name, after));
        self
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// When the binary cannot be run at all.
    #[must_use]
    pub fn run(self) -> Ran {
        let Self { mut command, input, limit, signal } = self;
        let mut out = tempfile::tempfile().expect("a temporary file");
        let mut err = tempfile::tempfile().expect("a temporary file");
        command.stdout(out.try_clone().expect("a handle")).stderr(err.try_clone().expect("a handle"));
        command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
        let began = Instant::now();
        let mut child = command.spawn().unwrap_or_else(|e| panic!("{}: {e}", binary().display()));
        let stdin = child.stdin.take();
        let pid = child.id();
        let (over, waits) = mpsc::channel();
        let (used, hung) = std::thread::scope(|scope| {
            if let (Some(write), Some(mut stdin)) = (input, stdin) {
                scope.spawn(move || write(&mut stdin));
            }
            let watch = scope.spawn(move || watch(&waits, pid, limit, signal));
            let used = child.wait4().expect("the child is ours");
            let _ = over.send(());
            (used, watch.join().expect("the watch does not panic"))
        });
        Ran {
            status: used.status,
            stdout: whole(&mut out),
            stderr: String::from_utf8_lossy(&whole(&mut err)).into_owned(),
            peak: used.rusage.maxrss,
            took: began.elapsed(),
            hung,
        }
    }
}

/// Sends the signal when its time has come, and ends the child when the limit has. Answers whether it did.
fn watch(
    over: &mpsc::Receiver<()>,
    pid: u32,
    limit: Duration,
    signal: Option<(&'static str, Duration)>,
) -> bool {
    if let Some((name, after)) = signal {
        if over.recv_timeout(after) != Err(RecvTimeoutError::Timeout) {
            return false;
        }
        kill(name, pid);
    }
    let late = over.recv_timeout(limit) == Err(RecvTimeoutError::Timeout);
    if late {
        kill("KILL", pid);
    }
    late
}

/// The child has not been waited for, so its number is still its own.
fn kill(signal: &str, pid: u32) {
    let _ = Command::new("kill").args(["-s", signal, &pid.to_string()]).stderr(Stdio::null()).status();
}

fn whole(file: &mut File) -> Vec<u8> {
    let mut bytes = Vec::new();
    file.rewind().and_then(|()| file.read_to_end(&mut bytes)).expect("a temporary file is readable");
    bytes
}

impl Ran {
    /// Exit code; `None` when a signal ended it.
    #[must_use]
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Whether it ended by itself, by one of its documented exit codes, within the limit.
    #[must_use]
    pub fn is_orderly(&self) -> bool {
        !self.hung
            && self.code().is_some_and(|code| (0..=6).contains(&code))
            && !self.stderr.contains("panicked")
    }

    /// One line for a test that fails.
    #[must_use]
    pub fn told(&self) -> String {
        let tail: String =
            self.stderr.chars().rev().take(300).collect::<Vec<_>>().into_iter().rev().collect();
        format!(
            "code {:?}, signal {:?}, hung {}, {} MiB, {:.1} s: {tail}",
            self.code(),
            self.status.signal(),
            self.hung,
            self.peak >> 20,
            self.took.as_secs_f64()
        )
    }

    /// What it said, as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.stdout).unwrap_or_else(|e| panic!("{e} in {}", self.told()))
    }
}

/// The binary under test.
fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| match std::env::var_os("VIGIE_BIN") {
        Some(path) => crate::root().join(path),
        None => build(),
    })
}

/// Builds it where this test was built, and with the same profile.
fn build() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows itself");
    let folder = test.ancestors().nth(2).expect("profile folder").to_owned();
    let target = folder.parent().expect("target folder");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--package", "vigie", "--target-dir"]).arg(target);
    if folder.ends_with("release") {
        command.arg("--release");
    }
    let status = command.current_dir(crate::root()).status().expect("cargo runs");
    assert!(status.success(), "the binary under test does not build");
    folder.join("vigie")
}

/// Writes all, and does not mind a reader that has gone.
pub(crate) fn give(to: &mut dyn std::io::Write, bytes: &[u8]) {
    let _ = to.write_all(bytes);
}

impl Sensor {
    /// Reads these bytes from standard input.
    #[must_use]
    pub fn input_bytes(self, bytes: Vec<u8>) -> Self {
        self.input(move |to| give(to, &bytes))
    }
}
