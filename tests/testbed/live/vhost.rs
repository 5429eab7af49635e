//! Frames by vhost-user: DPDK's testpmd is the front end, without a virtual machine. Every frame that it says it
//! transmitted has to be in the ledger, whatever it chose of rings and chains.

use crate::stage::Stage;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use testbed::{Ended, Running, binary};

/// How long testpmd may take to start, or to end.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);
/// How long it transmits.
const FLOW: Duration = Duration::from_millis(500);

/// One way to transmit.
struct Case {
    name: &'static str,
    /// Workers of ours, and pairs of rings of testpmd's.
    workers: u32,
    pairs: u32,
    /// What is added to the description of its device, and to its arguments.
    device: &'static str,
    args: &'static [&'static str],
    /// Bytes of each frame.
    len: u64,
}

const PLAIN: Case = Case { name: "plain", workers: 1, pairs: 1, device: "", args: &[], len: 64 };

const CASES: &[Case] = &[
    PLAIN,
    Case { name: "no mergeable buffers", device: ",mrg_rxbuf=0", ..PLAIN },
    Case { name: "out of order", device: ",in_order=0", ..PLAIN },
    Case { name: "header apart", device: ",mrg_rxbuf=0,in_order=0", ..PLAIN },
    Case { name: "packed asked for", device: ",packed_vq=1", ..PLAIN },
    Case { name: "vectorized", device: ",vectorized=1,mrg_rxbuf=0", ..PLAIN },
    Case { name: "large ring", device: ",queue_size=1024", args: &["--txd=1024"], ..PLAIN },
    Case { name: "three segments", args: &["--txpkts=64,64,64"], len: 192, ..PLAIN },
    Case {
        name: "three segments, header apart",
        device: ",mrg_rxbuf=0,in_order=0",
        args: &["--txpkts=64,64,64"],
        len: 192,
        ..PLAIN
    },
    Case { name: "full size", args: &["--txpkts=1514"], len: 1514, ..PLAIN },
    Case {
        name: "jumbo",
        args: &["--mbuf-size=9728", "--max-pkt-len=9100", "--txpkts=9000"],
        len: 9000,
        ..PLAIN
    },
    Case {
        name: "jumbo in five segments",
        args: &["--enable-scatter", "--max-pkt-len=9100", "--txpkts=1800,1800,1800,1800,1800"],
        len: 9000,
        ..PLAIN
    },
    Case { name: "two rings, two workers", workers: 2, pairs: 2, ..PLAIN },
    Case { name: "four rings, four workers", workers: 4, pairs: 4, ..PLAIN },
    Case { name: "four rings, one worker", pairs: 4, ..PLAIN },
    Case { name: "three rings, two workers", workers: 2, pairs: 3, ..PLAIN },
    Case { name: "one ring, three workers", workers: 3, ..PLAIN },
];

/// Whether there is a front end to be had; the reason is told.
fn is_ready() -> bool {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/testpmd.sh");
    let ready = Command::new(script).arg("ready").output();
    let why = match ready {
        Ok(output) if output.status.success() => return true,
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => error.to_string(),
    };
    let _ = writeln!(std::io::stderr(), "skipped: {}", why.trim());
    false
}

/// The sensor behind a socket.
fn sensor(workers: u32, socket: &Path, role: &str) -> Running {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(binary());
    command.arg("run").arg("--vhost-user").arg(socket).args(["--workers", &workers.to_string(), "--json"]);
    command.arg("--set").arg(format!("control.socket={}", folder.path().join("control").display()));
    let role = format!("vhost.role={role}");
    Running::spawn(command, folder, ["--set", "eve.file=/dev/null", "--set", &role], None)
}

/// testpmd, transmitting until it is told to stop; it tells then how much.
struct Testpmd {
    child: Child,
    said: PathBuf,
}

impl Testpmd {
    fn start(folder: &Path, socket: &Path, case: &Case) -> Self {
        let said = folder.join("testpmd");
        let out = File::create(&said).expect("a file");
        let pairs = case.pairs.to_string();
        let device = format!("net_virtio_user0,path={},queues={pairs}{}", socket.display(), case.device);
        let mut command = Command::new("dpdk-testpmd");
        // cores by name only: all of them share what processors there are
        command.args(["--lcores", "(0-4)@(0-1)", "--no-huge", "-m", "256", "--no-pci"]);
        command.arg(format!("--file-prefix=vigie-{}", std::process::id())).args(["--vdev", &device, "--"]);
        command.args(["--interactive", "--auto-start", "--forward-mode=txonly", "--total-num-mbufs=8192"]);
        command.args(["--txq", &pairs, "--rxq", &pairs, "--nb-cores", &pairs]).args(case.args);
        let err = out.try_clone().expect("a file");
        command.stdin(Stdio::piped()).stdout(out).stderr(err);
        let mut testpmd = Self { child: command.spawn().expect("testpmd runs"), said };
        let since = Instant::now();
        // it transmits before it asks for commands
        while !testpmd.said().contains("testpmd> ") {
            let ended = testpmd.child.try_wait().expect("a child");
            assert!(ended.is_none() && since.elapsed() < PATIENCE, "it does not start: {}", testpmd.said());
            std::thread::sleep(LOOK);
        }
        testpmd
    }

    /// All of it only when it has ended: until then most of it waits in a buffer.
    fn said(&self) -> String {
        fs::read_to_string(&self.said).unwrap_or_default()
    }

    /// Ends it as its user would; gives the number of frames it transmitted.
    fn stop(mut self) -> u64 {
        let told = self.child.stdin.take().map(|mut tell| tell.write_all(b"stop\nquit\n"));
        assert!(matches!(told, Some(Ok(()))), "it has ended by itself: {}", self.said());
        let since = Instant::now();
        while self.child.try_wait().expect("a child").is_none() {
            assert!(since.elapsed() < PATIENCE, "it does not end: {}", self.said());
            std::thread::sleep(LOOK);
        }
        let said = self.said();
        let all = said.split("Accumulated forward statistics").nth(1).unwrap_or_default();
        let sent = all.split("TX-packets:").nth(1).and_then(|rest| rest.split_whitespace().next());
        sent.and_then(|sent| sent.parse().ok()).unwrap_or_else(|| panic!("no count in {said}"))
    }
}

impl Drop for Testpmd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn assert_all(ended: &Ended, frames: u64, bytes: u64, what: &str) {
    assert_eq!(ended.code, Some(0), "{what}: {}", ended.stderr);
    let ledger = ended.ledger();
    assert_eq!(ledger["balances"], true, "{what}: {ledger}");
    assert_eq!(
        (&ledger["received"], &ledger["received_bytes"]),
        (&frames.into(), &bytes.into()),
        "{what}: {ledger}"
    );
}

#[test]
fn every_frame_that_testpmd_transmits_is_counted() {
    let Some(stage) = Stage::set().filter(|_| is_ready()) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    for case in CASES {
        let socket = folder.path().join("card");
        let running = sensor(case.workers, &socket, "server");
        let testpmd = Testpmd::start(running.folder(), &socket, case);
        std::thread::sleep(FLOW);
        let sent = testpmd.stop();
        assert!(sent > 0, "{}", case.name);
        assert_all(&running.end(), sent, sent * case.len, case.name);
    }
    drop(stage);
}

/// The other way round: testpmd makes the socket, and waits for whoever comes.
#[test]
fn a_front_end_may_make_the_socket() {
    let Some(stage) = Stage::set().filter(|_| is_ready()) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("switch");
    let running = sensor(1, &socket, "client");
    let testpmd = Testpmd::start(folder.path(), &socket, &Case { device: ",server=1", ..PLAIN });
    std::thread::sleep(FLOW);
    let sent = testpmd.stop();
    assert_all(&running.end(), sent, sent * PLAIN.len, "server=1");
    drop(stage);
}

/// The sensor is restarted under a front end that made the socket: the next one goes on where the rings are.
#[test]
fn the_next_sensor_goes_on_with_the_rings_of_a_front_end_that_made_the_socket() {
    let Some(stage) = Stage::set().filter(|_| is_ready()) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("switch");
    let mut running = sensor(1, &socket, "client");
    let testpmd = Testpmd::start(folder.path(), &socket, &Case { device: ",server=1", ..PLAIN });
    let mut received = 0;
    for _ in 0..2 {
        running.until("its frames come", |running| running.counter("ledger.received") > 1000);
        let ended = running.end();
        running = sensor(1, &socket, "client");
        assert!(!ended.stderr.contains("broke the rules"), "{}", ended.stderr);
        received += ended.ledger()["received"].as_u64().expect("a number");
    }
    running.until("its frames come", |running| running.counter("ledger.received") > 1000);
    let sent = testpmd.stop();
    let ended = running.end();
    assert!(!ended.stderr.contains("broke the rules"), "{}", ended.stderr);
    received += ended.ledger()["received"].as_u64().expect("a number");
    assert!(received <= sent, "{received} of {sent}: none twice");
    drop(stage);
}

#[test]
fn front_ends_are_killed_and_come_back() {
    let Some(stage) = Stage::set().filter(|_| is_ready()) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("card");
    let mut running = sensor(1, &socket, "server");
    for _ in 0..2 {
        let testpmd = Testpmd::start(running.folder(), &socket, &PLAIN);
        std::thread::sleep(FLOW);
        drop(testpmd);
        running.until("its frames were taken", |running| running.counter("ledger.received") > 0);
    }
    running.until("both were missed", |running| running.counter("ledger.absences") == 2);
    let before = running.counter("ledger.received");
    let testpmd = Testpmd::start(running.folder(), &socket, &PLAIN);
    std::thread::sleep(FLOW);
    let sent = testpmd.stop();
    let ended = running.end();
    assert_all(&ended, before + sent, (before + sent) * PLAIN.len, "the third");
    assert!(ended.stderr.contains("went away"), "{}", ended.stderr);
    drop(stage);
}
