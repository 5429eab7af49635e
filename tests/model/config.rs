//! Configuration space (reference section 12.1) and the MSI-X table of BAR 3.

use crate::{Host, Persona};

/// Bytes of configuration space.
pub(crate) const BYTES: usize = 4096;
/// Bytes of BAR 3.
pub(crate) const BAR3_BYTES: usize = 16 << 10;

const COMMAND: usize = 0x04;
const STATUS: usize = 0x06;
const BAR0: usize = 0x10;
const BAR3: usize = 0x1C;
const MSIX: usize = 0x70;
const PCIE: usize = 0xA0;
const DEVICE_CONTROL: usize = PCIE + 0x08;
/// Where BAR 3 holds the pending bits.
const PENDING: usize = 0x2000;

/// 64 bits wide, prefetchable memory.
const MEMORY_64: u32 = 0xC;
/// COMMAND bits that can be written: memory, bus master, INTx off.
const COMMAND_WRITABLE: u16 = 0x0406;
/// Device control bit 15: initiate a function-level reset. It reads as 0.
const INITIATE_RESET: u16 = 1 << 15;

/// Extended capabilities, as headers alone: offset, id, version, next.
const EXTENDED: [(usize, u16, u32, u32); 4] =
    [(0x100, 0x0001, 2, 0x150), (0x150, 0x000E, 1, 0x1A0), (0x1A0, 0x0017, 1, 0x1D0), (0x1D0, 0x000D, 1, 0)];

/// Configuration space: what it holds, and which bits of it can be written.
#[derive(Debug)]
pub(crate) struct Config {
    bytes: Vec<u8>,
    writable: Vec<u8>,
}

impl Config {
    pub(crate) fn new(persona: &Persona, host: &Host) -> Self {
        let mut config = Self { bytes: vec![0; BYTES], writable: vec![0; BYTES] };
        config.identity(persona);
        config.bar(BAR0, persona.bar0);
        config.bar(BAR3, BAR3_BYTES as u32);
        config.msix(host.vectors);
        config.pcie(persona.pcie_link);
        for (at, id, version, next) in EXTENDED {
            config.put32(at, u32::from(id) | version << 16 | next << 20);
        }
        config
    }

    fn identity(&mut self, persona: &Persona) {
        self.put16(0x00, 0x8086);
        self.put16(0x02, persona.device);
        self.allow16(COMMAND, COMMAND_WRITABLE);
        self.put16(STATUS, 1 << 4);
        self.put32(0x08, 0x0200_0000 | u32::from(persona.revision));
        self.put16(0x2C, persona.subsystem.0);
        self.put16(0x2E, persona.subsystem.1);
        self.put16(0x34, MSIX as u16);
        self.allow16(0x3C, 0x00FF);
    }

    /// A 64-bit BAR: all ones written to it read back as its size.
    fn bar(&mut self, at: usize, size: u32) {
        self.put32(at, MEMORY_64);
        self.allow32(at, !(size - 1));
        self.allow32(at + 4, u32::MAX);
    }

    fn msix(&mut self, vectors: u16) {
        self.put16(MSIX, 0x0011 | (PCIE as u16) << 8);
        self.put16(MSIX + 2, vectors - 1);
        self.allow16(MSIX + 2, 0xC000);
        self.put32(MSIX + 4, 3);
        self.put32(MSIX + 8, PENDING as u32 | 3);
    }

    fn pcie(&mut self, link: u16) {
        self.put16(PCIE, 0x0010);
        self.put16(PCIE + 0x02, 0x0002);
        // maximum payload 512 bytes, role-based error reporting, function-level reset
        self.put32(PCIE + 0x04, 2 | 1 << 15 | 1 << 28);
        self.allow16(DEVICE_CONTROL, !INITIATE_RESET);
        self.put32(PCIE + 0x0C, u32::from(link));
        self.put16(PCIE + 0x12, link);
        self.put32(PCIE + 0x2C, 0x0E);
        self.allow16(PCIE + 0x28, 0xFFFF);
    }

    pub(crate) fn read(&self, offset: u32, into: &mut [u8]) {
        let from = self.bytes.iter().skip(offset as usize).copied().chain(std::iter::repeat(0xFF));
        into.iter_mut().zip(from).for_each(|(to, from)| *to = from);
    }

    /// Writes what can be written. True when that asked for a function-level reset.
    pub(crate) fn write(&mut self, offset: u32, bytes: &[u8]) -> bool {
        for (at, value) in (offset as usize..).zip(bytes) {
            if let (Some(to), Some(mask)) = (self.bytes.get_mut(at), self.writable.get(at)) {
                *to = *to & !mask | value & mask;
            }
        }
        let at = DEVICE_CONTROL + 1;
        let high = at.checked_sub(offset as usize).and_then(|index| bytes.get(index));
        high.is_some_and(|byte| byte & 0x80 != 0)
    }

    /// What a function-level reset leaves: identity and BARs, as the host puts them back anyway.
    pub(crate) fn reset(&mut self) {
        self.put16(COMMAND, 0);
        let msix = self.get16(MSIX + 2) & 0x3FFF;
        self.put16(MSIX + 2, msix);
        self.put16(DEVICE_CONTROL, 0);
    }

    /// COMMAND bit 2.
    pub(crate) fn is_master(&self) -> bool {
        self.get16(COMMAND) & 4 != 0
    }

    /// COMMAND bit 1.
    pub(crate) fn is_memory(&self) -> bool {
        self.get16(COMMAND) & 2 != 0
    }

    fn get16(&self, at: usize) -> u16 {
        u16::from_le_bytes([self.bytes[at], self.bytes[at + 1]])
    }

    fn put16(&mut self, at: usize, value: u16) {
        self.bytes[at..at + 2].copy_from_slice(&value.to_le_bytes());
    }

    fn put32(&mut self, at: usize, value: u32) {
        self.bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }

    fn allow16(&mut self, at: usize, mask: u16) {
        self.writable[at..at + 2].copy_from_slice(&mask.to_le_bytes());
    }

    fn allow32(&mut self, at: usize, mask: u32) {
        self.writable[at..at + 4].copy_from_slice(&mask.to_le_bytes());
    }
}

/// BAR 3: the MSI-X table and its pending bits.
///
/// Whoever holds a function (a hypervisor, a kernel) keeps the real table and connects vectors by itself, so a table
/// that nobody has written masks nothing.
#[derive(Debug)]
pub(crate) struct Table {
    bytes: Vec<u8>,
    vectors: u16,
    written: bool,
}

impl Table {
    pub(crate) fn new(vectors: u16) -> Self {
        Self { bytes: vec![0; BAR3_BYTES], vectors, written: false }
    }

    pub(crate) fn read(&self, offset: u32, into: &mut [u8]) {
        let from = self.bytes.iter().skip(offset as usize).copied().chain(std::iter::repeat(0));
        into.iter_mut().zip(from).for_each(|(to, from)| *to = from);
    }

    /// Writes entries; pending bits cannot be written. Returns the vectors that were let go while pending.
    pub(crate) fn write(&mut self, offset: u32, bytes: &[u8]) -> Vec<u16> {
        let end = usize::from(self.vectors) * 16;
        for (at, value) in (offset as usize..end).zip(bytes) {
            self.bytes[at] = *value;
            self.written = true;
        }
        let free = (0..self.vectors).filter(|vector| self.is_pending(*vector) && !self.is_masked(*vector));
        let free: Vec<u16> = free.collect();
        free.iter().for_each(|vector| self.set_pending(*vector, false));
        free
    }

    pub(crate) fn reset(&mut self) {
        self.bytes.fill(0);
        self.written = false;
    }

    /// Whether a signal of this vector has to wait; it is latched then.
    pub(crate) fn holds(&mut self, vector: u16) -> bool {
        let held = self.is_masked(vector);
        if held {
            self.set_pending(vector, true);
        }
        held
    }

    /// The driver forgets a latched signal.
    pub(crate) fn forget(&mut self, vector: u16) {
        if vector < self.vectors {
            self.set_pending(vector, false);
        }
    }

    fn is_masked(&self, vector: u16) -> bool {
        self.written && vector < self.vectors && self.bytes[usize::from(vector) * 16 + 12] & 1 != 0
    }

    fn is_pending(&self, vector: u16) -> bool {
        let (at, bit) = Self::pending_bit(vector);
        self.bytes[at] & bit != 0
    }

    fn set_pending(&mut self, vector: u16, on: bool) {
        let (at, bit) = Self::pending_bit(vector);
        let old = self.bytes[at];
        self.bytes[at] = if on { old | bit } else { old & !bit };
    }

    fn pending_bit(vector: u16) -> (usize, u8) {
        (PENDING + usize::from(vector / 8), 1 << (vector % 8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Function, Options};

    fn config(persona: Persona) -> Config {
        let function = Function::new(persona, Options::default());
        Config::new(&function.persona, &function.host)
    }

    fn read32(config: &Config, at: u32) -> u32 {
        let mut bytes = [0; 4];
        config.read(at, &mut bytes);
        u32::from_le_bytes(bytes)
    }

    #[test]
    fn a_function_is_who_its_persona_says() {
        assert_eq!(read32(&config(Persona::i40e()), 0), 0x154C_8086);
        assert_eq!(read32(&config(Persona::x722()), 0), 0x37CD_8086);
        assert_eq!(read32(&config(Persona::i40e()), 8), 0x0200_0002);
    }

    #[test]
    fn bars_tell_their_size() {
        let mut config = config(Persona::i40e());
        for (at, size) in [(0x10, 64 << 10), (0x1C, 16 << 10)] {
            assert_eq!(read32(&config, at), 0xC);
            config.write(at, &[0xFF; 8]);
            let told = u64::from(read32(&config, at + 4)) << 32 | u64::from(read32(&config, at) & !0xF);
            assert_eq!(told.wrapping_neg(), size);
            config.write(at, &0xF000_0000_u64.to_le_bytes());
            assert_eq!(read32(&config, at), 0xF000_000C);
        }
    }

    /// Capabilities are a list: every one is reached, and reads as what a driver looks for in it.
    #[test]
    fn capabilities_follow_each_other() {
        let config = config(Persona::i40e());
        let first = read32(&config, 0x34) & 0xFF;
        let msix = read32(&config, first);
        assert_eq!((msix & 0xFF, msix >> 16 & 0x7FF), (0x11, 4), "five vectors");
        assert_eq!((read32(&config, first + 4), read32(&config, first + 8)), (3, 0x2003));
        let pcie = msix >> 8 & 0xFF;
        assert_eq!(read32(&config, pcie) & 0xFF, 0x10);
        assert_ne!(read32(&config, pcie + 4) & 1 << 28, 0, "resets by function");
        let mut at = 0x100;
        let mut seen = Vec::new();
        while at != 0 {
            let header = read32(&config, at);
            seen.push(header & 0xFFFF);
            at = header >> 20;
        }
        assert_eq!(seen, [0x1, 0xE, 0x17, 0xD]);
    }

    #[test]
    fn a_reset_is_asked_for_by_one_bit_and_keeps_bars() {
        let mut config = config(Persona::i40e());
        config.write(0x10, &0xE000_0000_u32.to_le_bytes());
        config.write(0x04, &0xFFFF_u16.to_le_bytes());
        assert!(config.is_master() && config.is_memory());
        assert_eq!(read32(&config, 0x04) & 0xFFFF, 0x0406);
        assert!(!config.write(0xA8, &0x7FFF_u16.to_le_bytes()));
        assert!(config.write(0xA8, &0x8000_u16.to_le_bytes()));
        config.reset();
        assert!(!config.is_master());
        assert_eq!(read32(&config, 0x10), 0xE000_000C);
    }

    #[test]
    fn a_masked_vector_is_latched_until_it_is_let_go() {
        let mut table = Table::new(5);
        assert!(!table.holds(1), "nobody has written the table");
        assert!(table.write(16 + 12, &1_u32.to_le_bytes()).is_empty());
        assert!(table.holds(1) && !table.holds(0));
        let mut pending = [0; 1];
        table.read(0x2000, &mut pending);
        assert_eq!(pending, [2]);
        assert_eq!(table.write(16 + 12, &0_u32.to_le_bytes()), [1]);
        table.read(0x2000, &mut pending);
        assert_eq!(pending, [0]);
    }
}
