//! Bodies and the files in them.

use super::recorder::{Flow, Recorder, talk, talk_with};
use flate2::{Compression, write::GzEncoder};
use parse::Side::{ToClient, ToServer};
use parse::{FileEnd, Settings, Step};
use std::io::Write;

const GET: &[u8] = b"GET /dir/file HTTP/1.1\r\nHost: a\r\n\r\n";

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut to = GzEncoder::new(Vec::new(), Compression::best());
    to.write_all(data).unwrap();
    to.finish().unwrap()
}

fn answer(fields: &str, body: &[u8]) -> Vec<u8> {
    let mut out = format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n").into_bytes();
    out.extend_from_slice(body);
    out
}

#[test]
fn compressed_and_chunked() {
    let packed = gzip(b"some text, some text, some text");
    let mut chunks = Vec::new();
    for part in packed.chunks(7) {
        chunks.extend(format!("{:x};ext=1\r\n", part.len()).bytes());
        chunks.extend_from_slice(part);
        chunks.extend(b"\r\n");
    }
    chunks.extend(b"0\r\nTrailer: t\r\n\r\n");
    let response =
        answer("Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\nContent-Length: 3", &chunks);
    let told = talk(&[(ToServer, GET), (ToClient, &response)]);
    assert_eq!(told.files[0].data, b"some text, some text, some text");
    assert_eq!(told.files[0].end, Some(FileEnd::Closed));
    let framed = chunks.len() - "Trailer: t\r\n\r\n".len();
    assert!(told.of("record")[0].ends_with(&format!("length={framed} }}")), "{}", told.of("record")[0]);
    assert!(told.of("anomaly").iter().all(|l| l.ends_with("RESPONSE_CHUNK_EXTENSION")));
}

#[test]
fn layers_of_compression() {
    let twice = gzip(&gzip(b"layered"));
    let told = talk(&[
        (ToServer, GET),
        (ToClient, &answer("Content-Encoding: gzip, gzip\r\nConnection: close", &twice)),
    ]);
    assert_eq!(told.files[0].data, b"layered");
    let told = talk(&[
        (ToServer, GET),
        (ToClient, &answer("Content-Encoding: gzip,x,gzip\r\nConnection: close", &twice)),
    ]);
    let events: Vec<&str> = told.of("anomaly").iter().map(|l| l.rsplit(' ').next().unwrap()).collect();
    assert_eq!(events, ["ABNORMAL_CE_HEADER", "TOO_MANY_ENCODING_LAYERS"]);
}

#[test]
fn a_bomb_is_not_blown_up() {
    let bomb = gzip(&vec![0; 3 << 20]);
    let settings = Settings { decompress: 1 << 20, ..Settings::default() };
    let length = format!("Content-Encoding: gzip\r\nContent-Length: {}", bomb.len());
    let told = talk_with(&settings, &[(ToServer, GET), (ToClient, &answer(&length, &bomb))]);
    assert_eq!(told.of("anomaly"), ["anomaly Some(0) tc COMPRESSION_BOMB"]);
    assert!(told.files[0].data.len() <= 1 << 20);
    assert_eq!(told.files[0].end, Some(FileEnd::Truncated));
    assert_eq!(told.of("record").len(), 1);
}

#[test]
fn a_form_gives_its_files() {
    let body =
        b"--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"one.txt\"\r\n\r\nfirst\r\n--B\r\n\
        Content-Disposition: form-data; name=\"g\"; filename=\"two.txt\"\r\n\r\nsecond\r\n--B--\r\n";
    let head = format!(
        "POST /up HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=B\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let told = talk(&[(ToServer, &[head.as_bytes(), body].concat())]);
    let files: Vec<_> = told.files.iter().map(|f| (f.name.as_str(), &f.data[..], f.end)).collect();
    assert_eq!(
        files,
        [
            ("one.txt", &b"first"[..], Some(FileEnd::Closed)),
            ("two.txt", &b"second"[..], Some(FileEnd::Closed))
        ]
    );
}

#[test]
fn names_and_ranges_of_files() {
    let disposition = "Content-Disposition: attachment; filename=\"a b.txt\"\r\nContent-Range: bytes 5-6/10\r\nContent-Length: 2";
    let told = talk(&[(ToServer, GET), (ToClient, &answer(disposition, b"xy"))]);
    assert_eq!(told.of("file"), ["file 0 tc a b.txt Some((5, 6, Some(10)))"]);
    assert!(told.of("record")[0].contains("content_range{ raw=bytes 5-6/10 start=5 end=6 size=10 }"));
    for (range, anomalies) in [("bytes 7-6/10", 1), ("nonsense", 1), ("bytes */10", 0), ("bytes 0-9/10", 0)] {
        let told = talk(&[
            (ToServer, GET),
            (ToClient, &answer(&format!("Content-Range: {range}\r\nContent-Length: 2"), b"xy")),
        ]);
        assert_eq!(told.of("file"), ["file 0 tc /dir/file None"]);
        assert_eq!(told.of("anomaly").len(), anomalies, "{range}");
    }
}

#[test]
fn a_gap_in_a_body_is_passed_over() {
    let mut flow = Flow::new(&Settings::default());
    flow.send(ToServer, b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n", false);
    flow.send(ToClient, &answer("Content-Length: 70", b"AAAAAAAAAA"), false);
    flow.lose(ToClient, 20);
    flow.send(ToClient, &[b'B'; 40], false);
    flow.send(ToClient, &answer("Content-Length: 2", b"ok"), false);
    let told = flow.close();
    assert_eq!(
        (told.files[0].data.len(), told.files[0].gap, told.files[0].end),
        (50, 20, Some(FileEnd::Truncated))
    );
    assert_eq!((&told.files[1].data[..], told.files[1].end), (&b"ok"[..], Some(FileEnd::Closed)));
    assert!(told.of("record")[0].ends_with("length=70 }"));
}

#[test]
fn a_gap_among_chunks_and_between_messages_is_told_once_a_side() {
    let requests = b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\n";
    let gaps =
        |told: &Recorder| told.of("anomaly").iter().filter(|line| line.contains("INVALID_GAP")).count();
    let mut flow = Flow::new(&Settings::default());
    flow.send(ToServer, requests, false);
    flow.send(ToClient, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n32\r\naaaaaaaaaa", false);
    flow.lose(ToClient, 20);
    flow.send(ToClient, b"bbbbbbbbbbbbbbb", false);
    flow.lose(ToClient, 2);
    flow.send(ToClient, b"ccc\r\n0\r\n\r\n", false);
    let told = flow.close();
    assert_eq!(gaps(&told), 1);
    assert_eq!((told.files[0].data.len(), told.files[0].gap), (28, 22));
    let mut flow = Flow::new(&Settings::default());
    flow.send(ToServer, requests, false);
    flow.send(ToClient, &answer("Content-Length: 2", b"ok"), false);
    flow.lose(ToServer, 50);
    flow.lose(ToClient, 50);
    let told = flow.close();
    assert_eq!(gaps(&told), 2);
}

#[test]
fn behind_a_larger_gap_the_next_response_is_found() {
    let mut flow = Flow::new(&Settings::default());
    flow.send(ToServer, b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n", false);
    flow.send(ToClient, &answer("Content-Length: 70", b"AAAAAAAAAA"), false);
    flow.lose(ToClient, 90);
    flow.send(
        ToClient,
        b"rest of a head\r\n\r\nlost\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        false,
    );
    let told = flow.close();
    assert_eq!(told.of("record").len(), 2);
    assert_eq!(told.files[1].data, b"ok");
}

#[test]
fn a_lost_place_is_found_again_piece_by_piece() {
    let mut flow = Flow::new(&Settings::default());
    let requests = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n";
    flow.send(ToServer, requests.as_bytes(), false);
    flow.send(ToClient, &answer("Content-Length: 70", b"AAAAAAAAAA"), false);
    flow.lose(ToClient, 90);
    for junk in [&b"no head\n"[..], b"binary\0\x01", &[b'x'; 20_000], b"\nmore\r\n"] {
        flow.send(ToClient, junk, false);
    }
    flow.send(ToClient, &answer("Content-Length: 2", b"ok"), false);
    flow.lose(ToServer, 1000);
    flow.send(ToServer, b"tail of a lost body\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n", false);
    flow.send(ToClient, &answer("Content-Length: 1", b"3"), false);
    let told = flow.close();
    let urls: Vec<bool> =
        told.of("record").iter().zip(["/1", "/2", "/3"]).map(|(r, u)| r.contains(u)).collect();
    assert_eq!(urls, [true; 3], "{:?}", told.of("record"));
    assert_eq!(
        (told.files.len(), &told.files[1].data[..], &told.files[2].data[..]),
        (3, &b"ok"[..], &b"3"[..])
    );
}

#[test]
fn beyond_the_limit_nothing_is_kept() {
    let settings = Settings { body: 8, ..Settings::default() };
    let mut flow = Flow::new(&settings);
    flow.send(ToServer, GET, false);
    flow.send(ToClient, &answer("Content-Length: 1000", b"0123456789"), false);
    assert_eq!(flow.steps.last(), Some(&Step::Skip(990)));
    flow.send(ToClient, &[b'x'; 990], false);
    flow.send(ToServer, b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n", false);
    flow.send(ToClient, &answer("Content-Length: 8", b"complete"), false);
    let told = flow.close();
    assert_eq!((&told.files[0].data[..], told.files[0].end), (&b"01234567"[..], Some(FileEnd::Truncated)));
    assert_eq!((&told.files[1].data[..], told.files[1].end), (&b"complete"[..], Some(FileEnd::Closed)));
    assert!(told.of("record")[0].ends_with("length=1000 }"));
}

#[test]
fn a_body_ends_with_its_stream_however_long_it_was_to_be() {
    let told = talk(&[(ToServer, GET), (ToClient, &answer("Content-Length: 10", b"half"))]);
    assert_eq!((&told.files[0].data[..], told.files[0].end), (&b"half"[..], Some(FileEnd::Closed)));
    let told = talk(&[(ToServer, GET), (ToClient, &answer("Connection: close", b"whole"))]);
    assert_eq!((&told.files[0].data[..], told.files[0].end), (&b"whole"[..], Some(FileEnd::Closed)));
}

#[test]
fn what_claims_to_be_chunked_but_is_not_is_taken_as_it_is() {
    let told =
        talk(&[(ToServer, GET), (ToClient, &answer("Transfer-Encoding: chunked", b"plain text\nand more"))]);
    assert_eq!(told.files[0].data, b"plain text\nand more");
    assert_eq!(told.of("anomaly"), ["anomaly Some(0) tc INVALID_RESPONSE_CHUNK_LEN"]);
}

#[test]
fn bytes_behind_a_body_belong_to_it() {
    let told = talk(&[(ToServer, GET), (ToClient, &answer("Content-Length: 12", b"Hello World!\r\n"))]);
    assert_eq!(told.files[0].data.len(), 14);
    assert_eq!(told.of("anomaly"), ["anomaly Some(0) tc RESPONSE_BODY_UNEXPECTED"]);
}

#[test]
fn memory_stays_bounded_whatever_is_sent() {
    let mut flow = Flow::new(&Settings::default());
    flow.send(ToServer, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=x\r\nTransfer-Encoding: chunked\r\n\r\n", false);
    for _ in 0..500 {
        flow.send(ToServer, b"1000\r\n", false);
        flow.send(ToServer, &[b'-'; 0x1000], false);
        flow.send(ToServer, b"\r\n", false);
    }
    flow.send(ToClient, b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", false);
    for _ in 0..500 {
        flow.send(ToClient, &[b'a'; 4096], false);
    }
    assert!(flow.held() < 256 * 1024, "{}", flow.held());
}
