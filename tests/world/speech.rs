//! What hosts say in a made world: short but well-formed HTTP, DNS and TLS.

use crate::Dice;

/// A request for `path` on `host`.
#[must_use]
pub fn http_get(host: &str, path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: world/1\r\nAccept: */*\r\n\r\n").into_bytes()
}

/// A successful answer with `body`.
#[must_use]
pub fn http_response(body: &[u8]) -> Vec<u8> {
    let head =
        "HTTP/1.1 200 OK\r\nServer: world\r\nContent-Type: application/octet-stream\r\nContent-Length: ";
    let mut bytes = format!("{head}{}\r\n\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// A question for an A record (RFC 1035 section 4.1).
#[must_use]
pub fn dns_query(id: u16, name: &str) -> Vec<u8> {
    dns(id, 0x0100, 0, name)
}

/// An answer to [`dns_query`] with one A record.
#[must_use]
pub fn dns_answer(id: u16, name: &str, address: [u8; 4]) -> Vec<u8> {
    let mut bytes = dns(id, 0x8180, 1, name);
    bytes.extend_from_slice(&[0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 1, 0x2c, 0, 4]);
    bytes.extend_from_slice(&address);
    bytes
}

fn dns(id: u16, flags: u16, answers: u16, name: &str) -> Vec<u8> {
    let words = [id, flags, 1, answers, 0, 0];
    let mut bytes: Vec<u8> = words.iter().flat_map(|w| w.to_be_bytes()).collect();
    for label in name.split('.').filter(|l| !l.is_empty()) {
        bytes.push(label.len().min(63) as u8);
        bytes.extend(label.bytes().take(63));
    }
    bytes.extend_from_slice(&[0, 0, 1, 0, 1]);
    bytes
}

/// A TLS 1.2 ClientHello record (RFC 8446 section 4.1.2) with server name and ALPN.
#[must_use]
pub fn tls_client_hello(name: &str, dice: &mut Dice) -> Vec<u8> {
    let mut hello = vec![3, 3];
    hello.extend(dice.bytes(32));
    hello.push(0);
    hello.extend(counted16(&[0x13, 0x01, 0x13, 0x02, 0xc0, 0x2f, 0xc0, 0x30, 0x00, 0x9c]));
    hello.extend_from_slice(&[1, 0]);
    let server_name = counted16(&[&[0][..], &counted16(name.as_bytes())].concat());
    let alpn = counted16(b"\x08http/1.1");
    let groups = counted16(&[0, 0x1d, 0, 0x17]);
    let signatures = counted16(&[4, 3, 8, 4, 4, 1]);
    let known: [(u16, &[u8]); 5] =
        [(0, &server_name), (10, &groups), (11, &[1, 0]), (13, &signatures), (16, &alpn)];
    let extensions: Vec<u8> =
        known.iter().flat_map(|(kind, body)| [&kind.to_be_bytes()[..], &counted16(body)].concat()).collect();
    hello.extend(counted16(&extensions));
    record(22, &handshake(1, &hello))
}

/// What a TLS 1.2 server answers first: ServerHello and ServerHelloDone, then `secret` bytes of application data.
#[must_use]
pub fn tls_server_flight(secret: usize, dice: &mut Dice) -> Vec<u8> {
    let mut hello = vec![3, 3];
    hello.extend(dice.bytes(32));
    hello.extend_from_slice(&[0, 0xc0, 0x2f, 0]);
    hello.extend(counted16(&[0xff, 0x01, 0, 1, 0]));
    let mut bytes = record(22, &[handshake(2, &hello), handshake(14, &[])].concat());
    bytes.extend(record(20, &[1]));
    for len in std::iter::repeat_n(16_384, secret / 16_384).chain([secret % 16_384]) {
        bytes.extend(record(23, &dice.bytes(len)));
    }
    bytes
}

fn counted16(body: &[u8]) -> Vec<u8> {
    [&(body.len() as u16).to_be_bytes()[..], body].concat()
}

fn handshake(kind: u8, body: &[u8]) -> Vec<u8> {
    let len = (body.len() as u32).to_be_bytes();
    [&[kind, len[1], len[2], len[3]][..], body].concat()
}

fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind, 3, 3][..], &counted16(body)].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dns_names_are_labels() {
        let query = dns_query(7, "a.example");
        assert_eq!(&query[12..], b"\x01a\x07example\x00\x00\x01\x00\x01");
        assert_eq!(dns_answer(7, "a.example", [192, 0, 2, 1]).len(), query.len() + 16);
    }

    #[test]
    fn tls_lengths_add_up() {
        let hello = tls_client_hello("example.org", &mut Dice::new(1));
        let record = usize::from(u16::from_be_bytes([hello[3], hello[4]]));
        assert_eq!(record + 5, hello.len());
        assert_eq!(usize::from(u16::from_be_bytes([hello[7], hello[8]])) + 4, record);
        assert!(hello.windows(11).any(|w| w == b"example.org"));
    }
}
