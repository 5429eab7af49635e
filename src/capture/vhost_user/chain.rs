//! Chains of descriptors (virtio 1.2, section 2.7.5), copied out: the virtio-net header of one frame, then the frame.

use std::ops::Range;

use frame::Checksum;
use vm_memory::{VolatileArrayRef, VolatileSlice};

use super::memory::Memory;

/// Bytes of a descriptor, in a ring's table and in an indirect one.
pub(super) const DESCRIPTOR: usize = 16;
const DESCRIPTOR_LEN: u32 = 16;
/// Most descriptors of one frame: as many as DPDK's drivers chain, and one for the header.
const STEPS: usize = 256;
/// Longest frame: an IP packet of 64 KiB, with a link-layer header and tags.
pub(super) const LONGEST: usize = 65_535 + 32;
/// Longest virtio-net header that is read (virtio 1.2, section 5.1.6).
const HEADER: usize = 12;

/// Flags of a descriptor (virtio 1.2, section 2.7.5).
const NEXT: u16 = 1;
const WRITE: u16 = 2;
const INDIRECT: u16 = 4;
/// Flag of the virtio-net header: the checksum is for the device to fill in.
const NEEDS_CSUM: u8 = 1;

/// What no driver does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// The available index runs ahead of the ring by so many.
    Index(u16),
    /// A descriptor number outside of its table.
    Descriptor(u16),
    /// A range outside of the memory.
    Address(u64, u32),
    /// A chain of more descriptors than any frame takes, or one that bites its tail.
    Endless,
    /// A frame longer than any.
    Long,
    /// A chain shorter than its header.
    Short(usize),
    /// A buffer that we should write to, in a ring that we read.
    Writable,
    /// An indirect table within another, with more behind it, or of a length that tables do not have.
    Indirect(u32),
    /// The memory's file became shorter.
    Torn,
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Index(ahead) => write!(f, "an available index that is {ahead} ahead"),
            Self::Descriptor(number) => write!(f, "descriptor {number} is outside of its table"),
            Self::Address(at, len) => write!(f, "{len} bytes at {at:#x} are outside of its memory"),
            Self::Endless => write!(f, "a chain of more than {STEPS} descriptors"),
            Self::Long => write!(f, "a frame of more than {LONGEST} bytes"),
            Self::Short(len) => write!(f, "a chain of {len} bytes, less than a header"),
            Self::Writable => write!(f, "a buffer to be written to, among those to be read"),
            Self::Indirect(len) => write!(f, "an indirect table of {len} bytes where none can be"),
            Self::Torn => write!(f, "its memory became shorter than it said"),
        }
    }
}

/// A descriptor as it was when it was copied.
#[derive(Clone, Copy, Debug)]
struct Descriptor {
    address: u64,
    len: u32,
    flags: u16,
    next: u16,
}

impl Descriptor {
    fn at(table: &VolatileArrayRef<'_, [u64; 2]>, number: u16) -> Result<Self, Broken> {
        if usize::from(number) >= table.len() {
            return Err(Broken::Descriptor(number));
        }
        let [address, rest] = table.load(usize::from(number)).map(u64::from_le);
        let [a, b, c, d, e, f, g, h] = rest.to_le_bytes();
        Ok(Self {
            address,
            len: u32::from_le_bytes([a, b, c, d]),
            flags: u16::from_le_bytes([e, f]),
            next: u16::from_le_bytes([g, h]),
        })
    }

    fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }
}

/// A frame in the [`Arena`].
#[derive(Clone, Debug)]
pub(super) struct Copied {
    pub(super) range: Range<usize>,
    pub(super) checksum: Checksum,
}

/// Where frames of one burst are copied to. Its size never changes.
#[derive(Debug)]
pub(super) struct Arena {
    bytes: Box<[u8]>,
    used: usize,
    pub(super) frames: Vec<Copied>,
    most: usize,
}

/// Bytes of a burst, beyond which no other frame is taken.
const FULL: usize = 256 << 10;

impl Arena {
    /// Room for so many frames a burst, or for [`FULL`] bytes of them, whatever is less.
    pub(super) fn new(most: usize) -> Self {
        let bytes = vec![0; FULL + LONGEST].into_boxed_slice();
        Self { bytes, used: 0, frames: Vec::with_capacity(most), most }
    }

    pub(super) fn clear(&mut self) {
        self.used = 0;
        self.frames.clear();
    }

    pub(super) fn is_full(&self) -> bool {
        self.used >= FULL || self.frames.len() >= self.most
    }

    /// Forgets the frames behind the first `keep`.
    pub(super) fn truncate(&mut self, keep: usize) {
        self.frames.truncate(keep);
        self.used = self.frames.last().map_or(0, |frame| frame.range.end);
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Room for one frame.
    fn room(&mut self) -> &mut [u8] {
        let end = self.used.saturating_add(LONGEST).min(self.bytes.len());
        self.bytes.get_mut(self.used..end).unwrap_or_default()
    }

    fn keep(&mut self, len: usize, checksum: Checksum) {
        let begin = self.used;
        self.used += len;
        self.frames.push(Copied { range: begin..self.used, checksum });
    }
}

/// A frame being put together: its header apart from its bytes, however they are dealt to descriptors.
struct Gather<'a> {
    header: [u8; HEADER],
    header_len: usize,
    /// Bytes that came so far, those of the header among them.
    len: usize,
    room: &'a mut [u8],
}

impl Gather<'_> {
    fn add(&mut self, bytes: &VolatileSlice<'_>) -> Result<(), Broken> {
        let mut taken = 0;
        if self.len < self.header_len {
            taken = bytes.len().min(self.header_len - self.len);
            let into = self.header.get_mut(self.len..self.len + taken).ok_or(Broken::Long)?;
            bytes.copy_to(into);
        }
        let rest = bytes.offset(taken).map_err(|_| Broken::Long)?;
        if !rest.is_empty() {
            let begin = (self.len + taken).saturating_sub(self.header_len);
            let into = self.room.get_mut(begin..begin.saturating_add(rest.len())).ok_or(Broken::Long)?;
            rest.copy_to(into);
        }
        self.len += bytes.len();
        Ok(())
    }

    /// Length of the frame, and the state of its checksum.
    fn finish(self) -> Result<(usize, Checksum), Broken> {
        let len = self.len.checked_sub(self.header_len).ok_or(Broken::Short(self.len))?;
        let [flags, ..] = self.header;
        let checksum = if flags & NEEDS_CSUM == 0 { Checksum::Unknown } else { Checksum::Partial };
        Ok((len, checksum))
    }
}

/// Copies the chain that begins at `head` into the arena.
pub(super) fn copy(
    memory: &Memory,
    table: &VolatileArrayRef<'_, [u64; 2]>,
    head: u16,
    header_len: usize,
    arena: &mut Arena,
) -> Result<(), Broken> {
    let room = arena.room();
    let mut gather = Gather { header: [0; HEADER], header_len, len: 0, room };
    follow(memory, table, head, &mut gather)?;
    let (len, checksum) = gather.finish()?;
    arena.keep(len, checksum);
    Ok(())
}

fn follow(
    memory: &Memory,
    table: &VolatileArrayRef<'_, [u64; 2]>,
    head: u16,
    gather: &mut Gather<'_>,
) -> Result<(), Broken> {
    let mut indirect = None;
    let mut number = head;
    for _ in 0..STEPS {
        let descriptor = Descriptor::at(indirect.as_ref().unwrap_or(table), number)?;
        if descriptor.has(INDIRECT) {
            if indirect.is_some() || descriptor.has(NEXT) {
                return Err(Broken::Indirect(descriptor.len));
            }
            indirect = Some(indirect_table(memory, &descriptor)?);
            number = 0;
            continue;
        }
        if descriptor.has(WRITE) {
            return Err(Broken::Writable);
        }
        if descriptor.len > 0 {
            gather.add(&buffer(memory, &descriptor)?)?;
        }
        if !descriptor.has(NEXT) {
            return Ok(());
        }
        number = descriptor.next;
    }
    Err(Broken::Endless)
}

fn buffer<'m>(memory: &'m Memory, descriptor: &Descriptor) -> Result<VolatileSlice<'m>, Broken> {
    let Descriptor { address, len, .. } = *descriptor;
    memory.by_guest(address, len).ok_or(Broken::Address(address, len))
}

fn indirect_table<'m>(
    memory: &'m Memory,
    descriptor: &Descriptor,
) -> Result<VolatileArrayRef<'m, [u64; 2]>, Broken> {
    let Descriptor { address, len, .. } = *descriptor;
    if len == 0 || !len.is_multiple_of(DESCRIPTOR_LEN) {
        return Err(Broken::Indirect(len));
    }
    memory.array_by_guest(address, len).ok_or(Broken::Address(address, len))
}
