//! The 32-byte legacy write-back, the one that every PF offers.

use std::sync::atomic::{AtomicU64, Ordering};

use avf::ptype::Ptype;
use avf::rx::{Format, Legacy, WORDS, WriteBack};
use frame::VlanTag;

use super::{Layout, Plain};

/// TPID of a tag in the first place: the 700 series takes no other out, the 800 series here an inner one.
const DOT1Q: u16 = 0x8100;

/// Reads legacy descriptors.
#[derive(Clone, Copy, Debug)]
pub struct LegacyLayout {
    /// TPID of tags in the second place, where outer tags are taken out into it.
    outer: Option<u16>,
}

impl LegacyLayout {
    /// For a card that takes out 802.1Q tags, or outer tags of this kind.
    #[must_use]
    pub fn new(outer: Option<u16>) -> Self {
        Self { outer }
    }
}

impl Layout for LegacyLayout {
    #[inline]
    fn plain(&self, [first, status, third, _]: &[AtomicU64; WORDS]) -> Option<Plain> {
        let status = status.load(Ordering::Relaxed);
        let one = || Legacy::tag1_of(first.load(Ordering::Relaxed));
        let two = || Legacy::tag2_of(third.load(Ordering::Relaxed));
        let outer = self.outer.and_then(|tpid| two().map(|tci| VlanTag { tpid, tci }));
        Legacy::is_plain(status).then(|| Plain {
            length: Legacy::length_of(status),
            ptype: Ptype(Legacy::ptype_of(status).into()),
            verified: Legacy::is_verified(status),
            vlan: outer.or_else(|| Legacy::is_tagged(status).then(|| VlanTag { tpid: DOT1Q, tci: one() })),
            time: None,
        })
    }

    fn parse(&self, words: &avf::rx::Words) -> WriteBack {
        Format::Legacy.parse(words)
    }

    fn tag(&self, said: &WriteBack) -> Option<VlanTag> {
        let outer = self.outer.zip(said.tag2).map(|(tpid, tci)| VlanTag { tpid, tci });
        outer.or_else(|| said.tag1.map(|tci| VlanTag { tpid: DOT1Q, tci }))
    }
}
