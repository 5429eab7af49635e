//! What every live test stands on.

use serde_json::Value;
use std::fs::File;
use std::io::{BufReader, Write as _};
use std::path::{Path, PathBuf};
use testbed::{End, Network};
use world::{Pace, PcapReader, PcapWriter, Replay, Sent, Source, Talk, Transmit};

/// A quiet network: no frame is on it that a test has not sent. One test at a time, in whatever
/// process, as they all use the same cores.
pub(crate) struct Stage {
    pub(crate) network: Network,
    /// Unlocked when it is closed.
    _turn: File,
}

impl Stage {
    /// A stage, or nothing where there is none to be had; the reason is told.
    pub(crate) fn set() -> Option<Self> {
        let turn = File::create(std::env::temp_dir().join("vigie-live-tests")).expect("a file");
        turn.lock().expect("a lock");
        let told = |reason: &testbed::Unavailable| {
            let _ = writeln!(std::io::stderr(), "skipped: {reason}");
        };
        let network = Network::new().inspect_err(told).ok()?;
        let stage = Self { network, _turn: turn };
        stage.hush();
        Some(stage)
    }

    /// Ends what hosts say by themselves, and lets frames of any length pass.
    pub(crate) fn hush(&self) {
        for end in [End::Left, End::Right] {
            let interface = end.interface();
            let script = format!(
                "echo 1 > /proc/sys/net/ipv6/conf/{interface}/disable_ipv6; ip link set {interface} mtu 65535"
            );
            let done = self.network.command(end, "sh").args(["-c", &script]).status();
            assert!(done.is_ok_and(|s| s.success()), "{interface} cannot be hushed");
        }
        // what was said before has arrived by now
        std::thread::sleep(std::time::Duration::from_millis(50));
    }

    /// Sends from the left end.
    pub(crate) fn send(&self, source: &mut (dyn Source + Send), pace: Pace) -> Sent {
        let send = || Transmit::open("left").and_then(|out| out.send(source, pace));
        self.network.within(End::Left, send).expect("a thread there").expect("a cable")
    }

    /// Sends a capture.
    pub(crate) fn play(&self, capture: &Path, rate: f64) -> Sent {
        let file = File::open(capture).expect("a capture");
        let reader = PcapReader::new(BufReader::new(file)).expect("a capture");
        self.send(&mut Replay::new(reader), Pace::PerSecond(rate))
    }
}

/// Conversations as a capture, timed as if they had been sent at this rate.
pub(crate) fn conversations(folder: &Path, count: u64, rate: f64) -> PathBuf {
    let path = folder.join("talk.pcap");
    let mut out = PcapWriter::new(File::create(&path).expect("a file")).expect("room");
    let (mut talk, mut frame, mut at) = (Talk::new(count, 40, 3), Vec::new(), 0.0);
    while talk.fill(&mut frame) {
        out.write(1_700_000_000_000_000_000 + at as u64, &frame).expect("room");
        at += 1e9 / rate;
    }
    out.finish().expect("room");
    path
}

/// Events of a type.
pub(crate) fn of<'e>(events: &'e [Value], kind: &str) -> Vec<&'e Value> {
    events.iter().filter(|event| event["event_type"] == kind).collect()
}

/// The number at a path of the ledger.
pub(crate) fn number(value: &Value, path: &str) -> u64 {
    value.pointer(path).and_then(Value::as_u64).unwrap_or_else(|| panic!("no {path} in {value}"))
}
