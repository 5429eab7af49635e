//! Transfer encodings (RFC 2045, 6), taken off line by line.

/// How the content of a part is encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Coding {
    /// As it is: 7bit, 8bit, binary, or a name that nobody knows.
    #[default]
    Plain,
    Base64,
    QuotedPrintable,
}

impl Coding {
    pub(super) fn of(value: &[u8]) -> Self {
        let name = value.trim_ascii();
        if name.eq_ignore_ascii_case(b"base64") {
            Self::Base64
        } else if name.eq_ignore_ascii_case(b"quoted-printable") {
            Self::QuotedPrintable
        } else {
            Self::Plain
        }
    }
}

/// Takes one part's encoding off. Of base64 the bits between lines are kept, and nothing else.
#[derive(Clone, Debug, Default)]
pub(super) struct Decoder {
    coding: Coding,
    bits: u32,
    digits: u8,
    /// Padding was read: nothing may follow.
    over: bool,
}

impl Decoder {
    pub(super) fn new(coding: Coding) -> Self {
        Self { coding, ..Self::default() }
    }

    pub(super) const fn coding(&self) -> Coding {
        self.coding
    }

    /// Decodes one line without its end. Whether nothing was wrong with it, and whether the line's end is content, too.
    pub(super) fn line(&mut self, line: &[u8], out: &mut Vec<u8>) -> (bool, bool) {
        match self.coding {
            Coding::Plain => {
                out.extend_from_slice(line);
                (true, true)
            }
            Coding::Base64 => (self.base64(line, out), false),
            Coding::QuotedPrintable => quoted_printable(line, out),
        }
    }

    fn base64(&mut self, line: &[u8], out: &mut Vec<u8>) -> bool {
        let mut fine = true;
        for &byte in line {
            match digit(byte) {
                Some(_) if self.over => fine = false,
                Some(value) => self.push(value, out),
                None if byte == b'=' => self.pad(out),
                None => fine &= byte.is_ascii_whitespace(),
            }
        }
        fine
    }

    fn push(&mut self, value: u32, out: &mut Vec<u8>) {
        self.bits = self.bits << 6 | value;
        self.digits += 1;
        if self.digits == 4 {
            let [_, a, b, c] = self.bits.to_be_bytes();
            out.extend([a, b, c]);
            (self.bits, self.digits) = (0, 0);
        }
    }

    /// Padding: what is left of the last quantum is one byte or two.
    fn pad(&mut self, out: &mut Vec<u8>) {
        let [_, a, b, _] = (self.bits << (6 * (4 - u32::from(self.digits)))).to_be_bytes();
        match self.digits {
            2 => out.push(a),
            3 => out.extend([a, b]),
            _ => {}
        }
        (self.bits, self.digits, self.over) = (0, 0, true);
    }
}

const fn digit(byte: u8) -> Option<u32> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    } as u32)
}

/// Whether nothing was wrong, and whether the line's end is content: it is not behind a soft line break.
fn quoted_printable(line: &[u8], out: &mut Vec<u8>) -> (bool, bool) {
    let line = line.trim_ascii_end();
    let (line, hard) = line.strip_suffix(b"=").map_or((line, true), |line| (line, false));
    let (mut rest, mut fine) = (line, true);
    while let Some(at) = memchr::memchr(b'=', rest) {
        let (before, from) = rest.split_at(at);
        out.extend_from_slice(before);
        match from {
            [_, high, low, tail @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                out.push(hex(*high) << 4 | hex(*low));
                rest = tail;
            }
            [sign, tail @ ..] => {
                out.push(*sign);
                (rest, fine) = (tail, false);
            }
            [] => break,
        }
    }
    out.extend_from_slice(rest);
    (fine, hard)
}

pub(super) const fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        b'A'..=b'F' => digit - b'A' + 10,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(coding: Coding, lines: &[&str]) -> (Vec<u8>, bool) {
        let (mut decoder, mut out, mut fine) = (Decoder::new(coding), Vec::new(), true);
        for line in lines {
            let (good, end) = decoder.line(line.as_bytes(), &mut out);
            fine &= good;
            if end {
                out.push(b'\n');
            }
        }
        (out, fine)
    }

    #[test]
    fn base64_goes_on_over_lines() {
        assert_eq!(decode(Coding::Base64, &["Zm", "9vYm", "Fy"]), (b"foobar".to_vec(), true));
        assert_eq!(decode(Coding::Base64, &["Zm9vYg=="]), (b"foob".to_vec(), true));
        assert_eq!(decode(Coding::Base64, &["Zm9vYmE=", ""]), (b"fooba".to_vec(), true));
        assert_eq!(decode(Coding::Base64, &["Zm9*v"]), (b"foo".to_vec(), false));
        assert!(!decode(Coding::Base64, &["Zg==", "Zg=="]).1);
        assert_eq!(decode(Coding::Base64, &["===="]), (vec![], true));
    }

    #[test]
    fn quoted_printable_joins_soft_lines() {
        let text = decode(Coding::QuotedPrintable, &["caf=C3=A9 =", "au=20", "lait  "]);
        assert_eq!(text, ("café au \nlait\n".as_bytes().to_vec(), true));
        assert_eq!(decode(Coding::QuotedPrintable, &["a=zz", "b=4"]), (b"a=zz\nb=4\n".to_vec(), false));
    }

    #[test]
    fn encodings_have_names() {
        assert_eq!(Coding::of(b" BASE64 "), Coding::Base64);
        assert_eq!(Coding::of(b"Quoted-Printable"), Coding::QuotedPrintable);
        assert_eq!(Coding::of(b"8bit"), Coding::Plain);
    }
}
