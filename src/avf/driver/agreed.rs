//! What was agreed on with the PF.

use avf::rss::{Family, LUT_ENTRIES};
use avf::rx::Rxdid;
use avf::virtchnl::{Caps, PtpBits, Resources, Version, VlanCaps};

use crate::Settings;

/// How completed descriptors are made to show while nobody takes interrupts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polling {
    /// X710, XL710: all queues on vector 0, which fires without masking itself once RX_POLLING is granted; each end of
    /// its interval posts what is complete.
    VectorZero,
    /// X722, E810: queues on vector 1, where WB_ON_ITR posts what is complete without an interrupt.
    WriteBack,
}

/// How both directions of a flow are made to share a queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hashing {
    /// By a key that is symmetric.
    #[default]
    Key,
    /// By the hash function: what comes from either end is folded into one before any key (TOEPLITZ_SYMMETRIC).
    Folded,
}

/// What was agreed on with the PF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Negotiated {
    /// Name of the driver.
    pub driver: &'static str,
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
    /// Descriptor formats that the PF offers, a bit each.
    pub formats: u64,
    /// The one in use.
    pub format: Rxdid,
    /// VLAN filters and offloads, where the PF knows their second form.
    pub vlan: Option<VlanCaps>,
    /// What the clock can do.
    pub clock: PtpBits,
    /// Whether frames carry the time at which the NIC saw them.
    pub stamped: bool,
    /// How flows are hashed.
    pub hashing: Hashing,
    /// Classes that are hashed.
    pub hena: u64,
    /// Whether the PF took patterns of headers inside tunnels. Some take them for outer ones: traffic tells.
    pub inner: bool,
    /// RSS key in use.
    pub key: Vec<u8>,
    /// RSS table in use.
    pub lut: Vec<u8>,
    /// Queues that RSS reaches, as a power of two; where the PF told.
    pub region: Option<u16>,
    /// Whether the PF took key, table and classes: flows are spread as was asked.
    pub rss: bool,
    /// Whether the PF took the wish about VLAN tags.
    pub stripping: bool,
    /// Flows whose copies the PF gives.
    pub subscriptions: u32,
}

impl Negotiated {
    /// From the answer to GET_VF_RESOURCES; none when there is nothing to work with, and what is missing. `most` are the
    /// queue pairs that the driver can name.
    ///
    /// # Errors
    /// What the PF has not given.
    pub fn new(
        driver: &'static str,
        resources: Resources,
        settings: &Settings,
        most: u16,
    ) -> Result<Self, &'static str> {
        let vsi = *resources.vsi().ok_or("VSI")?;
        let pairs = resources.queue_pairs.min(vsi.queue_pairs).min(most);
        let queues = settings.queues.min(pairs);
        if queues == 0 {
            return Err("queue");
        }
        let write_back = resources.caps.contains(Caps::WB_ON_ITR) && resources.vectors >= 2;
        let given = vsi.address != [0; 6];
        Ok(Self {
            driver,
            version: Version::V1_1,
            queues,
            vsi: vsi.id,
            address: if given { vsi.address } else { own_address(vsi.id) },
            polling: if write_back { Polling::WriteBack } else { Polling::VectorZero },
            formats: 1 << Rxdid::LEGACY.0,
            format: Rxdid::LEGACY,
            vlan: None,
            clock: PtpBits::empty(),
            stamped: false,
            hashing: Hashing::Key,
            hena: 0,
            inner: false,
            key: key(&resources, &settings.key),
            lut: table(queues, resources.rss_lut),
            region: None,
            rss: false,
            stripping: false,
            subscriptions: 0,
            resources,
        })
    }

    /// Makes do with fewer queues.
    pub fn use_queues(&mut self, queues: u16) {
        self.queues = self.queues.min(queues);
        self.lut = table(self.queues, self.resources.rss_lut);
    }

    /// Takes another key, as long as the PF has it.
    pub fn use_key(&mut self, bytes: &[u8]) {
        self.key = key(&self.resources, bytes);
    }

    /// Bit q for each queue in use, of those that 16 bits can name.
    #[must_use]
    pub fn mask(&self) -> u16 {
        u16::MAX >> (16 - self.queues.clamp(1, 16))
    }

    /// The vector that queues are mapped to.
    #[must_use]
    pub fn vector(&self) -> u16 {
        match self.polling {
            Polling::VectorZero => 0,
            Polling::WriteBack => 1,
        }
    }

    /// Whether the PF has granted all of this.
    #[must_use]
    pub fn has(&self, caps: Caps) -> bool {
        self.resources.caps.contains(caps)
    }

    /// Whether the NIC can recognise single flows, and say so of each frame.
    #[must_use]
    pub fn recognises_flows(&self) -> bool {
        self.has(Caps::FDIR_PF) && self.format != Rxdid::LEGACY
    }

    /// Which classes the silicon tells apart.
    #[must_use]
    pub fn family(&self) -> Family {
        let is_e810 = self.resources.caps.intersects(Caps::RX_FLEX_DESC | Caps::ADV_RSS_PF | Caps::VLAN_V2);
        match self.has(Caps::RSS_PCTYPE_V2) {
            _ if is_e810 => Family::E810,
            true => Family::X722,
            false => Family::X710,
        }
    }
}

/// Queues in turn, as many entries as the PF has.
fn table(queues: u16, entries: u32) -> Vec<u8> {
    let entries =
        usize::try_from(entries).ok().filter(|entries| entries.is_power_of_two()).unwrap_or(LUT_ENTRIES);
    avf::rss::Lut::deal(queues, entries).entries().to_vec()
}

/// The key, as long as the PF has it.
fn key(resources: &Resources, key: &[u8]) -> Vec<u8> {
    let bytes = usize::try_from(resources.rss_key).ok().filter(|bytes| *bytes != 0);
    key.iter().copied().cycle().take(bytes.unwrap_or(key.len())).collect()
}

/// An address for a function that was given none: locally administered, the same for the same VSI.
fn own_address(vsi: u16) -> [u8; 6] {
    let [low, high] = vsi.to_le_bytes();
    [0x02, 0x69, 0x61, 0x76, high, low]
}
