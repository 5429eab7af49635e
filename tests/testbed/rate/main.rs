//! `live-rate`: the highest rate that the sensor takes from an end of a veth pair without losing a frame, beside Suricata on
//! the same end with the same generator, in turn; and whether vigie loses nothing at Suricata's rate. Each has a share of a
//! core, as neither can be outrun otherwise by a generator beside it on two. Frames are datagrams of no protocol, or with
//! `live-rate talk` conversations of many. `live-rate elephants` measures what bypass saves, `live-rate dropped` what a
//! dropped frame costs, `live-rate workers` what a second worker brings. Needs root. The binary is `VIGIE_BIN`; Suricata comes
//! from `tests/testbed/peers/suricata.sh`, and is left out where it cannot be had.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "its findings are its output")]

mod contender;
mod dropped;
mod elephants;
mod share;
mod workers;

use capture::generator::{Injector, Sent, Shape};
use contender::{Answer, Contender};
use share::Share;
use std::error::Error;
use std::io;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use testbed::{End, Network};
use world::{Pace, Source, Talk, Transmit};

/// Hundredths of a core that a contender has.
const PERCENT: u32 = 10;
/// Frames of 64 bytes, both directions of so many conversations that are alive at once.
const SHAPE: Shape = Shape { length: 64, flows: 10_000 };
/// Conversations that are alive at once, of other kinds.
const ALIVE: usize = 1_000;
/// How long one rate is held.
const TIME: Duration = Duration::from_secs(3);
/// The search ends when it knows the rate to this part of it.
const NEAR: f64 = 0.05;
/// How often a rate is tried whose generator was interrupted.
const TRIES: usize = 5;
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
        Some("elephants") => elephants::compare(&network, std::env::args().nth(2).as_deref()),
        Some("dropped") => dropped::measure(&network),
        Some("workers") => workers::measure(&network),
        Some("talk") => compare(&Run { network: &network, load: Load::Talk, workers: 1 }),
        _ => compare(&Run { network: &network, load: Load::Datagrams, workers: 1 }),
    }
    ExitCode::SUCCESS
}

/// What is sent.
#[derive(Clone, Copy, Debug)]
enum Load {
    /// Datagrams of no protocol, made in the kernel where they arrive, so that the cable is no limit.
    Datagrams,
    /// Conversations of many protocols, sent over the cable.
    Talk,
}

impl Load {
    /// Sends it for about so long, at so many frames a second or as fast as it goes.
    fn send(self, network: &Network, rate: Option<f64>, time: Duration) -> io::Result<Sent> {
        match self {
            Self::Datagrams => {
                let rate = rate.map(|rate| rate as u64);
                let pour = || {
                    share::hurry();
                    let mut injector = Injector::load(End::Right.interface(), SHAPE, rate)?;
                    // By the clock on the wall: what the kernel tells leaves out the time in which it did not run.
                    let since = Instant::now();
                    injector.pour(time).map(|sent| Sent { time: since.elapsed(), ..sent })
                };
                network.within(End::Right, pour).expect("a thread there")
            }
            Self::Talk => {
                let pace = rate.map_or(Pace::Unlimited, Pace::PerSecond);
                let send = || {
                    share::hurry();
                    let mut talk = For { source: Talk::new(u64::MAX, ALIVE, 7), since: Instant::now(), time };
                    Transmit::open(End::Left.interface())?.send(&mut talk, pace)
                };
                let sent = network.within(End::Left, send).expect("a thread there");
                let sent = sent.map_err(io::Error::other)?;
                Ok(Sent { frames: sent.frames, time: sent.time })
            }
        }
    }
}

/// What a source gives within a time.
struct For<S> {
    source: S,
    since: Instant,
    time: Duration,
}

impl<S: Source> Source for For<S> {
    fn fill(&mut self, frame: &mut Vec<u8>) -> bool {
        self.since.elapsed() < self.time && self.source.fill(frame)
    }
}

/// One comparison.
struct Run<'a> {
    network: &'a Network,
    load: Load,
    workers: u32,
}

fn compare(run: &Run<'_>) {
    let Run { load, workers, .. } = run;
    println!("{load:?}, {workers} worker(s), {PERCENT} % of a core:");
    share::pin_generator().expect("a processor of its own for the generator");
    let vigie = highest(run, Contender::Vigie);
    let Some(peer) = highest(run, Contender::Suricata) else {
        println!("  Suricata cannot be had here, or has no rate without loss");
        return;
    };
    if let Some(vigie) = vigie {
        println!("  {:.2} times Suricata's rate without loss", vigie / peer);
    }
    let lost: u64 =
        (0..TIMES).filter_map(|_| attempt(run, Contender::Vigie, Some(peer))).map(|a| a.lost()).sum();
    println!("  at Suricata's rate vigie lost {lost} frames in {TIMES} runs");
}

/// The highest rate found at which nothing was lost; none when the contender cannot be had.
fn highest(run: &Run<'_>, who: Contender) -> Option<f64> {
    let most = attempt(run, who, None)?;
    most.print("as fast as it can be sent");
    let limit = most.rate();
    let (mut good, mut bad) = if most.lost() == 0 { (limit, limit) } else { (0.0, limit) };
    let mut best = (most.lost() == 0).then_some(most);
    while bad - good > bad * NEAR && bad > limit * NEAR {
        let rate = f64::midpoint(good, bad);
        let tries = (0..TIMES).map(|_| attempt(run, who, Some(rate)));
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
    sent: Sent,
    answer: Answer,
}

/// A generator in the kernel may be interrupted, and then does not tell what it has sent: such an attempt is made again.
fn attempt(run: &Run<'_>, who: Contender, rate: Option<f64>) -> Option<Attempt> {
    let mut tries = (0..TRIES)
        .map(|_| try_once(run, who, rate))
        .skip_while(|tried| tried.as_ref().is_some_and(|tried| tried.as_ref().is_err_and(is_interrupted)));
    Some(tries.next()??.expect("a kernel that injects, or a cable"))
}

/// Whether a system call was, somewhere below what is told of it.
fn is_interrupted(why: &io::Error) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = Some(why);
    while let Some(why) = cause {
        if why.downcast_ref::<io::Error>().is_some_and(|why| why.kind() == io::ErrorKind::Interrupted) {
            return true;
        }
        cause = why.source();
    }
    false
}

fn try_once(run: &Run<'_>, who: Contender, rate: Option<f64>) -> Option<io::Result<Attempt>> {
    let running = who.start(run.network, run.workers)?;
    let share = Share::new(Some(PERCENT)).and_then(|share| share.hold(running.pid()).map(|()| share));
    let share = share.expect("a control group with a bound on processor time");
    let sent = run.load.send(run.network, rate, TIME);
    let answer = running.end();
    drop(share);
    Some(sent.map(|sent| Attempt { who, sent, answer }))
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
            "  {}, {what}: {:.0} frames/s; sent {}, analysed {}, dropped in the ring {}, in front of it {}; {:.2} µs of processor time a frame analysed",
            self.who.name(),
            self.rate(),
            self.sent.frames,
            self.answer.analysed,
            self.answer.dropped,
            self.lost().saturating_sub(self.answer.dropped),
            self.answer.spent.as_secs_f64() * 1e6 / (self.answer.analysed.max(1)) as f64,
        );
    }
}
