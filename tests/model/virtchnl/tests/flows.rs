use avf::virtchnl::{
    Action, Caps, FdirAdd, FdirDel, FdirStatus, FlowSubscribe, FlowUnsubscribe, FsubStatus, Header,
    HeaderKind, HeaderPattern, MaskedHeader, Message, Pattern, Promiscuity, Promiscuous, Request, Status,
    field,
};

use super::exact;
use crate::datapath::Verdict;
use crate::rig::{OWN, Rig, Setting};
use crate::{Options, Persona};

const VSI: u16 = 1;
const FROM: [u8; 4] = [10, 0, 0, 1];
const TO: [u8; 4] = [10, 0, 0, 2];

fn rig(rxdid: u8) -> Rig {
    with(Options::lenient(), rxdid)
}

fn with(options: Options, rxdid: u8) -> Rig {
    let setting = Setting { rxdid, ..Setting::default() };
    let options = Options { grants: Caps::FSUB_PF, ..options };
    Rig::asking(Persona::ice(), options, setting, Caps::FDIR_PF | Caps::FSUB_PF)
}

fn udp_to(destination: [u8; 6], source: u16, port: u16) -> Vec<u8> {
    let builder =
        etherparse::PacketBuilder::ethernet2([2; 6], destination).ipv4(FROM, TO, 64).udp(source, port);
    let mut frame = Vec::new();
    builder.write(&mut frame, &[7; 40]).unwrap();
    frame
}

fn udp(source: u16, port: u16) -> Vec<u8> {
    udp_to(OWN, source, port)
}

/// Addresses and ports of one direction of a flow.
fn flow(source: u16, port: u16) -> HeaderPattern {
    let frame = udp(source, port);
    HeaderPattern::of(vec![
        Header::new(HeaderKind::ETH, 0),
        Header::like(HeaderKind::IPV4, field::ENDS, &frame[14..34]),
        Header::like(HeaderKind::UDP, field::ENDS, &frame[34..42]),
    ])
}

fn add(rig: &mut Rig, pattern: HeaderPattern, actions: &[Action]) -> (FdirStatus, u32) {
    let asked = FdirAdd { vsi: VSI, pattern, actions: actions.to_vec(), ..FdirAdd::default() };
    let told = FdirAdd::decode(&rig.ok(Request::AddFdir(asked))).unwrap();
    (told.status, told.flow)
}

#[test]
fn lengths_are_exact() {
    let mut rig = rig(22);
    let rule = FdirAdd { vsi: VSI, pattern: flow(1, 2), actions: vec![Action::drop()], ..FdirAdd::default() };
    for request in [
        Request::AddFdir(rule),
        Request::DelFdir(FdirDel { vsi: VSI, ..FdirDel::default() }),
        Request::Subscribe(FlowSubscribe { vsi: VSI, ..FlowSubscribe::default() }),
        Request::Unsubscribe(FlowUnsubscribe { vsi: VSI, ..FlowUnsubscribe::default() }),
    ] {
        exact(&mut rig, &request);
    }
    let other = FdirDel { vsi: 2, ..FdirDel::default() };
    assert_eq!(rig.status(&Request::DelFdir(other)), Some(Status::ERR_PARAM));
}

#[test]
fn a_flow_is_dropped_until_its_rule_is_taken_back() {
    let mut rig = rig(22);
    let (status, number) = add(&mut rig, flow(5, 6), &[Action::drop()]);
    assert_eq!(status, FdirStatus::SUCCESS);
    assert_eq!(rig.inject(&udp(5, 6)), Verdict::Dropped);
    assert_eq!(rig.inject(&udp(5, 6)), Verdict::Dropped);
    assert!(matches!(rig.inject(&udp(6, 5)), Verdict::Received(_)), "the other direction is another flow");
    assert_eq!(rig.model.function.vf.steered.get(number).unwrap().hits, 2);
    assert_eq!((rig.model.ledger.dropped, rig.model.ledger.lost()), (2, 0));
    assert!(rig.model.ledger.balances());
    let del = |rig: &mut Rig, flow| {
        let told = rig.ok(Request::DelFdir(FdirDel { vsi: VSI, flow, ..FdirDel::default() }));
        FdirDel::decode(&told).unwrap().status
    };
    assert_eq!(del(&mut rig, number + 1), FdirStatus::NON_EXISTENT);
    assert_eq!(del(&mut rig, number), FdirStatus::SUCCESS);
    assert_eq!(del(&mut rig, number), FdirStatus::NON_EXISTENT);
    assert!(matches!(rig.inject(&udp(5, 6)), Verdict::Received(_)));
}

/// The mark stands where the format has its flow id, and nowhere else.
#[test]
fn a_flow_goes_to_its_queue_with_its_mark() {
    for rxdid in [1, 2, 16, 17, 21, 22, 23] {
        let mut rig = rig(rxdid);
        add(&mut rig, flow(5, 6), &[Action::queue(3), Action::mark(0x0102_0304)]);
        let (queue, said, _) = rig.through(&udp(5, 6));
        assert_eq!((queue, said.flow), (3, Some(0x0102_0304)), "{rxdid}");
        assert!(said.hash.is_some(), "it is hashed all the same");
        assert_eq!(rig.through(&udp(6, 6)).1.flow, None);
    }
}

#[test]
fn a_flow_is_spread_over_a_region() {
    let mut rig = rig(22);
    let any = HeaderPattern::of(vec![Header::new(HeaderKind::ETH, 0), Header::new(HeaderKind::IPV4, 0)]);
    assert_eq!(add(&mut rig, any, &[Action::region(2, 1)]).0, FdirStatus::SUCCESS);
    let queues: std::collections::BTreeSet<u16> = (0..32).map(|port| rig.through(&udp(port, 6)).0).collect();
    assert_eq!(queues, [2, 3].into());
}

/// Reference section 4.11.
#[test]
fn what_cannot_be_had_is_said_inside_of_a_success() {
    let mut rig = rig(22);
    add(&mut rig, flow(5, 6), &[Action::drop()]);
    let of = |headers: Vec<Header>| HeaderPattern::of(headers);
    let eth = Header::new(HeaderKind::ETH, 0);
    let invalid = FdirStatus::INVALID;
    let other_fields = of(vec![eth, Header::new(HeaderKind::IPV4, 1), Header::new(HeaderKind::UDP, 3)]);
    let cases: [(HeaderPattern, &[Action], FdirStatus); 11] = [
        (flow(5, 6), &[Action::queue(1)], FdirStatus::EXISTS),
        (other_fields, &[Action::drop()], FdirStatus::CONFLICT),
        (flow(7, 8), &[], invalid),
        (flow(7, 8), &[Action::mark(1)], invalid),
        (flow(7, 8), &[Action::drop(), Action::queue(1)], invalid),
        (flow(7, 8), &[Action::queue(4)], invalid),
        (flow(7, 8), &[Action::region(2, 2)], invalid),
        (of(vec![eth, Header::new(HeaderKind::PPPOE, 0)]), &[Action::drop()], invalid),
        (of(vec![eth, Header::new(HeaderKind::TCP, 1 << 9)]), &[Action::drop()], invalid),
        (HeaderPattern::inside(vec![eth]), &[Action::drop()], invalid),
        (flow(7, 8), &[Action::pass(), Action::mark(9)], FdirStatus::SUCCESS),
    ];
    for (pattern, actions, status) in cases {
        assert_eq!(add(&mut rig, pattern.clone(), actions).0, status, "{pattern:?} {actions:?}");
    }
    let asked = FdirAdd {
        vsi: VSI,
        validate_only: true,
        pattern: flow(9, 9),
        actions: vec![Action::drop()],
        ..FdirAdd::default()
    };
    let told = FdirAdd::decode(&rig.ok(Request::AddFdir(asked))).unwrap();
    assert_eq!((told.status, rig.model.function.vf.steered.len()), (FdirStatus::SUCCESS, 2));
    rig.model.function.forget();
    assert!(rig.model.function.vf.steered.is_empty());
}

#[test]
fn fields_are_those_of_their_protocols() {
    let mut tagged = udp(5, 6);
    tagged.splice(12..12, [0x81, 0, 0x60, 0x07]);
    let tag = |tci: [u8; 2]| HeaderPattern::of(vec![Header::like(HeaderKind::C_VLAN, field::VLAN_ID, &tci)]);
    let kind = |kind: [u8; 2]| {
        let ethernet = [&[0; 12][..], &kind].concat();
        HeaderPattern::of(vec![Header::like(HeaderKind::ETH, field::ETHER_TYPE, &ethernet)])
    };
    let ttl = |ttl: u8| {
        let ip = [&[0; 8][..], &[ttl]].concat();
        HeaderPattern::of(vec![Header::like(HeaderKind::IPV4, 1 << 3, &ip)])
    };
    let raw = |byte: u8| HeaderPattern {
        tunnel: 0,
        pattern: Pattern::Raw { spec: vec![byte, 0x56], mask: vec![0xFF, 0xF0] },
    };
    for (pattern, holds) in [
        (tag([0x20, 7]), true),
        (tag([0x60, 8]), false),
        (kind([8, 0]), true),
        (kind([0x81, 0]), false),
        (ttl(64), true),
        (ttl(65), false),
        (raw(2), true),
        (raw(3), false),
        (HeaderPattern::of(vec![Header::new(HeaderKind::IPV4_FRAG, 0)]), false),
    ] {
        let mut rig = rig(22);
        rig.ok(Request::Promiscuous(Promiscuous { vsi: VSI, mode: Promiscuity::UNICAST }));
        assert_eq!(add(&mut rig, pattern.clone(), &[Action::drop()]).0, FdirStatus::SUCCESS);
        assert_eq!(rig.inject(&tagged) == Verdict::Dropped, holds, "{pattern:?}");
    }
}

fn subscription(actions: Vec<Action>) -> FlowSubscribe {
    let frame = udp(5, 6);
    let header = Header::like(HeaderKind::IPV4, 0, &frame[14..34]);
    let mut mask = [0; 64];
    mask[12..16].fill(0xFF);
    let pattern = HeaderPattern { tunnel: 0, pattern: Pattern::Masked(vec![MaskedHeader { header, mask }]) };
    FlowSubscribe { vsi: VSI, pattern, actions, ..FlowSubscribe::default() }
}

#[test]
fn a_subscriber_has_frames_for_others() {
    let mut rig = rig(22);
    let foreign = udp_to([2, 0, 0, 0, 0, 0x55], 5, 6);
    assert_eq!(rig.inject(&foreign), Verdict::Filtered);
    let told = rig.ok(Request::Subscribe(subscription(vec![Action::queue(2)])));
    let told = FlowSubscribe::decode(&told).unwrap();
    assert_eq!(told.status, FsubStatus::SUCCESS);
    assert_eq!(rig.inject(&foreign), Verdict::Received(2));
    let again = rig.ok(Request::Subscribe(subscription(vec![])));
    assert_eq!(FlowSubscribe::decode(&again).unwrap().status, FsubStatus::EXISTS);
    let dropping = rig.ok(Request::Subscribe(subscription(vec![Action::drop()])));
    assert_eq!(FlowSubscribe::decode(&dropping).unwrap().status, FsubStatus::INVALID);
    for status in [FsubStatus::SUCCESS, FsubStatus::NON_EXISTENT] {
        let asked = FlowUnsubscribe { vsi: VSI, flow: told.flow, ..FlowUnsubscribe::default() };
        let told = FlowUnsubscribe::decode(&rig.ok(Request::Unsubscribe(asked))).unwrap();
        assert_eq!(told.status, status);
    }
    assert_eq!(rig.inject(&foreign), Verdict::Filtered);
}

#[test]
fn subscriptions_are_for_trusted_functions_of_a_pf_that_has_them() {
    let untrusted = with(Options { trusted: false, ..Options::lenient() }, 22);
    assert!(!untrusted.model.function.vf.has(Caps::FSUB_PF));
    let setting = Setting::default();
    let mut kernel = Rig::asking(Persona::ice(), Options::lenient(), setting, Caps::FSUB_PF);
    assert_eq!(kernel.status(&Request::Subscribe(subscription(vec![]))), Some(Status::NOT_SUPPORTED));
}
