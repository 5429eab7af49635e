//! A model in this process: memory, bus and interrupts without a system.
//!
//! Device addresses are invented: they are no pointers, they have gaps between them, and none is given twice, so that an
//! access to what was freed, or one byte past a block, is stray and not somebody else's memory.
//!
//! Order of locks: the model's own, then one of the bus's. The bus takes no lock while it holds another, and never the
//! model's, so a model may use its bus from within any access.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::collections::BTreeMap;
use std::fmt;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::buffers::Posted;
use crate::dma::Keep;
use crate::interrupt::Line;
use crate::peer::{Peer, Region, Shape};
use crate::{
    Bus, Device, DeviceError, Dma, Identity, Interrupt, Registers, Stray, Strays, Window, config, words,
};

/// Where invented device addresses begin: above what 32 bits hold, so that a lost upper half shows.
const FIRST: u64 = 0x5A_0000_0000;

/// Unmapped addresses between two blocks.
const GAP: u64 = 0x1_0000;

/// Alignment and granularity of blocks.
const PAGE: usize = 4096;

/// How an interrupt is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// Waiting sleeps until the signal or the limit.
    Real,
    /// Waiting tells at once whether there was a signal; time is what a test makes it.
    Virtual,
}

/// A function whose device is a model in this process.
pub struct Local {
    peer: Arc<Mutex<dyn Peer>>,
    bus: Arc<LocalBus>,
    identity: Identity,
    shape: Shape,
    time: Time,
}

impl Local {
    /// A driver's end of `peer`; the caller keeps its own handle to the model.
    #[must_use]
    pub fn new<P: Peer + 'static>(peer: Arc<Mutex<P>>, time: Time) -> Self {
        let bus = Arc::new(LocalBus::default());
        let peer: Arc<Mutex<dyn Peer>> = peer;
        let (identity, shape) = {
            let mut model = lock(&peer);
            model.attach(Arc::clone(&bus) as Arc<dyn Bus>);
            let read = |at, into: &mut [u8]| model.read(Region::Config, at, into);
            (config::identity("model".to_owned(), read), model.shape())
        };
        Self { peer, bus, identity, shape, time }
    }

    /// What a test may ask, and do, while the driver holds the device.
    #[must_use]
    pub fn witness(&self) -> Witness {
        Witness(Arc::clone(&self.bus))
    }
}

impl Device for Local {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn registers(&mut self) -> Result<Registers, DeviceError> {
        Ok(Registers(Arc::new(Bar { peer: Arc::clone(&self.peer), size: self.shape.bar0 })))
    }

    fn dma(&mut self, bytes: usize) -> Result<Dma, DeviceError> {
        let block = Arc::new(Block::new(bytes)?);
        let address = self.bus.map(&block);
        let (memory, bytes) = (block.memory, block.layout.size());
        let keep = Box::new(Mapped { bus: Arc::clone(&self.bus), address, block });
        // SAFETY: `Block` allocates zeroed memory aligned to a page and frees it when the last of `Mapped` and the
        // bus's map lets go; the bus reaches it through atomics alone, as a device does.
        Ok(unsafe { Dma::over(memory, bytes, address, keep) })
    }

    fn interrupts(&mut self, count: u16) -> Result<Vec<Interrupt>, DeviceError> {
        if count > self.shape.vectors {
            return Err(config::too_many_vectors(count, self.shape.vectors));
        }
        let flags: Vec<_> = (0..count).map(|_| Arc::new(Flag::new(self.time))).collect();
        *lock(&self.bus.vectors) = flags.clone();
        Ok(flags.into_iter().map(|flag| Interrupt(Box::new(flag))).collect())
    }

    fn vectors(&self) -> u16 {
        self.shape.vectors
    }

    fn set_master(&mut self, on: bool) -> Result<(), DeviceError> {
        self.bus.master.store(on, Ordering::Relaxed);
        let mut model = lock(&self.peer);
        let mut command = [0; 2];
        model.read(Region::Config, config::COMMAND, &mut command);
        model.write(Region::Config, config::COMMAND, &config::with_master(command, on));
        Ok(())
    }

    fn reset(&mut self) -> Result<(), DeviceError> {
        lock(&self.bus.vectors).clear();
        self.bus.master.store(false, Ordering::Relaxed);
        lock(&self.peer).reset();
        Ok(())
    }

    fn is_leaving(&self) -> bool {
        self.bus.leaving.load(Ordering::Relaxed)
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        lock(&self.bus.vectors).clear();
        self.bus.master.store(false, Ordering::Relaxed);
    }
}

impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Local({:04x}:{:04x})", self.identity.vendor, self.identity.device)
    }
}

/// What went over the bus of a [`Local`].
#[derive(Clone, Debug)]
pub struct Witness(Arc<LocalBus>);

impl Witness {
    /// Accesses outside of what was mapped, or to buffers that were not posted, in order: the first 64 of them.
    #[must_use]
    pub fn strays(&self) -> Vec<Stray> {
        self.0.strays.first()
    }

    /// How many stray accesses there were.
    #[must_use]
    pub fn stray_count(&self) -> u64 {
        self.0.strays.count()
    }

    /// Device address and length of every block that is mapped now.
    #[must_use]
    pub fn mapped(&self) -> Vec<(u64, usize)> {
        read_lock(&self.0.map).iter().map(|(address, block)| (*address, block.layout.size())).collect()
    }

    /// Device address and length of blocks that were freed while bus mastering was on, when only the driver's word says
    /// that the device had stopped.
    #[must_use]
    pub fn freed_under_master(&self) -> Vec<(u64, usize)> {
        lock(&self.0.freed_under_master).clone()
    }

    /// Whether the driver lets the device reach memory.
    #[must_use]
    pub fn is_master(&self) -> bool {
        self.0.master.load(Ordering::Relaxed)
    }

    /// How many vectors are connected.
    #[must_use]
    pub fn connected(&self) -> usize {
        lock(&self.0.vectors).len()
    }

    /// Asks for the device back, as a system does before an unplug.
    pub fn ask_back(&self) {
        self.0.leaving.store(true, Ordering::Relaxed);
    }
}

/// BAR 0 of a model.
struct Bar {
    peer: Arc<Mutex<dyn Peer>>,
    size: u32,
}

impl Bar {
    fn has(&self, offset: u32) -> bool {
        offset.is_multiple_of(4) && offset < self.size
    }
}

impl Window for Bar {
    fn read(&self, offset: u32) -> u32 {
        let mut value = [0xFF; 4];
        if self.has(offset) {
            lock(&self.peer).read(Region::Bar0, offset, &mut value);
        }
        u32::from_le_bytes(value)
    }

    fn write(&self, offset: u32, value: u32) {
        if self.has(offset) {
            lock(&self.peer).write(Region::Bar0, offset, &value.to_le_bytes());
        }
    }

    fn size(&self) -> u32 {
        self.size
    }
}

/// Memory of a block.
struct Block {
    memory: NonNull<u8>,
    layout: Layout,
    posted: OnceLock<Arc<Posted>>,
}

// SAFETY: it is plain memory, reached through `words` alone while it is shared.
unsafe impl Send for Block {}
// SAFETY: as above: atomics.
unsafe impl Sync for Block {}

impl Block {
    fn new(bytes: usize) -> Result<Self, DeviceError> {
        let short = || DeviceError::Memory(format!("no memory for a block of {bytes} bytes"));
        let whole = bytes.max(1).checked_next_multiple_of(PAGE).ok_or_else(short)?;
        let layout = Layout::from_size_align(whole, PAGE).map_err(|_| short())?;
        // SAFETY: the size is not zero.
        let memory = NonNull::new(unsafe { alloc_zeroed(layout) }).ok_or_else(short)?;
        Ok(Self { memory, layout, posted: OnceLock::new() })
    }

    fn words(&self) -> &[AtomicU64] {
        // SAFETY: aligned to a page, initialised, of this length, and alive as long as `self`.
        unsafe { std::slice::from_raw_parts(self.memory.as_ptr().cast(), self.layout.size() / 8) }
    }

    /// Whether the device may reach `bytes` bytes at `offset`.
    fn is_open(&self, offset: usize, bytes: usize) -> bool {
        let inside = offset.checked_add(bytes).is_some_and(|end| end <= self.layout.size());
        inside && self.posted.get().is_none_or(|posted| posted.covers(offset, bytes))
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout in `new`, and nobody holds it any more.
        unsafe { dealloc(self.memory.as_ptr(), self.layout) };
    }
}

/// A block in the map of a bus, for as long as its driver keeps it.
struct Mapped {
    bus: Arc<LocalBus>,
    address: u64,
    block: Arc<Block>,
}

impl Keep for Mapped {
    fn guard(&self, posted: &Arc<Posted>) {
        // A block is divided once: `Buffers` takes it.
        let _ = self.block.posted.set(Arc::clone(posted));
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        self.bus.map.write().unwrap_or_else(PoisonError::into_inner).remove(&self.address);
        if self.bus.master.load(Ordering::Relaxed) {
            lock(&self.bus.freed_under_master).push((self.address, self.block.layout.size()));
        }
    }
}

/// What the model sees of the driver's side.
struct LocalBus {
    map: RwLock<BTreeMap<u64, Arc<Block>>>,
    next: AtomicU64,
    vectors: Mutex<Vec<Arc<Flag>>>,
    strays: Strays,
    freed_under_master: Mutex<Vec<(u64, usize)>>,
    master: AtomicBool,
    leaving: AtomicBool,
}

impl Default for LocalBus {
    fn default() -> Self {
        Self {
            map: RwLock::default(),
            next: AtomicU64::new(FIRST),
            vectors: Mutex::default(),
            strays: Strays::default(),
            freed_under_master: Mutex::default(),
            master: AtomicBool::new(false),
            leaving: AtomicBool::new(false),
        }
    }
}

impl LocalBus {
    /// Enters a block and tells its address, which no block had before.
    fn map(&self, block: &Arc<Block>) -> u64 {
        let room = block.layout.size() as u64 + GAP;
        let address = self.next.fetch_add(room, Ordering::Relaxed);
        self.map.write().unwrap_or_else(PoisonError::into_inner).insert(address, Arc::clone(block));
        address
    }

    /// Runs `access` on the words that hold the bytes; the map stays as it is meanwhile.
    fn reach(&self, stray: Stray, access: impl FnOnce(&[AtomicU64], usize)) -> Result<(), Stray> {
        let map = read_lock(&self.map);
        let found = map.range(..=stray.address).next_back().and_then(|(start, block)| {
            let offset = usize::try_from(stray.address - start).ok()?;
            block.is_open(offset, stray.bytes).then_some((block, offset))
        });
        if let Some((block, offset)) = found {
            access(block.words(), offset);
            return Ok(());
        }
        drop(map);
        self.strays.record(stray);
        Err(stray)
    }
}

impl Bus for LocalBus {
    fn read(&self, address: u64, into: &mut [u8]) -> Result<(), Stray> {
        let stray = Stray { address, bytes: into.len(), write: false };
        self.reach(stray, |memory, at| words::read(memory, at, into))
    }

    fn write(&self, address: u64, bytes: &[u8]) -> Result<(), Stray> {
        let stray = Stray { address, bytes: bytes.len(), write: true };
        self.reach(stray, |memory, at| words::write(memory, at, bytes))
    }

    fn store(&self, address: u64, word: u64) -> Result<(), Stray> {
        let stray = Stray { address, bytes: 8, write: true };
        if !address.is_multiple_of(8) {
            self.strays.record(stray);
            return Err(stray);
        }
        self.reach(stray, |memory, at| {
            if let Some(place) = memory.get(at / 8) {
                place.store(word, Ordering::Release);
            }
        })
    }

    fn signal(&self, vector: u16) {
        let flag = lock(&self.vectors).get(usize::from(vector)).map(Arc::clone);
        if let Some(flag) = flag {
            flag.raise();
        }
    }
}

impl fmt::Debug for LocalBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LocalBus({} blocks, {} strays)", read_lock(&self.map).len(), self.strays.count())
    }
}

/// A vector as a flag.
struct Flag {
    raised: Mutex<bool>,
    changed: Condvar,
    time: Time,
}

impl Flag {
    fn new(time: Time) -> Self {
        Self { raised: Mutex::new(false), changed: Condvar::new(), time }
    }

    fn raise(&self) {
        *lock(&self.raised) = true;
        self.changed.notify_all();
    }
}

impl Line for Arc<Flag> {
    fn wait(&self, limit: Duration) -> bool {
        let until = Instant::now().checked_add(limit);
        let mut raised = lock(&self.raised);
        while !*raised && self.time == Time::Real {
            let left = until.map_or(limit, |until| until.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                break;
            }
            raised = self.changed.wait_timeout(raised, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        std::mem::take(&mut *raised)
    }
}

/// A lock whose holder panicked still holds what it held: tests tell the panic, not this.
fn lock<T: ?Sized>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read_lock<T>(of: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    of.read().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
