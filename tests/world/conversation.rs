//! A whole TCP connection as frames: both sides keep count of their sequence numbers.

use std::net::{IpAddr, SocketAddr};

use crate::{Builder, Tcp, TcpFlags};

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The one that opens the connection.
    Client,
    /// The one that answers.
    Server,
}

impl Side {
    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// A TCP connection in the making.
///
/// ```
/// use world::{Conversation, Side};
/// let mut talk = Conversation::new("192.0.2.1:40000".parse().unwrap(), "198.51.100.1:80".parse().unwrap());
/// talk.open();
/// talk.say(Side::Client, b"GET / HTTP/1.0\r\n\r\n");
/// talk.say(Side::Server, b"HTTP/1.0 204 No Content\r\n\r\n");
/// talk.close();
/// assert_eq!(talk.into_frames().len(), 3 + 2 + 2 + 3);
/// ```
#[derive(Clone, Debug)]
pub struct Conversation {
    client: SocketAddr,
    server: SocketAddr,
    next: [u32; 2],
    first: [u32; 2],
    mss: usize,
    vlan: Option<u16>,
    frames: Vec<Vec<u8>>,
}

impl Conversation {
    /// A connection that has not begun. Initial sequence numbers follow from the ports.
    #[must_use]
    pub fn new(client: SocketAddr, server: SocketAddr) -> Self {
        let first = [
            u32::from(client.port()).wrapping_mul(0x9e37_79b9),
            u32::from(client.port() ^ server.port()).wrapping_mul(0x85eb_ca6b),
        ];
        Self { client, server, next: first, first, mss: 1448, vlan: None, frames: Vec::new() }
    }

    /// Segments carry at most `mss` bytes; 1 gives one byte a segment.
    #[must_use]
    pub fn mss(mut self, mss: usize) -> Self {
        self.mss = mss.max(1);
        self
    }

    /// Everything travels under this 802.1Q tag.
    #[must_use]
    pub const fn vlan(mut self, id: u16) -> Self {
        self.vlan = Some(id);
        self
    }

    /// Begins at these sequence numbers, client's and server's, such as just below the wrap.
    #[must_use]
    pub const fn sequence(mut self, client: u32, server: u32) -> Self {
        self.next = [client, server];
        self.first = self.next;
        self
    }

    /// The three-way handshake.
    pub fn open(&mut self) {
        let mss = [2, 4, (self.mss >> 8) as u8, self.mss as u8, 1, 3, 3, 7];
        self.push(Side::Client, TcpFlags::SYN, &mss, &[]);
        self.push(Side::Server, TcpFlags::SYN | TcpFlags::ACK, &mss, &[]);
        self.push(Side::Client, TcpFlags::ACK, &[], &[]);
    }

    /// `side` says `bytes`; the other side acknowledges the last segment.
    pub fn say(&mut self, side: Side, bytes: &[u8]) {
        for segment in bytes.chunks(self.mss) {
            self.push(side, TcpFlags::ACK | TcpFlags::PSH, &[], segment);
        }
        self.push(side.other(), TcpFlags::ACK, &[], &[]);
    }

    /// `side` sends `bytes` at `offset` bytes behind its first data byte, and nobody's count moves: for holes, overlaps,
    /// repeats and segments out of order.
    pub fn say_at(&mut self, side: Side, offset: u32, bytes: &[u8]) {
        let kept = self.next;
        self.next[side as usize] = self.first[side as usize].wrapping_add(1).wrapping_add(offset);
        self.push(side, TcpFlags::ACK | TcpFlags::PSH, &[], bytes);
        self.next = kept;
    }

    /// Moves `side`'s count on by `bytes` without sending them: a hole, or what [`Conversation::say_at`] has sent.
    pub const fn skip(&mut self, side: Side, bytes: u32) {
        self.next[side as usize] = self.next[side as usize].wrapping_add(bytes);
    }

    /// Both sides finish, the client first.
    pub fn close(&mut self) {
        self.push(Side::Client, TcpFlags::FIN | TcpFlags::ACK, &[], &[]);
        self.push(Side::Server, TcpFlags::FIN | TcpFlags::ACK, &[], &[]);
        self.push(Side::Client, TcpFlags::ACK, &[], &[]);
    }

    /// `side` resets the connection.
    pub fn reset(&mut self, side: Side) {
        self.push(side, TcpFlags::RST | TcpFlags::ACK, &[], &[]);
    }

    /// The frames so far, in order.
    #[must_use]
    pub fn frames(&self) -> &[Vec<u8>] {
        &self.frames
    }

    /// Takes out the frames so far; the connection goes on.
    pub fn take_frames(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.frames)
    }

    /// The frames, in order.
    #[must_use]
    pub fn into_frames(self) -> Vec<Vec<u8>> {
        self.frames
    }

    fn push(&mut self, side: Side, flags: TcpFlags, options: &[u8], bytes: &[u8]) {
        let (from, to) = match side {
            Side::Client => (self.client, self.server),
            Side::Server => (self.server, self.client),
        };
        let acknowledges = flags.0 & TcpFlags::ACK.0 != 0;
        let header = Tcp::new(from.port(), to.port())
            .flags(flags)
            .options(options)
            .seq(self.next[side as usize])
            .ack(if acknowledges { self.next[side.other() as usize] } else { 0 });
        let frame =
            link(from.ip(), to.ip(), self.vlan).ip(from.ip(), to.ip()).tcp(header).payload(bytes).build();
        self.frames.push(frame);
        let counted = u32::from(flags.0 & (TcpFlags::SYN.0 | TcpFlags::FIN.0) != 0);
        self.skip(side, bytes.len() as u32 + counted);
    }
}

/// Ethernet with addresses that follow from the IP addresses, so that the two sides differ.
fn link(from: IpAddr, to: IpAddr, vlan: Option<u16>) -> Builder {
    let ethernet = Builder::ethernet_between(mac(from), mac(to));
    match vlan {
        Some(id) => ethernet.vlan(id),
        None => ethernet,
    }
}

fn mac(address: IpAddr) -> [u8; 6] {
    let last = match address {
        IpAddr::V4(a) => a.octets(),
        IpAddr::V6(a) => a.octets()[12..].try_into().unwrap_or_default(),
    };
    [2, 0, last[0], last[1], last[2], last[3]]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn talk() -> Conversation {
        Conversation::new("192.0.2.1:40000".parse().unwrap(), "192.0.2.2:80".parse().unwrap())
    }

    /// Sequence and acknowledgement number, flags and payload length of an untagged IPv4 frame.
    fn read(frame: &[u8]) -> (u32, u32, u8, usize) {
        let word = |at: usize| u32::from_be_bytes(frame[at..at + 4].try_into().unwrap());
        let header = usize::from(frame[46] >> 4) * 4;
        (word(38), word(42), frame[47], frame.len() - 34 - header)
    }

    #[test]
    fn both_sides_count() {
        let mut talk = talk().sequence(100, 900).mss(3);
        talk.open();
        talk.say(Side::Client, b"abcd");
        talk.say(Side::Server, b"xy");
        talk.close();
        let seen: Vec<_> = talk.frames().iter().map(|f| read(f)).collect();
        assert_eq!(
            seen,
            [
                (100, 0, 0x02, 0),
                (900, 101, 0x12, 0),
                (101, 901, 0x10, 0),
                (101, 901, 0x18, 3),
                (104, 901, 0x18, 1),
                (901, 105, 0x10, 0),
                (901, 105, 0x18, 2),
                (105, 903, 0x10, 0),
                (105, 903, 0x11, 0),
                (903, 106, 0x11, 0),
                (106, 904, 0x10, 0),
            ]
        );
    }

    #[test]
    fn segments_out_of_order_do_not_move_the_count() {
        let mut talk = talk().sequence(u32::MAX, 0);
        talk.open();
        talk.say_at(Side::Client, 4, b"late");
        talk.say_at(Side::Client, 0, b"soon");
        talk.skip(Side::Client, 8);
        talk.reset(Side::Server);
        let seen: Vec<_> = talk.frames()[3..].iter().map(|f| read(f)).collect();
        assert_eq!(seen, [(4, 1, 0x18, 4), (0, 1, 0x18, 4), (1, 8, 0x14, 0)]);
    }
}
