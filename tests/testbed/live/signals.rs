//! TERM, HUP, KILL.

use crate::stage::{Stage, number, of};
use std::fs;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use testbed::{End, Running, events, events_so_far};
use world::{Pace, Source, Talk};

#[test]
fn term_drains_and_ends_with_the_summary() {
    let Some(stage) = Stage::set() else { return };
    let mut running = Running::start(&stage.network, End::Right, [""; 0]);
    let copy = stage_copy(&running);
    let mut traffic = Until { source: Talk::new(40_000, 40, 5), over: Arc::default(), more: 1000 };
    let over = Arc::clone(&traffic.over);
    let (sent, received) = std::thread::scope(|scope| {
        let sender = scope.spawn(|| stage.send(&mut traffic, Pace::PerSecond(10_000.0)));
        running.until("its frames come", |running| running.counter("ledger.received") > 1000);
        let ended = running.end();
        over.store(true, Ordering::Relaxed);
        let ledger = ended.ledger();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert_eq!(number(&ledger, "/received"), number(&ledger, "/analysed"), "{ledger}");
        let flows = of(&events(&copy.path().join("eve.json")), "flow").len();
        assert!(flows > 20, "flows that were open are written: {flows}");
        (sender.join().expect("sent"), number(&ledger, "/received"))
    });
    assert!(received < sent.frames, "it ended before the traffic did");
}

/// Traffic until something is over, and a bit more: however slow the machine is, it does not end before.
struct Until {
    source: Talk,
    over: Arc<AtomicBool>,
    more: u32,
}

impl Source for Until {
    fn fill(&mut self, frame: &mut Vec<u8>) -> bool {
        if self.over.load(Ordering::Relaxed) {
            self.more = self.more.saturating_sub(1);
        }
        self.more > 0 && self.source.fill(frame)
    }
}

/// A second name for the events, which outlives the sensor's folder.
fn stage_copy(running: &Running) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::hard_link(running.eve(), folder.path().join("eve.json")).expect("the same file system");
    folder
}

#[test]
fn a_second_term_ends_at_once() {
    let Some(stage) = Stage::set() else { return };
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = stage.network.command(End::Right, &testbed::binary().display().to_string());
    command.args(["run", "--interface", "right", "--eve", "-", "--set"]);
    command.arg(format!("control.socket={}", folder.path().join("control").display()));
    let running = Running::spawn(command, folder, [""; 0], Some(Stdio::from(writer)));
    // nobody reads: standard output is full soon, and cannot be drained
    stage.send(&mut Talk::new(2000, 40, 5), Pace::PerSecond(20_000.0));
    running.signal("TERM");
    std::thread::sleep(Duration::from_millis(800));
    running.signal("TERM");
    let ended = running.wait();
    assert_eq!(ended.signal, Some(15), "{} {}", ended.stdout, ended.stderr);
    drop(reader);
}

#[test]
fn kill_leaves_whole_lines_and_the_next_run_goes_on_behind_them() {
    let Some(stage) = Stage::set() else { return };
    let keep = tempfile::tempdir().expect("a folder");
    let eve = keep.path().join("eve.json");
    let to = format!("eve.file={}", eve.display());
    for round in 1..=2 {
        let mut running = Running::start(&stage.network, End::Right, ["--set", &to]);
        std::thread::scope(|scope| {
            scope.spawn(|| stage.send(&mut Talk::new(300, 40, round), Pace::PerSecond(10_000.0)));
            running.until("events are written", |_| events_so_far(&eve).len() > 50 * round as usize);
            running.signal("KILL");
        });
        assert_eq!(running.wait().signal, Some(9));
        assert!(events(&eve).len() > 50 * round as usize, "round {round}");
    }
}

#[test]
fn hup_takes_over_what_can_be_and_names_the_rest() {
    let Some(stage) = Stage::set() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("vigie.toml");
    fs::write(&file, "stats.interval = 0\n[events]\nflow = true\n").expect("a file");
    let config = file.display().to_string();
    let mut running = Running::start(&stage.network, End::Right, ["--config", &config]);
    let copy = stage_copy(&running);
    let eve = copy.path().join("eve.json");
    let count = |kind| of(&events_so_far(&eve), kind).len();
    stage.send(&mut Talk::new(40, 40, 1), Pace::PerSecond(4000.0));
    running.until("names are looked up", |_| count("dns") > 5);

    fs::write(&file, "stats.interval = 1\nworkers = 2\n[events]\nwithout = [\"dns\"]\n").expect("a file");
    running.signal("HUP");
    running.until_said("events.without is now [\"dns\"]");
    running.until_said("stats.interval is now 1");
    running.until_said("workers = 2 needs a restart");
    std::thread::sleep(Duration::from_millis(300));
    let (dns, http) = (count("dns"), count("http"));
    stage.send(&mut Talk::new(40, 40, 2), Pace::PerSecond(4000.0));
    running.until("requests go on", |_| count("http") > http + 5);
    assert_eq!(count("dns"), dns);
    running.until("stats are written", |_| count("stats") >= 2);

    fs::write(&file, "stats.intervall = 5\n[events]\nflow = 3\n").expect("a file");
    running.signal("HUP");
    running.until_said("unknown key `stats.intervall`; did you mean `stats.interval`?");
    running.until_said("`events.flow` is 3; allowed is true or false");
    running.until_said("the running configuration stays as it is");
    let stats = count("stats");
    running.until("stats go on", |_| count("stats") > stats);
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(count("dns"), dns);
}

#[test]
fn hup_begins_a_new_file_when_the_old_one_was_moved() {
    let Some(stage) = Stage::set() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let (eve, aside) = (folder.path().join("eve.json"), folder.path().join("eve.json.1"));
    let mut running =
        Running::start(&stage.network, End::Right, ["--set", &format!("eve.file={}", eve.display())]);
    stage.send(&mut Talk::new(40, 40, 1), Pace::PerSecond(4000.0));
    running.until("something is written", |_| !events_so_far(&eve).is_empty());
    fs::rename(&eve, &aside).expect("moved");
    running.signal("HUP");
    running.until_said("opened anew");
    running.until_said("the configuration has not changed");
    let before = events(&aside).len();
    stage.send(&mut Talk::new(40, 40, 2), Pace::PerSecond(4000.0));
    running.until("the new file is written", |_| events_so_far(&eve).len() > 20);
    let ended = running.end();
    assert_eq!(events(&aside).len(), before, "{}", ended.stderr);
    assert_eq!(ended.code, Some(0));
}
