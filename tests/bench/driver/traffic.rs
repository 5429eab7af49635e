//! The frames: 64 bytes on the wire, 60 without their check sequence, UDP over IPv4, one flow a number.

use frame::Frame;

/// Bytes of a frame as a NIC hands it over.
pub(crate) const BYTES: usize = 60;

/// Ethernet, IPv4 without options and with its checksum, UDP without one.
const HEADERS: [u8; 42] = [
    2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8, 8, 0, 0x45, 0, 0, 46, 0, 0, 0x40, 0, 64, 17, 0, 0, 0, 0, 0, 0, 192,
    168, 0, 1, 0, 0, 0, 53, 0, 26, 0, 0,
];

const SUM: usize = 24;
const SOURCE: usize = 26;
const PORT: usize = 34;

/// The frame of flow `number`.
pub(crate) fn write(number: u32, bytes: &mut [u8; BYTES]) {
    *bytes = [0; BYTES];
    bytes[..HEADERS.len()].copy_from_slice(&HEADERS);
    bytes[SOURCE..SOURCE + 4].copy_from_slice(&(0x0A00_0000 + number).to_be_bytes());
    bytes[PORT..PORT + 2].copy_from_slice(&(1024 + (number % 60_000) as u16).to_be_bytes());
    let sum = checksum(&bytes[14..34]);
    bytes[SUM..SUM + 2].copy_from_slice(&sum.to_be_bytes());
}

/// The number that a frame was written from.
pub(crate) fn number_of(frame: &Frame<'_>) -> u64 {
    let source = frame.data.get(SOURCE..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
    u64::from(u32::from_be_bytes(source).wrapping_sub(0x0A00_0000))
}

/// Flows in an order that no cache likes: each once, then again.
pub(crate) fn order(flows: u32) -> impl Iterator<Item = u32> {
    // A prime that is larger than any number of flows visits all of them.
    (0_u64..).map(move |n| (n * 2_654_435_761 % u64::from(flows)) as u32)
}

fn checksum(header: &[u8]) -> u16 {
    let (words, _) = header.as_chunks::<2>();
    let sum: u32 = words.iter().map(|word| u32::from(u16::from_be_bytes(*word))).sum();
    let folded = (sum & 0xFFFF) + (sum >> 16);
    !((folded & 0xFFFF) + (folded >> 16)) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_add_up() {
        let mut bytes = [0; BYTES];
        for number in [0, 1, 77_777, 999_999] {
            write(number, &mut bytes);
            assert_eq!(checksum(&bytes[14..34]), 0);
        }
    }

    #[test]
    fn every_flow_comes_once_in_its_turn() {
        for flows in [1, 2, 1000, 65_536] {
            let mut seen: Vec<u32> = order(flows).take(flows as usize).collect();
            seen.sort_unstable();
            assert!(seen.into_iter().eq(0..flows), "{flows}");
        }
    }
}
