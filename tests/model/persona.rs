//! Whom the model plays: what differs between physical functions, as data (reference section 12.10).

use std::ops::RangeInclusive;
use std::time::Duration;

use avf::rss::Family;
use avf::virtchnl::{Caps, Opcode, Status};

/// What a kind of NIC and its PF driver do differently. The model never asks for a name, only for these.
#[derive(Clone, Debug)]
pub struct Persona {
    /// As on the command line.
    pub name: &'static str,
    /// PCI device id of the virtual function; the vendor is 0x8086.
    pub device: u16,
    /// PCI revision.
    pub revision: u8,
    /// Subsystem vendor and device.
    pub subsystem: (u16, u16),
    /// Size of BAR 0 in bytes.
    pub bar0: u32,
    /// Link capabilities and status of the PCIe capability: speed in bits 3 to 0, width in bits 9 to 4.
    pub pcie_link: u16,
    /// Queue pairs that a function begins with.
    pub pairs: u16,
    /// Queue pairs that REQUEST_QUEUES may ask for.
    pub most_pairs: u16,
    /// The same where the host lets functions be large and one negotiated it.
    pub most_pairs_large: u16,
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
    pub always: Caps,
    /// Capabilities granted when asked for.
    pub on_request: Caps,
    /// Requests that are served; what the validator knows beside them is "not implemented".
    pub serves: &'static [Opcode],
    /// Status for an operation that is known but not served, and for one that is unknown.
    pub not_served: Status,
    /// Status for an operation that the length validator does not know.
    pub unknown: Status,
    /// Whether only operations that capabilities unlock are let through.
    pub allow_list: bool,
    /// Status for a change of the MAC address that the host forbids.
    pub refused_mac: Status,
    /// What a disabled function hears: a status, or nothing.
    pub disabled: Option<Status>,
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
    /// Longest frame that the port carries, without its check sequence.
    pub longest_frame: u32,
    /// How classes of packets are numbered, and which of them are hashed at first.
    pub family: Family,
    /// Whether of a tunnelled packet the inner headers are hashed, asked for or not.
    pub hashes_inner: bool,
    /// Speed of its link in Mbit/s.
    pub link_mbps: u32,
    /// Whether tagged frames need a VLAN filter even when there is none.
    pub prunes_vlans: bool,
    /// MAC addresses, and VLANs, of a function that is not trusted.
    pub untrusted: FilterLimits,
    /// Status for more MAC addresses than that.
    pub macs_full: Status,
    /// Whether addresses that are none (zero, broadcast) are passed over, and not refused.
    pub skips_no_addresses: bool,
    /// Whether an address may be taken back that was never given.
    pub takes_back_unknown: bool,
    /// What queues may be like.
    pub queues: QueueRules,
    /// Whether the PF enforces the most VLANs by answering, or takes what is too much for granted and ignores it.
    pub says_vlans_full: bool,
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

/// What queues may be like, and what becomes of those that may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueRules {
    /// Whether one bad queue in op 6 stops all queues of the function.
    pub failure_stops_all: bool,
    /// Descriptors of a ring, at the least.
    pub least_ring: u32,
    /// Bytes of a buffer, at the least.
    pub least_buffer: u32,
    /// Longest frame, at the least.
    pub least_frame: u32,
    /// Longest frame, at the most.
    pub most_frame: u32,
    /// Whether a port VLAN takes its four bytes off the longest frame.
    pub makes_room_for_tag: bool,
    /// Whether a queue can be told to keep the frame check sequence.
    pub keeps_crc: bool,
    /// Whether a queue can be told how its descriptors are laid out.
    pub has_profiles: bool,
    /// Queues that the bit maps of ops 8 and 9 can name.
    pub selectable: u16,
    /// Whether op 6 starts transmit queues, and op 8 finds them running.
    pub configuring_starts_tx: bool,
    /// Status for a queue that is to be started and has no ring.
    pub cannot_start: Status,
}

/// How many filters a function may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilterLimits {
    /// MAC addresses.
    pub macs: usize,
    /// VLANs.
    pub vlans: usize,
}

/// What a kernel PF of the 700 series serves.
const I40E_SERVES: &[Opcode] = &[
    Opcode::VERSION,
    Opcode::RESET_VF,
    Opcode::GET_VF_RESOURCES,
    Opcode::CONFIG_VSI_QUEUES,
    Opcode::CONFIG_IRQ_MAP,
    Opcode::ENABLE_QUEUES,
    Opcode::DISABLE_QUEUES,
    Opcode::ADD_ETH_ADDR,
    Opcode::DEL_ETH_ADDR,
    Opcode::ADD_VLAN,
    Opcode::DEL_VLAN,
    Opcode::CONFIG_PROMISCUOUS_MODE,
    Opcode::GET_STATS,
    Opcode::CONFIG_RSS_KEY,
    Opcode::CONFIG_RSS_LUT,
    Opcode::GET_RSS_HENA_CAPS,
    Opcode::SET_RSS_HENA,
    Opcode::ENABLE_VLAN_STRIPPING,
    Opcode::DISABLE_VLAN_STRIPPING,
    Opcode::REQUEST_QUEUES,
];

/// What a PF of the 800 series serves, to whom it was granted.
const ICE_SERVES: &[Opcode] = &[
    Opcode::VERSION,
    Opcode::RESET_VF,
    Opcode::GET_VF_RESOURCES,
    Opcode::CONFIG_VSI_QUEUES,
    Opcode::CONFIG_IRQ_MAP,
    Opcode::ENABLE_QUEUES,
    Opcode::DISABLE_QUEUES,
    Opcode::ADD_ETH_ADDR,
    Opcode::DEL_ETH_ADDR,
    Opcode::ADD_VLAN,
    Opcode::DEL_VLAN,
    Opcode::CONFIG_PROMISCUOUS_MODE,
    Opcode::GET_STATS,
    Opcode::CONFIG_RSS_HFUNC,
    Opcode::CONFIG_RSS_KEY,
    Opcode::CONFIG_RSS_LUT,
    Opcode::GET_RSS_HENA_CAPS,
    Opcode::SET_RSS_HENA,
    Opcode::ENABLE_VLAN_STRIPPING,
    Opcode::DISABLE_VLAN_STRIPPING,
    Opcode::REQUEST_QUEUES,
    Opcode::GET_SUPPORTED_RXDIDS,
    Opcode::ADD_RSS_CFG,
    Opcode::DEL_RSS_CFG,
    Opcode::GET_OFFLOAD_VLAN_V2_CAPS,
    Opcode::ADD_VLAN_V2,
    Opcode::DEL_VLAN_V2,
    Opcode::ENABLE_VLAN_STRIPPING_V2,
    Opcode::DISABLE_VLAN_STRIPPING_V2,
    Opcode::ENABLE_VLAN_INSERTION_V2,
    Opcode::DISABLE_VLAN_INSERTION_V2,
    Opcode::ADD_FDIR_FILTER,
    Opcode::DEL_FDIR_FILTER,
    Opcode::PTP_GET_CAPS,
    Opcode::PTP_GET_TIME,
    Opcode::GET_QOS_CAPS,
    Opcode::CONFIG_QUEUE_TC_MAP,
    Opcode::CONFIG_QUEUE_BW,
    Opcode::CONFIG_QUANTA,
    Opcode::GET_MAX_RSS_QREGION,
    Opcode::ENABLE_QUEUES_V2,
    Opcode::DISABLE_QUEUES_V2,
    Opcode::MAP_QUEUE_VECTOR,
    Opcode::FLOW_SUBSCRIBE,
    Opcode::FLOW_UNSUBSCRIBE,
];

impl Persona {
    /// A virtual function of an X710 under the kernel's i40e.
    #[must_use]
    pub fn i40e() -> Self {
        Self {
            name: "i40e",
            device: 0x154C,
            revision: 2,
            subsystem: (0x8086, 0),
            bar0: 64 << 10,
            pcie_link: 0x83,
            pairs: 4,
            most_pairs: 16,
            most_pairs_large: 16,
            other_vectors: 1,
            vsi: 26,
            qset: 16,
            max_mtu: 0,
            blank_vsis: 1,
            always: Caps::L2 | Caps::ADV_LINK_SPEED,
            on_request: Caps::REQ_QUEUES
                | Caps::VLAN
                | Caps::RX_POLLING
                | Caps::RSS_PF
                | Caps::ENCAP
                | Caps::ADQ,
            serves: I40E_SERVES,
            not_served: Status::I40E_NOT_IMPLEMENTED,
            unknown: Status::ERR_PARAM,
            allow_list: false,
            refused_mac: Status::NOT_PERMITTED,
            disabled: None,
            vector_zero: true,
            tail_mask: u32::MAX,
            vlan_strips: true,
            link_before: LinkBefore::Real,
            lut: LutLimit::Pairs,
            longest_frame: 9728,
            family: Family::X710,
            hashes_inner: true,
            link_mbps: 10_000,
            prunes_vlans: false,
            untrusted: FilterLimits { macs: 18, vlans: 16 },
            macs_full: Status::NOT_PERMITTED,
            skips_no_addresses: false,
            takes_back_unknown: false,
            queues: QueueRules {
                failure_stops_all: false,
                least_ring: 32,
                least_buffer: 128,
                least_frame: 64,
                most_frame: 16_383,
                makes_room_for_tag: false,
                keeps_crc: false,
                has_profiles: false,
                selectable: 32,
                configuring_starts_tx: false,
                cannot_start: Status::I40E_TIMEOUT,
            },
            says_vlans_full: false,
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
            on_request: i40e.on_request | Caps::WB_ON_ITR | Caps::RSS_PCTYPE_V2 | Caps::ENCAP_CSUM,
            family: Family::X722,
            write_back_on_itr: true,
            ..i40e
        }
    }

    /// A virtual function of an E810 under the kernel's ice. Segmentation of UDP is not granted. More than 16 queue pairs
    /// and flow subscription are what the out-of-tree PF alone has: [`Options::grants`](crate::Options::grants).
    #[must_use]
    pub fn ice() -> Self {
        Self {
            name: "ice",
            device: 0x1889,
            bar0: 128 << 10,
            pcie_link: 0x104,
            pairs: 16,
            most_pairs_large: 256,
            vsi: 1,
            qset: 0,
            max_mtu: 9728,
            blank_vsis: 0,
            always: Caps::L2,
            on_request: Self::ice_grants(),
            serves: ICE_SERVES,
            not_served: Status::NOT_SUPPORTED,
            unknown: Status::NOT_SUPPORTED,
            allow_list: true,
            refused_mac: Status::ADMIN_QUEUE_ERROR,
            disabled: Some(Status::ERR_PARAM),
            vector_zero: false,
            tail_mask: !7,
            vlan_strips: false,
            link_before: LinkBefore::Down,
            lut: LutLimit::Below(16),
            family: Family::E810,
            hashes_inner: false,
            link_mbps: 100_000,
            prunes_vlans: true,
            untrusted: FilterLimits { macs: 18, vlans: 8 },
            macs_full: Status::ERR_PARAM,
            skips_no_addresses: true,
            queues: QueueRules {
                failure_stops_all: true,
                least_ring: 64,
                most_frame: 9728,
                makes_room_for_tag: true,
                keeps_crc: true,
                has_profiles: true,
                selectable: 16,
                configuring_starts_tx: true,
                cannot_start: Status::ERR_PARAM,
                ..Self::i40e().queues
            },
            says_vlans_full: true,
            // 1, 2, 6, 16 to 23
            rxdids: 0x00FF_0046,
            write_back_on_itr: true,
            polling_unmasks: false,
            flood: Some(63),
            mailbox_outlives: Duration::ZERO,
            reset: Duration::from_millis(10)..=Duration::from_millis(50),
            ..Self::i40e()
        }
    }

    fn ice_grants() -> Caps {
        Caps::WB_ON_ITR
            | Caps::REQ_QUEUES
            | Caps::ADV_LINK_SPEED
            | Caps::CRC
            | Caps::VLAN_V2
            | Caps::VLAN
            | Caps::RX_POLLING
            | Caps::RSS_PCTYPE_V2
            | Caps::RSS_PF
            | Caps::ENCAP
            | Caps::ENCAP_CSUM
            | Caps::RX_FLEX_DESC
            | Caps::ADV_RSS_PF
            | Caps::FDIR_PF
            | Caps::TC_U32
            | Caps::QOS
            | Caps::PTP
    }

    /// The persona of a name on the command line.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::i40e(), Self::x722(), Self::ice()].into_iter().find(|persona| persona.name == name)
    }
}
