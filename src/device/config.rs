//! The few fields of PCI configuration space that every backing needs (PCI Local Bus 3.0, section 6.1).

use crate::{DeviceError, Identity};

/// Command register.
pub(crate) const COMMAND: u32 = 0x04;

/// Command bit 1: the function answers accesses to its BARs.
const MEMORY: u8 = 1 << 1;

/// Command bit 2: the function may reach memory.
const MASTER: u8 = 1 << 2;

/// Reads who the function is; a field that cannot be read stays all ones.
pub(crate) fn identity(place: String, mut read: impl FnMut(u32, &mut [u8])) -> Identity {
    let mut half = |at| {
        let mut bytes = [0xFF; 2];
        read(at, &mut bytes);
        u16::from_le_bytes(bytes)
    };
    let (vendor, device) = (half(0x00), half(0x02));
    let [revision, _] = half(0x08).to_le_bytes();
    Identity { place, vendor, device, revision, subsystem: (half(0x2C), half(0x2E)) }
}

/// The command register with bus mastering on or off.
pub(crate) fn with_master(command: [u8; 2], on: bool) -> [u8; 2] {
    let [low, high] = command;
    [if on { low | MASTER } else { low & !MASTER }, high]
}

/// The command register with the BARs on.
pub(crate) fn with_memory(command: [u8; 2]) -> [u8; 2] {
    let [low, high] = command;
    [low | MEMORY, high]
}

/// More vectors were asked for than there are.
pub(crate) fn too_many_vectors(asked: u16, has: u16) -> DeviceError {
    DeviceError::Unusable(format!("{asked} interrupt vectors were asked for, the function has {has}"))
}
