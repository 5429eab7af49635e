//! Numbers as lenient peers read them.

use super::bytes::{from, is_blank, is_space, run, starts_nocase, until};

/// A `Content-Length` value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Length {
    /// The number.
    pub(crate) value: u64,
    /// Something stood before it.
    pub(crate) before: bool,
    /// Something stood behind it.
    pub(crate) behind: bool,
}

/// Reads the first decimal number of a `Content-Length` value, whatever stands around it.
pub(crate) fn length(value: &[u8]) -> Option<Length> {
    let value = from(value, run(value, is_blank));
    let junk = run(value, |b| !b.is_ascii_digit());
    let value = from(value, junk);
    let digits = run(value, |b| b.is_ascii_digit());
    let number = decimal(until(value, digits))?;
    let rest = from(value, digits);
    Some(Length { value: number, before: junk > 0, behind: run(rest, is_blank) < rest.len() })
}

/// All of `digits` as a decimal number.
pub(crate) fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |n, b| {
        let digit = b.is_ascii_digit().then(|| u64::from(b - b'0'))?;
        n.checked_mul(10)?.checked_add(digit)
    })
}

/// The length line of a chunk (RFC 9112, 7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chunk {
    /// A length, and whether an extension follows it.
    Length(u64, bool),
    /// Too large, or nothing at all: the next line may tell.
    None,
    /// Not a number.
    Invalid,
}

/// Most bytes that one chunk may claim.
const LARGEST_CHUNK: u64 = 0x7fff_ffff;

/// Reads the length line of a chunk, white space around the number allowed.
pub(crate) fn chunk(line: &[u8]) -> Chunk {
    let line = from(line, run(line, is_space));
    let digits = run(line, |b| b.is_ascii_hexdigit());
    let behind = from(line, digits);
    let behind = from(behind, run(behind, is_blank));
    if digits == 0 {
        return if behind.is_empty() { Chunk::None } else { Chunk::Invalid };
    }
    let number = until(line, digits).iter().try_fold(0u64, |n, &b| {
        let digit = char::from(b).to_digit(16)?;
        n.checked_mul(16)?.checked_add(u64::from(digit))
    });
    match number {
        None => Chunk::Invalid,
        Some(n) if n > LARGEST_CHUNK => Chunk::None,
        Some(n) => Chunk::Length(n, memchr::memchr(b';', behind).is_some()),
    }
}

/// Whether what there is of a chunk's length line can still become one.
pub(crate) fn may_be_chunk(line: &[u8]) -> bool {
    from(line, run(line, is_space)).first().is_none_or(u8::is_ascii_hexdigit)
}

/// A status: three digits from 100 on.
pub(crate) fn status(text: &[u8]) -> Option<u16> {
    let number = decimal(text).filter(|n| (100..=999).contains(n))?;
    u16::try_from(number).ok()
}

/// A port: 1 to 65535.
pub(crate) fn port(text: &[u8]) -> Option<u16> {
    u16::try_from(decimal(text)?).ok().filter(|&n| n != 0)
}

/// A `Content-Range` value (RFC 9110, 14.4); what was a star is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    /// First and last byte.
    pub(crate) bytes: Option<(u64, u64)>,
    /// Size of the whole.
    pub(crate) size: Option<u64>,
}

/// Reads `bytes 0-499/1234`, `bytes */1234` or `bytes 0-499/*`.
pub(crate) fn range(value: &[u8]) -> Option<Range> {
    let value = from(value, run(value, is_blank));
    if !starts_nocase(value, b"bytes") {
        return None;
    }
    let value = from(value, 5);
    let blanks = run(value, is_blank);
    let value = from(value, blanks);
    let slash = memchr::memchr(b'/', value)?;
    let size = from(value, slash + 1);
    let size = until(size, run(size, |b| !is_blank(b)));
    let size = if size == b"*" { None } else { Some(decimal(size)?) };
    let bytes = match until(value, slash) {
        b"*" => None,
        span => {
            let dash = memchr::memchr(b'-', span)?;
            Some((decimal(until(span, dash))?, decimal(from(span, dash + 1))?))
        }
    };
    (blanks > 0).then_some(Range { bytes, size })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_the_first_number() {
        let plain = |value| Some(Length { value, before: false, behind: false });
        assert_eq!(length(b" 12\t"), plain(12));
        assert_eq!(length(b"x12y"), Some(Length { value: 12, before: true, behind: true }));
        assert_eq!(length(b"18446744073709551616"), None);
        assert_eq!(length(b"none"), None);
    }

    #[test]
    fn chunk_lengths() {
        assert_eq!(chunk(b" 1aF\r\n"), Chunk::Length(0x1af, false));
        assert_eq!(chunk(b"5 ;name=value\r\n"), Chunk::Length(5, true));
        assert_eq!(chunk(b"80000000\n"), Chunk::None);
        assert_eq!(chunk(b"X5O\n"), Chunk::Invalid);
        assert_eq!(chunk(b"fffffffffffffffff\n"), Chunk::Invalid);
        assert!(may_be_chunk(b"\r\n4") && may_be_chunk(b" ") && !may_be_chunk(b"\nX"));
    }

    #[test]
    fn ranges() {
        assert_eq!(
            range(b"bytes 500-1000/146515"),
            Some(Range { bytes: Some((500, 1000)), size: Some(146_515) })
        );
        assert_eq!(range(b"bytes */9"), Some(Range { bytes: None, size: Some(9) }));
        assert_eq!(range(b"bytes 0-1/*"), Some(Range { bytes: Some((0, 1)), size: None }));
        assert_eq!(range(b"bytes 0-/1"), None);
        assert_eq!(range(b"lines 0-1/2"), None);
    }

    #[test]
    fn statuses_and_ports() {
        assert_eq!(status(b"200"), Some(200));
        assert_eq!(status(b"099"), None);
        assert_eq!(status(b"2XX"), None);
        assert_eq!(port(b"65536"), None);
        assert_eq!(port(b"0"), None);
        assert_eq!(port(b"8080"), Some(8080));
    }
}
