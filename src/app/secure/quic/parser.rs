//! The walk over a connection's first datagrams: until both hellos are read, or it is clear that they never will be.

use parse::{Anomaly, Close, Cursor, Done, Input, Parser, Settings, Side, Sink, Step};

use super::chlo::ClientHello as GoogleHello;
use super::fields::anomaly;
use super::frames::{Frame, Frames};
use super::keys::Keys;
use super::packet::Packet;
use super::stream::{Added, LIMIT, Stream};
use super::version::{Layout, Version};
use super::wire::{Header, Kind};
use super::{COMPLETE, RECORD};
use crate::tls::hello::{ClientHello, ServerHello};

/// Datagrams after which a handshake that is not over is given up.
const DATAGRAMS: u32 = 64;
/// Most packets of one datagram that are looked at; a handshake needs four.
const COALESCED: usize = 8;
/// Packets that could not be read before everything is given up.
const FAILURES: u32 = 4;
/// Records written while keys of unknown versions are still guessed.
const GUESSES: u64 = 4;

/// One connection.
pub(super) struct Quic {
    fingerprints: bool,
    keys: Option<Box<Keys>>,
    /// Connection id that the keys came from.
    origin: Vec<u8>,
    client: Half,
    server: Half,
    retried: bool,
    negotiated: bool,
    datagrams: u32,
    failures: u32,
    packets: u64,
    plain: Vec<u8>,
}

/// What is known of one side's hello.
#[derive(Default)]
struct Half {
    stream: Stream,
    complete: bool,
}

/// What came of the attempt to open a packet.
enum Lock {
    Opened,
    /// Nobody could have: its keys cannot be known.
    Unknown,
    Failed,
}

/// What came of the attempt to read a hello.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hello {
    Whole,
    Partial,
    TooLong,
    Wrong,
}

impl Quic {
    /// A connection of which nothing was seen yet.
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            fingerprints: settings.fingerprints,
            keys: None,
            origin: Vec::new(),
            client: Half::default(),
            server: Half::default(),
            retried: false,
            negotiated: false,
            datagrams: 0,
            failures: 0,
            packets: 0,
            plain: Vec::new(),
        }
    }

    const fn half(&mut self, side: Side) -> &mut Half {
        match side {
            Side::ToServer => &mut self.client,
            Side::ToClient => &mut self.server,
        }
    }

    fn datagram(&mut self, side: Side, data: &[u8], sink: &mut dyn Sink) {
        let mut rest = data;
        let mut noted = false;
        for _ in 0..COALESCED {
            if rest.is_empty() || self.half(side).complete {
                return;
            }
            let Some(header) = Header::parse(rest) else {
                // behind a packet, padding outside of packets is known to happen
                if rest.len() == data.len() {
                    self.broken(side, data, sink);
                }
                return;
            };
            let Some((packet, after)) = rest.split_at_checked(header.end) else { return };
            match header.kind {
                Kind::Short => return,
                Kind::Initial => self.initial(side, packet, &header, sink),
                kind => {
                    self.restart(side, kind);
                    if !std::mem::replace(&mut noted, true) {
                        self.emit(Packet::new(self.packets, header.version, side), side, None, sink);
                    }
                }
            }
            rest = after;
        }
    }

    /// Other protocols share a port with QUIC (RFC 9443), so a header is malformed only when its version is one.
    fn broken(&mut self, side: Side, data: &[u8], sink: &mut dyn Sink) {
        let version =
            data.get(1..).and_then(<[u8]>::first_chunk).map(|bytes| Version(u32::from_be_bytes(*bytes)));
        if !version.is_some_and(Version::is_known) {
            return;
        }
        if self.failures == 0 {
            sink.anomaly(None, side, &anomaly::ERROR_ON_HEADER);
        }
        self.failures += 1;
    }

    /// After a Retry or a list of versions the client begins anew: with other keys, but only once each (RFC 9000
    /// sections 17.2.5.2 and 6.2).
    fn restart(&mut self, side: Side, kind: Kind) {
        let already = match kind {
            Kind::Retry if side == Side::ToClient => &mut self.retried,
            Kind::Negotiation if side == Side::ToClient => &mut self.negotiated,
            _ => return,
        };
        if !std::mem::replace(already, true) {
            self.keys = None;
            self.client = Half::default();
        }
    }

    fn initial(&mut self, side: Side, packet: &[u8], header: &Header<'_>, sink: &mut dyn Sink) {
        if matches!(header.version.layout(), Layout::Public | Layout::Google44 | Layout::Google46) {
            self.google(side, header.version, packet.get(header.head..).unwrap_or_default(), sink);
            return;
        }
        let mut plain = std::mem::take(&mut self.plain);
        match self.unlock(side, packet, header, &mut plain) {
            Lock::Opened if header.version.google().is_some() => {
                self.google(side, header.version, &plain, sink)
            }
            Lock::Opened => self.opened(side, header.version, &plain, sink),
            Lock::Unknown => self.emit(Packet::new(self.packets, header.version, side), side, None, sink),
            Lock::Failed => {
                self.failures += 1;
                if self.failures == 1 {
                    let bare = Packet::new(self.packets, header.version, side);
                    self.emit(bare, side, Some(&anomaly::FAILED_DECRYPT), sink);
                }
            }
        }
        self.plain = plain;
    }

    /// Opens a packet with the connection's keys, or with those that it shows the connection to have.
    fn unlock(&mut self, side: Side, packet: &[u8], header: &Header<'_>, plain: &mut Vec<u8>) -> Lock {
        let version = header.version;
        if let Some(keys) = &self.keys {
            if keys.version() == version {
                if keys.open(side, packet, header.head, plain).is_some() {
                    return Lock::Opened;
                }
            } else if let Some(keys) = Keys::derive(version, &self.origin)
                && keys.open(side, packet, header.head, plain).is_some()
            {
                // a server may answer in another version (RFC 9368 section 2.3)
                self.keys = Some(Box::new(keys));
                return Lock::Opened;
            }
        }
        if side == Side::ToServer && self.adopt(packet, header, plain).is_some() {
            return Lock::Opened;
        }
        if version.secrets().is_none() || (side == Side::ToClient && self.keys.is_none()) {
            return Lock::Unknown;
        }
        Lock::Failed
    }

    /// Takes the keys of a client's packet that opens with its own connection id.
    fn adopt(&mut self, packet: &[u8], header: &Header<'_>, plain: &mut Vec<u8>) -> Option<()> {
        let own = [header.version];
        let candidates = match header.version.guesses() {
            [] => &own[..],
            _ if self.packets >= GUESSES => return None,
            guesses => guesses,
        };
        let keys = candidates.iter().find_map(|&candidate| {
            let keys = Keys::borrowing(header.version, candidate, header.dcid)?;
            keys.open(Side::ToServer, packet, header.head, plain)?;
            Some(keys)
        })?;
        self.keys = Some(Box::new(keys));
        self.origin.clear();
        self.origin.extend_from_slice(header.dcid);
        Some(())
    }

    fn opened(&mut self, side: Side, version: Version, plain: &[u8], sink: &mut dyn Sink) {
        let mut packet = Packet::new(self.packets, version, side);
        let mut wrong = None;
        for frame in Frames::new(version, plain) {
            let found = match frame {
                Frame::Crypto { offset, data } => self.piece(side, offset, data, &mut packet),
                Frame::Malformed => Some(&anomaly::ERROR_ON_DATA),
            };
            wrong = wrong.or(found);
        }
        self.failures += u32::from(wrong.is_some());
        self.emit(packet, side, wrong, sink);
    }

    fn piece(
        &mut self,
        side: Side,
        offset: u64,
        data: &[u8],
        packet: &mut Packet,
    ) -> Option<&'static Anomaly> {
        let fingerprints = self.fingerprints;
        let half = self.half(side);
        if half.complete {
            return None;
        }
        // most hellos come whole in one frame: those are read where they stand
        let whole = offset == 0 && half.stream.is_empty();
        let mut hello = if whole { read(side, data, packet, fingerprints) } else { Hello::Partial };
        if hello == Hello::Partial {
            if half.stream.add(offset, data) == Added::TooLong {
                return Some(&anomaly::CRYPTO_FRAG_TOO_LONG);
            }
            if !whole {
                hello = read(side, half.stream.head(), packet, fingerprints);
            }
        }
        match hello {
            Hello::Whole => *half = Half { complete: true, ..Half::default() },
            Hello::Partial => {}
            Hello::TooLong => return Some(&anomaly::CRYPTO_FRAG_TOO_LONG),
            Hello::Wrong => return Some(&anomaly::ERROR_ON_DATA),
        }
        None
    }

    /// A packet of the time before TLS. Its hello can come again with more in it, so it completes nothing.
    fn google(&mut self, side: Side, version: Version, payload: &[u8], sink: &mut dyn Sink) {
        let mut packet = Packet::new(self.packets, version, side);
        if side == Side::ToServer
            && let Some(hello) = GoogleHello::find(payload)
        {
            packet.google(version, &hello);
        }
        self.emit(packet, side, None, sink);
    }

    fn emit(&mut self, packet: Packet, side: Side, wrong: Option<&'static Anomaly>, sink: &mut dyn Sink) {
        self.packets += 1;
        if let Some(name) = packet.sni() {
            sink.host(name);
        }
        if let Some(wrong) = wrong {
            sink.anomaly(Some(&packet), side, wrong);
        }
        sink.progress(&packet, side, COMPLETE);
        sink.record(&packet, side, &RECORD);
    }
}

/// Reads the first handshake message (RFC 8446 section 4), which must be the side's hello.
fn read(side: Side, bytes: &[u8], packet: &mut Packet, fingerprints: bool) -> Hello {
    const CLIENT_HELLO: u8 = 1;
    const SERVER_HELLO: u8 = 2;
    let mut at = Cursor::new(bytes);
    let expected = if side == Side::ToServer { CLIENT_HELLO } else { SERVER_HELLO };
    match at.u8() {
        None => return Hello::Partial,
        Some(kind) if kind != expected => return Hello::Wrong,
        Some(_) => {}
    }
    let Some(length) = at.u24().and_then(|length| usize::try_from(length).ok()) else {
        return Hello::Partial;
    };
    if length + 4 > LIMIT {
        return Hello::TooLong;
    }
    let Some(body) = at.take(length) else { return Hello::Partial };
    let read = match side {
        Side::ToServer => ClientHello::parse(body).map(|hello| packet.client(&hello, fingerprints)),
        Side::ToClient => ServerHello::parse(body).map(|hello| packet.server(&hello, fingerprints)),
    };
    if read.is_some() { Hello::Whole } else { Hello::Wrong }
}

impl Parser for Quic {
    fn feed(&mut self, input: Input<'_>, sink: &mut dyn Sink) -> Step {
        self.datagrams += 1;
        self.datagram(input.side, input.data, sink);
        let over = self.client.complete && self.server.complete;
        if over || self.datagrams >= DATAGRAMS || self.failures >= FAILURES {
            return Step::Done(Done::Encrypted);
        }
        Step::All
    }

    fn gap(&mut self, _side: Side, _missing: u64, _sink: &mut dyn Sink) -> Step {
        Step::All
    }

    fn close(&mut self, _why: Close, _sink: &mut dyn Sink) {}

    fn transactions(&self) -> u64 {
        self.packets
    }

    fn held(&self) -> usize {
        let keys = self.keys.as_ref().map_or(0, |_| size_of::<Keys>());
        self.client.stream.held()
            + self.server.stream.held()
            + self.plain.capacity()
            + self.origin.capacity()
            + keys
    }
}
