//! Where a session begins: with its first SYN, or picked up from the middle.

use super::handshake::WSCALE_MAX;
use super::machine::{Outcome, Step};
use super::{Peer, Tcp, TcpState, facts, marks};
use crate::StreamEvent;
use crate::key::Side;
use decode::tcp_flags::{ACK, FIN, RST, SYN};

impl Step<'_> {
    /// No session yet.
    pub(super) fn none(&mut self) -> Outcome {
        if self.is(RST) {
            return self.refuse(StreamEvent::ResetWithoutSession);
        }
        if self.is(FIN) {
            if !self.settings.midstream || self.len() == 0 {
                return self.refuse(StreamEvent::FinWithoutSession);
            }
            self.pick_up(TcpState::FinWait1);
            let next = self.end().wrapping_add(1);
            self.me().next_seq = next;
            return Outcome::Take;
        }
        if self.is(SYN | ACK) {
            if !self.settings.midstream && !self.settings.async_oneside {
                return Outcome::Untracked;
            }
            self.pick_up_synack();
            return Outcome::Take;
        }
        if self.is(SYN) {
            return self.first_syn();
        }
        if !self.is(ACK) || !self.settings.midstream {
            return Outcome::Untracked;
        }
        self.pick_up(TcpState::Established);
        Outcome::Take
    }

    fn first_syn(&mut self) -> Outcome {
        let tcp = *self.segment.tcp;
        self.enter(TcpState::SynSent);
        if self.settings.async_oneside {
            self.tcp.facts |= facts::ASYNC;
        }
        let seconds = self.segment.seconds;
        let me = self.me();
        me.isn = tcp.seq;
        me.next_seq = tcp.seq.wrapping_add(1);
        note_timestamp(me, tcp.timestamp, seconds);
        self.other().window = u32::from(tcp.window);
        if let Some(scale) = tcp.wscale {
            self.tcp.facts |= facts::WSCALE;
            self.other().wscale = scale;
        }
        if tcp.fast_open {
            self.tcp.facts |= facts::FAST_OPEN;
            if self.len() > 0 {
                let next = self.end().wrapping_add(1);
                self.me().next_seq = next;
                return Outcome::Take;
            }
        }
        if self.len() > 0 { Outcome::Untracked } else { Outcome::Take }
    }

    /// A session whose handshake was not seen, from a packet with data.
    fn pick_up(&mut self, state: TcpState) {
        self.enter(state);
        self.tcp.facts = facts::MIDSTREAM | facts::MIDSTREAM_ESTABLISHED;
        if self.settings.async_oneside {
            self.tcp.facts |= facts::ASYNC;
        }
        let (seq, ack, end, window) = (self.seq(), self.ack(), self.end(), self.segment.tcp.window);
        let window = u32::from(window) << WSCALE_MAX;
        let me = self.me();
        me.wscale = WSCALE_MAX;
        me.isn = seq.wrapping_sub(1);
        me.next_seq = end;
        me.window = window;
        me.last_ack = seq;
        me.next_win = seq.wrapping_add(window);
        let other = self.other();
        other.wscale = WSCALE_MAX;
        other.isn = ack.wrapping_sub(1);
        other.next_seq = ack;
        other.last_ack = ack;
        other.next_win = ack;
        self.pick_up_timestamps();
        if self.has(facts::ASYNC) {
            self.me().last_ack = end;
        }
    }

    /// A session picked up from its SYN/ACK; the flow was turned round, so that the sender is the server.
    fn pick_up_synack(&mut self) {
        self.enter(TcpState::SynRecv);
        self.tcp.facts |= facts::MIDSTREAM | facts::MIDSTREAM_SYNACK;
        if self.settings.async_oneside {
            self.tcp.facts |= facts::ASYNC;
        }
        let (seq, ack) = (self.seq(), self.ack());
        let window = u32::from(self.segment.tcp.window);
        let scale = self.segment.tcp.wscale;
        let server = self.me();
        server.isn = seq;
        server.next_seq = seq.wrapping_add(1);
        server.last_ack = seq.wrapping_add(1);
        server.window = window;
        server.next_win = seq.wrapping_add(window);
        if scale.is_some() {
            server.wscale = WSCALE_MAX;
        }
        let client = self.other();
        client.isn = ack.wrapping_sub(1);
        client.next_seq = ack;
        client.last_ack = ack;
        client.window = window;
        client.next_win = ack.wrapping_add(window);
        client.wscale = scale.unwrap_or(0);
        self.pick_up_timestamps();
    }

    fn pick_up_timestamps(&mut self) {
        let Some((value, echo)) = self.segment.tcp.timestamp else { return };
        let seconds = self.segment.seconds;
        self.tcp.facts |= facts::TIMESTAMP;
        note_timestamp(self.me(), Some((value, echo)), seconds);
        let other = self.other();
        other.last_ts = echo;
        if echo == 0 {
            other.marks |= marks::ZERO_TIMESTAMP;
        }
    }
}

impl Tcp {
    /// Whether a SYN (or, with pick-up, SYN/ACK) with this number begins a new connection instead of belonging here.
    pub(crate) fn is_done_enough(&self, side: Side, seq: u32, synack: bool) -> bool {
        let own = if synack { Side::ToClient } else { Side::ToServer };
        if !synack && self.has(facts::FAST_OPEN_IGNORED) && side == own {
            return true;
        }
        if side == own && self.state != TcpState::None && self.peers.of(own).isn == seq {
            return false;
        }
        matches!(self.state, TcpState::None) || self.state >= TcpState::TimeWait
    }
}

/// What a first packet says of its sender's timestamps.
pub(super) fn note_timestamp(peer: &mut Peer, timestamp: Option<(u32, u32)>, seconds: u32) {
    let Some((value, _)) = timestamp else { return };
    peer.last_ts = value;
    peer.last_ts_seconds = seconds;
    peer.marks |= marks::TIMESTAMP;
    if value == 0 {
        peer.marks |= marks::ZERO_TIMESTAMP;
    }
}
