//! Headers with every field open to the caller. Lengths and checksums are filled in when the frame is made.

use std::net::{Ipv4Addr, Ipv6Addr};

/// IPv4 header (RFC 791).
#[derive(Clone, Debug)]
pub struct Ipv4 {
    /// Source address.
    pub source: Ipv4Addr,
    /// Destination address.
    pub destination: Ipv4Addr,
    /// Type of service.
    pub tos: u8,
    /// Identification.
    pub id: u16,
    /// Don't fragment.
    pub dont_fragment: bool,
    /// More fragments follow.
    pub more_fragments: bool,
    /// Fragment offset in units of eight bytes.
    pub fragment_offset: u16,
    /// Time to live.
    pub ttl: u8,
    /// Options; padded with zeros to a multiple of four.
    pub options: Vec<u8>,
    /// Protocol, where it is not to follow from the next layer.
    pub protocol: Option<u8>,
}

impl Ipv4 {
    /// A plain header between two addresses.
    #[must_use]
    pub const fn new(source: Ipv4Addr, destination: Ipv4Addr) -> Self {
        Self {
            source,
            destination,
            tos: 0,
            id: 0,
            dont_fragment: true,
            more_fragments: false,
            fragment_offset: 0,
            ttl: 64,
            options: Vec::new(),
            protocol: None,
        }
    }

    /// The header in front of `len` bytes of `protocol`.
    pub(crate) fn emit(&self, protocol: u8, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; 20];
        bytes.extend_from_slice(&self.options);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        let flags = u16::from(self.dont_fragment) << 14 | u16::from(self.more_fragments) << 13;
        bytes[0] = 0x40 | (bytes.len() / 4) as u8;
        bytes[1] = self.tos;
        let total = (bytes.len() + len) as u16;
        bytes[2..4].copy_from_slice(&total.to_be_bytes());
        bytes[4..6].copy_from_slice(&self.id.to_be_bytes());
        bytes[6..8].copy_from_slice(&(flags | self.fragment_offset & 0x1fff).to_be_bytes());
        bytes[8] = self.ttl;
        bytes[9] = self.protocol.unwrap_or(protocol);
        bytes[12..16].copy_from_slice(&self.source.octets());
        bytes[16..20].copy_from_slice(&self.destination.octets());
        let sum = crate::internet(&bytes);
        bytes[10..12].copy_from_slice(&sum.to_be_bytes());
        bytes
    }
}

/// IPv6 header (RFC 8200 section 3).
#[derive(Clone, Debug)]
pub struct Ipv6 {
    /// Source address.
    pub source: Ipv6Addr,
    /// Destination address.
    pub destination: Ipv6Addr,
    /// Traffic class.
    pub class: u8,
    /// Flow label, 20 bits.
    pub label: u32,
    /// Hop limit.
    pub hop_limit: u8,
    /// Next header, where it is not to follow from the next layer.
    pub next: Option<u8>,
}

impl Ipv6 {
    /// A plain header between two addresses.
    #[must_use]
    pub const fn new(source: Ipv6Addr, destination: Ipv6Addr) -> Self {
        Self { source, destination, class: 0, label: 0, hop_limit: 64, next: None }
    }

    /// The header in front of `len` bytes of `next`.
    pub(crate) fn emit(&self, next: u8, len: usize) -> Vec<u8> {
        let first = 6 << 28 | u32::from(self.class) << 20 | self.label & 0xf_ffff;
        let mut bytes = first.to_be_bytes().to_vec();
        bytes.extend_from_slice(&(len as u16).to_be_bytes());
        bytes.push(self.next.unwrap_or(next));
        bytes.push(self.hop_limit);
        bytes.extend_from_slice(&self.source.octets());
        bytes.extend_from_slice(&self.destination.octets());
        bytes
    }
}

/// TCP flags (RFC 9293 section 3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpFlags(pub u8);

impl TcpFlags {
    /// No more data from the sender.
    pub const FIN: Self = Self(0x01);
    /// Synchronise sequence numbers.
    pub const SYN: Self = Self(0x02);
    /// Reset the connection.
    pub const RST: Self = Self(0x04);
    /// Push.
    pub const PSH: Self = Self(0x08);
    /// The acknowledgement is valid.
    pub const ACK: Self = Self(0x10);
    /// The urgent pointer is valid.
    pub const URG: Self = Self(0x20);
}

impl std::ops::BitOr for TcpFlags {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// TCP header (RFC 9293 section 3.1).
#[derive(Clone, Debug)]
pub struct Tcp {
    /// Source port.
    pub source: u16,
    /// Destination port.
    pub destination: u16,
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgement number.
    pub ack: u32,
    /// Flags.
    pub flags: TcpFlags,
    /// Window, unscaled.
    pub window: u16,
    /// Urgent pointer.
    pub urgent: u16,
    /// Options; padded with zeros to a multiple of four.
    pub options: Vec<u8>,
}

impl Tcp {
    /// An empty segment between two ports.
    #[must_use]
    pub const fn new(source: u16, destination: u16) -> Self {
        Self {
            source,
            destination,
            seq: 0,
            ack: 0,
            flags: TcpFlags::ACK,
            window: 65_535,
            urgent: 0,
            options: Vec::new(),
        }
    }

    /// With this sequence number.
    #[must_use]
    pub const fn seq(mut self, seq: u32) -> Self {
        self.seq = seq;
        self
    }

    /// With this acknowledgement number.
    #[must_use]
    pub const fn ack(mut self, ack: u32) -> Self {
        self.ack = ack;
        self
    }

    /// With exactly these flags.
    #[must_use]
    pub const fn flags(mut self, flags: TcpFlags) -> Self {
        self.flags = flags;
        self
    }

    /// With these options.
    #[must_use]
    pub fn options(mut self, options: &[u8]) -> Self {
        self.options = options.to_vec();
        self
    }

    /// The header with a zero checksum.
    pub(crate) fn emit(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(20 + self.options.len() + 3);
        bytes.extend_from_slice(&self.source.to_be_bytes());
        bytes.extend_from_slice(&self.destination.to_be_bytes());
        bytes.extend_from_slice(&self.seq.to_be_bytes());
        bytes.extend_from_slice(&self.ack.to_be_bytes());
        bytes.extend_from_slice(&[0, self.flags.0]);
        bytes.extend_from_slice(&self.window.to_be_bytes());
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(&self.urgent.to_be_bytes());
        bytes.extend_from_slice(&self.options);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes[12] = ((bytes.len() / 4) as u8) << 4;
        bytes
    }
}
