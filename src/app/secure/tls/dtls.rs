//! DTLS 1.0 to 1.3 over datagrams (RFC 6347, RFC 9147): hellos only; there is no event of its own for it.

use parse::{
    Buffer, Category, Close, Cursor, Depth, Done, Input, Look, Parser, Pattern, Probe, Protocol, Settings,
    Side, Sink, Step, Transaction, Transport, Visitor,
};

use super::catalogue::{ALPN, JA4_HASH, SNI, client};
use super::fingerprint::{Ja4, Ja4Transport, ja4_bytes};
use super::hello::{ClientHello, Names};

mod f {
    parse::fields! {
        /// Everything about one handshake.
        DTLS: Object("", "dtls") "one DTLS handshake, as far as it can be read";
        /// Version.
        VERSION: Text("dtls.", "version") "highest version that the client offers";
        /// Host name asked for.
        SNI: Text("dtls.", "sni") "host name that the client asked for", element(8057, 808);
        /// Protocols offered.
        CLIENT_ALPNS: List("dtls.", "client_alpns") "application protocols offered";
        /// JA4.
        JA4: Text("dtls.", "ja4") "JA4 of the client", element(8057, 809);
    }
}

/// TLS over datagrams.
pub static DTLS: Protocol = Protocol {
    name: "dtls",
    title: "Datagram Transport Layer Security",
    category: Category::Secure,
    depth: Depth::Parser,
    ports: &[(Transport::Udp, 4433), (Transport::Udp, 5349), (Transport::Udp, 5684)],
    ndpi: &["DTLS"],
    patterns: &[
        Pattern { side: None, offset: 1, bytes: &[0xfe, 0xff], nocase: false },
        Pattern { side: None, offset: 1, bytes: &[0xfe, 0xfd], nocase: false },
        Pattern { side: None, offset: 1, bytes: &[0x01, 0x00], nocase: false },
    ],
    probe: Some(probe),
    transports: &[Transport::Udp],
    open: Some(open),
    fields: f::ALL,
    buffers: &[&SNI, &ALPN, &JA4_HASH],
    phases: [super::catalogue::CLIENT_PHASES, super::catalogue::SERVER_PHASES],
    frames: &[],
    anomalies: &[],
};

/// Content type, version, epoch, sequence number, length (RFC 6347 section 4.1).
const HEADER: usize = 13;
/// Message type, length, sequence number, fragment's place and length (section 4.2.2).
const MESSAGE: usize = 12;
/// Longest ClientHello that is put together from fragments.
const LONGEST_HELLO: usize = 16 * 1024;
/// Most separate stretches of one that may be there at a time.
const MOST_STRETCHES: usize = 32;

struct Record<'a> {
    content: u8,
    epoch: u16,
    body: &'a [u8],
}

/// The next record of a datagram.
fn record<'a>(at: &mut Cursor<'a>) -> Option<Record<'a>> {
    let content = at.u8()?;
    let version = at.u16()?;
    let epoch = at.u16()?;
    at.skip(6)?;
    let body = at.counted16()?;
    // 0x0100 is what implementations of a draft still send
    (matches!(content, 20..=26) && matches!(version, 0xfeff | 0xfefd | 0x0100)).then_some(Record {
        content,
        epoch,
        body,
    })
}

fn probe(look: &Look<'_>) -> Probe {
    let Some(first) = record(&mut Cursor::new(look.data)) else { return Probe::No };
    match (first.content, first.epoch, first.body.first()) {
        (22, 0, Some(1)) if first.body.len() >= MESSAGE => {
            Probe::Yes { swapped: look.side == Side::ToClient }
        }
        (22, 0, Some(2 | 3)) if first.body.len() >= MESSAGE => {
            Probe::Yes { swapped: look.side == Side::ToServer }
        }
        (22, 0, Some(4 | 8 | 11..=16 | 20)) => Probe::Yes { swapped: false },
        (20, 0, Some(1)) if first.body.len() == 1 => Probe::Yes { swapped: false },
        (21, 0, Some(1 | 2)) if first.body.len() == 2 => Probe::Yes { swapped: false },
        (20..=26, 1.., Some(_)) => Probe::Yes { swapped: false },
        _ => Probe::No,
    }
}

fn open(settings: &Settings) -> Box<dyn Parser> {
    Box::new(Dtls { fingerprints: settings.fingerprints, ..Dtls::default() })
}

/// What a client's hello has shown.
#[derive(Debug, Default)]
struct Hello {
    version: u16,
    sni: Vec<u8>,
    alpn: Vec<u8>,
    ja4: Option<Ja4>,
}

impl Transaction for Hello {
    fn id(&self) -> u64 {
        0
    }

    fn buffer(&self, which: &'static Buffer, side: Side, index: usize) -> Option<&[u8]> {
        match (which.name, side, index) {
            ("tls.sni", Side::ToServer, 0) => Some(&*self.sni).filter(|name| !name.is_empty()),
            ("tls.alpn", Side::ToServer, index) => Names::new(&self.alpn).nth(index),
            ("ja4.hash", Side::ToServer, 0) => self.ja4.as_ref().map(<[u8; 36]>::as_slice),
            _ => None,
        }
    }

    fn fields(&self, visitor: &mut dyn Visitor) {
        visitor.object(&f::DTLS);
        if let Some(name) = version_name(self.version) {
            visitor.word(&f::VERSION, name);
        }
        if !self.sni.is_empty() {
            visitor.text(&f::SNI, &self.sni);
        }
        if Names::new(&self.alpn).next().is_some() {
            visitor.list(&f::CLIENT_ALPNS);
            Names::new(&self.alpn).for_each(|name| visitor.text(&f::CLIENT_ALPNS, name));
            visitor.close();
        }
        if let Some(ja4) = &self.ja4 {
            visitor.text(&f::JA4, ja4);
        }
        visitor.close();
    }
}

const fn version_name(version: u16) -> Option<&'static str> {
    match version {
        0xfeff | 0x0100 => Some("DTLS 1.0"),
        0xfefd => Some("DTLS 1.2"),
        0xfefc => Some("DTLS 1.3"),
        _ => None,
    }
}

/// A message put together from fragments in any order.
#[derive(Debug, Default)]
struct Fragments {
    sequence: u16,
    body: Vec<u8>,
    /// Stretches that have come, in order and apart.
    have: Vec<(usize, usize)>,
}

impl Fragments {
    /// Adds a fragment; the whole message when it was the last missing.
    fn add(&mut self, fragment: &Fragment<'_>) -> Option<&[u8]> {
        if fragment.length > LONGEST_HELLO {
            return None;
        }
        if self.body.len() != fragment.length || self.sequence != fragment.sequence {
            *self = Self { sequence: fragment.sequence, body: vec![0; fragment.length], have: Vec::new() };
        }
        let end = fragment.at.checked_add(fragment.bytes.len())?;
        self.body.get_mut(fragment.at..end)?.copy_from_slice(fragment.bytes);
        self.note(fragment.at, end);
        (self.have.as_slice() == [(0, self.body.len())]).then_some(&*self.body)
    }

    fn note(&mut self, mut from: usize, mut to: usize) {
        self.have.retain(|&(start, end)| {
            let apart = end < from || start > to;
            if !apart {
                from = from.min(start);
                to = to.max(end);
            }
            apart
        });
        if self.have.len() < MOST_STRETCHES {
            let place = self.have.partition_point(|&(start, _)| start < from);
            self.have.insert(place, (from, to));
        }
    }
}

struct Fragment<'a> {
    kind: u8,
    length: usize,
    sequence: u16,
    at: usize,
    bytes: &'a [u8],
}

fn fragment<'a>(at: &mut Cursor<'a>) -> Option<Fragment<'a>> {
    let kind = at.u8()?;
    let length = usize::try_from(at.u24()?).ok()?;
    let sequence = at.u16()?;
    let place = usize::try_from(at.u24()?).ok()?;
    let bytes = at.counted24()?;
    Some(Fragment { kind, length, sequence, at: place, bytes })
}

/// One flow's parser.
#[derive(Debug, Default)]
struct Dtls {
    hello: Hello,
    seen: bool,
    encrypted: [bool; 2],
    fragments: Fragments,
    fingerprints: bool,
}

impl Dtls {
    fn handshake(&mut self, body: &[u8], sink: &mut dyn Sink) {
        let mut at = Cursor::new(body);
        while let Some(one) = fragment(&mut at) {
            if one.kind != 1 || self.seen {
                continue;
            }
            if one.at == 0 && one.bytes.len() == one.length {
                self.client_hello(one.bytes, sink);
            } else if let Some(whole) = self.fragments.add(&one) {
                let whole = whole.to_vec();
                self.client_hello(&whole, sink);
            }
        }
    }

    /// The first one counts; a second answers a cookie and says the same.
    fn client_hello(&mut self, body: &[u8], sink: &mut dyn Sink) {
        let Some(hello) = ClientHello::parse_datagram(body) else { return };
        self.seen = true;
        self.fragments = Fragments::default();
        self.hello.version = hello.best_version();
        self.hello.alpn = hello.alpn().list().to_vec();
        if self.fingerprints {
            self.hello.ja4 = Some(ja4_bytes(Ja4Transport::Dtls, &hello));
        }
        if let Some(name) = hello.sni() {
            self.hello.sni = name.to_vec();
            sink.host(name);
        }
        sink.progress(&self.hello, Side::ToServer, client::HELLO_DONE);
    }
}

impl Parser for Dtls {
    fn feed(&mut self, input: Input<'_>, sink: &mut dyn Sink) -> Step {
        let mut at = Cursor::new(input.data);
        while at.rest().len() > HEADER {
            // a unified header (RFC 9147 section 4) is encrypted as well
            let unified = at.rest().first().is_some_and(|&byte| byte >> 5 == 1);
            let next = if unified { None } else { record(&mut at) };
            let Some(one) = next else {
                self.mark_encrypted(input.side, unified);
                break;
            };
            match one.content {
                22 if one.epoch == 0 && input.side == Side::ToServer => self.handshake(one.body, sink),
                _ => self.mark_encrypted(input.side, one.epoch > 0),
            }
        }
        if self.encrypted == [true; 2] { Step::Done(Done::Encrypted) } else { Step::All }
    }

    fn close(&mut self, _why: Close, _sink: &mut dyn Sink) {}

    fn transactions(&self) -> u64 {
        u64::from(self.seen)
    }

    fn held(&self) -> usize {
        self.hello.sni.capacity() + self.hello.alpn.capacity() + self.fragments.body.capacity()
    }
}

impl Dtls {
    fn mark_encrypted(&mut self, side: Side, encrypted: bool) {
        if let Some(place) = self.encrypted.get_mut(side.index()) {
            *place |= encrypted;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probed(side: Side, data: &[u8]) -> Probe {
        probe(&Look {
            side,
            data,
            other: &[],
            transport: Transport::Udp,
            client_port: 40000,
            server_port: 5684,
            packets: 1,
            midstream: false,
        })
    }

    fn hello_body() -> Vec<u8> {
        let mut body = vec![0xfe, 0xfd];
        body.extend([9; 32]);
        body.extend([0, 0, 0, 2, 0xc0, 0x2b, 1, 0, 0, 14, 0, 0, 0, 10, 0, 8, 0, 0, 5]);
        body.extend(b"a.com");
        body
    }

    fn datagram(length: usize, at: usize, bytes: &[u8]) -> Vec<u8> {
        let mut all = vec![22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 0];
        all.extend(u16::try_from(MESSAGE + bytes.len()).unwrap().to_be_bytes());
        all.push(1);
        all.extend(&u32::try_from(length).unwrap().to_be_bytes()[1..]);
        all.extend([0, 0]);
        all.extend(&u32::try_from(at).unwrap().to_be_bytes()[1..]);
        all.extend(&u32::try_from(bytes.len()).unwrap().to_be_bytes()[1..]);
        all.extend(bytes);
        all
    }

    fn feed(parser: &mut dyn Parser, data: &[u8], sink: &mut crate::tls::tests::Seen) -> Step {
        parser.feed(Input { side: Side::ToServer, data, offset: 0, micros: 0, last: false }, sink)
    }

    #[test]
    fn a_hello_in_one_piece_and_in_fragments_of_any_order() {
        let body = hello_body();
        let mut whole = crate::tls::tests::Seen::default();
        let mut parser = open(&Settings::default());
        let one = datagram(body.len(), 0, &body);
        assert_eq!(probed(Side::ToServer, &one), Probe::Yes { swapped: false });
        assert_eq!(probed(Side::ToClient, &one), Probe::Yes { swapped: true });
        feed(&mut *parser, &one, &mut whole);
        assert!(whole.calls.contains(&"host a.com".to_owned()), "{:?}", whole.calls);
        assert_eq!(parser.transactions(), 1);
        for cut in 1..body.len() {
            let mut seen = crate::tls::tests::Seen::default();
            let mut parser = open(&Settings::default());
            feed(&mut *parser, &datagram(body.len(), cut, &body[cut..]), &mut seen);
            assert!(seen.calls.is_empty());
            feed(&mut *parser, &datagram(body.len(), 0, &body[..cut]), &mut seen);
            assert_eq!(seen.calls, whole.calls, "{cut}");
        }
    }

    #[test]
    fn fragments_that_lie_are_left_alone() {
        let mut seen = crate::tls::tests::Seen::default();
        let mut parser = open(&Settings::default());
        feed(&mut *parser, &datagram(10, 8, &[1; 9]), &mut seen);
        feed(&mut *parser, &datagram(0xff_ffff, 8, &[1; 9]), &mut seen);
        for at in (0..200).step_by(2) {
            feed(&mut *parser, &datagram(400, at, &[1]), &mut seen);
        }
        assert!(seen.calls.is_empty());
        assert!(parser.held() < LONGEST_HELLO * 2);
    }

    #[test]
    fn other_datagrams_are_not_dtls() {
        assert_eq!(probed(Side::ToServer, &[22, 3, 3, 0, 1]), Probe::No);
        assert_eq!(probed(Side::ToServer, &[0; 40]), Probe::No);
    }
}
