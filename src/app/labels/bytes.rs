//! Reading at fixed places, and checksums, for probes.

use parse::Look;

/// One byte.
pub(super) fn byte(d: &[u8], at: usize) -> Option<u8> {
    d.get(at).copied()
}

/// Two bytes, network order.
pub(super) fn be2(d: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_be_bytes(d.get(at..at.checked_add(2)?)?.try_into().ok()?)))
}

/// Three bytes, network order.
pub(super) fn be3(d: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(byte(d, at)?) << 16 | be2(d, at.checked_add(1)?)?)
}

/// Four bytes, network order.
pub(super) fn be4(d: &[u8], at: usize) -> Option<usize> {
    Some(u32::from_be_bytes(d.get(at..at.checked_add(4)?)?.try_into().ok()?) as usize)
}

/// Two bytes, little-endian.
pub(super) fn le2(d: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_le_bytes(d.get(at..at.checked_add(2)?)?.try_into().ok()?)))
}

/// Three bytes, little-endian.
pub(super) fn le3(d: &[u8], at: usize) -> Option<usize> {
    Some(le2(d, at)? | usize::from(byte(d, at.checked_add(2)?)?) << 16)
}

/// Four bytes, little-endian.
pub(super) fn le4(d: &[u8], at: usize) -> Option<usize> {
    Some(u32::from_le_bytes(d.get(at..at.checked_add(4)?)?.try_into().ok()?) as usize)
}

/// Everything from a place on.
pub(super) fn from(d: &[u8], at: usize) -> &[u8] {
    d.get(at..).unwrap_or_default()
}

/// Whether these bytes stand at this place.
pub(super) fn is_at(d: &[u8], at: usize, what: &[u8]) -> bool {
    from(d, at).starts_with(what)
}

/// Whether the first bytes are these, letter case aside.
pub(super) fn begins(d: &[u8], what: &[u8]) -> bool {
    d.get(..what.len()).is_some_and(|there| there.eq_ignore_ascii_case(what))
}

/// Whether these bytes stand anywhere in the first 512.
pub(super) fn has(d: &[u8], what: &[u8]) -> bool {
    memchr::memmem::find(d.get(..512).unwrap_or(d), what).is_some()
}

/// Whether these letters stand anywhere in the first 512 bytes, letter case aside.
pub(super) fn has_text(d: &[u8], what: &[u8]) -> bool {
    let near = d.get(..512).unwrap_or(d);
    near.windows(what.len().max(1)).any(|w| w.eq_ignore_ascii_case(what))
}

/// The first line without its end; `None` when no line ends within 512 bytes, or when it is not printable.
pub(super) fn line(d: &[u8]) -> Option<&[u8]> {
    let near = d.get(..512).unwrap_or(d);
    // Nearly everything that is no text shows it in its first byte.
    if near.first().is_some_and(|b| !(b' '..0x7f).contains(b)) {
        return None;
    }
    let end = memchr::memchr(b'\n', near)?;
    let line = near.get(..end)?;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    line.iter().all(|b| *b == b'\t' || *b >= b' ' && *b != 0x7f).then_some(line)
}

/// Whether `d` is not empty and printable ASCII.
pub(super) fn printable(d: &[u8]) -> bool {
    !d.is_empty() && d.iter().all(|b| (b' '..=b'~').contains(b))
}

/// Whether the first `n` bytes are there and digits.
pub(super) fn digits(d: &[u8], n: usize) -> bool {
    d.get(..n).is_some_and(|d| d.iter().all(u8::is_ascii_digit))
}

/// Whether every byte is zero.
pub(super) fn zero(d: &[u8]) -> bool {
    d.iter().all(|b| *b == 0)
}

/// Whether a side of the flow has this port.
pub(super) fn on(look: &Look<'_>, port: u16) -> bool {
    look.server_port == port || look.client_port == port
}

/// A BER or DER length (X.690 section 8.1.3) at a place: where the contents start, and how long they are.
pub(super) fn ber(d: &[u8], at: usize) -> Option<(usize, usize)> {
    match byte(d, at)? {
        short @ 0..=0x7f => Some((at + 1, usize::from(short))),
        0x81 => Some((at + 2, usize::from(byte(d, at + 1)?))),
        0x82 => Some((at + 3, be2(d, at + 1)?)),
        0x83 => Some((at + 4, be3(d, at + 1)?)),
        0x84 => Some((at + 5, be4(d, at + 1)?)),
        _ => None,
    }
}

/// CRC-16 over the reflected polynomial 0xA6BC, inverted at the end (IEEE 1815 section 9.2.4.3.1, EN 13757).
pub(super) fn crc_dnp(d: &[u8]) -> u16 {
    let step = |crc: u16, _| if crc & 1 == 1 { crc >> 1 ^ 0xa6bc } else { crc >> 1 };
    !d.iter().fold(0, |crc: u16, b| (0..8).fold(crc ^ u16::from(*b), step))
}

/// CRC-16 with polynomial 0x1021 (IEEE C37.118.2 annex B and others), from a start value.
pub(super) fn crc_ccitt(d: &[u8], start: u16) -> u16 {
    let step = |crc: u16, _| if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 };
    d.iter().fold(start, |crc: u16, b| (0..8).fold(crc ^ u16::from(*b) << 8, step))
}

/// CRC-32 as in IEEE 802.3 section 3.2.9.
pub(super) fn crc32(d: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    !d.iter().fold(!0, |crc: u32, b| (0..8).fold(crc ^ u32::from(*b), step))
}

/// Bytes with zeros behind them, for samples.
#[cfg(test)]
pub(super) const fn pad<const N: usize>(d: &[u8]) -> [u8; N] {
    let mut all = [0; N];
    let mut at = 0;
    while at < d.len() {
        all[at] = d[at];
        at += 1;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_match_their_published_check_values() {
        assert_eq!(crc_dnp(b"123456789"), 0xea82);
        assert_eq!(crc_ccitt(b"123456789", 0xffff), 0x29b1);
        assert_eq!(crc_ccitt(b"123456789", 0), 0x31c3);
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn lengths_in_every_form() {
        assert_eq!(ber(&[0x30, 5], 1), Some((2, 5)));
        assert_eq!(ber(&[0x30, 0x82, 1, 2], 1), Some((4, 258)));
        assert_eq!(ber(&[0x30, 0x80], 1), None);
    }
}
