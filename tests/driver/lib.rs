//! Driver: the drivers against the software NIC.
//!
//! Gives: the everyday suites: bring-up, traffic, every fault of the plan, seeded random plans under virtual time.
//! Depends on: `device`, `avf`, the drivers, `model`, `world`.
//! Will never know: hardware, guests, a wall clock.

#![forbid(unsafe_code)]
