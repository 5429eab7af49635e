//! TLS from SSLv2 to 1.3, read by somebody who has no keys, and DTLS.
//!
//! Gives: [`TLS`] and [`DTLS`]; [`hello`] views and their [`fingerprint`]s, which QUIC shares. The handshake is read
//! as far as it is in the clear; when both sides send application data there is nothing left to read.

use parse::{Category, Depth, Protocol, Transport};

mod catalogue;
mod certificate;
mod dtls;
mod fields;
pub mod fingerprint;
mod handshake;
mod heartbeat;
pub mod hello;
mod probe;
mod session;
mod sslv2;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub use dtls::DTLS;

/// TLS and SSL over streams.
pub static TLS: Protocol = Protocol {
    name: "tls",
    title: "Transport Layer Security",
    category: Category::Secure,
    depth: Depth::Parser,
    ports: &[
        (Transport::Tcp, 443),
        (Transport::Tcp, 465),
        (Transport::Tcp, 563),
        (Transport::Tcp, 636),
        (Transport::Tcp, 853),
        (Transport::Tcp, 989),
        (Transport::Tcp, 990),
        (Transport::Tcp, 992),
        (Transport::Tcp, 993),
        (Transport::Tcp, 994),
        (Transport::Tcp, 995),
        (Transport::Tcp, 5061),
        (Transport::Tcp, 5223),
        (Transport::Tcp, 8443),
        (Transport::Tcp, 8883),
    ],
    ndpi: &["TLS", "SMTPS", "IMAPS", "POPS", "FTPS"],
    patterns: probe::PATTERNS,
    probe: Some(probe::probe),
    transports: &[Transport::Tcp],
    open: Some(state::Tls::open),
    fields: fields::catalogue::ALL,
    buffers: catalogue::BUFFERS,
    phases: [catalogue::CLIENT_PHASES, catalogue::SERVER_PHASES],
    frames: catalogue::FRAMES,
    anomalies: catalogue::ANOMALIES,
};
