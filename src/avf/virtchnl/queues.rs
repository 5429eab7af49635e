//! CONFIG_VSI_QUEUES, ENABLE_QUEUES, DISABLE_QUEUES and the selector of GET_STATS.

use bitflags::bitflags;

use super::Opcode;
use super::length;
use super::wire::{Malformed, Message, Put, Reader, count_of, layout};

/// A transmit queue, 24 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TxQueue {
    /// VSI.
    pub vsi: u16,
    /// Queue of the VSI.
    pub queue: u16,
    /// Descriptors of its ring; 0 leaves it out.
    pub ring_len: u16,
    /// Head write-back; not served to virtual functions, 0.
    pub headwb: u16,
    /// Device address of the ring.
    pub ring: u64,
    /// Device address of the head write-back.
    pub headwb_address: u64,
}

layout! { TxQueue {
    vsi: u16;
    queue: u16;
    ring_len: u16;
    headwb: u16;
    ring: u64;
    headwb_address: u64;
} }

bitflags! {
    /// Flags of a receive queue. Unknown bits survive.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct RxFlags: u8 {
        /// Timestamps in descriptors.
        const PTP = 1;
        const _ = !0;
    }
}

/// A receive queue, 40 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RxQueue {
    /// VSI.
    pub vsi: u16,
    /// Queue of the VSI.
    pub queue: u16,
    /// Descriptors of its ring; 0 leaves it out.
    pub ring_len: u32,
    /// Bytes of a header buffer; 0.
    pub header: u16,
    /// Header split; 0.
    pub split: u16,
    /// Bytes of a buffer, in steps of 128.
    pub buffer: u32,
    /// Longest frame received, in bytes.
    pub max_frame: u32,
    /// Keep the frame check sequence.
    pub keep_crc: bool,
    /// Descriptor format; 0 and 1 are the legacy one.
    pub rxdid: u8,
    /// Flags.
    pub flags: RxFlags,
    /// Device address of the ring.
    pub ring: u64,
    /// Where headers are split.
    pub split_pos: i32,
}

impl Message for RxQueue {
    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut queue = Self {
            vsi: from.u16()?,
            queue: from.u16()?,
            ring_len: from.u32()?,
            header: from.u16()?,
            split: from.u16()?,
            buffer: from.u32()?,
            max_frame: from.u32()?,
            keep_crc: from.u8()? != 0,
            rxdid: from.u8()?,
            flags: RxFlags::from_bits_retain(from.u8()?),
            ..Self::default()
        };
        from.skip(1)?;
        queue.ring = from.u64()?;
        queue.split_pos = from.i32()?;
        from.skip(4)?;
        Ok(queue)
    }

    fn write(&self, to: &mut Vec<u8>) {
        to.u16(self.vsi);
        to.u16(self.queue);
        to.u32(self.ring_len);
        to.u16(self.header);
        to.u16(self.split);
        to.u32(self.buffer);
        to.u32(self.max_frame);
        to.u8(self.keep_crc.into());
        to.u8(self.rxdid);
        to.u8(self.flags.bits());
        to.zeros(1);
        to.u64(self.ring);
        to.i32(self.split_pos);
        to.zeros(4);
    }
}

/// A transmit and a receive queue of the same number, 64 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueuePair {
    /// Transmit.
    pub tx: TxQueue,
    /// Receive.
    pub rx: RxQueue,
}

impl Message for QueuePair {
    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self { tx: TxQueue::read(from)?, rx: RxQueue::read(from)? })
    }

    fn write(&self, to: &mut Vec<u8>) {
        self.tx.write(to);
        self.rx.write(to);
    }
}

/// CONFIG_VSI_QUEUES, 72 + 64n bytes: a header of 8, the pairs, and one pair's worth of nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigQueues {
    /// VSI.
    pub vsi: u16,
    /// The pairs.
    pub pairs: Vec<QueuePair>,
}

impl ConfigQueues {
    /// The same as messages of `most` pairs each, in order: a buffer holds 62, DPDK sends 32.
    pub fn messages(&self, most: usize) -> impl Iterator<Item = Self> {
        self.pairs.chunks(most.max(1)).map(|pairs| Self { vsi: self.vsi, pairs: pairs.to_vec() })
    }
}

impl Message for ConfigQueues {
    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (vsi, count) = (from.u16()?, from.u16()?);
        from.skip(4)?;
        Ok(Self { vsi, pairs: from.list(count)? })
    }

    fn write(&self, to: &mut Vec<u8>) {
        let begin = to.len();
        to.u16(self.vsi);
        to.u16(count_of(&self.pairs));
        to.zeros(4);
        to.list(&self.pairs);
        length::fill(to, begin, Opcode::CONFIG_VSI_QUEUES, self.pairs.len());
    }
}

/// ENABLE_QUEUES, DISABLE_QUEUES and GET_STATS, 12 bytes. Bit q is queue q.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueSelect {
    /// VSI.
    pub vsi: u16,
    /// Receive queues.
    pub rx: u32,
    /// Transmit queues.
    pub tx: u32,
}

layout! { QueueSelect {
    vsi: u16;
    pad 2;
    rx: u32;
    tx: u32;
} }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_pairs_have_200_bytes() {
        let pair = QueuePair {
            tx: TxQueue { vsi: 26, queue: 1, ring_len: 512, ring: 0x1_0000_1000, ..TxQueue::default() },
            rx: RxQueue {
                vsi: 26,
                queue: 1,
                ring_len: 512,
                buffer: 1536,
                max_frame: 16382,
                ring: 0x1_0000_3000,
                rxdid: 1,
                ..RxQueue::default()
            },
        };
        let sent = ConfigQueues { vsi: 26, pairs: vec![QueuePair::default(), pair] };
        let bytes = sent.encode();
        assert_eq!(bytes.len(), 200);
        assert_eq!(bytes[..8], [26, 0, 2, 0, 0, 0, 0, 0]);
        #[rustfmt::skip]
        assert_eq!(bytes[72..136], [
            26, 0, 1, 0, 0, 2, 0, 0, 0, 0x10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            26, 0, 1, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0xfe, 0x3f, 0, 0, 0, 1, 0, 0,
            0, 0x30, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        ]);
        assert_eq!(bytes[136..], [0; 64]);
        assert_eq!(ConfigQueues::decode(&bytes), Ok(sent));
    }

    #[test]
    fn many_pairs_are_several_messages_that_each_fit() {
        let pair = |queue| QueuePair { rx: RxQueue { queue, ..RxQueue::default() }, ..QueuePair::default() };
        let all = ConfigQueues { vsi: 1, pairs: (0..256).map(pair).collect() };
        let messages: Vec<ConfigQueues> = all.messages(length::fits(Opcode::CONFIG_VSI_QUEUES)).collect();
        assert_eq!(messages.iter().map(|one| one.pairs.len()).collect::<Vec<_>>(), [62, 62, 62, 62, 8]);
        assert!(messages.iter().all(|one| one.vsi == 1 && one.encode().len() <= 4096));
        assert_eq!(messages.into_iter().flat_map(|one| one.pairs).collect::<Vec<_>>(), all.pairs);
    }

    #[test]
    fn a_selector_has_12_bytes() {
        let bytes = QueueSelect { vsi: 1, rx: 0xf, tx: 0x3 }.encode();
        assert_eq!(bytes, [1, 0, 0, 0, 15, 0, 0, 0, 3, 0, 0, 0]);
    }
}
