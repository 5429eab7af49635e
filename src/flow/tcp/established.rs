//! Data both ways, until the first FIN.

use super::machine::{Outcome, Step};
use super::seq::{before, behind};
use super::{TcpState, facts};
use crate::StreamEvent;
use decode::tcp_flags::{ACK, FIN, RST, SYN};

impl Step<'_> {
    /// The handshake is complete.
    pub(super) fn established(&mut self) -> Outcome {
        if self.is(RST) {
            return self.reset_established();
        }
        if self.is(FIN) {
            return if self.timestamp_is_valid() { self.first_fin() } else { Outcome::Refuse };
        }
        if self.is(SYN | ACK) {
            return self.late_synack();
        }
        if self.is(SYN) {
            return self.late_syn();
        }
        if !self.is(ACK) {
            return Outcome::Untracked;
        }
        if !self.timestamp_is_valid() {
            return Outcome::Refuse;
        }
        if !self.to_server() {
            self.tcp.facts |= facts::CONFIRMED;
        }
        self.data()
    }

    fn reset_established(&mut self) -> Outcome {
        if !self.reset_is_valid() {
            return Outcome::Refuse;
        }
        let acknowledges = self.is(ACK) && self.ack_is_valid();
        self.reset();
        let (ack, seq, end) = (self.ack(), self.seq(), self.end());
        if self.is(ACK) {
            self.other().next_seq = ack;
        }
        self.me().next_seq = end;
        self.settle(acknowledges, seq);
        Outcome::Take
    }

    /// A RST says where its sender stands: everything before it is as good as acknowledged.
    pub(super) fn settle(&mut self, acknowledges: bool, seq: u32) {
        if acknowledges {
            self.update_last_ack();
        }
        let me = self.me();
        if behind(seq, me.last_ack) {
            me.last_ack = seq;
        }
        self.take_timestamp();
    }

    fn late_synack(&mut self) -> Outcome {
        if self.to_server() {
            return self.refuse(StreamEvent::EstablishedSynAckToServer);
        }
        if self.ack() != self.other().last_ack {
            return self.refuse(StreamEvent::EstablishedSynAckOtherAck);
        }
        if self.seq() != self.me().isn {
            return self.refuse(StreamEvent::EstablishedSynAckOtherSeq);
        }
        if self.has(facts::CONFIRMED) {
            return self.refuse(StreamEvent::EstablishedSynAckResend);
        }
        Outcome::Repeat
    }

    fn late_syn(&mut self) -> Outcome {
        let event = if !self.to_server() {
            StreamEvent::EstablishedSynToClient
        } else if self.seq() != self.me().isn {
            StreamEvent::EstablishedSynOtherSeq
        } else {
            StreamEvent::EstablishedSynResend
        };
        self.refuse(event)
    }

    /// A plain packet: checked against window and acknowledgments, then taken.
    fn data(&mut self) -> Outcome {
        let probed = if self.to_server() { facts::PROBE_TO_CLIENT } else { facts::PROBE_TO_SERVER };
        let ack = self.ack();
        if self.has(probed) && ack == self.other().next_seq.wrapping_add(1) {
            self.raise(StreamEvent::EstablishedAckOfProbe);
        } else if !self.ack_is_valid() {
            return self.refuse(StreamEvent::EstablishedInvalidAck);
        }
        self.learn_midstream_window();
        let (seq, end, len) = (self.seq(), self.end(), self.len());
        let me = *self.me();
        if before(end, me.last_ack) && !self.may_lie_before(end) {
            return self.refuse(StreamEvent::EstablishedPacketBeforeLastAck);
        }
        if len == 1 && seq == me.next_seq && me.window == 0 {
            self.tcp.facts |= if self.to_server() { facts::PROBE_TO_SERVER } else { facts::PROBE_TO_CLIENT };
            return Outcome::Take;
        }
        let in_window = !behind(end, me.next_win) || self.has(facts::MIDSTREAM | facts::ASYNC);
        if !before(end, me.next_seq) {
            self.update_next_seq(end);
        }
        if !in_window {
            return self.refuse(StreamEvent::EstablishedOutOfWindow);
        }
        self.take_window();
        self.update_last_ack();
        self.take_timestamp();
        self.update_next_win();
        Outcome::Take
    }

    /// The other side of a session that was picked up shows itself for the first time.
    fn learn_midstream_window(&mut self) {
        if !self.has(facts::MIDSTREAM_ESTABLISHED) || self.to_server() {
            return;
        }
        self.tcp.facts &= !facts::MIDSTREAM_ESTABLISHED;
        let window = u32::from(self.segment.tcp.window);
        let me = self.me();
        me.window = window << me.wscale.min(14);
        me.next_win = me.last_ack.wrapping_add(me.window);
    }

    /// Whether a packet may lie before the last acknowledgment: nobody acknowledges, or what is acknowledged was
    /// never seen.
    fn may_lie_before(&mut self, end: u32) -> bool {
        let one_sided = self.has(facts::ASYNC);
        let me = *self.me();
        one_sided || (behind(me.last_ack, me.next_seq) && behind(end, me.next_seq))
    }

    /// The first FIN, in an established session or right behind its SYN/ACK.
    pub(super) fn first_fin(&mut self) -> Outcome {
        if !self.ack_is_valid() {
            return self.refuse(StreamEvent::FinInvalidAck);
        }
        let (seq, end) = (self.seq(), self.end());
        let relaxed = self.has(facts::MIDSTREAM | facts::ASYNC);
        let me = *self.me();
        if before(seq, me.last_ack) || (behind(end, me.next_win) && !relaxed) {
            return self.refuse(StreamEvent::FinOutOfWindow);
        }
        if self.is(SYN) {
            return self.refuse(StreamEvent::FinSyn);
        }
        // The server's FIN counts in its next number, the client's does not: the states behind expect it so.
        if self.to_server() {
            self.enter(TcpState::CloseWait);
            self.me().next_seq = end;
        } else {
            self.enter(TcpState::FinWait1);
            self.me().next_seq = end.wrapping_add(1);
        }
        self.take_window();
        self.take_timestamp();
        self.catch_up();
        self.update_last_ack();
        if self.has(facts::ASYNC) {
            self.me().last_ack = end;
        }
        Outcome::Take
    }
}
