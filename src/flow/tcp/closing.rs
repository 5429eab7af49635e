//! From the first FIN to the end.

use super::machine::{Outcome, Step};
use super::seq::{before, behind};
use super::{Peer, TcpState, facts};
use crate::StreamEvent;
use decode::tcp_flags::{ACK, FIN, RST, SYN};

impl Step<'_> {
    /// What all closing states have in common: RST ends them, SYN is odd, timestamps hold. `None`: the state decides.
    fn common_end(&mut self) -> Option<Outcome> {
        if self.is(RST) {
            return Some(self.reset_closing());
        }
        if self.is(SYN) && !self.is(FIN) {
            return Some(self.refuse(StreamEvent::ShutdownSynResend));
        }
        if self.flags() & (FIN | ACK) == 0 {
            return Some(Outcome::Untracked);
        }
        (!self.timestamp_is_valid()).then_some(Outcome::Refuse)
    }

    fn reset_closing(&mut self) -> Outcome {
        if !self.reset_is_valid() {
            return Outcome::Refuse;
        }
        let acknowledges = self.is(ACK) && self.ack_is_valid();
        self.reset();
        let seq = self.seq();
        self.settle(acknowledges, seq);
        Outcome::Take
    }

    fn in_window(&self, me: &Peer) -> bool {
        !behind(self.end(), me.next_win) || self.has(facts::MIDSTREAM | facts::ASYNC)
    }

    /// A FIN outside of what its sender may send.
    fn fin_is_outside(&self, me: &Peer, first: u32) -> bool {
        before(self.seq(), first) || behind(self.seq(), me.last_ack.wrapping_add(me.window))
    }

    /// Moves next number, acknowledgment and timestamp, as every accepted packet does.
    fn advance(&mut self) {
        self.take_timestamp();
        self.catch_up();
        let (seq, end, fin) = (self.seq(), self.end(), u32::from(self.tcp.state == TcpState::FinWait1));
        let counted = if self.to_server() { 0 } else { fin };
        let me = *self.me();
        if self.len() > 0 && (seq == me.next_seq || seq == me.next_seq.wrapping_sub(counted)) {
            self.update_next_seq(end);
        }
        self.update_last_ack();
        self.update_next_win();
    }

    /// The server's FIN was seen.
    pub(super) fn fin_wait1(&mut self) -> Outcome {
        if let Some(outcome) = self.common_end() {
            return outcome;
        }
        if self.is(FIN) {
            let event = StreamEvent::FinWait1FinWrongSeq;
            let next = if self.is(ACK) { TcpState::TimeWait } else { TcpState::Closing };
            let first = self.me().next_seq.wrapping_sub(1);
            return self.second_fin(next, first, event, StreamEvent::FinWait1InvalidAck);
        }
        let repeats = self.is_retransmission();
        if !self.ack_is_valid() {
            return self.refuse(StreamEvent::FinWait1InvalidAck);
        }
        let (me, other) = (*self.me(), *self.other());
        let acknowledges_fin = !self.to_server() || self.ack() == other.next_seq;
        if !repeats && (acknowledges_fin || behind(self.ack(), other.next_seq)) {
            if !self.in_window(&me) {
                return self.refuse(StreamEvent::FinWait1AckWrongSeq);
            }
            let expected = if self.to_server() { me.next_seq } else { me.next_seq.wrapping_sub(1) };
            if acknowledges_fin && self.seq() == expected {
                self.enter(TcpState::FinWait2);
            }
            self.take_window();
        }
        self.advance();
        Outcome::Take
    }

    /// The second FIN, or the first one again.
    fn second_fin(
        &mut self,
        next: TcpState,
        first: u32,
        outside: StreamEvent,
        wrong: StreamEvent,
    ) -> Outcome {
        let (me, other) = (*self.me(), *self.other());
        let same =
            self.seq() == me.next_seq.wrapping_sub(1) && self.ack() == other.last_ack && !self.to_server();
        let repeats = self.is_retransmission() || same;
        if !repeats && self.fin_is_outside(&me, first) {
            return self.refuse(outside);
        }
        if !self.ack_is_valid() {
            return self.refuse(wrong);
        }
        if !repeats {
            self.enter(next);
            self.take_window();
        }
        self.advance();
        Outcome::Take
    }

    /// And it was acknowledged.
    pub(super) fn fin_wait2(&mut self) -> Outcome {
        if let Some(outcome) = self.common_end() {
            return outcome;
        }
        if self.is(FIN) {
            let (me, other) = (*self.me(), *self.other());
            let again = self.seq() == me.next_seq.wrapping_sub(1) && self.ack() == other.last_ack;
            let first = if again { self.seq() } else { me.next_seq };
            let next = if again { TcpState::FinWait2 } else { TcpState::TimeWait };
            let wrong = StreamEvent::FinWait2InvalidAck;
            return self.second_fin(next, first, StreamEvent::FinWait2FinWrongSeq, wrong);
        }
        let repeats = self.is_retransmission();
        if !self.ack_is_valid() {
            return self.refuse(StreamEvent::FinWait2InvalidAck);
        }
        if !repeats {
            let me = *self.me();
            if !self.in_window(&me) {
                return self.refuse(StreamEvent::FinWait2AckWrongSeq);
            }
            self.take_window();
        }
        self.advance();
        Outcome::Take
    }

    /// Both FIN crossed.
    pub(super) fn closing(&mut self) -> Outcome {
        if let Some(outcome) = self.common_end() {
            return outcome;
        }
        let repeats = self.is_retransmission();
        if self.seq() != self.me().next_seq {
            return self.refuse(StreamEvent::ClosingAckWrongSeq);
        }
        if !self.ack_is_valid() {
            return self.refuse(StreamEvent::ClosingInvalidAck);
        }
        if !repeats {
            self.enter(TcpState::TimeWait);
            self.take_window();
        }
        self.advance();
        Outcome::Take
    }

    /// The client's FIN was seen.
    pub(super) fn close_wait(&mut self) -> Outcome {
        if let Some(outcome) = self.common_end() {
            return outcome;
        }
        let repeats = self.is_retransmission();
        let me = *self.me();
        if self.is(FIN) {
            if !repeats && self.fin_is_outside(&me, me.next_seq) {
                return self.refuse(StreamEvent::CloseWaitFinOutOfWindow);
            }
        } else if self.len() > 0 && !behind(self.end(), me.last_ack) {
            return self.refuse(StreamEvent::CloseWaitPacketBeforeLastAck);
        } else if behind(self.seq(), me.last_ack.wrapping_add(me.window)) {
            return self.refuse(StreamEvent::CloseWaitAckOutOfWindow);
        }
        if !self.ack_is_valid() {
            return self.refuse(StreamEvent::CloseWaitInvalidAck);
        }
        if !repeats {
            self.take_window();
            if self.is(FIN) && !self.to_server() {
                self.advance();
                self.enter(TcpState::LastAck);
                return Outcome::Take;
            }
        }
        self.advance();
        Outcome::Take
    }

    /// Both FIN were seen, the last ACK is awaited from the client.
    pub(super) fn last_ack(&mut self) -> Outcome {
        if let Some(outcome) = self.common_end() {
            return outcome;
        }
        if self.is(FIN) || !self.to_server() {
            return Outcome::Repeat;
        }
        let repeats = self.is_retransmission();
        if !self.ack_is_valid() {
            return self.refuse(StreamEvent::LastAckInvalidAck);
        }
        if !repeats {
            let (seq, next) = (self.seq(), self.me().next_seq);
            if seq == next || seq == next.wrapping_add(1) {
                self.enter(TcpState::Closed);
            } else if behind(seq, next) {
                return self.refuse(StreamEvent::LastAckWrongSeq);
            }
            self.take_window();
        }
        self.advance();
        Outcome::Take
    }

    /// Both FIN were seen and one was acknowledged.
    pub(super) fn time_wait(&mut self) -> Outcome {
        if let Some(outcome) = self.common_end() {
            return outcome;
        }
        if self.is(FIN) {
            return Outcome::Repeat;
        }
        let repeats = self.is_retransmission();
        let (seq, me) = (self.seq(), *self.me());
        let near = if self.to_server() { me.next_seq.wrapping_add(1) } else { me.next_seq.wrapping_sub(1) };
        if !repeats && seq != me.next_seq && seq != near {
            if !self.to_server() && self.len() > 0 && seq == me.last_ack {
                return Outcome::Repeat;
            }
            return self.refuse(StreamEvent::TimeWaitAckWrongSeq);
        }
        if !self.ack_is_valid() {
            return self.refuse(StreamEvent::TimeWaitInvalidAck);
        }
        if !repeats {
            self.enter(TcpState::Closed);
            self.take_window();
        }
        self.advance();
        Outcome::Take
    }
}
