//! What a worker does with a frame before any parser: decoding, and finding its flow.

use decode::Decoder;
use flow::{Moment, Table};
use frame::{Frame, Timestamp};

/// Bytes of table for each flow, with room to spare.
const FLOW: usize = 400;
const LEAST: usize = 1 << 20;

/// Decoder and table.
pub(crate) struct Walk {
    settings: decode::Settings,
    decoder: Decoder,
    table: Table<u64>,
    /// Latest packet time.
    now: Timestamp,
}

impl Walk {
    /// With room for `flows` flows.
    pub(crate) fn new(flows: u32) -> Self {
        let settings =
            flow::Settings { memory: (flows as usize * FLOW).max(LEAST), ..flow::Settings::default() };
        let decode = decode::Settings::default();
        Self {
            decoder: Decoder::new(&decode),
            settings: decode,
            table: Table::new(&settings),
            now: Timestamp::ZERO,
        }
    }

    /// A burst through both, with the sensor's look ahead.
    pub(crate) fn burst(&mut self, frames: &[Frame<'_>]) {
        let many = self.table.flows() >= flow::MANY;
        for group in frames.chunks(flow::AHEAD) {
            if many {
                let next = group.iter().filter_map(|frame| decode::sight(&self.settings, frame));
                flow::look_ahead(next.map(|sight| (&self.table, sight, 0)));
            }
            group.iter().for_each(|frame| self.frame(frame));
        }
    }

    fn frame(&mut self, frame: &Frame<'_>) {
        // As in the sensor: flows end at each whole second that begins.
        if frame.time.seconds() > self.now.seconds() {
            end(&mut self.table, frame.time);
        }
        self.now = self.now.max(frame.time);
        let decoded = self.decoder.decode(frame);
        for packet in decoded.packets {
            let from = packet.payload as usize;
            let payload = frame.data.get(from..from + packet.payload_len as usize).unwrap_or_default();
            let now = Moment { time: frame.time, number: frame.number };
            if self.table.turn(packet, payload, now, 0).is_ok_and(|turn| turn.ended) {
                end(&mut self.table, frame.time);
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

fn end(table: &mut Table<u64>, now: Timestamp) {
    while let Some((flow, _)) = table.pop_ended(now) {
        table.remove(flow);
    }
}
