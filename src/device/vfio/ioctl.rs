//! System calls that `vfio-ioctls` lacks (runs of device addresses) or whose failures it keeps to itself (vectors, reset).

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};

use iommufd_bindings::iommufd::{
    IOMMUFD_CMD_IOAS_IOVA_RANGES, IOMMUFD_TYPE, iommu_ioas_iova_ranges, iommu_iova_range,
};
use vfio_bindings::bindings::vfio::{
    VFIO_BASE, VFIO_IOMMU_INFO_CAPS, VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE, VFIO_IRQ_SET_ACTION_TRIGGER,
    VFIO_IRQ_SET_DATA_EVENTFD, VFIO_IRQ_SET_DATA_NONE, VFIO_TYPE,
};
use vmm_sys_util::ioctl::{ioctl, ioctl_with_mut_ref, ioctl_with_ptr};
use vmm_sys_util::ioctl_io_nr;

// linux/vfio.h; numbers are per kind of descriptor, 12 is another call on a container than on a function.
ioctl_io_nr!(VFIO_DEVICE_SET_IRQS, VFIO_TYPE as u32, VFIO_BASE + 10);
ioctl_io_nr!(VFIO_DEVICE_RESET, VFIO_TYPE as u32, VFIO_BASE + 11);
ioctl_io_nr!(VFIO_IOMMU_GET_INFO, VFIO_TYPE as u32, VFIO_BASE + 12);
ioctl_io_nr!(IOMMU_IOAS_IOVA_RANGES, IOMMUFD_TYPE as u32, IOMMUFD_CMD_IOAS_IOVA_RANGES);

/// Words of an answer about a container: room for its capabilities with hundreds of ranges.
const INFO: usize = 2048;

/// Ranges that an address space is asked for.
const RANGES: usize = 64;

/// A descriptor of the same open file.
pub(super) fn duplicate(of: &impl AsRawFd) -> io::Result<OwnedFd> {
    // SAFETY: `of` owns the descriptor and is borrowed for the length of the call.
    unsafe { BorrowedFd::borrow_raw(of.as_raw_fd()) }.try_clone_to_owned()
}

/// Connects the first vectors of an index in one call, or disconnects all where there are none.
pub(super) fn set_vectors(file: &File, index: u32, fds: &[RawFd]) -> io::Result<()> {
    let message = vectors_message(index, fds);
    // SAFETY: the message is as long as its first word says and outlives the call; the kernel keeps references of its
    // own to the eventfds.
    done(unsafe { ioctl_with_ptr(file, VFIO_DEVICE_SET_IRQS(), message.as_ptr()) })
}

/// `struct vfio_irq_set`: length, flags, index, start, count, and a descriptor a vector.
fn vectors_message(index: u32, fds: &[RawFd]) -> Vec<u32> {
    let data = if fds.is_empty() { VFIO_IRQ_SET_DATA_NONE } else { VFIO_IRQ_SET_DATA_EVENTFD };
    let count = u32::try_from(fds.len()).unwrap_or(u32::MAX);
    let head = [20 + 4 * count, data | VFIO_IRQ_SET_ACTION_TRIGGER, index, 0, count];
    head.into_iter().chain(fds.iter().map(|fd| fd.cast_unsigned())).collect()
}

/// Function-level reset.
pub(super) fn reset(file: &File) -> io::Result<()> {
    // SAFETY: takes no argument.
    done(unsafe { ioctl(file, VFIO_DEVICE_RESET()) })
}

/// Runs of device addresses of a container; None where the kernel does not tell.
pub(super) fn container_ranges(container: RawFd) -> Option<Vec<(u64, u64)>> {
    let mut info = vec![0u32; INFO];
    if let Some(argsz) = info.first_mut() {
        *argsz = u32::try_from(INFO * 4).ok()?;
    }
    // SAFETY: the answer has the room that its first word says.
    done(unsafe { ioctl_with_mut_ref(&container, VFIO_IOMMU_GET_INFO(), info.as_mut_slice().first_mut()?) })
        .ok()?;
    let bytes: Vec<u8> = info.iter().flat_map(|word| word.to_le_bytes()).collect();
    ranges_of(&bytes)
}

/// Ranges in `struct vfio_iommu_type1_info`: length, flags, page sizes (8 bytes), offset of the first capability. Each
/// of these has id and version (2 bytes each), offset of the next; this one a count, 4 unused bytes, and pairs.
fn ranges_of(info: &[u8]) -> Option<Vec<(u64, u64)>> {
    let word = |at: usize| Some(u32::from_le_bytes(info.get(at..at + 4)?.try_into().ok()?));
    let long = |at: usize| Some(u64::from_le_bytes(info.get(at..at + 8)?.try_into().ok()?));
    if word(4)? & VFIO_IOMMU_INFO_CAPS == 0 {
        return None;
    }
    let mut at = word(16)? as usize;
    while at != 0 {
        if word(at)? & 0xFFFF == VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE {
            let count = word(at + 8)? as usize;
            return (0..count).map(|n| at + 16 + 16 * n).map(|at| Some((long(at)?, long(at + 8)?))).collect();
        }
        // The list goes forward; one that does not would have no end.
        at = Some(word(at + 4)? as usize).filter(|next| *next == 0 || *next > at)?;
    }
    None
}

/// Runs of device addresses of an address space of iommufd; None where the kernel does not tell.
pub(super) fn iommufd_ranges(iommufd: RawFd, space: u32) -> Option<Vec<(u64, u64)>> {
    let mut ranges = vec![iommu_iova_range::default(); RANGES];
    let mut ask = iommu_ioas_iova_ranges {
        size: u32::try_from(size_of::<iommu_ioas_iova_ranges>()).ok()?,
        ioas_id: space,
        num_iovas: u32::try_from(RANGES).ok()?,
        allowed_iovas: ranges.as_mut_ptr().expose_provenance() as u64,
        ..Default::default()
    };
    // SAFETY: the question has the length that its first field says, and names room for as many ranges as it says.
    done(unsafe { ioctl_with_mut_ref(&iommufd, IOMMU_IOAS_IOVA_RANGES(), &mut ask) }).ok()?;
    let found = ranges.iter().take(ask.num_iovas as usize);
    Some(found.map(|range| (range.start, range.last)).collect())
}

fn done(answer: i32) -> io::Result<()> {
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Information with the given words from offset 24 on.
    fn info(flags: u32, first: u32, rest: &[u32]) -> Vec<u8> {
        let head = [24 + 4 * rest.len() as u32, flags, 0x1000, 0, first, 0];
        head.iter().chain(rest).flat_map(|word| word.to_le_bytes()).collect()
    }

    #[test]
    fn ranges_are_found_behind_other_capabilities() {
        let rest = [
            2 | 1 << 16,
            36,
            7,
            1 | 1 << 16,
            0,
            2,
            0,
            0,
            0,
            0xFEDF_FFFF,
            0,
            0xFEF0_0000,
            0,
            0xFFFF_FFFF,
            0x7F,
        ];
        let found = ranges_of(&info(VFIO_IOMMU_INFO_CAPS, 24, &rest));
        assert_eq!(found, Some(vec![(0, 0xFEDF_FFFF), (0xFEF0_0000, 0x7F_FFFF_FFFF)]));
    }

    #[test]
    fn answers_without_ranges_or_without_end_give_none() {
        assert_eq!(ranges_of(&info(0, 24, &[1, 0, 0, 0])), None);
        assert_eq!(ranges_of(&info(VFIO_IOMMU_INFO_CAPS, 0, &[])), None);
        assert_eq!(ranges_of(&info(VFIO_IOMMU_INFO_CAPS, 24, &[2, 24, 0])), None, "points at itself");
        assert_eq!(ranges_of(&info(VFIO_IOMMU_INFO_CAPS, 24, &[1, 0, 5, 0, 0, 0])), None, "cut short");
        assert_eq!(ranges_of(&info(VFIO_IOMMU_INFO_CAPS, 9999, &[])), None);
        assert_eq!(ranges_of(&[]), None);
    }

    #[test]
    fn vectors_are_one_message() {
        assert_eq!(vectors_message(2, &[5, 9]), [28, 4 | 1 << 5, 2, 0, 2, 5, 9]);
        assert_eq!(vectors_message(4, &[]), [20, 1 | 1 << 5, 4, 0, 0]);
    }

    #[test]
    fn what_is_no_vfio_descriptor_refuses() {
        let file = tempfile::tempfile().expect("a file");
        assert!(set_vectors(&file, 2, &[]).is_err());
        assert!(reset(&file).is_err());
        assert_eq!(container_ranges(file.as_raw_fd()), None);
        assert_eq!(iommufd_ranges(file.as_raw_fd(), 1), None);
    }
}
