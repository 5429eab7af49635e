//! What a worker does with a frame before any parser: decoding, and finding its flow.

use decode::Decoder;
use flow::{Moment, Table};
use frame::Frame;

/// Bytes of table for each flow, with room to spare.
const FLOW: usize = 400;
const LEAST: usize = 1 << 20;

/// Decoder and table.
pub(crate) struct Walk {
    decoder: Decoder,
    table: Table<u64>,
}

impl Walk {
    /// With room for `flows` flows.
    pub(crate) fn new(flows: u32) -> Self {
        let settings =
            flow::Settings { memory: (flows as usize * FLOW).max(LEAST), ..flow::Settings::default() };
        Self { decoder: Decoder::new(&decode::Settings::default()), table: Table::new(&settings) }
    }

    /// A frame through both.
    pub(crate) fn frame(&mut self, frame: &Frame<'_>) {
        let decoded = self.decoder.decode(frame);
        for packet in decoded.packets {
            let from = packet.payload as usize;
            let payload = frame.data.get(from..from + packet.payload_len as usize).unwrap_or_default();
            let now = Moment { time: frame.time, number: frame.number };
            if self.table.turn(packet, payload, now, 0).is_ok_and(|turn| turn.ended) {
                while let Some((flow, _)) = self.table.pop_ended(frame.time) {
                    self.table.remove(flow);
                }
            }
        }
    }

    /// Whether every frame was a packet of one of `flows` flows.
    pub(crate) fn check(&self, flows: u32, frames: u64) -> Result<(), String> {
        let (counters, memory) = (self.table.counters(), self.table.memory());
        if counters.packets != frames || memory.flows != flows as usize {
            return Err(format!(
                "{} packets in {} flows, of {frames} frames in {flows}",
                counters.packets, memory.flows
            ));
        }
        Ok(())
    }
}
