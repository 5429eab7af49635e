//! Frames made by hand, layer in layer.

use decode::{
    Decoder, Event, Ip, Network, Packet, Settings, Sight, Steer, Transport, pair_hash, sight, steer,
};
use frame::{Checksum, Frame, LinkType, Loss, TapId, Timestamp};

pub(crate) const SRC: [u8; 4] = [192, 0, 2, 1];
pub(crate) const DST: [u8; 4] = [198, 51, 100, 2];

/// What decoding one frame gave, owned.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) packets: Vec<Packet>,
    pub(crate) events: Vec<&'static str>,
    pub(crate) loss: Option<Loss>,
    pub(crate) held: bool,
}

impl Seen {
    pub(crate) fn last(&self) -> &Packet {
        self.packets.last().expect("a packet")
    }

    pub(crate) fn ports(&self) -> (u16, u16) {
        match self.last().transport {
            Transport::Tcp(tcp) => (tcp.src_port, tcp.dst_port),
            Transport::Udp(src, dst) | Transport::Sctp(src, dst) => (src, dst),
            other => panic!("no ports in {other:?}"),
        }
    }
}

pub(crate) fn frame(link: LinkType, data: &[u8]) -> Frame<'_> {
    Frame {
        data,
        wire_len: u32::try_from(data.len()).expect("a small frame"),
        time: Timestamp::from_nanos(1_000_000_000),
        number: 1,
        link,
        vlan: None,
        checksum: Checksum::Unknown,
        tap: TapId(0),
    }
}

pub(crate) fn look(link: LinkType, data: &[u8]) -> Seen {
    look_with(&mut Decoder::new(&Settings::default()), &frame(link, data))
}

/// Decodes, and holds every promise that does not depend on the frame.
pub(crate) fn look_with(decoder: &mut Decoder, frame: &Frame<'_>) -> Seen {
    let settings = Settings::default();
    let decoded = decoder.decode(frame);
    for packet in decoded.packets {
        let bytes = decoded.bytes(frame, packet).len();
        let end = packet.payload as usize + packet.payload_len as usize;
        assert!(packet.payload_len == 0 || end <= bytes, "payload outside of its bytes: {packet:?}");
    }
    assert!(decoded.events.iter().all(|(i, _)| usize::from(*i) < decoded.packets.len()));
    let whose = steer(&settings, frame);
    if whose == Steer::Anybody {
        assert!(decoded.packets.iter().all(|packet| ip_of(packet).is_none()), "a flow for nobody");
        assert!(!decoded.held);
    }
    if let Steer::Owner(hash) = whose {
        let [packet] = decoded.packets else { panic!("owner, but not one packet: {:?}", decoded.packets) };
        let ip = ip_of(packet).expect("owner, but no network layer");
        assert_eq!(hash, pair_hash(&ip.src, &ip.dst));
        assert!(decoded.loss.is_none() && !decoded.held);
        assert_seen(sight(&settings, frame).expect("who has an owner is seen"), packet, ip);
    }
    Seen {
        packets: decoded.packets.to_vec(),
        events: decoded.events.iter().map(|(_, event)| Event::name(*event)).collect(),
        loss: decoded.loss,
        held: decoded.held,
    }
}

/// What was seen beforehand is what decoding finds.
fn assert_seen(seen: Sight, packet: &Packet, ip: Ip) {
    assert_eq!((seen.src, seen.dst, seen.version), (ip.src, ip.dst, ip.version));
    assert_eq!((seen.protocol, seen.vlans), (ip.protocol, packet.vlans));
    match packet.transport {
        Transport::Tcp(tcp) => assert_eq!(seen.ports, (tcp.src_port, tcp.dst_port)),
        Transport::Udp(src, dst) | Transport::Sctp(src, dst) => assert_eq!(seen.ports, (src, dst)),
        _ => {}
    }
}

pub(crate) fn ip_of(packet: &Packet) -> Option<Ip> {
    match packet.network {
        Network::Ip(ip) => Some(ip),
        _ => None,
    }
}

pub(crate) fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

pub(crate) fn eth(kind: u16, payload: &[u8]) -> Vec<u8> {
    join(&[&[2, 0, 0, 0, 0, 2], &[2, 0, 0, 0, 0, 1], &kind.to_be_bytes(), payload])
}

/// What follows the tag's own ethertype.
pub(crate) fn tag(id: u16, kind: u16, payload: &[u8]) -> Vec<u8> {
    join(&[&id.to_be_bytes(), &kind.to_be_bytes(), payload])
}

pub(crate) fn ip4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    ip4_with(protocol, 0, 0, &[], payload)
}

pub(crate) fn ip4_with(protocol: u8, id: u16, fragment: u16, options: &[u8], payload: &[u8]) -> Vec<u8> {
    let total = u16::try_from(20 + options.len() + payload.len()).expect("a small packet");
    let first = 0x45 + u8::try_from(options.len() / 4).expect("few options");
    let mut header = join(&[
        &[first, 0],
        &total.to_be_bytes(),
        &id.to_be_bytes(),
        &fragment.to_be_bytes(),
        &[64, protocol, 0, 0],
        &SRC,
        &DST,
        options,
    ]);
    let sum = sum(&header);
    header[10..12].copy_from_slice(&sum.to_be_bytes());
    join(&[&header, payload])
}

pub(crate) fn ip6(next: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).expect("a small packet");
    let (mut src, mut dst) = ([0_u8; 16], [0_u8; 16]);
    (src[0], src[1], src[15]) = (0x20, 0x01, 1);
    (dst[0], dst[1], dst[15]) = (0x20, 0x01, 2);
    join(&[&[0x60, 0, 0, 0], &length.to_be_bytes(), &[next, 64], &src, &dst, payload])
}

pub(crate) fn udp(src: u16, dst: u16, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(8 + payload.len()).expect("a small packet");
    join(&[&src.to_be_bytes(), &dst.to_be_bytes(), &length.to_be_bytes(), &[0, 0], payload])
}

pub(crate) fn tcp(options: &[u8], payload: &[u8]) -> Vec<u8> {
    let offset = 0x50 + u8::try_from(options.len() / 4).expect("few options") * 0x10;
    join(&[&[0x30, 0x39, 0, 80, 0, 0, 0, 7, 0, 0, 0, 9, offset, 0x18, 1, 0, 0, 0, 0, 0], options, payload])
}

/// Whole inner packet that every tunnel test carries.
pub(crate) fn inner4() -> Vec<u8> {
    ip4(17, &udp(1111, 2222, b"inner"))
}

pub(crate) fn sum(bytes: &[u8]) -> u16 {
    let mut sum: u32 =
        bytes.chunks(2).map(|c| u32::from(c[0]) << 8 | u32::from(*c.get(1).unwrap_or(&0))).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).expect("folded")
}
