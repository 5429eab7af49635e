//! Testbed: places where tests may do what they like.
//!
//! Gives: [`Network`], two hosts joined by a cable in network namespaces of the test's own; [`Running`], the binary
//! listening at one of them; `peers/`, scripts that fetch other people's sensors to compare with; `record/`, the script
//! that records the bundled traffic. May depend on: `world`, and nothing of the sensor but its command line.
//! Will never know: what is tested in it.
//!
//! The binary is the one named by `VIGIE_BIN`, as `make` sets it; without the variable, cargo builds one first.

#![forbid(unsafe_code)]

mod network;
mod running;

pub use network::{End, Network, Unavailable};
pub use running::{Ended, Running, binary};
