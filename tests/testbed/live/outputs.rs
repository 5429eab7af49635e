//! Disks that are full, readers that go away, a wire on which nothing happens.

use crate::stage::{Stage, number, of};
use std::fs;
use std::io::Read as _;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use testbed::{End, Running, events, events_so_far};
use world::{Pace, Talk};

/// A file system of a few kilobytes, unmounted at the end.
struct Small(tempfile::TempDir);

impl Small {
    fn new(size: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let options = format!("size={size}");
        let status =
            Command::new("mount").args(["-t", "tmpfs", "-o", &options, "small"]).arg(folder.path()).status();
        assert!(status.is_ok_and(|s| s.success()), "no file system to fill");
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_stops_the_sink_and_not_the_sensor() {
    let Some(stage) = Stage::set() else { return };
    let disk = Small::new("128k");
    let eve = disk.path().join("eve.json");
    fs::write(disk.path().join("ballast"), vec![0; 64 << 10]).expect("room");
    let args = ["--set".to_owned(), format!("eve.file={}", eve.display())];
    let mut running = Running::start(&stage.network, End::Right, args);
    let first = stage.send(&mut Talk::new(300, 40, 1), Pace::PerSecond(10_000.0));
    running.until_said("No space left on device");
    running.until("events are counted as lost", |r| r.counter("output.lost_stopped") > 0);
    assert!(!events(&eve).is_empty(), "whole lines are there");

    fs::remove_file(disk.path().join("ballast")).expect("there");
    fs::remove_file(&eve).expect("there");
    running.signal("HUP");
    running.until_said("opened anew");
    let second = stage.send(&mut Talk::new(10, 40, 2), Pace::PerSecond(2000.0));
    running.until("events are written again", |_| fs::metadata(&eve).is_ok_and(|m| m.len() > 0));
    let ended = running.end();
    assert_eq!(ended.code, Some(4), "{}", ended.stderr);
    let (summary, ledger) = (ended.summary(), ended.ledger());
    assert_eq!(number(&ledger, "/analysed"), first.frames + second.frames, "{ledger}");
    let count = |name: &str| number(&summary, &format!("/counters/output/{name}"));
    let lost = count("lost_stopped") + count("lost_slow") + count("lost_gone");
    assert_eq!(count("produced"), count("written") + lost);
}

#[test]
fn files_that_the_disk_refuses_are_counted_and_told() {
    let Some(stage) = Stage::set() else { return };
    let disk = Small::new("64k");
    let args = ["--set".to_owned(), format!("file.store={}", disk.path().join("store").display())];
    let mut running = Running::start(&stage.network, End::Right, args);
    stage.send(&mut Talk::new(200, 40, 1), Pace::PerSecond(10_000.0));
    running.until_said("files could not be written so far: No space left on device");
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let summary = ended.summary();
    assert!(number(&summary, "/counters/files/lost_failed") > 0);
    assert!(number(&summary, "/counters/files/kept") > 0);
    assert!(summary["warnings"].to_string().contains("files not kept"), "{}", summary["warnings"]);
}

#[test]
fn a_reader_that_goes_away_and_comes_back_costs_counted_events() {
    let Some(stage) = Stage::set() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("events");
    let listener = UnixListener::bind(&path).expect("a socket");
    let args = ["--set".to_owned(), format!("eve.socket={}", path.display())];
    let mut running = Running::start(&stage.network, End::Right, args);
    let (mut reader, _) = listener.accept().expect("the sensor connects");
    stage.send(&mut Talk::new(20, 40, 1), Pace::PerSecond(4000.0));
    let mut seen = [0; 512];
    assert!(reader.read(&mut seen).expect("events") > 0);
    drop(reader);
    drop(listener);
    fs::remove_file(&path).expect("there");
    stage.send(&mut Talk::new(40, 40, 2), Pace::PerSecond(4000.0));
    running.until_said("its reader is away");
    let listener = UnixListener::bind(&path).expect("a socket");
    std::thread::sleep(Duration::from_millis(1100));
    stage.send(&mut Talk::new(20, 40, 3), Pace::PerSecond(4000.0));
    running.until_said("its reader is back");
    let (mut reader, _) = listener.accept().expect("the sensor connects again");
    let drain = std::thread::spawn(move || {
        let mut text = String::new();
        reader.read_to_string(&mut text).map(|_| text)
    });
    let ended = running.end();
    let text = drain.join().expect("read").expect("text");
    assert!(text.starts_with('{') && text.ends_with("}\n"), "whole lines");
    let summary = ended.summary();
    assert!(number(&summary, "/counters/output/lost_gone") > 0);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[test]
fn stats_come_by_the_clock_on_a_silent_wire() {
    let Some(stage) = Stage::set() else { return };
    let mut running = Running::start(&stage.network, End::Right, ["--set", "stats.interval=1"]);
    let eve = running.eve();
    running.until("three are there", |_| of(&events_so_far(&eve), "stats").len() >= 3);
    let all = events_so_far(&eve);
    let uptimes: Vec<u64> = of(&all, "stats").iter().map(|e| number(e, "/stats/uptime")).collect();
    assert!(uptimes.windows(2).all(|w| w[0] < w[1]), "{uptimes:?}");
    assert_eq!(number(of(&all, "stats")[0], "/stats/capture/kernel_packets"), 0);
    assert_eq!(running.end().code, Some(0));
}

#[test]
fn the_record_holds_every_frame_and_reads_back_to_the_same_flows() {
    let Some(stage) = Stage::set() else { return };
    let place = tempfile::tempdir().expect("a folder");
    let eve = place.path().join("live.json");
    let record = place.path().join("record");
    let args = [
        format!("--record={}", record.display()),
        format!("--set=eve.file={}", eve.display()),
        "--workers=2".to_owned(),
    ];
    let running = Running::start(&stage.network, End::Right, args);
    let sent = stage.send(&mut Talk::new(200, 40, 5), Pace::PerSecond(20_000.0));
    let ended = running.end();
    let count = |name: &str| number(&ended.summary(), &format!("/counters/record/{name}"));
    assert_eq!((count("frames"), count("lost")), (sent.frames, 0));

    let again = place.path().join("read.json");
    let read = Command::new(testbed::binary())
        .args(["read", "--quiet"])
        .arg("--eve")
        .arg(&again)
        .arg(&record)
        .status();
    assert!(read.is_ok_and(|s| s.success()), "the record is a capture");
    assert_eq!(flows(&again), flows(&eve));
}

/// Which flows there are, and how many packets each side sent.
fn flows(eve: &Path) -> Vec<String> {
    let all = events(eve);
    let packets = |e: &&serde_json::Value| {
        let ports = [&e["src_port"], &e["dest_port"]];
        format!("{ports:?} {} {}", e["flow"]["pkts_toserver"], e["flow"]["pkts_toclient"])
    };
    let mut flows: Vec<String> = of(&all, "flow").iter().map(packets).collect();
    flows.sort();
    flows
}

#[test]
fn the_capacity_of_this_machine_is_measured_on_a_cable_of_its_own() {
    if Stage::set().is_none() {
        return;
    }
    let args = ["bench", "capture", "--seconds", "1", "--length", "64", "--flows", "50", "--json"];
    let output = Command::new(testbed::binary()).args(args).output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rows: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let rows = rows.as_array().expect("rows");
    assert!(rows.len() == 2 && rows.iter().all(|row| row["balances"] == true), "{rows:?}");
    let best = rows.last().expect("two");
    assert!(best["lossless"] == true && best["analysed"] == best["sent"], "{best}");
    assert!(number(best, "/sent") > 10_000, "{best}");
}
