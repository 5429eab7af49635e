//! What the decoder counts.

frame::counters! {
    /// Headers seen, by kind, and what became of fragments.
    pub struct Counters("decode") {
        /// Packets, inner and reassembled ones included.
        packets: "packets decoded, inner and reassembled ones included",
        /// Ethernet headers.
        ethernet: "Ethernet headers",
        /// 802.11 data frames.
        wifi: "802.11 data frames",
        /// Raw IP packets without a link layer.
        raw: "packets without a link layer",
        /// Loopback headers.
        null: "BSD loopback headers",
        /// Linux cooked headers.
        sll: "Linux cooked headers, both forms",
        /// PPP headers.
        ppp: "PPP headers",
        /// PPPoE headers.
        pppoe: "PPPoE headers",
        /// Cisco HDLC headers.
        chdlc: "Cisco HDLC headers",
        /// Packets with one VLAN tag.
        vlan: "packets with a VLAN tag",
        /// Packets with two VLAN tags.
        vlan_qinq: "packets with a second VLAN tag",
        /// Packets with three VLAN tags.
        vlan_qinqinq: "packets with a third VLAN tag",
        /// MPLS label stacks.
        mpls: "MPLS label stacks",
        /// Provider-backbone headers.
        ieee8021ah: "provider-backbone headers",
        /// VN-tags.
        vntag: "VN-tags",
        /// Service headers.
        nsh: "network service headers",
        /// ARP packets.
        arp: "ARP packets",
        /// IPv4 headers.
        ipv4: "IPv4 headers",
        /// IPv6 headers.
        ipv6: "IPv6 headers",
        /// TCP headers.
        tcp: "TCP headers",
        /// UDP headers.
        udp: "UDP headers",
        /// SCTP headers.
        sctp: "SCTP headers",
        /// ICMPv4 messages.
        icmpv4: "ICMPv4 messages",
        /// ICMPv6 messages.
        icmpv6: "ICMPv6 messages",
        /// IGMP messages.
        igmp: "IGMP messages",
        /// ESP headers.
        esp: "ESP headers",
        /// Authentication headers.
        ah: "authentication headers",
        /// GRE headers.
        gre: "GRE headers",
        /// ERSPAN headers.
        erspan: "ERSPAN headers",
        /// VXLAN headers.
        vxlan: "VXLAN headers",
        /// GENEVE headers.
        geneve: "GENEVE headers",
        /// GENEVE options that had to be understood and are not.
        geneve_critical: "GENEVE headers with a critical option",
        /// GTP-U headers.
        gtp: "GTP-U headers",
        /// Teredo packets.
        teredo: "Teredo packets",
        /// Mirror sessions' headers that were taken off.
        stripped: "packets that were a mirror's wrapping, taken off",
        /// Copies that the mirror says, or whose lengths say, were cut.
        mirror_cut: "packets out of a mirror that lack their end",
        /// Copies of packets seen before.
        copies: "packets dropped because a copy of them was seen before",
        /// Copies that brought more than the one before.
        copies_longer: "copies analysed because they have more than the one before",
        /// Packets forgotten while copies of them might still have come.
        copies_crowded: "packets forgotten before a copy of them could no longer come",
        /// Virtual networks inside mirrored traffic that have no number of their own.
        networks_joined: "packets whose virtual network inside a tenant is not told apart, because there are too many",
        /// IP packets directly inside IP.
        ipip: "IP packets directly inside IP",
        /// Network layers that are not IP and not ARP.
        other: "packets whose network layer has no flows",
        /// Fragments.
        fragments: "IP fragments",
        /// Datagrams put together.
        reassembled: "datagrams put together from fragments",
        /// Datagrams given up for time.
        fragment_expired: "incomplete datagrams given up after the timeout",
        /// Datagrams given up for room.
        fragment_evicted: "incomplete datagrams given up because memory or trackers ran out",
        /// Fragments that were not kept.
        fragment_ignored: "fragments that were not kept",
        /// Frames of a link type that is not read.
        unknown_link: "frames of a link type that is not read",
        /// Packets with an event that makes them unusable from there on.
        malformed: "packets with an impossible header",
        /// Packets with too many layers.
        too_many_layers: "packets with more layers than are followed",
        /// Frames of which the source kept only a part.
        cut: "frames of which the source kept only a part",
        /// Packets with a wrong checksum.
        bad_checksum: "packets with a wrong checksum",
    }
}
