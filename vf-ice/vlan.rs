//! VLAN tags in the second form: which layer has them, and what is done with them.
//!
//! In double VLAN mode a single tag is an outer one, and comes out of the frame into the second place of the descriptor; in
//! single VLAN mode it is an inner one, and comes out into the first. Where one tag protocol excludes the others, 802.1Q
//! (0x8100) is meant.

use avf::virtchnl::{Request, VlanCaps, VlanFilter, VlanFilters, VlanSetting, VlanSupport, VlanTag};
use avf_driver::{Negotiated, Settings, Step};

/// 802.1Q.
const DOT1Q: u16 = 0x8100;

/// Filters of one message.
const FILTERS: usize = 100;

pub(crate) fn request(step: Step, round: u16, agreed: &Negotiated, settings: &Settings) -> Option<Request> {
    let caps = agreed.vlan?;
    match step {
        Step::Vlans => filters(&caps, &settings.vlans, round)
            .map(|list| Request::AddVlanFilters(VlanFilters { vport: agreed.vsi, list })),
        Step::Stripping if settings.strip_vlan => taken_out(&caps, agreed.vsi, round),
        Step::Stripping => kept(&caps, agreed.vsi, round),
        _ => None,
    }
}

/// VLANs to receive, by the tag that can be filtered; no more than the PF takes.
fn filters(caps: &VlanCaps, vlans: &[u16], round: u16) -> Option<Vec<VlanFilter>> {
    let fitting = vlans.get(..caps.max_filters.into()).unwrap_or(vlans);
    let tag = |tci: &u16| VlanTag { tci: *tci, mask: 0, tpid: DOT1Q };
    let one = |tci| {
        if caps.filter_outer.contains(VlanSupport::TPID_8100) {
            Some(VlanFilter { outer: tag(tci), ..VlanFilter::default() })
        } else if caps.filter_inner.contains(VlanSupport::TPID_8100) {
            Some(VlanFilter { inner: tag(tci), ..VlanFilter::default() })
        } else {
            None
        }
    };
    fitting.chunks(FILTERS).nth(round.into())?.iter().map(one).collect()
}

/// The protocols of a layer that one setting can name.
fn named(support: VlanSupport) -> VlanSupport {
    let toggles = support.toggles();
    if support.contains(VlanSupport::XOR) { toggles & VlanSupport::TPID_8100 } else { toggles }
}

/// Every layer's tags stay in frames, where that can be chosen.
fn kept(caps: &VlanCaps, vport: u16, round: u16) -> Option<Request> {
    let setting = VlanSetting { outer: named(caps.strip_outer), inner: named(caps.strip_inner), vport };
    let can = !setting.outer.is_empty() || !setting.inner.is_empty();
    (round == 0 && can).then_some(Request::DisableStrippingV2(setting))
}

/// The outermost tag comes out, and no other.
fn taken_out(caps: &VlanCaps, vport: u16, round: u16) -> Option<Request> {
    let none = VlanSupport::empty();
    let (outer, inner) = (named(caps.strip_outer), named(caps.strip_inner));
    let dot1q = VlanSupport::TPID_8100;
    match round {
        0 if outer.contains(dot1q) => {
            Some(Request::EnableStrippingV2(VlanSetting { outer: dot1q, inner: none, vport }))
        }
        0 if inner.contains(dot1q) => {
            Some(Request::EnableStrippingV2(VlanSetting { outer: none, inner: dot1q, vport }))
        }
        1 if outer.contains(dot1q) && !inner.is_empty() => {
            Some(Request::DisableStrippingV2(VlanSetting { outer: none, inner, vport }))
        }
        _ => None,
    }
}

/// TPID of tags in the descriptor's second place; none where the PF puts none there.
pub(crate) fn outer_tpid(agreed: &Negotiated) -> Option<u16> {
    let caps = agreed.vlan?;
    let second = VlanSupport::L2TAG2 | VlanSupport::L2TAG2_2;
    caps.strip_outer.intersects(second).then_some(DOT1Q)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn double() -> VlanCaps {
        VlanCaps {
            filter_outer: VlanSupport::TPIDS | VlanSupport::AND,
            max_filters: 8,
            strip_outer: VlanSupport::TOGGLE | VlanSupport::TPIDS | VlanSupport::XOR | VlanSupport::L2TAG2_2,
            strip_inner: VlanSupport::TOGGLE | VlanSupport::TPID_8100 | VlanSupport::L2TAG1,
            ..VlanCaps::default()
        }
    }

    #[test]
    fn one_protocol_is_named_where_they_exclude_each_other() {
        let Some(Request::DisableStrippingV2(setting)) = kept(&double(), 1, 0) else { panic!("a setting") };
        assert_eq!((setting.outer, setting.inner), (VlanSupport::TPID_8100, VlanSupport::TPID_8100));
        assert_eq!(kept(&VlanCaps::default(), 1, 0), None, "a port VLAN leaves nothing to choose");
    }

    #[test]
    fn of_two_tags_the_outer_one_is_taken_out_and_the_inner_one_stays() {
        assert!(
            matches!(taken_out(&double(), 1, 0), Some(Request::EnableStrippingV2(s)) if s.inner.is_empty())
        );
        assert!(
            matches!(taken_out(&double(), 1, 1), Some(Request::DisableStrippingV2(s)) if s.outer.is_empty())
        );
        let single = VlanCaps { strip_outer: VlanSupport::empty(), ..double() };
        assert!(
            matches!(taken_out(&single, 1, 0), Some(Request::EnableStrippingV2(s)) if s.outer.is_empty())
        );
        assert_eq!(taken_out(&single, 1, 1), None);
    }

    #[test]
    fn filters_are_no_more_than_the_pf_takes_and_come_in_messages_that_fit() {
        let vlans: Vec<u16> = (1..=300).collect();
        assert_eq!(filters(&double(), &vlans, 0).map(|list| list.len()), Some(8));
        let many = VlanCaps { max_filters: 4096, ..double() };
        let rounds: Vec<_> =
            (0..4).map(|round| filters(&many, &vlans, round).map_or(0, |list| list.len())).collect();
        assert_eq!(rounds, [100, 100, 100, 0]);
        assert_eq!(filters(&VlanCaps::default(), &vlans, 0), None);
    }
}
