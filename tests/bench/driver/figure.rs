//! What was measured, as a line of a table and as JSON.

use std::hint::black_box;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How fast the core runs while we measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    pub(crate) ghz: f64,
}

impl Clock {
    /// Times a chain of operations whose length in cycles is known: a multiplication takes three on every x86 of these
    /// years, an exclusive or one. The best of many short runs, which nobody interrupted.
    pub(crate) fn measure() -> Self {
        const LINKS: u32 = 100_000;
        const CYCLES: f64 = 4.0;
        let run = || {
            let begin = Instant::now();
            let mut x = black_box(3_u64);
            for _ in 0..LINKS {
                x = x.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 1;
            }
            black_box(x);
            begin.elapsed().as_nanos() as f64
        };
        let best = (0..200).map(|_| run()).fold(f64::INFINITY, f64::min);
        Self { ghz: CYCLES * f64::from(LINKS) / best }
    }
}

/// One line: rounds, each of so many frames in so much time.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    driver: &'static str,
    what: &'static str,
    flows: u32,
    near: &'static str,
    frames: u64,
    time: Duration,
    /// Nanoseconds a frame, a round each.
    rounds: Vec<f64>,
}

impl Figure {
    pub(crate) const HEADER: &'static str = "\
driver  what                flows  memory     frames   ns  best tenth    mean    Mpps  best tenth  cycles";

    pub(crate) fn new(driver: &'static str, what: &'static str, flows: u32, near: &'static str) -> Self {
        Self { driver, what, flows, near, frames: 0, time: Duration::ZERO, rounds: Vec::new() }
    }

    pub(crate) fn add(&mut self, frames: u64, time: Duration) {
        self.frames += frames;
        self.time += time;
        self.rounds.push(time.as_nanos() as f64 / frames.max(1) as f64);
    }

    /// Nanoseconds a frame in the round of which `part` of all were faster.
    fn quantile(&self, part: f64) -> f64 {
        let mut sorted = self.rounds.clone();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().saturating_sub(1) as f64;
        sorted.get((last * part) as usize).copied().unwrap_or(f64::NAN)
    }

    fn mean(&self) -> f64 {
        self.time.as_nanos() as f64 / self.frames.max(1) as f64
    }

    /// Medians first: a round that the system interrupted says nothing. The best tenth is what an idle machine gives
    /// while others are at work on this one.
    pub(crate) fn line(&self, clock: &Clock) -> String {
        let (median, best) = (self.quantile(0.5), self.quantile(0.1));
        let flows = if self.flows == 0 { "-".to_owned() } else { self.flows.to_string() };
        format!(
            "{:<7} {:<17} {flows:>7}  {:<5} {:>11} {median:>6.1} {best:>7.1} {:>9.1} {:>7.1} {:>9.1} {:>9.0}",
            self.driver,
            self.what,
            self.near,
            self.frames,
            self.mean(),
            1e3 / median,
            1e3 / best,
            median * clock.ghz,
        )
    }

    pub(crate) fn to_json(&self, clock: &Clock) -> Value {
        let (median, best) = (self.quantile(0.5), self.quantile(0.1));
        json!({
            "driver": self.driver,
            "what": self.what,
            "flows": self.flows,
            "memory": self.near,
            "frames": self.frames,
            "nanoseconds_median": median,
            "nanoseconds_best_tenth": best,
            "nanoseconds_mean": self.mean(),
            "mpps_median": 1e3 / median,
            "cycles_median": median * clock.ghz,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_means_are_of_rounds_and_of_frames() {
        let mut figure = Figure::new("iavf", "receive", 0, "near");
        for nanos in [1000, 2000, 9000] {
            figure.add(100, Duration::from_nanos(nanos));
        }
        assert_eq!((figure.quantile(0.5), figure.quantile(0.1), figure.mean()), (20.0, 10.0, 40.0));
    }
}
