//! Mirror sessions: a tunnel that is only the way by which a copy came here is taken off.

use crate::mirror::{Facts, Kind, Shape, Tap};
use crate::walk::{Dropped, Start, Task, Walk, short};
use crate::{Ip, Network, Origin, Packet, Vlans};

/// What a tunnel carries, and where.
#[derive(Clone, Copy)]
pub(crate) struct Inside {
    pub(crate) origin: Origin,
    pub(crate) start: Start,
    pub(crate) at: usize,
    pub(crate) end: usize,
}

impl Walk<'_> {
    /// Which mirror session a tunnel in `p` belongs to. Only the outermost tunnel can be one: what stands further in was
    /// sent by whoever is watched.
    pub(crate) fn session(&self, p: &Packet, shape: Shape) -> Option<usize> {
        if !self.settings.mirror.strips() {
            return None;
        }
        if self.task.mirrored {
            return self.task.carrier.filter(|_| shape == Shape::Vxlan);
        }
        let Network::Ip(ip) = &p.network else { return None };
        let fits = |session: &crate::mirror::Session| session.fits(shape, ip, self.tap);
        self.settings.mirror.sessions.iter().position(fits).filter(|_| p.depth == 0)
    }

    /// Takes the tunnel off: `p` is no packet, what is inside comes in its place.
    pub(crate) fn strip(&mut self, p: &Packet, session: usize, shape: Shape, facts: Facts, inside: Inside) {
        let settings = self.settings;
        let (Network::Ip(ip), Some(line)) = (&p.network, settings.mirror.sessions.get(session)) else {
            return;
        };
        self.dropped = Some(Dropped::Wrapping);
        let tap = self.tap_of(line.kind(), ip, facts);
        let Some(tenant) = self.out.tenants.around(session, line.owner(), tap.ids) else {
            self.out.crowded = true;
            return;
        };
        self.out.tap = Some(Tap { tenant, ..tap });
        let more = line.kind() == Kind::GeneveVxlan && shape == Shape::Geneve;
        self.queue(Task {
            start: inside.start,
            source: self.task.source,
            origin: inside.origin,
            depth: p.depth,
            layers: self.layers + 1,
            clipped: true,
            mirrored: true,
            carrier: more.then_some(session),
            vlans: Vlans::default(),
            tenant,
            ether: None,
            at: inside.at,
            end: inside.end,
            length: short(inside.end.saturating_sub(inside.at)),
        });
    }

    /// What the headers say, with what those of a wrapping around this one said before.
    fn tap_of(&self, kind: Kind, ip: &Ip, facts: Facts) -> Tap {
        let mut ids = facts.ids;
        ids.source = Some((ip.src, ip.version));
        let around = self.out.tap.unwrap_or(Tap { kind, tenant: 0, ids, direction: None, truncated: false });
        ids.endpoint = ids.endpoint.or(around.ids.endpoint);
        ids.network = ids.network.or(around.ids.network);
        Tap {
            ids,
            direction: facts.direction.or(around.direction),
            truncated: facts.truncated || around.truncated,
            ..around
        }
    }
}
