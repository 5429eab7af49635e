//! However bytes are cut into pieces, the same is told.

use super::make::{END_HEADERS, END_STREAM, PADDED, PRIORITY, block, client, flow, frame, get, headers};
use parse::Settings;
use parse::Side::{self, ToClient, ToServer};

/// A conversation with something of everything.
pub(super) fn conversation() -> (Vec<u8>, Vec<u8>) {
    let long =
        block(&[(":method", "POST"), (":path", "/long"), ("x-long", "value of a long field"), ("x", "y")]);
    let (one, two) = long.split_at(20);
    let post = headers(7, false, &[(":method", "POST"), (":path", "/seven"), ("content-type", "text/plain")]);
    let client = client(&[
        frame(4, 0, 0, &[0, 1, 0, 0, 0x20, 0, 0, 2, 0, 0, 0, 0]),
        frame(8, 0, 0, &[0, 1, 0, 0]),
        frame(2, 0, 3, &[0, 0, 0, 0, 200]),
        get(1, "/one"),
        frame(1, PADDED | PRIORITY, 5, &[&[2, 0, 0, 0, 0, 15][..], one, &[0; 2]].concat()),
        frame(9, END_HEADERS, 5, two),
        frame(0, PADDED, 5, b"\x04body\0\0\0\0"),
        post,
        frame(0, 0, 7, b"seventh body"),
        frame(0, END_STREAM, 5, b" and more"),
        frame(4, 1, 0, &[]),
        frame(3, 0, 7, &[0, 0, 0, 8]),
        frame(6, 0, 0, &[1; 8]),
        frame(0, END_STREAM, 7, b""),
    ]);
    let promise = [&[0, 0, 0, 2][..], &[0x82, 0x84]].concat();
    let server = [
        frame(4, 0, 0, &[0, 3, 0, 0, 0, 100]),
        frame(5, END_HEADERS, 1, &promise),
        frame(1, END_HEADERS, 1, b"\x88\x5f\x09text/html\x40\x01a\x01b"),
        frame(0, 0, 1, b"<html>"),
        frame(1, END_HEADERS, 5, b"\xbe\xbf\x89"),
        frame(0, END_STREAM, 1, b"</html>"),
        frame(10, 0, 0, b"unknown"),
        frame(0, PADDED | END_STREAM, 5, b"\x01x\0"),
        frame(1, END_HEADERS | END_STREAM, 2, b"\x88\xbe"),
        frame(1, END_HEADERS | END_STREAM, 7, b"\x8d\x3f\xe1\x1f"),
        frame(7, 0, 0, &[0, 0, 0, 7, 0, 0, 0, 0]),
    ]
    .concat();
    (client, server)
}

/// Tells everything about a conversation whose sides are cut at the given places.
pub(super) fn tell(
    client: &[u8],
    server: &[u8],
    mut cut: impl FnMut(usize) -> usize,
) -> (Vec<String>, String) {
    let mut flow = flow(&Settings::default());
    let mut send = |side: Side, mut bytes: &[u8]| {
        while !bytes.is_empty() {
            let (piece, rest) = bytes.split_at(cut(bytes.len()).clamp(1, bytes.len()));
            flow.send(side, piece, false);
            bytes = rest;
        }
    };
    send(ToServer, client);
    send(ToClient, server);
    let told = flow.close();
    (told.lines, format!("{:?} {:?}", told.files, told.streams))
}

#[test]
fn byte_by_byte_is_as_good_as_whole() {
    let (client, server) = conversation();
    let whole = tell(&client, &server, |all| all);
    assert!(!whole.0.iter().any(|line| line.starts_with("anomaly")), "{:#?}", whole.0);
    assert_eq!(whole.0.iter().filter(|line| line.starts_with("record")).count(), 8, "{:#?}", whole.0);
    assert_eq!(tell(&client, &server, |_| 1), whole);
}

#[test]
fn every_single_cut_is_as_good_as_none() {
    let (client, server) = conversation();
    let whole = tell(&client, &server, |all| all);
    for at in 1..client.len() {
        let cut = |all| if all == client.len() { at } else { all };
        assert_eq!(tell(&client, &server, cut), whole, "client cut at {at}");
    }
    for at in 1..server.len() {
        let cut = |all| if all == server.len() { at } else { all };
        assert_eq!(tell(&client, &server, cut), whole, "server cut at {at}");
    }
}
