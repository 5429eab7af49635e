//! The key of a flow, and how it is hashed: the same for both directions.

use decode::Address;

/// One half of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Side {
    /// What the client sends.
    ToServer = 0,
    /// What the server sends.
    ToClient = 1,
}

impl Side {
    /// Both, client first.
    pub const BOTH: [Self; 2] = [Self::ToServer, Self::ToClient];

    /// The other half.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::ToServer => Self::ToClient,
            Self::ToClient => Self::ToServer,
        }
    }

    /// 0 for what the client sends, 1 for what the server sends.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// Two of something, one for each [`Side`]; it cannot be indexed wrongly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pair<T>(pub [T; 2]);

impl<T> Pair<T> {
    /// That of one side.
    #[must_use]
    pub const fn of(&self, side: Side) -> &T {
        let [server, client] = &self.0;
        match side {
            Side::ToServer => server,
            Side::ToClient => client,
        }
    }

    /// That of one side, to change.
    pub const fn of_mut(&mut self, side: Side) -> &mut T {
        let [server, client] = &mut self.0;
        match side {
            Side::ToServer => server,
            Side::ToClient => client,
        }
    }

    /// First that of `side`, then that of the other, to change.
    pub const fn split_mut(&mut self, side: Side) -> (&mut T, &mut T) {
        let [server, client] = &mut self.0;
        match side {
            Side::ToServer => (server, client),
            Side::ToClient => (client, server),
        }
    }

    /// Exchanges the two.
    pub const fn swap(&mut self) {
        let [server, client] = &mut self.0;
        std::mem::swap(server, client);
    }
}

/// What makes packets belong together. Source is the client: who sent the first packet, unless swapped later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Key {
    /// Client address.
    pub src: Address,
    /// Server address.
    pub dst: Address,
    /// Virtual network, 0 for none.
    pub tenant: u32,
    /// The tap, 0 when taps are not told apart.
    pub tap: u32,
    /// VLAN ids, outermost first, 0 where there is none or they are not told apart.
    pub vlans: [u16; 3],
    /// Client port; for ICMP the message type, see [`crate::icmp_ports`]; for ESP the first half of its index.
    pub src_port: u16,
    /// Server port; for ICMP the type of the answer, or the code of a message that has none; for ESP the other half.
    pub dst_port: u16,
    /// Transport protocol number.
    pub protocol: u8,
    /// IP version, 4 or 6.
    pub version: u8,
}

impl Key {
    /// The same flow, seen from the other side.
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self { src: self.dst, dst: self.src, src_port: self.dst_port, dst_port: self.src_port, ..self }
    }

    /// Whether this is the other, seen from the other side.
    #[inline]
    pub(crate) fn is_reverse_of(&self, other: &Self) -> bool {
        let ends = (self.src_port, self.dst_port) == (other.dst_port, other.src_port)
            && self.src == other.dst
            && self.dst == other.src;
        let place = (self.tenant, self.tap, self.vlans) == (other.tenant, other.tap, other.vlans);
        ends && place && (self.protocol, self.version) == (other.protocol, other.version)
    }

    /// Hash of both directions at once, for the index.
    #[inline]
    pub(crate) fn tag(&self, seed: u64) -> u32 {
        let end = |address: Address, port: u16| {
            let [a, b] = halves(address);
            // The port is spread over the half that every IPv4 address shares.
            fold(a ^ seed ^ u64::from(port).wrapping_mul(MULTIPLIERS[2]), b ^ MULTIPLIERS[0])
        };
        // A sum is the same in both directions; each of its terms is mixed with the seed already.
        let ends = end(self.src, self.src_port).wrapping_add(end(self.dst, self.dst_port));
        let mixed = fold(ends ^ MULTIPLIERS[1], self.rest() ^ seed.rotate_left(32));
        #[allow(clippy::cast_possible_truncation, reason = "half of the bits are enough")]
        {
            (mixed >> 32) as u32
        }
    }

    /// Everything but addresses and ports.
    #[inline]
    fn rest(&self) -> u64 {
        let [v0, v1, v2] = self.vlans;
        let vlans = u64::from(v0) << 48 | u64::from(v1) << 32 | u64::from(v2) << 16;
        let place = u64::from(self.tenant) << 32 | u64::from(self.tap);
        let kind = u64::from(self.protocol) << 8 | u64::from(self.version);
        (vlans | kind) ^ place.wrapping_mul(MULTIPLIERS[3])
    }

    /// Hash of both directions at once; what flows are numbered by follows from it, so it never changes.
    #[must_use]
    pub fn hash(&self, seed: u64) -> u64 {
        let (near, far) = ((self.src, self.src_port), (self.dst, self.dst_port));
        let (low, high) = if near <= far { (near, far) } else { (far, near) };
        let [a, b] = halves(low.0);
        let [c, d] = halves(high.0);
        let ports = u64::from(low.1) << 48 | u64::from(high.1) << 32;
        let [v0, v1, v2] = self.vlans;
        let vlans = u64::from(v0) << 32 | u64::from(v1) << 16 | u64::from(v2);
        let rest = ports | u64::from(self.protocol) << 8 | u64::from(self.version);
        let place = u64::from(self.tenant) << 32 | u64::from(self.tap);
        let x = fold(a ^ seed, b ^ MULTIPLIERS[0]);
        let y = fold(c ^ MULTIPLIERS[1], d ^ seed.rotate_left(32));
        let z = fold(rest ^ MULTIPLIERS[2], vlans ^ place.rotate_left(17) ^ MULTIPLIERS[3] ^ seed);
        fold(x ^ z, y.rotate_left(29) ^ MULTIPLIERS[0])
    }

    /// The security parameters index of ESP.
    #[must_use]
    pub fn spi(&self) -> Option<u32> {
        (self.protocol == ESP).then(|| u32::from(self.src_port) << 16 | u32::from(self.dst_port))
    }

    /// A number for the flow that follows from its key and its first packet only, and that JSON can carry (2^53).
    #[must_use]
    pub fn id(&self, first: crate::Moment) -> u64 {
        let hash = self.hash(0);
        let id = fold(hash ^ first.time.nanos(), first.number ^ MULTIPLIERS[2]) ^ hash.rotate_left(13);
        id >> 11
    }
}

/// The message type that answers this one, if there is one: echo and its kin (RFC 792, 950, 4443, 4861, 2710).
#[must_use]
pub(crate) const fn icmp_counterpart(version: u8, kind: u8) -> Option<u8> {
    if version == 4 {
        Some(match kind {
            0 => 8,
            8 => 0,
            9 => 10,
            10 => 9,
            13 => 14,
            14 => 13,
            15 => 16,
            16 => 15,
            17 => 18,
            18 => 17,
            _ => return None,
        })
    } else {
        Some(match kind {
            128 => 129,
            129 => 128,
            130 => 131,
            131 => 130,
            133 => 134,
            134 => 133,
            135 => 136,
            136 => 135,
            139 => 140,
            140 => 139,
            144 => 145,
            145 => 144,
            _ => return None,
        })
    }
}

/// Stand-ins for ports: an ICMP message's type and the type of its answer; without such an answer, type and code.
#[must_use]
pub fn icmp_ports(version: u8, kind: u8, code: u8) -> (u16, u16) {
    (u16::from(kind), u16::from(icmp_counterpart(version, kind).unwrap_or(code)))
}

const ESP: u8 = 50;

/// Stand-ins for ports: the halves of a security parameters index (RFC 4303, 2.1). Each direction has one of its own, so
/// each security association is a flow.
pub(crate) const fn spi_ports(spi: u32) -> (u16, u16) {
    let [a, b, c, d] = spi.to_be_bytes();
    (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))
}

/// Odd numbers without structure (digits of pi).
const MULTIPLIERS: [u64; 4] =
    [0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7345, 0xa409_3822_299f_31d1, 0x082e_fa98_ec4e_6c89];

/// Multiplies to 128 bits and folds the halves: every input bit reaches every output bit. A factor of zero would make
/// the other one vanish, and a sender could choose it: something else stands in for it.
const fn fold(a: u64, b: u64) -> u64 {
    let wide = not_zero(a) as u128 * not_zero(b) as u128;
    #[allow(clippy::cast_possible_truncation, reason = "the two halves are what is meant")]
    {
        wide as u64 ^ (wide >> 64) as u64
    }
}

const fn not_zero(factor: u64) -> u64 {
    if factor == 0 { 0x4528_21e6_38d0_1377 } else { factor }
}

fn halves(address: Address) -> [u64; 2] {
    let wide = u128::from_be_bytes(address.0);
    #[allow(clippy::cast_possible_truncation, reason = "the two halves are what is meant")]
    [(wide >> 64) as u64, wide as u64]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Moment;

    fn key(n: u32, port: u16) -> Key {
        Key {
            src: Address::v4(n.to_be_bytes()),
            dst: Address::v4([10, 0, 0, 1]),
            src_port: port,
            dst_port: 80,
            protocol: 6,
            version: 4,
            ..Key::default()
        }
    }

    #[test]
    fn both_directions_hash_alike() {
        let k = key(0xc0a8_0001, 40_000);
        assert_eq!(k.hash(7), k.reversed().hash(7));
        assert_eq!(k.tag(7), k.reversed().tag(7));
        assert!(k.is_reverse_of(&k.reversed()) && !k.is_reverse_of(&k));
        let land = Key { dst: k.src, ..k };
        assert_eq!(land.hash(7), land.reversed().hash(7));
    }

    #[test]
    fn tags_collide_no_more_than_chance_would_have_it() {
        let tags: std::collections::HashSet<u32> =
            (0..2_000).flat_map(|n| (0..50).map(move |port| key(n, port).tag(1))).collect();
        // A hundred thousand draws of 32 bits meet about once.
        assert!(tags.len() > 100_000 - 12, "{}", tags.len());
    }

    #[test]
    fn neighbours_do_not_collide_and_fill_all_bits() {
        let mut seen = std::collections::HashSet::new();
        let (mut ones, mut zeros) = (0u64, 0u64);
        for n in 0..2_000 {
            for port in 0..50 {
                let h = key(n, port).hash(1);
                ones |= h;
                zeros |= !h;
                assert!(seen.insert(h >> 16));
            }
        }
        assert_eq!((ones, zeros), (u64::MAX, u64::MAX));
    }

    #[test]
    fn a_key_that_cancels_the_seed_hides_nothing() {
        let seed = 0x9e37_79b9_7f4a_7c15u64;
        let mut seen = std::collections::HashSet::new();
        for n in 0..10_000u64 {
            let src = Address((u128::from(seed) << 64 | u128::from(n)).to_be_bytes());
            let dst = Address((u128::from(MULTIPLIERS[1]) << 64 | u128::from(n)).to_be_bytes());
            assert!(seen.insert(Key { src, ..key(1, 2) }.hash(seed)));
            assert!(seen.insert(Key { dst, ..key(1, 2) }.hash(seed)));
        }
    }

    #[test]
    fn every_part_of_the_key_counts() {
        let k = key(1, 2);
        let variants = [
            Key { tenant: 1, ..k },
            Key { tap: 1, ..k },
            Key { vlans: [1, 0, 0], ..k },
            Key { vlans: [0, 1, 0], ..k },
            Key { vlans: [0, 0, 1], ..k },
            Key { protocol: 17, ..k },
            Key { version: 6, ..k },
            Key { src_port: 80, dst_port: 2, ..k },
        ];
        for v in variants {
            assert_ne!(v.hash(1), k.hash(1), "{v:?}");
            assert_ne!(v.tag(1), k.tag(1), "{v:?}");
        }
    }

    #[test]
    fn an_echo_and_its_reply_have_one_key() {
        assert_eq!((icmp_ports(4, 8, 0), icmp_ports(4, 0, 0)), ((8, 0), (0, 8)));
        assert_eq!((icmp_ports(6, 128, 0), icmp_ports(6, 129, 0)), ((128, 129), (129, 128)));
        assert_eq!(icmp_ports(4, 3, 13), (3, 13));
    }

    #[test]
    fn an_id_fits_json_and_tells_moments_apart() {
        let at = |number| Moment { time: frame::Timestamp::new(1, 0), number };
        let k = key(3, 4);
        assert!(k.id(at(1)) < 1 << 53);
        assert_ne!(k.id(at(1)), k.id(at(2)));
    }
}
