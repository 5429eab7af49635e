//! The answer to GET_STATS.

use super::wire::layout;

/// Counters of a VSI, 96 bytes, twelve words. They run from the last reset of the physical function or of the VSI.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Bytes received.
    pub rx_bytes: u64,
    /// Frames received by address.
    pub rx_unicast: u64,
    /// Frames received for groups.
    pub rx_multicast: u64,
    /// Frames received for everybody.
    pub rx_broadcast: u64,
    /// Frames lost because no descriptor was free.
    pub rx_discards: u64,
    /// Frames of a protocol nobody wanted.
    pub rx_unknown_protocol: u64,
    /// Bytes sent.
    pub tx_bytes: u64,
    /// Frames sent to one.
    pub tx_unicast: u64,
    /// Frames sent to groups.
    pub tx_multicast: u64,
    /// Frames sent to everybody.
    pub tx_broadcast: u64,
    /// Frames that were to be sent and were not.
    pub tx_discards: u64,
    /// Frames that could not be sent.
    pub tx_errors: u64,
}

impl Stats {
    /// Frames received, of every kind.
    #[must_use]
    pub const fn rx_frames(&self) -> u64 {
        self.rx_unicast.wrapping_add(self.rx_multicast).wrapping_add(self.rx_broadcast)
    }
}

layout! { Stats {
    rx_bytes: u64;
    rx_unicast: u64;
    rx_multicast: u64;
    rx_broadcast: u64;
    rx_discards: u64;
    rx_unknown_protocol: u64;
    tx_bytes: u64;
    tx_unicast: u64;
    tx_multicast: u64;
    tx_broadcast: u64;
    tx_discards: u64;
    tx_errors: u64;
} }

#[cfg(test)]
mod tests {
    use super::*;
    use crate::virtchnl::Message;

    #[test]
    fn twelve_words_in_their_order() {
        let bytes: Vec<u8> = (1..=12u64).flat_map(u64::to_le_bytes).collect();
        let stats = Stats::decode(&bytes).unwrap();
        assert_eq!((stats.rx_bytes, stats.rx_discards, stats.tx_bytes, stats.tx_errors), (1, 5, 7, 12));
        assert_eq!(stats.rx_frames(), 9);
        assert_eq!(stats.encode(), bytes);
        assert!(Stats::decode(&bytes[..95]).is_err());
    }
}
