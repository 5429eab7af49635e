//! From done descriptors to frames.
//!
//! Nearly always a descriptor is a frame. A frame that is longer than a buffer goes on in the next ones, and only the
//! last of them says more than its length; it is lent where it lies if its buffers are full and adjacent, and copied
//! together if not, as where it runs past the end of the ring.

use std::sync::atomic::Ordering;

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
        loop {
            at += self.plain(&done, at, stamp, frames, &mut found);
            if at >= done.count {
                break;
            }
            let count = self.other(&done, at, stamp, frames, &mut found);
            if count == 0 {
                break;
            }
            at += count;
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

    /// Frames from `at` on that lie in one buffer each and with which nothing is wrong, as nearly always. Their first
    /// lines are asked for here, some frames before they are read. How many there were.
    #[inline]
    fn plain<'a>(
        &self,
        done: &Done<'a>,
        at: usize,
        stamp: Stamp,
        frames: &mut Vec<Frame<'a>>,
        found: &mut Found,
    ) -> usize {
        let before = frames.len();
        let numbers = stamp.number + before as u64 + 1..;
        for (number, ([first, status, ..], buffer)) in numbers.zip(done.from(at)) {
            // The look loaded this word with acquire ordering already.
            let status = status.load(Ordering::Relaxed);
            let length = Legacy::length_of(status);
            let data = buffer.get(..usize::from(length));
            let Some(data) = data.filter(|data| Legacy::is_plain(status) && !data.is_empty()) else { break };
            device::prefetch(data);
            found.bytes += u64::from(length);
            let known = self.verified.get(usize::from(Legacy::ptype_of(status))).copied().unwrap_or(false);
            let is_good = known && Legacy::is_verified(status);
            frames.push(Frame {
                data,
                wire_len: u32::from(length),
                time: stamp.time,
                number,
                link: LinkType::ETHERNET,
                vlan: Legacy::is_tagged(status).then(|| tag(Legacy::tag1_of(first.load(Ordering::Relaxed)))),
                checksum: if is_good { Checksum::Good } else { Checksum::Unknown },
                tap: stamp.tap,
            });
        }
        frames.len() - before
    }

    /// The frame at `at`, whatever it is. How many descriptors it takes; 0 when its end is not there yet.
    #[cold]
    fn other<'a>(
        &mut self,
        done: &Done<'a>,
        at: usize,
        stamp: Stamp,
        frames: &mut Vec<Frame<'a>>,
        found: &mut Found,
    ) -> usize {
        let chain = match self.grow(done, at) {
            Grown::Whole(chain) => chain,
            Grown::Growing => return 0,
            Grown::Endless(count) => {
                found.broken += 1;
                return count;
            }
        };
        let Chain { count, length, last, .. } = chain;
        found.chained += u64::from(count > 1);
        if last.error || last.oversize {
            found.damaged += 1;
            return count;
        }
        let data = self.chain(done, at, &chain, frames.len(), found);
        let Some(data) = data.filter(|_| length != 0) else {
            found.broken += 1;
            return count;
        };
        found.bytes += length as u64;
        frames.push(Frame {
            data,
            wire_len: u32::try_from(length).unwrap_or(u32::MAX),
            time: stamp.time,
            number: stamp.number + frames.len() as u64 + 1,
            link: LinkType::ETHERNET,
            vlan: last.tag1.map(tag),
            checksum: self.checksum(&last, found),
            tap: stamp.tap,
        });
        count
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
        if self.arena.len() - begin != chain.length {
            // A segment that says more than its buffer holds.
            self.arena.truncate(begin);
            return None;
        }
        found.joined += 1;
        self.joined.push((nth, begin..self.arena.len()));
        // The arena may still move while it grows: its bytes are put in when it does not any more.
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

/// A tag that the NIC took out.
fn tag(tci: u16) -> VlanTag {
    VlanTag { tpid: DOT1Q, tci }
}
