//! Packet types: what the device's parser says it saw.
//!
//! Both families share the table of the AVF specification's packet type chapter; the 700 series has 8 bits of it, the 800
//! series 10 and, with its COMMS package, more rows. A hint and no more: it depends on what the PF has loaded and on the
//! tunnel ports it knows.

/// A packet type as descriptors carry it. Open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ptype(pub u16);

/// What was recognised, from the outside in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Layers {
    /// What follows the Ethernet header where that is not IP.
    pub link: Link,
    /// Outermost IP header.
    pub outer: Option<Ip>,
    /// What lies between the outer header and the inner one.
    pub tunnel: Tunnel,
    /// Innermost IP header inside a tunnel.
    pub inner: Option<Ip>,
    /// Whether the innermost IP header is one of a fragment.
    pub fragment: bool,
    /// What follows the innermost IP header.
    pub transport: Transport,
}

/// What follows an Ethernet header that leads to no IP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Link {
    /// IP, or nothing that was recognised.
    #[default]
    Other,
    /// Time synchronisation (IEEE 1588 over Ethernet).
    TimeSync,
    /// LLDP.
    Lldp,
    /// ARP.
    Arp,
}

/// A version of IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ip {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// What wraps an inner packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tunnel {
    /// Nothing.
    #[default]
    None,
    /// IP in IP.
    Ip,
    /// GRE, Teredo or VXLAN that leads to IP, or to what was not parsed.
    Gre,
    /// GRE or VXLAN with an Ethernet header.
    GreMac,
    /// GRE or VXLAN with an Ethernet header and a VLAN tag.
    GreMacVlan,
}

/// What follows the innermost IP header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Transport {
    /// None, or one that was not recognised.
    #[default]
    Other,
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// SCTP.
    Sctp,
    /// ICMP or ICMPv6.
    Icmp,
}

/// Where the rows of IPv4 begin, and how many there are; those of IPv6 follow.
const IPV4: u16 = 22;
const IPV6: u16 = 88;
const IP_ROWS: u16 = 66;

/// The rows below one IP header: where they begin, counted from its first, and what they stand for. Rows of an inner
/// header come in sevens; a tunnel whose payload was not parsed is a row of its own.
const BLOCKS: [(u16, Tunnel, Option<Ip>); 12] = [
    (0, Tunnel::None, None),
    (7, Tunnel::Ip, Some(Ip::V4)),
    (14, Tunnel::Ip, Some(Ip::V6)),
    (21, Tunnel::Gre, None),
    (22, Tunnel::Gre, Some(Ip::V4)),
    (29, Tunnel::Gre, Some(Ip::V6)),
    (36, Tunnel::GreMac, None),
    (37, Tunnel::GreMac, Some(Ip::V4)),
    (44, Tunnel::GreMac, Some(Ip::V6)),
    (51, Tunnel::GreMacVlan, None),
    (52, Tunnel::GreMacVlan, Some(Ip::V4)),
    (59, Tunnel::GreMacVlan, Some(Ip::V6)),
];

/// The seven rows of an IP header: fragment, no more than IP, UDP, reserved, TCP, SCTP, ICMP.
const SLOTS: [Option<(bool, Transport)>; 7] = [
    Some((true, Transport::Other)),
    Some((false, Transport::Other)),
    Some((false, Transport::Udp)),
    None,
    Some((false, Transport::Tcp)),
    Some((false, Transport::Sctp)),
    Some((false, Transport::Icmp)),
];

impl Ptype {
    /// Nothing was recognised.
    pub const UNKNOWN: Self = Self(0);
    /// Ethernet and no more.
    pub const ETHERNET: Self = Self(1);
    /// Time synchronisation.
    pub const TIME_SYNC: Self = Self(2);
    /// LLDP.
    pub const LLDP: Self = Self(6);
    /// ARP.
    pub const ARP: Self = Self(11);
    /// 700 series: the parser gave up.
    pub const ABORTED: Self = Self(255);

    /// What it stands for; `None` for what the table of both families does not hold.
    #[must_use]
    pub fn layers(self) -> Option<Layers> {
        let link = |link| Some(Layers { link, ..Layers::default() });
        match self {
            Self::ETHERNET => link(Link::Other),
            Self::TIME_SYNC => link(Link::TimeSync),
            Self::LLDP => link(Link::Lldp),
            Self::ARP => link(Link::Arp),
            Self(row @ IPV4..IPV6) => below_ip(Ip::V4, row - IPV4),
            Self(row) if (IPV6..IPV6 + IP_ROWS).contains(&row) => below_ip(Ip::V6, row - IPV6),
            _ => None,
        }
    }

    /// The row for what a parser has recognised: the inverse of [`layers`](Self::layers). Combinations without a row
    /// of their own get the nearest row that says less.
    #[must_use]
    pub fn of(layers: &Layers) -> Self {
        let base = match layers.outer {
            Some(Ip::V4) => IPV4,
            Some(Ip::V6) => IPV6,
            None => return Self::of_link(layers.link),
        };
        let inner = if layers.tunnel == Tunnel::None { None } else { layers.inner };
        let block = BLOCKS.iter().find(|(_, tunnel, ip)| *tunnel == layers.tunnel && *ip == inner);
        // the one tunnel without a row for an unparsed payload: an IP header that leads to nothing known
        let Some((start, tunnel, _)) = block else { return Self(base + 1) };
        let is_row = *tunnel != Tunnel::None && inner.is_none();
        Self(base + start + if is_row { 0 } else { slot(layers) })
    }

    const fn of_link(link: Link) -> Self {
        match link {
            Link::Other => Self::ETHERNET,
            Link::TimeSync => Self::TIME_SYNC,
            Link::Lldp => Self::LLDP,
            Link::Arp => Self::ARP,
        }
    }
}

/// What a row below an IP header stands for.
fn below_ip(outer: Ip, row: u16) -> Option<Layers> {
    let (start, tunnel, inner) = BLOCKS.into_iter().rev().find(|(start, ..)| *start <= row)?;
    let mut layers = Layers { outer: Some(outer), tunnel, inner, ..Layers::default() };
    if tunnel == Tunnel::None || inner.is_some() {
        let slot = SLOTS.get(usize::from(row - start)).copied().flatten()?;
        (layers.fragment, layers.transport) = slot;
    }
    Some(layers)
}

/// The place of a header among its seven rows. Fragments show no transport.
const fn slot(layers: &Layers) -> u16 {
    if layers.fragment {
        return 0;
    }
    match layers.transport {
        Transport::Other => 1,
        Transport::Udp => 2,
        Transport::Tcp => 4,
        Transport::Sctp => 5,
        Transport::Icmp => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_layers_are_inverse() {
        let known: Vec<u16> = (0..1024).filter(|row| Ptype(*row).layers().is_some()).collect();
        // four of the link, and of each IP header nine blocks of six and three single rows
        assert_eq!(known.len(), 4 + 2 * (9 * 6 + 3));
        for row in known {
            let layers = Ptype(row).layers().unwrap();
            assert_eq!(Ptype::of(&layers), Ptype(row), "{layers:?}");
        }
    }

    #[test]
    fn rows_are_those_of_the_table() {
        let plain =
            |ip, fragment, transport| Layers { outer: Some(ip), fragment, transport, ..Layers::default() };
        let tunnelled = |outer, tunnel, inner, transport| Layers {
            outer: Some(outer),
            tunnel,
            inner: Some(inner),
            transport,
            ..Layers::default()
        };
        let cases = [
            (22, plain(Ip::V4, true, Transport::Other)),
            (24, plain(Ip::V4, false, Transport::Udp)),
            (26, plain(Ip::V4, false, Transport::Tcp)),
            (28, plain(Ip::V4, false, Transport::Icmp)),
            (88, plain(Ip::V6, true, Transport::Other)),
            (93, plain(Ip::V6, false, Transport::Sctp)),
            (33, tunnelled(Ip::V4, Tunnel::Ip, Ip::V4, Transport::Tcp)),
            (38, tunnelled(Ip::V4, Tunnel::Ip, Ip::V6, Transport::Udp)),
            (63, tunnelled(Ip::V4, Tunnel::GreMac, Ip::V4, Transport::Tcp)),
            (87, tunnelled(Ip::V4, Tunnel::GreMacVlan, Ip::V6, Transport::Icmp)),
            (99, tunnelled(Ip::V6, Tunnel::Ip, Ip::V4, Transport::Tcp)),
            (112, tunnelled(Ip::V6, Tunnel::Gre, Ip::V4, Transport::Udp)),
            (153, tunnelled(Ip::V6, Tunnel::GreMacVlan, Ip::V6, Transport::Icmp)),
        ];
        for (row, layers) in cases {
            assert_eq!(Ptype(row).layers(), Some(layers), "{row}");
        }
        let unparsed = Ptype(43).layers().unwrap();
        assert_eq!((unparsed.tunnel, unparsed.inner), (Tunnel::Gre, None));
    }

    #[test]
    fn what_has_no_row_gets_one_that_says_less() {
        let tcp_fragment =
            Layers { outer: Some(Ip::V4), fragment: true, transport: Transport::Tcp, ..Layers::default() };
        assert_eq!(Ptype::of(&tcp_fragment), Ptype(22));
        let nothing_inside = Layers { outer: Some(Ip::V4), tunnel: Tunnel::Ip, ..Layers::default() };
        assert_eq!(Ptype::of(&nothing_inside), Ptype(23));
        for row in [0, 3, 25, 91, 154, 255, 300, 1023] {
            assert_eq!(Ptype(row).layers(), None, "{row}");
        }
    }
}
