//! The model as a backing of a device sees it: regions that are read and written.

use std::sync::Arc;

use device::{Bus, Peer, Region, Shape};

use crate::{Model, Reset, config, interrupt, registers};

impl Peer for Model {
    fn shape(&self) -> Shape {
        Shape {
            bar0: self.function.persona.bar0,
            bar3: config::BAR3_BYTES as u32,
            config: config::BYTES as u32,
            vectors: self.function.host.vectors,
        }
    }

    /// Registers are 32 bits wide; an access of another width reads the bytes that it touches of them.
    fn read(&mut self, region: Region, offset: u32, into: &mut [u8]) {
        match region {
            Region::Bar0 => {
                for (at, to) in words(offset, into) {
                    let value = registers::read(self, at).to_le_bytes();
                    to.copy_from_slice(&value[..to.len()]);
                }
            }
            Region::Bar3 => self.table.read(offset, into),
            Region::Config if self.is_removed() => into.fill(0xFF),
            Region::Config => self.config.read(offset, into),
        }
        self.settle();
    }

    fn write(&mut self, region: Region, offset: u32, bytes: &[u8]) {
        match region {
            Region::Bar0 => {
                let (whole, _) = bytes.as_chunks::<4>();
                for (at, value) in (offset..).step_by(4).zip(whole) {
                    registers::write(self, at, u32::from_le_bytes(*value));
                }
            }
            Region::Bar3 => {
                for vector in self.table.write(offset, bytes) {
                    interrupt::signal(self, vector);
                }
            }
            Region::Config => {
                let resets = self.config.write(offset, bytes);
                self.memory.set_master(self.config.is_master());
                if resets {
                    self.reset(Reset::Flr);
                }
            }
        }
        self.settle();
    }

    fn reset(&mut self) {
        Self::reset(self, Reset::Flr);
    }

    fn attach(&mut self, bus: Arc<dyn Bus>) {
        Self::attach(self, bus);
    }
}

/// Runs of up to four bytes with their offsets.
fn words(offset: u32, into: &mut [u8]) -> impl Iterator<Item = (u32, &mut [u8])> {
    (offset..).step_by(4).zip(into.chunks_mut(4))
}
