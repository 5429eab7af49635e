//! Cuts built IP packets into fragments, the way a router (IPv4) or a sender (IPv6) would.

/// Cuts the IPv4 packet that begins at `ip` in `frame`; each piece carries at most `size` bytes, rounded down to eights.
/// What lies before `ip` (link header) is repeated in front of each piece.
///
/// # Panics
/// When there is no IPv4 packet at `ip`, or `size` is below eight.
#[must_use]
pub fn fragment_ipv4(frame: &[u8], ip: usize, size: usize) -> Vec<Vec<u8>> {
    let header = usize::from(frame[ip] & 15) * 4;
    let total = usize::from(u16::from_be_bytes([frame[ip + 2], frame[ip + 3]]));
    let body = &frame[ip + header..ip + total];
    let size = size & !7;
    assert!(frame[ip] >> 4 == 4 && size >= 8, "needs IPv4 at {ip} and pieces of eight bytes or more");
    let pieces = body.chunks(size);
    let last = pieces.len().saturating_sub(1);
    pieces
        .enumerate()
        .map(|(i, piece)| {
            let mut bytes = frame[..ip + header].to_vec();
            let packet = &mut bytes[ip..];
            let place = u16::from(i < last) << 13 | (i * size / 8) as u16;
            packet[2..4].copy_from_slice(&((header + piece.len()) as u16).to_be_bytes());
            packet[6..8].copy_from_slice(&place.to_be_bytes());
            packet[10..12].fill(0);
            let sum = crate::internet(packet).to_be_bytes();
            packet[10..12].copy_from_slice(&sum);
            bytes.extend_from_slice(piece);
            bytes
        })
        .collect()
}

/// Cuts the IPv6 packet that begins at `ip` in `frame` (without extension headers) behind fragment headers with `id`.
///
/// # Panics
/// When there is no IPv6 packet at `ip`, or `size` is below eight.
#[must_use]
pub fn fragment_ipv6(frame: &[u8], ip: usize, size: usize, id: u32) -> Vec<Vec<u8>> {
    let size = size & !7;
    assert!(frame[ip] >> 4 == 6 && size >= 8, "needs IPv6 at {ip} and pieces of eight bytes or more");
    let next = frame[ip + 6];
    let pieces = frame[ip + 40..].chunks(size);
    let last = pieces.len().saturating_sub(1);
    pieces
        .enumerate()
        .map(|(i, piece)| {
            let mut bytes = frame[..ip + 40].to_vec();
            bytes[ip + 4..ip + 6].copy_from_slice(&((piece.len() + 8) as u16).to_be_bytes());
            bytes[ip + 6] = 44;
            bytes.extend_from_slice(&[next, 0]);
            bytes.extend_from_slice(&((i * size) as u16 | u16::from(i < last)).to_be_bytes());
            bytes.extend_from_slice(&id.to_be_bytes());
            bytes.extend_from_slice(piece);
            bytes
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Builder;

    #[test]
    fn pieces_of_ipv4_put_together_are_the_packet() {
        let body: Vec<u8> = (0..100).collect();
        let frame = Builder::ethernet().ipv4([10, 0, 0, 1], [10, 0, 0, 2]).udp(1, 2).payload(&body).build();
        let pieces = fragment_ipv4(&frame, 14, 40);
        assert_eq!(pieces.len(), 3);
        let joined: Vec<u8> = pieces.iter().flat_map(|p| p[34..].to_vec()).collect();
        assert_eq!(joined, frame[34..]);
        let places: Vec<[u8; 2]> = pieces.iter().map(|p| [p[20], p[21]]).collect();
        assert_eq!(places, [[0x20, 0], [0x20, 5], [0, 10]]);
        assert!(pieces.iter().all(|p| crate::internet(&p[14..34]) == 0));
    }

    #[test]
    fn pieces_of_ipv6_put_together_are_the_packet() {
        let frame = Builder::bare().ipv6([0; 16], [1; 16]).udp(1, 2).payload(&[7; 50]).build();
        let pieces = fragment_ipv6(&frame, 0, 32, 99);
        let joined: Vec<u8> = pieces.iter().flat_map(|p| p[48..].to_vec()).collect();
        assert_eq!(joined, frame[40..]);
        assert_eq!(&pieces[1][40..48], [17, 0, 0, 32, 0, 0, 0, 99]);
    }
}
