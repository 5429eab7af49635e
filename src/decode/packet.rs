//! What decoding gives: layers as offsets and facts, never as pointers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU8;

/// Where a packet's bytes stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// In the captured frame.
    #[default]
    Frame,
    /// In the decoder's own memory, reassembled from fragments: the first, the second. Valid until the next frame is
    /// decoded.
    Reassembled(NonZeroU8),
}

/// How a packet came to be (EVE's `pkt_src`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// As captured.
    #[default]
    Wire,
    /// Put together from fragments.
    Defragmented,
    /// Inside GRE (RFC 2784, 2890).
    Gre,
    /// Inside ERSPAN, type I, II or III.
    Erspan,
    /// IP of either version inside IPv4 (RFC 2003, 4213).
    IpIp4,
    /// IP of either version inside IPv6 (RFC 2473).
    IpIp6,
    /// IPv6 inside UDP (RFC 4380).
    Teredo,
    /// Inside VXLAN (RFC 7348).
    Vxlan,
    /// Inside GENEVE (RFC 8926).
    Geneve,
    /// Inside GTP-U (3GPP TS 29.281).
    Gtp,
}

impl Origin {
    /// The text that EVE prints.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wire => "wire/pcap",
            Self::Defragmented => "defrag",
            Self::Gre | Self::Erspan => "gre tunnel",
            Self::IpIp4 => "ipv4 tunnel",
            Self::IpIp6 => "ipv6 tunnel",
            Self::Teredo => "teredo tunnel",
            Self::Vxlan => "vxlan encapsulation",
            Self::Geneve => "geneve encapsulation",
            Self::Gtp => "gtp tunnel",
        }
    }
}

/// VLAN ids, outermost first; at most three are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Vlans {
    /// The ids; the first `count` are meant.
    pub ids: [u16; 3],
    /// How many there are.
    pub count: u8,
}

impl Vlans {
    /// The ids that are there.
    #[must_use]
    pub fn as_slice(&self) -> &[u16] {
        self.ids.get(..usize::from(self.count)).unwrap_or_default()
    }
}

/// Ethernet addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ether {
    /// Source.
    pub src: [u8; 6],
    /// Destination.
    pub dst: [u8; 6],
}

/// An IP address in 16 bytes, IPv4 mapped (`::ffff:a.b.c.d`): one form to hash and to compare.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(pub [u8; 16]);

impl Address {
    /// From four bytes.
    #[must_use]
    pub const fn v4(b: [u8; 4]) -> Self {
        // One number, so that it is stored in two pieces of eight bytes: it is read so, and a read that spans smaller stores
        // waits for them.
        Self((0xffff_0000_0000 | u32::from_be_bytes(b) as u128).to_be_bytes())
    }

    /// As the standard library's type; mapped IPv4 becomes IPv4 again when `version` is 4.
    #[must_use]
    pub fn to_ip(self, version: u8) -> IpAddr {
        let [.., a, b, c, d] = self.0;
        if version == 4 { Ipv4Addr::new(a, b, c, d).into() } else { Ipv6Addr::from(self.0).into() }
    }
}

/// The IP header, as far as the walk needs it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ip {
    /// 4 or 6.
    pub version: u8,
    /// Transport protocol, behind every extension header.
    pub protocol: u8,
    /// Time to live or hop limit.
    pub ttl: u8,
    /// Type of service or traffic class.
    pub tos: u8,
    /// Source.
    pub src: Address,
    /// Destination.
    pub dst: Address,
    /// Where the header starts in the packet's bytes.
    pub offset: u32,
    /// A fragment, shown for its header and events. It has no transport: its bytes come with the reassembled packet,
    /// which is one of its own and no fragment.
    pub fragment: bool,
}

/// TCP flags, low byte of the field plus nothing else.
pub mod tcp_flags {
    /// No more data from the sender.
    pub const FIN: u8 = 0x01;
    /// Synchronise.
    pub const SYN: u8 = 0x02;
    /// Reset.
    pub const RST: u8 = 0x04;
    /// Push.
    pub const PSH: u8 = 0x08;
    /// Acknowledgment is meant.
    pub const ACK: u8 = 0x10;
    /// Urgent pointer is meant.
    pub const URG: u8 = 0x20;
    /// ECN echo.
    pub const ECE: u8 = 0x40;
    /// Congestion window reduced.
    pub const CWR: u8 = 0x80;
}

/// A TCP header (RFC 9293).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tcp {
    /// Source port.
    pub src_port: u16,
    /// Destination port.
    pub dst_port: u16,
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgment number.
    pub ack: u32,
    /// See [`tcp_flags`].
    pub flags: u8,
    /// Window, unscaled.
    pub window: u16,
    /// Urgent pointer.
    pub urgent: u16,
    /// Maximum segment size option.
    pub mss: Option<u16>,
    /// Window scale option.
    pub wscale: Option<u8>,
    /// Selective acknowledgment permitted.
    pub sack_permitted: bool,
    /// Timestamp option: value, echo.
    pub timestamp: Option<(u32, u32)>,
    /// MD5 or AO signature option present (RFC 2385, 5925).
    pub signed: bool,
    /// Fast-open cookie option present (RFC 7413).
    pub fast_open: bool,
}

/// The flow that an ICMP error message speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Embedded {
    /// Its source.
    pub src: Address,
    /// Its destination.
    pub dst: Address,
    /// Its transport protocol.
    pub protocol: u8,
    /// Its source port, 0 when there is none.
    pub src_port: u16,
    /// Its destination port.
    pub dst_port: u16,
}

/// What stands above the network layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transport {
    /// Nothing that we read; the protocol number is in [`Ip`].
    #[default]
    None,
    /// TCP.
    Tcp(Tcp),
    /// UDP: source and destination port.
    Udp(u16, u16),
    /// SCTP: source and destination port.
    Sctp(u16, u16),
    /// ICMP for IPv4 or IPv6.
    Icmp {
        /// Message type.
        kind: u8,
        /// Message code.
        code: u8,
        /// Identifier and sequence of echo messages.
        echo: Option<(u16, u16)>,
        /// What an error message speaks of.
        about: Option<Embedded>,
    },
    /// IPsec (RFC 4303): security parameters index.
    Esp(u32),
    /// GRE, seen as a flow of its own.
    Gre,
}

/// ARP (RFC 826), for hardware type Ethernet and protocol IPv4.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arp {
    /// Operation.
    pub operation: u16,
    /// Sender hardware address.
    pub sender_mac: [u8; 6],
    /// Sender protocol address.
    pub sender_ip: [u8; 4],
    /// Target hardware address.
    pub target_mac: [u8; 6],
    /// Target protocol address.
    pub target_ip: [u8; 4],
}

/// What the network layer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Network {
    /// Something that has no flows (spanning tree, LLDP, ...), by ethertype or LLC; counted.
    #[default]
    Other,
    /// ARP.
    Arp(Arp),
    /// IPv4 or IPv6.
    Ip(Ip),
}

/// One packet: the captured one, one found inside a tunnel, or one put together from fragments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Packet {
    /// Whose bytes the offsets count in.
    pub source: Source,
    /// How it came to be.
    pub origin: Origin,
    /// How many tunnels it is in.
    pub depth: u8,
    /// Ethernet addresses, if there is such a header.
    pub ether: Option<Ether>,
    /// VLAN ids of this layer (an inner packet without its own keeps the outer ones out of its key).
    pub vlans: Vlans,
    /// Virtual network: VNI, TEID owner, session; 0 for none. Part of the flow key.
    pub tenant: u32,
    /// Network layer.
    pub network: Network,
    /// Transport layer.
    pub transport: Transport,
    /// Transport payload: first byte, in the bytes of `source`.
    pub payload: u32,
    /// Its length, as captured, without link-layer padding.
    pub payload_len: u32,
    /// How many bytes of it the headers promise but the capture lacks.
    pub missing: u32,
    /// Length that counters use: the frame for the outermost packet, from the IP header on for inner ones.
    pub length: u32,
    /// A checksum was verified and is wrong.
    pub bad_checksum: bool,
    /// It came by a mirror, whose wrapping was taken off.
    pub mirrored: bool,
    /// The capture lacks the end of the transport header.
    pub header_cut: bool,
}
