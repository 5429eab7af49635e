//! TCP: what is known about a connection (RFC 9293), by side.

mod accept;
mod checks;
mod closing;
mod established;
mod handshake;
mod machine;
mod pickup;

use crate::key::{Pair, Side};
use handshake::Attempts;
pub(crate) use machine::{Outcome, Segment, step};

/// How far a connection has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum TcpState {
    /// No handshake seen.
    #[default]
    None,
    /// SYN seen.
    SynSent,
    /// SYN/ACK seen.
    SynRecv,
    /// Handshake complete.
    Established,
    /// One side sent its FIN.
    FinWait1,
    /// And it was acknowledged.
    FinWait2,
    /// Both FIN, the last ACK seen.
    TimeWait,
    /// Both FIN, the last ACK awaited.
    LastAck,
    /// The other side's FIN, acknowledged.
    CloseWait,
    /// Both FIN crossed.
    Closing,
    /// Over.
    Closed,
}

impl TcpState {
    /// Name, as EVE's `tcp.state` has it; none for [`TcpState::None`].
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::None => return None,
            Self::SynSent => "syn_sent",
            Self::SynRecv => "syn_recv",
            Self::Established => "established",
            Self::FinWait1 => "fin_wait1",
            Self::FinWait2 => "fin_wait2",
            Self::TimeWait => "time_wait",
            Self::LastAck => "last_ack",
            Self::CloseWait => "close_wait",
            Self::Closing => "closing",
            Self::Closed => "closed",
        })
    }
}

/// What is known about one side as a sender.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Peer {
    /// Initial sequence number.
    pub isn: u32,
    /// Next sequence number expected from it.
    pub next_seq: u32,
    /// Highest acknowledgment that the other side sent it.
    pub last_ack: u32,
    /// Highest sequence number it may send to.
    pub next_win: u32,
    /// Window that the other side offers it, scaled.
    pub window: u32,
    /// Its last timestamp option.
    pub(crate) last_ts: u32,
    /// Packet time of that, in seconds.
    pub(crate) last_ts_seconds: u32,
    /// Handle of its stream, 0 for none.
    pub(crate) stream: u32,
    /// Urgent bytes taken out of band.
    pub urgent: u16,
    /// All flags it ever sent.
    pub flags: u8,
    /// Scale of the windows that the other side offers it.
    pub wscale: u8,
    /// Most separate stretches of data stored at once.
    pub max_regions: u8,
    /// Facts of the machine, see [`marks`].
    pub(crate) marks: u8,
}

impl Peer {
    /// Whether bytes of it were lost.
    #[must_use]
    pub const fn gap(&self) -> bool {
        self.marks & marks::GAP != 0
    }

    /// Whether its depth was reached.
    #[must_use]
    pub const fn depth_reached(&self) -> bool {
        self.marks & marks::DEPTH != 0
    }
}

/// Facts about one side.
pub(crate) mod marks {
    /// A timestamp option was in its SYN.
    pub(crate) const TIMESTAMP: u8 = 0x01;
    /// A timestamp of it was zero.
    pub(crate) const ZERO_TIMESTAMP: u8 = 0x02;
    /// A RST was sent to it.
    pub(crate) const RESET: u8 = 0x04;
    /// Its last packet was a keep-alive.
    pub(crate) const KEEPALIVE: u8 = 0x08;
    /// No more payload is wanted.
    pub(crate) const STOPPED: u8 = 0x10;
    /// Its depth was reached.
    pub(crate) const DEPTH: u8 = 0x20;
    /// It sent payload that was accepted.
    pub(crate) const DATA: u8 = 0x40;
    /// Bytes of it were lost.
    pub(crate) const GAP: u8 = 0x80;
}

/// Facts about the connection.
pub(crate) mod facts {
    /// Picked up without a handshake.
    pub(crate) const MIDSTREAM: u16 = 0x0001;
    /// Picked up from a packet with data: the other side's window is not known yet.
    pub(crate) const MIDSTREAM_ESTABLISHED: u16 = 0x0002;
    /// Picked up from a SYN/ACK.
    pub(crate) const MIDSTREAM_SYNACK: u16 = 0x0004;
    /// Only one side is seen.
    pub(crate) const ASYNC: u16 = 0x0008;
    /// Both sides use timestamps.
    pub(crate) const TIMESTAMP: u16 = 0x0010;
    /// The SYN offered window scaling.
    pub(crate) const WSCALE: u16 = 0x0020;
    /// Both sides sent a SYN.
    pub(crate) const FOUR_WAY: u16 = 0x0040;
    /// Data with a wrong acknowledgment came in the handshake.
    pub(crate) const EVASION: u16 = 0x0080;
    /// Fast open (RFC 7413).
    pub(crate) const FAST_OPEN: u16 = 0x0100;
    /// The server did not take the data of the SYN.
    pub(crate) const FAST_OPEN_IGNORED: u16 = 0x0200;
    /// The client probed a zero window.
    pub(crate) const PROBE_TO_SERVER: u16 = 0x0400;
    /// The server probed a zero window.
    pub(crate) const PROBE_TO_CLIENT: u16 = 0x0800;
    /// Closed by a RST.
    pub(crate) const RESET: u16 = 0x1000;
    /// The server has seen the end of the handshake.
    pub(crate) const CONFIRMED: u16 = 0x2000;
    /// A mirror cut packets of it short: bytes that are missing are the mirror's doing.
    pub(crate) const CUT: u16 = 0x4000;
}

/// What is known about a connection.
#[derive(Clone, Debug, Default)]
pub struct Tcp {
    /// By sender.
    pub(crate) peers: Pair<Peer>,
    /// SYN or SYN/ACK that differ from the one in force; none in the usual case.
    attempts: Option<Box<Attempts>>,
    /// See [`facts`].
    pub(crate) facts: u16,
    /// State.
    pub state: TcpState,
    /// State before the last change.
    before: TcpState,
}

impl Tcp {
    /// All flags ever sent, by both sides.
    #[must_use]
    pub const fn flags(&self) -> u8 {
        self.peers.of(Side::ToServer).flags | self.peers.of(Side::ToClient).flags
    }

    /// Whether the session was picked up without its handshake.
    #[must_use]
    pub const fn is_midstream(&self) -> bool {
        self.has(facts::MIDSTREAM)
    }

    /// Whether a RST closed it.
    #[must_use]
    pub const fn is_reset(&self) -> bool {
        self.has(facts::RESET)
    }

    /// Whether both sides sent payload.
    #[must_use]
    pub const fn data_both_ways(&self) -> bool {
        let (server, client) = (self.peers.of(Side::ToServer), self.peers.of(Side::ToClient));
        server.marks & client.marks & marks::DATA != 0
    }

    /// Which sides probed a zero window and were not answered yet.
    pub(crate) const fn probes(&self) -> u16 {
        self.facts & (facts::PROBE_TO_SERVER | facts::PROBE_TO_CLIENT)
    }

    /// Exchanges the sides.
    pub(crate) const fn swap(&mut self) {
        self.peers.swap();
        let probes = self.probes();
        self.facts &= !probes;
        if probes & facts::PROBE_TO_SERVER != 0 {
            self.facts |= facts::PROBE_TO_CLIENT;
        }
        if probes & facts::PROBE_TO_CLIENT != 0 {
            self.facts |= facts::PROBE_TO_SERVER;
        }
    }

    const fn has(&self, fact: u16) -> bool {
        self.facts & fact != 0
    }
}

/// Sequence numbers, around the end of their space (RFC 9293, 3.4).
pub(crate) mod seq {
    /// Whether `a` lies before `b`.
    pub(crate) const fn before(a: u32, b: u32) -> bool {
        a.wrapping_sub(b).cast_signed() < 0
    }

    /// Whether `a` lies behind `b`.
    pub(crate) const fn behind(a: u32, b: u32) -> bool {
        before(b, a)
    }
}
