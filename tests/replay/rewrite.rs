//! The same conversations in the smallest pieces: one byte of payload a TCP segment.

use crate::{Classic, Packet};

/// Places in a frame.
struct Segment {
    ip: usize,
    is_v6: bool,
    tcp: usize,
    payload: usize,
    end: usize,
}

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const PSH: u8 = 0x08;

/// Splits payloads until `most` segments were made; what follows stays as it is. Checksums are not adjusted.
#[must_use]
pub fn one_byte_a_segment(capture: &Classic, most: usize) -> Classic {
    let mut packets = Vec::new();
    let mut made = 0;
    for packet in &capture.packets {
        let segment = find(capture.link, packet).filter(|s| s.end - s.payload > 1 && made < most);
        let Some(segment) = segment else {
            packets.push(packet.clone());
            continue;
        };
        made += segment.end - segment.payload;
        let parts = segment.payload..segment.end;
        packets.extend(parts.map(|at| one(packet, &segment, at)));
    }
    Classic { link: capture.link, packets }
}

/// The segment that carries the byte at `at` alone.
fn one(packet: &Packet, s: &Segment, at: usize) -> Packet {
    let mut bytes = packet.bytes[..s.payload].to_vec();
    bytes.push(packet.bytes[at]);
    let behind = (at - s.payload) as u32;
    let (first, last) = (behind == 0, at + 1 == s.end);
    let syn = bytes[s.tcp + 13] & SYN != 0;
    // A SYN takes a sequence number of its own (RFC 9293 section 3.4).
    let step = behind + u32::from(syn && !first);
    put32(&mut bytes, s.tcp + 4, |sequence| sequence.wrapping_add(step));
    let drop = if first { 0 } else { SYN } | if last { 0 } else { FIN | PSH };
    bytes[s.tcp + 13] &= !drop;
    let (length_at, header) = if s.is_v6 { (s.ip + 4, s.ip + 40) } else { (s.ip + 2, s.ip) };
    let length = (s.payload + 1 - header) as u16;
    bytes[length_at..length_at + 2].copy_from_slice(&length.to_be_bytes());
    Packet { nanos: packet.nanos, wire_len: bytes.len(), bytes }
}

fn put32(bytes: &mut [u8], at: usize, change: impl Fn(u32) -> u32) {
    let old = u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    bytes[at..at + 4].copy_from_slice(&change(old).to_be_bytes());
}

/// Finds a whole, unfragmented TCP segment right behind the link header.
fn find(link: u16, packet: &Packet) -> Option<Segment> {
    let bytes = &packet.bytes;
    let ip = match link {
        1 => ether(bytes)?,
        12 | 14 | 101 => 0,
        113 => 16,
        _ => return None,
    };
    let (is_v6, tcp, end) = match bytes.get(ip)? >> 4 {
        4 => {
            let header = usize::from(bytes[ip] & 15) * 4;
            let whole = bytes.get(ip + 6)? & 0x3f == 0 && *bytes.get(ip + 7)? == 0;
            (whole && *bytes.get(ip + 9)? == 6 && header >= 20).then_some(())?;
            (false, ip + header, ip + usize::from(u16::from_be_bytes([bytes[ip + 2], bytes[ip + 3]])))
        }
        6 => {
            (*bytes.get(ip + 6)? == 6).then_some(())?;
            (true, ip + 40, ip + 40 + usize::from(u16::from_be_bytes([bytes[ip + 4], bytes[ip + 5]])))
        }
        _ => return None,
    };
    let payload = tcp + usize::from(bytes.get(tcp + 12)? >> 4) * 4;
    (payload >= tcp + 20 && payload <= end && end <= bytes.len()).then_some(Segment {
        ip,
        is_v6,
        tcp,
        payload,
        end,
    })
}

/// Behind the Ethernet header and its VLAN tags.
fn ether(bytes: &[u8]) -> Option<usize> {
    let mut at = 12;
    loop {
        match bytes.get(at..at + 2)? {
            [0x81, 0x00] | [0x88, 0xa8] => at += 4,
            [0x08, 0x00] | [0x86, 0xdd] => return Some(at + 2),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use world::{Conversation, Side};

    fn talk(mss: usize) -> Vec<Packet> {
        let ends = ("192.0.2.1:40000".parse().expect("address"), "198.51.100.1:80".parse().expect("address"));
        let mut talk = Conversation::new(ends.0, ends.1).mss(mss);
        talk.open();
        talk.say(Side::Client, b"question");
        let packet = |bytes: Vec<u8>| Packet { nanos: 0, wire_len: bytes.len(), bytes };
        talk.into_frames().into_iter().map(packet).collect()
    }

    #[test]
    fn each_byte_travels_alone_at_its_own_place() {
        let whole = Classic { link: 1, packets: talk(1448) };
        let split = one_byte_a_segment(&whole, 1000);
        let places = |capture: &Classic| -> Vec<(u32, Vec<u8>)> {
            let found = capture.packets.iter().filter_map(|p| Some((find(1, p)?, p)));
            found
                .filter(|(s, _)| s.end > s.payload)
                .map(|(s, p)| {
                    let sequence = p.bytes[s.tcp + 4..s.tcp + 8].try_into().expect("four bytes");
                    (u32::from_be_bytes(sequence), p.bytes[s.payload..s.end].to_vec())
                })
                .collect()
        };
        let first = places(&whole)[0].0;
        let want: Vec<_> = (first..).zip(b"question".map(|b| vec![b])).collect();
        assert_eq!(places(&split), want);
    }

    #[test]
    fn only_so_many_segments_are_made() {
        let whole = Classic { link: 1, packets: talk(4) };
        assert_eq!(one_byte_a_segment(&whole, 4).packets.len(), whole.packets.len() + 3);
    }
}
