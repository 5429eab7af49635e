//! The bytes. A view checks once and then cannot fail; reading and writing are inverses.

/// A status code. Codes from outside are open: one that nobody knows prints and survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(pub u16);

impl Status {
    /// Its name, when it has one.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.0 {
            0 => "ok",
            1 => "refused",
            2 => "busy",
            _ => "unknown",
        }
    }
}

/// One line, without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// A question.
    Ping {
        /// Number that the answer repeats.
        number: u32,
        /// Name, percent-encoded.
        name: &'a [u8],
        /// Bytes that follow the line.
        length: u64,
        /// Tags with commas between them; empty for none.
        tags: &'a [u8],
    },
    /// An answer.
    Pong {
        /// Number of the question.
        number: u32,
        /// How it went.
        status: Status,
    },
    /// Another protocol speaks from here on.
    Switch {
        /// Its name.
        to: &'a [u8],
    },
    /// Nothing follows.
    Bye,
}

impl<'a> Line<'a> {
    /// Reads a line; `None` when it is none of ours.
    #[must_use]
    pub fn read(line: &'a [u8]) -> Option<Self> {
        let mut words = line.split(|b| *b == b' ');
        let read = match words.next()? {
            b"PING" => Self::Ping {
                number: number(words.next()?)?,
                name: words.next()?,
                length: number(words.next()?)?,
                tags: words.next().unwrap_or_default(),
            },
            b"PONG" => Self::Pong { number: number(words.next()?)?, status: Status(number(words.next()?)?) },
            b"SWITCH" => Self::Switch { to: words.next()? },
            b"BYE" => Self::Bye,
            _ => return None,
        };
        words.next().is_none().then_some(read)
    }

    /// Writes the line with its end.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut out = match self {
            Self::Ping { number, name, length, tags } => {
                let mut out = format!("PING {number} ").into_bytes();
                out.extend_from_slice(name);
                out.extend_from_slice(format!(" {length}").as_bytes());
                if !tags.is_empty() {
                    out.push(b' ');
                    out.extend_from_slice(tags);
                }
                out
            }
            Self::Pong { number, status } => format!("PONG {number} {}", status.0).into_bytes(),
            Self::Switch { to } => [b"SWITCH ", *to].concat(),
            Self::Bye => b"BYE".to_vec(),
        };
        out.push(b'\n');
        out
    }
}

/// Decimal digits, nothing else.
fn number<T: std::str::FromStr>(word: &[u8]) -> Option<T> {
    if !word.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(word).ok()?.parse().ok()
}

/// The first line of `data` without its end, and its length with it.
pub(super) fn first_line(data: &[u8]) -> Option<(&[u8], usize)> {
    let end = data.iter().position(|b| *b == b'\n')?;
    let line = data.get(..end)?;
    Some((line.strip_suffix(b"\r").unwrap_or(line), end + 1))
}

/// Takes percent-encoding off (RFC 3986 section 2.1); what is no encoding stays as it is.
pub(super) fn decode(raw: &[u8]) -> Vec<u8> {
    let digit = |b: &u8| char::from(*b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        let byte = match (first, behind) {
            (b'%', [high, low, tail @ ..]) => digit(high).zip(digit(low)).map(|(h, l)| (h << 4 | l, tail)),
            _ => None,
        };
        match byte {
            Some((byte, tail)) => {
                out.push(byte);
                rest = tail;
            }
            None => out.push(*first),
        }
    }
    out
}
