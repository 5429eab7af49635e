//! What events say of the mirror that their packets came by.

use decode::Packet;
use decode::mirror::{Direction, Ids, Kind, Tap};
use event::Tape;
use event::schema::tap as f;
use parse::Visitor as _;
use std::sync::Arc;

/// The mirror of one packet, or what the mirrors of all packets of one flow have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mirror {
    kind: Option<Kind>,
    tenant: u32,
    ids: Ids,
    direction: Option<Direction>,
    truncated: bool,
}

impl Mirror {
    /// Of a packet. One inside another network of the tenant belongs to that.
    pub(crate) fn of(tap: &Tap, packet: &Packet) -> Self {
        Self {
            kind: Some(tap.kind),
            tenant: packet.tenant,
            ids: tap.ids,
            direction: tap.direction,
            truncated: tap.truncated || packet.missing > 0 || packet.header_cut,
        }
    }

    /// Leaves out what another packet of the flow says otherwise; one that was cut is enough.
    pub(crate) fn join(&mut self, other: &Self) {
        if self == other {
            return;
        }
        let (ids, theirs) = (&mut self.ids, &other.ids);
        keep(&mut self.kind, other.kind);
        keep(&mut self.direction, other.direction);
        keep(&mut ids.vni, theirs.vni);
        keep(&mut ids.endpoint, theirs.endpoint);
        keep(&mut ids.session, theirs.session);
        keep(&mut ids.network, theirs.network);
        keep(&mut ids.key, theirs.key);
        keep(&mut ids.source, theirs.source);
        self.truncated |= other.truncated;
    }

    /// Ends an event's fields with the object.
    pub(crate) fn write(&self, tenants: &[Arc<str>], tape: &mut Tape) {
        tape.object(&f::TAP);
        if let Some(kind) = self.kind {
            tape.word(&f::KIND, kind.name());
        }
        if let Some(label) = decode::mirror::index(self.tenant).and_then(|at| tenants.get(at)) {
            tape.text(&f::TENANT, label.as_bytes());
        }
        if let Some(vni) = self.ids.vni {
            tape.number(&f::VNI, vni.into());
        }
        if let Some(endpoint) = self.ids.endpoint {
            tape.hex(&f::ENDPOINT, &endpoint.to_be_bytes(), "");
        }
        if let Some(session) = self.ids.session {
            tape.number(&f::SESSION, session.into());
        }
        if let Some(network) = self.ids.network {
            tape.number(&f::NETWORK, network.into());
        }
        if let Some(key) = self.ids.key {
            tape.number(&f::KEY, key.into());
        }
        if let Some((address, version)) = self.ids.source {
            tape.address(&f::OUTER_SRC, address.to_ip(version));
        }
        if let Some(direction) = self.direction {
            tape.word(&f::DIRECTION, direction.name());
        }
        tape.flag(&f::TRUNCATED, self.truncated);
        tape.close();
    }
}

fn keep<T: PartialEq>(mine: &mut Option<T>, theirs: Option<T>) {
    if *mine != theirs {
        *mine = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_says_what_all_its_copies_agree_on() {
        let ids = Ids { vni: Some(7), session: Some(1), ..Ids::default() };
        let tap = Tap {
            kind: Kind::Vxlan,
            tenant: 1 << 31,
            ids,
            direction: Some(Direction::Ingress),
            truncated: false,
        };
        let packet = Packet { tenant: 1 << 31, ..Packet::default() };
        let mut flow = Mirror::of(&tap, &packet);
        flow.join(&Mirror::of(&tap, &packet));
        assert_eq!(flow, Mirror::of(&tap, &packet));
        let other = Tap { ids: Ids { vni: Some(8), ..ids }, direction: Some(Direction::Egress), ..tap };
        flow.join(&Mirror::of(&other, &Packet { missing: 4, ..packet }));
        assert_eq!((flow.ids.vni, flow.ids.session, flow.direction), (None, Some(1), None));
        assert!(flow.truncated && flow.kind == Some(Kind::Vxlan));
    }
}
