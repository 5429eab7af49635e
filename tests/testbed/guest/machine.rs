//! A guest at work: QEMU in the root folder, and scripts that run inside.

use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::{Image, Root};

/// Ends a script, and what it printed (see `init.sh`).
const END: u8 = 4;
/// What an appliance says first (see `agent.sh`).
const READY: &str = "ready\n";
/// How long a boot may take on a busy machine without hardware virtualisation.
const BOOT: Duration = Duration::from_secs(120);
/// How long a script may take that says nothing else.
const SCRIPT: Duration = Duration::from_secs(60);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// What a machine has.
#[derive(Clone, Debug)]
pub struct Shape {
    /// Processors.
    pub processors: u32,
    /// Memory, MiB.
    pub memory: u32,
    /// More words for the kernel's command line.
    pub kernel_words: &'static str,
    /// Socket of a device in another process (vfio-user), by its name in the machine's folder.
    pub nic: Option<&'static str>,
}

impl Default for Shape {
    fn default() -> Self {
        Self { processors: 1, memory: 512, kernel_words: "", nic: None }
    }
}

/// What a script printed, and its exit status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Exit status.
    pub status: i32,
    /// Both streams.
    pub text: String,
}

/// A guest that has booted. Dropping it takes its power away.
#[derive(Debug)]
pub struct Machine {
    child: Child,
    talk: UnixStream,
    folder: std::path::PathBuf,
}

impl Machine {
    /// Boots `image`; sockets, consoles and the image itself are kept in `folder`.
    ///
    /// # Panics
    /// When it does not come up; the console is shown.
    #[must_use]
    pub fn boot(image: Image, shape: &Shape, folder: &Path) -> Self {
        let (root, kernel) = (image.root().clone(), image.kernel());
        fs::copy(root.kernel_file(kernel, "vmlinuz"), folder.join("vmlinuz")).expect("room for a kernel");
        image.write(&folder.join("initrd")).expect("room for an image");
        Self::power_on(&root, arguments(shape), folder, BOOT)
    }

    /// Starts QEMU with these arguments in `folder`, with consoles as [`CONSOLES`] names them, and waits until something
    /// inside offers to run scripts.
    ///
    /// # Panics
    /// When nothing does within the time given; the console is shown.
    #[must_use]
    pub(super) fn power_on(root: &Root, arguments: Vec<String>, folder: &Path, within: Duration) -> Self {
        let mut machine = Self::switch_on(root, arguments, folder);
        machine.listen(within, "it boots");
        machine
    }

    /// As [`Self::power_on`], without waiting for anything inside.
    ///
    /// # Panics
    /// When QEMU does not start.
    #[must_use]
    pub(super) fn switch_on(root: &Root, arguments: Vec<String>, folder: &Path) -> Self {
        let socket = folder.join("talk.sock");
        let _ = fs::remove_file(&socket); // of the power-on before
        let listener = UnixListener::bind(socket).expect("a socket");
        let mut command = root.command(folder, "qemu-system-x86_64");
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(fs::File::create(folder.join("qemu.log")).expect("a file"));
        let mut child = command.spawn().expect("the script runs");
        let talk = accept(&listener, &mut child, folder);
        Self { child, talk, folder: folder.to_owned() }
    }

    /// Waits until it has started, or started again, and what runs scripts inside has said so. What was still said before
    /// is passed over.
    ///
    /// # Panics
    /// When nothing does within the time given; the console is shown.
    pub fn comes_back(&mut self, within: Duration) {
        let since = Instant::now();
        while !self.listen(within.saturating_sub(since.elapsed()), "it comes back").text.ends_with(READY) {}
    }

    /// Waits until QEMU has ended by itself.
    ///
    /// # Panics
    /// When it does not within the time given.
    pub fn ends(&mut self, within: Duration) {
        let since = Instant::now();
        while self.child.try_wait().expect("a child").is_none() {
            assert!(since.elapsed() < within, "it still runs: {}", self.told());
            std::thread::sleep(LOOK);
        }
    }

    /// Starts something that ends the guest's answers, such as a restart.
    ///
    /// # Panics
    /// When the guest is gone already.
    pub fn order(&mut self, script: &str) {
        self.talk.write_all(script.as_bytes()).expect("a guest that listens");
        self.talk.write_all(&[b'\n', END, b'\n']).expect("a guest that listens");
    }

    /// Runs a script in the guest, to its end.
    ///
    /// # Panics
    /// When it does not end within a minute.
    pub fn attempt(&mut self, script: &str) -> Said {
        self.order(script);
        self.listen(SCRIPT, script)
    }

    /// Runs a script that succeeds, and gives what it printed.
    ///
    /// # Panics
    /// When it fails, or does not end within a minute.
    pub fn run(&mut self, script: &str) -> String {
        let said = self.attempt(&format!("set -e\n{script}"));
        assert_eq!(said.status, 0, "{script}\n{}\n{}", said.text, self.told());
        said.text
    }

    /// Runs a script that prints a number.
    ///
    /// # Panics
    /// When it prints anything else.
    pub fn number(&mut self, script: &str) -> u64 {
        let text = self.run(script);
        text.trim().parse().unwrap_or_else(|_| panic!("no number: {script}\n{text}\n{}", self.told()))
    }

    /// Repeats a script until it succeeds.
    ///
    /// # Panics
    /// When it does not within the time given; what it said last is shown.
    pub fn until(&mut self, within: Duration, script: &str) -> String {
        let since = Instant::now();
        loop {
            let said = self.attempt(&format!("set -e\n{script}"));
            if said.status == 0 {
                return said.text;
            }
            assert!(since.elapsed() < within, "in vain: {script}\n{}\n{}", said.text, self.told());
            std::thread::sleep(LOOK);
        }
    }

    /// Lines of the kernel's log that tell of a fault in a driver.
    ///
    /// # Panics
    /// When the guest is gone.
    pub fn faults(&mut self) -> Vec<String> {
        let log = self.run("dmesg");
        let fault = |line: &&str| {
            [
                "BUG:",
                "Oops",
                "WARNING:",
                "Call Trace",
                "NETDEV WATCHDOG",
                "DMAR: [DMA",
                "hung task",
                "page fault",
            ]
            .iter()
            .any(|word| line.contains(word))
        };
        log.lines().filter(fault).map(str::to_owned).collect()
    }

    /// The first serial port and what QEMU complained about: what there is to see when something goes wrong.
    #[must_use]
    pub fn told(&self) -> String {
        told(&self.folder)
    }

    /// Reads to the end of what a script prints.
    fn listen(&mut self, within: Duration, what: &str) -> Said {
        let (since, mut heard, mut buffer) = (Instant::now(), Vec::new(), vec![0; 1 << 16]);
        self.talk.set_read_timeout(Some(LOOK)).expect("a socket");
        loop {
            if let Some(said) = whole(&heard) {
                return said;
            }
            let partly = || String::from_utf8_lossy(&heard).into_owned();
            assert!(since.elapsed() < within, "no end of: {what}\n{}\n{}", partly(), self.told());
            match self.talk.read(&mut buffer) {
                Ok(0) => panic!("the guest is gone in: {what}\n{}\n{}", partly(), self.told()),
                Ok(count) => heard.extend_from_slice(&buffer[..count]),
                Err(e) if is_silence(e.kind()) => {}
                Err(e) => panic!("the guest cannot be heard: {e}"),
            }
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Nothing was said within the time of a look. A process that was stopped for a while is told so by an interruption.
const fn is_silence(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

/// What was said, when its end was heard: text, EOT, status, line feed.
fn whole(heard: &[u8]) -> Option<Said> {
    let status = heard.strip_suffix(b"\n")?;
    let at = status.iter().rposition(|&byte| byte == END)?;
    let status = std::str::from_utf8(&status[at + 1..]).ok()?.parse().ok()?;
    Some(Said { status, text: String::from_utf8_lossy(&heard[..at]).into_owned() })
}

/// Waits for the machine to open its second serial port.
fn accept(listener: &UnixListener, child: &mut Child, folder: &Path) -> UnixStream {
    listener.set_nonblocking(true).expect("a socket");
    let since = Instant::now();
    loop {
        if let Ok((talk, _)) = listener.accept() {
            talk.set_nonblocking(false).expect("a socket");
            return talk;
        }
        let ended = child.try_wait().expect("a child");
        if ended.is_some() || since.elapsed() > BOOT {
            let _ = child.kill();
            panic!("QEMU does not start: {ended:?}\n{}", told(folder));
        }
        std::thread::sleep(LOOK);
    }
}

fn told(folder: &Path) -> String {
    let read = |name| fs::read(folder.join(name)).unwrap_or_default();
    let text = |name| String::from_utf8_lossy(&read(name)).into_owned();
    format!("console: {}\nqemu: {}", text("console"), text("qemu.log"))
}

/// The first serial port is kept, over the second one scripts come and answers go.
pub(super) const CONSOLES: &str =
    "-chardev socket,id=talk,path=talk.sock -serial file:console -serial chardev:talk";

/// Memory is shared, as a device in another process reaches it by its descriptor.
fn arguments(shape: &Shape) -> Vec<String> {
    let Shape { processors, memory, kernel_words, nic } = shape;
    // a timer's interrupts are late on a busy machine, which the kernel would take for a broken one and give up
    let line = format!("console=ttyS0 quiet panic=1 no_timer_check intel_iommu=on {kernel_words}");
    let mut all: Vec<String> = [
        "-accel tcg,thread=multi -cpu max -machine q35,kernel-irqchip=split -nodefaults -no-user-config -no-reboot",
        "-display none -device intel-iommu,intremap=on,caching-mode=on -numa node,memdev=memory",
        CONSOLES,
        "-kernel vmlinuz -initrd initrd",
        &format!("-smp {processors} -m {memory} -object memory-backend-memfd,id=memory,size={memory}M,share=on"),
    ]
    .iter()
    .flat_map(|words| words.split(' ').map(str::to_owned))
    .collect();
    all.extend(["-append".to_owned(), line]);
    if let Some(socket) = nic {
        let device = serde_json::json!({
            "driver": "vfio-user-pci",
            "socket": { "path": socket, "type": "unix" },
        });
        all.extend(["-device".to_owned(), device.to_string()]);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_ends_with_its_status() {
        assert_eq!(whole(b"a\nb\n\x040\n"), Some(Said { status: 0, text: "a\nb\n".into() }));
        assert_eq!(whole(b"\x04127\n"), Some(Said { status: 127, text: String::new() }));
        for part in [&b""[..], b"a\n", b"a\n\x04", b"a\n\x040", b"a\n\x04x\n"] {
            assert_eq!(whole(part), None, "{part:?}");
        }
    }
}
