//! What a driver asked of its function since the last reset.

mod filters;
mod qos;
mod queues;
mod rss;
mod rules;
mod seats;
mod vlan;

pub use filters::Filters;
pub use qos::Qos;
pub use queues::{Direction, RxQueue, TxQueue};
pub use rss::Rss;
pub use rules::{Rule, Rules};
pub use seats::{Seat, Seats};
pub use vlan::Strip;

use avf::rss::Family;
use avf::virtchnl::{Caps, PtpBits, Stats, Version};

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
    /// Which vector each queue signals.
    pub seats: Seats,
    /// What it wants to receive.
    pub filters: Filters,
    /// How frames are spread over queues.
    pub rss: Rss,
    /// Flows that are steered or dropped (op 47).
    pub steered: Rules,
    /// Flows that it has copies of (op 114).
    pub subscribed: Rules,
    /// What the clock does for it (op 60).
    pub ptp: PtpBits,
    /// How what it sends is scheduled.
    pub qos: Qos,
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
            seats: Seats::new(host.pairs),
            filters: Filters::new(host),
            rss: Rss::new(host, family),
            steered: Rules::default(),
            subscribed: Rules::default(),
            ptp: PtpBits::empty(),
            qos: Qos::default(),
            strip: Strip::default(),
            insert_outer: Strip::TPID,
            started: false,
            own: host.mac,
            statistics: Stats::default(),
        }
    }

    /// Whether op 3 granted all of these.
    #[must_use]
    pub fn has(&self, caps: Caps) -> bool {
        self.granted.is_some_and(|granted| granted.contains(caps))
    }
}
