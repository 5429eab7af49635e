//! Capability bits of GET_VF_RESOURCES.

use bitflags::bitflags;

bitflags! {
    /// What a function asks for and what it was granted (virtchnl, offload capabilities). Unknown bits survive.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct Caps: u32 {
        /// The base: queues, addresses, statistics.
        const L2 = 1 << 0;
        /// RDMA.
        const RDMA = 1 << 1;
        /// There is a second word (GET_VF_CAPS2).
        const CAPS2 = 1 << 2;
        /// RSS through the admin queue (X722).
        const RSS_AQ = 1 << 3;
        /// RSS through registers.
        const RSS_REG = 1 << 4;
        /// Write-back on ITR expiry without an interrupt.
        const WB_ON_ITR = 1 << 5;
        /// REQUEST_QUEUES.
        const REQ_QUEUES = 1 << 6;
        /// Link speed in Mbit/s.
        const ADV_LINK_SPEED = 1 << 7;
        /// IPsec in hardware.
        const INLINE_IPSEC = 1 << 8;
        /// More than 16 queue pairs.
        const LARGE_NUM_QPAIRS = 1 << 9;
        /// The frame check sequence can be kept.
        const CRC = 1 << 10;
        /// u32 filters.
        const TC_U32 = 1 << 11;
        /// Flow subscription.
        const FSUB_PF = 1 << 14;
        /// VLAN filters and offloads, second form.
        const VLAN_V2 = 1 << 15;
        /// VLAN filters and offloads, first form.
        const VLAN = 1 << 16;
        /// Receive by polling.
        const RX_POLLING = 1 << 17;
        /// RSS packet classes of X722.
        const RSS_PCTYPE_V2 = 1 << 18;
        /// RSS through messages.
        const RSS_PF = 1 << 19;
        /// Transmit offloads of tunnels.
        const ENCAP = 1 << 20;
        /// Transmit checksums of tunnels.
        const ENCAP_CSUM = 1 << 21;
        /// Receive checksums of tunnels.
        const RX_ENCAP_CSUM = 1 << 22;
        /// Traffic classes and cloud filters.
        const ADQ = 1 << 23;
        /// The same, second form.
        const ADQ_V2 = 1 << 24;
        /// UDP segmentation.
        const USO = 1 << 25;
        /// Flexible receive descriptors.
        const RX_FLEX_DESC = 1 << 26;
        /// RSS by header pattern.
        const ADV_RSS_PF = 1 << 27;
        /// Flow director.
        const FDIR_PF = 1 << 28;
        /// Traffic classes' bandwidth.
        const QOS = 1 << 29;
        /// Device configuration function.
        const DCF = 1 << 30;
        /// Clock.
        const PTP = 1 << 31;
        const _ = !0;
    }
}

impl Caps {
    /// What a function has that agreed on version 1.0, where capabilities are not negotiated.
    pub const VERSION_1_0: Self = Self::L2.union(Self::VLAN);

    /// Names of the set bits, from the lowest; bits without a name are left out.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        self.iter_names().map(|(name, _)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_known_drivers_ask_for() {
        let linux = Caps::from_bits_retain(0x1abd_8cf9);
        assert!(linux.contains(Caps::L2 | Caps::RSS_PF | Caps::WB_ON_ITR | Caps::TC_U32));
        assert!(!linux.intersects(Caps::RX_POLLING | Caps::RX_FLEX_DESC | Caps::DCF));
        let dpdk = Caps::from_bits_retain(0xbe0b_c7e1);
        assert!(dpdk.contains(Caps::RX_FLEX_DESC | Caps::LARGE_NUM_QPAIRS | Caps::PTP | Caps::FSUB_PF));
    }

    #[test]
    fn what_an_x710_was_seen_to_grant() {
        let names: Vec<_> = Caps::from_bits_retain(0x000b_0081).names().collect();
        assert_eq!(names, ["L2", "ADV_LINK_SPEED", "VLAN", "RX_POLLING", "RSS_PF"]);
    }

    #[test]
    fn bits_without_a_name_survive() {
        assert_eq!(Caps::from_bits_retain(1 << 12).bits(), 1 << 12);
        assert_eq!(Caps::from_bits_retain(1 << 12).names().count(), 0);
    }
}
