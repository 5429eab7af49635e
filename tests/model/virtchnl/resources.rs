//! Who speaks, what there is, and how many queues: ops 1, 3, 29 (reference sections 4.5 and 4.8).

use avf::rss::KEY_BYTES;
use avf::virtchnl::{Caps, Message, Opcode, QueueCount, Resources, Version, Vsi, VsiKind};

use super::{Action, Told, answer, must, reset_impending};
use crate::{Function, Reset};

/// Op 1. Whoever speaks 1.0 is answered in 1.0.
pub(super) fn version(function: &mut Function, asked: Version) -> Told {
    let spoken = if asked == Version::V1_0 { Version::V1_0 } else { Version::V1_1 };
    function.vf.version = Some(spoken);
    Ok(spoken.encode())
}

/// Op 3; refused the second time (reference section 0, fact 8).
pub(super) fn resources(function: &mut Function, asked: Caps) -> Told {
    must(function.vf.granted.is_none())?;
    let granted = grant(function, asked);
    function.vf.asked = asked;
    function.vf.granted = Some(granted);
    let (persona, host) = (&function.persona, &function.host);
    let vsi = Vsi {
        id: persona.vsi,
        queue_pairs: function.pairs(),
        kind: VsiKind::SRIOV,
        qset: persona.qset,
        address: host.mac.unwrap_or_default(),
    };
    let told = Resources {
        queue_pairs: function.pairs(),
        vectors: function.host.vectors,
        max_mtu: persona.max_mtu,
        caps: granted,
        rss_key: KEY_BYTES as u32,
        rss_lut: host.lut.into(),
        vsis: vec![vsi],
    };
    let mut payload = told.encode();
    payload.resize(payload.len() + persona.blank_vsis * Vsi::default().encode().len(), 0);
    Ok(payload)
}

fn grant(function: &Function, asked: Caps) -> Caps {
    if function.vf.version == Some(Version::V1_0) {
        return Caps::VERSION_1_0;
    }
    let options = &function.options;
    let mut granted = function.persona.always | asked & (function.persona.on_request | options.grants);
    granted.remove(options.refuses - Caps::L2);
    if !function.may_be_large() {
        granted.remove(Caps::LARGE_NUM_QPAIRS);
    }
    if !function.host.trusted {
        granted.remove(Caps::FSUB_PF);
    }
    if !granted.contains(Caps::FDIR_PF) {
        granted.remove(Caps::TC_U32);
    }
    let second_form = granted.contains(Caps::VLAN_V2);
    if second_form || function.host.port_vlan.is_some() {
        granted.remove(Caps::VLAN);
    }
    granted
}

/// Op 29: what cannot be had is answered; what can comes with a reset and no answer.
pub(super) fn request(function: &mut Function, wanted: QueueCount) -> Vec<Action> {
    let limit = function.most_pairs();
    let host = &mut function.host;
    let most = limit.min(host.pairs.saturating_add(host.pairs_left));
    let told = match wanted.pairs {
        0 => host.pairs,
        pairs if pairs > limit => limit,
        pairs if pairs > most => most,
        pairs => {
            host.pairs_left = (host.pairs_left + host.pairs).saturating_sub(pairs);
            host.pairs = pairs;
            return vec![reset_impending(), Action::Reset(Reset::Queues)];
        }
    };
    vec![answer(Opcode::REQUEST_QUEUES, Ok(QueueCount { pairs: told }.encode()))]
}
