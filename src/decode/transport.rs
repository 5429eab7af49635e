//! Transports: TCP (RFC 9293), UDP (RFC 768), SCTP (RFC 9260), ESP (RFC 4303).

use crate::net::length_field;
use crate::walk::Walk;
use crate::{Event, Packet, Tcp, Transport};

/// TCP option kinds (IANA, "TCP Option Kind Numbers").
mod option {
    pub(super) const MSS: u8 = 2;
    pub(super) const WINDOW_SCALE: u8 = 3;
    pub(super) const SACK_PERMITTED: u8 = 4;
    pub(super) const SACK: u8 = 5;
    pub(super) const TIMESTAMP: u8 = 8;
    pub(super) const MD5: u8 = 19;
    pub(super) const AO: u8 = 29;
    pub(super) const FAST_OPEN: u8 = 34;
    pub(super) const EXPERIMENT_1: u8 = 253;
    pub(super) const EXPERIMENT_2: u8 = 254;
}

impl Walk<'_> {
    #[inline]
    pub(crate) fn tcp(&mut self, p: &mut Packet, at: usize, end: usize) {
        self.out.counters.tcp += 1;
        let Some(header) = self.header::<20>(at, end, Event::TcpPktTooSmall) else { return };
        let [s0, s1, d0, d1, q0, q1, q2, q3, a0, a1, a2, a3, offset, flags, w0, w1, _, _, u0, u1] = *header;
        let header_len = usize::from(offset >> 4) * 4;
        if at + header_len > end {
            return self.fail(Event::TcpHlenTooSmall);
        }
        if header_len < 20 {
            return self.fail(Event::TcpInvalidOptlen);
        }
        p.transport = Transport::Tcp(Tcp {
            src_port: u16::from_be_bytes([s0, s1]),
            dst_port: u16::from_be_bytes([d0, d1]),
            seq: u32::from_be_bytes([q0, q1, q2, q3]),
            ack: u32::from_be_bytes([a0, a1, a2, a3]),
            flags,
            window: u16::from_be_bytes([w0, w1]),
            urgent: u16::from_be_bytes([u0, u1]),
            ..Tcp::default()
        });
        if header_len > 20
            && let Transport::Tcp(tcp) = &mut p.transport
        {
            // written in place: copying what was just written piece by piece would stall
            self.tcp_options(tcp, at + 20, at + header_len);
            p.header_cut = at + header_len > self.bytes.len();
        }
        self.verify_transport(p, at, end);
        self.payload(p, at + header_len, end);
    }

    /// What nearly every segment of an open connection carries (RFC 7323 appendix A), or anything else.
    #[inline]
    fn tcp_options(&mut self, tcp: &mut Tcp, at: usize, end: usize) {
        let rest = self.span(at, end);
        if let [1, 1, 8, 10, v0, v1, v2, v3, e0, e1, e2, e3] = rest {
            tcp.timestamp =
                Some((u32::from_be_bytes([*v0, *v1, *v2, *v3]), u32::from_be_bytes([*e0, *e1, *e2, *e3])));
            return;
        }
        self.walk_tcp_options(tcp, rest, rest.len() < end - at);
    }

    /// Options as far as the capture has them; at most 40 bytes.
    fn walk_tcp_options(&mut self, tcp: &mut Tcp, mut rest: &[u8], cut: bool) {
        let mut seen = 0_u64;
        loop {
            rest = match rest {
                [] | [0, ..] | [_] => return,
                [1, rest @ ..] => rest,
                [kind, length, ..] => {
                    let length = usize::from(*length);
                    let Some((option, after)) = rest.split_at_checked(length).filter(|_| length >= 2) else {
                        if !cut {
                            self.raise(Event::TcpOptInvalidLen);
                        }
                        return;
                    };
                    self.tcp_option(tcp, *kind, option, &mut seen);
                    after
                }
            };
        }
    }

    fn tcp_option(&mut self, tcp: &mut Tcp, kind: u8, option: &[u8], seen: &mut u64) {
        let known = matches!(kind, 2..=5 | 8 | 19 | 29 | 34);
        let bit = if known { 1_u64 << kind } else { 0 };
        let again = *seen & bit != 0;
        if !tcp_option_fits(kind, option.len()) {
            return self.raise(Event::TcpOptInvalidLen);
        }
        if again {
            return self.raise(Event::TcpOptDuplicate);
        }
        *seen |= bit;
        match (kind, option) {
            (option::MSS, [_, _, a, b]) => tcp.mss = Some(u16::from_be_bytes([*a, *b])),
            (option::WINDOW_SCALE, [_, _, shift]) => tcp.wscale = Some(*shift),
            (option::SACK_PERMITTED, _) => tcp.sack_permitted = true,
            (option::TIMESTAMP, [_, _, a, b, c, d, e, f, g, h]) => {
                tcp.timestamp =
                    Some((u32::from_be_bytes([*a, *b, *c, *d]), u32::from_be_bytes([*e, *f, *g, *h])));
            }
            (option::MD5 | option::AO, _) => tcp.signed = true,
            (option::FAST_OPEN, _) => tcp.fast_open = true,
            // RFC 6994 experiment 0xf989: fast open before it had a number
            (option::EXPERIMENT_1 | option::EXPERIMENT_2, [_, _, 0xf9, 0x89, ..]) => tcp.fast_open = true,
            _ => {}
        }
    }

    #[inline]
    pub(crate) fn udp(&mut self, p: &mut Packet, at: usize, end: usize) {
        self.out.counters.udp += 1;
        let Some(header) = self.header::<8>(at, end, Event::UdpPktTooSmall) else { return };
        let [s0, s1, d0, d1, l0, l1, _, _] = *header;
        let length = length_field([l0, l1], at, end);
        if at + length > end {
            return self.fail(Event::UdpHlenTooSmall);
        }
        if length < 8 {
            return self.fail(Event::UdpLenInvalid);
        }
        let (src, dst) = (u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1]));
        let end = at + length;
        self.verify_transport(p, at, end);
        p.transport = Transport::Udp(src, dst);
        self.payload(p, at + 8, end);
        self.inside_udp(p, src, dst, at + 8, end);
    }

    pub(crate) fn sctp(&mut self, p: &mut Packet, at: usize, end: usize) {
        self.out.counters.sctp += 1;
        let Some(header) = self.header::<12>(at, end, Event::SctpPktTooSmall) else { return };
        let [s0, s1, d0, d1, ..] = *header;
        p.transport = Transport::Sctp(u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1]));
        self.payload(p, at + 12, end);
    }

    pub(crate) fn esp(&mut self, p: &mut Packet, at: usize, end: usize) {
        self.out.counters.esp += 1;
        let Some(header) = self.header::<8>(at, end, Event::EspPktTooSmall) else { return };
        let [a, b, c, d, ..] = *header;
        p.transport = Transport::Esp(u32::from_be_bytes([a, b, c, d]));
        self.payload(p, at + 8, end);
    }
}

/// Lengths that the options' specifications allow, type and length bytes included.
fn tcp_option_fits(kind: u8, length: usize) -> bool {
    match kind {
        option::MSS => length == 4,
        option::WINDOW_SCALE => length == 3,
        option::SACK_PERMITTED => length == 2,
        option::SACK => length == 2 || (10..=34).contains(&length) && (length - 2).is_multiple_of(8),
        option::TIMESTAMP => length == 10,
        option::MD5 => length == 18,
        option::AO => length >= 4,
        option::FAST_OPEN => length == 2 || (6..=18).contains(&length) && length.is_multiple_of(2),
        _ => true,
    }
}
