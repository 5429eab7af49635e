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

/// PTP_GET_CAPS, 48 bytes, asked and answered alike.
///
/// Two headers disagree about the place of the bits: Linux has them at offset 0, the out-of-tree drivers and DPDK at
/// offset 24. They are written to both; read, those at 24 are preferred, which are zero in the other form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PtpCaps {
    /// What is asked for or granted.
    pub bits: PtpBits,
}

impl Message for PtpCaps {
    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let front = from.u32()?;
        from.skip(20)?;
        let middle = from.u32()?;
        from.skip(20)?;
        Ok(Self { bits: PtpBits::from_bits_retain(if middle == 0 { front } else { middle }) })
    }

    fn write(&self, to: &mut Vec<u8>) {
        to.u32(self.bits.bits());
        to.zeros(20);
        to.u32(self.bits.bits());
        to.zeros(20);
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
    fn the_time_has_16_bytes() {
        assert_eq!(PhcTime { nanos: 258 }.encode(), [2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    }
}
