//! DHCP for IPv6 (RFC 8415). Recognised by name.

use parse::{Category, Cursor, Look, Probe, Protocol, Transport};

/// DHCPv6.
pub static PROTOCOL: Protocol = Protocol {
    name: "dhcpv6",
    title: "Dynamic Host Configuration Protocol for IPv6",
    category: Category::Network,
    ports: &[(Transport::Udp, CLIENT), (Transport::Udp, SERVER)],
    ndpi: &["DHCPV6"],
    probe: Some(probe),
    transports: &[Transport::Udp],
    ..Protocol::LABEL
};

const CLIENT: u16 = 546;
const SERVER: u16 = 547;

/// By port and by a message whose options end where it does.
fn probe(look: &Look<'_>) -> Probe {
    let ports = [look.client_port, look.server_port];
    let at_home = ports.contains(&CLIENT) || ports.contains(&SERVER);
    if at_home && is_message(look.data) { Probe::Yes { swapped: false } } else { Probe::No }
}

/// RFC 8415 sections 8 and 9: a type, then a transaction id, or for relays a hop count and two addresses.
fn is_message(data: &[u8]) -> bool {
    let mut c = Cursor::new(data);
    let header = match c.u8() {
        Some(12 | 13) => 33,
        Some(1..=36) => 3,
        _ => return false,
    };
    if c.skip(header).is_none() || c.is_empty() {
        return false;
    }
    while !c.is_empty() {
        if c.skip(2).and_then(|()| c.counted16()).is_none() {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::witness::look;
    use parse::Side;

    #[test]
    fn a_solicit_is_dhcpv6_and_its_halves_are_not() {
        let solicit = [1, 0x10, 0x08, 0x74, 0, 8, 0, 2, 0, 0, 0, 6, 0, 2, 0, 23];
        assert_eq!(probe(&look(Side::ToServer, &solicit, 546, 547)), Probe::Yes { swapped: false });
        assert_eq!(probe(&look(Side::ToServer, &solicit[..15], 546, 547)), Probe::No);
        assert_eq!(probe(&look(Side::ToServer, &solicit[..4], 546, 547)), Probe::No);
        assert_eq!(probe(&look(Side::ToServer, &solicit, 5460, 5470)), Probe::No);
    }
}
