//! HTTP/1: versions 0.9, 1.0 and 1.1 (RFC 9110, RFC 9112), read as leniently as servers and browsers read it.
//!
//! Requests and responses are parsed apart from each other and matched in order. `line`, `header`, `number` and `uri`
//! read single pieces; `request` and `response` are the two state machines; `body` takes compression off and tells
//! files; `exchange` is what the outside sees.

pub mod anomaly;
pub(crate) mod body;
pub mod buffers;
pub(crate) mod bytes;
pub(crate) mod decompress;
mod exchange;
pub mod fields;
mod head;
mod header;
mod line;
mod multipart;
pub(crate) mod number;
mod parameter;
mod parser;
mod probe;
mod request;
mod response;
#[cfg(test)]
pub(crate) mod tests;
mod uri;

use parse::{Category, Depth, FrameKind, Protocol, Record, Transport};

/// The event that an exchange becomes.
pub static HTTP_RECORD: Record = Record { event_type: "http", text: "one request and its response" };

/// A request, from its first byte.
pub static REQUEST_FRAME: FrameKind =
    FrameKind { name: "http1.request", text: "one request, from its first byte" };
/// A response, from its first byte.
pub static RESPONSE_FRAME: FrameKind =
    FrameKind { name: "http1.response", text: "one response, from its first byte" };

/// HTTP/1.
pub static PROTOCOL: Protocol = Protocol {
    name: "http",
    title: "Hypertext Transfer Protocol",
    category: Category::Web,
    depth: Depth::Parser,
    ports: &[(Transport::Tcp, 80), (Transport::Tcp, 8080), (Transport::Tcp, 8000), (Transport::Tcp, 3128)],
    ndpi: &["HTTP", "HTTP_Proxy", "HTTP_Connect"],
    patterns: probe::PATTERNS,
    probe: Some(probe::probe),
    transports: &[Transport::Tcp],
    open: Some(parser::Http::open),
    fields: fields::ALL,
    buffers: buffers::ALL,
    phases: [buffers::PHASES, buffers::PHASES],
    frames: &[&REQUEST_FRAME, &RESPONSE_FRAME],
    anomalies: anomaly::ALL,
};
