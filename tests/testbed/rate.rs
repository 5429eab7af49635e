//! `live-rate`: how many small frames a second the sensor takes from a veth pair without losing one, and its ledger at
//! that rate, at half of it, and as fast as this machine can send. Needs root. The binary is `VIGIE_BIN`.

#![forbid(unsafe_code)]

use serde_json::Value;
use std::io::Write as _;
use std::process::ExitCode;
use testbed::{End, Network, Running};
use world::{Crowd, CrowdKind, Pace, Sent, Transmit};

/// Frames of UDP flows of which many are alive at once: 50 bytes each.
const FLOWS: u64 = 10_000;
/// Threads that send: one alone is slower than the sensor.
const SENDERS: u32 = 2;
/// Seconds that one rate is held.
const SECONDS: f64 = 3.0;
/// Where the search for the highest rate ends, in frames a second.
const NEAR: f64 = 10_000.0;

fn main() -> ExitCode {
    let network = match Network::new() {
        Ok(network) => network,
        Err(reason) => {
            let _ = writeln!(std::io::stderr(), "live-rate: {reason}");
            return ExitCode::FAILURE;
        }
    };
    for end in [End::Left, End::Right] {
        let script = format!("echo 1 > /proc/sys/net/ipv6/conf/{}/disable_ipv6", end.interface());
        let _ = network.command(end, "sh").args(["-c", &script]).status();
    }
    for workers in [1, 2] {
        measure(&network, workers);
    }
    ExitCode::SUCCESS
}

fn measure(network: &Network, workers: u32) {
    let limit = attempt(network, workers, Pace::Unlimited);
    limit.print(workers, "as fast as it can be sent");
    if let Some(best) = search(network, workers, limit.rate()) {
        best.print(workers, "highest rate found without loss");
    }
    attempt(network, workers, Pace::PerSecond(limit.rate() / 2.0)).print(workers, "half of what can be sent");
}

/// The attempt at the highest rate at which nothing was lost, between nothing and what can be sent.
fn search(network: &Network, workers: u32, most: f64) -> Option<Attempt> {
    let (mut good, mut bad, mut best) = (0.0, most + NEAR, None);
    let mut next = most;
    while bad - good > NEAR {
        let tried = attempt(network, workers, Pace::PerSecond(next));
        if tried.lost() == 0 {
            (good, best) = (next, Some(tried));
        } else {
            bad = next;
        }
        next = f64::midpoint(good, bad);
    }
    best
}

struct Attempt {
    sent: Sent,
    ledger: Value,
}

fn attempt(network: &Network, workers: u32, pace: Pace) -> Attempt {
    let (count, pace) = match pace {
        Pace::Unlimited => (4_000_000, pace),
        Pace::PerSecond(rate) => ((rate * SECONDS) as u64, Pace::PerSecond(rate / f64::from(SENDERS))),
    };
    let workers = workers.to_string();
    let args = ["--workers", &workers, "--set", "eve.file=/dev/null"];
    let running = Running::start(network, End::Right, args);
    let sent = std::thread::scope(|scope| {
        let share = count / u64::from(SENDERS);
        let senders: Vec<_> = (0..SENDERS).map(|_| scope.spawn(move || send(network, share, pace))).collect();
        senders.into_iter().map(|s| s.join().expect("sent")).fold(Sent::default(), |sum, one| Sent {
            frames: sum.frames + one.frames,
            bytes: sum.bytes + one.bytes,
            refused: sum.refused + one.refused,
            time: sum.time.max(one.time),
        })
    });
    Attempt { sent, ledger: running.end().ledger() }
}

fn send(network: &Network, count: u64, pace: Pace) -> Sent {
    let rounds = u32::try_from(count / FLOWS).unwrap_or(u32::MAX).max(1);
    let mut frames = Crowd::new(CrowdKind::Udp, FLOWS, rounds);
    let send = || Transmit::open("left").and_then(|out| out.send(&mut frames, pace));
    network.within(End::Left, send).expect("a thread there").expect("a cable")
}

impl Attempt {
    fn number(&self, path: &str) -> u64 {
        self.ledger.pointer(path).and_then(Value::as_u64).unwrap_or(0)
    }

    fn rate(&self) -> f64 {
        self.sent.frames as f64 / self.sent.time.as_secs_f64().max(1e-9)
    }

    /// Sent and not analysed: dropped by the kernel, or by the cable before it.
    fn lost(&self) -> u64 {
        self.sent.frames.saturating_sub(self.number("/analysed"))
    }

    fn print(&self, workers: u32, what: &str) {
        let (received, analysed) = (self.number("/received"), self.number("/analysed"));
        let dropped = self.number("/lost/kernel.drop");
        let _ = writeln!(
            std::io::stdout(),
            "{workers} worker(s), {what}: {:.0} frames/s; sent {}, received {received} = analysed {analysed} + \
             kernel drops {dropped} + other {}; balances: {}",
            self.rate(),
            self.sent.frames,
            received.saturating_sub(analysed + dropped),
            self.ledger["balances"],
        );
    }
}
