//! WebSocket (RFC 6455): known by the upgrade of an HTTP connection alone; its frames are not read.

use parse::{Category, Protocol, Transport};

/// WebSocket.
pub static PROTOCOL: Protocol = Protocol {
    name: "websocket",
    title: "WebSocket",
    category: Category::Web,
    ndpi: &["WebSocket"],
    transports: &[Transport::Tcp],
    ..Protocol::LABEL
};
