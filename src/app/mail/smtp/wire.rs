//! Lines of both sides (RFC 5321, 4.1 and 4.2; RFC 3030; RFC 3207).

/// What a client asks for, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Hello,
    Mail,
    Recipient,
    Data,
    Chunk,
    Reset,
    Tls,
    Quit,
    Other,
}

impl Verb {
    const WORDS: [(&'static [u8], Self); 9] = [
        (b"helo", Self::Hello),
        (b"ehlo", Self::Hello),
        (b"mail from", Self::Mail),
        (b"rcpt to", Self::Recipient),
        (b"data", Self::Data),
        (b"bdat", Self::Chunk),
        (b"rset", Self::Reset),
        (b"starttls", Self::Tls),
        (b"quit", Self::Quit),
    ];

    /// The verb of a line, and the first word behind it and one byte more.
    pub(super) fn of(line: &[u8]) -> (Self, &[u8]) {
        for (word, verb) in Self::WORDS {
            if line.get(..word.len()).is_some_and(|there| there.eq_ignore_ascii_case(word)) {
                return (verb, first_word(line.get(word.len() + 1..).unwrap_or_default()));
            }
        }
        (Self::Other, b"")
    }

    /// Whether its answer has to be awaited (RFC 2920, 3.1).
    pub(super) const fn is_last(self) -> bool {
        matches!(self, Self::Data | Self::Tls)
    }
}

/// Options may stand behind an address, with a blank between.
fn first_word(text: &[u8]) -> &[u8] {
    let text = text.trim_ascii_start();
    let end = memchr::memchr(b' ', text).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// Length of a chunk, and whether it is the last (RFC 3030, 2).
pub(super) fn chunk(line: &[u8]) -> Option<(u64, bool)> {
    let behind = line.get(4..)?;
    let text = behind.strip_prefix(b" ")?.trim_ascii();
    let digits = text.iter().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at(digits);
    let length = std::str::from_utf8(number).ok()?.parse().ok()?;
    let last = rest.trim_ascii();
    (last.is_empty() || last.eq_ignore_ascii_case(b"last")).then_some((length, !last.is_empty()))
}

/// Replies that the protocol and its extensions have (RFC 5321, 4.2.3; RFC 4954, 4 and 6; RFC 7504), and those beside them
/// that servers have made up and Suricata lets pass.
const CODES: [u16; 42] = [
    211, 214, 220, 221, 235, 250, 251, 252, 334, 354, 401, 402, 421, 432, 435, 450, 451, 452, 454, 455, 500,
    501, 502, 503, 504, 511, 521, 522, 525, 530, 534, 535, 538, 541, 543, 550, 551, 552, 553, 554, 555, 556,
];

/// One line of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) code: u16,
    /// More lines of the same reply follow.
    pub(super) more: bool,
}

impl Reply {
    /// Reads one; codes that the protocol has not are none.
    pub(super) fn of(line: &[u8]) -> Option<Self> {
        let (digits, rest) = line.split_first_chunk::<3>()?;
        let code = std::str::from_utf8(digits).ok()?.parse().ok().filter(|code| CODES.contains(code))?;
        Some(Self { code, more: rest.first() == Some(&b'-') })
    }
}

/// The first line with its end taken off, and its length with the end.
pub(super) fn first_line(data: &[u8]) -> Option<(&[u8], usize)> {
    let (line, _) = data.split_at(memchr::memchr(b'\n', data)?);
    Some((line.strip_suffix(b"\r").unwrap_or(line), line.len() + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_and_their_words() {
        assert_eq!(Verb::of(b"ehlo  me.example more"), (Verb::Hello, &b"me.example"[..]));
        assert_eq!(Verb::of(b"MAIL FROM: <a@b> SIZE=3"), (Verb::Mail, &b"<a@b>"[..]));
        assert_eq!(Verb::of(b"Rcpt To:<a@b>"), (Verb::Recipient, &b"<a@b>"[..]));
        assert_eq!(Verb::of(b"EHLO"), (Verb::Hello, &b""[..]));
        assert_eq!(Verb::of(b"NOOP"), (Verb::Other, &b""[..]));
    }

    #[test]
    fn chunks_have_lengths() {
        assert_eq!(chunk(b"BDAT 86 LAST"), Some((86, true)));
        assert_eq!(chunk(b"bdat 0"), Some((0, false)));
        for wrong in
            [&b"BDAT"[..], b"BDAT ", b"BDAT x", b"BDAT99", b"BDAT 9 FIRST", b"BDAT 99999999999999999999"]
        {
            assert_eq!(chunk(wrong), None, "{}", wrong.escape_ascii());
        }
    }

    #[test]
    fn replies_have_codes() {
        assert_eq!(Reply::of(b"250-SIZE"), Some(Reply { code: 250, more: true }));
        assert_eq!(Reply::of(b"354"), Some(Reply { code: 354, more: false }));
        for wrong in [&b"25"[..], b"+OK", b"999 no", b"160 no", b"400 no", b"+25 no", b""] {
            assert_eq!(Reply::of(wrong), None, "{}", wrong.escape_ascii());
        }
    }
}
