//! The socket in the file system, and who makes it.

use super::front::*;
use super::*;
use crate::vhost_user::{OpenError, Role};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;

#[test]
fn what_a_killed_process_left_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("card");
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    let queues = open(&VhostSettings { mode: 0o600, ..VhostSettings::new(&path) }).unwrap();
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(queues[0].taps(), [path.display().to_string()]);
    drop(queues);
    assert!(!path.exists());
}

#[test]
fn what_is_in_use_is_left_alone() {
    let stage = Stage::set(1);
    let error = open(&VhostSettings::new(&stage.path)).err().unwrap();
    assert!(matches!(error, OpenError::InUse(_)), "{error}");
    drop(Front::join(&stage.path, PLAIN, 1));

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("card");
    std::fs::write(&path, "precious").unwrap();
    let error = open(&VhostSettings::new(&path)).err().unwrap();
    assert!(matches!(error, OpenError::NoSocket(_)), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), b"precious");
}

#[test]
fn a_file_that_came_later_is_not_removed() {
    let stage = Stage::set(1);
    std::fs::remove_file(&stage.path).unwrap();
    std::fs::write(&stage.path, "somebody else's").unwrap();
    let Stage { _folder: folder, path, queues, .. } = stage;
    drop(queues);
    assert!(path.exists());
    drop(folder);
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let good = VhostSettings::new("card");
    let long = VhostSettings::new("c".repeat(200));
    assert!(matches!(open(&long).err().unwrap(), OpenError::TooLong(_)));
    let nowhere = open(&VhostSettings::new("no/such/folder/card")).err().unwrap();
    assert!(nowhere.to_string().contains("no/such/folder/card"), "{nowhere}");
    for (settings, says) in [
        (VhostSettings { queues: 0, ..good.clone() }, "0 queues: 1 to 128"),
        (VhostSettings { queues: 129, ..good.clone() }, "129 queues"),
        (VhostSettings { burst: 0, ..good.clone() }, "burst"),
        (VhostSettings { mode: 0o4777, ..good }, "mode 4777"),
    ] {
        let error = open(&settings).err().unwrap().to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn a_front_end_that_listens_is_called_again_and_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("card");
    let settings = VhostSettings { role: Role::Client, wait_ms: 20, ..VhostSettings::new(&path) };
    let queues = open(&settings).unwrap();
    let mut stage = Stage { _folder: folder, path, queues, ledger: Ledger::default(), warnings: Vec::new() };
    assert!(matches!(stage.burst(0).1, RxStatus::Idle(_)));
    let listener = UnixListener::bind(&stage.path).unwrap();
    for _ in 0..2 {
        let mut front = Front::meet(listener.accept().unwrap().0, PLAIN, 1);
        front.share();
        front.start(1);
        front.send(1, &numbered(1, 64));
        stage.frames(0, 1);
        drop(front);
        stage.until_warned("went away");
        stage.warnings.clear();
    }
    stage.assert_balanced();
    assert_eq!(stage.ledger.absences, 2);
}
