//! Receive descriptors: what a driver posts, and what the device writes back over it.
//!
//! A descriptor is four little-endian words of 64 bits ([`Words`]); with any Linux PF it is always 32 bytes. The word at
//! offset 8 tells in every format, in bit 0, whether the device is done: load that word alone, with acquire ordering,
//! and the three others only afterwards. AVF specification, receive descriptor chapters; the flexible formats as the
//! Linux `ice` and DPDK `iavf` drivers define them.

mod checks;
mod flex;
mod legacy;
#[cfg(test)]
mod tests;

pub use checks::{Checks, Headers, Verdict};
pub use flex::Flex;
pub use legacy::Legacy;

use crate::ptype::Ptype;

/// One descriptor, in memory order.
pub type Words = [u64; 4];

/// Bytes of a descriptor.
pub const BYTES: usize = 32;

/// Words of a descriptor.
pub const WORDS: usize = 4;

/// The word that tells whether a descriptor is done, the last one that the device stores.
pub const STATUS_WORD: usize = 1;

/// Descriptors that share one 128-byte line: the group in which the 700 series posts them.
pub const GROUP: u16 = 4;

/// Whether the device is done with the descriptor whose status word this is; the same bit in all formats.
#[must_use]
pub const fn is_done(status: u64) -> bool {
    status & 1 != 0
}

/// Whether it holds the end of a frame (EOF); the same bit in all formats.
#[must_use]
pub const fn is_last(status: u64) -> bool {
    status & 2 != 0
}

/// How some bits of a status word have to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bits {
    mask: u64,
    value: u64,
}

impl Bits {
    /// Those of `set` have to be set, those of `clear` must not be.
    pub(crate) const fn new(set: u64, clear: u64) -> Self {
        Self { mask: set | clear, value: set }
    }

    /// Whether they do: one comparison.
    #[inline]
    #[must_use]
    pub const fn hold(self, status: u64) -> bool {
        status & self.mask == self.value
    }
}

/// What a driver posts: the read format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// Device address of the buffer, of any alignment; 128 bytes are best.
    pub buffer: u64,
    /// Device address of a header buffer. Must be 0: its lowest bit is where the device puts "done".
    pub header: u64,
}

impl Read {
    /// The words to post for a buffer; posting them takes back an old "done".
    #[must_use]
    pub const fn post(buffer: u64) -> Words {
        [buffer, 0, 0, 0]
    }

    /// What a driver has posted.
    #[must_use]
    pub const fn parse(words: &Words) -> Self {
        Self { buffer: words[0], header: words[1] }
    }

    /// The words of it.
    #[must_use]
    pub const fn emit(self) -> Words {
        [self.buffer, self.header, 0, 0]
    }
}

/// Number of a descriptor profile, as queues are configured with it. Open.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rxdid(pub u8);

impl Rxdid {
    /// The 32-byte legacy format; every PF offers it, the 700 series nothing else.
    pub const LEGACY: Self = Self(1);
    /// NIC profile.
    pub const NIC: Self = Self(2);
    /// NIC profile that tells the sending VSI.
    pub const NIC_2: Self = Self(6);
    /// COMMS profile without extracted words.
    pub const COMMS: Self = Self(16);
    /// COMMS profile with hash and flow in each other's place; what DPDK asks for.
    pub const OVS: Self = Self(22);

    /// What to ask for, best first: those with flow id and time, then those without time, then the one without either.
    pub const PREFERRED: [Self; 11] = [
        Self::OVS,
        Self::COMMS,
        Self::NIC,
        Self(23),
        Self::NIC_2,
        Self(17),
        Self(18),
        Self(19),
        Self(20),
        Self(21),
        Self::LEGACY,
    ];

    /// The best of those that the mask of GET_SUPPORTED_RXDIDS offers; legacy always is.
    #[must_use]
    pub fn best(offered: u64) -> Self {
        let has = |id: &Self| offered.checked_shr(u32::from(id.0)).unwrap_or(0) & 1 != 0;
        Self::PREFERRED.into_iter().find(has).unwrap_or(Self::LEGACY)
    }
}

impl std::fmt::Debug for Rxdid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            0 => f.write_str("legacy 16 B (0)"),
            1 => f.write_str("legacy 32 B (1)"),
            2 => f.write_str("NIC (2)"),
            6 => f.write_str("NIC 2 (6)"),
            16..=21 => write!(f, "COMMS ({})", self.0),
            22 | 23 => write!(f, "OVS ({})", self.0),
            other => write!(f, "unknown ({other})"),
        }
    }
}

/// How the words of a queue's descriptors are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Profile 1.
    Legacy,
    /// Profile 2 and 16: hash in word 1, flow id in word 3, time.
    Nic,
    /// Profile 6: a flow id of 16 bits and the sending VSI.
    Nic2,
    /// Profiles 17 to 21: as [`Nic`](Self::Nic), with extracted words where the time is.
    Comms,
    /// Profiles 22 and 23: flow id in word 1, hash in word 3, time.
    Ovs,
}

impl Format {
    /// The format of a profile; `None` for those that are not for virtual functions.
    #[must_use]
    pub const fn of(rxdid: Rxdid) -> Option<Self> {
        match rxdid.0 {
            1 => Some(Self::Legacy),
            2 | 16 => Some(Self::Nic),
            6 => Some(Self::Nic2),
            17..=21 => Some(Self::Comms),
            22 | 23 => Some(Self::Ovs),
            _ => None,
        }
    }

    /// Bytes that the device wrote into the buffer of a done descriptor.
    #[must_use]
    pub const fn length(self, words: &Words) -> u16 {
        match self {
            Self::Legacy => Legacy(*words).length(),
            _ => Flex(*words).length(),
        }
    }

    /// All that a done descriptor says.
    #[must_use]
    pub fn parse(self, words: &Words) -> WriteBack {
        match self {
            Self::Legacy => Legacy(*words).parse(),
            _ => Flex(*words).parse(self),
        }
    }

    /// The words that say it: what a device writes, [`STATUS_WORD`] last. Fields that the format lacks are left out.
    /// `rxdid` is the profile of this format that the queue was configured with.
    #[must_use]
    pub fn emit(self, rxdid: Rxdid, said: &WriteBack) -> Words {
        match self {
            Self::Legacy => Legacy::emit(said).0,
            _ => Flex::emit(self, rxdid, said).0,
        }
    }
}

/// How a frame was addressed (UMBCAST).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Cast {
    /// To one station.
    #[default]
    Unicast,
    /// To a group.
    Multicast,
    /// To all.
    Broadcast,
    /// A mirror rule brought it here.
    Mirrored,
}

impl Cast {
    pub(crate) const fn of(bits: u64) -> Self {
        match bits & 3 {
            0 => Self::Unicast,
            1 => Self::Multicast,
            2 => Self::Broadcast,
            _ => Self::Mirrored,
        }
    }
}

/// When the device saw a frame: 32 bits of nanoseconds of its clock and seven of a nanosecond's fraction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct DeviceTime {
    /// Nanoseconds, modulo 2^32; to be extended with a sample of the clock less than about 2 s old.
    pub nanoseconds: u32,
    /// 128ths of a nanosecond, 0 to 127.
    pub fraction: u8,
}

/// What a done descriptor says, whatever its format.
///
/// Of a frame in several buffers only the last descriptor says more than its length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriteBack {
    /// Bytes in this descriptor's buffer, up to 16,383; 0 in a last segment that held nothing but a stripped CRC.
    pub length: u16,
    /// End of the frame.
    pub last: bool,
    /// What the parser saw.
    pub ptype: Ptype,
    /// RSS hash, where one was computed.
    pub hash: Option<u32>,
    /// VLAN tag that was taken out of the frame, first place (L2TAG1): single tags of the 700 series.
    pub tag1: Option<u16>,
    /// VLAN tag that was taken out, second place (L2TAG2, second word): outer tags in double VLAN mode.
    pub tag2: Option<u16>,
    /// How it was addressed.
    pub cast: Cast,
    /// Checksums.
    pub checks: Checks,
    /// RXE: an error of the link or of the receive path; the bytes are not to be trusted.
    pub error: bool,
    /// OVERSIZE: longer than the queue's largest frame. Legacy format alone.
    pub oversize: bool,
    /// The last four bytes are the frame check sequence.
    pub crc: bool,
    /// LPBK: came from another function of the same port.
    pub loopback: bool,
    /// Id of the flow director rule that matched.
    pub flow: Option<u32>,
    /// VSI that sent it. [`Format::Nic2`] alone.
    pub source: Option<u16>,
    /// When the device saw it. Flexible formats alone.
    pub time: Option<DeviceTime>,
}
