//! The door: what every backing gives to a driver, and what the far side of it may do.

use std::fmt;
use std::sync::Arc;

use crate::{Dma, Interrupt};

/// One PCI function, held by one driver for as long as it lives.
///
/// What was made through it is undone in reverse when it is dropped: interrupts, then DMA, then the function itself.
pub trait Device: Send {
    /// Who it is.
    fn identity(&self) -> &Identity;

    /// BAR 0, where every register of a virtual function lies. Handles are cheap and stay valid after a reset.
    ///
    /// # Errors
    /// When the region cannot be had.
    fn registers(&mut self) -> Result<Registers, DeviceError>;

    /// Zeroed memory that both the driver and the device reach, in one run of device addresses, aligned to 4 KiB.
    /// It is given back when the block is dropped; the caller sees to it that the device has stopped before.
    ///
    /// # Errors
    /// When memory, address space or a limit is short; the text says which and what to do.
    fn dma(&mut self, bytes: usize) -> Result<Dma, DeviceError>;

    /// Connects the first `count` message-signalled vectors, undoing what was connected before. After a reset they
    /// must be connected again.
    ///
    /// # Errors
    /// When the function has fewer vectors, or the system refuses.
    fn interrupts(&mut self, count: u16) -> Result<Vec<Interrupt>, DeviceError>;

    /// How many vectors the function has.
    fn vectors(&self) -> u16;

    /// Lets the device reach memory, or not (COMMAND bit 2). A function-level reset clears it.
    ///
    /// # Errors
    /// When configuration space cannot be written.
    fn set_master(&mut self, on: bool) -> Result<(), DeviceError>;

    /// Function-level reset. Bus mastering and interrupts are off after it; memory stays mapped.
    ///
    /// # Errors
    /// When the function cannot be reset or is gone.
    fn reset(&mut self) -> Result<(), DeviceError>;

    /// Whether the system has asked for the device back (unplug, unbind): stop, then drop this.
    fn is_leaving(&self) -> bool;

    /// Whether the system reported an error of the device that it cannot correct (PCI Express AER) since the last reset:
    /// reset it.
    fn has_failed(&self) -> bool {
        false
    }

    /// What an administrator may want to change, a sentence each.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Who a function is, as its configuration space and its place say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// PCI address (`0000:03:02.0`) or socket path.
    pub place: String,
    /// Vendor id: 0x8086 for Intel.
    pub vendor: u16,
    /// Device id.
    pub device: u16,
    /// Revision id.
    pub revision: u8,
    /// Subsystem vendor and device.
    pub subsystem: (u16, u16),
}

/// A block of registers: aligned, 32 bits at a time.
pub trait Window: Send + Sync {
    /// Reads the register at `offset`. Outside the window, or of a device that is gone: all ones.
    fn read(&self, offset: u32) -> u32;
    /// Writes the register at `offset`, after every earlier store to DMA memory. Outside the window: nothing.
    fn write(&self, offset: u32, value: u32);
    /// Size in bytes.
    fn size(&self) -> u32;
}

/// A handle to a function's registers.
#[derive(Clone)]
pub struct Registers(pub Arc<dyn Window>);

impl Registers {
    /// Reads the register at `offset`.
    #[must_use]
    pub fn read(&self, offset: u32) -> u32 {
        self.0.read(offset)
    }

    /// Writes the register at `offset`.
    pub fn write(&self, offset: u32, value: u32) {
        self.0.write(offset, value);
    }
}

impl fmt::Debug for Registers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Registers({} bytes)", self.0.size())
    }
}

/// What a device may do: reach the memory that its driver mapped, and signal. A model stands on this side.
pub trait Bus: Send + Sync {
    /// Reads memory at a device address.
    ///
    /// # Errors
    /// [`Stray`] when any byte of it is not mapped; nothing is read then.
    fn read(&self, address: u64, into: &mut [u8]) -> Result<(), Stray>;

    /// Writes memory at a device address.
    ///
    /// # Errors
    /// [`Stray`] when any byte of it is not mapped; nothing is written then.
    fn write(&self, address: u64, bytes: &[u8]) -> Result<(), Stray>;

    /// Stores one aligned word after everything written before it (how a device sets DD).
    ///
    /// # Errors
    /// [`Stray`] when it is not mapped or not aligned.
    fn store(&self, address: u64, word: u64) -> Result<(), Stray>;

    /// Sends the message of a vector; nothing where the vector is not connected.
    fn signal(&self, vector: u16);
}

/// An access of a device outside of what its driver mapped, or to a buffer that was not posted to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stray {
    /// Where it began.
    pub address: u64,
    /// How long it was.
    pub bytes: usize,
    /// Whether it would have written.
    pub write: bool,
}

impl fmt::Display for Stray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let did = if self.write { "wrote" } else { "read" };
        write!(f, "device {did} {} bytes at {:#x}, outside of its mapped memory", self.bytes, self.address)
    }
}

impl std::error::Error for Stray {}

/// Why a function could not be had or went away. Each text says what to do.
#[derive(Debug)]
pub enum DeviceError {
    /// No such function, or not one that we may open; what, and what to do.
    Unusable(String),
    /// The system refused: what was tried, and its answer.
    Refused(&'static str, std::io::Error),
    /// Memory for DMA is short: what is short and which limit to raise.
    Memory(String),
    /// The device no longer answers.
    Gone(String),
}

impl fmt::Display for DeviceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unusable(say) | Self::Memory(say) => f.write_str(say),
            Self::Refused(tried, error) => write!(f, "cannot {tried}: {error}"),
            Self::Gone(say) => write!(f, "the device is gone: {say}"),
        }
    }
}

impl std::error::Error for DeviceError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Refused(_, error) => Some(error),
            _ => None,
        }
    }
}
