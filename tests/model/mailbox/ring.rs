//! A mailbox ring as its registers describe it.

use avf::adminq::DESCRIPTOR_BYTES;
use avf::mailbox::DeviceRing;

/// The five registers of a ring.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ring {
    /// Base address, bits 31 to 0.
    pub(crate) low: u32,
    /// Base address, bits 63 to 32.
    pub(crate) high: u32,
    /// Head, tail, length and state.
    pub(crate) places: DeviceRing,
}

impl Ring {
    /// Device address of the descriptor at the head.
    pub(super) fn at_head(&self) -> u64 {
        let base = u64::from(self.high) << 32 | u64::from(self.low);
        base.wrapping_add(u64::from(self.places.head()) * DESCRIPTOR_BYTES as u64)
    }

    pub(super) fn is_enabled(&self) -> bool {
        self.places.len.enable()
    }

    /// Whether a descriptor is there for the device.
    pub(super) fn has_slot(&self) -> bool {
        self.places.slot().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_clears_errors_and_makes_none() {
        let mut ring = Ring::default();
        assert!(ring.places.set_len(0xC000_0020));
        assert_eq!(ring.places.len.0, 0x8000_0020);
        ring.places.len = ring.places.len.with_overflow(true).with_critical(true);
        assert!(!ring.places.set_len(0xA000_0020));
        assert_eq!(ring.places.len.0, 0xA000_0020, "overflow was written back, so it stays");
    }
}
