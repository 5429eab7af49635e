//! What was measured, as a table and as JSON. Times are medians of all runs.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use crate::mix::Counted;
use crate::peer::{Contender, Measured, Place};

/// Medians of one contender.
#[derive(Clone, Debug)]
struct Line {
    name: String,
    runs: usize,
    wall: f64,
    /// Fastest and slowest run.
    spread: (f64, f64),
    cpu: f64,
    processing: Option<f64>,
    peak: u64,
    eve: u64,
}

/// The whole comparison.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    lines: Vec<Line>,
    packets: u64,
    bytes: u64,
    capture: String,
    cores: String,
}

impl Report {
    pub(crate) fn new(everyone: &[Contender], counted: &Counted, place: &Place) -> Self {
        let available = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
        Self {
            lines: everyone.iter().map(Line::new).collect(),
            packets: counted.packets,
            bytes: counted.bytes,
            capture: place.capture.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            cores: place.cores.clone().unwrap_or(format!("any of {available}")),
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        let line = |l: &Line| {
            json!({
                "name": l.name,
                "runs": l.runs,
                "wall_seconds": l.wall,
                "wall_fastest": l.spread.0,
                "wall_slowest": l.spread.1,
                "cpu_seconds": l.cpu,
                "processing_seconds": l.processing,
                "start_and_stop_seconds": l.processing.map(|p| l.wall - p),
                "packets_per_second_wall": self.rate(l.wall),
                "packets_per_second_cpu": self.rate(l.cpu),
                "packets_per_second_processing": l.processing.map(|p| self.rate(p)),
                "peak_rss_bytes": l.peak,
                "eve_bytes": l.eve,
            })
        };
        json!({
            "capture": self.capture,
            "packets": self.packets,
            "bytes": self.bytes,
            "cores": self.cores,
            "contenders": self.lines.iter().map(line).collect::<Vec<_>>(),
            "ratios": self.ratios().into_iter().map(|(n, r)| (n, r.into())).collect::<serde_json::Map<_, _>>(),
        })
    }

    fn rate(&self, seconds: f64) -> f64 {
        self.packets as f64 / seconds.max(1e-9)
    }

    /// What the figures of the project speak of. The second contender has two workers, the last may be Suricata.
    fn ratios(&self) -> Vec<(String, f64)> {
        let [one, two, others @ ..] = self.lines.as_slice() else { return Vec::new() };
        let mut ratios = vec![("two workers against one, wall".to_owned(), one.wall / two.wall)];
        for other in others {
            let theirs = other.processing.unwrap_or(other.wall);
            let ours = one.processing.unwrap_or(one.wall);
            ratios.extend([
                (format!("one worker against {}, packets/s of wall time", other.name), other.wall / one.wall),
                (format!("one worker against {}, packets/s of CPU time", other.name), other.cpu / one.cpu),
                (
                    format!("one worker against {}, packets/s without start and stop", other.name),
                    theirs / ours,
                ),
                (
                    format!("one worker, start and stop included, against {} without", other.name),
                    theirs / one.wall,
                ),
                (
                    format!("one worker's peak memory of {}'s", other.name),
                    one.peak as f64 / other.peak as f64,
                ),
            ]);
        }
        ratios
    }
}

impl Line {
    fn new(contender: &Contender) -> Self {
        let results = &contender.results;
        let of =
            |get: fn(&Measured) -> Duration| median(results.iter().map(|r| get(r).as_secs_f64()).collect());
        let walls = || results.iter().map(|r| r.cost.wall.as_secs_f64());
        let processing: Option<Vec<f64>> =
            results.iter().map(|r| r.processing.map(|p| p.as_secs_f64())).collect();
        Self {
            name: contender.name.clone(),
            runs: results.len(),
            wall: of(|r| r.cost.wall),
            spread: (walls().fold(f64::INFINITY, f64::min), walls().fold(0.0, f64::max)),
            cpu: of(|r| r.cost.cpu),
            processing: processing.map(median),
            peak: results.iter().map(|r| r.cost.peak).max().unwrap_or(0),
            eve: results.last().map_or(0, |r| r.eve),
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 0 => f64::midpoint(values[middle - 1], values[middle]),
        _ => values[middle],
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}: {} packets, {} bytes; cores: {}",
            self.capture, self.packets, self.bytes, self.cores
        )?;
        writeln!(
            f,
            "{:18} {:>4} {:>8} {:>15} {:>8} {:>10} {:>11} {:>11} {:>11} {:>9} {:>8}",
            "",
            "runs",
            "wall s",
            "fastest-slowest",
            "CPU s",
            "start+stop",
            "pkt/s wall",
            "pkt/s CPU",
            "pkt/s inner",
            "peak MiB",
            "EVE MiB"
        )?;
        for l in &self.lines {
            let spread = format!("{:.3}-{:.3}", l.spread.0, l.spread.1);
            let inner = l.processing.map_or("-".into(), |p| format!("{:.0}", self.rate(p)));
            let apart = l.processing.map_or("-".into(), |p| format!("{:.3}", l.wall - p));
            writeln!(
                f,
                "{:18} {:>4} {:>8.3} {spread:>15} {:>8.3} {apart:>10} {:>11.0} {:>11.0} {inner:>11} {:>9.1} {:>8.1}",
                l.name,
                l.runs,
                l.wall,
                l.cpu,
                self.rate(l.wall),
                self.rate(l.cpu),
                mebi(l.peak),
                mebi(l.eve),
            )?;
        }
        for (name, ratio) in self.ratios() {
            writeln!(f, "{ratio:>8.2} x  {name}")?;
        }
        writeln!(
            f,
            "Wall and CPU are of the whole process; 'inner' is by its own account, from ready to last packet."
        )
    }
}

fn mebi(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str, wall: f64, processing: Option<f64>, peak: u64) -> Line {
        Line { name: name.into(), runs: 1, wall, spread: (wall, wall), cpu: wall, processing, peak, eve: 0 }
    }

    #[test]
    fn medians() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < 1e-12);
        assert!((median(vec![4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-12);
    }

    #[test]
    fn ratios_are_ours_against_theirs() {
        let report = Report {
            lines: vec![
                line("one", 0.5, Some(0.4), 50),
                line("two", 0.25, None, 60),
                line("peer", 2.0, Some(1.5), 100),
            ],
            packets: 1000,
            bytes: 1,
            capture: String::new(),
            cores: String::new(),
        };
        let ratios: Vec<f64> = report.ratios().into_iter().map(|(_, r)| r).collect();
        assert_eq!(ratios, [2.0, 4.0, 4.0, 1.5 / 0.4, 3.0, 0.5]);
        assert_eq!(report.to_json()["contenders"][2]["packets_per_second_wall"], 500.0);
        assert!(report.to_string().contains("peak MiB"));
    }
}
