//! What to do when the kernel refuses.

use std::error::Error;
use std::io;

use vfio_ioctls::VfioError;
use vmm_sys_util::errno;

use super::Route;
use crate::DeviceError;
use crate::pci::PciAddress;

/// Why a function could not be opened, and what to do.
pub(super) fn opening(address: PciAddress, group: u32, route: Route, error: &VfioError) -> DeviceError {
    let node = match route {
        Route::Container => format!("/dev/vfio/{group}"),
        Route::Iommufd => "/dev/iommu and /dev/vfio/devices".to_owned(),
    };
    let todo = match (error, code(error)) {
        (_, Some(libc::EACCES)) if matches!(error, VfioError::GroupGetDeviceFD(_)) => {
            "its physical function is with vfio-pci too: give that back to i40e or ice".to_owned()
        }
        (_, Some(libc::EACCES)) => format!(
            "permission is missing: run as root, or give the sensor's user {node} (a udev rule: SUBSYSTEM==\"vfio\", \
             OWNER=\"vigie\")"
        ),
        (VfioError::OpenContainer(_), _) | (VfioError::VfioExtension, _) => {
            "VFIO for an IOMMU is absent: `modprobe vfio-pci vfio_iommu_type1`".to_owned()
        }
        (_, Some(libc::EBUSY)) => format!("another program holds {node}: another sensor, DPDK or a virtual machine"),
        (VfioError::GroupViable, _) => "a function of its group is with a driver of the kernel: bind all to vfio-pci".to_owned(),
        (VfioError::ContainerSetIOMMU(_), Some(libc::EPERM)) => {
            "the IOMMU cannot remap interrupts: switch that on in firmware or hypervisor (QEMU: intel-iommu,intremap=on \
             with kernel-irqchip=split)"
                .to_owned()
        }
        _ => "the kernel's log may say more".to_owned(),
    };
    DeviceError::Unusable(format!("{address} cannot be opened by {route}: {}; {todo}", chain(error)))
}

/// Why memory could not be mapped for a device. `mapped` is what is mapped already, `limit` the most that may be locked.
pub(super) fn mapping(bytes: usize, mapped: u64, limit: Option<u64>, error: &VfioError) -> DeviceError {
    let todo = match code(error) {
        Some(libc::ENOMEM) => {
            let needed = (mapped + bytes as u64).div_ceil(1024);
            let has = limit.map_or_else(|| "unlimited".to_owned(), |limit| format!("{} KiB", limit / 1024));
            format!(
                "the limit of locked memory is {has}, {needed} KiB are needed at least: `ulimit -l`, LimitMEMLOCK= in the \
                 service, or CAP_IPC_LOCK"
            )
        }
        Some(libc::ENOSPC) => {
            "too many mappings: huge pages make fewer (sysctl vm.nr_hugepages), dma_entry_limit of vfio_iommu_type1 \
             allows more"
                .to_owned()
        }
        _ => "the kernel's log may say more".to_owned(),
    };
    DeviceError::Memory(format!("{} KiB cannot be mapped for DMA: {}; {todo}", bytes / 1024, chain(error)))
}

/// The number behind an error, wherever in its chain it stands.
fn code(error: &VfioError) -> Option<i32> {
    causes(error).find_map(|cause| {
        let io = cause.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error);
        io.or_else(|| cause.downcast_ref::<errno::Error>().map(|error| error.errno()))
    })
}

/// An error and its causes; the crate does not always print them.
fn chain(error: &VfioError) -> String {
    let mut said = String::new();
    for cause in causes(error).map(ToString::to_string) {
        if said.is_empty() {
            said = cause;
        } else if !said.contains(&cause) {
            said = format!("{said}: {cause}");
        }
    }
    said
}

fn causes(error: &VfioError) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(Some(error as &(dyn Error + 'static)), |error: &&(dyn Error + 'static)| {
        (*error).source()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(route: Route, error: &VfioError) -> String {
        opening("0000:03:02.0".parse().expect("an address"), 12, route, error).to_string()
    }

    fn os(code: i32) -> io::Error {
        io::Error::from_raw_os_error(code)
    }

    fn sys(code: i32) -> errno::Error {
        errno::Error::new(code)
    }

    #[test]
    fn each_refusal_says_what_to_do() {
        let group = |code| VfioError::OpenGroup(os(code), "12".to_owned());
        let cases = [
            (VfioError::OpenContainer(os(libc::ENOENT)), "modprobe vfio-pci vfio_iommu_type1"),
            (VfioError::OpenContainer(os(libc::EACCES)), "give the sensor's user /dev/vfio/12"),
            (group(libc::EACCES), "give the sensor's user /dev/vfio/12"),
            (group(libc::EBUSY), "another program holds /dev/vfio/12"),
            (VfioError::GroupGetDeviceFD(sys(libc::EACCES)), "its physical function is with vfio-pci too"),
            (VfioError::GroupViable, "bind all to vfio-pci"),
            (VfioError::ContainerSetIOMMU(sys(libc::EPERM)), "cannot remap interrupts"),
            (VfioError::VfioApiVersion, "the kernel's log"),
        ];
        for (error, todo) in cases {
            let said = opened(Route::Container, &error);
            assert!(said.starts_with("0000:03:02.0 cannot be opened by group and container: "), "{said}");
            assert!(said.contains(todo), "{said}");
        }
        let said = opened(Route::Iommufd, &VfioError::VfioDeviceBindIommufd(sys(libc::EBUSY)));
        assert!(said.contains("another program holds /dev/iommu"), "{said}");
    }

    #[test]
    fn a_limit_of_locked_memory_is_told_with_what_is_needed() {
        let error = VfioError::IommuDmaMap(sys(libc::ENOMEM));
        let said = mapping(2 << 20, 6 << 20, Some(8 << 20), &error).to_string();
        assert!(said.contains("is 8192 KiB, 8192 KiB are needed at least: `ulimit -l`"), "{said}");
        let inner = iommufd_ioctls::IommufdError::IommuIoasMap(sys(libc::ENOMEM));
        let said = mapping(4096, 0, None, &VfioError::IommufdIoctlError(inner)).to_string();
        assert!(said.contains("is unlimited, 4 KiB are needed") && said.contains("IOAS"), "{said}");
        let said = mapping(4096, 0, None, &VfioError::IommuDmaMap(sys(libc::ENOSPC))).to_string();
        assert!(said.contains("dma_entry_limit"), "{said}");
    }
}
