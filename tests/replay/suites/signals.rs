//! Signals: TERM drains and sums up, KILL leaves whole lines.

use replay::{Eve, Sensor};
use std::io::Write;
use std::time::Duration;
use world::{PcapWriter, Source, Talk};

/// Writes conversations until nobody reads any more, at the most for so many frames.
fn endless(to: &mut dyn Write, most: u64) {
    let Ok(mut out) = PcapWriter::new(to) else { return };
    let mut talk = Talk::new(u64::MAX, 64, 7);
    let mut frame = Vec::new();
    for n in 0..most {
        if !talk.fill(&mut frame) || out.write(1_700_000_000_000_000_000 + n * 100_000, &frame).is_err() {
            return;
        }
    }
}

#[test]
fn term_drains_and_sums_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let eve = folder.path().join("eve.json");
    let ran = Sensor::new(["read", "-", "--json", "--eve"])
        .arg(&eve)
        .input(|to| endless(to, 50_000_000))
        .signal("TERM", Duration::from_millis(700))
        .limit(Duration::from_secs(20))
        .run();
    assert!(ran.is_orderly(), "{}", ran.told());
    let summary = ran.json();
    assert_eq!(summary["ledger"]["balances"], true, "{}", summary["ledger"]);
    let eve = Eve::read(&eve).expect("whole lines");
    assert!(eve.of("flow").count() > 100);
    assert_eq!(eve.of("stats").count().max(1), eve.of("stats").count(), "it ends with its counters");
}

#[test]
fn kill_leaves_whole_lines() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut events = 0;
    for after in [150, 400, 650] {
        let eve = folder.path().join(format!("eve-{after}.json"));
        let ran = Sensor::read("-".as_ref(), &eve)
            .input(|to| endless(to, 50_000_000))
            .signal("KILL", Duration::from_millis(after))
            .limit(Duration::from_secs(20))
            .run();
        assert_eq!(ran.code(), None, "it was killed: {}", ran.told());
        events += Eve::read(&eve).expect("whole lines").events.len();
    }
    assert!(events > 0, "something was written before");
}
