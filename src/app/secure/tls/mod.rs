//! TLS and DTLS.

pub mod fingerprint;
pub mod hello;

/// Protocols of this folder.
pub static PROTOCOLS: &[&parse::Protocol] = &[];
