use avf::virtchnl::{
    Caps, ClassMap, ClassQueues, Message, Opcode, PhcTime, PtpBits, PtpCaps, PtpPlace, QosCaps, Quanta,
    QueueBandwidth, QueueChunk, QueueClasses, QueueCount, QueueKind, QueuePair, QueueRate, QueueRuns,
    QueueVector, QueueVectors, Request, Resources, RssLut, RssRegion, RxFlags, RxQueue, Status, TxQueue,
    Version,
};

use super::{exact, sent};
use crate::rig::{Rig, Setting};
use crate::vf::{Direction, Seat};
use crate::virtchnl::Action;
use crate::{Options, Persona, Reset, VectorMapLength};

const VSI: u16 = 1;

fn large(lut: u16) -> Options {
    Options { grants: Caps::LARGE_NUM_QPAIRS, lut, pairs_left: 240, ..Options::lenient() }
}

/// A function that asked for everything and has as many pairs as can be.
fn grown(options: Options, pairs: u16) -> Rig {
    let mut rig = Rig::untouched(Persona::ice(), options);
    let resources = |rig: &mut Rig| {
        rig.ok(Request::Version(Version::V1_1));
        Resources::decode(&rig.ok(Request::Resources(Caps::all()))).unwrap()
    };
    assert_eq!(resources(&mut rig).queue_pairs, 16);
    let wanted = Request::Queues(QueueCount { pairs });
    let actions = rig.send(wanted.opcode(), &wanted.payload());
    assert!(matches!(actions.as_slice(), [Action::Event(_), Action::Reset(Reset::Queues)]), "{actions:?}");
    rig.model.function.forget();
    assert_eq!(resources(&mut rig).queue_pairs, pairs);
    rig
}

fn pair(queue: u16) -> QueuePair {
    QueuePair {
        tx: TxQueue { vsi: VSI, queue, ring_len: 64, ring: 0x1000, ..TxQueue::default() },
        rx: RxQueue {
            vsi: VSI,
            queue,
            ring_len: 64,
            buffer: 2048,
            max_frame: 1518,
            ring: 0x2000,
            ..RxQueue::default()
        },
    }
}

fn run(kind: QueueKind, first: u16, count: u16) -> QueueRuns {
    QueueRuns { vport: VSI, runs: vec![QueueChunk { kind, first, count }] }
}

/// Reference section 4.10.
#[test]
fn all_of_256_pairs_are_brought_up() {
    let mut rig = grown(large(2048), 256);
    let told = RssRegion::decode(&rig.ok(Request::RssRegion)).unwrap();
    assert_eq!((told.vport, told.width), (VSI, 8));
    let config = avf::virtchnl::ConfigQueues { vsi: VSI, pairs: (0..256).map(pair).collect() };
    config.messages(62).for_each(|message| drop(rig.ok(Request::ConfigQueues(message))));
    let seat = |kind, queue| QueueVector { queue, vector: 1 + queue % 16, itr: 0, kind };
    let queues = (0..256).flat_map(|queue| [seat(QueueKind::RX, queue), seat(QueueKind::TX, queue)]);
    let all = QueueVectors { vport: VSI, queues: queues.collect() };
    all.messages(254).for_each(|message| drop(rig.ok(Request::MapVectors(message))));
    rig.ok(Request::RssLut(RssLut { vsi: VSI, entries: (0..2048).map(|at| (at % 256) as u8).collect() }));
    let actions = {
        let request = Request::EnableRuns(run(QueueKind::RX, 0, 256));
        rig.send(request.opcode(), &request.payload())
    };
    assert!(matches!(actions.as_slice(), [Action::Reply { status: Status::OK, .. }, Action::Event(_)]));
    let vf = &rig.model.function.vf;
    assert_eq!(vf.rx.iter().filter(|rx| rx.enabled).count(), 256);
    assert_eq!(vf.seats.of(Direction::Tx, 255), Some(Seat { vector: 16, itr: 0 }));
    rig.ok(Request::DisableRuns(run(QueueKind::RX, 16, 240)));
    assert_eq!(rig.model.function.vf.rx.iter().filter(|rx| rx.enabled).count(), 16);
}

#[test]
fn how_large_is_what_the_table_can_name() {
    for (lut, pairs, width) in [(512, 64, 6), (2048, 256, 8)] {
        let mut rig = grown(large(lut), pairs);
        assert_eq!(RssRegion::decode(&rig.ok(Request::RssRegion)).unwrap().width, width);
        let entries = |entry, count: u16| RssLut { vsi: VSI, entries: vec![entry; count.into()] };
        let last = u8::try_from(pairs - 1).unwrap();
        assert_eq!(rig.status(&Request::RssLut(entries(last, lut))), Some(Status::OK));
        assert_eq!(rig.status(&Request::RssLut(entries(last, 64))), Some(Status::ERR_PARAM), "its length");
        if let Some(beyond) = last.checked_add(1) {
            assert_eq!(rig.status(&Request::RssLut(entries(beyond, lut))), Some(Status::ERR_PARAM));
        }
        let more = rig.ok(Request::Queues(QueueCount { pairs: pairs + 1 }));
        assert_eq!(QueueCount::decode(&more).unwrap().pairs, pairs);
    }
}

/// Whoever does not negotiate it is given what it can name.
#[test]
fn a_function_that_did_not_ask_has_16() {
    let mut rig = grown(large(2048), 256);
    rig.model.function.forget();
    rig.ok(Request::Version(Version::V1_1));
    let told = Resources::decode(&rig.ok(Request::Resources(Caps::L2 | Caps::REQ_QUEUES))).unwrap();
    assert_eq!((told.queue_pairs, told.rss_lut), (16, 2048));
    let more = rig.ok(Request::Queues(QueueCount { pairs: 17 }));
    assert_eq!(QueueCount::decode(&more).unwrap().pairs, 16);
    assert_eq!(sent(&mut rig, Opcode::GET_MAX_RSS_QREGION, &[]), Some(Status::NOT_SUPPORTED));
    for options in [large(64), Options { lut: 2048, ..Options::lenient() }] {
        let mut rig = Rig::untouched(Persona::ice(), options);
        let told = Resources::decode(&rig.ok(Request::Resources(Caps::all()))).unwrap();
        assert!(!told.caps.contains(Caps::LARGE_NUM_QPAIRS), "neither the table nor the PF alone");
    }
}

#[test]
fn runs_and_vectors_are_those_there_are() {
    let mut rig = grown(large(512), 64);
    let config = avf::virtchnl::ConfigQueues { vsi: VSI, pairs: (0..32).map(pair).collect() };
    exact(&mut rig, &Request::ConfigQueues(config));
    exact(&mut rig, &Request::EnableRuns(run(QueueKind::RX, 0, 32)));
    exact(&mut rig, &Request::DisableRuns(run(QueueKind::TX, 0, 32)));
    let bad = Some(Status::ERR_PARAM);
    for (kind, first, count) in [
        (QueueKind::RX, 0, 65),
        (QueueKind::RX, 64, 1),
        (QueueKind::RX, 1, 0),
        (QueueKind(2), 0, 1),
        (QueueKind::TX, 1, 65_535),
    ] {
        assert_eq!(rig.status(&Request::DisableRuns(run(kind, first, count))), bad, "{kind} {first} {count}");
    }
    assert_eq!(rig.status(&Request::EnableRuns(run(QueueKind::RX, 31, 2))), bad, "no ring");
    let good = QueueVector { queue: 31, vector: 1, itr: 0, kind: QueueKind::RX };
    for one in [
        QueueVector { vector: 0, ..good },
        QueueVector { vector: 17, ..good },
        QueueVector { queue: 64, ..good },
        QueueVector { itr: 3, ..good },
        QueueVector { itr: -1, ..good },
        QueueVector { kind: QueueKind(2), ..good },
    ] {
        let map = QueueVectors { vport: VSI, queues: vec![good, one] };
        assert_eq!(rig.status(&Request::MapVectors(map)), bad, "{one:?}");
        assert_eq!(rig.model.function.vf.seats.of(Direction::Rx, 31), None, "all or nothing");
    }
}

/// Reference section 4.3, the last row but one.
#[test]
fn of_two_lengths_of_a_vector_map_one_is_taken() {
    let one = QueueVector { queue: 1, vector: 1, itr: 0, kind: QueueKind::RX };
    let map = QueueVectors { vport: VSI, queues: vec![one] };
    for (vector_map, short, long) in [
        (VectorMapLength::Short, Status::OK, Status::ERR_PARAM),
        (VectorMapLength::Long, Status::ERR_PARAM, Status::OK),
        (VectorMapLength::Either, Status::OK, Status::OK),
    ] {
        let mut rig = grown(Options { vector_map, ..large(512) }, 64);
        assert_eq!(sent(&mut rig, Opcode::MAP_QUEUE_VECTOR, &map.encode()), Some(short));
        assert_eq!(sent(&mut rig, Opcode::MAP_QUEUE_VECTOR, &map.longer()), Some(long));
    }
}

/// Reference section 4.2, ptp_caps.
#[test]
fn the_clock_is_found_where_its_pf_has_it() {
    let asked = PtpCaps { bits: PtpBits::all() };
    for (clock_bits, front, middle) in
        [(PtpPlace::Front, 6, 0), (PtpPlace::Middle, 0, 6), (PtpPlace::Both, 6, 6)]
    {
        let options = Options { clock_bits, ..Options::lenient() };
        let mut rig = Rig::asking(Persona::ice(), options, Setting::default(), Caps::PTP);
        assert_eq!(
            rig.status(&Request::PtpTime(PhcTime::default())),
            Some(Status::NOT_SUPPORTED),
            "not asked for"
        );
        let told = rig.ok(Request::PtpCaps(asked));
        assert_eq!((told.len(), told[0], told[24]), (48, front, middle));
        exact(&mut rig, &Request::PtpTime(PhcTime::default()));
    }
    let options = Options { clock_bits: PtpPlace::Front, ..Options::lenient() };
    let mut rig = Rig::asking(Persona::ice(), options, Setting::default(), Caps::PTP);
    let told = rig.ask(&Request::PtpCaps(PtpCaps::default())).unwrap();
    assert_eq!(PtpCaps::decode(&told.1), Ok(PtpCaps::default()), "nothing asked, nothing granted");
}

#[test]
fn frames_are_stamped_where_the_queue_asks_and_the_format_has_room() {
    for (rxdid, flags, stamped) in [
        (22, RxFlags::PTP, true),
        (2, RxFlags::PTP, true),
        (16, RxFlags::PTP, true),
        (17, RxFlags::PTP, false),
        (1, RxFlags::PTP, false),
        (22, RxFlags::empty(), false),
    ] {
        let setting = Setting { rxdid, ..Setting::default() };
        let mut rig = Rig::asking(Persona::ice(), Options::lenient(), setting, Caps::PTP);
        rig.ok(Request::PtpCaps(PtpCaps { bits: PtpBits::RX_TSTAMP | PtpBits::READ_PHC }));
        let mut config = rig.config();
        config.pairs.iter_mut().for_each(|pair| pair.rx.flags = flags);
        rig.ok(Request::ConfigQueues(config));
        rig.ok(Request::EnableQueues(avf::virtchnl::QueueSelect { vsi: VSI, rx: 0xF, tx: 0 }));
        rig.model.advance(std::time::Duration::from_nanos(1234));
        let mut frame = vec![0xFF; 12];
        frame.extend([0x90, 0, 1, 2, 3]);
        let (_, said, _) = rig.through(&frame);
        let clock = 1_700_000_000_000_000_000_u64 + 1234;
        let expected = stamped.then_some((clock & 0xFFFF_FFFF) as u32);
        assert_eq!(said.time.map(|time| time.nanoseconds), expected, "{rxdid} {flags:?}");
        let told = rig.ok(Request::PtpTime(PhcTime::default()));
        assert_eq!(PhcTime::decode(&told).unwrap().nanos, clock);
    }
}

#[test]
fn traffic_classes_share_the_queues() {
    let options = Options { classes: 2, ..Options::lenient() };
    let mut rig = Rig::asking(Persona::ice(), options, Setting::default(), Caps::QOS);
    let caps = QosCaps::decode(&rig.ok(Request::QosCaps)).unwrap();
    let priorities: Vec<u8> = caps.classes.iter().map(|class| class.priorities).collect();
    assert_eq!((caps.vsi, priorities), (VSI, vec![0x55, 0xAA]));
    let runs = |list: &[(u16, u16)]| QueueClasses {
        vsi: VSI,
        pairs: 4,
        classes: list.iter().map(|(first, count)| ClassQueues { first: *first, count: *count }).collect(),
    };
    exact(&mut rig, &Request::QueueClasses(runs(&[(0, 3), (3, 1)])));
    let told = ClassMap::decode(&rig.ok(Request::QueueClasses(runs(&[(0, 3), (3, 1)])))).unwrap();
    assert_eq!(told.classes[1].priorities, 0xAA);
    let lists: [&[(u16, u16)]; 4] = [&[(0, 3)], &[(1, 4)], &[(0, 2), (3, 1)], &[(0, 1), (1, 1), (2, 2)]];
    for bad in lists {
        assert_eq!(rig.status(&Request::QueueClasses(runs(bad))), Some(Status::ERR_PARAM), "{bad:?}");
    }
    let rate = QueueRate { queue: 3, class: 1, committed: 5, peak: 10 };
    let rates = |rate| QueueBandwidth { vsi: VSI, queues: vec![rate] };
    exact(&mut rig, &Request::Bandwidth(rates(rate)));
    for bad in [QueueRate { queue: 4, ..rate }, QueueRate { class: 2, ..rate }, QueueRate { peak: 1, ..rate }]
    {
        assert_eq!(rig.status(&Request::Bandwidth(rates(bad))), Some(Status::ERR_PARAM));
    }
    let quanta = |size, count| Quanta { size, queues: QueueChunk { kind: QueueKind::TX, first: 0, count } };
    exact(&mut rig, &Request::Quanta(quanta(1024, 4)));
    for (size, count) in [(192, 4), (1000, 4), (1024, 5), (4160, 1)] {
        assert_eq!(rig.status(&Request::Quanta(quanta(size, count))), Some(Status::ERR_PARAM));
    }
}

/// Whatever a driver can do without can be taken from it, and is then refused.
#[test]
fn what_is_not_granted_is_not_served() {
    for (refused, op, payload) in [
        (Caps::RX_FLEX_DESC, Opcode::GET_SUPPORTED_RXDIDS, 0),
        (Caps::ADV_RSS_PF, Opcode::ADD_RSS_CFG, 2444),
        (Caps::VLAN_V2, Opcode::GET_OFFLOAD_VLAN_V2_CAPS, 0),
        (Caps::FDIR_PF, Opcode::ADD_FDIR_FILTER, 2616),
        (Caps::PTP, Opcode::PTP_GET_CAPS, 48),
        (Caps::QOS, Opcode::GET_QOS_CAPS, 0),
        (Caps::RSS_PF, Opcode::GET_RSS_HENA_CAPS, 0),
    ] {
        let served = |refuses| {
            let options = Options { refuses, ..Options::lenient() };
            let mut rig = Rig::asking(Persona::ice(), options, Setting::default(), Caps::all());
            (rig.model.function.vf.granted.unwrap(), sent(&mut rig, op, &vec![0; payload]).unwrap())
        };
        let (granted, status) = served(refused);
        assert!(!granted.intersects(refused) && granted.contains(Caps::L2));
        assert_eq!(status, Status::NOT_SUPPORTED, "{op}");
        assert_ne!(served(Caps::empty()).1, Status::NOT_SUPPORTED, "{op}");
    }
    let only_legacy = Options { rxdids: Some(0), ..Options::lenient() };
    let mut rig = Rig::asking(Persona::ice(), only_legacy, Setting::default(), Caps::all());
    assert_eq!(rig.ok(Request::Rxdids), 2_u64.to_le_bytes());
    let mut config = rig.config();
    config.pairs[0].rx.rxdid = 22;
    assert_eq!(rig.status(&Request::ConfigQueues(config)), Some(Status::ERR_PARAM));
}
