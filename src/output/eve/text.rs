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

/// Printable ASCII that needs no escape: the usual case, copied whole. Without an early end, so that the compiler can
/// look at many bytes at once.
fn plain(bytes: &[u8]) -> bool {
    let odd = |b: &u8| !matches!(b, 0x20..=0x7e) | (*b == b'"') | (*b == b'\\');
    !bytes.iter().fold(false, |any, b| any | odd(b))
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
    fn utf8_stays_and_the_rest_is_spelled_out() {
        let mut out = Vec::new();
        quoted("é\n".as_bytes(), &mut out);
        quoted(b"\xe9\"", &mut out);
        assert_eq!(String::from_utf8(out).expect("UTF-8"), "\"é\\n\"\"\\\\xe9\\\"\"");
    }
}
