//! Whom the software NIC plays before a guest, and what the guest is to find.

/// One of the functions that every referee judges.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Role {
    /// The persona, as the NIC is told it.
    pub(crate) persona: &'static str,
    /// Its PCI device id, as sysfs writes it.
    pub(crate) device: &'static str,
    /// Speed of its link in Mbit/s.
    pub(crate) mbps: u64,
    /// Whether single flows can be steered and dropped, and descriptors are flexible.
    pub(crate) is_flexible: bool,
}

/// A virtual function of an X710.
pub(crate) const X710: Role = Role { persona: "i40e", device: "0x154c", mbps: 10_000, is_flexible: false };

/// A virtual function of an E810.
pub(crate) const E810: Role = Role { persona: "ice", device: "0x1889", mbps: 100_000, is_flexible: true };
