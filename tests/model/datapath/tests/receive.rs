use avf::ptype::Ptype;
use avf::rx::{Cast, Verdict as Sum};
use avf::virtchnl::{Promiscuity, Promiscuous, Request, Vlans};

use super::{PEER, frame_of, tagged, udp};
use crate::datapath::{Verdict, flush};
use crate::rig::{Rig, Setting};
use crate::vf::Direction;
use crate::{Options, Persona};

fn strict(setting: Setting) -> Rig {
    Rig::running(Persona::i40e(), Options::default(), setting)
}

#[test]
fn a_frame_arrives_as_it_was_sent() {
    let mut rig = Rig::lenient();
    let frame = udp(500);
    let (_, said, bytes) = rig.through(&frame);
    assert_eq!(bytes, frame);
    assert_eq!((said.ptype, said.cast, said.checks.verdict()), (Ptype(24), Cast::Unicast, Sum::Good));
    assert!(said.hash.is_some() && said.tag1.is_none() && !said.error);
    let statistics = rig.statistics();
    assert_eq!((statistics.rx_unicast, statistics.rx_bytes), (1, frame.len() as u64));
    assert_eq!(rig.model.ledger.unclean, 0);
}

#[test]
fn short_frames_are_padded_to_60_bytes() {
    let mut rig = Rig::lenient();
    let (_, _, bytes) = rig.through(&udp(1));
    assert_eq!(bytes.len(), 60);
    assert_eq!(rig.statistics().rx_bytes, 60);
}

/// Reference section 0, fact 4: one to three completed descriptors wait for the fourth, or for a flush.
#[test]
fn groups_of_four_are_written_back() {
    for waiting in 1..=3 {
        let mut rig = strict(Setting { pairs: 1, ..Setting::default() });
        for _ in 0..waiting {
            assert_eq!(rig.inject(&udp(20)), Verdict::Received(0));
            assert_eq!(rig.frames(0).len(), 0);
        }
        assert!(flush(&mut rig.model, Direction::Rx, 0));
        assert_eq!(rig.frames(0).len(), waiting);
        assert!(!flush(&mut rig.model, Direction::Rx, 0));
        for _ in waiting..3 {
            rig.inject(&udp(20));
            assert_eq!(rig.frames(0).len(), 0);
        }
        rig.inject(&udp(20));
        assert_eq!(rig.frames(0).len(), 4 - waiting);
    }
}

#[test]
fn the_end_of_the_ring_closes_a_group() {
    let mut rig = strict(Setting { pairs: 1, ring: 32, ..Setting::default() });
    for round in 0..40 {
        rig.inject(&udp(20));
        assert_eq!(rig.frames(0).len(), if round % 4 == 3 { 4 } else { 0 });
    }
}

#[test]
fn frames_longer_than_a_buffer_continue() {
    for zero_tail in [false, true] {
        let options = Options { zero_tail, ..Options::lenient() };
        let setting = Setting { pairs: 1, buffer: 256, ..Setting::default() };
        let mut rig = Rig::running(Persona::i40e(), options, setting);
        let lengths = |bytes: usize| {
            let mut lengths: Vec<usize> = vec![256; bytes / 256];
            if !bytes.is_multiple_of(256) || zero_tail {
                lengths.push(bytes % 256);
            }
            lengths
        };
        for bytes in [255, 256, 257, 511, 512, 513, 1024, 9600] {
            let frame = frame_of(bytes);
            assert_eq!(rig.inject(&frame), Verdict::Received(0));
            let segments = rig.segments(0);
            let seen: Vec<usize> = segments.iter().map(|(said, _)| usize::from(said.length)).collect();
            assert_eq!(seen, lengths(bytes), "{bytes} bytes, zero tail {zero_tail}");
            let (last, before) = segments.split_last().unwrap();
            assert!(last.0.last && last.0.ptype == Ptype(24) && last.0.hash.is_some());
            assert!(before.iter().all(|(said, _)| !said.last && said.ptype == Ptype(0)));
            assert_eq!(segments.concat_bytes(), frame);
        }
    }
}

trait ConcatBytes {
    fn concat_bytes(&self) -> Vec<u8>;
}

impl<T> ConcatBytes for Vec<(T, Vec<u8>)> {
    fn concat_bytes(&self) -> Vec<u8> {
        self.iter().flat_map(|(_, bytes)| bytes.iter().copied()).collect()
    }
}

#[test]
fn a_full_ring_discards() {
    let mut rig =
        Rig::running(Persona::i40e(), Options::lenient(), Setting { pairs: 1, ..Setting::default() });
    let verdicts: Vec<Verdict> = (0..70).map(|_| rig.inject(&udp(20))).collect();
    assert!(verdicts[..63].iter().all(|verdict| *verdict == Verdict::Received(0)));
    assert!(verdicts[63..].iter().all(|verdict| *verdict == Verdict::NoDescriptor));
    let statistics = rig.statistics();
    assert_eq!((statistics.rx_unicast, statistics.rx_discards), (70, 7));
    assert_eq!(rig.frames(0).len(), 63);
    assert_eq!(rig.inject(&udp(20)), Verdict::Received(0));
    assert!(rig.model.ledger.balances());
}

#[test]
fn a_chain_that_does_not_fit_takes_nothing() {
    let setting = Setting { pairs: 1, buffer: 256, ring: 64, ..Setting::default() };
    let mut rig = Rig::running(Persona::i40e(), Options::lenient(), setting);
    for _ in 0..60 {
        rig.inject(&udp(20));
    }
    assert_eq!(rig.inject(&frame_of(1000)), Verdict::NoDescriptor);
    assert_eq!(rig.inject(&frame_of(700)), Verdict::Received(0));
    assert_eq!(rig.frames(0).len(), 61);
}

#[test]
fn a_buffer_outside_of_memory_is_caught() {
    let mut rig = Rig::lenient();
    for queue in 0..4 {
        rig.put(queue, 0, avf::rx::Read::post(0xDEAD_0000));
    }
    assert_eq!(rig.inject(&udp(20)), Verdict::Denied);
    assert_eq!(rig.model.memory.stray_count(), 1);
    assert_eq!(rig.model.memory.strays()[0].doing, "receive buffer");
    assert_eq!(rig.statistics().rx_discards, 1);
}

#[test]
fn a_ring_outside_of_memory_is_caught() {
    let mut rig = Rig::lenient();
    rig.model.function.vf.rx.iter_mut().for_each(|rx| rx.base = 0x1000);
    assert_eq!(rig.inject(&udp(20)), Verdict::Denied);
    assert_eq!(rig.model.memory.strays()[0].doing, "receive descriptor");
}

#[test]
fn descriptors_with_an_old_write_back_in_them_are_counted() {
    let mut rig = Rig::lenient();
    for queue in 0..4 {
        let buffer = rig.buffer_of(queue, 0);
        rig.put(queue, 0, [buffer, 3, 0, 0]);
    }
    assert!(matches!(rig.inject(&udp(20)), Verdict::Received(_)));
    assert_eq!(rig.model.ledger.unclean, 1);
}

#[test]
fn frames_longer_than_the_queue_takes_are_discarded() {
    let setting = Setting { longest: 1518, ..Setting::default() };
    let mut rig = Rig::running(Persona::i40e(), Options::lenient(), setting);
    assert!(matches!(rig.inject(&frame_of(1518)), Verdict::Received(_)));
    assert_eq!(rig.inject(&frame_of(1519)), Verdict::TooLong);
    assert_eq!(rig.statistics().rx_discards, 1);
    let setting = Setting { longest: 16_382, ..Setting::default() };
    let mut rig = Rig::running(Persona::i40e(), Options::lenient(), setting);
    assert!(matches!(rig.inject(&frame_of(9728)), Verdict::Received(_)));
    assert_eq!(rig.inject(&frame_of(9729)), Verdict::TooLong, "no port carries it");
}

#[test]
fn a_tail_outside_of_the_ring_is_malice() {
    let mut rig = Rig::lenient();
    crate::datapath::tail_written(&mut rig.model, Direction::Rx, 2, 64);
    assert!(rig.model.function.host.disabled);
    assert_eq!(rig.model.malice.unwrap().to_string(), "receive queue 2: tail 64 in a ring of 64");
    assert_eq!(rig.inject(&udp(20)), Verdict::NotEnabled);
    assert_eq!(rig.send(avf::virtchnl::Opcode::VERSION, &[1, 0, 0, 0, 1, 0, 0, 0]), vec![]);
}

/// Reference section 0, facts 2 and 14.
#[test]
fn promiscuity_is_what_trust_makes_of_it() {
    for trusted in [false, true] {
        let options = Options { trusted, ..Options::lenient() };
        let mut rig = Rig::running(Persona::i40e(), options, Setting::default());
        let mut foreign = udp(20);
        foreign[..6].copy_from_slice(&PEER);
        let mut group = udp(20);
        group[..6].copy_from_slice(&[1, 0, 0x5E, 1, 2, 3]);
        assert_eq!((rig.inject(&foreign), rig.inject(&group)), (Verdict::Filtered, Verdict::Filtered));
        let vsi = rig.vsi();
        rig.ok(Request::Promiscuous(Promiscuous {
            vsi,
            mode: Promiscuity::UNICAST | Promiscuity::MULTICAST,
        }));
        let seen = [&foreign, &group].map(|frame| matches!(rig.inject(frame), Verdict::Received(_)));
        assert_eq!(seen, [trusted; 2]);
        rig.ok(Request::Promiscuous(Promiscuous { vsi, mode: Promiscuity::empty() }));
        assert_eq!(rig.inject(&foreign), Verdict::Filtered);
    }
}

#[test]
fn broadcast_is_for_everybody() {
    let mut rig = Rig::lenient();
    let mut frame = udp(20);
    frame[..6].fill(0xFF);
    assert_eq!(rig.through(&frame).1.cast, Cast::Broadcast);
    assert_eq!(rig.statistics().rx_broadcast, 1);
}

#[test]
fn adding_a_vlan_filters_and_strips() {
    let mut rig = Rig::lenient();
    let frame = udp(200);
    let (_, said, bytes) = rig.through(&tagged(&frame, 0x8100, 0x6005));
    assert_eq!((said.tag1, bytes.len()), (None, frame.len() + 4));
    let vsi = rig.vsi();
    rig.ok(Request::AddVlans(Vlans { vsi, ids: vec![5] }));
    let (_, said, bytes) = rig.through(&tagged(&frame, 0x8100, 0x6005));
    assert_eq!((said.tag1, bytes), (Some(0x6005), frame.clone()));
    assert_eq!(rig.inject(&tagged(&frame, 0x8100, 6)), Verdict::Filtered);
    assert_eq!(rig.through(&frame).2, frame);
    rig.ok(Request::DisableStripping);
    assert_eq!(rig.through(&tagged(&frame, 0x8100, 5)).2.len(), frame.len() + 4);
    rig.ok(Request::DelVlans(Vlans { vsi, ids: vec![5] }));
    assert!(matches!(rig.inject(&tagged(&frame, 0x8100, 6)), Verdict::Received(_)));
}

#[test]
fn a_port_vlan_is_taken_out_and_not_told() {
    let options = Options { port_vlan: Some(7), ..Options::lenient() };
    let mut rig = Rig::running(Persona::i40e(), options, Setting::default());
    let frame = udp(200);
    let (_, said, bytes) = rig.through(&tagged(&frame, 0x8100, 7));
    assert_eq!((said.tag1, bytes), (None, frame.clone()));
    assert_eq!(rig.inject(&tagged(&frame, 0x8100, 8)), Verdict::Filtered);
    assert_eq!(rig.inject(&frame), Verdict::Filtered);
}

#[test]
fn nothing_is_received_before_queues_run_or_without_mastery() {
    let mut rig = Rig::negotiated(Persona::i40e(), Options::lenient());
    assert_eq!(rig.inject(&udp(20)), Verdict::NotEnabled);
    let mut rig = Rig::lenient();
    rig.model.memory.set_master(false);
    assert_eq!(rig.inject(&udp(20)), Verdict::NotEnabled);
    assert_eq!(rig.model.ledger.not_enabled, 1);
}

/// Hardware finishes a queue before it says that it has stopped.
#[test]
fn a_stopped_queue_gives_back_what_is_pending() {
    let mut rig = strict(Setting { pairs: 1, ..Setting::default() });
    rig.inject(&udp(20));
    rig.inject(&udp(20));
    let vsi = rig.vsi();
    rig.ok(Request::DisableQueues(avf::virtchnl::QueueSelect { vsi, rx: 1, tx: 0 }));
    crate::datapath::drain(&mut rig.model);
    assert_eq!(rig.frames(0).len(), 2);
    assert_eq!(rig.inject(&udp(20)), Verdict::NotEnabled);
    assert_eq!(rig.statistics().rx_unknown_protocol, 1);
}
