//! Whether bytes are HTTP/1.

use super::bytes::{from, is_blank, is_space, is_token, run, starts_nocase, trim_end, until};
use super::line::METHODS;
use parse::{Look, Pattern, Probe, Side};

macro_rules! begins {
    ($($side:ident $bytes:literal),* $(,)?) => {
        &[$(Pattern { side: Some(Side::$side), offset: 0, bytes: $bytes, nocase: true }),*]
    };
}

/// Beginnings: methods, each with the white space that may follow, and versions.
pub(super) const PATTERNS: &[Pattern] = begins![
    ToServer b"GET ", ToServer b"GET\t", ToServer b"POST ", ToServer b"POST\t", ToServer b"HEAD ", ToServer b"HEAD\t",
    ToServer b"PUT ", ToServer b"PUT\t", ToServer b"DELETE ", ToServer b"DELETE\t", ToServer b"CONNECT ",
    ToServer b"CONNECT\t", ToServer b"OPTIONS ", ToServer b"OPTIONS\t", ToServer b"TRACE ", ToServer b"TRACE\t",
    ToServer b"PATCH ", ToServer b"PATCH\t", ToServer b"PROPFIND ", ToServer b"PROPPATCH ", ToServer b"MKCOL ",
    ToServer b"COPY ", ToServer b"MOVE ", ToServer b"LOCK ", ToServer b"UNLOCK ", ToServer b"VERSION-CONTROL ",
    ToServer b"CHECKOUT ", ToServer b"UNCHECKOUT ", ToServer b"CHECKIN ", ToServer b"UPDATE ", ToServer b"LABEL ",
    ToServer b"REPORT ", ToServer b"MKWORKSPACE ", ToServer b"MKACTIVITY ", ToServer b"BASELINE-CONTROL ",
    ToServer b"MERGE ", ToServer b"INVALID ",
    ToClient b"HTTP/0.9", ToClient b"HTTP/1.0", ToClient b"HTTP/1.1",
    ToServer b"HTTP/1.0 ", ToServer b"HTTP/1.1 ",
];

/// Longest method of no standard that is believed.
const LONGEST_METHOD: usize = 32;
/// Longest first line that is waited for.
const LONGEST_LINE: usize = 2048;

/// What a first line looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Looks {
    Request,
    Response,
    /// Not to be told before more has come.
    Early,
    Neither,
}

/// Decides by the first line of whichever side spoke.
pub(super) fn probe(look: &Look<'_>) -> Probe {
    match (looks(look.data), look.side) {
        (Looks::Request, Side::ToServer) | (Looks::Response, Side::ToClient) => Probe::Yes { swapped: false },
        (Looks::Request, Side::ToClient) | (Looks::Response, Side::ToServer) => Probe::Yes { swapped: true },
        (Looks::Early, _) => Probe::More,
        (Looks::Neither, _) => Probe::No,
    }
}

fn looks(data: &[u8]) -> Looks {
    let data = from(data, run(data, is_space));
    if data.is_empty() {
        return Looks::Early;
    }
    for version in [&b"http/1.0"[..], b"http/1.1", b"http/0.9"] {
        if starts_nocase(data, version) {
            return if data.get(8).is_none_or(|&b| is_space(b)) { Looks::Response } else { Looks::Neither };
        }
        if data.len() < version.len() && starts_nocase(version, data) {
            return Looks::Early;
        }
    }
    request(data)
}

fn request(data: &[u8]) -> Looks {
    let method = until(data, run(data, |b| is_token(b) && !b.is_ascii_digit()));
    if method.is_empty() || method.len() > LONGEST_METHOD {
        return Looks::Neither;
    }
    let Some(&behind) = data.get(method.len()) else { return Looks::Early };
    if !is_blank(behind) {
        return Looks::Neither;
    }
    let rest = from(data, method.len());
    let rest = from(rest, run(rest, is_blank));
    let known = METHODS.iter().any(|name| name.eq_ignore_ascii_case(method));
    match memchr::memchr(b'\n', rest) {
        Some(lf) => whole_line(method, known, trim_end(until(rest, lf))),
        None if known && is_target(rest) => Looks::Request,
        None if rest.len() < LONGEST_LINE => Looks::Early,
        None => Looks::Neither,
    }
}

/// A complete first line, the method taken off.
fn whole_line(method: &[u8], known: bool, rest: &[u8]) -> Looks {
    let last = rest.rsplit(|&b| is_space(b)).next().unwrap_or_default();
    let version = starts_nocase(last, b"http/");
    // the same grammar serves SIP, RTSP, ICAP and SSDP: their versions and methods tell them apart
    let ours = match last.get(5..) {
        Some(number) if version => number.starts_with(b"0") || number.starts_with(b"1"),
        _ => {
            known
                && memchr::memmem::find(last, b"/").is_none_or(|at| at == 0 || is_target(rest))
                && !is_foreign(rest)
        }
    };
    let discovery = matches!(method, b"M-SEARCH" | b"NOTIFY") && rest.starts_with(b"*");
    if ours && !discovery { Looks::Request } else { Looks::Neither }
}

/// Whether a line ends with the version, or begins with the scheme, of a sister protocol.
fn is_foreign(rest: &[u8]) -> bool {
    let last = rest.rsplit(|&b| is_space(b)).next().unwrap_or_default();
    let versions = [&b"sip/"[..], b"rtsp/", b"icap/", b"http/2"];
    let schemes = [&b"sip:"[..], b"sips:", b"rtsp:", b"icap:"];
    versions.iter().any(|v| starts_nocase(last, v)) || schemes.iter().any(|s| starts_nocase(rest, s))
}

/// Whether bytes begin as the target of a request does.
fn is_target(rest: &[u8]) -> bool {
    rest.starts_with(b"/") || starts_nocase(rest, b"http://") || starts_nocase(rest, b"https://")
}

#[cfg(test)]
mod tests {
    use super::*;
    use parse::Transport;

    fn ask(side: Side, data: &[u8]) -> Probe {
        probe(&Look {
            side,
            data,
            other: &[],
            transport: Transport::Tcp,
            client_port: 40000,
            server_port: 80,
            packets: 1,
            midstream: false,
        })
    }

    #[test]
    fn requests_and_responses_are_known_on_either_side() {
        let straight = Probe::Yes { swapped: false };
        let swapped = Probe::Yes { swapped: true };
        for line in [
            &b"GET / HTTP/1.1\r\n"[..],
            b"GET /a/very/long/path",
            b"\r\nPOST /x HTTP/1.0\r\n",
            b"get /\n",
            b"PURGE /x HTTP/1.1\r\n",
            b"CONNECT host:443 HTTP/1.1\r\n",
            b"OPTIONS * HTTP/1.1\r\n",
            b"NOTIFY /event HTTP/1.1\r\n",
            b"GET http://host/ HTTP/1.1\r\n",
        ] {
            assert_eq!(ask(Side::ToServer, line), straight, "{}", line.escape_ascii());
            assert_eq!(ask(Side::ToClient, line), swapped, "{}", line.escape_ascii());
        }
        assert_eq!(ask(Side::ToClient, b"HTTP/1.1 200 OK\r\n"), straight);
        assert_eq!(ask(Side::ToServer, b"HTTP/1.0 404"), swapped);
    }

    #[test]
    fn sisters_and_strangers_are_refused() {
        for line in [
            &b"OPTIONS sip:a@b SIP/2.0\r\n"[..],
            b"INVITE sip:a@b SIP/2.0\r\n",
            b"DESCRIBE rtsp://h/s RTSP/1.0\r\n",
            b"OPTIONS rtsp://h/s RTSP/1.0\r\n",
            b"REQMOD icap://h/s ICAP/1.0\r\n",
            b"OPTIONS icap://h/s ICAP/1.0\r\n",
            b"M-SEARCH * HTTP/1.1\r\n",
            b"NOTIFY * HTTP/1.1\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n",
            b"EHLO host\r\n",
            b"\x16\x03\x01\x02\x00",
            b"SSH-2.0-x\r\n",
            b"HTTP/1.12",
        ] {
            assert_eq!(ask(Side::ToServer, line), Probe::No, "{}", line.escape_ascii());
        }
    }

    #[test]
    fn too_little_is_no_answer() {
        for data in [&b"G"[..], b"GET", b"GET ", b"HTT", b"\r\n", b"HTTP/1.", b"PURGE /x HTT", b"OPTIONS s"] {
            assert_eq!(ask(Side::ToServer, data), Probe::More, "{}", data.escape_ascii());
        }
    }
}
