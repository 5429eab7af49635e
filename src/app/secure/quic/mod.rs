//! QUIC: RFC 9000 and 9001, version 2 of RFC 9369, the drafts from 22 on, and Google's versions before them.
//!
//! Only a connection's Initial packets can be read by everybody on the path, and they are enough: they carry the
//! hellos. Each packet with a long header becomes a transaction until its side's hello is complete.

mod chlo;
mod fields;
mod frames;
mod keys;
mod packet;
mod parser;
mod probe;
#[cfg(test)]
pub(crate) mod recorder;
mod stream;
#[cfg(test)]
mod tests;
mod version;
mod wire;

use parse::{Category, Depth, Protocol, Record, Transport};

pub use fields::{anomaly, buffer, field};

/// Phase of a transaction whose buffers are there.
pub(crate) const COMPLETE: u8 = 1;

/// The record of one packet.
pub static RECORD: Record = Record {
    event_type: "quic",
    text: "a QUIC packet with a readable header, and the hello that it completes",
};

const PHASES: &[&str] = &["started", "complete"];

/// QUIC.
pub static PROTOCOL: Protocol = Protocol {
    name: "quic",
    title: "QUIC",
    category: Category::Web,
    depth: Depth::Parser,
    ports: &[(Transport::Udp, 443), (Transport::Udp, 80)],
    ndpi: &["QUIC"],
    patterns: &[],
    probe: Some(probe::probe),
    transports: &[Transport::Udp],
    open: Some(|settings| Box::new(parser::Quic::new(settings))),
    fields: field::ALL,
    buffers: buffer::ALL,
    phases: [PHASES, PHASES],
    frames: &[],
    anomalies: anomaly::ALL,
};
