//! Output: events leave here, each sink with a bounded queue and a policy for when it is slow.
//!
//! Gives: [`eve`] (events as JSON lines), [`hub`] (blocks of lines of several workers in one order), [`sink`] (file
//! with rotation, standard output, UNIX socket), [`files`] (extracted files). Depends on: `event`, and `parse` for the field type.
//! Will never know: flows, packets, workers. Only the writing threads wait here, a worker never longer than its
//! queue's policy says.

#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::cast_possible_truncation,
        clippy::panic
    )
)]

pub mod eve;
pub mod files;
pub mod hub;
pub mod sink;
