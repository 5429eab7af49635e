//! From a PCI address to an open function.

use std::fmt;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::sync::Arc;

use iommufd_ioctls::IommuFd;
use vfio_ioctls::{VfioContainer, VfioDevice, VfioError, VfioIommufd, VfioOps};

use super::{advice, ioctl};
use crate::DeviceError;
use crate::iova::{NARROW, Space};
use crate::pci::{PciAddress, State, System, names};

/// The kernel's two ways to a function and its address space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// `/dev/vfio/GROUP` in a container of `/dev/vfio/vfio` (type 1, version 2): every kernel.
    Container,
    /// `/dev/vfio/devices/vfioN` bound to `/dev/iommu`: Linux 6.6 and later, where it is built in.
    Iommufd,
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Container => "group and container",
            Self::Iommufd => "iommufd",
        })
    }
}

/// An open function.
pub(super) struct Opened {
    pub(super) device: VfioDevice,
    pub(super) file: File,
    pub(super) maps: Arc<dyn VfioOps>,
    pub(super) space: Space,
}

/// Which way a function can be opened; iommufd where the system has all it takes.
pub(super) fn route(system: &System, address: PciAddress) -> Route {
    let devices = names(&system.folder(&address).join("vfio-dev"));
    let node = devices.first().map(|name| system.path("dev/vfio/devices").join(name));
    if node.is_some_and(|node| node.exists()) && system.path("dev/iommu").exists() {
        return Route::Iommufd;
    }
    Route::Container
}

pub(super) fn open(system: &System, address: PciAddress, route: Route) -> Result<Opened, DeviceError> {
    let function = system.function(address)?;
    if function.state != State::Ready {
        let has = function.driver.unwrap_or_else(|| "nobody".to_owned());
        let say = format!("{address} is with {has}, not with vfio-pci: `vigie vf bind {address}` first");
        return Err(DeviceError::Unusable(say));
    }
    let group = system.free_group(address)?;
    let explain = |error: VfioError| advice::opening(address, group, route, &error);
    let (maps, device, ranges) = match route {
        Route::Container => by_container(system, address).map_err(explain)?,
        Route::Iommufd => by_iommufd(system, address).map_err(explain)?,
    };
    let space = Space::new(&ranges.unwrap_or_else(|| vec![NARROW]));
    let file =
        ioctl::duplicate(&device).map_err(|error| DeviceError::Refused("duplicate a descriptor", error))?;
    Ok(Opened { device, file: File::from(file), maps, space })
}

/// Address space, function, and the runs of device addresses that may be used; None where the kernel does not tell.
type Parts = (Arc<dyn VfioOps>, VfioDevice, Option<Vec<(u64, u64)>>);

fn by_container(system: &System, address: PciAddress) -> Result<Parts, VfioError> {
    let container = Arc::new(VfioContainer::new(None)?);
    let maps: Arc<dyn VfioOps> = Arc::clone(&container) as Arc<dyn VfioOps>;
    let device = VfioDevice::new(&system.folder(&address), Arc::clone(&maps), true)?;
    let ranges = ioctl::container_ranges(container.as_raw_fd());
    Ok((maps, device, ranges))
}

fn by_iommufd(system: &System, address: PciAddress) -> Result<Parts, VfioError> {
    let iommufd = Arc::new(IommuFd::new().map_err(VfioError::NewVfioIommufd)?);
    let space = Arc::new(VfioIommufd::new(iommufd, None, None)?);
    let maps: Arc<dyn VfioOps> = Arc::clone(&space) as Arc<dyn VfioOps>;
    let device = VfioDevice::new(&system.folder(&address), Arc::clone(&maps), true)?;
    let ranges = ioctl::iommufd_ranges(space.iommufd().as_raw_fd(), space.ioas().id());
    Ok((maps, device, ranges))
}
