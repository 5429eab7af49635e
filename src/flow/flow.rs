//! What is known about one flow.

use crate::key::{Key, Pair, Side};
use crate::table::Class;
use crate::tcp::Tcp;
use crate::{End, Moment};
use decode::{Ether, Vlans};

/// How far a flow has come (EVE's `flow.state`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Nobody answered yet.
    #[default]
    New,
    /// Both sides spoke; for TCP the handshake is complete.
    Established,
    /// TCP only: closed by both sides or reset.
    Closed,
    /// Packets are only counted.
    Bypassed,
}

impl Phase {
    /// Name, as EVE has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Established => "established",
            Self::Closed => "closed",
            Self::Bypassed => "bypassed",
        }
    }
}

/// Smallest and largest time to live of one side; 0, 0 before its first packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ttl {
    /// Smallest.
    pub min: u8,
    /// Largest.
    pub max: u8,
}

/// One flow. `A` is what the sensor hangs on it; the table never looks at it.
#[derive(Debug, Default)]
pub struct Flow<A> {
    /// Its key, oriented: source is the client.
    pub key: Key,
    /// Last packet.
    pub last: Moment,
    /// Packets of each side (see [`Side::index`]).
    pub packets: [u64; 2],
    /// Bytes of each side, as the decoder counts them.
    pub bytes: [u64; 2],
    /// TCP facts; idle for other protocols.
    pub tcp: Tcp,
    /// Time to live of each side.
    pub ttl: [Ttl; 2],
    /// How far it has come.
    pub phase: Phase,
    /// Client and server were exchanged after the first packet.
    pub swapped: bool,
    /// Which sides sent packets of the flow itself, by bit: an ICMP error about it is no answer.
    pub(crate) spoke: u8,
    /// First packet.
    pub first: Moment,
    /// ICMP: type and code of each side's first message.
    pub icmp: [Option<(u8, u8)>; 2],
    /// Ethernet addresses of the first packet.
    pub ether: Option<Ether>,
    /// VLAN ids of the first packet.
    pub vlans: Vlans,
    /// Why it is over, if it is.
    pub end: Option<End>,
    /// The table's own: what the flow is worth. Here, and not beside the flow, because here it costs no padding.
    pub(crate) class: Class,
    /// The table's own: the record is in use.
    pub(crate) live: bool,
    /// What the sensor hangs on it.
    pub a: A,
}

impl<A> Flow<A> {
    /// Counts one packet of the flow itself.
    pub(crate) fn count(&mut self, side: Side, length: u32, ttl: u8, now: Moment) {
        if let Some(t) = self.ttl.get_mut(side.index()) {
            let first = self.spoke & bit(side) == 0;
            t.min = if first { ttl } else { t.min.min(ttl) };
            t.max = t.max.max(ttl);
        }
        self.spoke |= bit(side);
        self.add(side, 1, length.into());
        self.last = self.last.max(now);
    }

    /// Counts an ICMP error that somebody on the way sent to the other side.
    pub(crate) fn count_error(&mut self, side: Side, length: u32, now: Moment) {
        self.add(side, 1, length.into());
        self.last = self.last.max(now);
    }

    /// Counts packets of the flow itself that somebody else has seen.
    pub(crate) fn credit(&mut self, side: Side, packets: u64, bytes: u64) {
        self.spoke |= bit(side);
        self.add(side, packets, bytes);
    }

    fn add(&mut self, side: Side, packets: u64, bytes: u64) {
        for (count, more) in [(&mut self.packets, packets), (&mut self.bytes, bytes)] {
            if let Some(count) = count.get_mut(side.index()) {
                *count += more;
            }
        }
    }

    /// A number that follows from the key and the first packet only; below 2^53. To find it anew takes less than the eight
    /// bytes of each flow that would keep it.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.key.id(self.first)
    }

    /// Whether both sides spoke.
    #[must_use]
    pub const fn answered(&self) -> bool {
        self.spoke == bit(Side::ToServer) | bit(Side::ToClient)
    }

    /// Exchanges every per-side fact.
    pub(crate) fn swap(&mut self) {
        self.key = self.key.reversed();
        self.packets.swap(0, 1);
        self.bytes.swap(0, 1);
        self.ttl.swap(0, 1);
        self.icmp.swap(0, 1);
        self.tcp.swap();
        self.spoke = (self.spoke & 1) << 1 | self.spoke >> 1;
        self.swapped = !self.swapped;
    }

    /// Whether it passed `limit`; closed flows say so.
    pub(crate) const fn natural_end(&self) -> End {
        match self.phase {
            Phase::Closed => End::Closed,
            _ => End::Timeout,
        }
    }
}

/// The bit of a side in [`Flow`]'s note of who spoke.
const fn bit(side: Side) -> u8 {
    1 << side.index()
}

/// Per-side pair of TCP facts, for callers that hold a [`Side`].
impl<A> Flow<A> {
    /// TCP facts of one side.
    #[must_use]
    pub const fn peer(&self, side: Side) -> &crate::tcp::Peer {
        let peers: &Pair<crate::tcp::Peer> = &self.tcp.peers;
        peers.of(side)
    }
}
