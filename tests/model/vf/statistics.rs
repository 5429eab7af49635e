//! The twelve counters of op 15.

/// In the order of `eth_stats` (section 4.2). Bytes are counted without the frame check sequence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Bytes received.
    pub rx_bytes: u64,
    /// Unicast frames received.
    pub rx_unicast: u64,
    /// Multicast frames received.
    pub rx_multicast: u64,
    /// Broadcast frames received.
    pub rx_broadcast: u64,
    /// Frames lost for want of a descriptor or by length.
    pub rx_discards: u64,
    /// Frames that were accepted and could not be delivered.
    pub rx_unknown: u64,
    /// Bytes sent.
    pub tx_bytes: u64,
    /// Unicast frames sent.
    pub tx_unicast: u64,
    /// Multicast frames sent.
    pub tx_multicast: u64,
    /// Broadcast frames sent.
    pub tx_broadcast: u64,
    /// Frames that were not sent.
    pub tx_discards: u64,
    /// Frames that could not be sent.
    pub tx_errors: u64,
}
