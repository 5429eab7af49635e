//! However bytes are cut into pieces, the same is told.

use super::recorder::Flow;
use parse::Settings;
use parse::Side::{self, ToClient, ToServer};

/// Conversations: what the client sends, what the server sends.
const TALKS: &[(&str, &str)] = &[
    (
        "\r\nGET /a HTTP/1.1\r\nHost: a\r\nX: folded\r\n line\r\n\tmore\r\n\r\nPOST /b HTTP/1.1\r\nHost: b\r\nContent-Length: 5\r\n\r\nhelloGET /c HTTP/1.0\n\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX: a\r\n b\r\n\r\nabcHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n5;x\r\n12345\r\n00\r\nT: t\r\n\r\nHTTP/1.0 200 OK\n\nuntil the end",
    ),
    (
        "POST /form HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=B\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n--B\r\nContent-Disposition: x; fil\r\n1c\r\nename=\"n.txt\"\r\n\r\ndata\r\n--B-\r\n3\r\n-\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 500 Bad\rServer: x\rno colon\r :odd\rContent-Length: 2\r\rok",
    ),
    (
        "GET http://h:8/p?q#f HTTP/1.1\r\nHost: other\r\nA : b\r\n: c\r\nA: d\r\n\r\n",
        "HTTP/1.1 304 Not\r\nContent-Length: 9\r\n\r\n",
    ),
    ("GET /nine\r\n", "plain old text"),
    (
        "PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n\r\n 3 \r\nabc\r\n\r\n0\r\n\r\n",
    ),
];

/// Tells everything about a conversation whose sides are cut at the given places.
fn tell(client: &[u8], server: &[u8], mut cut: impl FnMut(usize) -> usize) -> (Vec<String>, String) {
    let mut flow = Flow::new(&Settings::default());
    let mut send = |side: Side, mut bytes: &[u8]| {
        while !bytes.is_empty() {
            let (piece, rest) = bytes.split_at(cut(bytes.len()).clamp(1, bytes.len()));
            flow.send(side, piece, false);
            bytes = rest;
        }
    };
    send(ToServer, client);
    send(ToClient, server);
    flow.send(ToClient, b"", true);
    let told = flow.close();
    (told.lines, format!("{:?} {:?}", told.files, told.streams))
}

#[test]
fn byte_by_byte_is_as_good_as_whole() {
    for (client, server) in TALKS {
        let whole = tell(client.as_bytes(), server.as_bytes(), |all| all);
        let bytes = tell(client.as_bytes(), server.as_bytes(), |_| 1);
        assert_eq!(bytes, whole, "{client:?}");
    }
}

/// A generator of numbers that are the same on every run (xorshift).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % below
    }
}

#[test]
fn cut_anywhere_is_as_good_as_whole() {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for (client, server) in TALKS {
        let whole = tell(client.as_bytes(), server.as_bytes(), |all| all);
        for _ in 0..200 {
            let cut = tell(client.as_bytes(), server.as_bytes(), |_| 1 + numbers.next(23));
            assert_eq!(cut, whole, "{client:?}");
        }
    }
}

#[test]
fn damaged_bytes_break_nothing() {
    let mut numbers = Numbers(1);
    let odd = b"\r\n\0 \t:;=%/\xff-0aZ";
    for round in 0..4000 {
        let (client, server) = TALKS[round % TALKS.len()];
        let mut sides = [client.as_bytes().to_vec(), server.as_bytes().to_vec()];
        for bytes in &mut sides {
            for _ in 0..=numbers.next(6) {
                let at = numbers.next(bytes.len());
                match numbers.next(3) {
                    0 => bytes[at] = odd[numbers.next(odd.len())],
                    1 => bytes.insert(at, odd[numbers.next(odd.len())]),
                    _ => drop(bytes.drain(at..(at + 1 + numbers.next(4)).min(bytes.len()))),
                }
                if bytes.is_empty() {
                    bytes.push(b'G');
                }
            }
        }
        let [client, server] = sides;
        let (lines, _) = tell(&client, &server, |_| 1 + numbers.next(40));
        assert!(lines.iter().any(|line| line.starts_with("record")), "every exchange is recorded: {lines:?}");
    }
}
