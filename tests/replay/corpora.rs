//! Which captures there are.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// The project's root.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The project's own captures.
///
/// # Panics
/// When there are none.
#[must_use]
pub fn bundled() -> Vec<PathBuf> {
    let list = captures_below(&root().join("tests/cases/bundled"));
    assert!(!list.is_empty(), "tests/cases/bundled holds no captures");
    list
}

/// A folder of the public captures, where `VIGIE_CORPORA` names it; says so where it does not.
#[must_use]
pub fn corpora(folder: &str) -> Option<PathBuf> {
    let path = std::env::var_os("VIGIE_CORPORA").map(|at| root().join(at).join(folder));
    match &path {
        Some(path) => assert!(path.is_dir(), "VIGIE_CORPORA: no folder {}", path.display()),
        None => eprintln!("left out: VIGIE_CORPORA is not set"),
    }
    path
}

/// Whether suites run at full size.
#[must_use]
pub fn is_long() -> bool {
    std::env::var_os("VIGIE_LONG").is_some_and(|value| value != "0")
}

/// Every capture below a folder, by name.
#[must_use]
pub fn captures_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if is_capture(&path) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn is_capture(path: &Path) -> bool {
    let endings = ["pcap", "pcapng", "cap", "dmp", "trace", "gz"];
    path.extension().and_then(|e| e.to_str()).is_some_and(|e| endings.contains(&e))
}

/// Does something with each item on every core; answers complaints, in order of items.
pub fn each<T: Sync>(items: &[T], work: impl Fn(usize, &T) -> Result<(), String> + Sync) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let complaints = Mutex::new(Vec::new());
    let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some((at, item)) = {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    items.get(at).map(|item| (at, item))
                } {
                    if let Err(complaint) = work(at, item) {
                        complaints.lock().unwrap_or_else(PoisonError::into_inner).push((at, complaint));
                    }
                }
            });
        }
    });
    let mut complaints = complaints.into_inner().unwrap_or_else(PoisonError::into_inner);
    complaints.sort();
    complaints.into_iter().map(|(_, complaint)| complaint).collect()
}
