//! VLAN filters and offloads, second form: two tags, and which tag protocol is which.

use bitflags::bitflags;

use super::Opcode;
use super::length;
use super::wire::{Malformed, Message, Put, Reader, count_of, layout};

bitflags! {
    /// What is possible for one tag (virtchnl, VLAN support). Unknown bits survive.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct VlanSupport: u32 {
        /// Tag protocol 0x8100.
        const TPID_8100 = 0x1;
        /// Tag protocol 0x88a8.
        const TPID_88A8 = 0x2;
        /// Tag protocol 0x9100.
        const TPID_9100 = 0x4;
        /// A stripped tag comes in, an inserted one goes out by, L2TAG1 of the descriptor.
        const L2TAG1 = 0x100;
        /// The same for L2TAG2.
        const L2TAG2 = 0x200;
        /// The same for the second half of L2TAG2.
        const L2TAG2_2 = 0x400;
        /// Priority tags too.
        const PRIO = 0x0100_0000;
        /// Filters have masks.
        const FILTER_MASK = 0x1000_0000;
        /// Several protocols at once.
        const AND = 0x2000_0000;
        /// One protocol at a time.
        const XOR = 0x4000_0000;
        /// Can be turned on and off.
        const TOGGLE = 0x8000_0000;
        const _ = !0;
    }
}

impl VlanSupport {
    /// Every tag protocol.
    pub const TPIDS: Self = Self::TPID_8100.union(Self::TPID_88A8).union(Self::TPID_9100);

    /// The tag protocols a setting may name: none where it cannot be turned on and off.
    #[must_use]
    pub const fn toggles(self) -> Self {
        if self.contains(Self::TOGGLE) { self.intersection(Self::TPIDS) } else { Self::empty() }
    }
}

/// The answer to GET_OFFLOAD_VLAN_V2_CAPS, 40 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VlanCaps {
    /// Filters by the outer tag.
    pub filter_outer: VlanSupport,
    /// Filters by the inner tag.
    pub filter_inner: VlanSupport,
    /// Tag protocols that are filtered from the start.
    pub filter_init: VlanSupport,
    /// Filters there can be.
    pub max_filters: u16,
    /// Stripping of the outer tag.
    pub strip_outer: VlanSupport,
    /// Stripping of the inner tag, or of the only one.
    pub strip_inner: VlanSupport,
    /// Insertion of the outer tag.
    pub insert_outer: VlanSupport,
    /// Insertion of the inner tag, or of the only one.
    pub insert_inner: VlanSupport,
    /// Tag protocols that are offloaded from the start.
    pub offload_init: VlanSupport,
    /// Which of stripping and insertion must name the same protocol.
    pub offload_match: u8,
}

impl Message for VlanCaps {
    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut caps = Self {
            filter_outer: VlanSupport::read(from)?,
            filter_inner: VlanSupport::read(from)?,
            filter_init: VlanSupport::read(from)?,
            max_filters: from.u16()?,
            ..Self::default()
        };
        from.skip(2)?;
        caps.strip_outer = VlanSupport::read(from)?;
        caps.strip_inner = VlanSupport::read(from)?;
        caps.insert_outer = VlanSupport::read(from)?;
        caps.insert_inner = VlanSupport::read(from)?;
        caps.offload_init = VlanSupport::read(from)?;
        caps.offload_match = from.u8()?;
        from.skip(3)?;
        Ok(caps)
    }

    fn write(&self, to: &mut Vec<u8>) {
        to.list(&[self.filter_outer, self.filter_inner, self.filter_init]);
        to.u16(self.max_filters);
        to.zeros(2);
        to.list(&[self.strip_outer, self.strip_inner, self.insert_outer, self.insert_inner]);
        self.offload_init.write(to);
        to.u8(self.offload_match);
        to.zeros(3);
    }
}

impl Message for VlanSupport {
    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        from.u32().map(Self::from_bits_retain)
    }

    fn write(&self, to: &mut Vec<u8>) {
        to.u32(self.bits());
    }
}

/// A tag of a filter, 8 bytes. All zero where the filter does not look at it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VlanTag {
    /// Priority and VLAN id.
    pub tci: u16,
    /// Bits of it that matter; 0 unless filters have masks.
    pub mask: u16,
    /// Tag protocol: 0x8100, 0x88a8 or 0x9100.
    pub tpid: u16,
}

layout! { VlanTag {
    tci: u16;
    mask: u16;
    tpid: u16;
    pad 2;
} }

/// A filter, 32 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VlanFilter {
    /// Inner tag.
    pub inner: VlanTag,
    /// Outer tag.
    pub outer: VlanTag,
}

impl Message for VlanFilter {
    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let this = Self { inner: VlanTag::read(from)?, outer: VlanTag::read(from)? };
        from.skip(16)?;
        Ok(this)
    }

    fn write(&self, to: &mut Vec<u8>) {
        self.inner.write(to);
        self.outer.write(to);
        to.zeros(16);
    }
}

/// ADD_VLAN_V2 and DEL_VLAN_V2, 8 + 32n bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VlanFilters {
    /// VSI.
    pub vport: u16,
    /// The filters.
    pub list: Vec<VlanFilter>,
}

impl Message for VlanFilters {
    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (vport, count) = (from.u16()?, from.u16()?);
        from.skip(4)?;
        Ok(Self { vport, list: from.list(count)? })
    }

    fn write(&self, to: &mut Vec<u8>) {
        let begin = to.len();
        to.u16(self.vport);
        to.u16(count_of(&self.list));
        to.zeros(4);
        to.list(&self.list);
        length::fill(to, begin, Opcode::ADD_VLAN_V2, self.list.len());
    }
}

/// Stripping, insertion and filtering, on or off, 16 bytes: for which tag protocols of which tag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VlanSetting {
    /// Outer tag; nothing leaves it as it is.
    pub outer: VlanSupport,
    /// Inner tag, or the only one.
    pub inner: VlanSupport,
    /// VSI.
    pub vport: u16,
}

impl Message for VlanSetting {
    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let this =
            Self { outer: VlanSupport::read(from)?, inner: VlanSupport::read(from)?, vport: from.u16()? };
        from.skip(6)?;
        Ok(this)
    }

    fn write(&self, to: &mut Vec<u8>) {
        self.outer.write(to);
        self.inner.write(to);
        to.u16(self.vport);
        to.zeros(6);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_e810_with_two_tags_serves() {
        let outer = VlanSupport::TPIDS | VlanSupport::AND;
        let strip = VlanSupport::TOGGLE | VlanSupport::TPIDS | VlanSupport::XOR | VlanSupport::L2TAG2_2;
        let caps = VlanCaps {
            filter_outer: outer,
            filter_init: VlanSupport::TPID_8100,
            max_filters: 8,
            strip_outer: strip,
            ..VlanCaps::default()
        };
        let bytes = caps.encode();
        assert_eq!(bytes.len(), 40);
        assert_eq!(bytes[..20], [7, 0, 0, 0x20, 0, 0, 0, 0, 1, 0, 0, 0, 8, 0, 0, 0, 7, 4, 0, 0xc0]);
        assert_eq!(VlanCaps::decode(&bytes), Ok(caps));
        assert_eq!(strip.toggles(), VlanSupport::TPIDS);
        assert_eq!(outer.toggles(), VlanSupport::empty(), "what cannot be toggled is not asked for");
    }

    #[test]
    fn a_filter_has_32_bytes_behind_a_header_of_8() {
        let outer = VlanTag { tci: 100, mask: 0, tpid: 0x8100 };
        let sent = VlanFilters { vport: 1, list: vec![VlanFilter { outer, ..VlanFilter::default() }] };
        let bytes = sent.encode();
        assert_eq!((bytes.len(), &bytes[16..22]), (40, &[100, 0, 0, 0, 0, 0x81][..]));
        assert_eq!(VlanFilters::decode(&bytes), Ok(sent));
    }

    #[test]
    fn a_setting_has_16_bytes() {
        let off = VlanSetting { outer: VlanSupport::TPIDS, inner: VlanSupport::TPID_8100, vport: 1 };
        assert_eq!(off.encode(), [7, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    }
}
