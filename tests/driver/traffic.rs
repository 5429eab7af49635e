//! Frames that can be told apart wherever they come out.

use world::Builder;

/// Bytes of Ethernet, IPv4 and UDP.
const HEADERS: usize = 42;

/// A UDP frame for another station, with its number in it; numbers make flows of their own.
#[must_use]
pub fn udp(number: u64) -> Vec<u8> {
    udp_of(number, 64)
}

/// The same, `length` bytes long; 50 at least.
#[must_use]
pub fn udp_of(number: u64, length: usize) -> Vec<u8> {
    let [a, b, ..] = number.to_le_bytes();
    let mut payload = number.to_be_bytes().to_vec();
    payload.resize(length.saturating_sub(HEADERS).max(8), a);
    Builder::ethernet()
        .ipv4([192, 0, 2, a], [198, 51, 100, b])
        .udp(1024 + 31 * u16::from(a), 53)
        .payload(&payload)
        .build()
}

/// The number in a frame that [`udp`] made, VLAN tag or not.
#[must_use]
pub fn number_of(data: &[u8]) -> Option<u64> {
    let tagged = data.get(12..14)? == [0x81, 0x00];
    let at = HEADERS + if tagged { 4 } else { 0 };
    Some(u64::from_be_bytes(*data.get(at..)?.first_chunk()?))
}
