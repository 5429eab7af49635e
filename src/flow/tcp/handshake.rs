//! From the SYN to the SYN/ACK, and everything that can stand in its place.

use super::machine::{Outcome, Step};
use super::pickup::note_timestamp;
use super::{Peer, TcpState, facts, marks};
use crate::StreamEvent;
use crate::key::Side;
use decode::tcp_flags::{ACK, FIN, RST, SYN};

/// Largest window scale (RFC 7323, 2.3): assumed where the handshake was not seen.
pub(super) const WSCALE_MAX: u8 = 14;

/// A SYN or SYN/ACK that differs from the one in force. Both sides may send several; the answer decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    pub(super) seq: u32,
    pub(super) ack: u32,
    pub(super) window: u16,
    pub(super) wscale: Option<u8>,
    pub(super) timestamp: Option<u32>,
    pub(super) seconds: u32,
}

/// Those that are remembered, newest last.
#[derive(Clone, Debug, Default)]
pub(super) struct Attempts {
    list: Vec<Attempt>,
}

impl Step<'_> {
    pub(super) const fn attempt(&self) -> Attempt {
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

    pub(super) fn known_attempts(&self) -> &[Attempt] {
        self.tcp.attempts.as_ref().map_or(&[], |a| &a.list)
    }

    /// Remembers one. False when there are too many.
    pub(super) fn remember(&mut self, attempt: Attempt, most: u8, flood: StreamEvent) -> bool {
        if self.known_attempts().len() >= usize::from(most) {
            self.raise(flood);
            return false;
        }
        self.tcp.attempts.get_or_insert_default().list.push(attempt);
        true
    }

    pub(super) const fn client(&mut self) -> &mut Peer {
        self.tcp.peers.of_mut(Side::ToServer)
    }

    pub(super) const fn server(&mut self) -> &mut Peer {
        self.tcp.peers.of_mut(Side::ToClient)
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
    pub(super) fn apply_synack(&mut self, attempt: Attempt) {
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
}
