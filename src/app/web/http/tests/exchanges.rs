//! Exchanges: what becomes of them.

use super::super::buffers;
use super::recorder::{Flow, Recorder, talk, talk_with};
use parse::Side::{ToClient, ToServer};
use parse::{Settings, Step};

#[test]
fn a_get_and_its_answer() {
    let told = talk(&[
        (
            ToServer,
            b"GET /a//b?q=1 HTTP/1.1\r\nHost: WWW.Example.com:8080\r\nUser-Agent: test\r\nReferer: r\r\n\r\n",
        ),
        (
            ToClient,
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=x\r\nContent-Length: 5\r\n\r\nhello",
        ),
    ]);
    assert_eq!(
        told.lines,
        [
            "frame http1.request 0 Some(0)",
            "progress 0 ts 0",
            "host www.example.com",
            "progress 0 ts 1",
            "progress 0 ts 3",
            "frame http1.response 0 Some(0)",
            "progress 0 tc 0",
            "progress 0 tc 1",
            "file 0 tc /a/b None",
            "close 0 tc 5 Closed",
            "progress 0 tc 2",
            "progress 0 tc 3",
            "record 0 http http{ hostname=www.example.com http_port=8080 url=/a//b?q=1 http_user_agent=test \
             http_content_type=text/html http_refer=r http_method=GET protocol=HTTP/1.1 status=200 length=5 }",
        ]
    );
    assert_eq!(told.files[0].data, b"hello");
    assert_eq!(told.stream_of("http.response_body"), b"hello");
    assert_eq!(told.stream_of("file.data"), b"hello");
}

fn records(told: &Recorder) -> Vec<String> {
    let short = |line: &str| {
        let words = line.split(' ').filter(|w| {
            ["url", "status", "http_method", "length"].iter().any(|k| w.starts_with(&format!("{k}=")))
        });
        words.map(|w| w.split_once('=').unwrap().1).collect::<Vec<_>>().join(" ")
    };
    told.of("record").into_iter().map(short).collect()
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let told = talk(&[
        (ToServer, b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /3 HTTP/1.1\r\nHost: a\r\n\r\n"),
        (ToClient, b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nxy\r\n0\r\n\r\n"),
        (ToClient, b"HTTP/1.1 304 Not Modified\r\n\r\n"),
    ]);
    assert_eq!(records(&told), ["/1 GET 200 1", "/2 POST 404 10", "/3 GET 304 0"]);
    assert_eq!(told.of("anomaly"), Vec::<&str>::new());
    assert_eq!(told.files[0].name, "/2");
    assert_eq!(told.files[0].data, b"abc");
}

#[test]
fn a_response_without_a_request_is_an_exchange_of_its_own() {
    let told = talk(&[(ToClient, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")]);
    assert_eq!(told.of("anomaly"), ["anomaly Some(0) tc UNABLE_TO_MATCH_RESPONSE_TO_REQUEST"]);
    assert_eq!(
        told.of("record"),
        ["record 0 http http{ url=/libhtp::request_uri_not_seen status=200 length=2 }"]
    );
    assert_eq!(told.files[0].name, "/libhtp::request_uri_not_seen");
}

#[test]
fn a_request_that_comes_after_its_response_is_another_exchange() {
    let told = talk(&[
        (ToClient, b"HTTP/1.0 408 Late\r\nContent-Length: 0\r\n\r\n"),
        (ToServer, b"GET / HTTP/1.0\r\n\r\n"),
        (ToClient, b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"),
    ]);
    assert_eq!(records(&told), ["/libhtp::request_uri_not_seen 408 0", "/ GET 200 0"]);
}

#[test]
fn what_is_not_answered_is_recorded_at_the_end() {
    let told = talk(&[(ToServer, b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /partial HT")]);
    assert_eq!(records(&told), ["/ GET 0"]);
    let mut flow = Flow::new(&Settings::default());
    flow.send(ToServer, b"GET /partial HTTP/1.1\r\nHost: a", true);
    let told = flow.close();
    assert_eq!(records(&told), ["/partial GET 0"]);
}

#[test]
fn continue_comes_before_the_response_proper() {
    let told = talk(&[
        (ToServer, b"POST /up HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"),
        (ToClient, b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\n"),
        (ToServer, b"data"),
        (ToClient, b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"),
    ]);
    assert_eq!(records(&told), ["/up POST 201 0"]);
    assert_eq!(told.of("anomaly"), Vec::<&str>::new());
}

#[test]
fn a_refused_expectation_has_no_body() {
    let told = talk(&[
        (ToServer, b"POST /up HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"),
        (ToClient, b"HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n"),
        (ToServer, b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n"),
        (ToClient, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    ]);
    assert_eq!(records(&told), ["/up POST 417 0", "/next GET 200 0"]);
}

#[test]
fn bodies_that_cannot_be() {
    let told = talk(&[
        (ToServer, b"HEAD /h HTTP/1.1\r\nHost: a\r\n\r\nGET /n HTTP/1.1\r\nHost: a\r\n\r\nGET /m HTTP/1.1\r\nHost: a\r\n\r\nGET /o HTTP/1.1\r\nHost: a\r\n\r\n"),
        (ToClient, b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"),
        (ToClient, b"HTTP/1.1 204 No\r\n\r\n"),
        (ToClient, b"HTTP/1.1 304 Same\r\nContent-Length: 500\r\n\r\n"),
        (ToClient, b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"),
    ]);
    assert_eq!(records(&told), ["/h HEAD 200 0", "/n GET 204 0", "/m GET 304 0", "/o GET 200 1"]);
    assert_eq!(told.of("anomaly"), ["anomaly Some(2) tc RESPONSE_BODY_UNEXPECTED"]);
}

#[test]
fn version_0_9() {
    let told = talk(&[(ToServer, b"GET /old\r\n"), (ToClient, b"<html>"), (ToClient, b"old</html>")]);
    assert_eq!(told.of("record"), ["record 0 http http{ url=/old http_method=GET length=16 }"]);
    assert_eq!(told.files[0].name, "/old");
    assert_eq!(told.files[0].data, b"<html>old</html>");
}

#[test]
fn a_line_without_a_version_but_with_fields_is_no_0_9() {
    let told = talk(&[
        (ToServer, b"GET /x\r\nUser-Agent: myscript\r\n\r\n"),
        (ToClient, b"HTTP/1.1 400 Bad\r\nContent-Length: 1\r\n\r\n!"),
    ]);
    assert_eq!(told.of("anomaly"), ["anomaly Some(0) ts REQUEST_LINE_MISSING_PROTOCOL"]);
    assert_eq!(
        told.of("record"),
        ["record 0 http http{ url=/x http_user_agent=myscript http_method=GET status=400 length=1 }"]
    );
}

#[test]
fn connect_opens_a_tunnel() {
    let mut flow = Flow::new(&Settings::default());
    flow.send(ToServer, b"CONNECT Host.example:443 HTTP/1.1\r\nHost: host.example:443\r\n\r\n", false);
    flow.send(ToServer, b"\x16\x03\x01", false);
    flow.send(ToClient, b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\n\x16\x03", false);
    assert_eq!(flow.steps.last(), Some(&Step::Switch { eaten: 30, to: None }));
    let told = flow.close();
    assert_eq!(
        told.of("record"),
        ["record 0 http http{ hostname=host.example http_port=443 url=Host.example:443 http_method=CONNECT \
          protocol=HTTP/1.1 status=200 length=0 }"]
    );
    assert_eq!(told.of("anomaly"), Vec::<&str>::new());
}

#[test]
fn a_refused_connect_goes_on() {
    let told = talk(&[
        (ToServer, b"CONNECT h:443 HTTP/1.0\r\n\r\n"),
        (ToClient, b"HTTP/1.0 407 Auth\r\nContent-Length: 2\r\n\r\nno"),
        (ToServer, b"CONNECT h:443 HTTP/1.0\r\nProxy-Authorization: x\r\n\r\n"),
        (ToClient, b"HTTP/1.0 200 OK\r\n\r\n"),
    ]);
    assert_eq!(records(&told), ["h:443 CONNECT 407 2", "h:443 CONNECT 200 0"]);
}

#[test]
fn upgrades_switch() {
    for (upgrade, to) in [("h2c", Some("http2")), ("websocket", Some("websocket")), ("TLS/1.0", None)] {
        let mut flow = Flow::new(&Settings::default());
        flow.send(ToServer, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n\r\n", false);
        let answer = format!("HTTP/1.1 101 Switching\r\nUpgrade: {upgrade}\r\n\r\nrest");
        flow.send(ToClient, answer.as_bytes(), false);
        assert_eq!(flow.steps.last(), Some(&Step::Switch { eaten: answer.len() - 4, to }));
        assert_eq!(flow.close().of("record").len(), 1);
    }
}

#[test]
fn every_buffer_is_there() {
    let mut flow = Flow::new(&Settings::default());
    flow.sink.wanted = buffers::ALL.iter().flat_map(|b| [(*b, ToServer), (*b, ToClient)]).collect();
    flow.send(
        ToServer,
        b"GET http://H.example:81/%61?x HTTP/1.1\r\nHost: h.example:81\r\nCookie: c=1\r\nAccept: */*\r\nX: 1\r\nX: 2\r\n\r\n",
        false,
    );
    flow.send(
        ToClient,
        b"HTTP/1.1 200 Fine\r\nServer: s\r\nSet-Cookie: d=2\r\nLocation: /l\r\nContent-Length: 0\r\n\r\n",
        false,
    );
    let told = flow.close();
    let http: Vec<&str> = told.lines.iter().map(String::as_str).filter(|l| l.starts_with("http.")).collect();
    assert_eq!(
        http,
        [
            "http.method GET",
            "http.uri /a?x",
            "http.uri.raw http://H.example:81/%61?x",
            "http.protocol HTTP/1.1",
            "http.request_line GET http://H.example:81/%61?x HTTP/1.1",
            "http.host h.example",
            "http.host.raw H.example",
            "http.accept */*",
            "http.cookie c=1",
            "http.header Host: h.example:81\\r\\nAccept: */*\\r\\nX: 1, 2\\r\\n",
            "http.header.raw Host: h.example:81\\r\\nCookie: c=1\\r\\nAccept: */*\\r\\nX: 1\\r\\nX: 2\\r\\n\\r\\n",
            "http.header_names \\r\\nHost\\r\\nCookie\\r\\nAccept\\r\\nX\\r\\n\\r\\n",
            "http.start GET http://H.example:81/%61?x HTTP/1.1\\r\\nHost: h.example:81\\r\\nCookie: c=1\\r\\nAccept: */*\\r\\nX: 1, 2\\r\\n\\r\\n",
            "http.request_header Host: h.example:81",
            "http.request_header Cookie: c=1",
            "http.request_header Accept: */*",
            "http.request_header X: 1, 2",
            "http.protocol HTTP/1.1",
            "http.response_line HTTP/1.1 200 Fine",
            "http.stat_code 200",
            "http.stat_msg Fine",
            "http.cookie d=2",
            "http.content_len 0",
            "http.server s",
            "http.location /l",
            "http.header Server: s\\r\\nLocation: /l\\r\\nContent-Length: 0\\r\\n",
            "http.header.raw Server: s\\r\\nSet-Cookie: d=2\\r\\nLocation: /l\\r\\nContent-Length: 0\\r\\n\\r\\n",
            "http.header_names \\r\\nServer\\r\\nSet-Cookie\\r\\nLocation\\r\\nContent-Length\\r\\n\\r\\n",
            "http.start HTTP/1.1 200 Fine\\r\\nServer: s\\r\\nSet-Cookie: d=2\\r\\nLocation: /l\\r\\nContent-Length: 0\\r\\n\\r\\n",
            "http.response_header Server: s",
            "http.response_header Set-Cookie: d=2",
            "http.response_header Location: /l",
            "http.response_header Content-Length: 0",
        ]
    );
}

#[test]
fn whole_header_lists_on_demand() {
    let settings = Settings { all_headers: true, ..Settings::default() };
    let told = talk_with(
        &settings,
        &[(ToServer, b"GET / HTTP/1.0\r\nA: 1\r\n\r\n"), (ToClient, b"HTTP/1.0 204 x\r\nB: 2\r\n\r\n")],
    );
    let record = told.of("record")[0];
    assert!(
        record.ends_with(
            "length=0 request_headers[ { name=A value=1 } } response_headers[ { name=B value=2 } } }"
        ),
        "{record}"
    );
}

#[test]
fn line_ends_of_every_kind() {
    let told = talk(&[
        (ToServer, b"\r\n\nGET / HTTP/1.1\nHost: a\n\n"),
        (ToClient, b"HTTP/1.1 200 OK\nContent-Length: 1\nX: a\n b\n\nx"),
    ]);
    assert_eq!(records(&told), ["/ GET 200 1"]);
    let told = talk(&[
        (ToServer, b"GET / HTTP/1.0\r\n\r\n"),
        (ToClient, b"HTTP/1.0 200 OK\rContent-Length: 3\r\rabc"),
    ]);
    assert_eq!(records(&told), ["/ GET 200 3"]);
}

#[test]
fn too_many_open_exchanges_end_it() {
    let settings = Settings { transactions: 4, ..Settings::default() };
    let mut flow = Flow::new(&settings);
    for _ in 0..6 {
        flow.send(ToServer, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", false);
    }
    assert_eq!(flow.steps.last(), Some(&Step::Fail));
    assert_eq!(flow.close().of("record").len(), 4);
}
