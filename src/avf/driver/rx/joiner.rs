//! From done descriptors to frames.
//!
//! Nearly always a descriptor is a frame. A frame that is longer than a buffer goes on in the next ones, and only the
//! last of them says more than its length; it is lent where it lies if its buffers are full and adjacent, and copied
//! together if not, as where it runs past the end of the ring.

use std::sync::atomic::AtomicU64;

use avf::ptype::Ptype;
use avf::rx::{Verdict, WORDS, WriteBack};
use frame::{Checksum, Frame, LinkType, TapId, Timestamp, VlanTag};

use super::ring::Done;
use super::time::Sample;

/// How a card lays out what it writes about a frame.
pub trait Layout: Send {
    /// Whether a descriptor holds a whole frame with which nothing is wrong and nothing is special, from as few loads as can
    /// be. Its status word was loaded with acquire ordering before.
    fn is_plain(&self, words: &[AtomicU64; WORDS]) -> bool;

    /// Bytes of such a frame.
    fn length(&self, words: &[AtomicU64; WORDS]) -> u16;

    /// What such a descriptor says beside.
    fn plain(&self, words: &[AtomicU64; WORDS]) -> Plain;

    /// All that a done descriptor says.
    fn parse(&self, words: &avf::rx::Words) -> WriteBack;

    /// The tag that was taken out of a frame.
    fn tag(&self, said: &WriteBack) -> Option<VlanTag>;

    /// Whether a frame, of which these are the first bytes and this is the length, is counted and not lent: somebody has
    /// decided not to look at its flow any more.
    #[inline]
    fn is_bypassed(&self, said: &WriteBack, head: &[u8], bytes: usize, now: Timestamp) -> bool {
        let _ = (said, head, bytes, now);
        false
    }
}

/// What is read of the usual frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plain {
    /// Packet type.
    pub ptype: Ptype,
    /// Whether its checksums were looked at, and are right.
    pub verified: bool,
    /// Tag that was taken out of it.
    pub vlan: Option<VlanTag>,
    /// When the NIC saw it, as far as its clock's low bits say.
    pub time: Option<u32>,
}

/// Reads what a device has finished in one queue's ring.
pub trait Decode: Send {
    /// Frames of what a look found, appended to `frames`.
    fn frames<'a>(&'a mut self, done: Done<'a>, stamp: Stamp, frames: &mut Vec<Frame<'a>>) -> Found;
}

/// Bytes at the beginning of a frame by which it is told whether it can be left out: its headers.
const HEAD: usize = 128;

/// Packet types that any card has.
const PTYPES: usize = 1024;

/// What a look came to, beside its frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Bytes of the frames.
    pub bytes: u64,
    /// Frames that the NIC marked as damaged or too long.
    pub damaged: u64,
    /// Frames whose descriptors make no sense: without an end, or without bytes.
    pub broken: u64,
    /// Frames that were copied together.
    pub joined: u64,
    /// Frames over several descriptors.
    pub chained: u64,
    /// Frames whose checksum the NIC found wrong. They are lent like any other.
    pub bad_checksum: u64,
    /// Frames of flows that nobody looks at any more: counted, and not lent.
    pub bypassed: u64,
    /// Frames that carry the time at which the NIC saw them.
    pub stamped: u64,
}

/// What every frame of a burst has in common.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    /// What time it is.
    pub time: Timestamp,
    /// The tap.
    pub tap: TapId,
    /// Number of the frame before.
    pub number: u64,
    /// The NIC's clock, where frames carry its time.
    pub(crate) sample: Option<Sample>,
}

impl Stamp {
    /// When a frame was seen, by the NIC where it says so; and whether it does.
    #[inline]
    fn time_of(&self, low: Option<u32>) -> (Timestamp, bool) {
        let time = self.sample.zip(low).and_then(|(sample, low)| sample.time_of(low, self.time));
        (time.unwrap_or(self.time), time.is_some())
    }
}

/// Turns descriptors into frames for one queue.
#[derive(Debug)]
pub struct Joiner<L> {
    layout: L,
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

impl<L: Layout> Joiner<L> {
    /// For buffers of `size` bytes and frames of `segments` descriptors at the most.
    #[must_use]
    pub fn new(layout: L, size: usize, segments: usize) -> Self {
        let good = |ptype: u16| {
            let layers = Ptype(ptype).layers();
            layers.is_some_and(|layers| avf::rx::Checks::GOOD.transport_is_good(&layers))
        };
        let mut verified = [false; PTYPES];
        for (slot, ptype) in verified.iter_mut().zip(0..) {
            *slot = good(ptype);
        }
        Self { layout, verified, size, segments, arena: Vec::new(), joined: Vec::new() }
    }

    /// Frames from `at` on that lie in one buffer each and with which nothing is wrong, as nearly always. Their first
    /// lines are asked for here, some frames before they are read. How many there were.
    ///
    /// How many they are is known before the first is made: the list grows once, and making one has no way out.
    #[inline]
    fn plain<'a>(
        &self,
        done: &Done<'a>,
        at: usize,
        stamp: Stamp,
        frames: &mut Vec<Frame<'a>>,
        found: &mut Found,
    ) -> usize {
        let (descriptors, buffers) = done.from(at);
        let usual = self.usual(descriptors, found);
        let first = stamp.number + frames.len() as u64 + 1;
        let stamped = &mut found.stamped;
        frames.extend(usual.iter().zip(buffers).enumerate().map(move |(nth, (words, buffer))| {
            let length = self.layout.length(words);
            let data = buffer.get(..usize::from(length)).unwrap_or_default();
            device::prefetch(data);
            let plain = self.layout.plain(words);
            let known = self.verified.get(usize::from(plain.ptype.0)).copied().unwrap_or(false);
            let (time, is_stamped) = stamp.time_of(plain.time);
            *stamped += u64::from(is_stamped);
            Frame {
                data,
                wire_len: length.into(),
                time,
                number: first + nth as u64,
                link: LinkType::ETHERNET,
                vlan: plain.vlan,
                checksum: if known && plain.verified { Checksum::Good } else { Checksum::Unknown },
                tap: stamp.tap,
            }
        }));
        usual.len()
    }

    /// Those of the first descriptors that are plain, with bytes that lie in one buffer; and the sum of their bytes.
    #[inline]
    fn usual<'d>(
        &self,
        descriptors: &'d [[AtomicU64; WORDS]],
        found: &mut Found,
    ) -> &'d [[AtomicU64; WORDS]] {
        let (mut count, mut bytes) = (0, 0);
        for words in descriptors {
            let length = usize::from(self.layout.length(words));
            if !self.layout.is_plain(words) || length.wrapping_sub(1) >= self.size {
                break;
            }
            count += 1;
            bytes += length as u64;
        }
        found.bytes += bytes;
        descriptors.get(..count).unwrap_or_default()
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
        let head = done.bytes(at, length.min(HEAD)).unwrap_or_default();
        if self.layout.is_bypassed(&last, head, length, stamp.time) {
            found.bypassed += 1;
            found.bytes += length as u64;
            return count;
        }
        let data = self.chain(done, at, &chain, frames.len(), found);
        let Some(data) = data.filter(|_| length != 0) else {
            found.broken += 1;
            return count;
        };
        found.bytes += length as u64;
        let (time, stamped) = stamp.time_of(last.time.map(|time| time.nanoseconds));
        found.stamped += u64::from(stamped);
        frames.push(Frame {
            data,
            wire_len: u32::try_from(length).unwrap_or(u32::MAX),
            time,
            number: stamp.number + frames.len() as u64 + 1,
            link: LinkType::ETHERNET,
            vlan: self.layout.tag(&last),
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
            let said = self.layout.parse(&done.words(at));
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
        let last = (from..done.count).find(|at| self.layout.parse(&done.words(*at)).last);
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
            let length = usize::from(self.layout.parse(&done.words(at)).length);
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

impl<L: Layout> Decode for Joiner<L> {
    fn frames<'a>(&'a mut self, done: Done<'a>, stamp: Stamp, frames: &mut Vec<Frame<'a>>) -> Found {
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
}
