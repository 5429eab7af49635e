//! A model of a function, as a backing holds it.

use std::sync::Arc;

use crate::Bus;

/// A part of a function that is read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Region {
    /// BAR 0: registers.
    Bar0,
    /// BAR 3: MSI-X table and pending bits.
    Bar3,
    /// Configuration space.
    Config,
}

/// How large a function is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Bytes of BAR 0.
    pub bar0: u32,
    /// Bytes of BAR 3.
    pub bar3: u32,
    /// Bytes of configuration space: 256 or 4,096.
    pub config: u32,
    /// MSI-X vectors.
    pub vectors: u16,
}

impl Shape {
    /// Bytes of a region.
    #[must_use]
    pub fn bytes(&self, region: Region) -> u32 {
        match region {
            Region::Bar0 => self.bar0,
            Region::Bar3 => self.bar3,
            Region::Config => self.config,
        }
    }
}

/// A software device. Backings serve it to a driver in this process ([`crate::Local`]) or, in another process, over a socket.
///
/// Accesses lie inside of their region. It may use its [`Bus`] during any of these calls; no lock that the bus takes is
/// held then.
pub trait Peer: Send {
    /// How large it is. Constant.
    fn shape(&self) -> Shape;

    /// Reads from a region.
    fn read(&mut self, region: Region, offset: u32, into: &mut [u8]);

    /// Writes to a region.
    fn write(&mut self, region: Region, offset: u32, bytes: &[u8]);

    /// Function-level reset: bus mastering and MSI-X off, registers as after power-on. Vectors are disconnected by the
    /// backing.
    fn reset(&mut self);

    /// The bus through which it reaches memory and signals; called once before any other access.
    fn attach(&mut self, bus: Arc<dyn Bus>);
}
