//! Header patterns: what RSS hashes and what flow director matches.

use super::wire::{Malformed, Message, Put, Reader, at_most, layout};
use crate::code::codes;

codes! {
    /// A protocol header.
    HeaderKind(i32) {
        NONE = 0, "None.";
        ETH = 1, "Ethernet.";
        S_VLAN = 2, "Outer VLAN tag.";
        C_VLAN = 3, "Inner VLAN tag.";
        IPV4 = 4, "IPv4.";
        IPV6 = 5, "IPv6.";
        TCP = 6, "TCP.";
        UDP = 7, "UDP.";
        SCTP = 8, "SCTP.";
        GTPU_IP = 9, "GTP-U with an IP packet.";
        GTPU_EH = 10, "GTP-U with an extension header.";
        GTPU_EH_DWN = 11, "The same, downlink.";
        GTPU_EH_UP = 12, "The same, uplink.";
        PPPOE = 13, "PPPoE.";
        L2TPV3 = 14, "L2TPv3.";
        ESP = 15, "ESP.";
        AH = 16, "AH.";
        PFCP = 17, "PFCP.";
        GTPC = 18, "GTP-C.";
        ECPRI = 19, "eCPRI.";
        L2TPV2 = 20, "L2TPv2.";
        PPP = 21, "PPP.";
        IPV4_FRAG = 22, "IPv4 fragment.";
        IPV6_EH_FRAG = 23, "IPv6 fragment.";
        GRE = 24, "GRE.";
    }
}

codes! {
    /// How RSS hashes.
    Algorithm(i32) {
        TOEPLITZ = 0, "Toeplitz.";
        XOR = 1, "Exclusive or.";
        TOEPLITZ_SYMMETRIC = 2, "Toeplitz, the same for both directions.";
        XOR_SYMMETRIC = 3, "Exclusive or, the same for both directions.";
    }
}

/// Bits of [`Header::fields`]. What they mean depends on the header: each protocol numbers its own fields from 0.
pub mod field {
    /// Source address (Ethernet, IPv4, IPv6) or source port (TCP, UDP, SCTP).
    pub const SOURCE: u32 = 1 << 0;
    /// Destination address or destination port.
    pub const DESTINATION: u32 = 1 << 1;
    /// Both.
    pub const ENDS: u32 = SOURCE | DESTINATION;
    /// Of Ethernet: the type.
    pub const ETHER_TYPE: u32 = 1 << 2;
    /// Of a VLAN tag: the id.
    pub const VLAN_ID: u32 = 1 << 0;
    /// Of IPv4 and IPv6: what follows.
    pub const PROTOCOL: u32 = 1 << 4;
}

/// Headers of a pattern, at the most; half as many where they carry masks.
const MOST_HEADERS: usize = 32;
const MOST_MASKED: usize = 16;

/// Bytes of each half of a raw pattern.
const RAW: usize = 1024;

/// Bytes of the part of a pattern that depends on its kind.
const BODY: usize = MOST_HEADERS * 72;

/// A header and which of its fields matter, 72 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Which header.
    pub kind: HeaderKind,
    /// A bit for each of its fields, as the protocol numbers them: source 0 and destination 1 where there are such.
    pub fields: u32,
    /// The values that are matched, as they lie in the packet. RSS leaves them zero.
    pub spec: [u8; 64],
}

impl Header {
    /// A header and fields of it, no values.
    #[must_use]
    pub const fn new(kind: HeaderKind, fields: u32) -> Self {
        Self { kind, fields, spec: [0; 64] }
    }

    /// A header, fields of it, and the header as it lies in a packet, from its first byte on: its fields must have the
    /// same values. Bytes beyond 64 are left out.
    #[must_use]
    pub fn like(kind: HeaderKind, fields: u32, header: &[u8]) -> Self {
        let mut this = Self::new(kind, fields);
        this.spec.iter_mut().zip(header).for_each(|(to, from)| *to = *from);
        this
    }
}

impl Default for Header {
    fn default() -> Self {
        Self::new(HeaderKind::NONE, 0)
    }
}

layout! { Header {
    kind.0: i32;
    fields: u32;
    spec: array;
} }

/// A header with a mask over its values, 136 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaskedHeader {
    /// The header.
    pub header: Header,
    /// Bits of the values that matter.
    pub mask: [u8; 64],
}

impl Default for MaskedHeader {
    fn default() -> Self {
        Self { header: Header::default(), mask: [0; 64] }
    }
}

impl Message for MaskedHeader {
    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self { header: Header::read(from)?, mask: from.array()? })
    }

    fn write(&self, to: &mut Vec<u8>) {
        self.header.write(to);
        to.bytes(&self.mask);
    }
}

/// A pattern of headers from the outside in, 2312 bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderPattern {
    /// 0 for outer headers, 1 for those inside a tunnel.
    pub tunnel: u8,
    /// What is matched.
    pub pattern: Pattern,
}

/// What a pattern is made of; its count on the wire tells which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// 1 to 32 headers.
    Headers(Vec<Header>),
    /// 1 to 16 headers with masks, counted from 33 on.
    Masked(Vec<MaskedHeader>),
    /// Bytes and their masks, of a parser that knows neither; counted 0.
    Raw {
        /// The bytes, up to 1024.
        spec: Vec<u8>,
        /// As many bytes of mask.
        mask: Vec<u8>,
    },
}

impl Default for Pattern {
    fn default() -> Self {
        Self::Raw { spec: Vec::new(), mask: Vec::new() }
    }
}

impl HeaderPattern {
    /// A pattern of outer headers.
    #[must_use]
    pub const fn of(headers: Vec<Header>) -> Self {
        Self { tunnel: 0, pattern: Pattern::Headers(headers) }
    }

    /// A pattern of headers inside a tunnel. Physical functions may take it for one of outer headers.
    #[must_use]
    pub const fn inside(headers: Vec<Header>) -> Self {
        Self { tunnel: 1, pattern: Pattern::Headers(headers) }
    }
}

impl Message for HeaderPattern {
    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let tunnel = from.u8()?;
        from.skip(3)?;
        let count = at_most("count of headers", from.u32()?, (MOST_HEADERS + MOST_MASKED) as u64)?;
        let mut body = Reader::new(from.bytes(BODY)?);
        let pattern = match u16::try_from(count).unwrap_or_default() {
            0 => raw(&mut body)?,
            count @ 1..=32 => Pattern::Headers(body.list(count)?),
            more => Pattern::Masked(body.list(more - 32)?),
        };
        Ok(Self { tunnel, pattern })
    }

    fn write(&self, to: &mut Vec<u8>) {
        let end = to.len() + 8 + BODY;
        to.u8(self.tunnel);
        to.zeros(3);
        match &self.pattern {
            Pattern::Headers(list) => put(to, list, 0, MOST_HEADERS),
            Pattern::Masked(list) => put(to, list, 32, MOST_MASKED),
            Pattern::Raw { spec, mask } => put_raw(to, spec, mask),
        }
        to.resize(end, 0);
    }
}

/// So many headers as there is room for, behind their count.
fn put<T: Message>(to: &mut Vec<u8>, list: &[T], first: u32, most: usize) {
    let fitting = list.get(..most).unwrap_or(list);
    to.u32(first + u32::try_from(fitting.len()).unwrap_or_default());
    to.list(fitting);
}

fn raw(from: &mut Reader<'_>) -> Result<Pattern, Malformed> {
    let bytes = at_most("length of a raw pattern", from.u16()?, RAW as u64)?.into();
    let half = |whole: &[u8]| whole.get(..bytes).unwrap_or_default().to_vec();
    Ok(Pattern::Raw { spec: half(from.bytes(RAW)?), mask: half(from.bytes(RAW)?) })
}

fn put_raw(to: &mut Vec<u8>, spec: &[u8], mask: &[u8]) {
    to.u32(0);
    to.u16(u16::try_from(spec.len().min(RAW)).unwrap_or_default());
    for half in [spec, mask] {
        let end = to.len() + RAW;
        to.bytes(half.get(..RAW.min(spec.len())).unwrap_or(half));
        to.resize(end, 0);
    }
}

/// ADD_RSS_CFG and DEL_RSS_CFG, 2444 bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RssConfig {
    /// Which packets, and which of their fields.
    pub pattern: HeaderPattern,
    /// How they are hashed.
    pub algorithm: Algorithm,
}

impl Message for RssConfig {
    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let this = Self { pattern: HeaderPattern::read(from)?, algorithm: Algorithm(from.i32()?) };
        from.skip(128)?;
        Ok(this)
    }

    fn write(&self, to: &mut Vec<u8>) {
        self.pattern.write(to);
        to.i32(self.algorithm.0);
        to.zeros(128);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_for_tcp_over_ipv4() {
        let sent = RssConfig {
            pattern: HeaderPattern::of(vec![
                Header::new(HeaderKind::ETH, 0),
                Header::new(HeaderKind::IPV4, 3),
                Header::new(HeaderKind::TCP, 3),
            ]),
            algorithm: Algorithm::TOEPLITZ_SYMMETRIC,
        };
        let bytes = sent.encode();
        assert_eq!(bytes.len(), 2444);
        assert_eq!(bytes[..16], [0, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes[8 + 144..8 + 152], [6, 0, 0, 0, 3, 0, 0, 0]);
        assert_eq!(bytes[2312], 2);
        assert_eq!(RssConfig::decode(&bytes), Ok(sent));
    }

    #[test]
    fn masked_and_raw_patterns_are_told_by_their_count() {
        let header = Header { spec: [7; 64], ..Header::new(HeaderKind::IPV6, 0) };
        let masked = Pattern::Masked(vec![MaskedHeader { header, mask: [9; 64] }; 16]);
        let raw = Pattern::Raw { spec: vec![1; 1024], mask: vec![2; 1024] };
        for pattern in [masked, raw, Pattern::default()] {
            let sent = HeaderPattern { tunnel: 1, pattern };
            let bytes = sent.encode();
            assert_eq!(bytes.len(), 2312);
            assert_eq!(HeaderPattern::decode(&bytes), Ok(sent));
        }
    }

    #[test]
    fn counts_beyond_the_arrays_are_refused() {
        let mut bytes = HeaderPattern::default().encode();
        bytes[4] = 49;
        assert!(matches!(HeaderPattern::decode(&bytes), Err(Malformed::Range { value: 49, .. })));
        bytes[4..8].fill(0xff);
        assert!(HeaderPattern::decode(&bytes).is_err());
        bytes[4..8].fill(0);
        bytes[8..10].fill(0xff);
        assert!(matches!(HeaderPattern::decode(&bytes), Err(Malformed::Range { value: 65535, .. })));
    }
}
