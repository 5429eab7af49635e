//! Parameters of a field's value: `attachment; filename="a.txt"` (RFC 2183, RFC 2231, RFC 5987).

use super::bytes::{from, is_token, run, until};

/// White space between parameters.
const fn is_blank(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\r' | b'\n')
}

/// Sections of one value that are joined (RFC 2231, 3).
const MOST_SECTIONS: usize = 64;
/// Parameters that are looked at.
const MOST_PARAMETERS: usize = 256;

/// One parameter, as it stands there.
#[derive(Clone, Copy)]
struct Parameter<'a> {
    /// Its value is percent-encoded.
    extended: bool,
    name: &'a [u8],
    value: &'a [u8],
}

/// The value of a parameter, unescaped; `None` when there is none of that name. Of several the last one counts.
pub(super) fn find(value: &[u8], name: &[u8]) -> Option<Vec<u8>> {
    if let Some(whole) = last(value, |p| p.name == name) {
        return Some(text(whole));
    }
    let section = |n: usize| last(value, |p| is_section(p.name, name, n));
    let mut joined = text(section(0)?);
    for n in 1..MOST_SECTIONS {
        let Some(more) = section(n) else { break };
        joined.extend_from_slice(&text(more));
    }
    Some(joined)
}

/// Whether `found` is `name*n`.
fn is_section(found: &[u8], name: &[u8], n: usize) -> bool {
    let digits = found.strip_prefix(name).and_then(|rest| rest.strip_prefix(b"*"));
    digits.is_some_and(|d| std::str::from_utf8(d).is_ok_and(|d| d.parse() == Ok(n)))
}

fn last(value: &[u8], wanted: impl Fn(Parameter<'_>) -> bool) -> Option<Parameter<'_>> {
    let mut rest = from(value, memchr::memchr(b';', value)? + 1);
    let mut found = None;
    for _ in 0..MOST_PARAMETERS {
        let Some((parameter, behind)) = next(rest) else { break };
        if wanted(parameter) {
            found = Some(parameter);
        }
        rest = behind;
    }
    found
}

fn next(d: &[u8]) -> Option<(Parameter<'_>, &[u8])> {
    let d = from(d, run(d, is_blank));
    let equals = memchr::memchr(b'=', d)?;
    let name = until(d, equals);
    let rest = from(d, equals + 1);
    let (extended, name) = name.strip_suffix(b"*").map_or((false, name), |name| (true, name));
    let rest = if extended { behind_language(rest) } else { rest };
    let (value, rest) = quoted(rest).unwrap_or_else(|| bare(rest));
    let rest = from(rest, run(rest, is_blank));
    Some((Parameter { extended, name, value }, rest.strip_prefix(b";").unwrap_or(rest)))
}

/// Passes over the character set and the language of an extended value: `UTF-8'en'`.
fn behind_language(d: &[u8]) -> &[u8] {
    const LONGEST: usize = 64;
    let mut quotes = 0;
    for (at, &b) in until(d, LONGEST).iter().enumerate() {
        match b {
            b'\'' if quotes == 1 => return from(d, at + 1),
            b'\'' => quotes += 1,
            _ if is_token(b) && !matches!(b, b'*' | b'%') => {}
            _ => break,
        }
    }
    d
}

fn quoted(d: &[u8]) -> Option<(&[u8], &[u8])> {
    let inner = d.strip_prefix(b"\"")?;
    let mut escaped = false;
    for (at, &b) in inner.iter().enumerate() {
        match b {
            b'\\' => escaped = true,
            b'"' if !escaped => return Some((until(inner, at), from(inner, at + 1))),
            _ => escaped = false,
        }
    }
    None
}

fn bare(d: &[u8]) -> (&[u8], &[u8]) {
    let len = run(d, |b| b != b';');
    let value = until(d, len);
    let blanks = value.iter().rev().take_while(|&&b| is_blank(b)).count();
    (until(value, len - blanks), from(d, len))
}

/// What a parameter's value says.
fn text(p: Parameter<'_>) -> Vec<u8> {
    if !p.extended {
        return p.value.iter().copied().filter(|&b| b != b'\\').collect();
    }
    let mut out = Vec::with_capacity(p.value.len());
    let mut rest = p.value;
    while let Some((&b, behind)) = rest.split_first() {
        let digit = |at: usize| behind.get(at).and_then(|&d| char::from(d).to_digit(16));
        let code = if b == b'%' {
            digit(0).zip(digit(1)).and_then(|(a, b)| u8::try_from(a * 16 + b).ok())
        } else {
            None
        };
        out.push(code.unwrap_or(b));
        rest = if code.is_some() { from(behind, 2) } else { behind };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_as_servers_write_them() {
        for (value, name) in [
            ("attachment; filename=test;", "test"),
            ("attachment; filename=\"test2\";", "test2"),
            ("attachment; filename=\"test\\\"2\";", "test\"2"),
            ("attachment; dummy=\"filename=wrong\"; filename=real;", "real"),
            ("attachment; notafilename=wrong; filename=good;", "good"),
            ("attachment; filename=oksofar; badending", "oksofar"),
            ("attachment; filename=test me ", "test me"),
            ("attachment; filename*0=abc; filename*1=\"def\";", "abcdef"),
            ("attachment; filename*1=456; filename*0=\"123\"", "123456"),
            ("attachment; filename*=us-ascii'en-us'shell.php", "shell.php"),
            ("attachment; filename=first; filename*=us-ascii''sec%6fnd;", "second"),
            (
                "attachment; filename*0*=us-ascii'en'sh%65; filename*1*=%6c%6C;filename*2=\".php\"",
                "shell.php",
            ),
        ] {
            assert_eq!(find(value.as_bytes(), b"filename").as_deref(), Some(name.as_bytes()), "{value}");
        }
        assert_eq!(find(b"attachment", b"filename"), None);
        assert_eq!(find(b"attachment; name=x", b"filename"), None);
    }
}
