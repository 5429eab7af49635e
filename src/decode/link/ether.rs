//! Ethernet, its tags, and what an ethertype or an LLC header leads to.

use crate::link::ethertype;
use crate::walk::{Walk, push_vlan};
use crate::{Ether, Event, Packet};

impl Walk<'_> {
    /// Ethernet II and 802.3 (IEEE 802.3 section 3).
    #[inline]
    pub(crate) fn ethernet(&mut self, p: &mut Packet, at: usize, end: usize) {
        self.out.counters.ethernet += 1;
        let Some(header) = self.header::<14>(at, end, Event::EthernetPktTooSmall) else { return };
        let [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, high, low] = *header;
        p.ether = Some(Ether { src: [s0, s1, s2, s3, s4, s5], dst: [d0, d1, d2, d3, d4, d5] });
        let kind = u16::from_be_bytes([high, low]);
        if kind == ethertype::IPV4 {
            return self.ipv4(p, at + 14, end);
        }
        if !self.deeper() {
            return;
        }
        if kind <= 1500 {
            // a length: LLC follows, and padding may follow that
            return self.llc(p, at + 14, end.min(at + 14 + usize::from(kind)));
        }
        self.ethertype(p, kind, at + 14, end);
    }

    /// What follows an ethertype.
    pub(crate) fn ethertype(&mut self, p: &mut Packet, kind: u16, at: usize, end: usize) {
        if !self.read_ethertype(p, kind, at, end) {
            self.out.counters.other += 1;
            self.raise(Event::EthernetUnknownEthertype);
        }
    }

    /// As [`Walk::ethertype`]; false when it is not one that is read.
    pub(crate) fn read_ethertype(&mut self, p: &mut Packet, kind: u16, at: usize, end: usize) -> bool {
        match kind {
            ethertype::IPV4 => self.ipv4(p, at, end),
            ethertype::IPV6 => self.ipv6(p, at, end),
            ethertype::ARP => self.arp(p, at, end),
            ethertype::VLAN | ethertype::QINQ | ethertype::QINQ_OLD => self.vlan(p, at, end),
            ethertype::MPLS | ethertype::MPLS_MULTICAST => self.mpls(p, at, end),
            ethertype::PPPOE_SESSION => self.pppoe_session(p, at, end),
            ethertype::PPPOE_DISCOVERY => self.pppoe_discovery(at, end),
            ethertype::BACKBONE => self.backbone(p, at, end),
            ethertype::VNTAG => self.vntag(p, at, end),
            ethertype::NSH => self.nsh(p, at, end),
            ethertype::TRILL => self.trill(p, at, end),
            ethertype::DCE => self.dce(p, at, end),
            ethertype::BRIDGE => self.nested_ethernet(p, at, end),
            _ => return false,
        }
        true
    }

    /// A VLAN tag (IEEE 802.1Q section 9.6), its ethertype already read.
    fn vlan(&mut self, p: &mut Packet, at: usize, end: usize) {
        let Some(header) = self.header::<4>(at, end, Event::VlanHeaderTooSmall) else { return };
        if !self.deeper() {
            return;
        }
        let [t0, t1, high, low] = *header;
        if !push_vlan(&mut p.vlans, u16::from_be_bytes([t0, t1])) {
            return self.fail(Event::VlanTooManyLayers);
        }
        match p.vlans.count {
            1 => self.out.counters.vlan += 1,
            2 => self.out.counters.vlan_qinq += 1,
            _ => self.out.counters.vlan_qinqinq += 1,
        }
        let kind = u16::from_be_bytes([high, low]);
        if kind <= 1500 {
            return self.llc(p, at + 4, end.min(at + 4 + usize::from(kind)));
        }
        if !self.read_ethertype(p, kind, at + 4, end) {
            self.out.counters.other += 1;
            self.raise(Event::VlanUnknownType);
        }
    }

    /// LLC and SNAP (IEEE 802.2; RFC 1042): IP and ARP are found behind them, the rest is counted.
    pub(crate) fn llc(&mut self, p: &mut Packet, at: usize, end: usize) {
        match self.peek::<8>(at, end) {
            // SNAP with the organisation of encapsulated Ethernet, or the one of bridge tunnels (802.1H)
            Some([0xaa, 0xaa, 0x03, 0, 0, 0 | 0xf8, high, low]) => {
                let kind = u16::from_be_bytes([*high, *low]);
                self.ethertype(p, kind, at + 8, end);
            }
            // IP as an LLC service of its own
            Some([0x06, 0x06, 0x03, ..]) => self.ipv4(p, at + 3, end),
            _ => {
                self.out.counters.other += 1;
                self.raise(Event::EthernetUnknownEthertype);
            }
        }
    }

    /// Another Ethernet header inside this packet; the inner addresses are the ones that matter.
    pub(crate) fn nested_ethernet(&mut self, p: &mut Packet, at: usize, end: usize) {
        if self.deeper() {
            self.ethernet(p, at, end);
        }
    }

    /// Provider backbone bridging (IEEE 802.1ah): 4 bytes of service tag, then the customer's Ethernet header.
    fn backbone(&mut self, p: &mut Packet, at: usize, end: usize) {
        self.out.counters.ieee8021ah += 1;
        let Some(header) = self.header::<18>(at, end, Event::Ieee8021ahHeaderTooSmall) else { return };
        if !self.deeper() {
            return;
        }
        let [.., high, low] = *header;
        self.ethertype(p, u16::from_be_bytes([high, low]), at + 18, end);
    }

    /// VN-tag (IEEE 802.1BR): 4 bytes of tag, then an ethertype.
    fn vntag(&mut self, p: &mut Packet, at: usize, end: usize) {
        self.out.counters.vntag += 1;
        let Some(header) = self.header::<6>(at, end, Event::VntagHeaderTooSmall) else { return };
        if !self.deeper() {
            return;
        }
        let [.., high, low] = *header;
        if !self.read_ethertype(p, u16::from_be_bytes([high, low]), at + 6, end) {
            self.out.counters.other += 1;
            self.raise(Event::VntagUnknownType);
        }
    }

    /// TRILL (RFC 6325 section 3): 6 bytes, options in units of 4, then Ethernet.
    fn trill(&mut self, p: &mut Packet, at: usize, end: usize) {
        let Some(header) = self.header::<6>(at, end, Event::EthernetPktTooSmall) else { return };
        let [first, second, ..] = *header;
        let options = usize::from(u16::from_be_bytes([first, second]) >> 6 & 0x1f) * 4;
        self.nested_ethernet(p, at + 6 + options, end);
    }

    /// Cisco fabric path: a 2-byte forwarding tag, then Ethernet.
    fn dce(&mut self, p: &mut Packet, at: usize, end: usize) {
        if self.header::<16>(at, end, Event::DcePktTooSmall).is_some() {
            self.nested_ethernet(p, at + 2, end);
        }
    }
}
