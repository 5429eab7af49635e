//! The Toeplitz hash, as Microsoft's RSS specification defines it and every one of these devices computes it.

/// Bytes of a virtual function's key.
pub const KEY_BYTES: usize = 52;

/// Bits of the key that meet one bit of the input.
const WINDOW: usize = 32;

/// A key, made ready: a table for each byte of input, so that hashing is one look-up a byte.
#[derive(Clone)]
pub struct Toeplitz {
    tables: Vec<[u32; 256]>,
}

/// The addresses of a packet, in network byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Addresses {
    /// IPv4: source, destination.
    V4([u8; 4], [u8; 4]),
    /// IPv6: source, destination.
    V6([u8; 16], [u8; 16]),
}

impl Toeplitz {
    /// For a key of any length; four bytes less than it is what the input may have, and what is beyond does not count.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        let bytes = key.len().saturating_sub(WINDOW / 8);
        Self { tables: (0..bytes).map(|byte| table(key, byte)).collect() }
    }

    /// The hash of bytes in the order in which the device takes them.
    #[must_use]
    pub fn hash(&self, input: &[u8]) -> u32 {
        self.fold(input.iter())
    }

    /// The hash of source address, destination address and, where they count, source and destination port.
    #[must_use]
    pub fn hash_tuple(&self, addresses: &Addresses, ports: Option<(u16, u16)>) -> u32 {
        let (source, destination) = addresses.as_slices();
        let (from, to) = ports.unwrap_or_default();
        let [from, to] = [from.to_be_bytes(), to.to_be_bytes()];
        let ports: &[u8] = if ports.is_some() { &[from[0], from[1], to[0], to[1]] } else { &[] };
        self.fold(source.iter().chain(destination).chain(ports))
    }

    /// The hash of the same where the device folds what comes from either end into one first (symmetric Toeplitz, as
    /// Linux' symmetric-xor): source and destination both count as their exclusive or.
    #[must_use]
    pub fn hash_folded(&self, addresses: &Addresses, ports: Option<(u16, u16)>) -> u32 {
        let (source, destination) = addresses.as_slices();
        let both: Vec<u8> = source.iter().zip(destination).map(|(a, b)| a ^ b).collect();
        let port = ports.map_or([0; 2], |(from, to)| (from ^ to).to_be_bytes());
        let port = if ports.is_some() { port.as_slice() } else { &[] };
        self.fold(both.iter().chain(&both).chain(port).chain(port))
    }

    fn fold<'a>(&self, input: impl Iterator<Item = &'a u8>) -> u32 {
        let adds = |(table, byte): (&[u32; 256], &u8)| table.get(usize::from(*byte)).copied().unwrap_or(0);
        self.tables.iter().zip(input).map(adds).fold(0, |hash, add| hash ^ add)
    }
}

impl std::fmt::Debug for Toeplitz {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Toeplitz(for {} bytes)", self.tables.len())
    }
}

impl Addresses {
    fn as_slices(&self) -> (&[u8], &[u8]) {
        match self {
            Self::V4(source, destination) => (source, destination),
            Self::V6(source, destination) => (source, destination),
        }
    }

    /// The other direction.
    #[must_use]
    pub const fn swapped(self) -> Self {
        match self {
            Self::V4(source, destination) => Self::V4(destination, source),
            Self::V6(source, destination) => Self::V6(destination, source),
        }
    }
}

/// What each value of the input's byte `byte` adds to a hash: the hash is linear, so a value adds what its bits add.
fn table(key: &[u8], byte: usize) -> [u32; 256] {
    let mut table = [0_u32; 256];
    for (bit, window) in (0..8).map(|bit| (bit, window(key, 8 * byte + bit))) {
        for (value, sum) in table.iter_mut().enumerate() {
            *sum ^= if value & (0x80 >> bit) != 0 { window } else { 0 };
        }
    }
    table
}

/// The 32 bits of the key from bit `start` on.
fn window(key: &[u8], start: usize) -> u32 {
    let byte = |n: usize| u64::from(key.get(start / 8 + n).copied().unwrap_or(0));
    let five = (0..5).fold(0, |word, n| word << 8 | byte(n));
    let shifted = five >> (8 - start % 8);
    u32::try_from(shifted & u64::from(u32::MAX)).unwrap_or(0)
}

/// The key that hashes both directions of a flow alike, on any device: 26 times 0x6D5A.
///
/// Its price: the hash is that of all 16-bit words of the input folded into one, which has little entropy.
#[expect(clippy::indexing_slicing, reason = "in a constant: out of bounds does not compile")]
pub const SYMMETRIC_KEY: [u8; KEY_BYTES] = {
    let mut key = [0x6D; KEY_BYTES];
    let mut at = 1;
    while at < KEY_BYTES {
        key[at] = 0x5A;
        at += 2;
    }
    key
};

/// Whether a key hashes both directions of every flow alike, over IPv4 and IPv6, with ports and without.
///
/// The hash is linear, so it does exactly when each bit of a source meets the same bits of the key as the same bit of
/// its destination.
#[must_use]
pub fn is_symmetric(key: &[u8]) -> bool {
    // bits of addresses, and where ports begin
    let alike = |bits: usize, apart: usize, from: usize| {
        (from..from + bits).all(|bit| window(key, bit) == window(key, bit + apart))
    };
    let family = |address: usize| alike(address, address, 0) && alike(16, 16, 2 * address);
    key.len() >= 40 && family(32) && family(128)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    /// The key of Microsoft's "Verifying the RSS hash calculation".
    const MICROSOFT: [u8; 40] = [
        0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0,
        0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42,
        0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
    ];

    fn v4(source: &str, destination: &str) -> Addresses {
        let octets = |text: &str| text.parse::<Ipv4Addr>().unwrap().octets();
        Addresses::V4(octets(source), octets(destination))
    }

    fn v6(source: &str, destination: &str) -> Addresses {
        let octets = |text: &str| text.parse::<Ipv6Addr>().unwrap().octets();
        Addresses::V6(octets(source), octets(destination))
    }

    /// Addresses, ports, hash of addresses, hash of both: the published vectors, source first.
    fn vectors() -> [(Addresses, (u16, u16), u32, u32); 8] {
        [
            (v4("66.9.149.187", "161.142.100.80"), (2794, 1766), 0x323e_8fc2, 0x51cc_c178),
            (v4("199.92.111.2", "65.69.140.83"), (14230, 4739), 0xd718_262a, 0xc626_b0ea),
            (v4("24.19.198.95", "12.22.207.184"), (12898, 38024), 0xd2d0_a5de, 0x5c2b_394a),
            (v4("38.27.205.30", "209.142.163.6"), (48228, 2217), 0x8298_9176, 0xafc7_327f),
            (v4("153.39.163.191", "202.188.127.2"), (44251, 1303), 0x5d18_09c5, 0x10e8_28a2),
            (v6("3ffe:2501:200:1fff::7", "3ffe:2501:200:3::1"), (2794, 1766), 0x2cc1_8cd5, 0x4020_7d3d),
            (v6("3ffe:501:8::260:97ff:fe40:efab", "ff02::1"), (14230, 4739), 0x0f0c_461c, 0xdde5_1bbf),
            (
                v6("3ffe:1900:4545:3:200:f8ff:fe21:67cf", "fe80::200:f8ff:fe21:67cf"),
                (44251, 38024),
                0x4b61_e985,
                0x02d1_feef,
            ),
        ]
    }

    #[test]
    fn published_vectors_come_out() {
        let toeplitz = Toeplitz::new(&MICROSOFT);
        for (addresses, ports, alone, both) in vectors() {
            assert_eq!(toeplitz.hash_tuple(&addresses, None), alone, "{addresses:?}");
            assert_eq!(toeplitz.hash_tuple(&addresses, Some(ports)), both, "{addresses:?}");
        }
    }

    #[test]
    fn a_slice_hashes_as_its_tuple() {
        let toeplitz = Toeplitz::new(&MICROSOFT);
        let input = [66, 9, 149, 187, 161, 142, 100, 80, 0x0a, 0xea, 0x06, 0xe6];
        assert_eq!(toeplitz.hash(&input), 0x51cc_c178);
        assert_eq!(Toeplitz::new(&[1, 2, 3]).hash(&input), 0, "a key too short for any input");
    }

    #[test]
    fn the_symmetric_key_is_and_the_published_one_is_not() {
        assert!(is_symmetric(&SYMMETRIC_KEY));
        assert!(!is_symmetric(&MICROSOFT));
        assert!(!is_symmetric(&SYMMETRIC_KEY[..36]));
        let (symmetric, other) = (Toeplitz::new(&SYMMETRIC_KEY), Toeplitz::new(&MICROSOFT));
        for (addresses, (from, to), ..) in vectors() {
            let both = |hash: &Toeplitz| {
                [(addresses, (from, to)), (addresses.swapped(), (to, from))]
                    .map(|(addresses, ports)| hash.hash_tuple(&addresses, Some(ports)))
            };
            let [there, back] = both(&symmetric);
            assert_eq!(there, back);
            assert_eq!(
                symmetric.hash_tuple(&addresses, None),
                symmetric.hash_tuple(&addresses.swapped(), None)
            );
            let [there, back] = both(&other);
            assert_ne!(there, back);
        }
    }

    /// One bit off anywhere that counts and some flow's directions part.
    #[test]
    fn symmetry_is_not_claimed_of_a_key_with_one_bit_off() {
        // the ports of IPv6 end at bit 288, and the last of them meets 32 bits
        for bit in 0..288 + 31 {
            let mut key = SYMMETRIC_KEY;
            key[bit / 8] ^= 0x80 >> (bit % 8);
            assert!(!is_symmetric(&key), "bit {bit}");
        }
    }
}
