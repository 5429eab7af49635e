//! Same capture in, same events out, byte for byte: whatever the number of workers and the size of bursts.

use replay::{Sensor, bundled, captures_below, corpora, each, is_long, root};
use std::path::Path;

/// The events of a capture, without the name that a run-dependent key could carry.
fn events(capture: &Path, workers: &str, burst: &str) -> Result<Vec<u8>, String> {
    let args = ["read", "--quiet", "--eve", "-", "--workers", workers, "--burst", burst];
    let ran = Sensor::new(args).arg(capture).run();
    if !ran.is_orderly() {
        return Err(format!("{}: {}", capture.display(), ran.told()));
    }
    Ok(ran.stdout)
}

fn compare(capture: &Path, ways: &[(&str, &str)]) -> Result<(), String> {
    let want = events(capture, "1", "256")?;
    for (workers, burst) in ways {
        let got = events(capture, workers, burst)?;
        if got != want {
            let line = want.split(|b| *b == b'\n').zip(got.split(|b| *b == b'\n')).position(|(a, b)| a != b);
            let name = capture.display();
            return Err(format!(
                "{name}: {workers} workers, bursts of {burst}: other bytes from event {line:?} on"
            ));
        }
    }
    Ok(())
}

const WAYS: &[(&str, &str)] = &[("1", "1"), ("1", "7"), ("2", "256"), ("3", "5"), ("4", "64")];

#[test]
fn bundled_captures_say_the_same_whoever_reads_them() {
    let complaints = each(&bundled(), |_, capture| compare(capture, WAYS));
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[test]
fn a_folder_says_the_same_whoever_reads_it() {
    assert_eq!(compare(&root().join("tests/cases/bundled"), WAYS), Ok(()));
}

#[test]
fn corpora_say_the_same_whoever_reads_them() {
    let Some(root) = corpora("") else { return };
    let captures = captures_below(&root);
    let ways = if is_long() { WAYS } else { &[("2", "256"), ("3", "5")] };
    let complaints = each(&captures, |_, capture| compare(capture, ways));
    let list: Vec<_> = complaints.iter().take(40).collect();
    assert!(complaints.is_empty(), "{} of {}: {list:#?}", complaints.len(), captures.len());
}
