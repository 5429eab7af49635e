//! The first line of a message (RFC 9112, 3 and 4), as lenient peers read it.

use super::bytes::{chomp, from, is_space, run, starts_nocase, trim, until};
use std::ops::Range;

/// Methods that are told apart; every other one is legal, too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Method {
    /// Anything that is no method of RFC 9110, WebDAV or DeltaV.
    #[default]
    Unknown,
    /// A method without special consequences.
    Other,
    Head,
    Post,
    Put,
    Connect,
}

/// Methods that may begin a request behind another one.
pub(super) const METHODS: &[&[u8]] = &[
    b"GET",
    b"HEAD",
    b"POST",
    b"PUT",
    b"DELETE",
    b"CONNECT",
    b"OPTIONS",
    b"TRACE",
    b"PATCH",
    b"PROPFIND",
    b"PROPPATCH",
    b"MKCOL",
    b"COPY",
    b"MOVE",
    b"LOCK",
    b"UNLOCK",
    b"VERSION-CONTROL",
    b"CHECKOUT",
    b"UNCHECKOUT",
    b"CHECKIN",
    b"UPDATE",
    b"LABEL",
    b"REPORT",
    b"MKWORKSPACE",
    b"MKACTIVITY",
    b"BASELINE-CONTROL",
    b"MERGE",
    b"INVALID",
];

impl Method {
    /// Looks a method up; case matters.
    pub(super) fn of(name: &[u8]) -> Self {
        match name {
            b"GET" => Self::Other,
            b"HEAD" => Self::Head,
            b"POST" => Self::Post,
            b"PUT" => Self::Put,
            b"CONNECT" => Self::Connect,
            _ if METHODS.contains(&name) => Self::Other,
            _ => Self::Unknown,
        }
    }
}

/// Version of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Version {
    #[default]
    Unknown,
    Invalid,
    V0_9,
    V1_0,
    V1_1,
}

/// Reads `HTTP/1.1`; the flag tells of white space or zeros that do not belong there.
pub(super) fn version(text: &[u8]) -> (Version, bool) {
    let text = text.trim_ascii();
    if !starts_nocase(text, b"http") {
        return (Version::Invalid, false);
    }
    let text = from(text, 4);
    let blanks = run(text, |b| b.is_ascii_whitespace());
    let Some((b'/', text)) = from(text, blanks).split_first() else {
        return (Version::Invalid, false);
    };
    let padding = run(text, |b| b.is_ascii_whitespace() || b == b'0');
    let version = match from(text, padding) {
        b".9" => Version::V0_9,
        b"1.0" => Version::V1_0,
        b"1.1" => Version::V1_1,
        _ => Version::Invalid,
    };
    (version, version != Version::Invalid && (blanks > 0 || padding > 0))
}

/// Where the parts of a request line lie in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) method: Range<usize>,
    pub(super) uri: Option<Range<usize>>,
    pub(super) protocol: Option<Range<usize>>,
    /// White space before the method.
    pub(super) leading: bool,
    /// Something else than blanks between method and URI.
    pub(super) method_delimiter: bool,
    /// Other white space than blanks in the URI.
    pub(super) uri_delimiter: bool,
}

/// Takes a request line apart. It has no line end any more. Blanks within the URI are part of it: the last one ends it.
pub(super) fn request(line: &[u8]) -> Request {
    let leading = run(line, is_space);
    let method_len = run(from(line, leading), |b| !is_space(b));
    let method = leading..leading + method_len;
    let blanks = run(from(line, method.end), is_space);
    let method_delimiter = from(until(line, method.end + blanks), method.end).iter().any(|&b| b != b' ');
    let mut parts = Request { leading: leading > 0, method_delimiter, ..Request::default() };
    let rest = method.end + blanks..trimmed(line, method.end + blanks..line.len()).end;
    parts.method = method;
    if rest.is_empty() {
        return parts;
    }
    let bytes = line.get(rest.clone()).unwrap_or_default();
    let mut cut = memchr::memrchr(b' ', bytes);
    let odd = |b: &u8| is_space(*b) && *b != b' ';
    if until(bytes, cut.unwrap_or(bytes.len())).iter().any(odd) {
        parts.uri_delimiter = true;
        if cut.is_none() {
            cut = bytes.iter().position(|&b| is_space(b));
        }
    }
    let at = rest.start + cut.unwrap_or(bytes.len());
    parts.uri = Some(trimmed(line, rest.start..at));
    parts.protocol = Some(trimmed(line, at..rest.end)).filter(|p| !p.is_empty());
    parts
}

/// `span` of `line` without white space at both ends.
fn trimmed(line: &[u8], span: Range<usize>) -> Range<usize> {
    let bytes = line.get(span.clone()).unwrap_or_default();
    let blanks = run(bytes, is_space);
    let start = span.start + blanks;
    start..start + trim(from(bytes, blanks)).len()
}

/// Where the parts of a status line lie in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Response {
    pub(super) protocol: Option<Range<usize>>,
    pub(super) status: Option<Range<usize>>,
    pub(super) message: Option<Range<usize>>,
}

/// Takes a status line apart, line end included.
pub(super) fn response(line: &[u8]) -> Response {
    let mut parts = Response::default();
    let start = run(line, |b| is_space(b) || b == 0);
    let protocol = start..start + run(from(line, start), |b| !is_space(b));
    if protocol.is_empty() {
        return parts;
    }
    let gap = run(from(line, protocol.end), is_space);
    let start = protocol.end + gap;
    parts.protocol = Some(protocol);
    let status = start..start + run(from(line, start), |b| !is_space(b));
    if gap == 0 || status.is_empty() {
        return parts;
    }
    let gap = run(from(line, status.end), |b| b.is_ascii_whitespace());
    let start = status.end + gap;
    parts.status = Some(status);
    if gap > 0 {
        parts.message = Some(start..start + chomp(from(line, start)).len());
    }
    parts
}

/// Whether a line is nothing but its end.
pub(super) fn is_empty(line: &[u8]) -> bool {
    matches!(line, b"\r" | b"\n" | b"\r\n")
}

/// Whether bytes may be a status line: browsers ask for no more than this.
pub(super) fn is_status(line: &[u8]) -> bool {
    starts_nocase(from(line, run(line, |b| is_space(b) || b == 0)), b"http")
}

#[cfg(test)]
mod tests {
    use super::*;

    type Read<'a> = (&'a [u8], Option<&'a [u8]>, Option<&'a [u8]>, [bool; 3]);

    fn read(line: &[u8]) -> Read<'_> {
        let parts = request(line);
        (
            &line[parts.method],
            parts.uri.map(|r| &line[r]),
            parts.protocol.map(|r| &line[r]),
            [parts.leading, parts.method_delimiter, parts.uri_delimiter],
        )
    }

    #[test]
    fn request_lines() {
        let get = |uri: &'static str, protocol: &'static str, flags| {
            (&b"GET"[..], Some(uri.as_bytes()), Some(protocol.as_bytes()), flags)
        };
        assert_eq!(read(b"GET / HTTP/1.1"), get("/", "HTTP/1.1", [false; 3]));
        assert_eq!(read(b" GET\t/a  HTTP/1.0 "), get("/a", "HTTP/1.0", [true, true, false]));
        assert_eq!(read(b"GET /a b HTTP/1.0"), get("/a b", "HTTP/1.0", [false; 3]));
        assert_eq!(read(b"GET /a b  c HTTP/1.0\t"), get("/a b  c", "HTTP/1.0", [false; 3]));
        assert_eq!(read(b"GET /a HTTP/1.0 x"), get("/a HTTP/1.0", "x", [false; 3]));
        assert_eq!(read(b"GET /a\tHTTP/1.0"), get("/a", "HTTP/1.0", [false, false, true]));
        assert_eq!(read(b"GET /a"), (&b"GET"[..], Some(&b"/a"[..]), None, [false; 3]));
        assert_eq!(read(b"GET"), (&b"GET"[..], None, None, [false; 3]));
        assert_eq!(read(b""), (&b""[..], None, None, [false; 3]));
    }

    #[test]
    fn versions() {
        assert_eq!(version(b"HTTP/1.1"), (Version::V1_1, false));
        assert_eq!(version(b"http / 01.0"), (Version::V1_0, true));
        assert_eq!(version(b"HTTP/1.12"), (Version::Invalid, false));
        assert_eq!(version(b"HTTP/2"), (Version::Invalid, false));
        assert!(Version::V1_0 < Version::V1_1 && Version::Invalid < Version::V0_9);
    }

    #[test]
    fn status_lines() {
        let line = b"\0 HTTP/1.1  404\tNot Found\r\n";
        let parts = response(line);
        assert_eq!(&line[parts.protocol.unwrap()], b"HTTP/1.1");
        assert_eq!(&line[parts.status.unwrap()], b"404");
        assert_eq!(&line[parts.message.unwrap()], b"Not Found");
        assert_eq!(response(b"HTTP/1.1\r\n").status, None);
        assert_eq!(response(b"\r\n"), Response::default());
        assert!(is_status(b" hTTp") && !is_status(b"X http"));
    }
}
