//! IP fragments put together again (RFC 791, RFC 8200 section 4.5), bounded in memory, trackers and time.
//!
//! What is held depends on the sequence of fragments alone, never on other frames: every worker that sees the same
//! fragments holds the same.

mod held;
mod train;

use std::num::NonZeroU8;
use std::time::Duration;

use frame::Timestamp;

pub(crate) use held::Fragments;

use crate::walk::{Dropped, Start, Task, Walk, short};
use crate::{Address, Event, Ip, Network, Origin, Packet, Source, Vlans, checksum};

/// The largest datagram (RFC 791, RFC 8200 without jumbo payloads).
const LARGEST: usize = 65_535;

/// Bounds and overlap policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Most bytes that held fragments may take.
    pub memory: usize,
    /// Most datagrams that may be incomplete at a time.
    pub trackers: usize,
    /// Seconds of packet time without a fragment after which an incomplete datagram is given up.
    pub timeout: u32,
    /// Whose copy wins where fragments overlap.
    pub policy: Policy,
}

impl Default for Settings {
    fn default() -> Self {
        Self { memory: 32 << 20, trackers: 65_535, timeout: 60, policy: Policy::default() }
    }
}

/// Whose copy of a byte wins where fragments overlap; named for the systems that behave so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// An earlier fragment that starts at or before the new one keeps its bytes.
    Bsd,
    /// The new one wins unless it starts before the earlier one.
    BsdRight,
    /// As BSD, but a new one that starts at the same place wins.
    Linux,
    /// The earlier one keeps its bytes unless the new one starts before it and ends after it.
    #[default]
    Windows,
    /// The earlier one keeps its bytes unless the new one starts before it and covers it.
    Solaris,
    /// The first copy of a byte wins.
    First,
    /// The last copy of a byte wins.
    Last,
}

impl Policy {
    /// Every policy, in catalogue order.
    pub const ALL: [Self; 7] =
        [Self::Bsd, Self::BsdRight, Self::Linux, Self::Windows, Self::Solaris, Self::First, Self::Last];

    /// The word that settings use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bsd => "bsd",
            Self::BsdRight => "bsd-right",
            Self::Linux => "linux",
            Self::Windows => "windows",
            Self::Solaris => "solaris",
            Self::First => "first",
            Self::Last => "last",
        }
    }

    /// The policy of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.name() == name)
    }

    /// Whether the new fragment's bytes replace those of an old one that it overlaps, by start and end of each.
    pub(crate) fn new_wins(self, old: (usize, usize), new: (usize, usize)) -> bool {
        match self {
            Self::Bsd => new.0 < old.0,
            Self::BsdRight => new.0 >= old.0,
            Self::Linux => new.0 <= old.0,
            Self::Windows => new.0 < old.0 && new.1 > old.1,
            Self::Solaris => new.0 < old.0 && new.1 >= old.1,
            Self::First => false,
            Self::Last => true,
        }
    }
}

/// One fragment as its IP header describes it; pairs are first byte and end, in the packet's bytes.
#[derive(Clone, Copy)]
pub(crate) struct Piece {
    pub(crate) id: u32,
    /// Place of the data in the datagram's payload.
    pub(crate) offset: usize,
    pub(crate) more: bool,
    /// The headers that every fragment repeats.
    pub(crate) header: (usize, usize),
    /// IPv6: which header byte announces the fragment header, and what to write there instead.
    pub(crate) next_header: Option<(usize, u8)>,
    pub(crate) data: (usize, usize),
}

/// What fragments of one datagram have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) src: Address,
    pub(crate) dst: Address,
    pub(crate) id: u32,
    pub(crate) tenant: u32,
    pub(crate) vlans: Vlans,
    pub(crate) protocol: u8,
    pub(crate) depth: u8,
}

/// One fragment with its bytes, ready to be held.
pub(crate) struct Arrival<'a> {
    pub(crate) key: Key,
    pub(crate) time: Timestamp,
    pub(crate) offset: usize,
    pub(crate) more: bool,
    pub(crate) header: &'a [u8],
    pub(crate) next_header: Option<(usize, u8)>,
    pub(crate) data: &'a [u8],
    /// How many bytes of the packet stand before its IP header.
    pub(crate) before: u32,
}

/// What became of a fragment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// It is held, or was used at once.
    pub(crate) kept: bool,
    /// Some of its bytes had been seen before.
    pub(crate) overlaps: bool,
    /// The datagram is complete and was written out; this many bytes stood before its IP header.
    pub(crate) complete: Option<u32>,
    /// Datagrams given up for time.
    pub(crate) expired: u64,
    /// Datagrams given up for room.
    pub(crate) evicted: u64,
}

impl Walk<'_> {
    /// Takes a fragment out of the walk; when it completes its datagram, that one is queued as a packet.
    pub(crate) fn fragment(&mut self, p: &mut Packet, piece: Piece) {
        self.out.counters.fragments += 1;
        let Network::Ip(ip) = &mut p.network else { return };
        ip.fragment = true;
        let ip = *ip;
        let version_4 = ip.version == 4;
        let data = self.span(piece.data.0, piece.data.1);
        let header = self.span(piece.header.0, piece.header.1);
        let cut = data.len() < piece.data.1.saturating_sub(piece.data.0);
        if cut {
            // bytes that the capture lacks cannot be put anywhere
            self.out.counters.fragment_ignored += 1;
            return;
        }
        if self.is_copied_fragment(p, &ip, &piece, data) {
            return;
        }
        let overhead = if version_4 { 20 } else { 0 };
        if overhead + piece.offset + data.len() > LARGEST {
            self.out.counters.fragment_ignored += 1;
            return self.raise(if version_4 {
                Event::Ipv4FragPktTooLarge
            } else {
                Event::Ipv6FragPktTooLarge
            });
        }
        let arrival = Arrival {
            key: Key {
                src: ip.src,
                dst: ip.dst,
                id: piece.id,
                tenant: p.tenant,
                vlans: p.vlans,
                protocol: ip.protocol,
                depth: p.depth,
            },
            time: self.time,
            offset: piece.offset,
            more: piece.more,
            header,
            next_header: piece.next_header,
            data,
            before: ip.offset.saturating_sub(short(self.task.at)),
        };
        self.hold(p, &arrival, version_4);
    }

    /// A copy must not reach the datagram that the other one is part of: they would overlap.
    fn is_copied_fragment(&mut self, p: &Packet, ip: &Ip, piece: &Piece, data: &[u8]) -> bool {
        if self.out.memory.is_none() || p.depth > 0 {
            return false;
        }
        let id = u16::try_from(piece.id & 0xffff).unwrap_or(0);
        let place = u64::from(piece.id) << 32 | (piece.offset as u64) << 1 | u64::from(piece.more);
        let copied = self.out.is_copy(p, ip, id, data, place, (self.time, self.tap));
        if copied {
            self.dropped = Some(Dropped::Copy);
        }
        copied
    }

    fn hold(&mut self, p: &Packet, arrival: &Arrival<'_>, version_4: bool) {
        let slot = self.out.rebuilt_used;
        if self.out.rebuilt.len() <= slot {
            self.out.rebuilt.push(Vec::new());
        }
        let Some(rebuilt) = self.out.rebuilt.get_mut(slot) else { return };
        let outcome = self.out.fragments.take(arrival, rebuilt);
        let counters = &mut self.out.counters;
        counters.fragment_expired += outcome.expired;
        counters.fragment_evicted += outcome.evicted;
        counters.fragment_ignored += u64::from(!outcome.kept);
        self.out.held |= outcome.kept;
        self.out.evicted |= outcome.evicted > 0;
        if outcome.overlaps {
            self.raise(if version_4 { Event::Ipv4FragOverlap } else { Event::Ipv6FragOverlap });
        }
        if !outcome.kept && outcome.evicted > 0 {
            self.raise(if version_4 { Event::Ipv4FragIgnored } else { Event::Ipv6FragIgnored });
        }
        if let Some(before) = outcome.complete {
            self.queue_rebuilt(p, slot, before, version_4);
        }
    }

    fn queue_rebuilt(&mut self, p: &Packet, slot: usize, before: u32, version_4: bool) {
        let end = self.out.rebuilt.get(slot).map_or(0, Vec::len);
        if end == 0 {
            let event = if version_4 { Event::Ipv4FragPktTooLarge } else { Event::Ipv6FragPktTooLarge };
            return self.raise(event);
        }
        let Some(number) = u8::try_from(slot + 1).ok().and_then(NonZeroU8::new) else { return };
        let task = Task {
            start: if version_4 { Start::Ip4 } else { Start::Ip6 },
            source: Source::Reassembled(number),
            origin: Origin::Defragmented,
            depth: p.depth,
            layers: self.layers,
            clipped: false,
            mirrored: self.task.mirrored,
            carrier: self.task.carrier,
            vlans: p.vlans,
            tenant: p.tenant,
            ether: p.ether,
            at: 0,
            end,
            length: before.saturating_add(short(end)),
        };
        if self.queue(task).is_some() {
            self.out.rebuilt_used += 1;
            self.out.counters.reassembled += 1;
        }
    }
}

/// Writes the datagram's headers, as if it had never been cut; false when it would be too large to exist.
pub(crate) fn write_header(
    header: &[u8],
    next_header: Option<(usize, u8)>,
    payload: usize,
    to: &mut Vec<u8>,
) -> bool {
    to.clear();
    let total = header.len() + payload;
    let version_4 = next_header.is_none();
    let Ok(length) = u16::try_from(if version_4 { total } else { total.saturating_sub(40) }) else {
        return false;
    };
    to.extend_from_slice(header);
    let [high, low] = length.to_be_bytes();
    match next_header {
        None => {
            if let Some([_, _, l0, l1, _, _, f0, f1, _, _, c0, c1]) = to.first_chunk_mut::<12>() {
                (*l0, *l1, *f0, *f1, *c0, *c1) = (high, low, 0, 0, 0, 0);
            }
            let sum = checksum::of_header(to).to_be_bytes();
            if let Some(field) = to.get_mut(10..12) {
                field.copy_from_slice(&sum);
            }
        }
        Some((place, next)) => {
            if let Some(field) = to.get_mut(4..6) {
                field.copy_from_slice(&[high, low]);
            }
            if let Some(byte) = to.get_mut(place) {
                *byte = next;
            }
        }
    }
    true
}

impl Settings {
    pub(crate) fn patience(&self) -> Duration {
        Duration::from_secs(u64::from(self.timeout))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_found_by_their_names() {
        for policy in Policy::ALL {
            assert_eq!(Policy::from_name(policy.name()), Some(policy));
        }
        assert_eq!(Policy::from_name("Windows"), None);
    }
}
