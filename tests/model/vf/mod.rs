//! What a driver asked of its function since the last reset.

mod filters;
mod queues;
mod rss;
mod statistics;

pub use filters::Filters;
pub use queues::{Direction, RxQueue, TxQueue, VectorMap};
pub use rss::Rss;
pub use statistics::Statistics;

use crate::Host;

/// State of a virtual function; every reset begins a new one.
#[derive(Clone, Debug)]
pub struct Vf {
    /// Version of virtchnl that was agreed upon.
    pub version: Option<(u32, u32)>,
    /// Capabilities that the driver asked for in op 3.
    pub asked: u32,
    /// Capabilities granted by op 3; none before it.
    pub granted: Option<u32>,
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
    /// Whether VLAN tags are taken out of frames.
    pub strip: bool,
    /// The twelve counters of op 15.
    pub statistics: Statistics,
}

impl Vf {
    /// A function that was just reset.
    #[must_use]
    pub fn new(host: &Host) -> Self {
        let pairs = usize::from(host.pairs);
        Self {
            version: None,
            asked: 0,
            granted: None,
            rx: vec![RxQueue::default(); pairs],
            tx: vec![TxQueue::default(); pairs],
            vectors: vec![VectorMap::default(); usize::from(host.vectors)],
            filters: Filters::new(host),
            rss: Rss::new(host),
            strip: false,
            statistics: Statistics::default(),
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
