//! The past: the last frames of many flows in one ring of memory, each flow's chained to the one before.
//!
//! Remembering a frame is one copy, whatever the number of flows; the oldest frame of all makes room for the newest. A
//! chain is a position: frames that have gone end it.

use frame::{Checksum, Frame, LinkType, TapId, Timestamp, VlanTag};

/// Bytes of a record before its frame.
const HEADER: usize = 48;
/// Records begin at multiples of this.
const STEP: usize = 8;
/// Marks the rest of the ring, where no record fits.
const PADDING: u32 = 1 << 31;
/// Record without an older one.
const NONE: u64 = u64::MAX;

/// One flow's frames: where the newest lies, and how much was ever remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chain {
    last: u64,
    /// Bytes remembered so far, those that have gone included.
    pub bytes: u64,
}

impl Default for Chain {
    fn default() -> Self {
        Self { last: NONE, bytes: 0 }
    }
}

/// The ring. Positions count bytes since its beginning and never turn back.
#[derive(Debug)]
pub struct Past {
    ring: Vec<u8>,
    head: u64,
    tail: u64,
    /// Frames remembered.
    pub kept: u64,
    /// Of those, frames that have made room for others.
    pub evicted: u64,
}

/// Where a record's parts stand.
const LENGTH: usize = 0;
const CAPTURED: usize = 4;
const PREVIOUS: usize = 8;
const TIME: usize = 16;
const NUMBER: usize = 24;
const WIRE: usize = 32;
const LINK: usize = 36;
const TAP: usize = 38;
const TPID: usize = 40;
const TCI: usize = 42;
const TAGGED: usize = 44;

impl Past {
    /// A ring of so many bytes. Memory is touched as frames come.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        Self { ring: vec![0; bytes / STEP * STEP], head: 0, tail: 0, kept: 0, evicted: 0 }
    }

    /// Remembers a frame behind the others of its flow. False where it is longer than the whole ring.
    pub fn keep(&mut self, chain: &mut Chain, frame: &Frame<'_>) -> bool {
        let len = (HEADER + frame.data.len()).next_multiple_of(STEP);
        let Ok(captured) = u32::try_from(frame.data.len()) else { return false };
        let Some(at) = self.make_room(len) else { return false };
        let position = self.head;
        self.put(at + LENGTH, &u32::try_from(len).unwrap_or(0).to_ne_bytes());
        self.put(at + CAPTURED, &captured.to_ne_bytes());
        self.put(at + PREVIOUS, &chain.last.to_ne_bytes());
        self.put(at + TIME, &frame.time.nanos().to_ne_bytes());
        self.put(at + NUMBER, &frame.number.to_ne_bytes());
        self.put(at + WIRE, &frame.wire_len.to_ne_bytes());
        self.put(at + LINK, &frame.link.0.to_ne_bytes());
        self.put(at + TAP, &frame.tap.0.to_ne_bytes());
        let tag = frame.vlan.unwrap_or(VlanTag { tpid: 0, tci: 0 });
        self.put(at + TPID, &tag.tpid.to_ne_bytes());
        self.put(at + TCI, &tag.tci.to_ne_bytes());
        self.put(at + TAGGED, &u32::from(frame.vlan.is_some()).to_ne_bytes());
        self.put(at + HEADER, frame.data);
        self.head += len as u64;
        self.kept += 1;
        chain.last = position;
        chain.bytes += frame.data.len() as u64;
        true
    }

    /// What is still there of a flow, oldest first.
    pub fn of(&self, chain: &Chain) -> impl Iterator<Item = Frame<'_>> {
        let mut places = Vec::new();
        let mut position = chain.last;
        while position != NONE && position >= self.tail && position < self.head {
            let at = self.place(position);
            places.push(at);
            let before = self.word64(at + PREVIOUS);
            if before >= position {
                break;
            }
            position = before;
        }
        places.into_iter().rev().filter_map(|at| self.frame(at))
    }

    fn frame(&self, at: usize) -> Option<Frame<'_>> {
        let from = at + HEADER;
        let tag = VlanTag { tpid: self.word16(at + TPID), tci: self.word16(at + TCI) };
        Some(Frame {
            data: self.ring.get(from..from + self.word32(at + CAPTURED) as usize)?,
            wire_len: self.word32(at + WIRE),
            time: Timestamp::from_nanos(self.word64(at + TIME)),
            number: self.word64(at + NUMBER),
            link: LinkType(self.word16(at + LINK)),
            vlan: (self.word32(at + TAGGED) == 1).then_some(tag),
            checksum: Checksum::Unknown,
            tap: TapId(self.word16(at + TAP)),
        })
    }

    /// Room for a record of this length in one piece: where it begins.
    fn make_room(&mut self, len: usize) -> Option<usize> {
        let size = self.ring.len();
        if len > size {
            return None;
        }
        let rest = size - self.place(self.head);
        if rest < len {
            self.let_go(rest);
            let padding = u32::try_from(rest).unwrap_or(0) | PADDING;
            self.put(self.place(self.head) + LENGTH, &padding.to_ne_bytes());
            self.head += rest as u64;
        }
        self.let_go(len);
        Some(self.place(self.head))
    }

    /// The oldest records go until so many bytes are free.
    fn let_go(&mut self, len: usize) {
        while self.head + len as u64 > self.tail + self.ring.len() as u64 {
            let word = self.word32(self.place(self.tail) + LENGTH);
            self.evicted += u64::from(word & PADDING == 0);
            self.tail += u64::from(word & !PADDING).max(STEP as u64);
        }
    }

    fn place(&self, position: u64) -> usize {
        usize::try_from(position % (self.ring.len() as u64).max(1)).unwrap_or(0)
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        if let Some(to) = self.ring.get_mut(at..at + bytes.len()) {
            to.copy_from_slice(bytes);
        }
    }

    fn word16(&self, at: usize) -> u16 {
        self.ring.get(at..).and_then(|b| b.first_chunk()).map_or(0, |b| u16::from_ne_bytes(*b))
    }

    fn word32(&self, at: usize) -> u32 {
        self.ring.get(at..).and_then(|b| b.first_chunk()).map_or(0, |b| u32::from_ne_bytes(*b))
    }

    fn word64(&self, at: usize) -> u64 {
        self.ring.get(at..).and_then(|b| b.first_chunk()).map_or(0, |b| u64::from_ne_bytes(*b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    fn frame(data: &[u8], number: u64) -> Frame<'_> {
        Frame {
            data,
            wire_len: u32::try_from(data.len()).expect("short") + 4,
            time: Timestamp::from_nanos(number * 1_000),
            number,
            link: LinkType::ETHERNET,
            vlan: number.is_multiple_of(3).then_some(VlanTag { tpid: 0x88a8, tci: 7 }),
            checksum: Checksum::Unknown,
            tap: TapId(2),
        }
    }

    #[test]
    fn frames_come_back_as_they_were_and_by_flow() {
        let mut past = Past::new(1 << 16);
        let mut chains = [Chain::default(); 2];
        for number in 0..10 {
            let data = vec![u8::try_from(number).expect("small"); 20 + number as usize];
            assert!(past.keep(&mut chains[(number % 2) as usize], &frame(&data, number)));
        }
        let odd: Vec<u64> = past.of(&chains[1]).map(|f| f.number).collect();
        assert_eq!(odd, [1, 3, 5, 7, 9]);
        for seen in past.of(&chains[0]) {
            let data = vec![u8::try_from(seen.number).expect("small"); 20 + seen.number as usize];
            assert_eq!(seen, frame(&data, seen.number));
        }
        assert_eq!(past.of(&Chain::default()).count(), 0);
        assert_eq!((chains[1].bytes, past.kept, past.evicted), (25 * 5, 10, 0));
    }

    /// Frames of all lengths by a fixed plan, beside a plain list of what must be there.
    #[test]
    fn the_oldest_make_room_and_chains_end_where_they_went() {
        let mut past = Past::new(4_096);
        let mut chains = [Chain::default(); 5];
        let mut there = VecDeque::new();
        for number in 0..20_000_u64 {
            let which = (number * 7 % 5) as usize;
            let data = vec![(number % 251) as u8; (number * number % 977) as usize];
            assert!(past.keep(&mut chains[which], &frame(&data, number)));
            there.push_back((which, number));
            there.drain(..there.len() - usize::try_from(past.kept - past.evicted).expect("small"));
            if number % 97 == 0 {
                for (which, chain) in chains.iter().enumerate() {
                    let want: Vec<u64> = there.iter().filter(|(w, _)| *w == which).map(|(_, n)| *n).collect();
                    let seen: Vec<u64> = past.of(chain).map(|f| f.number).collect();
                    assert_eq!(seen, want, "after {number}");
                    assert!(past.of(chain).all(|f| f.data.iter().all(|b| *b == (f.number % 251) as u8)));
                }
            }
        }
        assert!(past.evicted > 19_900);
    }

    #[test]
    fn what_is_longer_than_the_ring_is_not_kept() {
        let mut past = Past::new(256);
        let mut chain = Chain::default();
        assert!(!past.keep(&mut chain, &frame(&[1; 300], 1)));
        assert!(!Past::new(0).keep(&mut chain, &frame(&[], 1)));
        assert!(past.keep(&mut chain, &frame(&[1; 208], 2)));
        assert!(past.keep(&mut chain, &frame(&[1; 100], 3)));
        assert_eq!(past.of(&chain).map(|f| f.number).collect::<Vec<_>>(), [3]);
    }
}
