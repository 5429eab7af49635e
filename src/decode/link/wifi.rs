//! 802.11 data frames (IEEE 802.11 section 9), with or without a radiotap header (radiotap.org).

use crate::walk::{Start, Walk};
use crate::{Ether, Event, Packet};

/// What radiotap says of the bytes after the 802.11 header and after the body.
#[derive(Clone, Copy, Default)]
pub(super) struct Tail {
    /// A frame check sequence of 4 bytes ends the frame.
    check: bool,
    /// The header is padded to a multiple of 4.
    padded: bool,
}

impl Walk<'_> {
    /// Radiotap: version 0, length, a list of presence words, then fields in their natural alignment.
    pub(super) fn radiotap(&mut self, p: &mut Packet, at: usize, end: usize) {
        let Some(header) = self.header::<8>(at, end, Event::EthernetPktTooSmall) else { return };
        let [version, _, l0, l1, present @ ..] = *header;
        let length = usize::from(u16::from_le_bytes([l0, l1]));
        if version != 0 || length < 8 {
            return self.fail(Event::EthernetPktTooSmall);
        }
        let tail = self.radiotap_flags(u32::from_le_bytes(present), at, at + length);
        self.wifi(p, at + length, end, tail);
    }

    /// The flags field stands first but for the 8-byte timer, behind every presence word.
    fn radiotap_flags(&self, present: u32, at: usize, end: usize) -> Tail {
        if present & 0b10 == 0 {
            return Tail::default();
        }
        let (mut word, mut fields) = (present, at + 8);
        while word & 0x8000_0000 != 0 {
            let Some(next) = self.peek::<4>(fields, end) else { return Tail::default() };
            word = u32::from_le_bytes(*next);
            fields += 4;
        }
        if present & 1 == 1 {
            fields = at + (fields - at).next_multiple_of(8) + 8;
        }
        let [flags] = self.peek::<1>(fields, end).copied().unwrap_or_default();
        Tail { check: flags & 0x10 != 0, padded: flags & 0x20 != 0 }
    }

    /// The 802.11 header of a data frame; others have no network layer.
    pub(super) fn wifi(&mut self, p: &mut Packet, at: usize, end: usize, tail: Tail) {
        let end = if tail.check { end.saturating_sub(4).max(at) } else { end };
        let Some(&[control, flags]) = self.header::<2>(at, end, Event::EthernetPktTooSmall) else { return };
        let data = control & 0x0c == 0x08 && control & 0x40 == 0;
        if !data || flags & 0x40 != 0 {
            // management, control, no data, or encrypted
            self.out.counters.other += 1;
            return;
        }
        let Some(header) = self.header::<24>(at, end, Event::EthernetPktTooSmall) else { return };
        self.out.counters.wifi += 1;
        let [_, _, _, _, one @ .., _, _] = *header;
        let (to_ds, from_ds) = (flags & 1 != 0, flags & 2 != 0);
        let fourth = if to_ds && from_ds { self.peek::<6>(at + 24, end).copied() } else { None };
        p.ether = Some(addresses(&one, to_ds, from_ds, fourth));
        let mut length = if to_ds && from_ds { 30 } else { 24 };
        let mut bundled = false;
        if control & 0x80 != 0 {
            let Some([quality, _]) = self.header::<2>(at + length, end, Event::EthernetPktTooSmall) else {
                return;
            };
            bundled = quality & 0x80 != 0;
            // the order bit of a QoS frame says that a high-throughput control field follows
            length += if flags & 0x80 != 0 { 6 } else { 2 };
        }
        if tail.padded {
            length = length.next_multiple_of(4);
        }
        if bundled { self.bundle(p, at + length, end) } else { self.llc(p, at + length, end) }
    }

    /// An A-MSDU (section 9.3.2.2): subframes with addresses and length, each padded to 4. The first is this packet,
    /// the others are packets of their own.
    fn bundle(&mut self, p: &mut Packet, at: usize, end: usize) {
        let (start, mut at, mut first) = (at, at, true);
        while let Some(header) = self.peek::<14>(at, end) {
            let [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, high, low] = *header;
            let length = usize::from(u16::from_be_bytes([high, low]));
            let ether = Ether { src: [s0, s1, s2, s3, s4, s5], dst: [d0, d1, d2, d3, d4, d5] };
            let body_end = end.min(at + 14 + length);
            if first {
                p.ether = Some(ether);
                self.llc(p, at + 14, body_end);
            } else {
                let mut task = *self.task;
                task.start = Start::Llc;
                task.ether = Some(ether);
                task.length = crate::walk::short(body_end - at);
                (task.at, task.end) = (at + 14, body_end);
                if self.queue(task).is_none() {
                    return;
                }
            }
            first = false;
            at = start + (at - start + 14 + length).next_multiple_of(4);
        }
    }
}

/// Source and destination by the two distribution-system bits (table 9-60).
fn addresses(three: &[u8; 18], to_ds: bool, from_ds: bool, fourth: Option<[u8; 6]>) -> Ether {
    let (one, rest) = three.split_first_chunk::<6>().unwrap_or((&[0; 6], &[]));
    let (two, rest) = rest.split_first_chunk::<6>().unwrap_or((&[0; 6], &[]));
    let three = rest.first_chunk::<6>().unwrap_or(&[0; 6]);
    match (to_ds, from_ds) {
        (false, false) => Ether { src: *two, dst: *one },
        (true, false) => Ether { src: *two, dst: *three },
        (false, true) => Ether { src: *three, dst: *one },
        (true, true) => Ether { src: fourth.unwrap_or_default(), dst: *three },
    }
}
