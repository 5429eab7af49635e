//! Every public capture: events keep to the schema, the ledger balances, and nothing that is damaged, cut or shredded
//! crashes, hangs or grows.

use replay::{Classic, Eve, Ran, Schema, Sensor, captures_below, corpora, each, is_long, one_byte_a_segment};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;
use world::Dice;

/// Longest that one capture may take.
const LIMIT: Duration = Duration::from_secs(5);
/// Most memory that it may need.
const MEMORY: u64 = 512 << 20;
/// Events of one capture that are held against the schema; what comes behind them looks like them.
const EVENTS: usize = 2000;

fn complain(ran: &Ran, capture: &Path) -> Result<(), String> {
    let why = match ran {
        ran if ran.hung || ran.took > LIMIT => "too long",
        ran if !ran.is_orderly() => "not orderly",
        ran if ran.peak > MEMORY => "too much memory",
        _ => return Ok(()),
    };
    Err(format!("{}: {why}: {}", capture.display(), ran.told()))
}

fn told(complaints: &[String], of: usize) {
    let list = complaints.iter().take(40).fold(String::new(), |out, line| out + "\n" + line);
    assert!(complaints.is_empty(), "{} of {of}:{list}", complaints.len());
}

#[test]
fn corpora_are_read_whole() {
    let Some(root) = corpora("") else { return };
    let captures = captures_below(&root);
    let schema = Schema::read(&root.join("rules/suricata-config/schema.json"));
    let faults = Mutex::new(BTreeMap::<String, (usize, String)>::new());
    let complaints = each(&captures, |_, capture| {
        let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
        let file = folder.path().join("eve.json");
        let args =
            ["read".as_ref(), capture.as_os_str(), "--json".as_ref(), "--eve".as_ref(), file.as_os_str()];
        let ran = Sensor::new(args).limit(LIMIT).run();
        complain(&ran, capture)?;
        if ran.stdout.is_empty() {
            return Ok(());
        }
        let ledger = &ran.json()["ledger"];
        if ledger["balances"] != true {
            return Err(format!("{}: the ledger does not balance: {ledger}", capture.display()));
        }
        let eve = Eve::read(&file).map_err(|e| format!("{}: {e}", capture.display()))?;
        let mut faults = faults.lock().map_err(|e| e.to_string())?;
        for fault in eve.events.iter().take(EVENTS).flat_map(|event| schema.faults(event)) {
            let shape: String = fault.chars().filter(|c| !c.is_ascii_digit()).take(90).collect();
            let entry = faults.entry(shape).or_insert_with(|| (0, format!("{}: {fault}", capture.display())));
            entry.0 += 1;
        }
        Ok(())
    });
    told(&complaints, captures.len());
    let faults = faults.into_inner().expect("no test thread panicked");
    let lines: Vec<String> = faults.values().map(|(n, text)| format!("{n} times, {text}")).collect();
    told(&lines, captures.len());
}

#[test]
fn corpora_cut_anywhere_are_read_in_order() {
    let Some(root) = corpora("") else { return };
    let captures = captures_below(&root);
    let cuts = if is_long() { 30 } else { 10 };
    let complaints = each(&captures, |at, capture| {
        let bytes = std::fs::read(capture).map_err(|e| e.to_string())?;
        let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
        let file = folder.path().join("cut.pcap");
        let mut dice = Dice::new(at as u64);
        for _ in 0..cuts {
            let end = dice.below(bytes.len().max(1) as u32) as usize;
            std::fs::write(&file, &bytes[..end]).map_err(|e| e.to_string())?;
            let ran = Sensor::read(&file, "/dev/null".as_ref()).limit(LIMIT).run();
            complain(&ran, capture).map_err(|e| format!("cut at {end}: {e}"))?;
        }
        Ok(())
    });
    told(&complaints, captures.len() * cuts);
}

#[test]
fn corpora_one_byte_a_segment_have_the_same_flows() {
    let Some(root) = corpora("") else { return };
    let (every, most) = if is_long() { (1, 200_000) } else { (3, 20_000) };
    let captures: Vec<PathBuf> = captures_below(&root).into_iter().step_by(every).collect();
    let complaints = each(&captures, |_, capture| {
        let bytes = std::fs::read(capture).map_err(|e| e.to_string())?;
        let Some(whole) = Classic::parse(&bytes) else { return Ok(()) };
        let split = one_byte_a_segment(&whole, most);
        if split.packets.len() == whole.packets.len() {
            return Ok(());
        }
        let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
        let (a, b) = (folder.path().join("whole.json"), folder.path().join("split.json"));
        let file = folder.path().join("split.pcap");
        std::fs::write(&file, split.write()).map_err(|e| e.to_string())?;
        let before = Sensor::read(capture, &a).limit(LIMIT).run();
        let after = Sensor::read(&file, &b).limit(LIMIT * 4).run();
        if after.hung || !after.is_orderly() || after.peak > MEMORY {
            return Err(format!("{}: {}", capture.display(), after.told()));
        }
        if before.code() != Some(0) {
            return Ok(());
        }
        let (before, after) = (flows(&Eve::read(&a)?), flows(&Eve::read(&b)?));
        let gone: Vec<_> = before.symmetric_difference(&after).take(3).collect();
        if gone.is_empty() { Ok(()) } else { Err(format!("{}: other flows: {gone:?}", capture.display())) }
    });
    told(&complaints, captures.len());
}

/// Flows by transport and ends, whichever end comes first.
fn flows(eve: &Eve) -> BTreeSet<String> {
    let end = |event: &serde_json::Value, ip: &str, port: &str| format!("{}:{}", event[ip], event[port]);
    eve.of("flow")
        .map(|flow| {
            let mut ends = [end(flow, "src_ip", "src_port"), end(flow, "dest_ip", "dest_port")];
            ends.sort();
            format!("{} {ends:?}", flow["proto"])
        })
        .collect()
}
