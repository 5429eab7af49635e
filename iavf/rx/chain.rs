//! From done descriptors to frames.
//!
//! Nearly always a descriptor is a frame. A frame that is longer than a buffer goes on in the next ones, and only the
//! last of them says more than its length; it is lent where it lies if its buffers are full and adjacent, and copied
//! together if not, as where it runs past the end of the ring.

use avf::ptype::Ptype;
use avf::rx::{Legacy, Verdict, WriteBack};
use frame::{Checksum, Frame, LinkType, TapId, Timestamp, VlanTag};

use super::ring::Done;

/// TPID of a tag that the 700 series takes out: it takes no other.
const DOT1Q: u16 = 0x8100;

/// Packet types of the 700 series.
const PTYPES: usize = 256;

/// What a look came to, beside its frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// Bytes of the frames.
    pub(crate) bytes: u64,
    /// Frames that the NIC marked as damaged or too long.
    pub(crate) damaged: u64,
    /// Frames whose descriptors make no sense: without an end, or without bytes.
    pub(crate) broken: u64,
    /// Frames that were copied together.
    pub(crate) joined: u64,
    /// Frames over several descriptors.
    pub(crate) chained: u64,
    /// Frames whose checksum the NIC found wrong. They are lent like any other.
    pub(crate) bad_checksum: u64,
}

/// What every frame of a burst has in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp {
    pub(crate) time: Timestamp,
    pub(crate) tap: TapId,
    /// Number of the frame before.
    pub(crate) number: u64,
}

/// Turns descriptors into frames for one queue.
#[derive(Debug)]
pub(crate) struct Joiner {
    /// Packet types whose transport checksum, once verified, is that of the frame's own transport.
    verified: [bool; PTYPES],
    /// Bytes of a buffer.
    size: usize,
    /// Descriptors of the longest frame.
    segments: usize,
    /// Frames that were copied together in this burst.
    arena: Vec<u8>,
    /// Which frame of the batch lies where in the arena.
    joined: Vec<(usize, std::ops::Range<usize>)>,
}

/// A frame over several descriptors.
#[derive(Clone, Copy, Debug)]
struct Chain {
    /// Descriptors.
    count: usize,
    /// Bytes in all.
    length: usize,
    /// Whether all of its buffers but the last are full.
    full: bool,
    /// What the last descriptor says.
    last: WriteBack,
}

/// How a chain stands.
#[derive(Clone, Copy, Debug)]
enum Grown {
    /// Its end is there.
    Whole(Chain),
    /// Its end is not there yet.
    Growing,
    /// It is longer than any frame: so many descriptors are no frame.
    Endless(usize),
}

impl Joiner {
    pub(crate) fn new(size: usize, segments: usize) -> Self {
        let good = |ptype: u16| {
            let layers = Ptype(ptype).layers();
            layers.is_some_and(|layers| avf::rx::Checks::GOOD.transport_is_good(&layers))
        };
        let mut verified = [false; PTYPES];
        for (slot, ptype) in verified.iter_mut().zip(0..) {
            *slot = good(ptype);
        }
        Self { verified, size, segments, arena: Vec::new(), joined: Vec::new() }
    }

    /// Frames of what a look found, appended to `frames`.
    #[inline]
    pub(crate) fn frames<'a>(
        &'a mut self,
        done: Done<'a>,
        stamp: Stamp,
        frames: &mut Vec<Frame<'a>>,
    ) -> Found {
        self.arena.clear();
        self.joined.clear();
        let mut found = Found::default();
        let mut at = 0;
        let mut number = stamp.number;
        while at < done.count {
            let words = done.words(at);
            let said = Legacy(words).parse();
            let (count, length, last, data) = if said.last {
                let length = usize::from(said.length);
                let data = if length <= self.size { done.bytes(at, length) } else { None };
                (1, length, said, data)
            } else {
                match self.grow(&done, at) {
                    Grown::Whole(chain) => {
                        found.chained += 1;
                        let data = self.chain(&done, at, &chain, frames.len(), &mut found);
                        (chain.count, chain.length, chain.last, data)
                    }
                    Grown::Growing => break,
                    Grown::Endless(count) => {
                        found.broken += 1;
                        at += count;
                        continue;
                    }
                }
            };
            at += count;
            if last.error || last.oversize {
                found.damaged += 1;
                continue;
            }
            let Some(data) = data.filter(|_| length != 0) else {
                found.broken += 1;
                continue;
            };
            found.bytes += length as u64;
            number += 1;
            frames.push(Frame {
                data,
                wire_len: u32::try_from(length).unwrap_or(u32::MAX),
                time: stamp.time,
                number,
                link: LinkType::ETHERNET,
                vlan: last.tag1.map(|tci| VlanTag { tpid: DOT1Q, tci }),
                checksum: self.checksum(&last, &mut found),
                tap: stamp.tap,
            });
        }
        done.consume(at);
        let (arena, joined) = (&self.arena, &self.joined);
        for (nth, range) in joined {
            if let (Some(frame), Some(bytes)) = (frames.get_mut(*nth), arena.get(range.clone())) {
                frame.data = bytes;
            }
        }
        found
    }

    /// Follows a chain from its first descriptor.
    #[cold]
    fn grow(&self, done: &Done<'_>, first: usize) -> Grown {
        let mut chain = Chain { count: 0, length: 0, full: true, last: WriteBack::default() };
        for at in first..done.count {
            let said = Legacy(done.words(at)).parse();
            chain.count += 1;
            chain.length += usize::from(said.length);
            if said.last {
                chain.last = said;
                chain.full &= usize::from(said.length) <= self.size;
                return Grown::Whole(chain);
            }
            chain.full &= usize::from(said.length) == self.size;
            if chain.count >= self.segments {
                return Grown::Endless(self.skip(done, at + 1) - first);
            }
        }
        Grown::Growing
    }

    /// Where a chain without a sensible end ends: after its last descriptor, or with what is done.
    fn skip(&self, done: &Done<'_>, from: usize) -> usize {
        let last = (from..done.count).find(|at| Legacy(done.words(*at)).parse().last);
        last.map_or(done.count, |at| at + 1)
    }

    /// The bytes of a chain, where they lie or copied together.
    #[cold]
    fn chain<'a>(
        &mut self,
        done: &Done<'a>,
        first: usize,
        chain: &Chain,
        nth: usize,
        found: &mut Found,
    ) -> Option<&'a [u8]> {
        if let (true, Some(bytes)) = (chain.full, done.bytes(first, chain.length)) {
            return Some(bytes);
        }
        let begin = self.arena.len();
        for at in first..first + chain.count {
            let length = usize::from(Legacy(done.words(at)).parse().length);
            self.arena.extend_from_slice(done.bytes(at, length.min(self.size))?);
        }
        if self.arena.len() - begin != chain.length || chain.last.error || chain.last.oversize {
            // A segment that says more than its buffer holds, or a frame that nobody will see.
            self.arena.truncate(begin);
            return None;
        }
        found.joined += 1;
        self.joined.push((nth, begin..self.arena.len()));
        // A placeholder of the right kind; the arena may still move while it grows.
        Some(&[])
    }

    #[inline]
    fn checksum(&self, said: &WriteBack, found: &mut Found) -> Checksum {
        match said.checks.verdict() {
            Verdict::Good if self.verified.get(usize::from(said.ptype.0)).copied().unwrap_or(false) => {
                Checksum::Good
            }
            Verdict::Good | Verdict::Unknown => Checksum::Unknown,
            Verdict::Bad(_) => {
                found.bad_checksum += 1;
                Checksum::Unknown
            }
        }
    }
}
