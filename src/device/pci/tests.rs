use std::os::unix::fs::symlink;
use std::sync::{Arc, Mutex};

use super::*;
use crate::DeviceError;

/// A made-up system with one physical function and two virtual ones, and a kernel that binds as the real one does.
struct Tree {
    root: tempfile::TempDir,
    told: Arc<Mutex<Vec<String>>>,
}

const PF: &str = "0000:03:00.0";
const VF: &str = "0000:03:02.0";

fn address(text: &str) -> PciAddress {
    text.parse().expect("an address")
}

impl Tree {
    fn new() -> Self {
        let tree = Self { root: tempfile::tempdir().expect("a folder"), told: Arc::default() };
        for driver in ["i40e", "iavf", "vfio-pci"] {
            tree.folder(&format!("sys/bus/pci/drivers/{driver}"));
        }
        tree.file("sys/bus/pci/drivers_probe", "");
        tree.function(PF, "0x1572", Some("i40e"), Some(7));
        tree.function(VF, "0x154c", Some("iavf"), Some(12));
        tree.function("0000:03:02.1", "0x154c", None, Some(13));
        tree.file(&format!("sys/bus/pci/devices/{PF}/net/enp3s0f0/flags"), "0x1003\n");
        tree.file(&format!("sys/bus/pci/devices/{VF}/net/enp3s0f0v0/flags"), "0x1002\n");
        tree.link(&format!("sys/bus/pci/devices/{VF}/physfn"), &format!("../{PF}"));
        tree.link(&format!("sys/bus/pci/devices/{PF}/virtfn0"), &format!("../{VF}"));
        tree
    }

    fn folder(&self, path: &str) {
        fs::create_dir_all(self.root.path().join(path)).expect("a folder");
    }

    fn file(&self, path: &str, text: &str) {
        let path = self.root.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    fn link(&self, path: &str, to: &str) {
        let path = self.root.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        symlink(to, path).expect("a link");
    }

    fn function(&self, at: &str, device: &str, driver: Option<&str>, group: Option<u32>) {
        let home = format!("sys/bus/pci/devices/{at}");
        self.file(&format!("{home}/vendor"), "0x8086\n");
        self.file(&format!("{home}/device"), &format!("{device}\n"));
        self.file(&format!("{home}/numa_node"), "1\n");
        self.file(&format!("{home}/driver_override"), "(null)\n");
        if let Some(driver) = driver {
            self.link(&format!("{home}/driver"), &format!("../../drivers/{driver}"));
        }
        if let Some(group) = group {
            self.link(&format!("{home}/iommu_group"), &format!("../../../kernel/iommu_groups/{group}"));
            self.link(
                &format!("sys/kernel/iommu_groups/{group}/devices/{at}"),
                &format!("../../../../bus/pci/devices/{at}"),
            );
        }
    }

    /// The system with a kernel that lets `stubborn` refuse every function.
    fn system(&self, stubborn: Option<&'static str>) -> System {
        let root = self.root.path().to_owned();
        let told = Arc::clone(&self.told);
        System::with_kernel(self.root.path(), move |path, text| {
            let below = path.strip_prefix(&root).expect("below the root").display().to_string();
            told.lock().expect("no panic").push(format!("{below} {}", text.trim()));
            let driver = root.join("sys/bus/pci/devices").join(text.trim()).join("driver");
            if below.ends_with("/unbind") {
                return fs::remove_file(driver);
            }
            if below.ends_with("drivers_probe") {
                let over = super::text(&driver.with_file_name("driver_override"));
                let wants = over.filter(|over| over != "(null)").unwrap_or_else(|| "iavf".to_owned());
                if stubborn == Some(wants.as_str()) {
                    return Err(io::ErrorKind::InvalidInput.into());
                }
                return symlink(format!("../../drivers/{wants}"), driver);
            }
            fs::write(path, if text == "\n" { "(null)\n" } else { text })
        })
    }

    fn driver_of(&self, at: &str) -> Option<String> {
        super::link(&self.root.path().join(format!("sys/bus/pci/devices/{at}/driver")))
    }
}

fn said<T: std::fmt::Debug>(result: Result<T, DeviceError>) -> String {
    result.expect_err("an error").to_string()
}

#[test]
fn addresses_are_read_as_people_write_them() {
    assert_eq!(address("03:02.0").to_string(), "0000:03:02.0");
    assert_eq!(address("10000:ff:1f.7").to_string(), "10000:ff:1f.7");
    for wrong in ["", "03:02", "03:20.0", "03:02.8", "0:1:2:3.0", "+3:02.0", "eth0", "100:02.0"] {
        let error = wrong.parse::<PciAddress>().expect_err("no address").to_string();
        assert!(error.contains(&format!("`{wrong}`")), "{error}");
    }
}

#[test]
fn virtual_functions_are_listed_with_their_place_and_parent() {
    let tree = Tree::new();
    let functions = tree.system(None).functions().expect("a list");
    assert_eq!(functions.len(), 2, "the physical function is none of them");
    let parent = Parent {
        address: address(PF),
        driver: Some("i40e".to_owned()),
        interface: Some("enp3s0f0".to_owned()),
        index: Some(0),
    };
    let first = Function {
        address: address(VF),
        device: 0x154C,
        family: Family::X710,
        driver: Some("iavf".to_owned()),
        group: Some(12),
        node: Some(1),
        parent: Some(parent),
        state: State::Kernel { interface: Some(("enp3s0f0v0".to_owned(), false)) },
    };
    assert_eq!(functions[0], first);
    assert_eq!((&functions[1].state, &functions[1].parent), (&State::Free, &None));
}

#[test]
fn what_is_not_there_or_no_virtual_function_is_told() {
    let tree = Tree::new();
    let system = tree.system(None);
    assert!(said(system.function(address("04:00.0"))).contains("no PCI function at 0000:04:00.0"));
    assert!(said(system.function(address(PF))).contains("0x8086:0x1572"));
    assert!(said(System::under(tree.root.path().join("nowhere")).functions()).contains("is sysfs mounted"));
}

#[test]
fn binding_records_what_was_and_unbinding_puts_it_back() {
    let tree = Tree::new();
    tree.file(&format!("sys/bus/pci/devices/{VF}/driver_override"), "iavf\n");
    let system = tree.system(None);
    let before = Before { driver: Some("iavf".to_owned()), over: Some("iavf".to_owned()) };
    assert_eq!(system.bind(address(VF)).expect("bound"), before);
    assert_eq!(system.function(address(VF)).expect("there").state, State::Ready);
    assert_eq!(system.before(address(VF)), Some(before.clone()));
    assert_eq!(system.bind(address(VF)).expect("bound already"), before);
    assert_eq!(system.unbind(address(VF)).expect("put back"), before);
    assert_eq!(tree.driver_of(VF).as_deref(), Some("iavf"));
    assert_eq!(system.before(address(VF)), None);
    let told = tree.told.lock().expect("no panic").clone();
    let home = format!("sys/bus/pci/devices/{VF}");
    assert_eq!(
        told,
        [
            format!("{home}/driver_override vfio-pci"),
            format!("sys/bus/pci/drivers/iavf/unbind {VF}"),
            format!("sys/bus/pci/drivers_probe {VF}"),
            format!("{home}/driver_override iavf"),
            format!("sys/bus/pci/drivers/vfio-pci/unbind {VF}"),
            format!("sys/bus/pci/drivers_probe {VF}"),
        ]
    );
}

#[test]
fn a_function_without_a_driver_goes_back_to_whom_the_system_chooses() {
    let tree = Tree::new();
    let free = address("03:02.1");
    let system = tree.system(None);
    assert_eq!(system.bind(free).expect("bound"), Before::default());
    assert_eq!(system.unbind(free).expect("unbound").driver.as_deref(), Some("iavf"));
    assert!(said(system.unbind(free)).contains("not with vfio-pci: iavf has it"));
}

#[test]
fn a_refusal_of_vfio_leaves_everything_as_it_was() {
    let tree = Tree::new();
    let error = said(tree.system(Some("vfio-pci")).bind(address(VF)));
    assert!(error.contains("vfio-pci did not take 0000:03:02.0"), "{error}");
    assert_eq!(tree.driver_of(VF).as_deref(), Some("iavf"));
    assert_eq!(tree.system(None).before(address(VF)), None);
}

#[test]
fn an_interface_that_is_up_is_left_alone() {
    let tree = Tree::new();
    tree.file(&format!("sys/bus/pci/devices/{VF}/net/enp3s0f0v0/flags"), "0x1003\n");
    assert!(said(tree.system(None).bind(address(VF))).contains("`ip link set enp3s0f0v0 down`"));
    assert_eq!(tree.told.lock().expect("no panic").len(), 0);
}

#[test]
fn no_iommu_and_no_driver_say_what_to_do() {
    let tree = Tree::new();
    tree.function("0000:05:00.0", "0x1889", None, None);
    let error = said(tree.system(None).bind(address("05:00.0")));
    assert!(error.contains("does not serve it") && error.contains("viommu=intel"), "{error}");
    fs::remove_dir_all(tree.root.path().join("sys/kernel/iommu_groups")).expect("removed");
    assert!(said(tree.system(None).bind(address("05:00.0"))).contains("no IOMMU at work"));
    fs::remove_dir(tree.root.path().join("sys/bus/pci/drivers/vfio-pci")).expect("removed");
    assert!(said(tree.system(None).bind(address(VF))).contains("modprobe vfio-pci"));
}

#[test]
fn a_group_tells_who_else_is_in_it() {
    let tree = Tree::new();
    tree.function("0000:03:02.2", "0x154c", Some("vfio-pci"), Some(20));
    tree.function("0000:03:02.4", "0x1889", Some("ice-vfio-pci"), Some(20));
    tree.function("0000:03:02.3", "0x154c", Some("iavf"), Some(20));
    tree.function("0000:03:03.0", "0x1901", Some("pcieport"), Some(20));
    let system = tree.system(None);
    let error = said(system.free_group(address("03:02.2")));
    assert!(error.contains("group 20 is not free; 0000:03:02.3 is bound to iavf."), "{error}");
    assert!(!error.contains("pcieport"));
    assert_eq!(system.free_group(address("03:02.1")).expect("alone and free"), 13);
}
