//! Internet checksums (RFC 1071) of headers and transports.

use frame::Checksum;

use crate::net::protocol;
use crate::walk::Walk;
use crate::{Network, Packet};

/// Whether `bytes`, its checksum field included, sums up with `seed` to all ones.
pub(crate) fn is_good(bytes: &[u8], seed: u64) -> bool {
    let mut sum = seed;
    let mut words = bytes.chunks_exact(4);
    for word in &mut words {
        sum += u64::from(word.first_chunk().map_or(0, |w| u32::from_be_bytes(*w)));
    }
    let tail = match words.remainder() {
        [a] => [*a, 0, 0, 0],
        [a, b] => [*a, *b, 0, 0],
        [a, b, c] => [*a, *b, *c, 0],
        _ => [0; 4],
    };
    sum += u64::from(u32::from_be_bytes(tail));
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum == 0xffff
}

/// The sum over `bytes`, to be put into a header whose field is zero.
pub(crate) fn of_header(bytes: &[u8]) -> u16 {
    let mut sum = 0_u32;
    for pair in bytes.chunks(2) {
        let word = match pair {
            [a, b] => [*a, *b],
            [a] => [*a, 0],
            _ => [0, 0],
        };
        sum += u32::from(u16::from_be_bytes(word));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(0)
}

impl Walk<'_> {
    /// TCP, UDP or ICMPv6 with their pseudo-header (RFC 9293 section 3.1, RFC 8200 section 8.1).
    #[inline]
    pub(crate) fn verify_transport(&mut self, p: &mut Packet, at: usize, end: usize) {
        if self.settings.checksums {
            self.verify_with_pseudo(p, at, end);
        }
    }

    pub(crate) fn verify_icmpv4(&mut self, p: &mut Packet, at: usize, end: usize) {
        if self.settings.checksums
            && let Some(bytes) = self.to_verify(at, end)
        {
            p.bad_checksum |= !is_good(bytes, 0);
        }
    }

    fn verify_with_pseudo(&mut self, p: &mut Packet, at: usize, end: usize) {
        let (Network::Ip(ip), Some(bytes)) = (p.network, self.to_verify(at, end)) else { return };
        if ip.protocol == protocol::UDP && ip.version == 4 && matches!(bytes, [_, _, _, _, _, _, 0, 0, ..]) {
            // the sender did not compute one (RFC 768)
            return;
        }
        let mut seed = bytes.len() as u64 + u64::from(ip.protocol);
        for address in [ip.src, ip.dst] {
            let whole = u128::from_be_bytes(address.0);
            // a mapped IPv4 address is 4 bytes in its pseudo-header
            let whole = if ip.version == 4 { whole & 0xffff_ffff } else { whole };
            seed += (0..4).map(|i| (whole >> (32 * i) & 0xffff_ffff) as u64).sum::<u64>();
        }
        p.bad_checksum |= !is_good(bytes, seed);
    }

    /// The bytes to verify: all of them, and only if neither the NIC nor offloading speaks against it.
    fn to_verify(&self, at: usize, end: usize) -> Option<&[u8]> {
        let bytes = self.span(at, end);
        (self.checksum == Checksum::Unknown && bytes.len() == end.saturating_sub(at)).then_some(bytes)
    }
}
