//! Each check passes on an image that is right, and finds its fault on one that is spoiled.

use super::*;
use std::fs;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// The files that lie over every image.
fn ours() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../files")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").map(|e| e.expect("an entry")) {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        match entry.file_type().expect("a kind") {
            kind if kind.is_dir() => copy(&from, &to),
            kind if kind.is_symlink() => symlink(fs::read_link(&from).expect("a link"), &to).expect("a link"),
            _ => drop(fs::copy(&from, &to).expect("a file")),
        }
    }
}

/// An image that is right: our own files over what a distribution would have.
struct Image(tempfile::TempDir);

impl Image {
    fn new() -> Self {
        let image = Self(tempfile::tempdir().expect("a folder"));
        copy(&ours(), &image.0.path().join("root"));
        for (path, text) in [
            ("etc/shadow", "root:!*:1::::::\nadmin:!:1::::::\n"),
            ("etc/passwd", "root:x:0:0::/root:/bin/bash\n"),
            ("etc/machine-id", ""),
            ("usr/bin/vigie", ""),
            ("usr/bin/sudo", ""),
            ("usr/sbin/sshd", ""),
            ("usr/sbin/waagent", ""),
            ("usr/lib/systemd/systemd-resolved", ""),
            ("usr/lib/systemd/system/getty@.service", ""),
            ("usr/lib/modules/6/modules.builtin", "kernel/drivers/virtio/virtio_net.ko\n"),
        ] {
            image.put(path, text);
        }
        let drivers = "ena nvme gve virtio_scsi virtio_blk virtio-iommu hv_vmbus hv_storvsc hv_netvsc mana mlx5_core vmxnet3 \
            vmw_pvscsi iavf vfio-pci";
        for name in drivers.split_whitespace() {
            image.put(&format!("usr/lib/modules/6/kernel/{name}.ko.xz"), "");
        }
        image
    }

    fn put(&self, path: &str, text: &str) {
        let path = self.0.path().join("root").join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        let _ = fs::remove_file(&path);
        fs::write(path, text).expect("a file");
    }

    fn without(&self, path: &str) {
        let path = self.0.path().join("root").join(path);
        fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path)).expect("gone");
    }

    /// Every fault, with the check that found it.
    fn faults(&self) -> Vec<(&'static str, String)> {
        let subject = Subject { root: Some(self.0.path().join("root")), disk: None };
        let told = |check: &Check| {
            let name = check.name;
            (check.look)(&subject).into_iter().flatten().map(move |fault| (name, fault))
        };
        CHECKS.iter().flat_map(told).collect()
    }
}

#[test]
fn our_own_files_keep_every_promise() {
    assert_eq!(Image::new().faults(), []);
}

#[test]
fn each_fault_is_found_by_its_check() {
    let key = ["-----BEGIN OPENSSH ", "PRIVATE KEY-----\n"].concat();
    let aws = ["AKIA", "ABCDEFGHIJKLMNOP"].concat();
    for (check, told, path, text) in [
        ("passwords", "root has a password", "etc/shadow", "root:$y$j9T$x:1::::::\n"),
        ("passwords", "root has an empty", "etc/shadow", "root::1::::::\n"),
        ("passwords", "its hash", "etc/shadow", "root:!$6$abc:1::::::\n"),
        ("passwords", "/etc/passwd", "etc/passwd", "root::0:0::/root:/bin/bash\n"),
        ("login-keys", "authorized_keys", "root/.ssh/authorized_keys", "ssh-rsa AAAA"),
        ("login-keys", "etc/vigie/keys/admin", "etc/vigie/keys/admin", "ssh-rsa AAAA"),
        ("private-keys", "etc/ssl/key.pem", "etc/ssl/key.pem", key.as_str()),
        ("private-keys", "ssh_host_rsa_key", "etc/ssh/ssh_host_rsa_key", ""),
        ("private-keys", "usr/share/vigie/x", "usr/share/vigie/x", aws.as_str()),
        ("identity", "0123", "etc/machine-id", "0123\n"),
        ("identity", "dbus", "var/lib/dbus/machine-id", "0123\n"),
        ("identity", "random-seed", "var/lib/systemd/random-seed", "x"),
        ("traces", "dpkg.log", "var/log/dpkg.log", "x"),
        ("traces", "bash_history", "root/.bash_history", "x"),
        (
            "listening",
            "listens on 9090",
            "etc/systemd/system/x.socket",
            "[Socket]\nListenStream=/run/x\nListenStream=9090\n",
        ),
        ("listening", "LLMNR", "usr/lib/systemd/resolved.conf.d/vigie.conf", "MulticastDNS=no\n"),
        ("firewall", "drop input", "etc/nftables.conf", "type filter hook forward priority 0; policy drop;"),
        (
            "ssh",
            "PasswordAuthentication is yes",
            "etc/ssh/sshd_config.d/00.conf",
            "passwordauthentication yes\n",
        ),
        ("azure", "ClientAliveInterval", "etc/ssh/sshd_config.d/vigie.conf", "ClientAliveInterval 0\n"),
        ("azure", "swap", "etc/fstab", "/dev/sda2 none swap sw 0 0\n"),
    ] {
        let image = Image::new();
        image.put(path, text);
        if path.ends_with("x.socket") {
            image.put("etc/systemd/system/sockets.target.wants/x.socket", "");
        }
        let faults = image.faults();
        assert!(
            faults.iter().any(|(name, text)| *name == check && text.contains(told)),
            "{path}: {faults:?}"
        );
    }
}

#[test]
fn what_is_missing_is_found_too() {
    for (check, path) in [
        ("sensor", "usr/bin/vigie"),
        ("aws", "usr/lib/modules/6/kernel/ena.ko.xz"),
        ("gcp", "usr/lib/modules/6/kernel/gve.ko.xz"),
        ("azure-agent", "usr/sbin/waagent"),
        ("vmware", "usr/lib/modules/6/kernel/vmxnet3.ko.xz"),
        ("proxmox", "usr/lib/modules/6/kernel/virtio-iommu.ko.xz"),
        ("proxmox", "usr/lib/modules/6/modules.builtin"),
        ("ssh", "usr/lib/systemd/system/ssh.service.d"),
        ("login-prompts", "etc/systemd/system/getty@.service"),
        ("identity", "etc/machine-id"),
    ] {
        let image = Image::new();
        image.without(path);
        let faults = image.faults();
        assert!(faults.iter().any(|(name, _)| *name == check), "{path}: {faults:?}");
    }
}

/// A disk of 1 GiB with one EFI system partition, tables at both ends.
fn disk(path: &Path) {
    let sectors = (1_u64 << 30) / 512;
    let mut entries = vec![0_u8; 128 * 128];
    entries[..16].copy_from_slice(&[
        0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b,
    ]);
    entries[16..32].fill(1);
    entries[32..40].copy_from_slice(&2048_u64.to_le_bytes());
    entries[40..48].copy_from_slice(&8191_u64.to_le_bytes());
    let sum = |bytes: &[u8]| {
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        crc.sum().to_le_bytes()
    };
    let header = |at: u64, other: u64, list: u64| {
        let mut out = vec![0_u8; 512];
        out[..8].copy_from_slice(b"EFI PART");
        out[8..16].copy_from_slice(&[0, 0, 1, 0, 92, 0, 0, 0]);
        for (place, value) in [(24, at), (32, other), (40, 34), (48, sectors - 34), (72, list)] {
            out[place..place + 8].copy_from_slice(&value.to_le_bytes());
        }
        out[80..88].copy_from_slice(&[128, 0, 0, 0, 128, 0, 0, 0]);
        out[88..92].copy_from_slice(&sum(&entries));
        let own = sum(&out[..92]);
        out[16..20].copy_from_slice(&own);
        out
    };
    let mut mbr = vec![0_u8; 512];
    (mbr[450], mbr[510], mbr[511]) = (0xee, 0x55, 0xaa);
    let mut file = fs::File::create(path).expect("a file");
    file.set_len(1 << 30).expect("long");
    for (at, bytes) in [
        (0, mbr),
        (1, header(1, sectors - 1, 2)),
        (2, entries.clone()),
        (sectors - 33, entries.clone()),
        (sectors - 1, header(sectors - 1, 1, sectors - 33)),
    ] {
        file.seek(SeekFrom::Start(at * 512)).and_then(|_| file.write_all(&bytes)).expect("written");
    }
    tell(path, &words());
}

/// What our kernels are told.
fn words() -> String {
    format!("roothash={} rd.shell=0 earlyprintk=ttyS0 console=tty0 console=ttyS0,115200n8", "0f".repeat(32))
}

/// Puts a kernel's words into the EFI system partition, over the border between two pieces that are looked at.
fn tell(path: &Path, words: &str) {
    let mut file = fs::File::options().write(true).open(path).expect("a file");
    let place = 2048 * 512 + (1 << 20) - 20;
    file.seek(SeekFrom::Start(place)).expect("there");
    file.write_all(&[words.as_bytes(), &[0; 400]].concat()).expect("written");
}

#[test]
fn what_kernels_are_told_is_looked_at() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("disk.raw");
    for (from, to, check, told) in [
        ("0f0f", "", "kernel", "no SHA-256"),
        ("rd.shell=0", "", "kernel", "no rd.shell=0"),
        ("rd.shell=0", "rd.shell=0 init=/bin/sh", "kernel", "init=/bin/sh"),
        ("console=ttyS0", "console=ttyS1", "kernel", "serial line"),
        ("earlyprintk=ttyS0 ", "", "azure-console", "no earlyprintk"),
        ("roothash=", "root=", "kernel", "names its root"),
    ] {
        disk(&path);
        tell(&path, &words().replacen(from, to, 1));
        let subject = Subject { root: None, disk: Some(path.clone()) };
        let looked = CHECKS.iter().find(|one| one.name == check).expect("a check").look;
        let faults = looked(&subject).expect("it is looked at");
        assert!(faults.iter().any(|fault| fault.contains(told)), "{to}: {faults:?}");
    }
}

#[test]
fn a_disk_is_looked_at() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("disk.raw");
    disk(&path);
    let look = || {
        let subject = Subject { root: None, disk: Some(path.clone()) };
        CHECKS.iter().filter_map(|check| (check.look)(&subject)).flatten().collect::<Vec<_>>()
    };
    assert_eq!(look(), Vec::<String>::new());
    for (at, told) in [
        (450, "protective"),
        (512 + 60, "first partition table"),
        (1024 + 40, "first partition table"),
        ((1 << 30) - 512, "second"),
    ] {
        disk(&path);
        let mut file = fs::File::options().write(true).open(&path).expect("a file");
        file.seek(SeekFrom::Start(at)).and_then(|_| file.write_all(&[0x5a])).expect("spoiled");
        assert!(look().iter().any(|fault| fault.contains(told)), "{at}: {:?}", look());
    }
    fs::File::options().write(true).open(&path).and_then(|f| f.set_len((1 << 30) + 512)).expect("longer");
    assert!(look().iter().any(|fault| fault.contains("whole GiB")));
}
