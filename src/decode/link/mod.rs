//! Link layers: from the first byte of a frame to an ethertype.

mod ether;
mod mpls;
mod ppp;
mod service;
mod wifi;

use frame::LinkType;

use crate::walk::{Start, Walk};
use crate::{Event, Packet};

/// The ethertypes that more than one place needs to know (IEEE registry).
pub(crate) mod ethertype {
    pub(crate) const IPV4: u16 = 0x0800;
    pub(crate) const ARP: u16 = 0x0806;
    pub(crate) const TRILL: u16 = 0x22f3;
    pub(crate) const BRIDGE: u16 = 0x6558;
    pub(crate) const VLAN: u16 = 0x8100;
    pub(crate) const IPV6: u16 = 0x86dd;
    pub(crate) const MPLS: u16 = 0x8847;
    pub(crate) const MPLS_MULTICAST: u16 = 0x8848;
    pub(crate) const PPPOE_DISCOVERY: u16 = 0x8863;
    pub(crate) const PPPOE_SESSION: u16 = 0x8864;
    pub(crate) const QINQ: u16 = 0x88a8;
    pub(crate) const BACKBONE: u16 = 0x88e7;
    pub(crate) const DCE: u16 = 0x8903;
    pub(crate) const VNTAG: u16 = 0x8926;
    pub(crate) const NSH: u16 = 0x894f;
    pub(crate) const QINQ_OLD: u16 = 0x9100;
}

/// Whether frames of this link type are read at all.
pub(crate) fn known(link: LinkType) -> bool {
    matches!(
        link,
        LinkType::NULL
            | LinkType::ETHERNET
            | LinkType::PPP
            | LinkType::PPP_HDLC
            | LinkType::PPP_ETHER
            | LinkType::RAW_OLD
            | LinkType::RAW_BSD
            | LinkType::ATM_RFC1483
            | LinkType::RAW
            | LinkType::C_HDLC
            | LinkType::IEEE802_11
            | LinkType::LOOP
            | LinkType::LINUX_SLL
            | LinkType::IEEE802_11_RADIOTAP
            | LinkType::IPV4
            | LinkType::IPV6
            | LinkType::LINUX_SLL2
    )
}

impl Walk<'_> {
    /// Walks the packet from its first byte.
    #[inline]
    pub(crate) fn begin(&mut self, p: &mut Packet) {
        let (at, end) = (self.task.at, self.task.end);
        match self.task.start {
            Start::Link(LinkType::ETHERNET) | Start::Ethernet => self.ethernet(p, at, end),
            Start::Link(link) => self.link(p, link, at, end),
            Start::Ethertype(kind) => self.ethertype(p, kind, at, end),
            Start::Llc => self.llc(p, at, end),
            Start::Ip4 => self.ipv4(p, at, end),
            Start::Ip6 => self.ipv6(p, at, end),
            Start::Ppp => self.ppp(p, at, end),
            Start::Erspan2 => self.erspan2(p, at, end),
            Start::Erspan3 => self.erspan3(p, at, end),
        }
    }

    fn link(&mut self, p: &mut Packet, link: LinkType, at: usize, end: usize) {
        match link {
            LinkType::NULL => self.loopback(p, at, end),
            LinkType::LOOP => self.loopback(p, at, end),
            LinkType::PPP | LinkType::PPP_HDLC => self.ppp(p, at, end),
            LinkType::PPP_ETHER => self.pppoe_session(p, at, end),
            LinkType::ATM_RFC1483 => self.llc(p, at, end),
            LinkType::C_HDLC => self.chdlc(p, at, end),
            LinkType::IEEE802_11 => self.wifi(p, at, end, wifi::Tail::default()),
            LinkType::IEEE802_11_RADIOTAP => self.radiotap(p, at, end),
            LinkType::LINUX_SLL => self.sll(p, at, end),
            LinkType::LINUX_SLL2 => self.sll2(p, at, end),
            LinkType::IPV4 => self.ipv4(p, at, end),
            LinkType::IPV6 => self.ipv6(p, at, end),
            _ => self.raw(p, at, end),
        }
    }

    /// Raw IP: the version is in the first nibble.
    pub(crate) fn raw(&mut self, p: &mut Packet, at: usize, end: usize) {
        self.out.counters.raw += 1;
        let Some([first]) = self.header(at, end, Event::Ipv4PktTooSmall) else { return };
        match first >> 4 {
            4 => self.ipv4(p, at, end),
            6 => self.ipv6(p, at, end),
            _ => self.fail(Event::IprawInvalidIpVersion),
        }
    }

    /// BSD loopback: an address family in the byte order of the host that captured, or in network order (LOOP).
    /// The numbers of `AF_INET6`: 10 Linux, 24 NetBSD and OpenBSD, 28 FreeBSD, 30 Darwin, 23 Windows.
    fn loopback(&mut self, p: &mut Packet, at: usize, end: usize) {
        self.out.counters.null += 1;
        let Some(header) = self.header::<4>(at, end, Event::LtnullPktTooSmall) else { return };
        let family = match u32::from_be_bytes(*header) {
            // a family fits in 16 bits, so its place tells the byte order
            big if big <= 0xffff => big,
            _ => u32::from_le_bytes(*header),
        };
        match family {
            2 => self.ipv4(p, at + 4, end),
            10 | 23 | 24 | 28 | 30 => self.ipv6(p, at + 4, end),
            _ => {
                self.out.counters.other += 1;
                self.raise(Event::LtnullUnsupportedType);
            }
        }
    }

    /// Linux cooked capture (LINKTYPE_LINUX_SLL): 16 bytes, protocol last.
    fn sll(&mut self, p: &mut Packet, at: usize, end: usize) {
        self.out.counters.sll += 1;
        let Some(header) = self.header::<16>(at, end, Event::SllPktTooSmall) else { return };
        let [.., high, low] = *header;
        self.cooked(p, u16::from_be_bytes([high, low]), at + 16, end);
    }

    /// Linux cooked capture, second form (LINKTYPE_LINUX_SLL2): 20 bytes, protocol first.
    fn sll2(&mut self, p: &mut Packet, at: usize, end: usize) {
        self.out.counters.sll += 1;
        let Some(header) = self.header::<20>(at, end, Event::Sll2PktTooSmall) else { return };
        let [high, low, ..] = *header;
        self.cooked(p, u16::from_be_bytes([high, low]), at + 20, end);
    }

    /// The protocol of a cooked header: 1 is 802.3 without LLC, 4 is 802.2 LLC, the rest are ethertypes.
    fn cooked(&mut self, p: &mut Packet, protocol: u16, at: usize, end: usize) {
        match protocol {
            4 => self.llc(p, at, end),
            other => self.ethertype(p, other, at, end),
        }
    }

    /// Cisco HDLC: address, control, ethertype.
    fn chdlc(&mut self, p: &mut Packet, at: usize, end: usize) {
        self.out.counters.chdlc += 1;
        let Some(header) = self.header::<4>(at, end, Event::ChdlcPktTooSmall) else { return };
        let [_, _, high, low] = *header;
        self.ethertype(p, u16::from_be_bytes([high, low]), at + 4, end);
    }
}
