//! Accord: whether both sides of a connection begin as its protocol does.
//!
//! Recognition needs one side only. Here the other one is asked, when its first bytes come: a server that answers a request
//! with something that no server of the protocol says, or that plainly speaks another protocol, is told as an anomaly
//! under the name that Suricata has for it.

use crate::engine::Given;
use parse::{Anomaly, Look, Probe, Protocol, Side, Sink, Transport};

/// One side speaks the protocol and the other one nothing that is known.
static ONE_SIDED: Anomaly = Anomaly {
    name: "APPLAYER_DETECT_PROTOCOL_ONLY_ONE_DIRECTION",
    text: "one side of a connection begins as its protocol does, the other one as none that is known",
};
/// Both sides speak, each another protocol.
static MISMATCH: Anomaly = Anomaly {
    name: "APPLAYER_MISMATCH_PROTOCOL_BOTH_DIRECTIONS",
    text: "the sides of a connection begin as different protocols do",
};
/// The server spoke first where the client has to.
static WRONG_FIRST: Anomaly = Anomaly {
    name: "APPLAYER_WRONG_DIRECTION_FIRST_DATA",
    text: "the first bytes of a connection came from the side that has to wait in its protocol",
};

/// Another protocol than the one that was agreed on.
static UNEXPECTED: Anomaly = Anomaly {
    name: "APPLAYER_UNEXPECTED_PROTOCOL",
    text: "behind a change of protocols another one speaks than the one that was agreed on",
};
/// The same, of TLS.
static NO_TLS: Anomaly = Anomaly {
    name: "APPLAYER_NO_TLS_AFTER_STARTTLS",
    text: "STARTTLS was accepted, and what follows is another protocol than TLS",
};

/// Every anomaly of recognition.
pub static ANOMALIES: &[&Anomaly] = &[&ONE_SIDED, &MISMATCH, &WRONG_FIRST, &UNEXPECTED, &NO_TLS];

/// What is known of a side's beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Heard {
    /// It has not spoken yet, or too little to tell.
    #[default]
    Nothing,
    /// It begins as the protocol does, or there is no telling.
    Alike,
    /// It begins as no protocol that is known.
    Strange,
    /// It begins as another protocol does: its place in the table of beginnings.
    Another(u8),
}

impl Heard {
    /// The protocol that this side speaks in EVE's words, when it is not the flow's.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Nothing | Self::Alike => None,
            Self::Strange => Some("failed"),
            Self::Another(at) => BEGINNINGS.get(usize::from(at)).map(|b| b.protocol),
        }
    }
}

/// Bytes that a protocol begins with, on one side or on both.
struct Beginning {
    protocol: &'static str,
    side: Option<Side>,
    offset: usize,
    bytes: &'static [u8],
}

const fn both(protocol: &'static str, offset: usize, bytes: &'static [u8]) -> Beginning {
    Beginning { protocol, side: None, offset, bytes }
}

const fn client(protocol: &'static str, offset: usize, bytes: &'static [u8]) -> Beginning {
    Beginning { protocol, side: Some(Side::ToServer), offset, bytes }
}

const fn server(protocol: &'static str, offset: usize, bytes: &'static [u8]) -> Beginning {
    Beginning { protocol, side: Some(Side::ToClient), offset, bytes }
}

/// Beginnings that leave no doubt, beside those of HTTP, which stand with its parser. Letters count as their capitals.
static BEGINNINGS: &[Beginning] = &[
    both("ssh", 0, b"SSH-"),
    both("tls", 0, b"\x16\x03\x00"),
    both("tls", 0, b"\x16\x03\x01"),
    both("tls", 0, b"\x16\x03\x02"),
    both("tls", 0, b"\x16\x03\x03"),
    server("tls", 0, b"\x15\x03\x00"),
    server("tls", 0, b"\x15\x03\x01"),
    server("tls", 0, b"\x15\x03\x02"),
    server("tls", 0, b"\x15\x03\x03"),
    server("tls", 0, b"\x17\x03\x00"),
    server("tls", 0, b"\x17\x03\x01"),
    server("tls", 0, b"\x17\x03\x02"),
    server("tls", 0, b"\x17\x03\x03"),
    client("tls", 2, b"\x01\x00\x02"),
    client("tls", 2, b"\x01\x03\x00"),
    client("tls", 2, b"\x01\x03\x01"),
    client("tls", 2, b"\x01\x03\x02"),
    client("tls", 2, b"\x01\x03\x03"),
    both("rfb", 0, b"RFB "),
    both("smb", 4, b"\xffSMB"),
    both("smb", 4, b"\xfeSMB"),
    both("dcerpc", 0, b"\x05\x00"),
    server("sip", 0, b"SIP/2.0"),
    client("sip", 0, b"REGISTER "),
    client("sip", 0, b"INVITE "),
    server("imap", 0, b"* OK "),
    client("smtp", 0, b"EHLO "),
    client("smtp", 0, b"HELO "),
    client("ftp", 0, b"USER "),
    client("ftp", 0, b"PASS "),
    server("http", 0, b"HTTP/1.0"),
    server("http", 0, b"HTTP/1.1"),
    client("http", 0, b"GET "),
    client("http", 0, b"POST "),
    client("http", 0, b"HEAD "),
];

/// So many bytes tell whether a side begins as something that is known: as long as the longest beginning.
pub(crate) const fn enough(side: Side) -> usize {
    match side {
        Side::ToServer => 17,
        Side::ToClient => 10,
    }
}

/// Whether bytes begin as any of the protocol's own patterns says, or as the table does.
fn is_alike(protocol: &Protocol, side: Side, data: &[u8]) -> bool {
    // Most patterns are told apart by their first byte.
    let first = data.first().map(u8::to_ascii_uppercase);
    match protocol.name {
        "http" => protocol.patterns.iter().any(|p| {
            p.bytes.first().copied() == first
                && p.side == Some(side)
                && data.get(..p.bytes.len()).is_some_and(|d| d.eq_ignore_ascii_case(p.bytes))
        }),
        name => BEGINNINGS.iter().any(|b| b.protocol == name && b.stands(side, data)),
    }
}

impl Beginning {
    fn stands(&self, side: Side, data: &[u8]) -> bool {
        self.side.is_none_or(|s| s == side)
            && data
                .get(self.offset..self.offset + self.bytes.len())
                .is_some_and(|d| d.eq_ignore_ascii_case(self.bytes))
    }
}

/// Protocols whose sides are both known by their beginnings.
fn is_judged(protocol: &Protocol) -> bool {
    matches!(protocol.name, "http" | "tls" | "ssh")
}

/// Judges the first bytes of one side. `Nothing` when there are too few of them.
fn judge(protocol: &Protocol, side: Side, data: &[u8]) -> Heard {
    if is_alike(protocol, side, data) {
        return Heard::Alike;
    }
    let another = BEGINNINGS.iter().position(|b| b.protocol != protocol.name && b.stands(side, data));
    match another.and_then(|at| u8::try_from(at).ok()) {
        Some(at) => Heard::Another(at),
        None if data.len() >= enough(side) => Heard::Strange,
        None => Heard::Nothing,
    }
}

/// Listens to the first bytes of a side, and tells when they are not what the protocol begins with. With `Nothing` more
/// of them should be waited for.
pub(crate) fn listen(protocol: &Protocol, given: &Given<'_>, sink: &mut dyn Sink) -> Heard {
    let side = given.input.side;
    let from_the_start = given.transport == Transport::Tcp && given.input.offset == 0 && given.gap == 0;
    if !is_judged(protocol) || !from_the_start || given.midstream && side == Side::ToServer {
        return Heard::Alike;
    }
    let heard = judge(protocol, side, given.input.data);
    match heard {
        Heard::Strange => sink.recognition(side, &ONE_SIDED),
        Heard::Another(_) => sink.recognition(side, &MISMATCH),
        Heard::Nothing | Heard::Alike => {}
    }
    heard
}

/// Tells when a server began in whose protocol the client has to.
pub(crate) fn order(protocol: &Protocol, given: &Given<'_>, first: Option<Side>, sink: &mut dyn Sink) {
    let side = given.input.side;
    let server_began = side == Side::ToClient && first == Some(Side::ToClient);
    if protocol.name == "tls" && given.transport == Transport::Tcp && server_began && !given.midstream {
        sink.recognition(side, &WRONG_FIRST);
    }
}

/// Whether what follows may be the protocol that was agreed on. Only TLS is doubted: others begin in ways of their own
/// behind a change.
pub(crate) fn is_kept(agreed: &Protocol, look: &Look<'_>) -> bool {
    agreed.name != "tls" || agreed.probe.is_none_or(|probe| probe(look) != Probe::No)
}

/// Tells of another protocol in place of TLS.
pub(crate) fn broken(side: Side, sink: &mut dyn Sink) {
    sink.recognition(side, &UNEXPECTED);
    sink.recognition(side, &NO_TLS);
}
