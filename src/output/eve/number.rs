//! Numbers and bytes as digits, straight into the line.

const PAIRS: &[u8; 200] = b"0001020304050607080910111213141516171819\
2021222324252627282930313233343536373839\
4041424344454647484950515253545556575859\
6061626364656667686970717273747576777879\
8081828384858687888990919293949596979899";

/// The two digits of a number below 100.
#[inline]
pub(super) fn two(value: u64) -> [u8; 2] {
    let (pairs, _) = PAIRS.as_chunks::<2>();
    usize::try_from(value % 100).ok().and_then(|at| pairs.get(at)).copied().unwrap_or(*b"00")
}

/// Every byte in decimal: its digits from the left, then how many they are.
#[allow(clippy::indexing_slicing, reason = "computed when compiled, and counted by the table's own length")]
const BYTES: [[u8; 4]; 256] = {
    let mut all = [[0; 4]; 256];
    let mut value = 0;
    while value < all.len() {
        #[allow(clippy::cast_possible_truncation, reason = "the digits of a number below 256")]
        let [hundreds, tens, ones] =
            [(value / 100) as u8 + b'0', (value / 10 % 10) as u8 + b'0', (value % 10) as u8 + b'0'];
        all[value] = match value {
            0..=9 => [ones, 0, 0, 1],
            10..=99 => [tens, ones, 0, 2],
            _ => [hundreds, tens, ones, 3],
        };
        value += 1;
    }
    all
};

/// Decimal digits.
pub(super) fn number(value: u64, out: &mut Vec<u8>) {
    match u8::try_from(value) {
        Ok(small) => {
            let [a, b, c, len] = of_byte(small);
            first_of(&[a, b, c], len.into(), out);
        }
        Err(_) => large(value, out),
    }
}

/// Appends the first `len` bytes of an array: a copy of fixed length and a cut cost less than a copy of any length.
#[inline]
fn first_of<const N: usize>(bytes: &[u8; N], len: usize, out: &mut Vec<u8>) {
    let end = out.len() + len.min(N);
    out.extend_from_slice(bytes);
    out.truncate(end);
}

#[inline]
fn of_byte(value: u8) -> [u8; 4] {
    BYTES.get(usize::from(value)).copied().unwrap_or_default()
}

fn large(mut value: u64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    while value >= 100 {
        at -= 2;
        put(&mut digits, at, two(value));
        value /= 100;
    }
    let [tens, ones] = two(value);
    at -= 1;
    put_one(&mut digits, at, ones);
    if value >= 10 {
        at -= 1;
        put_one(&mut digits, at, tens);
    }
    out.extend_from_slice(digits.get(at..).unwrap_or_default());
}

fn put(digits: &mut [u8; 20], at: usize, pair: [u8; 2]) {
    if let Some(place) = digits.get_mut(at..at + 2) {
        place.copy_from_slice(&pair);
    }
}

fn put_one(digits: &mut [u8; 20], at: usize, digit: u8) {
    if let Some(place) = digits.get_mut(at) {
        *place = digit;
    }
}

/// An IPv4 address, written into a line at one stroke.
pub(super) fn dotted(octets: [u8; 4], out: &mut Vec<u8>) {
    // Each octet's four bytes overwrite what stood behind the digits of the one before.
    let mut text = [0; 16];
    let mut at = 0;
    for octet in octets {
        let [a, b, c, len] = of_byte(octet);
        if let Some(place) = text.get_mut(at..at + 3) {
            place.copy_from_slice(&[a, b, c]);
        }
        at += usize::from(len);
        if let Some(dot) = text.get_mut(at) {
            *dot = b'.';
        }
        at += 1;
    }
    first_of(&text, at - 1, out);
}

/// Decimal digits with a sign.
pub(super) fn signed(value: i64, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    number(value.unsigned_abs(), out);
}

/// Every byte's two digits, in lower case.
#[allow(clippy::indexing_slicing, reason = "computed when compiled, and counted by the table's own length")]
const HEX: [[u8; 2]; 256] = {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    let mut all = [[0; 2]; 256];
    let mut value = 0;
    while value < all.len() {
        all[value] = [DIGITS[value >> 4], DIGITS[value & 15]];
        value += 1;
    }
    all
};

/// Lower-case hexadecimal, with `between` between the bytes.
pub(super) fn hex(bytes: &[u8], between: &str, out: &mut Vec<u8>) {
    for (i, byte) in bytes.iter().enumerate() {
        if i > 0 {
            out.extend_from_slice(between.as_bytes());
        }
        out.extend_from_slice(&HEX.get(usize::from(*byte)).copied().unwrap_or_default());
    }
}

/// A hardware address.
pub(super) fn mac(bytes: &[u8; 6], out: &mut Vec<u8>) {
    hex(bytes, ":", out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_of_every_length() {
        for octets in [[0, 0, 0, 0], [1, 22, 133, 4], [255; 4], [10, 9, 100, 99]] {
            let mut out = Vec::new();
            dotted(octets, &mut out);
            assert_eq!(out, std::net::Ipv4Addr::from(octets).to_string().as_bytes());
        }
    }

    #[test]
    fn every_byte_in_hexadecimal() {
        let bytes: Vec<u8> = (0..=255).collect();
        let mut out = Vec::new();
        hex(&bytes, ":", &mut out);
        let expected: Vec<String> = bytes.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(out, expected.join(":").as_bytes());
    }

    #[test]
    fn every_length_of_number() {
        for value in (0..=1000).chain([12_345, 1 << 53, u64::MAX]) {
            let mut out = Vec::new();
            number(value, &mut out);
            assert_eq!(out, value.to_string().as_bytes());
        }
        let mut out = Vec::new();
        signed(i64::MIN, &mut out);
        assert_eq!(out, i64::MIN.to_string().as_bytes());
    }
}
