//! Tunnels in UDP: VXLAN, GTP-U and Teredo here, GENEVE beside. Ports only suggest them; what does not fit stays plain UDP.

use crate::link::ethertype;
use crate::mirror::{Facts, Ids, Shape, is_mirrored};
use crate::tunnel::mirror::Inside;
use crate::walk::{Start, Task, Walk};
use crate::{Ether, Event, Origin, Packet};

/// RFC 4380 section 4.
const TEREDO_PORT: u16 = 3544;

impl Walk<'_> {
    #[inline]
    pub(crate) fn inside_udp(&mut self, p: &Packet, src: u16, dst: u16, at: usize, end: usize) {
        let settings = self.settings;
        if settings.is_tunnel_port(src, dst) {
            self.tunnel_in_udp(p, src, dst, at, end);
        }
    }

    fn tunnel_in_udp(&mut self, p: &Packet, src: u16, dst: u16, at: usize, end: usize) {
        let settings = self.settings;
        if settings.vxlan_ports.contains(&dst) {
            self.vxlan(p, at, end);
        } else if settings.geneve_ports.contains(&dst) {
            self.geneve(p, at, end);
        } else if settings.gtp_ports.contains(&dst) || settings.gtp_ports.contains(&src) {
            self.gtp(p, at, end);
        } else if settings.teredo {
            self.teredo(p, at, end);
        }
    }

    /// VXLAN (RFC 7348 section 5): the I flag must be set. With the P flag the last reserved byte names the payload
    /// (draft-ietf-nvo3-vxlan-gpe), otherwise it is Ethernet.
    fn vxlan(&mut self, p: &Packet, at: usize, end: usize) {
        let Some(header) = self.peek::<8>(at, end) else { return };
        let [flags, _, _, next, v0, v1, v2, reserved] = *header;
        if flags & 0x08 == 0 || reserved != 0 {
            return;
        }
        let vni = u32::from_be_bytes([0, v0, v1, v2]);
        let at = at + 8;
        let session = self.session(p, Shape::Vxlan);
        let start = match if flags & 0x04 != 0 { next } else { 3 } {
            1 => Start::Ip4,
            2 => Start::Ip6,
            3 if session.is_some() => Start::Ethernet,
            3 => return self.ethernet_in_vxlan(p, vni, at, end),
            4 => Start::Ethertype(ethertype::NSH),
            5 => Start::Ethertype(ethertype::MPLS),
            _ => return self.raise(Event::VxlanUnknownPayloadType),
        };
        self.out.counters.vxlan += 1;
        if let Some(session) = session {
            let ids = Ids { vni: Some(vni), ..Ids::default() };
            let inside = Inside { origin: Origin::Vxlan, start, at, end };
            return self.strip(p, session, Shape::Vxlan, Facts { ids, ..Facts::default() }, inside);
        }
        self.in_network(p, Origin::Vxlan, vni, start, at, end);
    }

    /// The inner Ethernet header is read here: the reference engine counts the inner packet from behind it.
    fn ethernet_in_vxlan(&mut self, p: &Packet, vni: u32, at: usize, end: usize) {
        let Some(header) = self.peek::<14>(at, end) else { return };
        let [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, high, low] = *header;
        self.out.counters.vxlan += 1;
        let kind = u16::from_be_bytes([high, low]);
        let start = match kind {
            ethertype::IPV4
            | ethertype::IPV6
            | ethertype::VLAN
            | ethertype::QINQ
            | ethertype::QINQ_OLD
            | ethertype::ARP
            | ethertype::MPLS
            | ethertype::PPPOE_SESSION => Start::Ethertype(kind),
            _ => return self.fail(Event::VxlanUnknownPayloadType),
        };
        let ether = Ether { src: [s0, s1, s2, s3, s4, s5], dst: [d0, d1, d2, d3, d4, d5] };
        if let Some(task) = self.in_network(p, Origin::Vxlan, vni, start, at + 14, end) {
            task.ether = Some(ether);
        }
    }

    /// Queues a packet that a mirror may have cut short, under its virtual network.
    pub(crate) fn in_network(
        &mut self,
        p: &Packet,
        origin: Origin,
        vni: u32,
        start: Start,
        at: usize,
        end: usize,
    ) -> Option<&mut Task> {
        let tenant = self.tenant_within(p.tenant, vni);
        let task = self.inner(p, origin, start, at, end)?;
        task.tenant = tenant;
        task.clipped = true;
        Some(task)
    }

    /// A network without a number inherits the one it travels in; one that travels in a tenant's traffic is the
    /// tenant's own.
    fn tenant_within(&mut self, tenant: u32, vni: u32) -> u32 {
        if vni == 0 {
            return tenant;
        }
        if !is_mirrored(tenant) {
            return vni;
        }
        let within = self.out.tenants.within(tenant, vni);
        self.out.counters.networks_joined += u64::from(within.is_none());
        within.unwrap_or(tenant)
    }

    /// GTP-U (3GPP TS 29.281 section 5.1): version 1, protocol type 1, message G-PDU.
    fn gtp(&mut self, p: &Packet, at: usize, end: usize) {
        let Some([flags, 255, l0, l1, ..]) = self.peek::<8>(at, end) else { return };
        let total = usize::from(u16::from_be_bytes([*l0, *l1]));
        if flags & 0xf0 != 0x30 || at + 8 + total > end {
            return;
        }
        let end = at + 8 + total;
        let body = if flags & 0x07 == 0 {
            Some(at + 8)
        } else {
            self.gtp_extensions(flags & 0x04 != 0, at + 8, end)
        };
        let Some(body) = body else { return };
        let start = match self.peek::<1>(body, end) {
            Some([first]) if first >> 4 == 4 => Start::Ip4,
            Some([first]) if first >> 4 == 6 => Start::Ip6,
            _ => return,
        };
        self.out.counters.gtp += 1;
        self.inner(p, Origin::Gtp, start, body, end);
    }

    /// Sequence, N-PDU and next-extension fields, then extensions: each begins with its length in words, never zero,
    /// and ends with the type of the next (section 5.2.1).
    fn gtp_extensions(&self, extended: bool, at: usize, end: usize) -> Option<usize> {
        let [_, _, _, mut next] = *self.peek::<4>(at, end)?;
        let mut at = at + 4;
        while extended && next != 0 {
            let [words] = *self.peek::<1>(at, end)?;
            if words == 0 {
                return None;
            }
            at += usize::from(words) * 4;
            [next] = *self.peek::<1>(at - 1, end)?;
        }
        Some(at)
    }

    /// Teredo (RFC 4380 section 5.1.1): authentication and origin indications, then IPv6 that fills the datagram.
    fn teredo(&mut self, p: &Packet, at: usize, end: usize) {
        let mut at = at;
        if let Some([0, 1, id, value]) = self.peek::<4>(at, end) {
            at += 13 + usize::from(*id) + usize::from(*value);
        }
        if let Some([0, 0]) = self.peek::<2>(at, end) {
            at += 8;
        }
        let Some([first, _, _, _, l0, l1, ..]) = self.peek::<40>(at, end) else { return };
        let length = usize::from(u16::from_be_bytes([*l0, *l1]));
        if first >> 4 == 6 && at + 40 + length == end {
            self.out.counters.teredo += 1;
            self.inner(p, Origin::Teredo, Start::Ip6, at, end);
        }
    }
}

impl crate::Settings {
    /// Whether a datagram between these ports may be a tunnel.
    #[inline]
    pub(crate) fn is_tunnel_port(&self, src: u16, dst: u16) -> bool {
        #[allow(
            clippy::manual_contains,
            reason = "the library's search costs more than a list of a few ports is long"
        )]
        let listed = |ports: &[u16], port| ports.iter().any(|listed| *listed == port);
        listed(&self.vxlan_ports, dst)
            || listed(&self.geneve_ports, dst)
            || listed(&self.gtp_ports, dst)
            || listed(&self.gtp_ports, src)
            || self.teredo && (src == TEREDO_PORT || dst == TEREDO_PORT)
    }
}
