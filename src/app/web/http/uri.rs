//! URIs: taken apart (RFC 3986, 3, with the liberties of servers) and brought into the one form that rules are
//! written for. Decoding follows what servers of every make accept: `%41`, `%u0041`, backslashes, doubled slashes,
//! dot segments, UTF-8 folded to single bytes.

use super::bytes::{from, is_space, run, until};
use super::number;

/// The parts of a URI, as sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    pub(super) host: Option<&'a [u8]>,
    pub(super) port: Option<&'a [u8]>,
    pub(super) path: Option<&'a [u8]>,
    pub(super) query: Option<&'a [u8]>,
    pub(super) fragment: Option<&'a [u8]>,
}

/// Takes the URI of a request apart.
pub(super) fn split(uri: &[u8]) -> Parts<'_> {
    let mut parts = Parts::default();
    let mut rest = uri;
    if uri.first() != Some(&b'/')
        && let Some(colon) = memchr::memchr(b':', uri)
    {
        rest = authority(from(uri, colon + 1), &mut parts);
    }
    let path = run(rest, |b| !matches!(b, b'#' | b'?'));
    if path > 0 {
        parts.path = Some(until(rest, path));
    }
    rest = from(rest, path);
    if let Some((b'?', behind)) = rest.split_first() {
        let query = run(behind, |b| b != b'#');
        parts.query = Some(until(behind, query));
        rest = from(behind, query);
    }
    if let Some((b'#', behind)) = rest.split_first() {
        parts.fragment = Some(behind);
    }
    parts
}

/// Reads credentials, host and port behind a scheme, and gives back what follows.
fn authority<'a>(rest: &'a [u8], parts: &mut Parts<'a>) -> &'a [u8] {
    let mut rest = rest;
    if let Some(inner) = rest.strip_prefix(b"//")
        && inner.first() != Some(&b'/')
        && let Some(at) = memchr::memchr(b'@', inner)
    {
        rest = from(inner, at + 1);
    }
    let Some((host, behind)) = host(rest) else {
        return rest;
    };
    parts.host = Some(host);
    match port(behind) {
        Some((port, behind)) => {
            parts.port = Some(port);
            behind
        }
        None => behind,
    }
}

/// A host at the beginning of an authority.
fn host(d: &[u8]) -> Option<(&[u8], &[u8])> {
    let d = d.strip_prefix(b"//").unwrap_or(d);
    if d.first() == Some(&b'/') {
        return None;
    }
    let d = from(d, run(d, |b| b == b' '));
    let mut len = run(d, |b| !matches!(b, b'/' | b'?' | b'#' | b':'));
    if let Some(inner) = d.strip_prefix(b"[") {
        let address = run(inner, |b| !matches!(b, b'/' | b'?' | b'#' | b']'));
        if address > 0 {
            len = 1 + address + usize::from(inner.get(address) == Some(&b']'));
        }
    }
    if len == 0 {
        return None;
    }
    let host = until(d, len);
    let blanks = host.iter().rev().take_while(|&&b| b == b' ').count();
    Some((until(host, host.len() - blanks), from(d, len)))
}

/// A port behind a host.
fn port(d: &[u8]) -> Option<(&[u8], &[u8])> {
    let d = d.strip_prefix(b":")?;
    let d = from(d, run(d, |b| b == b' '));
    let len = run(d, |b| !matches!(b, b'/' | b'?' | b'#'));
    let digits = run(until(d, len), |b| b != b' ');
    (digits > 0).then(|| (until(d, digits), from(d, len)))
}

/// An authority: the `Host` field, or the target of CONNECT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Authority<'a> {
    pub(super) host: &'a [u8],
    /// A port stood there, and what it says if it is one.
    pub(super) port: Option<Option<u16>>,
    pub(super) valid: bool,
}

/// Reads an authority; nothing when there is no host in it.
pub(super) fn hostport(d: &[u8]) -> Option<Authority<'_>> {
    let (host, behind) = host(d)?;
    let valid = is_host(host);
    Some(match port(behind) {
        Some((text, _)) => {
            let port = number::port(text);
            Authority { host, port: Some(port), valid: valid && port.is_some() }
        }
        None => Authority { host, port: None, valid: valid && behind.is_empty() },
    })
}

/// Whether bytes are a host name or an IPv6 address in brackets; underscores are let pass.
pub(super) fn is_host(host: &[u8]) -> bool {
    if host.is_empty() || host.len() > 255 {
        return false;
    }
    if let Some(inner) = host.strip_prefix(b"[")
        && let Some(address) = inner.strip_suffix(b"]")
    {
        return std::str::from_utf8(address).is_ok_and(|text| text.parse::<std::net::Ipv6Addr>().is_ok());
    }
    let label = |label: &[u8]| {
        label.len() <= 63
            && label.iter().all(|&b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_') || b >= 0xc0)
    };
    host.first() != Some(&b'.')
        && memchr::memmem::find(host, b"..").is_none()
        && host.split(|&b| b == b'.').all(label)
}

/// A host from a URI, decoded, in lower case, without dots at its end.
pub(super) fn normal_host(host: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    decode(host, out);
    while out.len() > start && out.last() == Some(&b'.') {
        out.pop();
    }
    if let Some(host) = out.get_mut(start..) {
        host.make_ascii_lowercase();
    }
}

/// Path, query and fragment in normal form, one behind the other; `None` when there is none of them.
pub(super) fn normal(parts: &Parts<'_>) -> Option<Vec<u8>> {
    if parts.path.is_none() && parts.query.is_none() && parts.fragment.is_none() {
        return None;
    }
    let mut out =
        Vec::with_capacity(parts.path.map_or(0, <[u8]>::len) + parts.query.map_or(0, <[u8]>::len) + 2);
    if let Some(path) = parts.path {
        normal_path(path, &mut out);
    }
    for (mark, part) in [(b'?', parts.query), (b'#', parts.fragment)] {
        if let Some(part) = part {
            out.push(mark);
            decode(part, &mut out);
        }
    }
    Some(out)
}

/// A path in normal form.
pub(super) fn normal_path(path: &[u8], out: &mut Vec<u8>) {
    if is_normal(path) {
        out.extend_from_slice(path);
        return;
    }
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((byte, behind)) = decode_one(rest) {
        rest = behind;
        let byte = if byte == b'\\' { b'/' } else { byte };
        if byte != b'/' || decoded.last() != Some(&b'/') {
            decoded.push(byte);
        }
    }
    if !decoded.is_ascii() {
        decoded = fold_utf8(&decoded);
    }
    remove_dots(&decoded, out);
}

/// Whether nothing in a path calls for normalisation.
pub(super) fn is_normal(path: &[u8]) -> bool {
    let mut before = 0;
    for &b in path {
        let dot = b == b'.' && matches!(before, 0 | b'/');
        if dot || b == b'%' || b == b'\\' || b >= 0x80 || (b == b'/' && before == b'/') {
            return false;
        }
        before = b;
    }
    true
}

/// Whether a URI is a path, perhaps with a query, in which nothing calls for normalisation.
pub(super) fn is_whole_normal(uri: &[u8]) -> bool {
    let path = until(uri, run(uri, |b| !matches!(b, b'?' | b'#')));
    path.first() == Some(&b'/') && is_normal(path) && memchr::memchr(b'%', uri).is_none()
}

/// Decodes `%41` and `%u0041` throughout; anything else that begins with `%` stays.
fn decode(d: &[u8], out: &mut Vec<u8>) {
    if memchr::memchr(b'%', d).is_none() {
        out.extend_from_slice(d);
        return;
    }
    let mut rest = d;
    while let Some((byte, behind)) = decode_one(rest) {
        rest = behind;
        out.push(byte);
    }
}

/// The next byte, decoded, and what follows it.
fn decode_one(d: &[u8]) -> Option<(u8, &[u8])> {
    let (&byte, rest) = d.split_first()?;
    if byte != b'%' {
        return Some((byte, rest));
    }
    if let [b'u' | b'U', digits @ ..] = rest {
        let code = digits.get(..4).and_then(hex);
        return Some(code.map_or((b'%', rest), |code| (best_fit(code), from(digits, 4))));
    }
    let code = rest.get(..2).and_then(hex).and_then(|code| u8::try_from(code).ok());
    Some(code.map_or((b'%', rest), |code| (code, from(rest, 2))))
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |n, &b| Some(n * 16 + char::from(b).to_digit(16)?))
}

/// The single byte that servers put for a character outside Latin-1; a question mark for most.
fn best_fit(code: u32) -> u8 {
    if let Ok(byte) = u8::try_from(code) {
        return byte;
    }
    // fullwidth forms are ASCII moved up: the classic way around filters
    if (0xff01..=0xff5e).contains(&code) {
        return u8::try_from(code - 0xfee0).unwrap_or(b'?');
    }
    match code {
        0x0100..=0x0105 => {
            if code & 1 == 0 {
                b'A'
            } else {
                b'a'
            }
        }
        0x0106..=0x010d => {
            if code & 1 == 0 {
                b'C'
            } else {
                b'c'
            }
        }
        0x010e..=0x0111 => {
            if code & 1 == 0 {
                b'D'
            } else {
                b'd'
            }
        }
        0x0112..=0x011b => {
            if code & 1 == 0 {
                b'E'
            } else {
                b'e'
            }
        }
        0x011c..=0x0123 => {
            if code & 1 == 0 {
                b'G'
            } else {
                b'g'
            }
        }
        0x0124..=0x0127 => {
            if code & 1 == 0 {
                b'H'
            } else {
                b'h'
            }
        }
        0x0128..=0x0131 => {
            if code & 1 == 0 {
                b'I'
            } else {
                b'i'
            }
        }
        0x0134 => b'J',
        0x0135 => b'j',
        0x0136 => b'K',
        0x0137 => b'k',
        0x0139..=0x0142 => {
            if code & 1 == 1 {
                b'L'
            } else {
                b'l'
            }
        }
        0x0143..=0x0148 => {
            if code & 1 == 1 {
                b'N'
            } else {
                b'n'
            }
        }
        0x014c..=0x0153 => {
            if code & 1 == 0 {
                b'O'
            } else {
                b'o'
            }
        }
        0x0154..=0x0159 => {
            if code & 1 == 0 {
                b'R'
            } else {
                b'r'
            }
        }
        0x015a..=0x0161 => {
            if code & 1 == 0 {
                b'S'
            } else {
                b's'
            }
        }
        0x0162..=0x0167 => {
            if code & 1 == 0 {
                b'T'
            } else {
                b't'
            }
        }
        0x0168..=0x0173 => {
            if code & 1 == 0 {
                b'U'
            } else {
                b'u'
            }
        }
        0x2010 | 0x2011 | 0x2013 | 0x2014 | 0x2212 => b'-',
        0x2018 | 0x2019 | 0x201a | 0x2032 => b'\'',
        0x201c..=0x201e => b'"',
        0x2024 => b'.',
        0x2044 | 0x2215 => b'/',
        0x2216 => b'\\',
        0x2217 => b'*',
        0x2236 => b':',
        0x2039 | 0x2329 => b'<',
        0x203a | 0x232a => b'>',
        _ => b'?',
    }
}

/// Takes bytes for UTF-8, overlong forms allowed, and gives one byte for each character.
fn fold_utf8(d: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(d.len());
    let mut rest = d;
    while let Some((&lead, behind)) = rest.split_first() {
        let (more, bits) = match lead {
            0..=0x7f => (0, u32::from(lead)),
            0xc0..=0xdf => (1, u32::from(lead & 0x1f)),
            0xe0..=0xef => (2, u32::from(lead & 0x0f)),
            0xf0..=0xf4 => (3, u32::from(lead & 0x07)),
            _ => (usize::MAX, 0),
        };
        let tail = until(behind, more);
        let good = run(tail, |b| b & 0xc0 == 0x80);
        if good == more {
            out.push(best_fit(tail.iter().fold(bits, |code, b| (code << 6) | u32::from(b & 0x3f))));
        } else if more != usize::MAX && good == behind.len() {
            out.extend(std::iter::repeat_n(b'?', good));
        } else {
            out.push(b'?');
        }
        // a broken character ends before the byte that broke it
        rest = from(behind, if more == usize::MAX { 0 } else { good });
    }
    out
}

/// Removes dot segments (RFC 3986, 5.2.4). Dots before anything else vanish with their slash; a slash behind dots at
/// the very end does, too.
fn remove_dots(path: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    let mut begun = path.first() == Some(&b'/');
    let mut rest = path.strip_prefix(b"/").unwrap_or(path);
    let mut after_dots = false;
    loop {
        let len = run(rest, |b| b != b'/');
        let segment = until(rest, len);
        let ended = len == rest.len();
        let dots = matches!(segment, b"." | b"..");
        if segment == b".." {
            let cut = out.get(start..).and_then(|o| memchr::memrchr(b'/', o)).unwrap_or(0);
            out.truncate(start + cut);
        } else if !(dots || (ended && segment.is_empty() && after_dots)) {
            if begun {
                out.push(b'/');
            }
            out.extend_from_slice(segment);
            begun = true;
        }
        if ended {
            break;
        }
        after_dots = dots;
        rest = from(rest, len + 1);
    }
}

/// Whether a URI can have a host of its own: it does not begin with a slash.
pub(super) fn may_have_host(uri: &[u8]) -> bool {
    uri.first().is_some_and(|&b| b != b'/' && !is_space(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(p: &str) -> String {
        let mut out = Vec::new();
        normal_path(p.as_bytes(), &mut out);
        out.iter().map(|&b| char::from(b)).collect()
    }

    #[test]
    fn paths_come_into_one_form() {
        for (sent, normal) in [
            ("/", "/"),
            ("/a/b", "/a/b"),
            ("/a//b///c", "/a/b/c"),
            ("/a\\b%5cc%2fd", "/a/b/c/d"),
            ("/%41%u0042%zz%4", "/AB%zz%4"),
            ("/%uff41%u2215x", "/a/x"),
            ("/a/./b/../c", "/a/c"),
            ("/a/b/c/./../../g", "/a/g"),
            ("mid/content=5/../6", "mid/6"),
            ("./one", "one"),
            ("../one", "one"),
            (".", ""),
            ("..", ""),
            ("one/.", "one"),
            ("one/..", ""),
            ("one/../", ""),
            ("one/../two", "/two"),
            ("/a/./", "/a"),
            ("/../../../images.gif", "/images.gif"),
            ("/a/..", ""),
            ("/a/.b/..c", "/a/.b/..c"),
            ("/%c0%af%e2%82", "//?"),
            ("/%C3%A9%C4%80", "/éA"),
            ("*", "*"),
        ] {
            assert_eq!(path(sent), normal, "{sent}");
        }
    }

    #[test]
    fn uris_are_taken_apart() {
        let text = |b: Option<&[u8]>| b.map(|b| String::from_utf8_lossy(b).into_owned());
        let parts = split(b"http://user:pw@Host.Example:80/a/b?q=1#f");
        assert_eq!(text(parts.host).as_deref(), Some("Host.Example"));
        assert_eq!(text(parts.port).as_deref(), Some("80"));
        assert_eq!(text(parts.path).as_deref(), Some("/a/b"));
        assert_eq!(text(parts.query).as_deref(), Some("q=1"));
        assert_eq!(text(parts.fragment).as_deref(), Some("f"));
        assert_eq!(split(b"/a:b?c").host, None);
        assert_eq!(split(b"http://[::1]:8/").host, Some(&b"[::1]"[..]));
        assert_eq!(split(b"http://").path, Some(&b"//"[..]));
        assert_eq!(split(b""), Parts::default());
    }

    #[test]
    fn the_query_is_decoded_but_not_compacted() {
        let uri = normal(&split(b"/a//b?x=%2e%2e//%41+b#%43")).unwrap();
        assert_eq!(uri, b"/a/b?x=..//A+b#C");
        assert_eq!(normal(&split(b"http://host")), None);
    }

    #[test]
    fn authorities() {
        let plain = |host, port, valid| Some(Authority { host, port, valid });
        assert_eq!(hostport(b"Example.com"), plain(&b"Example.com"[..], None, true));
        assert_eq!(hostport(b"a:81"), plain(&b"a"[..], Some(Some(81)), true));
        assert_eq!(hostport(b"a:x"), plain(&b"a"[..], Some(None), false));
        assert_eq!(hostport(b"[::1]x"), plain(&b"[::1]"[..], None, false));
        assert_eq!(hostport(b""), None);
        assert!(is_host(b"a_b-c.d9") && !is_host(b".a") && !is_host(b"a..b") && !is_host(b"a b"));
        assert!(is_host(b"[2001:db8::1]") && !is_host(b"[2001:db8::x]"));
    }
}
