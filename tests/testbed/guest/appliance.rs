//! An appliance at work: the image that `images/build` made, on boards of several shapes.
//!
//! Nobody logs in to it. Scripts run in a unit that its hypervisor gives it (systemd's system credentials over SMBIOS),
//! and talk over the second serial port, as in every other guest.

use std::fs;
use std::io::Write as _;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use base64::Engine as _;

use super::machine::CONSOLES;
use super::{Machine, NoGuests, Root};

/// How long a boot may take on a busy machine without hardware virtualisation.
const BOOT: Duration = Duration::from_secs(420);

/// An image, as a folder with `disk.raw`.
#[derive(Clone, Debug)]
pub struct Made {
    folder: PathBuf,
    root: Root,
}

impl Made {
    /// The one that `VIGIE_IMAGE` names.
    ///
    /// # Errors
    /// When there is none, or no machine to boot it on.
    pub fn find() -> Result<Self, NoGuests> {
        let named = std::env::var_os("VIGIE_IMAGE").filter(|name| !name.is_empty());
        let folder =
            named.ok_or_else(|| NoGuests::because("VIGIE_IMAGE names no image (make image-test does)"))?;
        let folder = PathBuf::from(folder);
        if !folder.join("disk.raw").exists() {
            return Err(NoGuests::because(&format!("{} has no disk.raw", folder.display())));
        }
        Ok(Self { folder, root: Root::find()? })
    }

    /// A file that came out beside the disk.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Another version of it, from the same tree, with what is in `overlay` laid over it: the folder that machines update
    /// themselves from. Nothing, and the reason told, where there are no keys to sign it with.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn another(&self, name: &str, version: &str, overlay: Option<&Path>) -> Option<PathBuf> {
        if std::env::var_os("VIGIE_IMAGE_KEYS").is_none() {
            let _ =
                writeln!(std::io::stderr(), "skipped: VIGIE_IMAGE_KEYS names no keys to sign versions with");
            return None;
        }
        let mut words = vec!["--repack", "--only-update", "--name", name, "--version", version];
        let overlay = overlay.map(|folder| folder.display().to_string());
        if let Some(folder) = &overlay {
            words.extend(["--overlay", folder]);
        }
        Some(Self::build(&words).join("update"))
    }

    /// The same once more, from its packages on: the folder in which everything lies that comes out.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn again(&self, name: &str) -> PathBuf {
        Self::build(&["--name", name])
    }

    fn build(words: &[&str]) -> PathBuf {
        let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../images/build"));
        command.args(words).arg("--binary").arg(crate::binary());
        if let Some(keys) = std::env::var_os("VIGIE_IMAGE_KEYS") {
            command.arg("--keys").arg(keys);
        }
        let output = command.stdin(Stdio::null()).output().expect("the script runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        said.lines().last().expect("a folder").into()
    }

    /// Runs a program of the builder with `folder` as its current one.
    ///
    /// # Panics
    /// When it fails.
    pub fn build_tool(folder: &Path, words: &[&str]) -> String {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../images/builder.sh");
        let output = Command::new(script).arg("run").arg(folder).args(words).stdin(Stdio::null()).output();
        let output = output.expect("the builder runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{words:?}: {}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    }
}

/// What starts the loader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Firmware {
    /// UEFI that checks no signature.
    Uefi,
    /// UEFI that checks signatures, by the keys in the variables that the test has put there (`vars.fd`); without any it is
    /// in setup mode, and takes keys from whoever starts first.
    SecureBoot,
    /// None of it: SeaBIOS.
    Bios,
}

/// What the disk hangs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disk {
    /// As in Proxmox and plain QEMU.
    VirtioBlk,
    /// As in Google Cloud, and Proxmox' default.
    VirtioScsi,
    /// As in AWS.
    Nvme,
    /// As in VMware.
    Pvscsi,
}

/// Kind of both network interfaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// virtio-net.
    Virtio,
    /// As in VMware.
    Vmxnet3,
}

/// What a machine is made of.
#[derive(Clone, Debug)]
pub struct Board {
    /// What starts the loader.
    pub firmware: Firmware,
    /// What the disk hangs on.
    pub disk: Disk,
    /// Kind of both network interfaces.
    pub port: Port,
    /// Whether there is a virtual IOMMU.
    pub iommu: bool,
    /// Memory, MiB.
    pub memory: u32,
    /// Size of the disk, GiB.
    pub size: u32,
    /// Socket of a device in another process (vfio-user), by its name in the machine's folder.
    pub nic: Option<&'static str>,
    /// A folder beside the disk that `http://10.0.2.100/` has on the management network.
    pub web: Option<&'static str>,
    /// Further words for QEMU.
    pub words: Vec<String>,
    /// Identity that the firmware tells.
    pub uuid: &'static str,
    /// What the hypervisor hands over (systemd's credentials), by name.
    pub credentials: Vec<(String, String)>,
}

impl Default for Board {
    fn default() -> Self {
        Self {
            firmware: Firmware::Uefi,
            disk: Disk::VirtioBlk,
            port: Port::Virtio,
            iommu: false,
            memory: 1024,
            size: 4,
            nic: None,
            web: None,
            words: Vec::new(),
            uuid: "6f3c8c1e-0d5b-4c7e-9a52-3d1f6a7b8c9d",
            credentials: Vec::new(),
        }
    }
}

/// An appliance that has booted. Its disk and its firmware's variables stay in the folder when the power is gone.
#[derive(Debug)]
pub struct Appliance {
    /// What runs it.
    pub machine: Machine,
    /// Its capture interface: one datagram a frame.
    wire: UnixDatagram,
    folder: PathBuf,
}

impl Appliance {
    /// Gives `folder` a disk of its own, over the image.
    ///
    /// # Panics
    /// When there is no room.
    pub fn insert_disk(made: &Made, folder: &Path, size: u32) {
        let (from, to) = (made.file("disk.raw"), folder.join("image.raw"));
        if fs::hard_link(&from, &to).is_err() {
            fs::copy(&from, &to).expect("room for a disk");
        }
        let size = format!("{size}G");
        let words =
            ["qemu-img", "create", "-q", "-f", "qcow2", "-b", "image.raw", "-F", "raw", "disk.qcow2", &size];
        Made::build_tool(folder, &words);
    }

    /// Boots `made` on `board`, with a disk that is there already or a new one; waits until it runs scripts.
    ///
    /// # Panics
    /// When it does not come up; the console is shown.
    #[must_use]
    pub fn boot(made: &Made, board: &Board, folder: &Path) -> Self {
        let mut appliance = Self::switch_on(made, board, folder);
        appliance.machine.comes_back(BOOT);
        appliance
    }

    /// As [`Self::boot`], without waiting for anything inside.
    ///
    /// # Panics
    /// When QEMU does not start.
    #[must_use]
    pub fn switch_on(made: &Made, board: &Board, folder: &Path) -> Self {
        if !folder.join("disk.qcow2").exists() {
            Self::insert_disk(made, folder, board.size);
        }
        prepare_firmware(board.firmware, folder);
        hand_over(board, folder);
        let wire = folder.join("wire.test");
        let _ = fs::remove_file(&wire); // of the power-on before
        let _ = fs::remove_file(folder.join("wire.guest"));
        let wire = UnixDatagram::bind(wire).expect("a socket");
        let machine = Machine::switch_on(&made.root, arguments(board), folder);
        Self { machine, wire, folder: folder.to_owned() }
    }

    /// Waits until the sensor captures and its self-test has passed.
    ///
    /// # Panics
    /// When that does not happen.
    pub fn is_good(&mut self) {
        self.machine
            .until(BOOT, "systemctl is-active boot-complete.target || { systemctl list-jobs; exit 1; }");
    }

    /// Waits until it has restarted and runs scripts again.
    ///
    /// # Panics
    /// When that does not happen.
    pub fn comes_back(&mut self) {
        self.machine.comes_back(BOOT);
    }

    /// Puts a frame on the wire that its capture interface listens to.
    ///
    /// # Panics
    /// When nobody is there.
    pub fn send(&self, frame: &[u8]) {
        self.wire.send_to(frame, self.folder.join("wire.guest")).expect("a machine with an interface");
    }

    /// What its console said so far.
    #[must_use]
    pub fn console(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.folder.join("console")).unwrap_or_default()).into_owned()
    }
}

/// Firmware and its variables, which stay once they are there.
fn prepare_firmware(firmware: Firmware, folder: &Path) {
    let code = match firmware {
        Firmware::Bios => return,
        Firmware::Uefi => "OVMF_CODE_4M.fd",
        Firmware::SecureBoot => "OVMF_CODE_4M.secboot.fd",
    };
    let mut files = vec![(code, "code.fd")];
    if !folder.join("vars.fd").exists() {
        files.push(("OVMF_VARS_4M.fd", "vars.fd"));
    }
    for (from, to) in files {
        Made::build_tool(folder, &["cp", &format!("/usr/share/OVMF/{from}"), to]);
    }
}

/// Writes what SMBIOS hands over into files, since it is too long for a command line.
fn hand_over(board: &Board, folder: &Path) {
    let unit = "[Unit]\nDefaultDependencies=no\nConditionPathExists=!/etc/initrd-release\n[Service]\nImportCredential=vigie-test.agent\n\
        ExecStart=/bin/bash %d/vigie-test.agent\nRestart=always\nOOMScoreAdjust=-900\n";
    let own = [
        ("vigie-test.agent", include_str!("agent.sh")),
        ("systemd.extra-unit.vigie-test.service", unit),
        ("systemd.unit-dropin.sysinit.target", "[Unit]\nWants=vigie-test.service\n"),
    ];
    let given = board.credentials.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    for (number, (name, text)) in own.into_iter().chain(given).enumerate() {
        let text = base64::engine::general_purpose::STANDARD.encode(text);
        let line = format!("io.systemd.credential.binary:{name}={text}");
        fs::write(folder.join(format!("credential-{number}")), line).expect("room");
    }
}

fn arguments(board: &Board) -> Vec<String> {
    let mut words: Vec<String> = [
        "-accel tcg,thread=multi -cpu max -nodefaults -no-user-config -display none",
        CONSOLES,
        &format!("-machine q35,kernel-irqchip=split -smp 2 -m {0} -numa node,memdev=memory", board.memory),
        &format!("-object memory-backend-memfd,id=memory,size={}M,share=on", board.memory),
        &format!("-uuid {}", board.uuid),
        // a device in another process finds the IOMMU only when that came first
        if board.iommu { "-device intel-iommu,intremap=on,caching-mode=on" } else { "" },
        firmware_words(board.firmware),
        disk_words(board.disk),
        "-netdev dgram,id=wire,local.type=unix,local.path=wire.guest,remote.type=unix,remote.path=wire.test",
    ]
    .iter()
    .flat_map(|words| words.split_whitespace().map(str::to_owned))
    .collect();
    // a request starts a server of its own, which ends with it
    let web = board.web.map(|folder| format!(",guestfwd=tcp:10.0.2.100:80-cmd:busybox httpd -i -h {folder}"));
    let manage = format!("user,id=manage,restrict=on,ipv6=off{}", web.unwrap_or_default());
    words.extend(["-netdev".to_owned(), manage]);
    let port = match board.port {
        Port::Virtio => "virtio-net-pci",
        Port::Vmxnet3 => "vmxnet3",
    };
    for (network, address) in [("manage", "52:54:00:12:34:01"), ("wire", "52:54:00:12:34:02")] {
        words.extend(["-device".to_owned(), format!("{port},netdev={network},mac={address},romfile=")]);
    }
    for number in 0..3 + board.credentials.len() {
        words.extend(["-smbios".to_owned(), format!("type=11,path=credential-{number}")]);
    }
    if let Some(socket) = board.nic {
        let socket = serde_json::json!({ "path": socket, "type": "unix" });
        let device = serde_json::json!({ "driver": "vfio-user-pci", "socket": socket });
        words.extend(["-device".to_owned(), device.to_string()]);
    }
    words.extend(board.words.iter().cloned());
    words
}

const fn firmware_words(firmware: Firmware) -> &'static str {
    match firmware {
        Firmware::Bios => "",
        Firmware::Uefi => {
            "-drive if=pflash,format=raw,readonly=on,file=code.fd -drive if=pflash,format=raw,file=vars.fd"
        }
        Firmware::SecureBoot => {
            "-drive if=pflash,format=raw,readonly=on,file=code.fd -drive if=pflash,format=raw,file=vars.fd \
            -global driver=cfi.pflash01,property=secure,value=on -machine smm=on"
        }
    }
}

const fn disk_words(disk: Disk) -> &'static str {
    match disk {
        Disk::VirtioBlk => {
            "-drive file=disk.qcow2,format=qcow2,if=none,id=disk -device virtio-blk-pci,drive=disk,bootindex=0"
        }
        Disk::VirtioScsi => {
            "-drive file=disk.qcow2,format=qcow2,if=none,id=disk -device virtio-scsi-pci \
            -device scsi-hd,drive=disk,bootindex=0"
        }
        Disk::Nvme => {
            "-drive file=disk.qcow2,format=qcow2,if=none,id=disk -device nvme,drive=disk,serial=vigie,bootindex=0"
        }
        Disk::Pvscsi => {
            "-drive file=disk.qcow2,format=qcow2,if=none,id=disk -device pvscsi \
            -device scsi-hd,drive=disk,bootindex=0"
        }
    }
}
