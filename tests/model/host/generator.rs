//! Frames made up: UDP over IPv4, of one length, over as many flows as are wanted.

use super::Shared;
use super::hosted::lock;
use super::orders::destination;

/// Flows for each queue that is to see some: enough that a hash which spreads at all reaches it.
const FLOWS_EACH: u64 = 16;
/// Ethernet, IPv4 and UDP headers.
const HEADERS: usize = 14 + 20 + 8;
/// Shortest and longest frame, without its check sequence.
const LENGTHS: std::ops::RangeInclusive<u64> = 60..=16_000;

/// Makes frames one after another, each with its number in the payload.
#[derive(Clone, Debug)]
pub struct Generator {
    to: [u8; 6],
    bytes: usize,
    flows: u64,
    next: u64,
}

impl Generator {
    /// Frames of `bytes` bytes without check sequence, headers included, to the address `to`, over flows enough for
    /// `queues` queues. Lengths are kept within 60 and 16,000.
    #[must_use]
    pub fn new(to: [u8; 6], bytes: u64, queues: u64) -> Self {
        let bytes = bytes.clamp(*LENGTHS.start(), *LENGTHS.end());
        let flows = if queues <= 1 { 1 } else { queues.saturating_mul(FLOWS_EACH) };
        Self { to, bytes: usize::try_from(bytes).unwrap_or(HEADERS), flows, next: 0 }
    }

    /// The same to the address that a function goes by now, over flows for all of its queues.
    #[must_use]
    pub fn to(model: &Shared, bytes: u64) -> Self {
        let (to, queues) = lock(model).now(|model| (destination(model), model.function.host.pairs));
        Self::new(to, bytes, queues.into())
    }

    fn frame(&self, number: u64) -> Vec<u8> {
        let mut frame = Vec::with_capacity(self.bytes);
        frame.extend(self.to);
        frame.extend([0x02, 0x47, 0x45, 0x4E, 0x00, 0x01]);
        frame.extend([0x08, 0x00]);
        let [address, port] = scattered(number % self.flows);
        frame.extend(ipv4(self.bytes - 14, address));
        let [low, high] = port.to_le_bytes();
        let udp = u16::try_from(self.bytes - 34).unwrap_or(u16::MAX).to_be_bytes();
        // ports, length, and no checksum, which UDP over IPv4 allows
        frame.extend([0x40 | high & 0x3F, low, 0x30, 0x39, udp[0], udp[1], 0, 0]);
        frame.extend(number.to_be_bytes());
        frame.resize(self.bytes, 0x5A);
        frame
    }
}

impl Iterator for Generator {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let frame = self.frame(self.next);
        self.next += 1;
        Some(frame)
    }
}

/// What tells flows apart, for the address and for the port; 0 of flow 0. A hash is linear in the bits of its input: of
/// numbers that differ in a few low bits a key of chance may see nothing.
fn scattered(flow: u64) -> [u16; 2] {
    let [.., a, b, c, d] = flow.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes();
    [u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d])]
}

/// A header with its checksum; the flow chooses the source.
fn ipv4(bytes: usize, flow: u16) -> [u8; 20] {
    let len = u16::try_from(bytes).unwrap_or(u16::MAX).to_be_bytes();
    let [low, high] = flow.to_le_bytes();
    let mut header =
        [0x45, 0, len[0], len[1], 0, 0, 0x40, 0, 64, 17, 0, 0, 198, 18, high, low, 198, 19, 0, 1];
    let words = header.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1]));
    let sum: u32 = words.sum();
    let folded = (sum & 0xFFFF) + (sum >> 16);
    let check = !((folded & 0xFFFF) + (folded >> 16)) as u16;
    header[10..12].copy_from_slice(&check.to_be_bytes());
    header
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use avf::rss::{KEY_BYTES, Toeplitz};

    use super::*;
    use crate::fault::Dice;

    #[test]
    fn frames_have_the_length_that_was_asked_for() {
        for bytes in [60, 64, 1514, 9000] {
            let frame = Generator::new([2; 6], bytes, 4).next().expect("endless");
            assert_eq!(frame.len() as u64, bytes);
        }
    }

    #[test]
    fn headers_are_sound() {
        let frame = Generator::new([2; 6], 64, 4).nth(77).expect("endless");
        let sum: u32 = frame[14..34].chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1])).sum();
        assert_eq!((sum & 0xFFFF) + (sum >> 16), 0xFFFF);
        assert_eq!(u16::from_be_bytes([frame[16], frame[17]]), 50);
        assert_eq!(u16::from_be_bytes([frame[38], frame[39]]), 30);
        assert_eq!(frame[42..50], 77_u64.to_be_bytes());
    }

    #[test]
    fn flows_are_as_many_as_queues_need() {
        let flows = |queues| {
            let frames = Generator::new([2; 6], 64, queues).take(1000);
            frames.map(|frame| frame[26..36].to_vec()).collect::<BTreeSet<_>>().len()
        };
        assert_eq!((flows(1), flows(4)), (1, 64));
    }

    /// Drivers choose keys of chance.
    #[test]
    fn every_key_spreads_flows_over_all_queues() {
        let inputs: Vec<[u8; 12]> = (Generator::new([2; 6], 64, 4).take(64))
            .map(|frame| *frame[26..].first_chunk().expect("addresses and ports"))
            .collect();
        let mut dice = Dice(7);
        for _ in 0..2000 {
            let key: Vec<u8> = (0..KEY_BYTES).map(|_| dice.below(256) as u8).collect();
            let toeplitz = Toeplitz::new(&key);
            let queues: BTreeSet<u32> = inputs.iter().map(|input| toeplitz.hash(input) % 4).collect();
            assert_eq!(queues.len(), 4, "{key:?}");
        }
    }
}
