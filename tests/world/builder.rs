//! Frames by hand: layers from the outside in, then [`Builder::build`] fills in lengths, kinds and checksums.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::checksum;
use crate::header::{Ipv4, Ipv6, Tcp};

/// One layer as the caller described it.
#[derive(Clone, Debug)]
enum Layer {
    Ethernet { source: [u8; 6], destination: [u8; 6], kind: Option<u16> },
    Tag { tpid: u16, tci: u16 },
    Mpls { label: u32, ttl: u8 },
    Pppoe { session: u16 },
    Arp(Vec<u8>),
    Ipv4(Ipv4),
    Ipv6(Ipv6),
    Extension { number: u8, body: Vec<u8> },
    Tcp(Tcp),
    Udp { source: u16, destination: u16 },
    Icmp4 { kind: u8, code: u8, rest: [u8; 4] },
    Icmp6 { kind: u8, code: u8, rest: [u8; 4] },
    Sctp { source: u16, destination: u16, tag: u32 },
    Gre { key: Option<u32> },
    Erspan2 { session: u16, sequence: u32 },
    Vxlan { vni: u32 },
    Geneve { vni: u32, options: Vec<u8> },
    Gtpu { teid: u32 },
    Raw { protocol: u8, bytes: Vec<u8> },
}

/// A frame in the making.
///
/// ```
/// use world::{Builder, Tcp, TcpFlags};
/// let syn = Builder::ethernet()
///     .vlan(7)
///     .ipv4([192, 0, 2, 1], [198, 51, 100, 2])
///     .tcp(Tcp::new(40_000, 80).flags(TcpFlags::SYN))
///     .build();
/// assert_eq!(syn.len(), 14 + 4 + 20 + 20);
/// ```
#[derive(Clone, Debug)]
pub struct Builder {
    layers: Vec<Layer>,
    payload: Vec<u8>,
}

impl Builder {
    /// Begins with Ethernet between two locally administered addresses.
    #[must_use]
    pub fn ethernet() -> Self {
        Self::ethernet_between([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
    }

    /// Begins with Ethernet between two addresses.
    #[must_use]
    pub fn ethernet_between(source: [u8; 6], destination: [u8; 6]) -> Self {
        Self::bare().with(Layer::Ethernet { source, destination, kind: None })
    }

    /// Begins with nothing: for raw IP link types and for what lies inside a tunnel.
    #[must_use]
    pub const fn bare() -> Self {
        Self { layers: Vec::new(), payload: Vec::new() }
    }

    fn with(mut self, layer: Layer) -> Self {
        self.layers.push(layer);
        self
    }

    /// Another Ethernet header, inside a tunnel.
    #[must_use]
    pub fn inner_ethernet(self) -> Self {
        self.with(Layer::Ethernet { source: [2, 0, 0, 0, 0, 3], destination: [2, 0, 0, 0, 0, 4], kind: None })
    }

    /// Sets the outermost Ethernet header's type, where it is not to follow from the next layer.
    #[must_use]
    pub fn ethertype(mut self, number: u16) -> Self {
        if let Some(Layer::Ethernet { kind, .. }) = self.layers.first_mut() {
            *kind = Some(number);
        }
        self
    }

    /// An 802.1Q tag.
    #[must_use]
    pub fn vlan(self, id: u16) -> Self {
        self.tag(0x8100, id)
    }

    /// A tag of any kind.
    #[must_use]
    pub fn tag(self, tpid: u16, tci: u16) -> Self {
        self.with(Layer::Tag { tpid, tci })
    }

    /// An MPLS label (RFC 3032); the last one before IP is marked bottom of stack.
    #[must_use]
    pub fn mpls(self, label: u32) -> Self {
        self.with(Layer::Mpls { label, ttl: 64 })
    }

    /// A PPPoE session header with its PPP protocol (RFC 2516).
    #[must_use]
    pub fn pppoe(self, session: u16) -> Self {
        self.with(Layer::Pppoe { session })
    }

    /// ARP for IPv4 over Ethernet (RFC 826): operation 1 asks, 2 answers.
    #[must_use]
    pub fn arp(
        self,
        operation: u16,
        sender: ([u8; 6], impl Into<Ipv4Addr>),
        target: ([u8; 6], impl Into<Ipv4Addr>),
    ) -> Self {
        let mut body = vec![0, 1, 8, 0, 6, 4];
        body.extend_from_slice(&operation.to_be_bytes());
        body.extend_from_slice(&sender.0);
        body.extend_from_slice(&sender.1.into().octets());
        body.extend_from_slice(&target.0);
        body.extend_from_slice(&target.1.into().octets());
        self.with(Layer::Arp(body))
    }

    /// A plain IPv4 header.
    #[must_use]
    pub fn ipv4(self, source: impl Into<Ipv4Addr>, destination: impl Into<Ipv4Addr>) -> Self {
        self.ipv4_header(Ipv4::new(source.into(), destination.into()))
    }

    /// An IPv4 header with every field given.
    #[must_use]
    pub fn ipv4_header(self, header: Ipv4) -> Self {
        self.with(Layer::Ipv4(header))
    }

    /// A plain IPv6 header.
    #[must_use]
    pub fn ipv6(self, source: impl Into<Ipv6Addr>, destination: impl Into<Ipv6Addr>) -> Self {
        self.ipv6_header(Ipv6::new(source.into(), destination.into()))
    }

    /// An IPv6 header with every field given.
    #[must_use]
    pub fn ipv6_header(self, header: Ipv6) -> Self {
        self.with(Layer::Ipv6(header))
    }

    /// Whichever plain IP header fits the two addresses.
    ///
    /// # Panics
    /// When one address is IPv4 and the other IPv6.
    #[must_use]
    pub fn ip(self, source: IpAddr, destination: IpAddr) -> Self {
        match (source, destination) {
            (IpAddr::V4(s), IpAddr::V4(d)) => self.ipv4(s, d),
            (IpAddr::V6(s), IpAddr::V6(d)) => self.ipv6(s, d),
            mixed => panic!("addresses of two families: {mixed:?}"),
        }
    }

    /// An IPv6 extension header (RFC 8200 section 4) of `number`; `body` is what follows its first two bytes and is
    /// padded to a multiple of eight.
    #[must_use]
    pub fn extension(self, number: u8, body: &[u8]) -> Self {
        self.with(Layer::Extension { number, body: body.to_vec() })
    }

    /// An IPv6 fragment header (RFC 8200 section 4.5); `offset` in units of eight bytes.
    #[must_use]
    pub fn ipv6_fragment(self, id: u32, offset: u16, more: bool) -> Self {
        let mut body = (offset << 3 | u16::from(more)).to_be_bytes().to_vec();
        body.extend_from_slice(&id.to_be_bytes());
        self.with(Layer::Extension { number: 44, body })
    }

    /// TCP.
    #[must_use]
    pub fn tcp(self, header: Tcp) -> Self {
        self.with(Layer::Tcp(header))
    }

    /// UDP.
    #[must_use]
    pub fn udp(self, source: u16, destination: u16) -> Self {
        self.with(Layer::Udp { source, destination })
    }

    /// ICMP (RFC 792) with the second four bytes of its header.
    #[must_use]
    pub fn icmp4(self, kind: u8, code: u8, rest: [u8; 4]) -> Self {
        self.with(Layer::Icmp4 { kind, code, rest })
    }

    /// ICMPv6 (RFC 4443) with the second four bytes of its header.
    #[must_use]
    pub fn icmp6(self, kind: u8, code: u8, rest: [u8; 4]) -> Self {
        self.with(Layer::Icmp6 { kind, code, rest })
    }

    /// SCTP's common header (RFC 9260 section 3.1); chunks are the payload.
    #[must_use]
    pub fn sctp(self, source: u16, destination: u16, tag: u32) -> Self {
        self.with(Layer::Sctp { source, destination, tag })
    }

    /// GRE (RFC 2784), with a key where given (RFC 2890).
    #[must_use]
    pub fn gre(self, key: Option<u32>) -> Self {
        self.with(Layer::Gre { key })
    }

    /// ERSPAN type II behind GRE with a sequence number; Ethernet comes next.
    #[must_use]
    pub fn erspan2(self, session: u16, sequence: u32) -> Self {
        self.with(Layer::Erspan2 { session, sequence })
    }

    /// VXLAN (RFC 7348 section 5); UDP to port 4789 comes before it, Ethernet next.
    #[must_use]
    pub fn vxlan(self, vni: u32) -> Self {
        self.with(Layer::Vxlan { vni })
    }

    /// GENEVE (RFC 8926 section 3.4); UDP to port 6081 comes before it.
    #[must_use]
    pub fn geneve(self, vni: u32, options: &[u8]) -> Self {
        self.with(Layer::Geneve { vni, options: options.to_vec() })
    }

    /// GTP-U G-PDU (3GPP TS 29.281 section 5.1); UDP to port 2152 comes before it, IP next.
    #[must_use]
    pub fn gtpu(self, teid: u32) -> Self {
        self.with(Layer::Gtpu { teid })
    }

    /// Any other IP protocol's header, bytes as they are.
    #[must_use]
    pub fn raw(self, protocol: u8, bytes: &[u8]) -> Self {
        self.with(Layer::Raw { protocol, bytes: bytes.to_vec() })
    }

    /// What the innermost layer carries.
    #[must_use]
    pub fn payload(mut self, bytes: &[u8]) -> Self {
        self.payload = bytes.to_vec();
        self
    }

    /// The frame.
    #[must_use]
    pub fn build(&self) -> Vec<u8> {
        let mut body = self.payload.clone();
        for at in (0..self.layers.len()).rev() {
            let mut whole = self.layers[at].emit(self.layers.get(at + 1), &body);
            let header = whole.len();
            whole.append(&mut body);
            self.layers[at].seal(&mut whole, header, self.addresses(at));
            body = whole;
        }
        body
    }

    /// Addresses of the IP header next outside layer `at`.
    fn addresses(&self, at: usize) -> Option<(IpAddr, IpAddr)> {
        self.layers[..at].iter().rev().find_map(|layer| match layer {
            Layer::Ipv4(ip) => Some((ip.source.into(), ip.destination.into())),
            Layer::Ipv6(ip) => Some((ip.source.into(), ip.destination.into())),
            _ => None,
        })
    }
}

impl Layer {
    /// Type of this layer as an Ethernet header names it.
    const fn ethertype(&self) -> u16 {
        match self {
            Self::Ethernet { .. } => 0x6558,
            Self::Tag { tpid, .. } => *tpid,
            Self::Mpls { .. } => 0x8847,
            Self::Pppoe { .. } => 0x8864,
            Self::Arp(_) => 0x0806,
            Self::Ipv4(_) => 0x0800,
            Self::Ipv6(_) => 0x86dd,
            Self::Erspan2 { .. } => 0x88be,
            _ => 0x88b5,
        }
    }

    /// Number of this layer as an IP header names it; 59 is "nothing follows", 253 is for experiments.
    const fn protocol(&self) -> u8 {
        match self {
            Self::Ipv4(_) => 4,
            Self::Ipv6(_) => 41,
            Self::Extension { number, .. } => *number,
            Self::Tcp(_) => 6,
            Self::Udp { .. } => 17,
            Self::Icmp4 { .. } => 1,
            Self::Icmp6 { .. } => 58,
            Self::Sctp { .. } => 132,
            Self::Gre { .. } => 47,
            Self::Mpls { .. } => 137,
            Self::Raw { protocol, .. } => *protocol,
            _ => 253,
        }
    }

    /// The header in front of `body`, with a zero transport checksum.
    fn emit(&self, next: Option<&Self>, body: &[u8]) -> Vec<u8> {
        let ethertype = next.map_or(0x88b5, Self::ethertype);
        let protocol = next.map_or(59, Self::protocol);
        match self {
            Self::Ethernet { source, destination, kind } => {
                let kind = kind.unwrap_or(ethertype).to_be_bytes();
                [&destination[..], &source[..], &kind[..]].concat()
            }
            Self::Tag { tci, .. } => [tci.to_be_bytes(), ethertype.to_be_bytes()].concat(),
            Self::Mpls { label, ttl } => {
                let bottom = u32::from(!matches!(next, Some(Self::Mpls { .. })));
                (label << 12 | bottom << 8 | u32::from(*ttl)).to_be_bytes().to_vec()
            }
            Self::Pppoe { session } => {
                let kind: u16 = if matches!(next, Some(Self::Ipv6(_))) { 0x57 } else { 0x21 };
                let len = (body.len() + 2) as u16;
                let words = [0x1100, *session, len, kind];
                words.iter().flat_map(|w| w.to_be_bytes()).collect()
            }
            Self::Arp(bytes) | Self::Raw { bytes, .. } => bytes.clone(),
            Self::Ipv4(ip) => ip.emit(next.map_or(253, |_| protocol), body.len()),
            Self::Ipv6(ip) => ip.emit(protocol, body.len()),
            Self::Extension { number, body } => extension(*number, protocol, body),
            Self::Tcp(tcp) => tcp.emit(),
            Self::Udp { source, destination } => {
                let words = [*source, *destination, (body.len() + 8) as u16, 0];
                words.iter().flat_map(|w| w.to_be_bytes()).collect()
            }
            Self::Icmp4 { kind, code, rest } | Self::Icmp6 { kind, code, rest } => {
                [&[*kind, *code, 0, 0][..], &rest[..]].concat()
            }
            Self::Sctp { source, destination, tag } => {
                let ports = u32::from(*source) << 16 | u32::from(*destination);
                [ports, *tag, 0].iter().flat_map(|w| w.to_be_bytes()).collect()
            }
            Self::Gre { key } => gre(*key, next, ethertype),
            Self::Erspan2 { session, .. } => {
                [0x1000, *session & 0x3ff, 0, 0].iter().flat_map(|w: &u16| w.to_be_bytes()).collect()
            }
            Self::Vxlan { vni } => {
                [0x0800_0000, vni << 8].iter().flat_map(|w: &u32| w.to_be_bytes()).collect()
            }
            Self::Geneve { vni, options } => {
                let mut options = options.clone();
                options.resize(options.len().next_multiple_of(4), 0);
                let first = ((options.len() / 4) as u32) << 24 | u32::from(ethertype);
                let mut bytes: Vec<u8> = [first, vni << 8].iter().flat_map(|w| w.to_be_bytes()).collect();
                bytes.append(&mut options);
                bytes
            }
            Self::Gtpu { teid } => {
                let first = 0x30ff_0000 | body.len() as u32 & 0xffff;
                [first, *teid].iter().flat_map(|w| w.to_be_bytes()).collect()
            }
        }
    }

    /// Puts the checksum into a layer whose header is the first `header` bytes of `whole`.
    fn seal(&self, whole: &mut [u8], header: usize, addresses: Option<(IpAddr, IpAddr)>) {
        let (protocol, at) = match self {
            Self::Tcp(_) => (6, 16),
            Self::Udp { .. } => (17, 6),
            Self::Icmp6 { .. } => (58, 2),
            Self::Icmp4 { .. } => {
                let sum = crate::internet(whole).to_be_bytes();
                whole[2..4].copy_from_slice(&sum);
                return;
            }
            Self::Sctp { .. } => {
                let sum = crate::crc32c(whole).to_le_bytes();
                whole[header - 4..header].copy_from_slice(&sum);
                return;
            }
            _ => return,
        };
        let Some((source, destination)) = addresses else { return };
        let sum = checksum::add(checksum::pseudo(source, destination, protocol, whole.len()), whole);
        let field = match checksum::fold(sum) {
            0 if protocol == 17 => 0xffff,
            other => other,
        };
        whole[at..at + 2].copy_from_slice(&field.to_be_bytes());
    }
}

/// An extension header; the fragment header has no length byte, the authentication header counts in fours (RFC 4302).
fn extension(number: u8, next: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![next, 0];
    bytes.extend_from_slice(body);
    match number {
        44 => bytes.resize(8, 0),
        51 => {
            bytes.resize(bytes.len().next_multiple_of(4).max(12), 0);
            bytes[1] = (bytes.len() / 4 - 2) as u8;
        }
        _ => {
            bytes.resize(bytes.len().next_multiple_of(8), 0);
            bytes[1] = (bytes.len() / 8 - 1) as u8;
        }
    }
    bytes
}

/// A GRE header; ERSPAN II wants a sequence number (draft-foschiano-erspan).
fn gre(key: Option<u32>, next: Option<&Layer>, ethertype: u16) -> Vec<u8> {
    let sequence = match next {
        Some(Layer::Erspan2 { sequence, .. }) => Some(*sequence),
        _ => None,
    };
    let flags = u16::from(key.is_some()) << 13 | u16::from(sequence.is_some()) << 12;
    let mut bytes = [flags.to_be_bytes(), ethertype.to_be_bytes()].concat();
    for word in [key, sequence].into_iter().flatten() {
        bytes.extend_from_slice(&word.to_be_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TcpFlags;

    #[test]
    fn a_known_frame_byte_by_byte() {
        let frame =
            Builder::ethernet().ipv4([192, 0, 2, 1], [192, 0, 2, 2]).udp(53, 1024).payload(b"hi").build();
        assert_eq!(&frame[12..16], [0x08, 0x00, 0x45, 0x00]);
        assert_eq!(&frame[16..18], [0, 30]);
        assert_eq!(crate::internet(&frame[14..34]), 0, "a sealed IPv4 header sums to zero");
        assert_eq!(&frame[38..40], [0, 10], "UDP length");
        // 0xc000+0x0201+0xc000+0x0202+0x11+0xa+0x35+0x400+0xa+0x6869, folded and inverted
        assert_eq!(&frame[40..42], 0x0f38u16.to_be_bytes());
    }

    #[test]
    fn transport_checksums_verify_in_both_families() {
        let one =
            Builder::bare().ipv4([192, 0, 2, 1], [192, 0, 2, 2]).tcp(Tcp::new(1, 2)).payload(b"odd").build();
        let sum = checksum::pseudo([192, 0, 2, 1].into(), [192, 0, 2, 2].into(), 6, one.len() - 20);
        assert_eq!(checksum::fold(checksum::add(sum, &one[20..])), 0);

        let (a, b) = ("2001:db8::1".parse::<Ipv6Addr>().unwrap(), "2001:db8::2".parse::<Ipv6Addr>().unwrap());
        let two =
            Builder::bare().ipv6(a, b).extension(60, &[1, 4, 0, 0, 0, 0]).udp(9, 9).payload(b"x").build();
        let sum = checksum::pseudo(a.into(), b.into(), 17, two.len() - 48);
        assert_eq!(checksum::fold(checksum::add(sum, &two[48..])), 0);
        assert_eq!((two[6], two[40], two[41]), (60, 17, 0), "header chain");
    }

    #[test]
    fn kinds_follow_from_the_next_layer() {
        let frame = Builder::ethernet()
            .tag(0x88a8, 5)
            .vlan(6)
            .ipv4([10, 0, 0, 1], [10, 0, 0, 2])
            .udp(50_000, 4789)
            .vxlan(0x1234)
            .inner_ethernet()
            .ipv4([10, 1, 0, 1], [10, 1, 0, 2])
            .gre(Some(9))
            .ipv6([0; 16], [1; 16])
            .tcp(Tcp::new(1, 2).flags(TcpFlags::SYN | TcpFlags::ACK))
            .build();
        assert_eq!(&frame[12..14], 0x88a8u16.to_be_bytes());
        assert_eq!(&frame[16..18], 0x8100u16.to_be_bytes());
        assert_eq!(&frame[20..22], 0x0800u16.to_be_bytes());
        let vxlan = 22 + 20 + 8;
        assert_eq!(&frame[vxlan..vxlan + 8], [8, 0, 0, 0, 0, 0x12, 0x34, 0]);
        let gre = vxlan + 8 + 14 + 20;
        assert_eq!(frame[gre - 20 + 9], 47);
        assert_eq!(&frame[gre..gre + 8], [0x20, 0, 0x86, 0xdd, 0, 0, 0, 9]);
        assert_eq!(frame[gre + 8 + 6], 6);
    }

    #[test]
    fn only_the_last_label_is_the_bottom() {
        let frame = Builder::ethernet().mpls(16).mpls(17).ipv4([10, 0, 0, 1], [10, 0, 0, 2]).build();
        assert_eq!(&frame[14..22], [0, 1, 0, 64, 0, 1, 0x11, 64]);
    }

    #[test]
    fn the_fragment_header_has_eight_bytes() {
        let frame =
            Builder::bare().ipv6([0; 16], [1; 16]).ipv6_fragment(7, 185, true).raw(17, b"rest").build();
        assert_eq!(&frame[40..48], [17, 0, 0x05, 0xc9, 0, 0, 0, 7]);
        assert_eq!(frame[6], 44);
    }
}
