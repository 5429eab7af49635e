//! What a message asks for.

use crate::code::codes;

codes! {
    /// A message's opcode: cookie high of its descriptor (virtchnl, opcodes).
    Opcode(u32) {
        VERSION = 1, "Agree on a version.";
        RESET_VF = 2, "Reset the function; has no answer.";
        GET_VF_RESOURCES = 3, "Negotiate capabilities; the answer says what the function has.";
        CONFIG_TX_QUEUE = 4, "Set up one transmit queue; hardly anybody serves it.";
        CONFIG_RX_QUEUE = 5, "Set up one receive queue; hardly anybody serves it.";
        CONFIG_VSI_QUEUES = 6, "Set up queue pairs.";
        CONFIG_IRQ_MAP = 7, "Which vector a queue signals.";
        ENABLE_QUEUES = 8, "Start queues.";
        DISABLE_QUEUES = 9, "Stop queues.";
        ADD_ETH_ADDR = 10, "Receive for these addresses.";
        DEL_ETH_ADDR = 11, "No longer receive for these addresses.";
        ADD_VLAN = 12, "Receive these VLANs.";
        DEL_VLAN = 13, "No longer receive these VLANs.";
        CONFIG_PROMISCUOUS_MODE = 14, "Receive everything; a function that is not trusted is told success and given nothing.";
        GET_STATS = 15, "Counters of the VSI.";
        EVENT = 17, "From the physical function, at any time.";
        CONFIG_RSS_HFUNC = 18, "Choose the RSS hash function.";
        RDMA = 20, "RDMA message.";
        CONFIG_RDMA_IRQ_MAP = 21, "RDMA vectors.";
        RELEASE_RDMA_IRQ_MAP = 22, "Give RDMA vectors back.";
        CONFIG_RSS_KEY = 23, "Set the RSS key.";
        CONFIG_RSS_LUT = 24, "Set the RSS table.";
        GET_RSS_HENA_CAPS = 25, "Which packet classes can be hashed.";
        SET_RSS_HENA = 26, "Which packet classes are hashed.";
        ENABLE_VLAN_STRIPPING = 27, "Take VLAN tags out of frames.";
        DISABLE_VLAN_STRIPPING = 28, "Leave VLAN tags in frames.";
        REQUEST_QUEUES = 29, "Another number of queue pairs; granted by a reset, refused by an answer.";
        ENABLE_CHANNELS = 30, "Traffic classes.";
        DISABLE_CHANNELS = 31, "No more traffic classes.";
        ADD_CLOUD_FILTER = 32, "Filter into a traffic class.";
        DEL_CLOUD_FILTER = 33, "Remove such a filter.";
        INLINE_IPSEC_CRYPTO = 34, "IPsec in hardware.";
        DCF_CONFIG_BW = 37, "Device configuration function: bandwidth.";
        DCF_VLAN_OFFLOAD = 38, "Device configuration function: VLAN offloads.";
        DCF_CMD_DESC = 39, "Device configuration function: a command's descriptor.";
        DCF_CMD_BUFF = 40, "Device configuration function: a command's buffer.";
        DCF_DISABLE = 41, "Device configuration function: give it up.";
        DCF_GET_VSI_MAP = 42, "Device configuration function: VSI numbers.";
        DCF_GET_PKG_INFO = 43, "Device configuration function: the loaded package.";
        GET_SUPPORTED_RXDIDS = 44, "Which receive descriptor formats there are.";
        ADD_RSS_CFG = 45, "Hash packets of a header pattern.";
        DEL_RSS_CFG = 46, "No longer hash packets of a header pattern.";
        ADD_FDIR_FILTER = 47, "Steer a flow.";
        DEL_FDIR_FILTER = 48, "No longer steer a flow.";
        GET_MAX_RSS_QREGION = 50, "How many queues RSS can reach.";
        GET_OFFLOAD_VLAN_V2_CAPS = 51, "Which VLAN filters and offloads there are.";
        ADD_VLAN_V2 = 52, "Receive these VLANs, one or two tags.";
        DEL_VLAN_V2 = 53, "No longer receive these VLANs.";
        ENABLE_VLAN_STRIPPING_V2 = 54, "Take tags of these kinds out of frames.";
        DISABLE_VLAN_STRIPPING_V2 = 55, "Leave tags of these kinds in frames.";
        ENABLE_VLAN_INSERTION_V2 = 56, "Insert tags of these kinds into sent frames.";
        DISABLE_VLAN_INSERTION_V2 = 57, "Insert no tags of these kinds.";
        ENABLE_VLAN_FILTERING_V2 = 58, "Filter by tags of these kinds.";
        DISABLE_VLAN_FILTERING_V2 = 59, "Do not filter by tags of these kinds.";
        PTP_GET_CAPS = 60, "What the clock can do for a function.";
        PTP_GET_TIME = 61, "What time the clock has.";
        PTP_SET_TIME = 62, "Set the clock.";
        PTP_ADJ_TIME = 63, "Move the clock.";
        PTP_ADJ_FREQ = 64, "Slow the clock down or up.";
        PTP_TX_TIMESTAMP = 65, "When a frame was sent.";
        GET_QOS_CAPS = 66, "Traffic classes and their bandwidth.";
        CONFIG_QUEUE_TC_MAP = 67, "Which queue serves which traffic class.";
        PTP_GET_PIN_CFGS = 68, "Clock pins.";
        PTP_SET_PIN_CFG = 69, "Set a clock pin.";
        PTP_EXT_TIMESTAMP = 70, "Timestamp of a pin.";
        PTP_GET_CROSSTIME = 71, "Clock and processor time at once.";
        PTP_GET_CROSSTIME_RATIO = 72, "Ratio of the two clocks.";
        ENABLE_QUEUES_V2 = 107, "Start queues, in runs.";
        DISABLE_QUEUES_V2 = 108, "Stop queues, in runs.";
        MAP_QUEUE_VECTOR = 111, "Which vector a queue signals, queue by queue.";
        CONFIG_QUEUE_BW = 112, "Bandwidth of queues.";
        CONFIG_QUANTA = 113, "Scheduling quantum of queues.";
        FLOW_SUBSCRIBE = 114, "Copies of a flow, for a trusted function.";
        FLOW_UNSUBSCRIBE = 115, "No more copies of a flow.";
        GET_VF_CAPS2 = 136, "Capabilities that found no bit in the first word.";
    }
}

impl Opcode {
    /// Whether no answer ever comes: a reset is the answer.
    #[must_use]
    pub const fn is_unanswered(self) -> bool {
        self.0 == Self::RESET_VF.0
    }

    /// Whether success shows as a reset and failure as an answer.
    #[must_use]
    pub const fn may_reset(self) -> bool {
        self.is_unanswered() || self.0 == Self::REQUEST_QUEUES.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unknown_prints_and_survives() {
        assert_eq!(Opcode::GET_VF_RESOURCES.to_string(), "GET_VF_RESOURCES (3)");
        assert_eq!(Opcode(0xdead_beef).to_string(), "unknown (3735928559)");
        assert!(Opcode::KNOWN.is_sorted() && Opcode::KNOWN.iter().all(|known| known.name().is_some()));
    }
}
