//! The mailbox: requests out of the send ring, answers and events into the receive ring (reference section 12.3).

mod receive;
mod ring;
mod send;

use std::collections::VecDeque;
use std::time::Duration;

use avf::virtchnl::{Opcode, Status};

pub(crate) use receive::{buffers_given, deliver_due, post};
pub(crate) use ring::Ring;
pub(crate) use send::{act, handle_due, kicked};

/// Messages that wait for a buffer of the driver before the mailbox overflows.
const HELD: usize = 64;

/// Both rings and what is on its way.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    /// Requests of the driver.
    pub(crate) atq: Ring,
    /// Messages of the PF.
    pub(crate) arq: Ring,
    /// Requests that the PF has not looked at yet, in order.
    inbox: VecDeque<Request>,
    /// Messages that wait for their time.
    outbox: Vec<Letter>,
    /// Messages that wait for a buffer.
    held: VecDeque<Letter>,
    /// A message that changes places with the next one.
    late: Option<Letter>,
    /// The driver said that it unloads.
    closing: bool,
    /// A fault stopped the send ring until the next reset.
    wedged: bool,
    /// The PF ignores this function until the next reset: it sent too much at once.
    ignored: bool,
    /// Number of the next letter.
    next: u64,
    /// Most requests that waited for the PF at a time, resets or not.
    pub(crate) deepest: usize,
}

/// A request on its way to the PF.
#[derive(Debug)]
struct Request {
    /// When the PF looks at it; never is a PF that does not answer.
    due: Option<Duration>,
    op: Opcode,
    payload: Vec<u8>,
}

/// A message on its way to the driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Letter {
    due: Duration,
    number: u64,
    op: Opcode,
    status: Status,
    payload: Vec<u8>,
}

impl Mailbox {
    /// When something is to be done next.
    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        let request = self.inbox.front().and_then(|request| request.due);
        request.into_iter().chain(self.outbox.iter().map(|letter| letter.due)).min()
    }

    /// Whether the PF ignores the function, as one that sent too much at once.
    pub(crate) fn is_ignored(&self) -> bool {
        self.ignored
    }

    /// The send ring was switched on.
    pub(crate) fn opened(&mut self) {
        self.closing = false;
    }

    /// A reset begins: nothing on its way arrives any more. Registers stay for a moment.
    pub(crate) fn cut(&mut self) {
        *self =
            Self { atq: self.atq, arq: self.arq, next: self.next, deepest: self.deepest, ..Self::default() };
    }

    /// A reset takes the rings away.
    pub(crate) fn take_rings(&mut self) {
        self.atq = Ring::default();
        self.arq = Ring::default();
    }
}
