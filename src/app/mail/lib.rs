//! Mail: how messages are handed over (SMTP), and what is in them (MIME).
//!
//! Gives: [`PROTOCOLS`], one catalogue entry a protocol, and [`message`], a reader of mail messages as they stream by.
//! Depends on: `parse`, and a library for searching bytes.
//! Will never know: flows, rules, events, outputs, clocks.

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

pub mod message;
pub mod smtp;

/// The protocols of this family.
pub static PROTOCOLS: &[&parse::Protocol] = &[&smtp::PROTOCOL];
