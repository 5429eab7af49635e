//! Addresses, VLANs of the first form, promiscuity: ops 10 to 14 (reference sections 4.8 and 7).

use avf::virtchnl::{AddressKind, Addresses, EtherAddress, Promiscuity, Promiscuous, Status, Vlans};

use super::{DONE, Told, must};
use crate::vf::Strip;
use crate::{Function, Persona};

/// Largest VLAN id.
const VLAN_MOST: u16 = 4095;

/// Op 10. All of it is looked at before any of it is done.
pub(super) fn add_addresses(function: &mut Function, list: &Addresses) -> Told {
    function.own_vsi(list.vsi)?;
    let wanted: Vec<EtherAddress> = usable(&function.persona, list)?;
    for entry in &wanted {
        may_have(function, entry.address)?;
    }
    let macs = &function.vf.filters.macs;
    let new = wanted.iter().filter(|entry| !macs.contains(&entry.address)).count();
    if !function.host.trusted && macs.len() + new > function.persona.untrusted.macs {
        return Err(function.persona.macs_full);
    }
    for entry in wanted {
        function.vf.filters.macs.insert(entry.address);
        let own = !is_group(entry.address)
            && (entry.kind == AddressKind::PRIMARY
                || entry.kind == AddressKind::LEGACY && function.vf.own.is_none());
        if own {
            function.vf.own = Some(entry.address);
        }
    }
    DONE
}

/// Op 11.
pub(super) fn del_addresses(function: &mut Function, list: &Addresses) -> Told {
    function.own_vsi(list.vsi)?;
    for entry in usable(&function.persona, list)? {
        let was_there = function.vf.filters.macs.remove(&entry.address);
        must(was_there || function.persona.takes_back_unknown)?;
        if function.vf.own == Some(entry.address) {
            function.vf.own = None;
        }
    }
    DONE
}

/// Zero and broadcast are nobody's addresses: some PFs pass them over, some refuse them.
fn usable(persona: &Persona, list: &Addresses) -> Result<Vec<EtherAddress>, Status> {
    let is_address = |entry: &&EtherAddress| entry.address != [0; 6] && entry.address != [0xFF; 6];
    let usable: Vec<EtherAddress> = list.list.iter().filter(is_address).copied().collect();
    must(persona.skips_no_addresses || usable.len() == list.list.len())?;
    Ok(usable)
}

/// Where the host has set an address, a function that is not trusted has no other of its own.
fn may_have(function: &Function, address: [u8; 6]) -> Result<(), Status> {
    let other = function.host.mac.is_some_and(|set| set != address);
    if other && !function.host.trusted && !is_group(address) {
        return Err(function.persona.refused_mac);
    }
    Ok(())
}

fn is_group(address: [u8; 6]) -> bool {
    let [first, ..] = address;
    first & 1 == 1
}

/// Op 12. On the 700 series it also turns stripping on.
pub(super) fn add_vlans(function: &mut Function, list: &Vlans) -> Told {
    function.own_vsi(list.vsi)?;
    must(list.ids.iter().all(|id| *id <= VLAN_MOST) && function.host.port_vlan.is_none())?;
    let most = if function.host.trusted { usize::MAX } else { function.persona.untrusted.vlans };
    if function.vf.filters.vlans.len() >= most {
        return if function.persona.says_vlans_full { Err(Status::ERR_PARAM) } else { DONE };
    }
    if function.persona.vlan_strips {
        function.vf.strip = Strip::single(true);
    }
    for id in &list.ids {
        if function.vf.filters.vlans.len() < most {
            function.vf.filters.vlans.insert(*id);
        }
    }
    DONE
}

/// Op 13.
pub(super) fn del_vlans(function: &mut Function, list: &Vlans) -> Told {
    function.own_vsi(list.vsi)?;
    must(list.ids.iter().all(|id| *id <= VLAN_MOST) && function.host.port_vlan.is_none())?;
    function.vf.filters.vlans.retain(|id| !list.ids.contains(id));
    DONE
}

/// Op 14. Whoever is not trusted is told that it is done, and it is not.
pub(super) fn promiscuous(function: &mut Function, asked: Promiscuous) -> Told {
    function.own_vsi(asked.vsi)?;
    must((Promiscuity::UNICAST | Promiscuity::MULTICAST).contains(asked.mode))?;
    if function.host.trusted {
        function.vf.filters.unicast = asked.mode.contains(Promiscuity::UNICAST);
        function.vf.filters.multicast = asked.mode.contains(Promiscuity::MULTICAST);
    }
    DONE
}
