//! The image on every kind of board, told what it is by every kind of drive.

use std::time::{Duration, Instant};

use testbed::guest::{Board, Disk, Firmware, Made, Port};

use crate::stage::Stage;
use crate::traffic::{captures, prepared};

/// What a machine without anything to do may use, MiB.
const MEMORY: u64 = 300;

/// What `systemd-analyze security` may give, of 100.
const EXPOSED: [(&str, u32); 8] = [
    ("vigie", 20),
    ("vigie-health", 25),
    ("vigie-prepare", 25),
    ("vigie-provision", 25),
    ("vigie-provision-cloud", 25),
    ("vigie-reset", 25),
    ("vigie-roll-back", 15),
    ("vigie-update", 30),
];

#[test]
fn uefi_virtio() {
    let Some(stage) = Stage::set("uefi_virtio") else { return };
    let since = Instant::now();
    let mut appliance = stage.boot(&Board::default());
    captures(&stage, &mut appliance);
    stage.note("first_event_s", since.elapsed().as_secs());
    appliance.is_good();
    stage.note("mounts", appliance.machine.run("grep -E ' (/|/var|/efi) ' /proc/mounts | cut -d' ' -f1-4"));
    let used = appliance.machine.number("awk '/MemTotal/ { t = $2 } /MemAvailable/ { a = $2 } END { print int((t - a) / 1024) }' /proc/meminfo");
    stage.note("used_mib", used);
    assert!(used < MEMORY, "{}", appliance.machine.run("ps -eo rss,args --sort=-rss | head -n 20; free -m"));
    nothing_listens(&mut appliance.machine);
    let failed = appliance.machine.run("systemctl --failed --no-legend --plain");
    assert_eq!(failed, "", "{}", appliance.machine.run("journalctl -p warning --no-pager | tail -n 80"));
    for (unit, most) in EXPOSED {
        let score = appliance.machine.attempt(&format!(
            "systemd-analyze security --no-pager --threshold={most} {unit}.service | tail -n 1; exit ${{PIPESTATUS[0]}}"
        ));
        stage.note("sandbox", score.text.trim());
        assert_eq!(score.status, 0, "{unit} is more exposed than {most} of 100: {}", score.text);
    }
    stage.note("boot", appliance.machine.run("systemd-analyze --no-pager | head -n 1"));
    stage.note("slow", appliance.machine.run("systemd-analyze --no-pager blame | head -n 12"));
    stage.note("chain", appliance.machine.run("systemd-analyze --no-pager critical-chain vigie.service"));
}

/// No port is open on any address but the machine's own.
fn nothing_listens(machine: &mut testbed::guest::Machine) {
    let heard =
        machine.run("ss -Hlntup | awk '$5 !~ /^(127\\.|\\[::1\\])/' | grep -v -e ':68 ' -e ':546 ' || :");
    assert_eq!(heard, "", "something listens");
}

/// As AWS has it; later the disk is made larger, as everywhere.
#[test]
fn uefi_nvme_and_a_grown_disk() {
    let Some(stage) = Stage::set("uefi_nvme") else { return };
    let board = Board { disk: Disk::Nvme, ..Board::default() };
    let mut appliance = stage.boot(&board);
    captures(&stage, &mut appliance);
    appliance.is_good();
    let size = "df --output=size -m /var | tail -n 1";
    let before = appliance.machine.number(size);
    appliance.machine.run("echo kept >/var/lib/vigie-appliance/mark; sync");
    drop(appliance);
    Made::build_tool(stage.path(), &["qemu-img", "resize", "-q", "disk.qcow2", "8G"]);
    let mut appliance = stage.boot(&board);
    appliance.is_good();
    let after = appliance.machine.number(size);
    stage.note("var_mib", format_args!("{before} then {after}"));
    assert!(after > before + 3500, "/var had {before} MiB, and has {after}");
    assert_eq!(appliance.machine.run("cat /var/lib/vigie-appliance/mark").trim(), "kept");
}

/// As VMware has it, with the properties that were filled in when it was deployed.
#[test]
fn bios_pvscsi_vmxnet3_and_an_ovf_environment() {
    let Some(stage) = Stage::set("bios_pvscsi") else { return };
    let environment = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
        <Environment xmlns=\"http://schemas.dmtf.org/ovf/environment/1\" \
        xmlns:oe=\"http://schemas.dmtf.org/ovf/environment/1\">\n<PropertySection>\n\
        <Property oe:key=\"hostname\" oe:value=\"by-ovf\"/>\n\
        <Property oe:key=\"address\" oe:value=\"192.0.2.7/24\"/>\n\
        </PropertySection>\n</Environment>\n";
    let words = drive(&stage, "OVF ENV", &[("ovf-env.xml", environment)]);
    let board = Board {
        firmware: Firmware::Bios,
        disk: Disk::Pvscsi,
        port: Port::Vmxnet3,
        words,
        ..Board::default()
    };
    let mut appliance = stage.boot(&board);
    captures(&stage, &mut appliance);
    appliance.is_good();
    assert_eq!(appliance.machine.run("cat /proc/sys/kernel/hostname").trim(), "by-ovf");
    // a link of its own may come after the sensor
    let address =
        "ip -brief address | grep 192.0.2.7/24 || { ip -brief address; networkctl --no-pager; exit 1; }";
    appliance.machine.until(Duration::from_secs(60), address);
    let refused = appliance.machine.attempt("/usr/lib/vigie/update-system install /run");
    assert!(refused.status != 0 && refused.text.contains("UEFI"), "{refused:?}");
}

/// As Google Cloud and Proxmox have it, with Proxmox' cloud-init drive.
#[test]
fn uefi_virtio_scsi_and_a_nocloud_drive() {
    let Some(stage) = Stage::set("virtio_scsi") else { return };
    let user = "#cloud-config\nhostname: by-nocloud\n";
    let words = drive(&stage, "cidata", &[("user-data", user), ("meta-data", "instance-id: one\n")]);
    let board = Board { disk: Disk::VirtioScsi, words, ..Board::default() };
    let mut appliance = stage.boot(&board);
    captures(&stage, &mut appliance);
    appliance.is_good();
    assert_eq!(appliance.machine.run("cat /proc/sys/kernel/hostname").trim(), "by-nocloud");
    factory_reset(&stage, &mut appliance);
}

/// What was given goes, and the machine is as it was delivered.
fn factory_reset(stage: &Stage, appliance: &mut testbed::guest::Appliance) {
    let id = "cat /etc/machine-id; blkid -s UUID -o value /dev/disk/by-partlabel/vigie-var";
    let before = appliance.machine.run(id);
    appliance.machine.run("echo gone >/var/lib/vigie-appliance/mark; sync");
    appliance.machine.order("/usr/lib/vigie/factory-reset");
    appliance.comes_back();
    appliance.is_good();
    appliance.machine.run("! [ -e /var/lib/vigie-appliance/mark ] && ! [ -e /efi/factory-reset ]");
    // in place: by way of memory, a large disk would fail
    let made = appliance
        .machine
        .run("journalctl -b -u vigie-reset --no-pager -o cat | grep 'successfully formatted'");
    assert!(made.contains("/dev/loop"), "{made}");
    stage.note(
        "reset",
        format_args!("{} -> {}", before.trim(), appliance.machine.run(id).trim())
            .to_string()
            .replace('\n', " "),
    );
}

/// Two machines from one image share nothing that tells who they are.
#[test]
fn two_clones() {
    let Some(stage) = Stage::set("clones") else { return };
    let script = "cat /etc/machine-id; blkid -s UUID -o value /dev/disk/by-partlabel/vigie-var
        blkid -s PARTUUID -o value /dev/disk/by-partlabel/vigie-var; sha256sum </var/lib/systemd/random-seed";
    let mut seen = Vec::new();
    for uuid in ["11111111-2222-4333-8444-555555555555", "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"] {
        let mut appliance = stage.boot(&Board { uuid, ..Board::default() });
        appliance.is_good();
        seen.push(appliance.machine.run(script));
        drop(appliance);
        std::fs::remove_file(stage.path().join("disk.qcow2")).expect("a disk");
        std::fs::remove_file(stage.path().join("image.raw")).expect("a disk");
    }
    let [first, second] = seen.as_slice() else { unreachable!("two machines") };
    for (one, other) in first.lines().zip(second.lines()) {
        assert_ne!(one, other, "{first}\n{second}");
    }
    assert_eq!(first.lines().count(), 4, "{first}");
}

/// No virtual IOMMU: the function cannot be driven, and the machine says so and captures from its interface.
#[test]
fn no_iommu_falls_back() {
    let Some(stage) = Stage::set("no_iommu") else { return };
    let nic = testbed::guest::Nic::start(stage.path(), &["--persona", "i40e"]);
    let board = Board { nic: Some(testbed::guest::Nic::SOCKET), ..Board::default() };
    let mut appliance = stage.boot(&board);
    captures(&stage, &mut appliance);
    appliance.is_good();
    let told = prepared(&mut appliance);
    stage.note("prepared", &told);
    assert!(told.to_string().contains("IOMMU"), "{told}");
    drop(nic);
}

/// A small drive with files, as words for QEMU.
fn drive(stage: &Stage, label: &str, files: &[(&str, &str)]) -> Vec<String> {
    let image = std::fs::File::create(stage.path().join("drive.img")).expect("a file");
    image.set_len(4 << 20).expect("room");
    Made::build_tool(stage.path(), &["mkfs.vfat", "-n", label, "drive.img"]);
    for (name, text) in files {
        std::fs::write(stage.path().join(name), text).expect("room");
        Made::build_tool(stage.path(), &["mcopy", "-i", "drive.img", name, "::"]);
    }
    let words =
        "-drive file=drive.img,format=raw,if=none,readonly=on,id=given -device virtio-blk-pci,drive=given";
    words.split(' ').map(str::to_owned).collect()
}
