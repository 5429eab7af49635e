//! Fingerprints of hello messages: JA3 and JA3S (salesforce, BSD-3) and JA4 for clients (FoxIO, BSD-3).

use md5::{Digest, Md5};
use sha2::Sha256;

use super::hello::{ClientHello, ServerHello, extension, is_grease};

/// What carried the ClientHello: the first letter of a JA4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ja4Transport {
    /// TLS over TCP.
    Tcp,
    /// QUIC.
    Quic,
    /// DTLS.
    Dtls,
}

/// Thirty-two hexadecimal digits.
pub(super) type Md5Hex = [u8; 32];

/// A JA4: always thirty-six ASCII bytes.
pub(super) type Ja4 = [u8; 36];

/// JA3: its string and the string's MD5 in hexadecimal.
#[must_use]
pub fn ja3(hello: &ClientHello<'_>) -> (String, String) {
    let mut text = Vec::with_capacity(256);
    write_ja3(hello, &mut text);
    let hash = md5_hex(&text);
    (ascii(&text), hash)
}

/// JA3S: its string and the string's MD5 in hexadecimal.
#[must_use]
pub fn ja3s(hello: &ServerHello<'_>) -> (String, String) {
    let mut text = Vec::with_capacity(64);
    write_ja3s(hello, &mut text);
    let hash = md5_hex(&text);
    (ascii(&text), hash)
}

/// JA4 of a client: `t13d1516h2_8daaf6152771_e5627efa2ab1`.
#[must_use]
pub fn ja4(transport: Ja4Transport, hello: &ClientHello<'_>) -> String {
    ascii(&ja4_bytes(transport, hello))
}

/// MD5 of bytes in hexadecimal, as JA3, HASSH and CYU are given.
#[must_use]
pub fn md5_hex(bytes: &[u8]) -> String {
    ascii(&md5_digits(bytes))
}

/// Appends the JA3 string.
pub(super) fn write_ja3(hello: &ClientHello<'_>, text: &mut Vec<u8>) {
    push_number(text, hello.version);
    text.push(b',');
    push_list(text, hello.ciphers.into_iter());
    text.push(b',');
    push_list(text, hello.extensions().map(|one| one.kind));
    text.push(b',');
    push_list(text, hello.groups().into_iter());
    text.push(b',');
    push_list(text, hello.point_formats().iter().map(|&format| u16::from(format)));
}

/// Appends the JA3S string.
pub(super) fn write_ja3s(hello: &ServerHello<'_>, text: &mut Vec<u8>) {
    push_number(text, hello.version);
    text.push(b',');
    push_number(text, hello.cipher);
    text.push(b',');
    push_list(text, hello.extensions().map(|one| one.kind));
}

/// The MD5 in hexadecimal digits, without an allocation.
pub(super) fn md5_digits(bytes: &[u8]) -> Md5Hex {
    let mut digits = [0; 32];
    fill_hex(&mut digits, &Md5::digest(bytes));
    digits
}

/// The JA4 without an allocation.
pub(super) fn ja4_bytes(transport: Ja4Transport, hello: &ClientHello<'_>) -> Ja4 {
    let ciphers = hello.ciphers.into_iter().filter(|&cipher| !is_grease(cipher));
    let kinds = hello.extensions().map(|one| one.kind).filter(|&kind| !is_grease(kind));
    let hashed = kinds.clone().filter(|&kind| kind != extension::SERVER_NAME && kind != extension::ALPN);
    let signatures = hello.signature_algorithms().into_iter().filter(|&value| !is_grease(value));
    let named = hello.extension(extension::SERVER_NAME).is_some();
    let [v1, v2] = ja4_version(hello.best_version());
    let [c1, c2] = two_digits(ciphers.clone().count());
    let [e1, e2] = two_digits(kinds.count());
    let [a1, a2] = alpn_ends(hello.alpn().next().unwrap_or_default());
    let head = [transport.letter(), v1, v2, if named { b'd' } else { b'i' }, c1, c2, e1, e2, a1, a2];
    let mut text = [b'_'; 36];
    text.iter_mut().zip(head).for_each(|(place, byte)| *place = byte);
    fill_hex(text.get_mut(11..23).unwrap_or_default(), &sorted_hash(ciphers, None::<[u16; 0]>));
    fill_hex(text.get_mut(24..36).unwrap_or_default(), &sorted_hash(hashed, Some(signatures)));
    text
}

impl Ja4Transport {
    const fn letter(self) -> u8 {
        match self {
            Self::Tcp => b't',
            Self::Quic => b'q',
            Self::Dtls => b'd',
        }
    }
}

const fn ja4_version(version: u16) -> [u8; 2] {
    match version {
        0x0304 => *b"13",
        0x0303 => *b"12",
        0x0302 => *b"11",
        0x0301 => *b"10",
        0x0300 => *b"s3",
        0x0002 => *b"s2",
        0xfeff => *b"d1",
        0xfefd => *b"d2",
        0xfefc => *b"d3",
        _ => *b"00",
    }
}

fn two_digits(count: usize) -> [u8; 2] {
    let count = u8::try_from(count).unwrap_or(99).min(99);
    [b'0' + count / 10, b'0' + count % 10]
}

/// First and last character of the first ALPN name; where either is not alphanumeric, first and last of its
/// hexadecimal digits.
fn alpn_ends(name: &[u8]) -> [u8; 2] {
    match (name.first(), name.last()) {
        (Some(&first), Some(&last)) if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() => {
            [first, last]
        }
        (Some(first), Some(last)) => [hex_digit(first >> 4), hex_digit(*last)],
        _ => *b"00",
    }
}

/// First six bytes of the SHA-256 over the sorted values, with `tail` in its own order behind an underscore; zeroes when
/// there is nothing to sort. The underscore stands there for an empty tail as well: the description would leave it out,
/// but Suricata does not, and who compares fingerprints compares with its events.
fn sorted_hash(
    values: impl Iterator<Item = u16> + Clone,
    tail: Option<impl IntoIterator<Item = u16>>,
) -> [u8; 6] {
    let count = values.clone().count();
    if count == 0 {
        return [0; 6];
    }
    // real hellos fit on the stack; only an absurd one pays for memory
    let mut stack = [0u16; 128];
    let mut heap = Vec::new();
    let sorted = if let Some(room) = stack.get_mut(..count) {
        room.iter_mut().zip(values).for_each(|(place, value)| *place = value);
        room
    } else {
        heap.extend(values);
        heap.as_mut_slice()
    };
    sorted.sort_unstable();
    let mut joined = Joined { sha: Sha256::new(), block: [0; 320], filled: 0 };
    joined.list(sorted.iter().copied());
    if let Some(tail) = tail {
        joined.byte(b'_');
        joined.list(tail.into_iter());
    }
    joined.finish()
}

/// A SHA-256 over hexadecimal values with separators, gathered in a small block first.
struct Joined {
    sha: Sha256,
    block: [u8; 320],
    filled: usize,
}

impl Joined {
    /// Values with commas between them.
    fn list(&mut self, values: impl Iterator<Item = u16>) {
        let mut separator = None;
        for value in values {
            separator.into_iter().chain(hex4(value)).for_each(|byte| self.byte(byte));
            separator = Some(b',');
        }
    }

    fn byte(&mut self, byte: u8) {
        if self.filled == self.block.len() {
            self.sha.update(self.block);
            self.filled = 0;
        }
        if let Some(place) = self.block.get_mut(self.filled) {
            *place = byte;
            self.filled += 1;
        }
    }

    fn finish(mut self) -> [u8; 6] {
        self.sha.update(self.block.get(..self.filled).unwrap_or_default());
        let whole: [u8; 32] = self.sha.finalize().into();
        let [a, b, c, d, e, f, ..] = whole;
        [a, b, c, d, e, f]
    }
}

const fn hex_digit(nibble: u8) -> u8 {
    match nibble & 0x0f {
        low @ 0..=9 => b'0' + low,
        high => b'a' + high - 10,
    }
}

const fn hex4(value: u16) -> [u8; 4] {
    let [high, low] = value.to_be_bytes();
    [hex_digit(high >> 4), hex_digit(high), hex_digit(low >> 4), hex_digit(low)]
}

fn fill_hex(place: &mut [u8], bytes: &[u8]) {
    for (pair, byte) in place.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        *pair = [hex_digit(byte >> 4), hex_digit(*byte)];
    }
}

/// Everything written here is ASCII.
fn ascii(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

fn push_number(text: &mut Vec<u8>, value: u16) {
    let mut digits = [0u8; 5];
    let mut left = value;
    let mut from = digits.len();
    for (index, place) in digits.iter_mut().enumerate().rev() {
        let [digit, _] = (left % 10).to_le_bytes();
        *place = b'0' + digit;
        left /= 10;
        from = index;
        if left == 0 {
            break;
        }
    }
    text.extend_from_slice(digits.get(from..).unwrap_or_default());
}

/// Numbers joined by dashes, without GREASE.
fn push_list(text: &mut Vec<u8>, values: impl Iterator<Item = u16>) {
    let mut first = true;
    for value in values.filter(|&value| !is_grease(value)) {
        if !std::mem::replace(&mut first, false) {
            text.push(b'-');
        }
        push_number(text, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_print_as_decimal() {
        let mut text = Vec::new();
        [0, 9, 10, 771, 65535].into_iter().for_each(|value| push_number(&mut text, value));
        assert_eq!(text, b"091077165535");
    }

    #[test]
    fn alpn_takes_first_and_last_or_their_hexadecimal() {
        assert_eq!(alpn_ends(b"h2"), *b"h2");
        assert_eq!(alpn_ends(b"http/1.1"), *b"h1");
        assert_eq!(alpn_ends(b"h"), *b"hh");
        assert_eq!(alpn_ends(b""), *b"00");
        assert_eq!(alpn_ends(&[0xab]), *b"ab");
        assert_eq!(alpn_ends(&[0xab, 0xcd]), *b"ad");
        assert_eq!(alpn_ends(&[0x30, 0xab]), *b"3b");
        assert_eq!(alpn_ends(&[0x30, 0x31, 0xab, 0xcd]), *b"3d");
    }

    #[test]
    fn counts_stop_at_99() {
        assert_eq!([two_digits(0), two_digits(15), two_digits(99), two_digits(700)].concat(), b"00159999");
    }

    fn digits(hash: [u8; 6]) -> String {
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// No tail at all.
    const NONE: Option<[u16; 0]> = None;

    #[test]
    fn the_published_example_of_ja4() {
        // both hashed parts of the technical description's example
        let ciphers = [
            0x1301u16, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014,
            0x009c, 0x009d, 0x002f, 0x0035,
        ];
        assert_eq!(digits(sorted_hash(ciphers.into_iter(), NONE)), "8daaf6152771");
        let kinds = [
            0x001bu16, 0x0033, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012, 0x002b, 0xff01,
            0x000b, 0x000a, 0x0015,
        ];
        let signatures = [0x0403u16, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601];
        assert_eq!(digits(sorted_hash(kinds.into_iter(), Some(signatures))), "e5627efa2ab1");
        assert_eq!(digits(sorted_hash([].into_iter(), Some(signatures))), "000000000000");
    }

    #[test]
    fn an_underscore_stands_before_no_signatures_too() {
        let kinds = [5u16, 10, 11, 35, 23, 65281];
        assert_eq!(digits(sorted_hash(kinds.into_iter(), Some([]))), "ce66f3b797c1");
    }

    #[test]
    fn more_values_than_the_stack_holds_hash_the_same_way() {
        let values = (0..1000u16).rev();
        let joined: Vec<String> = (0..1000u16).map(|value| format!("{value:04x}")).collect();
        let expected: [u8; 32] = Sha256::digest(joined.join(",")).into();
        assert_eq!(sorted_hash(values, NONE), expected[..6]);
    }
}
