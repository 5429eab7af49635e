//! The 32-byte legacy write-back, the one that every PF offers.

use std::sync::atomic::{AtomicU64, Ordering};

use avf::ptype::Ptype;
use avf::rx::{Format, Legacy, WORDS, WriteBack};
use frame::VlanTag;

use super::{Decode, Joiner, Layout, Plain};

/// TPID of a tag in the first place: the 700 series takes no other out, the 800 series here an inner one.
const DOT1Q: u16 = 0x8100;

/// Reads legacy descriptors: of a card that takes out 802.1Q tags, or outer tags into the second place (`OUTER`).
#[derive(Clone, Copy, Debug)]
struct LegacyLayout<const OUTER: bool> {
    /// TPID of tags in the second place.
    outer: u16,
}

/// What reads legacy descriptors, into buffers of `size` bytes. Where outer tags are taken out, of which TPID they are.
#[must_use]
pub fn legacy(outer: Option<u16>, size: usize, segments: usize) -> Box<dyn Decode> {
    match outer {
        Some(outer) => Box::new(Joiner::new(LegacyLayout::<true> { outer }, size, segments)),
        None => Box::new(Joiner::new(LegacyLayout::<false> { outer: DOT1Q }, size, segments)),
    }
}

impl<const OUTER: bool> LegacyLayout<OUTER> {
    #[inline]
    fn vlan(&self, one: Option<u16>, two: impl FnOnce() -> Option<u16>) -> Option<VlanTag> {
        let outer = if OUTER { two().map(|tci| VlanTag { tpid: self.outer, tci }) } else { None };
        outer.or_else(|| one.map(|tci| VlanTag { tpid: DOT1Q, tci }))
    }
}

impl<const OUTER: bool> Layout for LegacyLayout<OUTER> {
    #[inline]
    fn is_plain(&self, [_, status, ..]: &[AtomicU64; WORDS]) -> bool {
        Legacy::PLAIN.hold(status.load(Ordering::Relaxed))
    }

    #[inline]
    fn length(&self, [_, status, ..]: &[AtomicU64; WORDS]) -> u16 {
        Legacy::length_of(status.load(Ordering::Relaxed))
    }

    #[inline]
    fn plain(&self, [first, status, third, _]: &[AtomicU64; WORDS]) -> Plain {
        let status = status.load(Ordering::Relaxed);
        let one = Legacy::is_tagged(status).then(|| Legacy::tag1_of(first.load(Ordering::Relaxed)));
        Plain {
            ptype: Ptype(Legacy::ptype_of(status).into()),
            verified: Legacy::is_verified(status),
            vlan: self.vlan(one, || Legacy::tag2_of(third.load(Ordering::Relaxed))),
            time: None,
        }
    }

    fn parse(&self, words: &avf::rx::Words) -> WriteBack {
        Format::Legacy.parse(words)
    }

    fn tag(&self, said: &WriteBack) -> Option<VlanTag> {
        self.vlan(said.tag1, || said.tag2)
    }
}
