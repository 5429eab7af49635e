//! Every incomplete datagram, found by key, given up oldest first.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::time::Duration;

use super::train::Train;
use super::{Arrival, Key, Outcome, Policy, Settings};

/// Marks the end of the list of trains.
const NOBODY: usize = usize::MAX;

/// The trains, in a list from the one that waited longest to the one that moved last.
#[derive(Debug)]
pub(crate) struct Fragments {
    policy: Policy,
    memory: usize,
    most: usize,
    patience: Duration,
    /// Looked up, never walked: its order reaches nothing. The hasher has no random seed.
    by_key: HashMap<Key, usize, BuildHasherDefault<DefaultHasher>>,
    slots: Vec<Slot>,
    free: Vec<usize>,
    oldest: usize,
    newest: usize,
    used: usize,
}

#[derive(Debug)]
struct Slot {
    key: Key,
    train: Train,
    older: usize,
    newer: usize,
}

impl Fragments {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            policy: settings.policy,
            memory: settings.memory,
            most: settings.trackers.max(1),
            patience: settings.patience(),
            by_key: HashMap::default(),
            slots: Vec::new(),
            free: Vec::new(),
            oldest: NOBODY,
            newest: NOBODY,
            used: 0,
        }
    }

    /// Takes a fragment; writes the datagram into `to` when this one completes it.
    pub(crate) fn take(&mut self, arrival: &Arrival<'_>, to: &mut Vec<u8>) -> Outcome {
        let mut outcome = Outcome { kept: true, expired: self.expire(arrival), ..Outcome::default() };
        if arrival.data.is_empty() {
            // nothing to put anywhere; a train would only wait for it
            outcome.kept = false;
            return outcome;
        }
        let index = self.find_or_add(arrival.key, &mut outcome);
        let (policy, deadline) = (self.policy, arrival.time.plus(self.patience));
        let Some(slot) = self.slots.get_mut(index) else { return outcome };
        let before = slot.train.cost();
        outcome.overlaps = slot.train.add(policy, arrival);
        slot.train.deadline = deadline;
        self.used = self.used + slot.train.cost() - before;
        if slot.train.is_complete() {
            outcome.complete = Some(slot.train.write(to));
            self.remove(index);
            return outcome;
        }
        self.move_to_newest(index);
        self.make_room(index, &mut outcome);
        outcome
    }

    /// Gives up what waited too long, by the clock of the fragments themselves.
    fn expire(&mut self, arrival: &Arrival<'_>) -> u64 {
        let mut given_up = 0;
        while let Some(slot) = self.slots.get(self.oldest) {
            if slot.train.deadline >= arrival.time {
                break;
            }
            self.remove(self.oldest);
            given_up += 1;
        }
        given_up
    }

    fn find_or_add(&mut self, key: Key, outcome: &mut Outcome) -> usize {
        if let Some(index) = self.by_key.get(&key) {
            return *index;
        }
        if self.by_key.len() >= self.most {
            self.remove(self.oldest);
            outcome.evicted += 1;
        }
        let slot = Slot { key, train: Train::default(), older: NOBODY, newer: NOBODY };
        self.used += slot.train.cost();
        let index = match self.free.pop() {
            Some(index) => {
                if let Some(place) = self.slots.get_mut(index) {
                    *place = slot;
                }
                index
            }
            None => {
                self.slots.push(slot);
                self.slots.len() - 1
            }
        };
        self.by_key.insert(key, index);
        self.append(index);
        index
    }

    /// Gives up the oldest until the rest fits; the newest too when it alone is too much.
    fn make_room(&mut self, newest: usize, outcome: &mut Outcome) {
        while self.used > self.memory && self.oldest != NOBODY {
            outcome.kept &= self.oldest != newest;
            self.remove(self.oldest);
            outcome.evicted += 1;
        }
    }

    fn remove(&mut self, index: usize) {
        self.unlink(index);
        let Some(slot) = self.slots.get_mut(index) else { return };
        self.used -= slot.train.cost();
        let key = slot.key;
        slot.train = Train::default();
        self.by_key.remove(&key);
        self.free.push(index);
    }

    fn move_to_newest(&mut self, index: usize) {
        if self.newest != index {
            self.unlink(index);
            self.append(index);
        }
    }

    fn append(&mut self, index: usize) {
        let newest = std::mem::replace(&mut self.newest, index);
        match self.slots.get_mut(newest) {
            Some(slot) => slot.newer = index,
            None => self.oldest = index,
        }
        if let Some(slot) = self.slots.get_mut(index) {
            (slot.older, slot.newer) = (newest, NOBODY);
        }
    }

    fn unlink(&mut self, index: usize) {
        let Some((older, newer)) = self.slots.get(index).map(|slot| (slot.older, slot.newer)) else { return };
        match self.slots.get_mut(older) {
            Some(slot) => slot.newer = newer,
            None => self.oldest = newer,
        }
        match self.slots.get_mut(newer) {
            Some(slot) => slot.older = older,
            None => self.newest = older,
        }
    }
}
