//! Records: RFC 8446 section 5.1 (and RFC 5246 6.2.1), SSLv2's short and long headers, and the names of versions.

use parse::Cursor;

/// Bytes before a record's content.
pub(super) const HEADER: usize = 5;
/// Most content a record may have: 2^14 and 1024 for compression (RFC 5246 section 6.2.2).
pub(super) const LONGEST: usize = (1 << 14) + 1024;

/// SSL 2.0.
pub(super) const SSL2: u16 = 0x0002;
/// TLS 1.2.
pub(super) const TLS12: u16 = 0x0303;
/// TLS 1.3.
pub(super) const TLS13: u16 = 0x0304;
/// A draft of TLS 1.3 that cannot be told from its neighbours.
pub(super) const EARLY_DRAFT: u16 = 0x7f01;

/// What a record carries (RFC 8446 section 5.1, RFC 6520).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    CipherChange,
    Alert,
    Handshake,
    Application,
    Heartbeat,
    Unknown,
}

impl Content {
    const fn of(byte: u8) -> Self {
        match byte {
            20 => Self::CipherChange,
            21 => Self::Alert,
            22 => Self::Handshake,
            23 => Self::Application,
            24 => Self::Heartbeat,
            _ => Self::Unknown,
        }
    }
}

/// A record's header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) content: Content,
    pub(super) version: u16,
    pub(super) length: usize,
}

impl Header {
    /// Reads five bytes.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut at = Cursor::new(bytes);
        let content = Content::of(at.u8()?);
        let version = at.u16()?;
        let length = usize::from(at.u16()?);
        Some(Self { content, version, length })
    }
}

/// An SSLv2 record: its length bytes (two without, three with padding) and what they count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Short {
    pub(super) lengths: usize,
    pub(super) length: usize,
    pub(super) message: u8,
}

impl Short {
    /// Whether a record that begins with this byte can only be one of SSLv2.
    pub(super) const fn begins(byte: u8) -> bool {
        byte & 0xc0 != 0
    }

    /// Reads the length bytes and the message type behind them.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut at = Cursor::new(bytes);
        let both = at.u16()?;
        if both & 0x8000 != 0 {
            return Some(Self { lengths: 2, length: usize::from(both & 0x7fff), message: at.u8()? });
        }
        at.skip(1)?;
        Some(Self { lengths: 3, length: usize::from(both & 0x3fff), message: at.u8()? })
    }

    /// Whole size on the wire.
    pub(super) const fn size(&self) -> usize {
        self.lengths + self.length
    }
}

/// Whether a version is one that was ever spoken.
pub(super) fn is_version(version: u16) -> bool {
    version != 0 && version_name(version).is_some()
}

/// A version's name as events carry it; `None` where it has none and prints as a number.
pub(super) const fn version_name(version: u16) -> Option<&'static str> {
    Some(match version {
        0 => "UNDETERMINED",
        SSL2 => "SSLv2",
        0x0300 => "SSLv3",
        0x0301 => "TLSv1",
        0x0302 => "TLS 1.1",
        TLS12 => "TLS 1.2",
        TLS13 => "TLS 1.3",
        EARLY_DRAFT => "TLS 1.3 draft-<16",
        0x7f10 => "TLS 1.3 draft-16",
        0x7f11 => "TLS 1.3 draft-17",
        0x7f12 => "TLS 1.3 draft-18",
        0x7f13 => "TLS 1.3 draft-19",
        0x7f14 => "TLS 1.3 draft-20",
        0x7f15 => "TLS 1.3 draft-21",
        0x7f16 => "TLS 1.3 draft-22",
        0x7f17 => "TLS 1.3 draft-23",
        0x7f18 => "TLS 1.3 draft-24",
        0x7f19 => "TLS 1.3 draft-25",
        0x7f1a => "TLS 1.3 draft-26",
        0x7f1b => "TLS 1.3 draft-27",
        0x7f1c => "TLS 1.3 draft-28",
        0xfb14 => "TLS 1.3 draft-20-fb",
        0xfb15 => "TLS 1.3 draft-21-fb",
        0xfb16 => "TLS 1.3 draft-22-fb",
        0xfb17 => "TLS 1.3 draft-23-fb",
        0xfb1a => "TLS 1.3 draft-26-fb",
        _ => return None,
    })
}

/// The drafts below 16 share one name, and those that said 1.3 itself are among them.
pub(super) const fn settled_version(version: u16) -> u16 {
    match version {
        TLS13 | 0x7f01..=0x7f0f => EARLY_DRAFT,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_people_know() {
        assert_eq!(version_name(0x0301), Some("TLSv1"));
        assert_eq!(version_name(0x0303), Some("TLS 1.2"));
        assert_eq!(version_name(0x0000), Some("UNDETERMINED"));
        assert!(!is_version(0) && !is_version(0x0305) && is_version(0x7f12));
        assert_eq!(settled_version(0x0304), 0x7f01);
    }

    #[test]
    fn short_headers_of_both_kinds() {
        let two = Short::parse(&[0x80, 0x2e, 1]).unwrap();
        assert_eq!((two.lengths, two.length, two.message, two.size()), (2, 46, 1, 48));
        let three = Short::parse(&[0x40, 0x2e, 5, 4]).unwrap();
        assert_eq!((three.lengths, three.length, three.message), (3, 46, 4));
        assert!(Short::parse(&[0x80, 0x2e]).is_none());
    }
}
