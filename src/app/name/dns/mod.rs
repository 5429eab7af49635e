//! DNS over UDP and TCP (RFC 1034, RFC 1035, EDNS RFC 6891).

#[cfg(test)]
mod corpora;
mod export;
mod fields;
mod message;
mod probe;
pub(crate) mod rrtype;
pub(crate) mod short;
mod show;
mod state;
#[cfg(test)]
mod tests;
mod unpack;
pub(crate) mod view;
pub(crate) mod wire;

pub(crate) use fields::{SoaFields, SrvFields, SshfpFields};
pub(crate) use message::{Data, Entry, Section};
pub(crate) use show::{kind, opt, soa, srv, sshfp};
pub(crate) use state::Dns;

use parse::{Anomaly, Buffer, Category, Depth, Feed, FrameKind, Protocol, Record, Side, Transport};
use wire::Header;

/// Which of the protocols with DNS's messages a flow speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    /// DNS itself: requests to the server, responses to the client.
    Unicast,
    /// Multicast DNS: anybody may say anything.
    Multicast,
}

/// The buffers that both variants have, each under its own names.
pub(crate) struct Buffers {
    pub(crate) queries: &'static Buffer,
    pub(crate) answers: &'static Buffer,
    pub(crate) authorities: &'static Buffer,
    pub(crate) additionals: &'static Buffer,
    pub(crate) response: &'static Buffer,
}

impl Variant {
    pub(crate) fn buffers(self) -> &'static Buffers {
        match self {
            Self::Unicast => &BUFFERS,
            Self::Multicast => &crate::mdns::BUFFERS,
        }
    }

    fn frame(self) -> &'static FrameKind {
        match self {
            Self::Unicast => &PDU,
            Self::Multicast => &crate::mdns::PDU,
        }
    }

    fn record(self) -> &'static Record {
        match self {
            Self::Unicast => &RECORD,
            Self::Multicast => &crate::mdns::RECORD,
        }
    }

    /// Whether a response goes to the server.
    fn is_wrong_way(self, side: Side, header: &Header) -> bool {
        self == Self::Unicast && side == Side::ToServer && header.has(Header::QR)
    }
}

/// DNS.
pub static PROTOCOL: Protocol = Protocol {
    name: "dns",
    title: "Domain Name System",
    category: Category::Name,
    depth: Depth::Parser,
    ports: &[(Transport::Udp, 53), (Transport::Tcp, 53)],
    ndpi: &["DNS"],
    probe: Some(probe::probe),
    transports: &[Transport::Udp, Transport::Tcp],
    open: Some(|_| Box::new(Dns::new(Variant::Unicast))),
    fields: fields::ALL,
    buffers: &[
        &QUERY,
        &QUERIES_RRNAME,
        &ANSWERS_RRNAME,
        &AUTHORITIES_RRNAME,
        &ADDITIONALS_RRNAME,
        &RESPONSE_RRNAME,
        &RRTYPE,
        &OPCODE,
        &RCODE,
    ],
    phases: [&["request"], &["response"]],
    frames: &[&PDU],
    anomalies: ANOMALIES,
    ..Protocol::LABEL
};

/// An event for each message.
pub static RECORD: Record = Record { event_type: "dns", text: "one DNS request or response" };

/// A message, without the length before it that TCP needs.
pub static PDU: FrameKind = FrameKind { name: "dns.pdu", text: "one message" };

const TO_SERVER: &[(Side, u8)] = &[(Side::ToServer, 0)];
const TO_CLIENT: &[(Side, u8)] = &[(Side::ToClient, 0)];
/// Every phase of both sides.
pub(crate) const EITHER: &[(Side, u8)] = &[(Side::ToServer, 0), (Side::ToClient, 0)];

/// A buffer with one name, or several, a message.
pub(crate) const fn names(name: &'static str, ready: &'static [(Side, u8)], text: &'static str) -> Buffer {
    Buffer { name, feed: Feed::Final, many: true, ready, text }
}

/// `dns.query`.
pub static QUERY: Buffer = names("dns.query", TO_SERVER, "names that requests ask for, dotted, as sent");
/// `dns.queries.rrname`.
pub static QUERIES_RRNAME: Buffer =
    names("dns.queries.rrname", EITHER, "names in the question section, dotted, as sent");
/// `dns.answers.rrname`.
pub static ANSWERS_RRNAME: Buffer =
    names("dns.answers.rrname", EITHER, "owners of the records in the answer section");
/// `dns.authorities.rrname`.
pub static AUTHORITIES_RRNAME: Buffer =
    names("dns.authorities.rrname", TO_CLIENT, "owners of the records in the authority section");
/// `dns.additionals.rrname`.
pub static ADDITIONALS_RRNAME: Buffer =
    names("dns.additionals.rrname", TO_CLIENT, "owners of the records in the additional section");
/// `dns.response.rrname`.
pub static RESPONSE_RRNAME: Buffer =
    names("dns.response.rrname", TO_CLIENT, "every name in a response: owners, and what records name");
/// `dns.rrtype`, a number.
pub static RRTYPE: Buffer = names("dns.rrtype", EITHER, "types that are asked for: two bytes, network order");
/// `dns.opcode`, a number.
pub static OPCODE: Buffer = Buffer { many: false, ..names("dns.opcode", EITHER, "opcode: one byte") };
/// `dns.rcode`, a number.
pub static RCODE: Buffer = Buffer { many: false, ..names("dns.rcode", EITHER, "result code: one byte") };

static BUFFERS: Buffers = Buffers {
    queries: &QUERIES_RRNAME,
    answers: &ANSWERS_RRNAME,
    authorities: &AUTHORITIES_RRNAME,
    additionals: &ADDITIONALS_RRNAME,
    response: &RESPONSE_RRNAME,
};

macro_rules! anomalies {
    ($($(#[$meta:meta])* $name:ident $text:literal,)*) => {
        $($(#[$meta])* pub static $name: Anomaly = Anomaly { name: stringify!($name), text: $text };)*
        /// Every anomaly of a message.
        pub static ANOMALIES: &[&Anomaly] = &[$(&$name),*];
    };
}

anomalies! {
    /// Lengths, counts or names are wrong.
    MALFORMED_DATA "a length, a count or a name in questions or answers is wrong",
    /// The response bit is set where a request belongs.
    NOT_REQUEST "a response goes to the server",
    /// The response bit is not set where a response belongs.
    NOT_RESPONSE "a request goes to the client",
    /// The reserved bit is set.
    Z_FLAG_SET "the reserved bit of the header is set",
    /// Nobody assigned this opcode.
    INVALID_OPCODE "the opcode is 7 or more",
    /// A name was cut.
    NAME_TOO_LONG "a name is longer than 1025 bytes and was cut",
    /// A pointer to itself.
    INFINITE_LOOP "a pointer in a name points at itself",
    /// More labels than are followed.
    TOO_MANY_LABELS "a name has more than 255 labels and pointers",
    /// The additional section is broken.
    INVALID_ADDITIONALS "the additional section could not be read",
    /// The authority section is broken.
    INVALID_AUTHORITIES "the authority section could not be read",
}
