//! Testbed: places where tests may do what they like.
//!
//! Gives: [`Network`], two hosts joined by a cable in network namespaces of the test's own; `peers/`, scripts that fetch
//! other people's sensors to compare with; `record/`, the script that records the bundled traffic.
//! May depend on: nothing of the sensor. Will never know: what is tested in it.

#![forbid(unsafe_code)]

mod network;

pub use network::{End, Network, Unavailable};
