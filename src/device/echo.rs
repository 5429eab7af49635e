//! A device to test backings with.

use std::sync::Arc;

use crate::{Bus, Peer, Region, Shape};

/// A device of four registers: 0 and 4 hold an address, 8 turns so many bytes there around, 12 signals a vector, 16 panics.
#[derive(Default)]
pub(crate) struct Echo {
    pub(crate) bus: Option<Arc<dyn Bus>>,
    pub(crate) low: u32,
    pub(crate) high: u32,
    pub(crate) seen: Vec<u8>,
    pub(crate) command: [u8; 2],
    pub(crate) resets: u32,
}

impl Peer for Echo {
    fn shape(&self) -> Shape {
        Shape { bar0: 64, bar3: 64, config: 256, vectors: 40 }
    }

    fn read(&mut self, region: Region, offset: u32, into: &mut [u8]) {
        let value = match (region, offset) {
            (Region::Config, 0) => 0x8086u32,
            (Region::Config, 2) => 0x154C,
            (Region::Config, 4) => u32::from(u16::from_le_bytes(self.command)),
            (Region::Bar0, 0) => self.low,
            _ => 0,
        };
        let n = into.len().min(4);
        into[..n].copy_from_slice(&value.to_le_bytes()[..n]);
    }

    fn write(&mut self, region: Region, offset: u32, bytes: &[u8]) {
        if region == Region::Config {
            self.command.copy_from_slice(bytes);
            return;
        }
        let value = u32::from_le_bytes(bytes.try_into().expect("registers are four bytes"));
        let bus = self.bus.clone().expect("attached");
        match offset {
            0 => self.low = value,
            4 => self.high = value,
            8 => {
                let address = u64::from(self.high) << 32 | u64::from(self.low);
                let mut bytes = vec![0; value as usize];
                if bus.read(address, &mut bytes).is_ok() {
                    bytes.reverse();
                    bus.write(address, &bytes).expect("what can be read can be written");
                    self.seen = bytes;
                }
            }
            16 => panic!("the model ends here, as its test asked"),
            12 => bus.signal(u16::try_from(value).expect("a vector")),
            _ => {}
        }
    }

    fn reset(&mut self) {
        self.resets += 1;
    }

    fn attach(&mut self, bus: Arc<dyn Bus>) {
        self.bus = Some(bus);
    }
}
