//! Which anomaly which bytes raise.

use super::recorder::{Recorder, talk};
use parse::Side::{ToClient, ToServer};

fn events(told: &Recorder) -> Vec<&str> {
    told.of("anomaly").into_iter().map(|line| line.rsplit(' ').next().unwrap()).collect()
}

#[test]
fn requests() {
    for (bytes, expected) in [
        ("GET / HTTP/1.1\r\n\r\n", &["MISSING_HOST_HEADER"][..]),
        ("GET / HTTP/1.0\r\n\r\n", &[]),
        (" GET / HTTP/1.0\r\n\r\n", &["REQUEST_LINE_LEADING_WHITESPACE"]),
        ("GET\t/ HTTP/1.0\r\n\r\n", &["METHOD_DELIM_NON_COMPLIANT"]),
        ("GET /\tHTTP/1.0\r\n\r\n", &["URI_DELIM_NON_COMPLIANT"]),
        (
            "BREW /\r\nHost: a\r\n\r\n",
            &["REQUEST_LINE_UNKNOWN_METHOD_NO_PROTOCOL", "REQUEST_LINE_MISSING_PROTOCOL"],
        ),
        ("BREW\r\nHost: a\r\n\r\n", &["REQUEST_LINE_UNKNOWN_METHOD", "REQUEST_LINE_MISSING_PROTOCOL"]),
        ("BREW / HTCPCP/1\r\n\r\n", &["REQUEST_LINE_UNKNOWN_METHOD_INVALID_PROTOCOL"]),
        ("GET / HTTP/01.0\r\n\r\n", &["PROTOCOL_CONTAINS_EXTRA_DATA"]),
        ("GET http://a..b/ HTTP/1.0\r\n\r\n", &["REQUEST_URI_HOST_INVALID"]),
        ("GET http://a/ HTTP/1.0\r\nHost: b\r\n\r\n", &["HOST_HEADER_AMBIGUOUS"]),
        ("GET / HTTP/1.0\r\nHost: a:x\r\n\r\n", &["REQUEST_HEADER_HOST_INVALID"]),
        ("GET / HTTP/1.0\r\nno colon\r\n\r\n", &["REQUEST_FIELD_MISSING_COLON"]),
        ("GET / HTTP/1.0\r\n: empty\r\n\r\n", &["REQUEST_INVALID_EMPTY_NAME"]),
        ("GET / HTTP/1.0\r\nA : b\r\n\r\n", &["REQUEST_INVALID_LWS_AFTER_NAME"]),
        ("GET / HTTP/1.0\r\nA(: b\r\nB): c\r\n\r\n", &["REQUEST_HEADER_INVALID"]),
        ("GET / HTTP/1.0\r\n A: b\r\n\r\n", &["INVALID_REQUEST_FIELD_FOLDING"]),
        ("GET / HTTP/1.0\r\nA: b\r\nA: c\r\nA: d\r\n\r\n", &["REQUEST_HEADER_REPETITION"]),
        ("GET / HTTP/1.0\r\nAuthorization: odd x\r\n\r\n", &["REQUEST_AUTH_UNRECOGNIZED"]),
        ("GET / HTTP/1.0\r\nAuthorization: Basic x\r\n\r\n", &[]),
        ("POST / HTTP/1.0\r\nContent-Length: x\r\n\r\n", &["INVALID_CONTENT_LENGTH_FIELD_IN_REQUEST"]),
        ("POST / HTTP/1.0\r\nContent-Length: 0x\r\n\r\n", &["CONTENT_LENGTH_EXTRA_DATA_END"]),
        (
            "POST / HTTP/1.0\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
            &["DUPLICATE_CONTENT_LENGTH_FIELD_IN_REQUEST", "REQUEST_HEADER_REPETITION"],
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: odd\r\n\r\n",
            &["INVALID_TRANSFER_ENCODING_VALUE_IN_REQUEST"],
        ),
        (
            "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            &["INVALID_TRANSFER_ENCODING_VALUE_IN_REQUEST"],
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            &["INVALID_REQUEST_CHUNK_LEN"],
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0;a=b\r\n\r\n",
            &["REQUEST_CHUNK_EXTENSION"],
        ),
        ("GET / HTTP/1.0\r\n\r\njunk\r\nmore\r\n", &["REQUEST_BODY_UNEXPECTED"]),
    ] {
        let told = talk(&[(ToServer, bytes.as_bytes())]);
        assert_eq!(events(&told), expected, "{bytes:?}");
        assert_eq!(told.of("record").len(), 1, "{bytes:?}");
    }
}

#[test]
fn responses() {
    const GET: &[u8] = b"GET / HTTP/1.0\r\n\r\n";
    for (bytes, expected) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", &[][..]),
        ("HTTP/9.9 200 OK\r\nContent-Length: 0\r\n\r\n", &["RESPONSE_INVALID_PROTOCOL"]),
        ("HTTP/1.1 2XX OK\r\nContent-Length: 0\r\n\r\n", &["RESPONSE_INVALID_STATUS"]),
        ("HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 0\r\n\r\n", &["RESPONSE_FIELD_MISSING_COLON"]),
        ("HTTP/1.1 200 OK\r\nA(: b\r\nContent-Length: 0\r\n\r\n", &["RESPONSE_HEADER_NAME_NOT_TOKEN"]),
        ("HTTP/1.1 200 OK\r\n A: b\r\nContent-Length: 0\r\n\r\n", &["INVALID_RESPONSE_FIELD_FOLDING"]),
        ("HTTP/1.1 200 OK\r\nA: b\r\nA: c\r\nContent-Length: 0\r\n\r\n", &["RESPONSE_HEADER_REPETITION"]),
        ("HTTP/1.1 200 OK\r\nContent-Length: no\r\n\r\n", &["INVALID_CONTENT_LENGTH_FIELD_IN_RESPONSE"]),
        ("HTTP/1.1 200 OK\r\nContent-Type: multipart/byteranges\r\n\r\n", &["RESPONSE_MULTIPART_BYTERANGES"]),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
            &["RESPONSE_ABNORMAL_TRANSFER_ENCODING"],
        ),
        ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", &["RESPONSE_CHUNKED_OLD_PROTO"]),
        ("HTTP/1.1 204 No\r\nContent-Length: 0\r\n\r\n", &["RESPONSE_BODY_UNEXPECTED"]),
        (
            "HTTP/1.1 101 Up\r\nContent-Length: 0\r\n\r\n",
            &["SWITCHING_PROTO_WITH_CONTENT_LENGTH", "RESPONSE_BODY_UNEXPECTED"],
        ),
        (
            "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            &["100_CONTINUE_ALREADY_SEEN"],
        ),
        ("HTTP/1.1 200 OK\r\nContent-Encoding: odd\r\nContent-Length: 1\r\n\r\nx", &["ABNORMAL_CE_HEADER"]),
        ("HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Length: 1\r\n\r\nx", &[]),
        ("HTTP/1.1 200 OK\r\nA: b\n\r\r\nContent-Length: 0\r\n\r\n", &[]),
    ] {
        let told = talk(&[(ToServer, GET), (ToClient, bytes.as_bytes())]);
        assert_eq!(events(&told), expected, "{bytes:?}");
        assert_eq!(told.of("record").len(), 1, "{bytes:?}");
    }
}

#[test]
fn lines_and_fields_beyond_bounds_end_the_parsing() {
    let long = "x".repeat(20_000);
    let told = talk(&[(ToServer, format!("GET /{long} HTTP/1.0\r\n\r\n").as_bytes())]);
    assert_eq!(events(&told), ["REQUEST_FIELD_TOO_LONG"]);
    let told = talk(&[(ToServer, format!("GET / HTTP/1.0\r\nA: {long}").as_bytes())]);
    assert_eq!(events(&told), ["REQUEST_FIELD_TOO_LONG"]);
    let many: String = (0..1100).map(|n| format!("H{n}: x\r\n")).collect();
    let told = talk(&[(ToServer, format!("GET / HTTP/1.0\r\n{many}\r\n").as_bytes())]);
    assert_eq!(events(&told), ["REQUEST_TOO_MANY_HEADERS"]);
}

#[test]
fn the_second_half_of_a_request_line_may_be_late() {
    let told =
        talk(&[(ToServer, b"GET / HT"), (ToClient, b"HTTP/1.0 408 Late\r\nContent-Length: 0\r\n\r\n")]);
    assert_eq!(events(&told), ["REQUEST_LINE_INCOMPLETE"]);
}

#[test]
fn a_flow_that_is_all_anomalies_is_told_so_once() {
    let bad = "GET / HTTP/1.1\r\n\r\n".repeat(600);
    let mut told = 0;
    let mut flow =
        super::recorder::Flow::new(&parse::Settings { transactions: 1000, ..parse::Settings::default() });
    flow.send(ToServer, bad.as_bytes(), false);
    let recorder = flow.close();
    for event in events(&recorder) {
        told += usize::from(event == "TOO_MANY_WARNINGS");
    }
    assert_eq!((told, events(&recorder).len()), (1, 513));
}
