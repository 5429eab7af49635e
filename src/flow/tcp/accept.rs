//! From the SYN/ACK to established: the last ACK, and everything that can stand in its place.

use super::handshake::{Attempt, WSCALE_MAX};
use super::machine::{Outcome, Step};
use super::seq::behind;
use super::{Peer, TcpState, facts};
use crate::StreamEvent;
use decode::tcp_flags::{ACK, FIN, RST, SYN};

impl Step<'_> {
    /// A SYN/ACK was seen.
    pub(super) fn syn_recv(&mut self) -> Outcome {
        if self.is(RST) {
            return self.reset_in_syn_recv();
        }
        if self.is(FIN) {
            return if self.timestamp_is_valid() { self.first_fin() } else { Outcome::Refuse };
        }
        if self.is(SYN | ACK) {
            return self.synack_again();
        }
        if self.is(SYN) {
            if !self.to_server() {
                return self.refuse(StreamEvent::HandshakeSynToClient);
            }
            if self.seq() != self.client().isn {
                return self.refuse(StreamEvent::HandshakeSynOtherSeq);
            }
            return Outcome::Repeat;
        }
        if !self.is(ACK) {
            return Outcome::Untracked;
        }
        self.choose_synack();
        if !self.timestamp_is_valid() {
            return Outcome::Refuse;
        }
        if self.has(facts::FOUR_WAY) && !self.to_server() {
            return self.last_ack_of_both();
        }
        self.handshake_ack()
    }

    fn reset_in_syn_recv(&mut self) -> Outcome {
        use crate::Policy::{Linux, OldLinux, Solaris};
        if !self.reset_is_valid() {
            return Outcome::Refuse;
        }
        // These stacks ignored the packet with the wrong acknowledgment, and so its RST.
        if self.has(facts::EVASION) && matches!(self.settings.policy, Linux | OldLinux | Solaris) {
            return Outcome::Repeat;
        }
        self.reset();
        self.take_timestamp();
        Outcome::Take
    }

    fn synack_again(&mut self) -> Outcome {
        if self.to_server() {
            return self.refuse(StreamEvent::HandshakeSynAckToServer);
        }
        if self.ack() != self.client().last_ack {
            return self.refuse(StreamEvent::HandshakeSynAckOtherAck);
        }
        if self.seq() != self.server().isn {
            let attempt = self.attempt();
            let new = |a: &Attempt| Attempt { seconds: a.seconds, ..attempt } != *a;
            if self.known_attempts().iter().all(new)
                && !self.remember(attempt, self.settings.max_synack_queued, StreamEvent::HandshakeSynAckFlood)
            {
                return Outcome::Refuse;
            }
        }
        Outcome::Repeat
    }

    /// The ACK tells which of several SYN/ACK holds.
    fn choose_synack(&mut self) {
        let (seq, ack) = (self.seq(), self.ack());
        let chosen =
            self.known_attempts().iter().copied().find(|a| a.seq == ack.wrapping_sub(1) && a.ack == seq);
        if let Some(attempt) = chosen {
            self.apply_synack(attempt);
        }
    }

    /// The last ACK of a simultaneous open.
    fn last_ack_of_both(&mut self) -> Outcome {
        if self.seq() != self.server().next_seq {
            return self.refuse(StreamEvent::SimultaneousWrongSeq);
        }
        if !self.ack_is_valid() {
            return self.refuse(StreamEvent::SimultaneousInvalidAck);
        }
        self.complete();
        Outcome::Take
    }

    /// The ACK that ends the handshake, or whatever comes in its place.
    fn handshake_ack(&mut self) -> Outcome {
        let missed = !self.to_server() && !self.has(facts::MIDSTREAM_SYNACK) && !self.has(facts::FAST_OPEN);
        let (seq, ack) = (self.seq(), self.ack());
        let (client, server) = (*self.client(), *self.server());
        if missed && self.settings.inline {
            let injected = self.len() > 0 && ack == client.last_ack && seq == server.next_seq;
            return self.refuse(if injected {
                StreamEvent::HandshakeAckDataInject
            } else {
                StreamEvent::HandshakeAckInWrongDirection
            });
        }
        if self.to_server() && seq == client.next_seq && ack == server.next_seq {
            self.complete();
            return Outcome::Take;
        }
        if self.settings.async_oneside && !self.to_server() && seq == server.next_seq {
            self.tcp.facts |= facts::ASYNC;
            self.complete();
            return Outcome::Take;
        }
        if self.to_server() && seq == client.next_seq {
            self.tcp.facts |= facts::EVASION;
            return self.refuse(StreamEvent::HandshakeRightSeqWrongAck);
        }
        if self.is_behind_a_loss(&client, &server)
            || (!self.to_server() && self.fits_without_ack(&client, &server))
        {
            self.complete();
            return Outcome::Take;
        }
        self.refuse(StreamEvent::HandshakeWrongSeqWrongAck)
    }

    /// Packets between the SYN/ACK and this one were lost.
    fn is_behind_a_loss(&self, client: &Peer, server: &Peer) -> bool {
        let (seq, ack) = (self.seq(), self.ack());
        if self.to_server() {
            behind(seq, client.next_seq) && !behind(seq, client.next_win) && ack == server.next_seq
        } else {
            !behind(server.next_seq, seq) && behind(ack, client.last_ack) && !behind(ack, client.next_win)
        }
    }

    /// The server's first data, the client's last ACK having been lost; or with fast open, before it.
    fn fits_without_ack(&self, client: &Peer, server: &Peer) -> bool {
        self.ack() == client.last_ack && self.seq() == server.next_seq
    }

    /// The handshake is complete with this packet.
    fn complete(&mut self) {
        self.take_timestamp();
        self.update_last_ack();
        let end = self.end();
        self.update_next_seq(end);
        if self.has(facts::MIDSTREAM) && !self.has(facts::MIDSTREAM_SYNACK) {
            self.me().wscale = WSCALE_MAX;
            self.other().wscale = WSCALE_MAX;
        }
        self.take_window();
        let other = self.other();
        other.next_win = other.last_ack.wrapping_add(other.window);
        if self.has(facts::MIDSTREAM) {
            let window = u32::from(self.segment.tcp.window);
            let me = self.me();
            me.window = window << me.wscale.min(WSCALE_MAX);
            me.next_win = me.last_ack.wrapping_add(me.window);
        }
        self.tcp.attempts = None;
        self.enter(TcpState::Established);
    }
}
