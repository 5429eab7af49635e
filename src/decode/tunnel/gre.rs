//! GRE (RFC 2784, 2890; version 1 of RFC 2637) and ERSPAN (draft-foschiano-erspan).

use crate::link::ethertype;
use crate::mirror::{Direction, Facts, Ids, Shape};
use crate::tunnel::mirror::Inside;
use crate::walk::{Start, Walk, push_vlan};
use crate::{Event, Origin, Packet, Transport};

const CHECKSUM: u16 = 0x8000;
const ROUTING: u16 = 0x4000;
const KEY: u16 = 0x2000;
const SEQUENCE: u16 = 0x1000;
const STRICT_ROUTE: u16 = 0x0800;
const RECURSION: u16 = 0x0700;
const RESERVED: u16 = 0x00f8;
const ACKNOWLEDGED: u16 = 0x0080;
const RESERVED_1: u16 = 0x0078;

const PPP: u16 = 0x880b;
const ERSPAN_1_2: u16 = 0x88be;
const ERSPAN_3: u16 = 0x22eb;

impl Walk<'_> {
    pub(crate) fn gre(&mut self, p: &mut Packet, at: usize, end: usize) {
        self.out.counters.gre += 1;
        let Some(header) = self.header::<4>(at, end, Event::GrePktTooSmall) else { return };
        if !self.deeper() {
            return;
        }
        p.transport = Transport::Gre;
        let [f0, f1, k0, k1] = *header;
        let (flags, kind) = (u16::from_be_bytes([f0, f1]), u16::from_be_bytes([k0, k1]));
        let length = match flags & 7 {
            0 => self.gre_version_0(flags, at, end),
            1 => self.gre_version_1(flags, kind, at, end),
            _ => Err(Event::GreWrongVersion),
        };
        match length {
            Ok(length) => {
                self.payload(p, at + length, end);
                self.inside_gre(p, flags, kind, at + length, end);
            }
            Err(event) => self.fail(event),
        }
    }

    /// Header length of version 0, routing of RFC 1701 included.
    fn gre_version_0(&self, flags: u16, at: usize, end: usize) -> Result<usize, Event> {
        if flags & RECURSION != 0 {
            return Err(Event::GreVersion0Recur);
        }
        if flags & RESERVED != 0 {
            return Err(Event::GreVersion0Flags);
        }
        let optional = |bit| if flags & bit != 0 { 4 } else { 0 };
        let length = 4 + optional(CHECKSUM | ROUTING) + optional(KEY) + optional(SEQUENCE);
        if at + length > end {
            return Err(Event::GreVersion0HdrTooBig);
        }
        if flags & ROUTING == 0 {
            return Ok(length);
        }
        self.gre_routes(at + length, end).map(|after| after - at)
    }

    /// Source route entries: family, offset, length, then that many bytes; an empty one ends the list.
    fn gre_routes(&self, at: usize, end: usize) -> Result<usize, Event> {
        let mut at = at;
        loop {
            let Some([f0, f1, _, length]) = self.peek::<4>(at, end) else {
                return Err(Event::GreVersion0MalformedSreHdr);
            };
            at += 4 + usize::from(*length);
            if at > end {
                return Err(Event::GreVersion0MalformedSreHdr);
            }
            if [*f0, *f1, *length] == [0, 0, 0] {
                return Ok(at);
            }
        }
    }

    /// Header length of version 1 (PPTP): a key always, PPP always (RFC 2637 section 4.1).
    fn gre_version_1(&self, flags: u16, kind: u16, at: usize, end: usize) -> Result<usize, Event> {
        let forbidden = [
            (CHECKSUM, Event::GreVersion1Chksum),
            (ROUTING, Event::GreVersion1Route),
            (STRICT_ROUTE, Event::GreVersion1Ssr),
            (RECURSION, Event::GreVersion1Recur),
            (RESERVED_1, Event::GreVersion1Flags),
        ];
        if let Some((_, event)) = forbidden.iter().find(|(bit, _)| flags & bit != 0) {
            return Err(*event);
        }
        if kind != PPP {
            return Err(Event::GreVersion1WrongProtocol);
        }
        if flags & KEY == 0 {
            return Err(Event::GreVersion1NoKey);
        }
        let optional = |bit| if flags & bit != 0 { 4 } else { 0 };
        let length = 8 + optional(SEQUENCE) + optional(ACKNOWLEDGED);
        if at + length > end { Err(Event::GreVersion1HdrTooBig) } else { Ok(length) }
    }

    fn inside_gre(&mut self, p: &Packet, flags: u16, kind: u16, at: usize, end: usize) {
        let sequenced = flags & SEQUENCE != 0;
        let start = match kind {
            ethertype::IPV4 => Start::Ip4,
            ethertype::IPV6 => Start::Ip6,
            ethertype::BRIDGE => Start::Ethernet,
            // an acknowledgment alone carries nothing
            PPP if at >= end => return,
            PPP => Start::Ppp,
            ERSPAN_1_2 if sequenced => Start::Erspan2,
            ERSPAN_1_2 if self.settings.erspan_type1 => Start::Ethernet,
            ERSPAN_3 => Start::Erspan3,
            ethertype::VLAN
            | ethertype::QINQ
            | ethertype::ARP
            | ethertype::MPLS
            | ethertype::MPLS_MULTICAST
            | ethertype::NSH => Start::Ethertype(kind),
            _ => return,
        };
        if self.strip_gre(p, flags, kind, Inside { origin: Origin::Gre, start, at, end }) {
            return;
        }
        let erspan = matches!(kind, ERSPAN_1_2 | ERSPAN_3);
        if kind == ERSPAN_1_2 && !sequenced {
            self.out.counters.erspan += 1;
        }
        self.inner(p, if erspan { Origin::Erspan } else { Origin::Gre }, start, at, end);
    }

    /// Takes GRE or ERSPAN off, when it is a mirror's. ERSPAN's own header is read with what is behind it.
    fn strip_gre(&mut self, p: &Packet, flags: u16, kind: u16, inside: Inside) -> bool {
        let (shape, origin) = match kind {
            ERSPAN_1_2 | ERSPAN_3 => (Shape::Erspan, Origin::Erspan),
            _ => (Shape::Gre, Origin::Gre),
        };
        let Some(session) = self.session(p, shape) else { return false };
        let facts = match (shape, inside.start) {
            (Shape::Gre, _) => self.gre_facts(flags, &inside),
            (_, Start::Erspan2 | Start::Erspan3) => self.erspan_session(kind, &inside),
            // type I says nothing of itself
            _ => {
                self.out.counters.erspan += 1;
                Facts::default()
            }
        };
        self.strip(p, session, shape, facts, Inside { origin, ..inside });
        true
    }

    /// The key stands behind the checksum and before the sequence number, which stands before what is inside.
    fn gre_facts(&self, flags: u16, inside: &Inside) -> Facts {
        let behind = if flags & SEQUENCE != 0 { 8 } else { 4 };
        let key = inside.at.checked_sub(behind).filter(|_| flags & (KEY | ROUTING) == KEY);
        let key = key.and_then(|at| self.peek(at, inside.at)).map(|key| u32::from_be_bytes(*key));
        Facts { ids: Ids { key, ..Ids::default() }, ..Facts::default() }
    }

    /// Session and truncation of both forms, direction of type III (draft-foschiano-erspan sections 4.2 and 4.3).
    fn erspan_session(&self, kind: u16, inside: &Inside) -> Facts {
        let Some([_, _, high, low]) = self.peek::<4>(inside.at, inside.end) else { return Facts::default() };
        let session = Some(u16::from_be_bytes([high & 3, *low]));
        let direction = match self.peek::<12>(inside.at, inside.end) {
            Some([.., last]) if kind == ERSPAN_3 => {
                Some(if last & 8 != 0 { Direction::Egress } else { Direction::Ingress })
            }
            _ => None,
        };
        Facts { ids: Ids { session, ..Ids::default() }, direction, truncated: high & 4 != 0 }
    }

    /// ERSPAN type II: version 1, the mirrored port's VLAN, session; 8 bytes, then Ethernet.
    pub(crate) fn erspan2(&mut self, p: &mut Packet, at: usize, end: usize) {
        self.out.counters.erspan += 1;
        let Some(header) = self.header::<8>(at, end, Event::ErspanHeaderTooSmall) else { return };
        let [v0, v1, t0, ..] = *header;
        if self.erspan_facts(p, 1, [v0, v1], t0) {
            self.ethernet(p, at + 8, end);
        }
    }

    /// ERSPAN type III: version 2; 12 bytes and, when the last bit says so, 8 of platform; then a frame of some type.
    pub(crate) fn erspan3(&mut self, p: &mut Packet, at: usize, end: usize) {
        self.out.counters.erspan += 1;
        let Some(header) = self.header::<12>(at, end, Event::ErspanHeaderTooSmall) else { return };
        let [v0, v1, t0, _, _, _, _, _, _, _, h0, h1] = *header;
        if !self.erspan_facts(p, 2, [v0, v1], t0) {
            return;
        }
        let at = at + if h1 & 1 == 1 { 20 } else { 12 };
        match h0 >> 2 & 0x1f {
            0 => self.ethernet(p, at, end),
            // frame type 2 is IP without Ethernet
            _ => self.raw(p, at, end),
        }
    }

    /// What both forms share: version, VLAN, and whether the mirror cut the frame short.
    fn erspan_facts(&mut self, p: &mut Packet, version: u8, [v0, v1]: [u8; 2], third: u8) -> bool {
        if !self.deeper() {
            return false;
        }
        if v0 >> 4 != version {
            self.fail(Event::ErspanUnsupportedVersion);
            return false;
        }
        let vlan = u16::from_be_bytes([v0, v1]) & 0x0fff;
        if vlan > 0 && !push_vlan(&mut p.vlans, vlan) {
            self.fail(Event::ErspanTooManyVlanLayers);
            return false;
        }
        self.clipped |= third & 0x04 != 0;
        true
    }
}
