//! Rules about single flows: which packets, and what is done with them.

use std::collections::BTreeMap;

use avf::virtchnl::{Action, HeaderPattern};

/// Numbers that there are for rules (reference section 4.11).
const MOST: usize = 16_384;

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Which packets.
    pub pattern: HeaderPattern,
    /// What is done with them.
    pub actions: Vec<Action>,
    /// Which of several matches counts: 0 before all others.
    pub priority: u8,
    /// Frames that it was applied to.
    pub hits: u64,
}

/// The rules of a function, by number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules(BTreeMap<u32, Rule>);

impl Rules {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, flow: u32) -> Option<&Rule> {
        self.0.get(&flow)
    }

    /// All of them, by number.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Rule)> {
        self.0.iter().map(|(flow, rule)| (*flow, rule))
    }

    /// Takes a rule under the lowest number that is free; none is left is `None`.
    pub(crate) fn put(&mut self, rule: Rule) -> Option<u32> {
        if self.0.len() >= MOST {
            return None;
        }
        let flow = (0..).find(|flow| !self.0.contains_key(flow))?;
        self.0.insert(flow, rule);
        Some(flow)
    }

    /// Takes a rule away. Whether it was there.
    pub(crate) fn take(&mut self, flow: u32) -> bool {
        self.0.remove(&flow).is_some()
    }

    /// The rule that counts of those that hold.
    pub(crate) fn first(&mut self, holds: impl Fn(&Rule) -> bool) -> Option<&mut Rule> {
        let matching = self.0.values_mut().filter(|rule| holds(rule));
        let rule = matching.min_by_key(|rule| rule.priority)?;
        rule.hits += 1;
        Some(rule)
    }
}
