//! Intel virtual functions, as sysfs tells them.

use std::fmt;
use std::path::Path;

use super::{PciAddress, System, link, names, text};
use crate::DeviceError;

/// Intel.
const VENDOR: u16 = 0x8086;

/// Which hardware a virtual function's device id promises. What it can do is negotiated, not read from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// 154C, and 1571 as Hyper-V shows it: X710, XL710, XXV710.
    X710,
    /// 37CD, 374D: X722.
    X722,
    /// 1889: E810 and others with an adaptive virtual function.
    Adaptive,
}

impl Family {
    /// The family of a device id of Intel.
    #[must_use]
    pub fn of(device: u16) -> Option<Self> {
        match device {
            0x154C | 0x1571 => Some(Self::X710),
            0x37CD | 0x374D => Some(Self::X722),
            0x1889 => Some(Self::Adaptive),
            _ => None,
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::X710 => "X710",
            Self::X722 => "X722",
            Self::Adaptive => "E810",
        })
    }
}

/// Whose a function is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// No driver has it.
    Free,
    /// vfio-pci, or a variant of it, has it: it can be opened.
    Ready,
    /// A kernel driver has it, with this interface if it made one.
    Kernel {
        /// Interface and whether it is up.
        interface: Option<(String, bool)>,
    },
}

/// The physical function behind a virtual one; a guest does not see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parent {
    /// Its PCI address.
    pub address: PciAddress,
    /// Its driver.
    pub driver: Option<String>,
    /// Its interface.
    pub interface: Option<String>,
    /// Which of its virtual functions this one is: the N of `ip link set DEV vf N`.
    pub index: Option<u32>,
}

/// A virtual function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Where it is.
    pub address: PciAddress,
    /// Device id.
    pub device: u16,
    /// What the id promises.
    pub family: Family,
    /// Driver that has it.
    pub driver: Option<String>,
    /// IOMMU group; None where no IOMMU serves it.
    pub group: Option<u32>,
    /// NUMA node; None where the system does not tell.
    pub node: Option<u32>,
    /// The physical function, where it can be seen.
    pub parent: Option<Parent>,
    /// Whose it is.
    pub state: State,
}

impl System {
    /// Every Intel virtual function, in order of address.
    ///
    /// # Errors
    /// When the system has no list of PCI functions.
    pub fn functions(&self) -> Result<Vec<Function>, DeviceError> {
        let folder = self.path("sys/bus/pci/devices");
        if !folder.is_dir() {
            return Err(DeviceError::Unusable(format!("{} is absent: is sysfs mounted?", folder.display())));
        }
        let addresses = names(&folder).into_iter().filter_map(|name| name.parse().ok());
        let mut functions: Vec<Function> = addresses.filter_map(|at| self.look(at)).collect();
        functions.sort_by_key(|function| function.address);
        Ok(functions)
    }

    /// One Intel virtual function.
    ///
    /// # Errors
    /// When there is nothing at this address, or something else; the text says what.
    pub fn function(&self, address: PciAddress) -> Result<Function, DeviceError> {
        let folder = self.folder(&address);
        if !folder.is_dir() {
            let say = format!("no PCI function at {address}: `vigie vf list` shows those there are");
            return Err(DeviceError::Unusable(say));
        }
        self.look(address).ok_or_else(|| {
            let id = |name| text(&folder.join(name)).unwrap_or_default();
            let (vendor, device) = (id("vendor"), id("device"));
            DeviceError::Unusable(format!(
                "{address} is {vendor}:{device}, not an Intel virtual function (8086:154c, 1571, 37cd, 374d, 1889)"
            ))
        })
    }

    fn look(&self, address: PciAddress) -> Option<Function> {
        let folder = self.folder(&address);
        let device = number(&folder, "device").filter(|_| number(&folder, "vendor") == Some(VENDOR))?;
        let family = Family::of(device)?;
        let driver = link(&folder.join("driver"));
        let state = match driver.as_deref() {
            None => State::Free,
            Some(name) if is_vfio(name) => State::Ready,
            Some(_) => State::Kernel { interface: interface(&folder) },
        };
        Some(Function {
            address,
            device,
            family,
            group: link(&folder.join("iommu_group")).and_then(|group| group.parse().ok()),
            node: text(&folder.join("numa_node")).and_then(|node| node.parse().ok()),
            parent: self.parent(&folder, address),
            driver,
            state,
        })
    }

    fn parent(&self, folder: &Path, address: PciAddress) -> Option<Parent> {
        let parent: PciAddress = link(&folder.join("physfn"))?.parse().ok()?;
        let home = self.folder(&parent);
        let of = |name: &String| link(&home.join(name)).is_some_and(|at| at == address.to_string());
        let virtfn = names(&home).into_iter().filter(|name| name.starts_with("virtfn")).find(of);
        Some(Parent {
            address: parent,
            driver: link(&home.join("driver")),
            interface: interface(&home).map(|(name, _)| name),
            index: virtfn.and_then(|name| name.trim_start_matches("virtfn").parse().ok()),
        })
    }
}

/// Whether a driver lends functions to programs: vfio-pci, or a variant such as ice-vfio-pci.
pub(super) fn is_vfio(driver: &str) -> bool {
    driver.ends_with("vfio-pci") || driver.ends_with("vfio_pci")
}

/// A hexadecimal attribute of 16 bits.
fn number(folder: &Path, name: &str) -> Option<u16> {
    let text = text(&folder.join(name))?;
    u16::from_str_radix(text.trim_start_matches("0x"), 16).ok()
}

/// The first interface of a function, and whether it is up (IFF_UP, bit 0 of its flags).
fn interface(folder: &Path) -> Option<(String, bool)> {
    let name = names(&folder.join("net")).into_iter().next()?;
    let flags = text(&folder.join("net").join(&name).join("flags"));
    let flags = flags.and_then(|flags| u32::from_str_radix(flags.trim_start_matches("0x"), 16).ok());
    Some((name, flags.is_some_and(|flags| flags & 1 != 0)))
}
