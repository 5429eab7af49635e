//! IOMMU groups: functions that an IOMMU cannot tell apart, and are given away together.

use std::fmt::Write;

use super::function::is_vfio;
use super::{PciAddress, System, link, names};
use crate::DeviceError;

/// A group and who is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    number: u32,
    /// Members and their drivers.
    members: Vec<(String, Option<String>)>,
}

/// Whether the system has an IOMMU at work.
fn has_iommu(system: &System) -> bool {
    !names(&system.path("sys/class/iommu")).is_empty()
        || !names(&system.path("sys/kernel/iommu_groups")).is_empty()
}

/// What to do where there is no IOMMU for a function.
pub(super) fn no_iommu(system: &System, address: PciAddress) -> DeviceError {
    let why = if has_iommu(system) {
        "the IOMMU of this system does not serve it"
    } else {
        "this system has no IOMMU at work"
    };
    DeviceError::Unusable(format!(
        "{address} has no IOMMU group: {why}. On hardware: switch VT-d or AMD-Vi on in the firmware and boot with \
         intel_iommu=on. In a guest the hypervisor must show one: Proxmox or QEMU with `-machine q35` and viommu=intel; \
         ESXi with \"Expose IOMMU to the guest OS\"; then boot with intel_iommu=on"
    ))
}

impl System {
    /// The IOMMU group of a function, if it can be opened now as far as sysfs tells.
    ///
    /// # Errors
    /// When it has none, or a member is with a driver of the kernel; the text names each and says what to do.
    pub fn free_group(&self, address: PciAddress) -> Result<u32, DeviceError> {
        let group = Group::of(self, address)?;
        group.check(address)?;
        Ok(group.number)
    }
}

impl Group {
    /// The group of a function.
    pub(super) fn of(system: &System, address: PciAddress) -> Result<Self, DeviceError> {
        let number = link(&system.folder(&address).join("iommu_group")).and_then(|name| name.parse().ok());
        let number: u32 = number.ok_or_else(|| no_iommu(system, address))?;
        let folder = system.path("sys/kernel/iommu_groups").join(number.to_string()).join("devices");
        let driver = |name: String| {
            let driver = link(&system.path("sys/bus/pci/devices").join(&name).join("driver"));
            (name, driver)
        };
        Ok(Self { number, members: names(&folder).into_iter().map(driver).collect() })
    }

    /// Whether the group may be given to us: every member is with vfio-pci, a PCI bridge, or with nobody.
    fn check(&self, address: PciAddress) -> Result<(), DeviceError> {
        let foreign = |driver: &str| !is_vfio(driver) && !matches!(driver, "pcieport" | "pci-stub");
        let mut say = String::new();
        for (member, driver) in &self.members {
            let Some(driver) = driver.as_deref().filter(|driver| foreign(driver)) else { continue };
            let own = if *member == address.to_string() { " itself" } else { "" };
            // Writing to a string does not fail.
            let _ = write!(say, "; {member}{own} is bound to {driver}");
        }
        if say.is_empty() {
            return Ok(());
        }
        Err(DeviceError::Unusable(format!(
            "{address} cannot be opened, its IOMMU group {} is not free{say}. Bind each of them to vfio-pci (`vigie vf \
             bind ADDRESS` for virtual functions) or unbind it; functions share a group where the slot has no ACS",
            self.number
        )))
    }
}
