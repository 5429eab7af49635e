//! Where a frame belongs, told before anything is decoded.

use frame::{Frame, LinkType};

use crate::link::ethertype;
use crate::net::protocol;
use crate::walk::push_vlan;
use crate::{Address, Settings, Vlans};

/// Who decodes a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steer {
    /// The worker that owns this [`pair_hash`]; decoding gives exactly one packet, with that hash.
    Owner(u32),
    /// Any one worker: what it decodes to belongs to no flow.
    Anybody,
    /// Every worker: fragments, tunnels, ICMP errors, whatever is not IP, and anything doubtful.
    Everybody,
}

/// What the first few headers of a frame tell about its one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sight {
    /// Source address.
    pub src: Address,
    /// Destination address.
    pub dst: Address,
    /// Source and destination port; zero where the transport has none.
    pub ports: (u16, u16),
    /// Transport protocol number.
    pub protocol: u8,
    /// IP version, 4 or 6.
    pub version: u8,
    /// VLAN ids.
    pub vlans: Vlans,
}

/// Says who decodes `frame`, from its first few headers.
#[must_use]
pub fn steer(settings: &Settings, frame: &Frame<'_>) -> Steer {
    if let Some(hash) = plain(settings, frame) {
        return Steer::Owner(hash);
    }
    if is_arp(frame) {
        return Steer::Anybody;
    }
    sight(settings, frame).map_or(Steer::Everybody, |sight| Steer::Owner(pair_hash(&sight.src, &sight.dst)))
}

/// The same for what most frames are, without detours: whole TCP or UDP in IPv4 without options, in Ethernet with one tag
/// or none.
#[inline]
fn plain(settings: &Settings, frame: &Frame<'_>) -> Option<u32> {
    if frame.link != LinkType::ETHERNET {
        return None;
    }
    let room = Room { data: frame.data, end: frame.data.len().max(frame.wire_len as usize), settings };
    let at = match room.be16(12)? {
        ethertype::IPV4 => 14,
        ethertype::VLAN if room.be16(16)? == ethertype::IPV4 => 18,
        _ => return None,
    };
    let [first, _, l0, l1, _, _, f0, f1, _, number, _, _, addresses @ ..] = room.peek::<20>(at)?;
    let total = usize::from(u16::from_be_bytes([*l0, *l1]));
    let whole = u16::from_be_bytes([*f0, *f1]) & 0x3fff == 0 && total >= 20 && at + total <= room.end;
    if *first != 0x45 || !whole {
        return None;
    }
    let is_plain = *number == protocol::TCP || *number == protocol::UDP && is_plain_udp(room, at + 20);
    let (src, dst) = (addresses.first_chunk()?, addresses.last_chunk()?);
    is_plain.then(|| mix_pair(fold_v4(*src), fold_v4(*dst)))
}

/// ARP in untagged Ethernet: every host asks all others, so that it can be a large part of what a mirror sends.
fn is_arp(frame: &Frame<'_>) -> bool {
    frame.link == LinkType::ETHERNET && frame.data.get(12..14) == Some(&ethertype::ARP.to_be_bytes())
}

/// What decoding will give, for frames that [`steer`] knows the owner of; `None` for the others.
#[inline]
#[must_use]
pub fn sight(settings: &Settings, frame: &Frame<'_>) -> Option<Sight> {
    let room = Room { data: frame.data, end: frame.data.len().max(frame.wire_len as usize), settings };
    let mut vlans = Vlans::default();
    if let Some(tag) = frame.vlan {
        push_vlan(&mut vlans, tag.tci);
    }
    by_link(room, frame.link, vlans)
}

/// A hash of an address pair that is the same in both directions, well mixed and without a seed.
#[inline]
#[must_use]
pub fn pair_hash(a: &Address, b: &Address) -> u32 {
    mix_pair(fold(a), fold(b))
}

#[inline]
fn mix_pair(a: u64, b: u64) -> u32 {
    // sum and difference-free product of the two are the same in both directions
    let mut mixed = a.wrapping_add(b) ^ (a ^ b).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 32)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    let [h0, h1, h2, h3, ..] = (mixed ^ (mixed >> 32)).to_le_bytes();
    u32::from_le_bytes([h0, h1, h2, h3])
}

#[inline]
fn fold(a: &Address) -> u64 {
    let [a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7] = a.0;
    fold_halves(
        u64::from_le_bytes([a0, a1, a2, a3, a4, a5, a6, a7]),
        u64::from_le_bytes([b0, b1, b2, b3, b4, b5, b6, b7]),
    )
}

/// [`fold`] of a mapped IPv4 address.
#[inline]
fn fold_v4(address: [u8; 4]) -> u64 {
    fold_halves(0, u64::from(u32::from_le_bytes(address)) << 32 | 0xffff_0000)
}

#[inline]
fn fold_halves(high: u64, low: u64) -> u64 {
    // Each address is well mixed before the two are put together: numbering plans make sums and differences of plain
    // addresses collide.
    let mixed = high.rotate_left(23) ^ low;
    let mixed = (mixed ^ (mixed >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0x9fb2_1c65_1e98_df25);
    (mixed ^ (mixed >> 32)).wrapping_add(high.wrapping_mul(0xa076_1d64_78bd_642f))
}

/// What a frame gives to look at.
#[derive(Clone, Copy)]
struct Room<'a> {
    data: &'a [u8],
    end: usize,
    settings: &'a Settings,
}

impl<'a> Room<'a> {
    #[inline]
    fn peek<const N: usize>(self, at: usize) -> Option<&'a [u8; N]> {
        self.data.get(at..)?.first_chunk()
    }

    #[inline]
    fn be16(self, at: usize) -> Option<u16> {
        self.peek(at).map(|b| u16::from_be_bytes(*b))
    }
}

/// For the link layers whose way to IP is short.
#[inline]
fn by_link(room: Room<'_>, link: LinkType, vlans: Vlans) -> Option<Sight> {
    match link {
        LinkType::ETHERNET => by_ethertype(room, room.be16(12)?, 14, vlans),
        LinkType::LINUX_SLL => by_ethertype(room, room.be16(14)?, 16, vlans),
        LinkType::LINUX_SLL2 => by_ethertype(room, room.be16(0)?, 20, vlans),
        LinkType::C_HDLC => by_ethertype(room, room.be16(2)?, 4, vlans),
        LinkType::RAW | LinkType::RAW_OLD | LinkType::RAW_BSD => by_version(room, 0),
        LinkType::IPV4 => ipv4(room, 0),
        LinkType::IPV6 => ipv6(room, 0),
        LinkType::NULL | LinkType::LOOP => match room.peek::<4>(0)? {
            [2, 0, 0, 0] | [0, 0, 0, 2] => ipv4(room, 4),
            [10 | 24 | 28 | 30, 0, 0, 0] | [0, 0, 0, 10 | 24 | 28 | 30] => ipv6(room, 4),
            _ => None,
        },
        _ => None,
    }
}

fn by_version(room: Room<'_>, at: usize) -> Option<Sight> {
    match room.peek::<1>(at)? {
        [first] if first >> 4 == 4 => ipv4(room, at),
        [first] if first >> 4 == 6 => ipv6(room, at),
        _ => None,
    }
}

/// Looks through VLAN tags, of which three at most are read, and through PPPoE.
#[inline]
fn by_ethertype(room: Room<'_>, kind: u16, at: usize, vlans: Vlans) -> Option<Sight> {
    let (mut kind, mut at, mut vlans) = (kind, at, vlans);
    loop {
        match kind {
            ethertype::IPV4 => return ipv4(room, at).map(|sight| Sight { vlans, ..sight }),
            ethertype::IPV6 => return ipv6(room, at).map(|sight| Sight { vlans, ..sight }),
            ethertype::VLAN | ethertype::QINQ | ethertype::QINQ_OLD => {
                if !push_vlan(&mut vlans, room.be16(at)?) {
                    return None;
                }
                kind = room.be16(at + 2)?;
                at += 4;
            }
            ethertype::PPPOE_SESSION => return pppoe(room, at).map(|sight| Sight { vlans, ..sight }),
            _ => return None,
        }
    }
}

/// A session frame whose length is honest and whose protocol field has two bytes.
fn pppoe(mut room: Room<'_>, at: usize) -> Option<Sight> {
    let [_, code, _, _, l0, l1, p0, p1] = room.peek::<8>(at)?;
    room.end = room.end.min(at + 6 + usize::from(u16::from_be_bytes([*l0, *l1])));
    match (code, p0, p1) {
        (0, 0, 0x21) => ipv4(room, at + 8),
        (0, 0, 0x57) => ipv6(room, at + 8),
        _ => None,
    }
}

#[inline]
fn ipv4(room: Room<'_>, at: usize) -> Option<Sight> {
    let header = room.peek::<20>(at)?;
    let [first, _, l0, l1, _, _, f0, f1, _, number, _, _, s0, s1, s2, s3, d0, d1, d2, d3] = *header;
    let header_len = usize::from(first & 0x0f) * 4;
    let total = usize::from(u16::from_be_bytes([l0, l1]));
    let whole = u16::from_be_bytes([f0, f1]) & 0x3fff == 0;
    if first >> 4 != 4 || header_len < 20 || total < header_len || at + total > room.end || !whole {
        return None;
    }
    let body = at + header_len;
    let plain = match number {
        protocol::TCP | protocol::SCTP | protocol::ESP | protocol::IGMP => true,
        protocol::UDP => is_plain_udp(room, body),
        protocol::ICMP => !matches!(room.peek::<1>(body)?, [3 | 4 | 5 | 11 | 12]),
        _ => false,
    };
    plain.then(|| Sight {
        src: Address::v4([s0, s1, s2, s3]),
        dst: Address::v4([d0, d1, d2, d3]),
        ports: ports(room, number, body),
        protocol: number,
        version: 4,
        vlans: Vlans::default(),
    })
}

/// Without extension headers; those that have them are rare enough for everybody.
#[inline]
fn ipv6(room: Room<'_>, at: usize) -> Option<Sight> {
    let [first, _, _, _, l0, l1, next, _, addresses @ ..] = room.peek::<40>(at)?;
    if first >> 4 != 6 || at + 40 + usize::from(u16::from_be_bytes([*l0, *l1])) > room.end {
        return None;
    }
    let plain = match *next {
        protocol::TCP | protocol::SCTP | protocol::ESP => true,
        protocol::UDP => is_plain_udp(room, at + 40),
        protocol::ICMPV6 => !matches!(room.peek::<1>(at + 40)?, [1..=4]),
        _ => false,
    };
    let (src, rest) = addresses.split_first_chunk::<16>()?;
    let dst = rest.first_chunk()?;
    plain.then(|| Sight {
        src: Address(*src),
        dst: Address(*dst),
        ports: ports(room, *next, at + 40),
        protocol: *next,
        version: 6,
        vlans: Vlans::default(),
    })
}

/// The ports at the beginning of a transport header, as far as it is there and has some.
#[inline]
fn ports(room: Room<'_>, number: u8, at: usize) -> (u16, u16) {
    let has_ports = matches!(number, protocol::TCP | protocol::UDP | protocol::SCTP);
    match room.peek::<4>(at) {
        Some(&[a, b, c, d]) if has_ports => (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])),
        _ => (0, 0),
    }
}

/// Whether the ports are there and suggest no tunnel.
#[inline]
fn is_plain_udp(room: Room<'_>, at: usize) -> bool {
    room.peek::<4>(at).is_some_and(|[a, b, c, d]| {
        !room.settings.is_tunnel_port(u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_same_in_both_directions_and_spreads() {
        let mut buckets = [0_u32; 8];
        for i in 0..8_000_u32 {
            let [_, b, c, d] = i.to_be_bytes();
            let (x, y) = (Address::v4([10, b, c, d]), Address::v4([192, 168, 0, 1]));
            assert_eq!(pair_hash(&x, &y), pair_hash(&y, &x));
            buckets[pair_hash(&x, &y) as usize % 8] += 1;
        }
        assert!(buckets.iter().all(|n| (800..1200).contains(n)), "{buckets:?}");
    }

    #[test]
    fn mirrored_numbering_plans_spread() {
        let pair = |n: u8| pair_hash(&Address::v4([10, 1, 0, n]), &Address::v4([192, 0, 2, 200 - n]));
        let hashes: std::collections::BTreeSet<u32> = (0..=200).map(pair).collect();
        assert_eq!(hashes.len(), 201);
        let mut buckets = [0_u32; 4];
        (0..=200).for_each(|n| buckets[pair(n) as usize % 4] += 1);
        assert!(buckets.iter().all(|n| (35..70).contains(n)), "{buckets:?}");
    }

    #[test]
    fn an_address_paired_with_itself_still_spreads() {
        let hashes: std::collections::BTreeSet<u32> =
            (0..=255).map(|d| Address::v4([127, 0, 0, d])).map(|a| pair_hash(&a, &a)).collect();
        assert_eq!(hashes.len(), 256);
    }
}
