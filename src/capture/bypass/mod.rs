//! Bypass in the kernel: which halves of which flows are dropped there, and what was.
//!
//! Each queue of an interface has maps of its own ([`crate::ebpf::Filter`]), or all share those at the interface; each worker
//! has a [`Book`] of the halves that are its own. The kernel counts, the book reads the counts in batches, tells
//! what is new of each half, and gives numbers to places. Nothing is ever evicted: what has no room is not bypassed.

pub(crate) mod key;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use frame::bypass::{Answer, Around, Bypass, Half, Home, News, WhyNot};
use frame::{Ledger, Timestamp};

use crate::ebpf::maps::{Cursor, Map, Room};
use crate::ebpf::{COUNTS, Maps, ONLY};
use key::{KEY4, KEY6, Key};

/// Entries that are read in one turn.
const BATCH: usize = 1024;
/// Time between the beginnings of two walks over all entries.
const PERIOD: Duration = Duration::from_secs(2);
/// Most halves of one flow: a mirror may bring each direction by several ways.
const MOST_HALVES: usize = 8;

/// What the kernel has counted of one half, or of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    packets: u64,
    bytes: u64,
    inner: u64,
    /// CLOCK_MONOTONIC, nanoseconds.
    last: u64,
}

impl Counts {
    /// The sum over all CPUs.
    fn of(values: &[u8]) -> Self {
        let (each, _) = values.as_chunks::<COUNTS>();
        each.iter().fold(Self::default(), |sum, one| {
            let (words, _) = one.as_chunks::<8>();
            let [packets, bytes, inner, last] = *words else { return sum };
            let [packets, bytes, inner, last] = [packets, bytes, inner, last].map(u64::from_ne_bytes);
            Self {
                packets: sum.packets.wrapping_add(packets),
                bytes: sum.bytes.wrapping_add(bytes),
                inner: sum.inner.wrapping_add(inner),
                last: sum.last.max(last),
            }
        })
    }
}

/// What all books over the same maps share: the maps, and the numbers of places.
#[derive(Debug)]
pub(crate) struct Shelf {
    maps: Maps,
    /// Whether there ever was a half: before that nothing can have been dropped.
    used: AtomicBool,
    shared: Mutex<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Number of each place, and how many halves lie in it.
    places: HashMap<Around, (u32, u32)>,
    /// The last number given; 0 is where nothing is around a packet.
    number: u32,
    halves: u64,
}

impl Shelf {
    pub(crate) fn new(maps: Maps) -> Self {
        Self { maps, used: AtomicBool::new(false), shared: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a half in; nothing is left behind where there is no room.
    fn add(&self, half: &Half) -> io::Result<Key> {
        self.used.store(true, Ordering::Relaxed);
        let mut shared = self.lock();
        let place = self.enter(&mut shared, &half.around)?;
        let key = key::key(half, place);
        let added = self.insert(&key, shared.halves == 0);
        match added {
            Ok(()) => {
                shared.halves += 1;
                Ok(key)
            }
            Err(e) => {
                self.leave(&mut shared, &half.around);
                if shared.halves == 0 {
                    let _ = self.set_active(0);
                }
                Err(e)
            }
        }
    }

    /// The first half wakes the program.
    fn insert(&self, key: &Key, first: bool) -> io::Result<()> {
        if first {
            self.set_active(1)?;
        }
        match key {
            Key::V4(key) => self.maps.halves4.insert(key, &vec![0; self.maps.halves4.value_size()], true),
            Key::V6(key) => self.maps.halves6.insert(key, &vec![0; self.maps.halves6.value_size()], true),
        }
    }

    /// Takes a half out, and tells what it counted.
    fn remove(&self, key: &Key, around: &Around) -> Counts {
        let mut shared = self.lock();
        let counts = self.read(key, true);
        self.leave(&mut shared, around);
        shared.halves = shared.halves.saturating_sub(1);
        if shared.halves == 0 {
            // Were it refused, frames would only be looked at for nothing.
            let _ = self.set_active(0);
        }
        counts
    }

    fn read(&self, key: &Key, take: bool) -> Counts {
        fn from<const K: usize>(map: &Map<K>, key: &[u8; K], take: bool) -> Counts {
            let mut values = vec![0; map.value_size()];
            let read = if take { map.take(key, &mut values) } else { map.read(key, &mut values) };
            if matches!(read, Ok(true)) { Counts::of(&values) } else { Counts::default() }
        }
        match key {
            Key::V4(key) => from(&self.maps.halves4, key, take),
            Key::V6(key) => from(&self.maps.halves6, key, take),
        }
    }

    fn set_active(&self, active: u32) -> io::Result<()> {
        self.maps.active.insert(&ONLY, &active.to_ne_bytes(), false)
    }

    /// The number of a place, which the kernel is told when it is new.
    fn enter(&self, shared: &mut Shared, around: &Around) -> io::Result<u32> {
        if *around == Around::default() {
            return Ok(0);
        }
        if let Some((number, halves)) = shared.places.get_mut(around) {
            *halves += 1;
            return Ok(*number);
        }
        // Numbers come back after 2^32 places; none of then is still in force, as there is room for few at a time.
        shared.number = shared.number.wrapping_add(1).max(1);
        let number = shared.number;
        self.maps.places.insert(&key::place(around), &number.to_ne_bytes(), true)?;
        shared.places.insert(*around, (number, 1));
        Ok(number)
    }

    fn leave(&self, shared: &mut Shared, around: &Around) {
        let Some((_, halves)) = shared.places.get_mut(around) else { return };
        *halves -= 1;
        if *halves == 0 {
            shared.places.remove(around);
            // One that stays because of an error leads to halves that are not there any more.
            let _ = self.maps.places.remove(&key::place(around));
        }
    }
}

/// A half in force.
#[derive(Debug)]
struct Held {
    half: Half,
    key: Key,
    /// What was told of it.
    told: Counts,
}

/// The halves of one worker's flows.
#[derive(Debug)]
pub(crate) struct Book {
    shelf: Arc<Shelf>,
    /// By the number of their flow.
    flows: HashMap<u32, Vec<Held>>,
    /// Whose a key is: flow, and which half of it.
    owners: HashMap<Key, (u32, u8)>,
    sweep: Sweep,
    /// Frames that the ledger knows of.
    told: Counts,
    /// Whether this book tells of all that was dropped; one of those on a shelf does.
    tells: bool,
    /// Where the total is read into.
    total: Vec<u8>,
}

/// The walk over all entries.
#[derive(Debug)]
struct Sweep {
    began: Timestamp,
    /// Which of the maps it is in, when it goes on.
    under_way: Option<Part>,
    cursor: Cursor,
    room4: Room<KEY4>,
    room6: Room<KEY6>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    V4,
    V6,
}

impl Book {
    pub(crate) fn new(shelf: Arc<Shelf>, tells: bool) -> Self {
        let sweep = Sweep {
            began: Timestamp::ZERO,
            under_way: None,
            cursor: Cursor::default(),
            room4: Room::new(BATCH, shelf.maps.halves4.value_size()),
            room6: Room::new(BATCH, shelf.maps.halves6.value_size()),
        };
        let total = vec![0; shelf.maps.total.value_size()];
        let (flows, owners) = (HashMap::new(), HashMap::new());
        Self { shelf, flows, owners, sweep, told: Counts::default(), tells, total }
    }

    /// Undoes everything for a flow; what is new of it comes home.
    fn release(&mut self, flow: u32, home: &mut Vec<Home>) {
        let offset = offset();
        for (index, held) in (0..).zip(self.flows.remove(&flow).unwrap_or_default()) {
            self.owners.remove(&held.key);
            let now = self.shelf.remove(&held.key, &held.half.around);
            if let Some(news) = news(index, &held.told, &now, offset) {
                home.push(Home { flow, news });
            }
        }
    }

    /// One step of the walk; whether the map was walked to its end.
    fn step(&mut self, part: Part, home: &mut Vec<Home>) -> bool {
        fn one<const K: usize>(map: &Map<K>, cursor: &mut Cursor, room: &mut Room<K>) -> (usize, bool) {
            let read = map.walk(cursor, room).unwrap_or_default();
            (read, cursor.is_at_beginning())
        }
        let offset = offset();
        let Self { shelf, flows, owners, sweep, .. } = self;
        let maps = &shelf.maps;
        let mut note = |key: &Key, values: &[u8]| {
            let Some((flow, index)) = owners.get(key).copied() else { return };
            let Some(held) = flows.get_mut(&flow).and_then(|f| f.get_mut(usize::from(index))) else { return };
            let now = Counts::of(values);
            if let Some(news) = news(index, &held.told, &now, offset) {
                held.told = now;
                home.push(Home { flow, news });
            }
        };
        match part {
            Part::V4 => {
                let (read, over) = one(&maps.halves4, &mut sweep.cursor, &mut sweep.room4);
                let values = sweep.room4.values.chunks_exact(maps.halves4.value_size());
                sweep.room4.keys.iter().zip(values).take(read).for_each(|(key, v)| note(&Key::V4(*key), v));
                over
            }
            Part::V6 => {
                let (read, over) = one(&maps.halves6, &mut sweep.cursor, &mut sweep.room6);
                let values = sweep.room6.values.chunks_exact(maps.halves6.value_size());
                sweep.room6.keys.iter().zip(values).take(read).for_each(|(key, v)| note(&Key::V6(*key), v));
                over
            }
        }
    }
}

impl Bypass for Book {
    fn ask(&mut self, flow: u32, halves: &[Half]) -> Answer {
        let has = self.flows.entry(flow).or_default().len();
        let mut refused = None;
        for half in halves {
            let held = self.flows.get(&flow).map_or(&[][..], Vec::as_slice);
            if held.iter().any(|held| held.half == *half) {
                continue;
            }
            if held.len() >= MOST_HALVES {
                refused = Some(WhyNot::Unable);
                break;
            }
            match self.shelf.add(half) {
                Ok(key) => {
                    let index = u8::try_from(held.len()).unwrap_or(u8::MAX);
                    self.owners.insert(key, (flow, index));
                    let held = Held { half: *half, key, told: Counts::default() };
                    self.flows.entry(flow).or_default().push(held);
                }
                Err(e) => {
                    refused = Some(why_not(&e));
                    break;
                }
            }
        }
        match refused {
            None => Answer::Captured,
            Some(why) => {
                // A flow that was never in force has counted nothing; of one that was, the worker ends it.
                if has == 0 {
                    self.release(flow, &mut Vec::new());
                }
                Answer::Not(why)
            }
        }
    }

    fn end(&mut self, flow: u32, home: &mut Vec<Home>) {
        self.release(flow, home);
    }

    fn turn(&mut self, now: Timestamp, home: &mut Vec<Home>) {
        if self.flows.is_empty() {
            return;
        }
        if self.sweep.under_way.is_none() {
            if now.since(self.sweep.began) < PERIOD {
                return;
            }
            self.sweep.began = now;
        }
        let part = self.sweep.under_way.unwrap_or(Part::V4);
        let over = self.step(part, home);
        self.sweep.under_way = match (part, over) {
            (part, false) => Some(part),
            (Part::V4, true) => Some(Part::V6),
            (Part::V6, true) => None,
        };
    }

    fn account(&mut self, ledger: &mut Ledger) {
        if !self.tells || !self.shelf.used.load(Ordering::Relaxed) {
            return;
        }
        if !matches!(self.shelf.maps.total.read(&ONLY, &mut self.total), Ok(true)) {
            return;
        }
        let now = Counts::of(&self.total);
        let frames = now.packets.wrapping_sub(self.told.packets);
        ledger.received += frames;
        ledger.bypassed += frames;
        ledger.received_bytes += now.bytes.wrapping_sub(self.told.bytes);
        self.told = now;
    }

    fn halves(&self) -> u64 {
        self.owners.len() as u64
    }
}

/// A map that is full says E2BIG, memory that is not to be had ENOMEM. A key that is there already belongs to a flow of
/// another worker: the same flow, torn in two by whoever deals frames out.
fn why_not(error: &io::Error) -> WhyNot {
    match error.raw_os_error() {
        Some(libc::E2BIG | libc::ENOMEM) => WhyNot::Full,
        Some(libc::EEXIST) => WhyNot::Unable,
        _ => WhyNot::Refused,
    }
}

/// What is new since it was last told, if anything is.
fn news(half: u8, told: &Counts, now: &Counts, offset: u64) -> Option<News> {
    let packets = now.packets.checked_sub(told.packets).filter(|packets| *packets > 0)?;
    Some(News::Dropped {
        half,
        packets,
        bytes: now.bytes.saturating_sub(told.bytes),
        inner: now.inner.saturating_sub(told.inner),
        last: Timestamp::from_nanos(now.last.wrapping_add(offset)),
    })
}

/// What the clock on the wall is ahead of the one that the kernel counts by.
fn offset() -> u64 {
    let read = |clock| nix::time::clock_gettime(clock).map_or(0, |t| Duration::from(t).as_nanos());
    let (wall, running) =
        (read(nix::time::ClockId::CLOCK_REALTIME), read(nix::time::ClockId::CLOCK_MONOTONIC));
    u64::try_from(wall).unwrap_or_default().wrapping_sub(u64::try_from(running).unwrap_or_default())
}
