//! When the NIC saw a frame, as the sensor's clock would have told it.
//!
//! Descriptors carry the low 32 bits of the NIC's clock, in nanoseconds: they come round every 4.3 s. A sample of the whole
//! clock, read through the mailbox about once a second, extends them.
//!
//! A clock that shows the time of day to the second is believed. Any other is set against the sensor's own: a sample is seen
//! some time after it was taken and never before, so of several measurements the smallest is the best; and clocks drift, so
//! it may grow by a little with each.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use frame::Timestamp;

/// The last sample of the NIC's clock, shared by a function's queues; 0 while there is none.
#[derive(Debug, Default)]
pub(crate) struct NicClock(AtomicU64);

impl NicClock {
    /// The clock stands here.
    pub(crate) fn set(&self, nanoseconds: u64) {
        self.0.store(nanoseconds, Ordering::Relaxed);
    }

    fn get(&self) -> Option<u64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|nanoseconds| *nanoseconds != 0)
    }
}

/// The same sample, as one queue has taken it over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// What the NIC's clock showed.
    nic: u64,
    /// What the sensor's clock showed when this queue saw it.
    seen: Timestamp,
    /// From the NIC's clock to the sensor's.
    offset: i64,
    /// Whether the NIC's clock shows the time of day.
    is_true: bool,
}

/// A sample is worth nothing when it is older: low bits have come round half way.
const FRESH: Duration = Duration::from_millis(1900);

/// What lies between both clocks is measured anew when it has changed by more.
const APART: u64 = 1_000_000_000;

/// What two clocks may drift apart from one sample to the next: 100 millionths.
const DRIFT: i64 = 100_000;

/// No frame waits longer than this between the NIC's clock and its worker, unless the clock is wrong.
const LONGEST: Duration = Duration::from_secs(1);

impl Sample {
    /// Takes a new sample over, where there is one; none when there is no clock, or nobody reads it any more.
    pub(crate) fn renew(last: Option<Self>, clock: &NicClock, now: Timestamp) -> Option<Self> {
        let nic = clock.get()?;
        match last {
            Some(same) if same.nic == nic => Some(same).filter(|same| now.since(same.seen) < FRESH),
            other => {
                let apart = now.nanos().wrapping_sub(nic).cast_signed();
                let known = other.map_or(0, |other| other.offset);
                let is_same = apart.wrapping_sub(known).unsigned_abs() < APART;
                let is_true = is_same && other.is_none_or(|other| other.is_true);
                let offset = match is_same {
                    // Ahead of the sensor's own clock it cannot be: that one is behind.
                    true if is_true => apart.min(0),
                    true => apart.min(known.saturating_add(DRIFT)),
                    false => apart,
                };
                Some(Self { nic, seen: now, offset, is_true })
            }
        }
    }

    /// When a frame was seen whose descriptor carries these bits; none where that cannot be.
    #[inline]
    pub(crate) fn time_of(&self, low: u32, now: Timestamp) -> Option<Timestamp> {
        let [a, b, c, d, ..] = self.nic.to_le_bytes();
        let ahead = low.wrapping_sub(u32::from_le_bytes([a, b, c, d])).cast_signed();
        let nic = self.nic.wrapping_add_signed(i64::from(ahead));
        let time = Timestamp::from_nanos(nic.wrapping_add_signed(self.offset));
        (time <= now && now.since(time) < LONGEST).then_some(time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_700_000_000_000_000_000;

    fn at(nanos: u64) -> Timestamp {
        Timestamp::from_nanos(nanos)
    }

    #[expect(clippy::cast_possible_truncation, reason = "the bits that descriptors carry")]
    fn low(nanos: u64) -> u32 {
        nanos as u32
    }

    #[test]
    fn low_bits_are_extended_across_their_end() {
        let clock = NicClock::default();
        assert!(Sample::renew(None, &clock, at(NOW)).is_none());
        for begin in (0..5).map(|n| NOW + n * 1_000_000_000) {
            clock.set(begin);
            let sample = Sample::renew(None, &clock, at(begin + 80_000)).unwrap();
            for after in [0, 700_000_000, 1_800_000_000] {
                let seen = begin + after;
                assert_eq!(sample.time_of(low(seen), at(seen + 9_000)), Some(at(seen)), "{begin} {after}");
            }
        }
    }

    #[test]
    fn a_clock_that_shows_no_time_of_day_is_set_against_ours() {
        let clock = NicClock::default();
        clock.set(5_000_000_000);
        let first = Sample::renew(None, &clock, at(NOW)).unwrap();
        assert_eq!(first.time_of(low(5_000_400_000), at(NOW + 500_000)), Some(at(NOW + 400_000)));
        clock.set(6_000_000_000);
        // Seen 300 us late: what lies between the clocks hardly changes for that.
        let second = Sample::renew(Some(first), &clock, at(NOW + 1_000_300_000)).unwrap();
        assert_eq!(second.offset, first.offset + DRIFT);
        clock.set(7_000_000_000);
        let second = Sample::renew(Some(second), &clock, at(NOW + 1_999_900_000)).unwrap();
        assert_eq!(second.offset, first.offset - 100_000, "the first one was seen late");
        clock.set(90_000_000_000);
        let moved = Sample::renew(Some(second), &clock, at(NOW + 2_000_000_000)).unwrap();
        assert_ne!(moved.offset, first.offset, "somebody has set the clock");
    }

    #[test]
    fn a_clock_that_shows_the_time_of_day_is_believed() {
        let clock = NicClock::default();
        let mut sample = None;
        for (n, late) in [(0, 300_000), (1, 80_000), (2, 5_000_000), (3, 90_000)] {
            let begin = NOW + n * 1_000_000_000;
            clock.set(begin);
            sample = Sample::renew(sample, &clock, at(begin + late));
            assert_eq!(sample.unwrap().offset, 0);
        }
        // The sensor's own clock is behind by 20 ms.
        clock.set(NOW + 4_000_000_000);
        sample = Sample::renew(sample, &clock, at(NOW + 3_980_000_000));
        assert_eq!(sample.unwrap().offset, -20_000_000);
    }

    #[test]
    fn what_cannot_be_is_no_time() {
        let clock = NicClock::default();
        clock.set(NOW);
        let sample = Sample::renew(None, &clock, at(NOW)).unwrap();
        assert_eq!(sample.time_of(low(NOW + 50_000), at(NOW + 10_000)), None, "in the future");
        assert_eq!(sample.time_of(low(NOW), at(NOW + 1_500_000_000)), None, "too long ago");
        assert!(Sample::renew(Some(sample), &clock, at(NOW + 3_000_000_000)).is_none(), "nobody reads it");
    }
}
