//! The clock: PTP_GET_CAPS and PTP_GET_TIME.

use bitflags::bitflags;

use super::wire::{Malformed, Message, Put, Reader, layout};

bitflags! {
    /// What the clock can do for a function. Unknown bits survive.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct PtpBits: u32 {
        /// Timestamps of sent frames.
        const TX_TSTAMP = 1;
        /// Timestamps of received frames.
        const RX_TSTAMP = 2;
        /// The clock can be read.
        const READ_PHC = 4;
        /// The clock can be set.
        const WRITE_PHC = 8;
        /// The clock can be read through registers.
        const PHC_REGS = 16;
        const _ = !0;
    }
}

/// Where PTP_GET_CAPS has its bits: two headers disagree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PtpPlace {
    /// At offset 0, nothing behind them: Linux, drivers and physical function.
    Front,
    /// At offset 24, behind the description of clock registers: out-of-tree drivers and DPDK.
    Middle,
    /// At both, for whoever does not know the other side.
    #[default]
    Both,
}

/// PTP_GET_CAPS, 48 bytes, asked and answered alike.
///
/// Written to both places; read, those in the middle are preferred, which are zero in the other form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PtpCaps {
    /// What is asked for or granted.
    pub bits: PtpBits,
}

impl PtpCaps {
    /// Reads the bits where a side looks for them that knows one place alone.
    ///
    /// # Errors
    /// [`Malformed::Short`].
    pub fn decode_at(place: PtpPlace, payload: &[u8]) -> Result<Self, Malformed> {
        let mut from = Reader::new(payload);
        let (front, middle) = (from.u32()?, from.skip(20).and_then(|()| from.u32())?);
        from.skip(20)?;
        let bits = match place {
            PtpPlace::Front => front,
            PtpPlace::Both if middle == 0 => front,
            PtpPlace::Middle | PtpPlace::Both => middle,
        };
        Ok(Self { bits: PtpBits::from_bits_retain(bits) })
    }

    /// A payload with the bits where a side puts them that knows one place alone.
    #[must_use]
    pub fn encode_at(&self, place: PtpPlace) -> Vec<u8> {
        let at = |has: bool| if has { self.bits.bits() } else { 0 };
        let mut to = Vec::new();
        to.u32(at(place != PtpPlace::Middle));
        to.zeros(20);
        to.u32(at(place != PtpPlace::Front));
        to.zeros(20);
        to
    }
}

impl Message for PtpCaps {
    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Self::decode_at(PtpPlace::Both, from.bytes(48)?)
    }

    fn write(&self, to: &mut Vec<u8>) {
        to.bytes(&self.encode_at(PtpPlace::Both));
    }
}

/// PTP_GET_TIME, 16 bytes, asked with zeros.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PhcTime {
    /// The clock's time in nanoseconds.
    pub nanos: u64,
}

layout! { PhcTime {
    nanos: u64;
    pad 8;
} }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_found_at_either_place() {
        let wanted = PtpCaps { bits: PtpBits::RX_TSTAMP | PtpBits::READ_PHC };
        let bytes = wanted.encode();
        assert_eq!((bytes.len(), bytes[0], bytes[24]), (48, 6, 6));
        for blank in [0, 24] {
            let mut one = bytes.clone();
            one[blank] = 0;
            assert_eq!(PtpCaps::decode(&one), Ok(wanted));
        }
    }

    #[test]
    fn whoever_knows_one_place_sees_that_one() {
        let caps = PtpCaps { bits: PtpBits::RX_TSTAMP };
        let (front, middle) = (caps.encode_at(PtpPlace::Front), caps.encode_at(PtpPlace::Middle));
        assert_eq!((front.len(), front[0], front[24]), (48, 2, 0));
        assert_eq!((middle.len(), middle[0], middle[24]), (48, 0, 2));
        assert_eq!(PtpCaps::decode_at(PtpPlace::Middle, &front), Ok(PtpCaps::default()));
        assert_eq!(PtpCaps::decode_at(PtpPlace::Front, &middle), Ok(PtpCaps::default()));
        assert_eq!((PtpCaps::decode(&front), PtpCaps::decode(&middle)), (Ok(caps), Ok(caps)));
        assert!(PtpCaps::decode_at(PtpPlace::Front, &front[..47]).is_err());
    }

    #[test]
    fn the_time_has_16_bytes() {
        assert_eq!(PhcTime { nanos: 258 }.encode(), [2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    }
}
