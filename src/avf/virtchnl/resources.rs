//! GET_VF_RESOURCES, REQUEST_QUEUES and GET_SUPPORTED_RXDIDS: what a function has.

use super::Caps;
use super::wire::{Malformed, Message, Put, Reader, at_most, count_of, layout};
use crate::code::codes;

/// VSIs, queue pairs, vectors and RSS bytes beyond these exist on no device.
const MOST_VSIS: u64 = 16;
const MOST_PAIRS: u64 = 256;
const MOST_VECTORS: u64 = 2048;
const MOST_KEY: u64 = 256;
const MOST_LUT: u64 = 2048;

impl Message for Caps {
    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        from.u32().map(Self::from_bits_retain)
    }

    fn write(&self, to: &mut Vec<u8>) {
        to.u32(self.bits());
    }
}

/// The answer to GET_VF_RESOURCES, 20 + 16n bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// Queue pairs of the function.
    pub queue_pairs: u16,
    /// MSI-X vectors, that of the mailbox included.
    pub vectors: u16,
    /// Largest frame the port carries; 0 where the physical function does not say.
    pub max_mtu: u16,
    /// What was granted.
    pub caps: Caps,
    /// Bytes of the RSS key.
    pub rss_key: u32,
    /// Entries of the RSS table.
    pub rss_lut: u32,
    /// Its VSIs: one, of the kind [`VsiKind::SRIOV`].
    pub vsis: Vec<Vsi>,
}

impl Resources {
    /// The VSI that belongs to a virtual function.
    #[must_use]
    pub fn vsi(&self) -> Option<&Vsi> {
        self.vsis.iter().find(|vsi| vsi.kind == VsiKind::SRIOV)
    }
}

impl Message for Resources {
    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let vsis = at_most("num_vsis", from.u16()?, MOST_VSIS)?;
        Ok(Self {
            queue_pairs: at_most("num_queue_pairs", from.u16()?, MOST_PAIRS)?,
            vectors: at_most("max_vectors", from.u16()?, MOST_VECTORS)?,
            max_mtu: from.u16()?,
            caps: Caps::read(from)?,
            rss_key: at_most("rss_key_size", from.u32()?, MOST_KEY)?,
            rss_lut: at_most("rss_lut_size", from.u32()?, MOST_LUT)?,
            vsis: from.list(vsis)?,
        })
    }

    fn write(&self, to: &mut Vec<u8>) {
        to.u16(count_of(&self.vsis));
        to.u16(self.queue_pairs);
        to.u16(self.vectors);
        to.u16(self.max_mtu);
        self.caps.write(to);
        to.u32(self.rss_key);
        to.u32(self.rss_lut);
        to.list(&self.vsis);
    }
}

codes! {
    /// What a VSI is for.
    VsiKind(i32) {
        SRIOV = 6, "A virtual function's.";
    }
}

/// A VSI (virtual station interface), 16 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vsi {
    /// Its number, echoed in every request. It may be another one after a reset.
    pub id: u16,
    /// Its queue pairs.
    pub queue_pairs: u16,
    /// What it is for.
    pub kind: VsiKind,
    /// Handle of its queue set.
    pub qset: u16,
    /// The function's address; zero where it may choose.
    pub address: [u8; 6],
}

impl Message for Vsi {
    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (id, queue_pairs) = (from.u16()?, from.u16()?);
        let (kind, qset) = (VsiKind(from.i32()?), from.u16()?);
        let address: [u8; 6] = from.array()?;
        let [first, ..] = address;
        if first & 1 != 0 {
            return Err(Malformed::GroupAddress(address));
        }
        at_most("num_queue_pairs of a VSI", queue_pairs, MOST_PAIRS)?;
        Ok(Self { id, queue_pairs, kind, qset, address })
    }

    fn write(&self, to: &mut Vec<u8>) {
        to.u16(self.id);
        to.u16(self.queue_pairs);
        to.i32(self.kind.0);
        to.u16(self.qset);
        to.bytes(&self.address);
    }
}

/// REQUEST_QUEUES, 2 bytes: how many pairs are wanted; in the answer, how many could be had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueCount {
    /// Queue pairs.
    pub pairs: u16,
}

layout! { QueueCount { pairs: u16; } }

impl Message for u64 {
    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        from.u64()
    }

    fn write(&self, to: &mut Vec<u8>) {
        to.u64(*self);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn i40e() -> Resources {
        Resources {
            queue_pairs: 4,
            vectors: 5,
            max_mtu: 0,
            caps: Caps::from_bits_retain(0x000b_0081),
            rss_key: 52,
            rss_lut: 64,
            vsis: vec![Vsi {
                id: 10,
                queue_pairs: 4,
                kind: VsiKind::SRIOV,
                qset: 4,
                address: [2, 0, 0, 0, 0, 9],
            }],
        }
    }

    #[test]
    fn the_layout_of_the_answer() {
        let bytes = i40e().encode();
        #[rustfmt::skip]
        assert_eq!(bytes, [
            1, 0, 4, 0, 5, 0, 0, 0, 0x81, 0x00, 0x0b, 0x00, 52, 0, 0, 0, 64, 0, 0, 0,
            10, 0, 4, 0, 6, 0, 0, 0, 4, 0, 2, 0, 0, 0, 0, 9,
        ]);
        assert_eq!(Resources::decode(&bytes), Ok(i40e()));
    }

    #[test]
    fn a_blank_vsi_behind_the_last_is_ignored() {
        let mut bytes = i40e().encode();
        bytes.resize(52, 0);
        assert_eq!(Resources::decode(&bytes), Ok(i40e()));
    }

    #[test]
    fn what_no_device_has_is_refused() {
        let pairs = Resources { queue_pairs: 257, ..i40e() };
        let said = Resources::decode(&pairs.encode()).unwrap_err();
        assert_eq!(said.to_string(), "num_queue_pairs is 257, 256 at the most");
        let mut bytes = i40e().encode();
        bytes[30] = 1;
        assert_eq!(Resources::decode(&bytes), Err(Malformed::GroupAddress([1, 0, 0, 0, 0, 9])));
        bytes[0] = 2;
        bytes[30] = 2;
        assert_eq!(Resources::decode(&bytes), Err(Malformed::Short { needed: 38, had: 36 }));
    }
}
