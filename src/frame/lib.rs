//! Frame: what one captured packet is, and the door through which every source hands packets over.
//!
//! Gives: [`Frame`], [`Batch`], [`Timestamp`], [`LinkType`], [`TapId`], the [`RxQueue`] door, the door for [`bypass`], the ledger's reasons,
//! and the [`counters!`] catalogue macro. Depends on: nothing, not even on another room.
//! Will never know: where frames come from, what is inside them, or what time it is.

#![forbid(unsafe_code)]

pub mod bypass;
mod counters;
mod ledger;
mod link;
mod queue;
mod time;

pub use counters::Counter;
pub use ledger::{Ledger, Loss};
pub use link::LinkType;
pub use queue::{Batch, Lot, RxError, RxQueue, RxStatus, Sorted, Sorter};
pub use time::Timestamp;

/// Which mirror (interface, virtual function, file) a frame came from; an index into the sensor's list of taps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TapId(pub u16);

/// A VLAN tag that the kernel or the NIC took out of the frame and handed over beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VlanTag {
    /// Tag protocol identifier: 0x8100, 0x88a8, ...
    pub tpid: u16,
    /// Tag control information: priority, drop eligible, VLAN id.
    pub tci: u16,
}

/// What the source says of the transport checksum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Checksum {
    /// Nobody looked: verify where verification is asked for.
    #[default]
    Unknown,
    /// The kernel or the NIC verified it.
    Good,
    /// The field holds a pseudo-header seed (transmit offload): it must not be verified.
    Partial,
}

/// One captured packet, lent by its source until the burst ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The captured bytes, from the link-layer header on.
    pub data: &'a [u8],
    /// Length on the wire; larger than `data.len()` when the capture was cut short.
    pub wire_len: u32,
    /// When the source saw it.
    pub time: Timestamp,
    /// Place in the source, from 1 (EVE's `pcap_cnt`).
    pub number: u64,
    /// How to read the first byte.
    pub link: LinkType,
    /// Tag that travelled beside the frame, outermost.
    pub vlan: Option<VlanTag>,
    /// Checksum state.
    pub checksum: Checksum,
    /// Which mirror it came from.
    pub tap: TapId,
}

/// Where an Ethernet header has its first tag.
const TAG: usize = 12;

impl<'a> Frame<'a> {
    /// The bytes as they were on the wire, in three pieces: a tag that travelled beside an Ethernet frame is put back.
    #[must_use]
    pub fn with_tag(&self) -> (&'a [u8], Option<[u8; 4]>, &'a [u8]) {
        match self.vlan {
            Some(vlan) if self.link == LinkType::ETHERNET && self.data.len() >= TAG => {
                let ([a, b], [c, d]) = (vlan.tpid.to_be_bytes(), vlan.tci.to_be_bytes());
                let (front, rest) = self.data.split_at(TAG);
                (front, Some([a, b, c, d]), rest)
            }
            _ => (&[], None, self.data),
        }
    }

    /// Whether the source kept fewer bytes than were on the wire.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        (self.data.len() as u64) < u64::from(self.wire_len)
    }
}
