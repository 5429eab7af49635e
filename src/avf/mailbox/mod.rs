//! The mailbox of a function: one question at a time, answers told from events and from answers to questions long given
//! up.
//!
//! A pure state machine. It is told what came and what time it is, and says what to post and what to do; rings, buffers
//! and registers are its owner's. Answers carry no sequence number: only the opcode tells to what they belong, so a
//! second question is not asked while one is open, and after one that stayed open the rings are set up anew.

mod remedy;
mod ring;

pub use remedy::{Patience, Remedy};
pub use ring::{BadHead, DeviceRing, ReceiveRing, SendRing};

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use crate::adminq::{BUFFER_BYTES, Command, Descriptor, Flags, Retval};
use crate::register::{Absent, MailboxLen};
use crate::virtchnl::{Event, Malformed, Message, Opcode, Status};
use remedy::Ladder;

/// One function's mailbox. It begins down: [`Mailbox::up`] says that its rings are set up.
#[derive(Clone, Debug)]
pub struct Mailbox {
    state: State,
    /// The question that is open; in [`State::Suspect`] and after it the one to be asked again.
    question: Option<Question>,
    /// Questions that were given up and may be answered yet, oldest first.
    abandoned: VecDeque<Opcode>,
    ladder: Ladder,
    patience: Patience,
    counters: Counters,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// No rings, or a reset on its way.
    Down,
    Ready,
    Waiting {
        deadline: Duration,
    },
    /// A question stayed open: nothing but a reset is sent before the rings are set up anew.
    Suspect,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Question {
    opcode: Opcode,
    payload: Vec<u8>,
}

/// What to post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Post {
    /// The message.
    pub opcode: Opcode,
    /// Bytes of its payload.
    pub datalen: u16,
}

impl Post {
    /// Its descriptor, once its payload lies at `address`.
    #[must_use]
    pub fn descriptor(&self, address: u64) -> Descriptor {
        Descriptor::message(self.opcode, self.datalen, address)
    }
}

/// Why a question cannot be asked now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// Another one is open.
    Busy(Opcode),
    /// A question stayed open: the rings have to be set up anew.
    Suspect,
    /// The rings are not set up, or a reset is on its way.
    Down,
    /// No physical function takes so much.
    TooLong {
        /// The message.
        opcode: Opcode,
        /// Bytes of its payload.
        bytes: usize,
    },
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy(opcode) => write!(f, "{opcode} is not answered yet"),
            Self::Suspect => f.write_str("the mailbox did not answer and has to be set up anew"),
            Self::Down => f.write_str("the mailbox is down"),
            Self::TooLong { opcode, bytes } => {
                write!(f, "{opcode} of {bytes} bytes, {BUFFER_BYTES} at the most")
            }
        }
    }
}

impl std::error::Error for Denied {}

/// What a descriptor of the receive ring turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// The answer to the open question.
    Answer {
        /// What was asked.
        opcode: Opcode,
        /// Whether it was granted.
        status: Status,
        /// What came with it.
        payload: &'a [u8],
    },
    /// Something happened.
    Event(Event),
    /// An answer to a question that was given up: thrown away.
    Stale(Opcode),
    /// An answer to nothing that was asked: thrown away.
    Unexpected(Opcode),
    /// Nothing that can be read: thrown away, and the open question with it if it was the answer to that.
    Broken {
        /// What is wrong.
        fault: Fault,
        /// The question that is no longer open.
        failed: Option<Opcode>,
    },
}

/// What is wrong with a descriptor of the receive ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The transport itself failed.
    Transport(Retval),
    /// It is no message.
    Command(Command),
    /// The message is longer than its buffer.
    Cut {
        /// Bytes it says it has.
        says: u16,
        /// Bytes there are.
        had: usize,
    },
    /// An event that cannot be read.
    Event(Malformed),
}

/// A question that stayed open too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimedOut {
    /// What was asked.
    pub opcode: Opcode,
    /// What to do.
    pub remedy: Remedy,
}

/// Which ring a length register belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ring {
    /// Messages to the physical function.
    Send,
    /// Messages from it.
    Receive,
}

/// What a ring's length register says about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// All is well.
    Well,
    /// The register cannot be read, or the ring is off while it should be on: the function is being reset.
    Reset,
    /// All ones: the function is gone, or on its way back from a reset of the PCI function.
    Gone,
    /// A message came and found no buffer. Write the value back; where a question was open it counts as unanswered.
    Overflow {
        /// The register without its error bits.
        write_back: MailboxLen,
        /// What was open, and what to do.
        failed: Option<TimedOut>,
    },
    /// The device could not reach a ring, or says that this function did what it may not. Write the value back.
    Failed {
        /// Which ring.
        ring: Ring,
        /// The register without its error bits.
        write_back: MailboxLen,
        /// What to do.
        remedy: Remedy,
    },
}

/// What a mailbox did, since it was made. See [`Counters::open`] for how they add up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages posted.
    pub sent: u64,
    /// Of these, RESET_VF.
    pub resets: u64,
    /// Of these, questions that were asked once more.
    pub repeated: u64,
    /// Questions answered, granted or not.
    pub answered: u64,
    /// Of these, not granted.
    pub refused: u64,
    /// What was refused last, and how.
    pub last_refusal: Option<(Opcode, Status)>,
    /// Questions that were not answered in time, or whose answer may be lost.
    pub timed_out: u64,
    /// Questions that a reset answered, or made void.
    pub void: u64,
    /// Questions that ended in an answer that cannot be read, or that the transport did not take.
    pub failed: u64,
    /// Answers that came too late.
    pub stale: u64,
    /// Answers to nothing.
    pub unexpected: u64,
    /// Events.
    pub events: u64,
    /// Descriptors that could not be read.
    pub broken: u64,
    /// Messages that the transport refused to take.
    pub untaken: u64,
    /// Times that a message found no buffer: events may be missing.
    pub overflows: u64,
    /// Times that the device could not reach a ring (CRIT).
    pub critical: u64,
    /// Times that the device called an access illegal (VFE).
    pub illegal: u64,
}

impl Counters {
    /// Questions that are open: what was sent and has not ended in one of the ways there are.
    #[must_use]
    pub const fn open(&self) -> u64 {
        let ended = self.answered + self.timed_out + self.void + self.failed;
        self.sent - self.resets - ended
    }
}

impl Mailbox {
    /// Questions given up that are remembered.
    const ABANDONED: usize = 16;

    /// A mailbox whose rings are not set up.
    #[must_use]
    pub fn new(patience: Patience) -> Self {
        Self {
            state: State::Down,
            question: None,
            abandoned: VecDeque::new(),
            ladder: Ladder::default(),
            patience,
            counters: Counters::default(),
        }
    }

    /// Both rings are set up, for the first time, after a reset or as a [`Remedy::Reinitialise`]. The answer to what is
    /// open is lost with the old rings.
    pub fn up(&mut self) {
        self.give_up();
        self.state = State::Ready;
    }

    /// What it did.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The open question.
    #[must_use]
    pub fn open(&self) -> Option<Opcode> {
        let waiting = matches!(self.state, State::Waiting { .. });
        self.question.as_ref().filter(|_| waiting).map(|question| question.opcode)
    }

    /// When [`expired`](Self::expired) has to be asked.
    #[must_use]
    pub const fn deadline(&self) -> Option<Duration> {
        match self.state {
            State::Waiting { deadline } => Some(deadline),
            _ => None,
        }
    }

    /// Asks a question.
    ///
    /// RESET_VF can be asked at any time that the rings are up, voids what is open, and has no answer: the mailbox is down
    /// from then on.
    ///
    /// # Errors
    /// [`Denied`] when it cannot be asked now; nothing changes then.
    pub fn request(&mut self, opcode: Opcode, payload: &[u8], now: Duration) -> Result<Post, Denied> {
        let datalen = u16::try_from(payload.len())
            .ok()
            .filter(|bytes| *bytes <= BUFFER_BYTES)
            .ok_or(Denied::TooLong { opcode, bytes: payload.len() })?;
        match self.state {
            State::Down => return Err(Denied::Down),
            _ if opcode.is_unanswered() => {
                self.reset_seen();
                self.counters.resets += 1;
            }
            State::Suspect => return Err(Denied::Suspect),
            State::Waiting { .. } => return Err(Denied::Busy(self.open().unwrap_or_default())),
            State::Ready => {
                self.question = Some(Question { opcode, payload: payload.to_vec() });
                self.wait_for(opcode, now);
            }
        }
        self.counters.sent += 1;
        Ok(Post { opcode, datalen })
    }

    /// Asks once more what stayed open, after the rings were set up anew: what to post, and its payload. `None` when
    /// nothing stayed open, a reset made it void, or something else was asked since.
    pub fn again(&mut self, now: Duration) -> Option<(Post, &[u8])> {
        if self.state != State::Ready {
            return None;
        }
        let opcode = self.question.as_ref()?.opcode;
        self.wait_for(opcode, now);
        self.counters.sent += 1;
        self.counters.repeated += 1;
        let Question { opcode, payload } = self.question.as_ref()?;
        let datalen = u16::try_from(payload.len()).ok()?;
        Some((Post { opcode: *opcode, datalen }, payload))
    }

    fn wait_for(&mut self, opcode: Opcode, now: Duration) {
        self.state = State::Waiting { deadline: now.saturating_add(self.patience.of(opcode)) };
    }

    /// A descriptor of the receive ring, and as much of its buffer as it says.
    pub fn arrived<'a>(&mut self, came: &Descriptor, payload: &'a [u8], now: Duration) -> Outcome<'a> {
        if let Err(fault) = readable(came, payload) {
            return self.broken(fault, came.opcode);
        }
        let payload = payload.get(..came.datalen.into()).unwrap_or(payload);
        let opcode = came.opcode;
        if opcode == Opcode::EVENT {
            return self.event(payload);
        }
        if self.open() == Some(opcode) {
            self.answered(opcode, came.status, now);
            return Outcome::Answer { opcode, status: came.status, payload };
        }
        self.nobody_asked(opcode)
    }

    fn event(&mut self, payload: &[u8]) -> Outcome<'static> {
        match Event::decode(payload) {
            Ok(event) => {
                self.counters.events += 1;
                Outcome::Event(event)
            }
            Err(malformed) => self.broken(Fault::Event(malformed), Opcode::EVENT),
        }
    }

    fn answered(&mut self, opcode: Opcode, status: Status, now: Duration) {
        self.close();
        self.ladder.answered(opcode, now);
        self.counters.answered += 1;
        if !status.is_ok() {
            self.counters.refused += 1;
            self.counters.last_refusal = Some((opcode, status));
        }
    }

    fn nobody_asked(&mut self, opcode: Opcode) -> Outcome<'static> {
        match self.abandoned.iter().position(|abandoned| *abandoned == opcode) {
            Some(at) => {
                self.abandoned.remove(at);
                self.counters.stale += 1;
                Outcome::Stale(opcode)
            }
            None => {
                self.counters.unexpected += 1;
                Outcome::Unexpected(opcode)
            }
        }
    }

    fn broken(&mut self, fault: Fault, opcode: Opcode) -> Outcome<'static> {
        self.counters.broken += 1;
        let failed = self.open().filter(|open| *open == opcode);
        if failed.is_some() {
            self.counters.failed += 1;
            self.close();
        }
        Outcome::Broken { fault, failed }
    }

    /// A descriptor of the send ring came back. Where the transport did not take it, the question is no longer open.
    pub fn sent_back(&mut self, back: &Descriptor) -> Option<(Opcode, Retval)> {
        if !back.flags.contains(Flags::ERR) || back.command != Command::SEND_TO_PF {
            return None;
        }
        self.counters.untaken += 1;
        let failed = self.open().filter(|open| *open == back.opcode)?;
        self.counters.failed += 1;
        self.close();
        Some((failed, back.retval))
    }

    fn close(&mut self) {
        self.question = None;
        self.state = State::Ready;
    }

    /// Gives up a question whose time is over. From then on the mailbox is suspect.
    pub fn expired(&mut self, now: Duration) -> Option<TimedOut> {
        if now < self.deadline()? {
            return None;
        }
        self.unanswered(now)
    }

    fn unanswered(&mut self, now: Duration) -> Option<TimedOut> {
        let opcode = self.give_up()?;
        Some(TimedOut { opcode, remedy: self.ladder.failed(opcode, now) })
    }

    fn give_up(&mut self) -> Option<Opcode> {
        let opcode = self.open()?;
        if self.abandoned.len() == Self::ABANDONED {
            self.abandoned.pop_front();
        }
        self.abandoned.push_back(opcode);
        self.state = State::Suspect;
        self.counters.timed_out += 1;
        Some(opcode)
    }

    /// The function is being reset, by whomever: the mailbox is down, and nothing from before is answered any more.
    /// Answers the open question: for one that a reset answers ([`Opcode::may_reset`]) that is its success.
    pub fn reset_seen(&mut self) -> Option<Opcode> {
        let open = self.open();
        self.counters.void += u64::from(open.is_some());
        self.state = State::Down;
        self.question = None;
        self.abandoned.clear();
        open
    }

    /// Looks at a ring's length register, after what came was read.
    pub fn inspect(&mut self, ring: Ring, register: MailboxLen, now: Duration) -> Condition {
        match Absent::of(register.0) {
            Some(Absent::Gone) => return Condition::Gone,
            Some(Absent::Reset) => return Condition::Reset,
            None if self.state == State::Down => return Condition::Well,
            None if !register.enable() => return Condition::Reset,
            None if !register.has_error() => return Condition::Well,
            None => {}
        }
        let write_back = register.cleared();
        self.counters.overflows += u64::from(register.overflow());
        self.counters.critical += u64::from(register.critical());
        self.counters.illegal += u64::from(register.illegal());
        if register.critical() || register.illegal() {
            self.give_up();
            self.state = State::Suspect;
            return Condition::Failed { ring, write_back, remedy: self.ladder.broken(now) };
        }
        Condition::Overflow { write_back, failed: self.unanswered(now) }
    }
}

/// Whether a descriptor is a message whose payload is all there.
fn readable(came: &Descriptor, payload: &[u8]) -> Result<(), Fault> {
    if came.flags.contains(Flags::ERR) {
        return Err(Fault::Transport(came.retval));
    }
    if came.command != Command::SEND_TO_VF {
        return Err(Fault::Command(came.command));
    }
    if usize::from(came.datalen) > payload.len() {
        return Err(Fault::Cut { says: came.datalen, had: payload.len() });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
