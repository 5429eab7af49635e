//! Checksums of headers and payloads: RFC 1071 for IP, TCP and UDP, CRC-32C for SCTP (RFC 9260, appendix A).

use etherparse::checksum::u64_16bit_word::{add_2bytes, add_4bytes, add_slice, ones_complement};

/// Reflected polynomial of CRC-32C.
const CASTAGNOLI: u32 = 0x82F6_3B78;

/// Bytes of the SCTP common header before and after its checksum.
const SCTP_SUM: std::ops::Range<usize> = 8..12;

static CRC32C: [u32; 256] = table();

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut value = index as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 { (value >> 1) ^ CASTAGNOLI } else { value >> 1 };
            bit += 1;
        }
        table[index] = value;
        index += 1;
    }
    table
}

/// The checksum of an IPv4 header whose field is counted as it stands: 0 when it is right.
pub(crate) fn of_header(header: &[u8]) -> u16 {
    ones_complement(add_slice(0, header)).to_be()
}

/// The sum of a pseudo header (RFC 9293, section 3.1; RFC 8200, section 8.1), not yet complemented.
pub(crate) fn pseudo(addresses: &[u8], protocol: u8, length: usize) -> u64 {
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    add_2bytes(add_4bytes(add_slice(0, addresses), length.to_be_bytes()), [0, protocol])
}

/// The checksum of a pseudo header and what it covers: 0 when the field that is part of it is right.
pub(crate) fn of_segment(pseudo: u64, segment: &[u8]) -> u16 {
    ones_complement(add_slice(pseudo, segment)).to_be()
}

/// The CRC-32C of an SCTP packet as if its checksum were zero, in the order of the wire.
pub(crate) fn of_sctp(packet: &[u8]) -> [u8; 4] {
    let before = packet.get(..SCTP_SUM.start).unwrap_or(packet);
    let after = packet.get(SCTP_SUM.end..).unwrap_or_default();
    let crc = [before, &[0; 4], after].into_iter().fold(u32::MAX, crc32c);
    (!crc).to_le_bytes()
}

fn crc32c(start: u32, bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        let [low, ..] = (crc ^ u32::from(*byte)).to_le_bytes();
        (crc >> 8) ^ CRC32C[usize::from(low)]
    };
    bytes.iter().fold(start, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_of_rfc_1071_sums_to_its_field() {
        let mut header =
            [0x45, 0, 0, 0x73, 0, 0, 0x40, 0, 0x40, 0x11, 0, 0, 0xc0, 0xa8, 0, 1, 0xc0, 0xa8, 0, 0xc7];
        assert_eq!(of_header(&header), 0xb861);
        header[10..12].copy_from_slice(&[0xb8, 0x61]);
        assert_eq!(of_header(&header), 0);
    }

    #[test]
    fn crc32c_has_its_check_value() {
        assert_eq!(!crc32c(u32::MAX, b"123456789"), 0xE306_9283);
    }

    #[test]
    fn an_sctp_packet_is_summed_without_its_field() {
        let mut packet = vec![0x12, 0x34, 0x56, 0x78, 1, 2, 3, 4, 0, 0, 0, 0, 9, 9, 9, 9];
        let sum = of_sctp(&packet);
        packet[8..12].copy_from_slice(&sum);
        assert_eq!(of_sctp(&packet), sum);
        packet[15] ^= 1;
        assert_ne!(of_sctp(&packet), sum);
    }

    #[test]
    fn pseudo_headers_know_their_length() {
        let segment = [0u8; 8];
        assert_ne!(
            of_segment(pseudo(&[1; 8], 17, 8), &segment),
            of_segment(pseudo(&[1; 8], 17, 9), &segment)
        );
    }
}
