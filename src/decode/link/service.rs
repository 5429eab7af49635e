//! Network service header (RFC 8300).

use crate::walk::Walk;
use crate::{Event, Packet};

impl Walk<'_> {
    /// Base header, service path, metadata of one of two kinds, then what the next-protocol field says.
    pub(crate) fn nsh(&mut self, p: &mut Packet, at: usize, end: usize) {
        self.out.counters.nsh += 1;
        let Some(header) = self.header::<8>(at, end, Event::NshHeaderTooSmall) else { return };
        if !self.deeper() {
            return;
        }
        let [first, second, kind, next, ..] = *header;
        if first >> 6 != 0 {
            return self.fail(Event::NshUnsupportedVersion);
        }
        let length = usize::from(second & 0x3f) * 4;
        if at + length >= end || length < 8 {
            return self.fail(Event::NshBadHeaderLength);
        }
        match kind & 0x0f {
            0 => return self.fail(Event::NshReservedType),
            1 if length != 24 => return self.fail(Event::NshBadHeaderLength),
            1 | 2 => {}
            _ => return self.fail(Event::NshUnsupportedType),
        }
        self.under_nsh(p, next, at + length, end);
    }

    fn under_nsh(&mut self, p: &mut Packet, next: u8, at: usize, end: usize) {
        match next {
            1 => self.ipv4(p, at, end),
            2 => self.ipv6(p, at, end),
            3 => self.nested_ethernet(p, at, end),
            5 => self.mpls(p, at, end),
            _ => {
                self.out.counters.other += 1;
                self.raise(Event::NshUnknownPayload);
            }
        }
    }
}
