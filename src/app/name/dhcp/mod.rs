//! DHCP for IPv4 (RFC 2131), and BOOTP (RFC 951), whose header it uses.

mod fields;
mod show;
mod state;
#[cfg(test)]
mod tests;
mod wire;

use parse::{Anomaly, Buffer, Category, Depth, Feed, Look, Probe, Protocol, Record, Side, Transport};
use wire::{COOKIE, HEADER, code};

/// DHCP.
pub static PROTOCOL: Protocol = Protocol {
    name: "dhcp",
    title: "Dynamic Host Configuration Protocol",
    category: Category::Network,
    depth: Depth::Parser,
    ports: &[(Transport::Udp, 67), (Transport::Udp, 68)],
    ndpi: &["DHCP"],
    probe: Some(probe),
    transports: &[Transport::Udp],
    open: Some(|settings| Box::new(state::Dhcp::new(settings.dhcp_extended))),
    fields: fields::ALL,
    buffers: &[&LEASE_TIME, &RENEWAL_TIME, &REBINDING_TIME],
    phases: [&["message"], &["message"]],
    anomalies: &[&MALFORMED_OPTIONS, &TRUNCATED_OPTIONS],
    ..Protocol::LABEL
};

/// An event for each acknowledgement, or for each message with `Settings::dhcp_extended`.
pub static RECORD: Record = Record { event_type: "dhcp", text: "one DHCP message" };

/// An option's value does not fit its code.
pub static MALFORMED_OPTIONS: Anomaly =
    Anomaly { name: "MALFORMED_OPTIONS", text: "a time option is not four bytes long" };
/// The message ended before its options did.
pub static TRUNCATED_OPTIONS: Anomaly =
    Anomaly { name: "TRUNCATED_OPTIONS", text: "the options do not end with the end option" };

const EITHER: &[(Side, u8)] = &[(Side::ToServer, 0), (Side::ToClient, 0)];

const fn number(name: &'static str, text: &'static str) -> Buffer {
    Buffer { name, feed: Feed::Final, many: false, ready: EITHER, text }
}

/// `dhcp.leasetime`, a number.
pub static LEASE_TIME: Buffer = number("dhcp.leasetime", "lease time: four bytes, network order");
/// `dhcp.renewal_time`, a number.
pub static RENEWAL_TIME: Buffer = number("dhcp.renewal_time", "renewal time: four bytes, network order");
/// `dhcp.rebinding_time`, a number.
pub static REBINDING_TIME: Buffer =
    number("dhcp.rebinding_time", "rebinding time: four bytes, network order");

/// By header and cookie; on its own ports the header is enough, for BOOTP has no cookie.
fn probe(look: &Look<'_>) -> Probe {
    let ports = [look.client_port, look.server_port];
    let at_home = ports.contains(&67) || ports.contains(&68);
    let yes = match look.data {
        [1 | 2, htype, hlen @ 0..=16, ..] if look.data.len() >= HEADER => {
            let behind = look.data.get(HEADER..).unwrap_or_default();
            let first = behind.get(4).copied();
            let options = behind.starts_with(&COOKIE);
            (at_home && (*htype == 1 || options))
                || (options && *hlen == 6 && first == Some(code::MESSAGE_TYPE))
        }
        _ => false,
    };
    if yes { Probe::Yes { swapped: false } } else { Probe::No }
}
