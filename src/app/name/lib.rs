//! Name: protocols by which hosts find names and addresses.
//!
//! Gives: [`PROTOCOLS`]: DNS over UDP and TCP, multicast DNS and DHCP parsed; LLMNR, NetBIOS names,
//! DHCPv6 and Avast's SecureDNS as labels.
//! Depends on: `parse`, nothing else.
//! Will never know: flows, rules, events, outputs, clocks, or another family.

#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::cast_possible_truncation,
        clippy::panic
    )
)]

pub mod dhcp;
pub mod dhcpv6;
pub mod dns;
pub mod llmnr;
pub mod mdns;
pub mod netbios;
pub mod securedns;

#[cfg(test)]
mod witness;

use parse::Protocol;

/// Every protocol of this family; those that look like DNS but are more particular come before it.
pub static PROTOCOLS: &[&Protocol] = &[
    &securedns::PROTOCOL,
    &netbios::PROTOCOL,
    &dns::PROTOCOL,
    &mdns::PROTOCOL,
    &llmnr::PROTOCOL,
    &dhcp::PROTOCOL,
    &dhcpv6::PROTOCOL,
];
