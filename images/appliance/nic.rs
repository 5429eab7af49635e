//! The Ethernet interfaces of the machine that stand for hardware, in the order of their slots.

use crate::Place;
use std::fs;
use std::path::Path;

/// One interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nic {
    /// Its name.
    pub name: String,
    /// Its MAC address, in lower case.
    pub mac: String,
    /// Where it sits: a PCI address, or what the bus calls it.
    pub slot: String,
    /// Its driver.
    pub driver: String,
    /// Whether it is up.
    pub up: bool,
}

/// ARPHRD_ETHER of linux/if_arp.h.
const ETHERNET: &str = "1";
/// The synthetic NIC of Hyper-V; an accelerated function beside it has the same address and is its slave.
const HYPER_V: &str = "hv_netvsc";

impl Nic {
    /// Every one of them.
    #[must_use]
    pub fn all(place: &Place) -> Vec<Self> {
        let folder = place.at("sys/class/net");
        let names = fs::read_dir(&folder).into_iter().flatten().flatten();
        let mut found: Vec<(u8, u64, Self)> = names.filter_map(|entry| one(&entry.path())).collect();
        // Slots of a PCI bus have an order that outlives reboots; other buses have only that of appearance.
        found.sort_by(|a, b| match (a.0, b.0) {
            (0, 0) => a.2.slot.cmp(&b.2.slot).then(a.1.cmp(&b.1)),
            _ => (a.0, a.1).cmp(&(b.0, b.1)),
        });
        let all: Vec<Self> = found.into_iter().map(|(.., nic)| nic).collect();
        let master = |nic: &Self| {
            nic.driver != HYPER_V && all.iter().any(|other| other.driver == HYPER_V && other.mac == nic.mac)
        };
        all.iter().filter(|nic| !master(nic)).cloned().collect()
    }

    /// Whether this is the one that is meant: by name, MAC address or slot.
    #[must_use]
    pub fn is(&self, said: &str) -> bool {
        self.name == said || self.mac.eq_ignore_ascii_case(said) || self.slot == said
    }
}

fn one(folder: &Path) -> Option<(u8, u64, Nic)> {
    let text = |name: &str| Some(fs::read_to_string(folder.join(name)).ok()?.trim().to_owned());
    let link = |name: &str| fs::read_link(folder.join(name)).ok()?.file_name()?.to_str().map(str::to_owned);
    let slot = link("device")?;
    if text("type")? != ETHERNET {
        return None;
    }
    // virtio sits one bus below its PCI slot.
    let above = fs::canonicalize(folder.join("device"))
        .ok()
        .and_then(|path| Some(path.parent()?.file_name()?.to_str()?.to_owned()));
    let slot = if slot.starts_with("virtio") { above.unwrap_or(slot) } else { slot };
    let flags = text("flags").and_then(|f| u32::from_str_radix(f.trim_start_matches("0x"), 16).ok());
    let nic = Nic {
        name: folder.file_name()?.to_str()?.to_owned(),
        mac: text("address")?.to_lowercase(),
        driver: link("device/driver").unwrap_or_default(),
        up: flags.unwrap_or_default() & 1 == 1,
        slot,
    };
    let on_pci = nic.slot.split(':').count() == 3;
    let index = text("ifindex").and_then(|n| n.parse().ok()).unwrap_or(u64::MAX);
    Some((u8::from(!on_pci), index, nic))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// Puts an interface into a made-up machine.
    pub(crate) fn put(place: &Place, name: &str, mac: &str, slot: &str, driver: &str) {
        let folder = place.at("sys/class/net").join(name);
        let device = place.at("sys/devices").join(slot);
        let drivers = place.at("sys/bus/drivers").join(driver);
        for made in [&folder, &device, &drivers] {
            fs::create_dir_all(made).expect("a folder");
        }
        symlink(&device, folder.join("device")).expect("a link");
        symlink(&drivers, device.join("driver")).expect("a link");
        for (file, text) in [("type", "1"), ("address", mac), ("flags", "0x1002"), ("ifindex", "2")] {
            fs::write(folder.join(file), format!("{text}\n")).expect("a file");
        }
    }

    #[test]
    fn interfaces_come_in_the_order_of_their_slots_and_others_are_left_out() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = Place::under(folder.path());
        put(&place, "ens224", "00:50:56:00:00:02", "0000:13:00.0", "vmxnet3");
        put(&place, "ens192", "00:50:56:00:00:01", "0000:0b:00.0", "vmxnet3");
        fs::create_dir_all(place.at("sys/class/net/lo")).expect("a folder");
        let names: Vec<String> = Nic::all(&place).into_iter().map(|n| n.name).collect();
        assert_eq!(names, ["ens192", "ens224"]);
    }

    #[test]
    fn an_accelerated_function_is_its_masters() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = Place::under(folder.path());
        put(&place, "eth0", "00:0d:3a:00:00:01", "f8b3781a-1e82", HYPER_V);
        put(&place, "enP1s1", "00:0D:3A:00:00:01", "0001:00:02.0", "mlx5_core");
        let all = Nic::all(&place);
        assert_eq!(all.len(), 1);
        assert!(all[0].is("eth0") && all[0].is("00:0D:3a:00:00:01"));
    }
}
