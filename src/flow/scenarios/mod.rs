//! Scenarios: packets in, turns and bytes out.

mod delivery;
mod handshake;
mod life;
mod overlap;
mod storm;

use crate::{Chunk, FlowRef, Moment, Refused, Settings, Side, StreamEvent, Table, Turn};
use decode::tcp_flags::{ACK, FIN, PSH, RST, SYN};
use decode::{Address, Ip, Network, Packet, Tcp, Transport};
use frame::Timestamp;

/// What the reader of a test hangs on a flow.
pub(crate) type Notes = Vec<u8>;

/// One thing that a reader was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) side: Side,
    pub(crate) offset: u64,
    pub(crate) data: Vec<u8>,
    pub(crate) gap: u64,
    pub(crate) last: bool,
    pub(crate) truncated: bool,
}

/// A table and a clock.
pub(crate) struct Bench {
    pub(crate) table: Table<Notes>,
    pub(crate) now: Timestamp,
    pub(crate) number: u64,
}

/// A connection whose packets are easy to write: numbers are relative to each side's first one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Talk {
    pub(crate) client: ([u8; 4], u16),
    pub(crate) server: ([u8; 4], u16),
    pub(crate) first: [u32; 2],
    pub(crate) window: u16,
}

impl Default for Talk {
    fn default() -> Self {
        let (client, server) = (([10, 0, 0, 1], 40_000), ([10, 0, 0, 2], 80));
        Self { client, server, first: [1_000, 9_000], window: 60_000 }
    }
}

impl Talk {
    pub(crate) fn numbered(n: u32) -> Self {
        let [_, a, b, c] = n.to_be_bytes();
        Self { client: ([11, a, b, c], 1_024 + (n % 50_000) as u16), ..Self::default() }
    }

    /// A packet; `seq` and `ack` count from the first byte behind the SYN, which itself has -1.
    pub(crate) fn packet(&self, side: Side, flags: u8, seq: i64, ack: i64, payload: &[u8]) -> Packet {
        let (from, to) = match side {
            Side::ToServer => (self.client, self.server),
            Side::ToClient => (self.server, self.client),
        };
        let own = self.first[side.index()];
        let theirs = self.first[side.other().index()];
        let tcp = Tcp {
            src_port: from.1,
            dst_port: to.1,
            seq: own.wrapping_add(1).wrapping_add(seq as u32),
            ack: if flags & ACK == 0 { 0 } else { theirs.wrapping_add(1).wrapping_add(ack as u32) },
            flags,
            window: self.window,
            ..Tcp::default()
        };
        let mut packet = ip_packet(from.0, to.0, 6);
        packet.transport = Transport::Tcp(tcp);
        packet.payload_len = payload.len() as u32;
        packet.length = 54 + payload.len() as u32;
        packet
    }
}

pub(crate) fn ip_packet(from: [u8; 4], to: [u8; 4], protocol: u8) -> Packet {
    let ip =
        Ip { version: 4, protocol, ttl: 64, src: Address::v4(from), dst: Address::v4(to), ..Ip::default() };
    Packet { network: Network::Ip(ip), length: 60, ..Packet::default() }
}

pub(crate) fn udp(from: ([u8; 4], u16), to: ([u8; 4], u16)) -> Packet {
    let mut packet = ip_packet(from.0, to.0, 17);
    packet.transport = Transport::Udp(from.1, to.1);
    packet
}

impl Bench {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self { table: Table::new(settings), now: Timestamp::new(1_000, 0), number: 0 }
    }

    pub(crate) fn plain() -> Self {
        Self::new(&Settings { memory: 4 << 20, ..Settings::default() })
    }

    pub(crate) fn send(&mut self, packet: &Packet, payload: &[u8]) -> Result<Turn, Refused> {
        self.number += 1;
        let now = Moment { time: self.now, number: self.number };
        self.table.turn(packet, payload, now, 0)
    }

    pub(crate) fn tcp(
        &mut self,
        talk: &Talk,
        side: Side,
        flags: u8,
        seq: i64,
        ack: i64,
        payload: &[u8],
    ) -> Turn {
        let packet = talk.packet(side, flags, seq, ack, payload);
        self.send(&packet, payload).expect("a flow")
    }

    /// The three packets of a handshake.
    pub(crate) fn shake(&mut self, talk: &Talk) -> FlowRef {
        self.tcp(talk, Side::ToServer, SYN, -1, 0, b"");
        self.tcp(talk, Side::ToClient, SYN | ACK, -1, 0, b"");
        self.tcp(talk, Side::ToServer, ACK, 0, 0, b"").flow
    }

    pub(crate) fn says(&mut self, talk: &Talk, seq: i64, payload: &[u8]) -> Turn {
        self.tcp(talk, Side::ToServer, PSH | ACK, seq, 0, payload)
    }

    /// The server acknowledges what the client sent.
    pub(crate) fn ack(&mut self, talk: &Talk, ack: i64) -> Turn {
        self.tcp(talk, Side::ToClient, ACK, 0, ack, b"")
    }

    /// Reads everything there is and eats it.
    pub(crate) fn read(&mut self, at: FlowRef) -> Vec<Seen> {
        let mut seen = Vec::new();
        for side in Side::BOTH {
            while let Some((chunk, _)) = self.table.readable(at, side) {
                let n = chunk.data.len();
                seen.push(note(side, chunk));
                self.table.eaten(at, side, n);
            }
        }
        seen
    }

    /// Bytes of one side, gaps as `?`.
    pub(crate) fn text(&mut self, at: FlowRef, side: Side) -> String {
        let seen = self.read(at);
        let mut text = String::new();
        for s in seen.iter().filter(|s| s.side == side) {
            (0..s.gap).for_each(|_| text.push('?'));
            text.push_str(&String::from_utf8_lossy(&s.data));
        }
        text
    }

    /// Everything is over: flushes, reads and removes every flow.
    pub(crate) fn finish(&mut self) -> Vec<Seen> {
        let mut seen = Vec::new();
        while let Some(at) = self.table.pop_any() {
            self.table.flush(at);
            seen.extend(self.read(at));
            self.table.remove(at);
        }
        self.check_ledger();
        assert_eq!(self.table.memory().stored, 0);
        assert_eq!(self.table.memory().flows, 0);
        seen
    }

    pub(crate) fn check_ledger(&self) {
        let c = self.table.counters();
        let lost = c.lost_budget + c.lost_window + c.lost_untracked + c.lost_urgent + c.lost_checksum;
        let stored = self.table.memory().stored;
        let sum = c.delivered + c.skipped + c.duplicate + c.depth + lost + stored;
        assert_eq!(c.payload, sum, "{c:?} stored {stored}");
    }
}

fn note(side: Side, chunk: Chunk<'_>) -> Seen {
    Seen {
        side,
        offset: chunk.offset,
        data: chunk.data.to_vec(),
        gap: chunk.gap,
        last: chunk.last,
        truncated: chunk.truncated,
    }
}

pub(crate) fn names(turn: &Turn) -> Vec<&'static str> {
    turn.events.into_iter().map(|e: &StreamEvent| e.keyword()).collect()
}

/// A small generator: tests repeat themselves.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    pub(crate) fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            list.swap(at, self.below(at as u64 + 1) as usize);
        }
    }
}

/// Both sides close, the client first.
pub(crate) fn close(bench: &mut Bench, talk: &Talk, sent: i64) -> Turn {
    bench.tcp(talk, Side::ToServer, FIN | ACK, sent, 0, b"");
    bench.tcp(talk, Side::ToClient, FIN | ACK, 0, sent + 1, b"");
    bench.tcp(talk, Side::ToServer, ACK, sent + 1, 1, b"")
}

/// The client resets.
pub(crate) fn reset(bench: &mut Bench, talk: &Talk, seq: i64) -> Turn {
    bench.tcp(talk, Side::ToServer, RST, seq, 0, b"")
}
