//! Web: parsers of the HTTP family.
//!
//! Gives: [`PROTOCOLS`], one catalogue entry a protocol, and each protocol's own module.
//! Depends on: `parse`, and libraries for searching bytes and for taking compression off.
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

pub mod http;
pub mod http2;
pub mod websocket;

/// The protocols of this family.
pub static PROTOCOLS: &[&parse::Protocol] = &[&http::PROTOCOL, &http2::PROTOCOL, &websocket::PROTOCOL];
