//! A split virtqueue (virtio 1.2, section 2.7) as its device reads it.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering, fence};

use vm_memory::{VolatileArrayRef, VolatileMemory as _, VolatileSlice};

use super::bell;
use super::chain::{self, Arena, Broken, DESCRIPTOR};
use super::memory::{Memory, Spot};

/// Most descriptors of a ring (virtio 1.2, section 2.7).
pub(super) const MOST: u16 = 32_768;
/// Frames after which the front end gets its buffers back, while there are more.
const STRIDE: u16 = 32;

/// Flag of the available ring: the driver wants no interrupt.
const NO_INTERRUPT: u16 = 1;
/// Flag of the used ring: we want no notification.
const NO_NOTIFY: u16 = 1;

/// Where the three parts of a ring lie, in the front end's process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Addresses {
    pub(super) descriptors: u64,
    pub(super) available: u64,
    pub(super) used: u64,
}

/// What a ring is made of.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) memory: Arc<Memory>,
    pub(super) addresses: Addresses,
    /// Descriptors: a power of two, [`MOST`] at the most.
    pub(super) size: u16,
    /// The first entry of the available ring that is new.
    pub(super) next: u16,
    /// Bytes of the virtio-net header.
    pub(super) header: usize,
    /// Whether notifications are asked for by index.
    pub(super) event_idx: bool,
}

/// A ring that is running.
#[derive(Debug)]
pub(super) struct Ring {
    plan: Plan,
    descriptors: Spot,
    available: Spot,
    used: Spot,
    next_used: u16,
    /// What was given back and not told yet.
    untold: u16,
    /// Whether we have asked to be notified.
    armed: bool,
    /// Set when the ring is being taken away: nothing beyond this entry is taken.
    until: Option<u16>,
    pub(super) kick: Option<File>,
    pub(super) call: Option<File>,
}

/// What ended a ring, and the frames that were handed over and are not to be had.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) why: Broken,
    pub(super) frames: u64,
}

/// Accessors to the three parts, for one burst.
struct View<'m> {
    descriptors: VolatileArrayRef<'m, [u64; 2]>,
    available: VolatileSlice<'m>,
    entries: VolatileArrayRef<'m, [u8; 2]>,
    used: VolatileSlice<'m>,
    elements: VolatileArrayRef<'m, [u8; 8]>,
}

impl View<'_> {
    fn load(slice: &VolatileSlice<'_>, at: usize, order: Ordering) -> u16 {
        slice.get_atomic_ref::<AtomicU16>(at).map_or(0, |word| u16::from_le(word.load(order)))
    }

    fn store(slice: &VolatileSlice<'_>, at: usize, value: u16, order: Ordering) {
        if let Ok(word) = slice.get_atomic_ref::<AtomicU16>(at) {
            word.store(value.to_le(), order);
        }
    }
}

impl Ring {
    /// Finds the ring in the memory; nothing when it does not lie there as a ring has to.
    pub(super) fn new(plan: Plan) -> Option<Self> {
        let size = usize::from(plan.size);
        if !plan.size.is_power_of_two() || plan.size > MOST {
            return None;
        }
        let Addresses { descriptors, available, used } = plan.addresses;
        if !descriptors.is_multiple_of(16) || !available.is_multiple_of(2) || !used.is_multiple_of(4) {
            return None;
        }
        // Flags, index, entries, and the place for an event index.
        let ring = Self {
            descriptors: plan.memory.by_user(descriptors, DESCRIPTOR * size)?,
            available: plan.memory.by_user(available, 6 + 2 * size)?,
            used: plan.memory.by_user(used, 6 + 8 * size)?,
            next_used: 0,
            untold: 0,
            armed: true,
            until: None,
            kick: None,
            call: None,
            plan,
        };
        // Two-byte words have to lie on even addresses of ours, too: the front end chose the offset.
        ring.view()?.available.get_atomic_ref::<AtomicU16>(2).ok()?;
        ring.view()?.used.get_atomic_ref::<AtomicU16>(2).ok()?;
        let index = |part: &VolatileSlice<'_>| View::load(part, 2, Ordering::Acquire);
        let (available, next_used) = ring.view().map(|view| (index(&view.available), index(&view.used)))?;
        Some(Self { next_used, ..ring }.resumed(available))
    }

    /// A front end whose back end was another one before may say that the ring begins anew and go on with it (DPDK's
    /// `net_virtio_user` with `server=1` does). What was given back tells then where it goes on.
    fn resumed(mut self, available: u16) -> Self {
        let ahead = |next: u16| available.wrapping_sub(next);
        if ahead(self.plan.next) > self.plan.size && ahead(self.next_used) <= self.plan.size {
            self.plan.next = self.next_used;
        }
        self
    }

    fn view(&self) -> Option<View<'_>> {
        let size = usize::from(self.plan.size);
        let memory = &self.plan.memory;
        Some(View {
            descriptors: memory.array(self.descriptors, 0, size)?,
            available: memory.at(self.available)?,
            entries: memory.array(self.available, 4, size)?,
            used: memory.at(self.used)?,
            elements: memory.array(self.used, 4, size)?,
        })
    }

    /// Chains that are ready, up to where the ring is read.
    fn ready(&self, view: &View<'_>) -> Result<u16, Broken> {
        let index = View::load(&view.available, 2, Ordering::Acquire);
        let ready = index.wrapping_sub(self.plan.next);
        if ready > self.plan.size {
            return Err(Broken::Index(ready));
        }
        Ok(self.until.map_or(ready, |until| until.wrapping_sub(self.plan.next).min(ready)))
    }

    /// Copies frames into the arena until it is full or the ring empty.
    pub(super) fn take(&mut self, arena: &mut Arena) -> Result<(), Failure> {
        let kept = arena.frames.len();
        let taken = self.copy(arena);
        if self.plan.memory.is_torn() {
            let frames = arena.frames.len().saturating_sub(kept);
            arena.truncate(kept);
            return Err(Failure { why: Broken::Torn, frames: frames as u64 });
        }
        taken.map_err(|why| Failure { why, frames: u64::from(!matches!(why, Broken::Index(_))) })
    }

    fn copy(&mut self, arena: &mut Arena) -> Result<(), Broken> {
        let Some(view) = self.view() else { return Ok(()) };
        let ready = self.ready(&view)?;
        if ready == 0 {
            return Ok(());
        }
        if self.armed && !self.plan.event_idx {
            View::store(&view.used, 0, NO_NOTIFY, Ordering::Relaxed);
        }
        let mask = usize::from(self.plan.size).wrapping_sub(1);
        let (mut next, mut next_used) = (self.plan.next, self.next_used);
        let mut end = Ok(());
        for _ in 0..ready {
            if arena.is_full() {
                break;
            }
            let head = u16::from_le_bytes(view.entries.load(usize::from(next) & mask));
            end = chain::copy(&self.plan.memory, &view.descriptors, head, self.plan.header, arena);
            if end.is_err() {
                break;
            }
            // Nothing was written into the buffers: a length of 0.
            let element = u64::from(head).to_le_bytes();
            view.elements.store(usize::from(next_used) & mask, element);
            next = next.wrapping_add(1);
            next_used = next_used.wrapping_add(1);
            if next_used.is_multiple_of(STRIDE) {
                View::store(&view.used, 2, next_used, Ordering::Release);
            }
        }
        View::store(&view.used, 2, next_used, Ordering::Release);
        self.armed = false;
        self.untold = self.untold.saturating_add(next_used.wrapping_sub(self.next_used));
        (self.plan.next, self.next_used) = (next, next_used);
        end
    }

    /// Tells the driver that buffers came back, where it wants to be told.
    pub(super) fn tell(&mut self) {
        let untold = std::mem::take(&mut self.untold);
        if untold == 0 {
            return;
        }
        // The driver writes what it wants before it looks at the index that was stored above.
        fence(Ordering::SeqCst);
        let Some(view) = self.view() else { return };
        let wants = if self.plan.event_idx {
            let event = View::load(&view.available, 4 + 2 * usize::from(self.plan.size), Ordering::Relaxed);
            // Virtio 1.2, section 2.7.7.2: whether the index passed the event on its way.
            self.next_used.wrapping_sub(event).wrapping_sub(1) < untold
        } else {
            View::load(&view.available, 0, Ordering::Relaxed) & NO_INTERRUPT == 0
        };
        if wants && let Some(call) = &self.call {
            bell::call(call);
        }
    }

    /// Asks to be notified of the next chain; true when one is there already.
    pub(super) fn arm(&mut self) -> Result<bool, Broken> {
        let Some(view) = self.view() else { return Ok(false) };
        if !self.armed {
            if self.plan.event_idx {
                let place = 4 + 8 * usize::from(self.plan.size);
                View::store(&view.used, place, self.plan.next, Ordering::Relaxed);
            } else {
                View::store(&view.used, 0, 0, Ordering::Relaxed);
            }
            // Either the driver sees that we want to know, or we see what it added.
            fence(Ordering::SeqCst);
        }
        let ready = self.ready(&view)?;
        let torn = self.plan.memory.is_torn();
        self.armed = true;
        if torn { Err(Broken::Torn) } else { Ok(ready > 0) }
    }

    /// Whether the ring has to be looked at, as nobody will tell.
    pub(super) fn is_polled(&self) -> bool {
        self.kick.is_none()
    }

    /// Takes nothing beyond what is there now.
    pub(super) fn close(&mut self) {
        if self.until.is_none() {
            let ready = self.view().and_then(|view| self.ready(&view).ok()).unwrap_or(0);
            self.until = Some(self.plan.next.wrapping_add(ready));
        }
    }

    /// Takes nothing at all.
    pub(super) fn close_at_once(&mut self) {
        self.until = Some(self.plan.next);
    }

    /// Chains that were to be taken and have not been.
    pub(super) fn left(&self) -> u16 {
        match self.until {
            Some(until) => until.wrapping_sub(self.plan.next),
            None => self.view().and_then(|view| self.ready(&view).ok()).unwrap_or(0),
        }
    }

    /// Whether everything was taken that was to be, of a ring that is being taken away.
    pub(super) fn is_emptied(&self) -> bool {
        self.until == Some(self.plan.next)
    }

    /// The entry of the available ring that comes next.
    pub(super) fn next(&self) -> u16 {
        self.plan.next
    }
}
