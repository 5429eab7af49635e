//! Whole conversations, in every cut.

use parse::{
    Anomaly, Buffer, Close, Field, FileEvent, Frame, Input, Parser, Piece, Record, Settings, Side, Sink,
    Step, Transaction, Visitor,
};
use std::net::IpAddr;

use super::state::Tls;

mod corpus;

/// Writes down every call.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) calls: Vec<String>,
    /// Also the client's JA4, which is there before any event is.
    everything: bool,
}

impl Seen {
    fn has(&self, start: &str) -> bool {
        self.calls.iter().any(|call| call.starts_with(start))
    }

    fn count(&self, start: &str) -> usize {
        self.calls.iter().filter(|call| call.starts_with(start)).count()
    }

    fn record(&self) -> &str {
        self.calls.iter().find(|call| call.starts_with("record")).map_or("", String::as_str)
    }
}

impl Sink for Seen {
    fn progress(&mut self, tx: &dyn Transaction, side: Side, phase: u8) {
        self.calls.push(format!("progress {side:?} {phase}"));
        if let Some(ja4) = tx.buffer(&super::catalogue::JA4_HASH, side, 0).filter(|_| self.everything) {
            self.calls.push(format!("ja4 {}", String::from_utf8_lossy(ja4)));
        }
    }

    fn stream(&mut self, _tx: &dyn Transaction, _buffer: &'static Buffer, _piece: Piece<'_>) {}

    fn frame(&mut self, frame: Frame) {
        self.calls
            .push(format!("frame {} {:?} {} {:?}", frame.kind.name, frame.side, frame.offset, frame.len));
    }

    fn file(&mut self, _tx: &dyn Transaction, _side: Side, _event: FileEvent<'_>) {}

    fn anomaly(&mut self, _tx: Option<&dyn Transaction>, _side: Side, what: &'static Anomaly) {
        self.calls.push(format!("anomaly {}", what.name));
    }

    fn record(&mut self, tx: &dyn Transaction, side: Side, record: &'static Record) {
        let mut fields = Fields::default();
        tx.fields(&mut fields);
        self.calls.push(format!("record {} {side:?}\n{}", record.event_type, fields.0));
    }

    fn host(&mut self, name: &[u8]) {
        self.calls.push(format!("host {}", String::from_utf8_lossy(name)));
    }
}

#[derive(Default)]
struct Fields(String);

impl Fields {
    fn line(&mut self, field: &Field, value: impl std::fmt::Display) {
        self.0.push_str(&format!("{}={value}\n", field.path));
    }
}

impl Visitor for Fields {
    fn object(&mut self, _field: &'static Field) {}
    fn list(&mut self, _field: &'static Field) {}
    fn item(&mut self) {}
    fn close(&mut self) {}
    fn text(&mut self, field: &'static Field, value: &[u8]) {
        self.line(field, String::from_utf8_lossy(value));
    }
    fn word(&mut self, field: &'static Field, value: &'static str) {
        self.line(field, value);
    }
    fn number(&mut self, field: &'static Field, value: u64) {
        self.line(field, value);
    }
    fn signed(&mut self, field: &'static Field, value: i64) {
        self.line(field, value);
    }
    fn flag(&mut self, field: &'static Field, value: bool) {
        self.line(field, value);
    }
    fn address(&mut self, field: &'static Field, value: IpAddr) {
        self.line(field, value);
    }
    fn time(&mut self, field: &'static Field, micros: i64) {
        self.line(field, micros);
    }
    fn hex(&mut self, field: &'static Field, value: &[u8], _separator: &'static str) {
        self.line(field, format!("{value:02x?}"));
    }
}

/// A self-signed certificate made for these tests: `C=FR, O=vigie, CN=vigie.test`, 1969-12-31 to 2049-01-01.
const CERTIFICATE: &[u8] = include_bytes!("tests/certificate.der");

fn counted(width: usize, bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
    [&length[4 - width..], bytes].concat()
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &counted(3, body)].concat()
}

fn record(content: u8, body: &[u8]) -> Vec<u8> {
    [&[content, 3, 3][..], &counted(2, body)].concat()
}

fn extension(kind: u16, data: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &counted(2, data)].concat()
}

fn host(name: &str) -> Vec<u8> {
    extension(0, &counted(2, &[&[0][..], &counted(2, name.as_bytes())].concat()))
}

fn client_hello(session: &[u8], extensions: &[Vec<u8>]) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([0x11; 32]);
    body.extend(counted(1, session));
    body.extend(counted(2, &[0x13, 0x01, 0xc0, 0x2f]));
    body.extend([1, 0]);
    body.extend(counted(2, &extensions.concat()));
    message(1, &body)
}

fn server_hello(session: &[u8], extensions: &[Vec<u8>]) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([0x22; 32]);
    body.extend(counted(1, session));
    body.extend([0xc0, 0x2f, 0]);
    body.extend(counted(2, &extensions.concat()));
    message(2, &body)
}

fn certificates(chain: &[&[u8]]) -> Vec<u8> {
    let chain: Vec<u8> = chain.iter().flat_map(|der| counted(3, der)).collect();
    message(11, &counted(3, &chain))
}

fn alpn() -> Vec<u8> {
    extension(16, &counted(2, b"\x02h2\x08http/1.1"))
}

/// A flow: its parser, and what is still to be eaten on each side.
struct Flow {
    parser: Box<dyn Parser>,
    seen: Seen,
    offset: [u64; 2],
    waiting: [Vec<u8>; 2],
    skip: [u64; 2],
    end: Option<Step>,
}

impl Flow {
    fn new() -> Self {
        Self::with(&Settings::default())
    }

    fn with(settings: &Settings) -> Self {
        Self {
            parser: Tls::open(settings),
            seen: Seen::default(),
            offset: [0; 2],
            waiting: Default::default(),
            skip: [0; 2],
            end: None,
        }
    }

    fn give(&mut self, side: Side, bytes: &[u8]) {
        if self.end.is_some() {
            return;
        }
        let i = side.index();
        let past = usize::try_from(self.skip[i]).unwrap().min(bytes.len());
        self.skip[i] -= past as u64;
        self.offset[i] += past as u64;
        self.waiting[i].extend(&bytes[past..]);
        if self.waiting[i].is_empty() {
            return;
        }
        let data = self.waiting[i].clone();
        let input = Input { side, data: &data, offset: self.offset[i], micros: 0, last: false };
        let step = self.parser.feed(input, &mut self.seen);
        let eaten = match step {
            Step::All => data.len(),
            Step::Wait { eaten, want } => {
                assert!(want > data.len() - eaten, "wants what is there");
                eaten
            }
            Step::Skip(n) => {
                self.skip[i] = n;
                data.len()
            }
            Step::Done(_) | Step::Fail | Step::Switch { .. } => {
                self.end = Some(step);
                data.len()
            }
        };
        self.waiting[i].drain(..eaten);
        self.offset[i] += eaten as u64;
    }

    fn close(mut self) -> Seen {
        self.parser.close(Close::Ended, &mut self.seen);
        self.seen
    }
}

type Talk = Vec<(Side, Vec<u8>)>;

/// A whole handshake of TLS 1.2 and some data.
fn full_handshake() -> Talk {
    let client = record(22, &client_hello(&[], &[host("vigie.test"), alpn(), extension(35, &[])]));
    let flight = [
        record(22, &server_hello(&[5; 32], &[extension(16, &counted(2, b"\x02h2"))])),
        record(
            22,
            &[certificates(&[CERTIFICATE, CERTIFICATE]), message(12, &[7; 40]), message(14, &[])].concat(),
        ),
    ]
    .concat();
    let keys = [record(22, &message(16, &[8; 66])), record(20, &[1]), record(22, &[0xee; 40])].concat();
    let change = [record(20, &[1]), record(22, &[0xee; 40])].concat();
    vec![
        (Side::ToServer, client),
        (Side::ToClient, flight),
        (Side::ToServer, keys),
        (Side::ToClient, change),
        (Side::ToServer, record(23, &[0xaa; 300])),
        (Side::ToClient, record(23, &[0xbb; 900])),
        (Side::ToClient, record(23, &[0xbb; 900])),
    ]
}

fn speak(talk: &Talk) -> Flow {
    let mut flow = Flow::new();
    talk.iter().for_each(|(side, bytes)| flow.give(*side, bytes));
    flow
}

/// Calls that do not depend on where a stretch of bytes ends: not the order of phases, which may come together.
fn lasting(seen: &Seen) -> Vec<String> {
    let mut calls: Vec<_> = seen.calls.iter().filter(|call| !call.starts_with("progress")).cloned().collect();
    calls.sort();
    calls
}

#[test]
fn the_protocol_before_is_told() {
    let mut flow = Flow::new();
    flow.parser.succeeds("http");
    full_handshake().iter().for_each(|(side, bytes)| flow.give(*side, bytes));
    let seen = flow.close();
    assert!(seen.record().contains("tls.version=TLS 1.2\ntls.from_proto=http\n"), "{}", seen.record());
}

#[test]
fn a_full_handshake_tells_everything() {
    let flow = speak(&full_handshake());
    assert_eq!(flow.end, Some(Step::Done(parse::Done::Encrypted)));
    let seen = flow.close();
    let expected = "record tls ToServer\n\
        tls.subject=C=FR, O=vigie, CN=vigie.test\n\
        tls.issuerdn=C=FR, O=vigie, CN=vigie.test\n\
        tls.subjectaltname=vigie.test\n\
        tls.subjectaltname=[192, 0, 2, 1]\n\
        tls.subjectaltname=https://vigie.test/\n\
        tls.serial=00:97:E6\n";
    assert!(seen.record().starts_with(expected), "{}", seen.record());
    let rest = seen.record();
    assert!(rest.contains("tls.sni=vigie.test\ntls.version=TLS 1.2\ntls.notbefore=-86400000000\n"), "{rest}");
    assert!(rest.contains("tls.ja3.string=771,4865-49199,0-16-35,,\n"), "{rest}");
    assert!(rest.contains("tls.ja3s.string=771,49199,16\n"), "{rest}");
    assert!(rest.contains("tls.ja4=t12d0203h2_"), "{rest}");
    assert!(rest.contains("tls.client_alpns=h2\ntls.client_alpns=http/1.1\ntls.server_alpns=h2\n"), "{rest}");
    assert_eq!(seen.count("record"), 1);
    assert!(!seen.has("anomaly"), "{:?}", seen.calls);
    assert!(!rest.contains("session_resumed") && !rest.contains("tls.chain"));
}

#[test]
fn every_cut_tells_the_same() {
    let talk = full_handshake();
    let whole = lasting(&speak(&talk).close());
    for (turn, (_, bytes)) in talk.iter().enumerate() {
        for cut in 1..bytes.len() {
            let mut parts = talk.clone();
            let second = parts[turn].1.split_off(cut);
            parts.insert(turn + 1, (parts[turn].0, second));
            assert_eq!(lasting(&speak(&parts).close()), whole, "turn {turn}, cut {cut}");
        }
    }
}

#[test]
fn byte_by_byte_tells_the_same() {
    let talk = full_handshake();
    let single: Talk =
        talk.iter().flat_map(|(side, bytes)| bytes.iter().map(|byte| (*side, vec![*byte]))).collect();
    assert_eq!(lasting(&speak(&single).close()), lasting(&speak(&talk).close()));
}

#[test]
fn messages_may_be_cut_over_records_anywhere() {
    let hello = client_hello(&[], &[host("vigie.test")]);
    let flight = [server_hello(&[], &[]), certificates(&[CERTIFICATE]), message(14, &[])].concat();
    for cut in 1..flight.len() {
        let mut flow = Flow::new();
        flow.give(Side::ToServer, &record(22, &hello));
        flow.give(Side::ToClient, &record(22, &flight[..cut]));
        flow.give(Side::ToClient, &record(22, &flight[cut..]));
        assert_eq!(flow.seen.count("record tls"), 1, "{cut}");
        assert!(flow.seen.record().contains("tls.serial=00:97:E6"));
    }
    for cut in 1..hello.len() {
        let mut flow = Flow::new();
        flow.give(Side::ToServer, &[record(22, &hello[..cut]), record(22, &hello[cut..])].concat());
        assert!(flow.seen.has("host vigie.test"), "{cut}");
        assert_eq!(flow.seen.has("anomaly INVALID_SSL_RECORD"), cut < 4, "{cut}");
    }
}

#[test]
fn nothing_that_is_cut_off_or_wrong_panics() {
    for (turn, (side, bytes)) in full_handshake().iter().enumerate().take(3) {
        for at in 0..bytes.len() {
            for wrong in [0, 1, 0x7f, 0x80, 0xff] {
                let mut flow = Flow::new();
                full_handshake().iter().take(turn).for_each(|(side, bytes)| flow.give(*side, bytes));
                let mut bent = bytes.clone();
                bent[at] = wrong;
                flow.give(*side, &bent);
                assert!(flow.parser.held() < 64 * 1024);
                assert!(flow.close().count("record") <= 1);
            }
        }
    }
}

#[test]
fn tls13_is_told_when_both_sides_send_data() {
    let versions = extension(43, &counted(1, &[0x1a, 0x1a, 3, 4, 3, 3]));
    let mut flow = Flow::new();
    flow.give(Side::ToServer, &record(22, &client_hello(&[4; 32], &[host("vigie.test"), versions])));
    flow.give(Side::ToClient, &record(22, &server_hello(&[4; 32], &[extension(43, &[3, 4])])));
    flow.give(Side::ToClient, &[record(20, &[1]), record(23, &[0xcc; 700])].concat());
    assert!(!flow.seen.has("record"));
    // the beginning of a record is enough
    flow.give(Side::ToServer, &[record(20, &[1]), record(23, &[0xcc; 60])[..6].to_vec()].concat());
    let text = flow.seen.record();
    assert!(text.contains("tls.version=TLS 1.3\n") && text.contains("tls.ja4=t13d0202"), "{text}");
    assert!(!text.contains("session_resumed"), "{text}");
    assert_eq!(flow.end, Some(Step::Done(parse::Done::Encrypted)));
}

#[test]
fn early_data_is_not_the_end_of_a_handshake() {
    let offers = [extension(43, &counted(1, &[3, 4])), extension(42, &[])];
    let mut flow = Flow::new();
    flow.give(Side::ToServer, &record(22, &client_hello(&[], &offers)));
    flow.give(Side::ToServer, &record(23, &[1; 100]));
    assert!(!flow.seen.has("progress ToServer 3"));
    flow.give(Side::ToClient, &record(22, &server_hello(&[], &[extension(43, &[3, 4])])));
    flow.give(Side::ToServer, &record(23, &[1; 100]));
    assert!(flow.seen.has("progress ToServer 3"));
}

#[test]
fn resumption_by_session_id_and_by_ticket() {
    for (session, extensions) in [(vec![7; 32], vec![]), (vec![], vec![extension(35, &[1; 90])])] {
        let mut flow = Flow::new();
        flow.give(Side::ToServer, &record(22, &client_hello(&session, &extensions)));
        let answer =
            [record(22, &server_hello(&session, &[])), record(20, &[1]), record(22, &[0xee; 40])].concat();
        flow.give(Side::ToClient, &answer);
        flow.give(Side::ToServer, &[record(20, &[1]), record(22, &[0xee; 40])].concat());
        assert!(!flow.seen.has("record"));
        flow.give(Side::ToClient, &record(23, &[0xee; 40]));
        assert!(flow.seen.record().contains("tls.session_resumed=true\n"), "{:?}", flow.seen.calls);
    }
}

#[test]
fn a_hello_alone_is_told_only_when_a_ticket_came_with_it() {
    let mut flow = Flow::new();
    flow.give(Side::ToServer, &record(22, &client_hello(&[], &[host("vigie.test")])));
    assert!(!flow.close().has("record"));
    let mut flow = Flow::new();
    flow.give(Side::ToServer, &record(22, &client_hello(&[], &[extension(35, &[])])));
    let seen = flow.close();
    assert!(seen.record().contains("tls.version=TLS 1.2\n"), "{:?}", seen.calls);
}

#[test]
fn the_clients_certificate_is_waited_for() {
    let mut flow = Flow::with(&Settings { certificates: true, ..Settings::default() });
    flow.give(Side::ToServer, &record(22, &client_hello(&[], &[])));
    let flight =
        [server_hello(&[], &[]), certificates(&[CERTIFICATE]), message(13, &[1, 1, 0, 0]), message(14, &[])];
    flow.give(Side::ToClient, &record(22, &flight.concat()));
    assert!(!flow.seen.has("record"));
    flow.give(Side::ToServer, &record(22, &[certificates(&[CERTIFICATE]), message(16, &[0; 60])].concat()));
    let text = flow.seen.record();
    assert!(text.contains("tls.client.serial=00:97:E6\n"), "{text}");
    assert!(text.contains("tls.certificate=MII") && text.contains("tls.client.chain=MII"), "{text}");
}

#[test]
fn bad_hellos_have_names() {
    let type_of_name = extension(0, &counted(2, &[1, 0, 1, b'a']));
    let cases: [(&str, Vec<u8>); 6] = [
        ("INVALID_SNI_TYPE", client_hello(&[], &[type_of_name])),
        ("INVALID_SNI_LENGTH", client_hello(&[], &[host("")])),
        ("INVALID_SNI_LENGTH", client_hello(&[], &[host(&"a".repeat(256))])),
        ("MULTIPLE_SNI_EXTENSIONS", client_hello(&[], &[host("a.test"), host("b.test")])),
        ("HANDSHAKE_INVALID_LENGTH", client_hello(&[], &[extension(43, &[9, 3, 4])])),
        ("HANDSHAKE_INVALID_LENGTH", message(1, &[3, 3, 0])),
    ];
    for (name, hello) in cases {
        let mut flow = Flow::new();
        flow.give(Side::ToServer, &record(22, &hello));
        assert_eq!(flow.seen.count(&format!("anomaly {name}")), 1, "{:?}", flow.seen.calls);
        assert_eq!(flow.end, None);
    }
}

#[test]
fn bad_records_end_it_and_have_names() {
    let cases: [(&str, &[u8]); 6] = [
        ("INVALID_RECORD_TYPE", &[25, 3, 3, 0, 1, 0]),
        ("INVALID_RECORD_LENGTH", &[22, 3, 3, 0, 0]),
        ("INVALID_RECORD_LENGTH", &[22, 3, 3, 0xff, 0]),
        ("INVALID_RECORD_VERSION", &[22, 3, 9, 0, 4]),
        ("INVALID_ALERT_MESSAGE", &[21, 3, 3, 0, 1, 2]),
        ("OVERFLOW_HEARTBEAT_MESSAGE", &[24, 3, 3, 0, 3, 1, 0x40, 0]),
    ];
    for (name, bytes) in cases {
        let mut flow = Flow::new();
        flow.give(Side::ToServer, bytes);
        assert_eq!(flow.seen.calls.last(), Some(&format!("anomaly {name}")));
        assert_eq!(flow.end, Some(Step::Fail));
    }
}

#[test]
fn unknown_messages_and_bad_certificates_do_not_end_it() {
    let mut flow = Flow::new();
    flow.give(Side::ToClient, &record(22, &message(99, &[0; 5])));
    flow.give(Side::ToClient, &record(22, &certificates(&[&[0x30, 3, 5, 0, 0]])));
    assert!(flow.seen.has("anomaly INVALID_HANDSHAKE_MESSAGE"));
    assert!(flow.seen.has("anomaly CERTIFICATE_INVALID_DER"));
    assert_eq!(flow.end, None);
    assert!(!flow.close().has("record"));
}

#[test]
fn a_fatal_alert_ends_the_conversation() {
    let mut flow = Flow::new();
    flow.give(Side::ToServer, &record(22, &client_hello(&[], &[extension(35, &[])])));
    flow.give(Side::ToClient, &record(21, &[2, 40]));
    assert_eq!(flow.end, Some(Step::Done(parse::Done::Finished)));
    assert_eq!(flow.close().count("record"), 1);
}

#[test]
fn a_gap_is_fatal_outside_application_records_only() {
    let mut flow = Flow::new();
    assert_eq!(flow.parser.gap(Side::ToServer, 10, &mut flow.seen), Step::Fail);
    let mut flow = Flow::new();
    flow.give(Side::ToClient, &record(23, &[1; 1000])[..100]);
    assert_eq!(flow.parser.gap(Side::ToClient, 200, &mut flow.seen), Step::All);
    let after = Input { side: Side::ToClient, data: &[1; 50], offset: 300, micros: 0, last: false };
    assert_eq!(flow.parser.feed(after, &mut flow.seen), Step::Skip(655));
    assert_eq!(flow.parser.gap(Side::ToClient, 5000, &mut flow.seen), Step::All);
    let beyond = Input { side: Side::ToClient, data: &[1; 50], offset: 5350, micros: 0, last: false };
    assert_eq!(flow.parser.feed(beyond, &mut flow.seen), Step::Fail);
}

#[test]
fn an_sslv2_hello_may_lead_to_a_newer_version() {
    let mut hello = vec![0x80, 46, 1, 3, 1, 0, 21, 0, 0, 0, 16];
    hello.extend([0; 37]);
    let mut flow = Flow::new();
    flow.give(Side::ToServer, &hello);
    assert!(flow.seen.has("progress ToServer 1"));
    flow.give(Side::ToClient, &record(22, &[server_hello(&[], &[]), certificates(&[CERTIFICATE])].concat()));
    assert!(flow.seen.record().contains("tls.version=TLS 1.2"), "{:?}", flow.seen.calls);
}

#[test]
fn sslv2_itself_ends_encrypted() {
    let mut hello = vec![0x80, 46, 1, 0, 2, 0, 21, 0, 0, 0, 16];
    hello.extend([0; 37]);
    let mut flow = Flow::new();
    flow.give(Side::ToServer, &hello);
    flow.give(Side::ToClient, &[0x80, 4, 4, 0, 1, 0]);
    flow.give(Side::ToServer, &[0x80, 2, 2, 0]);
    flow.give(Side::ToClient, &[0x80, 2, 5, 0]);
    flow.give(Side::ToServer, &[0x80, 2, 3, 0]);
    assert_eq!(flow.end, Some(Step::Done(parse::Done::Encrypted)));
    assert!(!flow.seen.has("anomaly"), "{:?}", flow.seen.calls);
    let mut flow = Flow::new();
    flow.give(Side::ToServer, &[0x80, 0, 1]);
    assert!(flow.seen.has("anomaly INVALID_SSLV2_HEADER") && flow.seen.has("anomaly INVALID_SSL_RECORD"));
}

#[test]
fn buffers_show_what_rules_look_into() {
    struct Look(Vec<String>);
    let mut seen = Look(Vec::new());
    impl Sink for Look {
        fn progress(&mut self, tx: &dyn Transaction, side: Side, phase: u8) {
            for buffer in super::TLS.buffers.iter().filter(|one| one.ready.contains(&(side, phase))) {
                for index in 0.. {
                    let Some(value) = tx.buffer(buffer, side, index) else { break };
                    let value = &value[..value.len().min(20)];
                    self.0.push(format!("{} {index} {}", buffer.name, String::from_utf8_lossy(value)));
                }
            }
        }
        fn stream(&mut self, _: &dyn Transaction, _: &'static Buffer, _: Piece<'_>) {}
        fn frame(&mut self, _: Frame) {}
        fn file(&mut self, _: &dyn Transaction, _: Side, _: FileEvent<'_>) {}
        fn anomaly(&mut self, _: Option<&dyn Transaction>, _: Side, _: &'static Anomaly) {}
        fn record(&mut self, _: &dyn Transaction, _: Side, _: &'static Record) {}
        fn host(&mut self, _: &[u8]) {}
    }
    let mut parser = Tls::open(&Settings::default());
    for (side, bytes) in full_handshake().iter().take(2) {
        parser.feed(Input { side: *side, data: bytes, offset: 0, micros: 0, last: false }, &mut seen);
    }
    for expected in [
        "tls.sni 0 vigie.test",
        "tls.alpn 1 http/1.1",
        "tls.cert_serial 0 00:97:E6",
        "tls.subjectaltname 2 https://vigie.test/",
        "tls.cert_issuer 0 C=FR, O=vigie, CN=vi",
        "ja3s.string 0 771,49199,16",
        "tls.version 0 TLS 1.2",
    ] {
        assert!(seen.0.contains(&expected.to_owned()), "{expected}: {:?}", seen.0);
    }
    assert_eq!(seen.0.iter().filter(|line| line.starts_with("tls.certs ")).count(), 2);
    for name in ["tls.random ", "tls.random_time", "tls.random_bytes", "ja3.hash", "ja3s.hash", "ja4.hash"] {
        assert!(seen.0.iter().any(|line| line.starts_with(name)), "{name}");
    }
}
