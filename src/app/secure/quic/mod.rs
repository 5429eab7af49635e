//! QUIC.

/// Protocols of this folder.
pub static PROTOCOLS: &[&parse::Protocol] = &[];
