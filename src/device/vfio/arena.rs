//! Memory for DMA: from huge pages where the system has some.
//!
//! A huge page is one entry of the IOMMU instead of 512, and one mapping of the kernel's accounts. Blocks smaller than
//! half of one share it: each gets the next part of a page, and the page is given back when the last of its blocks is
//! dropped. Nothing is handed out twice, so every block is zeroed as the kernel gave it.

use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};
use vfio_ioctls::VfioOps;

use super::advice;
use crate::dma::Keep;
use crate::iova::Space;
use crate::pages::{PAGE, PageSize, Pages};
use crate::{DeviceError, Dma};

/// Blocks from here on have pages of their own.
const LARGE: usize = 1 << 20;

/// Where blocks come from.
pub(super) struct Arena {
    account: Arc<Account>,
    /// The page that small blocks are taken from, and how much of it is.
    shelf: Option<(Arc<Chunk>, usize)>,
    /// Whether huge pages were asked for in vain.
    lacks_huge: bool,
}

/// What all chunks share.
struct Account {
    maps: Arc<dyn VfioOps>,
    space: Mutex<Space>,
    mapped: AtomicU64,
}

impl Account {
    fn space(&self) -> MutexGuard<'_, Space> {
        self.space.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, bytes: usize, size: PageSize) -> Result<u64, DeviceError> {
        let mut space = self.space();
        let address = space.take(bytes as u64, size.bytes() as u64);
        address.ok_or_else(|| {
            let (kib, largest) = (bytes / 1024, space.largest() / 1024);
            DeviceError::Memory(format!(
                "no {kib} KiB of device addresses are free; the IOMMU's largest run has {largest} KiB"
            ))
        })
    }
}

impl Arena {
    pub(super) fn new(maps: Arc<dyn VfioOps>, space: Space) -> Self {
        let account = Account { maps, space: Mutex::new(space), mapped: AtomicU64::new(0) };
        Self { account: Arc::new(account), shelf: None, lacks_huge: false }
    }

    /// A block of zeroed memory; `bytes` is rounded up to whole pages of 4 KiB.
    pub(super) fn block(&mut self, bytes: usize) -> Result<Dma, DeviceError> {
        let whole = bytes.max(1).checked_next_multiple_of(PAGE);
        let whole =
            whole.ok_or_else(|| DeviceError::Memory(format!("a block of {bytes} bytes cannot be")))?;
        if whole >= LARGE {
            return Ok(self.chunk(whole)?.part(0, whole));
        }
        if let Some((chunk, taken)) = &mut self.shelf
            && chunk.pages.bytes() - *taken >= whole
        {
            let at = *taken;
            *taken += whole;
            return Ok(chunk.part(at, whole));
        }
        let chunk = self.chunk(whole)?;
        let block = chunk.part(0, whole);
        self.shelf = (chunk.pages.bytes() > whole).then_some((chunk, whole));
        Ok(block)
    }

    /// What is worth knowing about the memory that was handed out.
    pub(super) fn notes(&self) -> Vec<String> {
        let say = "no huge pages are free: memory for DMA is in pages of 4 KiB, which costs the IOMMU more look-ups; \
                   `sysctl vm.nr_hugepages=64` reserves 128 MiB";
        self.lacks_huge.then(|| say.to_owned()).into_iter().collect()
    }

    /// Pages of the largest size that there are, mapped for the device.
    fn chunk(&mut self, bytes: usize) -> Result<Arc<Chunk>, DeviceError> {
        let (pages, size) = self.pages(bytes)?;
        Chunk::map(&self.account, pages, size).map(Arc::new)
    }

    fn pages(&mut self, bytes: usize) -> Result<(Pages, PageSize), DeviceError> {
        let sizes = [(PageSize::Huge1G, PageSize::Huge1G.bytes()), (PageSize::Huge2M, 0)];
        for (size, least) in sizes {
            if bytes >= least
                && let Ok(pages) = Pages::zeroed(bytes, size)
            {
                return Ok((pages, size));
            }
        }
        self.lacks_huge = true;
        let pages = Pages::zeroed(bytes, PageSize::Small);
        let pages = pages
            .map_err(|error| DeviceError::Memory(format!("no {} KiB of memory: {error}", bytes / 1024)))?;
        Ok((pages, PageSize::Small))
    }
}

/// Pages that the device has too.
struct Chunk {
    account: Arc<Account>,
    address: u64,
    pages: ManuallyDrop<Pages>,
}

impl Chunk {
    fn map(account: &Arc<Account>, pages: Pages, size: PageSize) -> Result<Self, DeviceError> {
        let bytes = pages.bytes();
        let address = account.take(bytes, size)?;
        // SAFETY: the contract asks that the memory is reached as atomics, volatile or by raw pointers alone while it is
        // mapped. Blocks are `Dma`, which does; `Buffers` lends slices of what the device has given back, and argues for
        // that where it does. It stays mapped in this process until `drop` has unmapped it from the device.
        let mapped = unsafe { account.maps.vfio_dma_map(address, bytes, pages.start().as_ptr()) };
        if let Err(error) = mapped {
            account.space().give_back(address);
            let so_far = account.mapped.load(Ordering::Relaxed);
            return Err(advice::mapping(bytes, so_far, locked_limit(), &error));
        }
        account.mapped.fetch_add(bytes as u64, Ordering::Relaxed);
        Ok(Self { account: Arc::clone(account), address, pages: ManuallyDrop::new(pages) })
    }

    /// A part of it as a block. Each byte is given out once.
    fn part(self: &Arc<Self>, at: usize, bytes: usize) -> Dma {
        debug_assert!(at + bytes <= self.pages.bytes());
        // SAFETY: inside of the mapping (the arena keeps count), aligned to 4 KiB as all parts are multiples of it, zeroed
        // by the kernel, valid while `Kept` holds the chunk, and given to nobody else.
        unsafe {
            let start = self.pages.start().add(at);
            Dma::over(start, bytes, self.address + at as u64, Box::new(Kept { _chunk: Arc::clone(self) }))
        }
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        let bytes = self.pages.bytes();
        if self.account.maps.vfio_dma_unmap(self.address, bytes).is_err() {
            // The device may still reach it: better lost than somebody else's.
            return;
        }
        self.account.mapped.fetch_sub(bytes as u64, Ordering::Relaxed);
        self.account.space().give_back(self.address);
        // SAFETY: dropped once, here, and not used after.
        unsafe { ManuallyDrop::drop(&mut self.pages) };
    }
}

struct Kept {
    _chunk: Arc<Chunk>,
}

impl Keep for Kept {}

/// The most memory that this process may lock; None for no limit.
fn locked_limit() -> Option<u64> {
    let (soft, _) = getrlimit(Resource::RLIMIT_MEMLOCK).ok()?;
    (soft != RLIM_INFINITY).then_some(soft)
}

#[cfg(test)]
mod tests {
    use std::any::Any;
    use std::collections::BTreeMap;

    use vfio_ioctls::VfioError;
    use vmm_sys_util::errno;

    use super::*;
    use crate::iova::NARROW;

    /// A kernel's accounts: what is mapped, up to a limit.
    #[derive(Default)]
    struct Kernel {
        mapped: Mutex<BTreeMap<u64, usize>>,
        limit: usize,
        keeps: bool,
    }

    impl VfioOps for Kernel {
        unsafe fn vfio_dma_map(&self, iova: u64, size: usize, _: *mut u8) -> Result<(), VfioError> {
            let mut mapped = self.mapped.lock().expect("no panic");
            if mapped.values().sum::<usize>() + size > self.limit {
                return Err(VfioError::IommuDmaMap(errno::Error::new(libc::ENOMEM)));
            }
            assert_eq!(mapped.insert(iova, size), None);
            Ok(())
        }

        fn vfio_dma_unmap(&self, iova: u64, size: usize) -> Result<(), VfioError> {
            if self.keeps {
                return Err(VfioError::IommuDmaUnmap(errno::Error::new(libc::EINVAL)));
            }
            assert_eq!(self.mapped.lock().expect("no panic").remove(&iova), Some(size));
            Ok(())
        }

        fn as_any(&self) -> &dyn Any {
            self
        }
    }

    fn arena(limit: usize, keeps: bool) -> (Arc<Kernel>, Arena) {
        let kernel = Arc::new(Kernel { limit, keeps, ..Kernel::default() });
        (Arc::clone(&kernel), Arena::new(kernel, Space::new(&[NARROW])))
    }

    impl Kernel {
        fn bytes(&self) -> usize {
            self.mapped.lock().expect("no panic").values().sum()
        }
    }

    #[test]
    fn blocks_are_zeroed_apart_and_given_back() {
        let (kernel, mut arena) = arena(1 << 30, false);
        let sizes = [1, 4096, 5000, 300_000, 3 << 20, 700_000, 900_000];
        let blocks: Vec<Dma> = sizes.iter().map(|bytes| arena.block(*bytes).expect("a block")).collect();
        for (block, bytes) in blocks.iter().zip(sizes) {
            assert_eq!(block.bytes(), bytes.next_multiple_of(PAGE));
            assert_eq!(block.address() % PAGE as u64, 0);
            assert!(block.words().iter().all(|word| word.load(Ordering::Relaxed) == 0));
            block.words().iter().for_each(|word| word.store(u64::MAX, Ordering::Relaxed));
        }
        let mut runs: Vec<(u64, u64)> =
            blocks.iter().map(|block| (block.address(), block.address() + block.bytes() as u64)).collect();
        runs.sort_unstable();
        assert!(runs.windows(2).all(|pair| pair[0].1 <= pair[1].0));
        drop(blocks);
        drop(arena);
        assert_eq!(kernel.bytes(), 0);
    }

    #[test]
    fn a_limit_of_locked_memory_is_told_and_nothing_is_lost() {
        let (kernel, mut arena) = arena(4 << 20, false);
        let block = arena.block(3 << 20).expect("within the limit");
        let error = arena.block(3 << 20).expect_err("beyond it").to_string();
        assert!(error.contains("KiB are needed at least"), "{error}");
        drop(block);
        assert_eq!(kernel.bytes(), 0);
        arena.block(3 << 20).expect("there is room again");
    }

    #[test]
    fn what_the_device_keeps_is_never_used_again() {
        let (kernel, mut arena) = arena(1 << 30, true);
        let first = arena.block(2 << 20).expect("a block").address();
        let second = arena.block(2 << 20).expect("a block").address();
        assert_ne!(first, second);
        assert_eq!(kernel.mapped.lock().expect("no panic").len(), 2);
    }

    #[test]
    fn an_address_space_that_is_too_small_is_told() {
        let kernel = Arc::new(Kernel { limit: 1 << 30, ..Kernel::default() });
        let mut arena = Arena::new(kernel, Space::new(&[(1 << 20, (1 << 20) + 8191)]));
        let error = arena.block(4 << 20).expect_err("no room").to_string();
        assert!(error.contains("largest run has 8 KiB"), "{error}");
    }

    #[test]
    fn pages_of_4_kib_are_noted() {
        let (_, mut arena) = arena(1 << 30, false);
        assert_eq!(arena.notes(), Vec::<String>::new());
        arena.lacks_huge = Pages::zeroed(1, PageSize::Huge2M).is_err();
        let _block = arena.block(PAGE).expect("a block");
        assert_eq!(arena.notes().len(), usize::from(arena.lacks_huge));
    }
}
