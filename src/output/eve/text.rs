//! Untrusted bytes as JSON strings. Always valid, always reversible by eye: what is not UTF-8 is written as `\xNN`,
//! as Suricata does.

/// Writes bytes as a JSON string.
pub(super) fn quoted(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    if plain(bytes) {
        out.extend_from_slice(bytes);
    } else if std::str::from_utf8(bytes).is_ok() {
        escaped(bytes, out);
    } else {
        for byte in bytes {
            if byte.is_ascii() {
                escaped(&[*byte], out);
            } else {
                out.extend_from_slice(b"\\\\x");
                super::hex(&[*byte], "", out);
            }
        }
    }
    out.push(b'"');
}

/// Printable ASCII that needs no escape: the usual case, copied whole. Looks at eight bytes at once; the last eight may
/// overlap those before.
fn plain(bytes: &[u8]) -> bool {
    if let Some(last) = bytes.last_chunk::<8>() {
        let (words, _) = bytes.as_chunks::<8>();
        return !words.iter().chain([last]).fold(false, |any, word| any | has_odd(u64::from_le_bytes(*word)));
    }
    if let (Some([a, b, c, d]), Some([e, f, g, h])) = (bytes.first_chunk(), bytes.last_chunk()) {
        return !has_odd(u64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h]));
    }
    bytes.iter().all(|b| !is_odd(*b))
}

/// Whether a byte is no printable ASCII, or needs an escape.
const fn is_odd(byte: u8) -> bool {
    !matches!(byte, 0x20..=0x7e) || byte == b'"' || byte == b'\\'
}

/// Whether any of eight bytes is odd. A byte below 0x80 borrows from the next one only where it is found odd itself.
const fn has_odd(word: u64) -> bool {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const TOPS: u64 = u64::from_ne_bytes([0x80; 8]);
    let below_space = word.wrapping_sub(ONES * 0x20);
    let is_quote = (word ^ (ONES * b'"' as u64)).wrapping_sub(ONES);
    let is_backslash = (word ^ (ONES * b'\\' as u64)).wrapping_sub(ONES);
    let is_delete = (word ^ (ONES * 0x7f)).wrapping_sub(ONES);
    (word | below_space | is_quote | is_backslash | is_delete) & TOPS != 0
}

/// Writes the inside of a JSON string; `bytes` are UTF-8.
fn escaped(bytes: &[u8], out: &mut Vec<u8>) {
    for byte in bytes {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            0..=0x1f | 0x7f => {
                out.extend_from_slice(b"\\u00");
                super::hex(&[*byte], "", out);
            }
            _ => out.push(*byte),
        }
    }
}

/// Base64 with padding (RFC 4648 section 4).
pub(super) fn base64(bytes: &[u8], out: &mut Vec<u8>) {
    const ALPHABET: [u8; 64] = *b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for group in bytes.chunks(3) {
        let at = |i: usize| u32::from(group.get(i).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for i in 0..4 {
            let digit = usize::try_from(bits >> (18 - 6 * i) & 63).unwrap_or(0);
            let letter = ALPHABET.get(digit).copied().unwrap_or(b'A');
            out.push(if i <= group.len() { letter } else { b'=' });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_pads() {
        for (bytes, text) in [(&b"f"[..], "Zg=="), (b"fo", "Zm8="), (b"foo", "Zm9v"), (b"foob", "Zm9vYg==")] {
            let mut out = Vec::new();
            base64(bytes, &mut out);
            assert_eq!(out, text.as_bytes());
        }
    }

    #[test]
    fn every_byte_is_found_odd_wherever_it_stands() {
        for byte in 0..=255 {
            for len in 1..40 {
                for at in 0..len {
                    let mut bytes = vec![b'a'; len];
                    bytes[at] = byte;
                    assert_eq!(plain(&bytes), !is_odd(byte), "{byte:#x} at {at} of {len}");
                }
            }
        }
        assert!(plain(b""));
    }

    #[test]
    fn utf8_stays_and_the_rest_is_spelled_out() {
        let mut out = Vec::new();
        quoted("é\n".as_bytes(), &mut out);
        quoted(b"\xe9\"", &mut out);
        assert_eq!(String::from_utf8(out).expect("UTF-8"), "\"é\\n\"\"\\\\xe9\\\"\"");
    }
}
