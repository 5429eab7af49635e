//! ICMP for IPv4 (RFC 792) and IPv6 (RFC 4443), and the packet that an error quotes.

use crate::net::protocol;
use crate::walk::Walk;
use crate::{Address, Embedded, Event, Packet, Transport};

impl Walk<'_> {
    pub(super) fn icmpv4(&mut self, p: &mut Packet, at: usize, end: usize) {
        self.out.counters.icmpv4 += 1;
        let Some(header) = self.header::<8>(at, end, Event::Icmpv4PktTooSmall) else { return };
        let [kind, code, _, _, a, b, c, d] = *header;
        self.verify_icmpv4(p, at, end);
        let highest_code = match kind {
            3 => 15,
            5 => 3,
            11 => 1,
            0 | 4 | 8 | 12..=18 => 0,
            9 | 10 => u8::MAX,
            _ => {
                self.raise(Event::Icmpv4UnknownType);
                u8::MAX
            }
        };
        let known = code <= highest_code;
        if !known {
            self.raise(Event::Icmpv4UnknownCode);
        }
        let timestamps = matches!(kind, 13 | 14);
        if timestamps && end - at < 20 {
            self.raise(Event::Icmpv4Ipv4TruncPkt);
        }
        let echo = matches!(kind, 0 | 8 | 13..=18)
            .then_some((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])));
        let error = known && matches!(kind, 3 | 4 | 5 | 11 | 12) && end > at + 8;
        let about = if error { self.quoted_ipv4(at + 8, end) } else { None };
        p.transport = Transport::Icmp { kind, code, echo, about };
        // the three times belong to the header
        let header_len = if timestamps && end - at >= 20 { 20 } else { 8 };
        self.payload(p, at + header_len, end);
    }

    pub(super) fn icmpv6(&mut self, p: &mut Packet, hops: u8, at: usize, end: usize) {
        self.out.counters.icmpv6 += 1;
        let Some(header) = self.header::<8>(at, end, Event::Icmpv6PktTooSmall) else { return };
        let [kind, code, _, _, a, b, c, d] = *header;
        self.verify_transport(p, at, end);
        let known = self.icmpv6_type(kind, code, hops);
        let echo =
            matches!(kind, 128 | 129).then_some((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])));
        let about = if known && matches!(kind, 1..=4) { self.quoted_ipv6(at + 8, end) } else { None };
        p.transport = Transport::Icmp { kind, code, echo, about };
        // only errors and echoes have more than type, code and checksum before their body
        let header_len = if known && matches!(kind, 1..=4 | 128 | 129) { 8 } else { 4 };
        self.payload(p, at + header_len, end);
    }

    /// Types and codes of the IANA registry "ICMPv6 Parameters"; false when the code is not one of the type's.
    fn icmpv6_type(&mut self, kind: u8, code: u8, hops: u8) -> bool {
        let highest_code = match kind {
            1 => 6,
            2 => 0,
            3 => 1,
            4 => 2,
            130..=132 => {
                if hops != 1 {
                    self.raise(Event::Icmpv6MldInvalidHl);
                }
                0
            }
            128 | 129 | 133..=137 | 141..=149 | 154 | 156..=159 => 0,
            138 if code == 255 => 255,
            138..=140 => 2,
            150..=153 => u8::MAX,
            // RPL control (RFC 6550): plain messages, and secured ones from 128 on
            155 if code >= 128 => 132,
            155 => 3,
            100 | 101 | 200 | 201 => {
                self.raise(Event::Icmpv6ExperimentationType);
                u8::MAX
            }
            5..=126 | 160..=255 => {
                self.raise(Event::Icmpv6UnassignedType);
                u8::MAX
            }
            _ => {
                self.raise(Event::Icmpv6UnknownType);
                u8::MAX
            }
        };
        if code > highest_code {
            self.raise(Event::Icmpv6UnknownCode);
        }
        code <= highest_code
    }

    fn quoted_ipv4(&mut self, at: usize, end: usize) -> Option<Embedded> {
        let header = self.header::<20>(at, end, Event::Icmpv4Ipv4TruncPkt)?;
        let [first, _, _, _, _, _, f0, f1, _, number, _, _, s0, s1, s2, s3, d0, d1, d2, d3] = *header;
        if first >> 4 != 4 {
            self.fail(Event::Icmpv4Ipv4UnknownVer);
            return None;
        }
        let first_fragment = u16::from_be_bytes([f0, f1]) & 0x1fff == 0;
        let ports_at = at + usize::from(first & 0x0f) * 4;
        let (src_port, dst_port) =
            if first_fragment { self.quoted_ports(number, ports_at, end) } else { (0, 0) };
        Some(Embedded {
            src: Address::v4([s0, s1, s2, s3]),
            dst: Address::v4([d0, d1, d2, d3]),
            protocol: number,
            src_port,
            dst_port,
        })
    }

    fn quoted_ipv6(&mut self, at: usize, end: usize) -> Option<Embedded> {
        let header = self.header::<40>(at, end, Event::Icmpv6Ipv6TruncPkt)?;
        let [first, _, _, _, _, _, number, _, addresses @ ..] = header;
        if first >> 4 != 6 {
            self.fail(Event::Icmpv6Ipv6UnknownVersion);
            return None;
        }
        let (src, rest) = addresses.split_first_chunk::<16>()?;
        let (src_port, dst_port) = self.quoted_ports(*number, at + 40, end);
        Some(Embedded {
            src: Address(*src),
            dst: Address(*rest.first_chunk()?),
            protocol: *number,
            src_port,
            dst_port,
        })
    }

    /// Errors quote at least 8 bytes of transport, which is enough for ports.
    fn quoted_ports(&self, number: u8, at: usize, end: usize) -> (u16, u16) {
        match self.peek::<4>(at, end) {
            Some([a, b, c, d]) if matches!(number, protocol::TCP | protocol::UDP | protocol::SCTP) => {
                (u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d]))
            }
            _ => (0, 0),
        }
    }
}
