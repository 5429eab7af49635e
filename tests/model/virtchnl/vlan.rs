//! Tags: ops 27, 28 and, of the second form, 51 to 57 (reference sections 4.8 and 4.9).

use avf::virtchnl::{Message, Status, VlanCaps, VlanFilter, VlanFilters, VlanSetting, VlanSupport, VlanTag};

use super::{DONE, Told, must};
use crate::Function;
use crate::vf::Strip;

/// VLAN filters of a function that is trusted.
const TRUSTED: u16 = 4096;

/// VLAN id in a TCI.
const ID: u16 = 0x0FFF;

/// Tag protocols and the bits that stand for them.
const PROTOCOLS: [(VlanSupport, u16); 3] =
    [(VlanSupport::TPID_8100, 0x8100), (VlanSupport::TPID_88A8, 0x88A8), (VlanSupport::TPID_9100, 0x9100)];

/// Ops 27 and 28.
pub(super) fn strip_single(function: &mut Function, on: bool) -> Told {
    must(function.host.port_vlan.is_none())?;
    function.vf.strip = Strip::single(on);
    DONE
}

/// Op 51.
pub(super) fn caps(function: &Function) -> Told {
    Ok(offered(function).encode())
}

/// What there is, by mode of the port.
fn offered(function: &Function) -> VlanCaps {
    let double = function.has_double_tags();
    let inner = VlanSupport::TOGGLE | VlanSupport::TPID_8100 | VlanSupport::L2TAG1;
    let outer = VlanSupport::TOGGLE | VlanSupport::TPIDS | VlanSupport::XOR;
    let max_filters = if function.host.trusted { TRUSTED } else { filters_untrusted(function) };
    let single = VlanCaps {
        strip_inner: inner,
        insert_inner: inner,
        offload_init: VlanSupport::TPID_8100,
        ..VlanCaps::default()
    };
    match (double, function.host.port_vlan.is_some()) {
        (true, false) => VlanCaps {
            filter_outer: VlanSupport::TPIDS | VlanSupport::AND,
            filter_init: VlanSupport::TPID_8100,
            max_filters,
            strip_outer: outer | VlanSupport::L2TAG2_2,
            insert_outer: outer | VlanSupport::L2TAG2,
            ..single
        },
        (false, false) => VlanCaps {
            filter_inner: VlanSupport::TPID_8100,
            filter_init: VlanSupport::TPID_8100,
            max_filters,
            ..single
        },
        (true, true) => single,
        (false, true) => VlanCaps::default(),
    }
}

fn filters_untrusted(function: &Function) -> u16 {
    u16::try_from(function.persona.untrusted.vlans).unwrap_or(u16::MAX)
}

/// Op 52.
pub(super) fn add_filters(function: &mut Function, list: &VlanFilters) -> Told {
    let ids = ids(function, list)?;
    let existing = &function.vf.filters.vlans;
    let new = ids.iter().filter(|id| !existing.contains(id)).count();
    must(existing.len() + new <= usize::from(offered(function).max_filters))?;
    function.vf.filters.vlans.extend(ids);
    DONE
}

/// Op 53.
pub(super) fn del_filters(function: &mut Function, list: &VlanFilters) -> Told {
    let ids = ids(function, list)?;
    must(ids.iter().all(|id| function.vf.filters.vlans.contains(id)))?;
    function.vf.filters.vlans.retain(|id| !ids.contains(id));
    DONE
}

/// VLANs that the filters name, each by the tag that can be filtered.
fn ids(function: &Function, list: &VlanFilters) -> Result<Vec<u16>, Status> {
    function.own_vsi(list.vport)?;
    let caps = offered(function);
    let one = |filter: &VlanFilter| {
        let outer = id(filter.outer, caps.filter_outer)?;
        let inner = id(filter.inner, caps.filter_inner)?;
        outer.or(inner).ok_or(Status::ERR_PARAM)
    };
    list.list.iter().map(one).collect()
}

/// The VLAN of a tag; none where the filter does not look at it.
fn id(tag: VlanTag, supported: VlanSupport) -> Result<Option<u16>, Status> {
    if tag == VlanTag::default() {
        return Ok(None);
    }
    let known = PROTOCOLS.iter().any(|(bit, tpid)| supported.contains(*bit) && *tpid == tag.tpid);
    must(known && (tag.mask == 0 || supported.contains(VlanSupport::FILTER_MASK)))?;
    Ok(Some(tag.tci & ID))
}

/// Ops 54 and 55.
pub(super) fn strip(function: &mut Function, setting: VlanSetting, on: bool) -> Told {
    let caps = offered(function);
    let (outer, inner) = protocols(function, setting, caps.strip_outer, caps.strip_inner)?;
    let keeps_crc = function.vf.rx.iter().any(|rx| rx.keep_crc);
    if on && keeps_crc {
        return Err(Status::NOT_SUPPORTED);
    }
    let strip = &mut function.vf.strip;
    if outer.is_some() {
        strip.outer = outer.filter(|_| on);
    }
    if inner.is_some() {
        strip.inner = inner.filter(|_| on);
    }
    DONE
}

/// Ops 56 and 57. A tag is inserted where a descriptor asks for it; this says of what protocol the outer one is.
pub(super) fn insert(function: &mut Function, setting: VlanSetting, on: bool) -> Told {
    let caps = offered(function);
    let (outer, _) = protocols(function, setting, caps.insert_outer, caps.insert_inner)?;
    function.vf.insert_outer = outer.filter(|_| on).unwrap_or(Strip::TPID);
    DONE
}

/// The protocols that a setting names, one a tag, of those that can be turned on and off.
fn protocols(
    function: &Function,
    setting: VlanSetting,
    outer: VlanSupport,
    inner: VlanSupport,
) -> Result<(Option<u16>, Option<u16>), Status> {
    function.own_vsi(setting.vport)?;
    must(!setting.outer.is_empty() || !setting.inner.is_empty())?;
    must(outer.toggles().contains(setting.outer) && inner.toggles().contains(setting.inner))?;
    let tpid =
        |asked: VlanSupport| PROTOCOLS.iter().find(|(bit, _)| asked.contains(*bit)).map(|(_, tpid)| *tpid);
    Ok((tpid(setting.outer), tpid(setting.inner)))
}
