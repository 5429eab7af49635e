//! Whether acknowledgment, timestamp and RST of a packet are valid: partly by the receiver's stack.

use super::machine::Step;
use super::seq::{before, behind};
use super::{TcpState, facts, marks};
use crate::key::Side;
use crate::{Policy, StreamEvent};
use decode::tcp_flags::{ACK, RST};

/// A timestamp may be older than the last one after this many seconds (RFC 7323, 5.5).
const PAWS_24_DAYS: u32 = 2_073_600;

impl Step<'_> {
    /// Whether the acknowledgment lies where one may lie.
    pub(super) fn ack_is_valid(&mut self) -> bool {
        if !self.is(ACK) {
            return true;
        }
        let (ack, state) = (self.ack(), self.tcp.state);
        let other = *self.other();
        if ack == other.last_ack {
            return true;
        }
        let valid = if before(ack, other.last_ack) {
            other.window == 0 || !before(ack, other.last_ack.wrapping_sub(other.window))
        } else if !behind(ack, other.next_win) || self.has(facts::ASYNC) || self.knows_no_window() {
            true
        } else {
            state == TcpState::SynSent
                && !self.to_server()
                && self.is(RST)
                && ack == other.isn.wrapping_add(1)
        };
        if !valid {
            self.raise(StreamEvent::InvalidAck);
        }
        valid
    }

    /// Whether the session was picked up and its other side was not seen yet.
    const fn knows_no_window(&self) -> bool {
        self.has(facts::MIDSTREAM_ESTABLISHED) && self.to_server()
    }

    /// Whether the packet repeats data that was sent before.
    pub(super) fn is_retransmission(&mut self) -> bool {
        if self.len() == 0 {
            return false;
        }
        let (seq, end) = (self.seq(), self.end());
        let me = self.me();
        let repeats = !behind(end, me.last_ack)
            || (before(seq, me.last_ack) && behind(end, me.last_ack))
            || !behind(end, me.next_seq);
        if repeats {
            self.raise(StreamEvent::Retransmission);
        }
        repeats
    }

    /// Protection against wrapped sequence numbers (RFC 7323, 5), as the receiver's stack does it. Changes nothing.
    pub(super) fn timestamp_is_valid(&mut self) -> bool {
        if !self.has(facts::TIMESTAMP) {
            return true;
        }
        let Some((value, _)) = self.segment.tcp.timestamp else { return true };
        let me = *self.me();
        let in_order = me.next_seq == self.seq();
        let mut check = true;
        let mut last = me.last_ts;
        if me.marks & marks::ZERO_TIMESTAMP != 0 {
            match self.settings.policy {
                Policy::Linux | Policy::Windows2k3 => check = false,
                Policy::OldLinux | Policy::Windows | Policy::Vista if in_order => {
                    last = value;
                    check = false;
                }
                _ => {}
            }
        }
        if self.settings.policy == Policy::Hpux11 && !in_order {
            check = false;
        }
        let valid = if value == 0 && !accepts_zero(self.settings.policy) {
            false
        } else {
            !check || self.is_recent(value, last)
        };
        if !valid {
            self.raise(StreamEvent::InvalidTimestamp);
        }
        valid
    }

    /// Not older than the last one; or the last one is too old to say.
    fn is_recent(&mut self, value: u32, last: u32) -> bool {
        let seconds = self.segment.seconds;
        let me = *self.me();
        let slack = u32::from(self.settings.policy == Policy::Linux || self.settings.liberal_timestamps);
        let mut seen = me.last_ts_seconds;
        if seen == 0 && self.has(facts::MIDSTREAM) {
            seen = seconds;
        }
        let stale = seconds > seen.saturating_add(PAWS_24_DAYS);
        let ahead = value.wrapping_sub(last).wrapping_add(slack).cast_signed() >= 0;
        let good = ahead && (me.last_ts == 0 || !stale);
        good || (me.next_seq == self.seq() && stale)
    }

    /// Remembers the timestamp of a packet that was accepted.
    pub(super) fn take_timestamp(&mut self) {
        if !self.has(facts::TIMESTAMP) {
            return;
        }
        let (seq, seconds, policy) = (self.seq(), self.segment.seconds, self.settings.policy);
        let Some((value, _)) = self.segment.tcp.timestamp else {
            if policy == Policy::Solaris {
                self.tcp.facts &= !facts::TIMESTAMP;
            }
            return;
        };
        let me = self.me();
        let in_order = me.next_seq == seq;
        if me.marks & marks::ZERO_TIMESTAMP != 0 {
            match policy {
                Policy::Linux | Policy::Windows2k3 => {
                    self.tcp.facts &= !facts::TIMESTAMP;
                    return;
                }
                Policy::OldLinux | Policy::Windows | Policy::Vista => {
                    me.marks &= !marks::ZERO_TIMESTAMP;
                    if in_order {
                        me.last_ts = value;
                        return;
                    }
                }
                _ => {}
            }
        }
        if policy == Policy::Hpux11 && !in_order || value == 0 && !accepts_zero(policy) {
            return;
        }
        let last = me.last_ts;
        if self.is_recent(value, last) {
            let me = self.me();
            if in_order {
                me.last_ts = value;
            }
            me.last_ts_seconds = seconds;
        }
    }

    /// Whether the receiver's stack takes this RST.
    pub(super) fn reset_is_valid(&mut self) -> bool {
        if !self.timestamp_is_valid() {
            return false;
        }
        if self.len() > 0 {
            self.raise(StreamEvent::ResetWithData);
        }
        if self.is(ACK) && self.ack() != 0 && !self.ack_is_valid() {
            self.raise(StreamEvent::ResetInvalidAck);
            return false;
        }
        // Signed segments cannot be verified: taken, but whoever goes on speaking did not send it.
        if self.segment.tcp.signed {
            self.other().marks |= marks::RESET;
        }
        let (seq, end) = (self.seq(), self.end());
        let one_sided = self.has(facts::ASYNC);
        let me = *self.me();
        if one_sided {
            return !before(seq, me.next_seq);
        }
        match self.settings.policy {
            Policy::Hpux11 => !before(seq, me.next_seq),
            Policy::OldLinux | Policy::Linux | Policy::Solaris => {
                !before(end, me.last_ack) && before(seq, me.next_seq.wrapping_add(me.window))
            }
            _ => seq == me.next_seq,
        }
    }

    /// A response to the SYN must echo its timestamp.
    pub(super) fn echo_is_valid(&self) -> bool {
        if self.to_server() {
            return true;
        }
        let Some((_, echo)) = self.segment.tcp.timestamp else { return true };
        let client = self.tcp.peers.of(Side::ToServer);
        // A client that sent none has nothing to be echoed: what stands there says nothing.
        client.marks & marks::TIMESTAMP == 0 || client.last_ts == 0 || echo == 0 || echo == client.last_ts
    }
}

/// Stacks that take a timestamp of zero.
const fn accepts_zero(policy: Policy) -> bool {
    matches!(
        policy,
        Policy::OldLinux | Policy::Windows | Policy::Windows2k3 | Policy::Vista | Policy::Solaris
    )
}
