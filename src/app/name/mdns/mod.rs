//! Multicast DNS (RFC 6762): DNS's messages, said to everybody.

mod fields;
pub(crate) mod show;
#[cfg(test)]
mod tests;

use crate::dns::wire::skim;
use crate::dns::{self, Buffers, Dns, EITHER, Variant, names};
use parse::{Buffer, Category, Depth, FrameKind, Look, Probe, Protocol, Record, Transport};

/// Multicast DNS.
pub static PROTOCOL: Protocol = Protocol {
    name: "mdns",
    title: "Multicast DNS",
    category: Category::Name,
    depth: Depth::Parser,
    ports: &[(Transport::Udp, 5353)],
    ndpi: &["MDNS"],
    probe: Some(probe),
    transports: &[Transport::Udp],
    open: Some(|_| Box::new(Dns::new(Variant::Multicast))),
    fields: fields::ALL,
    buffers: &[&QUERIES_RRNAME, &ANSWERS_RRNAME, &AUTHORITIES_RRNAME, &ADDITIONALS_RRNAME, &RESPONSE_RRNAME],
    phases: [&["message"], &["message"]],
    frames: &[&PDU],
    anomalies: dns::ANOMALIES,
    ..Protocol::LABEL
};

/// An event for each message.
pub static RECORD: Record = Record { event_type: "mdns", text: "one multicast DNS message" };

/// A message.
pub static PDU: FrameKind = FrameKind { name: "mdns.pdu", text: "one message" };

/// `mdns.queries.rrname`.
pub static QUERIES_RRNAME: Buffer =
    names("mdns.queries.rrname", EITHER, "names in the question section, dotted, as sent");
/// `mdns.answers.rrname`.
pub static ANSWERS_RRNAME: Buffer =
    names("mdns.answers.rrname", EITHER, "owners of the records in the answer section");
/// `mdns.authorities.rrname`.
pub static AUTHORITIES_RRNAME: Buffer =
    names("mdns.authorities.rrname", EITHER, "owners of the records in the authority section");
/// `mdns.additionals.rrname`.
pub static ADDITIONALS_RRNAME: Buffer =
    names("mdns.additionals.rrname", EITHER, "owners of the records in the additional section");
/// `mdns.response.rrname`.
pub static RESPONSE_RRNAME: Buffer =
    names("mdns.response.rrname", EITHER, "every name in a response: owners, and what records name");

pub(crate) static BUFFERS: Buffers = Buffers {
    queries: &QUERIES_RRNAME,
    answers: &ANSWERS_RRNAME,
    authorities: &AUTHORITIES_RRNAME,
    additionals: &ADDITIONALS_RRNAME,
    response: &RESPONSE_RRNAME,
};

/// By port and by a message that can be walked through; what goes to port 53 is DNS, wherever it comes from.
fn probe(look: &Look<'_>) -> Probe {
    let ports = [look.client_port, look.server_port];
    let at_home = ports.contains(&5353) && !ports.contains(&53);
    if at_home && skim(look.data).is_some() { Probe::Yes { swapped: false } } else { Probe::No }
}
