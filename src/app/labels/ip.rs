//! Protocols directly on IP: the protocol number says it (IANA, Assigned Internet Protocol Numbers).

use parse::{Category, Protocol, Transport};

macro_rules! numbers {
    ($($name:literal, $title:literal, [$($ndpi:literal),*], $category:ident, [$($number:literal),*];)*) => {
        pub(super) static ALL: &[&Protocol] = &[$(&Protocol {
            name: $name,
            title: $title,
            category: Category::$category,
            ndpi: &[$($ndpi),*],
            transports: &[$(Transport::Ip($number)),*],
            ..Protocol::LABEL
        }),*];
    };
}

numbers! {
    "icmp", "Internet Control Message Protocol", ["ICMP"], Network, [1];
    "icmpv6", "ICMP for IPv6", ["ICMPV6"], Network, [58];
    "igmp", "Internet Group Management Protocol", ["IGMP"], Network, [2];
    "ipip", "IP in IP", ["IP_in_IP"], Network, [4, 41];
    "egp", "Exterior Gateway Protocol", ["EGP"], Network, [8];
    "dccp", "Datagram Congestion Control Protocol", [], Network, [33];
    "rsvp", "Resource Reservation Protocol", [], Network, [46];
    "gre", "Generic Routing Encapsulation", ["GRE"], Network, [47];
    "esp", "IPsec encapsulating security payload", ["IPSec"], Vpn, [50];
    "ah", "IPsec authentication header", ["IPSec"], Vpn, [51];
    "ipcomp", "IP payload compression", [], Vpn, [108];
    "nhrp", "Next Hop Resolution Protocol", [], Network, [54];
    "eigrp", "Enhanced Interior Gateway Routing Protocol", [], Network, [88];
    "ospf", "Open Shortest Path First", ["OSPF"], Network, [89];
    "etherip", "Ethernet in IP", [], Network, [97];
    "pim", "Protocol Independent Multicast", ["IP_PIM"], Network, [103];
    "vrrp", "Virtual Router Redundancy Protocol", ["VRRP"], Network, [112];
    "pgm", "Pragmatic General Multicast", ["PGM"], Network, [113];
    "l2tpv3", "Layer Two Tunneling Protocol over IP", [], Vpn, [115];
    "isis", "IS-IS over IPv4", [], Network, [124];
    "udplite", "Lightweight UDP", [], Network, [136];
    "mpls-in-ip", "MPLS in IP", [], Network, [137];
    "hip", "Host Identity Protocol", [], Vpn, [139];
    "shim6", "Site multihoming by IPv6 intermediation", [], Network, [140];
}
