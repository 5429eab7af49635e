//! Bring-up, step by step.
//!
//! The order is that of the AVF specification's initialisation flow as the Linux and DPDK drivers walk it. Each step is
//! one message; between two of them the function may be reset at any time, and everything starts anew.
//!
//! | step | what | message |
//! |---|---|---|
//! | 1 | VFGEN_RSTAT says that the function may be used, twice in a row | |
//! | 2 | mailbox rings are set up, vector 0 is armed | |
//! | 3 | both sides agree on version 1.1 | VERSION |
//! | 4 | what the function has | GET_VF_RESOURCES |
//! | 5 | more queue pairs, if it has too few: granted by a reset, so on with 1 | REQUEST_QUEUES |
//! | 6 | VLANs to receive, and whether tags stay in frames; adding one turns stripping on, so in this order | ADD_VLAN, ENABLE/DISABLE_VLAN_STRIPPING |
//! | 7 | RSS: key, table, classes | CONFIG_RSS_KEY, CONFIG_RSS_LUT, GET_RSS_HENA_CAPS, SET_RSS_HENA |
//! | 8 | where counters stand before the first frame | GET_STATS |
//! | 9 | rings are gathered from their workers, and rewound | |
//! | 10 | queues and vectors | CONFIG_VSI_QUEUES, CONFIG_IRQ_MAP |
//! | 11 | the function's own address | ADD_ETH_ADDR |
//! | 12 | doorbells | |
//! | 13 | queues start, doorbells once more, rings go to their workers | ENABLE_QUEUES |
//! | 14 | frames for others | CONFIG_PROMISCUOUS_MODE |

use std::fmt;

use avf::rss::{Family, LUT_ENTRIES};
use avf::virtchnl::{
    AddressKind, Addresses, Caps, EtherAddress, Hena, IrqMap, Promiscuity, Promiscuous, QueueCount,
    QueueSelect, Request, Resources, RssKey, RssLut, VectorMap, Version, Vlans,
};

use crate::settings::{MOST_QUEUES, Settings};

/// What is asked for: what a polling receiver on the 700 series can use, and nothing else.
const WANTED: Caps = Caps::L2
    .union(Caps::WB_ON_ITR)
    .union(Caps::REQ_QUEUES)
    .union(Caps::ADV_LINK_SPEED)
    .union(Caps::VLAN)
    .union(Caps::RX_POLLING)
    .union(Caps::RSS_PCTYPE_V2)
    .union(Caps::RSS_PF);

/// A message of bring-up, of the time after it, or of the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// 3: agree on a version.
    Version,
    /// 4: ask what the function has.
    Resources,
    /// 5: ask for more queue pairs.
    RequestQueues,
    /// 6: receive VLANs.
    Vlans,
    /// 6: leave tags in frames, or take them out.
    Stripping,
    /// 7: set the RSS key.
    RssKey,
    /// 7: set the RSS table.
    RssLut,
    /// 7: ask which classes can be hashed.
    HenaCaps,
    /// 7: set which classes are hashed.
    Hena,
    /// 8: read counters before the first frame.
    Baseline,
    /// 10: set up queues.
    ConfigQueues,
    /// 10: map queues to vectors.
    IrqMap,
    /// 11: receive for its own address and those wanted beside.
    Address,
    /// 13: start queues.
    Enable,
    /// 14: receive frames for others.
    Promiscuous,
    /// While it runs: read counters.
    Stats,
    /// At the end: receive nothing for others any more.
    NotPromiscuous,
    /// At the end: stop queues.
    Disable,
}

impl Step {
    /// The steps that are messages, in order.
    const ORDER: [Self; 15] = [
        Self::Version,
        Self::Resources,
        Self::RequestQueues,
        Self::Vlans,
        Self::Stripping,
        Self::RssKey,
        Self::RssLut,
        Self::HenaCaps,
        Self::Hena,
        Self::Baseline,
        Self::ConfigQueues,
        Self::IrqMap,
        Self::Address,
        Self::Enable,
        Self::Promiscuous,
    ];

    /// The step after this one; none after the last.
    pub(crate) fn next(self) -> Option<Self> {
        let at = Self::ORDER.iter().position(|step| *step == self)?;
        Self::ORDER.get(at + 1).copied()
    }

    /// Whether the function is of use without it.
    pub(crate) fn is_optional(self) -> bool {
        !matches!(self, Self::Version | Self::Resources | Self::ConfigQueues | Self::IrqMap | Self::Enable)
    }

    /// What to look at where the PF refused it.
    pub(crate) fn advice(self) -> &'static str {
        match self {
            Self::Version | Self::Resources => {
                "on the host, see its kernel log; reset the VF, or load the PF's driver anew"
            }
            Self::RequestQueues => "on the host, create fewer VFs: their queues come from one pool",
            Self::Vlans => {
                "on the host, see that the VF has no port VLAN (ip link set PF vf N vlan 0) and is trusted"
            }
            Self::Stripping => "the VF has a port VLAN: on the host, ip link set PF vf N vlan 0",
            Self::RssKey | Self::RssLut | Self::HenaCaps | Self::Hena => {
                "flows are spread as the PF likes; on the host, update the PF's driver"
            }
            Self::Address => {
                "the host has given the VF an address: on the host, ip link set PF vf N trust on"
            }
            Self::Promiscuous | Self::NotPromiscuous => {
                "on the host, ip link set PF vf N trust on; promiscuous VFs do not exist in switchdev mode"
            }
            Self::ConfigQueues | Self::IrqMap | Self::Enable | Self::Disable => {
                "on the host, see the kernel log for what it made of the VF's queues"
            }
            Self::Baseline | Self::Stats => "frames that the NIC drops cannot be counted",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Version => "agree on a version",
            Self::Resources => "say what the function has",
            Self::RequestQueues => "give more queues",
            Self::Vlans => "let VLANs in",
            Self::Stripping => "set VLAN stripping",
            Self::RssKey => "set the RSS key",
            Self::RssLut => "set the RSS table",
            Self::HenaCaps => "say what RSS can hash",
            Self::Hena => "set what RSS hashes",
            Self::Baseline | Self::Stats => "read counters",
            Self::ConfigQueues => "set up queues",
            Self::IrqMap => "map queues to vectors",
            Self::Address => "receive for the function's address",
            Self::Enable => "start queues",
            Self::Promiscuous => "receive frames for other stations",
            Self::NotPromiscuous => "receive no frames for other stations any more",
            Self::Disable => "stop queues",
        })
    }
}

/// How completed descriptors are made to show while nobody takes interrupts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polling {
    /// X710, XL710: all queues on vector 0, which fires without masking itself once RX_POLLING is granted; each end of
    /// its interval posts what is complete.
    VectorZero,
    /// X722: queues on vector 1, where WB_ON_ITR posts what is complete without an interrupt.
    WriteBack,
}

/// What was agreed on with the PF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Negotiated {
    /// Version.
    pub version: Version,
    /// What the function has.
    pub resources: Resources,
    /// Queue pairs in use.
    pub queues: u16,
    /// Number of its VSI.
    pub vsi: u16,
    /// Its address; one of our own making where the PF gave none.
    pub address: [u8; 6],
    /// How descriptors are made to show.
    pub polling: Polling,
    /// Classes that are hashed.
    pub hena: u64,
    /// RSS table in use.
    pub lut: Vec<u8>,
    /// Whether the PF took key, table and classes: flows are spread as was asked.
    pub rss: bool,
    /// Whether the PF took the wish about VLAN tags.
    pub stripping: bool,
}

impl Negotiated {
    /// From the answer to GET_VF_RESOURCES; none when there is nothing to work with, and what is missing.
    pub(crate) fn new(resources: Resources, settings: &Settings) -> Result<Self, &'static str> {
        let vsi = *resources.vsi().ok_or("VSI")?;
        let pairs = resources.queue_pairs.min(vsi.queue_pairs).min(MOST_QUEUES);
        let queues = settings.queues.min(pairs);
        if queues == 0 {
            return Err("queue");
        }
        let write_back = resources.caps.contains(Caps::WB_ON_ITR) && resources.vectors >= 2;
        let given = vsi.address != [0; 6];
        Ok(Self {
            version: Version::V1_1,
            queues,
            vsi: vsi.id,
            address: if given { vsi.address } else { own_address(vsi.id) },
            polling: if write_back { Polling::WriteBack } else { Polling::VectorZero },
            hena: 0,
            lut: table(queues, resources.rss_lut),
            rss: false,
            stripping: false,
            resources,
        })
    }

    /// Makes do with fewer queues.
    pub(crate) fn use_queues(&mut self, queues: u16) {
        self.queues = self.queues.min(queues);
        self.lut = table(self.queues, self.resources.rss_lut);
    }

    /// Bit q for each queue in use.
    pub(crate) fn mask(&self) -> u16 {
        u16::MAX >> (16 - self.queues.clamp(1, 16))
    }

    /// The vector that queues are mapped to.
    pub(crate) fn vector(&self) -> u16 {
        match self.polling {
            Polling::VectorZero => 0,
            Polling::WriteBack => 1,
        }
    }

    /// Classes to be hashed: all of the family's that can be.
    pub(crate) fn choose(&self, offered: u64) -> u64 {
        avf::rss::Hena::of(self.family()).0 & offered
    }

    /// Which classes the silicon tells apart.
    #[must_use]
    pub fn family(&self) -> Family {
        if self.resources.caps.contains(Caps::RSS_PCTYPE_V2) { Family::X722 } else { Family::X710 }
    }
}

/// Queues in turn, as many entries as the PF has.
fn table(queues: u16, entries: u32) -> Vec<u8> {
    let entries =
        usize::try_from(entries).ok().filter(|entries| entries.is_power_of_two()).unwrap_or(LUT_ENTRIES);
    let turn = (0..u8::try_from(queues.clamp(1, MOST_QUEUES)).unwrap_or(1)).cycle();
    turn.take(entries).collect()
}

/// The key, as long as the PF has it.
fn key(agreed: &Negotiated, settings: &Settings) -> Vec<u8> {
    let bytes = usize::try_from(agreed.resources.rss_key).ok().filter(|bytes| *bytes != 0);
    settings.key.iter().copied().cycle().take(bytes.unwrap_or(settings.key.len())).collect()
}

/// An address for a function that was given none: locally administered, the same for the same VSI.
fn own_address(vsi: u16) -> [u8; 6] {
    let [low, high] = vsi.to_le_bytes();
    [0x02, 0x69, 0x61, 0x76, high, low]
}

/// Requests that need nothing but what was agreed on; none where a step has nothing to ask, or asks what only its
/// controller knows.
pub(crate) fn request(step: Step, agreed: Option<&Negotiated>, settings: &Settings) -> Option<Request> {
    match step {
        Step::Version => return Some(Request::Version(Version::V1_1)),
        Step::Resources => return Some(Request::Resources(WANTED)),
        _ => {}
    }
    let agreed = agreed?;
    let vsi = agreed.vsi;
    let caps = agreed.resources.caps;
    let rss = caps.contains(Caps::RSS_PF);
    let queues = QueueSelect { vsi, rx: agreed.mask().into(), tx: tx_mask(agreed, settings) };
    match step {
        Step::RequestQueues => (agreed.queues < settings.queues && caps.contains(Caps::REQ_QUEUES))
            .then_some(Request::Queues(QueueCount { pairs: settings.queues })),
        Step::Vlans => (!settings.vlans.is_empty() && caps.contains(Caps::VLAN))
            .then(|| Request::AddVlans(Vlans { vsi, ids: settings.vlans.clone() })),
        Step::Stripping if settings.strip_vlan => Some(Request::EnableStripping),
        Step::Stripping => Some(Request::DisableStripping),
        Step::RssKey => rss.then(|| Request::RssKey(RssKey { vsi, key: key(agreed, settings) })),
        Step::RssLut => rss.then(|| Request::RssLut(RssLut { vsi, entries: agreed.lut.clone() })),
        Step::HenaCaps => rss.then_some(Request::HenaCaps),
        Step::Hena => rss.then_some(Request::SetHena(Hena(agreed.hena))),
        Step::Baseline | Step::Stats => {
            Some(Request::Stats(QueueSelect { vsi, rx: agreed.mask().into(), tx: agreed.mask().into() }))
        }
        Step::IrqMap => Some(Request::IrqMap(irq_map(agreed))),
        Step::Address => Some(Request::AddAddresses(addresses(agreed, settings))),
        Step::Enable => Some(Request::EnableQueues(queues)),
        Step::Disable => Some(Request::DisableQueues(queues)),
        Step::Promiscuous => settings.promiscuous.then_some(Request::Promiscuous(Promiscuous {
            vsi,
            mode: Promiscuity::UNICAST | Promiscuity::MULTICAST,
        })),
        Step::NotPromiscuous => settings
            .promiscuous
            .then_some(Request::Promiscuous(Promiscuous { vsi, mode: Promiscuity::empty() })),
        Step::ConfigQueues | Step::Version | Step::Resources => None,
    }
}

fn tx_mask(agreed: &Negotiated, settings: &Settings) -> u32 {
    if settings.transmit { agreed.mask().into() } else { 0 }
}

fn irq_map(agreed: &Negotiated) -> IrqMap {
    let queues = VectorMap {
        vsi: agreed.vsi,
        vector: agreed.vector(),
        rx: agreed.mask(),
        tx: agreed.mask(),
        rx_itr: 0,
        tx_itr: 0,
    };
    IrqMap { vectors: vec![queues] }
}

fn addresses(agreed: &Negotiated, settings: &Settings) -> Addresses {
    let own = EtherAddress { address: agreed.address, kind: AddressKind::PRIMARY };
    let more = settings.addresses.iter().filter(|address| **address != agreed.address);
    let more = more.map(|address| EtherAddress { address: *address, kind: AddressKind::EXTRA });
    Addresses { vsi: agreed.vsi, list: std::iter::once(own).chain(more).collect() }
}
