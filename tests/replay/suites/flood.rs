//! Floods: memory stays at its budget, well-behaved conversations are kept, the ledger balances.

use replay::{Eve, Ran, Sensor, is_long};
use serde_json::Value;
use std::io::{BufWriter, Write};
use std::time::Duration;
use world::{Among, Fragments, Overlap, PcapWriter, Source, SynFlood, Talk, Tunnels};

/// Budgets of a small sensor, so that every table is full early.
const SMALL: &[&str] = &[
    "--workers",
    "1",
    "--set",
    "flow.memory=16777216",
    "--set",
    "stream.memory=16777216",
    "--set",
    "defrag.memory=8388608",
];

/// Room for the program itself and its queues.
const REST: u64 = 64 << 20;
const BUDGET: u64 = (16 + 16 + 8) << 20;

/// Well-behaved conversations mixed in.
const GOOD: u64 = 400;

fn times(usual: u64, full: u64) -> u64 {
    if is_long() { full } else { usual }
}

/// Writes a flood with good conversations among it; each frame comes a microsecond after the one before.
fn pour(to: &mut dyn Write, flood: impl Source, every: u64) {
    let mut source = Among::new(flood, Talk::new(GOOD, 16, 3), every);
    let Ok(mut out) = PcapWriter::new(BufWriter::with_capacity(1 << 20, to)) else { return };
    let (mut frame, mut nanos) = (Vec::new(), 1_700_000_000_000_000_000);
    while source.fill(&mut frame) && out.write(nanos, &frame).is_ok() {
        nanos += 1000;
    }
    let _ = out.finish();
}

fn flood(make: impl FnOnce() -> Box<dyn Source> + Send + 'static, every: u64) -> (Ran, Eve) {
    let folder = tempfile::tempdir().expect("a folder");
    let eve = folder.path().join("eve.json");
    let ran = Sensor::new([
        "read",
        "-",
        "--json",
        "--set",
        "events.flow=false",
        "--set",
        "events.netflow=false",
        "--eve",
    ])
    .arg(&eve)
    .args(SMALL)
    .limit(Duration::from_secs(600))
    .input(move |to| pour(to, make(), every))
    .run();
    assert_eq!(ran.code(), Some(0), "{}", ran.told());
    assert!(ran.peak < BUDGET + REST, "memory over the budget: {}", ran.told());
    let summary = ran.json();
    assert_eq!(summary["ledger"]["balances"], true, "{}", summary["ledger"]);
    let eve = Eve::read(&eve).expect("whole lines");
    (ran, eve)
}

/// Transactions of the good conversations: each is a lookup, a TLS session or a web request.
fn kept(eve: &Eve) -> u64 {
    let answers = |e: &&Value| e["dns"]["type"] != "answer" && e["dns"]["type"] != "response";
    let lookups = eve.of("dns").filter(answers).count();
    (lookups + eve.of("tls").count() + eve.of("http").count()) as u64
}

#[test]
fn spoofed_syns_leave_memory_flat_and_good_flows_whole() {
    let (short, _) = flood(|| Box::new(SynFlood::new(times(300_000, 5_000_000), 1)), 50);
    let (long, eve) = flood(|| Box::new(SynFlood::new(times(900_000, 20_000_000), 1)), 50);
    assert!(long.peak < short.peak + (8 << 20), "it grows: {} and {}", short.told(), long.told());
    assert!(kept(&eve) >= GOOD, "{} of {GOOD} conversations: {:?}", kept(&eve), eve.kinds());
}

#[test]
fn fragments_that_never_meet_do_not_pile_up() {
    let (_, eve) = flood(|| Box::new(Fragments::new(times(200_000, 2_000_000), 2)), 20);
    assert!(kept(&eve) >= GOOD, "{} of {GOOD} conversations: {:?}", kept(&eve), eve.kinds());
}

#[test]
fn tunnels_in_tunnels_end_at_their_limit() {
    let (_, eve) = flood(|| Box::new(Tunnels::new(times(50_000, 500_000), 16, 3)), 5);
    assert!(kept(&eve) >= GOOD, "{} of {GOOD} conversations: {:?}", kept(&eve), eve.kinds());
}

#[test]
fn a_storm_of_overlaps_is_borne() {
    let (ran, eve) = flood(|| Box::new(Overlap::new(times(20_000, 200_000), 4)), 3);
    assert!(ran.took < Duration::from_secs(60), "{}", ran.told());
    assert!(kept(&eve) >= GOOD, "{} of {GOOD} conversations: {:?}", kept(&eve), eve.kinds());
}
