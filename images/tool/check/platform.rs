//! What one platform needs that others do not.

use super::Subject;

pub(super) fn sensor(subject: &Subject) -> Option<Vec<String>> {
    let root = subject.tree()?;
    Some(root.without_files(&[
        "usr/bin/vigie",
        "usr/lib/systemd/system/vigie.service",
        "usr/lib/systemd/system/vigie-provision.service",
        "usr/lib/systemd/system/vigie-prepare.service",
        "usr/lib/systemd/system/vigie-health.service",
        "usr/lib/systemd/system/boot-complete.target.requires/vigie-health.service",
    ]))
}

pub(super) fn aws(subject: &Subject) -> Option<Vec<String>> {
    let root = subject.tree()?;
    let mut faults = root.without_drivers(&["ena", "nvme"]);
    faults.extend(root.without_files(&["usr/sbin/sshd", "usr/bin/sudo"]));
    let sudo: String = root.files("etc/sudoers.d").iter().filter_map(|path| root.text(path)).collect();
    if !sudo.contains("NOPASSWD") {
        faults.push("nobody may use sudo: the scanner logs in by key and looks as root".into());
    }
    Some(faults)
}

pub(super) fn gcp(subject: &Subject) -> Option<Vec<String>> {
    let root = subject.tree()?;
    let mut faults = root.without_drivers(&["gve", "virtio_scsi", "virtio_net", "nvme"]);
    faults.extend(root.without_files(&["usr/sbin/sshd"]));
    Some(faults)
}

pub(super) fn azure(subject: &Subject) -> Option<Vec<String>> {
    let root = subject.tree()?;
    let mut faults = root.without_drivers(&["hv_vmbus", "hv_storvsc", "hv_netvsc", "mana", "mlx5_core"]);
    let config: String =
        root.files("etc/ssh/sshd_config.d").iter().filter_map(|path| root.text(path)).collect();
    let alive = config
        .lines()
        .find_map(|line| line.trim().strip_prefix("ClientAliveInterval")?.trim().parse::<u32>().ok());
    if !alive.is_some_and(|seconds| (30..=235).contains(&seconds)) {
        faults.push(format!("ClientAliveInterval is {alive:?}"));
    }
    let swap = root.text("etc/fstab").unwrap_or_default();
    if swap
        .lines()
        .any(|line| !line.trim_start().starts_with('#') && line.split_whitespace().nth(2) == Some("swap"))
    {
        faults.push("/etc/fstab has swap".into());
    }
    Some(faults)
}

pub(super) fn azure_agent(subject: &Subject) -> Option<Vec<String>> {
    let root = subject.tree()?;
    let is_there = ["usr/sbin/waagent", "usr/bin/waagent"].iter().any(|path| root.has(path));
    Some(if is_there { Vec::new() } else { vec!["no Linux agent (waagent)".into()] })
}

pub(super) fn vmware(subject: &Subject) -> Option<Vec<String>> {
    Some(subject.tree()?.without_drivers(&["vmxnet3", "vmw_pvscsi", "iavf", "vfio-pci"]))
}

pub(super) fn proxmox(subject: &Subject) -> Option<Vec<String>> {
    Some(subject.tree()?.without_drivers(&[
        "virtio_net",
        "virtio_scsi",
        "virtio_blk",
        "virtio_iommu",
        "iavf",
        "vfio-pci",
    ]))
}
