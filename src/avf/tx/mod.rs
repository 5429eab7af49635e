//! Transmit descriptors: what a driver posts, what the device answers, and what it takes for malice.
//!
//! A descriptor is two little-endian words of 64 bits ([`Words`]). The second one holds its kind in four bits, commands,
//! lengths and a tag. AVF specification, transmit descriptor chapters; commands as the Linux and DPDK drivers use them.

mod rules;
#[cfg(test)]
mod tests;

pub use rules::{BUFFERS, Limits, MSS, SHORTEST, Violation, check, check_tail};

/// One descriptor, in memory order.
pub type Words = [u64; 2];

/// Bytes of a descriptor.
pub const BYTES: usize = 16;

/// Words of a descriptor.
pub const WORDS: usize = 2;

/// The word with the kind, where the device tells that it is done.
pub const STATUS_WORD: usize = 1;

/// What the device stores in the status word of a descriptor that asked for a report, once all up to it are done.
pub const DONE: u64 = 0xF;

/// Whether the descriptor whose status word this is, and all before it, are done.
#[must_use]
pub const fn is_done(status: u64) -> bool {
    status & KIND == DONE
}

const KIND: u64 = 0xF;
const KIND_DATA: u64 = 0;
const KIND_CONTEXT: u64 = 1;

const EOP: u64 = 1 << 4;
const RS: u64 = 1 << 5;
const ICRC: u64 = 1 << 6;
const IL2TAG1: u64 = 1 << 7;
const DUMMY: u64 = 1 << 8;
const IP: u32 = 9;
const TRANSPORT: u32 = 12;
const MAC_LENGTH: u32 = 16;
const IP_LENGTH: u32 = 23;
const TRANSPORT_LENGTH: u32 = 30;
const SIZE: u32 = 34;
const TAG1: u32 = 48;

const TSO: u64 = 1 << 4;
const TSYN: u64 = 1 << 5;
const IL2TAG2: u64 = 1 << 6;
const TSO_LENGTH: u32 = 30;
const TSO_MSS: u32 = 50;
const TAG2: u32 = 32;

/// A descriptor, by kind. Kinds that a virtual function may not use are [`Other`](Self::Other).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Descriptor {
    /// Bytes of a frame.
    Data(Data),
    /// Settings for the frame that follows.
    Context(Context),
    /// Done, as the device wrote it back.
    Done,
    /// Any other kind.
    Other(u8),
}

impl Descriptor {
    /// What the words say.
    #[must_use]
    pub fn parse(words: &Words) -> Self {
        match words[1] & KIND {
            KIND_DATA => Self::Data(Data::parse(words)),
            KIND_CONTEXT => Self::Context(Context::parse(words)),
            DONE => Self::Done,
            other => Self::Other(bits(other, 0, 4)),
        }
    }
}

/// Which IP checksum the device is to write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IpOffload {
    /// It is not told about IP.
    #[default]
    None,
    /// IPv6, which has none.
    V6,
    /// IPv4, leave its checksum alone.
    V4,
    /// IPv4, write its checksum.
    V4Checksum,
}

/// Which transport checksum the device is to write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TransportOffload {
    /// None.
    #[default]
    None,
    /// TCP.
    Tcp,
    /// SCTP.
    Sctp,
    /// UDP.
    Udp,
}

/// Lengths of headers in bytes, for offloads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeaderLengths {
    /// Ethernet, tags included: even, up to 254.
    pub mac: u16,
    /// IP, options included: a multiple of 4, up to 508.
    pub ip: u16,
    /// Transport, options included: a multiple of 4, up to 60.
    pub transport: u16,
}

impl HeaderLengths {
    /// All of them.
    #[must_use]
    pub const fn sum(self) -> u32 {
        self.mac as u32 + self.ip as u32 + self.transport as u32
    }
}

/// Bytes of a frame, and what is to be done with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Data {
    /// Device address of the bytes.
    pub buffer: u64,
    /// How many they are, 1 to 16,383.
    pub size: u16,
    /// EOP: the frame ends here.
    pub last: bool,
    /// RS: report when done.
    pub report: bool,
    /// ICRC: append the frame check sequence. Every driver sets it at the end of a frame.
    pub crc: bool,
    /// DUMMY: take no part in the frame.
    pub dummy: bool,
    /// Tag to insert, first place (L2TAG1).
    pub tag: Option<u16>,
    /// IP checksum.
    pub ip: IpOffload,
    /// Transport checksum.
    pub transport: TransportOffload,
    /// Header lengths.
    pub headers: HeaderLengths,
}

impl Data {
    /// A whole frame in one buffer, reported if asked for: what a driver without offloads posts.
    #[must_use]
    pub fn frame(buffer: u64, size: u16, report: bool) -> Self {
        Self { buffer, size, report, last: true, crc: true, ..Self::default() }
    }

    fn parse(words: &Words) -> Self {
        let status = words[1];
        Self {
            buffer: words[0],
            size: field(status, SIZE, 14),
            last: status & EOP != 0,
            report: status & RS != 0,
            crc: status & ICRC != 0,
            dummy: status & DUMMY != 0,
            tag: (status & IL2TAG1 != 0).then(|| field(status, TAG1, 16)),
            ip: ip_offload(status),
            transport: transport_offload(status),
            headers: HeaderLengths {
                mac: 2 * field(status, MAC_LENGTH, 7),
                ip: 4 * field(status, IP_LENGTH, 7),
                transport: 4 * field(status, TRANSPORT_LENGTH, 4),
            },
        }
    }

    /// The words of it. What does not fit its field is cut.
    #[must_use]
    pub fn emit(&self) -> Words {
        let place = |value: u16, bits: u32, at: u32| (u64::from(value) & ((1 << bits) - 1)) << at;
        let commands = when(self.last, EOP)
            | when(self.report, RS)
            | when(self.crc, ICRC)
            | when(self.tag.is_some(), IL2TAG1)
            | when(self.dummy, DUMMY)
            | (self.ip as u64) << IP
            | (self.transport as u64) << TRANSPORT;
        let lengths = place(self.headers.mac / 2, 7, MAC_LENGTH)
            | place(self.headers.ip / 4, 7, IP_LENGTH)
            | place(self.headers.transport / 4, 4, TRANSPORT_LENGTH);
        let tag = place(self.tag.unwrap_or(0), 16, TAG1);
        [self.buffer, KIND_DATA | commands | lengths | place(self.size, 14, SIZE) | tag]
    }
}

const fn ip_offload(status: u64) -> IpOffload {
    match status >> IP & 3 {
        0 => IpOffload::None,
        1 => IpOffload::V6,
        2 => IpOffload::V4,
        _ => IpOffload::V4Checksum,
    }
}

const fn transport_offload(status: u64) -> TransportOffload {
    match status >> TRANSPORT & 3 {
        0 => TransportOffload::None,
        1 => TransportOffload::Tcp,
        2 => TransportOffload::Sctp,
        _ => TransportOffload::Udp,
    }
}

/// Settings for the frame that follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// Tunnelling parameters, as they stand.
    pub tunnel: u32,
    /// Tag to insert, second place (L2TAG2).
    pub tag: Option<u16>,
    /// TSYN: take the time of departure.
    pub time: bool,
    /// Segmentation.
    pub segment: Option<Segmentation>,
}

/// TCP segmentation by the device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Segmentation {
    /// Payload in all, without headers: 18 bits.
    pub payload: u32,
    /// Payload of each segment, 256 to 9,668.
    pub mss: u16,
}

impl Context {
    fn parse(words: &Words) -> Self {
        let status = words[1];
        let payload =
            u32::from(field(status, TSO_LENGTH, 16)) | u32::from(field(status, TSO_LENGTH + 16, 2)) << 16;
        Self {
            tunnel: u32::from(field(words[0], 0, 16)) | u32::from(field(words[0], 16, 16)) << 16,
            tag: (status & IL2TAG2 != 0).then(|| field(words[0], TAG2, 16)),
            time: status & TSYN != 0,
            segment: (status & TSO != 0).then(|| Segmentation { payload, mss: field(status, TSO_MSS, 14) }),
        }
    }

    /// The words of it. What does not fit its field is cut.
    #[must_use]
    pub fn emit(&self) -> Words {
        let commands =
            when(self.segment.is_some(), TSO) | when(self.time, TSYN) | when(self.tag.is_some(), IL2TAG2);
        let segment = self.segment.unwrap_or_default();
        let lengths = (u64::from(segment.payload) & 0x3_FFFF) << TSO_LENGTH
            | (u64::from(segment.mss) & 0x3FFF) << TSO_MSS;
        let tag = u64::from(self.tag.unwrap_or(0)) << TAG2;
        [u64::from(self.tunnel) | tag, KIND_CONTEXT | commands | lengths]
    }
}

const fn when(yes: bool, bits: u64) -> u64 {
    if yes { bits } else { 0 }
}

/// Up to 16 bits of a word.
#[expect(clippy::cast_possible_truncation, reason = "the width is at most 16")]
const fn field(word: u64, at: u32, width: u32) -> u16 {
    (word >> at & ((1 << width) - 1)) as u16
}

/// Up to 8 bits of a word.
#[expect(clippy::cast_possible_truncation, reason = "the width is at most 8")]
const fn bits(word: u64, at: u32, width: u32) -> u8 {
    (word >> at & ((1 << width) - 1)) as u8
}
