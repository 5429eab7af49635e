//! Tenants: numbers for whoever a mirror's packets belong to. A number stands for exactly one set of ids, or for one
//! name, never for what merely hashes alike: equal addresses of two tenants must not meet.

use super::{Prefix, Unreadable, number};
use crate::Address;
use std::collections::HashMap;
use std::fmt::{self, Write as _};
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::sync::Arc;

/// Tenants of mirrors are numbered from here on; below are the networks of tunnels that are traffic themselves.
const FIRST: u32 = 1 << 31;
/// Most sets of ids that are told apart; packets of others are not analysed, and counted.
const MOST: usize = 1 << 16;
/// Most virtual networks inside the traffic of tenants. Whoever is mirrored can write any number into a packet, and must
/// not use up what tenants need; beyond, such a network is taken for the one that it travels in.
const MOST_WITHIN: usize = 1 << 15;

/// Whether a packet with this tenant came by a mirror whose tunnel was stripped.
#[must_use]
pub const fn is_mirrored(tenant: u32) -> bool {
    tenant >= FIRST
}

/// Place of such a tenant among [`crate::Decoder::tenants`].
#[must_use]
pub const fn index(tenant: u32) -> Option<usize> {
    if is_mirrored(tenant) { Some((tenant ^ FIRST) as usize) } else { None }
}

/// What a mirror may be told by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// VXLAN or GENEVE network identifier.
    Vni,
    /// Endpoint of a gateway load balancer: GENEVE option class 0x0108 (or 0x0167), type 1.
    Endpoint,
    /// ERSPAN session.
    Session,
    /// Google Cloud network: GENEVE option class 0x0132, type 1, without its lowest four bits.
    Network,
    /// GRE key.
    Key,
    /// Who sent the copy.
    Source,
}

impl Part {
    /// Every part, in catalogue order.
    pub const ALL: [Self; 6] =
        [Self::Vni, Self::Endpoint, Self::Session, Self::Network, Self::Key, Self::Source];

    /// The word that settings use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vni => "vni",
            Self::Endpoint => "endpoint",
            Self::Session => "session",
            Self::Network => "network",
            Self::Key => "key",
            Self::Source => "source",
        }
    }

    fn read(word: &str) -> Result<Self, Unreadable> {
        let found = Self::ALL.into_iter().find(|part| part.name() == word);
        found.ok_or_else(|| {
            Unreadable(format!("`{word}` is none of vni, endpoint, session, network, key, source"))
        })
    }
}

/// By which parts tenants are told apart, written as `source+vni`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rule(u8);

impl Rule {
    const fn has(self, part: Part) -> bool {
        self.0 & 1 << part as u8 != 0
    }
}

impl FromStr for Rule {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let mut rule = Self(0);
        for word in text.split('+') {
            rule.0 |= 1 << Part::read(word)? as u8;
        }
        Ok(rule)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = Part::ALL.into_iter().filter(|p| self.has(*p)).map(Part::name).collect();
        f.write_str(&names.join("+"))
    }
}

/// The ids around a packet, those that there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ids {
    /// See [`Part::Vni`].
    pub vni: Option<u32>,
    /// See [`Part::Endpoint`].
    pub endpoint: Option<u64>,
    /// See [`Part::Session`].
    pub session: Option<u16>,
    /// See [`Part::Network`].
    pub network: Option<u32>,
    /// See [`Part::Key`].
    pub key: Option<u32>,
    /// See [`Part::Source`]: address and IP version.
    pub source: Option<(Address, u8)>,
}

impl Ids {
    /// Those that a rule asks for.
    fn by(self, rule: Rule) -> Self {
        Self {
            vni: self.vni.filter(|_| rule.has(Part::Vni)),
            endpoint: self.endpoint.filter(|_| rule.has(Part::Endpoint)),
            session: self.session.filter(|_| rule.has(Part::Session)),
            network: self.network.filter(|_| rule.has(Part::Network)),
            key: self.key.filter(|_| rule.has(Part::Key)),
            source: self.source.filter(|_| rule.has(Part::Source)),
        }
    }

    fn number(&self, part: Part) -> Option<u64> {
        match part {
            Part::Vni => self.vni.map(u64::from),
            Part::Endpoint => self.endpoint,
            Part::Session => self.session.map(u64::from),
            Part::Network => self.network.map(u64::from),
            Part::Key => self.key.map(u64::from),
            Part::Source => None,
        }
    }

    /// What a tenant without a name is called: the parts that tell it apart, and what they are here.
    fn label(&self, rule: Rule) -> String {
        let mut text = String::new();
        for part in Part::ALL.into_iter().filter(|part| rule.has(*part)) {
            let gap = if text.is_empty() { "" } else { " " };
            let name = part.name();
            // Writing to a text cannot fail.
            let _ = match (part, self.number(part), self.source) {
                (Part::Source, _, Some((address, version))) => {
                    write!(text, "{gap}{name} {}", address.to_ip(version))
                }
                (Part::Endpoint, Some(id), _) => write!(text, "{gap}{name} {id:#018x}"),
                (_, Some(id), _) => write!(text, "{gap}{name} {id}"),
                (_, None, _) => write!(text, "{gap}{name} none"),
            };
        }
        text
    }
}

/// Whose the packets of a session are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// Told apart by these ids.
    By(Rule),
    /// All of this tenant.
    Named(String),
}

/// One line of `mirror.tenants`: a name, and the ids that it stands for, as `NAME = PART VALUE ...`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    name: String,
    numbers: Vec<(Part, RangeInclusive<u64>)>,
    sources: Vec<Prefix>,
}

impl Name {
    /// Whether every id that it names is there and fits.
    fn fits(&self, ids: &Ids) -> bool {
        let within = |(part, range): &(Part, RangeInclusive<u64>)| {
            ids.number(*part).is_some_and(|id| range.contains(&id))
        };
        let from = |prefix: &Prefix| ids.source.is_some_and(|(address, _)| prefix.contains(&address));
        self.numbers.iter().all(within) && self.sources.iter().all(from)
    }
}

impl FromStr for Name {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let (name, rest) = text.split_once('=').ok_or_else(|| Unreadable(format!("`{text}` has no `=`")))?;
        let name = name.trim().to_owned();
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(Unreadable(format!("`{name}` is no name of one word")));
        }
        let (mut numbers, mut sources) = (Vec::new(), Vec::new());
        let mut words = rest.split_whitespace();
        while let Some(word) = words.next() {
            let part = Part::read(word)?;
            let Some(value) = words.next() else {
                return Err(Unreadable(format!("nothing stands behind `{word}`")));
            };
            match part {
                Part::Source => sources.push(value.parse()?),
                _ => numbers.push((part, range(value)?)),
            }
        }
        if numbers.is_empty() && sources.is_empty() {
            return Err(Unreadable(format!("`{name}` stands for no id")));
        }
        Ok(Self { name, numbers, sources })
    }
}

/// `7` or `7-9`.
fn range(text: &str) -> Result<RangeInclusive<u64>, Unreadable> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let (from, to) = (number(from)?, number(to)?);
    if from > to { Err(Unreadable(format!("`{text}` holds no number"))) } else { Ok(from..=to) }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} =", self.name)?;
        for (part, range) in &self.numbers {
            let (from, to) = range.clone().into_inner();
            match from == to {
                true => write!(f, " {} {from}", part.name())?,
                false => write!(f, " {} {from}-{to}", part.name())?,
            }
        }
        self.sources.iter().try_for_each(|prefix| write!(f, " source {prefix}"))
    }
}

/// What a number stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Identity {
    /// Ids around the packet, within one line of the configuration.
    Around(usize, Ids),
    /// A virtual network inside the traffic of a tenant.
    Within(u32, u32),
}

/// Every tenant met so far.
#[derive(Debug)]
pub(crate) struct Tenants {
    names: Vec<Name>,
    /// Looked up, never walked: its order reaches nothing. The hasher has no random seed.
    numbers: HashMap<Identity, u32, BuildHasherDefault<DefaultHasher>>,
    by_name: HashMap<String, u32, BuildHasherDefault<DefaultHasher>>,
    labels: Vec<Arc<str>>,
    within: usize,
    /// Packets of one mirror come one after the other.
    last: Option<(Identity, u32)>,
}

impl Tenants {
    pub(crate) fn new(names: &[Name]) -> Self {
        Self {
            names: names.to_vec(),
            numbers: HashMap::default(),
            by_name: HashMap::default(),
            labels: Vec::new(),
            within: 0,
            last: None,
        }
    }

    /// What the tenants are called, in the order of their numbers.
    pub(crate) fn labels(&self) -> &[Arc<str>] {
        &self.labels
    }

    /// The tenant of a packet that came by line `session` of the configuration, with these ids around it; `None` when
    /// too many are known.
    pub(crate) fn around(&mut self, session: usize, owner: &Owner, ids: Ids) -> Option<u32> {
        let Owner::By(rule) = owner else {
            return self.find(Identity::Around(session, Ids::default()), |tenants| match owner {
                Owner::Named(name) => tenants.named(name),
                Owner::By(_) => None,
            });
        };
        let ids = ids.by(*rule);
        self.find(Identity::Around(session, ids), |tenants| {
            let name = tenants.names.iter().find(|name| name.fits(&ids)).map(|found| found.name.clone());
            match name {
                Some(name) => tenants.named(&name),
                None => tenants.add(ids.label(*rule)),
            }
        })
    }

    /// The virtual network `vni` inside the traffic of `tenant`; `None` when too many are known.
    pub(crate) fn within(&mut self, tenant: u32, vni: u32) -> Option<u32> {
        self.find(Identity::Within(tenant, vni), |tenants| {
            if tenants.within >= MOST_WITHIN {
                return None;
            }
            tenants.within += 1;
            let outer = tenants.labels.get((tenant ^ FIRST) as usize).cloned().unwrap_or_default();
            tenants.add(format!("{outer}/vni {vni}"))
        })
    }

    fn find(&mut self, wanted: Identity, make: impl FnOnce(&mut Self) -> Option<u32>) -> Option<u32> {
        if let Some((identity, number)) = self.last
            && identity == wanted
        {
            return Some(number);
        }
        let number = match self.numbers.get(&wanted) {
            Some(number) => *number,
            None if self.numbers.len() >= MOST + self.within => return None,
            None => {
                let number = make(self)?;
                self.numbers.insert(wanted, number);
                number
            }
        };
        self.last = Some((wanted, number));
        Some(number)
    }

    fn named(&mut self, name: &str) -> Option<u32> {
        if let Some(number) = self.by_name.get(name) {
            return Some(*number);
        }
        let number = self.add(name.to_owned())?;
        self.by_name.insert(name.to_owned(), number);
        Some(number)
    }

    fn add(&mut self, label: String) -> Option<u32> {
        let number = u32::try_from(self.labels.len()).ok()? | FIRST;
        self.labels.push(label.into());
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(vni: u32) -> Ids {
        Ids { vni: Some(vni), source: Some((Address::v4([10, 0, 0, 1]), 4)), ..Ids::default() }
    }

    fn by(rule: &str) -> Owner {
        Owner::By(rule.parse().expect("a rule"))
    }

    #[test]
    fn ids_that_differ_are_tenants_that_differ() {
        let mut tenants = Tenants::new(&[]);
        let (rule, both) = (by("vni"), by("source+vni"));
        let seven = tenants.around(0, &rule, ids(7)).expect("room");
        assert!(is_mirrored(seven) && !is_mirrored(7));
        assert_eq!(tenants.around(0, &rule, ids(7)), Some(seven));
        assert_ne!(tenants.around(0, &rule, ids(8)), Some(seven));
        assert_ne!(tenants.around(1, &rule, ids(7)), Some(seven), "another line is another world");
        assert_ne!(tenants.within(seven, 7), Some(seven));
        let other = Ids { source: Some((Address::v4([10, 0, 0, 2]), 4)), ..ids(7) };
        assert_eq!(tenants.around(0, &rule, other), Some(seven));
        assert_ne!(tenants.around(2, &both, other), tenants.around(2, &both, ids(7)));
        let labels: Vec<_> = tenants.labels().iter().map(|l| &**l).collect();
        assert_eq!(
            labels,
            ["vni 7", "vni 8", "vni 7", "vni 7/vni 7", "vni 7 source 10.0.0.2", "vni 7 source 10.0.0.1"]
        );
    }

    #[test]
    fn a_name_puts_ids_together() {
        let names = ["prod = vni 7-8", "dev = vni 9 source 10.0.0.0/24"];
        let names: Vec<Name> = names.iter().map(|n| n.parse().expect("a name")).collect();
        let mut tenants = Tenants::new(&names);
        let rule = by("vni");
        let prod = tenants.around(0, &rule, ids(7));
        assert_eq!(tenants.around(3, &rule, ids(8)), prod);
        assert_eq!(tenants.around(4, &Owner::Named("prod".into()), ids(1)), prod);
        assert_ne!(tenants.around(0, &rule, ids(9)), prod);
        // The rule leaves the source out: a name that asks for it cannot fit.
        assert_eq!(tenants.labels().last().map(|l| &**l), Some("vni 9"));
        tenants.around(5, &by("vni+source"), ids(9));
        assert_eq!(tenants.labels().last().map(|l| &**l), Some("dev"));
    }

    #[test]
    fn beyond_the_bound_nobody_is_added() {
        let mut tenants = Tenants::new(&[]);
        let rule = by("vni");
        for vni in 0..65_536 {
            assert!(tenants.around(0, &rule, ids(vni)).is_some());
        }
        assert_eq!(tenants.around(0, &rule, ids(70_000)), None);
        assert!(tenants.around(0, &rule, ids(3)).is_some());
    }

    #[test]
    fn networks_inside_do_not_use_up_what_tenants_need() {
        let mut tenants = Tenants::new(&[]);
        let seven = tenants.around(0, &by("vni"), ids(7)).expect("room");
        let taken = (0..40_000).filter(|vni| tenants.within(seven, *vni).is_some()).count();
        assert_eq!(taken, 32_768);
        for vni in 0..65_535 {
            assert!(tenants.around(1, &by("vni"), ids(vni)).is_some());
        }
    }

    #[test]
    fn what_is_read_prints_the_same() {
        for text in ["prod = vni 7-9", "dev = endpoint 18 vni 3 source 10.0.0.0/8"] {
            assert_eq!(text.parse::<Name>().expect("a name").to_string(), text);
        }
        for text in ["prod", "prod =", "two words = vni 7", "prod = vni", "prod = vni 9-7", "prod = vlan 7"] {
            assert!(text.parse::<Name>().is_err(), "{text}");
        }
    }
}
