//! What a live run says is what `vigie read` says of the same frames.

use crate::stage::{Stage, conversations, number, of};
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use testbed::{End, Running, assert_same_events, binary, events, timeless};

fn read(capture: &Path, eve: &Path, more: &[&str]) -> Vec<Value> {
    let mut command = Command::new(binary());
    command.arg("read").arg(capture).arg("--eve").arg(eve).arg("--quiet").args(more);
    assert!(command.status().expect("the binary runs").success());
    events(eve)
}

fn same_events(workers: &str) {
    let Some(stage) = Stage::set() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let mut captures = vec![conversations(folder.path(), 300, 8000.0)];
    let bundled = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cases/bundled");
    captures.extend(["web.pcap", "tls.pcap", "http2.pcap"].map(|name| bundled.join(name)));
    for capture in captures {
        let running = Running::start(&stage.network, End::Right, ["--workers", workers]);
        let sent = stage.play(&capture, 8000.0);
        assert_eq!(sent.refused, 0, "{}", capture.display());
        std::fs::hard_link(running.eve(), folder.path().join("live.json")).expect("a link");
        let ended = running.end();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let ledger = ended.ledger();
        assert_eq!(number(&ledger, "/received"), sent.frames, "{ledger} {}", ended.stderr);
        assert_eq!(number(&ledger, "/lost/kernel.drop"), 0, "{ledger}");
        let live = events(&folder.path().join("live.json"));
        let read = read(&capture, &folder.path().join("read.json"), &["--workers", "1"]);
        assert_same_events(&capture.display().to_string(), &live, &read);
        std::fs::remove_file(folder.path().join("live.json")).expect("there");
    }
}

#[test]
fn one_worker_says_what_read_says() {
    same_events("1");
}

#[test]
fn two_workers_say_what_read_says() {
    same_events("2");
}

/// Names in the folder, as `aa/aabb...`.
fn kept(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for sub in std::fs::read_dir(folder).expect("a folder").flatten() {
        for file in std::fs::read_dir(sub.path()).expect("a folder").flatten() {
            names.push(format!("{}/{}", sub.file_name().display(), file.file_name().display()));
        }
    }
    names.sort();
    names
}

fn promised(all: &[Value]) -> Vec<String> {
    let stored = of(all, "fileinfo").into_iter().filter(|e| e["fileinfo"]["stored"] == true);
    let mut names: Vec<String> = stored
        .map(|e| {
            assert!(e["fileinfo"]["file_id"].is_u64(), "{e}");
            let digest = e["fileinfo"]["sha256"].as_str().expect("a digest");
            format!("{}/{digest}", &digest[..2])
        })
        .collect();
    names.sort();
    names.dedup();
    names
}

#[test]
fn files_are_kept_as_the_events_promise() {
    let Some(stage) = Stage::set() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let capture = conversations(folder.path(), 200, 8000.0);
    let (one, four, live) = (folder.path().join("1"), folder.path().join("4"), folder.path().join("live"));
    let store = |path: &Path| format!("file.store={}", path.display());
    let eve = folder.path().join("read.json");
    let by_one = read(&capture, &eve, &["--workers", "1", "--set", &store(&one)]);
    let by_four = read(&capture, &eve, &["--workers", "4", "--set", &store(&four)]);
    assert_eq!(timeless(&by_one), timeless(&by_four));
    assert!(promised(&by_one).len() > 50);
    assert_eq!(kept(&one), promised(&by_one));
    assert_eq!(kept(&four), promised(&by_one));
    for name in kept(&one) {
        let sum = Command::new("sha256sum").arg(one.join(&name)).output().expect("sha256sum");
        assert!(String::from_utf8_lossy(&sum.stdout).starts_with(&name[3..]), "{name}");
    }
    let running = Running::start(&stage.network, End::Right, ["--set", &store(&live)]);
    stage.play(&capture, 8000.0);
    let ended = running.end();
    assert_eq!(kept(&live), promised(&by_one), "{}", ended.stderr);
}

#[test]
fn a_quota_that_is_reached_costs_files_and_no_events() {
    let folder = tempfile::tempdir().expect("a folder");
    let capture = conversations(folder.path(), 200, 8000.0);
    let store = folder.path().join("store");
    let mut command = Command::new(binary());
    command.arg("read").arg(&capture).args(["--json", "--workers", "1", "--set", "file.store_quota=100KiB"]);
    command.arg("--set").arg(format!("file.store={}", store.display()));
    let output = command.output().expect("the binary runs");
    let summary: Value = serde_json::from_slice(&output.stdout).expect("a summary");
    assert!(number(&summary, "/counters/files/lost_quota") > 0);
    assert!(summary["warnings"].to_string().contains("over the quota"), "{}", summary["warnings"]);
    let bytes: u64 = kept(&store).iter().map(|n| store.join(n).metadata().expect("a file").len()).sum();
    assert!(bytes > 0 && bytes <= 100 << 10, "{bytes}");
    assert_eq!(bytes, number(&summary, "/counters/files/bytes"));
}
