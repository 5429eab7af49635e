//! Link-Local Multicast Name Resolution (RFC 4795): DNS's messages on a port of their own. Recognised by name.

use crate::dns::wire::skim;
use parse::{Category, Look, Probe, Protocol, Side, Transport};

/// LLMNR.
pub static PROTOCOL: Protocol = Protocol {
    name: "llmnr",
    title: "Link-Local Multicast Name Resolution",
    category: Category::Name,
    ports: &[(Transport::Udp, PORT), (Transport::Tcp, PORT)],
    ndpi: &["LLMNR"],
    probe: Some(probe),
    transports: &[Transport::Udp, Transport::Tcp],
    ..Protocol::LABEL
};

const PORT: u16 = 5355;

/// By port and by one message (behind its length on TCP) that can be walked through.
fn probe(look: &Look<'_>) -> Probe {
    if look.client_port != PORT && look.server_port != PORT {
        return Probe::No;
    }
    let message = match look.transport {
        Transport::Tcp => look.data.get(2..),
        Transport::Udp | Transport::Sctp | Transport::Ip(_) => Some(look.data),
    };
    match message.and_then(skim) {
        Some(skim) => {
            let request = !skim.header.has(crate::dns::wire::Header::QR);
            Probe::Yes { swapped: request != (look.side == Side::ToServer) }
        }
        None => Probe::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::witness::{look, query};

    #[test]
    fn a_query_on_its_port_is_llmnr() {
        let query = query(b"\x04wpad\0");
        assert_eq!(probe(&look(Side::ToServer, &query, 50000, 5355)), Probe::Yes { swapped: false });
        assert_eq!(probe(&look(Side::ToClient, &query, 5355, 50000)), Probe::Yes { swapped: true });
        assert_eq!(probe(&look(Side::ToServer, &query, 50000, 53)), Probe::No);
        assert_eq!(probe(&look(Side::ToServer, &query[..20], 50000, 5355)), Probe::No);
    }
}
