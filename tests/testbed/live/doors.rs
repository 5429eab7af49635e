//! Doors that are shut: what is said, and with which exit code; and the control socket.

use crate::stage::Stage;
use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Output};
use testbed::{End, Running, binary};
use world::{Pace, Talk};

fn run(stage: &Stage, words: &[&str]) -> (Option<i32>, String) {
    told(
        &stage
            .network
            .command(End::Right, &binary().display().to_string())
            .args(words)
            .output()
            .expect("it runs"),
    )
}

fn told(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_missing_interface_names_those_there_are() {
    let Some(stage) = Stage::set() else { return };
    let (code, said) = run(&stage, &["run", "--interface", "eth7", "--set", "control.socket="]);
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains("\"eth7\"") && said.contains("there are: lo, right"), "{said}");
}

#[test]
fn no_interface_at_all_is_a_wrong_command() {
    let output = Command::new(binary()).args(["run", "--set", "control.socket="]).output().expect("it runs");
    let (code, said) = told(&output);
    if !Path::new("/etc/vigie/vigie.toml").exists() {
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("capture.interface"), "{said}");
    }
}

#[test]
fn no_permission_names_the_capability() {
    let Some(stage) = Stage::set() else { return };
    let mut command = stage.network.command(End::Right, "setpriv");
    command.args(["--bounding-set", "-net_raw", "--inh-caps", "-net_raw"]);
    command.arg(binary()).args(["run", "--interface", "right", "--set", "control.socket="]);
    let (code, said) = told(&command.output().expect("setpriv"));
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains("CAP_NET_RAW"), "{said}");
}

#[test]
fn that_capability_is_all_it_needs() {
    let Some(stage) = Stage::set() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).expect("ours");
    let control = format!("control.socket={}", folder.path().join("control").display());
    let mut command = stage.network.command(End::Right, "setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
    command.args([
        "--inh-caps",
        "-all,+net_raw",
        "--ambient-caps",
        "-all,+net_raw",
        "--bounding-set",
        "-all,+net_raw",
    ]);
    command.arg(binary()).args(["run", "--interface", "right", "--json", "--set", &control]);
    let running = Running::spawn(command, folder, [""; 0], None);
    let sent = stage.send(&mut Talk::new(20, 4, 1), Pace::PerSecond(4000.0));
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(ended.ledger()["received"], sent.frames);
}

#[test]
fn a_missing_folder_is_named() {
    let Some(stage) = Stage::set() else { return };
    let words =
        ["run", "--interface", "right", "--set", "control.socket=", "--eve", "/nowhere/at/all/eve.json"];
    let (code, said) = run(&stage, &words);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("there is no folder /nowhere/at/all"), "{said}");
}

#[test]
fn workers_without_a_deal_are_refused_and_one_is_enough() {
    let Some(stage) = Stage::set() else { return };
    let words = ["run", "--interface", "right", "--set", "control.socket=", "--set", "capture.fanout=none"];
    let (code, said) = run(&stage, &[&words[..], &["--workers", "2"]].concat());
    assert_eq!(code, Some(3), "{said}");
    for fanout in ["none", "cpu", "queue", "hash"] {
        let args = ["--set".to_owned(), format!("capture.fanout={fanout}")];
        let running = Running::start(&stage.network, End::Right, args);
        let sent = stage.send(&mut Talk::new(20, 4, 1), Pace::PerSecond(4000.0));
        let ended = running.end();
        assert_eq!(ended.ledger()["analysed"], sent.frames, "{fanout}: {}", ended.stderr);
    }
}

#[test]
fn the_machines_configuration_is_taken_when_none_is_named() {
    let Some(stage) = Stage::set() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let control = folder.path().join("control");
    let file = folder.path().join("vigie.toml");
    let text =
        format!("control.socket = {:?}\n[capture]\ninterface = \"right\"\n", control.display().to_string());
    std::fs::write(&file, text).expect("a file");
    // a /etc of its own, in a mount namespace that goes with the process
    let script = format!(
        "mount -t tmpfs etc /etc && mkdir /etc/vigie && cp {} /etc/vigie && exec {} run --json",
        file.display(),
        binary().display()
    );
    let mut command = stage.network.command(End::Right, "unshare");
    command.args(["--mount", "sh", "-c", &script]);
    let running = Running::spawn(command, folder, [""; 0], None);
    let sent = stage.send(&mut Talk::new(20, 4, 1), Pace::PerSecond(4000.0));
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(ended.ledger()["received"], sent.frames);
}

#[test]
fn counters_are_answered_while_running_and_garbage_is_not() {
    let Some(stage) = Stage::set() else { return };
    let running = Running::start(&stage.network, End::Right, ["--workers", "2"]);
    let mode = running.control().metadata().expect("a socket").permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
    let sent = stage.send(&mut Talk::new(40, 4, 1), Pace::PerSecond(4000.0));
    let ask = |bytes: &[u8]| {
        let mut stream = UnixStream::connect(running.control()).expect("somebody listens");
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(Shutdown::Write);
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer
    };
    assert!(ask(b"shutdown now\n").contains("unknown question"));
    assert!(ask(&[0xff; 900]).contains("unknown question"));
    let _ = ask(&vec![b'x'; 1 << 20]);
    assert!(ask(b"").contains("unknown question"));
    // one that says nothing holds the others up for two seconds at most
    let silent = UnixStream::connect(running.control()).expect("somebody listens");
    std::thread::sleep(std::time::Duration::from_millis(100));
    assert_eq!(running.counter("ledger.received"), sent.frames);
    assert_eq!(running.counter("ledger.analysed"), sent.frames);
    drop(silent);
    let control = running.control();
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let mut command = Command::new(binary());
    command.args(["counters", "--set"]).arg(format!("control.socket={}", control.display()));
    let (code, said) = told(&command.output().expect("it runs"));
    assert_eq!(code, Some(6), "{said}");
}
