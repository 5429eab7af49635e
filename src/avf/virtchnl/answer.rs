//! Every answer with its type.

use super::{
    ClassMap, FdirAdd, FdirDel, FlowSubscribe, FlowUnsubscribe, Hena, Malformed, Message, Opcode, PhcTime,
    PtpCaps, QosCaps, QueueCount, Resources, RssRegion, Stats, Version, VlanCaps,
};

/// What a function is answered where it was not refused. A refusal is a [`Status`](super::Status), and what else comes
/// with it means nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To VERSION.
    Version(Version),
    /// To GET_VF_RESOURCES.
    Resources(Resources),
    /// To GET_STATS.
    Stats(Stats),
    /// To GET_RSS_HENA_CAPS.
    HenaCaps(Hena),
    /// To REQUEST_QUEUES: how many could be had instead.
    Queues(QueueCount),
    /// To GET_SUPPORTED_RXDIDS: a bit for each descriptor format.
    Rxdids(u64),
    /// To ADD_FDIR_FILTER.
    AddFdir(FdirAdd),
    /// To DEL_FDIR_FILTER.
    DelFdir(FdirDel),
    /// To FLOW_SUBSCRIBE.
    Subscribe(FlowSubscribe),
    /// To FLOW_UNSUBSCRIBE.
    Unsubscribe(FlowUnsubscribe),
    /// To GET_MAX_RSS_QREGION.
    RssRegion(RssRegion),
    /// To GET_OFFLOAD_VLAN_V2_CAPS.
    VlanCaps(VlanCaps),
    /// To PTP_GET_CAPS.
    PtpCaps(PtpCaps),
    /// To PTP_GET_TIME.
    PtpTime(PhcTime),
    /// To GET_QOS_CAPS.
    QosCaps(QosCaps),
    /// To CONFIG_QUEUE_TC_MAP.
    ClassMap(ClassMap),
    /// To everything else: done.
    Done,
}

impl Answer {
    /// Reads the answer to `opcode`. Bytes beyond its structure are ignored: i40e sends blank ones.
    ///
    /// # Errors
    /// [`Malformed`] when it is cut short or says what no device has.
    pub fn decode(opcode: Opcode, payload: &[u8]) -> Result<Self, Malformed> {
        Ok(match opcode {
            Opcode::VERSION => Self::Version(Message::decode(payload)?),
            Opcode::GET_VF_RESOURCES => Self::Resources(Message::decode(payload)?),
            Opcode::GET_STATS => Self::Stats(Message::decode(payload)?),
            Opcode::GET_RSS_HENA_CAPS => Self::HenaCaps(Message::decode(payload)?),
            Opcode::REQUEST_QUEUES => Self::Queues(Message::decode(payload)?),
            Opcode::GET_SUPPORTED_RXDIDS => Self::Rxdids(Message::decode(payload)?),
            Opcode::ADD_FDIR_FILTER => Self::AddFdir(Message::decode(payload)?),
            Opcode::DEL_FDIR_FILTER => Self::DelFdir(Message::decode(payload)?),
            Opcode::FLOW_SUBSCRIBE => Self::Subscribe(Message::decode(payload)?),
            Opcode::FLOW_UNSUBSCRIBE => Self::Unsubscribe(Message::decode(payload)?),
            Opcode::GET_MAX_RSS_QREGION => Self::RssRegion(Message::decode(payload)?),
            Opcode::GET_OFFLOAD_VLAN_V2_CAPS => Self::VlanCaps(Message::decode(payload)?),
            Opcode::PTP_GET_CAPS => Self::PtpCaps(Message::decode(payload)?),
            Opcode::PTP_GET_TIME => Self::PtpTime(Message::decode(payload)?),
            Opcode::GET_QOS_CAPS => Self::QosCaps(Message::decode(payload)?),
            Opcode::CONFIG_QUEUE_TC_MAP => Self::ClassMap(Message::decode(payload)?),
            _ => Self::Done,
        })
    }

    /// Its payload.
    #[must_use]
    pub fn payload(&self) -> Vec<u8> {
        match self {
            Self::Version(body) => body.encode(),
            Self::Resources(body) => body.encode(),
            Self::Stats(body) => body.encode(),
            Self::HenaCaps(body) => body.encode(),
            Self::Queues(body) => body.encode(),
            Self::Rxdids(body) => body.encode(),
            Self::AddFdir(body) => body.encode(),
            Self::DelFdir(body) => body.encode(),
            Self::Subscribe(body) => body.encode(),
            Self::Unsubscribe(body) => body.encode(),
            Self::RssRegion(body) => body.encode(),
            Self::VlanCaps(body) => body.encode(),
            Self::PtpCaps(body) => body.encode(),
            Self::PtpTime(body) => body.encode(),
            Self::QosCaps(body) => body.encode(),
            Self::ClassMap(body) => body.encode(),
            Self::Done => Vec::new(),
        }
    }
}
