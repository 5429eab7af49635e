//! From nothing to established: SYN, SYN/ACK, ACK, and everything that can stand in their place.

use super::machine::{Outcome, Step};
use super::seq::behind;
use super::{Peer, Tcp, TcpState, facts, marks};
use crate::StreamEvent;
use crate::key::Side;
use decode::tcp_flags::{ACK, FIN, RST, SYN};

/// Largest window scale (RFC 7323, 2.3): assumed where the handshake was not seen.
const WSCALE_MAX: u8 = 14;

/// A SYN or SYN/ACK that differs from the one in force. Both sides may send several; the answer decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    seq: u32,
    ack: u32,
    window: u16,
    wscale: Option<u8>,
    timestamp: Option<u32>,
    seconds: u32,
}

/// Those that are remembered, newest last.
#[derive(Clone, Debug, Default)]
pub(super) struct Attempts {
    list: Vec<Attempt>,
}

impl Step<'_> {
    const fn attempt(&self) -> Attempt {
        let tcp = self.segment.tcp;
        Attempt {
            seq: tcp.seq,
            ack: tcp.ack,
            window: tcp.window,
            wscale: tcp.wscale,
            timestamp: match tcp.timestamp {
                Some((value, _)) => Some(value),
                None => None,
            },
            seconds: self.segment.seconds,
        }
    }

    fn known_attempts(&self) -> &[Attempt] {
        self.tcp.attempts.as_ref().map_or(&[], |a| &a.list)
    }

    /// Remembers one. False when there are too many.
    fn remember(&mut self, attempt: Attempt, most: u8, flood: StreamEvent) -> bool {
        if self.known_attempts().len() >= usize::from(most) {
            self.raise(flood);
            return false;
        }
        self.tcp.attempts.get_or_insert_default().list.push(attempt);
        true
    }

    const fn client(&mut self) -> &mut Peer {
        self.tcp.peers.of_mut(Side::ToServer)
    }

    const fn server(&mut self) -> &mut Peer {
        self.tcp.peers.of_mut(Side::ToClient)
    }

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

    /// A SYN was seen.
    pub(super) fn syn_sent(&mut self) -> Outcome {
        if self.is(SYN | ACK) {
            return if self.to_server() { self.synack_of_both() } else { self.synack() };
        }
        if !self.echo_is_valid() {
            return self.refuse(StreamEvent::InvalidTimestamp);
        }
        if self.is(RST) {
            return self.reset_in_syn_sent();
        }
        if self.is(FIN) {
            return Outcome::Untracked;
        }
        if self.is(SYN) {
            return if self.to_server() { self.syn_again() } else { self.syn_of_both() };
        }
        if !self.is(ACK) || !self.settings.async_oneside {
            return Outcome::Untracked;
        }
        self.one_sided_ack()
    }

    /// The usual SYN/ACK.
    fn synack(&mut self) -> Outcome {
        let ack = self.ack();
        let client = *self.client();
        if self.segment.tcp.fast_open || self.has(facts::FAST_OPEN) {
            if ack == client.isn.wrapping_add(1) && ack != client.next_seq {
                // The data of the SYN was not taken: it will come again.
                self.client().next_seq = client.isn.wrapping_add(1);
                self.tcp.facts |= facts::FAST_OPEN_IGNORED;
                self.raise(StreamEvent::HandshakeFastOpenIgnored);
            } else if ack != client.next_seq {
                return self.refuse(StreamEvent::HandshakeSynAckWrongAck);
            }
            self.tcp.facts |= facts::FAST_OPEN;
            self.enter(TcpState::Established);
        } else if ack != client.isn.wrapping_add(1) {
            return self.refuse(StreamEvent::HandshakeSynAckWrongAck);
        }
        if !self.echo_is_valid() {
            let echo = self.segment.tcp.timestamp.map(|(_, echo)| echo);
            let answered = self.known_attempts().iter().copied().find(|a| a.timestamp == echo);
            let Some(attempt) = answered else { return self.refuse(StreamEvent::InvalidTimestamp) };
            self.apply_syn(attempt);
        }
        self.tcp.attempts = None;
        let attempt = self.attempt();
        self.apply_synack(attempt);
        Outcome::Take
    }

    /// What a SYN says, in place of what an earlier one said.
    fn apply_syn(&mut self, attempt: Attempt) {
        if let Some(value) = attempt.timestamp {
            let client = self.client();
            client.last_ts = value;
            client.last_ts_seconds = attempt.seconds;
            client.marks |= marks::TIMESTAMP;
        }
        if attempt.wscale.is_some() {
            self.tcp.facts |= facts::WSCALE;
        } else {
            self.tcp.facts &= !facts::WSCALE;
        }
        let server = self.server();
        server.wscale = attempt.wscale.unwrap_or(0);
        server.window = u32::from(attempt.window);
    }

    /// What a SYN/ACK says.
    fn apply_synack(&mut self, attempt: Attempt) {
        if self.tcp.state != TcpState::Established {
            self.enter(TcpState::SynRecv);
        }
        self.tcp.facts &= !facts::FOUR_WAY;
        let scales = self.has(facts::WSCALE);
        let client_stamps = self.client().marks & marks::TIMESTAMP != 0;
        let server = self.server();
        server.isn = attempt.seq;
        server.next_seq = attempt.seq.wrapping_add(1);
        server.last_ack = server.next_seq;
        server.next_win = server.last_ack.wrapping_add(server.window);
        match attempt.timestamp {
            Some(value) if client_stamps => {
                note_timestamp(server, Some((value, 0)), attempt.seconds);
                self.tcp.facts |= facts::TIMESTAMP;
            }
            _ => {
                server.last_ts = 0;
                self.client().last_ts = 0;
                self.client().marks &= !marks::ZERO_TIMESTAMP;
            }
        }
        let client = self.client();
        client.window = u32::from(attempt.window);
        client.last_ack = attempt.ack;
        client.next_win = client.last_ack.wrapping_add(client.window);
        client.wscale = if scales { attempt.wscale.unwrap_or(0) } else { 0 };
    }

    /// SYN/ACK from the client: right only where both sides sent a SYN.
    fn synack_of_both(&mut self) -> Outcome {
        if !self.has(facts::FOUR_WAY) {
            return self.refuse(StreamEvent::HandshakeSynAckInWrongDirection);
        }
        if self.ack() != self.server().isn.wrapping_add(1) {
            return self.refuse(StreamEvent::SimultaneousSynAckWrongAck);
        }
        if self.seq() != self.client().isn {
            return self.refuse(StreamEvent::SimultaneousSynAckWrongSyn);
        }
        self.enter(TcpState::SynRecv);
        let tcp = *self.segment.tcp;
        let (seconds, scales) = (self.segment.seconds, self.has(facts::WSCALE));
        let server_stamps = self.server().marks & marks::TIMESTAMP != 0;
        let client = self.client();
        client.next_seq = tcp.seq.wrapping_add(1);
        client.last_ack = client.next_seq;
        client.next_win = client.last_ack.wrapping_add(client.window);
        if tcp.timestamp.is_some() && server_stamps {
            note_timestamp(client, tcp.timestamp, seconds);
            self.tcp.facts |= facts::TIMESTAMP;
        } else {
            client.last_ts = 0;
            self.server().last_ts = 0;
            self.server().marks &= !marks::ZERO_TIMESTAMP;
        }
        let server = self.server();
        server.window = u32::from(tcp.window);
        server.last_ack = tcp.ack;
        server.next_win = tcp.ack.wrapping_add(server.window);
        server.wscale = if scales { tcp.wscale.unwrap_or(0) } else { 0 };
        Outcome::Take
    }

    /// SYN from the server: a simultaneous open (RFC 9293, 3.5), or an attempt to confuse.
    fn syn_of_both(&mut self) -> Outcome {
        let tcp = *self.segment.tcp;
        let seconds = self.segment.seconds;
        self.tcp.facts |= facts::FOUR_WAY;
        let server = self.server();
        server.isn = tcp.seq;
        server.next_seq = tcp.seq.wrapping_add(1);
        server.last_ack = server.next_seq;
        note_timestamp(server, tcp.timestamp, seconds);
        let client = self.client();
        client.window = u32::from(tcp.window);
        if tcp.wscale.is_none() {
            self.tcp.facts &= !facts::WSCALE;
        }
        self.client().wscale = if self.has(facts::WSCALE) { tcp.wscale.unwrap_or(0) } else { 0 };
        Outcome::Take
    }

    /// The client's SYN once more: the newest holds, the others are remembered.
    fn syn_again(&mut self) -> Outcome {
        let (client, server) = (*self.client(), *self.server());
        let stamps = client.marks & marks::TIMESTAMP != 0;
        let held = Attempt {
            seq: client.isn,
            ack: 0,
            window: u16::try_from(server.window).unwrap_or(u16::MAX),
            wscale: self.has(facts::WSCALE).then_some(server.wscale),
            timestamp: stamps.then_some(client.last_ts),
            seconds: client.last_ts_seconds,
        };
        let new = Attempt { seq: client.isn, ack: 0, ..self.attempt() };
        if held != new {
            let known = self.known_attempts().iter().any(|a| a.timestamp == held.timestamp);
            if !known {
                self.remember(held, self.settings.max_syn_queued, StreamEvent::HandshakeSynFlood);
            }
        }
        self.apply_syn(new);
        Outcome::Take
    }

    fn reset_in_syn_sent(&mut self) -> Outcome {
        if !self.reset_is_valid() {
            return Outcome::Refuse;
        }
        let isn = self.client().isn;
        let window = self.segment.tcp.window;
        if self.to_server() && (self.seq() != isn || window != 0 || self.ack() != isn.wrapping_add(1)) {
            return Outcome::Repeat;
        }
        self.other().marks |= marks::RESET;
        self.reset();
        Outcome::Take
    }

    /// The session is over by a RST.
    pub(super) fn reset(&mut self) {
        self.tcp.facts |= facts::RESET;
        self.tcp.attempts = None;
        self.enter(TcpState::Closed);
    }

    /// The client goes on where a SYN/ACK should have come: only its side is seen.
    fn one_sided_ack(&mut self) -> Outcome {
        if self.seq() != self.client().next_seq {
            return self.refuse(StreamEvent::HandshakeAsyncWrongSeq);
        }
        self.tcp.facts |= facts::ASYNC;
        self.enter(TcpState::Established);
        self.tcp.attempts = None;
        let (seq, ack, end) = (self.seq(), self.ack(), self.end());
        let window = u32::from(self.segment.tcp.window);
        let scales = self.has(facts::WSCALE);
        let client = self.client();
        client.window = window;
        client.last_ack = end;
        client.next_seq = end;
        client.next_win = seq.wrapping_add(window);
        client.wscale = if scales { WSCALE_MAX } else { 0 };
        let server = self.server();
        server.isn = ack.wrapping_sub(1);
        server.next_seq = ack;
        server.last_ack = ack;
        server.next_win = ack;
        if self.segment.tcp.timestamp.is_some() && self.client().marks & marks::TIMESTAMP != 0 {
            self.tcp.facts |= facts::TIMESTAMP;
        }
        Outcome::Take
    }

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

fn note_timestamp(peer: &mut Peer, timestamp: Option<(u32, u32)>, seconds: u32) {
    let Some((value, _)) = timestamp else { return };
    peer.last_ts = value;
    peer.last_ts_seconds = seconds;
    peer.marks |= marks::TIMESTAMP;
    if value == 0 {
        peer.marks |= marks::ZERO_TIMESTAMP;
    }
}
