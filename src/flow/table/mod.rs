//! The flow table: every flow of one worker, found by key, expired by packet time, within a budget.

mod ahead;
mod evict;
mod expiry;
mod packet;
mod reading;

use crate::index::Index;
use crate::key::Key;
use crate::rings::Rings;
use crate::stream::Streams;
use crate::{Counters, End, Flow, FlowRef, Settings};
pub use ahead::{AHEAD, MANY, look_ahead};
pub(crate) use evict::Class;
use expiry::Wheel;

/// A flow and the table's own notes about it.
#[derive(Debug, Default)]
#[repr(C)]
pub(crate) struct Record<A> {
    flow: Flow<A>,
    tag: u32,
    /// Second in which the wheel looks at it.
    fires: u32,
}

/// How much is in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Bytes of records and index that are in use.
    pub table: usize,
    /// Bytes of stream buffers, free ones included.
    pub reassembly: usize,
    /// Flows, those that wait in [`Table::pop_ended`] included.
    pub flows: usize,
    /// Most flows at once.
    pub most: usize,
    /// Payload bytes that wait in stream buffers.
    pub stored: u64,
}

/// Every flow of one worker.
#[derive(Debug)]
pub struct Table<A> {
    settings: Settings,
    records: Vec<Record<A>>,
    free: Vec<u32>,
    /// What a stale reference sees.
    nobody: Flow<A>,
    index: Index,
    wheel: Wheel,
    queues: Rings,
    streams: Streams,
    counters: Counters,
    /// Flows in the index.
    active: usize,
    /// Flows that wait to be taken.
    ended: usize,
    capacity: usize,
    emergency: bool,
    stored: u64,
}

impl<A: Default> Table<A> {
    /// A table within its settings' budget. Takes address space for all of it; memory is touched as flows come.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let (capacity, bits) = size(settings.memory, size_of::<Record<A>>());
        let slots = capacity + spare(capacity);
        Self {
            settings: settings.clone(),
            records: Vec::with_capacity(slots),
            free: Vec::with_capacity(slots),
            nobody: Flow::default(),
            index: Index::new(bits),
            wheel: Wheel::new(slots),
            queues: Rings::new(Class::COUNT, slots),
            streams: Streams::new(settings.reassembly_memory, slots),
            counters: Counters::default(),
            active: 0,
            ended: 0,
            capacity,
            emergency: false,
            stored: 0,
        }
    }

    /// A flow. After its removal: an empty one.
    #[must_use]
    pub fn flow(&self, at: FlowRef) -> &Flow<A> {
        self.records.get(at.0 as usize).map_or(&self.nobody, |r| &r.flow)
    }

    /// A flow, to change.
    pub fn flow_mut(&mut self, at: FlowRef) -> &mut Flow<A> {
        match self.records.get_mut(at.0 as usize) {
            Some(record) => &mut record.flow,
            None => &mut self.nobody,
        }
    }

    /// What was counted so far.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// How much is in use.
    #[must_use]
    pub fn memory(&self) -> Memory {
        let flows = self.active + self.ended;
        let each = size_of::<Record<A>>() + 2 * Rings::SLOT;
        Memory {
            table: flows * each + self.index.size(),
            reassembly: self.streams.buffers.used(),
            flows,
            most: self.capacity,
            stored: self.stored,
        }
    }

    /// Whether the table is nearly full and timeouts are shorter.
    #[must_use]
    pub const fn is_emergency(&self) -> bool {
        self.emergency
    }

    /// What was told.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// A slot for a new flow.
    fn take_slot(&mut self) -> Option<u32> {
        if let Some(slot) = self.free.pop() {
            return Some(slot);
        }
        if self.records.len() >= self.records.capacity() {
            return None;
        }
        self.records.push(Record::default());
        u32::try_from(self.records.len() - 1).ok()
    }

    /// Takes a flow out of the index and the queues; it waits to be taken by the caller.
    fn end(&mut self, slot: u32, why: End) {
        let Some(record) = self.records.get_mut(slot as usize) else { return };
        if record.flow.class == Class::Ended || !record.flow.live {
            return;
        }
        self.index.remove(record.tag, slot);
        record.flow.end = Some(why);
        record.flow.class = Class::Ended;
        self.wheel.forget(slot);
        self.queues.take(slot);
        self.queues.push(Class::Ended.ring(), slot);
        self.active -= 1;
        self.ended += 1;
        let counter = match why {
            End::Timeout => &mut self.counters.end_timeout,
            End::Closed => &mut self.counters.end_closed,
            End::Reused => &mut self.counters.end_reused,
            End::Forced => &mut self.counters.end_forced,
            End::Evicted => return,
        };
        *counter += 1;
    }

    /// Removes a flow that ended, and gives back what hung on it.
    pub fn remove(&mut self, at: FlowRef) -> A {
        self.end(at.0, End::Forced);
        self.close_streams(at);
        let Some(record) = self.records.get_mut(at.0 as usize) else { return A::default() };
        if !record.flow.live {
            return A::default();
        }
        self.queues.take(at.0);
        self.ended -= 1;
        self.free.push(at.0);
        std::mem::take(record).flow.a
    }

    /// At the end of the run: the flows that remain, in order of creation.
    pub fn pop_any(&mut self) -> Option<FlowRef> {
        let at = self.peek_any()?;
        self.queues.take(at.0);
        Some(at)
    }

    /// The flow that [`Table::pop_any`] gives next. Ends every flow, so that no packet may follow.
    pub fn peek_any(&mut self) -> Option<FlowRef> {
        if let Some(slot) = self.queues.front(Class::Ended.ring()) {
            return Some(FlowRef(slot));
        }
        if self.active == 0 {
            return None;
        }
        let mut all: Vec<(crate::Moment, u64, u32)> = Vec::with_capacity(self.active);
        for (slot, record) in (0u32..).zip(&self.records) {
            if record.flow.live && record.flow.class != Class::Ended {
                all.push((record.flow.first, record.flow.id(), slot));
            }
        }
        all.sort_unstable_by_key(|(first, id, _)| (first.number, first.time, *id));
        for (_, _, slot) in all {
            self.end(slot, End::Forced);
        }
        self.queues.front(Class::Ended.ring()).map(FlowRef)
    }

    /// The slot of a key, and whether the key is seen from the other side.
    #[inline]
    fn find(&self, tag: u32, key: &Key) -> Option<(u32, bool)> {
        let mut reversed = false;
        let slot = self.index.find(tag, |slot| {
            let Some(record) = self.records.get(slot as usize) else { return false };
            // A key that is its own reverse is seen from the client's side.
            reversed = record.flow.key != *key;
            !reversed || record.flow.key.is_reverse_of(key)
        })?;
        Some((slot, reversed))
    }
}

/// How many slots beyond the capacity hold flows that ended and were not taken yet.
const fn spare(capacity: usize) -> usize {
    capacity / 16 + 64
}

/// Number of flows and size of the index, in bits, that make the best of a budget.
fn size(memory: usize, record: usize) -> (usize, u32) {
    let each = record + 2 * Rings::SLOT;
    let fits = |bits: &u32| {
        let index = size_of::<u64>() << bits;
        // Two thirds full at the most, so that searches stay short; a sixteenth of the slots is spare.
        let by_memory = memory.saturating_sub(index) / each * 15 / 16;
        by_memory.min((1usize << bits) / 3 * 2)
    };
    let bits = (8..31).max_by_key(fits).unwrap_or(8);
    (fits(&bits).clamp(16, u32::MAX as usize / 2), bits)
}
