//! Where a machine runs, as its firmware (DMI) says.

use crate::Place;

/// A hypervisor or cloud.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Platform {
    /// QEMU: Proxmox and others.
    Qemu,
    /// VMware.
    Vmware,
    /// Amazon EC2.
    Ec2,
    /// Google Compute Engine.
    Gce,
    /// Microsoft Azure.
    Azure,
    /// Hardware, or what is not known.
    #[default]
    Other,
}

/// The chassis asset tag of every machine in Azure; Hyper-V elsewhere has another.
const AZURE: &str = "7783-7084-3265-9085-8269-3286-77";

impl Platform {
    const ALL: [(Self, &'static str); 6] = [
        (Self::Qemu, "QEMU"),
        (Self::Vmware, "VMware"),
        (Self::Ec2, "Amazon EC2"),
        (Self::Gce, "Google Compute Engine"),
        (Self::Azure, "Azure"),
        (Self::Other, "machine"),
    ];

    /// Where this machine runs.
    #[must_use]
    pub fn of(place: &Place) -> Self {
        let dmi = |name: &str| place.line(&format!("sys/class/dmi/id/{name}")).unwrap_or_default();
        let (vendor, product) = (dmi("sys_vendor"), dmi("product_name"));
        match vendor.as_str() {
            "Amazon EC2" => Self::Ec2,
            "Google" if product == "Google Compute Engine" => Self::Gce,
            _ if dmi("chassis_asset_tag") == AZURE => Self::Azure,
            _ if vendor.starts_with("VMware") => Self::Vmware,
            "QEMU" | "Proxmox" => Self::Qemu,
            _ => Self::Other,
        }
    }

    /// Whether it has a metadata service on its network.
    #[must_use]
    pub fn is_cloud(self) -> bool {
        matches!(self, Self::Ec2 | Self::Gce | Self::Azure)
    }

    /// What people call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(one, _)| *one == self).map_or("", |(_, name)| name)
    }

    pub(crate) fn named(name: &str) -> Self {
        Self::ALL.iter().find(|(_, one)| *one == name).map_or(Self::Other, |(one, _)| *one)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_platform_is_known_by_its_firmware() {
        for (vendor, product, tag, platform) in [
            ("QEMU", "Standard PC (Q35 + ICH9, 2009)", "", Platform::Qemu),
            ("VMware, Inc.", "VMware20,1", "No Asset Tag", Platform::Vmware),
            ("Amazon EC2", "c6in.large", "Amazon EC2", Platform::Ec2),
            ("Google", "Google Compute Engine", "", Platform::Gce),
            ("Google", "Eve", "", Platform::Other),
            ("Microsoft Corporation", "Virtual Machine", AZURE, Platform::Azure),
            ("Microsoft Corporation", "Virtual Machine", "0000", Platform::Other),
        ] {
            let folder = tempfile::tempdir().expect("a folder");
            let place = Place::under(folder.path());
            std::fs::create_dir_all(place.at("sys/class/dmi/id")).expect("a folder");
            for (name, text) in
                [("sys_vendor", vendor), ("product_name", product), ("chassis_asset_tag", tag)]
            {
                std::fs::write(place.at("sys/class/dmi/id").join(name), format!("{text}\n")).expect("a file");
            }
            assert_eq!(Platform::of(&place), platform, "{vendor} {product}");
            assert_eq!(Platform::named(platform.name()), platform);
        }
    }
}
