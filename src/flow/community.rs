//! Community ID, version 1: one name for a flow across tools
//! (<https://github.com/corelight/community-id-spec>).

use crate::Key;
use crate::key::icmp_counterpart;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMPV6: u8 = 58;
const SCTP: u8 = 132;

/// The community ID of a flow, as text.
#[must_use]
pub fn community_id(key: &Key, seed: u16) -> String {
    format!("1:{}", STANDARD.encode(community_hash(key, seed)))
}

/// The hash that a community ID is the text of.
#[must_use]
pub fn community_hash(key: &Key, seed: u16) -> [u8; 20] {
    let has_ports = matches!(key.protocol, ICMP | TCP | UDP | ICMPV6 | SCTP);
    let ports = |k: &Key| if has_ports { (k.src_port, k.dst_port) } else { (0, 0) };
    let (sport, dport) = ports(key);
    let in_order = (key.src, sport) <= (key.dst, dport);
    let key = if in_order || is_one_way(key) { *key } else { key.reversed() };

    let mut sha = Sha1::new();
    sha.update(seed.to_be_bytes());
    sha.update(wire(&key.src.0, key.version));
    sha.update(wire(&key.dst.0, key.version));
    sha.update([key.protocol, 0]);
    if has_ports {
        sha.update(key.src_port.to_be_bytes());
        sha.update(key.dst_port.to_be_bytes());
    }
    sha.finalize().into()
}

/// Messages without an answer keep their direction.
fn is_one_way(key: &Key) -> bool {
    let version = match key.protocol {
        ICMP => 4,
        ICMPV6 => 6,
        _ => return false,
    };
    u8::try_from(key.src_port).is_ok_and(|kind| icmp_counterpart(version, kind).is_none())
}

/// The address as it is on the wire: 4 or 16 bytes.
fn wire(address: &[u8; 16], version: u8) -> &[u8] {
    let start = if version == 4 { 12 } else { 0 };
    address.get(start..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use decode::Address;
    use std::net::IpAddr;

    fn key(protocol: u8, src: &str, dst: &str, ports: (u16, u16)) -> Key {
        let parse = |text: &str| match text.parse().unwrap() {
            IpAddr::V4(a) => (4, Address::v4(a.octets())),
            IpAddr::V6(a) => (6, Address(a.octets())),
        };
        let (version, src) = parse(src);
        let (_, dst) = parse(dst);
        Key { src, dst, protocol, version, src_port: ports.0, dst_port: ports.1, ..Key::default() }
    }

    /// The values are those of the specification's own baseline.
    #[test]
    fn matches_the_baseline() {
        let tcp = key(TCP, "128.232.110.120", "66.35.250.204", (34855, 80));
        assert_eq!(community_id(&tcp, 0), "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
        assert_eq!(community_id(&tcp.reversed(), 0), "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
        assert_eq!(community_id(&tcp, 1), "1:3V71V58M3Ksw/yuFALMcW0LAHvc=");
        let udp = key(UDP, "192.168.1.52", "8.8.8.8", (54585, 53));
        assert_eq!(community_id(&udp, 0), "1:d/FP5EW3wiY1vCndhwleRRKHowQ=");
        let ping = key(ICMP, "192.168.0.89", "192.168.0.1", (8, 0));
        assert_eq!(community_id(&ping, 0), "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=");
        assert_eq!(community_id(&ping.reversed(), 0), "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=");
    }

    #[test]
    fn protocols_without_ports_order_by_address_alone() {
        let gre = key(47, "10.0.0.2", "10.0.0.1", (0, 0));
        assert_eq!(community_id(&gre, 0), community_id(&gre.reversed(), 0));
        let one_way = key(ICMP, "10.0.0.2", "10.0.0.1", (3, 1));
        assert_ne!(
            community_id(&one_way, 0),
            community_id(&Key { src: one_way.dst, dst: one_way.src, ..one_way }, 0)
        );
    }
}
