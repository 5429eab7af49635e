//! SSLv2 records (the Netscape draft of 1995, sections 1 and 2), and the hellos that offer newer versions in them.

use parse::{Cursor, Side, Sink};

use super::catalogue::{self as of, client, server};
use super::state::{Taken, Tls, frame};
use super::wire::{SSL2, Short};

mod message {
    pub(super) const ERROR: u8 = 0;
    pub(super) const CLIENT_HELLO: u8 = 1;
    pub(super) const CLIENT_MASTER_KEY: u8 = 2;
    pub(super) const CLIENT_FINISHED: u8 = 3;
    pub(super) const SERVER_HELLO: u8 = 4;
    pub(super) const SERVER_VERIFY: u8 = 5;
    pub(super) const SERVER_FINISHED: u8 = 6;
    pub(super) const REQUEST_CERTIFICATE: u8 = 7;
    pub(super) const CLIENT_CERTIFICATE: u8 = 8;
}

/// What SSLv2 messages have shown.
#[derive(Debug, Default)]
pub(super) struct Old {
    hello: [bool; 2],
    encrypted: [bool; 2],
    new_session: bool,
    master_key: bool,
}

impl Old {
    pub(super) fn is_encrypted(&self) -> bool {
        self.encrypted == [true; 2]
    }

    /// A message that is encrypted where the handshake went as it should.
    fn under_keys(&mut self, side: Side) {
        if self.hello != [true; 2] {
            return;
        }
        let [by_client, by_server] = &mut self.encrypted;
        match side {
            Side::ToServer => *by_client |= self.new_session || self.master_key,
            Side::ToClient => *by_server = true,
        }
    }
}

impl Tls {
    pub(super) fn old_record(&mut self, side: Side, rest: &[u8], at: u64, sink: &mut dyn Sink) -> Taken {
        self.session.peer_mut(side).set_version(SSL2);
        let Some(short) = Short::parse(rest) else { return Taken::Want(4.max(rest.len() + 1)) };
        if short.length == 0 {
            return self.old_failure(side, &of::INVALID_SSLV2_HEADER, sink);
        }
        let Some(body) = rest.get(short.lengths + 1..short.size()) else {
            // a record without content: there is nothing behind its type
            if rest.len() >= short.size() {
                return Taken::Bytes(short.size());
            }
            return Taken::Want(short.size());
        };
        frame(side, &of::SSL2_HDR, at, 0, short.lengths + 1, sink);
        frame(side, &of::SSL2_PDU, at, 0, short.size(), sink);
        if short.message == message::CLIENT_HELLO && body.len() < 6 {
            return self.old_failure(side, &of::INVALID_SSL_RECORD, sink);
        }
        self.old_message(side, short.message, body, sink);
        Taken::Bytes(short.size())
    }

    fn old_failure(&mut self, side: Side, what: &'static parse::Anomaly, sink: &mut dyn Sink) -> Taken {
        let mut told = self.told(side, sink);
        told.anomaly(what);
        told.anomaly(&of::INVALID_SSL_RECORD);
        Taken::Bad
    }

    fn old_message(&mut self, side: Side, kind: u8, body: &[u8], sink: &mut dyn Sink) {
        let [from_client, from_server] = &mut self.old.hello;
        match kind {
            message::ERROR => self.told(side, sink).anomaly(&of::ERROR_MESSAGE_ENCOUNTERED),
            message::CLIENT_HELLO => {
                *from_client = true;
                self.old_client_hello(side, body);
                self.told(side, sink).reach(Side::ToServer, client::HELLO_DONE);
            }
            message::SERVER_HELLO => {
                *from_server = true;
                self.session.peer_mut(Side::ToClient).hello = true;
                self.told(side, sink).reach(Side::ToClient, server::HELLO);
            }
            message::CLIENT_MASTER_KEY => self.old.master_key = true,
            message::CLIENT_FINISHED
            | message::SERVER_VERIFY
            | message::SERVER_FINISHED
            | message::REQUEST_CERTIFICATE
            | message::CLIENT_CERTIFICATE => self.old.under_keys(side),
            _ => {}
        }
    }

    fn old_client_hello(&mut self, side: Side, body: &[u8]) {
        let mut at = Cursor::new(body);
        if let (Some(version), Some(_ciphers), Some(session)) = (at.u16(), at.u16(), at.u16()) {
            let peer = self.session.peer_mut(side);
            peer.hello = true;
            peer.set_version(version);
            self.old.new_session = session == 0;
        }
    }
}
