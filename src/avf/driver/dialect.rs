//! What differs from card to card: which messages are asked, in which order, and how descriptors are read.

use avf::virtchnl::{Answer, Caps, Opcode, Request, Resources, RxQueue, Status};

use crate::rx::Decode;
use crate::{Negotiated, Settings, Step};

/// A message to the PF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// What is asked.
    pub opcode: Opcode,
    /// Its payload.
    pub payload: Vec<u8>,
}

impl From<Request> for Ask {
    fn from(request: Request) -> Self {
        Self { opcode: request.opcode(), payload: request.payload() }
    }
}

/// What to do about a message that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Go on without it, and say so.
    Without,
    /// Go on without it: it was to be expected.
    Silent,
    /// Ask for the same in another way.
    Again,
    /// The function is of no use without.
    Fatal,
}

/// What is asked for before it is known which dialect the PF speaks, and which one it is by what it grants.
#[derive(Clone, Copy)]
pub struct Choice {
    /// Capabilities to ask for.
    pub wanted: fn(&Settings) -> Caps,
    /// The dialect for what was granted.
    pub pick: fn(&Resources, &Settings) -> Box<dyn Dialect>,
}

impl std::fmt::Debug for Choice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Choice")
    }
}

/// What a driver says to its PF between GET_VF_RESOURCES and the end, and how it reads what the device writes.
///
/// A step may take several messages: rounds, counted from 0, until there is nothing more to ask.
pub trait Dialect: Send {
    /// Its driver's name.
    fn name(&self) -> &'static str;

    /// The steps of bring-up after GET_VF_RESOURCES.
    fn order(&self) -> &'static [Step];

    /// Queue pairs that it can set up at the most, where the PF has granted this.
    fn most_queues(&self, resources: &Resources) -> u16;

    /// The message of a step in this round; none where it has nothing to ask, or nothing more.
    fn ask(&self, step: Step, round: u16, agreed: &Negotiated, settings: &Settings) -> Option<Ask>;

    /// The PF has granted a step's message.
    fn granted(&mut self, step: Step, round: u16, answer: Answer, agreed: &mut Negotiated);

    /// The PF has refused it.
    fn refused(&mut self, step: Step, round: u16, status: Status, agreed: &mut Negotiated) -> Refusal;

    /// Completes a receive queue's part of CONFIG_VSI_QUEUES.
    fn dress(&self, agreed: &Negotiated, queue: &mut RxQueue);

    /// What reads descriptors as they were agreed on.
    fn decoder(&self, agreed: &Negotiated, settings: &Settings) -> Box<dyn Decode>;

    /// The way for a queue's worker to have single flows left out, where this PF has one.
    fn bypass(&self, queue: u16, agreed: &Negotiated) -> Option<Box<dyn frame::bypass::Bypass>> {
        let _ = (queue, agreed);
        None
    }

    /// Something to ask while everything runs and nothing else is open.
    fn errand(&mut self, now: std::time::Duration, agreed: &Negotiated) -> Option<(Step, Ask)> {
        let _ = (now, agreed);
        None
    }

    /// What was asked as an errand will not be answered: the function is being reset, or the answer cannot be read.
    fn interrupted(&mut self, step: Option<Step>) {
        let _ = step;
    }
}
