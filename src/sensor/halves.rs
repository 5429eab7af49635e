//! The watch over steering: flows of which a worker sees one half only.
//!
//! Workers note what they see of a flow once, early in its life or at its end. Of a flow that only one side speaks in, the
//! half goes to a board that all workers share: when another worker puts the other half there, steering has torn the flow
//! in two. A TCP half that acknowledges data nobody here has seen has another half somewhere: the mirror, or what deals
//! frames out, loses it. Neither costs a packet anything but a comparison once its flow has been noted.

use flow::{Flow, Key, Side};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::share::Attached;

/// Packets of one side alone, after which its half goes to the board.
const EARLY: u64 = 4;
/// Packets of one side alone, after which a TCP half is alone for good. A handshake needs the other after one.
const ALONE: u64 = 16;
/// Places of the board: a half is forgotten when another one falls on its place.
const PLACES: usize = 1 << 16;
const TCP: u8 = 6;
const UDP: u8 = 17;
const SCTP: u8 = 132;

/// Flows noted so far, by what was seen of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Noted {
    /// All that were noted: of a torn flow each half.
    pub flows: u64,
    /// Halves whose other half another worker saw.
    pub split: u64,
    /// Halves whose other half nobody saw.
    pub one_sided: u64,
    /// How often an event was raised about it.
    pub alarms: u64,
}

impl Noted {
    /// Before anything was noted.
    pub(crate) const NONE: Self = Self { flows: 0, split: 0, one_sided: 0, alarms: 0 };

    /// What was added since `before`.
    pub(crate) const fn since(&self, before: &Self) -> Self {
        Self {
            flows: self.flows.saturating_sub(before.flows),
            split: self.split.saturating_sub(before.split),
            one_sided: self.one_sided.saturating_sub(before.one_sided),
            alarms: self.alarms.saturating_sub(before.alarms),
        }
    }
}

/// What all workers share: counts, and the board of halves.
#[derive(Debug)]
pub(crate) struct Halves {
    flows: AtomicU64,
    split: AtomicU64,
    one_sided: AtomicU64,
    pub(crate) alarms: AtomicU64,
    board: Box<[AtomicU64]>,
    hasher: RandomState,
}

impl Default for Halves {
    fn default() -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            flows: zero(),
            split: zero(),
            one_sided: zero(),
            alarms: zero(),
            board: std::iter::repeat_with(zero).take(PLACES).collect(),
            hasher: RandomState::new(),
        }
    }
}

impl Halves {
    /// What was noted so far.
    pub(crate) fn noted(&self) -> Noted {
        let [flows, split, one_sided, alarms] =
            [&self.flows, &self.split, &self.one_sided, &self.alarms].map(|n| n.load(Ordering::Relaxed));
        Noted { flows, split, one_sided, alarms }
    }

    fn count(&self, kind: Option<&AtomicU64>) {
        self.flows.fetch_add(1, Ordering::Relaxed);
        if let Some(kind) = kind {
            kind.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A worker's part in the watch.
#[derive(Clone, Debug)]
pub(crate) struct Watcher {
    halves: Arc<Halves>,
    worker: u16,
}

impl Watcher {
    pub(crate) const fn new(halves: Arc<Halves>, worker: u16) -> Self {
        Self { halves, worker }
    }

    /// After a packet of a flow that was not noted yet: whether it is now.
    #[inline]
    pub(crate) fn look(&self, flow: &Flow<Attached>) -> bool {
        match flow.packets {
            [EARLY | ALONE, 0] | [0, EARLY | ALONE] => Lone::of(flow).is_some_and(|lone| self.note(&lone)),
            [_, 0] | [0, _] => false,
            _ => {
                self.halves.count(None);
                true
            }
        }
    }

    /// At the end of a flow that was not noted.
    pub(crate) fn ends(&self, flow: &Flow<Attached>) {
        if let Some(lone) = Lone::of(flow) {
            self.end(lone);
        }
    }

    fn end(&self, lone: Lone) {
        // However short it was, nothing more comes.
        let packets = if lone.packets >= EARLY { ALONE } else { lone.packets };
        self.note(&Lone { packets, ..lone });
    }

    fn note(&self, lone: &Lone) -> bool {
        let acknowledges = lone.acknowledges();
        if !acknowledges && !matches!(lone.sent.protocol, UDP | SCTP) {
            return false;
        }
        if self.meets_other(&lone.sent) {
            self.halves.count(Some(&self.halves.split));
            return true;
        }
        if acknowledges && lone.packets >= ALONE {
            self.halves.count(Some(&self.halves.one_sided));
            return true;
        }
        false
    }

    /// Puts this half on the board. Whether another worker's other half was there.
    fn meets_other(&self, sent: &Key) -> bool {
        let [there, back] = [*sent, sent.reversed()].map(|key| self.halves.hasher.hash_one(key));
        let both = there.wrapping_add(back);
        let Some(place) = usize::try_from(both % PLACES as u64).ok().and_then(|n| self.halves.board.get(n))
        else {
            return false;
        };
        let mine = Half { tag: both >> 17, forth: there < back, worker: self.worker };
        let found = Half::from_word(place.swap(mine.word(), Ordering::Relaxed));
        found.tag == mine.tag && found.forth != mine.forth && found.worker != mine.worker
    }
}

/// A flow in which one side alone has spoken.
#[derive(Clone, Copy, Debug)]
struct Lone {
    /// Its key, from the side that spoke.
    sent: Key,
    packets: u64,
    /// TCP flags of all of them.
    flags: u8,
}

impl Lone {
    fn of(flow: &Flow<Attached>) -> Option<Self> {
        let lone = |sent, packets, side| Self { sent, packets, flags: flow.peer(side).flags };
        match flow.packets {
            [packets, 0] => Some(lone(flow.key, packets, Side::ToServer)),
            [0, packets] => Some(lone(flow.key.reversed(), packets, Side::ToClient)),
            _ => None,
        }
    }

    /// Whether it speaks of another half: of what that one said. A reset does not.
    const fn acknowledges(&self) -> bool {
        use decode::tcp_flags::{ACK, RST};
        self.sent.protocol == TCP && self.flags & ACK != 0 && self.flags & RST == 0
    }
}

/// One place of the board: 47 bits of the flow's hash, the half, and who saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Half {
    tag: u64,
    forth: bool,
    worker: u16,
}

impl Half {
    fn word(self) -> u64 {
        self.tag << 17 | u64::from(self.forth) << 16 | u64::from(self.worker)
    }

    fn from_word(word: u64) -> Self {
        let worker = u16::try_from(word & 0xffff).unwrap_or_default();
        Self { tag: word >> 17, forth: word >> 16 & 1 == 1, worker }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lone(protocol: u8, forth: bool, packets: u64, flags: u8) -> Lone {
        let key = Key { src_port: 1000, dst_port: 80, protocol, version: 4, ..Key::default() };
        Lone { sent: if forth { key } else { key.reversed() }, packets, flags }
    }

    const ACK: u8 = 0x10;

    #[test]
    fn halves_at_two_workers_are_a_torn_flow_and_each_counts() {
        let halves = Arc::new(Halves::default());
        let [one, other] = [0, 1].map(|n| Watcher::new(Arc::clone(&halves), n));
        assert!(!one.note(&lone(UDP, true, EARLY, 0)), "nobody has the other yet");
        assert!(other.note(&lone(UDP, false, EARLY, 0)));
        one.end(lone(UDP, true, 9, 0));
        assert_eq!(halves.noted(), Noted { flows: 2, split: 2, ..Noted::default() });
    }

    #[test]
    fn one_worker_with_both_halves_is_whole_and_its_own_half_is_no_other() {
        let halves = Arc::new(Halves::default());
        let one = Watcher::new(Arc::clone(&halves), 0);
        assert!(!one.note(&lone(TCP, true, EARLY, ACK)));
        assert!(!one.note(&lone(TCP, false, EARLY, ACK)), "the same worker");
        let mut flow = Flow::default();
        flow.packets = [3, 0];
        assert!(!one.look(&flow));
        flow.packets = [3, 1];
        assert!(one.look(&flow));
        assert_eq!(halves.noted(), Noted { flows: 1, ..Noted::default() });
    }

    #[test]
    fn a_half_that_acknowledges_what_nobody_saw_is_one_sided_and_a_scan_is_not() {
        let halves = Arc::new(Halves::default());
        let one = Watcher::new(Arc::clone(&halves), 0);
        assert!(one.note(&lone(TCP, true, ALONE, ACK)));
        one.end(lone(TCP, true, EARLY, ACK | 0x02));
        one.end(lone(TCP, true, 1, ACK));
        one.end(lone(TCP, true, 1, 0x02));
        one.end(lone(TCP, true, 40, ACK | 0x04));
        one.end(lone(UDP, true, 1_000, 0));
        one.end(lone(1, true, 1_000, 0));
        assert_eq!(halves.noted(), Noted { flows: 2, one_sided: 2, ..Noted::default() });
    }
}
