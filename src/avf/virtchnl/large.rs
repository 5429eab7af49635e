//! More than 16 queue pairs: queues in runs, vectors queue by queue, how far RSS reaches.

use super::Opcode;
use super::length;
use super::wire::{Malformed, Message, Put, Reader, count_of, layout};
use crate::code::codes;

codes! {
    /// Which half of a pair.
    QueueKind(i32) {
        TX = 0, "Transmit.";
        RX = 1, "Receive.";
    }
}

/// A run of queues, 8 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueChunk {
    /// Which half.
    pub kind: QueueKind,
    /// The first.
    pub first: u16,
    /// How many.
    pub count: u16,
}

layout! { QueueChunk {
    kind.0: i32;
    first: u16;
    count: u16;
} }

/// ENABLE_QUEUES_V2 and DISABLE_QUEUES_V2, 8 + 8n bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueRuns {
    /// VSI.
    pub vport: u16,
    /// The runs.
    pub runs: Vec<QueueChunk>,
}

impl Message for QueueRuns {
    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let vport = from.u16()?;
        from.skip(2)?;
        let count = from.u16()?;
        from.skip(2)?;
        Ok(Self { vport, runs: from.list(count)? })
    }

    fn write(&self, to: &mut Vec<u8>) {
        let begin = to.len();
        to.u16(self.vport);
        to.zeros(2);
        to.u16(count_of(&self.runs));
        to.zeros(2);
        to.list(&self.runs);
        length::fill(to, begin, Opcode::ENABLE_QUEUES_V2, self.runs.len());
    }
}

/// A queue and its vector, 16 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueVector {
    /// Queue of the VSI.
    pub queue: u16,
    /// Vector of the function, 1 or more.
    pub vector: u16,
    /// Which throttle, 0 to 2.
    pub itr: i32,
    /// Which half.
    pub kind: QueueKind,
}

layout! { QueueVector {
    queue: u16;
    vector: u16;
    pad 4;
    itr: i32;
    kind.0: i32;
} }

/// MAP_QUEUE_VECTOR, 8 + 16n bytes. Some physical functions insist on one element more: [`QueueVectors::longer`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueVectors {
    /// VSI.
    pub vport: u16,
    /// The queues.
    pub queues: Vec<QueueVector>,
}

impl QueueVectors {
    /// The same as messages of `most` queues each, in order: a buffer holds 254 in either length.
    pub fn messages(&self, most: usize) -> impl Iterator<Item = Self> {
        self.queues.chunks(most.max(1)).map(|queues| Self { vport: self.vport, queues: queues.to_vec() })
    }

    /// The payload as the other physical functions want it, to be sent when the first was refused.
    #[must_use]
    pub fn longer(&self) -> Vec<u8> {
        let mut payload = self.encode();
        let bytes = length::other_len(Opcode::MAP_QUEUE_VECTOR, self.queues.len());
        payload.resize(bytes.unwrap_or(payload.len()), 0);
        payload
    }
}

impl Message for QueueVectors {
    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (vport, count) = (from.u16()?, from.u16()?);
        from.skip(4)?;
        Ok(Self { vport, queues: from.list(count)? })
    }

    fn write(&self, to: &mut Vec<u8>) {
        let begin = to.len();
        to.u16(self.vport);
        to.u16(count_of(&self.queues));
        to.zeros(4);
        to.list(&self.queues);
        length::fill(to, begin, Opcode::MAP_QUEUE_VECTOR, self.queues.len());
    }
}

/// The answer to GET_MAX_RSS_QREGION, 8 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RssRegion {
    /// VSI.
    pub vport: u16,
    /// RSS reaches `2^width` queues: 4, 6 or 8.
    pub width: u16,
}

layout! { RssRegion {
    vport: u16;
    width: u16;
    pad 4;
} }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_has_8_bytes_behind_a_header_of_8() {
        let sent =
            QueueRuns { vport: 1, runs: vec![QueueChunk { kind: QueueKind::RX, first: 0, count: 256 }] };
        assert_eq!(sent.encode(), [1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1]);
    }

    #[test]
    fn what_does_not_fit_one_buffer_is_several_messages() {
        let queues = (0..256).map(|queue| QueueVector { queue, vector: 1, itr: 0, kind: QueueKind::RX });
        let all = QueueVectors { vport: 1, queues: queues.collect() };
        let messages: Vec<QueueVectors> = all.messages(254).collect();
        let lens: Vec<usize> = messages.iter().map(|message| message.longer().len()).collect();
        assert_eq!(lens, [24 + 16 * 254, 24 + 16 * 2]);
        assert!(lens.iter().all(|len| *len <= 4096));
        assert_eq!(
            messages.iter().flat_map(|message| message.queues.clone()).collect::<Vec<_>>(),
            all.queues
        );
    }

    #[test]
    fn both_lengths_of_a_vector_map() {
        let one = QueueVector { queue: 17, vector: 3, itr: 0, kind: QueueKind::RX };
        let sent = QueueVectors { vport: 1, queues: vec![one] };
        let (short, long) = (sent.encode(), sent.longer());
        assert_eq!((short.len(), long.len()), (24, 40));
        assert_eq!(long[..24], short);
        assert_eq!(QueueVectors::decode(&long), Ok(sent));
    }
}
