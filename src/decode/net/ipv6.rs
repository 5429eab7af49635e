//! IPv6 (RFC 8200) and its extension headers.

use crate::fragment::Piece;
use crate::net::{length_field, protocol};
use crate::walk::{Start, Walk, short};
use crate::{Address, Event, Ip, Network, Origin, Packet};

/// Which extension headers were seen, to tell when one stands twice.
#[derive(Clone, Copy, Default)]
struct Seen {
    hop_by_hop: bool,
    routing: bool,
    fragment: bool,
    auth: bool,
    destination: u8,
}

/// Where the walk over the extension headers stands.
#[derive(Clone, Copy)]
struct Place {
    /// Where the IPv6 header stands.
    ip_at: usize,
    at: usize,
    end: usize,
    next: u8,
    /// Where the byte stands that announced `next`.
    announced_at: usize,
}

impl Walk<'_> {
    pub(crate) fn ipv6(&mut self, p: &mut Packet, at: usize, end: usize) {
        self.out.counters.ipv6 += 1;
        if !self.deeper() {
            return;
        }
        let Some(header) = self.header::<40>(at, end, Event::Ipv6PktTooSmall) else { return };
        let [first, second, _, _, l0, l1, next, hops, addresses @ ..] = header;
        if first >> 4 != 6 {
            return self.fail(Event::Ipv6WrongIpVersion);
        }
        let length = length_field([*l0, *l1], at + 40, end);
        if at + 40 + length > end && !self.clipped {
            return self.fail(Event::Ipv6TruncPkt);
        }
        let (src, rest) = addresses.split_first_chunk::<16>().unwrap_or((&[0; 16], &[]));
        p.network = Network::Ip(Ip {
            version: 6,
            protocol: *next,
            ttl: *hops,
            tos: first << 4 | second >> 4,
            src: Address(*src),
            dst: Address(*rest.first_chunk::<16>().unwrap_or(&[0; 16])),
            offset: short(at),
            fragment: false,
        });
        let place =
            Place { ip_at: at, at: at + 40, end: at + 40 + length, next: *next, announced_at: at + 6 };
        self.payload(p, place.at, place.end);
        self.above_ipv6(p, place);
    }

    #[inline]
    fn above_ipv6(&mut self, p: &mut Packet, place: Place) {
        match place.next {
            protocol::TCP => self.tcp(p, place.at, place.end),
            protocol::UDP => self.udp(p, place.at, place.end),
            _ => self.rarer_above_ipv6(p, place),
        }
    }

    /// Follows extension headers until something else stands next.
    fn rarer_above_ipv6(&mut self, p: &mut Packet, mut place: Place) {
        let (start, mut seen) = (place.at, Seen::default());
        loop {
            let length = match place.next {
                protocol::HOP_BY_HOP | protocol::DESTINATION => self.options_header(place, &mut seen),
                protocol::ROUTING => self.routing_header(place, &mut seen),
                protocol::AH => self.auth_header(place, &mut seen),
                protocol::MOBILITY | protocol::HIP | protocol::SHIM6 => {
                    self.plain_header(place, 8).map(|(_, n)| n)
                }
                protocol::FRAGMENT => match self.fragment_header(p, place, &mut seen) {
                    Some(length) => Some(length),
                    None => return,
                },
                _ => break,
            };
            let (Some(length), Some([next])) = (length, self.peek::<1>(place.at, place.end)) else { return };
            place = Place { at: place.at + length, next: *next, announced_at: place.at, ..place };
            set_protocol(p, place.next);
            self.payload(p, place.at, place.end);
        }
        if place.at > start && place.next != protocol::NONE && place.end < place.at + 2 {
            // a chain of headers that ends before the one it announces
            return self.fail(Event::Ipv6TruncExthdr);
        }
        self.transport_above_ipv6(p, place);
    }

    fn transport_above_ipv6(&mut self, p: &mut Packet, place: Place) {
        let Place { at, end, next, .. } = place;
        match next {
            protocol::TCP => self.tcp(p, at, end),
            protocol::UDP => self.udp(p, at, end),
            protocol::ICMPV6 => {
                let hops = if let Network::Ip(ip) = p.network { ip.ttl } else { 0 };
                self.icmpv6(p, hops, at, end);
            }
            protocol::SCTP => self.sctp(p, at, end),
            protocol::ESP => self.esp(p, at, end),
            protocol::GRE => self.gre(p, at, end),
            protocol::IPV4 => self.inside_ipv6(p, 4, at, end),
            protocol::IPV6 => self.inside_ipv6(p, 6, at, end),
            protocol::NONE if end > at => self.raise(Event::Ipv6DataAfterNone),
            protocol::NONE => {}
            protocol::ICMP => self.raise(Event::Ipv6Icmpv4),
            _ => self.raise(Event::Ipv6UnknownNextHeader),
        }
    }

    fn inside_ipv6(&mut self, p: &mut Packet, version: u8, at: usize, end: usize) {
        let (least, short, wrong, start) = match version {
            4 => (20, Event::Ipv4InIpv6TooSmall, Event::Ipv4InIpv6WrongVersion, Start::Ip4),
            _ => (40, Event::Ipv6InIpv6TooSmall, Event::Ipv6InIpv6WrongVersion, Start::Ip6),
        };
        if end.saturating_sub(at) < least {
            return self.fail(short);
        }
        match self.peek::<1>(at, end) {
            Some([first]) if first >> 4 == version => self.ip_in_ip(p, Origin::IpIp6, start, at, end),
            Some(_) => self.fail(wrong),
            None => {}
        }
    }

    /// The first bytes of an extension header and its length, which must fit.
    fn plain_header(&mut self, place: Place, unit: usize) -> Option<(u8, usize)> {
        let [_, length, third, _] = self.header::<4>(place.at, place.end, Event::Ipv6TruncExthdr)?;
        let length = match unit {
            // authentication header: words, less two (RFC 4302 section 2.2)
            4 => (usize::from(*length) + 2) * 4,
            _ => (usize::from(*length) + 1) * 8,
        };
        if place.at + length > place.end {
            self.fail(Event::Ipv6TruncExthdr);
            return None;
        }
        Some((*third, length))
    }

    fn routing_header(&mut self, place: Place, seen: &mut Seen) -> Option<usize> {
        let (kind, length) = self.plain_header(place, 8)?;
        if seen.routing {
            self.raise(Event::Ipv6ExthdrDuplRh);
        } else if kind == 0 {
            self.raise(Event::Ipv6RhType0);
        }
        seen.routing = true;
        Some(length)
    }

    fn auth_header(&mut self, place: Place, seen: &mut Seen) -> Option<usize> {
        let (_, length) = self.plain_header(place, 4)?;
        self.out.counters.ah += 1;
        if self.peek::<4>(place.at, place.end).is_some_and(|[_, _, r0, r1]| [*r0, *r1] != [0, 0]) {
            self.raise(Event::Ipv6ExthdrAhResNotNull);
        }
        if seen.auth {
            self.raise(Event::Ipv6ExthdrDuplAh);
        }
        seen.auth = true;
        Some(length)
    }

    fn options_header(&mut self, place: Place, seen: &mut Seen) -> Option<usize> {
        let (_, length) = self.plain_header(place, 8)?;
        let hop_by_hop = place.next == protocol::HOP_BY_HOP;
        let again = if hop_by_hop { seen.hop_by_hop } else { seen.destination >= 2 };
        if again {
            self.raise(if hop_by_hop { Event::Ipv6ExthdrDuplHh } else { Event::Ipv6ExthdrDuplDh });
            return Some(length);
        }
        if hop_by_hop {
            seen.hop_by_hop = true;
        } else {
            seen.destination += 1;
        }
        self.ipv6_options(place.at + 2, place.at + length, hop_by_hop);
        Some(length)
    }

    /// RFC 8200 section 4.5. `None` when the packet is a fragment and was handed over as such.
    fn fragment_header(&mut self, p: &mut Packet, place: Place, seen: &mut Seen) -> Option<usize> {
        let header = self.header::<8>(place.at, place.end, Event::Ipv6TruncExthdr)?;
        let [next, reserved, o0, o1, id @ ..] = *header;
        if reserved != 0 {
            self.raise(Event::Ipv6FhNonZeroReserved);
        }
        if seen.fragment {
            self.raise(Event::Ipv6ExthdrDuplFh);
            return Some(8);
        }
        seen.fragment = true;
        let field = u16::from_be_bytes([o0, o1]);
        let (offset, more) = (usize::from(field & 0xfff8), field & 1 == 1);
        if offset == 0 && !more {
            self.raise(Event::Ipv6ExthdrUselessFh);
            return Some(8);
        }
        if more && !(place.end - place.at).is_multiple_of(8) {
            self.raise(Event::Ipv6FragInvalidLength);
        }
        let piece = Piece {
            id: u32::from_be_bytes(id),
            offset,
            more,
            header: (place.ip_at, place.at),
            next_header: Some((place.announced_at - place.ip_at, next)),
            data: (place.at + 8, place.end),
        };
        self.payload(p, place.at + 8, place.end);
        self.fragment(p, piece);
        None
    }
}

fn set_protocol(p: &mut Packet, number: u8) {
    if let Network::Ip(ip) = &mut p.network {
        ip.protocol = number;
    }
}
