//! Fingerprints of hello messages: JA3 and JA3S (salesforce, BSD-3) and JA4 for clients (FoxIO, BSD-3).

use std::fmt::Write;

use md5::{Digest, Md5};
use sha2::Sha256;

use super::hello::{ClientHello, ServerHello, Values, extension, is_grease};

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

/// JA3: its string and the string's MD5 in hexadecimal.
#[must_use]
pub fn ja3(hello: &ClientHello<'_>) -> (String, String) {
    let mut text = String::with_capacity(256);
    push_number(&mut text, hello.version);
    text.push(',');
    push_list(&mut text, hello.ciphers.into_iter());
    text.push(',');
    push_list(&mut text, hello.extensions().map(|one| one.kind));
    text.push(',');
    push_list(&mut text, hello.groups().into_iter());
    text.push(',');
    push_list(&mut text, hello.point_formats().iter().map(|&format| u16::from(format)));
    let hash = md5_hex(text.as_bytes());
    (text, hash)
}

/// JA3S: its string and the string's MD5 in hexadecimal.
#[must_use]
pub fn ja3s(hello: &ServerHello<'_>) -> (String, String) {
    let mut text = String::with_capacity(64);
    push_number(&mut text, hello.version);
    text.push(',');
    push_number(&mut text, hello.cipher);
    text.push(',');
    push_list(&mut text, hello.extensions().map(|one| one.kind));
    let hash = md5_hex(text.as_bytes());
    (text, hash)
}

/// JA4 of a client: `t13d1516h2_8daaf6152771_e5627efa2ab1`.
#[must_use]
pub fn ja4(transport: Ja4Transport, hello: &ClientHello<'_>) -> String {
    let ciphers = hello.ciphers.into_iter().filter(|&cipher| !is_grease(cipher));
    let kinds = hello.extensions().map(|one| one.kind).filter(|&kind| !is_grease(kind));
    let mut text = String::with_capacity(36);
    text.push(match transport {
        Ja4Transport::Tcp => 't',
        Ja4Transport::Quic => 'q',
        Ja4Transport::Dtls => 'd',
    });
    text.push_str(ja4_version(hello.best_version()));
    text.push(if hello.extension(extension::SERVER_NAME).is_some() { 'd' } else { 'i' });
    push_two_digits(&mut text, ciphers.clone().count());
    push_two_digits(&mut text, kinds.clone().count());
    push_alpn(&mut text, hello.alpn().next().unwrap_or_default());
    text.push('_');
    let none: [u16; 0] = [];
    push_sorted_hash(&mut text, ciphers, none.into_iter());
    text.push('_');
    let hashed = kinds.filter(|&kind| kind != extension::SERVER_NAME && kind != extension::ALPN);
    push_sorted_hash(&mut text, hashed, signatures(hello.signature_algorithms()));
    text
}

fn signatures(values: Values<'_>) -> impl Iterator<Item = u16> {
    values.into_iter().filter(|&value| !is_grease(value))
}

const fn ja4_version(version: u16) -> &'static str {
    match version {
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        0x0300 => "s3",
        0x0002 => "s2",
        0xfeff => "d1",
        0xfefd => "d2",
        0xfefc => "d3",
        _ => "00",
    }
}

fn push_two_digits(text: &mut String, count: usize) {
    let _ = write!(text, "{:02}", count.min(99));
}

/// First and last character of the first ALPN name; where either is not alphanumeric, first and last of its
/// hexadecimal digits.
fn push_alpn(text: &mut String, name: &[u8]) {
    match (name.first(), name.last()) {
        (Some(first), Some(last)) if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() => {
            text.extend([char::from(*first), char::from(*last)]);
        }
        (Some(first), Some(last)) => {
            let _ = write!(text, "{:x}{:x}", first >> 4, last & 0x0f);
        }
        _ => text.push_str("00"),
    }
}

/// Twelve hexadecimal digits of the SHA-256 over the sorted values, with `tail` in its own order behind them;
/// zeroes when there is nothing to sort.
fn push_sorted_hash(
    text: &mut String,
    values: impl Iterator<Item = u16> + Clone,
    tail: impl Iterator<Item = u16>,
) {
    let count = values.clone().count();
    if count == 0 {
        text.push_str("000000000000");
        return;
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
    let mut hash = Joined::default();
    sorted.iter().for_each(|&value| hash.value(value, b','));
    hash.first = true;
    tail.for_each(|value| hash.tail(value));
    push_hex(text, hash.finish().get(..6).unwrap_or_default());
}

/// A SHA-256 over hexadecimal values with separators, gathered in a small block first.
struct Joined {
    sha: Sha256,
    block: [u8; 320],
    filled: usize,
    first: bool,
}

impl Default for Joined {
    fn default() -> Self {
        Self { sha: Sha256::new(), block: [0; 320], filled: 0, first: true }
    }
}

impl Joined {
    fn value(&mut self, value: u16, separator: u8) {
        if !std::mem::replace(&mut self.first, false) {
            self.byte(separator);
        }
        for byte in hex4(value) {
            self.byte(byte);
        }
    }

    /// A value of the tail: the first one stands behind an underscore.
    fn tail(&mut self, value: u16) {
        if self.first {
            self.byte(b'_');
        }
        self.value(value, b',');
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

    fn finish(mut self) -> [u8; 32] {
        self.sha.update(self.block.get(..self.filled).unwrap_or_default());
        self.sha.finalize().into()
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

fn push_hex(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        text.extend([char::from(hex_digit(byte >> 4)), char::from(hex_digit(*byte))]);
    }
}

/// MD5 of bytes in hexadecimal, as JA3, HASSH and CYU are given.
#[must_use]
pub fn md5_hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(32);
    push_hex(&mut text, &Md5::digest(bytes));
    text
}

fn push_number(text: &mut String, value: u16) {
    let mut digits = [0u8; 5];
    let mut left = value;
    let mut from = digits.len();
    for (index, place) in digits.iter_mut().enumerate().rev() {
        *place = b'0' + (left % 10).to_le_bytes()[0];
        left /= 10;
        from = index;
        if left == 0 {
            break;
        }
    }
    text.extend(digits.iter().skip(from).map(|&digit| char::from(digit)));
}

/// Numbers joined by dashes, without GREASE.
fn push_list(text: &mut String, values: impl Iterator<Item = u16>) {
    let mut first = true;
    for value in values.filter(|&value| !is_grease(value)) {
        if !std::mem::replace(&mut first, false) {
            text.push('-');
        }
        push_number(text, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_print_as_decimal() {
        let mut text = String::new();
        [0, 9, 10, 771, 65535].into_iter().for_each(|value| push_number(&mut text, value));
        assert_eq!(text, "091077165535");
    }

    #[test]
    fn alpn_takes_first_and_last_or_their_hexadecimal() {
        let of = |name: &[u8]| {
            let mut text = String::new();
            push_alpn(&mut text, name);
            text
        };
        assert_eq!(of(b"h2"), "h2");
        assert_eq!(of(b"http/1.1"), "h1");
        assert_eq!(of(b"h"), "hh");
        assert_eq!(of(b""), "00");
        assert_eq!(of(&[0xab]), "ab");
        assert_eq!(of(&[0xab, 0xcd]), "ad");
        assert_eq!(of(&[0x30, 0xab]), "3b");
        assert_eq!(of(&[0x30, 0x31, 0xab, 0xcd]), "3d");
    }

    #[test]
    fn the_published_example_of_ja4() {
        // the cipher part of the technical description's example
        let ciphers = [
            0x1301u16, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014,
            0x009c, 0x009d, 0x002f, 0x0035,
        ];
        let mut text = String::new();
        let none: [u16; 0] = [];
        push_sorted_hash(&mut text, ciphers.into_iter(), none.into_iter());
        assert_eq!(text, "8daaf6152771");
        let kinds = [
            0x001bu16, 0x0033, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012, 0x002b, 0xff01,
            0x000b, 0x000a, 0x0015,
        ];
        let signatures = [0x0403u16, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601];
        let mut text = String::new();
        push_sorted_hash(&mut text, kinds.into_iter(), signatures.into_iter());
        assert_eq!(text, "e5627efa2ab1");
    }

    #[test]
    fn more_values_than_the_stack_holds_hash_the_same_way() {
        let values = (0..1000u16).rev();
        let joined: Vec<String> = (0..1000u16).map(|value| format!("{value:04x}")).collect();
        let mut expected = String::new();
        push_hex(&mut expected, &Sha256::digest(joined.join(","))[..6]);
        let mut text = String::new();
        let none: [u16; 0] = [];
        push_sorted_hash(&mut text, values, none.into_iter());
        assert_eq!(text, expected);
    }
}
