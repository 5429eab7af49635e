//! Replay: captures in, events out, through the real binary and nothing else.
//!
//! Gives: [`Sensor`] (one run of the binary, watched), [`Eve`] (its events), [`corpora`] and [`bundled`] captures, and
//! [`Classic`] captures to cut and rewrite. Depends on: `world`, for floods. Will never know: the rooms of the sensor.
//!
//! The binary is the one named by `VIGIE_BIN`, as `make` sets it; without the variable, cargo builds one first.

#![forbid(unsafe_code)]

mod capture;
mod corpora;
mod eve;
mod rewrite;
mod sensor;

pub use capture::{Classic, Packet};
pub use corpora::{bundled, captures_below, corpora, each, is_long, root};
pub use eve::{Eve, Schema};
pub use rewrite::one_byte_a_segment;
pub use sensor::{Ran, Sensor};
