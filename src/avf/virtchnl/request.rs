//! Every request with its type.

use std::fmt;

use super::length::{self, WrongLength};
use super::{
    Addresses, Caps, ConfigQueues, FdirAdd, FdirDel, FlowSubscribe, FlowUnsubscribe, Hena, IrqMap, Malformed,
    Message, Opcode, PhcTime, Promiscuous, PtpCaps, Quanta, QueueBandwidth, QueueClasses, QueueCount,
    QueueRuns, QueueSelect, QueueVectors, RssConfig, RssHash, RssKey, RssLut, Version, VlanFilters,
    VlanSetting, Vlans,
};

macro_rules! requests {
    ($($(#[$doc:meta])* $variant:ident $(($body:ty))? = $opcode:ident;)*) => {
        /// What a function can ask for.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Request {
            $($(#[$doc])* $variant $(($body))?,)*
        }

        impl Request {
            /// Its opcode.
            #[must_use]
            pub const fn opcode(&self) -> Opcode {
                match self {
                    $(requests!(@pattern $variant $(($body))?) => Opcode::$opcode,)*
                }
            }

            fn read(opcode: Opcode, payload: &[u8]) -> Result<Self, Refused> {
                match opcode {
                    $(Opcode::$opcode => requests!(@read payload, $variant $(($body))?),)*
                    other => Err(Refused::Unserved(other)),
                }
            }

            /// Its payload, of the length that is accepted.
            #[must_use]
            pub fn payload(&self) -> Vec<u8> {
                match self {
                    $(requests!(@bind $variant body $(($body))?) => requests!(@write body $(($body))?),)*
                }
            }
        }
    };
    (@pattern $variant:ident ($body:ty)) => { Self::$variant(_) };
    (@pattern $variant:ident) => { Self::$variant };
    (@bind $variant:ident $name:ident ($body:ty)) => { Self::$variant($name) };
    (@bind $variant:ident $name:ident) => { Self::$variant };
    (@write $name:ident ($body:ty)) => { $name.encode() };
    (@write $name:ident) => { Vec::new() };
    (@read $payload:ident, $variant:ident ($body:ty)) => {
        <$body>::decode($payload).map(Self::$variant).map_err(Refused::Malformed)
    };
    (@read $payload:ident, $variant:ident) => { Ok(Self::$variant) };
}

requests! {
    /// Agree on a version.
    Version(Version) = VERSION;
    /// Reset the function.
    Reset = RESET_VF;
    /// What the function has. Without a payload (version 1.0) it asks for [`Caps::VERSION_1_0`].
    Resources(Caps) = GET_VF_RESOURCES;
    /// Set up queue pairs.
    ConfigQueues(ConfigQueues) = CONFIG_VSI_QUEUES;
    /// Which vector a queue signals.
    IrqMap(IrqMap) = CONFIG_IRQ_MAP;
    /// Start queues.
    EnableQueues(QueueSelect) = ENABLE_QUEUES;
    /// Stop queues.
    DisableQueues(QueueSelect) = DISABLE_QUEUES;
    /// Receive for addresses.
    AddAddresses(Addresses) = ADD_ETH_ADDR;
    /// No longer receive for addresses.
    DelAddresses(Addresses) = DEL_ETH_ADDR;
    /// Receive VLANs.
    AddVlans(Vlans) = ADD_VLAN;
    /// No longer receive VLANs.
    DelVlans(Vlans) = DEL_VLAN;
    /// Receive everything, or not.
    Promiscuous(Promiscuous) = CONFIG_PROMISCUOUS_MODE;
    /// Counters.
    Stats(QueueSelect) = GET_STATS;
    /// RSS hash function.
    RssHash(RssHash) = CONFIG_RSS_HFUNC;
    /// RSS key.
    RssKey(RssKey) = CONFIG_RSS_KEY;
    /// RSS table.
    RssLut(RssLut) = CONFIG_RSS_LUT;
    /// Which packet classes can be hashed.
    HenaCaps = GET_RSS_HENA_CAPS;
    /// Which packet classes are hashed.
    SetHena(Hena) = SET_RSS_HENA;
    /// Strip tags.
    EnableStripping = ENABLE_VLAN_STRIPPING;
    /// Leave tags.
    DisableStripping = DISABLE_VLAN_STRIPPING;
    /// Another number of queue pairs.
    Queues(QueueCount) = REQUEST_QUEUES;
    /// Which receive descriptors there are.
    Rxdids = GET_SUPPORTED_RXDIDS;
    /// Hash packets of a pattern.
    AddRss(RssConfig) = ADD_RSS_CFG;
    /// No longer hash packets of a pattern.
    DelRss(RssConfig) = DEL_RSS_CFG;
    /// Steer a flow.
    AddFdir(FdirAdd) = ADD_FDIR_FILTER;
    /// No longer steer a flow.
    DelFdir(FdirDel) = DEL_FDIR_FILTER;
    /// Have copies of a flow.
    Subscribe(FlowSubscribe) = FLOW_SUBSCRIBE;
    /// Have no more copies of a flow.
    Unsubscribe(FlowUnsubscribe) = FLOW_UNSUBSCRIBE;
    /// How far RSS reaches.
    RssRegion = GET_MAX_RSS_QREGION;
    /// VLAN filters and offloads there are.
    VlanCaps = GET_OFFLOAD_VLAN_V2_CAPS;
    /// Receive VLANs.
    AddVlanFilters(VlanFilters) = ADD_VLAN_V2;
    /// No longer receive VLANs.
    DelVlanFilters(VlanFilters) = DEL_VLAN_V2;
    /// Strip tags.
    EnableStrippingV2(VlanSetting) = ENABLE_VLAN_STRIPPING_V2;
    /// Leave tags.
    DisableStrippingV2(VlanSetting) = DISABLE_VLAN_STRIPPING_V2;
    /// Insert tags.
    EnableInsertionV2(VlanSetting) = ENABLE_VLAN_INSERTION_V2;
    /// Insert none.
    DisableInsertionV2(VlanSetting) = DISABLE_VLAN_INSERTION_V2;
    /// Filter by tags.
    EnableFilteringV2(VlanSetting) = ENABLE_VLAN_FILTERING_V2;
    /// Do not filter by tags.
    DisableFilteringV2(VlanSetting) = DISABLE_VLAN_FILTERING_V2;
    /// What the clock can do.
    PtpCaps(PtpCaps) = PTP_GET_CAPS;
    /// What time it is.
    PtpTime(PhcTime) = PTP_GET_TIME;
    /// Traffic classes.
    QosCaps = GET_QOS_CAPS;
    /// Which queues serve which traffic class.
    QueueClasses(QueueClasses) = CONFIG_QUEUE_TC_MAP;
    /// Start queues.
    EnableRuns(QueueRuns) = ENABLE_QUEUES_V2;
    /// Stop queues.
    DisableRuns(QueueRuns) = DISABLE_QUEUES_V2;
    /// Which vector a queue signals.
    MapVectors(QueueVectors) = MAP_QUEUE_VECTOR;
    /// Bandwidth of queues.
    Bandwidth(QueueBandwidth) = CONFIG_QUEUE_BW;
    /// Quantum of queues.
    Quanta(Quanta) = CONFIG_QUANTA;
}

/// Why a request cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Its length is not accepted; looked at first.
    Length(WrongLength),
    /// Its length is known, what it asks for is not served.
    Unserved(Opcode),
    /// A count or a length in it is beyond reason.
    Malformed(Malformed),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(wrong) => wrong.fmt(f),
            Self::Unserved(opcode) => write!(f, "{opcode} is not served"),
            Self::Malformed(malformed) => malformed.fmt(f),
        }
    }
}

impl std::error::Error for Refused {}

impl Request {
    /// Reads a request as a physical function does: first its length, then what it says.
    ///
    /// # Errors
    /// [`Refused`]; each is answered with a status of its own.
    pub fn decode(opcode: Opcode, payload: &[u8], version: Version) -> Result<Self, Refused> {
        length::check(opcode, payload, version).map_err(Refused::Length)?;
        if opcode == Opcode::GET_VF_RESOURCES && payload.is_empty() {
            return Ok(Self::Resources(Caps::VERSION_1_0));
        }
        Self::read(opcode, payload)
    }
}
