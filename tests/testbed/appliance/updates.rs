//! Updates, and accidents on the way.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use testbed::guest::{Appliance, Board, Made};

use crate::stage::Stage;

/// How long an update may take to be written.
const WRITTEN: Duration = Duration::from_secs(240);
/// Where the guest finds the folders of versions: on the network, and on a drive.
const WEB: &str = "http://10.0.2.100";
const MOUNT: &str = "mkdir -p /run/versions && { mountpoint -q /run/versions || \
    mount -o ro /dev/disk/by-label/VERSIONS /run/versions; }";

/// A good version is taken over HTTP and stays; a signature that is none is refused; a version that does not capture, from a
/// folder, goes by itself.
#[test]
fn good_stays_and_broken_goes() {
    let Some(stage) = Stage::set("updates") else { return };
    let Some(board) = versions(&stage, &[("good", "0.1.1", false), ("broken", "0.1.2", true)]) else {
        return;
    };
    let mut appliance = stage.boot(&board);
    appliance.is_good();
    let forged = appliance.machine.attempt(&format!(
        "{MOUNT}; cp -r /run/versions/good /run/forged; echo >>/run/forged/SHA256SUMS
        /usr/lib/vigie/update-system install /run/forged; status=$?; rm -rf /run/forged; exit $status"
    ));
    assert_ne!(forged.status, 0, "sums that nobody signed were taken: {}", forged.text);

    update(&mut appliance, &format!("{WEB}/good"));
    assert_eq!(version(&mut appliance), "0.1.1");
    appliance.is_good();
    let kernels =
        appliance.machine.until(WRITTEN, "ls /efi/EFI/Linux; ls /efi/EFI/Linux | grep -qx vigie_0.1.1.efi");
    stage.note("kernels", kernels.replace('\n', " "));

    update(&mut appliance, "/run/versions/broken");
    let mut seen = vec![version(&mut appliance)];
    while seen.last().is_some_and(|last| last == "0.1.2") && seen.len() < 4 {
        appliance.comes_back();
        seen.push(version(&mut appliance));
    }
    stage.note("versions", seen.join(" "));
    assert_eq!(seen, ["0.1.2", "0.1.2", "0.1.1"], "{}", appliance.machine.told());
    appliance.is_good();
    let kernels = appliance.machine.run("ls /efi/EFI/Linux");
    assert!(kernels.contains("vigie_0.1.2+0-2.efi"), "{kernels}");
}

/// The power goes while the second slot is being written: what ran before runs again, and the update works after all.
#[test]
fn power_cut_in_an_update() {
    let Some(stage) = Stage::set("power_cut") else { return };
    let Some(board) = versions(&stage, &[("good", "0.1.1", false)]) else { return };
    let mut appliance = stage.boot(&board);
    appliance.is_good();
    let written = "awk '$3 == \"vda\" { print $10 }' /proc/diskstats";
    let before = appliance.machine.number(written);
    begin_update(&mut appliance, "/run/versions/good");
    // tens of megabytes are on the disk, and nothing is complete
    appliance.machine.until(
        WRITTEN,
        &format!("[ $(({written_now} - {before})) -gt 65536 ]", written_now = format_args!("$({written})")),
    );
    let state = appliance.machine.run("ls /efi/EFI/Linux; lsblk -no PARTLABEL /dev/vda");
    drop(appliance);
    stage.note("cut", state.replace('\n', " "));
    assert!(!state.contains("0.1.1.efi") && !state.contains("0.1.1+"), "too late to cut: {state}");

    let mut appliance = stage.boot(&board);
    appliance.is_good();
    assert_eq!(version(&mut appliance), "0.1.0");
    update(&mut appliance, "/run/versions/good");
    assert_eq!(version(&mut appliance), "0.1.1");
    appliance.is_good();
}

/// A root that is not what was signed is not run.
#[test]
fn corruption_is_refused() {
    let Some(stage) = Stage::set("corruption") else { return };
    let board = Board::default();
    Appliance::insert_disk(&stage.made, stage.path(), board.size);
    // in the middle of the root: 322 MiB before it, and what every boot reads within
    for offset in (330..400).step_by(2) {
        let order = format!("write -q -P 0xa5 {offset}M 1M");
        Made::build_tool(stage.path(), &["qemu-io", "-c", &order, "disk.qcow2"]);
    }
    let mut board = board;
    board.words.push("-no-reboot".to_owned());
    let mut appliance = Appliance::switch_on(&stage.made, &board, stage.path());
    appliance.machine.ends(Duration::from_secs(420));
    let console = appliance.console();
    stage.note("console", console.lines().rev().find(|line| line.contains("verity")).unwrap_or_default());
    assert!(console.contains("verity"), "{console}");
}

/// Has the machine update itself, by the unit that its timer starts, and waits until it has restarted.
fn update(appliance: &mut Appliance, from: &str) {
    begin_update(appliance, from);
    appliance.comes_back();
}

fn begin_update(appliance: &mut Appliance, from: &str) {
    appliance.machine.run(&format!(
        "{MOUNT}; echo {from} >/etc/vigie/update; systemctl start --no-block vigie-update.service"
    ));
}

fn version(appliance: &mut Appliance) -> String {
    appliance.machine.run("sed -n 's/^IMAGE_VERSION=//p' /etc/os-release").trim().to_owned()
}

/// Versions made from the tree of the image, in folders of a drive: name, version, and whether its sensor fails.
fn versions(stage: &Stage, wanted: &[(&str, &str, bool)]) -> Option<Board> {
    let folder = stage.path().join("versions");
    fs::create_dir(&folder).expect("a folder");
    for (name, version, is_broken) in wanted {
        let overlay = stage.path().join("overlay");
        if *is_broken {
            let unit = overlay.join("usr/lib/systemd/system/vigie.service.d");
            fs::create_dir_all(&unit).expect("a folder");
            fs::write(unit.join("broken.conf"), "[Service]\nExecStart=\nExecStart=/bin/false\n")
                .expect("room");
        }
        let update =
            stage.made.another(&format!("test-{name}"), version, is_broken.then_some(overlay.as_path()))?;
        copy(&update, &folder.join(name));
    }
    drive(stage.path());
    let words = "-drive file=versions.img,format=raw,if=none,readonly=on,id=versions -device virtio-blk-pci,drive=versions";
    let words = words.split(' ').map(str::to_owned).collect();
    Some(Board { web: Some("versions"), words, ..Board::default() })
}

fn copy(from: &Path, to: &PathBuf) {
    fs::create_dir(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        fs::copy(entry.path(), to.join(entry.file_name())).expect("room");
    }
}

/// A drive with what is in the folder `versions`.
fn drive(at: &Path) {
    let file = fs::File::create(at.join("versions.img")).expect("a file");
    file.set_len(400 << 20).expect("room");
    let words = ["mkfs.ext4", "-q", "-L", "VERSIONS", "-d", "versions", "versions.img"];
    Made::build_tool(at, &words);
}
