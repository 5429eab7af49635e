use avf::virtchnl::{
    Caps, Event, Message, Opcode, QueueSelect, Request, Resources, Status, Version, VsiKind,
};

use super::sent;
use crate::rig::{OWN, Rig, Setting};
use crate::virtchnl::{Action, link_changed};
use crate::{Options, Persona, Reset};

/// What Linux 6.12 and DPDK 24.11 ask for.
const LINUX: u32 = 0x1ABD_84F9;
const DPDK: u32 = 0xBE0B_C7E1;

fn told(persona: Persona, asked: u32) -> Resources {
    let mut rig = Rig::untouched(persona, Options::lenient());
    rig.ok(Request::Version(Version::V1_1));
    let payload = rig.ok(Request::Resources(Caps::from_bits_retain(asked)));
    assert_eq!(payload.len(), 52);
    assert_eq!(payload[36..], [0; 16]);
    Resources::decode(&payload).unwrap()
}

/// Reference section 12.5, op 3.
#[test]
fn known_drivers_are_granted_what_i40e_grants() {
    assert_eq!(told(Persona::i40e(), LINUX).caps.bits(), 0x0099_00C1);
    assert_eq!(told(Persona::i40e(), DPDK).caps.bits(), 0x000B_00C1);
    assert!(told(Persona::x722(), LINUX).caps.contains(Caps::WB_ON_ITR | Caps::RSS_PCTYPE_V2));
    let resources = told(Persona::i40e(), LINUX);
    let vsi = resources.vsi().unwrap();
    assert_eq!((vsi.id, vsi.kind, vsi.qset, vsi.address), (26, VsiKind::SRIOV, 16, OWN));
    assert_eq!((resources.queue_pairs, resources.vectors, resources.max_mtu), (4, 5, 0));
    assert_eq!((resources.rss_key, resources.rss_lut), (52, 64));
}

#[test]
fn a_port_vlan_takes_the_capability() {
    let options = Options { port_vlan: Some(5), ..Options::lenient() };
    let rig = Rig::negotiated(Persona::i40e(), options);
    assert!(!rig.model.function.vf.granted.unwrap().contains(Caps::VLAN));
}

/// Reference section 0, fact 8.
#[test]
fn resources_are_told_once() {
    let mut rig = Rig::negotiated(Persona::i40e(), Options::lenient());
    let again = Request::Resources(Caps::L2);
    assert_eq!(rig.status(&again), Some(Status::ERR_PARAM));
    rig.model.function.forget();
    assert_eq!(rig.status(&again), Some(Status::OK));
}

#[test]
fn nothing_is_done_before_resources() {
    let mut rig = Rig::untouched(Persona::i40e(), Options::lenient());
    assert_eq!(sent(&mut rig, Opcode::GET_RSS_HENA_CAPS, &[]), Some(Status::ERR_PARAM));
    assert_eq!(sent(&mut rig, Opcode::RESET_VF, &[]), None);
    assert_eq!(rig.send(Opcode::RESET_VF, &[]), [Action::Reset(Reset::Asked)]);
    assert_eq!(link_changed(&mut rig.model.function), []);
}

#[test]
fn the_first_version_is_spoken_with_whoever_speaks_it() {
    let mut rig = Rig::untouched(Persona::i40e(), Options::lenient());
    assert_eq!(rig.ok(Request::Version(Version::V1_0)), Version::V1_0.encode());
    assert_eq!(sent(&mut rig, Opcode::GET_VF_RESOURCES, &[0; 4]), Some(Status::ERR_PARAM));
    assert_eq!(sent(&mut rig, Opcode::GET_VF_RESOURCES, &[]), Some(Status::OK));
    assert_eq!(rig.model.function.vf.granted, Some(Caps::VERSION_1_0));
}

fn link(action: &Action, adv: bool) -> avf::virtchnl::Link {
    let Action::Event(event) = action else { panic!("{action:?}") };
    Event::decode(event).unwrap().link_state(adv).unwrap()
}

/// Reference sections 12.5 and 12.6: after the reply to op 3, and after that to op 8.
#[test]
fn the_link_is_told_after_the_reply() {
    let mut rig = Rig::untouched(Persona::i40e(), Options::lenient());
    let asked = Request::Resources(Caps::L2 | Caps::ADV_LINK_SPEED);
    let actions = rig.send(asked.opcode(), &asked.payload());
    assert!(matches!(&actions[0], Action::Reply { op: Opcode::GET_VF_RESOURCES, .. }));
    assert_eq!(link(&actions[1], true).to_string(), "up, 10000 Mbit/s");
    let config = Request::ConfigQueues(rig.config());
    rig.ok(config);
    let select = Request::EnableQueues(QueueSelect { vsi: 26, rx: 1, tx: 0 });
    let actions = rig.send(select.opcode(), &select.payload());
    assert_eq!(actions.len(), 2);
    assert!(link(&actions[1], true).up);
    rig.model.function.host.link_up = false;
    assert!(!link(&link_changed(&mut rig.model.function)[0], true).up);
}

#[test]
fn speed_has_the_form_that_was_asked_for() {
    let mut rig = Rig::untouched(Persona::i40e(), Options::lenient());
    let asked = Request::Resources(Caps::L2);
    let actions = rig.send(asked.opcode(), &asked.payload());
    assert_eq!(link(&actions[1], false).mbps, Some(10_000));
}

/// Reference section 4.4: i40e says nothing to a function that is disabled.
#[test]
fn a_disabled_function_hears_nothing() {
    let mut rig = Rig::running(Persona::i40e(), Options::lenient(), Setting::default());
    rig.model.function.host.disabled = true;
    assert_eq!(rig.send(Opcode::RESET_VF, &[]), []);
    assert_eq!(rig.send(Opcode::GET_VF_RESOURCES, &[0; 4]), []);
}

#[test]
fn a_reset_forgets_what_the_driver_asked_for() {
    let mut rig = Rig::running(Persona::i40e(), Options::lenient(), Setting::default());
    rig.ok(Request::EnableStripping);
    rig.model.function.forget();
    let vf = &rig.model.function.vf;
    assert!(vf.granted.is_none() && !vf.strip.is_on() && vf.seats.queues(1).next().is_none());
    assert!(vf.rx.iter().all(|rx| !rx.enabled && !rx.configured));
}
