use super::*;
use crate::witness::{Dice, Witness, datagram, look, query, stream};
use parse::{Look, Parser, Probe, Settings, Step};

const NAME: &[u8] = b"\x03www\x06google\x03com\0";

fn parser() -> Box<dyn Parser> {
    PROTOCOL.open.expect("it parses")(&Settings::default())
}

/// A message: flags, counts, and everything behind the header.
fn message(flags: u16, counts: [u16; 4], parts: &[&[u8]]) -> Vec<u8> {
    let mut m = vec![0x12, 0x34];
    m.extend_from_slice(&flags.to_be_bytes());
    counts.iter().for_each(|n| m.extend_from_slice(&n.to_be_bytes()));
    parts.iter().for_each(|p| m.extend_from_slice(p));
    m
}

/// A record owned by the first question's name.
fn record(rrtype: u16, rdata: &[u8]) -> Vec<u8> {
    let mut r = vec![0xc0, 12];
    r.extend_from_slice(&rrtype.to_be_bytes());
    r.extend_from_slice(&[0, 1, 0, 0, 0, 60]);
    r.extend_from_slice(&(rdata.len() as u16).to_be_bytes());
    r.extend_from_slice(rdata);
    r
}

const ASK_A: &[u8] = b"\x03www\x06google\x03com\0\0\x01\0\x01";

fn response(records: &[Vec<u8>]) -> Vec<u8> {
    let mut m = message(0x8180, [1, records.len() as u16, 0, 0], &[ASK_A]);
    records.iter().for_each(|r| m.extend_from_slice(r));
    m
}

fn behind_length(m: &[u8]) -> Vec<u8> {
    let mut framed = (m.len() as u16).to_be_bytes().to_vec();
    framed.extend_from_slice(m);
    framed
}

fn one(side: Side, m: &[u8]) -> Witness {
    let mut seen = Witness::default();
    let mut parser = parser();
    parser.carried(Transport::Udp);
    assert_eq!(datagram(parser.as_mut(), side, m, &mut seen), Step::All);
    seen
}

fn names_of(seen: &Witness) -> Vec<&'static str> {
    seen.anomalies.iter().map(|a| a.0).collect()
}

#[test]
fn a_request_and_its_response_are_two_transactions() {
    let mut seen = Witness::default();
    let mut parser = parser();
    datagram(parser.as_mut(), Side::ToServer, &query(NAME), &mut seen);
    let answer = response(&[record(1, &[142, 251, 32, 68])]);
    datagram(parser.as_mut(), Side::ToClient, &answer, &mut seen);
    assert_eq!(
        seen.records,
        [
            concat!(
                "dns ToServer \"dns\":{\"version\":3,\"type\":\"request\",\"tx_id\":0,\"id\":4660,",
                "\"flags\":\"100\",\"rd\":true,\"opcode\":0,\"rcode\":\"NOERROR\",",
                "\"queries\":[{\"rrname\":\"www.google.com\",\"rrtype\":\"A\"}]}"
            ),
            concat!(
                "dns ToClient \"dns\":{\"version\":3,\"type\":\"response\",\"tx_id\":1,\"id\":4660,",
                "\"flags\":\"8180\",\"qr\":true,\"rd\":true,\"ra\":true,\"opcode\":0,\"rcode\":\"NOERROR\",",
                "\"queries\":[{\"rrname\":\"www.google.com\",\"rrtype\":\"A\"}],",
                "\"answers\":[{\"rrname\":\"www.google.com\",\"rrtype\":\"A\",\"ttl\":60,",
                "\"rdata\":\"142.251.32.68\"}],\"grouped\":{\"A\":[\"142.251.32.68\"]}}"
            ),
        ]
    );
    assert_eq!(seen.hosts, ["www.google.com"]);
    assert_eq!(seen.progress, [(0, Side::ToServer, 0), (1, Side::ToClient, 0)]);
    let lens = [query(NAME).len() as u64, answer.len() as u64];
    assert_eq!(seen.frames, [(0, Some(lens[0]), Some(0)), (0, Some(lens[1]), Some(1))]);
    assert!(seen.anomalies.is_empty());
    assert_eq!(parser.transactions(), 2);
}

#[test]
fn every_kind_of_data_prints_as_suricata_does() {
    let mx = [&[0, 10][..], b"\x04mail\xc0\x10"].concat();
    let srv = [&[0, 20, 0, 1, 0x13, 0xc4][..], b"\x03sip\xc0\x10"].concat();
    let mut soa = b"\x02ns\xc0\x10\x04host\xc0\x10".to_vec();
    [1u32, 7200, 900, 1_209_600, 86400].iter().for_each(|n| soa.extend_from_slice(&n.to_be_bytes()));
    let seen = one(
        Side::ToClient,
        &response(&[
            record(28, &[0x2a, 0, 0x14, 0x50, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x20, 0x0e]),
            record(15, &mx),
            record(33, &srv),
            record(6, &soa),
            record(16, b"\x02ab\x01c"),
            record(44, &[1, 2, 0xde, 0xad]),
            record(65, &[0, 1, 0]),
            record(65280, &[7]),
            record(1, &[1, 2]),
            record(1, &[]),
        ]),
    );
    let text = &seen.records[0];
    let rr = |t: &str, rest: &str| {
        format!("{{\"rrname\":\"www.google.com\",\"rrtype\":\"{t}\",\"ttl\":60{rest}}}")
    };
    for expected in [
        rr("AAAA", ",\"rdata\":\"2a00:1450:0000:0000:0000:0000:0000:200e\""),
        rr("MX", ",\"rdata\":\"mail.google.com\""),
        rr("SRV", ",\"srv\":{\"priority\":20,\"weight\":1,\"port\":5060,\"name\":\"sip.google.com\"}"),
        rr(
            "SOA",
            concat!(
                ",\"soa\":{\"mname\":\"ns.google.com\",\"rname\":\"host.google.com\",\"serial\":1,\"refresh\":7200,",
                "\"retry\":900,\"expire\":1209600,\"minimum\":86400}"
            ),
        ),
        format!("{},{}", rr("TXT", ",\"rdata\":\"ab\""), rr("TXT", ",\"rdata\":\"c\"")),
        rr("SSHFP", ",\"sshfp\":{\"fingerprint\":\"de:ad\",\"algo\":1,\"type\":2}"),
        rr("HTTPS", ""),
        rr("65280", ""),
        format!("{},{}", rr("A", ",\"rdata\":\"\""), rr("A", ",\"rdata\":\"\"")),
    ] {
        assert!(text.contains(&expected), "{expected}\nnot in\n{text}");
    }
    assert!(text.ends_with(concat!(
        "\"grouped\":{\"AAAA\":[\"2a00:1450:0000:0000:0000:0000:0000:200e\"],\"MX\":[\"mail.google.com\"],",
        "\"SRV\":[{\"priority\":20,\"weight\":1,\"port\":5060,\"name\":\"sip.google.com\"}],",
        "\"SOA\":[{\"mname\":\"ns.google.com\",\"rname\":\"host.google.com\",\"serial\":1,\"refresh\":7200,",
        "\"retry\":900,\"expire\":1209600,\"minimum\":86400}],\"TXT\":[\"ab\",\"c\"],",
        "\"SSHFP\":[{\"fingerprint\":\"de:ad\",\"algo\":1,\"type\":2}],\"A\":[\"\",\"\"]}}"
    )), "{text}");
}

#[test]
fn an_opt_record_shows_only_with_options() {
    let bare = [0, 0, 41, 16, 0, 0, 0, 0x80, 0, 0, 0];
    let seen = one(Side::ToServer, &message(0x0120, [1, 0, 0, 1], &[ASK_A, &bare]));
    assert!(!seen.records[0].contains("additionals"));
    let cookie = [0, 0, 41, 16, 0, 0, 0, 0, 0, 0, 6, 0, 10, 0, 2, 0xab, 0xcd];
    let seen = one(Side::ToServer, &message(0x0120, [1, 0, 0, 1], &[ASK_A, &cookie]));
    assert!(seen.records[0].ends_with(
        "\"additionals\":[{\"rrname\":\"\",\"rrtype\":\"OPT\",\"ttl\":0,\"opt\":[{\"code\":10,\"data\":\"abcd\"}]}]}"
    ));
}

#[test]
fn flow_export_gets_codes_where_events_have_names() {
    let opt = [0, 0, 41, 2, 0, 0, 0, 0x80, 0, 0, 0];
    let mx = record(15, &[&[0, 20][..], b"\x04alt1\xc0\x10"].concat());
    let seen = one(Side::ToClient, &message(0x8183, [1, 1, 0, 1], &[ASK_A, &mx, &opt]));
    assert_eq!(
        seen.exports[0],
        concat!(
            "\"id\":4660,\"rcode\":3,\"answers\":1,\"name\":\"www.google.com\",\"qtype\":1,\"class\":1,",
            "\"atype\":15,\"rr_ttl\":60,\"rlength\":18,\"rdata\":\"20 alt1.google.com\",\"psize\":512,\"do\":1"
        )
    );
}

#[test]
fn buffers_belong_to_their_side() {
    let all = [&QUERY, &QUERIES_RRNAME, &ANSWERS_RRNAME, &RESPONSE_RRNAME, &RRTYPE, &OPCODE, &RCODE];
    let mut seen = Witness::reading(&all);
    let mut parser = parser();
    datagram(parser.as_mut(), Side::ToServer, &query(NAME), &mut seen);
    let cname = record(5, b"\x01a\xc0\x10");
    datagram(parser.as_mut(), Side::ToClient, &response(&[cname]), &mut seen);
    assert_eq!(
        seen.buffers,
        [
            "dns.query=www.google.com",
            "dns.queries.rrname=www.google.com",
            "dns.answers.rrname=",
            "dns.response.rrname=",
            "dns.rrtype=\\x00\\x01",
            "dns.opcode=\\x00",
            "dns.rcode=\\x00",
            "dns.query=",
            "dns.queries.rrname=www.google.com",
            "dns.answers.rrname=www.google.com",
            "dns.response.rrname=www.google.com|www.google.com|a.google.com",
            "dns.rrtype=\\x00\\x01",
            "dns.opcode=\\x00",
            "dns.rcode=\\x00",
        ]
    );
}

#[test]
fn anomalies_of_messages_that_can_be_read() {
    let ask = |flags| message(flags, [1, 0, 0, 0], &[ASK_A]);
    assert_eq!(names_of(&one(Side::ToServer, &ask(0x0140))), ["Z_FLAG_SET"]);
    assert_eq!(names_of(&one(Side::ToServer, &ask(0x4800))), ["INVALID_OPCODE"]);
    assert_eq!(names_of(&one(Side::ToServer, &ask(0x3000))), [""; 0]);
    let mut turned = Witness::default();
    let mut flow = parser();
    flow.carried(Transport::Udp);
    for flags in [0x0100, 0x8180, 0x0100] {
        datagram(flow.as_mut(), Side::ToClient, &ask(flags), &mut turned);
    }
    assert_eq!(turned.anomalies, [("NOT_RESPONSE", Some(2))], "a server may ask until it has answered");
    assert!(turned.records[0].contains("request") && turned.records[2].contains("response"));
    let wrong = one(Side::ToServer, &ask(0x8180));
    assert_eq!(wrong.anomalies, [("NOT_REQUEST", None)]);
    assert!(wrong.records.is_empty());
    let cut = message(0x0100, [1, 0, 0, 1], &[ASK_A, &[0, 0, 41, 16]]);
    let seen = one(Side::ToServer, &cut);
    assert_eq!(seen.anomalies, [("INVALID_ADDITIONALS", Some(0))]);
    assert_eq!(seen.records.len(), 1);
    let cut = message(0x8180, [1, 0, 1, 1], &[ASK_A, &[0xc0]]);
    assert_eq!(names_of(&one(Side::ToClient, &cut)), ["INVALID_AUTHORITIES"]);
}

#[test]
fn broken_questions_and_answers_spoil_the_message() {
    let cases = [
        message(0x0100, [1, 0, 0, 0], &[b"\x03www\x06goo"]),
        message(0x0100, [1, 0, 0, 0], &[b"\x83www\0\0\x01\0\x01"]),
        // A pointer to itself, and one past the end.
        message(0x0100, [1, 0, 0, 0], &[&[0xc0, 12, 0, 1, 0, 1]]),
        message(0x0100, [1, 0, 0, 0], &[&[0xc1, 0, 0, 1, 0, 1]]),
        message(0x0100, [2, 0, 0, 0], &[ASK_A]),
    ];
    for m in &cases {
        let seen = one(Side::ToServer, m);
        assert_eq!(seen.anomalies, [("MALFORMED_DATA", None)], "{m:?}");
        assert!(seen.records.is_empty());
    }
    let seen = one(Side::ToClient, &response(&[record(6, b"\x01a\0")]));
    assert_eq!(names_of(&seen), ["MALFORMED_DATA"]);
    let seen = one(Side::ToClient, &response(&[record(16, b"\x09a")]));
    assert_eq!(names_of(&seen), ["MALFORMED_DATA"]);
    let nothing_asked = one(Side::ToClient, &message(0x8181, [0; 4], &[]));
    assert!(nothing_asked.records.is_empty());
    assert_eq!(nothing_asked.progress.len(), 1, "a transaction, but no event");
    // What cannot even be a header is passed over in silence.
    let foreign = one(Side::ToServer, &message(0x0100, [0, 0, 0, 0], &[ASK_A]));
    assert!(foreign.anomalies.is_empty() && foreign.records.is_empty());
    assert_eq!(foreign.frames.len(), 1);
}

#[test]
fn pointer_loops_end() {
    // An owner's pointer leads to one that points at itself: the name's end is known, so the record is kept.
    let mut unknown = record(65280, &[0xc0, 44]);
    unknown[1] = 44;
    let seen = one(Side::ToClient, &response(&[unknown]));
    assert_eq!(seen.anomalies, [("INFINITE_LOOP", Some(0))]);
    assert!(seen.records[0].contains("{\"rrname\":\"\",\"rrtype\":\"65280\",\"ttl\":60}"));
    // Two that point at each other: too many labels, and the name is cut.
    let seen = one(Side::ToServer, &message(0, [1, 0, 0, 0], &[&[0xc0, 18, 0, 1, 0, 1, 0xc0, 12]]));
    assert_eq!(names_of(&seen), ["NAME_TOO_LONG", "TOO_MANY_LABELS"]);
    assert!(seen.records[0].contains("\"rrname\":\"\",\"rrtype\":\"A\",\"rrname_truncated\":true"));
    // A label before the pointer, and the pointer back to it.
    let seen = one(Side::ToServer, &message(0, [1, 0, 0, 0], &[&[2, b'a', b'b', 0xc0, 12, 0, 1, 0, 1]]));
    assert_eq!(names_of(&seen), ["NAME_TOO_LONG", "TOO_MANY_LABELS"]);
}

#[test]
fn long_names_are_cut_at_1025_bytes() {
    let mut name = Vec::new();
    for _ in 0..20 {
        name.push(63);
        name.extend_from_slice(&[b'x'; 63]);
    }
    name.push(0);
    let seen = one(Side::ToServer, &query(&name));
    assert_eq!(names_of(&seen), ["NAME_TOO_LONG"]);
    assert_eq!(seen.hosts[0].len(), 1025);
    assert!(seen.records[0].contains("\"rrname_truncated\":true"));
    let many: Vec<u8> = [1, b'a'].repeat(300).into_iter().chain([0]).collect();
    assert_eq!(names_of(&one(Side::ToServer, &query(&many))), ["MALFORMED_DATA"]);
}

#[test]
fn a_message_cannot_make_names_grow_without_bound() {
    // One long name, and thousands of pointers into its middle, each to another place.
    let mut name = Vec::new();
    for _ in 0..16 {
        name.push(63);
        name.extend_from_slice(&[b'x'; 63]);
    }
    name.push(0);
    let count = 8000u16;
    let mut m = message(0x0100, [count, 0, 0, 0], &[&name, &[0, 1, 0, 1]]);
    for i in 1..count {
        let target = if i % 2 == 0 { 12 } else { 12 + 64 };
        m.extend_from_slice(&[0xc0, target, 0, 1, 0, 1]);
    }
    let mut parser = parser();
    let mut seen = Witness::default();
    datagram(parser.as_mut(), Side::ToServer, &m, &mut seen);
    assert!(names_of(&seen).contains(&"NAME_TOO_LONG"));
    assert!(parser.held() < 2 * 1024 * 1024, "{}", parser.held());
    datagram(parser.as_mut(), Side::ToServer, &query(NAME), &mut seen);
    assert!(parser.held() < 64 * 1024, "what was large is given back: {}", parser.held());
}

#[test]
fn tcp_is_the_same_wherever_it_is_cut() {
    let mut bytes = behind_length(&query(NAME));
    bytes.extend_from_slice(&[0, 0]);
    bytes.extend(behind_length(&query(b"\x01b\0")));
    let mut whole = Witness::default();
    let mut one = parser();
    one.carried(Transport::Tcp);
    assert_eq!(stream(one.as_mut(), Side::ToServer, &bytes, &[], &mut whole), Step::All);
    assert_eq!(whole.hosts, ["www.google.com", "b"]);
    assert_eq!(whole.frames[1].0, 2 + query(NAME).len() as u64 + 2 + 2);
    for first in 0..=bytes.len() {
        for second in first..=bytes.len() {
            let mut seen = Witness::default();
            // Whoever does not say what carries the flow gets the same.
            stream(parser().as_mut(), Side::ToServer, &bytes, &[first, second], &mut seen);
            assert_eq!(seen, whole, "cut at {first} and {second}");
        }
    }
    let every: Vec<usize> = (0..bytes.len()).collect();
    let mut seen = Witness::default();
    stream(parser().as_mut(), Side::ToServer, &bytes, &every, &mut seen);
    assert_eq!(seen, whole);
}

#[test]
fn after_a_gap_the_next_message_is_found() {
    let mut parser = parser();
    parser.carried(Transport::Tcp);
    let mut seen = Witness::default();
    let m = behind_length(&query(NAME));
    stream(parser.as_mut(), Side::ToServer, &m, &[], &mut seen);
    assert_eq!(parser.gap(Side::ToServer, 100, &mut seen), Step::All);
    assert_eq!(
        stream(parser.as_mut(), Side::ToServer, b"ogle\x03com\0\0\x01\0\x01", &[], &mut seen),
        Step::All
    );
    assert_eq!(stream(parser.as_mut(), Side::ToServer, &m, &[], &mut seen), Step::All);
    assert_eq!(seen.records.len(), 2);
    assert!(seen.anomalies.is_empty());
    let junk = behind_length(&[0; 20]);
    assert_eq!(stream(parser.as_mut(), Side::ToServer, &junk, &[], &mut seen), Step::Fail);
    assert_eq!(names_of(&seen), ["MALFORMED_DATA"]);
}

#[test]
fn recognised_on_its_port_by_header_elsewhere_without_a_flaw() {
    let yes = Probe::Yes { swapped: false };
    let ask = query(NAME);
    let answer = response(&[record(1, &[1, 2, 3, 4])]);
    assert_eq!(probe::probe(&look(Side::ToServer, &ask, 40000, 53)), yes);
    assert_eq!(probe::probe(&look(Side::ToServer, &ask, 40000, 5300)), yes);
    assert_eq!(probe::probe(&look(Side::ToClient, &answer, 40000, 53)), yes);
    assert_eq!(probe::probe(&look(Side::ToServer, &answer, 53, 40000)), Probe::Yes { swapped: true });
    assert_eq!(probe::probe(&look(Side::ToClient, &ask, 53, 40000)), Probe::Yes { swapped: true });
    for relative in [137, 5353, 5355] {
        assert_eq!(probe::probe(&look(Side::ToServer, &ask, 40000, relative)), Probe::No);
    }
    assert_eq!(probe::probe(&look(Side::ToServer, &ask, 5353, 53)), yes);
    let mut trailing = ask.clone();
    trailing.push(0);
    assert_eq!(probe::probe(&look(Side::ToServer, &trailing, 40000, 53)), yes);
    assert_eq!(probe::probe(&look(Side::ToServer, &trailing, 40000, 5300)), Probe::No);
    let junk = look(Side::ToServer, &[0x30, 0x40, 2, 1, 3, 0x30, 15, 3, 2, 3, 0, 0x91, 0xc8, 2], 40000, 53);
    assert_eq!(probe::probe(&junk), Probe::More);
    assert_eq!(probe::probe(&Look { packets: 9, ..junk }), Probe::No);
}

#[test]
fn recognised_on_tcp_from_any_beginning() {
    let ask = behind_length(&query(NAME));
    for n in 0..=ask.len() {
        for (port, early) in [(53, Probe::Yes { swapped: false }), (5300, Probe::More)] {
            let look = Look { transport: Transport::Tcp, ..look(Side::ToServer, &ask[..n], 40000, port) };
            let expected = match n {
                0..=2 => Probe::More,
                3..14 if port == 53 => Probe::More,
                3..14 => Probe::No,
                _ if n < ask.len() => early,
                _ => Probe::Yes { swapped: false },
            };
            assert_eq!(probe::probe(&look), expected, "{n} bytes on {port}");
        }
    }
}

#[test]
fn random_datagrams_are_not_dns() {
    let mut dice = Dice(0xd1ce);
    for _ in 0..20000 {
        let bytes: Vec<u8> = (0..12 + dice.below(200)).map(|_| dice.below(256) as u8).collect();
        assert_eq!(probe::probe(&look(Side::ToServer, &bytes, 40000, 40001)), Probe::No);
    }
}

#[test]
fn nothing_that_is_sent_panics() {
    let mut dice = Dice(0x5eed);
    let opt = [0, 0, 41, 16, 0, 0, 0, 0, 0, 0, 6, 0, 10, 0, 2, 0xab, 0xcd];
    let rich = {
        let mut m = response(&[
            record(5, b"\x01a\xc0\x10"),
            record(16, b"\x01a"),
            record(33, b"\0\0\0\0\0\0\x01a\xc0\x10"),
        ]);
        m[11] = 1;
        m.extend_from_slice(&opt);
        m
    };
    for _ in 0..20000 {
        let mut m = rich.clone();
        dice.spoil(&mut m);
        let side = Side::BOTH[dice.below(2)];
        let all = PROTOCOL.buffers;
        let mut udp = parser();
        udp.carried(Transport::Udp);
        datagram(udp.as_mut(), side, &m, &mut Witness::reading(all));
        let mut framed = behind_length(&rich);
        framed.extend(behind_length(&m));
        dice.spoil(&mut framed);
        let mut tcp = parser();
        tcp.carried(Transport::Tcp);
        let cuts = [framed.len() / 3, framed.len() / 2];
        stream(tcp.as_mut(), side, &framed, &cuts, &mut Witness::default());
        probe::probe(&look(side, &m, 53, 40000));
    }
}
