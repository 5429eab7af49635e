//! Recognising TLS by the first bytes of either side.

use parse::{Cursor, Look, Pattern, Probe, Side};

use super::wire::{Content, HEADER, Header, LONGEST, SSL2, Short};

/// Where to look at all: any record, and SSLv2 hellos by what follows their length.
pub(super) static PATTERNS: &[Pattern] = &[
    at(0, &[0x16, 3]),
    at(0, &[0x15, 3]),
    at(0, &[0x17, 3]),
    at(0, &[0x14, 3]),
    at(2, &[1, 0, 2]),
    at(2, &[1, 3]),
    at(2, &[4, 0]),
    at(2, &[4, 1]),
];

const fn at(offset: u16, bytes: &'static [u8]) -> Pattern {
    Pattern { side: None, offset, bytes, nocase: false }
}

/// TLS or SSL?
pub(super) fn probe(look: &Look<'_>) -> Probe {
    match look.data.first() {
        None => Probe::More,
        Some(&byte) if Short::begins(byte) => probe_short(look),
        Some(_) => probe_record(look),
    }
}

fn probe_record(look: &Look<'_>) -> Probe {
    let [kind, rest @ ..] = look.data else { return Probe::More };
    if !matches!(kind, 20..=23) || rest.first().is_some_and(|&major| major != 3) {
        return Probe::No;
    }
    if rest.get(1).is_some_and(|&minor| minor > 4) {
        return Probe::No;
    }
    let Some(header) = Header::parse(look.data) else { return Probe::More };
    if header.length == 0 || header.length > LONGEST {
        return Probe::Unsure;
    }
    match (header.content, look.data.get(HEADER)) {
        (Content::Handshake, None) => Probe::More,
        (Content::Handshake, Some(1)) => Probe::Yes { swapped: look.side == Side::ToClient },
        (Content::Handshake, Some(2)) => Probe::Yes { swapped: look.side == Side::ToServer },
        (Content::Handshake, Some(_)) => Probe::Yes { swapped: false },
        // records of a server may come first in what is seen; of a client they would be a strange beginning
        _ if look.side == Side::ToClient => Probe::Yes { swapped: false },
        _ => Probe::Unsure,
    }
}

/// SSLv2 hellos (the Netscape draft, section 2.5; RFC 5246 appendix E.2): their inner lengths must add up.
fn probe_short(look: &Look<'_>) -> Probe {
    let Some(short) = Short::parse(look.data) else { return Probe::More };
    let Some(body) = look.data.get(short.lengths + 1..) else { return Probe::More };
    let Some(fits) = (match short.message {
        1 => client_fits(body, short.length),
        4 => server_fits(body, short.length),
        _ => Some(false),
    }) else {
        return Probe::More;
    };
    if fits {
        Probe::Yes { swapped: (short.message == 1) != (look.side == Side::ToServer) }
    } else {
        Probe::No
    }
}

/// `None` when there are too few bytes to say.
fn client_fits(body: &[u8], length: usize) -> Option<bool> {
    let mut at = Cursor::new(body);
    let version = at.u16()?;
    let (ciphers, session, challenge) = (at.u16()?, at.u16()?, at.u16()?);
    let inner = 9 + usize::from(ciphers) + usize::from(session) + usize::from(challenge);
    let known = version == SSL2 || (0x0300..=0x0304).contains(&version);
    Some(known && ciphers != 0 && ciphers % 3 == 0 && inner == length)
}

fn server_fits(body: &[u8], length: usize) -> Option<bool> {
    let mut at = Cursor::new(body);
    at.skip(2)?;
    let version = at.u16()?;
    let (certificate, ciphers, connection) = (at.u16()?, at.u16()?, at.u16()?);
    let inner = 11 + usize::from(certificate) + usize::from(ciphers) + usize::from(connection);
    Some(version == SSL2 && inner == length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use parse::Transport;

    fn look(side: Side, data: &[u8]) -> Probe {
        probe(&Look {
            side,
            data,
            other: &[],
            transport: Transport::Tcp,
            client_port: 40000,
            server_port: 443,
            packets: 1,
            midstream: false,
        })
    }

    #[test]
    fn hellos_tell_who_is_who() {
        let client = [0x16, 3, 1, 0, 200, 1, 0, 0, 196];
        assert_eq!(look(Side::ToServer, &client), Probe::Yes { swapped: false });
        assert_eq!(look(Side::ToClient, &client), Probe::Yes { swapped: true });
        let server = [0x16, 3, 3, 0, 90, 2];
        assert_eq!(look(Side::ToClient, &server), Probe::Yes { swapped: false });
        assert_eq!(look(Side::ToServer, &server), Probe::Yes { swapped: true });
        for cut in 1..6 {
            assert_eq!(look(Side::ToServer, &client[..cut]), Probe::More, "{cut}");
        }
    }

    #[test]
    fn other_records_are_weak_from_a_client() {
        assert_eq!(look(Side::ToServer, &[0x17, 3, 3, 0, 90, 2]), Probe::Unsure);
        assert_eq!(look(Side::ToClient, &[0x17, 3, 3, 0, 90, 2]), Probe::Yes { swapped: false });
        assert_eq!(look(Side::ToServer, b"GET / HTTP/1.1"), Probe::No);
        assert_eq!(look(Side::ToServer, &[0x16, 3, 9, 0, 90, 2]), Probe::No);
    }

    #[test]
    fn short_hellos_must_add_up() {
        let mut hello = vec![0x80, 46, 1, 0, 2, 0, 21, 0, 0, 0, 16];
        assert_eq!(look(Side::ToServer, &hello), Probe::Yes { swapped: false });
        assert_eq!(look(Side::ToServer, &hello[..7]), Probe::More);
        hello[1] = 47;
        assert_eq!(look(Side::ToServer, &hello), Probe::No);
        assert_eq!(
            look(Side::ToClient, &[0x80, 27, 4, 0, 1, 0, 2, 0, 0, 0, 0, 0, 16]),
            Probe::Yes { swapped: false }
        );
        assert_eq!(look(Side::ToServer, &[0xff; 40]), Probe::No);
    }
}
