//! Lines and records before encryption: RFC 4253 sections 4.2, 6 and 7.1.

use parse::Cursor;

/// Record header: length, padding length, message number.
pub(super) const RECORD_HEADER: usize = 6;
/// SSH_MSG_KEXINIT.
pub(super) const KEXINIT: u8 = 20;
/// SSH_MSG_NEWKEYS.
pub(super) const NEWKEYS: u8 = 21;

/// A line and what ended it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Its text.
    pub(super) text: &'a [u8],
    /// Its length with the end.
    pub(super) len: usize,
}

impl<'a> Line<'a> {
    /// The first line, once its end is there: a line feed, or a carriage return with whatever follows. With `last`,
    /// nothing can follow a carriage return any more.
    pub(super) fn read(data: &'a [u8], last: bool) -> Option<Self> {
        let end = data.iter().position(|&byte| byte == b'\n' || byte == b'\r')?;
        let text = data.get(..end)?;
        let ending = match data.get(end..)? {
            [b'\r'] if !last => return None,
            [b'\r', b'\n', ..] => 2,
            _ => 1,
        };
        Some(Self { text, len: end + ending })
    }
}

/// `SSH-` protocol version `-` software version, perhaps a blank and a comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Banner<'a> {
    /// Protocol version.
    pub(super) proto: &'a [u8],
    /// Software version.
    pub(super) software: &'a [u8],
}

impl<'a> Banner<'a> {
    pub(super) fn read(line: &'a [u8]) -> Option<Self> {
        let versions = line.strip_prefix(b"SSH-")?;
        let dash = versions.iter().position(|&byte| byte == b'-').filter(|&at| at > 0)?;
        let (proto, rest) = versions.split_at_checked(dash)?;
        let rest = rest.get(1..)?;
        let end = rest.iter().position(|byte| b" \r\n".contains(byte)).unwrap_or(rest.len());
        Some(Self { proto, software: rest.get(..end)? })
    }
}

/// A record's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// Length of everything after the length itself.
    pub(super) length: u32,
    /// Bytes of padding at its end.
    pub(super) padding: u8,
    /// What its payload is.
    pub(super) message: u8,
}

impl Record {
    pub(super) fn read(data: &[u8]) -> Option<Self> {
        let mut at = Cursor::new(data);
        Some(Self { length: at.u32()?, padding: at.u8()?, message: at.u8()? })
    }

    /// Bytes after the header; `None` when the length leaves no room for it.
    pub(super) fn body(&self) -> Option<u32> {
        self.length.checked_sub(2)
    }
}

/// Lists of a key exchange that HASSH is made of, as sent: names joined by commas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KeyExchange<'a> {
    /// Key exchange methods.
    pub(super) methods: &'a [u8],
    /// Ciphers, client to server and back.
    pub(super) ciphers: [&'a [u8]; 2],
    /// Message authentication codes, client to server and back.
    pub(super) codes: [&'a [u8]; 2],
    /// Compressions, client to server and back.
    pub(super) compressions: [&'a [u8]; 2],
}

impl<'a> KeyExchange<'a> {
    /// Reads the message behind its number.
    pub(super) fn read(body: &'a [u8]) -> Option<Self> {
        let mut at = Cursor::new(body);
        at.skip(16)?;
        let methods = list(&mut at)?;
        let _host_keys = list(&mut at)?;
        Some(Self {
            methods,
            ciphers: [list(&mut at)?, list(&mut at)?],
            codes: [list(&mut at)?, list(&mut at)?],
            compressions: [list(&mut at)?, list(&mut at)?],
        })
    }

    /// What HASSH hashes (salesforce, 2018): a client's list is that of its own direction, so is a server's.
    pub(super) fn hassh(&self, server: bool) -> Vec<u8> {
        let own = |[client, back]: [&'a [u8]; 2]| if server { back } else { client };
        let parts = [self.methods, own(self.ciphers), own(self.codes), own(self.compressions)];
        parts.join(&b';')
    }
}

fn list<'a>(at: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let length = usize::try_from(at.u32()?).ok()?;
    at.take(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_in_three_ways() {
        let of = |data| Line::read(data, false).map(|line| (line.text, line.len));
        assert_eq!(of(b"SSH-a\nx"), Some((&b"SSH-a"[..], 6)));
        assert_eq!(of(b"SSH-a\r\nx"), Some((&b"SSH-a"[..], 7)));
        assert_eq!(of(b"SSH-a\rx"), Some((&b"SSH-a"[..], 6)));
        assert_eq!(of(b"\n"), Some((&b""[..], 1)));
        assert_eq!(of(b"SSH-a\r"), None);
        assert_eq!(of(b"SSH-a"), None);
        assert_eq!(Line::read(b"SSH-a\r", true).map(|line| line.len), Some(6));
    }

    #[test]
    fn banners() {
        let of = |line| Banner::read(line).map(|banner| (banner.proto, banner.software));
        assert_eq!(of(b"SSH-2.0-OpenSSH_9.6 Debian"), Some((&b"2.0"[..], &b"OpenSSH_9.6"[..])));
        assert_eq!(of(b"SSH-1.99-"), Some((&b"1.99"[..], &b""[..])));
        assert_eq!(of(b"SSH-2.0-a-b"), Some((&b"2.0"[..], &b"a-b"[..])));
        for none in [&b"SSH-"[..], b"SSH--x", b"SSH-2.0", b"ssh-2.0-x", b" SSH-2.0-x"] {
            assert_eq!(of(none), None);
        }
    }

    #[test]
    fn hassh_takes_the_lists_of_its_own_direction() {
        let mut body = vec![7; 16];
        for list in ["k1,k2", "h", "c1", "c2", "m1", "m2", "none", "zlib", "", ""] {
            body.extend((list.len() as u32).to_be_bytes());
            body.extend(list.as_bytes());
        }
        body.extend([0; 5]);
        let exchange = KeyExchange::read(&body).unwrap();
        assert_eq!(exchange.hassh(false), b"k1,k2;c1;m1;none");
        assert_eq!(exchange.hassh(true), b"k1,k2;c2;m2;zlib");
        let needed = body.len() - 13;
        for cut in 0..body.len() {
            assert_eq!(KeyExchange::read(&body[..cut]).is_some(), cut >= needed, "{cut}");
        }
        body[16] = 0xff;
        assert_eq!(KeyExchange::read(&body), None);
    }
}
