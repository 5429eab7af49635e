//! `live-rate`: how many small frames a second the sensor takes from a veth pair without losing one, and its ledger at
//! that rate, at half of it, and as fast as this machine can send. Needs root. The binary is `VIGIE_BIN`.

#![forbid(unsafe_code)]

use serde_json::Value;
use std::io::Write as _;
use std::process::ExitCode;
use testbed::{End, Network, Running};
use world::{Crowd, CrowdKind, Pace, Sent, Source, Transmit};

/// Frames of UDP flows of which many are alive at once: 50 bytes each.
const FLOWS: u64 = 10_000;
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
    let highest = search(network, workers, limit.rate());
    let best = attempt(network, workers, Pace::PerSecond(highest));
    best.print(workers, "highest rate found without loss");
    attempt(network, workers, Pace::PerSecond(limit.rate() / 2.0)).print(workers, "half of what can be sent");
}

/// The highest rate at which nothing is lost, between nothing and what can be sent.
fn search(network: &Network, workers: u32, most: f64) -> f64 {
    let (mut good, mut bad) = (0.0, most);
    if attempt(network, workers, Pace::PerSecond(most)).lost() == 0 {
        return most;
    }
    while bad - good > NEAR {
        let middle = f64::midpoint(good, bad);
        let lost = attempt(network, workers, Pace::PerSecond(middle)).lost();
        if lost == 0 { good = middle } else { bad = middle }
    }
    good
}

struct Attempt {
    sent: Sent,
    ledger: Value,
}

fn attempt(network: &Network, workers: u32, pace: Pace) -> Attempt {
    let count = match pace {
        Pace::Unlimited => 3_000_000,
        Pace::PerSecond(rate) => (rate * SECONDS) as u64,
    };
    let workers = workers.to_string();
    let args = ["--workers", &workers, "--set", "eve.file=/dev/null", "--set", "eve.rotate.size=0"];
    let running = Running::start(network, End::Right, args);
    let send = || {
        let rounds = u32::try_from(count / FLOWS).unwrap_or(u32::MAX).max(1);
        let mut frames: Box<dyn Source> = Box::new(Crowd::new(CrowdKind::Udp, FLOWS, rounds));
        Transmit::open("left").and_then(|out| out.send(frames.as_mut(), pace))
    };
    let sent = network.within(End::Left, send).expect("a thread there").expect("a cable");
    Attempt { sent, ledger: running.end().ledger() }
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
