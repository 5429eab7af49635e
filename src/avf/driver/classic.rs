//! The messages that every PF serves, in the form in which all of them do.

use avf::virtchnl::{
    AddressKind, Addresses, Caps, EtherAddress, Hena, IrqMap, Promiscuity, Promiscuous, QueueSelect, Request,
    RssKey, RssLut, VectorMap, Vlans,
};

use crate::{Negotiated, Settings, Step};

/// Queue pairs that these messages can name.
pub const MOST_QUEUES: u16 = 16;

/// The one message of a step; none where it has nothing to ask, or nothing in this form.
#[must_use]
pub fn request(step: Step, agreed: &Negotiated, settings: &Settings) -> Option<Request> {
    let vsi = agreed.vsi;
    let rss = agreed.has(Caps::RSS_PF);
    let queues = || QueueSelect { vsi, rx: agreed.mask().into(), tx: tx_mask(agreed, settings) };
    match step {
        Step::Vlans => (!settings.vlans.is_empty() && agreed.has(Caps::VLAN))
            .then(|| Request::AddVlans(Vlans { vsi, ids: settings.vlans.clone() })),
        Step::Stripping if settings.strip_vlan => Some(Request::EnableStripping),
        Step::Stripping => Some(Request::DisableStripping),
        Step::RssKey => rss.then(|| Request::RssKey(RssKey { vsi, key: agreed.key.clone() })),
        Step::RssLut => rss.then(|| Request::RssLut(RssLut { vsi, entries: agreed.lut.clone() })),
        Step::HenaCaps => rss.then_some(Request::HenaCaps),
        Step::Hena => rss.then_some(Request::SetHena(Hena(agreed.hena))),
        Step::Baseline | Step::Stats => {
            Some(Request::Stats(QueueSelect { vsi, rx: agreed.mask().into(), tx: agreed.mask().into() }))
        }
        Step::IrqMap => Some(Request::IrqMap(irq_map(agreed))),
        Step::Address => Some(Request::AddAddresses(addresses(agreed, settings))),
        Step::Enable => Some(Request::EnableQueues(queues())),
        Step::Disable => Some(Request::DisableQueues(queues())),
        Step::Promiscuous => settings.promiscuous.then_some(Request::Promiscuous(Promiscuous {
            vsi,
            mode: Promiscuity::UNICAST | Promiscuity::MULTICAST,
        })),
        Step::NotPromiscuous => settings
            .promiscuous
            .then_some(Request::Promiscuous(Promiscuous { vsi, mode: Promiscuity::empty() })),
        _ => None,
    }
}

fn tx_mask(agreed: &Negotiated, settings: &Settings) -> u32 {
    if settings.transmit { agreed.mask().into() } else { 0 }
}

fn irq_map(agreed: &Negotiated) -> IrqMap {
    let queues = VectorMap {
        vsi: agreed.vsi,
        vector: agreed.vector(),
        rx: agreed.mask(),
        tx: agreed.mask(),
        rx_itr: 0,
        tx_itr: 0,
    };
    IrqMap { vectors: vec![queues] }
}

fn addresses(agreed: &Negotiated, settings: &Settings) -> Addresses {
    let own = EtherAddress { address: agreed.address, kind: AddressKind::PRIMARY };
    let more = settings.addresses.iter().filter(|address| **address != agreed.address);
    let more = more.map(|address| EtherAddress { address: *address, kind: AddressKind::EXTRA });
    Addresses { vsi: agreed.vsi, list: std::iter::once(own).chain(more).collect() }
}
