//! What marketplaces and our own promises demand of an image, as a catalogue of checks over its root file system and its
//! disk. Sources: AWS "AMI-based product requirements", Google Cloud "Requirements to build custom images", Azure "Virtual
//! machine certification" and "Prepare a Linux VHD", VMware and Proxmox by what their importers do.

mod kernel;
mod network;
mod partitions;
mod platform;
mod secrets;
mod tree;

pub use tree::Subject;

/// Where an image goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Platform {
    /// Amazon Web Services.
    Aws,
    /// Microsoft Azure.
    Azure,
    /// Google Cloud.
    Gcp,
    /// VMware vSphere.
    Vmware,
    /// Proxmox VE.
    Proxmox,
}

impl Platform {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Aws, Self::Azure, Self::Gcp, Self::Vmware, Self::Proxmox];
}

/// One demand.
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// Who demands it.
    pub platforms: &'static [Platform],
    /// What is demanded.
    pub text: &'static str,
    /// Each fault; nothing where the subject does not have what is looked at.
    pub look: fn(&Subject) -> Option<Vec<String>>,
}

const fn everywhere(
    name: &'static str,
    text: &'static str,
    look: fn(&Subject) -> Option<Vec<String>>,
) -> Check {
    Check { name, platforms: Platform::ALL, text, look }
}

const fn only(
    platforms: &'static [Platform],
    name: &'static str,
    text: &'static str,
    look: fn(&Subject) -> Option<Vec<String>>,
) -> Check {
    Check { name, platforms, text, look }
}

/// Every check.
pub static CHECKS: &[Check] = &[
    everywhere("passwords", "no account has a password, and none is empty", secrets::passwords),
    everywhere("login-keys", "nobody's key is in the image", secrets::login_keys),
    everywhere(
        "private-keys",
        "no private key, no host key, no cloud credential is in the image",
        secrets::private_keys,
    ),
    everywhere(
        "identity",
        "clones do not share an id: machine-id is empty, there is no random seed",
        secrets::identity,
    ),
    everywhere(
        "traces",
        "no logs, leases, package lists, shell histories of whoever made it",
        secrets::traces,
    ),
    everywhere(
        "listening",
        "no unit that is enabled listens on the network, but an SSH server that waits for a key",
        network::listening,
    ),
    everywhere(
        "firewall",
        "what is not configured is closed: input and forwarding are dropped",
        network::firewall,
    ),
    everywhere("ssh", "keys alone, no root, no server without a key", network::ssh),
    everywhere("login-prompts", "no login prompt on a screen or a line", network::prompts),
    everywhere("sensor", "the binary and its units are there", platform::sensor),
    everywhere(
        "partitions",
        "a partition table of which both copies are right, with an EFI system partition",
        partitions::table,
    ),
    everywhere(
        "kernel",
        "kernels name their root by its hash, speak on the serial line, and open no shell when they fail",
        kernel::words,
    ),
    everywhere("size", "whole GiB (Google Cloud), whole MiB (Azure)", partitions::size),
    only(
        &[Platform::Aws],
        "aws",
        "ENA and NVMe drivers; an SSH server and sudo for the scanner",
        platform::aws,
    ),
    only(&[Platform::Gcp], "gcp", "gVNIC, virtio-scsi and NVMe drivers; an SSH server", platform::gcp),
    only(
        &[Platform::Azure],
        "azure",
        "Hyper-V, MANA and mlx5 drivers; ClientAliveInterval 30 to 235; no swap",
        platform::azure,
    ),
    only(
        &[Platform::Azure],
        "azure-console",
        "the kernel speaks on the serial line from its first moment",
        kernel::early,
    ),
    only(
        &[Platform::Azure],
        "azure-agent",
        "the Linux agent, which a listing asks for and a machine does without",
        platform::azure_agent,
    ),
    only(
        &[Platform::Vmware],
        "vmware",
        "vmxnet3 and pvscsi drivers, and iavf for functions",
        platform::vmware,
    ),
    only(
        &[Platform::Proxmox],
        "proxmox",
        "virtio drivers, an IOMMU's too, and iavf for functions",
        platform::proxmox,
    ),
];

#[cfg(test)]
mod tests;
