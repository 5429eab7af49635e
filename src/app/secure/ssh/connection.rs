//! A connection as rules and events see it: the one transaction of its flow.

use parse::{Buffer, Field, Side, Transaction, Visitor};

use super::fields::{buffer, field};
use super::wire::{Banner, KeyExchange};
use crate::tls::fingerprint::md5_hex;

/// What both sides said of themselves.
#[derive(Debug, Default)]
pub(super) struct Connection {
    peers: (Peer, Peer),
}

/// What one side said of itself.
#[derive(Debug, Default)]
pub(super) struct Peer {
    /// Protocol version; empty until the banner is read.
    proto: Vec<u8>,
    software: Vec<u8>,
    /// String and hash.
    hassh: Option<(Vec<u8>, String)>,
}

struct PeerFields {
    object: &'static Field,
    proto: &'static Field,
    software: &'static Field,
    hassh: &'static Field,
    hash: &'static Field,
    string: &'static Field,
}

static CLIENT: PeerFields = PeerFields {
    object: &field::CLIENT,
    proto: &field::CLIENT_PROTO,
    software: &field::CLIENT_SOFTWARE,
    hassh: &field::CLIENT_HASSH,
    hash: &field::CLIENT_HASSH_HASH,
    string: &field::CLIENT_HASSH_STRING,
};

static SERVER: PeerFields = PeerFields {
    object: &field::SERVER,
    proto: &field::SERVER_PROTO,
    software: &field::SERVER_SOFTWARE,
    hassh: &field::SERVER_HASSH,
    hash: &field::SERVER_HASSH_HASH,
    string: &field::SERVER_HASSH_STRING,
};

impl Connection {
    /// Notes a side's banner.
    pub(super) fn banner(&mut self, side: Side, banner: &Banner<'_>) {
        let peer = self.peer_mut(side);
        peer.proto = banner.proto.to_vec();
        peer.software = banner.software.to_vec();
    }

    /// Notes a side's algorithms; only the first offer counts.
    pub(super) fn offer(&mut self, side: Side, exchange: &KeyExchange<'_>) {
        let peer = self.peer_mut(side);
        if peer.hassh.is_none() {
            let string = exchange.hassh(side == Side::ToClient);
            let hash = md5_hex(&string);
            peer.hassh = Some((string, hash));
        }
    }

    /// What one side said.
    pub(super) const fn peer(&self, side: Side) -> &Peer {
        match side {
            Side::ToServer => &self.peers.0,
            Side::ToClient => &self.peers.1,
        }
    }

    const fn peer_mut(&mut self, side: Side) -> &mut Peer {
        match side {
            Side::ToServer => &mut self.peers.0,
            Side::ToClient => &mut self.peers.1,
        }
    }

    /// Heap bytes held.
    pub(super) fn held(&self) -> usize {
        Side::BOTH.map(|side| self.peer(side).held()).iter().sum()
    }
}

impl Peer {
    /// Whether the banner is read.
    pub(super) const fn has_banner(&self) -> bool {
        !self.proto.is_empty()
    }

    /// Whether the algorithms are read.
    pub(super) const fn has_offer(&self) -> bool {
        self.hassh.is_some()
    }

    /// Whether it speaks the first version of the protocol only, whose records are different.
    pub(super) fn is_first_version(&self) -> bool {
        self.proto.starts_with(b"1.") && self.proto != b"1.99"
    }

    fn held(&self) -> usize {
        let hassh = self.hassh.as_ref().map_or(0, |(string, hash)| string.capacity() + hash.capacity());
        self.proto.capacity() + self.software.capacity() + hassh
    }

    fn fields(&self, names: &'static PeerFields, visitor: &mut dyn Visitor) {
        if !self.has_banner() {
            return;
        }
        visitor.object(names.object);
        visitor.text(names.proto, &self.proto);
        if !self.software.is_empty() {
            visitor.text(names.software, &self.software);
        }
        if let Some((string, hash)) = &self.hassh {
            visitor.object(names.hassh);
            visitor.text(names.hash, hash.as_bytes());
            visitor.text(names.string, string);
            visitor.close();
        }
        visitor.close();
    }
}

impl Transaction for Connection {
    fn id(&self) -> u64 {
        0
    }

    fn buffer(&self, which: &'static Buffer, side: Side, index: usize) -> Option<&[u8]> {
        let is = |other: &'static Buffer| std::ptr::eq(which, other);
        let hassh = |side| self.peer(side).hassh.as_ref();
        if index > 0 {
            None
        } else if is(&buffer::PROTO) {
            Some(&self.peer(side).proto[..]).filter(|proto| !proto.is_empty())
        } else if is(&buffer::SOFTWARE) {
            Some(&self.peer(side).software[..]).filter(|software| !software.is_empty())
        } else if is(&buffer::HASSH) {
            hassh(Side::ToServer).map(|(_, hash)| hash.as_bytes())
        } else if is(&buffer::HASSH_STRING) {
            hassh(Side::ToServer).map(|(string, _)| &string[..])
        } else if is(&buffer::HASSH_SERVER) {
            hassh(Side::ToClient).map(|(_, hash)| hash.as_bytes())
        } else if is(&buffer::HASSH_SERVER_STRING) {
            hassh(Side::ToClient).map(|(string, _)| &string[..])
        } else {
            None
        }
    }

    fn fields(&self, visitor: &mut dyn Visitor) {
        visitor.object(&field::SSH);
        self.peer(Side::ToServer).fields(&CLIENT, visitor);
        self.peer(Side::ToClient).fields(&SERVER, visitor);
        visitor.close();
    }
}
