//! The model: a function, and everything between it and its driver.

use std::sync::Arc;
use std::time::Duration;

use device::Bus;

use crate::fault::{Act, Site};
use crate::vf::Direction;
use crate::{Function, Memory, Options, Persona, Wire};

/// A software NIC with one virtual function.
///
/// Time is what [`Self::advance`] was told last; nothing here looks at a clock.
#[derive(Debug)]
pub struct Model {
    /// The function as its PF keeps it.
    pub function: Function,
    /// The driver's memory.
    pub memory: Memory,
    /// What the driver sent.
    pub wire: Wire,
    now: Duration,
}

impl Model {
    /// A function on a bus, active and untouched.
    #[must_use]
    pub fn new(persona: Persona, options: Options, bus: Arc<dyn Bus>) -> Self {
        Self {
            function: Function::new(persona, options),
            memory: Memory::new(bus),
            wire: Wire::default(),
            now: Duration::ZERO,
        }
    }

    /// Time since the model began.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.now
    }

    /// Whether queues may do anything: bus mastering is on and no reset is under way.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.memory.is_master()
    }

    /// The fault that strikes here and now, if one does.
    pub fn strike(&mut self, _site: Site) -> Option<Act> {
        None
    }

    /// Descriptors of a queue were completed (some may still be pending): lets its vector know.
    pub fn completed(&mut self, _direction: Direction, _queue: u16) {}
}
