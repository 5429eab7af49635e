//! Testbed: places where tests may do what they like.
//!
//! Gives: [`Network`], two hosts joined by a cable in network namespaces of the test's own; [`Running`], the binary
//! listening at one of them; [`guest`], machines in which other people's drivers and ours meet the software NIC;
//! `peers/`, scripts that fetch what other people made; `record/`, the script that records the bundled traffic.
//! May depend on: `world`, and `capture` for its generator; everything else is a program to it, with a command line.
//! Will never know: what is tested in it.
//!
//! The binary is the one named by `VIGIE_BIN`, as `make` sets it; without the variable, cargo builds one first.

#![forbid(unsafe_code)]

mod events;
pub mod guest;
mod network;
mod running;

pub use events::{assert_same_events, events, events_of, events_so_far, timeless};
pub use network::{End, Network, Unavailable};
pub use running::{Ended, Running, binary, bound, processor_time};
