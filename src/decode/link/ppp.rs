//! PPP (RFC 1661, framing of RFC 1662) and PPPoE (RFC 2516).

use crate::walk::Walk;
use crate::{Event, Packet};

impl Walk<'_> {
    /// PPP, with or without address and control, with a protocol field of one byte or two.
    pub(crate) fn ppp(&mut self, p: &mut Packet, at: usize, end: usize) {
        self.out.counters.ppp += 1;
        if !self.deeper() {
            return;
        }
        let at = match self.peek(at, end) {
            Some([0xff, 0x03]) => at + 2,
            _ => at,
        };
        self.ppp_protocol(p, at, end);
    }

    /// The protocol field; an odd first byte is the whole of it (RFC 1661 section 2).
    fn ppp_protocol(&mut self, p: &mut Packet, at: usize, end: usize) {
        let Some([first]) = self.header(at, end, Event::PppPktTooSmall) else { return };
        if first & 1 == 1 {
            return self.ppp_payload(p, u16::from(*first), at + 1, end);
        }
        let Some(both) = self.header::<2>(at, end, Event::PppPktTooSmall) else { return };
        self.ppp_payload(p, u16::from_be_bytes(*both), at + 2, end);
    }

    fn ppp_payload(&mut self, p: &mut Packet, protocol: u16, at: usize, end: usize) {
        match protocol {
            0x0021 => {
                if self.header::<20>(at, end, Event::PppIp4PktTooSmall).is_some() {
                    self.ipv4(p, at, end);
                }
            }
            0x0057 => {
                if self.header::<40>(at, end, Event::PppIp6PktTooSmall).is_some() {
                    self.ipv6(p, at, end);
                }
            }
            // Van Jacobson, uncompressed: an IPv4 header whose protocol field holds a slot number (RFC 1144)
            0x002f => {
                if self.header::<20>(at, end, Event::PppVjuPktTooSmall).is_some() {
                    self.ipv4(p, at, end);
                }
            }
            0x0281 | 0x0283 => self.mpls(p, at, end),
            // assigned, but nothing with flows
            0x0023 | 0x0025 | 0x0027 | 0x0029 | 0x002b | 0x002d | 0x0031 | 0x0033 | 0x0035 | 0x0201
            | 0x0231 | 0x0233 | 0x8021 | 0x8023 | 0x8025 | 0x8027 | 0x8029 | 0x802b | 0x8031 | 0x8033
            | 0x8035 | 0x8057 | 0x80fd | 0x8281 | 0xc021 | 0xc023 | 0xc025 | 0xc223 => {
                self.out.counters.other += 1;
                self.raise(Event::PppUnsupProto);
            }
            _ => self.fail(Event::PppWrongType),
        }
    }

    /// A PPPoE session frame: version and type, code, session, length; then PPP's protocol field.
    pub(crate) fn pppoe_session(&mut self, p: &mut Packet, at: usize, end: usize) {
        self.out.counters.pppoe += 1;
        if !self.deeper() {
            return;
        }
        let Some(header) = self.header::<6>(at, end, Event::PppoePktTooSmall) else { return };
        let [_, code, _, _, high, low] = *header;
        if code != 0 {
            return self.fail(Event::PppoeWrongCode);
        }
        let length = usize::from(u16::from_be_bytes([high, low]));
        // a length of 0 is written by some concentrators for "as far as the frame goes"
        let end = if length == 0 { end } else { end.min(at + 6 + length) };
        if at + 6 >= end {
            return self.fail(Event::PppoePktTooSmall);
        }
        self.ppp_protocol(p, at + 6, end);
    }

    /// A PPPoE discovery frame: the code, and tags that must fit (RFC 2516 section 5 and appendix A).
    pub(crate) fn pppoe_discovery(&mut self, at: usize, end: usize) {
        self.out.counters.pppoe += 1;
        self.out.counters.other += 1;
        let Some(header) = self.header::<6>(at, end, Event::PppoePktTooSmall) else { return };
        let [_, code, _, _, high, low] = *header;
        if !matches!(code, 0x07 | 0x09 | 0x19 | 0x65 | 0xa7) {
            return self.raise(Event::PppoeWrongCode);
        }
        let tags_end = at + 6 + usize::from(u16::from_be_bytes([high, low]));
        let mut tag = at + 6;
        while tag + 4 <= tags_end.min(end) {
            let Some([_, _, high, low]) = self.peek::<4>(tag, end) else { return };
            tag += 4 + usize::from(u16::from_be_bytes([*high, *low]));
        }
        if tag > tags_end || tags_end > end {
            self.raise(Event::PppoeMalformedTags);
        }
    }
}
