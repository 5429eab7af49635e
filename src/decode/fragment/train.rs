//! The fragments of one datagram, and who owns which byte of it.

use frame::Timestamp;

use super::{Arrival, LARGEST, Policy, write_header};

/// Bytes that a train may hold, overwritten ones included, before it drops the overwritten ones.
const SLACK: usize = 4 * LARGEST;

/// A run of bytes that one fragment owns.
#[derive(Clone, Copy, Debug)]
struct Run {
    start: usize,
    end: usize,
    /// Where its first byte stands in the train's bytes.
    at: usize,
    /// The whole fragment that it came from: policies compare fragments, not what is left of them.
    whole: (usize, usize),
}

/// An incomplete datagram.
#[derive(Debug, Default)]
pub(super) struct Train {
    /// Disjoint and sorted.
    runs: Vec<Run>,
    bytes: Vec<u8>,
    header: Vec<u8>,
    next_header: Option<(usize, u8)>,
    before: u32,
    seen_last: bool,
    covered: usize,
    highest: usize,
    pub(super) deadline: Timestamp,
}

impl Train {
    /// Adds a fragment; true when it overlaps what was there.
    pub(super) fn add(&mut self, policy: Policy, arrival: &Arrival<'_>) -> bool {
        let new = (arrival.offset, arrival.offset + arrival.data.len());
        let (first, last) = self.touched(new);
        let mut gaps = Vec::new();
        let mut kept = Vec::new();
        let mut at = new.0;
        for run in self.runs.get(first..last).unwrap_or_default() {
            if policy.new_wins(run.whole, new) {
                // what sticks out on either side stays the old one's
                kept.extend(part(run, run.start, new.0.min(run.end)));
                kept.extend(part(run, new.1.max(run.start), run.end));
            } else {
                gaps.push((at, run.start));
                at = at.max(run.end);
                kept.push(*run);
            }
        }
        gaps.push((at, new.1));
        for (start, end) in gaps {
            kept.extend(self.store(arrival, new, start, end));
        }
        kept.sort_unstable_by_key(|run| run.start);
        let overlaps = last > first;
        let before = length_of(self.runs.get(first..last).unwrap_or_default());
        self.covered = self.covered + length_of(&kept) - before;
        self.runs.splice(first..last, kept);
        self.note(arrival, new);
        overlaps
    }

    /// The runs that overlap `new`.
    fn touched(&self, new: (usize, usize)) -> (usize, usize) {
        let first = self.runs.partition_point(|run| run.end <= new.0);
        let last = self.runs.partition_point(|run| run.start < new.1);
        (first, last.max(first))
    }

    /// Copies what the new fragment wins between `start` and `end`.
    fn store(
        &mut self,
        arrival: &Arrival<'_>,
        whole: (usize, usize),
        start: usize,
        end: usize,
    ) -> Option<Run> {
        let from = arrival.data.get(start.checked_sub(whole.0)?..end.checked_sub(whole.0)?)?;
        if from.is_empty() {
            return None;
        }
        let at = self.bytes.len();
        self.bytes.extend_from_slice(from);
        Some(Run { start, end, at, whole })
    }

    /// Headers come from the first fragment; until it is there, none are known.
    fn note(&mut self, arrival: &Arrival<'_>, new: (usize, usize)) {
        if new.0 == 0 && self.header.is_empty() {
            self.header.extend_from_slice(arrival.header);
            self.next_header = arrival.next_header;
            self.before = arrival.before;
        }
        self.seen_last |= !arrival.more;
        self.highest = self.highest.max(new.1);
        if self.bytes.len() > SLACK {
            self.tighten();
        }
    }

    /// Drops bytes that nobody owns any more.
    fn tighten(&mut self) {
        let mut bytes = Vec::with_capacity(self.covered);
        for run in &mut self.runs {
            let at = bytes.len();
            bytes.extend_from_slice(self.bytes.get(run.at..run.at + run.end - run.start).unwrap_or_default());
            run.at = at;
        }
        self.bytes = bytes;
    }

    /// Whether every byte up to the end is there.
    pub(super) fn is_complete(&self) -> bool {
        self.seen_last && self.covered == self.highest && !self.header.is_empty()
    }

    /// Writes the datagram; leaves `to` empty when it is larger than a datagram can be.
    pub(super) fn write(&self, to: &mut Vec<u8>) -> u32 {
        if !write_header(&self.header, self.next_header, self.highest, to) {
            to.clear();
            return self.before;
        }
        for run in &self.runs {
            to.extend_from_slice(self.bytes.get(run.at..run.at + run.end - run.start).unwrap_or_default());
        }
        self.before
    }

    /// What it costs to hold.
    pub(super) fn cost(&self) -> usize {
        size_of::<Self>()
            + self.bytes.capacity()
            + self.header.capacity()
            + self.runs.capacity() * size_of::<Run>()
    }
}

fn length_of(runs: &[Run]) -> usize {
    runs.iter().map(|run| run.end - run.start).sum()
}

fn part(run: &Run, start: usize, end: usize) -> Option<Run> {
    (start < end).then(|| Run { start, end, at: run.at + (start - run.start), whole: run.whole })
}
