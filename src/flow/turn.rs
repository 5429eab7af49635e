//! What the table answers about one packet.

use crate::{EventList, Phase, Side};

/// Where a flow lies in its table. Good until the flow is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FlowRef(pub(crate) u32);

/// What one packet did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Its flow.
    pub flow: FlowRef,
    /// Who sent it.
    pub side: Side,
    /// The flow began with this packet.
    pub is_new: bool,
    /// The flow became or is established: both sides spoke; for TCP the handshake is complete.
    pub established: bool,
    /// Sides (see [`Side::index`]) of which [`crate::Table::readable`] has something new. Read the receiver's side,
    /// `side.other()`, first: what this packet acknowledges is older than what it brings.
    pub readable: [bool; 2],
    /// There is no stream: the packet's own payload is what a parser gets (UDP and others).
    pub direct: bool,
    /// The flow is bypassed: the packet was only counted.
    pub bypassed: bool,
    /// The packet closed the connection.
    pub closed_now: bool,
    /// TCP: the machine refused the packet (out of window, wrong acknowledgment, bad checksum, ...); its payload was
    /// not used.
    pub invalid: bool,
    /// Flows wait in [`crate::Table::pop_ended`] because of this packet (replaced or evicted).
    pub ended: bool,
    /// What was odd.
    pub events: EventList,
}

impl Turn {
    /// A packet of which nothing is known yet but whose it is.
    pub(crate) fn of(flow: FlowRef, side: Side, phase: Phase) -> Self {
        Self {
            flow,
            side,
            is_new: false,
            established: phase != Phase::New,
            readable: [false; 2],
            direct: false,
            bypassed: phase == Phase::Bypassed,
            closed_now: false,
            invalid: false,
            ended: false,
            events: EventList::default(),
        }
    }
}

/// Why a packet has no flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The table is full and everything in it is worth more than one new flow.
    TableFull,
    /// No IP, or a fragment without its train.
    NotAFlow,
}

/// Why a flow is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It was silent for too long.
    Timeout,
    /// It was closed, and silent since.
    Closed,
    /// The room was needed.
    Evicted,
    /// A new connection has the same key.
    Reused,
    /// The run ends.
    Forced,
}

/// A stretch of one side's stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk<'a> {
    /// Place of `data[0]` in the stream; the first byte behind the SYN is 0.
    pub offset: u64,
    /// Everything readable that was not eaten yet, in one piece.
    pub data: &'a [u8],
    /// Bytes that were lost right before `data`; told once. What stood before them and was not eaten is gone.
    pub gap: u64,
    /// Nothing follows on this side.
    pub last: bool,
    /// More did follow, but beyond the configured depth. Only with `last`.
    pub truncated: bool,
}
