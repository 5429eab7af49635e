//! One line of `mirror.sessions`: which tunnels are a mirror's, and by what its tenants are told apart.

use super::tenant::Owner;
use super::{Kind, Prefix, Rule, Unreadable};
use crate::Ip;
use frame::TapId;
use std::fmt;
use std::str::FromStr;

/// A tunnel header, as the decoder meets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Vxlan,
    Geneve,
    Erspan,
    Gre,
}

/// Which tunnels are mirror sessions, and whose packets they bring.
///
/// Written as `KIND [on INTERFACE]... [to PREFIX]... [from PREFIX]... tenant RULE`, or with `as NAME` in place of the
/// rule. Of `on`, `to` and `from` there must be one at least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    kind: Kind,
    on: Vec<String>,
    to: Vec<Prefix>,
    from: Vec<Prefix>,
    owner: Owner,
    /// The taps that `on` names, once they are known.
    taps: Vec<TapId>,
}

impl Session {
    /// What the mirror wraps its copies in.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) const fn owner(&self) -> &Owner {
        &self.owner
    }

    pub(super) fn resolve(&mut self, taps: &[String]) {
        let numbered = (0..).map(TapId).zip(taps);
        self.taps = numbered.filter(|(_, name)| self.on.contains(name)).map(|(tap, _)| tap).collect();
    }

    /// Whether a tunnel of this shape, around these addresses, is one of it.
    pub(crate) fn fits(&self, shape: Shape, ip: &Ip, tap: TapId) -> bool {
        let shapes = match self.kind {
            Kind::Vxlan => Shape::Vxlan,
            Kind::Geneve | Kind::GeneveVxlan => Shape::Geneve,
            Kind::Erspan => Shape::Erspan,
            Kind::Gre => Shape::Gre,
        };
        let within = |list: &[Prefix], address| list.is_empty() || list.iter().any(|p| p.contains(address));
        shapes == shape
            && (self.on.is_empty() || self.taps.contains(&tap))
            && within(&self.to, &ip.dst)
            && within(&self.from, &ip.src)
    }
}

impl FromStr for Session {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let mut words = text.split_whitespace();
        let first = words.next().unwrap_or_default();
        let kind = Kind::ALL.into_iter().find(|k| k.name() == first);
        let kind = kind.ok_or_else(|| Unreadable(format!("`{first}` is no kind of mirror")))?;
        let (mut on, mut to, mut from, mut owner) = (Vec::new(), Vec::new(), Vec::new(), None);
        while let Some(word) = words.next() {
            let Some(value) = words.next() else {
                return Err(Unreadable(format!("nothing stands behind `{word}`")));
            };
            match word {
                "on" => on.push(value.to_owned()),
                "to" => to.push(value.parse()?),
                "from" => from.push(value.parse()?),
                "tenant" => owner = Some(Owner::By(value.parse::<Rule>()?)),
                "as" => owner = Some(Owner::Named(value.to_owned())),
                _ => return Err(Unreadable(format!("`{word}` is none of on, to, from, tenant, as"))),
            }
        }
        if on.is_empty() && to.is_empty() && from.is_empty() {
            return Err(Unreadable(
                "one of on, to and from must be there (`to any` for every tunnel)".into(),
            ));
        }
        let owner = owner.ok_or_else(|| Unreadable("`tenant` or `as` must be there".into()))?;
        Ok(Self { kind, on, to, from, owner, taps: Vec::new() })
    }
}

impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.name())?;
        self.on.iter().try_for_each(|name| write!(f, " on {name}"))?;
        self.to.iter().try_for_each(|prefix| write!(f, " to {prefix}"))?;
        self.from.iter().try_for_each(|prefix| write!(f, " from {prefix}"))?;
        match &self.owner {
            Owner::By(rule) => write!(f, " tenant {rule}"),
            Owner::Named(name) => write!(f, " as {name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Address;

    fn read(text: &str) -> Session {
        text.parse().unwrap_or_else(|why| panic!("{text}: {why}"))
    }

    #[test]
    fn what_is_read_prints_the_same() {
        for text in [
            "vxlan to 10.9.0.5/32 tenant vni",
            "geneve+vxlan on eth1 to any from 10.0.0.0/8 from 192.168.0.0/16 tenant vni+endpoint",
            "erspan from 2001:db8::/32 tenant session+source",
            "gre on eth1 as office",
        ] {
            assert_eq!(read(text).to_string(), text);
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, told) in [
            ("vxlan tenant vni", "one of on, to and from"),
            ("vxlan to any", "`tenant` or `as`"),
            ("vlan to any tenant vni", "`vlan`"),
            ("vxlan to 10.0.0.0/40 tenant vni", "`10.0.0.0/40`"),
            ("vxlan to any tenant vni+colour", "`colour`"),
            ("vxlan to any tenant", "behind `tenant`"),
            ("vxlan at any tenant vni", "`at`"),
        ] {
            let why = text.parse::<Session>().expect_err(text).to_string();
            assert!(why.contains(told), "{text}: {why}");
        }
    }

    #[test]
    fn every_condition_must_hold() {
        let ip = Ip {
            version: 4,
            src: Address::v4([10, 0, 0, 1]),
            dst: Address::v4([10, 9, 0, 5]),
            ..Ip::default()
        };
        let fits = |text: &str, shape, tap| {
            let mut session = read(text);
            session.resolve(&["eth0".into(), "eth1".into()]);
            session.fits(shape, &ip, TapId(tap))
        };
        assert!(fits("vxlan to 10.9.0.5 from 10.0.0.0/24 tenant vni", Shape::Vxlan, 0));
        assert!(!fits("vxlan to 10.9.0.6 from 10.0.0.0/24 tenant vni", Shape::Vxlan, 0));
        assert!(!fits("vxlan to 10.9.0.5 from 10.1.0.0/24 tenant vni", Shape::Vxlan, 0));
        assert!(!fits("vxlan to 10.9.0.5 tenant vni", Shape::Geneve, 0));
        assert!(fits("geneve+vxlan on eth1 tenant vni", Shape::Geneve, 1));
        assert!(!fits("geneve+vxlan on eth1 tenant vni", Shape::Geneve, 0));
    }
}
