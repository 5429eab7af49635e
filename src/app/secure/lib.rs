//! Secure: protocols whose handshakes are readable and whose contents are not: TLS, DTLS, QUIC, SSH.
//!
//! Gives: [`PROTOCOLS`], and TLS hello views with their fingerprints, which QUIC shares. Depends on: `parse`.
//! Will never know: flows, rules, events, outputs, clocks, keys. Only what everybody on the path can read is read.

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

pub mod quic;
pub mod ssh;
pub mod tls;

/// Every protocol of this family.
pub static PROTOCOLS: &[&parse::Protocol] = &[&tls::TLS, &tls::DTLS, &quic::PROTOCOL, &ssh::PROTOCOL];
