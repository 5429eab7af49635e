//! A NIC that means harm: behind every access it may lie, or write anything anywhere its driver's memory is.

use std::sync::{Arc, Mutex, PoisonError};

use device::{Bus, Local, Peer, Region, Shape, Time, Witness};

use crate::Shared;

/// Where its mischief comes from: numbers, one after the other.
pub trait Chance: Send {
    /// The next one; `None` when there are no more, and from then on the NIC is honest.
    fn next(&mut self) -> Option<u64>;
}

/// Numbers from a seed (xorshift64*), so many of them.
#[derive(Debug)]
pub struct Seeded {
    state: u64,
    left: u32,
}

impl Seeded {
    /// `count` numbers from `seed`.
    #[must_use]
    pub fn new(seed: u64, count: u32) -> Self {
        Self { state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1, left: count }
    }
}

impl Chance for Seeded {
    fn next(&mut self) -> Option<u64> {
        self.left = self.left.checked_sub(1)?;
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        Some(self.state.wrapping_mul(0x2545_F491_4F6C_DD1D))
    }
}

/// A NIC that is honest at heart, and its driver's enemy.
pub struct Hostile {
    model: Shared,
    chance: Box<dyn Chance>,
    bus: Option<Arc<dyn Bus>>,
    witness: Option<Witness>,
}

impl Hostile {
    /// A driver's end of it.
    #[must_use]
    pub fn device(model: &Shared, chance: Box<dyn Chance>) -> Local {
        let hostile = Self { model: Arc::clone(model), chance, bus: None, witness: None };
        let hostile = Arc::new(Mutex::new(hostile));
        let local = Local::new(Arc::clone(&hostile), Time::Virtual);
        hostile.lock().unwrap_or_else(PoisonError::into_inner).witness = Some(local.witness());
        local
    }

    fn model<T>(&self, access: impl FnOnce(&mut model::Model) -> T) -> T {
        access(&mut self.model.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What it does beside what it was asked: nothing, nearly always.
    fn harm(&mut self) -> Option<()> {
        let what = self.chance.next()?;
        if !what.is_multiple_of(8) {
            return Some(());
        }
        let (place, word) = (self.chance.next()?, self.chance.next()?);
        let mapped = self.witness.as_ref()?.mapped();
        let (address, bytes) = mapped.get(pick(place, mapped.len()))?;
        let at = address + 8 * pick(place >> 16, bytes / 8) as u64;
        // Often something that a driver believes: done, or a descriptor's length.
        let word = match what >> 8 & 3 {
            0 => word,
            1 => word | 1,
            2 => word | 3,
            _ => (word & 0x3FFF) << 38 | 3,
        };
        // The bus refuses what the driver has not given to its device; that is what is to be seen.
        let _ = self.bus.as_ref()?.store(at, word);
        Some(())
    }

    /// The value of a register, or a lie.
    fn lie(&mut self, into: &mut [u8]) -> Option<()> {
        let what = self.chance.next()?;
        if what.is_multiple_of(16) {
            let lie = self.chance.next()?.to_le_bytes();
            let lie = if what & 0x100 == 0 { lie } else { [lie[0] & 0x3F, 0, 0, 0, 0, 0, 0, 0] };
            into.iter_mut().zip(lie).for_each(|(to, from)| *to = from);
        }
        Some(())
    }
}

fn pick(number: u64, of: usize) -> usize {
    usize::try_from(number % of.max(1) as u64).unwrap_or(0)
}

impl Peer for Hostile {
    fn shape(&self) -> Shape {
        self.model(|model| model.shape())
    }

    fn read(&mut self, region: Region, offset: u32, into: &mut [u8]) {
        self.model(|model| Peer::read(model, region, offset, into));
        if region == Region::Bar0 {
            self.harm();
            self.lie(into);
        }
    }

    fn write(&mut self, region: Region, offset: u32, bytes: &[u8]) {
        self.model(|model| Peer::write(model, region, offset, bytes));
        if region == Region::Bar0 {
            self.harm();
        }
    }

    fn reset(&mut self) {
        self.model(Peer::reset);
    }

    fn attach(&mut self, bus: Arc<dyn Bus>) {
        self.bus = Some(Arc::clone(&bus));
        self.model(|model| Peer::attach(model, bus));
    }
}

impl std::fmt::Debug for Hostile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hostile")
    }
}
