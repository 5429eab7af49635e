//! Header patterns against frames: what flow director and flow subscription match (reference section 6.3).

use avf::virtchnl::{Header, HeaderKind, HeaderPattern, MaskedHeader, Pattern};

use super::sight::Sight;

/// A field of a header: where it lies and how long it is, in bytes, and which bits of its first two count.
struct Field {
    at: usize,
    bytes: usize,
    mask: u16,
}

const fn field(at: usize, bytes: usize) -> Option<Field> {
    Some(Field { at, bytes, mask: 0xFFFF })
}

/// What bit `bit` of a header's selector stands for; none is nothing that the device matches. A tag's header begins
/// with its TCI.
const fn selected(kind: HeaderKind, bit: u32) -> Option<Field> {
    match (kind, bit) {
        (HeaderKind::ETH, 0) => field(6, 6),
        (HeaderKind::ETH, 1) => field(0, 6),
        (HeaderKind::ETH, 2) => field(12, 2),
        (HeaderKind::S_VLAN | HeaderKind::C_VLAN, 0) => Some(Field { at: 0, bytes: 2, mask: 0x0FFF }),
        (HeaderKind::IPV4 | HeaderKind::IPV4_FRAG, 0) => field(12, 4),
        (HeaderKind::IPV4 | HeaderKind::IPV4_FRAG, 1) => field(16, 4),
        (HeaderKind::IPV4, 2) => field(1, 1),
        (HeaderKind::IPV4, 3) => field(8, 1),
        (HeaderKind::IPV4, 4) => field(9, 1),
        (HeaderKind::IPV4, 5) => field(10, 2),
        (HeaderKind::IPV6 | HeaderKind::IPV6_EH_FRAG, 0) => field(8, 16),
        (HeaderKind::IPV6 | HeaderKind::IPV6_EH_FRAG, 1) => field(24, 16),
        (HeaderKind::IPV6, 2) => Some(Field { at: 0, bytes: 2, mask: 0x0FF0 }),
        (HeaderKind::IPV6, 3) => field(7, 1),
        (HeaderKind::IPV6, 4) => field(6, 1),
        (HeaderKind::TCP | HeaderKind::UDP | HeaderKind::SCTP, 0) => field(0, 2),
        (HeaderKind::TCP | HeaderKind::UDP | HeaderKind::SCTP, 1) => field(2, 2),
        (HeaderKind::TCP, 2) => field(16, 2),
        (HeaderKind::UDP, 2) => field(6, 2),
        (HeaderKind::SCTP, 2) => field(8, 4),
        _ => None,
    }
}

fn is_header(kind: HeaderKind) -> bool {
    kind == HeaderKind::GRE || selected(kind, 0).is_some()
}

/// Whether the device can match a pattern. `inside`: it knows headers inside of tunnels.
pub(crate) fn is_known(pattern: &HeaderPattern, inside: bool) -> bool {
    let fields = |header: &Header| {
        is_header(header.kind)
            && (0..32).all(|bit| header.fields >> bit & 1 == 0 || selected(header.kind, bit).is_some())
    };
    let headers = match &pattern.pattern {
        Pattern::Headers(list) => !list.is_empty() && list.iter().all(fields),
        Pattern::Masked(list) => !list.is_empty() && list.iter().all(|masked| is_header(masked.header.kind)),
        Pattern::Raw { spec, .. } => !spec.is_empty(),
    };
    headers && (pattern.tunnel == 0 || inside)
}

/// Header by header which fields count: rules that agree in their headers must agree in this (reference section 4.11).
pub(crate) fn shape(pattern: &HeaderPattern) -> Option<(u8, Vec<HeaderKind>, Vec<u32>)> {
    let Pattern::Headers(list) = &pattern.pattern else { return None };
    let kinds = list.iter().map(|header| header.kind).collect();
    Some((pattern.tunnel, kinds, list.iter().map(|header| header.fields).collect()))
}

/// Whether a frame has the headers of a pattern, in their order, with the values that it names.
pub(crate) fn holds(pattern: &HeaderPattern, frame: &[u8], sight: &Sight) -> bool {
    let mut stack = if pattern.tunnel == 0 { sight.stack.outside() } else { sight.stack.inside() };
    match &pattern.pattern {
        Pattern::Headers(list) => list.iter().all(|header| {
            find(&mut stack, header.kind, frame).is_some_and(|bytes| has_fields(header, bytes, sight))
        }),
        Pattern::Masked(list) => list.iter().all(|masked| {
            find(&mut stack, masked.header.kind, frame).is_some_and(|bytes| has_bits(masked, bytes))
        }),
        Pattern::Raw { spec, mask } => same(frame, spec, mask),
    }
}

/// The next header of a kind, and what lies before it skipped. The one tag of a frame is both, outer and inner.
fn find<'a>(stack: &mut &[(HeaderKind, u16)], kind: HeaderKind, frame: &'a [u8]) -> Option<&'a [u8]> {
    let is_tag = |kind| matches!(kind, HeaderKind::S_VLAN | HeaderKind::C_VLAN);
    let tags = stack.iter().filter(|(kind, _)| is_tag(*kind)).count();
    let fits = |found: HeaderKind| found == kind || tags == 1 && is_tag(kind) && is_tag(found);
    let at = stack.iter().position(|(found, _)| fits(*found))?;
    let (_, place) = stack.get(at)?;
    *stack = stack.get(at + 1..).unwrap_or_default();
    frame.get(usize::from(*place)..)
}

fn has_fields(header: &Header, bytes: &[u8], sight: &Sight) -> bool {
    (0..32).filter(|bit| header.fields >> bit & 1 == 1).all(|bit| {
        let Some(Field { at, bytes: length, mask }) = selected(header.kind, bit) else { return false };
        let part = at..at + length;
        let (Some(wanted), Some(found)) = (header.spec.get(part.clone()), bytes.get(part)) else {
            return false;
        };
        if header.kind == HeaderKind::ETH && bit == 2 {
            // the type behind all tags
            return wanted == sight.kind.to_be_bytes();
        }
        let [high, low] = mask.to_be_bytes();
        wanted
            .iter()
            .zip(found)
            .zip([high, low].into_iter().chain(std::iter::repeat(0xFF)))
            .all(|((a, b), mask)| a & mask == b & mask)
    })
}

fn has_bits(masked: &MaskedHeader, bytes: &[u8]) -> bool {
    same(bytes, &masked.header.spec, &masked.mask)
}

/// Whether bytes are those of a pattern where its mask is set; what a frame lacks must not be asked for.
fn same(bytes: &[u8], spec: &[u8], mask: &[u8]) -> bool {
    let found = bytes.iter().map(Some).chain(std::iter::repeat(None));
    spec.iter().zip(mask).zip(found).all(|((spec, mask), byte)| match byte {
        Some(byte) => byte & mask == spec & mask,
        None => *mask == 0,
    })
}
