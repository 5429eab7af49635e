//! The tally: what the summary shows, gathered as flows end and packets pass. Bounded, and additive over workers.

use crate::share::Attached;
use flow::Flow;
use hashbrown::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// Most talkers remembered by one worker; traffic of later ones is counted under none.
const MOST_TALKERS: usize = 65_536;
/// Seconds of traffic over time that are kept apart before neighbours are merged.
const MOST_SECONDS: usize = 4_096;

/// Flows and volume of one thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Volume {
    /// Flows.
    pub flows: u64,
    /// Packets.
    pub packets: u64,
    /// Bytes.
    pub bytes: u64,
}

impl Volume {
    fn add(&mut self, other: Self) {
        self.flows += other.flows;
        self.packets += other.packets;
        self.bytes += other.bytes;
    }
}

/// Traffic over time: packets and bytes per step of a growing width.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    /// Seconds since 1970 of the first step, once there is one.
    pub start: Option<u64>,
    /// Seconds of one step: a power of two.
    pub width: u64,
    /// Packets and bytes of each step.
    pub steps: Vec<(u64, u64)>,
    /// The second counted last, and its step.
    last: (u64, usize),
}

impl Timeline {
    /// Counts one packet. Packets mostly come in the second of the one before: that needs no division.
    pub fn count(&mut self, second: u64, bytes: u64) {
        if second == self.last.0
            && let Some(step) = self.steps.get_mut(self.last.1)
        {
            step.0 += 1;
            step.1 += bytes;
            return;
        }
        self.put(second, 1, bytes);
    }

    /// Adds another worker's.
    pub fn add(&mut self, other: &Self) {
        let Some(start) = other.start else { return };
        for (i, (packets, bytes)) in other.steps.iter().enumerate() {
            self.put(start + i as u64 * other.width.max(1), *packets, *bytes);
        }
    }

    fn put(&mut self, second: u64, packets: u64, bytes: u64) {
        self.width = self.width.max(1);
        let start = *self.start.get_or_insert(second);
        if second < start {
            self.grow_back(second);
        }
        let mut at = self.step_of(second);
        while at >= MOST_SECONDS {
            self.halve();
            at = self.step_of(second);
        }
        if at >= self.steps.len() {
            self.steps.resize(at + 1, (0, 0));
        }
        if let Some(step) = self.steps.get_mut(at) {
            step.0 += packets;
            step.1 += bytes;
        }
        self.last = (second, at);
    }

    fn step_of(&self, second: u64) -> usize {
        let since = second.saturating_sub(self.start.unwrap_or(second));
        usize::try_from(since / self.width.max(1)).unwrap_or(usize::MAX)
    }

    /// Captures go back in time now and then: the line begins earlier.
    fn grow_back(&mut self, second: u64) {
        let start = self.start.unwrap_or(second);
        let mut missing = start.saturating_sub(second).div_ceil(self.width);
        while missing + self.steps.len() as u64 > MOST_SECONDS as u64 && self.width < 1 << 40 {
            self.halve();
            missing = start.saturating_sub(second).div_ceil(self.width);
        }
        let missing = usize::try_from(missing).unwrap_or(0).min(MOST_SECONDS);
        self.steps.splice(0..0, std::iter::repeat_n((0, 0), missing));
        self.start = Some(start.saturating_sub(missing as u64 * self.width));
        self.last = (u64::MAX, usize::MAX);
    }

    fn halve(&mut self) {
        let merged = self
            .steps
            .chunks(2)
            .map(|pair| pair.iter().fold((0, 0), |sum, step| (sum.0 + step.0, sum.1 + step.1)));
        self.steps = merged.collect();
        self.width = self.width.max(1) * 2;
    }
}

/// Whose network an address is of: equal addresses of different networks are different hosts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Network {
    /// The one that is captured.
    #[default]
    Plain,
    /// A virtual one of this number, travelling in a tunnel.
    Virtual(u32),
    /// A tenant's, by what it is called.
    Tenant(Arc<str>),
}

impl Network {
    /// `labels`: what tenants are called.
    pub(crate) fn of(tenant: u32, labels: &[Arc<str>]) -> Self {
        match (decode::mirror::index(tenant).and_then(|at| labels.get(at)), tenant) {
            (Some(label), _) => Self::Tenant(Arc::clone(label)),
            (None, 0) => Self::Plain,
            (None, number) => Self::Virtual(number),
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain => Ok(()),
            Self::Virtual(number) => write!(f, "vni {number}"),
            Self::Tenant(name) => f.write_str(name),
        }
    }
}

/// Everything the summary needs that no counter has.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Traffic over time.
    pub timeline: Timeline,
    /// By protocol name; flows that nobody recognised stand under the empty name.
    pub protocols: HashMap<&'static str, Volume>,
    /// By service name.
    pub services: HashMap<&'static str, Volume>,
    /// By address and the network it is of.
    pub talkers: HashMap<(IpAddr, Network), Volume>,
}

impl Tally {
    /// `labels`: what tenants are called.
    pub(crate) fn flow_ended(&mut self, flow: &Flow<Attached>, labels: &[Arc<str>]) {
        let volume = Volume { flows: 1, packets: flow.packets.iter().sum(), bytes: flow.bytes.iter().sum() };
        let label = flow.a.app.label();
        self.protocols.entry(label.protocol.map_or("", |p| p.name)).or_default().add(volume);
        if let Some(service) = label.service {
            self.services.entry(service.name).or_default().add(volume);
        }
        let network = Network::of(flow.key.tenant, labels);
        for address in [flow.key.src, flow.key.dst] {
            self.talks((address.to_ip(flow.key.version), network.clone()), volume);
        }
    }

    fn talks(&mut self, who: (IpAddr, Network), volume: Volume) {
        if self.talkers.len() < MOST_TALKERS || self.talkers.contains_key(&who) {
            self.talkers.entry(who).or_default().add(volume);
        }
    }

    /// Adds another worker's to what there is; the first is taken as it is.
    pub(crate) fn join(mine: &mut Arc<Self>, other: &Arc<Self>) {
        if mine.timeline.start.is_none() && mine.protocols.is_empty() {
            *mine = Arc::clone(other);
        } else {
            Arc::make_mut(mine).add(other);
        }
    }

    fn add(&mut self, other: &Self) {
        self.timeline.add(&other.timeline);
        for (name, volume) in &other.protocols {
            self.protocols.entry(name).or_default().add(*volume);
        }
        for (name, volume) in &other.services {
            self.services.entry(name).or_default().add(*volume);
        }
        for (who, volume) in &other.talkers {
            self.talkers.entry(who.clone()).or_default().add(*volume);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_capture_keeps_its_sum_in_wider_steps() {
        let mut line = Timeline::default();
        for second in 0..100_000 {
            line.count(1_000 + second, 10);
        }
        assert!(line.steps.len() <= MOST_SECONDS);
        assert_eq!(line.steps.iter().map(|s| s.0).sum::<u64>(), 100_000);
        assert!(line.width > 1);
    }

    #[test]
    fn equal_addresses_of_different_networks_are_different_talkers() {
        let labels: Vec<Arc<str>> = vec!["prod".into(), "dev".into()];
        let mut tally = Tally::default();
        let volume = Volume { flows: 1, packets: 2, bytes: 3 };
        for tenant in [0, 7, 1 << 31, (1 << 31) + 1, 1 << 31] {
            tally.talks(([10, 0, 0, 1].into(), Network::of(tenant, &labels)), volume);
        }
        let mut seen: Vec<_> = tally.talkers.iter().map(|((_, n), v)| (n.to_string(), v.flows)).collect();
        seen.sort();
        let expected = [("", 1), ("dev", 1), ("prod", 2), ("vni 7", 1)].map(|(n, v)| (n.to_owned(), v));
        assert_eq!(seen, expected);
    }

    #[test]
    fn time_going_back_moves_the_start() {
        let mut line = Timeline::default();
        line.count(100, 1);
        line.count(90, 1);
        line.count(100, 1);
        assert_eq!(line.start, Some(90));
        assert_eq!((line.steps[0].0, line.steps[10].0), (1, 2));
    }
}
