//! The worker's side of events: which are wanted, and where in the run each stands.

use crate::packets::Trigger;
use crate::tap::Mirror;
use event::{Batch, Header, Key};
use parse::Side;
use std::sync::Arc;

/// Which events are written. The defaults are those of Suricata's shipped configuration, where it has the event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventTypes {
    /// `flow`.
    pub flow: bool,
    /// `netflow`.
    pub netflow: bool,
    /// `arp`.
    pub arp: bool,
    /// `anomaly` of decoding.
    pub anomaly_decode: bool,
    /// `anomaly` of TCP streams.
    pub anomaly_stream: bool,
    /// `anomaly` of application protocols.
    pub anomaly_applayer: bool,
    /// `fileinfo`.
    pub fileinfo: bool,
    /// Records of protocols (`http`, `tls`, ...) that are not written, by event type.
    pub without: Vec<String>,
    /// `community_id` on every event of a flow, with this seed.
    pub community_id: Option<u16>,
    /// `ether` on every event that has addresses.
    pub ethernet: bool,
}

impl Default for EventTypes {
    fn default() -> Self {
        Self {
            flow: true,
            netflow: false,
            arp: true,
            anomaly_decode: false,
            anomaly_stream: false,
            anomaly_applayer: true,
            fileinfo: true,
            without: Vec::new(),
            community_id: None,
            ethernet: false,
        }
    }
}

/// The worker's batch, and how many events each type has had.
#[derive(Debug, Default)]
pub struct Out {
    /// Events since the last handover.
    pub batch: Batch,
    /// Events written, by type, in the order in which types first came.
    pub counts: Vec<(&'static str, u64)>,
    /// Events that have packets kept.
    pub(crate) trigger: Trigger,
    /// The mirror that the packet, or the flow, that events speak of came by.
    pub(crate) tap: Option<Mirror>,
    /// What the tenants of mirrors are called.
    pub(crate) tenants: Vec<Arc<str>>,
}

impl Out {
    /// Ends an event whose fields stand on the tape since `from`.
    pub fn push(&mut self, key: Key, header: Header, from: usize) {
        self.push_kind(key, header, "", from);
    }

    /// As [`Self::push`], of an event type that comes in several kinds.
    pub(crate) fn push_kind(&mut self, key: Key, header: Header, kind: &str, from: usize) {
        match self.counts.iter_mut().find(|(name, _)| *name == header.event_type) {
            Some((_, n)) => *n += 1,
            None => self.counts.push((header.event_type, 1)),
        }
        if let Some(tap) = &self.tap {
            tap.write(&self.tenants, &mut self.batch.tape);
        }
        self.trigger.event(header.event_type, kind, &mut self.batch.tape);
        self.batch.push(key, header, from);
    }
}

/// Place of the present packet, and a counter for the events it causes in one share.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Place {
    /// Slot of the packet in the run: twice its number, plus one; the tick before it has the even slot.
    pub(crate) slot: u64,
    /// Packet time.
    pub(crate) nanos: u64,
    /// `pcap_cnt`, 0 when no packet causes what happens.
    pub(crate) packet: u64,
    /// Index of the mirror.
    pub(crate) tap: u16,
    /// `pkt_src`.
    pub(crate) origin: &'static str,
    /// Another packet travels inside.
    pub(crate) outer: bool,
    /// Who sent the packet, as its flow has it; nobody when none causes what happens.
    pub(crate) sender: Option<Side>,
    /// Which share.
    pub(crate) share: u16,
    /// Next event's turn.
    pub(crate) turn: u32,
}

impl Place {
    /// The key of the next event here.
    pub(crate) fn next(&mut self) -> Key {
        let key = Key { packet: self.slot, share: self.share, turn: self.turn };
        self.turn += 1;
        key
    }
}
