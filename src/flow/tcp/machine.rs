//! One packet through the state machine. States, order of checks and events are those that Suricata shows to its users.

use super::seq::{before, behind};
use super::{Peer, Tcp, TcpState, facts, marks};
use crate::key::Side;
use crate::{EventList, Settings, StreamEvent};
use decode::tcp_flags::{ACK, FIN, RST, SYN};

/// A TCP packet, as the machine sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment<'a> {
    /// Header.
    pub(crate) tcp: &'a decode::Tcp,
    /// Length of the payload, bytes that the capture lacks included.
    pub(crate) len: u32,
    /// Packet time.
    pub(crate) seconds: u32,
    /// Who sent it.
    pub(crate) side: Side,
}

/// What becomes of a packet's payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It goes into the stream.
    Take,
    /// It was there before.
    Repeat,
    /// The packet does not belong where it is.
    Refuse,
    /// There is no session to put it into.
    Untracked,
}

/// One step: connection, packet, and what to say about it.
pub(super) struct Step<'a> {
    pub(super) tcp: &'a mut Tcp,
    pub(super) segment: &'a Segment<'a>,
    pub(super) settings: &'a Settings,
    pub(super) events: &'a mut EventList,
}

/// Moves the machine by one packet.
pub(crate) fn step(
    tcp: &mut Tcp,
    segment: &Segment<'_>,
    settings: &Settings,
    events: &mut EventList,
) -> Outcome {
    let mut step = Step { tcp, segment, settings, events };
    step.note_flags();
    if step.tcp.state == TcpState::None {
        return step.none();
    }
    let outcome = step.known();
    step.check_after_reset();
    outcome
}

impl Step<'_> {
    pub(super) const fn flags(&self) -> u8 {
        self.segment.tcp.flags
    }

    pub(super) const fn is(&self, flags: u8) -> bool {
        self.flags() & flags == flags
    }

    pub(super) const fn seq(&self) -> u32 {
        self.segment.tcp.seq
    }

    pub(super) const fn ack(&self) -> u32 {
        self.segment.tcp.ack
    }

    pub(super) const fn len(&self) -> u32 {
        self.segment.len
    }

    /// Behind the last byte of the payload.
    pub(super) const fn end(&self) -> u32 {
        self.seq().wrapping_add(self.len())
    }

    pub(super) const fn to_server(&self) -> bool {
        matches!(self.segment.side, Side::ToServer)
    }

    /// Who sent the packet.
    pub(super) const fn me(&mut self) -> &mut Peer {
        self.tcp.peers.of_mut(self.segment.side)
    }

    /// Who receives it.
    pub(super) const fn other(&mut self) -> &mut Peer {
        self.tcp.peers.of_mut(self.segment.side.other())
    }

    pub(super) const fn has(&self, fact: u16) -> bool {
        self.tcp.has(fact)
    }

    pub(super) fn raise(&mut self, event: StreamEvent) {
        self.events.raise(event);
    }

    /// Says what is wrong, and refuses.
    pub(super) fn refuse(&mut self, event: StreamEvent) -> Outcome {
        self.events.raise(event);
        Outcome::Refuse
    }

    pub(super) const fn enter(&mut self, state: TcpState) {
        if self.tcp.state as u8 != state as u8 {
            if matches!(self.tcp.state, TcpState::None) {
                // A session has one stretch of memory a side before it holds anything.
                self.me().max_regions = 1;
                self.other().max_regions = 1;
            }
            self.tcp.before = self.tcp.state;
            self.tcp.state = state;
        }
    }

    /// The window that this packet offers the other side, scaled.
    pub(super) const fn window(&mut self) -> u32 {
        let scale = self.other().wscale;
        (self.segment.tcp.window as u32) << if scale > 14 { 14 } else { scale }
    }

    /// The window offered by this packet holds from now on.
    pub(super) const fn take_window(&mut self) {
        let window = self.window();
        self.other().window = window;
    }

    /// The receiver's highest acknowledged number, if this packet's is higher.
    pub(super) fn update_last_ack(&mut self) {
        if !self.is(ACK) {
            return;
        }
        let ack = self.ack();
        let other = self.other();
        if behind(ack, other.last_ack) {
            other.last_ack = ack;
        }
    }

    /// The other side may send up to this.
    pub(super) fn update_next_win(&mut self) {
        let other = self.other();
        let limit = other.last_ack.wrapping_add(other.window);
        if behind(limit, other.next_win) {
            other.next_win = limit;
        }
    }

    /// The sender's next number; with one side only, its own data counts as acknowledged.
    pub(super) fn update_next_seq(&mut self, next: u32) {
        let one_sided = self.has(facts::ASYNC);
        let me = self.me();
        me.next_seq = next;
        if one_sided && behind(next, me.last_ack) {
            me.last_ack = next;
        }
    }

    /// The receiver acknowledged more than was seen: the capture lost it.
    pub(super) fn catch_up(&mut self) {
        let ack = self.ack();
        let other = self.other();
        if before(other.next_seq, ack) {
            other.next_seq = ack;
        }
    }

    fn note_flags(&mut self) {
        let flags = self.flags();
        self.me().flags |= flags;
        if self.has(facts::ASYNC) && self.me().flags != 0 && self.other().flags != 0 {
            self.tcp.facts &= !facts::ASYNC;
        }
        if flags & ACK == 0 && self.ack() != 0 {
            self.raise(StreamEvent::BrokenAck);
        }
    }

    /// A packet of a session that is tracked.
    fn known(&mut self) -> Outcome {
        if self.is_keepalive() {
            self.me().marks |= marks::KEEPALIVE;
            return Outcome::Repeat;
        }
        let answers_keepalive = self.is_keepalive_answer();
        if answers_keepalive {
            self.other().marks &= !marks::KEEPALIVE;
        }
        self.me().marks &= !marks::KEEPALIVE;
        if answers_keepalive {
            return Outcome::Repeat;
        }
        let answers_probe = self.is_probe_answer();
        self.tcp.facts &= if self.to_server() { !facts::PROBE_TO_CLIENT } else { !facts::PROBE_TO_SERVER };
        if answers_probe {
            return Outcome::Repeat;
        }
        if !self.is_last_ack_of_shutdown() && !self.is_window_update() {
            if self.is_bad_window_update() {
                return self.refuse(StreamEvent::BadWindowUpdate);
            }
            if self.is_outdated_ack() {
                return Outcome::Repeat;
            }
        }
        if self.len() > 0 && !behind(self.end(), self.me().last_ack) {
            self.raise(StreamEvent::SpuriousRetransmission);
        }
        self.dispatch(self.tcp.state)
    }

    fn dispatch(&mut self, state: TcpState) -> Outcome {
        match state {
            TcpState::None => self.none(),
            TcpState::SynSent => self.syn_sent(),
            TcpState::SynRecv => self.syn_recv(),
            TcpState::Established => self.established(),
            TcpState::FinWait1 => self.fin_wait1(),
            TcpState::FinWait2 => self.fin_wait2(),
            TcpState::Closing => self.closing(),
            TcpState::CloseWait => self.close_wait(),
            TcpState::LastAck => self.last_ack(),
            TcpState::TimeWait => self.time_wait(),
            TcpState::Closed => self.closed(),
        }
    }

    /// A closed session takes nothing, unless a RST closed it that its receiver may have ignored.
    fn closed(&mut self) -> Outcome {
        if self.is(RST) {
            return Outcome::Repeat;
        }
        let ignored = self.me().marks & marks::RESET == 0 && self.other().marks & marks::RESET != 0;
        if !ignored || self.tcp.before == TcpState::Closed {
            return Outcome::Repeat;
        }
        let before = self.tcp.before;
        let outcome = self.dispatch(before);
        if outcome != Outcome::Refuse && self.tcp.state == TcpState::Closed {
            self.tcp.state = before;
        }
        outcome
    }

    /// Packets from the sender of a RST, after it: the RST was not his.
    fn check_after_reset(&mut self) {
        if self.is(RST) || self.other().marks & marks::RESET == 0 {
            return;
        }
        self.other().marks &= !marks::RESET;
        self.tcp.facts &= !facts::RESET;
        self.raise(StreamEvent::SuspectedResetInjection);
    }

    const fn is_plain(&self) -> bool {
        self.flags() & (SYN | FIN | RST) == 0
    }

    /// RFC 9293, 3.8.4: a segment without data, or with one byte, one before the next number.
    fn is_keepalive(&mut self) -> bool {
        self.len() <= 1
            && self.is_plain()
            && self.ack() == self.other().last_ack
            && self.seq() == self.me().next_seq.wrapping_sub(1)
    }

    fn is_keepalive_answer(&mut self) -> bool {
        self.len() == 0
            && self.is_plain()
            && self.segment.tcp.window != 0
            && self.other().marks & marks::KEEPALIVE != 0
            && self.window() == self.other().window
            && self.ack() == self.other().last_ack
            && self.seq() == self.me().next_seq
    }

    /// The answer to a zero-window probe: still no window.
    fn is_probe_answer(&mut self) -> bool {
        let probed = if self.to_server() { facts::PROBE_TO_CLIENT } else { facts::PROBE_TO_SERVER };
        self.tcp.state >= TcpState::Established
            && self.has(probed)
            && self.len() == 0
            && self.is_plain()
            && self.is(ACK)
            && self.segment.tcp.window == 0
            && self.other().window == 0
            && self.seq() == self.me().next_seq
            && self.ack() == self.other().last_ack
    }

    fn is_last_ack_of_shutdown(&mut self) -> bool {
        matches!(self.tcp.state, TcpState::TimeWait | TcpState::CloseWait | TcpState::LastAck)
            && self.flags() == ACK
            && self.len() == 0
            && self.seq() == self.me().next_seq.wrapping_add(1)
            && self.ack() == self.other().next_seq.wrapping_add(1)
    }

    fn is_window_update(&mut self) -> bool {
        self.tcp.state >= TcpState::Established
            && self.len() == 0
            && self.is_plain()
            && self.segment.tcp.window != 0
            && self.window() != self.other().window
            && self.ack() == self.other().last_ack
            && self.seq() == self.me().next_seq
    }

    /// A packet beyond what is expected on both sides that shrinks the window by more than it acknowledges: it would
    /// make us refuse the packets that do belong here.
    fn is_bad_window_update(&mut self) -> bool {
        if self.tcp.state < TcpState::Established || self.tcp.state == TcpState::Closed || !self.is_plain() {
            return false;
        }
        let (window, held) = (self.window(), self.other().window);
        if window >= held {
            return false;
        }
        let shrunk = held - window;
        if shrunk <= self.len()
            || !behind(self.ack(), self.other().next_seq)
            || !behind(self.seq(), self.me().next_seq)
        {
            return false;
        }
        let acknowledged = self.ack().wrapping_sub(self.other().last_ack);
        let margin = if window > 1024 { 32 } else { 0 };
        shrunk > acknowledged.saturating_add(margin)
    }

    /// Acknowledges less than is acknowledged already, and brings nothing.
    fn is_outdated_ack(&mut self) -> bool {
        self.tcp.state >= TcpState::Established
            && self.len() == 0
            && self.is_plain()
            && self.is(ACK)
            && self.seq() == self.me().next_seq
            && before(self.ack(), self.other().last_ack)
    }
}
