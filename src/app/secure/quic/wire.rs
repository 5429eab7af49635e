//! Packet headers: RFC 9000 section 17, RFC 8999, RFC 9369 section 3.2, and Google's before them.

use parse::{Cursor, Side};

use super::version::{Layout, Version};

/// What a packet is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Carries the hellos.
    Initial,
    /// Early data of a client.
    ZeroRtt,
    /// Rest of the handshake, encrypted.
    Handshake,
    /// A server asks to come again with a token.
    Retry,
    /// A server lists its versions.
    Negotiation,
    /// Everything after the handshake; nothing can be read in it.
    Short,
}

/// A packet's header, and where its payload lies in what it was read from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header<'a> {
    /// What it is for.
    pub(super) kind: Kind,
    /// Version; 0 in negotiation and in short headers.
    pub(super) version: Version,
    /// Connection id of whom it goes to.
    pub(super) dcid: &'a [u8],
    /// Connection id of whom it comes from.
    pub(super) scid: &'a [u8],
    /// Token of an Initial packet.
    pub(super) token: &'a [u8],
    /// Bytes before the packet number (before the payload, where that is not protected).
    pub(super) head: usize,
    /// Bytes of the whole packet; another one may follow in the datagram.
    pub(super) end: usize,
}

/// A variable-length integer (RFC 9000 section 16).
pub(super) fn varint(at: &mut Cursor<'_>) -> Option<u64> {
    let mut ahead = *at;
    let first = ahead.u8()?;
    let low = u64::from(first & 0x3f);
    let value = match first >> 6 {
        0 => low,
        1 => low << 8 | u64::from(ahead.u8()?),
        2 => low << 24 | u64::from(ahead.u24()?),
        _ => low << 56 | u64::from(ahead.u24()?) << 32 | u64::from(ahead.u32()?),
    };
    *at = ahead;
    Some(value)
}

/// Bytes behind a variable-length length.
pub(super) fn counted<'a>(at: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let mut ahead = *at;
    let length = usize::try_from(varint(&mut ahead)?).ok()?;
    let bytes = ahead.take(length)?;
    *at = ahead;
    Some(bytes)
}

impl<'a> Header<'a> {
    /// Reads the packet that begins with `packet`; `None` when its header is cut short.
    pub(super) fn parse(packet: &'a [u8]) -> Option<Self> {
        let mut at = Cursor::new(packet);
        let first = at.u8()?;
        match first >> 6 {
            0 => Self::public(first, at, packet.len()),
            1 => Some(Self::short(packet.len())),
            _ => Self::long(first, at, packet.len()),
        }
    }

    const fn short(end: usize) -> Self {
        let none: &[u8] = &[];
        let version = Version::NEGOTIATION;
        Self { kind: Kind::Short, version, dcid: none, scid: none, token: none, head: 0, end }
    }

    /// Google's public header (draft-hamilton-early-deployment-quic-00 section 6.1). Only a client's first packets
    /// name their version; the others are as good as short.
    fn public(flags: u8, mut at: Cursor<'a>, end: usize) -> Option<Self> {
        const VERSION: u8 = 0x01;
        const RESET: u8 = 0x02;
        const CONNECTION: u8 = 0x08;
        if flags & VERSION == 0 || flags & RESET != 0 {
            return Some(Self::short(end));
        }
        let dcid = if flags & CONNECTION == 0 { &[][..] } else { at.take(8)? };
        let version = Version(at.u32()?);
        if version.layout() != Layout::Public {
            return Some(Self::short(end));
        }
        let number = match flags >> 4 & 3 {
            0 => 1,
            1 => 2,
            2 => 4,
            _ => 6,
        };
        // packet number, and a hash over everything
        at.skip(number + 12)?;
        Some(Self { kind: Kind::Initial, version, dcid, head: at.position(), ..Self::short(end) })
    }

    fn long(first: u8, mut at: Cursor<'a>, end: usize) -> Option<Self> {
        let version = Version(at.u32()?);
        let layout = version.layout();
        let (dcid, scid) = match layout {
            Layout::Google44 | Layout::Google46 => half_byte_ids(&mut at)?,
            _ => (at.counted8()?, at.counted8()?),
        };
        let kind = if version == Version::NEGOTIATION { Kind::Negotiation } else { kind(first, layout)? };
        let whole = Self { kind, version, dcid, scid, token: &[], head: at.position(), end };
        match layout {
            Layout::Public => None,
            Layout::Google44 | Layout::Google46 => whole.google(at),
            Layout::Ietf | Layout::Second => whole.ietf(at),
        }
    }

    /// Packet number and hash stand in the clear before the frames of an Initial.
    fn google(self, mut at: Cursor<'a>) -> Option<Self> {
        if self.kind == Kind::Initial {
            at.skip(4 + 12)?;
        }
        Some(Self { head: at.position(), ..self })
    }

    fn ietf(mut self, mut at: Cursor<'a>) -> Option<Self> {
        match self.kind {
            Kind::Retry | Kind::Negotiation | Kind::Short => return Some(self),
            Kind::Initial => self.token = counted(&mut at)?,
            Kind::ZeroRtt | Kind::Handshake => {}
        }
        let length = counted(&mut at)?.len();
        self.end = at.position();
        self.head = self.end - length;
        Some(self)
    }

    /// Who must have sent it, where the header shows it.
    pub(super) fn sender(&self) -> Option<Side> {
        match self.kind {
            Kind::ZeroRtt => Some(Side::ToServer),
            Kind::Retry | Kind::Negotiation => Some(Side::ToClient),
            Kind::Initial if !self.token.is_empty() => Some(Side::ToServer),
            // a client chooses at least eight bytes for its first packet (RFC 9000 section 7.2)
            Kind::Initial if self.version.secrets().is_some() && self.dcid.len() < 8 => Some(Side::ToClient),
            _ => None,
        }
    }
}

/// Connection ids whose lengths share a byte: 0, or three more than written.
fn half_byte_ids<'a>(at: &mut Cursor<'a>) -> Option<(&'a [u8], &'a [u8])> {
    let lengths = at.u8()?;
    let real = |written: u8| if written == 0 { 0 } else { usize::from(written) + 3 };
    Some((at.take(real(lengths >> 4))?, at.take(real(lengths & 0x0f))?))
}

const fn kind(first: u8, layout: Layout) -> Option<Kind> {
    let number = match layout {
        Layout::Google44 => {
            return match first & 0x7f {
                0x7f => Some(Kind::Initial),
                0x7e => Some(Kind::Retry),
                0x7d => Some(Kind::Handshake),
                0x7c => Some(Kind::ZeroRtt),
                _ => None,
            };
        }
        Layout::Second => (first >> 4).wrapping_sub(1),
        _ => first >> 4,
    };
    Some(match number & 3 {
        0 => Kind::Initial,
        1 => Kind::ZeroRtt,
        2 => Kind::Handshake,
        _ => Kind::Retry,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variable_integers_of_rfc_9000_appendix_a_1() {
        for (bytes, value) in [
            (&[0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c][..], 151_288_809_941_952_652),
            (&[0x9d, 0x7f, 0x3e, 0x7d], 494_878_333),
            (&[0x7b, 0xbd], 15_293),
            (&[0x25], 37),
            (&[0x40, 0x25], 37),
        ] {
            assert_eq!(varint(&mut Cursor::new(bytes)), Some(value));
            for cut in 0..bytes.len() {
                assert_eq!(varint(&mut Cursor::new(&bytes[..cut])), None);
            }
        }
    }

    #[test]
    fn a_length_beyond_the_datagram_is_no_header() {
        let mut packet = vec![0xc0, 0, 0, 0, 1, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0x44, 0xd0];
        assert!(Header::parse(&packet).is_none());
        packet.resize(18 + 0x4d0, 7);
        let header = Header::parse(&packet).unwrap();
        assert_eq!((header.kind, header.head, header.end), (Kind::Initial, 18, packet.len()));
        packet.push(0x55);
        assert_eq!(Header::parse(&packet).unwrap().end, packet.len() - 1);
        for cut in 0..18 {
            assert!(Header::parse(&packet[..cut]).is_none(), "{cut}");
        }
    }

    #[test]
    fn version_two_numbers_its_types_differently() {
        let long = |first: u8, version: u32| {
            let mut packet = vec![first];
            packet.extend(version.to_be_bytes());
            packet.extend([0, 0, 0, 1, 9]);
            Header::parse(&packet).map(|header| header.kind)
        };
        let kinds: Vec<_> = [0xc0, 0xd0, 0xe0, 0xf0].map(|first| long(first, 0x6b33_43cf).unwrap()).into();
        assert_eq!(kinds, [Kind::Retry, Kind::Initial, Kind::ZeroRtt, Kind::Handshake]);
        let kinds: Vec<_> = [0xc0, 0xd0, 0xe0, 0xf0].map(|first| long(first, 1).unwrap()).into();
        assert_eq!(kinds, [Kind::Initial, Kind::ZeroRtt, Kind::Handshake, Kind::Retry]);
        assert_eq!(long(0x80, 0), Some(Kind::Negotiation));
    }

    #[test]
    fn google_headers() {
        let mut public = vec![0x0d];
        public.extend([1; 8]);
        public.extend(*b"Q043");
        public.extend([1; 13]);
        let header = Header::parse(&public).unwrap();
        assert_eq!((header.kind, header.dcid.len(), header.head), (Kind::Initial, 8, 26));
        public[9] = b'X';
        assert_eq!(Header::parse(&public).unwrap().kind, Kind::Short);
        let mut long = vec![0xc3];
        long.extend(*b"Q046");
        long.push(0x50);
        long.extend([2; 8 + 16]);
        let header = Header::parse(&long).unwrap();
        assert_eq!((header.kind, header.dcid, header.head), (Kind::Initial, &[2; 8][..], 30));
    }
}
