//! When a packet was seen.

use frame::Timestamp;

/// Packet time, and the packet's place in its source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment {
    /// When.
    pub time: Timestamp,
    /// Which packet of the source (EVE's `pcap_cnt`).
    pub number: u64,
}
