//! Queues and the vectors that serve them.

use avf::rx::{Format, Rxdid, Words};

/// Which way frames go, as the driver sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// To the driver.
    Rx,
    /// From the driver.
    Tx,
}

/// A receive queue.
#[derive(Clone, Debug, Default)]
pub struct RxQueue {
    /// Whether op 6 described it.
    pub configured: bool,
    /// Whether op 8 enabled it.
    pub enabled: bool,
    /// Whether a fault stopped it until the next reset.
    pub stuck: bool,
    /// Device address of its ring.
    pub base: u64,
    /// Descriptors in the ring.
    pub len: u32,
    /// Bytes of each buffer.
    pub buffer: u32,
    /// Longest frame.
    pub longest: u32,
    /// Profile of its descriptors.
    pub rxdid: u8,
    /// Whether frames keep their check sequence.
    pub keep_crc: bool,
    /// Whether descriptors carry the time.
    pub stamps: bool,
    /// Next descriptor that the device uses.
    pub head: u32,
    /// First descriptor that it may not use, as the driver wrote it.
    pub tail: u32,
    /// Descriptors that are done but not yet in memory, in ring order.
    pub pending: Vec<(u32, Words)>,
    /// Frames that went into it since it was set up.
    pub frames: u64,
}

impl RxQueue {
    /// How its descriptors are laid out.
    #[must_use]
    pub fn format(&self) -> Format {
        Format::of(Rxdid(self.rxdid)).unwrap_or(Format::Legacy)
    }

    /// Whether frames can go into it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.enabled && self.len > 0 && self.buffer > 0
    }
}

/// A transmit queue.
#[derive(Clone, Debug, Default)]
pub struct TxQueue {
    /// Whether op 6 described it.
    pub configured: bool,
    /// Whether op 8 enabled it.
    pub enabled: bool,
    /// Whether a fault stopped it until the next reset.
    pub stuck: bool,
    /// Device address of its ring.
    pub base: u64,
    /// Descriptors in the ring.
    pub len: u32,
    /// Next descriptor that the device uses.
    pub head: u32,
    /// First descriptor that it may not use.
    pub tail: u32,
    /// Descriptors that are done and asked for a report, not yet in memory.
    pub pending: Vec<u32>,
}
