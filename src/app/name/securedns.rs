//! Avast SecureDNS: DNSCrypt on port 443, begun by asking for a certificate in plain DNS. Recognised by name.

use crate::dns::wire::{HEADER, skim};
use parse::{Category, Cursor, Look, Probe, Protocol, Transport};

/// Avast SecureDNS.
pub static PROTOCOL: Protocol = Protocol {
    name: "avast-securedns",
    title: "Avast SecureDNS",
    category: Category::Name,
    ports: &[(Transport::Udp, PORT)],
    ndpi: &["AVASTSecureDNS"],
    probe: Some(probe),
    transports: &[Transport::Udp],
    ..Protocol::LABEL
};

const PORT: u16 = 443;
/// Whose certificate is asked for, after the protocol's version; letter case is random (0x20 encoding).
const PROVIDER: &[u8] = b"\x09securedns\x05avast\x03com\0";

/// By port and by the question.
fn probe(look: &Look<'_>) -> Probe {
    if is_bootstrap(look) { Probe::Yes { swapped: false } } else { Probe::No }
}

/// Whether a datagram asks for the certificate, or answers that.
pub(crate) fn is_bootstrap(look: &Look<'_>) -> bool {
    let at_home = look.client_port == PORT || look.server_port == PORT;
    at_home && look.transport == Transport::Udp && asks_provider(look.data) && skim(look.data).is_some()
}

fn asks_provider(message: &[u8]) -> bool {
    let mut c = Cursor::new(message);
    let version = c.skip(HEADER).and_then(|()| c.counted8());
    let name = c.rest().get(..PROVIDER.len());
    version.is_some() && name.is_some_and(|name| name.eq_ignore_ascii_case(PROVIDER))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::witness::{look, query};
    use parse::Side;

    #[test]
    fn the_certificate_is_asked_for_in_any_letter_case() {
        let ask = query(b"\x012\x09SeCURednS\x05aVasT\x03CoM\0");
        let yes = Probe::Yes { swapped: false };
        assert_eq!(probe(&look(Side::ToServer, &ask, 57970, 443)), yes);
        assert_eq!((crate::dns::PROTOCOL.probe.unwrap())(&look(Side::ToServer, &ask, 57970, 443)), Probe::No);
        assert_eq!(probe(&look(Side::ToServer, &ask, 57970, 53)), Probe::No);
        let other = query(b"\x012\x09securedns\x05avast\x03net\0");
        assert_eq!(probe(&look(Side::ToServer, &other, 57970, 443)), Probe::No);
    }
}
