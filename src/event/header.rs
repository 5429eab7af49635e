//! What every event says of where and when it happened.

use std::net::IpAddr;

/// Source and destination port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// Source.
    pub src: u16,
    /// Destination.
    pub dst: u16,
}

/// The common part of an event. Names in backquotes are EVE's.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Header {
    /// `event_type`.
    pub event_type: &'static str,
    /// Packet time, nanoseconds since 1970.
    pub nanos: u64,
    /// `flow_id`.
    pub flow_id: Option<u64>,
    /// `pcap_cnt`: number of the packet, 0 for none.
    pub packet: u64,
    /// Index of the mirror the packet came from; the output knows the names.
    pub tap: u16,
    /// `vlan`: how many, and which.
    pub vlans: (u8, [u16; 3]),
    /// Virtual network, 0 for none.
    pub tenant: u32,
    /// `src_ip` and `dest_ip`.
    pub addresses: Option<(IpAddr, IpAddr)>,
    /// `src_port` and `dest_port`.
    pub ports: Option<Ports>,
    /// `proto`: IP protocol number.
    pub protocol: Option<u8>,
    /// `icmp_type` and `icmp_code`.
    pub icmp: Option<(u8, u8)>,
    /// `response_icmp_type` and `response_icmp_code`.
    pub icmp_response: Option<(u8, u8)>,
    /// `pkt_src`; empty for none.
    pub origin: &'static str,
    /// `community_id`, seedless hash bytes; formatted by the output.
    pub community: Option<[u8; 20]>,
    /// `tx_id`.
    pub tx: Option<u64>,
    /// `app_proto`; empty for none.
    pub app_proto: &'static str,
    /// `ether`: source and destination address.
    pub ether: Option<([u8; 6], [u8; 6])>,
}
