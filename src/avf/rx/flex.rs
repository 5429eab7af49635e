//! The flexible 32-byte write-back of the 800 series.
//!
//! Word 0: profile, mirror and cast, packet type, lengths. Word 1: first status, L2TAG1, two words of meta data. Word 2:
//! second status, low part of the time, L2TAG2 twice. Word 3: four more words of meta data, or the time. Where hash and
//! flow id lie depends on the profile ([`Format`]).

use super::legacy::{high, low, quarter, when};
use super::{Bits, Cast, Checks, DeviceTime, Format, Rxdid, Words, WriteBack};
use crate::ptype::Ptype;

const CAST: u32 = 14;
const PTYPE: u32 = 16;
const LENGTH: u32 = 32;

const EOF: u64 = 1 << 1;
const L3L4P: u64 = 1 << 3;
const IPE: u64 = 1 << 4;
const L4E: u64 = 1 << 5;
const EIPE: u64 = 1 << 6;
const EUDPE: u64 = 1 << 7;
const LPBK: u64 = 1 << 8;
const IPV6EXADD: u64 = 1 << 9;
const RXE: u64 = 1 << 10;
const CRCP: u64 = 1 << 11;
const RSS_VALID: u64 = 1 << 12;
const L2TAG1P: u64 = 1 << 13;

const L2TAG2P: u64 = 1 << 11;
const TIME_VALID: u64 = 1 << 24;
const TIME_FRACTION: u32 = 25;

/// A flow id that stands for none; the 16-bit one likewise.
const NO_FLOW: u32 = u32::MAX;

/// The words of a flexible write-back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flex(pub Words);

impl Flex {
    /// A frame begins and ends here with which nothing is wrong, neither bytes nor checksums: so says the status word
    /// alone. That it begins here is for the caller to know.
    pub const PLAIN: Bits = Bits::new(EOF, RXE | IPE | L4E | EIPE | EUDPE);

    /// The same, and no flow director rule matched: of the formats that have the rule's number in the status word.
    pub const PLAIN_UNMARKED: Bits = Bits::new(EOF | (NO_FLOW as u64) << 32, RXE | IPE | L4E | EIPE | EUDPE);

    /// Whether the checksums of a plain frame were verified, from the status word alone.
    #[inline]
    #[must_use]
    pub const fn is_verified(status: u64) -> bool {
        status & (L3L4P | IPV6EXADD) == L3L4P
    }

    /// Bytes in the buffer, from the first word alone.
    #[inline]
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "14 bits")]
    pub const fn length_of(first: u64) -> u16 {
        (first >> LENGTH) as u16 & 0x3FFF
    }

    /// What the parser saw, from the first word alone.
    #[inline]
    #[must_use]
    pub const fn ptype_of(first: u64) -> Ptype {
        Ptype(quarter(first, 1) & 0x3FF)
    }

    /// Tag that was taken out, first place, from the status word alone.
    #[inline]
    #[must_use]
    pub const fn tag1_of(status: u64) -> Option<u16> {
        if status & L2TAG1P != 0 { Some(quarter(status, 1)) } else { None }
    }

    /// Tag that was taken out, second place, from the third word alone.
    #[inline]
    #[must_use]
    pub const fn tag2_of(third: u64) -> Option<u16> {
        if third & L2TAG2P != 0 { Some(quarter(third, 3)) } else { None }
    }

    /// Whether the device's time is valid, from the third word alone.
    #[inline]
    #[must_use]
    pub const fn is_stamped(third: u64) -> bool {
        third & TIME_VALID != 0
    }

    /// Nanoseconds of a valid time, from the last word alone.
    #[inline]
    #[must_use]
    pub const fn nanoseconds_of(last: u64) -> u32 {
        high(last)
    }

    /// Whether a flow director rule matched, from the status word and, where the format needs it, the last one.
    #[inline]
    #[must_use]
    pub fn has_flow(format: Format, status: u64, last: impl FnOnce() -> u64) -> bool {
        match format {
            Format::Ovs => high(status) != NO_FLOW,
            Format::Nic2 => quarter(last(), 0) != u16::MAX,
            _ => low(last()) != NO_FLOW,
        }
    }

    /// The profile that the device used.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "the lowest byte")]
    pub const fn rxdid(self) -> Rxdid {
        Rxdid(self.0[0] as u8)
    }

    /// Bytes in the buffer.
    #[must_use]
    pub const fn length(self) -> u16 {
        Self::length_of(self.0[0])
    }

    /// What the parser saw: 10 bits.
    #[must_use]
    pub const fn ptype(self) -> Ptype {
        Self::ptype_of(self.0[0])
    }

    /// RSS hash, where one was computed.
    #[must_use]
    pub const fn hash(self, format: Format) -> Option<u32> {
        if self.0[1] & RSS_VALID == 0 {
            return None;
        }
        Some(match format {
            Format::Ovs => low(self.0[3]),
            _ => high(self.0[1]),
        })
    }

    /// Tag that was taken out, first place.
    #[must_use]
    pub const fn tag1(self) -> Option<u16> {
        Self::tag1_of(self.0[1])
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
            outer_udp_bad: status & EUDPE != 0,
        }
    }

    /// Id of the flow director rule that matched.
    #[must_use]
    pub const fn flow(self, format: Format) -> Option<u32> {
        let flow = match format {
            Format::Ovs => high(self.0[1]),
            Format::Nic2 => match quarter(self.0[3], 0) {
                u16::MAX => NO_FLOW,
                id => id as u32,
            },
            _ => low(self.0[3]),
        };
        if flow == NO_FLOW { None } else { Some(flow) }
    }

    /// When the device saw the frame, where the queue's frames are stamped and the profile has room for it.
    #[must_use]
    pub const fn time(self, format: Format) -> Option<DeviceTime> {
        if matches!(format, Format::Comms) || self.0[2] & TIME_VALID == 0 {
            return None;
        }
        let fraction = (self.0[2] >> TIME_FRACTION) & 0x7F;
        Some(DeviceTime { nanoseconds: high(self.0[3]), fraction: fraction as u8 })
    }

    /// All that it says.
    #[must_use]
    pub const fn parse(self, format: Format) -> WriteBack {
        let status = self.0[1];
        WriteBack {
            length: self.length(),
            last: super::is_last(status),
            ptype: self.ptype(),
            hash: self.hash(format),
            tag1: self.tag1(),
            tag2: self.tag2(),
            cast: Cast::of(self.0[0] >> CAST),
            checks: self.checks(),
            error: status & RXE != 0,
            oversize: false,
            crc: status & CRCP != 0,
            loopback: status & LPBK != 0,
            flow: self.flow(format),
            source: if matches!(format, Format::Nic2) { Some(quarter(self.0[3], 1)) } else { None },
            time: self.time(format),
        }
    }

    /// The words that say it, done, under a profile of this format's.
    #[must_use]
    pub fn emit(format: Format, rxdid: Rxdid, said: &WriteBack) -> Self {
        let hash = u64::from(said.hash.unwrap_or(0));
        let flow = u64::from(said.flow.unwrap_or(NO_FLOW));
        let tag2 = u64::from(said.tag2.unwrap_or(0));
        let time = said.time.filter(|_| format != Format::Comms);
        let nanoseconds = time.map_or(0, |time| u64::from(time.nanoseconds)) << 32;
        let (meta1, meta3) = match format {
            Format::Ovs => (flow, hash),
            Format::Nic2 => (hash, flow & 0xFFFF | u64::from(said.source.unwrap_or(0)) << 16),
            _ => (hash, flow),
        };
        Self([
            u64::from(rxdid.0)
                | (said.cast as u64) << CAST
                | u64::from(said.ptype.0 & 0x3FF) << PTYPE
                | u64::from(said.length & 0x3FFF) << LENGTH,
            status(said) | meta1 << 32,
            when(said.tag2.is_some(), L2TAG2P) | time.map_or(0, time_low) | tag2 << 48,
            meta3 | nanoseconds,
        ])
    }
}

/// First status and L2TAG1.
fn status(said: &WriteBack) -> u64 {
    let checks = said.checks;
    1 | when(said.last, 2)
        | when(checks.evaluated, L3L4P)
        | when(checks.ip_bad, IPE)
        | when(checks.transport_bad, L4E)
        | when(checks.outer_ip_bad, EIPE)
        | when(checks.outer_udp_bad, EUDPE)
        | when(said.loopback, LPBK)
        | when(checks.ipv6_extension, IPV6EXADD)
        | when(said.error, RXE)
        | when(said.crc, CRCP)
        | when(said.hash.is_some(), RSS_VALID)
        | when(said.tag1.is_some(), L2TAG1P)
        | u64::from(said.tag1.unwrap_or(0)) << 16
}

fn time_low(time: DeviceTime) -> u64 {
    TIME_VALID | u64::from(time.fraction & 0x7F) << TIME_FRACTION
}
