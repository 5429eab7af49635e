//! `live-rate workers`: what a second worker brings. On a small machine a generator takes what the second worker would have;
//! so frames are laid into rings that hold all of them while the sensor is stopped, and it is timed from the moment that it
//! goes on, told to end, until it has looked at everything and is gone. One and two workers take turns.

use crate::Load;
use crate::share::Share;
use std::time::{Duration, Instant};
use testbed::{End, Network, Running};

const ROUNDS: usize = 5;
/// Blocks of 1 MiB of a ring: room for all frames at one worker.
const BLOCKS: &str = "--set=capture.blocks=256";
/// How long frames are sent.
const SENDING: Duration = Duration::from_millis(400);

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
    let args = ["--workers", workers, BLOCKS, "--set=eve.file=/dev/null", "--set=stats.interval=0"];
    let running = Running::start(network, End::Right, args);
    let share = Share::new(None).and_then(|share| share.take(running.pid()).map(|()| share));
    let share = share.expect("a control group");
    running.signal("STOP");
    let sent = load.send(network, None, SENDING).expect("a generator");
    let since = Instant::now();
    running.signal("TERM");
    running.signal("CONT");
    let ended = running.wait();
    let time = since.elapsed();
    drop(share);
    let ledger = ended.ledger();
    let (analysed, lost) =
        (ledger["analysed"].as_u64()?, ledger["lost"]["kernel.drop"].as_u64().unwrap_or(0));
    if analysed != sent.frames {
        println!("  {workers} worker(s): {lost} of {} frames had no room", sent.frames);
        return None;
    }
    let rate = analysed as f64 / time.as_secs_f64();
    println!("  {workers} worker(s): {analysed} frames in {:.3} s, {rate:.0} frames/s", time.as_secs_f64());
    Some(rate)
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or(f64::NAN)
}
