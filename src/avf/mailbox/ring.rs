//! Places in a mailbox ring: one arithmetic for the driver's side and the device's.
//!
//! Head and tail are registers of ten bits. One slot always stays free, so that a full ring differs from an empty one.

use std::fmt;

use crate::register::{MailboxIndex, MailboxLen};

/// A head that no working device shows: outside the ring, or ahead of what was posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadHead {
    /// The register as it was read.
    pub register: u32,
    /// Descriptors in the ring.
    pub length: u16,
}

impl fmt::Display for BadHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "head reads {:#x} in a ring of {}: the mailbox is dead", self.register, self.length)
    }
}

impl std::error::Error for BadHead {}

/// The driver's side of the ring that sends (ATQ).
#[derive(Clone, Debug)]
pub struct SendRing {
    length: u16,
    /// Where the next message goes.
    next: u16,
    /// The oldest slot that was not reclaimed.
    oldest: u16,
}

impl SendRing {
    /// An empty ring of `length` descriptors, head and tail 0.
    ///
    /// # Panics
    /// When `length` is not 2 to 1023.
    #[must_use]
    pub const fn new(length: u16) -> Self {
        assert!(length >= 2 && length < 1024, "a mailbox ring has 2 to 1023 descriptors");
        Self { length, next: 0, oldest: 0 }
    }

    /// Where the next message goes; `None` while the ring is full.
    #[must_use]
    pub const fn slot(&self) -> Option<u16> {
        if after(self.next, self.length) == self.oldest { None } else { Some(self.next) }
    }

    /// The descriptor at [`slot`](Self::slot) is written: the new value of the tail. Nothing moves when the ring is full.
    pub const fn posted(&mut self) -> u16 {
        if self.slot().is_some() {
            self.next = after(self.next, self.length);
        }
        self.next
    }

    /// Takes back what the device is done with, given its head: the slots, oldest first.
    ///
    /// # Errors
    /// [`BadHead`] when no working device could show that head; nothing is taken back then.
    pub fn reclaim(&mut self, head: u32) -> Result<impl Iterator<Item = u16> + use<>, BadHead> {
        let bad = BadHead { register: head, length: self.length };
        let head = place(head, self.length).ok_or(bad)?;
        let (from, length) = (self.oldest, self.length);
        let done = distance(from, head, length);
        if done > self.outstanding() {
            return Err(bad);
        }
        self.oldest = head;
        Ok((0..done).map(move |nth| forward(from, nth, length)))
    }

    /// Messages that were posted and not reclaimed.
    #[must_use]
    pub const fn outstanding(&self) -> u16 {
        distance(self.oldest, self.next, self.length)
    }
}

/// The driver's side of the ring that receives (ARQ). All slots but one are lent to the device.
#[derive(Clone, Debug)]
pub struct ReceiveRing {
    length: u16,
    /// The next slot a message comes in.
    next: u16,
}

impl ReceiveRing {
    /// A ring of `length` prefilled descriptors, head 0.
    ///
    /// # Panics
    /// When `length` is not 2 to 1023.
    #[must_use]
    pub const fn new(length: u16) -> Self {
        assert!(length >= 2 && length < 1024, "a mailbox ring has 2 to 1023 descriptors");
        Self { length, next: 0 }
    }

    /// The tail to begin with.
    #[must_use]
    pub const fn first_tail(&self) -> u16 {
        self.length - 1
    }

    /// Messages that came, given the device's head.
    ///
    /// # Errors
    /// [`BadHead`] when the head lies outside the ring.
    pub fn pending(&self, head: u32) -> Result<u16, BadHead> {
        let bad = BadHead { register: head, length: self.length };
        place(head, self.length).map(|head| distance(self.next, head, self.length)).ok_or(bad)
    }

    /// The slot of the next message, if one came.
    ///
    /// # Errors
    /// As [`pending`](Self::pending).
    pub fn slot(&self, head: u32) -> Result<Option<u16>, BadHead> {
        Ok((self.pending(head)? > 0).then_some(self.next))
    }

    /// The message at [`slot`](Self::slot) is read and its descriptor prefilled again: the new value of the tail.
    pub const fn rearmed(&mut self) -> u16 {
        let tail = self.next;
        self.next = after(self.next, self.length);
        tail
    }
}

/// The device's side of either ring, as its registers describe it: what lies between head and tail is messages to be
/// taken, or buffers to be filled. The driver may write them in any order and to anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeviceRing {
    head: u16,
    tail: u16,
    /// Length and state. A device sets its error bits, and clears all of it in a reset.
    pub len: MailboxLen,
}

impl DeviceRing {
    /// The driver wrote the head; ten bits of it are kept.
    pub fn set_head(&mut self, register: u32) {
        self.head = index(register);
    }

    /// The driver wrote the tail; ten bits of it are kept.
    pub fn set_tail(&mut self, register: u32) {
        self.tail = index(register);
    }

    /// The driver wrote length and state: errors can be cleared so, not made. True when that switched the ring on.
    pub fn set_len(&mut self, register: u32) -> bool {
        let (old, new) = (self.len, MailboxLen(register));
        self.len = new
            .with_illegal(new.illegal() && old.illegal())
            .with_overflow(new.overflow() && old.overflow())
            .with_critical(new.critical() && old.critical());
        new.enable() && !old.enable()
    }

    /// The head as the register shows it.
    #[must_use]
    pub const fn head(&self) -> u16 {
        self.head
    }

    /// The tail as the register shows it.
    #[must_use]
    pub const fn tail(&self) -> u16 {
        self.tail
    }

    /// Whether head and tail lie in the ring.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.head < self.length() && self.tail < self.length()
    }

    /// The slot that is next; `None` where head meets tail, or either lies outside the ring.
    #[must_use]
    pub fn slot(&self) -> Option<u16> {
        (self.is_sound() && self.head != self.tail).then_some(self.head)
    }

    /// The descriptor at [`slot`](Self::slot) is written back: the new value of the head. Nothing moves where there is
    /// none.
    pub fn done(&mut self) -> u16 {
        if self.slot().is_some() {
            self.head = after(self.head, self.length());
        }
        self.head
    }

    /// Descriptors between head and tail.
    #[must_use]
    pub fn available(&self) -> u16 {
        if self.is_sound() { distance(self.head, self.tail, self.length()) } else { 0 }
    }

    fn length(&self) -> u16 {
        index(self.len.length())
    }
}

/// The ten bits of a place.
fn index(register: u32) -> u16 {
    // ten bits always fit
    u16::try_from(MailboxIndex(register).index()).unwrap_or_default()
}

/// A place from its register; `None` outside the ring, and so for the values of a device that is gone or in reset.
fn place(register: u32, length: u16) -> Option<u16> {
    let upper = MailboxIndex(register).with_index(0).0;
    let index = index(register);
    (upper == 0 && index < length).then_some(index)
}

const fn after(place: u16, length: u16) -> u16 {
    if place + 1 >= length { 0 } else { place + 1 }
}

/// Steps from one place to another, forward.
const fn distance(from: u16, to: u16, length: u16) -> u16 {
    if to >= from { to - from } else { to + length - from }
}

const fn forward(place: u16, steps: u16, length: u16) -> u16 {
    let to = place + steps;
    if to >= length { to - length } else { to }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adminq::RING_LENGTH;

    fn device(length: u16) -> DeviceRing {
        let mut ring = DeviceRing::default();
        assert!(ring.set_len(MailboxLen(length.into()).with_enable(true).0));
        ring
    }

    #[test]
    fn one_slot_stays_free() {
        let mut ring = SendRing::new(4);
        let mut device = device(4);
        for tail in [1, 2, 3] {
            assert!(ring.slot().is_some());
            assert_eq!(ring.posted(), tail);
        }
        assert_eq!((ring.slot(), ring.outstanding(), ring.posted()), (None, 3, 3));
        device.set_tail(3);
        assert_eq!((device.slot(), device.available()), (Some(0), 3));
        assert_eq!((device.done(), device.done()), (1, 2));
        assert_eq!(ring.reclaim(2).unwrap().collect::<Vec<_>>(), [0, 1]);
        assert_eq!((ring.slot(), ring.outstanding()), (Some(3), 1));
        assert_eq!(ring.posted(), 0);
    }

    #[test]
    fn both_sides_agree_over_many_rounds() {
        let (mut ring, mut device) = (SendRing::new(RING_LENGTH), device(RING_LENGTH));
        for round in 0..1000u16 {
            let burst = round % 31 + 1;
            let sent: Vec<_> = (0..burst)
                .map(|_| {
                    let slot = ring.slot().unwrap();
                    device.set_tail(ring.posted().into());
                    slot
                })
                .collect();
            let seen: Vec<_> = std::iter::from_fn(|| {
                let slot = device.slot()?;
                device.done();
                Some(slot)
            })
            .collect();
            assert_eq!(sent, seen);
            assert_eq!(ring.reclaim(device.head().into()).unwrap().collect::<Vec<_>>(), sent);
            assert_eq!(ring.outstanding(), 0);
        }
    }

    #[test]
    fn a_receive_ring_lends_all_slots_but_one() {
        let (mut ring, mut device) = (ReceiveRing::new(RING_LENGTH), device(RING_LENGTH));
        device.set_tail(ring.first_tail().into());
        assert_eq!(device.available(), 31);
        for _ in 0..31 {
            device.done();
        }
        assert_eq!(device.slot(), None, "the next message overflows");
        assert_eq!(ring.pending(device.head().into()), Ok(31));
        for slot in 0..31 {
            assert_eq!(ring.slot(device.head().into()), Ok(Some(slot)));
            device.set_tail(ring.rearmed().into());
        }
        assert_eq!((ring.slot(device.head().into()), device.available()), (Ok(None), 31));
    }

    #[test]
    fn a_head_outside_the_ring_is_a_dead_device() {
        let mut ring = SendRing::new(RING_LENGTH);
        ring.posted();
        for register in [32, 1023, 0xdead_beef, u32::MAX, 0x8000_0000] {
            let bad = BadHead { register, length: RING_LENGTH };
            assert_eq!(ring.reclaim(register).err(), Some(bad));
            assert_eq!(ReceiveRing::new(RING_LENGTH).slot(register), Err(bad));
        }
        assert!(ring.reclaim(2).is_err(), "two done where one was posted");
        assert_eq!(ring.outstanding(), 1);
        assert_eq!(ring.reclaim(1).unwrap().collect::<Vec<_>>(), [0]);
    }

    #[test]
    fn a_driver_that_points_outside_the_ring_gets_nothing() {
        for (head, tail, length) in [(0, 32, 32), (40, 1, 32), (0, 1, 0), (0, 1, 1), (1023, u32::MAX, 1023)] {
            let mut ring = device(length);
            ring.set_head(head);
            ring.set_tail(tail);
            let before = ring.head();
            assert_eq!((ring.slot(), ring.available(), ring.is_sound()), (None, 0, false));
            assert_eq!(ring.done(), before);
        }
        let mut empty = device(1);
        assert_eq!((empty.slot(), empty.done(), empty.tail()), (None, 0, 0));
    }

    #[test]
    fn registers_may_be_written_in_any_order() {
        let mut ring = DeviceRing::default();
        ring.set_tail(0xffff_fc00 | 31);
        assert_eq!((ring.tail(), ring.slot()), (31, None));
        assert!(ring.set_len(MailboxLen(32).with_enable(true).0));
        assert_eq!((ring.slot(), ring.available()), (Some(0), 31));
    }

    #[test]
    fn a_driver_clears_errors_and_makes_none() {
        let mut ring = device(RING_LENGTH);
        assert!(!ring.set_len(0xc000_0020));
        assert_eq!(ring.len.0, 0x8000_0020);
        ring.len = ring.len.with_overflow(true).with_critical(true);
        assert!(!ring.set_len(0xa000_0020));
        assert_eq!(ring.len.0, 0xa000_0020, "overflow was written back, so it stays");
        assert!(!ring.set_len(0) && ring.set_len(0x8000_0020));
    }
}
