//! Whether a frame is for the function: port VLAN, VLAN filters, addresses, promiscuity (reference sections 7 and 12.8).

use avf::rx::Cast;

use super::sight::Sight;
use crate::Function;

/// VLAN id in a TCI.
const VLAN: u16 = 0x0FFF;

/// Whether the function is to have this frame.
pub(crate) fn wants(function: &Function, frame: &[u8], sight: &Sight) -> bool {
    let Some(destination) = frame.first_chunk::<6>() else { return false };
    let vlan = sight.tags[0].map(|(_, tci)| tci & VLAN);
    wants_vlan(function, vlan) && wants_address(function, *destination, sight.cast)
}

/// A tag with VLAN 0 carries a priority alone (IEEE 802.1Q) and counts as none.
fn wants_vlan(function: &Function, vlan: Option<u16>) -> bool {
    let filters = &function.vf.filters;
    match (function.host.port_vlan, vlan.filter(|vlan| *vlan != 0)) {
        (Some(port), vlan) => vlan == Some(port),
        (None, None) => true,
        (None, Some(vlan)) if prunes(function) => filters.vlans.contains(&vlan),
        (None, Some(_)) => true,
    }
}

/// Whether tagged frames need a filter. The 700 series begins to look with the first filter; the 800 series always
/// does, except for a promiscuous function.
fn prunes(function: &Function) -> bool {
    let filters = &function.vf.filters;
    if function.persona.prunes_vlans {
        !(filters.unicast || filters.multicast)
    } else {
        !filters.vlans.is_empty()
    }
}

fn wants_address(function: &Function, destination: [u8; 6], cast: Cast) -> bool {
    let filters = &function.vf.filters;
    match cast {
        Cast::Broadcast => true,
        Cast::Multicast => filters.multicast || filters.macs.contains(&destination),
        Cast::Unicast | Cast::Mirrored => filters.unicast || filters.macs.contains(&destination),
    }
}
