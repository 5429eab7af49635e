//! Handshake messages (RFC 8446 section 4, RFC 5246 section 7.4) into the session.

use parse::{Anomaly, Cursor, Side, Sink};

use super::catalogue::{self as of, client, server};
use super::certificate::Certificate;
use super::fingerprint::{Ja4Transport, ja4_bytes, md5_digits, write_ja3, write_ja3s};
use super::hello::{ClientHello, Extension, ServerHello, extension};
use super::session::Session;
use super::wire::{TLS12, is_version, settled_version};

/// Message types.
mod kind {
    pub(super) const CLIENT_HELLO: u8 = 1;
    pub(super) const SERVER_HELLO: u8 = 2;
    pub(super) const CERTIFICATE: u8 = 11;
    pub(super) const CERTIFICATE_REQUEST: u8 = 13;
    pub(super) const SERVER_HELLO_DONE: u8 = 14;
}

/// Longest host name that DNS allows.
const LONGEST_NAME: usize = 255;

/// Whether a message type may stand in the clear.
pub(super) const fn is_known(kind: u8) -> bool {
    matches!(kind, 0 | 1 | 2 | 4 | 11..=16 | 20..=22)
}

/// A session and whom to tell about it.
pub(super) struct Told<'a> {
    pub(super) session: &'a mut Session,
    pub(super) side: Side,
    pub(super) sink: &'a mut dyn Sink,
}

impl Told<'_> {
    pub(super) fn anomaly(&mut self, what: &'static Anomaly) {
        self.sink.anomaly(Some(self.session), self.side, what);
    }

    /// The side reached a phase, unless it was there before.
    pub(super) fn reach(&mut self, side: Side, phase: u8) {
        if self.session.peer(side).phase < phase {
            self.session.peer_mut(side).phase = phase;
            self.sink.progress(self.session, side, phase);
        }
    }

    /// Both sides have said all that can be read of a handshake.
    pub(super) fn reach_handshake_done(&mut self) {
        self.reach(Side::ToServer, client::HANDSHAKE_DONE);
        self.reach(Side::ToClient, server::HANDSHAKE_DONE);
    }

    /// Nothing follows on either side.
    pub(super) fn reach_finished(&mut self) {
        self.reach(Side::ToServer, client::FINISHED);
        self.reach(Side::ToClient, server::FINISHED);
    }

    /// Takes one whole message.
    pub(super) fn message(&mut self, kind: u8, body: &[u8], fingerprints: bool) {
        match (kind, self.side) {
            (kind::CLIENT_HELLO, Side::ToServer) => {
                self.client_hello(body, fingerprints);
                self.reach(Side::ToServer, client::HELLO_DONE);
            }
            (kind::SERVER_HELLO, Side::ToClient) => {
                self.server_hello(body, fingerprints);
                self.reach(Side::ToClient, server::HELLO);
            }
            (kind::CERTIFICATE, side) => {
                self.certificates(body);
                self.reach(side, if side == Side::ToServer { client::CERT_DONE } else { server::CERT_DONE });
            }
            (kind::CERTIFICATE_REQUEST, Side::ToClient) => self.session.asks_client = true,
            (kind::SERVER_HELLO_DONE, Side::ToClient) => self.reach(Side::ToClient, server::HELLO_DONE),
            _ => {}
        }
    }

    fn client_hello(&mut self, body: &[u8], fingerprints: bool) {
        self.hello_head(body);
        let Some(hello) = ClientHello::parse(body) else {
            return self.anomaly(&of::HANDSHAKE_INVALID_LENGTH);
        };
        let peer = self.session.peer_mut(Side::ToServer);
        peer.set_session_id(hello.session);
        if !hello.whole {
            return self.anomaly(&of::HANDSHAKE_INVALID_LENGTH);
        }
        self.session.reserve();
        if !self.client_extensions(&hello) {
            return;
        }
        // the first hello is the client's own; one after a retry is the server's doing
        if fingerprints && self.session.ja3().is_none() {
            self.session.set_print(Side::ToServer, |text| write_ja3(&hello, text), md5_digits);
            self.session.set_ja4(ja4_bytes(Ja4Transport::Tcp, &hello));
        }
    }

    fn server_hello(&mut self, body: &[u8], fingerprints: bool) {
        self.hello_head(body);
        let Some(hello) = ServerHello::parse(body) else {
            return self.anomaly(&of::HANDSHAKE_INVALID_LENGTH);
        };
        let short = hello.version == 0x0304 || hello.version >> 8 == 0x7f;
        self.session.hides_certificates |= short;
        self.session.peer_mut(Side::ToClient).set_session_id(hello.session);
        self.session.resumed |= self.session.same_session_id();
        if !hello.whole {
            return self.anomaly(&of::HANDSHAKE_INVALID_LENGTH);
        }
        if !self.server_extensions(&hello) {
            return;
        }
        if fingerprints && self.session.ja3s().is_none() {
            self.session.set_print(Side::ToClient, |text| write_ja3s(&hello, text), md5_digits);
        }
    }

    /// Version and random bytes stand first in both hellos, and count even when the rest cannot be read.
    fn hello_head(&mut self, body: &[u8]) {
        let peer = self.session.peer_mut(self.side);
        peer.hello = true;
        let mut at = Cursor::new(body);
        if let Some(version) = at.u16() {
            peer.set_version(settled_version(version));
        }
        if let Some(random) = at.take(32) {
            peer.set_random(random);
        }
    }

    /// Whether all of them could be read.
    fn client_extensions(&mut self, hello: &ClientHello<'_>) -> bool {
        let mut all = hello.extensions();
        let mut named = false;
        for one in all.by_ref() {
            if is_malformed(one) {
                self.anomaly(&of::HANDSHAKE_INVALID_LENGTH);
                return false;
            }
            match one.kind {
                extension::SERVER_NAME => named = self.server_name(one.data, named),
                extension::SUPPORTED_VERSIONS => self.versions_offered(hello),
                extension::ALPN => self.alpn(hello.alpn().list()),
                extension::EARLY_DATA => self.session.early_data = true,
                extension::SESSION_TICKET => self.session.resumed = true,
                _ => {}
            }
        }
        self.spent(all.is_spent())
    }

    fn server_extensions(&mut self, hello: &ServerHello<'_>) -> bool {
        let mut all = hello.extensions();
        for one in all.by_ref() {
            match (one.kind, Cursor::new(one.data).u16()) {
                (extension::SUPPORTED_VERSIONS, Some(version)) => {
                    self.session.hides_certificates |= self.session.versions_offered && version > TLS12;
                    self.session.peer_mut(Side::ToClient).set_version(version);
                }
                (extension::ALPN, _) => self.alpn(hello.alpn().list()),
                _ => {}
            }
        }
        self.spent(all.is_spent())
    }

    fn spent(&mut self, spent: bool) -> bool {
        if !spent {
            self.anomaly(&of::HANDSHAKE_INVALID_LENGTH);
        }
        spent
    }

    /// The first version that was ever spoken stands for the client's.
    fn versions_offered(&mut self, hello: &ClientHello<'_>) {
        self.session.versions_offered = true;
        if let Some(version) = hello.supported_versions().into_iter().find(|&version| is_version(version)) {
            self.session.peer_mut(Side::ToServer).set_version(version);
        }
    }

    fn alpn(&mut self, list: &[u8]) {
        if self.session.alpn(self.side).is_empty() {
            self.session.set_alpn(self.side, list);
        }
    }

    /// RFC 6066 section 3. Answers whether this hello has named a host by now.
    fn server_name(&mut self, data: &[u8], named: bool) -> bool {
        if data.is_empty() {
            return named;
        }
        match host_name(data) {
            Err(what) => self.anomaly(what),
            Ok(_) if named => self.anomaly(&of::MULTIPLE_SNI_EXTENSIONS),
            Ok(name) => {
                if self.session.sni().is_none() {
                    self.session.set_sni(name);
                    self.sink.host(name);
                }
                return true;
            }
        }
        named
    }

    /// RFC 5246 section 7.4.2: the chain is kept whole, the first certificate is read.
    fn certificates(&mut self, body: &[u8]) {
        if self.session.peer(self.side).certificate().is_some() {
            return;
        }
        let Some(chain) = Cursor::new(body).counted24().filter(|chain| !chain.is_empty()) else { return };
        let Some(first) = Cursor::new(chain).counted24() else {
            return self.anomaly(&of::INVALID_CERTIFICATE);
        };
        match Certificate::parse(first) {
            Ok(certificate) => self.session.peer_mut(self.side).set_certificate(certificate, chain),
            Err(what) => self.anomaly(what),
        }
        if !fits_whole(chain) {
            self.anomaly(&of::INVALID_CERTIFICATE);
        }
    }
}

fn fits_whole(chain: &[u8]) -> bool {
    let mut at = Cursor::new(chain);
    while at.counted24().is_some() {}
    at.is_empty()
}

/// Whether an extension's own vector does not fit it; empty ones are let pass.
fn is_malformed(one: Extension<'_>) -> bool {
    let mut at = Cursor::new(one.data);
    !one.data.is_empty()
        && match one.kind {
            extension::SUPPORTED_GROUPS | extension::ALPN => at.counted16().is_none(),
            extension::SIGNATURE_ALGORITHMS => {
                !at.counted16().is_some_and(|list| list.len().is_multiple_of(2))
            }
            extension::EC_POINT_FORMATS => at.counted8().is_none(),
            extension::SUPPORTED_VERSIONS => at.counted8().is_none_or(|list| list.len() < 2),
            _ => false,
        }
}

fn host_name(data: &[u8]) -> Result<&[u8], &'static Anomaly> {
    let mut at = Cursor::new(data);
    let kind = at.u16().and_then(|_| at.u8()).ok_or(&of::HANDSHAKE_INVALID_LENGTH)?;
    if kind != 0 {
        return Err(&of::INVALID_SNI_TYPE);
    }
    if at.rest().len() < 2 {
        return Err(&of::HANDSHAKE_INVALID_LENGTH);
    }
    let name = at.counted16().ok_or(&of::INVALID_SNI_LENGTH)?;
    if name.is_empty() || name.len() > LONGEST_NAME {
        return Err(&of::INVALID_SNI_LENGTH);
    }
    Ok(name)
}

/// A message that is not all there yet: its header may be cut as well.
#[derive(Debug, Default)]
pub(super) struct Partial {
    header: Vec<u8>,
    kind: u8,
    missing: usize,
    body: Vec<u8>,
    too_long: bool,
}

/// What a stretch of handshake bytes begins with.
pub(super) enum Next<'a> {
    /// A whole message out of these bytes alone.
    Message(u8, &'a [u8]),
    /// A message that began earlier is whole now: [`Partial::take`] has it.
    Collected,
    /// Bytes of a type that is not known, passed over.
    Unknown,
    /// A header that is cut: a strange way to send one.
    CutHeader,
    /// Everything is kept until more comes.
    Kept,
}

impl Partial {
    /// Heap bytes held.
    pub(super) fn held(&self) -> usize {
        self.header.capacity() + self.body.capacity()
    }

    /// The message that was collected; `None` when it was longer than anybody keeps.
    pub(super) fn take(&mut self) -> Option<(u8, Vec<u8>)> {
        let body = std::mem::take(&mut self.body);
        (!std::mem::take(&mut self.too_long)).then_some((self.kind, body))
    }

    /// Takes the next message off `bytes`. Keeps at most `limit` bytes.
    pub(super) fn next<'a>(&mut self, bytes: &mut &'a [u8], limit: usize) -> Next<'a> {
        if self.missing > 0 {
            return self.go_on(bytes, limit);
        }
        let Some(header) = self.header(bytes) else { return Next::CutHeader };
        let [kind, a, b, c] = header;
        let length = usize::try_from(u32::from_be_bytes([0, a, b, c])).unwrap_or(usize::MAX);
        let here = length.min(bytes.len());
        let (body, rest) = bytes.split_at_checked(here).unwrap_or((bytes, &[]));
        if !is_known(kind) {
            *bytes = rest;
            return Next::Unknown;
        }
        if here == length {
            *bytes = rest;
            return Next::Message(kind, body);
        }
        self.kind = kind;
        self.missing = length;
        self.too_long = length > limit;
        self.go_on(bytes, limit)
    }

    /// Four bytes, the first of which may have come before.
    fn header(&mut self, bytes: &mut &[u8]) -> Option<[u8; 4]> {
        if self.header.is_empty()
            && let Some((header, rest)) = bytes.split_first_chunk::<4>()
        {
            *bytes = rest;
            return Some(*header);
        }
        let (now, rest) = bytes.split_at_checked(4 - self.header.len()).unwrap_or((bytes, &[]));
        self.header.extend_from_slice(now);
        *bytes = rest;
        let header = <[u8; 4]>::try_from(self.header.as_slice()).ok()?;
        self.header.clear();
        Some(header)
    }

    fn go_on<'a>(&mut self, bytes: &mut &'a [u8], limit: usize) -> Next<'a> {
        let (now, rest) = bytes.split_at_checked(self.missing).unwrap_or((bytes, &[]));
        if !self.too_long && self.body.len() + now.len() <= limit {
            self.body.extend_from_slice(now);
        }
        self.missing -= now.len();
        *bytes = rest;
        if self.missing == 0 { Next::Collected } else { Next::Kept }
    }
}
