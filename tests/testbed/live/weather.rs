//! Overload, sleep, cables pulled: every frame is accounted for, whatever happens.

use crate::stage::{Stage, number};
use std::time::Duration;
use testbed::{End, Running};
use world::{Pace, SynFlood, Talk};

/// The smallest ring there may be.
const TINY: [&str; 4] = ["--set", "capture.blocks=2", "--set", "capture.block_size=128KiB"];

#[test]
fn nothing_is_lost_at_an_easy_rate() {
    for workers in ["1", "2"] {
        let Some(stage) = Stage::set() else { return };
        let running = Running::start(&stage.network, End::Right, ["--workers", workers]);
        let sent = stage.send(&mut Talk::new(500, 40, 5), Pace::PerSecond(10_000.0));
        let ledger = running.end().ledger();
        assert_eq!(number(&ledger, "/received"), sent.frames, "{ledger}");
        assert_eq!(number(&ledger, "/analysed"), sent.frames, "{ledger}");
    }
}

#[test]
fn a_flood_is_accounted_for_to_the_last_frame() {
    for workers in ["1", "2"] {
        let Some(stage) = Stage::set() else { return };
        let running = Running::start(&stage.network, End::Right, ["--workers", workers]);
        let sent = stage.send(&mut SynFlood::new(1_000_000, 2), Pace::Unlimited);
        let ledger = running.end().ledger();
        assert_eq!(number(&ledger, "/received"), sent.frames, "{ledger}");
    }
}

#[test]
fn a_tiny_ring_overflows_and_says_by_how_much() {
    for workers in ["1", "2"] {
        let Some(stage) = Stage::set() else { return };
        let args = TINY.into_iter().chain(["--workers", workers]);
        let running = Running::start(&stage.network, End::Right, args);
        let sent = stage.send(&mut SynFlood::new(500_000, 2), Pace::Unlimited);
        let ledger = running.end().ledger();
        assert_eq!(number(&ledger, "/received"), sent.frames, "{ledger}");
        assert!(number(&ledger, "/lost/kernel.drop") > 0, "{ledger}");
        assert!(number(&ledger, "/ring_freezes") > 0, "{ledger}");
    }
}

#[test]
fn a_process_that_slept_for_a_second_knows_what_it_missed() {
    let Some(stage) = Stage::set() else { return };
    let running = Running::start(&stage.network, End::Right, TINY);
    running.signal("STOP");
    let sent = stage.send(&mut SynFlood::new(50_000, 2), Pace::PerSecond(50_000.0));
    running.signal("CONT");
    let awake = stage.send(&mut Talk::new(50, 10, 5), Pace::PerSecond(2000.0));
    let ledger = running.end().ledger();
    assert_eq!(number(&ledger, "/received"), sent.frames + awake.frames, "{ledger}");
    let dropped = number(&ledger, "/lost/kernel.drop");
    assert!(dropped > sent.frames / 2, "{ledger}");
    assert_eq!(number(&ledger, "/analysed"), sent.frames + awake.frames - dropped, "{ledger}");
}

#[test]
fn an_interface_that_goes_away_and_comes_back_is_told_and_counted() {
    for workers in ["1", "2"] {
        let Some(stage) = Stage::set() else { return };
        let mut running = Running::start(&stage.network, End::Right, ["--workers", workers]);
        let before = stage.send(&mut Talk::new(20, 4, 5), Pace::PerSecond(2000.0));
        std::thread::sleep(Duration::from_millis(200));
        stage.network.unplug().expect("a cable");
        running.until_said("is not there any more");
        stage.network.plug().expect("a new cable");
        running.until_said("is there again");
        // the second worker needs a moment more than the first
        std::thread::sleep(Duration::from_millis(500));
        stage.hush();
        let said = running.counter("ledger.received");
        let after = stage.send(&mut Talk::new(20, 4, 6), Pace::PerSecond(2000.0));
        let ended = running.end();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let ledger = ended.ledger();
        assert!(number(&ledger, "/absences") > 0, "{ledger}");
        assert!(number(&ledger, "/received") >= before.frames + after.frames, "{ledger}");
        assert_eq!(number(&ledger, "/received"), said + after.frames, "{ledger} {}", ended.stderr);
    }
}

#[test]
fn an_interface_that_stays_away_ends_the_run_with_the_reason() {
    let Some(stage) = Stage::set() else { return };
    let running = Running::start(&stage.network, End::Right, ["--set", "capture.patience=300"]);
    stage.network.unplug().expect("a cable");
    let ended = running.wait();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("went away") && ended.stderr.contains("there are: lo"), "{}", ended.stderr);
    assert_eq!(ended.ledger()["balances"], true);
}

#[test]
fn an_interface_that_goes_down_is_told_and_captured_again() {
    let Some(stage) = Stage::set() else { return };
    let mut running = Running::start(&stage.network, End::Right, [""; 0]);
    stage.network.set_link(End::Right, false).expect("an interface");
    running.until_said("went down");
    stage.network.set_link(End::Right, true).expect("an interface");
    stage.hush();
    let said = running.counter("ledger.received");
    let after = stage.send(&mut Talk::new(20, 4, 6), Pace::PerSecond(2000.0));
    let ledger = running.end().ledger();
    assert_eq!(number(&ledger, "/received"), said + after.frames, "{ledger}");
}
