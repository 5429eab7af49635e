//! Places in a mailbox ring: one arithmetic for the driver's side and the device's.
//!
//! Head and tail are registers of ten bits. One slot always stays free, so that a full ring differs from an empty one.

use std::fmt;

use crate::register::MailboxIndex;

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

/// The device's side of either ring: what lies between head and tail is messages to be taken, or buffers to be filled.
#[derive(Clone, Debug, Default)]
pub struct DeviceRing {
    length: u16,
    head: u16,
    tail: u16,
}

impl DeviceRing {
    /// A ring of `length` descriptors; one of 0 or 1 never has anything in it.
    #[must_use]
    pub const fn new(length: u16) -> Self {
        Self { length, head: 0, tail: 0 }
    }

    /// The driver wrote the tail. Outside the ring it is refused, and nothing moves.
    #[must_use]
    pub fn set_tail(&mut self, register: u32) -> bool {
        let place = place(register, self.length);
        self.tail = place.unwrap_or(self.tail);
        place.is_some()
    }

    /// The driver wrote the head. Outside the ring it is refused, and nothing moves.
    #[must_use]
    pub fn set_head(&mut self, register: u32) -> bool {
        let place = place(register, self.length);
        self.head = place.unwrap_or(self.head);
        place.is_some()
    }

    /// The slot that is next; `None` where head meets tail.
    #[must_use]
    pub const fn slot(&self) -> Option<u16> {
        if self.head == self.tail { None } else { Some(self.head) }
    }

    /// The descriptor at [`slot`](Self::slot) is written back: the new value of the head.
    pub const fn done(&mut self) -> u16 {
        if self.slot().is_some() {
            self.head = after(self.head, self.length);
        }
        self.head
    }

    /// The head as the register shows it.
    #[must_use]
    pub const fn head(&self) -> u16 {
        self.head
    }

    /// Descriptors between head and tail.
    #[must_use]
    pub const fn available(&self) -> u16 {
        distance(self.head, self.tail, self.length)
    }
}

/// A place from its register; `None` outside the ring, and so for the values of a device that is gone or in reset.
fn place(register: u32, length: u16) -> Option<u16> {
    let upper = MailboxIndex(register).with_index(0).0;
    let index = u16::try_from(MailboxIndex(register).index()).ok()?;
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

    #[test]
    fn one_slot_stays_free() {
        let mut ring = SendRing::new(4);
        let mut device = DeviceRing::new(4);
        for tail in [1, 2, 3] {
            assert!(ring.slot().is_some());
            assert_eq!(ring.posted(), tail);
        }
        assert_eq!((ring.slot(), ring.outstanding(), ring.posted()), (None, 3, 3));
        assert!(device.set_tail(3));
        assert_eq!((device.slot(), device.available()), (Some(0), 3));
        assert_eq!((device.done(), device.done()), (1, 2));
        assert_eq!(ring.reclaim(2).unwrap().collect::<Vec<_>>(), [0, 1]);
        assert_eq!((ring.slot(), ring.outstanding()), (Some(3), 1));
        assert_eq!(ring.posted(), 0);
    }

    #[test]
    fn both_sides_agree_over_many_rounds() {
        let (mut ring, mut device) = (SendRing::new(RING_LENGTH), DeviceRing::new(RING_LENGTH));
        for round in 0..1000u16 {
            let burst = round % 31 + 1;
            let sent: Vec<_> = (0..burst)
                .map(|_| {
                    let slot = ring.slot().unwrap();
                    assert!(device.set_tail(ring.posted().into()));
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
        let (mut ring, mut device) = (ReceiveRing::new(RING_LENGTH), DeviceRing::new(RING_LENGTH));
        assert!(device.set_tail(ring.first_tail().into()));
        assert_eq!(device.available(), 31);
        for _ in 0..31 {
            device.done();
        }
        assert_eq!(device.slot(), None, "the next message overflows");
        assert_eq!(ring.pending(device.head().into()), Ok(31));
        for slot in 0..31 {
            assert_eq!(ring.slot(device.head().into()), Ok(Some(slot)));
            assert!(device.set_tail(ring.rearmed().into()));
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
            assert!(!DeviceRing::new(RING_LENGTH).set_tail(register));
        }
        assert!(ring.reclaim(2).is_err(), "two done where one was posted");
        assert_eq!(ring.outstanding(), 1);
        assert_eq!(ring.reclaim(1).unwrap().collect::<Vec<_>>(), [0]);
    }

    #[test]
    fn a_device_ring_of_nothing_has_nothing() {
        for length in [0, 1] {
            let mut ring = DeviceRing::new(length);
            let _ = (ring.set_tail(0), ring.set_head(5));
            assert_eq!((ring.slot(), ring.done(), ring.available()), (None, 0, 0));
        }
    }
}
