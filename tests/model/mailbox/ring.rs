//! A mailbox ring as its registers describe it.

use avf::adminq::DESCRIPTOR_BYTES;
use avf::register::{MailboxIndex, MailboxLen};

/// The five registers of a ring.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ring {
    /// Base address, bits 31 to 0.
    pub(crate) low: u32,
    /// Base address, bits 63 to 32.
    pub(crate) high: u32,
    /// Next descriptor of the device.
    pub(crate) head: u32,
    /// First descriptor that is not the device's.
    pub(crate) tail: u32,
    /// Length and state.
    pub(crate) len: MailboxLen,
}

impl Ring {
    /// Device address of the descriptor at the head.
    pub(super) fn at_head(&self) -> u64 {
        let base = u64::from(self.high) << 32 | u64::from(self.low);
        base.wrapping_add(u64::from(self.head) * DESCRIPTOR_BYTES as u64)
    }

    pub(super) fn is_enabled(&self) -> bool {
        self.len.enable()
    }

    /// Whether head and tail lie in the ring.
    pub(super) fn is_sound(&self) -> bool {
        self.head < self.len.length() && self.tail < self.len.length()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.head == self.tail
    }

    pub(super) fn step(&mut self) {
        self.head = (self.head + 1) % self.len.length().max(1);
    }

    /// Stores what the driver wrote into the length register; errors can be cleared, not made. True when that switched
    /// the ring on.
    pub(crate) fn set_len(&mut self, value: u32) -> bool {
        let (old, new) = (self.len, MailboxLen(value));
        self.len = new
            .with_illegal(new.illegal() && old.illegal())
            .with_overflow(new.overflow() && old.overflow())
            .with_critical(new.critical() && old.critical());
        new.enable() && !old.enable()
    }

    pub(crate) fn set_head(&mut self, value: u32) {
        self.head = MailboxIndex(value).index();
    }

    pub(crate) fn set_tail(&mut self, value: u32) {
        self.tail = MailboxIndex(value).index();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_clears_errors_and_makes_none() {
        let mut ring = Ring::default();
        assert!(ring.set_len(0xC000_0020));
        assert_eq!(ring.len.0, 0x8000_0020);
        ring.len = ring.len.with_overflow(true).with_critical(true);
        assert!(!ring.set_len(0xA000_0020));
        assert_eq!(ring.len.0, 0xA000_0020, "overflow was written back, so it stays");
    }
}
