//! EVE's `dhcp` object.

use super::fields;
use super::wire::{DhcpOption, Header, code, options};
use crate::dns::short::Short;
use parse::{Field, Visitor};

/// The whole object. An option that comes again counts as it is said last,
/// as readers of Suricata's repeated keys see it.
pub(super) fn message(header: &Header<'_>, bytes: &[u8], extended: bool, v: &mut dyn Visitor) {
    v.object(&fields::DHCP);
    v.word(&fields::KIND, kind(header.op));
    v.number(&fields::ID, u64::from(header.xid));
    v.hex(&fields::CLIENT_MAC, header.hardware, ":");
    address(&fields::ASSIGNED_IP, &header.yours, v);
    if extended {
        address(&fields::CLIENT_IP, &header.client, v);
        if header.op == 2 {
            address(&fields::RELAY_IP, &header.relay, v);
            address(&fields::NEXT_SERVER_IP, &header.next_server, v);
        }
    }
    let mut last = [0u16; 256];
    let mut n = 0u16;
    options(bytes, |option| {
        n = n.saturating_add(1);
        if let Some(place) = last.get_mut(usize::from(option.code)) {
            *place = n;
        }
    });
    n = 0;
    options(bytes, |option| {
        n = n.saturating_add(1);
        if last.get(usize::from(option.code)) == Some(&n) {
            always(option, v);
            if extended {
                more(option, v);
            }
        }
    });
    v.close();
}

/// What maps a hardware address to an IP address.
fn always(option: DhcpOption<'_>, v: &mut dyn Visitor) {
    match (option.code, option.value) {
        (code::CLIENT_ID, [_, id @ ..]) => v.hex(&fields::CLIENT_ID, id, ":"),
        (code::MESSAGE_TYPE, [kind, ..]) => v.word(&fields::DHCP_TYPE, message_type(*kind)),
        (code::RENEWAL_TIME, value) => seconds(&fields::RENEWAL_TIME, value, v),
        (code::HOSTNAME, value @ [_, ..]) => v.text(&fields::HOSTNAME, value),
        _ => {}
    }
}

/// What only extended records carry.
fn more(option: DhcpOption<'_>, v: &mut dyn Visitor) {
    let value = option.value;
    match option.code {
        code::LEASE_TIME => seconds(&fields::LEASE_TIME, value, v),
        code::REBINDING_TIME => seconds(&fields::REBINDING_TIME, value, v),
        code::SUBNET_MASK => address(&fields::SUBNET_MASK, value, v),
        code::REQUESTED_IP => address(&fields::REQUESTED_IP, value, v),
        code::ROUTERS => addresses(&fields::ROUTERS, value, v),
        code::DNS_SERVERS => addresses(&fields::DNS_SERVERS, value, v),
        code::PARAMETERS => params(value, v),
        code::VENDOR_CLASS if !value.is_empty() => v.text(&fields::VENDOR_CLASS, value),
        _ => {}
    }
}

fn address(field: &'static Field, value: &[u8], v: &mut dyn Visitor) {
    v.text(field, Short::address(value).as_bytes());
}

fn addresses(field: &'static Field, value: &[u8], v: &mut dyn Visitor) {
    if value.len() < 4 {
        return;
    }
    v.list(field);
    value.chunks_exact(4).for_each(|one| address(field, one, v));
    v.close();
}

fn seconds(field: &'static Field, value: &[u8], v: &mut dyn Visitor) {
    if let Ok(value) = value.try_into() {
        v.number(field, u64::from(u32::from_be_bytes(value)));
    }
}

/// Option 55: those of the codes asked for that have names in EVE.
fn params(value: &[u8], v: &mut dyn Visitor) {
    let mut names = value.iter().filter_map(|code| param(*code)).peekable();
    if names.peek().is_none() {
        return;
    }
    v.list(&fields::PARAMS);
    names.for_each(|name| v.word(&fields::PARAMS, name));
    v.close();
}

const fn param(code: u8) -> Option<&'static str> {
    match code {
        1 => Some("subnet_mask"),
        3 => Some("router"),
        6 => Some("dns_server"),
        15 => Some("domain"),
        35 => Some("arp_timeout"),
        42 => Some("ntp_server"),
        66 => Some("tftp_server_name"),
        150 => Some("tftp_server_ip"),
        _ => None,
    }
}

const fn kind(op: u8) -> &'static str {
    match op {
        1 => "request",
        2 => "reply",
        _ => "<unknown>",
    }
}

/// RFC 2132 section 9.6.
const fn message_type(kind: u8) -> &'static str {
    match kind {
        1 => "discover",
        2 => "offer",
        3 => "request",
        4 => "decline",
        5 => "ack",
        6 => "nak",
        7 => "release",
        8 => "inform",
        _ => "unknown",
    }
}
