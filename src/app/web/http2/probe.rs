//! Whether bytes are HTTP/2.

use super::wire::{self, HEADER, Header, PREFACE, kind};
use parse::{Look, Pattern, Probe, Side};

/// The preface says it all.
pub(super) const PATTERNS: &[Pattern] =
    &[Pattern { side: Some(Side::ToServer), offset: 0, bytes: b"PRI * HTTP/2.0\r\n\r\n", nocase: false }];

/// The port at which a server that speaks first is believed.
const WEB: u16 = 80;
/// Largest frame before anything else was said (RFC 9113, 6.5.2).
const USUAL: usize = 16 * 1024;

/// Decides by the client's preface, or by the SETTINGS that a server may send first.
pub(super) fn probe(look: &Look<'_>) -> Probe {
    let begun = look.data.get(..PREFACE.len()).unwrap_or(look.data);
    if PREFACE.starts_with(begun) {
        let swapped = look.side == Side::ToClient;
        return if begun.len() >= 16 { Probe::Yes { swapped } } else { Probe::More };
    }
    if look.side == Side::ToServer && !look.other.starts_with(b"PRI * HTTP/2") {
        return Probe::No;
    }
    server(look)
}

/// A server's first frame is SETTINGS, of parameters that are known or kept free for tests of tolerance.
fn server(look: &Look<'_>) -> Probe {
    let Some(header) = Header::read(look.data) else {
        let fits = look.data.iter().zip([
            Some(0),
            None,
            None,
            Some(kind::SETTINGS),
            None,
            Some(0),
            Some(0),
            Some(0),
        ]);
        return if fits.into_iter().all(|(is, want)| want.is_none_or(|want| want == *is)) {
            Probe::More
        } else {
            Probe::No
        };
    };
    let settings = header.kind == kind::SETTINGS && header.stream == 0 && !header.reserved;
    if !settings || !header.has_plain_flags() || header.len > USUAL || !header.len.is_multiple_of(6) {
        return Probe::No;
    }
    let known = look.data.get(HEADER..HEADER + 2).is_some_and(|id| match id {
        [a, b] => wire::setting(u16::from_be_bytes([*a, *b])).is_some(),
        _ => false,
    });
    let answered = look.other.starts_with(b"PRI * HTTP/2");
    if answered || (known && (look.server_port == WEB || look.midstream)) {
        return Probe::Yes { swapped: look.side == Side::ToServer };
    }
    // little of this is more than zeros: the client's preface will tell
    Probe::Unsure
}

#[cfg(test)]
mod tests {
    use super::*;
    use parse::Transport;

    fn ask(side: Side, data: &[u8], other: &[u8]) -> Probe {
        ask_at(80, side, data, other)
    }

    fn ask_at(server_port: u16, side: Side, data: &[u8], other: &[u8]) -> Probe {
        probe(&Look {
            side,
            data,
            other,
            transport: Transport::Tcp,
            client_port: 40000,
            server_port,
            packets: 1,
            midstream: false,
        })
    }

    #[test]
    fn the_preface_is_known_on_either_side() {
        assert_eq!(ask(Side::ToServer, PREFACE, b""), Probe::Yes { swapped: false });
        assert_eq!(ask(Side::ToClient, PREFACE, b""), Probe::Yes { swapped: true });
        assert_eq!(ask(Side::ToServer, b"PRI * HTTP/2.0\r\n", b""), Probe::Yes { swapped: false });
        assert_eq!(ask(Side::ToServer, b"PRI * H", b""), Probe::More);
        assert_eq!(ask(Side::ToServer, b"PRI * HTTP/1.1\r\n\r\nSM\r\n\r\n", b""), Probe::No);
    }

    #[test]
    fn a_server_may_speak_first() {
        let settings = b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x64";
        assert_eq!(ask(Side::ToClient, settings, b""), Probe::Yes { swapped: false });
        assert_eq!(ask_at(3000, Side::ToClient, settings, b""), Probe::Unsure);
        assert_eq!(ask_at(3000, Side::ToClient, settings, PREFACE), Probe::Yes { swapped: false });
        assert_eq!(ask(Side::ToClient, &settings[..4], b""), Probe::More);
        assert_eq!(ask(Side::ToClient, b"\0\0\0\x04\0\0\0\0\0", b""), Probe::Unsure);
        assert_eq!(ask(Side::ToClient, b"\0\0\0\x04\0\0\0\0\0", PREFACE), Probe::Yes { swapped: false });
        assert_eq!(ask(Side::ToClient, b"\0\0\x05\x04\0\0\0\0\0", PREFACE), Probe::No);
        assert_eq!(ask(Side::ToClient, b"HTTP/1.1 200 OK\r\n", b""), Probe::No);
        assert_eq!(ask(Side::ToServer, settings, b""), Probe::No);
    }
}
