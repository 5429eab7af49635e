use super::*;
use crate::witness::{Witness, datagram, look};
use parse::{Settings, Side, Step};

/// A response of a host: a pointer to a service, its text, an address.
fn announcement() -> Vec<u8> {
    let mut m = vec![0, 0, 0x84, 0, 0, 0, 0, 3, 0, 0, 0, 0];
    m.extend_from_slice(b"\x05_http\x04_tcp\x05local\0\0\x0c\0\x01\0\0\x11\x94\0\x05\x02pc\xc0\x0c");
    m.extend_from_slice(b"\xc0\x28\0\x10\x80\x01\0\0\x11\x94\0\x08\x03a=1\x03b=2");
    m.extend_from_slice(b"\x02pc\xc0\x17\0\x01\x80\x01\0\0\0\x78\0\x04\x0a\0\0\x01");
    m
}

#[test]
fn an_announcement_is_a_response_whoever_sends_it() {
    let ask = [&QUERIES_RRNAME, &ANSWERS_RRNAME, &RESPONSE_RRNAME];
    let mut seen = Witness::reading(&ask);
    let mut parser = PROTOCOL.open.expect("it parses")(&Settings::default());
    let step = datagram(parser.as_mut(), Side::ToServer, &announcement(), &mut seen);
    assert_eq!(step, Step::All);
    assert_eq!(
        seen.records,
        [concat!(
            "mdns ToServer \"mdns\":{\"type\":\"response\",\"id\":0,\"flags\":[\"aa\"],\"opcode\":0,\"rcode\":0,",
            "\"answers\":[{\"rrname\":\"_http._tcp.local\",\"ptr\":\"pc._http._tcp.local\"},",
            "{\"rrname\":\"pc._http._tcp.local\",\"txt\":[\"a=1\",\"b=2\"]},",
            "{\"rrname\":\"pc.local\",\"a\":\"10.0.0.1\"}]}"
        )]
    );
    assert_eq!(
        seen.buffers,
        [
            "mdns.queries.rrname=",
            "mdns.answers.rrname=_http._tcp.local|pc._http._tcp.local|pc.local",
            "mdns.response.rrname=_http._tcp.local|pc._http._tcp.local|pc._http._tcp.local|pc.local",
        ]
    );
    assert!(seen.anomalies.is_empty() && seen.hosts.is_empty());
}

#[test]
fn a_question_prints_its_type_in_lower_case() {
    let mut m = vec![0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    m.extend_from_slice(b"\x05_http\x04_tcp\x05local\0\0\x0c\x80\x01");
    let mut seen = Witness::default();
    let mut parser = PROTOCOL.open.expect("it parses")(&Settings::default());
    datagram(parser.as_mut(), Side::ToClient, &m, &mut seen);
    assert_eq!(
        seen.records,
        [concat!(
            "mdns ToClient \"mdns\":{\"type\":\"request\",\"id\":0,\"opcode\":0,\"rcode\":0,",
            "\"queries\":[{\"rrname\":\"_http._tcp.local\",\"rrtype\":\"ptr\"}]}"
        )]
    );
    assert!(seen.hosts.is_empty(), "nobody is called by such a name");
}

#[test]
fn recognised_on_its_port_only() {
    let m = announcement();
    assert_eq!(probe(&look(Side::ToServer, &m, 5353, 5353)), Probe::Yes { swapped: false });
    assert_eq!(probe(&look(Side::ToServer, &m, 5353, 40000)), Probe::Yes { swapped: false });
    assert_eq!(probe(&look(Side::ToServer, &m, 53, 40000)), Probe::No);
    assert_eq!(probe(&look(Side::ToServer, &m, 5353, 53)), Probe::No);
    assert_eq!(probe(&look(Side::ToServer, &m[..30], 5353, 5353)), Probe::No);
}
