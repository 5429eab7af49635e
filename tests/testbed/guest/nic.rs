//! The software NIC as a process, and the orders that it takes while a guest runs.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::running::model;

/// How long it may take to begin.
const SOON: Duration = Duration::from_secs(20);
/// How long an order may take.
const ORDER: Duration = Duration::from_secs(60);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(10);

/// A NIC at work, served at a socket that QEMU's `vfio-user-pci` connects to. Dropping it ends it.
#[derive(Debug)]
pub struct Nic {
    child: Child,
    folder: PathBuf,
}

impl Nic {
    /// Name of its socket in the folder it was started in.
    pub const SOCKET: &'static str = "nic.sock";
    const CONTROL: &'static str = "nic-control.sock";

    /// Starts one; its sockets lie in `folder`.
    ///
    /// # Panics
    /// When it does not begin.
    #[must_use]
    pub fn start(folder: &Path, args: &[&str]) -> Self {
        // it ends with this thread, whatever ends that
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL"])
            .arg(model())
            .arg("serve")
            .arg("--socket")
            .arg(folder.join(Self::SOCKET));
        command.arg("--control").arg(folder.join(Self::CONTROL)).args(args);
        let log = File::create(folder.join("nic.log")).expect("a file");
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("a file")).stderr(log);
        let child = command.spawn().expect("the NIC runs");
        let mut nic = Self { child, folder: folder.to_owned() };
        let since = Instant::now();
        while !(folder.join(Self::SOCKET).exists() && folder.join(Self::CONTROL).exists()) {
            let ended = nic.child.try_wait().expect("a child");
            assert!(ended.is_none() && since.elapsed() < SOON, "no NIC: {ended:?} {}", nic.told());
            std::thread::sleep(LOOK);
        }
        nic
    }

    /// Gives an order and returns the answer.
    ///
    /// # Panics
    /// When there is none, or it is an error.
    #[must_use]
    pub fn ask(&self, order: &Value) -> Value {
        let answer = self.answer(order).unwrap_or_else(|e| panic!("{order}: {e}; it said: {}", self.told()));
        assert!(answer.get("error").is_none(), "{order}: {answer}");
        answer
    }

    /// Sends `count` frames of `size` bytes to the function, over so many flows that `queues` queues have some.
    ///
    /// # Panics
    /// When it refuses.
    pub fn inject(&self, count: u64, size: u64, queues: u64) -> Value {
        self.ask(&json!({ "do": "inject", "count": count, "size": size, "queues": queues }))
    }

    /// What it has counted.
    ///
    /// # Panics
    /// When it does not answer.
    #[must_use]
    pub fn stats(&self) -> Value {
        self.ask(&json!({ "do": "stats" }))
    }

    /// What it has said so far.
    #[must_use]
    pub fn told(&self) -> String {
        fs::read_to_string(self.folder.join("nic.log")).unwrap_or_default()
    }

    fn answer(&self, order: &Value) -> std::io::Result<Value> {
        let mut stream = UnixStream::connect(self.folder.join(Self::CONTROL))?;
        stream.set_read_timeout(Some(ORDER))?;
        stream.write_all(format!("{order}\n").as_bytes())?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        Ok(serde_json::from_str(&line)?)
    }
}

impl Drop for Nic {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
