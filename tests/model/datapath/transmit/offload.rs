//! What the device does to a frame on its way out: segments, checksums, tags.

use avf::tx::{IpOffload, Segmentation, TransportOffload};
use etherparse::checksum::u64_16bit_word::{
    add_2bytes, add_slice, ones_complement, ones_complement_with_no_zero,
};

use super::gather::Job;
use crate::datapath::sums;
use crate::vf::Strip;

/// Shortest frame on a wire, without its check sequence (IEEE 802.3).
const SHORTEST: usize = 60;

/// TCP flags of byte 13 that only the last segment keeps (FIN, PSH), and only the first (CWR).
const LAST_ONLY: u8 = 0x09;
const FIRST_ONLY: u8 = 0x80;

/// Where headers of a frame begin.
#[derive(Clone, Copy, Debug)]
struct Places {
    ip: usize,
    transport: usize,
    payload: usize,
}

/// The frames that a job comes to on the wire; `outer` is the protocol of an outer tag.
pub(super) fn frames(job: &Job, outer: u16) -> Vec<Vec<u8>> {
    let lengths = job.first.headers;
    let ip = usize::from(lengths.mac) + tunnel_bytes(job.context.tunnel);
    let transport = ip + usize::from(lengths.ip);
    let places = Places { ip, transport, payload: transport + usize::from(lengths.transport) };
    let mut frames = match job.context.segment {
        Some(segmentation) => segments(job, places, segmentation),
        None => vec![whole(job, places)],
    };
    for frame in &mut frames {
        if let Some(tag) = job.first.tag {
            insert_tag(frame, Strip::TPID, tag);
        }
        if let Some(tag) = job.context.tag {
            insert_tag(frame, outer, tag);
        }
        if frame.len() < SHORTEST {
            frame.resize(SHORTEST, 0);
        }
    }
    frames
}

/// Bytes of outer IP header and of tunnel headers, from the context's tunnelling parameters (EIPLEN in dwords, L4TUNLEN
/// in words).
fn tunnel_bytes(parameters: u32) -> usize {
    let outer_ip = (parameters >> 2 & 0x7F) as usize * 4;
    let tunnel = (parameters >> 12 & 0x7F) as usize * 2;
    if parameters & 3 == 0 { 0 } else { outer_ip + tunnel }
}

fn whole(job: &Job, places: Places) -> Vec<u8> {
    let mut frame = job.bytes.clone();
    write_checksums(job, &mut frame, places, None);
    frame
}

/// TCP segmentation: headers repeated, lengths, identification, sequence number, flags and checksums for each.
fn segments(job: &Job, places: Places, segmentation: Segmentation) -> Vec<Vec<u8>> {
    let Some((headers, payload)) = job.bytes.split_at_checked(places.payload) else { return Vec::new() };
    let mss = usize::from(segmentation.mss.max(1));
    let count = payload.len().div_ceil(mss);
    let one = |(index, part): (usize, &[u8])| {
        let mut frame = [headers, part].concat();
        set_lengths(&mut frame, places, index);
        set_sequence(&mut frame, places, index * mss, index == 0, index + 1 == count);
        let length = frame.len() - places.transport.min(frame.len());
        write_checksums(job, &mut frame, places, Some(length));
        frame
    };
    payload.chunks(mss).enumerate().map(one).collect()
}

/// IP length fields, and the identification of IPv4, which grows by one a segment.
fn set_lengths(frame: &mut [u8], places: Places, index: usize) {
    let after_ip = frame.len().saturating_sub(places.ip);
    match frame.get(places.ip).map(|byte| byte >> 4) {
        Some(4) => {
            put(frame, places.ip + 2, low_16(after_ip));
            let identification = get(frame, places.ip + 4).wrapping_add(low_16(index));
            put(frame, places.ip + 4, identification);
        }
        Some(6) => put(frame, places.ip + 4, low_16(after_ip.saturating_sub(40))),
        _ => {}
    }
}

fn set_sequence(frame: &mut [u8], places: Places, offset: usize, is_first: bool, is_last: bool) {
    let at = places.transport + 4;
    if let Some(field) = frame.get_mut(at..).and_then(<[u8]>::first_chunk_mut::<4>) {
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        *field = u32::from_be_bytes(*field).wrapping_add(offset).to_be_bytes();
    }
    if let Some(flags) = frame.get_mut(places.transport + 13) {
        let lost = if is_last { 0 } else { LAST_ONLY } | if is_first { 0 } else { FIRST_ONLY };
        *flags &= !lost;
    }
}

/// The driver left the sum of the pseudo header in the transport's field, without the length where the device cuts
/// segments; the device adds what it covers.
fn write_checksums(job: &Job, frame: &mut [u8], places: Places, segment: Option<usize>) {
    if job.first.ip == IpOffload::V4Checksum {
        put(frame, places.ip + 10, 0);
        let sum = frame.get(places.ip..places.transport).map_or(0, sums::of_header);
        put(frame, places.ip + 10, sum);
    }
    let field = match job.first.transport {
        TransportOffload::None => return,
        TransportOffload::Tcp => places.transport + 16,
        TransportOffload::Udp => places.transport + 6,
        TransportOffload::Sctp => return write_sctp(frame, places.transport),
    };
    let Some(covered) = frame.get(places.transport..) else { return };
    let length = segment.map_or(0, low_16);
    let sum = add_2bytes(add_slice(0, covered), length.to_be_bytes());
    let sum = match job.first.transport {
        TransportOffload::Udp => ones_complement_with_no_zero(sum),
        _ => ones_complement(sum),
    };
    put(frame, field, sum.to_be());
}

fn write_sctp(frame: &mut [u8], at: usize) {
    let Some(packet) = frame.get_mut(at..) else { return };
    let sum = sums::of_sctp(packet);
    if let Some(field) = packet.get_mut(8..12) {
        field.copy_from_slice(&sum);
    }
}

/// Inserts a tag behind the addresses.
pub(super) fn insert_tag(frame: &mut Vec<u8>, tpid: u16, tci: u16) {
    if frame.len() >= 12 {
        frame.splice(12..12, [tpid.to_be_bytes(), tci.to_be_bytes()].concat());
    }
}

fn get(frame: &[u8], at: usize) -> u16 {
    frame.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |field| u16::from_be_bytes(*field))
}

fn put(frame: &mut [u8], at: usize, value: u16) {
    if let Some(field) = frame.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
        *field = value.to_be_bytes();
    }
}

/// Lengths of frames fit; what does not is cut as the device's fields cut it.
fn low_16(value: usize) -> u16 {
    let [low, high, ..] = value.to_le_bytes();
    u16::from_le_bytes([low, high])
}
