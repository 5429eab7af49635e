//! A session: what both sides have said so far. It is the one transaction of its flow.

use parse::{Buffer, Cursor, Side, Transaction, Visitor};

use super::certificate::Certificate;
use super::fields::{Chain, show};
use super::fingerprint::{Ja4, Md5Hex};
use super::hello::Names;
use super::wire::version_name;

/// A place in the session's own text.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    at: usize,
    len: usize,
}

/// A JA3 or JA3S.
#[derive(Clone, Copy, Debug)]
pub(super) struct Print {
    pub(super) string: Span,
    pub(super) hash: Md5Hex,
}

/// One side of a session.
#[derive(Debug, Default)]
pub(super) struct Peer {
    version: u16,
    /// The version as a number, for those without a name.
    version_text: [u8; 6],
    /// Its hello was seen.
    pub(super) hello: bool,
    /// It said that everything after is under new keys.
    pub(super) cipher_changed: bool,
    /// Application data was seen after the hellos.
    pub(super) application: bool,
    pub(super) phase: u8,
    random: Option<[u8; 32]>,
    session_id: ([u8; 32], u8),
    alpn: Span,
    certificate: Option<Box<Certificate>>,
    chain: Vec<u8>,
}

impl Peer {
    pub(super) fn version(&self) -> u16 {
        self.version
    }

    pub(super) fn version_text(&self) -> &[u8] {
        &self.version_text
    }

    pub(super) fn certificate(&self) -> Option<&Certificate> {
        self.certificate.as_deref()
    }

    pub(super) fn chain(&self) -> &[u8] {
        &self.chain
    }

    pub(super) fn set_version(&mut self, version: u16) {
        self.version = version;
        if version_name(version).is_none() {
            let digit = |shift: u32| b"0123456789abcdef".get(usize::from(version >> shift & 15)).copied();
            let digits = [12, 8, 4, 0].map(|shift| digit(shift).unwrap_or(b'0'));
            let [a, b, c, d] = digits;
            self.version_text = [b'0', b'x', a, b, c, d];
        }
    }

    pub(super) fn set_random(&mut self, random: &[u8]) {
        self.random = random.try_into().ok();
    }

    /// Keeps the first session id; longer ones than any version allows are not kept.
    pub(super) fn set_session_id(&mut self, id: &[u8]) {
        let (bytes, len) = &mut self.session_id;
        if *len == 0
            && let Some(place) = bytes.get_mut(..id.len())
        {
            place.copy_from_slice(id);
            *len = u8::try_from(id.len()).unwrap_or_default();
        }
    }

    fn session_id(&self) -> &[u8] {
        let (bytes, len) = &self.session_id;
        bytes.get(..usize::from(*len)).unwrap_or_default()
    }

    /// Keeps a chain and what is told about its first certificate.
    pub(super) fn set_certificate(&mut self, certificate: Certificate, chain: &[u8]) {
        self.certificate = Some(Box::new(certificate));
        self.chain = chain.to_vec();
    }

    fn version_name(&self) -> &[u8] {
        version_name(self.version).map_or(&self.version_text, str::as_bytes)
    }

    fn held(&self) -> usize {
        self.chain.capacity() + self.certificate.as_ref().map_or(0, |one| one.held())
    }
}

/// What a flow's handshake has shown.
#[derive(Debug, Default)]
pub(super) struct Session {
    peers: [Peer; 2],
    /// Server name, ALPN lists and fingerprints, one behind the other.
    text: Vec<u8>,
    sni: Option<Span>,
    ja3: Option<Print>,
    ja3s: Option<Print>,
    ja4: Option<Ja4>,
    /// The client offered versions by extension.
    pub(super) versions_offered: bool,
    /// The client may send data before the server's hello.
    pub(super) early_data: bool,
    /// An older session is taken up, as far as the hellos say.
    pub(super) resumed: bool,
    /// No certificate will be readable.
    pub(super) hides_certificates: bool,
    /// Protocol spoken before on this flow; empty for none.
    pub(super) from_protocol: &'static str,
    /// The server asks for the client's certificate.
    pub(super) asks_client: bool,
    with_certificates: bool,
}

impl Session {
    pub(super) fn new(with_certificates: bool) -> Self {
        Self { with_certificates, ..Self::default() }
    }

    pub(super) fn peer(&self, side: Side) -> &Peer {
        let [client, server] = &self.peers;
        match side {
            Side::ToServer => client,
            Side::ToClient => server,
        }
    }

    pub(super) fn peer_mut(&mut self, side: Side) -> &mut Peer {
        let [client, server] = &mut self.peers;
        match side {
            Side::ToServer => client,
            Side::ToClient => server,
        }
    }

    /// Whether either side said that everything after is under new keys.
    pub(super) fn cipher_changed(&self) -> bool {
        self.peers.iter().any(|peer| peer.cipher_changed)
    }

    /// Whether an event can be written at all: a certificate, a resumption, or a version that hides certificates.
    pub(super) fn is_loggable(&self) -> bool {
        self.peer(Side::ToClient).certificate.is_some() || self.resumed || self.hides_certificates
    }

    /// A ticket may have been offered in vain: it was taken when a server's hello came and no certificate.
    pub(super) fn shows_resumed(&self) -> bool {
        let server = self.peer(Side::ToClient);
        self.resumed && server.hello && server.certificate.is_none() && !self.hides_certificates
    }

    pub(super) fn shows_certificates(&self) -> bool {
        self.with_certificates
    }

    /// Whether the server gave the client's session id back.
    pub(super) fn same_session_id(&self) -> bool {
        let [client, server] = &self.peers;
        !server.session_id().is_empty() && server.session_id() == client.session_id()
    }

    pub(super) fn sni(&self) -> Option<&[u8]> {
        self.sni.map(|span| self.text(span))
    }

    pub(super) fn alpn(&self, side: Side) -> &[u8] {
        self.text(self.peer(side).alpn)
    }

    pub(super) fn ja3(&self) -> Option<&Print> {
        self.ja3.as_ref()
    }

    pub(super) fn ja3s(&self) -> Option<&Print> {
        self.ja3s.as_ref()
    }

    pub(super) fn ja4(&self) -> Option<&Ja4> {
        self.ja4.as_ref()
    }

    pub(super) fn text(&self, span: Span) -> &[u8] {
        self.text.get(span.at..span.at + span.len).unwrap_or_default()
    }

    /// One allocation for everything that a usual client says.
    pub(super) fn reserve(&mut self) {
        self.text.reserve(512);
    }

    pub(super) fn set_sni(&mut self, name: &[u8]) {
        self.sni = Some(self.keep(name));
    }

    pub(super) fn set_alpn(&mut self, side: Side, list: &[u8]) {
        let span = self.keep(list);
        self.peer_mut(side).alpn = span;
    }

    pub(super) fn set_ja4(&mut self, ja4: Ja4) {
        self.ja4 = Some(ja4);
    }

    /// Keeps the fingerprint that `write` appends.
    pub(super) fn set_print(
        &mut self,
        side: Side,
        write: impl FnOnce(&mut Vec<u8>),
        hash: impl Fn(&[u8]) -> Md5Hex,
    ) {
        let at = self.text.len();
        write(&mut self.text);
        let string = Span { at, len: self.text.len() - at };
        let print = Some(Print { string, hash: hash(self.text(string)) });
        match side {
            Side::ToServer => self.ja3 = print,
            Side::ToClient => self.ja3s = print,
        }
    }

    /// Lets go of what only rules and the event needed.
    pub(super) fn forget_chains(&mut self) {
        if !self.with_certificates {
            self.peers.iter_mut().for_each(|peer| peer.chain = Vec::new());
        }
    }

    pub(super) fn held(&self) -> usize {
        self.text.capacity() + self.peers.iter().map(Peer::held).sum::<usize>()
    }

    fn keep(&mut self, bytes: &[u8]) -> Span {
        let at = self.text.len();
        self.text.extend_from_slice(bytes);
        Span { at, len: bytes.len() }
    }
}

impl Transaction for Session {
    fn id(&self) -> u64 {
        0
    }

    fn buffer(&self, which: &'static Buffer, side: Side, index: usize) -> Option<&[u8]> {
        let peer = self.peer(side);
        if index > 0 && !which.many {
            return None;
        }
        let certificate = peer.certificate();
        let random = peer.random.as_ref();
        match which.name {
            "tls.sni" => self.sni().filter(|_| side == Side::ToServer),
            "tls.version" => peer.hello.then(|| peer.version_name()),
            "tls.random" => random.map(<[u8; 32]>::as_slice),
            "tls.random_time" => random?.get(..4),
            "tls.random_bytes" => random?.get(4..),
            "tls.alpn" => Names::new(self.alpn(side)).nth(index),
            "tls.certs" => Chain(Cursor::new(&peer.chain)).nth(index),
            "tls.cert_subject" => certificate.map(|one| one.subject.as_bytes()),
            "tls.cert_issuer" => certificate.map(|one| one.issuer.as_bytes()),
            "tls.cert_serial" => certificate.map(|one| one.serial.as_bytes()),
            "tls.cert_fingerprint" => certificate.map(|one| one.fingerprint.as_bytes()),
            "tls.subjectaltname" => certificate?.names.get(index).map(String::as_bytes),
            "ja3.hash" => self.ja3.as_ref().map(|print| print.hash.as_slice()),
            "ja3.string" => self.ja3.as_ref().map(|print| self.text(print.string)),
            "ja3s.hash" => self.ja3s.as_ref().map(|print| print.hash.as_slice()),
            "ja3s.string" => self.ja3s.as_ref().map(|print| self.text(print.string)),
            "ja4.hash" => self.ja4.as_ref().map(<[u8; 36]>::as_slice),
            _ => None,
        }
    }

    fn fields(&self, visitor: &mut dyn Visitor) {
        show(self, visitor);
    }
}
