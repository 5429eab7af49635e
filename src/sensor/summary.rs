//! The summary: what one likes to read at the end, as text and as JSON.

use crate::assemble::Outcome;
use crate::counters::Snapshot;
use crate::tally::{Network, Tally, Timeline, Volume};
use frame::{Ledger, Loss};
use serde_json::{Value, json};
use std::fmt::{self, Write as _};
use std::net::IpAddr;
use std::time::Duration;

/// Lines of each list.
const TOP: usize = 10;
/// Columns of the traffic picture.
const COLUMNS: usize = 60;
/// Heights of one column.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// What a run amounted to.
#[derive(Debug)]
pub struct Summary<'a> {
    outcome: &'a Outcome,
    took: Duration,
}

impl<'a> Summary<'a> {
    /// Of this outcome, which took so long.
    #[must_use]
    pub fn new(outcome: &'a Outcome, took: Duration) -> Self {
        Self { outcome, took }
    }

    fn snapshot(&self) -> &Snapshot {
        &self.outcome.snapshot
    }

    /// As JSON: what the text says, and every counter.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let snapshot = self.snapshot();
        let tally = &snapshot.report.tally;
        let list = |entries: Vec<(String, Volume)>| -> Vec<Value> {
            let with_name = |(name, v): (String, Volume)| json!({"flows": v.flows, "packets": v.packets, "bytes": v.bytes, "name": name});
            entries.into_iter().map(with_name).collect()
        };
        json!({
            "seconds": self.took.as_secs_f64(),
            "packets_per_second": rate(snapshot.ledger.received, self.took),
            "traffic": timeline_json(&tally.timeline),
            "protocols": list(named(&tally.protocols)),
            "services": list(named(&tally.services)),
            "talkers": talkers(tally).into_iter().map(talker_json).collect::<Vec<_>>(),
            "events": snapshot.report.events.iter().map(|(n, c)| json!({"type": n, "count": c})).collect::<Vec<_>>(),
            "anomalies": anomalies(snapshot).into_iter().map(|(n, c)| json!({"event": n, "count": c})).collect::<Vec<_>>(),
            "ledger": ledger_json(&snapshot.ledger),
            "counters": snapshot.to_json(),
            "warnings": self.outcome.warnings,
        })
    }
}

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let snapshot = self.snapshot();
        let tally = &snapshot.report.tally;
        traffic(f, snapshot, self.took)?;
        volumes(f, "protocols", &named(&tally.protocols))?;
        volumes(f, "services", &named(&tally.services))?;
        let named = |((address, network), v): (&(IpAddr, Network), Volume)| match network {
            Network::Plain => (address.to_string(), v),
            _ => (format!("{address} ({network})"), v),
        };
        volumes(f, "talkers", &talkers(tally).into_iter().map(named).collect::<Vec<_>>())?;
        counts(f, "events", &sorted(snapshot.report.events.clone()))?;
        counts(f, "anomalies", &anomalies(snapshot))?;
        ledger(f, snapshot)?;
        for warning in &self.outcome.warnings {
            writeln!(f, "  ! {warning}")?;
        }
        Ok(())
    }
}

fn rate(n: u64, took: Duration) -> u64 {
    let nanos = took.as_nanos().max(1);
    u64::try_from(u128::from(n) * 1_000_000_000 / nanos).unwrap_or(u64::MAX)
}

fn traffic(f: &mut fmt::Formatter<'_>, snapshot: &Snapshot, took: Duration) -> fmt::Result {
    let ledger = &snapshot.ledger;
    let line = &snapshot.report.tally.timeline;
    let seconds = line.steps.len() as u64 * line.width;
    writeln!(
        f,
        "\n  {} packets, {} in {} of traffic, read in {:.2} s ({} packets/s)",
        grouped(ledger.received),
        volume_of(ledger.received_bytes),
        span_of(seconds),
        took.as_secs_f64(),
        grouped(rate(ledger.received, took)),
    )?;
    let columns = columns(line);
    if columns.len() > 1 {
        writeln!(f, "\n  bytes over time\n  {}", picture(&columns))?;
    }
    Ok(())
}

/// Bytes per column: neighbouring steps are added up until they fit.
fn columns(line: &Timeline) -> Vec<u64> {
    let each = line.steps.len().div_ceil(COLUMNS).max(1);
    line.steps.chunks(each).map(|part| part.iter().map(|s| s.1).sum()).collect()
}

fn picture(columns: &[u64]) -> String {
    let most = columns.iter().copied().max().unwrap_or(0).max(1);
    let bar = |n: &u64| {
        let height = usize::try_from(n.saturating_mul(BARS.len() as u64) / most).unwrap_or(0);
        if *n == 0 { ' ' } else { BARS.get(height.min(BARS.len() - 1)).copied().unwrap_or('█') }
    };
    columns.iter().map(bar).collect()
}

fn named(map: &hashbrown::HashMap<&'static str, Volume>) -> Vec<(String, Volume)> {
    let name = |n: &str| if n.is_empty() { "(unrecognised)".to_owned() } else { n.to_owned() };
    top(map.iter().map(|(n, v)| (name(n), *v)).collect())
}

/// The largest by bytes, then by name: the same on every run.
fn top(mut entries: Vec<(String, Volume)>) -> Vec<(String, Volume)> {
    entries.sort_by(|a, b| b.1.bytes.cmp(&a.1.bytes).then_with(|| a.0.cmp(&b.0)));
    entries.truncate(TOP);
    entries
}

/// The largest talkers, in the order of [`top`].
fn talkers(tally: &Tally) -> Vec<(&(IpAddr, Network), Volume)> {
    let mut all: Vec<_> = tally.talkers.iter().map(|(who, v)| (who, *v)).collect();
    all.sort_by(|a, b| b.1.bytes.cmp(&a.1.bytes).then_with(|| a.0.cmp(b.0)));
    all.truncate(TOP);
    all
}

fn talker_json(((address, network), v): (&(IpAddr, Network), Volume)) -> Value {
    let mut talker =
        json!({"flows": v.flows, "packets": v.packets, "bytes": v.bytes, "name": address.to_string()});
    if let (Some(talker), false) = (talker.as_object_mut(), *network == Network::Plain) {
        talker.insert("network".into(), network.to_string().into());
    }
    talker
}

fn volumes(f: &mut fmt::Formatter<'_>, title: &str, entries: &[(String, Volume)]) -> fmt::Result {
    if entries.is_empty() {
        return Ok(());
    }
    let most = entries.iter().map(|(_, v)| v.bytes).max().unwrap_or(0).max(1);
    writeln!(f, "\n  {title:<40}{:>10}{:>12}{:>12}", "flows", "packets", "bytes")?;
    for (name, v) in entries {
        let bar = "▪".repeat(usize::try_from(v.bytes.saturating_mul(12) / most).unwrap_or(0));
        writeln!(
            f,
            "  {name:<40}{:>10}{:>12}{:>12}  {bar}",
            grouped(v.flows),
            grouped(v.packets),
            volume_of(v.bytes)
        )?;
    }
    Ok(())
}

fn sorted(mut entries: Vec<(&'static str, u64)>) -> Vec<(&'static str, u64)> {
    entries.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    entries
}

fn anomalies(snapshot: &Snapshot) -> Vec<(&'static str, u64)> {
    let mut entries = sorted(snapshot.report.anomalies.seen().to_vec());
    entries.truncate(TOP);
    entries
}

fn counts(f: &mut fmt::Formatter<'_>, title: &str, entries: &[(&'static str, u64)]) -> fmt::Result {
    if entries.is_empty() {
        return Ok(());
    }
    writeln!(f, "\n  {title}")?;
    for (name, n) in entries {
        writeln!(f, "  {name:<52}{:>10}", grouped(*n))?;
    }
    Ok(())
}

fn ledger(f: &mut fmt::Formatter<'_>, snapshot: &Snapshot) -> fmt::Result {
    let l = &snapshot.ledger;
    writeln!(f, "\n  ledger of packets")?;
    let mut row = |name: &str, n: u64| writeln!(f, "  {name:<52}{:>10}", grouped(n));
    row("received", l.received)?;
    row("= analysed", l.analysed)?;
    row("+ bypassed", l.bypassed)?;
    row("+ filtered", l.filtered)?;
    for loss in Loss::ALL.into_iter().filter(|loss| l.lost(*loss) > 0) {
        row(&format!("+ lost: {}", loss.text()), l.lost(loss))?;
    }
    match l.imbalance() {
        0 => writeln!(f, "  it balances")?,
        n => writeln!(f, "  IT DOES NOT BALANCE: {n} packets are unaccounted for")?,
    }
    for sink in &snapshot.sinks {
        let lost = sink.lost_slow + sink.lost_gone + sink.lost_stopped;
        let (written, produced) = (grouped(sink.written), grouped(sink.produced));
        writeln!(
            f,
            "  events to {}: {produced} produced, {written} written, {} lost",
            sink.name,
            grouped(lost)
        )?;
    }
    if let Some(store) = &snapshot.store {
        let (kept, known) = (grouped(store.kept), grouped(store.known));
        writeln!(
            f,
            "  files to {}: {kept} kept, {known} there already, {} not kept",
            store.folder,
            grouped(store.lost())
        )?;
    }
    if let Some(record) = &snapshot.record {
        writeln!(
            f,
            "  record: {} frames in {} of pcapng, {} not kept",
            grouped(record.frames),
            volume_of(record.bytes),
            grouped(record.lost)
        )?;
    }
    Ok(())
}

fn ledger_json(l: &Ledger) -> Value {
    let lost = Loss::ALL.into_iter().map(|loss| (loss.name().to_owned(), l.lost(loss).into()));
    json!({
        "received": l.received,
        "received_bytes": l.received_bytes,
        "analysed": l.analysed,
        "bypassed": l.bypassed,
        "filtered": l.filtered,
        "lost": lost.collect::<serde_json::Map<_, _>>(),
        "ring_freezes": l.ring_freezes,
        "cut": l.cut,
        "absences": l.absences,
        "balances": l.imbalance() == 0,
    })
}

fn timeline_json(line: &Timeline) -> Value {
    json!({
        "start": line.start,
        "step_seconds": line.width,
        "packets": line.steps.iter().map(|s| s.0).collect::<Vec<_>>(),
        "bytes": line.steps.iter().map(|s| s.1).collect::<Vec<_>>(),
    })
}

/// `1234567` as `1,234,567`.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn volume_of(bytes: u64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"];
    let mut whole = bytes;
    let mut tenths = 0;
    let mut unit = 0;
    while whole >= 1000 && unit + 1 < units.len() {
        tenths = whole % 1000 / 100;
        whole /= 1000;
        unit += 1;
    }
    let name = units.get(unit).copied().unwrap_or("TB");
    let mut out = String::new();
    let _ = if unit == 0 { write!(out, "{whole} {name}") } else { write!(out, "{whole}.{tenths} {name}") };
    out
}

fn span_of(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(grouped(7), "7");
        assert_eq!(volume_of(1_234_567), "1.2 MB");
        assert_eq!(volume_of(999), "999 B");
        assert_eq!(span_of(7200), "2 h");
    }

    #[test]
    fn the_picture_has_a_bar_for_every_busy_column() {
        assert_eq!(picture(&[0, 1, 4, 8]), " ▂▅█");
    }
}
