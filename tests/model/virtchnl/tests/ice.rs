use avf::rx::Rxdid;
use avf::virtchnl::{
    Addresses, Algorithm, Caps, EtherAddress, Event, Header, HeaderKind, HeaderPattern, IrqMap, Message,
    Opcode, Pattern, QueuePair, QueueSelect, Request, Resources, RssConfig, RssHash, Status, VlanCaps,
    VlanFilter, VlanFilters, VlanSetting, VlanSupport, VlanTag,
};

use super::{exact, sent};
use crate::datapath::Verdict;
use crate::rig::{OWN, Rig, Setting};
use crate::virtchnl::Action;
use crate::{Options, Persona};

const VSI: u16 = 1;

fn rig() -> Rig {
    with(Options::lenient())
}

fn with(options: Options) -> Rig {
    Rig::running(Persona::ice(), options, Setting::default())
}

fn double() -> Options {
    Options { double_vlan: true, ..Options::lenient() }
}

fn frame(from: [u8; 4], to: [u8; 4], source: u16, destination: u16) -> Vec<u8> {
    let builder =
        etherparse::PacketBuilder::ethernet2([2; 6], OWN).ipv4(from, to, 64).udp(source, destination);
    let mut frame = Vec::new();
    builder.write(&mut frame, &[7; 40]).unwrap();
    frame
}

fn tagged(tpid: [u8; 2], vlan: u8) -> Vec<u8> {
    let mut frame = frame([10, 0, 0, 1], [10, 0, 0, 2], 5, 6);
    frame.splice(12..12, [tpid[0], tpid[1], 0, vlan]);
    frame
}

#[test]
fn resources_are_short_and_plenty() {
    let mut rig = Rig::untouched(Persona::ice(), Options::lenient());
    let request = Request::Resources(Caps::from_bits_retain(0x1ABD_84F9 | 1 << 26));
    let actions = rig.send(request.opcode(), &request.payload());
    let [Action::Reply { payload, .. }, Action::Event(event)] = actions.as_slice() else {
        panic!("{actions:?}")
    };
    assert_eq!(payload.len(), 36);
    let told = Resources::decode(payload).unwrap();
    assert_eq!((told.queue_pairs, told.vectors, told.max_mtu), (16, 17, 9728));
    assert!(told.caps.contains(Caps::WB_ON_ITR | Caps::RX_FLEX_DESC | Caps::VLAN_V2 | Caps::ADV_RSS_PF));
    assert!(
        !told.caps.intersects(Caps::VLAN | Caps::LARGE_NUM_QPAIRS | Caps::FSUB_PF),
        "the second form replaces the first"
    );
    assert_eq!(told.vsi().unwrap().id, 1);
    assert!(!Event::decode(event).unwrap().link_state(true).unwrap().up, "down until queues run");
}

/// Reference section 0, fact 9.
#[test]
fn only_what_was_unlocked_is_let_through() {
    let mut rig = Rig::untouched(Persona::ice(), Options::lenient());
    assert_eq!(sent(&mut rig, Opcode::GET_RSS_HENA_CAPS, &[]), Some(Status::NOT_SUPPORTED));
    rig.ok(Request::Resources(Caps::L2));
    for op in [Opcode::GET_RSS_HENA_CAPS, Opcode::GET_SUPPORTED_RXDIDS, Opcode::ENABLE_VLAN_STRIPPING] {
        assert_eq!(sent(&mut rig, op, &[]), Some(Status::NOT_SUPPORTED), "{op}");
        assert_eq!(sent(&mut rig, op, &[0]), Some(Status::ERR_PARAM), "{op}: length is looked at first");
    }
    assert_eq!(
        sent(&mut rig, Opcode::ENABLE_QUEUES_V2, &[1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]),
        Some(Status::NOT_SUPPORTED)
    );
    rig.model.function.host.disabled = true;
    assert_eq!(sent(&mut rig, Opcode::VERSION, &[0; 8]), Some(Status::ERR_PARAM));
}

#[test]
fn lengths_are_exact() {
    let mut rig = with(double());
    let vlan = VlanFilter { outer: VlanTag { tci: 5, mask: 0, tpid: 0x8100 }, ..VlanFilter::default() };
    let setting = VlanSetting { outer: VlanSupport::TPID_8100, vport: VSI, ..VlanSetting::default() };
    for request in [
        Request::Rxdids,
        Request::VlanCaps,
        Request::AddVlanFilters(VlanFilters { vport: VSI, list: vec![vlan, vlan] }),
        Request::DelVlanFilters(VlanFilters { vport: VSI, list: vec![vlan] }),
        Request::EnableStrippingV2(setting),
        Request::DisableStrippingV2(setting),
        Request::EnableInsertionV2(setting),
        Request::DisableInsertionV2(setting),
        Request::RssHash(RssHash { vsi: VSI, algorithm: Algorithm::TOEPLITZ }),
        Request::AddRss(pattern(HeaderKind::UDP, Algorithm::TOEPLITZ)),
    ] {
        if request.opcode() == Opcode::DEL_VLAN_V2 {
            rig.ok(request);
        } else {
            exact(&mut rig, &request);
        }
    }
}

#[test]
fn the_link_is_up_once_op_8_has_started_queues() {
    let mut rig = Rig::negotiated(Persona::ice(), Options::lenient());
    let mut config = rig.config();
    config.pairs.iter_mut().for_each(|pair| (pair.rx.vsi, pair.tx.vsi) = (VSI, VSI));
    rig.ok(Request::ConfigQueues(config));
    assert!(rig.model.function.vf.tx[0].enabled, "op 6 starts transmit queues");
    let state = |rig: &mut Rig| {
        let actions = super::super::link_changed(&mut rig.model.function);
        let [Action::Event(event)] = actions.as_slice() else { panic!("{actions:?}") };
        Event::decode(event).unwrap().link_state(true).unwrap().up
    };
    assert!(!state(&mut rig));
    rig.ok(Request::EnableQueues(QueueSelect { vsi: VSI, rx: 1, tx: 1 }));
    assert!(state(&mut rig));
    rig.ok(Request::DisableQueues(QueueSelect { vsi: VSI, rx: 0xF, tx: 0xF }));
    assert!(!state(&mut rig));
}

#[test]
fn one_bad_queue_stops_all() {
    let changes: [fn(&mut QueuePair); 5] = [
        |pair| pair.rx.ring_len = 32,
        |pair| pair.rx.max_frame = 9729,
        |pair| pair.rx.rxdid = 5,
        |pair| pair.rx.buffer = 64,
        |pair| pair.rx.vsi = 2,
    ];
    for change in changes {
        let mut rig = rig();
        let mut config = rig.config();
        change(&mut config.pairs[3]);
        assert_eq!(rig.status(&Request::ConfigQueues(config)), Some(Status::ERR_PARAM));
        assert!(rig.model.function.vf.rx.iter().all(|rx| !rx.enabled && !rx.configured));
    }
}

/// Reference section 0, fact 5; the empty entry is Linux's.
#[test]
fn vector_0_serves_no_queues() {
    let mut rig = rig();
    let map = avf::virtchnl::VectorMap { vsi: VSI, vector: 0, rx: 1, ..avf::virtchnl::VectorMap::default() };
    assert_eq!(rig.status(&Request::IrqMap(IrqMap { vectors: vec![map] })), Some(Status::ERR_PARAM));
    let empty = avf::virtchnl::VectorMap { rx: 0, ..map };
    assert_eq!(rig.status(&Request::IrqMap(IrqMap { vectors: vec![empty] })), Some(Status::OK));
}

#[test]
fn addresses_are_refused_in_its_own_words() {
    let mut rig = with(Options { trusted: false, ..Options::lenient() });
    let list = |address: [u8; 6]| Addresses {
        vsi: VSI,
        list: vec![EtherAddress { address, ..EtherAddress::default() }],
    };
    assert_eq!(rig.status(&Request::AddAddresses(list([2; 6]))), Some(Status::ADMIN_QUEUE_ERROR));
    assert_eq!(rig.status(&Request::AddAddresses(list([0; 6]))), Some(Status::OK), "passed over");
}

/// Every profile that is offered says the same of the same frame.
#[test]
fn flexible_descriptors() {
    let mask = u64::from_le_bytes(rig().ok(Request::Rxdids).try_into().unwrap());
    assert_eq!(mask, 0x00FF_0046);
    let plain = rig().through(&frame([10, 0, 0, 1], [10, 0, 0, 2], 5, 6));
    for rxdid in (0..64).filter(|rxdid| mask >> rxdid & 1 == 1) {
        let setting = Setting { rxdid, ..Setting::default() };
        let mut rig = Rig::running(Persona::ice(), Options::lenient(), setting);
        let (queue, said, bytes) = rig.through(&frame([10, 0, 0, 1], [10, 0, 0, 2], 5, 6));
        assert_eq!(
            (queue, said.ptype, said.hash, said.checks),
            (plain.0, plain.1.ptype, plain.1.hash, plain.1.checks)
        );
        assert!(said.hash.is_some() && bytes == plain.2, "{:?}", Rxdid(rxdid));
    }
}

/// Reference section 0, fact 3.
#[test]
fn low_bits_of_a_tail_do_not_count() {
    let mut rig =
        Rig::running(Persona::ice(), Options::lenient(), Setting { pairs: 1, ..Setting::default() });
    let frame = frame([10, 0, 0, 1], [10, 0, 0, 2], 5, 6);
    let verdicts: Vec<Verdict> = (0..60).map(|_| rig.inject(&frame)).collect();
    let received = verdicts.iter().filter(|verdict| **verdict == Verdict::Received(0)).count();
    assert_eq!(received, 56, "63 were posted");
}

#[test]
fn tags_of_a_port_with_two() {
    let mut rig = with(double());
    let caps = VlanCaps::decode(&rig.ok(Request::VlanCaps)).unwrap();
    assert!(caps.filter_outer.contains(VlanSupport::TPIDS) && caps.max_filters == 4096);
    assert_eq!(rig.inject(&tagged([0x81, 0], 5)), Verdict::Filtered, "pruned without a filter");
    let outer =
        |vlan: u16, tpid| VlanFilter { outer: VlanTag { tci: vlan, mask: 0, tpid }, ..VlanFilter::default() };
    let add = |list| Request::AddVlanFilters(VlanFilters { vport: VSI, list });
    assert_eq!(rig.status(&add(vec![outer(5, 0x1234)])), Some(Status::ERR_PARAM));
    let inner = VlanFilter { inner: VlanTag { tci: 5, mask: 0, tpid: 0x8100 }, ..VlanFilter::default() };
    assert_eq!(rig.status(&add(vec![inner])), Some(Status::ERR_PARAM));
    rig.ok(add(vec![outer(5, 0x8100)]));
    assert_eq!(rig.through(&tagged([0x81, 0], 5)).2.len(), 86);
    rig.ok(Request::EnableStrippingV2(VlanSetting {
        outer: VlanSupport::TPID_8100,
        vport: VSI,
        ..VlanSetting::default()
    }));
    let (_, said, bytes) = rig.through(&tagged([0x81, 0], 5));
    assert_eq!((said.tag1, said.tag2, bytes.len()), (None, Some(5), 82));
    let both = VlanSetting { outer: VlanSupport::TPID_88A8, inner: VlanSupport::TPID_88A8, vport: VSI };
    assert_eq!(rig.status(&Request::EnableStrippingV2(both)), Some(Status::ERR_PARAM));
}

#[test]
fn a_stripped_outer_tag_stands_in_the_second_place() {
    let setting = Setting { rxdid: 22, ..Setting::default() };
    let mut rig = Rig::running(Persona::ice(), Options { ..double() }, setting);
    let outer = VlanFilter { outer: VlanTag { tci: 5, mask: 0, tpid: 0x8100 }, ..VlanFilter::default() };
    rig.ok(Request::AddVlanFilters(VlanFilters { vport: VSI, list: vec![outer] }));
    rig.ok(Request::EnableStrippingV2(VlanSetting {
        outer: VlanSupport::TPID_8100,
        vport: VSI,
        ..VlanSetting::default()
    }));
    let (_, said, bytes) = rig.through(&tagged([0x81, 0], 5));
    assert_eq!((said.tag1, said.tag2, bytes.len()), (None, Some(5), 82));
}

#[test]
fn filters_are_limited_without_trust() {
    let mut rig = with(Options { trusted: false, ..double() });
    let list: Vec<VlanFilter> = (1..10)
        .map(|tci| VlanFilter { outer: VlanTag { tci, mask: 0, tpid: 0x8100 }, ..VlanFilter::default() })
        .collect();
    let add = |list: &[VlanFilter]| Request::AddVlanFilters(VlanFilters { vport: VSI, list: list.to_vec() });
    assert_eq!(rig.status(&add(&list)), Some(Status::ERR_PARAM));
    assert_eq!(rig.status(&add(&list[..8])), Some(Status::OK));
    assert_eq!(rig.status(&add(&list[8..])), Some(Status::ERR_PARAM));
}

fn pattern(last: HeaderKind, algorithm: Algorithm) -> RssConfig {
    let headers =
        vec![Header::new(HeaderKind::ETH, 0), Header::new(HeaderKind::IPV4, 3), Header::new(last, 3)];
    RssConfig { pattern: HeaderPattern { tunnel: 0, pattern: Pattern::Headers(headers) }, algorithm }
}

/// Reference section 6.2: the whole VSI hashes symmetrically, whatever its key.
#[test]
fn a_symmetric_pattern_keeps_both_directions_together() {
    let mut rig = rig();
    let there = frame([10, 0, 0, 1], [10, 9, 8, 7], 1234, 80);
    let back = frame([10, 9, 8, 7], [10, 0, 0, 1], 80, 1234);
    let hashes = |rig: &mut Rig| [&there, &back].map(|frame| rig.through(frame).1.hash);
    let [one, other] = hashes(&mut rig);
    assert!(one.is_some() && one != other);
    let udp = pattern(HeaderKind::UDP, Algorithm::TOEPLITZ_SYMMETRIC);
    rig.ok(Request::AddRss(udp.clone()));
    let [one, other] = hashes(&mut rig);
    assert!(one.is_some() && one == other);
    rig.ok(Request::DelRss(udp.clone()));
    assert_eq!(rig.status(&Request::DelRss(udp)), Some(Status::ERR_PARAM));
    rig.ok(Request::AddRss(pattern(HeaderKind::TCP, Algorithm::TOEPLITZ)));
    assert_eq!(hashes(&mut rig), [None, None], "no pattern for UDP");
    let unknown = pattern(HeaderKind(77), Algorithm::TOEPLITZ);
    assert_eq!(rig.status(&Request::AddRss(unknown)), Some(Status::ERR_PARAM));
    let none = RssConfig::default();
    assert_eq!(rig.status(&Request::AddRss(none)), Some(Status::ERR_PARAM));
    rig.ok(Request::SetHena(avf::virtchnl::Hena(1 << 31)));
    assert!(hashes(&mut rig)[0].is_some(), "classes take the place of patterns");
}

#[test]
fn a_kept_check_sequence_follows_the_frame() {
    let mut rig = rig();
    let mut config = rig.config();
    config.pairs.iter_mut().for_each(|pair| pair.rx.keep_crc = true);
    rig.ok(Request::ConfigQueues(config));
    rig.ok(Request::EnableQueues(QueueSelect { vsi: VSI, rx: 0xF, tx: 0 }));
    let sent = frame([10, 0, 0, 1], [10, 0, 0, 2], 5, 6);
    let (_, said, bytes) = rig.through(&sent);
    assert!(said.crc);
    let mut crc = flate2::Crc::new();
    crc.update(&sent);
    assert_eq!(bytes, [sent, crc.sum().to_le_bytes().to_vec()].concat());
    let strip = VlanSetting { inner: VlanSupport::TPID_8100, vport: VSI, ..VlanSetting::default() };
    assert_eq!(rig.status(&Request::EnableStrippingV2(strip)), Some(Status::NOT_SUPPORTED));
}
