//! Expiry by packet time: a wheel of seconds. A packet only writes when it came; a flow whose turn it is and that was
//! not silent long enough is put back. Flows that are alive are moved on by their own packets, a quarter of their
//! timeout at a time; those of a coming second that must be put back are put back a few a packet, before their second
//! begins. So no second finds much more to do than to end what ends in it.

use super::Table;
use super::evict::Class;
use crate::rings::Rings;
use crate::tcp::TcpState;
use crate::{End, Flow, FlowRef, Phase, Spans, Timeouts};
use frame::Timestamp;
use std::time::Duration;

const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMPV6: u8 = 58;

/// Seconds that the wheel looks ahead; what is due later is put back when its turn comes.
const HORIZON: u32 = 1024;

/// How many seconds ahead flows are put back. Less than three quarters of the usual timeouts: what is found due is then
/// not moved by a later packet without this packet moving it on in the wheel.
const AHEAD: u64 = 20;
/// How many flows of coming seconds one packet looks at.
const LOOKS: usize = 4;
/// How many flows one call puts back at the most. Where more wait, later packets and calls go on: flows end late then.
const MOST_PUT_BACK: usize = 512;

/// A ring for each second ahead.
#[derive(Debug)]
pub(super) struct Wheel {
    rings: Rings,
    /// Every ring up to this second is empty.
    second: u64,
    /// Every ring up to this second was looked through.
    swept: u64,
    /// The first flow of the ring after it that was found due: where looking through began.
    first_due: Option<u32>,
}

impl Wheel {
    pub(super) fn new(slots: usize) -> Self {
        Self { rings: Rings::new(HORIZON, slots), second: 0, swept: 0, first_due: None }
    }

    /// The first packet sets the clock.
    pub(super) const fn start(&mut self, second: u64) {
        if self.second == 0 {
            self.second = second;
        }
    }

    pub(super) fn schedule(&mut self, slot: u32, due: u64) {
        let at = due.clamp(self.second + 1, self.second + u64::from(HORIZON) - 1);
        self.rings.push(ring(at), slot);
    }

    pub(super) fn forget(&mut self, slot: u32) {
        self.rings.take(slot);
    }

    /// The next slot of a coming second to be looked at, and that second.
    fn coming(&mut self) -> Option<(u32, u64)> {
        while self.swept < self.second + AHEAD {
            let at = self.swept.max(self.second) + 1;
            match self.rings.front(ring(at)) {
                Some(slot) if self.first_due != Some(slot) => return Some((slot, at)),
                _ => (self.swept, self.first_due) = (at, None),
            }
        }
        None
    }

    /// A slot is where it belongs.
    fn stays(&mut self, slot: u32, second: u64) {
        self.rings.take(slot);
        self.rings.push(ring(second), slot);
        self.first_due.get_or_insert(slot);
    }

    /// Takes the next slot whose turn has come by `second`.
    fn next(&mut self, second: u64) -> Option<u32> {
        while self.second < second {
            if self.rings.linked() == 0 {
                self.second = second;
                return None;
            }
            if let Some(slot) = self.rings.front(ring(self.second + 1)) {
                self.rings.take(slot);
                return Some(slot);
            }
            self.second += 1;
        }
        None
    }
}

fn ring(second: u64) -> u32 {
    u32::try_from(second % u64::from(HORIZON)).unwrap_or(0)
}

/// The timeouts of a protocol.
const fn spans(timeouts: &Timeouts, protocol: u8) -> &Spans {
    match protocol {
        TCP => &timeouts.tcp,
        UDP => &timeouts.udp,
        ICMP | ICMPV6 => &timeouts.icmp,
        _ => &timeouts.other,
    }
}

/// How many seconds of silence end a flow.
fn span<A>(timeouts: &Timeouts, flow: &Flow<A>) -> u32 {
    let spans = spans(timeouts, flow.key.protocol);
    match flow.phase {
        Phase::New => spans.new,
        Phase::Established => spans.established,
        Phase::Closed => spans.closed,
        Phase::Bypassed if flow.tcp.state == TcpState::Closed => spans.closed.min(spans.bypassed),
        Phase::Bypassed => spans.bypassed,
    }
}

/// The first second in which a flow is over, unless a packet comes.
pub(super) fn due<A>(timeouts: &Timeouts, flow: &Flow<A>) -> u64 {
    flow.last.time.seconds().saturating_add(u64::from(span(timeouts, flow))).saturating_add(1)
}

/// Whether a packet that comes at `now` comes too late for a flow. Closed flows wait for the wheel, so that the last
/// acknowledgments are still theirs.
pub(super) fn is_over<A>(timeouts: &Timeouts, flow: &Flow<A>, now: Timestamp) -> bool {
    let silence = Duration::from_secs(u64::from(span(timeouts, flow)));
    !silence.is_zero() && now >= flow.last.time.plus(silence)
}

impl<A: Default> Table<A> {
    /// The timeouts that hold now.
    pub(super) const fn timeouts(&self) -> &Timeouts {
        if self.emergency { &self.settings.emergency } else { &self.settings.timeouts }
    }

    /// Has the wheel look at a flow in second `due`.
    pub(super) fn schedule(&mut self, slot: u32, due: u64) {
        if let Some(record) = self.records.get_mut(slot as usize) {
            record.fires = u32::try_from(due).unwrap_or(u32::MAX);
        }
        self.wheel.schedule(slot, due);
    }

    /// Moves a flow on in the wheel, if that is worth it; or back, when a shorter timeout holds.
    #[inline]
    pub(super) fn postpone(&mut self, slot: u32) {
        let timeouts = self.timeouts();
        let Some(record) = self.records.get(slot as usize) else { return };
        let worth = u64::from(span(timeouts, &record.flow) / 4).max(1);
        let (due, fires) = (due(timeouts, &record.flow), u64::from(record.fires));
        if due < fires || due - fires > worth {
            self.wheel.forget(slot);
            self.schedule(slot, due);
        }
    }

    /// Puts back flows of coming seconds that are not due then, a few at a time.
    pub(super) fn sweep(&mut self) {
        for _ in 0..LOOKS {
            let Some((slot, second)) = self.wheel.coming() else { return };
            let due = due(self.timeouts(), self.flow(FlowRef(slot)));
            if due > second {
                self.wheel.forget(slot);
                self.schedule(slot, due);
            } else {
                self.wheel.stays(slot, second);
            }
        }
    }

    /// The next flow that is over: evicted, replaced, or silent for too long by packet time `now`. The caller reads it
    /// ([`Table::flush`], [`Table::readable`]) and removes it. To be called until it gives nothing, whenever a
    /// [`crate::Turn::ended`] says so and at each whole second of packet time that has begun.
    pub fn pop_ended(&mut self, now: Timestamp) -> Option<(FlowRef, End)> {
        for _ in 0..MOST_PUT_BACK {
            if let Some(slot) = self.queues.front(Class::Ended.ring()) {
                self.queues.take(slot);
                let end = self.flow(FlowRef(slot)).end.unwrap_or(End::Forced);
                return Some((FlowRef(slot), end));
            }
            let second = now.seconds();
            let slot = self.wheel.next(second)?;
            let flow = self.flow(FlowRef(slot));
            let due = due(self.timeouts(), flow);
            if due <= second {
                let end = flow.natural_end();
                self.end(slot, end);
            } else {
                self.schedule(slot, due);
            }
        }
        None
    }
}
