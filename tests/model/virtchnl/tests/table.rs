use avf::virtchnl::{
    AddressKind, Addresses, ConfigQueues, EtherAddress, Hena, IrqMap, Message, Opcode, Promiscuity,
    Promiscuous, QueueCount, QueueSelect, Request, RssKey, RssLut, Status, Vlans,
};

use super::{exact, sent};
use crate::rig::{OWN, Rig, Setting};
use crate::vf::Strip;
use crate::virtchnl::Action;
use crate::{Options, Persona, Reset};

const VSI: u16 = 26;

fn rig() -> Rig {
    Rig::running(Persona::i40e(), Options::lenient(), Setting::default())
}

fn addresses(list: &[[u8; 6]]) -> Addresses {
    let entry = |address: &[u8; 6]| EtherAddress { address: *address, kind: AddressKind::EXTRA };
    Addresses { vsi: VSI, list: list.iter().map(entry).collect() }
}

fn select(rx: u32, tx: u32) -> QueueSelect {
    QueueSelect { vsi: VSI, rx, tx }
}

#[test]
fn lengths_are_exact() {
    let mut rig = rig();
    let config = rig.config();
    let map = avf::virtchnl::VectorMap { vsi: VSI, vector: 1, rx: 1, ..avf::virtchnl::VectorMap::default() };
    let group = [1, 0, 0x5E, 0, 0, 1];
    for request in [
        Request::Version(avf::virtchnl::Version::V1_1),
        Request::DisableQueues(select(0xF, 0xF)),
        Request::ConfigQueues(config),
        Request::IrqMap(IrqMap { vectors: vec![map, map] }),
        Request::EnableQueues(select(0xF, 0xF)),
        Request::AddAddresses(addresses(&[group])),
        Request::DelAddresses(addresses(&[OWN])),
        Request::AddVlans(Vlans { vsi: VSI, ids: vec![1, 2, 3] }),
        Request::DelVlans(Vlans { vsi: VSI, ids: vec![1] }),
        Request::Promiscuous(Promiscuous { vsi: VSI, mode: Promiscuity::UNICAST }),
        Request::Stats(select(0, 0)),
        Request::RssKey(RssKey { vsi: VSI, key: vec![1; 52] }),
        Request::RssLut(RssLut { vsi: VSI, entries: vec![1; 64] }),
        Request::HenaCaps,
        Request::SetHena(Hena(1 << 31)),
        Request::EnableStripping,
        Request::DisableStripping,
        Request::Queues(QueueCount { pairs: 0 }),
    ] {
        exact(&mut rig, &request);
    }
}

#[test]
fn another_vsi_is_refused() {
    let mut rig = rig();
    let mut config = rig.config();
    config.vsi = 25;
    let map = avf::virtchnl::VectorMap { vsi: 25, vector: 1, rx: 1, ..avf::virtchnl::VectorMap::default() };
    for request in [
        Request::ConfigQueues(config),
        Request::IrqMap(IrqMap { vectors: vec![map] }),
        Request::EnableQueues(QueueSelect { vsi: 25, rx: 1, tx: 1 }),
        Request::DisableQueues(QueueSelect { vsi: 25, rx: 1, tx: 1 }),
        Request::AddAddresses(Addresses { vsi: 25, ..addresses(&[OWN]) }),
        Request::DelAddresses(Addresses { vsi: 25, ..addresses(&[OWN]) }),
        Request::AddVlans(Vlans { vsi: 25, ids: vec![1] }),
        Request::DelVlans(Vlans { vsi: 25, ids: vec![1] }),
        Request::Promiscuous(Promiscuous { vsi: 25, mode: Promiscuity::empty() }),
        Request::Stats(QueueSelect { vsi: 25, rx: 1, tx: 1 }),
        Request::RssKey(RssKey { vsi: 25, key: vec![1; 52] }),
        Request::RssLut(RssLut { vsi: 25, entries: vec![1; 64] }),
    ] {
        assert_eq!(rig.status(&request), Some(Status::ERR_PARAM), "{request:?}");
    }
}

/// A change of one pair's message, and what it is answered.
fn configured(change: impl FnOnce(&mut ConfigQueues)) -> Status {
    let mut rig = rig();
    let mut config = rig.config();
    change(&mut config);
    rig.status(&Request::ConfigQueues(config)).expect("an answer")
}

#[test]
fn queues_are_what_they_may_be() {
    let bad = Status::ERR_PARAM;
    assert_eq!(configured(|config| config.pairs[0].rx.buffer = 16_256), Status::OK);
    assert_eq!(configured(|config| config.pairs[0].rx.buffer = 16_257), bad);
    assert_eq!(configured(|config| config.pairs[0].rx.max_frame = 64), Status::OK);
    assert_eq!(configured(|config| config.pairs[0].rx.max_frame = 63), bad);
    assert_eq!(configured(|config| config.pairs[0].rx.max_frame = 16_383), Status::OK);
    assert_eq!(configured(|config| config.pairs[0].rx.max_frame = 16_384), bad);
    assert_eq!(configured(|config| config.pairs[3].rx.ring_len = 0), Status::OK);
    assert_eq!(configured(|config| config.pairs[3].rx.ring_len = 33), bad);
    assert_eq!(configured(|config| config.pairs[3].tx.ring_len = 8160), Status::OK);
    assert_eq!(configured(|config| config.pairs[3].tx.ring_len = 8192), bad);
    assert_eq!(configured(|config| config.pairs[3].tx.headwb = 1), bad);
    assert_eq!(configured(|config| config.pairs[3].tx.queue = 2), bad);
    assert_eq!(configured(|config| config.pairs[3].rx.vsi = 0), bad);
    assert_eq!(configured(|config| config.pairs[3].rx.rxdid = 22), Status::OK, "passed over");
    assert_eq!(configured(|config| (config.pairs[3].rx.queue, config.pairs[3].tx.queue) = (4, 4)), bad);
    assert_eq!(configured(|config| config.pairs.push(config.pairs[0])), bad);
}

#[test]
fn hardware_takes_buffers_in_units() {
    let mut rig = rig();
    let mut config = rig.config();
    config.pairs[0].rx.buffer = 1600;
    rig.ok(Request::ConfigQueues(config));
    assert_eq!(rig.model.function.vf.rx[0].buffer, 1536);
}

#[test]
fn queues_start_and_stop() {
    let mut rig = rig();
    for (rx, tx, status) in [
        (0, 0, Status::ERR_PARAM),
        (0x10, 0, Status::ERR_PARAM),
        (0, 1 << 31, Status::ERR_PARAM),
        (1, 0, Status::OK),
        (0, 8, Status::OK),
    ] {
        assert_eq!(rig.status(&Request::DisableQueues(select(rx, tx))), Some(status));
        assert_eq!(rig.status(&Request::EnableQueues(select(rx, tx))), Some(status));
    }
    rig.ok(Request::DisableQueues(select(2, 0)));
    let running: Vec<bool> = rig.model.function.vf.rx.iter().map(|rx| rx.enabled).collect();
    assert_eq!(running, [true, false, true, true]);
}

/// The 700 series waits for a queue that has no ring, and says that it waited in vain.
#[test]
fn a_queue_without_a_ring_does_not_start() {
    let mut rig = Rig::negotiated(Persona::i40e(), Options::lenient());
    assert_eq!(rig.status(&Request::EnableQueues(select(1, 0))), Some(Status::I40E_TIMEOUT));
    assert_eq!(rig.status(&Request::EnableQueues(select(0, 1))), Some(Status::I40E_TIMEOUT));
}

#[test]
fn vectors_serve_queues_that_exist() {
    let mut rig = rig();
    let plain =
        avf::virtchnl::VectorMap { vsi: VSI, vector: 0, rx: 0xF, ..avf::virtchnl::VectorMap::default() };
    let mut status = |map| rig.status(&Request::IrqMap(IrqMap { vectors: vec![map] })).unwrap();
    assert_eq!(status(plain), Status::OK, "vector 0 serves queues here");
    assert_eq!(status(avf::virtchnl::VectorMap { vector: 4, ..plain }), Status::OK);
    assert_eq!(status(avf::virtchnl::VectorMap { vector: 5, ..plain }), Status::ERR_PARAM);
    assert_eq!(status(avf::virtchnl::VectorMap { rx: 0x10, ..plain }), Status::ERR_PARAM);
    assert_eq!(status(avf::virtchnl::VectorMap { tx: 0x8000, ..plain }), Status::ERR_PARAM);
    assert_eq!(status(avf::virtchnl::VectorMap { rx_itr: 3, ..plain }), Status::ERR_PARAM);
    assert_eq!(status(avf::virtchnl::VectorMap { tx_itr: 3, ..plain }), Status::ERR_PARAM);
    let seats = &rig.model.function.vf.seats;
    assert_eq!((seats.queues(0).count(), seats.queues(4).count()), (0, 4), "the last map counts");
    let many = IrqMap { vectors: vec![plain; 6] };
    assert_eq!(rig.status(&Request::IrqMap(many)), Some(Status::ERR_PARAM));
}

#[test]
fn the_hosts_address_is_the_only_one_of_whoever_is_not_trusted() {
    for (trusted, status) in [(false, Status::NOT_PERMITTED), (true, Status::OK)] {
        let options = Options { trusted, ..Options::lenient() };
        let mut rig = Rig::running(Persona::i40e(), options, Setting::default());
        assert_eq!(rig.status(&Request::AddAddresses(addresses(&[[2; 6]]))), Some(status));
        assert_eq!(rig.status(&Request::AddAddresses(addresses(&[OWN]))), Some(Status::OK));
        assert_eq!(rig.status(&Request::AddAddresses(addresses(&[[3; 6]]))), Some(Status::OK), "a group");
    }
    let options = Options { trusted: false, mac: None, ..Options::lenient() };
    let mut rig = Rig::running(Persona::i40e(), options, Setting::default());
    assert_eq!(rig.status(&Request::AddAddresses(addresses(&[[2; 6]]))), Some(Status::OK));
}

#[test]
fn addresses_are_limited_without_trust() {
    let options = Options { trusted: false, ..Options::lenient() };
    let mut rig = Rig::running(Persona::i40e(), options, Setting::default());
    let groups: Vec<[u8; 6]> = (0..18).map(|n| [1, 0, 0x5E, 0, 0, n]).collect();
    assert_eq!(rig.status(&Request::AddAddresses(addresses(&groups))), Some(Status::NOT_PERMITTED));
    assert_eq!(rig.status(&Request::AddAddresses(addresses(&groups[1..]))), Some(Status::OK));
    assert_eq!(rig.status(&Request::AddAddresses(addresses(&groups[1..]))), Some(Status::OK), "again");
    assert_eq!(rig.status(&Request::AddAddresses(addresses(&groups))), Some(Status::NOT_PERMITTED));
    rig.model.function.host.trusted = true;
    assert_eq!(rig.status(&Request::AddAddresses(addresses(&groups))), Some(Status::OK));
}

#[test]
fn no_addresses_are_refused() {
    let mut rig = rig();
    for none in [[0; 6], [0xFF; 6]] {
        assert_eq!(rig.status(&Request::AddAddresses(addresses(&[none]))), Some(Status::ERR_PARAM));
    }
    assert_eq!(rig.status(&Request::DelAddresses(addresses(&[[4; 6]]))), Some(Status::ERR_PARAM));
}

#[test]
fn vlans_have_limits_that_nobody_tells() {
    let options = Options { trusted: false, ..Options::lenient() };
    let mut rig = Rig::running(Persona::i40e(), options, Setting::default());
    assert_eq!(rig.status(&Request::AddVlans(Vlans { vsi: VSI, ids: vec![4096] })), Some(Status::ERR_PARAM));
    assert!(!rig.model.function.vf.strip.is_on());
    rig.ok(Request::AddVlans(Vlans { vsi: VSI, ids: (0..20).collect() }));
    rig.ok(Request::AddVlans(Vlans { vsi: VSI, ids: vec![4095] }));
    assert_eq!(rig.model.function.vf.filters.vlans.len(), 16);
    assert_eq!(rig.model.function.vf.strip, Strip::single(true));
}

#[test]
fn a_port_vlan_leaves_none_to_the_function() {
    let options = Options { port_vlan: Some(3), ..Options::lenient() };
    let mut rig = Rig::running(Persona::i40e(), options, Setting::default());
    for request in [
        Request::AddVlans(Vlans { vsi: VSI, ids: vec![1] }),
        Request::EnableStripping,
        Request::DisableStripping,
    ] {
        assert_eq!(rig.status(&request), Some(Status::ERR_PARAM));
    }
}

#[test]
fn spreading_takes_what_fits() {
    let mut rig = rig();
    let mut status = |request| rig.status(&request).unwrap();
    assert_eq!(status(Request::RssKey(RssKey { vsi: VSI, key: vec![1; 51] })), Status::ERR_PARAM);
    assert_eq!(status(Request::RssKey(RssKey { vsi: VSI, key: vec![1; 53] })), Status::ERR_PARAM);
    assert_eq!(status(Request::RssLut(RssLut { vsi: VSI, entries: vec![1; 63] })), Status::ERR_PARAM);
    assert_eq!(status(Request::RssLut(RssLut { vsi: VSI, entries: vec![3; 64] })), Status::OK);
    assert_eq!(status(Request::RssLut(RssLut { vsi: VSI, entries: vec![4; 64] })), Status::ERR_PARAM);
    assert_eq!(status(Request::SetHena(Hena(0x8000_7A1E_8000_0000))), Status::OK);
    assert_eq!(status(Request::SetHena(Hena(1 << 29))), Status::ERR_PARAM);
    assert_eq!(rig.ok(Request::HenaCaps), 0x8000_7A1E_8000_0000_u64.to_le_bytes());
    let promiscuous = Promiscuous { vsi: VSI, mode: Promiscuity::from_bits_retain(4) };
    assert_eq!(rig.status(&Request::Promiscuous(promiscuous)), Some(Status::ERR_PARAM));
}

#[test]
fn more_queues_come_with_a_reset() {
    let options = Options { pairs_left: 8, ..Options::lenient() };
    let mut rig = Rig::negotiated(Persona::i40e(), options);
    let told = |rig: &mut Rig, pairs: u16| {
        let payload = rig.ok(Request::Queues(QueueCount { pairs }));
        QueueCount::decode(&payload).unwrap().pairs
    };
    assert_eq!(told(&mut rig, 0), 4);
    assert_eq!(told(&mut rig, 17), 16);
    assert_eq!(told(&mut rig, 13), 12);
    let actions = rig.send(Opcode::REQUEST_QUEUES, &[10, 0]);
    let [Action::Event(event), Action::Reset(Reset::Queues)] = actions.as_slice() else {
        panic!("{actions:?}")
    };
    assert_eq!((event[0], event[12]), (2, 255));
    rig.model.function.forget();
    assert_eq!(rig.model.function.vf.rx.len(), 10);
    assert_eq!((rig.model.function.host.pairs, rig.model.function.host.pairs_left), (10, 2));
}

#[test]
fn what_is_not_served_is_told_apart_from_what_is_unknown() {
    let mut rig = rig();
    for op in [Opcode::GET_SUPPORTED_RXDIDS, Opcode::GET_OFFLOAD_VLAN_V2_CAPS, Opcode::GET_QOS_CAPS] {
        assert_eq!(sent(&mut rig, op, &[]), Some(Status::I40E_NOT_IMPLEMENTED), "{op}");
        assert_eq!(sent(&mut rig, op, &[0]), Some(Status::ERR_PARAM), "{op} of a wrong length");
    }
    assert_eq!(sent(&mut rig, Opcode::PTP_GET_CAPS, &[0; 48]), Some(Status::I40E_NOT_IMPLEMENTED));
    assert_eq!(sent(&mut rig, Opcode(999), &[]), Some(Status::ERR_PARAM));
    assert_eq!(sent(&mut rig, Opcode::EVENT, &[0; 16]), Some(Status::ERR_PARAM));
}

/// Whatever is sent, something sensible is said.
#[test]
fn nothing_that_is_sent_panics() {
    let mut state = 3_u64;
    let mut draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    for persona in [Persona::i40e(), Persona::x722()] {
        let mut rig = Rig::running(persona, Options::default(), Setting::default());
        for _ in 0..20_000 {
            let op = Opcode((draw() % 140) as u32);
            let n = draw() % 4;
            let length = avf::virtchnl::length::wire_len(op, n).unwrap_or(draw() % 100);
            let mut payload: Vec<u8> =
                (0..length).map(|_| if draw() % 3 == 0 { draw() as u8 } else { 0 }).collect();
            if payload.len() > 4 {
                (payload[0], payload[1], payload[2], payload[3]) = (26, 0, n as u8, 0);
            }
            rig.send(op, &payload);
            crate::datapath::inject(&mut rig.model, &[0xFF; 80]);
        }
    }
}
