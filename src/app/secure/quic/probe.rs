//! Telling QUIC from everything else that UDP carries. Random bytes pass for a long header too easily, so a version
//! that somebody announced, or one reserved for greasing in a client's first packet, is asked for.

use parse::{Cursor, Look, Probe, Side};

use super::version::{Layout, Version};
use super::wire::{Header, Kind};

/// Longest connection id of every version so far (RFC 9000 section 17.2).
const CONNECTION_ID: usize = 20;
/// A client's first datagram is at least that long (RFC 9000 section 14.1).
const FIRST_DATAGRAM: usize = 1200;
/// A bit that every packet of every IETF version has set (RFC 9000 section 17.2).
const FIXED: u8 = 0x40;
const PORT: u16 = 443;

/// Decides whether a datagram is QUIC, and whether its sender is rather the other side.
pub(super) fn probe(look: &Look<'_>) -> Probe {
    let Some(&first) = look.data.first() else { return Probe::No };
    let sender = match first >> 6 {
        0 => public(first, look.data),
        1 => return short(look),
        _ => long(first, look.data),
    };
    match sender {
        None => Probe::No,
        Some(Sender::Known(side)) => Probe::Yes { swapped: side != look.side },
        Some(Sender::Either) => Probe::Yes { swapped: by_port(look).is_some_and(|side| side != look.side) },
    }
}

/// A connection whose handshake was missed shows nothing but one bit in each packet, and its port.
fn short(look: &Look<'_>) -> Probe {
    /// Packet number, sample and the first byte (RFC 9001 section 5.4.2).
    const SHORTEST: usize = 21;
    let fits = |data: &[u8]| match data {
        [] => true,
        [first, ..] => first & FIXED != 0 && data.len() >= SHORTEST,
    };
    let likely = look.packets >= 3 && by_port(look).is_some() && fits(look.data) && fits(look.other);
    if likely { Probe::Unsure } else { Probe::No }
}

/// Who a QUIC packet comes from.
enum Sender {
    Known(Side),
    Either,
}

fn long(first: u8, data: &[u8]) -> Option<Sender> {
    let header = Header::parse(data)?;
    if header.dcid.len() > CONNECTION_ID || header.scid.len() > CONNECTION_ID {
        return None;
    }
    match header.kind {
        Kind::Negotiation => return negotiation(data.get(header.head..)?),
        _ if matches!(header.version.layout(), Layout::Ietf | Layout::Second) && first & FIXED == 0 => {
            return None;
        }
        // packet number, sample and tag
        Kind::Initial | Kind::Handshake | Kind::ZeroRtt if header.end - header.head < 4 + 16 => return None,
        _ => {}
    }
    if !header.version.is_known() {
        let first_packet =
            header.kind == Kind::Initial && header.dcid.len() >= 8 && data.len() >= FIRST_DATAGRAM;
        return (header.version.is_greased() && first_packet).then_some(Sender::Known(Side::ToServer));
    }
    Some(header.sender().map_or(Sender::Either, Sender::Known))
}

/// A list of versions, one of them at least a known one.
fn negotiation(list: &[u8]) -> Option<Sender> {
    let (versions, rest) = list.as_chunks::<4>();
    let known = versions.iter().map(|bytes| Version(u32::from_be_bytes(*bytes))).any(Version::is_known);
    (known && rest.is_empty() && versions.len() <= 64).then_some(Sender::Known(Side::ToClient))
}

/// Google's public header: a client's packet names its version, a server's list of versions and a reset have a
/// form of their own.
fn public(flags: u8, data: &[u8]) -> Option<Sender> {
    const RESET: &[u8] = b"PRST";
    const VERSION: u8 = 0x01;
    const CONNECTION: u8 = 0x08;
    let mut at = Cursor::new(data);
    at.skip(if flags & CONNECTION == 0 { 1 } else { 9 })?;
    if flags & 0x02 != 0 {
        return (at.take(4)? == RESET).then_some(Sender::Known(Side::ToClient));
    }
    if flags & VERSION == 0 {
        return rejection(at.rest());
    }
    let version = Version(at.u32()?);
    if flags & CONNECTION == 0 || version.layout() != Layout::Public {
        return None;
    }
    // behind the version of a client stands a packet number, behind that of a server another version
    let list =
        at.rest().first_chunk().is_some_and(|next| Version(u32::from_be_bytes(*next)).google().is_some());
    Some(Sender::Known(if list { Side::ToClient } else { Side::ToServer }))
}

/// The answer of a server to its client's first hello, in the clear: a table of tags like the hello's.
fn rejection(data: &[u8]) -> Option<Sender> {
    const REACH: usize = 64;
    let near = data.get(..REACH)?;
    let found = near.windows(8).any(|bytes| matches!(bytes, [b'R', b'E', b'J', 0, 1..=64, 0, 0, 0]));
    found.then_some(Sender::Known(Side::ToClient))
}

/// Who a datagram comes from when its bytes do not tell: the side with the well-known port is the server.
fn by_port(look: &Look<'_>) -> Option<Side> {
    let (from, to) = match look.side {
        Side::ToServer => (look.client_port, look.server_port),
        Side::ToClient => (look.server_port, look.client_port),
    };
    match (from == PORT, to == PORT) {
        (true, false) => Some(Side::ToClient),
        (false, true) => Some(Side::ToServer),
        _ => None,
    }
}
