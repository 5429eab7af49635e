//! `live-rate`: the highest rate that the sensor takes from a veth pair without losing a frame, beside Suricata on the
//! same cable with the same generator, in turn; and where vigie loses nothing at Suricata's rate. Needs root. The binary
//! is `VIGIE_BIN`; `live-rate elephants` measures what bypass saves. Suricata comes from `tests/testbed/peers/suricata.sh`, and is left out where it cannot be had.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "its findings are its output")]

mod contender;
mod elephants;

use contender::{Answer, Contender};
use std::process::ExitCode;
use testbed::{End, Network};
use world::{Crowd, CrowdKind, Pace, Sent, Transmit};

/// Flows that are alive at once.
const FLOWS: u64 = 10_000;
/// Seconds that one rate is held.
const SECONDS: f64 = 3.0;
/// The search ends when it knows the rate to this part of what can be sent.
const NEAR: f64 = 0.03;
/// A rate counts as free of loss when it was so this often in a row.
const TIMES: usize = 2;

fn main() -> ExitCode {
    let network = match Network::new() {
        Ok(network) => network,
        Err(reason) => {
            eprintln!("live-rate: {reason}");
            return ExitCode::FAILURE;
        }
    };
    for end in [End::Left, End::Right] {
        let script = format!("echo 1 > /proc/sys/net/ipv6/conf/{}/disable_ipv6", end.interface());
        let _ = network.command(end, "sh").args(["-c", &script]).status();
    }
    if std::env::args().nth(1).as_deref() == Some("elephants") {
        elephants::compare(&network);
        return ExitCode::SUCCESS;
    }
    for workers in [1, 2] {
        compare(&network, workers);
    }
    ExitCode::SUCCESS
}

fn compare(network: &Network, workers: u32) {
    let vigie = highest(network, Contender::Vigie, workers);
    let Some(peer) = highest(network, Contender::Suricata, workers) else {
        println!("{workers} worker(s): Suricata cannot be had here");
        return;
    };
    if let Some(vigie) = vigie {
        println!("{workers} worker(s): {:.2} times Suricata's rate without loss", vigie / peer);
    }
    let lost: u64 = (0..TIMES)
        .filter_map(|_| attempt(network, Contender::Vigie, workers, Some(peer)))
        .map(|a| a.lost())
        .sum();
    println!("{workers} worker(s): at Suricata's rate vigie lost {lost} frames in {TIMES} runs");
}

/// The highest rate found at which nothing was lost; none when the contender cannot be had.
fn highest(network: &Network, who: Contender, workers: u32) -> Option<f64> {
    let most = attempt(network, who, workers, None)?;
    most.print("as fast as it can be sent");
    let limit = most.rate();
    let (mut good, mut bad) = if most.lost() == 0 { (limit, limit) } else { (0.0, limit) };
    let mut best = (most.lost() == 0).then_some(most);
    while bad - good > limit * NEAR {
        let rate = f64::midpoint(good, bad);
        let tries = (0..TIMES).map(|_| attempt(network, who, workers, Some(rate)));
        let clean: Option<Vec<Attempt>> = tries.map(|tried| tried.filter(|a| a.lost() == 0)).collect();
        match clean.and_then(|mut clean| clean.pop()) {
            Some(last) => (good, best) = (rate, Some(last)),
            None => bad = rate,
        }
    }
    let best = best?;
    best.print("highest rate without loss");
    Some(best.rate())
}

/// What one rate came to.
struct Attempt {
    who: Contender,
    workers: u32,
    sent: Sent,
    answer: Answer,
}

fn attempt(network: &Network, who: Contender, workers: u32, rate: Option<f64>) -> Option<Attempt> {
    let running = who.start(network, workers)?;
    let (count, pace) = match rate {
        None => (2_000_000, Pace::Unlimited),
        Some(rate) => ((rate * SECONDS) as u64, Pace::PerSecond(rate)),
    };
    let rounds = u32::try_from(count / FLOWS).unwrap_or(u32::MAX).max(1);
    let mut frames = Crowd::new(CrowdKind::Udp, FLOWS, rounds);
    let send = || Transmit::open(End::Left.interface()).and_then(|out| out.send(&mut frames, pace));
    let sent = network.within(End::Left, send).expect("a thread there").expect("a cable");
    Some(Attempt { who, workers, sent, answer: running.end() })
}

impl Attempt {
    fn rate(&self) -> f64 {
        self.sent.frames as f64 / self.sent.time.as_secs_f64().max(1e-9)
    }

    /// Sent and not analysed: dropped in the ring, or in front of it.
    fn lost(&self) -> u64 {
        self.sent.frames.saturating_sub(self.answer.analysed)
    }

    fn print(&self, what: &str) {
        println!(
            "{} with {} worker(s), {what}: {:.0} frames/s; sent {}, analysed {}, dropped in the ring {}, in front of it {}",
            self.who.name(),
            self.workers,
            self.rate(),
            self.sent.frames,
            self.answer.analysed,
            self.answer.dropped,
            self.lost().saturating_sub(self.answer.dropped),
        );
    }
}
