//! Which operations a driver may use (reference section 4.1, gates).

use avf::virtchnl::{Caps, Opcode};

/// Operations that capabilities unlock; what is not named here needs none.
const GATES: &[(Caps, &[Opcode])] = &[
    (Caps::L2, &[Opcode::ADD_ETH_ADDR, Opcode::DEL_ETH_ADDR, Opcode::CONFIG_PROMISCUOUS_MODE]),
    (
        Caps::VLAN,
        &[Opcode::ADD_VLAN, Opcode::DEL_VLAN, Opcode::ENABLE_VLAN_STRIPPING, Opcode::DISABLE_VLAN_STRIPPING],
    ),
    (
        Caps::VLAN_V2,
        &[
            Opcode::GET_OFFLOAD_VLAN_V2_CAPS,
            Opcode::ADD_VLAN_V2,
            Opcode::DEL_VLAN_V2,
            Opcode::ENABLE_VLAN_STRIPPING_V2,
            Opcode::DISABLE_VLAN_STRIPPING_V2,
            Opcode::ENABLE_VLAN_INSERTION_V2,
            Opcode::DISABLE_VLAN_INSERTION_V2,
        ],
    ),
    (
        Caps::RSS_PF,
        &[
            Opcode::CONFIG_RSS_KEY,
            Opcode::CONFIG_RSS_LUT,
            Opcode::GET_RSS_HENA_CAPS,
            Opcode::SET_RSS_HENA,
            Opcode::CONFIG_RSS_HFUNC,
        ],
    ),
    (Caps::ADV_RSS_PF, &[Opcode::ADD_RSS_CFG, Opcode::DEL_RSS_CFG]),
    (Caps::REQ_QUEUES, &[Opcode::REQUEST_QUEUES]),
    (Caps::RX_FLEX_DESC, &[Opcode::GET_SUPPORTED_RXDIDS]),
    (Caps::FDIR_PF, &[Opcode::ADD_FDIR_FILTER, Opcode::DEL_FDIR_FILTER]),
    (Caps::PTP, &[Opcode::PTP_GET_CAPS, Opcode::PTP_GET_TIME]),
    (
        Caps::QOS,
        &[Opcode::GET_QOS_CAPS, Opcode::CONFIG_QUEUE_TC_MAP, Opcode::CONFIG_QUEUE_BW, Opcode::CONFIG_QUANTA],
    ),
    (
        Caps::LARGE_NUM_QPAIRS,
        &[
            Opcode::GET_MAX_RSS_QREGION,
            Opcode::ENABLE_QUEUES_V2,
            Opcode::DISABLE_QUEUES_V2,
            Opcode::MAP_QUEUE_VECTOR,
        ],
    ),
    (Caps::FSUB_PF, &[Opcode::FLOW_SUBSCRIBE, Opcode::FLOW_UNSUBSCRIBE]),
];

/// Whether an operation may come before capabilities are negotiated.
pub(super) fn is_first(op: Opcode) -> bool {
    matches!(op, Opcode::VERSION | Opcode::RESET_VF | Opcode::GET_VF_RESOURCES)
}

/// Whether what was granted allows an operation.
pub(super) fn is_unlocked(op: Opcode, granted: Option<Caps>) -> bool {
    let gate = GATES.iter().find(|(_, ops)| ops.contains(&op)).map_or(Caps::empty(), |(caps, _)| *caps);
    is_first(op) || granted.is_some_and(|granted| granted.contains(gate))
}
