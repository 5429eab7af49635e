//! The `tls` object, in the order in which it is written.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use parse::{Cursor, Field, Side, Visitor};

use super::certificate::Certificate;
use super::hello::Names;
use super::session::{Peer, Print, Session};
use super::wire::version_name;

pub(super) mod catalogue {
    parse::fields! {
        /// Everything about one handshake.
        TLS: Object("", "tls") "one TLS handshake, as far as it can be read";
        /// Subject.
        SUBJECT: Text("tls.", "subject") "subject of the server's certificate";
        /// Issuer.
        ISSUER: Text("tls.", "issuerdn") "issuer of the server's certificate";
        /// Further names.
        NAMES: List("tls.", "subjectaltname") "further names of the server's certificate";
        /// Resumption.
        RESUMED: Flag("tls.", "session_resumed") "whether an earlier session was taken up again";
        /// Serial number.
        SERIAL: Text("tls.", "serial") "serial number of the server's certificate";
        /// Fingerprint.
        FINGERPRINT: Text("tls.", "fingerprint") "SHA-1 of the server's certificate";
        /// Host name asked for.
        SNI: Text("tls.", "sni") "host name that the client asked for", element(8057, 808);
        /// Version.
        VERSION: Text("tls.", "version") "version that is spoken", element(39499, 333);
        /// Protocol before.
        FROM_PROTO: Text("tls.", "from_proto") "protocol that was spoken on this flow before TLS took over";
        /// Beginning of validity.
        NOT_BEFORE: Second("tls.", "notbefore") "when the server's certificate becomes valid";
        /// End of validity.
        NOT_AFTER: Second("tls.", "notafter") "when the server's certificate ceases to be valid";
        /// Certificate.
        CERTIFICATE: Text("tls.", "certificate") "the server's certificate, base64";
        /// Chain.
        CHAIN: List("tls.", "chain") "the server's certificate chain, base64";
        /// JA3.
        JA3: Object("tls.", "ja3") "fingerprint of the client";
        /// JA3 hash.
        JA3_HASH: Text("tls.ja3.", "hash") "MD5 of the fingerprint", element(39499, 357);
        /// JA3 string.
        JA3_STRING: Text("tls.ja3.", "string") "the fingerprint itself";
        /// JA3S.
        JA3S: Object("tls.", "ja3s") "fingerprint of the server";
        /// JA3S hash.
        JA3S_HASH: Text("tls.ja3s.", "hash") "MD5 of the fingerprint";
        /// JA3S string.
        JA3S_STRING: Text("tls.ja3s.", "string") "the fingerprint itself";
        /// JA4.
        JA4: Text("tls.", "ja4") "JA4 of the client", element(8057, 809);
        /// Protocols offered.
        CLIENT_ALPNS: List("tls.", "client_alpns") "application protocols offered", element(39499, 337);
        /// Protocols chosen.
        SERVER_ALPNS: List("tls.", "server_alpns") "application protocols chosen";
        /// The client's certificate.
        CLIENT: Object("tls.", "client") "the client's certificate";
        /// Its subject.
        CLIENT_SUBJECT: Text("tls.client.", "subject") "subject of the client's certificate";
        /// Its issuer.
        CLIENT_ISSUER: Text("tls.client.", "issuerdn") "issuer of the client's certificate";
        /// Its fingerprint.
        CLIENT_FINGERPRINT: Text("tls.client.", "fingerprint") "SHA-1 of the client's certificate";
        /// Its serial number.
        CLIENT_SERIAL: Text("tls.client.", "serial") "serial number of the client's certificate";
        /// Beginning of its validity.
        CLIENT_NOT_BEFORE: Second("tls.client.", "notbefore") "when the client's certificate becomes valid";
        /// End of its validity.
        CLIENT_NOT_AFTER: Second("tls.client.", "notafter") "when the client's certificate ceases to be valid";
        /// Itself.
        CLIENT_CERTIFICATE: Text("tls.client.", "certificate") "the client's certificate, base64";
        /// Its chain.
        CLIENT_CHAIN: List("tls.client.", "chain") "the client's certificate chain, base64";
    }
}

use catalogue as f;

pub(super) fn show(session: &Session, to: &mut dyn Visitor) {
    let client = session.peer(Side::ToServer);
    let server = session.peer(Side::ToClient);
    to.object(&f::TLS);
    if let Some(certificate) = server.certificate() {
        to.text(&f::SUBJECT, certificate.subject.as_bytes());
        to.text(&f::ISSUER, certificate.issuer.as_bytes());
        show_list(to, &f::NAMES, certificate.names.iter().map(String::as_bytes));
    } else if session.shows_resumed() {
        to.flag(&f::RESUMED, true);
    }
    if let Some(certificate) = server.certificate() {
        to.text(&f::SERIAL, certificate.serial.as_bytes());
        to.text(&f::FINGERPRINT, certificate.fingerprint.as_bytes());
    }
    if let Some(sni) = session.sni() {
        to.text(&f::SNI, sni);
    }
    show_version(to, client, server);
    if !session.from_protocol.is_empty() {
        to.word(&f::FROM_PROTO, session.from_protocol);
    }
    if let Some(certificate) = server.certificate() {
        show_time(to, &f::NOT_BEFORE, certificate.not_before);
        show_time(to, &f::NOT_AFTER, certificate.not_after);
    }
    if session.shows_certificates() {
        show_chain(to, server, &f::CERTIFICATE, &f::CHAIN);
    }
    show_prints(session, to);
    show_list(to, &f::CLIENT_ALPNS, Names::new(session.alpn(Side::ToServer)));
    show_list(to, &f::SERVER_ALPNS, Names::new(session.alpn(Side::ToClient)));
    if let Some(certificate) = client.certificate() {
        show_client(session, to, certificate);
    }
    to.close();
}

/// The version that the server chose; what the client offered when the server never answered.
fn show_version(to: &mut dyn Visitor, client: &Peer, server: &Peer) {
    let peer = if server.version() == 0 { client } else { server };
    match version_name(peer.version()) {
        Some(name) => to.word(&f::VERSION, name),
        None => to.text(&f::VERSION, peer.version_text()),
    }
}

fn show_prints(session: &Session, to: &mut dyn Visitor) {
    let ja3 = [(session.ja3(), [&f::JA3, &f::JA3_HASH, &f::JA3_STRING])];
    let ja3s = [(session.ja3s(), [&f::JA3S, &f::JA3S_HASH, &f::JA3S_STRING])];
    for (print, [object, hash, string]) in ja3.into_iter().chain(ja3s) {
        if let Some(Print { hash: digits, string: span }) = print {
            to.object(object);
            to.text(hash, digits);
            to.text(string, session.text(*span));
            to.close();
        }
    }
    if let Some(ja4) = session.ja4() {
        to.text(&f::JA4, ja4);
    }
}

fn show_client(session: &Session, to: &mut dyn Visitor, certificate: &Certificate) {
    to.object(&f::CLIENT);
    to.text(&f::CLIENT_SUBJECT, certificate.subject.as_bytes());
    to.text(&f::CLIENT_ISSUER, certificate.issuer.as_bytes());
    to.text(&f::CLIENT_FINGERPRINT, certificate.fingerprint.as_bytes());
    to.text(&f::CLIENT_SERIAL, certificate.serial.as_bytes());
    show_time(to, &f::CLIENT_NOT_BEFORE, certificate.not_before);
    show_time(to, &f::CLIENT_NOT_AFTER, certificate.not_after);
    if session.shows_certificates() {
        show_chain(to, session.peer(Side::ToServer), &f::CLIENT_CERTIFICATE, &f::CLIENT_CHAIN);
    }
    to.close();
}

fn show_list<'a>(to: &mut dyn Visitor, field: &'static Field, items: impl Iterator<Item = &'a [u8]>) {
    let mut open = false;
    for item in items {
        if !std::mem::replace(&mut open, true) {
            to.list(field);
        }
        to.text(field, item);
    }
    if open {
        to.close();
    }
}

fn show_time(to: &mut dyn Visitor, field: &'static Field, seconds: i64) {
    if seconds != 0 {
        to.time(field, seconds.saturating_mul(1_000_000));
    }
}

fn show_chain(to: &mut dyn Visitor, peer: &Peer, certificate: &'static Field, chain: &'static Field) {
    let encoded: Vec<String> = Chain(Cursor::new(peer.chain())).map(|der| STANDARD.encode(der)).collect();
    if let Some(first) = encoded.first() {
        to.text(certificate, first.as_bytes());
    }
    show_list(to, chain, encoded.iter().map(String::as_bytes));
}

/// Walks over the certificates of a chain (RFC 5246 section 7.4.2).
pub(super) struct Chain<'a>(pub(super) Cursor<'a>);

impl<'a> Iterator for Chain<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<Self::Item> {
        self.0.counted24()
    }
}
