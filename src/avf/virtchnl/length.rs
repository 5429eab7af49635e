//! How long a request is: the one place that decides it, for those who write requests and those who accept them.
//!
//! The physical function insists on the exact length. Several lists are one element longer than their elements, because
//! the first form of the protocol declared them with one element inside the header; what was sent then is what is
//! accepted now.

use std::fmt;

use super::{Opcode, Version};
use crate::adminq::BUFFER_BYTES;

/// The length of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// So many bytes.
    Fixed(usize),
    /// By its elements.
    List(List),
}

/// A list: `base + each * n` bytes, with n in a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct List {
    base: usize,
    each: usize,
    /// Offset of the 16-bit count.
    count: usize,
    /// Another base that some physical functions insist on.
    other: Option<usize>,
}

const fn list(base: usize, each: usize, count: usize) -> Option<Shape> {
    Some(Shape::List(List { base, each, count, other: None }))
}

/// Lengths of requests (virtchnl, message validation); `None` for opcodes that are not served to functions of these
/// devices, and for EVENT, which is none.
const fn shape(opcode: Opcode) -> Option<Shape> {
    Some(Shape::Fixed(match opcode {
        Opcode::VERSION | Opcode::CONFIG_RSS_HFUNC | Opcode::SET_RSS_HENA => 8,
        Opcode::RESET_VF
        | Opcode::RELEASE_RDMA_IRQ_MAP
        | Opcode::GET_RSS_HENA_CAPS
        | Opcode::ENABLE_VLAN_STRIPPING
        | Opcode::DISABLE_VLAN_STRIPPING
        | Opcode::DISABLE_CHANNELS
        | Opcode::GET_SUPPORTED_RXDIDS
        | Opcode::GET_MAX_RSS_QREGION
        | Opcode::GET_OFFLOAD_VLAN_V2_CAPS
        | Opcode::GET_QOS_CAPS => 0,
        Opcode::GET_VF_RESOURCES | Opcode::CONFIG_PROMISCUOUS_MODE => 4,
        Opcode::CONFIG_TX_QUEUE => 24,
        Opcode::CONFIG_RX_QUEUE => 40,
        Opcode::ENABLE_QUEUES
        | Opcode::DISABLE_QUEUES
        | Opcode::GET_STATS
        | Opcode::DEL_FDIR_FILTER
        | Opcode::CONFIG_QUANTA
        | Opcode::FLOW_UNSUBSCRIBE => 12,
        Opcode::REQUEST_QUEUES => 2,
        Opcode::ADD_CLOUD_FILTER | Opcode::DEL_CLOUD_FILTER => 272,
        Opcode::ADD_RSS_CFG | Opcode::DEL_RSS_CFG => 2444,
        Opcode::ADD_FDIR_FILTER | Opcode::FLOW_SUBSCRIBE => 2616,
        Opcode::ENABLE_VLAN_STRIPPING_V2
        | Opcode::DISABLE_VLAN_STRIPPING_V2
        | Opcode::ENABLE_VLAN_INSERTION_V2
        | Opcode::DISABLE_VLAN_INSERTION_V2
        | Opcode::ENABLE_VLAN_FILTERING_V2
        | Opcode::DISABLE_VLAN_FILTERING_V2
        | Opcode::PTP_GET_TIME => 16,
        Opcode::PTP_GET_CAPS => 48,
        lists => return list_shape(lists),
    }))
}

const fn list_shape(opcode: Opcode) -> Option<Shape> {
    match opcode {
        Opcode::CONFIG_VSI_QUEUES => list(72, 64, 2),
        Opcode::CONFIG_IRQ_MAP => list(14, 12, 0),
        Opcode::ADD_ETH_ADDR | Opcode::DEL_ETH_ADDR => list(12, 8, 2),
        Opcode::ADD_VLAN | Opcode::DEL_VLAN => list(6, 2, 2),
        Opcode::CONFIG_RSS_KEY | Opcode::CONFIG_RSS_LUT => list(5, 1, 2),
        Opcode::ADD_VLAN_V2 | Opcode::DEL_VLAN_V2 => list(8, 32, 2),
        Opcode::ENABLE_QUEUES_V2 | Opcode::DISABLE_QUEUES_V2 => list(8, 8, 4),
        Opcode::CONFIG_QUEUE_BW => list(4, 12, 2),
        Opcode::CONFIG_QUEUE_TC_MAP => list(8, 4, 2),
        Opcode::ENABLE_CHANNELS => list(8, 16, 0),
        Opcode::CONFIG_RDMA_IRQ_MAP => list(4, 12, 0),
        // out-of-tree drivers of 2026 count one element more
        Opcode::MAP_QUEUE_VECTOR => Some(Shape::List(List { base: 8, each: 16, count: 2, other: Some(24) })),
        _ => None,
    }
}

/// Bytes of a request with `n` elements (of RSS key and table: bytes; of messages without elements `n` does not
/// matter). `None` where the opcode has no known length.
#[must_use]
pub const fn wire_len(opcode: Opcode, n: usize) -> Option<usize> {
    match shape(opcode) {
        None => None,
        Some(Shape::Fixed(bytes)) => Some(bytes),
        Some(Shape::List(list)) => Some(list.base.saturating_add(list.each.saturating_mul(n))),
    }
}

/// The other length that some physical functions insist on, to be tried when the first was refused.
#[must_use]
pub const fn other_len(opcode: Opcode, n: usize) -> Option<usize> {
    match shape(opcode) {
        Some(Shape::List(List { other: Some(base), each, .. })) => {
            Some(base.saturating_add(each.saturating_mul(n)))
        }
        _ => None,
    }
}

/// How many elements a list can have and still fit the mailbox's buffers; 0 where there is no list.
#[must_use]
pub const fn fits(opcode: Opcode) -> usize {
    match shape(opcode) {
        Some(Shape::List(list)) => (BUFFER_BYTES as usize - list.base) / list.each,
        _ => 0,
    }
}

/// Why a request's length is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrongLength {
    /// The opcode has no known length.
    Unknown(Opcode),
    /// The list says that it has no elements.
    Empty(Opcode),
    /// It is not as long as it must be.
    Bytes {
        /// The request.
        opcode: Opcode,
        /// What it must have, by its own count; where the count itself is missing, at the least.
        must: usize,
        /// What it has.
        has: usize,
    },
}

impl fmt::Display for WrongLength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(opcode) => write!(f, "{opcode} has no known length"),
            Self::Empty(opcode) => write!(f, "{opcode} without elements"),
            Self::Bytes { opcode, must, has } => write!(f, "{opcode} of {has} bytes, must be {must}"),
        }
    }
}

impl std::error::Error for WrongLength {}

/// Accepts a request's length, as the physical function does. GET_VF_RESOURCES carries nothing where the version that
/// was agreed on is 1.0.
///
/// # Errors
/// [`WrongLength`], which is answered with [`ERR_PARAM`](super::Status::ERR_PARAM).
pub fn check(opcode: Opcode, payload: &[u8], version: Version) -> Result<(), WrongLength> {
    let has = payload.len();
    let wrong = |must| WrongLength::Bytes { opcode, must, has };
    match shape(opcode).ok_or(WrongLength::Unknown(opcode))? {
        Shape::Fixed(_) if opcode == Opcode::GET_VF_RESOURCES && version == Version::V1_0 => {
            if has == 0 {
                Ok(())
            } else {
                Err(wrong(0))
            }
        }
        Shape::Fixed(must) => {
            if has == must {
                Ok(())
            } else {
                Err(wrong(must))
            }
        }
        Shape::List(list) => {
            let field = payload.get(list.count..).and_then(<[u8]>::first_chunk);
            let n = usize::from(u16::from_le_bytes(*field.ok_or_else(|| wrong(list.base + list.each))?));
            let must = list.base + list.each * n;
            let other = list.other.map(|base| base + list.each * n);
            match n {
                0 => Err(WrongLength::Empty(opcode)),
                _ if has == must || Some(has) == other => Ok(()),
                _ => Err(wrong(must)),
            }
        }
    }
}

/// Brings a list that began at `begin` to the length that is accepted, with zeros.
pub(super) fn fill(to: &mut Vec<u8>, begin: usize, opcode: Opcode, n: usize) {
    if let Some(bytes) = wire_len(opcode, n) {
        to.resize(begin + bytes, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_as_they_were_seen_on_the_wire() {
        assert_eq!(wire_len(Opcode::CONFIG_IRQ_MAP, 3), Some(50));
        assert_eq!(wire_len(Opcode::CONFIG_IRQ_MAP, 1), Some(26));
        assert_eq!(wire_len(Opcode::CONFIG_VSI_QUEUES, 2), Some(200));
        assert_eq!(wire_len(Opcode::CONFIG_VSI_QUEUES, 1), Some(136));
        assert_eq!(wire_len(Opcode::CONFIG_RSS_KEY, 52), Some(57));
        assert_eq!(wire_len(Opcode::CONFIG_RSS_LUT, 64), Some(69));
        assert_eq!(wire_len(Opcode::ENABLE_QUEUES_V2, 1), Some(16));
        assert_eq!((wire_len(Opcode::EVENT, 1), wire_len(Opcode(77), 1)), (None, None));
        assert_eq!(
            (wire_len(Opcode::MAP_QUEUE_VECTOR, 1), other_len(Opcode::MAP_QUEUE_VECTOR, 1)),
            (Some(24), Some(40))
        );
    }

    #[test]
    fn what_fits_a_buffer() {
        assert_eq!(fits(Opcode::CONFIG_VSI_QUEUES), 62);
        assert_eq!(fits(Opcode::ADD_ETH_ADDR), 510);
        assert_eq!(fits(Opcode::ADD_VLAN_V2), 127);
        assert_eq!(fits(Opcode::VERSION), 0);
    }

    #[test]
    fn one_byte_more_or_less_is_refused() {
        for opcode in Opcode::KNOWN.iter().copied().filter(|opcode| shape(*opcode).is_some()) {
            let Some(must) = wire_len(opcode, 3) else { continue };
            let mut payload = vec![0; must + 1];
            if let Some(Shape::List(list)) = shape(opcode) {
                payload[list.count] = 3;
            }
            assert_eq!(check(opcode, &payload[..must], Version::V1_1), Ok(()), "{opcode}");
            let wrong = |has| Err(WrongLength::Bytes { opcode, must, has });
            assert_eq!(check(opcode, &payload, Version::V1_1), wrong(must + 1));
            if must > 0 {
                assert_eq!(check(opcode, &payload[..must - 1], Version::V1_1), wrong(must - 1));
            }
        }
    }

    #[test]
    fn lists_without_elements_or_without_a_count_are_refused() {
        let none = check(Opcode::ADD_VLAN, &[26, 0, 0, 0, 0, 0], Version::V1_1);
        assert_eq!(none, Err(WrongLength::Empty(Opcode::ADD_VLAN)));
        let cut = check(Opcode::CONFIG_IRQ_MAP, &[1], Version::V1_1).unwrap_err();
        assert_eq!(cut.to_string(), "CONFIG_IRQ_MAP (7) of 1 bytes, must be 26");
        assert!(check(Opcode(500), &[], Version::V1_1).is_err());
    }

    #[test]
    fn the_first_version_asks_for_resources_with_nothing() {
        assert_eq!(check(Opcode::GET_VF_RESOURCES, &[], Version::V1_0), Ok(()));
        assert!(check(Opcode::GET_VF_RESOURCES, &[], Version::V1_1).is_err());
        assert!(check(Opcode::GET_VF_RESOURCES, &[0; 4], Version::V1_0).is_err());
    }
}
