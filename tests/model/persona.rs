//! Whom the model plays: what differs between physical functions, as data (reference section 12.10).

use std::ops::RangeInclusive;
use std::time::Duration;

/// What a kind of NIC and its PF driver do differently. The model never asks for a name, only for these.
#[derive(Clone, Debug)]
pub struct Persona {
    /// As on the command line.
    pub name: &'static str,
    /// PCI device id of the virtual function; the vendor is 0x8086.
    pub device: u16,
    /// Size of BAR 0 in bytes.
    pub bar0: u32,
    /// Link capabilities and status of the PCIe capability: speed in bits 3 to 0, width in bits 9 to 4.
    pub pcie_link: u16,
    /// Queue pairs that a function begins with.
    pub pairs: u16,
    /// Queue pairs that REQUEST_QUEUES may ask for.
    pub most_pairs: u16,
    /// MSI-X vectors beyond one for each pair, for the mailbox.
    pub other_vectors: u16,
    /// Number of the VSI that op 3 tells.
    pub vsi: u16,
    /// Queue set handle that op 3 tells.
    pub qset: u16,
    /// Largest MTU that op 3 tells; 0 is "unknown".
    pub max_mtu: u16,
    /// Blank VSI entries after the one of the function in the reply to op 3.
    pub blank_vsis: usize,
    /// Capabilities granted whether asked for or not.
    pub always: u32,
    /// Capabilities granted when asked for.
    pub on_request: u32,
    /// Requests that are served; what the validator knows beside them is "not implemented".
    pub serves: &'static [u32],
    /// Status for an operation that is known but not served, and for one that is unknown.
    pub not_served: i32,
    /// Status for an operation that the length validator does not know.
    pub unknown: i32,
    /// Whether only operations that capabilities unlock are let through.
    pub allow_list: bool,
    /// Status for a change of the MAC address that the host forbids.
    pub refused_mac: i32,
    /// What a disabled function hears: a status, or nothing.
    pub disabled: Option<i32>,
    /// Whether data queues may be mapped to vector 0.
    pub vector_zero: bool,
    /// Bits of a receive tail that count.
    pub tail_mask: u32,
    /// Whether adding a VLAN filter turns stripping on.
    pub vlan_strips: bool,
    /// What is told of the link before queues are enabled.
    pub link_before: LinkBefore,
    /// What an entry of the lookup table may be.
    pub lut: LutLimit,
    /// Classes of packets that can be hashed (op 25).
    pub hena: u64,
    /// Receive descriptor formats, a bit each (op 44).
    pub rxdids: u64,
    /// Whether WB_ON_ITR of a vector's control register is honoured.
    pub write_back_on_itr: bool,
    /// Whether the receive-polling capability and a queue on vector 0 end the automatic masking of vector 0.
    pub polling_unmasks: bool,
    /// Messages in one snapshot of the PF's mailbox after which a function is ignored; none is no guard.
    pub flood: Option<u32>,
    /// How long ENABLE of the mailbox rings outlives the start of a reset.
    pub mailbox_outlives: Duration,
    /// How long a reset takes until the function is active again.
    pub reset: RangeInclusive<Duration>,
}

/// What is told of the link before the first queue is enabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkBefore {
    /// Its real state, after the reply to op 3.
    Real,
    /// That it is down.
    Down,
}

/// Which queues a lookup table may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LutLimit {
    /// Those that the function has.
    Pairs,
    /// Numbers below this one.
    Below(u16),
}

/// Capability bits of section 4.5 that personas grant.
mod grant {
    pub(super) const L2: u32 = 1;
    pub(super) const WB_ON_ITR: u32 = 1 << 5;
    pub(super) const REQ_QUEUES: u32 = 1 << 6;
    pub(super) const ADV_LINK_SPEED: u32 = 1 << 7;
    pub(super) const VLAN: u32 = 1 << 16;
    pub(super) const RX_POLLING: u32 = 1 << 17;
    pub(super) const RSS_PCTYPE_V2: u32 = 1 << 18;
    pub(super) const RSS_PF: u32 = 1 << 19;
    pub(super) const ENCAP: u32 = 1 << 20;
    pub(super) const ENCAP_CSUM: u32 = 1 << 21;
    pub(super) const ADQ: u32 = 1 << 23;
}

/// What a kernel PF of the 700 series serves.
const I40E_SERVES: &[u32] = &[1, 2, 3, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 23, 24, 25, 26, 27, 28, 29];

impl Persona {
    /// A virtual function of an X710 under the kernel's i40e.
    #[must_use]
    pub fn i40e() -> Self {
        Self {
            name: "i40e",
            device: 0x154C,
            bar0: 64 << 10,
            pcie_link: 0x83,
            pairs: 4,
            most_pairs: 16,
            other_vectors: 1,
            vsi: 26,
            qset: 16,
            max_mtu: 0,
            blank_vsis: 1,
            always: grant::L2 | grant::ADV_LINK_SPEED,
            on_request: grant::REQ_QUEUES
                | grant::VLAN
                | grant::RX_POLLING
                | grant::RSS_PF
                | grant::ENCAP
                | grant::ADQ,
            serves: I40E_SERVES,
            not_served: -60,
            unknown: -5,
            allow_list: false,
            refused_mac: -1,
            disabled: None,
            vector_zero: true,
            tail_mask: u32::MAX,
            vlan_strips: true,
            link_before: LinkBefore::Real,
            lut: LutLimit::Pairs,
            hena: 0x8000_7A1E_8000_0000,
            rxdids: 1 << 1,
            write_back_on_itr: false,
            polling_unmasks: true,
            flood: None,
            mailbox_outlives: Duration::from_millis(2),
            reset: Duration::from_millis(30)..=Duration::from_millis(60),
        }
    }

    /// A virtual function of an X722 under the kernel's i40e.
    #[must_use]
    pub fn x722() -> Self {
        let i40e = Self::i40e();
        Self {
            name: "x722",
            device: 0x37CD,
            on_request: i40e.on_request | grant::WB_ON_ITR | grant::RSS_PCTYPE_V2 | grant::ENCAP_CSUM,
            hena: 0x8000_7F9F_E000_0000,
            write_back_on_itr: true,
            ..i40e
        }
    }

    /// The persona of a name on the command line.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::i40e(), Self::x722()].into_iter().find(|persona| persona.name == name)
    }
}
