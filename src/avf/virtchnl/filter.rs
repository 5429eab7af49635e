//! Which frames are received: addresses, VLANs (first form), promiscuity.

use bitflags::bitflags;

use super::Opcode;
use super::length;
use super::wire::{Malformed, Message, Put, Reader, count_of};
use crate::code::codes;

codes! {
    /// What an address is to its function.
    AddressKind(u8) {
        LEGACY = 0, "From drivers that do not say.";
        PRIMARY = 1, "Its own.";
        EXTRA = 2, "Another one, or a group's.";
    }
}

/// An Ethernet address, 8 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EtherAddress {
    /// The address.
    pub address: [u8; 6],
    /// What it is.
    pub kind: AddressKind,
}

impl Message for EtherAddress {
    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let this = Self { address: from.array()?, kind: AddressKind(from.u8()?) };
        from.skip(1)?;
        Ok(this)
    }

    fn write(&self, to: &mut Vec<u8>) {
        to.bytes(&self.address);
        to.u8(self.kind.0);
        to.zeros(1);
    }
}

/// ADD_ETH_ADDR and DEL_ETH_ADDR, 12 + 8n bytes: a header of 4, the addresses, and one address's worth of nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// VSI.
    pub vsi: u16,
    /// The addresses.
    pub list: Vec<EtherAddress>,
}

impl Message for Addresses {
    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (vsi, count) = (from.u16()?, from.u16()?);
        Ok(Self { vsi, list: from.list(count)? })
    }

    fn write(&self, to: &mut Vec<u8>) {
        let begin = to.len();
        to.u16(self.vsi);
        to.u16(count_of(&self.list));
        to.list(&self.list);
        length::fill(to, begin, Opcode::ADD_ETH_ADDR, self.list.len());
    }
}

/// ADD_VLAN and DEL_VLAN, 6 + 2n bytes: a header of 4, VLAN ids, and one id's worth of nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vlans {
    /// VSI.
    pub vsi: u16,
    /// VLAN ids, 0 to 4095.
    pub ids: Vec<u16>,
}

impl Message for Vlans {
    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (vsi, count) = (from.u16()?, from.u16()?);
        let ids = (0..count).map(|_| from.u16()).collect::<Result<_, _>>()?;
        Ok(Self { vsi, ids })
    }

    fn write(&self, to: &mut Vec<u8>) {
        let begin = to.len();
        to.u16(self.vsi);
        to.u16(count_of(&self.ids));
        self.ids.iter().for_each(|id| to.u16(*id));
        length::fill(to, begin, Opcode::ADD_VLAN, self.ids.len());
    }
}

bitflags! {
    /// What else is received. Unknown bits survive.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct Promiscuity: u16 {
        /// Every unicast frame.
        const UNICAST = 1;
        /// Every multicast frame.
        const MULTICAST = 2;
        const _ = !0;
    }
}

/// CONFIG_PROMISCUOUS_MODE, 4 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Promiscuous {
    /// VSI.
    pub vsi: u16,
    /// What else is received; nothing turns it off.
    pub mode: Promiscuity,
}

impl Message for Promiscuous {
    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self { vsi: from.u16()?, mode: Promiscuity::from_bits_retain(from.u16()?) })
    }

    fn write(&self, to: &mut Vec<u8>) {
        to.u16(self.vsi);
        to.u16(self.mode.bits());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_has_20_bytes() {
        let own = EtherAddress { address: [2, 0, 0, 0, 0, 9], kind: AddressKind::PRIMARY };
        let bytes = Addresses { vsi: 26, list: vec![own] }.encode();
        assert_eq!(bytes, [26, 0, 1, 0, 2, 0, 0, 0, 0, 9, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn one_vlan_has_8_bytes() {
        assert_eq!(Vlans { vsi: 26, ids: vec![4095] }.encode(), [26, 0, 1, 0, 0xff, 0x0f, 0, 0]);
    }

    #[test]
    fn unknown_modes_survive_for_whoever_refuses_them() {
        let odd = Promiscuous::decode(&[26, 0, 0x0b, 0]).unwrap();
        assert_eq!(odd.mode.bits(), 11);
        assert_eq!(odd.encode(), [26, 0, 0x0b, 0]);
    }
}
