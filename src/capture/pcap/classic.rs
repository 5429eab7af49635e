//! The pcap format (draft-ietf-opsawg-pcap), with the variants that are found in the wild.

use frame::{LinkType, Timestamp};

use super::format::{Fault, MAX_RECORD, Record, Step};
use super::order::Order;

/// Length of the file header.
const HEADER: usize = 24;
/// Length of a record header, and of Kuznetzov's, which adds interface, protocol and packet type.
const RECORD: usize = 16;
const RECORD_MODIFIED: usize = 24;

/// Magic numbers, as the writer sees them.
const MICROS: u32 = 0xa1b2_c3d4;
const NANOS: u32 = 0xa1b2_3c4d;
const MODIFIED: u32 = 0xa1b2_cd34;
/// IXIA's lcap, by hardware and by software: nanoseconds, and the length of all records after the file header.
const LCAP_HARDWARE: u32 = 0x1c00_01ac;
const LCAP_SOFTWARE: u32 = 0x1c00_01ab;

/// A pcap file.
#[derive(Clone, Debug)]
pub(super) struct Classic {
    order: Order,
    nanos: bool,
    header: usize,
    record: usize,
    known: Option<Known>,
}

/// What the file header says.
#[derive(Clone, Copy, Debug)]
struct Known {
    link: LinkType,
    snaplen: usize,
    lengths: Lengths,
}

/// In which order a record gives its two lengths. Old writers had them the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lengths {
    CapturedFirst,
    WireFirst,
    SmallerIsCaptured,
}

impl Classic {
    pub(super) fn from_magic(magic: [u8; 4]) -> Option<Self> {
        [(Order::Little, u32::from_le_bytes(magic)), (Order::Big, u32::from_be_bytes(magic))]
            .into_iter()
            .find_map(|(order, magic)| Self::variant(order, magic))
    }

    fn variant(order: Order, magic: u32) -> Option<Self> {
        let (nanos, header, record) = match magic {
            MICROS => (false, HEADER, RECORD),
            NANOS => (true, HEADER, RECORD),
            MODIFIED => (false, HEADER, RECORD_MODIFIED),
            LCAP_HARDWARE | LCAP_SOFTWARE => (true, HEADER + 4, RECORD),
            _ => return None,
        };
        Some(Self { order, nanos, header, record, known: None })
    }

    /// Whether the file header is behind us.
    pub(super) fn in_records(&self) -> bool {
        self.known.is_some()
    }

    #[inline]
    pub(super) fn step(&mut self, at: &[u8]) -> Result<Step, Fault> {
        match self.known {
            Some(known) => self.record(known, at),
            None => self.header(at),
        }
    }

    fn header(&mut self, at: &[u8]) -> Result<Step, Fault> {
        let Some(fixed) = at.get(..self.header) else { return Ok(Step::Need(self.header)) };
        let order = self.order;
        let major = order.u16(fixed, 4).unwrap_or_default();
        let minor = order.u16(fixed, 6).unwrap_or_default();
        let snaplen = order.u32(fixed, 16).unwrap_or_default() as usize;
        // Bits 16..32 tell of a frame check sequence and are not part of the link type.
        let link = order.u32(fixed, 20).unwrap_or_default() & 0xffff;
        let lengths = lengths_of(major, minor)?;
        let link = LinkType(u16::try_from(link).unwrap_or_default());
        // Writers that keep everything say 0, or a negative number.
        let snaplen = if snaplen == 0 || snaplen > MAX_RECORD { MAX_RECORD } else { snaplen };
        self.known = Some(Known { link, snaplen, lengths });
        Ok(Step::Skip(self.header as u64))
    }

    /// The record at the beginning of `at`, when all of it is there and nothing is wrong with it, and its size. The
    /// usual case, and cheap; [`Classic::step`] tells about every other one.
    #[inline]
    pub(super) fn whole(&self, at: &[u8]) -> Option<(Record, usize)> {
        let known = self.known?;
        let [seconds, fraction, first, second] = self.order.words(at.first_chunk::<RECORD>()?);
        let (captured, wire_len) = known.lengths.sort(first, second);
        let size = self.record + captured as usize;
        if captured as usize > MAX_RECORD || at.len() < size {
            return None;
        }
        let fraction = u64::from(fraction) * if self.nanos { 1 } else { 1_000 };
        let time = Timestamp::from_nanos(u64::from(seconds) * 1_000_000_000 + fraction);
        let len = (captured as usize).min(known.snaplen);
        let wire_len = wire_len.max(captured);
        Some((Record { start: self.record, len, wire_len, time, link: known.link }, size))
    }

    fn record(&self, known: Known, at: &[u8]) -> Result<Step, Fault> {
        if let Some((record, size)) = self.whole(at) {
            return Ok(Step::Frame { record, size });
        }
        let Some(fixed) = at.first_chunk::<RECORD>() else { return Ok(Step::Need(self.record)) };
        let [_, _, first, second] = self.order.words(fixed);
        let (captured, _) = known.lengths.sort(first, second);
        if captured as usize > MAX_RECORD {
            let text = format!("a record claims {captured} bytes, and {MAX_RECORD} are the most it may hold");
            return Err(Fault::frame(text));
        }
        Ok(Step::Need(self.record + captured as usize))
    }
}

/// How files of this version order their lengths.
fn lengths_of(major: u16, minor: u16) -> Result<Lengths, Fault> {
    match (major, minor) {
        (2, 0..=2) | (543, 0) => Ok(Lengths::WireFirst),
        (2, 3) => Ok(Lengths::SmallerIsCaptured),
        (2, _) => Ok(Lengths::CapturedFirst),
        _ => Err(Fault::head(format!("its pcap version is {major}.{minor}, and only 2.x is known"))),
    }
}

impl Lengths {
    /// Captured and original length.
    #[inline]
    fn sort(self, first: u32, second: u32) -> (u32, u32) {
        match self {
            Self::CapturedFirst => (first, second),
            Self::WireFirst => (second, first),
            Self::SmallerIsCaptured => (first.min(second), first.max(second)),
        }
    }
}
