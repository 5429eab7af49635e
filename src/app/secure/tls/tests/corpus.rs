//! JA4 of real captures, when `VIGIE_CORPORA` names the folder that holds them; says so and passes without.

use parse::{Close, Cursor, Input, Settings, Side, Step};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;

use super::Seen;
use crate::tls::state::Tls;

/// Source and destination of a stream.
type Way = (IpAddr, u16, IpAddr, u16);

/// One direction of a connection: what came, by place.
#[derive(Default)]
struct Stream {
    first: u32,
    parts: BTreeMap<u32, Vec<u8>>,
}

impl Stream {
    fn bytes(&self) -> Vec<u8> {
        let mut all = Vec::new();
        for (at, part) in &self.parts {
            let at = usize::try_from(*at).unwrap();
            if at > all.len() {
                break;
            }
            all.extend(part.iter().skip(all.len() - at));
        }
        all
    }
}

fn frames(file: &[u8]) -> Vec<(u32, Vec<u8>)> {
    match file.get(..4) {
        Some([0x0a, 0x0d, 0x0d, 0x0a]) => blocks(file),
        Some([0xd4, 0xc3, 0xb2, 0xa1] | [0x4d, 0x3c, 0xb2, 0xa1]) => packets(file),
        _ => Vec::new(),
    }
}

/// Little-endian pcap.
fn packets(file: &[u8]) -> Vec<(u32, Vec<u8>)> {
    let mut at = Cursor::new(file);
    at.skip(20).unwrap();
    let link = at.u32_le().unwrap();
    let mut all = Vec::new();
    while let Some(header) = at.array::<16>() {
        let length = u32::from_le_bytes(header[8..12].try_into().unwrap());
        let Some(bytes) = at.take(usize::try_from(length).unwrap()) else { break };
        all.push((link, bytes.to_vec()));
    }
    all
}

/// Little-endian pcapng: interfaces and enhanced packets.
fn blocks(file: &[u8]) -> Vec<(u32, Vec<u8>)> {
    let mut at = Cursor::new(file);
    let (mut links, mut all) = (Vec::new(), Vec::new());
    while let (Some(kind), Some(length)) = (at.u32_le(), at.u32_le()) {
        let Some(body) = at.take(usize::try_from(length.saturating_sub(12)).unwrap()) else { break };
        at.skip(4);
        let mut inner = Cursor::new(body);
        if kind == 1 {
            links.push(u32::from(inner.u16_le().unwrap()));
        } else if kind == 6 {
            let interface = usize::try_from(inner.u32_le().unwrap()).unwrap();
            inner.skip(8).unwrap();
            let captured = usize::try_from(inner.u32_le().unwrap()).unwrap();
            inner.skip(4).unwrap();
            all.push((links[interface], inner.take(captured).unwrap().to_vec()));
        }
    }
    all
}

/// Down to TCP: way, sequence number, whether it begins the stream, payload.
fn segment(link: u32, frame: &[u8]) -> Option<(Way, u32, bool, &[u8])> {
    let mut at = Cursor::new(frame);
    match link {
        1 => {
            at.skip(12)?;
            while at.u16()? == 0x8100 {
                at.skip(2)?;
            }
        }
        113 => at.skip(16)?,
        0 => at.skip(4)?,
        _ => {}
    }
    let packet = at.rest();
    let (from, to, payload): (IpAddr, IpAddr, &[u8]) = match packet.first()? >> 4 {
        4 if packet.get(9) == Some(&6) => {
            let head = usize::from(packet[0] & 15) * 4;
            let total = usize::from(u16::from_be_bytes([*packet.get(2)?, *packet.get(3)?]));
            let address = |at: usize| <[u8; 4]>::try_from(packet.get(at..at + 4)?).ok().map(IpAddr::from);
            (address(12)?, address(16)?, packet.get(head..total.min(packet.len()))?)
        }
        6 if packet.get(6) == Some(&6) => {
            let length = usize::from(u16::from_be_bytes([*packet.get(4)?, *packet.get(5)?]));
            let address = |at: usize| <[u8; 16]>::try_from(packet.get(at..at + 16)?).ok().map(IpAddr::from);
            (address(8)?, address(24)?, packet.get(40..(40 + length).min(packet.len()))?)
        }
        _ => return None,
    };
    let mut tcp = Cursor::new(payload);
    let (source, destination, sequence) = (tcp.u16()?, tcp.u16()?, tcp.u32()?);
    tcp.skip(4)?;
    let head = usize::from(tcp.u8()? >> 4) * 4;
    let begins = tcp.u8()? & 2 != 0;
    Some(((from, source, to, destination), sequence, begins, payload.get(head..)?))
}

fn streams(file: &[u8]) -> BTreeMap<Way, Stream> {
    let mut all: BTreeMap<Way, Stream> = BTreeMap::new();
    for (link, frame) in frames(file) {
        let Some((way, sequence, begins, payload)) = segment(link, &frame) else { continue };
        let fresh = !all.contains_key(&way);
        let stream = all.entry(way).or_default();
        if fresh {
            stream.first = sequence.wrapping_add(u32::from(begins));
        }
        let at = sequence.wrapping_add(u32::from(begins)).wrapping_sub(stream.first);
        if !payload.is_empty() && at < 1 << 30 {
            stream.parts.entry(at).or_insert_with(|| payload.to_vec());
        }
    }
    all
}

/// What the parser tells about the client's half of a connection.
fn told(bytes: &[u8]) -> Seen {
    let mut seen = Seen { everything: true, ..Seen::default() };
    let mut parser = Tls::open(&Settings::default());
    let input = Input { side: Side::ToServer, data: bytes, offset: 0, micros: 0, last: true };
    let step = parser.feed(input, &mut seen);
    assert!(!matches!(step, Step::Switch { .. }));
    parser.close(Close::Ended, &mut seen);
    seen
}

#[test]
fn ja4_of_every_listed_client() {
    let Some(corpora) = std::env::var_os("VIGIE_CORPORA") else {
        eprintln!("VIGIE_CORPORA is not set: the captures with known JA4 were not looked at");
        return;
    };
    let folder = Path::new(&corpora).join("ja4");
    let expected = std::fs::read_to_string(folder.join("expected.tsv")).unwrap();
    let mut found: BTreeMap<String, BTreeMap<Way, Stream>> = BTreeMap::new();
    let mut wrong = Vec::new();
    for line in expected.lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [file, from, source, to, destination, ja4] = columns[..] else { panic!("{line}") };
        let all = found
            .entry(file.to_owned())
            .or_insert_with(|| streams(&std::fs::read(folder.join("pcap").join(file)).unwrap()));
        let way = (
            from.parse().unwrap(),
            source.parse().unwrap(),
            to.parse().unwrap(),
            destination.parse().unwrap(),
        );
        let calls = all.get(&way).map(|stream| told(&stream.bytes()).calls).unwrap_or_default();
        if !calls.iter().any(|call| call == &format!("ja4 {ja4}")) {
            let ja4s: Vec<_> = calls.iter().filter(|call| call.starts_with("ja4")).collect();
            wrong.push(format!("{line}: {ja4s:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
