//! Borrowed views over hello messages: RFC 8446 section 4.1 (and RFC 5246 7.4.1, RFC 6347 4.2.1 for DTLS).
//!
//! A view finds its vectors once; everything asked of it later reads inside them and cannot fail.

use parse::Cursor;

/// Extension numbers that anything here looks into (IANA "TLS ExtensionType Values").
pub mod extension {
    /// RFC 6066 section 3.
    pub const SERVER_NAME: u16 = 0;
    /// RFC 8446 section 4.2.7.
    pub const SUPPORTED_GROUPS: u16 = 10;
    /// RFC 8422 section 5.1.2.
    pub const EC_POINT_FORMATS: u16 = 11;
    /// RFC 8446 section 4.2.3.
    pub const SIGNATURE_ALGORITHMS: u16 = 13;
    /// RFC 7301.
    pub const ALPN: u16 = 16;
    /// RFC 5077.
    pub const SESSION_TICKET: u16 = 35;
    /// RFC 8446 section 4.2.11.
    pub const PRE_SHARED_KEY: u16 = 41;
    /// RFC 8446 section 4.2.10.
    pub const EARLY_DATA: u16 = 42;
    /// RFC 8446 section 4.2.1.
    pub const SUPPORTED_VERSIONS: u16 = 43;
}

/// What makes a ServerHello a HelloRetryRequest (RFC 8446 section 4.1.3): SHA-256 of "HelloRetryRequest".
const RETRY: [u8; 32] = [
    0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91, 0xC2,
    0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C,
];

/// Whether a value is one of the sixteen reserved to be ignored (RFC 8701).
#[must_use]
pub const fn is_grease(value: u16) -> bool {
    let [high, low] = value.to_be_bytes();
    high == low && low & 0x0f == 0x0a
}

/// The 16-bit values of a vector; a half value at its end is not one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Values<'a>(&'a [u8]);

impl<'a> Values<'a> {
    /// Over the inside of a vector.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// How many values there are.
    #[must_use]
    pub const fn count(self) -> usize {
        self.0.len() / 2
    }
}

impl<'a> IntoIterator for Values<'a> {
    type Item = u16;
    type IntoIter = std::iter::Map<std::slice::Iter<'a, [u8; 2]>, fn(&[u8; 2]) -> u16>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair))
    }
}

/// One extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extension<'a> {
    /// Its number.
    pub kind: u16,
    /// Its inside.
    pub data: &'a [u8],
}

/// Walks over extensions; ends early where one claims more bytes than there are.
#[derive(Clone, Debug)]
pub struct Extensions<'a>(Cursor<'a>);

impl<'a> Extensions<'a> {
    /// Over the inside of the extensions vector.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(Cursor::new(bytes))
    }

    /// Whether nothing is left; something is when an extension did not fit.
    #[must_use]
    pub fn is_spent(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> Iterator for Extensions<'a> {
    type Item = Extension<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut ahead = self.0;
        let kind = ahead.u16()?;
        let data = ahead.counted16()?;
        self.0 = ahead;
        Some(Extension { kind, data })
    }
}

/// Walks over the one-byte-counted names of an ALPN list (RFC 7301 section 3.1); empty names are passed over.
#[derive(Clone, Debug)]
pub struct Names<'a>(Cursor<'a>);

impl<'a> Names<'a> {
    /// Over the inside of the list.
    #[must_use]
    pub const fn new(list: &'a [u8]) -> Self {
        Self(Cursor::new(list))
    }

    fn of_extension(data: &'a [u8]) -> Self {
        Self::new(Cursor::new(data).counted16().unwrap_or_default())
    }

    /// The bytes not walked over yet, to keep them.
    #[must_use]
    pub fn list(&self) -> &'a [u8] {
        self.0.rest()
    }
}

impl<'a> Iterator for Names<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let name = self.0.counted8()?;
            if !name.is_empty() {
                return Some(name);
            }
        }
    }
}

/// A ClientHello.
#[derive(Clone, Copy, Debug)]
pub struct ClientHello<'a> {
    /// `legacy_version`.
    pub version: u16,
    /// 32 bytes; the first four of them were a time once.
    pub random: &'a [u8],
    /// Session id.
    pub session: &'a [u8],
    /// DTLS cookie; empty in TLS.
    pub cookie: &'a [u8],
    /// Cipher suites, as sent.
    pub ciphers: Values<'a>,
    /// Compression methods.
    pub compressions: &'a [u8],
    /// Whether every vector lies inside the message.
    pub whole: bool,
    extensions: &'a [u8],
}

impl<'a> ClientHello<'a> {
    /// Reads the message after its four-byte handshake header.
    #[must_use]
    pub fn parse(body: &'a [u8]) -> Option<Self> {
        Self::read(body, false)
    }

    /// The same for DTLS, where a cookie follows the session id (RFC 6347 section 4.2.1); `body` without the
    /// twelve-byte handshake header.
    #[must_use]
    pub fn parse_datagram(body: &'a [u8]) -> Option<Self> {
        Self::read(body, true)
    }

    fn read(body: &'a [u8], with_cookie: bool) -> Option<Self> {
        let mut at = Cursor::new(body);
        let version = at.u16()?;
        let random = at.take(32)?;
        let session = at.counted8()?;
        let cookie = if with_cookie { at.counted8()? } else { &[] };
        let ciphers = at.counted16()?;
        let compressions = at.counted8();
        // extensions may be left out altogether
        let extensions = if at.rest().len() < 2 { Some(&[][..]) } else { at.counted16() };
        Some(Self {
            version,
            random,
            session,
            cookie,
            ciphers: Values(ciphers),
            compressions: compressions.unwrap_or_default(),
            whole: compressions.is_some() && extensions.is_some() && ciphers.len().is_multiple_of(2),
            extensions: extensions.unwrap_or_default(),
        })
    }

    /// Every extension, in order.
    #[must_use]
    pub const fn extensions(&self) -> Extensions<'a> {
        Extensions::new(self.extensions)
    }

    /// Inside of the first extension of that number.
    #[must_use]
    pub fn extension(&self, kind: u16) -> Option<&'a [u8]> {
        self.extensions().find(|one| one.kind == kind).map(|one| one.data)
    }

    /// The host name asked for (RFC 6066 section 3).
    #[must_use]
    pub fn sni(&self) -> Option<&'a [u8]> {
        server_name(self.extension(extension::SERVER_NAME)?)
    }

    /// Application protocols offered.
    #[must_use]
    pub fn alpn(&self) -> Names<'a> {
        Names::of_extension(self.extension(extension::ALPN).unwrap_or_default())
    }

    /// `supported_versions`, GREASE included.
    #[must_use]
    pub fn supported_versions(&self) -> Values<'a> {
        let data = self.extension(extension::SUPPORTED_VERSIONS).unwrap_or_default();
        Values(Cursor::new(data).counted8().unwrap_or_default())
    }

    /// `signature_algorithms`, as sent.
    #[must_use]
    pub fn signature_algorithms(&self) -> Values<'a> {
        self.values16(extension::SIGNATURE_ALGORITHMS)
    }

    /// `supported_groups` (elliptic curves), as sent.
    #[must_use]
    pub fn groups(&self) -> Values<'a> {
        self.values16(extension::SUPPORTED_GROUPS)
    }

    /// `ec_point_formats`, as sent.
    #[must_use]
    pub fn point_formats(&self) -> &'a [u8] {
        let data = self.extension(extension::EC_POINT_FORMATS).unwrap_or_default();
        Cursor::new(data).counted8().unwrap_or_default()
    }

    /// Highest version offered: from `supported_versions` where it is there.
    #[must_use]
    pub fn best_version(&self) -> u16 {
        let offered = self.supported_versions().into_iter().filter(|&version| !is_grease(version));
        // DTLS counts downwards
        let best = if self.version >> 8 == 0xfe { offered.min() } else { offered.max() };
        best.unwrap_or(self.version)
    }

    fn values16(&self, kind: u16) -> Values<'a> {
        Values(Cursor::new(self.extension(kind).unwrap_or_default()).counted16().unwrap_or_default())
    }
}

/// First host name of a server_name extension.
fn server_name(data: &[u8]) -> Option<&[u8]> {
    let mut list = Cursor::new(Cursor::new(data).counted16()?);
    loop {
        let kind = list.u8()?;
        let name = list.counted16()?;
        if kind == 0 {
            return Some(name);
        }
    }
}

/// A ServerHello or HelloRetryRequest.
#[derive(Clone, Copy, Debug)]
pub struct ServerHello<'a> {
    /// `legacy_version`.
    pub version: u16,
    /// 32 bytes.
    pub random: &'a [u8],
    /// Session id (an echo of the client's since TLS 1.3).
    pub session: &'a [u8],
    /// Cipher suite chosen.
    pub cipher: u16,
    /// Compression method chosen.
    pub compression: u8,
    /// Whether the extensions lie inside the message.
    pub whole: bool,
    extensions: &'a [u8],
}

impl<'a> ServerHello<'a> {
    /// Reads the message after its handshake header.
    #[must_use]
    pub fn parse(body: &'a [u8]) -> Option<Self> {
        let mut at = Cursor::new(body);
        let version = at.u16()?;
        let random = at.take(32)?;
        // drafts of TLS 1.3 before 22 have neither session id nor compression; the first of them say 1.3 itself
        let short = version == 0x0304 || version >> 8 == 0x7f;
        Some(Self {
            version,
            random,
            session: if short { &[] } else { at.counted8()? },
            cipher: at.u16()?,
            compression: if short { 0 } else { at.u8()? },
            whole: at.rest().len() < 2 || at.clone().counted16().is_some(),
            extensions: at.counted16().unwrap_or_default(),
        })
    }

    /// Whether it asks for another ClientHello.
    #[must_use]
    pub fn is_retry(&self) -> bool {
        self.random == RETRY
    }

    /// Every extension, in order.
    #[must_use]
    pub const fn extensions(&self) -> Extensions<'a> {
        Extensions::new(self.extensions)
    }

    /// Inside of the first extension of that number.
    #[must_use]
    pub fn extension(&self, kind: u16) -> Option<&'a [u8]> {
        self.extensions().find(|one| one.kind == kind).map(|one| one.data)
    }

    /// Application protocol chosen.
    #[must_use]
    pub fn alpn(&self) -> Names<'a> {
        Names::of_extension(self.extension(extension::ALPN).unwrap_or_default())
    }

    /// The version that will be spoken.
    #[must_use]
    pub fn chosen_version(&self) -> u16 {
        let chosen = self.extension(extension::SUPPORTED_VERSIONS);
        chosen.and_then(|data| Cursor::new(data).u16()).unwrap_or(self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grease_is_sixteen_values() {
        let all: Vec<u16> = (0..=u16::MAX).filter(|&value| is_grease(value)).collect();
        assert_eq!(all.len(), 16);
        assert_eq!((all[0], all[15]), (0x0a0a, 0xfafa));
    }

    #[test]
    fn a_hello_cut_anywhere_is_none_or_shorter() {
        let mut body = vec![3, 3];
        body.extend([7; 32]);
        body.extend([1, 9, 0, 4, 0x13, 1, 0x13, 2, 1, 0]);
        body.extend([0, 18, 0, 0, 0, 8, 0, 6, 0, 0, 3, b'a', b'.', b'b', 0, 43, 0, 2, 0x03, 0x04]);
        let whole = ClientHello::parse(&body).unwrap();
        assert_eq!(whole.sni(), Some(&b"a.b"[..]));
        assert_eq!(whole.ciphers.into_iter().collect::<Vec<_>>(), [0x1301, 0x1302]);
        assert_eq!(whole.extensions().count(), 2);
        for cut in 0..body.len() {
            if let Some(less) = ClientHello::parse(&body[..cut]) {
                assert!(less.extensions().count() == 0, "{cut}");
            }
        }
    }

    #[test]
    fn alpn_names_and_half_values() {
        let names: Vec<_> = Names::of_extension(&[0, 6, 2, b'h', b'2', 0, 1, b'x']).collect();
        assert_eq!(names, [&b"h2"[..], b"x"]);
        assert_eq!(Values(&[1, 2, 3]).into_iter().collect::<Vec<_>>(), [0x0102]);
    }
}
