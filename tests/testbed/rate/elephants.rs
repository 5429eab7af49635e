//! `live-rate elephants`: what bypass saves. A few long flows make four fifths of the bytes, short ones the rest; the same
//! frames go to a sensor that looks at everything and to one that has the kernel drop flows above a rate, in turn. A word
//! behind it chooses what the short flows are: `pages`, `fetches`, `talk` or `nothing`.
//! Processor time is the sensor's own, threads together; what the kernel does for a frame before it is dropped happens on the
//! sender's side of a veth pair and counts for neither.

use crate::share::{self, Share};
use serde_json::Value;
use std::time::Duration;
use testbed::{End, Network, Running};
use world::{Builder, Conversation, Dice, Pace, Side, Source, Talk, Transmit, http_get, http_response};

/// Long flows.
const LONG: u16 = 8;
/// Bytes of the long flows for each of the short ones.
const SHARE: u64 = 4;
/// What a connection of a web browser fetches. HTTP Archive's median page has 71 requests for 2,652 kB (Web Almanac 2024, page
/// weight, desktop), over 12 or 13 connections: six requests on one, for 221 kB. Kinds are in about their parts: a document
/// of 18 kB, scripts (24 of 613 kB together), images (18 of 1,054 kB), and what is left.
const PAGE: [usize; 6] = [18_000, 25_000, 25_000, 58_000, 58_000, 37_000];
/// A connection for a single file.
const FETCHED: [usize; 1] = [60_000];
const FRAMES: u64 = 2_000_000;
const PER_SECOND: f64 = 250_000.0;
/// Bytes that a frame of a long flow carries.
const SEGMENT: usize = 1448;
const ROUNDS: usize = 2;

/// What the short flows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Short {
    /// Parts of web pages by HTTP, several on a connection.
    Pages,
    /// Files of 60 kB by HTTP, each on a connection of its own.
    Fetches,
    /// Conversations of many protocols, in small frames.
    Talk,
    /// There are none: what is left is what the long ones cost.
    Nothing,
}

impl Short {
    /// As it is chosen.
    fn name(self) -> &'static str {
        match self {
            Self::Pages => "pages",
            Self::Fetches => "fetches",
            Self::Talk => "talk",
            Self::Nothing => "nothing",
        }
    }

    fn source(self) -> Box<dyn Source + Send> {
        match self {
            Self::Pages => Box::new(Fetches::of(&PAGE)),
            Self::Fetches => Box::new(Fetches::of(&FETCHED)),
            Self::Talk => Box::new(Talk::new(FRAMES, 200, 3)),
            Self::Nothing => Box::new(Talk::new(0, 1, 3)),
        }
    }
}

/// What the long flows are.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// TCP of no known protocol.
    Tcp,
    /// The same, of which the sensor does not see that anybody acknowledges it.
    Unacknowledged,
    /// UDP of no known protocol.
    Udp,
}

/// Long flows, each saying a little more in its turn.
struct Long {
    kind: Kind,
    flows: Vec<Conversation>,
    turn: usize,
    ready: Vec<Vec<u8>>,
    bytes: Vec<u8>,
}

impl Long {
    fn new(kind: Kind) -> Self {
        let mut dice = Dice::new(5);
        // No more than the smallest window.
        let mut bytes = dice.bytes(40 * SEGMENT);
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
        Self { kind, flows: flows.collect(), turn: 0, ready: Vec::new(), bytes }
    }

    fn next(&mut self) -> Vec<u8> {
        while self.ready.is_empty() {
            self.ready = self.say();
            self.ready.reverse();
        }
        self.ready.pop().unwrap_or_default()
    }

    /// What the next flow says.
    fn say(&mut self) -> Vec<Vec<u8>> {
        let turn = self.turn % self.flows.len();
        self.turn += 1;
        let Some(flow) = self.flows.get_mut(turn) else { return Vec::new() };
        if let Kind::Udp = self.kind {
            let host = u8::try_from(turn + 1).unwrap_or(u8::MAX);
            let datagram = |bytes| {
                let ip = Builder::ethernet().ipv4([10, 3, 0, host], [10, 4, 0, 1]);
                ip.udp(40_000, 9800).payload(bytes).build()
            };
            return self.bytes.chunks(SEGMENT).map(datagram).collect();
        }
        flow.say(Side::Client, &self.bytes);
        let mut frames = flow.take_frames();
        if let Kind::Unacknowledged = self.kind {
            frames.pop();
        }
        frames
    }
}

/// Short flows, one after the other.
struct Fetches {
    number: u32,
    ready: Vec<Vec<u8>>,
    answers: Vec<Vec<u8>>,
}

impl Fetches {
    /// Connections that fetch files of these sizes, one after the other.
    fn of(sizes: &[usize]) -> Self {
        let answers = sizes.iter().map(|size| http_response(&vec![b'x'; *size])).collect();
        Self { number: 0, ready: Vec::new(), answers }
    }
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
            for (number, answer) in self.answers.iter().enumerate() {
                flow.say(Side::Client, &http_get("files.example", &format!("/{number}")));
                flow.say(Side::Server, answer);
            }
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
    fn new(long: Kind, short: Short) -> Self {
        Self { long: Long::new(long), short: short.source(), long_bytes: 0, short_bytes: 0, left: FRAMES }
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

fn run(network: &Network, (long, short): (Kind, Short), more: &[&str]) -> Cost {
    let args =
        [&["--workers", "1", "--set", "stats.interval=0", "--set", "eve.file=/dev/null"], more].concat();
    let running = Running::start(network, End::Right, &args);
    let share = Share::new(None).and_then(|share| share.hold(running.pid()).map(|()| share));
    let share = share.expect("a control group");
    let before = running.processor_time();
    let mut mix = Mix::new(long, short);
    let send = || {
        share::hurry();
        Transmit::open(End::Left.interface()).and_then(|out| out.send(&mut mix, Pace::PerSecond(PER_SECOND)))
    };
    network.within(End::Left, send).expect("a thread there").expect("a cable");
    std::thread::sleep(Duration::from_millis(300));
    let cpu = running.processor_time().saturating_sub(before);
    let ledger = running.end().ledger();
    drop(share);
    Cost { cpu, ledger }
}

/// Compares, and prints; those with one kind of short flows, or all.
pub(crate) fn compare(network: &Network, chosen: Option<&str>) {
    share::pin_generator().expect("a processor of its own for the generator");
    for (long, short) in [
        (Kind::Tcp, Short::Pages),
        (Kind::Unacknowledged, Short::Pages),
        (Kind::Udp, Short::Pages),
        (Kind::Tcp, Short::Fetches),
        (Kind::Unacknowledged, Short::Fetches),
        (Kind::Udp, Short::Fetches),
        (Kind::Tcp, Short::Talk),
        (Kind::Tcp, Short::Nothing),
    ] {
        if chosen.is_none_or(|chosen| chosen == short.name()) {
            compare_one(network, long, short);
        }
    }
}

fn compare_one(network: &Network, long: Kind, short: Short) {
    let bypass = ["--set", "bypass.capture=socket", "--set", "bypass.rate=256KiB"];
    let mut costs = [Vec::new(), Vec::new()];
    let mut lost = 0;
    for _ in 0..ROUNDS {
        for (cost, more) in costs.iter_mut().zip([&[][..], &bypass]) {
            let one = run(network, (long, short), more);
            let number = |key| one.ledger[key].as_u64().unwrap_or_default();
            println!(
                "{long:?} beside {short:?}, {}: {:.2} s of processor time; {} frames, of which {} bypassed, {} lost",
                if more.is_empty() { "everything looked at" } else { "elephants bypassed" },
                one.cpu.as_secs_f64(),
                number("received"),
                number("bypassed"),
                one.ledger["lost"]["kernel.drop"]
            );
            lost += one.ledger["lost"]["kernel.drop"].as_u64().unwrap_or(0);
            cost.push(one.cpu);
        }
    }
    let [all, less] = costs.map(|cost| cost.iter().sum::<Duration>().as_secs_f64());
    if lost > 0 {
        println!("{long:?} beside {short:?}: frames were lost, which cost nothing: no comparison");
        return;
    }
    println!("{long:?} beside {short:?}: {:.2} times less processor time with bypass", all / less.max(0.01));
}
