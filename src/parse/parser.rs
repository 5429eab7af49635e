//! A parser: bytes of one flow in, transactions out.

use crate::{Side, Sink, Transport};

/// The next bytes of one side.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// Whose bytes.
    pub side: Side,
    /// TCP: everything of this side that the parser has not yet eaten. UDP: one datagram.
    pub data: &'a [u8],
    /// TCP: place of `data[0]` in the stream. UDP: 0.
    pub offset: u64,
    /// Packet time in microseconds since 1970.
    pub micros: u64,
    /// Nothing follows on this side: it was closed.
    pub last: bool,
}

/// How far a parser came with its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Every byte was eaten.
    All,
    /// The first `eaten` bytes were; call again when at least `want` bytes stand behind them (more than are there
    /// now). The caller keeps the rest, within `Settings::carry`; beyond that it reports a gap.
    Wait {
        /// Bytes done with.
        eaten: usize,
        /// Bytes needed, counted from the first one not eaten.
        want: usize,
    },
    /// All of `data` was eaten, and so are the next `n` bytes of this side: do not even store them.
    Skip(u64),
    /// `eaten` bytes were this protocol; from there on another one speaks on both sides (upgrade, CONNECT, STARTTLS).
    Switch {
        /// Bytes done with.
        eaten: usize,
        /// Name of the protocol to expect, or `None` to recognise it afresh.
        to: Option<&'static str>,
    },
    /// This flow needs no more parsing; its packets are counted only.
    Done(Done),
    /// The bytes are not this protocol, or no longer: an anomaly was raised, nothing more can be read.
    Fail,
}

/// Why a parser is done before the flow is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// What follows is encrypted.
    Encrypted,
    /// Nothing of interest can follow.
    Finished,
}

/// Why a flow comes to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// Both sides closed it, or one reset it.
    Ended,
    /// It was silent for too long.
    Timeout,
    /// The sensor stops or needs the room.
    Forced,
}

/// One flow's parser. Bounded: it holds no more than its settings allow, whatever is sent.
pub trait Parser: Send {
    /// Says what carries the flow. Called once, before anything else; only protocols that are framed differently on
    /// different transports want to know.
    fn carried(&mut self, transport: Transport) {
        let _ = transport;
    }

    /// Says which protocol spoke on this flow before (`Step::Switch`). Called once, before the first bytes.
    fn succeeds(&mut self, before: &'static str) {
        let _ = before;
    }

    /// Takes the next bytes of one side. Bytes are shown again until they are eaten.
    fn feed(&mut self, input: Input<'_>, sink: &mut dyn Sink) -> Step;

    /// `missing` bytes of this side were lost before what is fed next. A parser that cannot find its place again
    /// says `Fail`; the default does.
    fn gap(&mut self, side: Side, missing: u64, sink: &mut dyn Sink) -> Step {
        let _ = (side, missing, sink);
        Step::Fail
    }

    /// The flow is over: report what is still open. Called once, last, after every feed.
    fn close(&mut self, why: Close, sink: &mut dyn Sink);

    /// Another protocol takes over (`Step::Switch`): what its parser should know of what was said before, in a form
    /// that the two protocols agree on. Called once, right before `close`.
    fn bequest(&mut self) -> Option<Box<[u8]>> {
        None
    }

    /// Takes what the parser before this one left behind. Called once, before the first bytes.
    fn inherit(&mut self, bequest: &[u8], sink: &mut dyn Sink) {
        let _ = (bequest, sink);
    }

    /// Transactions begun so far (EVE's `tx_cnt`).
    fn transactions(&self) -> u64;

    /// Heap bytes held now, for the budget.
    fn held(&self) -> usize;
}
