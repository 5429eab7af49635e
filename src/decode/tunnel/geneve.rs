//! GENEVE (RFC 8926) and the options by which clouds say whose a packet is.

use crate::link::ethertype;
use crate::mirror::{Direction, Facts, Ids, Shape};
use crate::tunnel::mirror::Inside;
use crate::walk::{Start, Walk};
use crate::{Event, Origin, Packet};

/// Option classes (IANA, "Geneve Option Class"). Other clouds' gateway load balancers write as AWS does.
mod class {
    pub(super) const AWS: u16 = 0x0108;
    pub(super) const GOOGLE: u16 = 0x0132;
    pub(super) const TENCENT: u16 = 0x0167;
}

/// Option types of gateway load balancers: the endpoint that a packet came through, 8 bytes.
const ENDPOINT: u8 = 1;
/// Option type of Google's network security integration: 28 bits of network, 3 reserved, 1 of direction.
const NETWORK: u8 = 1;
/// Whoever does not understand the option must drop the packet; a sensor counts it.
const CRITICAL: u8 = 0x80;

impl Walk<'_> {
    /// RFC 8926 section 3.4.
    pub(super) fn geneve(&mut self, p: &Packet, at: usize, end: usize) {
        let Some(header) = self.peek::<8>(at, end) else { return };
        let [first, flags, k0, k1, v0, v1, v2, _] = *header;
        let options_end = at + 8 + usize::from(first & 0x3f) * 4;
        if first >> 6 != 0 || options_end > end {
            return;
        }
        let vni = u32::from_be_bytes([0, v0, v1, v2]);
        let session = self.session(p, Shape::Geneve);
        let mut facts = Facts { ids: Ids { vni: Some(vni), ..Ids::default() }, ..Facts::default() };
        if flags & 0x40 != 0 || session.is_some() {
            self.geneve_options(&mut facts, at + 8, options_end);
        }
        let kind = u16::from_be_bytes([k0, k1]);
        let start = match kind {
            ethertype::BRIDGE => Start::Ethernet,
            ethertype::IPV4 => Start::Ip4,
            ethertype::IPV6 => Start::Ip6,
            ethertype::ARP | ethertype::VLAN | ethertype::QINQ | ethertype::MPLS | ethertype::NSH => {
                Start::Ethertype(kind)
            }
            _ => return self.fail(Event::GeneveUnknownPayloadType),
        };
        self.out.counters.geneve += 1;
        let (origin, at) = (Origin::Geneve, options_end);
        match session {
            Some(session) => {
                self.strip(p, session, Shape::Geneve, facts, Inside { origin, start, at, end });
            }
            None => drop(self.in_network(p, origin, vni, start, at, end)),
        }
    }

    /// Class, type, length in words, then so many: every step is at least 4 bytes and none leaves the options. An option
    /// of another length than its own is skipped like one that is not known.
    fn geneve_options(&mut self, facts: &mut Facts, at: usize, end: usize) {
        let mut at = at;
        while let Some([c0, c1, kind, length]) = self.peek::<4>(at, end) {
            let length = usize::from(length & 0x1f) * 4;
            let body = at + 4;
            at = body + length;
            if at > end {
                return;
            }
            self.out.counters.geneve_critical += u64::from(kind & CRITICAL != 0);
            let class = u16::from_be_bytes([*c0, *c1]);
            match (class, kind & !CRITICAL, length) {
                (class::AWS | class::TENCENT, ENDPOINT, 8) => {
                    facts.ids.endpoint = self.peek(body, at).map(|id| u64::from_be_bytes(*id));
                }
                (class::GOOGLE, NETWORK, 4) => {
                    let Some(id) = self.peek(body, at).map(|id| u32::from_be_bytes(*id)) else { return };
                    facts.ids.network = Some(id >> 4);
                    facts.direction = Some(if id & 1 == 1 { Direction::Egress } else { Direction::Ingress });
                }
                _ => {}
            }
        }
    }
}
