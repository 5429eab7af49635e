//! Byte classes and small searches of HTTP's lenient grammar. Peers pass over NUL bytes in places, so some of these do.

/// White space as C's `isspace` has it.
pub(crate) const fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\r' | b'\n' | 0x0b | 0x0c)
}

/// Blank or tab.
pub(crate) const fn is_blank(b: u8) -> bool {
    matches!(b, b' ' | b'\t')
}

/// `token` of RFC 9110, 5.6.2.
#[inline]
pub(crate) fn is_token(b: u8) -> bool {
    TOKEN.get(usize::from(b)).copied().unwrap_or(false)
}

/// Every header name is judged byte by byte: a table is twice as fast as the pattern.
#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler")]
static TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut b = 0;
    while b < 256 {
        let separators = b"()<>@,;:\\\"/[]?={}";
        let mut at = 0;
        let mut token = b > 32 && b < 127;
        while at < separators.len() {
            token = token && separators[at] as usize != b;
            at += 1;
        }
        table[b] = token;
        b += 1;
    }
    table
};

/// Without white space at both ends.
pub(crate) fn trim(mut b: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = b {
        if !is_space(*first) {
            break;
        }
        b = rest;
    }
    trim_end(b)
}

/// Without white space at the end.
pub(crate) fn trim_end(mut b: &[u8]) -> &[u8] {
    while let [rest @ .., last] = b {
        if !is_space(*last) {
            break;
        }
        b = rest;
    }
    b
}

/// Without line ends at the end.
pub(crate) fn chomp(mut b: &[u8]) -> &[u8] {
    while let [rest @ .., b'\r' | b'\n'] = b {
        b = rest;
    }
    b
}

/// How many bytes at the beginning satisfy `class`.
pub(crate) fn run(b: &[u8], class: impl Fn(u8) -> bool) -> usize {
    b.iter().position(|&c| !class(c)).unwrap_or(b.len())
}

/// Everything from `at` on; nothing when that lies outside.
pub(crate) fn from(b: &[u8], at: usize) -> &[u8] {
    b.get(at..).unwrap_or_default()
}

/// Everything before `at`; all of it when that lies outside.
pub(crate) fn until(b: &[u8], at: usize) -> &[u8] {
    b.get(..at).unwrap_or(b)
}

/// Whether `b` begins with `lower`, ASCII case aside.
pub(crate) fn starts_nocase(b: &[u8], lower: &[u8]) -> bool {
    b.get(..lower.len()).is_some_and(|head| head.eq_ignore_ascii_case(lower))
}

/// Whether `b` without its NUL bytes is `lower`, ASCII case aside.
pub(crate) fn equals_word(b: &[u8], lower: &[u8]) -> bool {
    if memchr::memchr(0, b).is_none() {
        return b.eq_ignore_ascii_case(lower);
    }
    b.iter().filter(|&&c| c != 0).map(u8::to_ascii_lowercase).eq(lower.iter().copied())
}

/// Whether `lower` occurs in `b` without its NUL bytes, ASCII case aside. Only for short values.
pub(crate) fn contains_word(b: &[u8], lower: &[u8]) -> bool {
    (0..b.len()).any(|at| {
        let mut rest = from(b, at).iter().filter(|&&c| c != 0).map(u8::to_ascii_lowercase);
        lower.iter().all(|&want| rest.next() == Some(want))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_agree_with_the_grammar() {
        for b in 0..=255u8 {
            let token = b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
            assert_eq!(is_token(b), token, "{b:#x}");
        }
        assert!(is_space(0x0b) && !is_space(0));
    }

    #[test]
    fn words_are_found_through_nul_bytes_and_case() {
        assert!(equals_word(b"K\0e\0Y", b"key"));
        assert!(!equals_word(b"keys", b"key"));
        assert!(contains_word(b"x, ChUn\0ked", b"chunked"));
        assert!(!contains_word(b"chunke", b"chunked"));
    }

    #[test]
    fn trimming_stops_at_the_first_other_byte() {
        assert_eq!(trim(b" \t a b \r\n"), b"a b");
        assert_eq!(chomp(b"line \r\n\n"), b"line ");
        assert_eq!(trim(b"  "), b"");
    }
}
