//! `live-rate workers`: what a second worker brings. On a small machine a generator takes what the second worker would have;
//! so frames are laid into rings that hold all of them while the sensor is stopped, and it is timed from the moment that it
//! goes on, told to end, until it has looked at everything and is gone. What beginning and end take, the rings' memory above
//! all, is left out by doing so for few frames and for many: what counts is the difference. One and two workers take turns.

use crate::Load;
use crate::share;
use std::time::{Duration, Instant};
use testbed::{End, Network, Running};

const ROUNDS: usize = 3;
/// Blocks of 1 MiB of a ring: room for all frames at one worker.
const BLOCKS: &str = "--set=capture.blocks=384";
/// How long frames are sent, a few and many.
const SENDING: [Duration; 2] = [Duration::from_millis(300), Duration::from_millis(900)];

/// Measures, and prints.
pub(crate) fn measure(network: &Network) {
    for load in [Load::Datagrams, Load::Talk] {
        let mut rates = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            for (workers, rates) in ["1", "2"].into_iter().zip(&mut rates) {
                rates.extend(drain(network, load, workers));
            }
        }
        let [one, two] = rates.map(median);
        println!(
            "{load:?}: one worker {one:.0} frames/s, two {two:.0}: {:.2} times (medians of {ROUNDS})",
            two / one
        );
    }
}

/// Frames a second, if all of them had room.
fn drain(network: &Network, load: Load, workers: &str) -> Option<f64> {
    let [few, many] = SENDING.map(|sending| drain_once(network, load, workers, sending));
    let ((few, short), (many, long)) = (few?, many?);
    let rate = many.saturating_sub(few) as f64 / (long.as_secs_f64() - short.as_secs_f64());
    println!(
        "  {workers} worker(s): {few} frames in {:.3} s, {many} in {:.3} s, {rate:.0} frames/s",
        short.as_secs_f64(),
        long.as_secs_f64()
    );
    Some(rate)
}

/// Frames, and what they took.
fn drain_once(network: &Network, load: Load, workers: &str, sending: Duration) -> Option<(u64, Duration)> {
    let args = ["--workers", workers, BLOCKS, "--set=eve.file=/dev/null", "--set=stats.interval=0"];
    let running = Running::start(network, End::Right, args);
    share::hurry_all(running.pid());
    running.signal("STOP");
    let sent = load.send(network, None, sending).expect("a generator");
    let since = Instant::now();
    running.signal("TERM");
    running.signal("CONT");
    let ended = running.wait();
    let time = since.elapsed();
    let ledger = ended.ledger();
    let analysed = ledger["analysed"].as_u64()?;
    if analysed != sent.frames {
        let lost = &ledger["lost"]["kernel.drop"];
        println!("  {workers} worker(s): {lost} of {} frames had no room", sent.frames);
        return None;
    }
    Some((analysed, time))
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or(f64::NAN)
}
