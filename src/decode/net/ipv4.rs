//! IPv4 (RFC 791).

use crate::fragment::Piece;
use crate::net::{length_field, protocol};
use crate::walk::{Start, Walk, short};
use crate::{Address, Event, Ip, Network, Origin, Packet, checksum};

impl Walk<'_> {
    pub(crate) fn ipv4(&mut self, p: &mut Packet, at: usize, end: usize) {
        self.out.counters.ipv4 += 1;
        if !self.deeper() {
            return;
        }
        let Some(header) = self.header::<20>(at, end, Event::Ipv4PktTooSmall) else { return };
        let [first, tos, l0, l1, i0, i1, f0, f1, ttl, number, _, _, s0, s1, s2, s3, d0, d1, d2, d3] = *header;
        if first >> 4 != 4 {
            return self.fail(Event::Ipv4WrongIpVersion);
        }
        let header_len = usize::from(first & 0x0f) * 4;
        if header_len < 20 {
            return self.fail(Event::Ipv4HlenTooSmall);
        }
        let total = length_field([l0, l1], at, end);
        if total < header_len {
            return self.fail(Event::Ipv4IplenSmallerThanHlen);
        }
        if at + total > end && !self.clipped {
            return self.fail(Event::Ipv4TruncPkt);
        }
        let end = at + total;
        p.network = Network::Ip(Ip {
            version: 4,
            protocol: number,
            ttl,
            tos,
            src: Address::v4([s0, s1, s2, s3]),
            dst: Address::v4([d0, d1, d2, d3]),
            offset: short(at),
            fragment: false,
        });
        self.payload(p, at + header_len, end);
        if header_len > 20 {
            self.ipv4_options(at + 20, at + header_len);
        }
        if self.settings.checksums {
            self.verify_ipv4(p, at, at + header_len);
        }
        let fragment = u16::from_be_bytes([f0, f1]) & 0x3fff;
        if fragment != 0 {
            let piece = Piece {
                id: u32::from(u16::from_be_bytes([i0, i1])),
                offset: usize::from(fragment & 0x1fff) * 8,
                more: fragment & 0x2000 != 0,
                header: (at, at + header_len),
                next_header: None,
                data: (at + header_len, end),
            };
            return self.fragment(p, piece);
        }
        self.above_ipv4(p, number, at + header_len, end);
    }

    #[inline]
    fn above_ipv4(&mut self, p: &mut Packet, number: u8, at: usize, end: usize) {
        match number {
            protocol::TCP => self.tcp(p, at, end),
            protocol::UDP => self.udp(p, at, end),
            other => self.rarer_above_ipv4(p, other, at, end),
        }
    }

    fn rarer_above_ipv4(&mut self, p: &mut Packet, number: u8, at: usize, end: usize) {
        match number {
            protocol::ICMP => self.icmpv4(p, at, end),
            protocol::IGMP => self.out.counters.igmp += 1,
            protocol::IPV4 => self.ip_in_ip(p, Origin::IpIp4, Start::Ip4, at, end),
            protocol::IPV6 => self.ip_in_ip(p, Origin::IpIp4, Start::Ip6, at, end),
            protocol::GRE => self.gre(p, at, end),
            protocol::ESP => self.esp(p, at, end),
            protocol::AH => self.ipv4_ah(p, at, end),
            protocol::SCTP => self.sctp(p, at, end),
            protocol::ICMPV6 => self.fail(Event::Ipv4Icmpv6),
            _ => {}
        }
    }

    /// Authentication header (RFC 4302 section 2): what follows is in the clear.
    fn ipv4_ah(&mut self, p: &mut Packet, at: usize, end: usize) {
        let Some([next, words]) = self.peek::<2>(at, end) else { return };
        let body = at + (usize::from(*words) + 2) * 4;
        // a header inside its own kind would let one packet walk on for as long as it is
        if body > end || *next == protocol::AH {
            return;
        }
        self.out.counters.ah += 1;
        if let Network::Ip(ip) = &mut p.network {
            ip.protocol = *next;
        }
        self.payload(p, body, end);
        self.above_ipv4(p, *next, body, end);
    }

    fn verify_ipv4(&mut self, p: &mut Packet, at: usize, end: usize) {
        let header = self.span(at, end);
        let whole = header.len() == end - at && !self.task.mirrored;
        p.bad_checksum |= whole && !checksum::is_good(header, 0);
    }
}
