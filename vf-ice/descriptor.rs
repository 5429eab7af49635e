//! The flexible write-back, in whichever of its profiles was agreed on.
//!
//! Length and packet type lie in the first word, everything that tells a plain frame from others in the second, which is
//! the one that was waited for. The third is read where outer tags come out of frames or frames carry the time, the fourth for
//! the time alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use avf::rx::{Flex, Format, WORDS, Words, WriteBack};
use avf_driver::Negotiated;
use avf_driver::rx::{Layout, Plain};
use frame::{Timestamp, VlanTag};

use crate::steer::Counts;
use crate::vlan;

/// TPID of a tag in the first place: an inner one, or the only one in single VLAN mode.
const DOT1Q: u16 = 0x8100;

/// Reads flexible descriptors.
#[derive(Debug)]
pub(crate) struct FlexLayout {
    format: Format,
    /// TPID of tags in the second place, where the PF puts some there.
    outer: Option<u16>,
    stamped: bool,
    /// What is counted of flows that are left out; none where flows cannot be told apart.
    counts: Option<Arc<Counts>>,
}

impl FlexLayout {
    /// For a queue that was set up as agreed.
    pub(crate) fn new(format: Format, agreed: &Negotiated, counts: Option<Arc<Counts>>) -> Self {
        Self { format, outer: vlan::outer_tpid(agreed), stamped: agreed.stamped, counts }
    }

    /// Whether a rule about its flow may hold for the frame.
    #[inline]
    fn may_be_marked(&self, status: u64, words: &[AtomicU64; WORDS]) -> bool {
        self.counts.is_some() && {
            let [_, _, _, last] = words;
            let last = || last.load(Ordering::Relaxed);
            Flex::has_flow(self.format, status, last)
        }
    }

    /// The outer tag, where one came out of the frame; and the time.
    #[inline]
    fn beside(&self, words: &[AtomicU64; WORDS]) -> (Option<VlanTag>, Option<u32>) {
        if self.outer.is_none() && !self.stamped {
            return (None, None);
        }
        let [_, _, third, fourth] = words;
        let third = third.load(Ordering::Relaxed);
        let outer = self.outer.and_then(|tpid| Flex::tag2_of(third).map(|tci| VlanTag { tpid, tci }));
        let time = (self.stamped && Flex::is_stamped(third))
            .then(|| Flex::nanoseconds_of(fourth.load(Ordering::Relaxed)));
        (outer, time)
    }
}

impl Layout for FlexLayout {
    #[inline]
    fn plain(&self, words: &[AtomicU64; WORDS]) -> Option<Plain> {
        let [first, status, ..] = words;
        let status = status.load(Ordering::Relaxed);
        if !Flex::is_plain(status) || self.may_be_marked(status, words) {
            return None;
        }
        let first = first.load(Ordering::Relaxed);
        let (outer, time) = self.beside(words);
        Some(Plain {
            length: Flex::length_of(first),
            ptype: Flex::ptype_of(first),
            verified: Flex::is_verified(status),
            vlan: outer.or_else(|| Flex::tag1_of(status).map(|tci| VlanTag { tpid: DOT1Q, tci })),
            time,
        })
    }

    fn parse(&self, words: &Words) -> WriteBack {
        self.format.parse(words)
    }

    fn tag(&self, said: &WriteBack) -> Option<VlanTag> {
        let outer = self.outer.zip(said.tag2).map(|(tpid, tci)| VlanTag { tpid, tci });
        outer.or_else(|| said.tag1.map(|tci| VlanTag { tpid: DOT1Q, tci }))
    }

    #[inline]
    fn is_bypassed(&self, said: &WriteBack, head: &[u8], bytes: usize, now: Timestamp) -> bool {
        // A tag that was taken out makes it another network's.
        let marked = self.counts.as_ref().zip(said.flow).filter(|_| said.tag1.or(said.tag2).is_none());
        marked.is_some_and(|(counts, mark)| counts.take(mark, head, bytes, now))
    }
}
