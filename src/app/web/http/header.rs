//! One header field at a time (RFC 9112, 5), as the most lenient peers read it: any mix of line ends, folded lines,
//! missing colons. Requests end a line with LF; responses also with a lone CR or with LF CR.

use super::bytes::{from, is_blank, is_token, run, trim, until};
use parse::Side;

/// What was wrong with a field; several may hold.
pub(super) mod flag {
    pub(crate) const LEADING_SPACE: u8 = 1;
    pub(crate) const TRAILING_SPACE: u8 = 2;
    pub(crate) const NOT_TOKEN: u8 = 4;
    pub(crate) const NO_COLON: u8 = 8;
    pub(crate) const EMPTY_NAME: u8 = 16;
    pub(crate) const DEFORMED_END: u8 = 32;
}

/// The value of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// As it stands in the bytes.
    Plain(&'a [u8]),
    /// Unfolded, in the buffer that was given.
    Unfolded,
}

/// What comes next in a block of fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next<'a> {
    /// More bytes are needed to tell.
    More,
    /// The empty line that ends the block, with its length.
    End(usize),
    /// A field.
    Field {
        name: &'a [u8],
        value: Value<'a>,
        flags: u8,
        /// Bytes of the field, its line end included.
        len: usize,
    },
}

/// Why a reading failed.
enum Stop {
    /// More bytes could tell.
    More,
    /// It is not of that form.
    No,
}

/// Most lines that one field is continued over: a bound on what each packet can make us read again.
const MOST_FOLDS: usize = 128;

/// Reads what comes next. `first` at the beginning of the block; `last` when no more bytes will come.
pub(super) fn next<'a>(d: &'a [u8], side: Side, first: bool, last: bool, unfolded: &mut Vec<u8>) -> Next<'a> {
    match end(d, side, first, last) {
        Ok(n) => return Next::End(n),
        Err(Stop::More) => return Next::More,
        Err(Stop::No) => {}
    }
    if let Some(field) = usual(d, side) {
        return field;
    }
    if memchr::memchr2(b'\r', b'\n', d).is_none() {
        return Next::More;
    }
    let read = match with_colon(d, side, last, unfolded) {
        Err(Stop::No) => without_colon(d, side, last, unfolded),
        read => read,
    };
    read.unwrap_or(Next::More)
}

/// The empty line at the end of a block.
fn end(d: &[u8], side: Side, first: bool, last: bool) -> Result<usize, Stop> {
    match (d, side) {
        ([], _) => Err(Stop::More),
        ([b'\r', b'\n', ..], _) => Ok(2),
        ([b'\n', b'\r', ..], Side::ToClient) => Ok(2),
        ([b'\n', ..], _) => Ok(1),
        ([b'\r'], _) if !last => Err(Stop::More),
        ([b'\r', ..], Side::ToClient) if !first => Ok(1),
        _ => Err(Stop::No),
    }
}

/// The usual case, read once: `name: value` CR LF (or LF), not continued, with nothing odd about its end.
fn usual(d: &[u8], side: Side) -> Option<Next<'_>> {
    let lf = memchr::memchr(b'\n', d)?;
    let line = until(d, lf);
    let (line, crlf) = line.strip_suffix(b"\r").map_or((line, false), |line| (line, true));
    match (from(d, lf + 1), crlf) {
        ([] | [b' ' | b'\t' | 0, ..] | [b'\r'], _) | ([b'\r', ..], false) => return None,
        ([b'\r', after, ..], true) if *after != b'\n' => return None,
        _ => {}
    }
    if side == Side::ToClient && memchr::memchr(b'\r', line).is_some() {
        return None;
    }
    let colon = memchr::memchr(b':', line)?;
    let name = until(line, colon);
    Some(Next::Field {
        name: trim(name),
        value: Value::Plain(trim(from(line, colon + 1))),
        flags: judge(name),
        len: lf + 1,
    })
}

/// What is wrong with a name.
fn judge(name: &[u8]) -> u8 {
    let (Some(&first), Some(&last)) = (name.first(), name.last()) else {
        return flag::EMPTY_NAME;
    };
    if name.iter().all(|&b| is_token(b)) {
        return 0;
    }
    let inner = from(name, run(name, is_blank));
    let behind = from(inner, run(inner, is_token));
    let mut flags = 0;
    if is_blank(first) {
        flags |= flag::LEADING_SPACE;
    }
    if is_blank(last) {
        flags |= flag::TRAILING_SPACE;
    }
    if run(behind, is_blank) < behind.len() {
        flags |= flag::NOT_TOKEN;
    }
    flags
}

fn with_colon<'a>(d: &'a [u8], side: Side, last: bool, unfolded: &mut Vec<u8>) -> Result<Next<'a>, Stop> {
    let colon = name_end(d, side);
    if d.get(colon) != Some(&b':') {
        return Err(Stop::No);
    }
    let name = until(d, colon);
    let blanks = run(from(d, colon + 1), is_blank);
    let start = colon + 1 + blanks;
    if start == d.len() && !last {
        return Err(Stop::More);
    }
    let (value, len, flags) = value(from(d, start), side, last, unfolded)?;
    Ok(Next::Field { name: trim(name), value, flags: flags | judge(name), len: start + len })
}

fn without_colon<'a>(d: &'a [u8], side: Side, last: bool, unfolded: &mut Vec<u8>) -> Result<Next<'a>, Stop> {
    let (value, len, flags) = value(d, side, last, unfolded)?;
    Ok(Next::Field { name: b"", value, flags: flags | flag::NO_COLON | flag::EMPTY_NAME, len })
}

/// Where a name ends: at its colon, or at a line end that no blank continues.
fn name_end(d: &[u8], side: Side) -> usize {
    let mut ended = None;
    for (at, &b) in d.iter().enumerate() {
        match ended {
            None if b == b':' => return at,
            None if b == b'\n' || (b == b'\r' && side == Side::ToClient) => ended = Some(b),
            None => {}
            Some(_) if b == b' ' => ended = None,
            Some(b'\r') if b == b'\n' => ended = Some(b),
            Some(_) => return at.saturating_sub(1),
        }
    }
    0
}

/// One line of a value, and how it ends.
struct Part<'a> {
    bytes: &'a [u8],
    /// Length of the line end.
    eol: usize,
    deformed: bool,
    /// The byte that continues the value on the next line.
    fold: Option<u8>,
    len: usize,
}

fn part(d: &[u8], side: Side, last: bool) -> Result<Part<'_>, Stop> {
    let cut = match side {
        Side::ToServer => memchr::memchr(b'\n', d),
        Side::ToClient => memchr::memchr2(b'\r', b'\n', d),
    };
    let mut bytes = until(d, cut.ok_or(Stop::More)?);
    if side == Side::ToServer {
        bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    }
    let rest = from(d, bytes.len());
    let simple = plain_end(rest, side).ok_or(Stop::More)?;
    let odd = deformed_end(rest, side, last)?;
    let (eol, deformed) = odd.map_or((simple, false), |n| (n, true));
    // responses fold at plain ends only; a deformed one that a blank follows was never continued
    let folding = if side == Side::ToClient { simple } else { eol };
    match from(rest, folding).first() {
        Some(&b @ (b' ' | b'\t' | 0)) => {
            let len = bytes.len() + folding + 1;
            return Ok(Part {
                bytes,
                eol: folding,
                deformed: deformed && folding == eol,
                fold: Some(b),
                len,
            });
        }
        None if !last => return Err(Stop::More),
        _ => {}
    }
    if from(rest, eol).is_empty() && !last {
        return Err(Stop::More);
    }
    Ok(Part { bytes, eol, deformed, fold: None, len: bytes.len() + eol })
}

/// Length of an ordinary line end.
fn plain_end(d: &[u8], side: Side) -> Option<usize> {
    match (d, side) {
        ([b'\r', b'\n', ..], _) | ([b'\n', b'\r', ..], Side::ToClient) => Some(2),
        ([b'\n', ..], _) | ([b'\r', ..], Side::ToClient) => Some(1),
        _ => None,
    }
}

/// Length of one of the odd line ends that peers accept within a block.
fn deformed_end(d: &[u8], side: Side, last: bool) -> Result<Option<usize>, Stop> {
    let ends_block = |rest: &[u8]| rest.starts_with(b"\n") || rest.starts_with(b"\r\n");
    if !last && d.len() < 6 && d.starts_with(b"\n\r") && b"\n\r\r\n\r\n".starts_with(d) {
        return Err(Stop::More);
    }
    if d.starts_with(b"\n\r\r\n") && ends_block(from(d, 4)) {
        return Ok(Some(4));
    }
    if side == Side::ToServer {
        return Ok((d.starts_with(b"\n\r") && from(d, 2).starts_with(b"\r\n")).then_some(2));
    }
    if !d.starts_with(b"\r\n\r") {
        return Ok(None);
    }
    let blanks = run(from(d, 3), |b| matches!(b, b'\r' | b' ' | b'\t'));
    let mut len = 3 + blanks;
    if len == d.len() && !last {
        return Err(Stop::More);
    }
    if d.get(len) == Some(&b'\n') && blanks > 0 {
        len += 1;
    }
    Ok((blanks > 0 && !ends_block(from(d, len))).then_some(len))
}

/// A value, unfolded when it spans lines: what it is, its length with the line end, and its flags.
fn value<'a>(
    d: &'a [u8],
    side: Side,
    last: bool,
    unfolded: &mut Vec<u8>,
) -> Result<(Value<'a>, usize, u8), Stop> {
    let first = part(d, side, last)?;
    let mut flags = if first.deformed { flag::DEFORMED_END } else { 0 };
    let Some(mut fold) = first.fold else {
        return Ok((Value::Plain(trim(first.bytes)), first.len, flags));
    };
    unfolded.clear();
    unfolded.extend_from_slice(first.bytes);
    let (mut len, mut at) = (first.len, first.len);
    for folds in 1..=MOST_FOLDS {
        if side == Side::ToClient && begins_field(from(d, at), last)? {
            return Ok((Value::Unfolded, at, flags));
        }
        let more = part(from(d, at), side, last)?;
        at += more.len;
        if more.deformed {
            flags |= flag::DEFORMED_END;
        }
        if !unfolded.is_empty() {
            unfolded.push(fold);
        }
        if !more.bytes.is_empty() || more.eol > 1 || d.get(at) == Some(&b'\n') {
            len = at;
            unfolded.extend_from_slice(more.bytes);
        }
        match more.fold {
            Some(b) if folds < MOST_FOLDS => fold = b,
            _ => break,
        }
    }
    Ok((Value::Unfolded, len, flags))
}

/// Whether a continued line is in truth a field of its own that begins with a blank.
fn begins_field(d: &[u8], last: bool) -> Result<bool, Stop> {
    let start = run(d, is_blank);
    let name = run(from(d, start), is_token);
    let mut at = start + name;
    at += run(from(d, at), is_blank);
    match d.get(at) {
        None if !last => Err(Stop::More),
        Some(b':') => {
            at += 1;
            at += run(from(d, at), is_blank);
            if at == d.len() && !last { Err(Stop::More) } else { Ok(name > 0) }
        }
        _ => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Side::{ToClient, ToServer};

    /// Every field of a block as `name=value`, flags behind it when there are any, and what is left behind the block.
    fn block(side: Side, d: &str) -> (Vec<String>, Option<&str>) {
        let (mut fields, mut at, mut unfolded) = (Vec::new(), 0, Vec::new());
        loop {
            match next(&d.as_bytes()[at..], side, at == 0, false, &mut unfolded) {
                Next::More => return (fields, None),
                Next::End(len) => return (fields, Some(&d[at + len..])),
                Next::Field { name, value, flags, len } => {
                    let value = match value {
                        Value::Plain(value) => value,
                        Value::Unfolded => trim(&unfolded),
                    };
                    let flags = if flags == 0 { String::new() } else { format!(" {flags}") };
                    fields.push(format!("{}={}{flags}", name.escape_ascii(), value.escape_ascii()));
                    at += len;
                }
            }
        }
    }

    #[test]
    fn both_sides_read_these_alike() {
        for (bytes, fields, rest) in [
            ("A: b\r\nC:d \r\n\r\nbody", &["A=b", "C=d"][..], Some("body")),
            ("A: b\nC: d\n\nbody", &["A=b", "C=d"], Some("body")),
            ("A: b\r\n c\r\n\td\r\n\r\n", &["A=b c\\td"], Some("")),
            ("A:\r\n b\r\n\r\n", &["A=b"], Some("")),
            ("\r\nbody", &[], Some("body")),
            ("A: b\r\n", &[], None),
            ("A: b\r\nC: d\r\n", &["A=b"], None),
            ("A : b\r\n\r\n", &["A=b 2"], Some("")),
            (" A: b\r\n\r\n", &["A=b 1"], Some("")),
            ("A(: b\r\n\r\n", &["A(=b 4"], Some("")),
            (": b\r\n\r\n", &["=b 16"], Some("")),
            ("no colon\r\nA: b\r\n\r\n", &["=no colon 24", "A=b"], Some("")),
            ("A: b\0c\r\n\r\n", &["A=b\\x00c"], Some("")),
        ] {
            for side in Side::BOTH {
                let wanted = fields.iter().map(ToString::to_string).collect::<Vec<_>>();
                assert_eq!(block(side, bytes), (wanted, rest), "{side:?} {bytes:?}");
            }
        }
    }

    #[test]
    fn only_responses_end_a_line_with_cr() {
        assert_eq!(block(ToClient, "A: b\rC: d\r\n\r\n").0, ["A=b", "C=d"]);
        assert_eq!(block(ToServer, "A: b\rC: d\r\n\r\n").0, ["A=b\\rC: d"]);
        assert_eq!(block(ToClient, "T: \rchunked\r\n\r\n").0, ["T=", "=chunked 24"]);
        assert_eq!(block(ToClient, "A: b\n\rC: d\r\n\r\n").0, ["A=b", "C=d"]);
        assert_eq!(block(ToClient, "A: b\r\rrest"), (vec!["A=b".to_string()], Some("rest")));
    }

    #[test]
    fn a_folded_line_of_a_response_that_is_a_field_is_one() {
        assert_eq!(block(ToClient, "A: b\r\n C: d\r\n\r\n").0, ["A=b", "C=d"]);
        assert_eq!(block(ToServer, "A: b\r\n C: d\r\n\r\n").0, ["A=b C: d"]);
    }

    #[test]
    fn odd_line_ends_within_a_block() {
        assert_eq!(block(ToClient, "A: b\r\n\r \r\nC: d\r\n\r\n").0, ["A=b 32", "C=d"]);
        assert_eq!(block(ToServer, "A: b\n\r\r\n\n"), (vec!["A=b 32".to_string()], Some("")));
    }

    #[test]
    fn folds_are_counted() {
        let long = format!("A: b\r\n{}\r\n", " x\r\n".repeat(300));
        let (fields, rest) = block(ToServer, &long);
        assert!(fields.len() > 1, "a field is not continued for ever");
        assert_eq!(rest, Some(""));
    }
}
