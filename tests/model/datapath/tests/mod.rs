//! Frames in and out, as a driver sees them.

mod answer;
mod conservation;
mod receive;
mod sight;
mod spread;
mod transmit;

use etherparse::PacketBuilder;

use crate::rig::OWN;

/// Somebody else's address.
pub(super) const PEER: [u8; 6] = [0x02, 0, 0, 0, 0, 0x77];

/// A UDP frame of `payload` bytes for the function.
pub(super) fn udp(payload: usize) -> Vec<u8> {
    udp_between([10, 0, 0, 1], [10, 0, 0, 2], 1000, 2000, payload)
}

pub(super) fn udp_between(
    from: [u8; 4],
    to: [u8; 4],
    source: u16,
    destination: u16,
    payload: usize,
) -> Vec<u8> {
    let builder = PacketBuilder::ethernet2(PEER, OWN).ipv4(from, to, 64).udp(source, destination);
    let payload: Vec<u8> = (0..payload).map(|at| (at % 251) as u8).collect();
    let mut frame = Vec::with_capacity(builder.size(payload.len()));
    builder.write(&mut frame, &payload).expect("room");
    frame
}

/// A UDP frame that is `bytes` long as a whole.
pub(super) fn frame_of(bytes: usize) -> Vec<u8> {
    udp(bytes - 42)
}

/// A TCP frame for the function.
pub(super) fn tcp(
    payload: &[u8],
    shape: impl FnOnce(etherparse::TcpHeader) -> etherparse::TcpHeader,
) -> Vec<u8> {
    let header = shape(etherparse::TcpHeader::new(1000, 80, 7, 4096));
    let builder =
        PacketBuilder::ethernet2(PEER, OWN).ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64).tcp_header(header);
    let mut frame = Vec::new();
    builder.write(&mut frame, payload).expect("room");
    frame
}

/// The same frame with a tag.
pub(super) fn tagged(frame: &[u8], tpid: u16, tci: u16) -> Vec<u8> {
    let [a, b] = tpid.to_be_bytes();
    let [c, d] = tci.to_be_bytes();
    let mut tagged = frame.to_vec();
    tagged.splice(12..12, [a, b, c, d]);
    tagged
}
