//! What marked frames come to, slot by slot. Workers write, nobody waits.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use frame::Timestamp;

use super::book::SLOTS;

/// Bits of a mark that say which slot; those above them make it one of a kind.
pub(crate) const SLOT_BITS: u32 = 10;

const TCP: u8 = 6;
/// FIN, SYN and RST: what begins or ends a connection is lent, for its flow's record.
const ENDS: u8 = 0b111;

/// One slot's count.
#[derive(Debug, Default)]
struct Count {
    /// The mark that counts; 0 while none does.
    mark: AtomicU32,
    frames: AtomicU64,
    bytes: AtomicU64,
    last: AtomicU64,
}

/// What came of a slot's frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) frames: u64,
    pub(crate) bytes: u64,
    pub(crate) last: Timestamp,
}

/// Every slot's count.
#[derive(Debug)]
pub(crate) struct Counts(Vec<Count>);

impl Default for Counts {
    fn default() -> Self {
        Self((0..SLOTS).map(|_| Count::default()).collect())
    }
}

impl Counts {
    fn slot(&self, mark: u32) -> Option<&Count> {
        let slot = usize::try_from(mark & ((1 << SLOT_BITS) - 1)).ok()?;
        self.0.get(slot)
    }

    /// From here on frames with this mark are counted, and not lent.
    pub(crate) fn arm(&self, mark: u32) {
        if let Some(count) = self.slot(mark) {
            count.mark.store(mark, Ordering::Release);
        }
    }

    /// From here on they are lent again.
    pub(crate) fn disarm(&self, mark: u32) {
        if let Some(count) = self.slot(mark) {
            count.mark.store(0, Ordering::Release);
        }
    }

    /// Counts a frame whose descriptor carries this mark, if it is one to be left out.
    #[inline]
    pub(crate) fn take(&self, mark: u32, head: &[u8], bytes: usize, now: Timestamp) -> bool {
        let Some(count) = self.slot(mark).filter(|count| count.mark.load(Ordering::Acquire) == mark) else {
            return false;
        };
        if !may_be_left_out(head) {
            return false;
        }
        count.frames.fetch_add(1, Ordering::Relaxed);
        count.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        count.last.fetch_max(now.nanos(), Ordering::Relaxed);
        true
    }

    /// What came since this was last asked.
    pub(crate) fn drain(&self, mark: u32) -> Option<Sum> {
        let count = self.slot(mark)?;
        let sum = Sum {
            frames: count.frames.swap(0, Ordering::Relaxed),
            bytes: count.bytes.swap(0, Ordering::Relaxed),
            last: Timestamp::from_nanos(count.last.load(Ordering::Relaxed)),
        };
        (sum.frames != 0).then_some(sum)
    }
}

/// Whether a frame may be left out that a rule was found for. A rule does not look at tags: a frame with one is another
/// network's, whatever its addresses are. And it does not look at flags.
fn may_be_left_out(head: &[u8]) -> bool {
    let Some((link, packet)) = head.split_first_chunk::<14>() else { return false };
    let (protocol, transport) = match link {
        [.., 0x08, 0x00] => {
            let words = packet.first().map_or(0, |first| usize::from(first & 15));
            (packet.get(9), packet.get(4 * words..))
        }
        [.., 0x86, 0xDD] => (packet.get(6), packet.get(40..)),
        _ => return false,
    };
    let flags = transport.and_then(|transport| transport.get(13));
    protocol != Some(&TCP) || flags.is_some_and(|flags| flags & ENDS == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const IPV4: [u8; 2] = [0x08, 0x00];
    const IPV6: [u8; 2] = [0x86, 0xDD];

    /// A frame of UDP.
    fn head(kind: [u8; 2]) -> Vec<u8> {
        let mut head = [&[0; 12], kind.as_slice(), &[0x45], &[0; 60]].concat();
        let at = if kind == IPV4 { 14 + 9 } else { 14 + 6 };
        head[at] = 17;
        head
    }

    #[test]
    fn what_begins_or_ends_a_connection_is_lent() {
        for (kind, protocol, flags) in [(IPV4, 14 + 9, 14 + 20 + 13), (IPV6, 14 + 6, 14 + 40 + 13)] {
            let mut head = head(kind);
            head[protocol] = TCP;
            for (bits, left_out) in [(0x10, true), (0x18, true), (0x11, false), (0x02, false), (0x14, false)]
            {
                head[flags] = bits;
                assert_eq!(may_be_left_out(&head), left_out, "{bits:#x}");
            }
            assert!(!may_be_left_out(&head[..flags]), "cut short");
        }
    }

    #[test]
    fn only_the_mark_that_is_armed_counts() {
        let counts = Counts::default();
        let (mine, older) = (3 | 5 << SLOT_BITS, 3 | 4 << SLOT_BITS);
        let now = Timestamp::from_nanos(77);
        assert!(!counts.take(mine, &head(IPV4), 60, now), "nothing is armed");
        counts.arm(mine);
        assert!(counts.take(mine, &head(IPV4), 60, now) && counts.take(mine, &head(IPV6), 1500, now));
        assert!(!counts.take(older, &head(IPV4), 60, now), "a rule that should be gone");
        assert!(!counts.take(mine, &head([0x81, 0x00]), 64, now), "another network's");
        assert!(!counts.take(mine, &[], 0, now));
        assert_eq!(counts.drain(mine), Some(Sum { frames: 2, bytes: 1560, last: now }));
        assert_eq!(counts.drain(mine), None);
        counts.disarm(mine);
        assert!(!counts.take(mine, &head(IPV4), 60, now));
        assert!(!counts.take(u32::MAX, &head(IPV4), 60, now));
    }
}
