//! Whole connections, made from the packets of RFC 9001 appendix A.

use parse::{Done, Input, Look, Parser, Probe, Settings, Side, Step, Transport};

use super::PROTOCOL;
use super::keys::Keys;
use super::recorder::Recorder;
use super::version::Version;

/// The CRYPTO frame of RFC 9001 appendix A.2.
pub(super) const CLIENT_HELLO_FRAME: &str = "060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47\
f06a2b69484c00000413011302010000c000000010000e00000b6578616d706c652e636f6dff01000100000a00080006001d0017001800100007000504\
616c706e000500050100000000003300260024001d00209370b2c9caa47fbabaf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b00030203\
04000d0010000e0403050306030203080408050806002d00020101001c00024001003900320408ffffffffffffffff05048000ffff07048000ffff0801\
100104800075300901100f088394c8f03e51570806048000ffff";
/// The ServerHello of RFC 9001 appendix A.3.
const SERVER_HELLO: &str = "020000560303eefce7f7b37ba1d1632e96677825ddf73988cfc79825df566dc5430b9a045a1200130100002e003300\
24001d00209d3c940d89690b84d08a60993c144eca684d1081287c834d5311bcf32bb9da1a002b00020304";
const DCID: &[u8] = &[0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];
const SERVER_ID: &[u8] = &[0xf0, 0x67, 0xa5, 0x50, 0x2a, 0x42, 0x62, 0xb5];

fn bytes(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks(2)
        .map(|two| u8::from_str_radix(str::from_utf8(two).unwrap(), 16).unwrap())
        .collect()
}

/// A client's hello without its frame header.
fn client_hello() -> Vec<u8> {
    bytes(CLIENT_HELLO_FRAME).split_off(4)
}

fn crypto(offset: usize, data: &[u8]) -> Vec<u8> {
    let two = |number: usize| (0x4000 | number as u16).to_be_bytes();
    [&[6][..], &two(offset), &two(data.len()), data].concat()
}

/// Long header of one of the first two versions; `kind` as version 1 numbers it.
fn header(version: Version, kind: u8, dcid: &[u8], scid: &[u8], payload: usize) -> Vec<u8> {
    let number = if version == Version::TWO { (kind + 1) & 3 } else { kind };
    let mut header = vec![0xc3 | number << 4];
    header.extend(version.0.to_be_bytes());
    header.push(dcid.len() as u8);
    header.extend(dcid);
    header.push(scid.len() as u8);
    header.extend(scid);
    if kind == 0 {
        header.push(0);
    }
    header.extend((0x4000 | payload as u16).to_be_bytes());
    header
}

fn seal(keys: &Keys, version: Version, side: Side, dcid: &[u8], number: u32, frames: &[u8]) -> Vec<u8> {
    let mut frames = frames.to_vec();
    frames.resize(frames.len().max(1150), 0);
    let mut head = header(version, 0, dcid, b"", 4 + frames.len() + 16);
    head.extend(number.to_be_bytes());
    keys.seal(side, &head, 4, &frames)
}

struct Run {
    parser: Box<dyn Parser>,
    sink: Recorder,
}

impl Run {
    fn new() -> Self {
        let open = PROTOCOL.open.unwrap();
        Self { parser: open(&Settings::default()), sink: Recorder::of(&PROTOCOL) }
    }

    fn feed(&mut self, side: Side, data: &[u8]) -> Step {
        self.parser.feed(Input { side, data, offset: 0, micros: 0, last: false }, &mut self.sink)
    }
}

fn keys() -> Keys {
    Keys::derive(Version::ONE, DCID).unwrap()
}

fn first(frames: &[u8]) -> Vec<u8> {
    seal(&keys(), Version::ONE, Side::ToServer, DCID, 0, frames)
}

fn answer(frames: &[u8]) -> Vec<u8> {
    seal(&keys(), Version::ONE, Side::ToClient, b"", 0, frames)
}

#[test]
fn both_hellos_make_two_records_and_end_it() {
    let mut run = Run::new();
    assert_eq!(run.feed(Side::ToServer, &first(&bytes(CLIENT_HELLO_FRAME))), Step::All);
    let mut server = answer(&crypto(0, &bytes(SERVER_HELLO)));
    server.extend(header(Version::ONE, 2, b"", SERVER_ID, 40));
    server.extend([9; 40]);
    assert_eq!(run.feed(Side::ToClient, &server), Step::Done(Done::Encrypted));
    let records = run.sink.some("record quic");
    assert_eq!(records.len(), 2, "{records:#?}");
    let text = records[0];
    assert!(text.starts_with("ToServer quic={ version=1 sni=example.com ja3={ hash="), "{text}");
    assert!(text.contains("string=771,4865-4866,0-65281-10-16-5-51-43-13-45-28-57,29-23-24,"), "{text}");
    assert!(text.contains("ja4=q13d0211an_62ed6f6ca7ad_4d634acda6c0 "), "{text}");
    assert!(text.contains("extensions=[ (name=server_name type=0 values=[ values=example.com ; ;"), "{text}");
    assert!(text.contains("(name=alpn type=16 values=[ values=alpn ; ;"), "{text}");
    assert!(text.contains("(name=signature_algorithms type=13 values=[ values=1027 values=1283 "), "{text}");
    assert!(text.contains("(name=supported_versions type=43 values=[ values=Tls13 ;"), "{text}");
    assert!(records[1].starts_with("ToClient quic={ version=1 ja3s={"), "{}", records[1]);
    assert!(
        records[1].contains("(name=supported_versions type=43 values=[ values=Tls13 ;"),
        "{}",
        records[1]
    );
    assert!(records[1].contains("string=771,4865,51-43 "), "{}", records[1]);
    assert_eq!(run.sink.some("host"), ["example.com"]);
    assert!(run.sink.some("anomaly").is_empty());
    let progress = run.sink.some("progress");
    assert!(
        progress[0].contains("quic.sni=example.com quic.version=\0\0\0\u{1} ja3.hash="),
        "{}",
        progress[0]
    );
    assert!(progress[1].contains("ja3s.string=771,4865,51-43"), "{}", progress[1]);
    assert_eq!(run.parser.transactions(), 2);
}

#[test]
fn a_hello_in_pieces_over_three_packets_in_any_order() {
    let hello = client_hello();
    let pieces = [
        crypto(100, &hello[100..]),
        [crypto(60, &hello[60..120]), crypto(0, &hello[..1])].concat(),
        crypto(1, &hello[1..61]),
    ];
    for turn in 0..3 {
        let mut run = Run::new();
        for number in 0..3u32 {
            let frames = &pieces[(turn + number as usize) % 3];
            let dcid = if number == 2 { SERVER_ID } else { DCID };
            run.feed(Side::ToServer, &seal(&keys(), Version::ONE, Side::ToServer, dcid, number, frames));
        }
        let records = run.sink.some("record quic");
        assert_eq!(records.len(), 3);
        assert!(!records[1].contains("sni") && records[2].contains("sni=example.com"), "{records:#?}");
        assert!(run.sink.some("anomaly").is_empty());
    }
}

#[test]
fn packets_behind_a_complete_hello_are_not_looked_at() {
    let mut run = Run::new();
    let packet = first(&bytes(CLIENT_HELLO_FRAME));
    run.feed(Side::ToServer, &packet);
    run.feed(Side::ToServer, &packet);
    run.feed(Side::ToServer, &[0xc0, 0, 0]);
    run.feed(Side::ToServer, &[0x55; 60]);
    assert_eq!(run.parser.transactions(), 1);
    assert!(run.sink.some("anomaly").is_empty());
}

#[test]
fn a_retry_brings_other_keys_and_the_hello_again() {
    let mut run = Run::new();
    run.feed(Side::ToServer, &first(&bytes(CLIENT_HELLO_FRAME)));
    let mut retry = header(Version::ONE, 3, b"", SERVER_ID, 0);
    retry.extend([7; 40]);
    run.feed(Side::ToClient, &retry);
    let keys = Keys::derive(Version::ONE, SERVER_ID).unwrap();
    let again = seal(&keys, Version::ONE, Side::ToServer, SERVER_ID, 1, &bytes(CLIENT_HELLO_FRAME));
    run.feed(Side::ToServer, &again);
    let server = seal(&keys, Version::ONE, Side::ToClient, b"", 0, &crypto(0, &bytes(SERVER_HELLO)));
    assert_eq!(run.feed(Side::ToClient, &server), Step::Done(Done::Encrypted));
    assert_eq!(run.sink.some("host").len(), 2);
    assert_eq!(run.parser.transactions(), 4);
    assert!(run.sink.some("anomaly").is_empty());
}

#[test]
fn a_server_may_answer_in_version_two() {
    let mut run = Run::new();
    run.feed(Side::ToServer, &first(&bytes(CLIENT_HELLO_FRAME)));
    let keys = Keys::derive(Version::TWO, DCID).unwrap();
    let server = seal(&keys, Version::TWO, Side::ToClient, b"", 0, &crypto(0, &bytes(SERVER_HELLO)));
    assert_eq!(run.feed(Side::ToClient, &server), Step::Done(Done::Encrypted));
    assert!(run.sink.some("record quic")[1].contains("version=6b3343cf ja3s"));
}

#[test]
fn after_version_negotiation_the_client_begins_anew() {
    let mut run = Run::new();
    let mut greased = header(Version(0x1a2a_3a4a), 0, DCID, b"", 1170);
    greased.extend([3; 1170]);
    run.feed(Side::ToServer, &greased);
    let mut list = vec![0x80, 0, 0, 0, 0, 0, 8];
    list.extend(DCID);
    list.extend([0, 0, 0, 1, 0x6b, 0x33, 0x43, 0xcf]);
    run.feed(Side::ToClient, &list);
    run.feed(Side::ToServer, &first(&bytes(CLIENT_HELLO_FRAME)));
    let records = run.sink.some("record quic");
    assert!(records[0].contains("version=1a2a3a4a ;") && records[1].contains("version=0 ;"), "{records:?}");
    assert!(records[2].contains("sni=example.com"));
    assert!(run.sink.some("anomaly").is_empty());
}

#[test]
fn a_handshake_seen_from_its_middle_waits_for_an_initial() {
    let mut run = Run::new();
    let mut middle = header(Version::ONE, 2, DCID, b"", 50);
    middle.extend([1; 50]);
    assert_eq!(run.feed(Side::ToClient, &middle), Step::All);
    assert_eq!(run.feed(Side::ToClient, &answer(&[1])), Step::All);
    assert_eq!(run.feed(Side::ToServer, &first(&bytes(CLIENT_HELLO_FRAME))), Step::All);
    assert_eq!(run.sink.some("host"), ["example.com"]);
    assert!(run.sink.some("anomaly").is_empty());
    let mut run = Run::new();
    let steps: Vec<_> = (0..64).map(|_| run.feed(Side::ToClient, &[0x55; 40])).collect();
    assert_eq!(steps[62..], [Step::All, Step::Done(Done::Encrypted)]);
}

#[test]
fn what_is_wrong_is_told() {
    let anomalies = |packets: &[(Side, Vec<u8>)]| {
        let mut run = Run::new();
        packets.iter().for_each(|(side, packet)| _ = run.feed(*side, packet));
        run.sink.some("anomaly").into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let mut forged = first(&bytes(CLIENT_HELLO_FRAME));
    forged[600] ^= 1;
    assert_eq!(
        anomalies(&[(Side::ToServer, forged.clone()), (Side::ToServer, forged)]),
        ["ToServer FAILED_DECRYPT"]
    );
    assert_eq!(anomalies(&[(Side::ToServer, first(&crypto(0, &[9; 80])))]), ["ToServer ERROR_ON_DATA"]);
    assert_eq!(anomalies(&[(Side::ToServer, first(&[2, 0xff]))]), Vec::<String>::new());
    let cut: Vec<u8> = [vec![0; 1146], vec![2, 0xff, 1, 1]].concat();
    assert_eq!(anomalies(&[(Side::ToServer, first(&cut))]), ["ToServer ERROR_ON_DATA"]);
    let long = [&[6, 0x80, 1, 0, 0, 1][..], b"x"].concat();
    assert_eq!(anomalies(&[(Side::ToServer, first(&long))]), ["ToServer CRYPTO_FRAG_TOO_LONG"]);
    let header = [&[0xc0, 0, 0, 0, 1, 8][..], DCID].concat();
    assert_eq!(anomalies(&[(Side::ToServer, header)]), ["ToServer ERROR_ON_HEADER"]);
    assert_eq!(anomalies(&[(Side::ToServer, vec![0x90, 1, 2, 3, 4, 5])]), Vec::<String>::new());
}

#[test]
fn google_hellos_are_read_in_the_clear() {
    let mut packet = vec![0xc3];
    packet.extend(*b"Q046");
    packet.push(0x50);
    packet.extend(DCID);
    packet.extend([0, 0, 0, 1]);
    packet.extend([0xab; 12]);
    packet.extend(*b"\xa0\x01\x04\0CHLO\x02\0\0\0SNI\0\x09\0\0\0UAID\x0d\0\0\0a.exampleBr/1");
    let mut run = Run::new();
    run.feed(Side::ToServer, &packet);
    let records = run.sink.some("record quic");
    assert!(records[0].contains("version=Q046 sni=a.example ua=Br/1 cyu=[ (hash="), "{records:?}");
    assert!(records[0].contains("string=46,SNI-UAID "), "{records:?}");
}

fn look(side: Side, data: &[u8], ports: (u16, u16)) -> Probe {
    let probe = PROTOCOL.probe.unwrap();
    probe(&Look {
        side,
        data,
        other: &[],
        transport: Transport::Udp,
        client_port: ports.0,
        server_port: ports.1,
        packets: 1,
        midstream: false,
    })
}

#[test]
fn the_probe_knows_who_speaks() {
    let client = first(&bytes(CLIENT_HELLO_FRAME));
    assert_eq!(look(Side::ToServer, &client, (5000, 443)), Probe::Yes { swapped: false });
    assert_eq!(look(Side::ToServer, &client, (5000, 5001)), Probe::Yes { swapped: false });
    assert_eq!(look(Side::ToServer, &answer(&[1]), (5000, 5001)), Probe::Yes { swapped: true });
    assert_eq!(look(Side::ToClient, &answer(&[1]), (5000, 443)), Probe::Yes { swapped: false });
    let mut middle = header(Version::ONE, 2, DCID, b"", 50);
    middle.extend([1; 50]);
    assert_eq!(look(Side::ToServer, &middle, (443, 5000)), Probe::Yes { swapped: true });
}

#[test]
fn the_probe_knows_what_only_servers_send() {
    let mut reject = vec![0x08];
    reject.extend([5; 8]);
    reject.extend([0x2a; 13]);
    reject.extend(*b"\xa0\x01REJ\0\x07\0\0\0");
    reject.resize(80, 1);
    assert_eq!(look(Side::ToServer, &reject, (443, 5000)), Probe::Yes { swapped: true });
    let reset = [&[0x0a][..], &[5; 8], b"PRST\x02\0\0\0"].concat();
    assert_eq!(look(Side::ToClient, &reset, (5000, 443)), Probe::Yes { swapped: false });
    let list = [&[0x09][..], &[5; 8], b"Q043Q039"].concat();
    assert_eq!(look(Side::ToClient, &list, (5000, 443)), Probe::Yes { swapped: false });
    let list = [0xc5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    assert_eq!(look(Side::ToServer, &list, (5000, 443)), Probe::Yes { swapped: true });
    assert_eq!(look(Side::ToServer, &list[..10], (5000, 443)), Probe::No);
}

#[test]
fn a_missed_handshake_is_a_guess_at_best() {
    let short = [0x55; 40];
    let at = |packets, other: &[u8], server_port| {
        let probe = PROTOCOL.probe.unwrap();
        let look = Look {
            side: Side::ToServer,
            data: &short,
            other,
            transport: Transport::Udp,
            client_port: 5000,
            server_port,
            packets,
            midstream: false,
        };
        probe(&look)
    };
    assert_eq!(at(3, &short, 443), Probe::Unsure);
    assert_eq!(at(3, &[], 443), Probe::Unsure);
    assert_eq!(at(2, &short, 443), Probe::No);
    assert_eq!(at(3, &short, 4433), Probe::No);
    assert_eq!(at(3, &[0x15; 40], 443), Probe::No);
}

#[test]
fn the_probe_is_not_fooled() {
    let mut seed = 1u64;
    let mut yes = 0;
    for round in 0..200_000 {
        let mut data = [0u8; 64];
        for byte in &mut data {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (seed >> 56) as u8;
        }
        data[0] |= if round % 2 == 0 { 0xc0 } else { 0 };
        yes += usize::from(look(Side::ToServer, &data, (5000, 443)) != Probe::No);
    }
    assert_eq!(yes, 0);
    assert_eq!(look(Side::ToServer, &[], (1, 2)), Probe::No);
}

#[test]
fn any_cut_and_any_flip_is_survived() {
    let packet = first(&bytes(CLIENT_HELLO_FRAME));
    for cut in (0..packet.len()).step_by(7) {
        Run::new().feed(Side::ToServer, &packet[..cut]);
    }
    for flip in 0..60 {
        let mut forged = packet.clone();
        forged[flip] ^= 0x81;
        let mut run = Run::new();
        run.feed(Side::ToServer, &forged);
        run.feed(Side::ToClient, &forged);
        assert!(run.parser.held() < 10_000);
    }
}
