//! What the decoder finds wrong with a packet: one catalogue, with the names that EVE's `anomaly.event` prints.

/// Declares the events: variant, name and the sentence that says when it is raised.
macro_rules! events {
    ($($variant:ident = $name:literal, $text:literal;)*) => {
        /// Something about a packet that its headers' specifications do not allow.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Event {
            $(#[doc = $text] $variant,)*
        }

        impl Event {
            /// Every event, in catalogue order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name as EVE prints it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => concat!("decoder.", $name),)* }
            }

            /// When it is raised, in one sentence.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

events! {
    Ipv4PktTooSmall = "ipv4.pkt_too_small", "Fewer bytes than an IPv4 header has.";
    Ipv4HlenTooSmall = "ipv4.hlen_too_small", "The IPv4 header length is below 20.";
    Ipv4IplenSmallerThanHlen = "ipv4.iplen_smaller_than_hlen", "The IPv4 total length is below the header length.";
    Ipv4TruncPkt = "ipv4.trunc_pkt", "The IPv4 total length goes beyond the packet.";
    Ipv4OptInvalid = "ipv4.opt_invalid", "An IPv4 option of a type that is not known.";
    Ipv4OptInvalidLen = "ipv4.opt_invalid_len", "An IPv4 option whose length is impossible.";
    Ipv4OptMalformed = "ipv4.opt_malformed", "An IPv4 option whose content is impossible.";
    Ipv4OptPadRequired = "ipv4.opt_pad_required", "IPv4 options that do not fill a multiple of 8 bytes.";
    Ipv4OptEolRequired = "ipv4.opt_eol_required", "IPv4 options that end without an end-of-list option.";
    Ipv4OptDuplicate = "ipv4.opt_duplicate", "The same IPv4 option twice.";
    Ipv4OptUnknown = "ipv4.opt_unknown", "Known to rules alone: an IPv4 option that is not known raises `opt_invalid`.";
    Ipv4WrongIpVersion = "ipv4.wrong_ip_version", "The version in an IPv4 header is not 4.";
    Ipv4Icmpv6 = "ipv4.icmpv6", "ICMPv6 carried by IPv4.";
    Icmpv4PktTooSmall = "icmpv4.pkt_too_small", "Fewer bytes than an ICMPv4 message of this type has.";
    Icmpv4UnknownType = "icmpv4.unknown_type", "An ICMPv4 type that is not assigned.";
    Icmpv4UnknownCode = "icmpv4.unknown_code", "An ICMPv4 code that its type does not have.";
    Icmpv4Ipv4TruncPkt = "icmpv4.ipv4_trunc_pkt", "The packet quoted by an ICMPv4 error is shorter than its headers.";
    Icmpv4Ipv4UnknownVer = "icmpv4.ipv4_unknown_ver", "The packet quoted by an ICMPv4 error is not IPv4.";
    Icmpv6UnknownType = "icmpv6.unknown_type", "An ICMPv6 type that is not known.";
    Icmpv6UnknownCode = "icmpv6.unknown_code", "An ICMPv6 code that its type does not have.";
    Icmpv6PktTooSmall = "icmpv6.pkt_too_small", "Fewer bytes than an ICMPv6 message has.";
    Icmpv6Ipv6UnknownVersion = "icmpv6.ipv6_unknown_version", "The packet quoted by an ICMPv6 error is not IPv6.";
    Icmpv6Ipv6TruncPkt = "icmpv6.ipv6_trunc_pkt", "The packet quoted by an ICMPv6 error is shorter than its headers.";
    Icmpv6MldInvalidHl = "icmpv6.mld_message_with_invalid_hl", "A multicast listener message whose hop limit is not 1.";
    Icmpv6UnassignedType = "icmpv6.unassigned_type", "An ICMPv6 type that nobody was given.";
    Icmpv6ExperimentationType = "icmpv6.experimentation_type", "An ICMPv6 type for private experiments.";
    Ipv6PktTooSmall = "ipv6.pkt_too_small", "Fewer bytes than an IPv6 header has.";
    Ipv6TruncPkt = "ipv6.trunc_pkt", "The IPv6 payload length goes beyond the packet.";
    Ipv6TruncExthdr = "ipv6.trunc_exthdr", "An IPv6 extension header goes beyond the packet.";
    Ipv6ExthdrDuplFh = "ipv6.exthdr_dupl_fh", "Two IPv6 fragment headers.";
    Ipv6ExthdrUselessFh = "ipv6.exthdr_useless_fh", "An IPv6 fragment header on a packet that is whole.";
    Ipv6ExthdrDuplRh = "ipv6.exthdr_dupl_rh", "Two IPv6 routing headers.";
    Ipv6ExthdrDuplHh = "ipv6.exthdr_dupl_hh", "Two IPv6 hop-by-hop headers.";
    Ipv6ExthdrDuplDh = "ipv6.exthdr_dupl_dh", "More than two IPv6 destination-options headers.";
    Ipv6ExthdrDuplAh = "ipv6.exthdr_dupl_ah", "Two IPv6 authentication headers.";
    Ipv6ExthdrDuplEh = "ipv6.exthdr_dupl_eh", "Known to rules alone: nothing behind an encapsulating-security header is read.";
    Ipv6ExthdrInvalidOptlen = "ipv6.exthdr_invalid_optlen", "An IPv6 option whose length is impossible.";
    Ipv6WrongIpVersion = "ipv6.wrong_ip_version", "The version in an IPv6 header is not 6.";
    Ipv6ExthdrAhResNotNull = "ipv6.exthdr_ah_res_not_null", "The reserved field of an authentication header is not 0.";
    Ipv6HopoptsUnknownOpt = "ipv6.hopopts_unknown_opt", "A hop-by-hop option that is not known.";
    Ipv6HopoptsOnlyPadding = "ipv6.hopopts_only_padding", "A hop-by-hop header with nothing but padding.";
    Ipv6DstoptsUnknownOpt = "ipv6.dstopts_unknown_opt", "A destination option that is not known.";
    Ipv6DstoptsOnlyPadding = "ipv6.dstopts_only_padding", "A destination-options header with nothing but padding.";
    Ipv6RhType0 = "ipv6.rh_type_0", "A routing header of the deprecated type 0 (RFC 5095).";
    Ipv6ZeroLenPadn = "ipv6.zero_len_padn", "A PadN option of length 0.";
    Ipv6FhNonZeroReserved = "ipv6.fh_non_zero_reserved_field", "The reserved field of a fragment header is not 0.";
    Ipv6DataAfterNone = "ipv6.data_after_none_header", "Bytes after a header that says nothing follows.";
    Ipv6UnknownNextHeader = "ipv6.unknown_next_header", "A next header that is not known.";
    Ipv6Icmpv4 = "ipv6.icmpv4", "ICMPv4 carried by IPv6.";
    TcpPktTooSmall = "tcp.pkt_too_small", "Fewer bytes than a TCP header has.";
    TcpHlenTooSmall = "tcp.hlen_too_small", "The TCP header length goes beyond the packet.";
    TcpInvalidOptlen = "tcp.invalid_optlen", "The TCP header length is below 20.";
    TcpOptInvalidLen = "tcp.opt_invalid_len", "A TCP option whose length is impossible.";
    TcpOptDuplicate = "tcp.opt_duplicate", "The same TCP option twice.";
    UdpPktTooSmall = "udp.pkt_too_small", "Fewer bytes than a UDP header has.";
    UdpHlenTooSmall = "udp.hlen_too_small", "The UDP length goes beyond the packet.";
    UdpLenInvalid = "udp.len_invalid", "The UDP length is below 8.";
    SllPktTooSmall = "sll.pkt_too_small", "Fewer bytes than a Linux cooked header has.";
    Sll2PktTooSmall = "sll2.pkt_too_small", "Fewer bytes than a Linux cooked header, second form, has.";
    EthernetPktTooSmall = "ethernet.pkt_too_small", "Fewer bytes than an Ethernet header has.";
    EthernetUnknownEthertype = "ethernet.unknown_ethertype", "An ethertype that is not read.";
    PppPktTooSmall = "ppp.pkt_too_small", "Fewer bytes than a PPP header has.";
    PppVjuPktTooSmall = "ppp.vju_pkt_too_small", "Fewer bytes than PPP with an uncompressed VJ header needs.";
    PppIp4PktTooSmall = "ppp.ip4_pkt_too_small", "Fewer bytes than PPP with IPv4 needs.";
    PppIp6PktTooSmall = "ppp.ip6_pkt_too_small", "Fewer bytes than PPP with IPv6 needs.";
    PppWrongType = "ppp.wrong_type", "A PPP protocol that is not assigned.";
    PppUnsupProto = "ppp.unsup_proto", "A PPP protocol that is assigned but carries no network layer that is read.";
    PppoePktTooSmall = "pppoe.pkt_too_small", "Fewer bytes than a PPPoE header has.";
    PppoeWrongCode = "pppoe.wrong_code", "A PPPoE code that the stage does not have.";
    PppoeMalformedTags = "pppoe.malformed_tags", "PPPoE discovery tags that do not fit.";
    GrePktTooSmall = "gre.pkt_too_small", "Fewer bytes than a GRE header has.";
    GreWrongVersion = "gre.wrong_version", "A GRE version other than 0 and 1.";
    GreVersion0Recur = "gre.version0_recur", "GRE version 0 with recursion control.";
    GreVersion0Flags = "gre.version0_flags", "GRE version 0 with reserved flags.";
    GreVersion0HdrTooBig = "gre.version0_hdr_too_big", "A GRE version 0 header that goes beyond the packet.";
    GreVersion0MalformedSreHdr = "gre.version0_malformed_sre_hdr", "A GRE version 0 source route that does not fit.";
    GreVersion1Chksum = "gre.version1_chksum", "GRE version 1 with a checksum.";
    GreVersion1Route = "gre.version1_route", "GRE version 1 with routing.";
    GreVersion1Ssr = "gre.version1_ssr", "GRE version 1 with a strict source route.";
    GreVersion1Recur = "gre.version1_recur", "GRE version 1 with recursion control.";
    GreVersion1Flags = "gre.version1_flags", "GRE version 1 with reserved flags.";
    GreVersion1NoKey = "gre.version1_no_key", "GRE version 1 without a key.";
    GreVersion1WrongProtocol = "gre.version1_wrong_protocol", "GRE version 1 with another protocol than PPP.";
    GreVersion1MalformedSreHdr = "gre.version1_malformed_sre_hdr", "Known to rules alone: GRE version 1 with routing raises `version1_route`.";
    GreVersion1HdrTooBig = "gre.version1_hdr_too_big", "A GRE version 1 header that goes beyond the packet.";
    VlanHeaderTooSmall = "vlan.header_too_small", "Fewer bytes than a VLAN tag has.";
    VlanUnknownType = "vlan.unknown_type", "A VLAN tag in front of an ethertype that is not read.";
    VlanTooManyLayers = "vlan.too_many_layers", "More than three VLAN tags.";
    VntagHeaderTooSmall = "vntag.header_too_small", "Fewer bytes than a VN-tag has.";
    VntagUnknownType = "vntag.unknown_type", "A VN-tag in front of an ethertype that is not read.";
    Ieee8021ahHeaderTooSmall = "ieee8021ah.header_too_small", "Fewer bytes than a provider-backbone header has.";
    IprawInvalidIpVersion = "ipraw.invalid_ip_version", "A raw IP packet that is neither version 4 nor 6.";
    LtnullPktTooSmall = "ltnull.pkt_too_small", "Fewer bytes than a loopback header has.";
    LtnullUnsupportedType = "ltnull.unsupported_type", "A loopback address family that is not read.";
    SctpPktTooSmall = "sctp.pkt_too_small", "Fewer bytes than an SCTP header has.";
    EspPktTooSmall = "esp.pkt_too_small", "Fewer bytes than an ESP header has.";
    ArpPktTooSmall = "arp.pkt_too_small", "Fewer bytes than an ARP header has.";
    ArpUnsupportedHardware = "arp.unsupported_hardware", "ARP for another hardware than Ethernet.";
    ArpUnsupportedProtocol = "arp.unsupported_protocol", "ARP for another protocol than IPv4.";
    ArpInvalidPkt = "arp.invalid_pkt", "An ARP packet whose length does not fit its address sizes.";
    ArpInvalidHardwareSize = "arp.invalid_hardware_size", "ARP with a hardware address size other than 6.";
    ArpInvalidProtocolSize = "arp.invalid_protocol_size", "ARP with a protocol address size other than 4.";
    ArpUnsupportedOpcode = "arp.unsupported_opcode", "An ARP operation that is not known.";
    Ipv4FragPktTooLarge = "ipv4.frag_pkt_too_large", "An IPv4 fragment that ends beyond 65535 bytes.";
    Ipv4FragOverlap = "ipv4.frag_overlap", "IPv4 fragments that overlap.";
    Ipv4FragIgnored = "ipv4.frag_ignored", "An IPv4 fragment that could not be kept.";
    Ipv6FragPktTooLarge = "ipv6.frag_pkt_too_large", "An IPv6 fragment that ends beyond 65535 bytes.";
    Ipv6FragOverlap = "ipv6.frag_overlap", "IPv6 fragments that overlap.";
    Ipv6FragInvalidLength = "ipv6.frag_invalid_length", "An IPv6 fragment, not the last, of a length that is no multiple of 8.";
    Ipv6FragIgnored = "ipv6.frag_ignored", "An IPv6 fragment that could not be kept.";
    Ipv4InIpv6TooSmall = "ipv6.ipv4_in_ipv6_too_small", "Fewer bytes inside IPv6 than an IPv4 header has.";
    Ipv4InIpv6WrongVersion = "ipv6.ipv4_in_ipv6_wrong_version", "IPv6 announces IPv4 inside, and it is not.";
    Ipv6InIpv6TooSmall = "ipv6.ipv6_in_ipv6_too_small", "Fewer bytes inside IPv6 than an IPv6 header has.";
    Ipv6InIpv6WrongVersion = "ipv6.ipv6_in_ipv6_wrong_version", "IPv6 announces IPv6 inside, and it is not.";
    MplsHeaderTooSmall = "mpls.header_too_small", "Fewer bytes than an MPLS label has.";
    MplsPktTooSmall = "mpls.pkt_too_small", "Too few bytes after the last MPLS label.";
    MplsBadLabelRouterAlert = "mpls.bad_label_router_alert", "A router-alert label at the bottom of the stack.";
    MplsBadLabelImplicitNull = "mpls.bad_label_implicit_null", "An implicit-null label on the wire.";
    MplsBadLabelReserved = "mpls.bad_label_reserved", "A reserved MPLS label.";
    MplsUnknownPayloadType = "mpls.unknown_payload_type", "Bytes after the last MPLS label that are neither IP nor Ethernet.";
    VxlanUnknownPayloadType = "vxlan.unknown_payload_type", "VXLAN around an ethertype that is not read.";
    GeneveUnknownPayloadType = "geneve.unknown_payload_type", "GENEVE around a protocol that is not read.";
    ErspanHeaderTooSmall = "erspan.header_too_small", "Fewer bytes than an ERSPAN header has.";
    ErspanUnsupportedVersion = "erspan.unsupported_version", "An ERSPAN version that is not read.";
    ErspanTooManyVlanLayers = "erspan.too_many_vlan_layers", "ERSPAN that would add a fourth VLAN tag.";
    DcePktTooSmall = "dce.pkt_too_small", "Fewer bytes than a Cisco fabric-path header has.";
    ChdlcPktTooSmall = "chdlc.pkt_too_small", "Fewer bytes than a Cisco HDLC header has.";
    NshHeaderTooSmall = "nsh.header_too_small", "Fewer bytes than a service header has.";
    NshUnsupportedVersion = "nsh.unsupported_version", "A service header of another version than 0.";
    NshBadHeaderLength = "nsh.bad_header_length", "A service header whose length does not fit its type.";
    NshReservedType = "nsh.reserved_type", "A service header of the reserved type.";
    NshUnsupportedType = "nsh.unsupported_type", "A service header of a type that is not read.";
    NshUnknownPayload = "nsh.unknown_payload", "A service header around a protocol that is not read.";
    TooManyLayers = "too_many_layers", "More headers inside one another than the decoder follows.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_texts_are_each_their_own() {
        for pick in [Event::name as fn(Event) -> &'static str, Event::text] {
            let mut all: Vec<_> = Event::ALL.iter().map(|e| pick(*e)).collect();
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), Event::ALL.len());
        }
        assert_eq!(Event::Ipv4PktTooSmall.name(), "decoder.ipv4.pkt_too_small");
        assert_eq!(Event::TooManyLayers.name(), "decoder.too_many_layers");
    }
}
