//! URLs in the text of a message.

/// Longest URL that is kept.
const LONGEST: usize = 2048;
const SCHEME: &[u8] = b"http";

/// Every URL of a piece of text, without its scheme.
pub(super) fn find<'a>(text: &'a [u8], tell: &mut dyn FnMut(&'a [u8])) {
    let mut rest = text;
    while let Some(at) = memchr::memmem::find(rest, b"://") {
        let begins = at.checked_sub(SCHEME.len()).and_then(|from| rest.get(from..at));
        let behind = rest.get(at + 3..).unwrap_or_default();
        let len = behind.iter().position(|&b| ends(b)).unwrap_or(behind.len());
        if begins.is_some_and(|scheme| scheme.eq_ignore_ascii_case(SCHEME)) {
            let url = behind.get(..len.min(LONGEST)).unwrap_or_default();
            if !url.is_empty() {
                tell(url);
            }
        }
        rest = behind.get(len..).unwrap_or_default();
    }
}

/// What no URL holds: blanks, quotes, angle brackets (RFC 3986, appendix C).
const fn ends(byte: u8) -> bool {
    byte <= b' ' || matches!(byte, b'"' | b'\'' | b'<' | b'>' | 0x7f)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_found_without_their_scheme() {
        let mut seen = Vec::new();
        let text = b"see http://a.example/b?c <HTTP://d.example> ftp://no.example http:// 'http://e/f' https://g://h";
        find(text, &mut |url| seen.push(String::from_utf8_lossy(url).into_owned()));
        assert_eq!(seen, ["a.example/b?c", "d.example", "e/f"]);
    }
}
