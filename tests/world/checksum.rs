//! Checksums: the Internet's (RFC 1071) and SCTP's CRC-32C (RFC 9260, appendix A).

use std::net::IpAddr;

/// Adds `bytes` as big-endian words to a running sum.
pub(crate) fn add(mut sum: u32, bytes: &[u8]) -> u32 {
    let mut words = bytes.chunks_exact(2);
    for word in &mut words {
        sum += u32::from(u16::from_be_bytes([word[0], word[1]]));
    }
    if let [last] = words.remainder() {
        sum += u32::from(*last) << 8;
    }
    (sum & 0xffff) + (sum >> 16)
}

/// Folds a running sum into the field's value.
pub(crate) fn fold(mut sum: u32) -> u16 {
    while sum >> 16 != 0 {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// The Internet checksum of `bytes`.
#[must_use]
pub fn internet(bytes: &[u8]) -> u16 {
    fold(add(0, bytes))
}

/// Sum over the pseudo-header (RFC 9293 section 3.1, RFC 8200 section 8.1).
pub(crate) fn pseudo(source: IpAddr, destination: IpAddr, protocol: u8, len: usize) -> u32 {
    let addresses = match (source, destination) {
        (IpAddr::V4(s), IpAddr::V4(d)) => add(add(0, &s.octets()), &d.octets()),
        (IpAddr::V6(s), IpAddr::V6(d)) => add(add(0, &s.octets()), &d.octets()),
        _ => 0,
    };
    let len = u32::try_from(len).unwrap_or(u32::MAX);
    addresses + u32::from(protocol) + (len & 0xffff) + (len >> 16)
}

/// CRC-32C of `bytes`, as SCTP carries it (the caller stores it little-endian).
#[must_use]
pub fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |c, _| (c >> 1) ^ (0x82f6_3b78 & 0u32.wrapping_sub(c & 1)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn internet_matches_rfc_1071() {
        assert_eq!(internet(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), !0xddf2);
        assert_eq!(internet(&[0xff]), !0xff00);
    }

    #[test]
    fn crc32c_matches_rfc_3720() {
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }
}
