use super::*;
use crate::witness::{Dice, Witness, datagram, look};
use parse::{Settings, Step};

/// A message with this op, given options behind the cookie.
fn message(op: u8, options: &[u8]) -> Vec<u8> {
    let mut m = vec![op, 1, 6, 0, 0, 0, 0x3d, 0x1e, 0, 0, 0, 0];
    m.extend_from_slice(&[0, 0, 0, 0, 192, 168, 0, 10, 192, 168, 0, 1, 0, 0, 0, 0]);
    m.extend_from_slice(&[0, 0x0b, 0x82, 1, 0xfc, 0x42]);
    m.resize(HEADER, 0);
    m.extend_from_slice(&COOKIE);
    m.extend_from_slice(options);
    m
}

const ACK: &[u8] = &[
    53, 1, 5, 58, 4, 0, 0, 7, 8, 59, 4, 0, 0, 12, 78, 51, 4, 0, 0, 14, 16, 54, 4, 192, 168, 0, 1, 1, 4, 255,
    255, 255, 0, 3, 4, 192, 168, 0, 1, 6, 8, 8, 8, 8, 8, 1, 1, 1, 1, 12, 2, b'p', b'c', 255,
];

fn run(extended: bool, messages: &[Vec<u8>]) -> Witness {
    let settings = Settings { dhcp_extended: extended, ..Settings::default() };
    let mut parser = PROTOCOL.open.expect("it parses")(&settings);
    let mut seen = Witness::reading(&[&LEASE_TIME, &RENEWAL_TIME]);
    for m in messages {
        assert_eq!(datagram(parser.as_mut(), Side::ToServer, m, &mut seen), Step::All);
    }
    assert_eq!(parser.transactions(), messages.len() as u64);
    seen
}

#[test]
fn only_acknowledgements_are_recorded_and_in_short() {
    let seen = run(false, &[message(1, &[53, 1, 1, 255]), message(2, ACK)]);
    assert_eq!(
        seen.records,
        [concat!(
            "dhcp ToServer \"dhcp\":{\"type\":\"reply\",\"id\":15646,\"client_mac\":\"00:0b:82:01:fc:42\",",
            "\"assigned_ip\":\"192.168.0.10\",\"dhcp_type\":\"ack\",\"renewal_time\":1800,\"hostname\":\"pc\"}"
        )]
    );
    assert_eq!(seen.progress.len(), 2);
    let value = |s: &str| s.to_owned();
    assert_eq!(
        seen.buffers[2..],
        [value("dhcp.leasetime=\\x00\\x00\\x0e\\x10"), value("dhcp.renewal_time=\\x00\\x00\\x07\\x08")]
    );
    assert!(seen.anomalies.is_empty());
}

#[test]
fn extended_records_tell_everything() {
    let discover = [
        53, 1, 1, 61, 7, 1, 0, 0x0b, 0x82, 1, 0xfc, 0x42, 50, 4, 0, 0, 0, 0, 55, 4, 1, 3, 6, 43, 60, 3, b'M',
        b'S', b'F', 0, 255,
    ];
    let seen = run(true, &[message(1, &discover), message(2, ACK)]);
    assert_eq!(
        seen.records[0],
        concat!(
            "dhcp ToServer \"dhcp\":{\"type\":\"request\",\"id\":15646,\"client_mac\":\"00:0b:82:01:fc:42\",",
            "\"assigned_ip\":\"192.168.0.10\",\"client_ip\":\"0.0.0.0\",\"dhcp_type\":\"discover\",",
            "\"client_id\":\"00:0b:82:01:fc:42\",\"requested_ip\":\"0.0.0.0\",",
            "\"params\":[\"subnet_mask\",\"router\",\"dns_server\"],\"vendor_class_identifier\":\"MSF\"}"
        )
    );
    assert_eq!(
        seen.records[1],
        concat!(
            "dhcp ToServer \"dhcp\":{\"type\":\"reply\",\"id\":15646,\"client_mac\":\"00:0b:82:01:fc:42\",",
            "\"assigned_ip\":\"192.168.0.10\",\"client_ip\":\"0.0.0.0\",\"relay_ip\":\"0.0.0.0\",",
            "\"next_server_ip\":\"192.168.0.1\",\"dhcp_type\":\"ack\",\"renewal_time\":1800,",
            "\"rebinding_time\":3150,\"lease_time\":3600,\"subnet_mask\":\"255.255.255.0\",",
            "\"routers\":[\"192.168.0.1\"],\"dns_servers\":[\"8.8.8.8\",\"1.1.1.1\"],\"hostname\":\"pc\"}"
        )
    );
}

#[test]
fn options_that_end_early_or_do_not_fit_are_anomalies() {
    let cases: [(&[u8], &[&str]); 5] = [
        (&[53, 1, 5], &["TRUNCATED_OPTIONS"]),
        (&[53, 1, 5, 12, 9, b'a', 255], &["TRUNCATED_OPTIONS"]),
        (&[61, 1, 1, 12, 1, b'a', 255], &["MALFORMED_OPTIONS"]),
        (&[51, 2, 1, 1, 255], &["MALFORMED_OPTIONS"]),
        (&[53, 1, 5, 0, 0, 255, 1, 2], &[]),
    ];
    for (options, expected) in cases {
        let seen = run(false, &[message(2, options)]);
        let names: Vec<&str> = seen.anomalies.iter().map(|a| a.0).collect();
        assert_eq!(names, expected, "{options:?}");
    }
}

#[test]
fn an_option_said_twice_counts_as_said_last() {
    let seen = run(false, &[message(2, &[53, 1, 5, 12, 1, b'a', 12, 1, b'b', 255])]);
    assert!(seen.records[0].ends_with("\"dhcp_type\":\"ack\",\"hostname\":\"b\"}"));
}

#[test]
fn recognised_by_header_and_cookie() {
    let m = message(1, &[53, 1, 1, 255]);
    let yes = Probe::Yes { swapped: false };
    assert_eq!(probe(&look(Side::ToServer, &m, 68, 67)), yes);
    assert_eq!(probe(&look(Side::ToServer, &m, 4011, 4011)), yes);
    assert_eq!(probe(&look(Side::ToServer, &m[..HEADER], 68, 67)), yes);
    assert_eq!(probe(&look(Side::ToServer, &m[..HEADER], 4011, 4011)), Probe::No);
    assert_eq!(probe(&look(Side::ToServer, &m[..HEADER - 1], 68, 67)), Probe::No);
    assert_eq!(probe(&look(Side::ToServer, &message(3, &[255]), 68, 67)), Probe::No);
}

#[test]
fn nothing_that_is_sent_panics() {
    let mut dice = Dice(0x5eed);
    for _ in 0..4000 {
        let mut m = message(2, ACK);
        dice.spoil(&mut m);
        for extended in [false, true] {
            run(extended, &[]);
            let settings = Settings { dhcp_extended: extended, ..Settings::default() };
            let mut parser = PROTOCOL.open.expect("it parses")(&settings);
            datagram(parser.as_mut(), Side::ToClient, &m, &mut Witness::default());
        }
    }
}
