//! NetBIOS over UDP (RFC 1001, RFC 1002): the name service and the datagram service. Recognised by name.

use parse::{Category, Cursor, Look, Probe, Protocol, Transport};

/// NetBIOS names and datagrams.
pub static PROTOCOL: Protocol = Protocol {
    name: "netbios-ns",
    title: "NetBIOS Name Service",
    category: Category::Name,
    ports: &[(Transport::Udp, NAMES), (Transport::Udp, DATAGRAMS)],
    ndpi: &["NetBIOS"],
    probe: Some(probe),
    transports: &[Transport::Udp],
    ..Protocol::LABEL
};

const NAMES: u16 = 137;
const DATAGRAMS: u16 = 138;

/// By port and by a name in the encoding that only NetBIOS uses.
fn probe(look: &Look<'_>) -> Probe {
    let on = |port| look.client_port == port || look.server_port == port;
    let yes = (on(NAMES) && is_name_packet(look.data)) || (on(DATAGRAMS) && is_datagram(look.data));
    if yes { Probe::Yes { swapped: false } } else { Probe::No }
}

/// RFC 1002 section 4.2.1: a header of six words, then a question or a record about an encoded name. An error may
/// come without either.
fn is_name_packet(data: &[u8]) -> bool {
    let mut c = Cursor::new(data);
    let Some([_id, flags, questions, answers, authorities, additionals]) = words(&mut c) else {
        return false;
    };
    let records = [questions, answers, authorities, additionals];
    if records.iter().any(|n| *n > 64) {
        return false;
    }
    let bare_error = records == [0; 4] && flags & 0x8000 != 0 && c.is_empty();
    bare_error || (records != [0; 4] && is_encoded_name(c.rest()))
}

/// RFC 1002 section 4.4.1: a type, flags, the sender, and for those that carry data two encoded names.
fn is_datagram(data: &[u8]) -> bool {
    let mut c = Cursor::new(data);
    match c.u8() {
        Some(0x10..=0x12) => c.skip(13).is_some() && is_encoded_name(c.rest()),
        Some(0x13) => data.len() == 11,
        Some(0x14..=0x16) => c.skip(9).is_some() && is_encoded_name(c.rest()),
        _ => false,
    }
}

/// RFC 1001 section 14.1: sixteen bytes as 32 letters from A to P.
fn is_encoded_name(data: &[u8]) -> bool {
    match data.split_first() {
        Some((32, rest)) => rest.get(..32).is_some_and(|name| name.iter().all(|b| (b'A'..=b'P').contains(b))),
        _ => false,
    }
}

fn words(c: &mut Cursor<'_>) -> Option<[u16; 6]> {
    let mut words = [0; 6];
    for word in &mut words {
        *word = c.u16()?;
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::witness::look;
    use parse::Side;

    fn query() -> Vec<u8> {
        let mut packet = vec![0x81, 0x2c, 0x01, 0x10, 0, 1, 0, 0, 0, 0, 0, 0, 32];
        packet.extend_from_slice(b"FHEPFCELEHFCEPFFFACACACACACACABN");
        packet.extend_from_slice(&[0, 0, 0x20, 0, 1]);
        packet
    }

    #[test]
    fn names_and_datagrams_are_told_by_their_encoding() {
        let query = query();
        assert_eq!(probe(&look(Side::ToServer, &query, 137, 137)), Probe::Yes { swapped: false });
        assert_eq!(probe(&look(Side::ToServer, &query, 137, 53)), Probe::Yes { swapped: false });
        assert_eq!(probe(&look(Side::ToServer, &query, 138, 138)), Probe::No);
        let mut datagram = vec![0x11, 0x0a, 0, 1, 10, 0, 0, 1, 0, 138, 0, 187, 0, 0];
        datagram.extend_from_slice(&query[12..]);
        assert_eq!(probe(&look(Side::ToServer, &datagram, 138, 138)), Probe::Yes { swapped: false });
        datagram[20] = b'Z';
        assert_eq!(probe(&look(Side::ToServer, &datagram, 138, 138)), Probe::No);
    }
}
