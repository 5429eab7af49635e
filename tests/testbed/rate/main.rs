//! `live-rate`: the highest rate that the sensor takes from an end of a veth pair without losing a frame, beside Suricata on
//! the same end with the same generator, in turn; frames are made in the kernel where they arrive, so that neither the
//! cable nor a sender is the limit; and where vigie loses nothing at Suricata's rate. Needs root. The binary
//! is `VIGIE_BIN`; `live-rate elephants` measures what bypass saves, `live-rate dropped` what a dropped frame costs. Suricata comes from `tests/testbed/peers/suricata.sh`, and is left out where it cannot be had.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "its findings are its output")]

mod contender;
mod dropped;
mod elephants;

use capture::generator::{Injector, Sent, Shape};
use contender::{Answer, Contender};
use std::process::ExitCode;
use std::time::Duration;
use testbed::{End, Network};

/// Frames of 64 bytes, both directions of so many conversations that are alive at once.
const SHAPE: Shape = Shape { length: 64, flows: 10_000 };
/// How long one rate is held.
const TIME: Duration = Duration::from_secs(3);
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
    match std::env::args().nth(1).as_deref() {
        Some("elephants") => elephants::compare(&network),
        Some("dropped") => dropped::measure(&network),
        _ => [1, 2].into_iter().for_each(|workers| compare(&network, workers)),
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
    let rate = rate.map(|rate| rate as u64);
    let pour = || Injector::load(End::Right.interface(), SHAPE, rate).and_then(|mut one| one.pour(TIME));
    let sent = network.within(End::Right, pour).expect("a thread there").expect("a kernel that injects");
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
            "{} with {} worker(s), {what}: {:.0} frames/s; sent {}, analysed {}, dropped in the ring {}, in front of it {}; {:.2} µs of processor time a frame analysed",
            self.who.name(),
            self.workers,
            self.rate(),
            self.sent.frames,
            self.answer.analysed,
            self.answer.dropped,
            self.lost().saturating_sub(self.answer.dropped),
            self.answer.spent.as_secs_f64() * 1e6 / (self.answer.analysed.max(1)) as f64,
        );
    }
}
