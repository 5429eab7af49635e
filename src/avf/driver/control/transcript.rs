//! What was asked of the PF on the way up, and what it said.

use std::time::Duration;

use avf::virtchnl::{Opcode, Status};

use crate::Step;

/// Exchanges that are kept: more than the longest way up has, resets on the way included.
const MOST: usize = 128;

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It was not answered, or not yet.
    None,
    /// It was answered; granted where the status is success.
    Status(Status),
    /// The function was reset.
    Reset,
}

/// A message, or several of one kind in a row with the same answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// What it was for.
    pub step: Step,
    /// The message.
    pub opcode: Opcode,
    /// How many of them.
    pub times: u16,
    /// What became of it.
    pub reply: Reply,
    /// When the first of them was sent.
    pub at: Duration,
    /// From then on until the last answer.
    pub took: Duration,
}

/// The exchanges of the last way up.
#[derive(Clone, Debug, Default)]
pub(crate) struct Transcript {
    list: Vec<Exchange>,
    /// Whether the last one is awaited.
    open: bool,
}

impl Transcript {
    /// The function comes up anew.
    pub(super) fn restart(&mut self) {
        self.list.clear();
        self.open = false;
    }

    /// A message was sent.
    pub(super) fn sent(&mut self, step: Step, opcode: Opcode, now: Duration) {
        if self.list.len() < MOST {
            self.list.push(Exchange {
                step,
                opcode,
                times: 1,
                reply: Reply::None,
                at: now,
                took: Duration::ZERO,
            });
            self.open = true;
        }
    }

    /// It was answered, or answered by a reset. Messages of one kind with one answer become one line.
    pub(super) fn ended(&mut self, reply: Reply, now: Duration) {
        if !std::mem::take(&mut self.open) {
            return;
        }
        if let Some(last) = self.list.last_mut() {
            last.reply = reply;
            last.took = now.saturating_sub(last.at);
        }
        if let [.., before, last] = self.list.as_mut_slice()
            && (before.opcode, before.step, before.reply) == (last.opcode, last.step, last.reply)
        {
            before.times = before.times.saturating_add(1);
            before.took = now.saturating_sub(before.at);
            self.list.pop();
        }
    }

    pub(super) fn exchanges(&self) -> &[Exchange] {
        &self.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_one_kind_and_answer_are_one_line() {
        let at = Duration::from_millis;
        let mut transcript = Transcript::default();
        for (n, status) in [(0, Status::OK), (1, Status::OK), (2, Status::ERR_PARAM)] {
            transcript.sent(Step::RssPatterns, Opcode::ADD_RSS_CFG, at(10 * n));
            transcript.ended(Reply::Status(status), at(10 * n + 1));
        }
        transcript.sent(Step::RequestQueues, Opcode::REQUEST_QUEUES, at(30));
        transcript.ended(Reply::Reset, at(35));
        transcript.ended(Reply::Reset, at(40));
        let lines: Vec<_> = transcript.exchanges().iter().map(|e| (e.times, e.reply, e.took)).collect();
        assert_eq!(
            lines,
            [
                (2, Reply::Status(Status::OK), at(11)),
                (1, Reply::Status(Status::ERR_PARAM), at(1)),
                (1, Reply::Reset, at(5))
            ]
        );
    }
}
