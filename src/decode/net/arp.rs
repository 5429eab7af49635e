//! ARP (RFC 826) for Ethernet and IPv4.

use crate::walk::Walk;
use crate::{Arp, Event, Network, Packet};

impl Walk<'_> {
    pub(crate) fn arp(&mut self, p: &mut Packet, at: usize, end: usize) {
        self.out.counters.arp += 1;
        let Some(header) = self.header::<8>(at, end, Event::ArpPktTooSmall) else { return };
        let [h0, h1, p0, p1, hardware_size, protocol_size, o0, o1] = *header;
        if [h0, h1] != [0, 1] {
            return self.raise(Event::ArpUnsupportedHardware);
        }
        if [p0, p1] != [0x08, 0x00] {
            return self.raise(Event::ArpUnsupportedProtocol);
        }
        let Some(body) = self.header::<28>(at, end, Event::ArpInvalidPkt) else { return };
        if hardware_size != 6 {
            return self.raise(Event::ArpInvalidHardwareSize);
        }
        if protocol_size != 4 {
            return self.raise(Event::ArpInvalidProtocolSize);
        }
        let operation = u16::from_be_bytes([o0, o1]);
        if !matches!(operation, 1..=4) {
            return self.raise(Event::ArpUnsupportedOpcode);
        }
        let [
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            a0,
            a1,
            a2,
            a3,
            a4,
            a5,
            b0,
            b1,
            b2,
            b3,
            c0,
            c1,
            c2,
            c3,
            c4,
            c5,
            d0,
            d1,
            d2,
            d3,
        ] = *body;
        p.network = Network::Arp(Arp {
            operation,
            sender_mac: [a0, a1, a2, a3, a4, a5],
            sender_ip: [b0, b1, b2, b3],
            target_mac: [c0, c1, c2, c3, c4, c5],
            target_ip: [d0, d1, d2, d3],
        });
    }
}
