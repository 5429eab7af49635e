//! Parameters of a field's value (RFC 2045, 5.1; RFC 2231): `attachment; filename="a.txt"`.

use super::coding::hex;

/// The value of a parameter, without quotes and escapes; `None` when there is none of that name.
pub(super) fn find(value: &[u8], name: &[u8]) -> Option<Vec<u8>> {
    let mut rest = value;
    loop {
        let at = end_of(rest)?;
        let (_, behind) = rest.split_at(at);
        rest = behind.get(1..)?;
        let this = rest.get(..end_of(rest).unwrap_or(rest.len())).unwrap_or_default();
        let Some(equals) = memchr::memchr(b'=', this) else { continue };
        let (key, text) = this.split_at(equals);
        let (key, text) = (key.trim_ascii(), text.get(1..).unwrap_or_default().trim_ascii());
        if key.eq_ignore_ascii_case(name) {
            return Some(unquote(text));
        }
        if let Some((b'*', start)) = key.split_last()
            && start.eq_ignore_ascii_case(name)
        {
            return Some(extended(text));
        }
    }
}

/// Where the next `;` stands that is not within quotes.
fn end_of(value: &[u8]) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    value.iter().position(|&byte| {
        let ends = byte == b';' && !quoted;
        if byte == b'"' && !escaped {
            quoted = !quoted;
        }
        escaped = byte == b'\\' && !escaped;
        ends
    })
}

fn unquote(text: &[u8]) -> Vec<u8> {
    let Some(inner) = text.strip_prefix(b"\"") else { return text.to_vec() };
    let mut out = Vec::with_capacity(inner.len());
    let mut escaped = false;
    for &byte in inner {
        match byte {
            b'"' if !escaped => break,
            b'\\' if !escaped => escaped = true,
            _ => {
                out.push(byte);
                escaped = false;
            }
        }
    }
    out
}

/// `utf-8'en'a%20b`: character set and language are dropped, bytes stay as they were encoded.
fn extended(text: &[u8]) -> Vec<u8> {
    let text = text.splitn(3, |&b| b == b'\'').nth(2).unwrap_or(text);
    let (mut out, mut rest) = (Vec::with_capacity(text.len()), text);
    while let Some((&first, tail)) = rest.split_first() {
        match tail {
            [high, low, behind @ ..]
                if first == b'%' && high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                out.push(hex(*high) << 4 | hex(*low));
                rest = behind;
            }
            _ => {
                out.push(first);
                rest = tail;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_found() {
        let value = br#"attachment; size=3; FileName="a;\"b\".txt"; name*=utf-8''caf%C3%A9"#;
        assert_eq!(find(value, b"filename").as_deref(), Some(&br#"a;"b".txt"#[..]));
        assert_eq!(find(value, b"size").as_deref(), Some(&b"3"[..]));
        assert_eq!(find(value, b"name").as_deref(), Some("café".as_bytes()));
        assert_eq!(find(value, b"none"), None);
        assert_eq!(find(b"text/plain", b"name"), None);
        assert_eq!(find(b"x; boundary=\"open", b"boundary").as_deref(), Some(&b"open"[..]));
    }
}
