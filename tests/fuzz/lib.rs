//! Fuzz: what the targets share.
//!
//! Gives: [`Demanding`], a sink that asks for everything a rule could ask for, [`Speech`], pieces of a conversation,
//! [`harm`], a NIC against its driver, and [`in_a_file`]. Depends on: the rooms that are attacked. Will never know: what a right answer is; only that there is
//! one, within its bounds.

#![forbid(unsafe_code)]

mod demanding;
mod harm;
mod speech;

pub use demanding::Demanding;
pub use harm::harm;
pub use speech::{Part, Speech};

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// Does something with these bytes as a file.
///
/// # Panics
/// When there is no room for a temporary file.
pub fn in_a_file<T>(bytes: &[u8], work: impl FnOnce(&Path) -> T) -> T {
    static PLACE: LazyLock<PathBuf> =
        LazyLock::new(|| std::env::temp_dir().join(format!("vigie-fuzz-{}.pcap", std::process::id())));
    std::fs::write(&*PLACE, bytes).expect("room for a temporary file");
    work(&PLACE)
}
