//! Any bytes as a frame of any link type: every packet that decoding answers lies inside its bytes.

#![no_main]

use decode::{Decoder, Settings};
use frame::{Checksum, Frame, LinkType, TapId, Timestamp};
use libfuzzer_sys::fuzz_target;

/// Link types that are decoded, and two that nobody knows.
const LINKS: &[u16] = &[1, 101, 113, 276, 0, 108, 9, 50, 51, 105, 127, 12, 14, 228, 229, 104, 147, 65535];

fuzz_target!(|input: (u8, Vec<Vec<u8>>)| {
    let (link, frames) = input;
    let mut decoder = Decoder::new(&Settings::default());
    let link = LinkType(LINKS[usize::from(link) % LINKS.len()]);
    for (number, data) in frames.iter().enumerate() {
        let frame = Frame {
            data,
            wire_len: data.len() as u32,
            time: Timestamp::from_nanos(number as u64 * 1_000_000),
            number: number as u64 + 1,
            link,
            vlan: None,
            checksum: Checksum::default(),
            tap: TapId::default(),
        };
        let _ = decode::steer(&Settings::default(), &frame);
        let decoded = decoder.decode(&frame);
        for packet in decoded.packets {
            let bytes = decoded.bytes(&frame, packet);
            let end = u64::from(packet.payload) + u64::from(packet.payload_len);
            assert!(end <= bytes.len() as u64, "the payload ends at {end} of {}", bytes.len());
        }
        for (index, _) in decoded.events {
            assert!(usize::from(*index) < decoded.packets.len().max(1));
        }
    }
});
