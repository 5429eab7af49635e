//! Flows that nobody looks at any more: who says so, what the source is asked, and what comes home.
//!
//! A bypassed flow is only counted: its payload is neither put in order nor parsed. That much is done here, always
//! (`local`). Where the source can be asked ([`frame::bypass`]) it drops the flow's frames before they reach us
//! (`capture`), and tells how many they were; the flow's record and the ledger have them all.

mod ask;
mod settings;
#[cfg(test)]
mod tests;

pub(crate) use settings::{BypassSettings, Depth, Network};

use crate::share::Attached;
use flow::{FlowRef, Side, Table};
use frame::bypass::{Bypass, Half, Home, News, WhyNot};
use frame::{Ledger, Timestamp};

pub(crate) use ask::Seen;

frame::counters! {
    /// What is counted of bypass.
    pub struct Counters("bypass") {
        by_depth: "flows bypassed because their streams were read as far as they are to be",
        by_encryption: "flows bypassed because what follows is encrypted",
        by_policy: "flows bypassed because bypass.networks has them",
        by_rate: "flows bypassed because of their bytes in one second",
        captured: "bypassed flows whose frames the source began to drop",
        not_full: "times the source had no room for a flow",
        not_able: "times the source could not tell a flow's frames from others",
        not_refused: "times the source was refused by kernel or device",
        ended: "flows that the source let go of because they were over",
        lost: "flows that the source let go of by itself",
        local_packets: "packets of bypassed flows that came and were only counted",
        local_bytes: "bytes of them",
        queued_packets: "packets among them that came although the source drops the flow's: they were in its queue already, begin \
                         or end a connection, or are fragments",
        queued_bytes: "bytes of them",
        capture_packets: "packets of bypassed flows that the source dropped, as told so far",
        capture_bytes: "bytes of them",
    }
}

/// Why a flow is bypassed: the plain value that travels back from whoever decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Its streams were read as far as they are to be.
    Depth,
    /// What follows is encrypted.
    Encryption,
    /// The configuration names its network.
    Policy,
    /// It is too fast.
    Rate,
}

impl Reason {
    /// As events have it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Depth => "depth",
            Self::Encryption => "encryption",
            Self::Policy => "policy",
            Self::Rate => "rate",
        }
    }
}

/// Packets and bytes of each side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Amount {
    pub(crate) packets: [u64; 2],
    pub(crate) bytes: [u64; 2],
}

impl Amount {
    fn add(&mut self, side: Side, packets: u64, bytes: u64) {
        for (count, more) in [(&mut self.packets, packets), (&mut self.bytes, bytes)] {
            if let Some(count) = count.get_mut(side.index()) {
                *count += more;
            }
        }
    }
}

/// What hangs on a bypassed flow.
#[derive(Clone, Debug)]
pub(crate) struct Bypassed {
    pub(crate) reason: Reason,
    /// Packets that came and were only counted.
    pub(crate) local: Amount,
    /// Packets that the source dropped.
    pub(crate) capture: Amount,
    /// The source has dropped its frames, if only for a while.
    pub(crate) captured: bool,
    /// Its number at the source, while that drops its frames.
    token: Option<u32>,
    /// The source is not asked before this.
    not_before: Timestamp,
}

/// One direction of a flow at the source, and what its packets are worth.
#[derive(Clone, Debug)]
struct Way {
    half: Half,
    side: Side,
    worth: Worth,
    /// Tunnels around it that are flows themselves.
    outer: Vec<Outer>,
}

/// What a packet's length is, by what the source counts.
#[derive(Clone, Copy, Debug)]
enum Worth {
    /// The whole frame, and this.
    Frame(i64),
    /// The innermost packet, and this.
    Inner(i64),
}

impl Worth {
    fn bytes(self, packets: u64, bytes: u64, inner: u64) -> u64 {
        let (counted, each) = match self {
            Self::Frame(each) => (bytes, each),
            Self::Inner(each) => (inner, each),
        };
        counted.saturating_add_signed(each.saturating_mul(i64::try_from(packets).unwrap_or(i64::MAX)))
    }
}

/// The flow of a tunnel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outer {
    pub(crate) flow: FlowRef,
    pub(crate) id: u64,
    pub(crate) side: Side,
    /// What its packet is longer than the frame: less than nothing.
    pub(crate) each: i64,
}

/// A flow at the source.
#[derive(Clone, Debug)]
struct Entry {
    flow: FlowRef,
    id: u64,
    ways: Vec<Way>,
}

/// The worker's side of the door.
#[derive(Default)]
pub(crate) struct Bypasses {
    hook: Option<Box<dyn Bypass>>,
    flows: Vec<Option<Entry>>,
    free: Vec<u32>,
    home: Vec<Home>,
    pub(crate) counters: Counters,
}

impl Bypasses {
    pub(crate) fn attach(&mut self, hook: Option<Box<dyn Bypass>>) {
        self.hook = hook;
    }

    pub(crate) fn has_hook(&self) -> bool {
        self.hook.is_some()
    }

    pub(crate) fn account(&mut self, ledger: &mut Ledger) {
        if let Some(hook) = &mut self.hook {
            hook.account(ledger);
        }
    }

    /// Directions of flows that the source drops now.
    pub(crate) fn halves(&self) -> u64 {
        self.hook.as_ref().map_or(0, |hook| hook.halves())
    }

    fn count(&mut self, reason: Reason) {
        let counters = &mut self.counters;
        let counter = match reason {
            Reason::Depth => &mut counters.by_depth,
            Reason::Encryption => &mut counters.by_encryption,
            Reason::Policy => &mut counters.by_policy,
            Reason::Rate => &mut counters.by_rate,
        };
        *counter += 1;
    }

    fn number(&mut self, entry: Entry) -> Option<u32> {
        let token = match self.free.pop() {
            Some(token) => token,
            None => {
                self.flows.push(None);
                u32::try_from(self.flows.len() - 1).ok()?
            }
        };
        *self.flows.get_mut(token as usize)? = Some(entry);
        Some(token)
    }

    fn forget(&mut self, token: u32) {
        if let Some(entry) = self.flows.get_mut(token as usize).filter(|entry| entry.is_some()) {
            *entry = None;
            self.free.push(token);
        }
    }

    fn note(&mut self, why: WhyNot) {
        match why {
            WhyNot::Full => self.counters.not_full += 1,
            WhyNot::Unable => self.counters.not_able += 1,
            WhyNot::Refused => self.counters.not_refused += 1,
        }
    }

    /// Puts what came home where it belongs.
    fn settle(&mut self, table: &mut Table<Attached>) {
        let mut home = std::mem::take(&mut self.home);
        for Home { flow, news } in home.drain(..) {
            match news {
                News::Dropped { half, packets, bytes, inner, last } => {
                    self.credit(table, flow, half, [packets, bytes, inner], last);
                }
                News::Captured => {
                    self.counters.captured += 1;
                    if let Some(bypassed) = self.bypassed_mut(table, flow) {
                        bypassed.captured = true;
                    }
                }
                News::Lost(why) => {
                    self.note(why);
                    self.counters.lost += 1;
                    if let Some(bypassed) = self.bypassed_mut(table, flow) {
                        bypassed.token = None;
                    }
                    self.forget(flow);
                }
            }
        }
        self.home = home;
    }

    /// What hangs on the flow that has this number at the source.
    fn bypassed_mut<'t>(&self, table: &'t mut Table<Attached>, token: u32) -> Option<&'t mut Bypassed> {
        let entry = self.flows.get(token as usize)?.as_ref()?;
        bypassed_mut(table, entry.flow, entry.id)
    }

    fn credit(
        &mut self,
        table: &mut Table<Attached>,
        token: u32,
        half: u8,
        [packets, bytes, inner]: [u64; 3],
        last: Timestamp,
    ) {
        let Some(entry) = self.flows.get(token as usize).and_then(Option::as_ref) else { return };
        let Some(way) = entry.ways.get(usize::from(half)) else { return };
        let own = way.worth.bytes(packets, bytes, inner);
        self.counters.capture_packets += packets;
        self.counters.capture_bytes += own;
        if let Some(bypassed) = bypassed_mut(table, entry.flow, entry.id) {
            bypassed.capture.add(way.side, packets, own);
            table.credit(entry.flow, way.side, packets, own, last);
        }
        for outer in &way.outer {
            if table.flow(outer.flow).id() == outer.id {
                let bytes = Worth::Frame(outer.each).bytes(packets, bytes, inner);
                table.credit(outer.flow, outer.side, packets, bytes, last);
            }
        }
    }

    /// Lets go of every flow.
    fn release_all(&mut self, table: &mut Table<Attached>) {
        let held = (0u32..).zip(&self.flows).filter_map(|(token, entry)| entry.as_ref().map(|_| token));
        for token in held.collect::<Vec<_>>() {
            if let Some(bypassed) = self.bypassed_mut(table, token) {
                bypassed.token = None;
                self.counters.ended += 1;
            }
            self.release(token, table);
        }
    }

    /// Lets go of a flow at the source; what is new of it comes home first.
    fn release(&mut self, token: u32, table: &mut Table<Attached>) {
        if let Some(hook) = &mut self.hook {
            hook.end(token, &mut self.home);
        }
        self.settle(table);
        self.forget(token);
    }
}

/// What hangs on a flow as bypassed, if it is still that flow.
fn bypassed_mut(table: &mut Table<Attached>, at: FlowRef, id: u64) -> Option<&mut Bypassed> {
    let flow = table.flow_mut(at);
    if flow.id() == id { flow.a.bypassed.as_deref_mut() } else { None }
}
