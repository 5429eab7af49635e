//! Streams as transactions: requests, answers, files, DNS.

use super::make::{END_HEADERS, END_STREAM, block, client, flow, frame, get, headers, talk};
use crate::http::buffers as http;
use crate::http::tests::recorder::Flow;
use crate::http2::{buffers, connection::Http2};
use flate2::{Compression, write::GzEncoder};
use parse::Side::{self, ToClient, ToServer};
use parse::{Buffer, FileEnd, Settings, Sink, Transaction};
use std::io::Write;

#[test]
fn a_request_and_its_answer() {
    let request = headers(
        1,
        true,
        &[(":method", "GET"), (":path", "/p?q"), (":authority", "Host.example:81"), ("user-agent", "u/1")],
    );
    let answer =
        headers(1, false, &[(":status", "404"), ("content-length", "2"), ("content-type", "a/b; c")]);
    let told =
        talk(&[(ToServer, &client(&[request])), (ToClient, &[answer, frame(0, 1, 1, b"no")].concat())]);
    assert_eq!(
        told.of("record"),
        [
            "record 0 http http{ version=2 request_headers[ { name=:method value=GET } { name=:path value=/p?q } \
          { name=:authority value=Host.example:81 } { name=user-agent value=u/1 } } response_headers[ \
          { name=:status value=404 } { name=content-length value=2 } { name=content-type value=a/b; c } } \
          http_method=GET url=/p?q hostname=Host.example http_user_agent=u/1 http_content_type=a/b length=2 status=404 \
          http2{ stream_id=1 } }"
        ]
    );
    assert_eq!(told.of("host"), ["host Host.example"]);
    assert_eq!(told.of("file"), ["file 0 tc /p None"]);
    assert_eq!((&told.files[0].data[..], told.files[0].end), (&b"no"[..], Some(FileEnd::Closed)));
    let phases: Vec<&str> = told.of("progress").iter().map(|line| &line["progress 0 ".len()..]).collect();
    assert_eq!(phases, ["ts 0", "ts 1", "ts 3", "tc 0", "tc 1", "tc 2", "tc 3"]);
}

#[test]
fn streams_do_not_mix() {
    let told = talk(&[
        (ToServer, &client(&[get(1, "/1"), get(3, "/3")])),
        (
            ToClient,
            &[
                headers(3, false, &[(":status", "200")]),
                headers(1, false, &[(":status", "201")]),
                frame(0, 0, 3, b"th"),
                frame(0, 0, 1, b"on"),
                frame(0, 0, 3, b"ree"),
                frame(0, END_STREAM, 1, b"e"),
                headers(3, true, &[("trailer", "t")]),
            ]
            .concat(),
        ),
    ]);
    let mut files: Vec<_> = told.of("close");
    files.sort_unstable();
    assert_eq!(files, ["close 0 tc 3 Closed", "close 1 tc 5 Closed"]);
    assert!(told.of("record 0")[0].contains("status=201") && told.of("record 1")[0].contains("name=trailer"));
}

#[test]
fn interim_answers_are_not_the_answer() {
    let told = talk(&[
        (ToServer, &client(&[get(1, "/")])),
        (ToClient, &headers(1, false, &[(":status", "103")])),
        (ToClient, &headers(1, true, &[(":status", "200")])),
    ]);
    assert!(told.of("record")[0].contains("status=200"));
    assert_eq!(told.of("progress 0 tc 1").len(), 1);
}

#[test]
fn a_stream_given_up_still_gets_its_answer() {
    let told = talk(&[
        (ToServer, &client(&[get(1, "/"), frame(3, 0, 1, &[0, 0, 0, 8])])),
        (ToClient, &headers(1, true, &[(":status", "200")])),
        (ToServer, &frame(3, 0, 1, &[0, 0, 0, 8])),
        (ToServer, &get(1, "/again")),
    ]);
    assert!(
        told.of("record")[0].contains("status=200") && told.of("record")[0].contains("error_code=CANCEL")
    );
    assert_eq!(told.of("anomaly"), ["anomaly Some(1) ts STREAM_ID_REUSE"]);
    assert_eq!(told.of("record").len(), 2);
}

#[test]
fn a_promise_is_a_stream() {
    let promise = [&[0, 0, 0, 2][..], &block(&[(":method", "GET"), (":path", "/pushed")])].concat();
    let told = talk(&[
        (ToServer, &client(&[get(1, "/")])),
        (
            ToClient,
            &[
                frame(5, END_HEADERS, 1, &promise),
                headers(2, false, &[(":status", "200")]),
                frame(0, END_STREAM, 2, b"pushed"),
            ]
            .concat(),
        ),
    ]);
    assert!(told.of("record")[0].contains("url=/pushed") && told.of("record")[0].contains("stream_id=2"));
    assert_eq!(told.of("file"), ["file 1 tc /pushed None"]);
}

#[test]
fn compressed_bodies_of_both_sides() {
    let mut to = GzEncoder::new(Vec::new(), Compression::best());
    to.write_all(b"squeezed, squeezed").unwrap();
    let packed = to.finish().unwrap();
    let fields = [(":method", "POST"), (":path", "/up"), ("content-encoding", "gzip")];
    let (one, two) = packed.split_at(13);
    let body = |stream: &[u8]| [frame(0, 0, 1, one), frame(0, END_STREAM, 1, stream)].concat();
    let told = talk(&[
        (ToServer, &client(&[headers(1, false, &fields), body(two)])),
        (ToClient, &[headers(1, false, &[(":status", "200"), fields[2]]), body(b"broken")].concat()),
    ]);
    assert_eq!(told.files[0].data, b"squeezed, squeezed");
    assert_eq!(told.stream_of("http.request_body"), b"squeezed, squeezed");
    assert!(told.of("anomaly").iter().all(|line| line.ends_with("FAILED_DECOMPRESSION")));
}

#[test]
fn a_bomb_is_not_blown_up() {
    let mut to = GzEncoder::new(Vec::new(), Compression::best());
    to.write_all(&vec![0; 3 << 20]).unwrap();
    let settings = Settings { decompress: 1 << 20, ..Settings::default() };
    let mut flow = flow(&settings);
    flow.send(ToServer, &client(&[get(1, "/")]), false);
    flow.send(ToClient, &headers(1, false, &[(":status", "200"), ("content-encoding", "gzip")]), false);
    flow.send(ToClient, &frame(0, END_STREAM, 1, &to.finish().unwrap()), false);
    flow.send(ToServer, &get(3, "/next"), false);
    let told = flow.close();
    assert_eq!(told.of("anomaly"), ["anomaly Some(0) tc COMPRESSION_BOMB"]);
    assert_eq!(told.files[0].end, Some(FileEnd::Truncated));
    assert_eq!(told.of("record").len(), 2);
}

#[test]
fn a_part_of_a_file() {
    let answer = |range: &str| {
        let head = headers(1, false, &[(":status", "206"), ("content-range", range)]);
        let told = talk(&[
            (ToServer, &client(&[get(1, "/f")])),
            (ToClient, &[head, frame(0, 1, 1, b"xy")].concat()),
        ]);
        (told.of("file").join(" "), told.of("anomaly").len())
    };
    assert_eq!(answer("bytes 5-6/10"), ("file 0 tc /f Some((5, 6, Some(10)))".into(), 0));
    assert_eq!(answer("bytes 7-6/10"), ("file 0 tc /f None".into(), 1));
}

/// Looks at buffers when a phase is reached, and at messages of other protocols.
#[derive(Default)]
struct Looker(Vec<String>);

impl Sink for Looker {
    fn progress(&mut self, tx: &dyn Transaction, side: Side, phase: u8) {
        let all: &[&'static Buffer] = buffers::ALL;
        for buffer in all.iter().filter(|buffer| buffer.ready.contains(&(side, phase))) {
            let values = (0..if buffer.many { 99 } else { 1 }).map_while(|n| tx.buffer(buffer, side, n));
            for value in values {
                self.0.push(format!("{} {}", buffer.name, value.escape_ascii()));
            }
        }
    }
    fn stream(&mut self, _: &dyn Transaction, _: &'static Buffer, _: parse::Piece<'_>) {}
    fn frame(&mut self, _: parse::Frame) {}
    fn file(&mut self, _: &dyn Transaction, _: Side, _: parse::FileEvent<'_>) {}
    fn anomaly(&mut self, _: Option<&dyn Transaction>, _: Side, _: &'static parse::Anomaly) {}
    fn record(&mut self, _: &dyn Transaction, _: Side, _: &'static parse::Record) {}
    fn host(&mut self, _: &[u8]) {}
    fn carries(&mut self, tx: &dyn Transaction, side: Side, inner: parse::Inner<'_>) {
        self.0.push(format!(
            "{} {} {} {side:?} {}",
            inner.protocol,
            inner.together,
            tx.id(),
            inner.data.len()
        ));
    }
}

fn look(pieces: &[(Side, &[u8])]) -> Vec<String> {
    let (mut parser, mut sink) = (Http2::open(&Settings::default()), Looker::default());
    for (side, data) in pieces {
        let input = parse::Input { side: *side, data, offset: 0, micros: 0, last: false };
        assert_eq!(parser.feed(input, &mut sink), parse::Step::All);
    }
    sink.0
}

#[test]
fn buffers_are_those_of_http_and_some_more() {
    let request = headers(
        1,
        true,
        &[
            (":method", "GET"),
            (":path", "/p"),
            (":authority", "A.example:1"),
            ("cookie", "a=1"),
            ("x", " y "),
            ("cookie", "b=2"),
        ],
    );
    let seen = look(&[
        (ToServer, &client(&[request])),
        (ToClient, &[headers(1, true, &[(":status", "204")]), frame(8, 0, 0, &[0, 0, 0, 5])].concat()),
    ]);
    for line in [
        "http.method GET",
        "http.uri /p",
        "http.request_line GET /p HTTP/2\\r\\n",
        "http.response_line HTTP/2 204\\r\\n",
        "http.host a.example",
        "http.host.raw A.example:1",
        "http.cookie a=1, b=2",
        "http.header :method: GET\\r\\n:path: /p\\r\\n:authority: A.example:1\\r\\nx: y\\r\\n",
        "http.header_names \\r\\n:status\\r\\n\\r\\n",
        "http.request_header :authority: A.example:1",
        "http.response_header :status: 204",
        "http.stat_code 204",
        "http.stat_msg ",
        "http2.header_name cookie",
        "http2.frametype \\x01",
        "http2.window \\x00\\x00\\x00\\x05",
    ] {
        assert!(seen.iter().any(|found| found == line), "{line} not in {seen:#?}");
    }
    assert!(std::ptr::eq(buffers::ALL[0], &http::METHOD));
    assert_eq!(seen.iter().filter(|line| *line == "http.protocol HTTP/2").count(), 4);
}

#[test]
fn dns_is_found_in_paths_and_bodies() {
    const QUERY: &[u8] = b"\0\0\x01\0\0\x01\0\0\0\0\0\0\x01a\x07example\0\0\x01\0\x01";
    const KIND: (&str, &str) = ("content-type", "application/dns-message");
    let answer = [&QUERY[..2], &[0x81], &QUERY[3..]].concat();
    let path = "/dns-query?dns=AAABAAABAAAAAAAAAWEHZXhhbXBsZQAAAQAB";
    let seen = look(&[
        (
            ToServer,
            &client(&[
                headers(1, true, &[(":path", path), ("accept", KIND.1)]),
                headers(3, false, &[(":path", "/q"), KIND]),
                frame(0, 1, 3, QUERY),
                headers(5, true, &[(":path", path)]),
            ]),
        ),
        (ToClient, &[headers(1, false, &[(":status", "200"), KIND]), frame(0, 1, 1, &answer)].concat()),
    ]);
    let seen: Vec<&String> = seen.iter().filter(|line| line.starts_with("dns ")).collect();
    assert_eq!(seen, ["dns doh2 0 ToServer 27", "dns doh2 1 ToServer 27", "dns doh2 0 ToClient 27"]);
    let told = talk(&[(
        ToServer,
        &client(&[headers(1, false, &[KIND]), frame(0, 0, 1, &[0; 60_000]), frame(0, 1, 1, &[0; 6000])]),
    )]);
    assert_eq!(told.of("anomaly"), ["anomaly Some(0) ts DNS_REQUEST_TOO_LONG"]);
}

#[test]
fn an_upgrade_begins_with_the_request_that_asked_for_it() {
    let (mut parser, mut sink) =
        (Http2::open(&Settings::default()), crate::http::tests::recorder::Recorder::default());
    let head = b"GET /robots.txt HTTP/1.1\r\nHost: h.example\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n";
    parser.inherit(head, &mut sink);
    let mut flow = Flow::of(parser);
    flow.send(ToClient, &headers(1, true, &[(":status", "200")]), false);
    flow.send(ToServer, &client(&[get(3, "/")]), false);
    let told = flow.close();
    assert!(
        sink.of("record 1")[0].contains("settings_id=SETTINGSENABLEPUSH settings_value=0"),
        "{:?}",
        sink.lines
    );
    assert_eq!(sink.of("host"), ["host h.example"]);
    let record = told.of("record 0")[0];
    let begin = "record 0 http http{ version=2 request_headers[ { name=:method value=GET } \
                 { name=:path value=/robots.txt } { name=:authority value=h.example } { name=Upgrade value=h2c } }";
    assert!(
        record.starts_with(begin) && record.contains("stream_id=1") && record.contains("status=200"),
        "{record}"
    );
    assert_eq!(told.of("anomaly"), [""; 0]);
}

#[test]
fn what_an_upgrade_leaves_is_the_request() {
    let mut http1 = crate::http::PROTOCOL.open.unwrap()(&Settings::default());
    let mut sink = crate::http::tests::recorder::Recorder::default();
    let head = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n\r\n";
    let answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\nrest";
    let mut feed =
        |side, data| http1.feed(parse::Input { side, data, offset: 0, micros: 0, last: false }, &mut sink);
    feed(ToServer, head);
    let step = feed(ToClient, answer);
    assert_eq!(step, parse::Step::Switch { eaten: answer.len() - 4, to: Some("http2") });
    assert_eq!(http1.bequest().as_deref(), Some(&head[..]));
}
