//! Every message: what is written is accepted and read back, and nothing that is sent panics.

use world::Dice;

use super::length::{WrongLength, check, fits, other_len, wire_len};
use super::*;

/// Opcodes that have an answer with a structure, and its bytes with one element.
const ANSWERED: [(Opcode, usize); 16] = [
    (Opcode::VERSION, 8),
    (Opcode::GET_VF_RESOURCES, 36),
    (Opcode::GET_STATS, 96),
    (Opcode::GET_RSS_HENA_CAPS, 8),
    (Opcode::REQUEST_QUEUES, 2),
    (Opcode::GET_SUPPORTED_RXDIDS, 8),
    (Opcode::ADD_FDIR_FILTER, 2616),
    (Opcode::DEL_FDIR_FILTER, 12),
    (Opcode::GET_MAX_RSS_QREGION, 8),
    (Opcode::GET_OFFLOAD_VLAN_V2_CAPS, 40),
    (Opcode::PTP_GET_CAPS, 48),
    (Opcode::PTP_GET_TIME, 16),
    (Opcode::GET_QOS_CAPS, 44),
    (Opcode::CONFIG_QUEUE_TC_MAP, 12),
    (Opcode::FLOW_SUBSCRIBE, 2616),
    (Opcode::FLOW_UNSUBSCRIBE, 12),
];

/// Opcodes whose length is known and which nobody serves to the functions of X710 and E810.
const UNSERVED: [Opcode; 8] = [
    Opcode::CONFIG_TX_QUEUE,
    Opcode::CONFIG_RX_QUEUE,
    Opcode::CONFIG_RDMA_IRQ_MAP,
    Opcode::RELEASE_RDMA_IRQ_MAP,
    Opcode::ENABLE_CHANNELS,
    Opcode::DISABLE_CHANNELS,
    Opcode::ADD_CLOUD_FILTER,
    Opcode::DEL_CLOUD_FILTER,
];

fn served() -> impl Iterator<Item = Opcode> {
    let length_known = |opcode: &Opcode| wire_len(*opcode, 1).is_some() && !UNSERVED.contains(opcode);
    Opcode::KNOWN.iter().copied().filter(length_known)
}

/// Offset of a list's count.
fn count_at(opcode: Opcode) -> usize {
    match opcode {
        Opcode::CONFIG_IRQ_MAP => 0,
        Opcode::ENABLE_QUEUES_V2 | Opcode::DISABLE_QUEUES_V2 => 4,
        _ => 2,
    }
}

/// A payload of the right length with `n` elements, apart from its counts full of chance.
fn plausible(opcode: Opcode, n: u16, dice: &mut Dice) -> Vec<u8> {
    let mut payload = dice.bytes(wire_len(opcode, n.into()).unwrap());
    if fits(opcode) > 0 {
        payload[count_at(opcode)..][..2].copy_from_slice(&n.to_le_bytes());
    }
    let pattern = match opcode {
        Opcode::ADD_RSS_CFG | Opcode::DEL_RSS_CFG => Some(0),
        Opcode::ADD_FDIR_FILTER | Opcode::FLOW_SUBSCRIBE => Some(8),
        _ => None,
    };
    if let Some(at) = pattern {
        payload[at + 4..at + 8].copy_from_slice(&dice.below(49).to_le_bytes());
        payload[at + 8 + 1] = 0;
    }
    if matches!(opcode, Opcode::ADD_FDIR_FILTER | Opcode::FLOW_SUBSCRIBE) {
        payload[2320..2324].copy_from_slice(&dice.below(9).to_le_bytes());
    }
    payload
}

#[test]
fn what_is_written_is_accepted_and_read_back() {
    let mut dice = Dice::new(1);
    for opcode in served() {
        let most = u16::try_from(fits(opcode)).unwrap().max(1);
        for n in (1..=most.min(40)).chain([most]) {
            let payload = plausible(opcode, n, &mut dice);
            let request = Request::decode(opcode, &payload, Version::V1_1).unwrap();
            let written = request.payload();
            assert_eq!(request.opcode(), opcode);
            assert_eq!(Some(written.len()), wire_len(opcode, n.into()), "{opcode} with {n}");
            assert_eq!(check(opcode, &written, Version::V1_1), Ok(()));
            assert_eq!(Request::decode(opcode, &written, Version::V1_1).as_ref(), Ok(&request));
        }
    }
}

#[test]
fn every_length_but_one_is_refused() {
    let mut dice = Dice::new(2);
    for opcode in served() {
        let payload = plausible(opcode, 2, &mut dice);
        let other = other_len(opcode, 2);
        for has in (0..payload.len() + 90).filter(|has| *has != payload.len() && Some(*has) != other) {
            let mut cut = payload.clone();
            cut.resize(has, 0);
            let refused = Request::decode(opcode, &cut, Version::V1_1);
            let wrong =
                matches!(refused, Err(Refused::Length(WrongLength::Bytes { has: said, .. })) if said == has);
            assert!(wrong, "{opcode} of {has} bytes: {refused:?}");
        }
    }
}

#[test]
fn both_lengths_of_a_vector_map_are_accepted() {
    let map = QueueVectors { vport: 1, queues: vec![QueueVector::default(); 3] };
    for payload in [map.encode(), map.longer()] {
        let read = Request::decode(Opcode::MAP_QUEUE_VECTOR, &payload, Version::V1_1);
        assert_eq!(read, Ok(Request::MapVectors(map.clone())));
    }
}

#[test]
fn what_nobody_serves_is_told_from_what_nobody_knows() {
    for opcode in UNSERVED {
        let mut payload = vec![0; wire_len(opcode, 1).unwrap()];
        if fits(opcode) > 0 {
            payload[0] = 1;
        }
        let refused = Request::decode(opcode, &payload, Version::V1_1);
        assert_eq!(refused, Err(Refused::Unserved(opcode)));
    }
    for opcode in [Opcode(0), Opcode(999), Opcode::EVENT, Opcode::DCF_CMD_DESC] {
        let refused = Request::decode(opcode, &[], Version::V1_1);
        assert_eq!(refused, Err(Refused::Length(WrongLength::Unknown(opcode))));
    }
}

#[test]
fn the_first_version_gets_what_it_cannot_ask_for() {
    let asked = Request::decode(Opcode::GET_VF_RESOURCES, &[], Version::V1_0);
    assert_eq!(asked, Ok(Request::Resources(Caps::L2 | Caps::VLAN)));
}

/// The answer to `opcode`, apart from its counts full of chance.
fn plausible_answer(opcode: Opcode, bytes: usize, dice: &mut Dice) -> Vec<u8> {
    if matches!(opcode, Opcode::ADD_FDIR_FILTER | Opcode::FLOW_SUBSCRIBE) {
        return plausible(opcode, 0, dice);
    }
    let mut payload = dice.bytes(bytes);
    match opcode {
        Opcode::GET_VF_RESOURCES => {
            payload[..8].copy_from_slice(&[1, 0, 4, 0, 5, 0, 0, 0]);
            payload[12..20].copy_from_slice(&[52, 0, 0, 0, 64, 0, 0, 0]);
            payload[22..24].fill(0);
            payload[30] &= !1;
        }
        Opcode::GET_QOS_CAPS | Opcode::CONFIG_QUEUE_TC_MAP => payload[2..4].copy_from_slice(&[1, 0]),
        _ => {}
    }
    payload
}

#[test]
fn answers_are_read_back() {
    let mut dice = Dice::new(3);
    for (opcode, bytes) in ANSWERED {
        for _ in 0..100 {
            let payload = plausible_answer(opcode, bytes, &mut dice);
            let answer = Answer::decode(opcode, &payload).unwrap();
            assert_eq!(answer.payload().len(), bytes, "{opcode}");
            assert_eq!(Answer::decode(opcode, &answer.payload()).as_ref(), Ok(&answer));
            let cut = Answer::decode(opcode, &payload[..bytes - 1]);
            assert!(matches!(cut, Err(Malformed::Short { .. })), "{opcode}: {cut:?}");
        }
    }
}

#[test]
fn an_answer_without_a_structure_is_done() {
    assert_eq!(Answer::decode(Opcode::ENABLE_QUEUES, &[1, 2, 3]), Ok(Answer::Done));
    assert_eq!(Answer::Done.payload(), []);
}

#[test]
fn nothing_that_is_sent_panics() {
    let mut dice = Dice::new(4);
    let codes: Vec<Opcode> = Opcode::KNOWN.iter().copied().chain((0..200).map(Opcode)).collect();
    for _ in 0..200 {
        for opcode in &codes {
            let len = dice.below(120) as usize;
            let mut payload = dice.bytes(len);
            if dice.below(2) == 0 {
                payload.iter_mut().for_each(|byte| *byte &= 3);
            }
            let _ = Request::decode(*opcode, &payload, Version::V1_1);
            if let Ok(answer) = Answer::decode(*opcode, &payload) {
                assert!(answer.payload().len() <= 4096);
            }
            let _ = Event::decode(&payload);
            let _ = ConfigQueues::decode(&payload).map(|read| assert!(read.encode().len() <= 72 + 2 * len));
        }
    }
}

#[test]
fn a_count_that_is_not_there_is_refused_before_anything_grows() {
    let lie = [1, 0, 0xff, 0xff, 0, 0, 0, 0];
    assert!(ConfigQueues::decode(&lie).is_err());
    assert!(VlanFilters::decode(&lie).is_err());
    assert!(Addresses::decode(&lie).is_err());
    assert!(RssKey::decode(&lie).is_err());
    assert!(QosCaps::decode(&lie).is_err());
}
