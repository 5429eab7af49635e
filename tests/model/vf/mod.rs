//! What a driver asked of its function since the last reset.

mod filters;
mod queues;
mod rss;
mod vlan;

pub use filters::Filters;
pub use queues::{Direction, RxQueue, TxQueue, VectorMap};
pub use rss::Rss;
pub use vlan::Strip;

use avf::rss::Family;
use avf::virtchnl::{Caps, Stats, Version};

use crate::Host;

/// State of a virtual function; every reset begins a new one.
#[derive(Clone, Debug)]
pub struct Vf {
    /// Version of virtchnl that was agreed upon.
    pub version: Option<Version>,
    /// Capabilities that the driver asked for in op 3.
    pub asked: Caps,
    /// Capabilities granted by op 3; none before it.
    pub granted: Option<Caps>,
    /// Receive queues, as many as the function has pairs.
    pub rx: Vec<RxQueue>,
    /// Transmit queues, as many as the function has pairs.
    pub tx: Vec<TxQueue>,
    /// Which queues each MSI-X vector serves, by vector.
    pub vectors: Vec<VectorMap>,
    /// What it wants to receive.
    pub filters: Filters,
    /// How frames are spread over queues.
    pub rss: Rss,
    /// Which VLAN tags are taken out of frames.
    pub strip: Strip,
    /// Tag protocol of the outer tag that descriptors ask to insert.
    pub insert_outer: u16,
    /// Whether op 8 started queues that have not all been stopped since.
    pub started: bool,
    /// The address that it called its own.
    pub own: Option<[u8; 6]>,
    /// The twelve counters of op 15. Bytes are counted without the frame check sequence; a frame that found no
    /// descriptor counts as received and as discarded.
    pub statistics: Stats,
}

impl Vf {
    /// A function that was just reset.
    #[must_use]
    pub fn new(host: &Host, family: Family) -> Self {
        let pairs = usize::from(host.pairs);
        Self {
            version: None,
            asked: Caps::empty(),
            granted: None,
            rx: vec![RxQueue::default(); pairs],
            tx: vec![TxQueue::default(); pairs],
            vectors: vec![VectorMap::default(); usize::from(host.vectors)],
            filters: Filters::new(host),
            rss: Rss::new(host, family),
            strip: Strip::default(),
            insert_outer: Strip::TPID,
            started: false,
            own: host.mac,
            statistics: Stats::default(),
        }
    }

    /// The vector that serves a queue, and the throttle (ITR index) that it is to use; none when it is not mapped.
    #[must_use]
    pub fn vector_of(&self, direction: Direction, queue: u16) -> Option<(u16, u16)> {
        let bit = 1u32.checked_shl(u32::from(queue))?;
        (0u16..).zip(&self.vectors).find_map(|(vector, map)| {
            let (mask, itr) = match direction {
                Direction::Rx => (map.rx, map.rx_itr),
                Direction::Tx => (map.tx, map.tx_itr),
            };
            (u32::from(mask) & bit != 0).then_some((vector, itr))
        })
    }
}
