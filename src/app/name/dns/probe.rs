//! Recognising DNS: by header and sections on its own port, by a message without a flaw elsewhere.

use super::rrtype;
use super::wire::{HEADER, Header, Skim, skim};
use parse::{Look, Probe, Side, Transport};

/// Ports of protocols with the same header that are known under names of their own.
const RELATIVES: [u16; 4] = [137, 138, 5353, 5355];
/// Datagrams on port 53 that may be something else before DNS is ruled out.
const PATIENCE: u32 = 4;

/// Decides whether first bytes are DNS.
pub(crate) fn probe(look: &Look<'_>) -> Probe {
    let ports = [look.client_port, look.server_port];
    if crate::securedns::is_bootstrap(look) {
        return Probe::No;
    }
    let at_home = ports.contains(&53);
    if !at_home && ports.iter().any(|p| RELATIVES.contains(p)) {
        return Probe::No;
    }
    match look.transport {
        Transport::Udp => datagram(look, at_home),
        Transport::Tcp => stream(look, at_home),
        Transport::Sctp | Transport::Ip(_) => Probe::No,
    }
}

fn datagram(look: &Look<'_>, at_home: bool) -> Probe {
    match skim(look.data) {
        Some(skim) if at_home || flawless(&skim) => yes(look, &skim.header),
        _ if at_home && look.packets < PATIENCE => Probe::More,
        _ => Probe::No,
    }
}

fn stream(look: &Look<'_>, at_home: bool) -> Probe {
    let Some((&[high, low], rest)) = look.data.split_first_chunk() else {
        return Probe::More;
    };
    let len = usize::from(u16::from_be_bytes([high, low]));
    if rest.len() < HEADER {
        let could_be = (HEADER..=4096).contains(&len) && (at_home || rest.is_empty());
        return if could_be { Probe::More } else { Probe::No };
    }
    match rest.get(..len) {
        Some(message) => match skim(message) {
            Some(skim) if at_home || flawless(&skim) => yes(look, &skim.header),
            _ => Probe::No,
        },
        None => match Header::read(rest).filter(|h| h.plausible(len)) {
            Some(header) if at_home => yes(look, &header),
            Some(header) if len <= 4096 && one_question(&header) => Probe::More,
            _ => Probe::No,
        },
    }
}

/// The header of the message behind a two-byte length at the beginning of `data`, as far as `data` shows it.
pub(crate) fn message_behind_length(data: &[u8]) -> Option<Header> {
    let (&[high, low], rest) = data.split_first_chunk()?;
    let len = usize::from(u16::from_be_bytes([high, low]));
    match rest.get(..len) {
        Some(message) => skim(message).map(|skim| skim.header),
        None => Header::read(rest).filter(|h| h.plausible(len)),
    }
}

/// Requests come from clients; where one comes from the server, the sides are the other way round.
fn yes(look: &Look<'_>, header: &Header) -> Probe {
    let from_client = !header.has(Header::QR);
    Probe::Yes { swapped: from_client != (look.side == Side::ToServer) }
}

/// Whether a message leaves no doubt: one visible question of a known type and class, nothing reserved, nothing left
/// over.
fn flawless(skim: &Skim) -> bool {
    let class = matches!(skim.class, 1 | 3 | 4 | 255);
    skim.whole && skim.visible && class && rrtype::upper(skim.rrtype).is_some() && one_question(&skim.header)
}

/// Whether a header is that of an ordinary query for one name, or of its answer.
fn one_question(header: &Header) -> bool {
    let ordinary = header.opcode() == 0 && !header.has(Header::Z) && header.questions == 1;
    if header.has(Header::QR) {
        return ordinary && header.rcode() <= 10;
    }
    let asks = header.answers == 0 && header.authorities == 0 && header.additionals <= 2;
    ordinary && asks && header.rcode() == 0 && !header.has(Header::AA | Header::RA)
}
