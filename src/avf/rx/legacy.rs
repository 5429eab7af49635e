//! The legacy 32-byte write-back (profile 1), the only one of the 700 series.
//!
//! Word 0: 16 bits of mirror and filter state, L2TAG1, RSS hash. Word 1: status, error, packet type, lengths. Word 2:
//! extended status, L2TAG2 twice. Word 3: flexible words, or the id of a flow director rule.

use super::{Bits, Cast, Checks, Words, WriteBack};
use crate::ptype::Ptype;

const EOF: u64 = 1 << 1;
const L2TAG1P: u64 = 1 << 2;
const L3L4P: u64 = 1 << 3;
const CRCP: u64 = 1 << 4;
const CAST: u32 = 9;
const FLM: u64 = 1 << 11;
const FLTSTAT_HASH: u64 = 3 << 12;
const LPBK: u64 = 1 << 14;
const IPV6EXADD: u64 = 1 << 15;
const RXE: u64 = 1 << 19;
const IPE: u64 = 1 << 22;
const L4E: u64 = 1 << 23;
const EIPE: u64 = 1 << 24;
const OVERSIZE: u64 = 1 << 25;
const PTYPE: u32 = 30;
const LENGTH: u32 = 38;

/// Extended status in word 2: a tag stands in L2TAG2.
const L2TAG2P: u64 = 1;
/// Extended status: the high flexible word is the id of a flow director rule.
const FLEX_HIGH_FD_ID: u64 = 1 << 4;
const FLEX_HIGH: u64 = 3 << 4;

/// The words of a legacy write-back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Legacy(pub Words);

impl Legacy {
    /// A frame begins and ends here with which nothing is wrong, neither bytes nor checksums: so says the status word
    /// alone. That it begins here is for the caller to know.
    pub const PLAIN: Bits = Bits::new(EOF, RXE | IPE | L4E | EIPE | OVERSIZE);

    /// Whether the checksums of a plain frame were verified, from the status word alone.
    #[inline]
    #[must_use]
    pub const fn is_verified(status: u64) -> bool {
        status & (L3L4P | IPV6EXADD) == L3L4P
    }

    /// What the parser saw, from the status word alone.
    #[inline]
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "8 bits")]
    pub const fn ptype_of(status: u64) -> u8 {
        (status >> PTYPE) as u8
    }

    /// Whether a tag was taken out to the first place, from the status word alone.
    #[inline]
    #[must_use]
    pub const fn is_tagged(status: u64) -> bool {
        status & L2TAG1P != 0
    }

    /// The tag in the first place, from the first word alone.
    #[inline]
    #[must_use]
    pub const fn tag1_of(first: u64) -> u16 {
        quarter(first, 1)
    }

    /// The tag in the second place, from the third word alone.
    #[inline]
    #[must_use]
    pub const fn tag2_of(third: u64) -> Option<u16> {
        if third & L2TAG2P != 0 { Some(quarter(third, 3)) } else { None }
    }

    /// Bytes in the buffer, from the status word alone.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "14 bits")]
    pub const fn length_of(status: u64) -> u16 {
        (status >> LENGTH) as u16 & 0x3FFF
    }

    /// Bytes in the buffer.
    #[must_use]
    pub const fn length(self) -> u16 {
        Self::length_of(self.0[1])
    }

    /// What the parser saw: 8 bits.
    #[must_use]
    pub const fn ptype(self) -> Ptype {
        Ptype(Self::ptype_of(self.0[1]) as u16)
    }

    /// RSS hash, where the filter status says that it is one.
    #[must_use]
    pub const fn hash(self) -> Option<u32> {
        if self.0[1] & FLTSTAT_HASH == FLTSTAT_HASH { Some(high(self.0[0])) } else { None }
    }

    /// Tag that was taken out, first place.
    #[must_use]
    pub const fn tag1(self) -> Option<u16> {
        if Self::is_tagged(self.0[1]) { Some(Self::tag1_of(self.0[0])) } else { None }
    }

    /// Tag that was taken out, second place.
    #[must_use]
    pub const fn tag2(self) -> Option<u16> {
        Self::tag2_of(self.0[2])
    }

    /// Checksums.
    #[must_use]
    pub const fn checks(self) -> Checks {
        let status = self.0[1];
        Checks {
            evaluated: status & L3L4P != 0,
            ipv6_extension: status & IPV6EXADD != 0,
            ip_bad: status & IPE != 0,
            transport_bad: status & L4E != 0,
            outer_ip_bad: status & EIPE != 0,
            outer_udp_bad: false,
        }
    }

    /// Id of the flow director rule that matched.
    #[must_use]
    pub const fn flow(self) -> Option<u32> {
        let told = self.0[1] & FLM != 0 && self.0[2] & FLEX_HIGH == FLEX_HIGH_FD_ID;
        if told { Some(high(self.0[3])) } else { None }
    }

    /// All that it says.
    #[must_use]
    pub const fn parse(self) -> WriteBack {
        let status = self.0[1];
        WriteBack {
            length: self.length(),
            last: super::is_last(status),
            ptype: self.ptype(),
            hash: self.hash(),
            tag1: self.tag1(),
            tag2: self.tag2(),
            cast: Cast::of(status >> CAST),
            checks: self.checks(),
            error: status & RXE != 0,
            oversize: status & OVERSIZE != 0,
            crc: status & CRCP != 0,
            loopback: status & LPBK != 0,
            flow: self.flow(),
            source: None,
            time: None,
        }
    }

    /// The words that say it, done. A packet type of more than 8 bits becomes [`Ptype::UNKNOWN`].
    #[must_use]
    pub fn emit(said: &WriteBack) -> Self {
        let hash = said.hash.unwrap_or(0);
        let tag1 = said.tag1.unwrap_or(0);
        let tag2 = said.tag2.unwrap_or(0);
        let extended = when(said.tag2.is_some(), L2TAG2P) | when(said.flow.is_some(), FLEX_HIGH_FD_ID);
        Self([
            u64::from(tag1) << 16 | u64::from(hash) << 32,
            status(said),
            extended | u64::from(tag2) << 48,
            u64::from(said.flow.unwrap_or(0)) << 32,
        ])
    }
}

fn status(said: &WriteBack) -> u64 {
    let checks = said.checks;
    let ptype = u8::try_from(said.ptype.0).unwrap_or(0);
    1 | when(said.last, EOF)
        | when(said.tag1.is_some(), L2TAG1P)
        | when(checks.evaluated, L3L4P)
        | when(said.crc, CRCP)
        | (said.cast as u64) << CAST
        | when(said.flow.is_some(), FLM)
        | when(said.hash.is_some(), FLTSTAT_HASH)
        | when(said.loopback, LPBK)
        | when(checks.ipv6_extension, IPV6EXADD)
        | when(said.error, RXE)
        | when(checks.ip_bad, IPE)
        | when(checks.transport_bad, L4E)
        | when(checks.outer_ip_bad, EIPE)
        | when(said.oversize, OVERSIZE)
        | u64::from(ptype) << PTYPE
        | u64::from(said.length & 0x3FFF) << LENGTH
}

pub(super) const fn when(yes: bool, bits: u64) -> u64 {
    if yes { bits } else { 0 }
}

/// The upper half of a word.
pub(super) const fn high(word: u64) -> u32 {
    (word >> 32) as u32
}

/// The lower half of a word.
#[expect(clippy::cast_possible_truncation, reason = "half a word is what is asked for")]
pub(super) const fn low(word: u64) -> u32 {
    word as u32
}

/// The 16 bits at place `n` of a word.
#[expect(clippy::cast_possible_truncation, reason = "16 bits are what is asked for")]
pub(super) const fn quarter(word: u64, n: u32) -> u16 {
    (word >> (16 * n)) as u16
}
