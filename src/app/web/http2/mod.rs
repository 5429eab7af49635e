//! HTTP/2 (RFC 9113) without encryption: with prior knowledge, or taken over from HTTP/1 by an upgrade.
//!
//! `wire` reads frames and `hpack` header blocks; `connection` takes frames one after the other and `block` joins header
//! blocks; `stream` begins and ends transactions, of which `exchange`, `head` and `show` are what the outside sees;
//! `body` takes compression off and tells files; `doh` finds DNS.

pub mod anomaly;
mod block;
mod body;
pub mod buffers;
mod connection;
mod doh;
mod exchange;
pub mod fields;
mod head;
mod hpack;
mod probe;
mod show;
mod stream;
#[cfg(test)]
mod tests;
mod upgrade;
mod wire;

use parse::{Category, Depth, FrameKind, Protocol, Transport};

/// The header of a frame.
pub static HEADER_FRAME: FrameKind = FrameKind { name: "http2.hdr", text: "header of a frame" };
/// The payload of a frame.
pub static DATA_FRAME: FrameKind = FrameKind { name: "http2.data", text: "payload of a frame" };
/// A frame.
pub static PDU_FRAME: FrameKind = FrameKind { name: "http2.pdu", text: "a whole frame" };

/// HTTP/2.
pub static PROTOCOL: Protocol = Protocol {
    name: "http2",
    title: "Hypertext Transfer Protocol, version 2",
    category: Category::Web,
    depth: Depth::Parser,
    ports: &[(Transport::Tcp, 80), (Transport::Tcp, 8080), (Transport::Tcp, 50051)],
    ndpi: &["HTTP2"],
    patterns: probe::PATTERNS,
    probe: Some(probe::probe),
    transports: &[Transport::Tcp],
    open: Some(connection::Http2::open),
    fields: fields::ALL,
    buffers: buffers::ALL,
    phases: [buffers::PHASES, buffers::PHASES],
    frames: &[&HEADER_FRAME, &DATA_FRAME, &PDU_FRAME],
    anomalies: anomaly::ALL,
};
