//! MPLS label stacks (RFC 3032) and what lies under them.

use crate::walk::Walk;
use crate::{Event, Packet};

impl Walk<'_> {
    /// Labels of 4 bytes down to the one with the bottom bit.
    pub(crate) fn mpls(&mut self, p: &mut Packet, at: usize, end: usize) {
        self.out.counters.mpls += 1;
        let mut at = at;
        loop {
            if !self.deeper() {
                return;
            }
            let Some(label) = self.header::<4>(at, end, Event::MplsHeaderTooSmall) else { return };
            at += 4;
            let label = u32::from_be_bytes(*label);
            if label & 0x100 != 0 {
                return self.under_mpls(p, label >> 12, at, end);
            }
        }
    }

    /// The bottom label: reserved values (RFC 3032 section 2.1) name the payload or are wrong here.
    fn under_mpls(&mut self, p: &mut Packet, label: u32, at: usize, end: usize) {
        match label {
            0 => self.ipv4(p, at, end),
            1 => self.fail(Event::MplsBadLabelRouterAlert),
            2 => self.ipv6(p, at, end),
            3 => self.fail(Event::MplsBadLabelImplicitNull),
            4..=15 => self.fail(Event::MplsBadLabelReserved),
            _ => self.guess_under_mpls(p, at, end),
        }
    }

    /// Nothing names the payload: the first nibble tells IP from a pseudowire's control word (RFC 4385 section 3).
    fn guess_under_mpls(&mut self, p: &mut Packet, at: usize, end: usize) {
        let Some([first, ..]) = self.header::<4>(at, end, Event::MplsPktTooSmall) else { return };
        match first >> 4 {
            4 => self.ipv4(p, at, end),
            6 => self.ipv6(p, at, end),
            0 => self.nested_ethernet(p, at + 4, end),
            _ => {
                self.out.counters.other += 1;
                self.raise(Event::MplsUnknownPayloadType);
            }
        }
    }
}
