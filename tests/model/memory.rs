//! The driver's memory, every access checked and every stray one remembered.

use std::fmt;
use std::sync::Arc;

use device::{Bus, Stray};

/// How many stray accesses are remembered; all are counted.
const REMEMBERED: usize = 64;

/// The way to the driver's memory.
pub struct Memory {
    bus: Arc<dyn Bus>,
    master: bool,
    strays: Vec<Strayed>,
    count: u64,
}

/// A stray access, and on whose behalf it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strayed {
    /// What went astray.
    pub stray: Stray,
    /// What the model was doing.
    pub doing: &'static str,
}

impl fmt::Display for Strayed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.doing, self.stray)
    }
}

/// Why memory was not reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// Bus mastering is off.
    Master,
    /// Not mapped; remembered.
    Stray(Stray),
}

impl Memory {
    /// Memory behind a bus; bus mastering is off.
    #[must_use]
    pub fn new(bus: Arc<dyn Bus>) -> Self {
        Self { bus, master: false, strays: Vec::new(), count: 0 }
    }

    /// Lets the function reach memory, or not.
    pub fn set_master(&mut self, on: bool) {
        self.master = on;
    }

    /// Whether the function may reach memory.
    #[must_use]
    pub fn is_master(&self) -> bool {
        self.master
    }

    /// Stray accesses so far, the first 64 of them.
    #[must_use]
    pub fn strays(&self) -> &[Strayed] {
        &self.strays
    }

    /// How many stray accesses there were.
    #[must_use]
    pub fn stray_count(&self) -> u64 {
        self.count
    }

    /// Reads memory.
    ///
    /// # Errors
    /// Bus mastering off; a stray access, which is remembered as made while `doing`.
    pub fn read(&mut self, doing: &'static str, address: u64, into: &mut [u8]) -> Result<(), Denied> {
        self.may()?;
        let done = self.bus.read(address, into);
        self.note(doing, done)
    }

    /// Writes memory.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn write(&mut self, doing: &'static str, address: u64, bytes: &[u8]) -> Result<(), Denied> {
        self.may()?;
        let done = self.bus.write(address, bytes);
        self.note(doing, done)
    }

    /// Stores one aligned word after everything written before it.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn store(&mut self, doing: &'static str, address: u64, word: u64) -> Result<(), Denied> {
        self.may()?;
        let done = self.bus.store(address, word);
        self.note(doing, done)
    }

    /// Sends the message of a vector.
    pub fn signal(&self, vector: u16) {
        self.bus.signal(vector);
    }

    fn may(&self) -> Result<(), Denied> {
        if self.master { Ok(()) } else { Err(Denied::Master) }
    }

    fn note(&mut self, doing: &'static str, done: Result<(), Stray>) -> Result<(), Denied> {
        done.map_err(|stray| {
            self.count += 1;
            if self.strays.len() < REMEMBERED {
                self.strays.push(Strayed { stray, doing });
            }
            Denied::Stray(stray)
        })
    }
}

/// The bus of a function that is on none: nothing is mapped.
pub(crate) struct Nothing;

impl Bus for Nothing {
    fn read(&self, address: u64, into: &mut [u8]) -> Result<(), Stray> {
        Err(Stray { address, bytes: into.len(), write: false })
    }

    fn write(&self, address: u64, bytes: &[u8]) -> Result<(), Stray> {
        Err(Stray { address, bytes: bytes.len(), write: true })
    }

    fn store(&self, address: u64, _word: u64) -> Result<(), Stray> {
        Err(Stray { address, bytes: 8, write: true })
    }

    fn signal(&self, _vector: u16) {}
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Memory(master {}, {} strays)", self.master, self.count)
    }
}
