use super::*;
use std::fs;

/// A folder of its own for one test, removed at its end.
struct Folder(PathBuf);
impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("vigie-files-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }
    fn settings(&self) -> Settings {
        Settings { folder: self.0.clone(), quota: u64::MAX, most: u64::MAX }
    }
    fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for folder in fs::read_dir(&self.0).expect("a folder").flatten() {
            for file in fs::read_dir(folder.path()).expect("a folder").flatten() {
                let (folder, file) = (folder.file_name(), file.file_name());
                names.push(format!("{}/{}", folder.to_string_lossy(), file.to_string_lossy()));
            }
        }
        names.sort();
        names
    }
}
impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn put(store: &Store, digest: u8, pieces: &[&[u8]]) {
    let mut file = store.begin().expect("room");
    for piece in pieces {
        file.add(piece);
    }
    file.keep([digest; 32]);
}

fn run(settings: &Settings, work: impl FnOnce(&Store)) -> StoreReport {
    let keeper = Keeper::start(settings, Policy::Wait).expect("a folder");
    let counts = keeper.counts();
    work(&keeper.store());
    keeper.end();
    counts.report()
}

#[test]
fn a_whole_file_lies_under_its_name_and_once() {
    let folder = Folder::new("whole");
    let large = vec![7; 200_000];
    let report = run(&folder.settings(), |store| {
        put(store, 0xab, &[b"one ", b"two"]);
        put(store, 0xab, &[b"one ", b"two"]);
        put(store, 0x01, &[&large, b"end"]);
        put(store, 0x02, &[]);
    });
    let long = |byte: &str| format!("{byte}/{}", byte.repeat(32));
    assert_eq!(folder.names(), [long("01"), long("02"), long("ab")]);
    assert_eq!((report.kept, report.known, report.bytes), (3, 1, 200_003 + 7));
    assert_eq!(fs::read(folder.0.join(long("ab"))).expect("a file"), b"one two");
    assert_eq!(fs::read(folder.0.join(long("01"))).expect("a file").len(), 200_003);
}

#[test]
fn what_never_becomes_whole_leaves_nothing() {
    let folder = Folder::new("part");
    let large = vec![7; 200_000];
    let report = run(&folder.settings(), |store| {
        let mut file = store.begin().expect("room");
        file.add(&large);
        drop(file);
    });
    assert_eq!((report.kept, report.incomplete), (0, 1));
    assert!(folder.names().is_empty(), "{:?}", folder.names());
}

#[test]
fn the_quota_counts_what_lay_there_before() {
    let folder = Folder::new("quota");
    let settings = Settings { quota: 10, ..folder.settings() };
    let first = run(&settings, |store| put(store, 1, &[b"123456"]));
    assert_eq!((first.kept, first.quota), (1, 0));
    let second = run(&settings, |store| {
        put(store, 2, &[b"1234", b"5"]);
        put(store, 3, &[b"1234"]);
    });
    assert_eq!((second.kept, second.quota), (1, 1), "{second:?}");
}

#[test]
fn a_file_that_is_too_large_is_given_up_at_once() {
    let folder = Folder::new("large");
    let settings = Settings { most: 4, ..folder.settings() };
    let report = run(&settings, |store| {
        put(store, 1, &[b"1234", b"5"]);
        put(store, 2, &[b"1234"]);
    });
    assert_eq!((report.kept, report.large), (1, 1));
}

#[test]
fn a_disk_that_refuses_costs_files_and_is_told() {
    let folder = Folder::new("refused");
    let report = run(&folder.settings(), |store| {
        fs::remove_dir(folder.0.join("tmp")).expect("an empty folder");
        put(store, 1, &[b"1234"]);
    });
    assert_eq!((report.kept, report.failed), (0, 1));
    assert!(report.why.is_some());
}

#[test]
fn leftovers_of_killed_sensors_are_removed() {
    let folder = Folder::new("leftover");
    fs::create_dir_all(folder.0.join("tmp")).expect("a folder");
    fs::write(folder.0.join("tmp/4194305.3"), b"half").expect("a file");
    run(&folder.settings(), |_| {});
    assert!(folder.names().is_empty());
}

#[test]
fn a_writer_that_is_behind_costs_files_where_nobody_may_wait() {
    let budget = Budget::new(100);
    assert!(budget.take(80, false));
    assert!(!budget.take(80, false));
    budget.give_back(80);
    assert!(budget.take(1000, false), "alone, anything passes");
    drop(budget.close_at_end());
    assert!(!budget.take(1, true), "closed, nothing passes and nobody waits");
}
