//! Numbers and bytes as digits, straight into the line.

const PAIRS: &[u8; 200] = b"0001020304050607080910111213141516171819\
2021222324252627282930313233343536373839\
4041424344454647484950515253545556575859\
6061626364656667686970717273747576777879\
8081828384858687888990919293949596979899";

/// The two digits of a number below 100.
pub(super) fn two(value: u64) -> [u8; 2] {
    let at = usize::try_from(value % 100 * 2).unwrap_or(0);
    PAIRS.get(at..at + 2).and_then(|d| d.try_into().ok()).unwrap_or(*b"00")
}

/// Decimal digits.
pub(super) fn number(mut value: u64, out: &mut Vec<u8>) {
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

/// Decimal digits with a sign.
pub(super) fn signed(value: i64, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    number(value.unsigned_abs(), out);
}

const DIGITS: [u8; 16] = *b"0123456789abcdef";

/// Lower-case hexadecimal, with `between` between the bytes.
pub(super) fn hex(bytes: &[u8], between: &str, out: &mut Vec<u8>) {
    for (i, byte) in bytes.iter().enumerate() {
        if i > 0 {
            out.extend_from_slice(between.as_bytes());
        }
        let digit = |n: u8| DIGITS.get(usize::from(n & 15)).copied().unwrap_or(b'0');
        out.extend_from_slice(&[digit(byte >> 4), digit(*byte)]);
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
    fn every_length_of_number() {
        for value in [0, 7, 10, 99, 100, 12_345, 1 << 53, u64::MAX] {
            let mut out = Vec::new();
            number(value, &mut out);
            assert_eq!(out, value.to_string().as_bytes());
        }
        let mut out = Vec::new();
        signed(i64::MIN, &mut out);
        assert_eq!(out, i64::MIN.to_string().as_bytes());
    }
}
