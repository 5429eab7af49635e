//! The pcapng format (draft-ietf-opsawg-pcapng): sections of blocks, each section with its own byte order and interfaces.

use frame::{LinkType, Timestamp};

use super::format::{Fault, MAX_RECORD, Record, Step};
use super::order::Order;

/// Block types (section 10.1 of the draft).
const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const PACKET_OLD: u32 = 2;
const PACKET_SIMPLE: u32 = 3;
const PACKET: u32 = 6;

/// Byte-order magic of a section header, as its writer sees it.
const ORDER_MAGIC: u32 = 0x1a2b_3c4d;
/// Type and length in front of a block's body, and the length again behind it.
const HEAD: usize = 8;
const TAIL: usize = 4;
/// Most bytes of a block that we have to understand: the largest frame, and as much again for options.
const MAX_BLOCK: usize = 2 * MAX_RECORD;
/// Most interfaces of one section.
const MAX_INTERFACES: usize = 1 << 16;

/// Options of an interface description (section 4.2).
const IF_TSRESOL: u16 = 9;
const IF_TSOFFSET: u16 = 14;

/// A pcapng file.
#[derive(Clone, Debug)]
pub(super) struct Ng {
    order: Order,
    interfaces: Vec<Interface>,
    /// Time of the frame before: simple packet blocks carry none of their own.
    last: Timestamp,
}

/// One interface of the section.
#[derive(Clone, Copy, Debug)]
struct Interface {
    link: LinkType,
    snaplen: usize,
    clock: Clock,
}

/// What a block's packet fields say, before they are checked.
struct Packet {
    interface: usize,
    time: Option<u64>,
    captured: u32,
    wire_len: u32,
    /// Where the bytes begin, from the beginning of the block.
    start: usize,
}

impl Ng {
    pub(super) fn from_magic(magic: [u8; 4]) -> Option<Self> {
        let known = u32::from_le_bytes(magic) == SECTION;
        known.then(|| Self { order: Order::Little, interfaces: Vec::new(), last: Timestamp::ZERO })
    }

    #[inline]
    pub(super) fn step(&mut self, at: &[u8]) -> Result<Step, Fault> {
        let Some(kind) = self.order.u32(at, 0) else { return Ok(Step::Need(HEAD)) };
        if kind == SECTION {
            return self.section(at);
        }
        let Some(size) = self.order.u32(at, 4) else { return Ok(Step::Need(HEAD)) };
        let size = self.framing(kind, size)?;
        if !matches!(kind, INTERFACE | PACKET | PACKET_SIMPLE | PACKET_OLD) {
            return Ok(Step::Skip(size as u64));
        }
        let Some(block) = self.whole(kind, at, size)? else { return Ok(Step::Need(size)) };
        match kind {
            INTERFACE => self.interface(block),
            _ => self.packet(kind, block),
        }
    }

    /// Whether a block of which only this beginning is there held a frame; when that cannot be seen, it did.
    pub(super) fn held_frame(&self, rest: &[u8]) -> bool {
        match self.order.u32(rest, 0) {
            Some(kind) => matches!(kind, PACKET | PACKET_SIMPLE | PACKET_OLD),
            None => true,
        }
    }

    /// Checks a block's length as far as its first word tells.
    fn framing(&self, kind: u32, size: u32) -> Result<usize, Fault> {
        let frame = matches!(kind, PACKET | PACKET_SIMPLE | PACKET_OLD);
        if !size.is_multiple_of(4) || (size as usize) < HEAD + TAIL {
            let text =
                format!("a block of type {kind:#x} claims a length of {size}: no multiple of 4 from 12 on");
            return Err(Fault { text, frame });
        }
        if (frame || kind == INTERFACE) && size as usize > MAX_BLOCK {
            let text = format!("a block of type {kind:#x} claims {size} bytes, and {MAX_BLOCK} are the most");
            return Err(Fault { text, frame });
        }
        Ok(size as usize)
    }

    /// The block, once all of it is there and both its lengths agree.
    #[inline]
    fn whole<'a>(&self, kind: u32, at: &'a [u8], size: usize) -> Result<Option<&'a [u8]>, Fault> {
        let Some(block) = at.get(..size) else { return Ok(None) };
        let again = self.order.u32(block, size - TAIL).unwrap_or_default();
        if again as usize != size {
            let frame = matches!(kind, PACKET | PACKET_SIMPLE | PACKET_OLD);
            let text =
                format!("a block of type {kind:#x} is {size} bytes long at its head, {again} at its tail");
            return Err(Fault { text, frame });
        }
        Ok(Some(block))
    }

    /// Section header block (section 4.1): a new byte order, and no interface known yet.
    fn section(&mut self, at: &[u8]) -> Result<Step, Fault> {
        let Some(magic) = Order::Little.u32(at, 8) else { return Ok(Step::Need(HEAD + 4)) };
        let order = match magic {
            ORDER_MAGIC => Order::Little,
            _ if magic.swap_bytes() == ORDER_MAGIC => Order::Big,
            _ => return Err(Fault::head(format!("a section's byte-order magic is {magic:#010x}"))),
        };
        let size = order.u32(at, 4).unwrap_or_default();
        if size % 4 != 0 || size < 28 || size as usize > MAX_BLOCK {
            return Err(Fault::head(format!("a section header claims a length of {size}")));
        }
        let fresh = Self { order, interfaces: Vec::new(), last: self.last };
        let Some(block) = fresh.whole(SECTION, at, size as usize)? else {
            return Ok(Step::Need(size as usize));
        };
        let major = order.u16(block, 12).unwrap_or_default();
        if major != 1 {
            return Err(Fault::head(format!(
                "a section's pcapng version is {major}.x, and only 1.x is known"
            )));
        }
        *self = fresh;
        Ok(Step::Skip(u64::from(size)))
    }

    /// Interface description block (section 4.2).
    fn interface(&mut self, block: &[u8]) -> Result<Step, Fault> {
        let order = self.order;
        let (Some(link), Some(snaplen)) = (order.u16(block, 8), order.u32(block, 12)) else {
            return Err(Fault::head("an interface description is too short".to_owned()));
        };
        if self.interfaces.len() >= MAX_INTERFACES {
            return Err(Fault::head(format!("a section describes more than {MAX_INTERFACES} interfaces")));
        }
        let snaplen = if snaplen == 0 { usize::MAX } else { snaplen as usize };
        let options = block.get(16..block.len() - TAIL).unwrap_or_default();
        self.interfaces.push(Interface { link: LinkType(link), snaplen, clock: Clock::of(order, options) });
        Ok(Step::Skip(block.len() as u64))
    }

    #[inline]
    fn packet(&mut self, kind: u32, block: &[u8]) -> Result<Step, Fault> {
        let fields = match kind {
            PACKET => self.enhanced(block),
            PACKET_SIMPLE => self.simple(block),
            _ => self.old(block),
        };
        let Some(packet) = fields else {
            return Err(Fault::frame(format!("a packet block of {} bytes is too short", block.len())));
        };
        let Some(interface) = self.interfaces.get(packet.interface) else {
            let text = format!(
                "a packet is of interface {}, and the section describes {}",
                packet.interface,
                self.interfaces.len()
            );
            return Err(Fault::frame(text));
        };
        let room = block.len().saturating_sub(packet.start + TAIL);
        let captured = packet.captured as usize;
        if captured > room || captured > MAX_RECORD {
            let text = format!("a packet claims {captured} bytes in a block with room for {room}");
            return Err(Fault::frame(text));
        }
        let time = packet.time.map_or(self.last, |units| interface.clock.time(units));
        self.last = time;
        let len = captured.min(interface.snaplen);
        let wire_len = packet.wire_len.max(packet.captured);
        let record = Record { start: packet.start, len, wire_len, time, link: interface.link };
        Ok(Step::Frame { record, size: block.len() })
    }

    /// Enhanced packet block (section 4.3).
    #[inline]
    fn enhanced(&self, block: &[u8]) -> Option<Packet> {
        let order = self.order;
        Some(Packet {
            interface: order.u32(block, 8)? as usize,
            time: Some(u64::from(order.u32(block, 12)?) << 32 | u64::from(order.u32(block, 16)?)),
            captured: order.u32(block, 20)?,
            wire_len: order.u32(block, 24)?,
            start: 28,
        })
    }

    /// Simple packet block (section 4.4): the first interface, no time, cut at the snapshot length.
    fn simple(&self, block: &[u8]) -> Option<Packet> {
        let wire_len = self.order.u32(block, 8)?;
        let room = u32::try_from(block.len().checked_sub(12 + TAIL)?).ok()?;
        let snaplen = self.interfaces.first().map_or(usize::MAX, |first| first.snaplen);
        let kept = wire_len.min(u32::try_from(snaplen).unwrap_or(u32::MAX));
        // Some writers cut without telling the interface's snapshot length.
        Some(Packet { interface: 0, time: None, captured: kept.min(room), wire_len, start: 12 })
    }

    /// Packet block, obsolete (appendix A).
    fn old(&self, block: &[u8]) -> Option<Packet> {
        let order = self.order;
        Some(Packet {
            interface: usize::from(order.u16(block, 8)?),
            time: Some(u64::from(order.u32(block, 12)?) << 32 | u64::from(order.u32(block, 16)?)),
            captured: order.u32(block, 20)?,
            wire_len: order.u32(block, 24)?,
            start: 28,
        })
    }
}

/// How an interface counts time: units a second, and seconds to add.
#[derive(Clone, Copy, Debug)]
struct Clock {
    unit: Unit,
    offset: i64,
}

#[derive(Clone, Copy, Debug)]
enum Unit {
    /// So many nanoseconds each: every decimal resolution down to the nanosecond.
    Nanos(u64),
    /// So many to a nanosecond: decimal resolutions beyond.
    PerNano(u64),
    /// So many bits behind the binary point.
    Bits(u32),
}

impl Clock {
    /// From an interface's options; microseconds when they do not say.
    fn of(order: Order, mut options: &[u8]) -> Self {
        let mut clock = Self { unit: Unit::Nanos(1_000), offset: 0 };
        while let (Some(code), Some(len)) = (order.u16(options, 0), order.u16(options, 2)) {
            let len = usize::from(len);
            let Some(value) = options.get(4..4 + len) else { break };
            match code {
                0 => break,
                IF_TSRESOL => clock.unit = value.first().map_or(clock.unit, |v| Unit::of(*v)),
                // Signed, in two's complement.
                IF_TSOFFSET => clock.offset = order.u64(value, 0).unwrap_or_default().cast_signed(),
                _ => {}
            }
            options = options.get(4 + len.next_multiple_of(4)..).unwrap_or_default();
        }
        clock
    }

    #[inline]
    fn time(self, units: u64) -> Timestamp {
        let nanos = match self.unit {
            Unit::Nanos(each) => units.saturating_mul(each),
            Unit::PerNano(count) => units.checked_div(count).unwrap_or_default(),
            Unit::Bits(bits) => binary(units, bits),
        };
        let shifted = i128::from(nanos) + i128::from(self.offset) * 1_000_000_000;
        Timestamp::from_nanos(u64::try_from(shifted.max(0)).unwrap_or(u64::MAX))
    }
}

impl Unit {
    /// From an `if_tsresol` value: the top bit says whether the rest is a power of 2 or of 10.
    fn of(value: u8) -> Self {
        let power = u32::from(value & 0x7f);
        if value & 0x80 != 0 {
            return Self::Bits(power);
        }
        match power.checked_sub(9) {
            None | Some(0) => Self::Nanos(10_u64.pow(9 - power)),
            // A resolution finer than 64 bits can tell leaves nothing of the time.
            Some(more) => Self::PerNano(10_u64.checked_pow(more).unwrap_or_default()),
        }
    }
}

/// Nanoseconds of a number with so many bits behind the binary point.
fn binary(units: u64, bits: u32) -> u64 {
    let nanos = u128::from(units).saturating_mul(1_000_000_000).checked_shr(bits).unwrap_or_default();
    u64::try_from(nanos).unwrap_or(u64::MAX)
}
