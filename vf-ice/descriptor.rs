//! The flexible write-back, in whichever of its profiles was agreed on.
//!
//! Length and packet type lie in the first word, everything that tells a plain frame from others in the second, which is
//! the one that was waited for. The third is read where outer tags come out of frames or frames carry the time, the fourth for
//! the time alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use avf::rx::{Bits, Flex, Format, WORDS, Words, WriteBack};
use avf_driver::Negotiated;
use avf_driver::rx::{Decode, Joiner, Layout, Plain};
use frame::{Timestamp, VlanTag};

use crate::steer::Counts;
use crate::vlan;

/// TPID of tags that are taken out: no other is asked for.
const DOT1Q: u16 = 0x8100;

/// Reads flexible descriptors. What is the same for every frame of a queue is decided when it is set up: whether the number of
/// a rule is to be looked for in the last word (`MARKED`), tags stand in the second place (`OUTER`), and frames carry the time
/// (`STAMPED`).
#[derive(Debug)]
struct FlexLayout<const MARKED: bool, const OUTER: bool, const STAMPED: bool> {
    format: Format,
    /// How the status word of a plain frame stands.
    plain: Bits,
    /// What is counted of flows that are left out; none where flows cannot be told apart.
    counts: Option<Arc<Counts>>,
}

/// What reads the descriptors of a queue that was set up as agreed, into buffers of `size` bytes.
pub(crate) fn decoder(
    format: Format,
    agreed: &Negotiated,
    counts: Option<Arc<Counts>>,
    (size, segments): (usize, usize),
) -> Box<dyn Decode> {
    let with = With { format, counts, size, segments };
    let outer = vlan::outer_tpid(agreed).is_some();
    // Of one format the number of a rule is in the status word, so that nothing is looked at for it.
    let is_marked = with.counts.is_some() && format != Format::Ovs;
    match (is_marked, outer, agreed.stamped) {
        (true, false, false) => with.layout::<true, false, false>(),
        (true, false, true) => with.layout::<true, false, true>(),
        (true, true, false) => with.layout::<true, true, false>(),
        (true, true, true) => with.layout::<true, true, true>(),
        (false, false, false) => with.layout::<false, false, false>(),
        (false, false, true) => with.layout::<false, false, true>(),
        (false, true, false) => with.layout::<false, true, false>(),
        (false, true, true) => with.layout::<false, true, true>(),
    }
}

/// What a decoder is made of.
struct With {
    format: Format,
    counts: Option<Arc<Counts>>,
    size: usize,
    segments: usize,
}

impl With {
    fn layout<const MARKED: bool, const OUTER: bool, const STAMPED: bool>(self) -> Box<dyn Decode> {
        let in_status = self.counts.is_some() && self.format == Format::Ovs;
        let plain = if in_status { Flex::PLAIN_UNMARKED } else { Flex::PLAIN };
        let layout = FlexLayout::<MARKED, OUTER, STAMPED> { format: self.format, plain, counts: self.counts };
        Box::new(Joiner::new(layout, self.size, self.segments))
    }
}

impl<const MARKED: bool, const OUTER: bool, const STAMPED: bool> FlexLayout<MARKED, OUTER, STAMPED> {
    /// The outer tag, where one came out of the frame; and the time.
    #[inline]
    fn beside(words: &[AtomicU64; WORDS]) -> (Option<VlanTag>, Option<u32>) {
        if !OUTER && !STAMPED {
            return (None, None);
        }
        let [_, _, third, fourth] = words;
        let third = third.load(Ordering::Relaxed);
        let outer = if OUTER { Flex::tag2_of(third).map(|tci| VlanTag { tpid: DOT1Q, tci }) } else { None };
        let time = (STAMPED && Flex::is_stamped(third))
            .then(|| Flex::nanoseconds_of(fourth.load(Ordering::Relaxed)));
        (outer, time)
    }
}

impl<const MARKED: bool, const OUTER: bool, const STAMPED: bool> Layout
    for FlexLayout<MARKED, OUTER, STAMPED>
{
    #[inline]
    fn is_plain(&self, words: &[AtomicU64; WORDS]) -> bool {
        let [_, status, _, last] = words;
        let status = status.load(Ordering::Relaxed);
        let is_marked = || Flex::has_flow(self.format, status, || last.load(Ordering::Relaxed));
        self.plain.hold(status) && (!MARKED || !is_marked())
    }

    #[inline]
    fn length(&self, [first, ..]: &[AtomicU64; WORDS]) -> u16 {
        Flex::length_of(first.load(Ordering::Relaxed))
    }

    #[inline]
    fn plain(&self, words: &[AtomicU64; WORDS]) -> Plain {
        let [first, status, ..] = words;
        let (first, status) = (first.load(Ordering::Relaxed), status.load(Ordering::Relaxed));
        let (outer, time) = Self::beside(words);
        Plain {
            ptype: Flex::ptype_of(first),
            verified: Flex::is_verified(status),
            vlan: outer.or_else(|| Flex::tag1_of(status).map(|tci| VlanTag { tpid: DOT1Q, tci })),
            time,
        }
    }

    fn parse(&self, words: &Words) -> WriteBack {
        self.format.parse(words)
    }

    fn tag(&self, said: &WriteBack) -> Option<VlanTag> {
        said.tag2.filter(|_| OUTER).or(said.tag1).map(|tci| VlanTag { tpid: DOT1Q, tci })
    }

    #[inline]
    fn is_bypassed(&self, said: &WriteBack, head: &[u8], bytes: usize, now: Timestamp) -> bool {
        // A tag that was taken out makes it another network's.
        let marked = self.counts.as_ref().zip(said.flow).filter(|_| said.tag1.or(said.tag2).is_none());
        marked.is_some_and(|(counts, mark)| counts.take(mark, head, bytes, now))
    }
}
