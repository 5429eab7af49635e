//! The image on every kind of board.

use testbed::guest::Board;

use crate::stage::Stage;

#[test]
fn uefi_virtio() {
    let Some(stage) = Stage::set("uefi_virtio") else { return };
    let mut appliance = stage.boot(&Board::default());
    stage.note("partitions", appliance.machine.run("lsblk -no NAME,SIZE,PARTLABEL,MOUNTPOINT; cat /etc/machine-id; systemctl list-jobs; systemctl --failed; free -m; cat /proc/mounts | grep -E ' / | /var | /efi '"));
    appliance.is_good();
}
