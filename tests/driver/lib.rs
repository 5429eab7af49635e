//! Driver: the drivers against the software NIC.
//!
//! Gives: the everyday suites: bring-up, traffic, every fault of the plan, seeded random plans under virtual time.
//! Depends on: `device`, `avf`, the drivers, `model`, `world`.
//! Will never know: hardware, guests, a wall clock.

#![forbid(unsafe_code)]

mod clock;
pub mod hostile;
mod rig;
mod traffic;

#[cfg(test)]
mod suites;

pub use clock::{Hands, Watch};
pub use rig::{Rig, Shared, Taken};
pub use traffic::{number_of, udp, udp_of};
