//! Network layers: IPv4, IPv6 and its extension headers, ARP, and the ICMP that belongs to them.

mod arp;
mod icmp;
mod ipv4;
mod ipv6;
mod options4;
mod options6;

/// A length field of 16 bits, for what stands between `at` and `end`. Zero, where more than 16 bits can say is there,
/// means as far as it goes: segments that the sender's NIC was to cut (Linux BIG TCP) or a jumbo payload (RFC 2675).
#[inline]
pub(crate) fn length_field(field: [u8; 2], at: usize, end: usize) -> usize {
    let there = end.saturating_sub(at);
    if field == [0, 0] && there > 0xffff { there } else { usize::from(u16::from_be_bytes(field)) }
}

/// Protocol numbers (IANA, "Assigned Internet Protocol Numbers").
pub(crate) mod protocol {
    pub(crate) const HOP_BY_HOP: u8 = 0;
    pub(crate) const ICMP: u8 = 1;
    pub(crate) const IGMP: u8 = 2;
    pub(crate) const IPV4: u8 = 4;
    pub(crate) const TCP: u8 = 6;
    pub(crate) const UDP: u8 = 17;
    pub(crate) const IPV6: u8 = 41;
    pub(crate) const ROUTING: u8 = 43;
    pub(crate) const FRAGMENT: u8 = 44;
    pub(crate) const GRE: u8 = 47;
    pub(crate) const ESP: u8 = 50;
    pub(crate) const AH: u8 = 51;
    pub(crate) const ICMPV6: u8 = 58;
    pub(crate) const NONE: u8 = 59;
    pub(crate) const DESTINATION: u8 = 60;
    pub(crate) const SCTP: u8 = 132;
    pub(crate) const MOBILITY: u8 = 135;
    pub(crate) const HIP: u8 = 139;
    pub(crate) const SHIM6: u8 = 140;
}
