//! A transmit ring: frames are copied into buffers of its own, and sent in order.
//!
//! Every queue pair has one, for CONFIG_VSI_QUEUES sets both halves up; unless sending is asked for it is never started
//! and has no buffers. A violation of the device's rules disables the whole function (malicious driver detection), so
//! what goes out is checked here against the same rules as the model has.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use avf::register::Register;
use avf::tx::{self, Data, Descriptor, Limits, Violation};
use device::{Buffers, Device, DeviceError, Dma, Registers};

use crate::gate::{Gate, Wish};

/// Descriptors of a ring that is never started: the smallest that PFs take.
pub(crate) const IDLE: u16 = 64;

/// Descriptors of a ring that sends.
pub(crate) const LENGTH: u16 = 512;

/// Every so many descriptors the device is asked for a report.
const REPORT: usize = 32;

/// A transmit ring.
#[derive(Debug)]
pub(crate) struct TxRing {
    descriptors: Dma,
    buffers: Option<Buffers>,
    doorbell: (Registers, u32),
    limits: Limits,
    mask: usize,
    /// Next descriptor to write.
    next: usize,
    /// Oldest descriptor that the device may still have.
    oldest: usize,
    /// Where the doorbell stands.
    rung: usize,
}

/// Why a frame was not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unsent {
    /// The function is being reset, or is gone.
    Away,
    /// The ring is full: try again.
    Full,
    /// The device would take it for malice.
    Refused(Violation),
}

impl std::fmt::Display for Unsent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Away => f.write_str("the function is being reset"),
            Self::Full => f.write_str("the transmit ring is full"),
            Self::Refused(violation) => write!(f, "not a frame that may be sent: {violation:?}"),
        }
    }
}

impl std::error::Error for Unsent {}

impl TxRing {
    /// Memory for a ring of `length` descriptors, and buffers of `buffer` bytes behind them unless that is 0.
    ///
    /// # Errors
    /// When the device has no memory for it.
    pub(crate) fn new(
        device: &mut dyn Device,
        registers: &Registers,
        queue: u16,
        length: u16,
        buffer: u16,
    ) -> Result<Self, DeviceError> {
        debug_assert!(length.is_power_of_two());
        let slots = usize::from(length);
        let descriptors = device.dma(slots * tx::BYTES)?;
        let buffers = match usize::from(buffer) {
            0 => None,
            size => Buffers::new(device.dma(slots * size)?, size),
        };
        let doorbell = (registers.clone(), Register::QtxTail(queue).offset());
        let limits = Limits { max_frame: buffer.into() };
        Ok(Self { descriptors, buffers, doorbell, limits, mask: slots - 1, next: 0, oldest: 0, rung: 0 })
    }

    pub(crate) fn address(&self) -> u64 {
        self.descriptors.address()
    }

    pub(crate) fn length(&self) -> u16 {
        u16::try_from(self.mask + 1).unwrap_or(IDLE)
    }

    /// Starts anew, after the device has stopped. What was not sent is not sent any more.
    pub(crate) fn rewind(&mut self) {
        self.descriptors.words().iter().for_each(|word| word.store(0, Ordering::Relaxed));
        if let Some(buffers) = &mut self.buffers {
            buffers.take_back();
        }
        (self.next, self.oldest, self.rung) = (0, 0, 0);
    }

    /// Frames that were posted and not reported done.
    pub(crate) fn outstanding(&self) -> usize {
        self.next.wrapping_sub(self.oldest) & self.mask
    }

    /// Takes back what the device has reported done.
    fn reclaim(&mut self) {
        let Some(buffers) = &mut self.buffers else { return };
        // Reports stand on the last descriptor of each group.
        let mut at = self.oldest;
        while (self.next.wrapping_sub(at) & self.mask) >= REPORT {
            let last = (at + REPORT - 1) & self.mask;
            let status = self.descriptors.words().get(last * tx::WORDS + tx::STATUS_WORD);
            if !status.is_some_and(|word| tx::is_done(word.load(Ordering::Acquire))) {
                break;
            }
            buffers.returned_run(at, REPORT);
            at = (at + REPORT) & self.mask;
        }
        self.oldest = at;
    }

    /// Puts a frame into the ring; the doorbell is not rung.
    fn push(&mut self, frame: &[u8]) -> Result<(), Unsent> {
        if self.outstanding() + 1 >= self.mask {
            self.reclaim();
        }
        if self.outstanding() + 1 >= self.mask {
            return Err(Unsent::Full);
        }
        let slot = self.next;
        let size = u16::try_from(frame.len()).unwrap_or(u16::MAX);
        let buffers = self.buffers.as_mut().ok_or(Unsent::Away)?;
        let report = (slot + 1).is_multiple_of(REPORT);
        let address = buffers.address(slot).ok_or(Unsent::Full)?;
        let data = Data::frame(address, size, report);
        tx::check(&[Descriptor::Data(data)], self.limits).map_err(Unsent::Refused)?;
        if !buffers.fill(slot, frame) {
            return Err(Unsent::Full);
        }
        buffers.post(slot);
        let words = self.descriptors.words().iter().skip(slot * tx::WORDS);
        words.zip(data.emit()).for_each(|(word, value)| word.store(value, Ordering::Relaxed));
        self.next = (slot + 1) & self.mask;
        Ok(())
    }

    fn ring(&mut self) {
        if self.rung != self.next {
            let (registers, offset) = &self.doorbell;
            registers.write(*offset, u32::try_from(self.next).unwrap_or(0));
            self.rung = self.next;
        }
    }
}

/// The sending half of a queue pair. It sends nothing while its function is being reset.
#[derive(Debug)]
pub struct Sender {
    number: u16,
    gate: Arc<Gate<Box<TxRing>>>,
    ring: Option<Box<TxRing>>,
}

impl Sender {
    pub(crate) fn new(number: u16, gate: Arc<Gate<Box<TxRing>>>) -> Self {
        Self { number, gate, ring: None }
    }

    /// Which of the function's queues it is, from 0.
    #[must_use]
    pub fn number(&self) -> u16 {
        self.number
    }

    /// Takes or puts back the ring, as the controller wishes.
    fn attend(&mut self) -> Option<&mut TxRing> {
        match (self.gate.wish(), &self.ring) {
            (Wish::Open, None) => self.ring = self.gate.take(),
            (Wish::Closed | Wish::Ended, Some(_)) => {
                if let Some(ring) = self.ring.take() {
                    self.gate.put(ring);
                }
            }
            _ => {}
        }
        self.ring.as_deref_mut()
    }

    /// Puts a frame in line, from its link-layer header on and without a check sequence. [`commit`](Self::commit) sends
    /// it. To be called even where there is nothing to send, with [`commit`](Self::commit): resets wait for it.
    ///
    /// # Errors
    /// [`Unsent`] with the reason; the frame is not in line then.
    pub fn push(&mut self, frame: &[u8]) -> Result<(), Unsent> {
        self.attend().ok_or(Unsent::Away)?.push(frame)
    }

    /// Sends what is in line: one doorbell.
    pub fn commit(&mut self) {
        if let Some(ring) = self.attend() {
            ring.ring();
        }
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        if let Some(ring) = self.ring.take() {
            self.gate.put(ring);
        }
        self.gate.leave();
    }
}
