//! Template: the living example of a protocol parser. Copy the folder, rename, and replace chapter by chapter.
//!
//! It reads a small line protocol of its own, over TCP and UDP, that uses every part of the contract:
//!
//! ```text
//! client  PING 7 caf%C3%A9 5 blue,red   number, name (percent-encoded), bytes of body, tags
//! client  hello                          the body, a file
//! server  PONG 7 0                       number, status
//! client  SWITCH http                    another protocol speaks from here
//! client  BYE                            nothing of interest follows
//! ```
//!
//! Chapters: this one holds the catalogue entry and the probe, `wire` the bytes, `state` the parser, `fields` what
//! events and rules see, `tests` proves all of it. The entry stands in no list of the sensor.

mod fields;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub use fields::{anomaly, buffer, field, frame, phase};
pub use wire::{Line, Status};

use crate::{Category, Depth, Look, Pattern, Probe, Protocol, Record, Side, Transport};

/// The record of a ping.
pub static RECORD: Record = Record { event_type: "template", text: "one ping and its answer" };

const QUESTION: &[u8] = b"PING ";
const ANSWER: &[u8] = b"PONG ";

/// The protocol.
pub static PROTOCOL: Protocol = Protocol {
    name: "template",
    title: "Living example",
    category: Category::System,
    depth: Depth::Parser,
    ports: &[(Transport::Tcp, 7777), (Transport::Udp, 7777)],
    ndpi: &[],
    patterns: &[
        Pattern { side: Some(Side::ToServer), offset: 0, bytes: QUESTION, nocase: false },
        Pattern { side: Some(Side::ToClient), offset: 0, bytes: ANSWER, nocase: false },
    ],
    probe: Some(probe),
    transports: &[Transport::Tcp, Transport::Udp],
    open: Some(|settings| Box::new(state::Template::new(settings))),
    fields: field::ALL,
    buffers: buffer::ALL,
    phases: [phase::CLIENT, phase::SERVER],
    frames: frame::ALL,
    anomalies: anomaly::ALL,
};

/// A question comes from the client, an answer from the server; whole first words decide, beginnings of them wait.
fn probe(look: &Look<'_>) -> Probe {
    for (word, from) in [(QUESTION, Side::ToServer), (ANSWER, Side::ToClient)] {
        if let Some(rest) = look.data.strip_prefix(word) {
            let numbered = rest.first().is_none_or(u8::is_ascii_digit);
            return if numbered { Probe::Yes { swapped: look.side != from } } else { Probe::No };
        }
        if word.starts_with(look.data) {
            return Probe::More;
        }
    }
    if look.data.starts_with(b"BYE\n") { Probe::Unsure } else { Probe::No }
}
