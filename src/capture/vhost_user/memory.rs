//! The front end's memory, as far as it is shared with us: regions of files, mapped.
//!
//! Addresses come in two kinds: those of the front end's own process, which messages use, and those of the guest, which
//! descriptors use. Nothing here hands out a plain slice: what the front end may write meanwhile is copied or read as
//! volatile words.

use std::fs::File;
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;

use nix::sys::statfs::{FsType, HUGETLBFS_MAGIC, TMPFS_MAGIC, fstatfs};
use vhost::vhost_user::message::VhostUserMemoryRegion;
use vm_memory::{ByteValued, FileOffset, MmapRegion, VolatileArrayRef, VolatileMemory as _, VolatileSlice};

use super::fault::Guard;

/// Most regions at a time.
pub(super) const REGIONS: usize = 32;

/// Why a region was not taken.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The file is neither in memory nor of huge pages: whoever serves it could keep us waiting for ever.
    FileSystem(FsType),
    /// The region goes beyond the end of its file.
    BeyondFile(u64, u64),
    /// There are too many regions already.
    TooMany,
    /// The region is not there.
    Unknown,
    /// The system could not.
    System(String),
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::FileSystem(kind) => {
                write!(
                    f,
                    "memory in a file system of type {:#x}: it must be a memfd, tmpfs or hugetlbfs",
                    kind.0
                )
            }
            Self::BeyondFile(end, size) => write!(f, "memory up to byte {end} of a file of {size} bytes"),
            Self::TooMany => write!(f, "more than {REGIONS} regions of memory"),
            Self::Unknown => write!(f, "a region of memory taken away that was never given"),
            Self::System(why) => write!(f, "mapping memory: {why}"),
        }
    }
}

/// One mapped region.
#[derive(Debug)]
struct Region {
    /// Address in the guest, and in the front end's process.
    guest: u64,
    user: u64,
    size: u64,
    /// Goes before the mapping does.
    guard: Guard,
    map: MmapRegion,
}

impl Region {
    fn map(wanted: &VhostUserMemoryRegion, file: File) -> Result<Self, Refusal> {
        let system = |e: &dyn std::fmt::Display| Refusal::System(e.to_string());
        let kind = fstatfs(&file).map_err(|e| system(&e))?.filesystem_type();
        if kind != TMPFS_MAGIC && kind != HUGETLBFS_MAGIC {
            return Err(Refusal::FileSystem(kind));
        }
        let (offset, size) = (wanted.mmap_offset, wanted.memory_size);
        let file_size = file.metadata().map_err(|e| system(&e))?.size();
        let end = offset.saturating_add(size);
        if end > file_size {
            return Err(Refusal::BeyondFile(end, file_size));
        }
        let bytes = usize::try_from(size).map_err(|e| system(&e))?;
        let map = MmapRegion::from_file(FileOffset::new(file, offset), bytes).map_err(|e| system(&e))?;
        let guard = Guard::new(map.as_ptr().addr(), bytes).map_err(|e| system(&e))?;
        Ok(Self { guest: wanted.guest_phys_addr, user: wanted.user_addr, size, guard, map })
    }

    /// Where `[begin, begin + len)` lies in a region that begins at `own`.
    fn offset(&self, own: u64, begin: u64, len: u64) -> Option<usize> {
        let offset = begin.checked_sub(own)?;
        let end = offset.checked_add(len)?;
        if end > self.size { None } else { usize::try_from(offset).ok() }
    }

    fn is(&self, other: &VhostUserMemoryRegion) -> bool {
        let (guest, user, size) = (other.guest_phys_addr, other.user_addr, other.memory_size);
        (self.guest, self.user, self.size) == (guest, user, size)
    }
}

/// All regions of one moment. A change makes another one; whoever uses the old one keeps it mapped.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    regions: Vec<Arc<Region>>,
}

/// A range within the memory it was found in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    region: usize,
    offset: usize,
    len: usize,
}

impl Memory {
    pub(super) fn map(list: &[VhostUserMemoryRegion], files: Vec<File>) -> Result<Self, Refusal> {
        let mut memory = Self::default();
        for (wanted, file) in list.iter().zip(files) {
            memory = memory.with(wanted, file)?;
        }
        Ok(memory)
    }

    /// This memory and one region more.
    pub(super) fn with(&self, wanted: &VhostUserMemoryRegion, file: File) -> Result<Self, Refusal> {
        if self.regions.len() >= REGIONS {
            return Err(Refusal::TooMany);
        }
        let mut memory = self.clone();
        memory.regions.push(Arc::new(Region::map(wanted, file)?));
        Ok(memory)
    }

    /// This memory and one region less.
    pub(super) fn without(&self, gone: &VhostUserMemoryRegion) -> Result<Self, Refusal> {
        let mut memory = self.clone();
        let at = memory.regions.iter().position(|region| region.is(gone)).ok_or(Refusal::Unknown)?;
        memory.regions.remove(at);
        Ok(memory)
    }

    /// A range by its address in the front end's process.
    pub(super) fn by_user(&self, address: u64, len: usize) -> Option<Spot> {
        self.regions.iter().enumerate().find_map(|(at, region)| {
            let offset = region.offset(region.user, address, u64::try_from(len).ok()?)?;
            Some(Spot { region: at, offset, len })
        })
    }

    /// A range found before; always there in the memory it was found in.
    pub(super) fn at(&self, spot: Spot) -> Option<VolatileSlice<'_>> {
        self.regions.get(spot.region)?.map.get_slice(spot.offset, spot.len).ok()
    }

    /// Elements of a range found before, from a place within it.
    pub(super) fn array<T: ByteValued>(
        &self,
        spot: Spot,
        begin: usize,
        count: usize,
    ) -> Option<VolatileArrayRef<'_, T>> {
        let room = spot.len.checked_sub(begin)? / size_of::<T>().max(1);
        if count > room {
            return None;
        }
        self.regions.get(spot.region)?.map.get_array_ref(spot.offset.checked_add(begin)?, count).ok()
    }

    /// Elements of a range by its address in the guest: as many as fit.
    pub(super) fn array_by_guest<T: ByteValued>(
        &self,
        address: u64,
        len: u32,
    ) -> Option<VolatileArrayRef<'_, T>> {
        let count = usize::try_from(len).ok()?.checked_div(size_of::<T>())?;
        self.regions.iter().find_map(|region| {
            let offset = region.offset(region.guest, address, u64::from(len))?;
            region.map.get_array_ref(offset, count).ok()
        })
    }

    /// A range by its address in the guest. A range that crosses from one region into the next is none: drivers
    /// describe it by two descriptors.
    pub(super) fn by_guest(&self, address: u64, len: u32) -> Option<VolatileSlice<'_>> {
        self.regions.iter().find_map(|region| {
            let offset = region.offset(region.guest, address, u64::from(len))?;
            region.map.get_slice(offset, usize::try_from(len).ok()?).ok()
        })
    }

    /// Whether the front end took memory away under our hands.
    pub(super) fn is_torn(&self) -> bool {
        self.regions.iter().any(|region| region.guard.is_torn())
    }
}
