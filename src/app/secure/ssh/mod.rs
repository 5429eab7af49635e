//! SSH: RFC 4253 up to the point where its records are encrypted, with HASSH fingerprints of both sides.

mod connection;
mod fields;
mod parser;
#[cfg(test)]
mod tests;
mod wire;

use parse::{Category, Depth, Look, Pattern, Probe, Protocol, Record, Side, Transport};

pub use fields::{anomaly, buffer, field, frame, phase};

/// The record of a connection.
pub static RECORD: Record =
    Record { event_type: "ssh", text: "what both sides of an SSH connection say before it is encrypted" };

const BEGINNING: &[u8] = b"SSH-";
const PORT: u16 = 22;

/// SSH.
pub static PROTOCOL: Protocol = Protocol {
    name: "ssh",
    title: "Secure Shell",
    category: Category::Remote,
    depth: Depth::Parser,
    ports: &[(Transport::Tcp, PORT)],
    ndpi: &["SSH"],
    patterns: &[Pattern { side: None, offset: 0, bytes: BEGINNING, nocase: false }],
    probe: Some(probe),
    transports: &[Transport::Tcp],
    open: Some(|settings| Box::new(parser::Ssh::new(settings))),
    fields: field::ALL,
    buffers: buffer::ALL,
    phases: [phase::NAMES, phase::NAMES],
    frames: frame::ALL,
    anomalies: anomaly::ALL,
};

fn probe(look: &Look<'_>) -> Probe {
    if look.data.starts_with(BEGINNING) {
        return Probe::Yes { swapped: is_swapped(look) };
    }
    if BEGINNING.starts_with(look.data) {
        return Probe::More;
    }
    // a server may say something before its banner (RFC 4253 section 4.2)
    if look.side == Side::ToClient && look.server_port == PORT && has_later_banner(look.data) {
        return Probe::Yes { swapped: false };
    }
    Probe::No
}

/// Both sides begin alike; without the beginning of the connection the port must tell them apart.
const fn is_swapped(look: &Look<'_>) -> bool {
    look.midstream && look.client_port == PORT && look.server_port != PORT
}

fn has_later_banner(data: &[u8]) -> bool {
    data.windows(5).any(|bytes| bytes == b"\nSSH-")
}
