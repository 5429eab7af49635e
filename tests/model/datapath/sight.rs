//! What the device's parser sees in a frame: layers, the tuple that is hashed, and whether checksums are right.
//!
//! One tunnel deep, as the table of packet types is (AVF specification, packet types; reference section 5.5).

use avf::ptype::{Ip, Layers, Link, Transport, Tunnel};
use avf::rx::{Cast, Checks};
use avf::virtchnl::HeaderKind;
use etherparse::{
    Ethernet2HeaderSlice, IpNumber, Ipv4HeaderSlice, Ipv6ExtensionSlice, Ipv6ExtensionsSlice,
    Ipv6HeaderSlice, SingleVlanHeaderSlice, TcpHeaderSlice, UdpHeaderSlice, ether_type, ip_number,
};

use super::stack::Stack;
use super::sums;

/// Ethernet type of time synchronisation (IEEE 1588, annex E).
const TIME_SYNC: u16 = 0x88F7;
/// Ethernet type of LLDP (IEEE 802.1AB).
const LLDP: u16 = 0x88CC;
/// Ethernet type of an outer tag (IEEE 802.1ad).
const SERVICE_TAG: u16 = 0x88A8;
/// Ethernet type of a tag (IEEE 802.1Q).
const TAG: u16 = 0x8100;
/// GRE protocol of Ethernet (RFC 7637).
const ETHERNET_IN_GRE: u16 = 0x6558;
/// Bytes of a VXLAN header (RFC 7348), and of a GENEVE header without options (RFC 8926).
const VXLAN: usize = 8;
const GENEVE: usize = 8;
/// Tags that the parser skips.
const TAGS: usize = 2;

/// Ethernet type and TCI of tags, outside in.
pub(crate) type Tags = [Option<(u16, u16)>; TAGS];

/// What was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sight {
    /// How the frame was addressed.
    pub(crate) cast: Cast,
    /// The outermost tags.
    pub(crate) tags: Tags,
    /// Ethernet type behind the tags.
    pub(crate) kind: u16,
    /// What it consists of.
    pub(crate) layers: Layers,
    /// Its checksums.
    pub(crate) checks: Checks,
    /// Outermost IP header and its ports.
    pub(crate) outer: Option<Tuple>,
    /// IP header inside a tunnel, and its ports.
    pub(crate) inner: Option<Tuple>,
    /// Its headers, one by one.
    pub(crate) stack: Stack,
}

/// What of a packet can be hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tuple {
    /// Version of IP.
    pub(crate) ip: Ip,
    /// What follows.
    pub(crate) transport: Transport,
    /// Whether it is one of several fragments.
    pub(crate) fragment: bool,
    /// Whether it is a TCP segment with SYN and without ACK.
    pub(crate) opens: bool,
    /// Whether the destination is a group.
    pub(crate) group: bool,
    /// Source and destination address, then the ports, in the order of the wire.
    bytes: [u8; 36],
}

impl Tuple {
    /// Both addresses.
    pub(crate) fn addresses(&self) -> &[u8] {
        self.bytes.get(..self.reach()).unwrap_or_default()
    }

    /// Both addresses and both ports.
    pub(crate) fn with_ports(&self) -> &[u8] {
        self.bytes.get(..self.reach() + 4).unwrap_or_default()
    }

    /// Addresses and ports with each half replaced by the exclusive or of both, as the 800 series hashes symmetrically.
    pub(crate) fn folded(&self) -> [u8; 36] {
        let mut folded = [0; 36];
        let (addresses, ports) = (self.addresses(), self.bytes.get(self.reach()..).unwrap_or_default());
        let halves = [addresses, ports.get(..4).unwrap_or_default()].into_iter().flat_map(|pair| {
            let (source, destination) = pair.split_at(pair.len() / 2);
            let half = move || source.iter().zip(destination).map(|(a, b)| a ^ b);
            half().chain(half())
        });
        folded.iter_mut().zip(halves).for_each(|(to, from)| *to = from);
        folded
    }

    fn reach(&self) -> usize {
        match self.ip {
            Ip::V4 => 8,
            Ip::V6 => 32,
        }
    }

    fn of(ip: Ip, addresses: &[u8], group: bool) -> Self {
        let mut bytes = [0; 36];
        bytes.iter_mut().zip(addresses).for_each(|(to, from)| *to = *from);
        Self { ip, transport: Transport::Other, fragment: false, opens: false, group, bytes }
    }

    fn set_ports(&mut self, segment: &[u8]) {
        let at = self.reach();
        self.bytes.iter_mut().skip(at).zip(segment).take(4).for_each(|(to, from)| *to = *from);
    }
}

/// UDP ports that the PF has registered for tunnels.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ports<'a> {
    /// VXLAN.
    pub(crate) vxlan: &'a [u16],
    /// GENEVE.
    pub(crate) geneve: &'a [u16],
}

/// Looks at a frame.
pub(crate) fn look(frame: &[u8], ports: Ports<'_>) -> Sight {
    let mut walk = Walk { ports, frame, sight: Sight::default() };
    walk.ethernet(frame);
    walk.sight
}

/// How a destination address addresses.
pub(crate) fn cast(destination: [u8; 6]) -> Cast {
    match destination {
        [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF] => Cast::Broadcast,
        [first, ..] if first & 1 == 1 => Cast::Multicast,
        _ => Cast::Unicast,
    }
}

struct Walk<'a> {
    ports: Ports<'a>,
    frame: &'a [u8],
    sight: Sight,
}

impl Walk<'_> {
    /// A header begins here. Every slice of the walk is one of its frame.
    fn found(&mut self, kind: HeaderKind, bytes: &[u8]) {
        let at = bytes.as_ptr().addr().wrapping_sub(self.frame.as_ptr().addr());
        self.sight.stack.push(kind, at);
    }

    /// An Ethernet header and its tags.
    fn link(&mut self, frame: &[u8], tags: &Tags) {
        self.found(HeaderKind::ETH, frame);
        let several = tags.iter().flatten().count() > 1;
        for at in 0..tags.iter().flatten().count() {
            let kind = if several && at == 0 { HeaderKind::S_VLAN } else { HeaderKind::C_VLAN };
            self.found(kind, rest(frame, 14 + 4 * at));
        }
    }

    fn ethernet(&mut self, frame: &[u8]) {
        let Ok(header) = Ethernet2HeaderSlice::from_slice(frame) else { return };
        self.sight.cast = cast(header.destination());
        let (kind, payload, tags) = untag(header.ether_type().0, rest(frame, 14));
        self.link(frame, &tags);
        self.sight.tags = tags;
        self.sight.kind = kind;
        self.sight.layers.link = match kind {
            TIME_SYNC => Link::TimeSync,
            LLDP => Link::Lldp,
            k if k == ether_type::ARP.0 => Link::Arp,
            _ => Link::Other,
        };
        self.network(kind, payload);
    }

    fn network(&mut self, kind: u16, bytes: &[u8]) {
        match kind {
            k if k == ether_type::IPV4.0 => self.ipv4(bytes),
            k if k == ether_type::IPV6.0 => self.ipv6(bytes),
            _ => {}
        }
    }

    fn ipv4(&mut self, bytes: &[u8]) {
        let Ok(header) = Ipv4HeaderSlice::from_slice(bytes) else { return };
        let length = header.slice().len();
        let fragment = header.is_fragmenting_payload();
        let addresses = bytes.get(12..20).unwrap_or_default();
        let group = header.destination_addr().is_multicast();
        self.enter(Tuple { fragment, ..Tuple::of(Ip::V4, addresses, group) });
        self.found(HeaderKind::IPV4, bytes);
        if fragment {
            self.found(HeaderKind::IPV4_FRAG, bytes);
        }
        let Some(payload) = bytes.get(length..usize::from(header.total_len())) else { return };
        self.sight.checks.evaluated = true;
        self.sight.checks.ip_bad = sums::of_header(header.slice()) != 0;
        if !fragment {
            self.transport(header.protocol(), payload, addresses);
        }
    }

    fn ipv6(&mut self, bytes: &[u8]) {
        let Ok(header) = Ipv6HeaderSlice::from_slice(bytes) else { return };
        let addresses = bytes.get(8..40).unwrap_or_default();
        self.enter(Tuple::of(Ip::V6, addresses, header.destination_addr().is_multicast()));
        self.found(HeaderKind::IPV6, bytes);
        let end = 40 + usize::from(header.payload_length());
        let Some(payload) = bytes.get(40..end) else { return };
        let (extensions, protocol, payload, error) =
            Ipv6ExtensionsSlice::from_slice_lax(header.next_header(), payload);
        self.sight.checks.ipv6_extension |= extensions.clone().into_iter().any(|extension| {
            matches!(extension, Ipv6ExtensionSlice::Routing(_) | Ipv6ExtensionSlice::DestinationOptions(_))
        });
        if extensions.is_fragmenting_payload() {
            self.tuple().iter_mut().for_each(|tuple| tuple.fragment = true);
            self.sight.layers.fragment = true;
            self.found(HeaderKind::IPV6_EH_FRAG, bytes);
        } else if error.is_none() {
            self.transport(protocol, payload, addresses);
        }
    }

    /// Begins an IP header: the outer one, or that inside of a tunnel.
    fn enter(&mut self, tuple: Tuple) {
        let layers = &mut self.sight.layers;
        layers.fragment = tuple.fragment;
        if layers.tunnel == Tunnel::None {
            layers.outer = Some(tuple.ip);
            self.sight.outer = Some(tuple);
        } else {
            layers.inner = Some(tuple.ip);
            self.sight.inner = Some(tuple);
        }
    }

    /// The tuple of the header that the walk is in.
    fn tuple(&mut self) -> &mut Option<Tuple> {
        if self.sight.layers.tunnel == Tunnel::None { &mut self.sight.outer } else { &mut self.sight.inner }
    }

    fn transport(&mut self, protocol: IpNumber, segment: &[u8], addresses: &[u8]) {
        let kind = match protocol {
            ip_number::TCP => Transport::Tcp,
            ip_number::UDP => Transport::Udp,
            ip_number::SCTP => Transport::Sctp,
            ip_number::ICMP | ip_number::IPV6_ICMP => Transport::Icmp,
            _ => return self.tunnel(protocol, segment),
        };
        self.sight.layers.transport = kind;
        let header = match kind {
            Transport::Tcp => HeaderKind::TCP,
            Transport::Udp => HeaderKind::UDP,
            Transport::Sctp => HeaderKind::SCTP,
            Transport::Icmp | Transport::Other => HeaderKind::NONE,
        };
        if header != HeaderKind::NONE {
            self.found(header, segment);
        }
        let opens = kind == Transport::Tcp
            && TcpHeaderSlice::from_slice(segment).is_ok_and(|tcp| tcp.syn() && !tcp.ack());
        if let Some(tuple) = self.tuple() {
            tuple.transport = kind;
            tuple.opens = opens;
            tuple.set_ports(segment);
        }
        self.verify(kind, protocol.0, segment, addresses);
        if kind == Transport::Udp {
            self.over_udp(segment);
        }
    }

    fn verify(&mut self, kind: Transport, protocol: u8, segment: &[u8], addresses: &[u8]) {
        let right = match kind {
            Transport::Tcp if segment.len() >= 20 => checked(protocol, segment, addresses),
            Transport::Udp => match UdpHeaderSlice::from_slice(segment) {
                // a zero field is no checksum (RFC 768)
                Ok(udp) if udp.checksum() == 0 => return,
                Ok(udp) => segment
                    .get(..usize::from(udp.length()))
                    .is_some_and(|datagram| checked(protocol, datagram, addresses)),
                Err(_) => return,
            },
            Transport::Sctp if segment.len() >= 12 => {
                segment.get(8..12).is_some_and(|field| field == sums::of_sctp(segment))
            }
            _ => return,
        };
        self.sight.checks.evaluated = true;
        self.sight.checks.transport_bad = !right && !self.sight.checks.ipv6_extension;
    }

    fn tunnel(&mut self, protocol: IpNumber, bytes: &[u8]) {
        if self.sight.layers.tunnel != Tunnel::None {
            return;
        }
        match protocol {
            ip_number::IPV4 => self.inside(Tunnel::Ip, ether_type::IPV4.0, bytes),
            ip_number::IPV6 => self.inside(Tunnel::Ip, ether_type::IPV6.0, bytes),
            ip_number::GRE => self.gre(bytes),
            _ => {}
        }
    }

    /// GRE, version 0 (RFC 2784, RFC 2890).
    fn gre(&mut self, bytes: &[u8]) {
        let [flags, version, high, low, ..] = *bytes else { return };
        if version & 7 != 0 {
            return;
        }
        let optional = [0x80, 0x20, 0x10].into_iter().filter(|bit| flags & bit != 0).count();
        let payload = rest(bytes, 4 + 4 * optional);
        self.found(HeaderKind::GRE, bytes);
        match u16::from_be_bytes([high, low]) {
            ETHERNET_IN_GRE => self.inside_ethernet(payload),
            kind => self.inside(Tunnel::Gre, kind, payload),
        }
    }

    /// VXLAN (RFC 7348) and GENEVE (RFC 8926), told by their ports.
    fn over_udp(&mut self, datagram: &[u8]) {
        let Ok(header) = UdpHeaderSlice::from_slice(datagram) else { return };
        if self.sight.layers.tunnel != Tunnel::None {
            return;
        }
        let (port, bytes) = (header.destination_port(), rest(datagram, 8));
        if self.ports.vxlan.contains(&port) {
            self.inside_ethernet(rest(bytes, VXLAN));
        } else if self.ports.geneve.contains(&port) {
            let [first, _, high, low, ..] = *bytes else { return };
            let payload = rest(bytes, GENEVE + 4 * usize::from(first & 0x3F));
            match u16::from_be_bytes([high, low]) {
                ETHERNET_IN_GRE => self.inside_ethernet(payload),
                kind => self.inside(Tunnel::Gre, kind, payload),
            }
        }
    }

    fn inside_ethernet(&mut self, frame: &[u8]) {
        let Ok(header) = Ethernet2HeaderSlice::from_slice(frame) else { return };
        let (kind, payload, tags) = untag(header.ether_type().0, rest(frame, 14));
        let tunnel = if tags.iter().any(Option::is_some) { Tunnel::GreMacVlan } else { Tunnel::GreMac };
        self.sight.stack.enter();
        self.link(frame, &tags);
        self.inside(tunnel, kind, payload);
    }

    /// What was said of the headers so far is said of the outer ones from here on.
    fn inside(&mut self, tunnel: Tunnel, kind: u16, bytes: &[u8]) {
        let checks = &mut self.sight.checks;
        checks.outer_ip_bad = std::mem::take(&mut checks.ip_bad);
        checks.outer_udp_bad = std::mem::take(&mut checks.transport_bad);
        self.sight.stack.enter();
        self.sight.layers.tunnel = tunnel;
        self.sight.layers.transport = Transport::Other;
        self.network(kind, bytes);
    }
}

fn checked(protocol: u8, segment: &[u8], addresses: &[u8]) -> bool {
    sums::of_segment(sums::pseudo(addresses, protocol, segment.len()), segment) == 0
}

/// Skips tags: the Ethernet type behind them, what follows it, and the tags.
fn untag(mut kind: u16, mut bytes: &[u8]) -> (u16, &[u8], Tags) {
    let mut tags = [None; TAGS];
    for tag in &mut tags {
        let header = matches!(kind, TAG | SERVICE_TAG).then(|| SingleVlanHeaderSlice::from_slice(bytes).ok());
        let (Some(Some(header)), Some([high, low])) = (header, bytes.first_chunk()) else { break };
        *tag = Some((kind, u16::from_be_bytes([*high, *low])));
        kind = header.ether_type().0;
        bytes = rest(bytes, 4);
    }
    (kind, bytes, tags)
}

fn rest(bytes: &[u8], at: usize) -> &[u8] {
    bytes.get(at..).unwrap_or_default()
}
