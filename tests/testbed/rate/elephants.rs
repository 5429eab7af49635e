//! `live-rate elephants`: what bypass saves. A few long flows make four fifths of the bytes, short ones the rest; the same
//! frames go to a sensor that looks at everything and to one that has the kernel drop flows above a rate, in turn.
//! Processor time is the sensor's own, threads together; what the kernel does for a frame before it is dropped happens on the
//! sender's side of a veth pair and counts for neither.

use serde_json::Value;
use std::time::Duration;
use testbed::{End, Network, Running};
use world::{Conversation, Dice, Pace, Side, Source, Talk, Transmit, http_get, http_response};

/// Long flows.
const LONG: u16 = 8;
/// Bytes of the long flows for each of the short ones.
const SHARE: u64 = 4;
/// Bytes that a short flow fetches.
const FETCHED: usize = 60_000;
const FRAMES: u64 = 600_000;
const PER_SECOND: f64 = 60_000.0;
const ROUNDS: usize = 3;

/// What the short flows are.
#[derive(Clone, Copy, Debug)]
enum Short {
    /// Files of 60 kB, by HTTP: frames as long as those of the long ones.
    Fetches,
    /// Conversations of many protocols, in small frames.
    Talk,
}

/// Long flows, each saying a little more in its turn.
struct Long {
    flows: Vec<Conversation>,
    turn: usize,
    ready: Vec<Vec<u8>>,
    bytes: Vec<u8>,
}

impl Long {
    fn new() -> Self {
        let mut dice = Dice::new(5);
        let mut bytes = dice.bytes(64 * 1448);
        // Nothing that looks like the beginning of a protocol.
        bytes[0] = 0x81;
        let flows = (0..LONG).map(|n| {
            let mut flow = Conversation::new(
                format!("10.3.0.{}:{}", n + 1, 40_000 + n).parse().expect("an end"),
                "10.4.0.1:9800".parse().expect("an end"),
            );
            flow.open();
            flow
        });
        Self { flows: flows.collect(), turn: 0, ready: Vec::new(), bytes }
    }

    fn next(&mut self) -> Vec<u8> {
        while self.ready.is_empty() {
            let turn = self.turn % self.flows.len();
            self.turn += 1;
            if let Some(flow) = self.flows.get_mut(turn) {
                flow.say(Side::Client, &self.bytes);
                self.ready = flow.take_frames();
                self.ready.reverse();
            }
        }
        self.ready.pop().unwrap_or_default()
    }
}

/// Short flows, one after the other.
struct Fetches {
    number: u32,
    ready: Vec<Vec<u8>>,
    answer: Vec<u8>,
}

impl Source for Fetches {
    fn fill(&mut self, frame: &mut Vec<u8>) -> bool {
        if self.ready.is_empty() {
            self.number += 1;
            let [_, a, b, c] = self.number.to_be_bytes();
            let mut flow = Conversation::new(
                format!("10.{}.{b}.{c}:41000", 5 + a).parse().expect("an end"),
                "10.4.0.2:80".parse().expect("an end"),
            );
            flow.open();
            flow.say(Side::Client, &http_get("files.example", "/a"));
            flow.say(Side::Server, &self.answer);
            flow.close();
            self.ready = flow.into_frames();
            self.ready.reverse();
        }
        *frame = self.ready.pop().unwrap_or_default();
        true
    }
}

/// Both, by bytes.
struct Mix {
    long: Long,
    short: Box<dyn Source + Send>,
    long_bytes: u64,
    short_bytes: u64,
    left: u64,
}

impl Mix {
    fn new(short: Short) -> Self {
        let answer = http_response(&vec![b'x'; FETCHED]);
        let short: Box<dyn Source + Send> = match short {
            Short::Fetches => Box::new(Fetches { number: 0, ready: Vec::new(), answer }),
            Short::Talk => Box::new(Talk::new(FRAMES, 200, 3)),
        };
        Self { long: Long::new(), short, long_bytes: 0, short_bytes: 0, left: FRAMES }
    }
}

impl Source for Mix {
    fn fill(&mut self, frame: &mut Vec<u8>) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        if self.long_bytes < self.short_bytes * SHARE || !self.short.fill(frame) {
            *frame = self.long.next();
            self.long_bytes += frame.len() as u64;
        } else {
            self.short_bytes += frame.len() as u64;
        }
        true
    }
}

/// What one run cost.
struct Cost {
    cpu: Duration,
    ledger: Value,
}

fn run(network: &Network, short: Short, more: &[&str]) -> Cost {
    let args = [&["--workers", "1", "--set", "stats.interval=0"], more].concat();
    let running = Running::start(network, End::Right, &args);
    let before = running.cpu();
    let mut mix = Mix::new(short);
    let send = || {
        Transmit::open(End::Left.interface()).and_then(|out| out.send(&mut mix, Pace::PerSecond(PER_SECOND)))
    };
    network.within(End::Left, send).expect("a thread there").expect("a cable");
    std::thread::sleep(Duration::from_millis(300));
    let cpu = running.cpu().saturating_sub(before);
    Cost { cpu, ledger: running.end().ledger() }
}

/// Compares, and prints.
pub(crate) fn compare(network: &Network) {
    let bypass = ["--set", "bypass.capture=socket", "--set", "bypass.rate=256KiB"];
    for short in [Short::Fetches, Short::Talk] {
        let mut costs = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            for (cost, more) in costs.iter_mut().zip([&[][..], &bypass]) {
                let one = run(network, short, more);
                println!(
                    "{short:?}, {}: {:.2} s of processor time; {}",
                    if more.is_empty() { "everything looked at" } else { "elephants bypassed" },
                    one.cpu.as_secs_f64(),
                    one.ledger
                );
                cost.push(one.cpu);
            }
        }
        let [all, less] = costs.map(|cost| cost.iter().sum::<Duration>().as_secs_f64());
        println!("{short:?}: {:.2} times less processor time with bypass", all / less.max(0.01));
    }
}
