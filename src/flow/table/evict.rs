//! A full table: who goes first. Floods of flows that nobody answers must not cost a single connection that works.

use super::{Table, expiry};
use crate::{End, Flow, FlowRef, Phase, TcpState};

const TCP: u8 = 6;
/// Most flows that are looked at to find one to evict.
const LOOKS: usize = 8;

/// What a flow is worth, cheapest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Class {
    /// Nobody answered.
    #[default]
    Unanswered,
    /// Closed.
    Closed,
    /// TCP, answered, handshake not complete or never seen.
    Half,
    /// Answered, not TCP.
    Answered,
    /// TCP, established, data one way at the most.
    OneWay,
    /// TCP, established, data both ways: never evicted.
    Protected,
    /// Waits to be taken; not in the index.
    Ended,
}

impl Class {
    pub(super) const COUNT: u32 = 7;

    /// Those that may be evicted, cheapest first.
    const EVICTABLE: [Self; 5] = [Self::Unanswered, Self::Closed, Self::Half, Self::Answered, Self::OneWay];

    pub(super) const fn ring(self) -> u32 {
        self as u32
    }

    /// The class of a flow that has not ended.
    pub(super) fn of<A>(flow: &Flow<A>) -> Self {
        if flow.phase == Phase::Closed {
            Self::Closed
        } else if !flow.answered() {
            Self::Unanswered
        } else if flow.key.protocol != TCP {
            Self::Answered
        } else if flow.tcp.state < TcpState::Established {
            Self::Half
        } else if flow.tcp.data_both_ways() {
            Self::Protected
        } else {
            Self::OneWay
        }
    }
}

impl<A: Default> Table<A> {
    /// Makes room for one more flow. False when there is none to be had.
    pub(super) fn make_room(&mut self, second: u64) -> bool {
        self.watch_level();
        if self.emergency {
            self.hurry(second);
        }
        self.active < self.capacity || self.evict()
    }

    /// Above nine tenths the shorter timeouts hold, until seven tenths.
    fn watch_level(&mut self) {
        if self.emergency {
            self.emergency = self.active * 10 > self.capacity * 7;
        } else if self.active * 10 > self.capacity * 9 {
            self.emergency = true;
            self.counters.emergency += 1;
        }
    }

    /// Ends what the shorter timeouts end, two flows of each class a call, oldest first.
    fn hurry(&mut self, second: u64) {
        for class in [Class::Unanswered, Class::Closed, Class::Half, Class::Answered] {
            for _ in 0..2 {
                let Some(slot) = self.queues.front(class.ring()) else { break };
                let flow = self.flow(FlowRef(slot));
                if expiry::due(&self.settings.emergency, flow) <= second {
                    let end = flow.natural_end();
                    self.counters.emergency_timeout += 1;
                    self.end(slot, end);
                } else {
                    self.queues.take(slot);
                    self.queues.push(class.ring(), slot);
                }
            }
        }
    }

    /// Evicts one flow of the cheapest class that has any: of the oldest few, the one silent for longest.
    fn evict(&mut self) -> bool {
        for class in Class::EVICTABLE {
            let Some(slot) = self.idlest(class) else { continue };
            self.end(slot, End::Evicted);
            let counter = match class {
                Class::Unanswered => &mut self.counters.evicted_new,
                Class::Closed => &mut self.counters.evicted_closed,
                Class::Answered => &mut self.counters.evicted_idle,
                _ => &mut self.counters.evicted_half,
            };
            *counter += 1;
            return true;
        }
        false
    }

    fn idlest(&mut self, class: Class) -> Option<u32> {
        let first = self.queues.front(class.ring())?;
        if class == Class::Unanswered {
            return Some(first);
        }
        let mut best = (self.flow(FlowRef(first)).last, first);
        for _ in 0..LOOKS {
            let Some(slot) = self.queues.front(class.ring()) else { break };
            best = best.min((self.flow(FlowRef(slot)).last, slot));
            self.queues.take(slot);
            self.queues.push(class.ring(), slot);
        }
        Some(best.1)
    }

    /// Puts a flow into the queue of its class, if that has changed.
    pub(super) fn classify(&mut self, slot: u32) {
        let Some(record) = self.records.get_mut(slot as usize) else { return };
        let class = Class::of(&record.flow);
        if class != record.flow.class {
            record.flow.class = class;
            self.queues.take(slot);
            self.queues.push(class.ring(), slot);
        }
    }
}
