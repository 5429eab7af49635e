//! Frames in, frames out.

use std::time::Duration;

use avf_driver::verify::{Promiscuity, Spreading, Symmetry};
use avf_driver::{Settings, Unsent};
use frame::{Checksum, Loss, VlanTag};
use model::datapath::Verdict;
use model::{Options, Persona};
use world::Builder;

use super::personas;
use crate::{Rig, number_of, udp, udp_of};

fn rig(persona: Persona, settings: Settings) -> Rig {
    let mut rig = Rig::new(persona, Options::default(), settings).unwrap();
    rig.up();
    rig
}

/// One of each kind of function, up.
fn rigs(settings: &Settings) -> impl Iterator<Item = Rig> + use<'_> {
    personas().into_iter().map(|persona| rig(persona, settings.clone()))
}

#[test]
fn frames_come_out_as_they_went_in_each_once() {
    for mut rig in [1, 4, 16].map(Settings::new).iter().flat_map(rigs) {
        for burst in 0..100 {
            for number in burst * 30..(burst + 1) * 30 {
                rig.inject(&udp(number));
            }
            rig.run(Duration::from_micros(200));
        }
        rig.run(Duration::from_millis(1));
        assert_eq!(rig.lent, 3000);
        let mut seen: Vec<u64> = rig.taken.iter().filter_map(|taken| number_of(&taken.data)).collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..3000).collect::<Vec<_>>());
        for taken in &rig.taken {
            assert_eq!(taken.data, udp(number_of(&taken.data).unwrap()));
        }
        rig.check().unwrap();
    }
}

#[test]
fn a_lone_frame_does_not_wait_for_others() {
    for mut rig in rigs(&Settings::new(4)) {
        for number in 0..20 {
            rig.inject(&udp(number));
            rig.run(Duration::from_micros(100));
            assert_eq!(rig.lent, number + 1);
        }
    }
}

#[test]
fn jumbo_frames_in_one_buffer_and_in_five() {
    let chained = Settings { max_frame: 9728, descriptors: 64, ..Settings::new(1) };
    let one_by_one = Settings { burst: 1, ..chained.clone() };
    let whole = usize::from(chained.buffer);
    let edges = (1..=4).flat_map(|buffers| [buffers * whole - 1, buffers * whole, buffers * whole + 1]);
    let lengths: Vec<usize> = (60..9728).step_by(61).chain(edges).chain([9728]).collect();
    for mut rig in [Settings::jumbo(1), chained, one_by_one].iter().flat_map(rigs) {
        for (number, length) in lengths.iter().enumerate() {
            let frame = udp_of(number as u64, *length);
            assert!(matches!(rig.inject(&frame), Verdict::Received(0)), "{length}");
            rig.run(Duration::from_micros(100));
            assert_eq!(rig.taken.pop().map(|taken| taken.data), Some(frame), "{length} bytes");
        }
        assert_eq!(rig.lent, lengths.len() as u64);
        assert_eq!(rig.ledger.lost_in_all(), 0);
        rig.check().unwrap();
    }
}

#[test]
fn chains_that_run_past_the_end_of_the_ring_are_copied_and_no_others() {
    for mut rig in rigs(&Settings { max_frame: 9728, descriptors: 64, ..Settings::new(1) }) {
        for number in 0..640 {
            rig.inject(&udp_of(number, 6000));
            rig.run(Duration::from_micros(100));
        }
        let counters = rig.queues[0].counters();
        assert_eq!((counters.frames, counters.chained), (640, 640));
        // Three descriptors a frame: at two of three turns of the ring one lies across its end.
        assert_eq!(counters.joined, 640 * 3 / 64 * 2 / 3);
    }
}

#[test]
fn frames_that_are_too_long_are_lost_with_a_reason() {
    for mut rig in rigs(&Settings::new(1)) {
        assert_eq!(rig.inject(&udp_of(1, 1523)), Verdict::TooLong);
        assert!(matches!(rig.inject(&udp_of(1, 1522)), Verdict::Received(_)));
        rig.run(Duration::from_secs(3));
        let lost = rig.ledger.lost(Loss::NicNoBuffer);
        assert_eq!((rig.lent, lost), (1, 1), "the PF counts it among its discards");
        rig.check().unwrap();
    }
}

#[test]
fn tags_stay_in_their_frames_or_travel_beside_them() {
    let tagged = Builder::ethernet()
        .tag(0x8100, 0xA123)
        .ipv4([192, 0, 2, 1], [198, 51, 100, 1])
        .udp(1, 2)
        .payload(&[7; 40])
        .build();
    for persona in personas() {
        let mut kept = rig(persona.clone(), Settings::new(2));
        kept.inject(&tagged);
        kept.run(Duration::from_millis(1));
        assert_eq!((kept.taken[0].vlan, kept.taken[0].data.as_slice()), (None, tagged.as_slice()));
        let mut stripped = rig(persona.clone(), Settings { strip_vlan: true, ..Settings::new(2) });
        stripped.inject(&tagged);
        stripped.run(Duration::from_millis(1));
        let taken = &stripped.taken[0];
        assert_eq!(taken.vlan, Some(VlanTag { tpid: 0x8100, tci: 0xA123 }));
        assert_eq!([&taken.data[..12], &tagged[12..16], &taken.data[12..]].concat(), tagged);
        let mut filtering = rig(persona, Settings { vlans: vec![5, 0x123], ..Settings::new(2) });
        filtering.inject(&tagged);
        filtering.run(Duration::from_millis(1));
        assert_eq!(
            filtering.taken[0].data, tagged,
            "adding a VLAN turns stripping on, and it is turned off again"
        );
    }
}

#[test]
fn a_checksum_is_good_only_where_the_nic_has_verified_that_one() {
    let flat = || Builder::ethernet().ipv4([192, 0, 2, 1], [198, 51, 100, 1]);
    let good = flat().udp(1, 2).payload(&[7; 40]).build();
    let mut bad = good.clone();
    *bad.last_mut().unwrap() ^= 1;
    let tunnel = flat().gre(None).ipv4([10, 0, 0, 1], [10, 0, 0, 2]).udp(1, 2).payload(&[7; 40]).build();
    let ping = flat().icmp4(8, 0, [0; 4]).payload(&[7; 40]).build();
    for mut rig in rigs(&Settings::new(1)) {
        for frame in [&good, &bad, &tunnel, &ping] {
            rig.inject(frame);
        }
        rig.run(Duration::from_millis(1));
        let said: Vec<_> = rig.taken.iter().map(|taken| taken.checksum).collect();
        assert_eq!(said, [Checksum::Good, Checksum::Unknown, Checksum::Unknown, Checksum::Unknown]);
        assert_eq!(rig.queues[0].counters().bad_checksum, 1);
    }
}

#[test]
fn both_directions_of_a_flow_come_to_one_queue() {
    for mut rig in rigs(&Settings::new(16)) {
        let mut queues = std::collections::BTreeSet::new();
        let mut spreading = Spreading::new(rig.control().negotiated().unwrap()).unwrap();
        let mut other = rig.control().negotiated().unwrap().clone();
        other.use_key(b"the key of another, which is not symmetric, or is it");
        let mut astray = Spreading::new(&other).unwrap();
        for n in 0..200_u8 {
            let (a, b) = ([192, 0, 2, n], [198, 51, 100, n.wrapping_mul(37)]);
            let (p, q) = (1024 + u16::from(n) * 7, 443);
            for frame in [
                Builder::ethernet().ipv4(a, b).udp(p, q).payload(b"there").build(),
                Builder::ethernet().ipv4(b, a).udp(q, p).payload(b"back").build(),
            ] {
                rig.inject(&frame);
            }
            rig.run(Duration::from_micros(100));
            let [there, back] = [rig.taken.pop().unwrap(), rig.taken.pop().unwrap()];
            assert_eq!(there.queue, back.queue);
            [&there, &back].into_iter().for_each(|taken| spreading.see(taken.queue, &taken.data));
            [&there, &back].into_iter().for_each(|taken| astray.see(taken.queue, &taken.data));
            queues.insert(there.queue);
        }
        assert!(queues.len() > 12, "spread over {queues:?}");
        assert_eq!(spreading.verdict(), Symmetry::Proven { agreed: 400 });
        assert!(
            matches!(astray.verdict(), Symmetry::Disproven { differed: 200.., .. }),
            "{}",
            astray.verdict()
        );
    }
}

#[test]
fn what_found_no_descriptor_is_counted_once() {
    for mut rig in rigs(&Settings { descriptors: 64, ..Settings::new(2) }) {
        rig.working = false;
        let mut lost = 0;
        for number in 0..400 {
            lost += u64::from(rig.inject(&udp(number)) == Verdict::NoDescriptor);
        }
        assert!(lost > 250, "{lost}");
        rig.working = true;
        rig.run(Duration::from_secs(3));
        assert_eq!(rig.ledger.lost(Loss::NicNoBuffer), lost);
        assert_eq!((rig.ledger.received, rig.lent), (400, 400 - lost));
        rig.check().unwrap();
    }
}

#[test]
fn promiscuity_is_believed_when_it_is_seen() {
    for persona in personas() {
        let mut trusted = rig(persona.clone(), Settings::new(4));
        assert_eq!(trusted.control().promiscuity(), Promiscuity::Unknown { seen: 0 });
        trusted.inject(&udp(1));
        trusted.run(Duration::from_millis(1));
        assert!(matches!(trusted.control().promiscuity(), Promiscuity::Proven { foreign: 1, .. }));

        let options = Options { trusted: false, ..Options::default() };
        let mut other = Rig::new(persona, options, Settings::new(4)).unwrap();
        other.up();
        assert_eq!(other.said, Vec::<String>::new(), "the PF says that all is well");
        let own = other.control().negotiated().unwrap().address;
        let mine = Builder::ethernet_between([2; 6], own)
            .ipv4([192, 0, 2, 1], [192, 0, 2, 2])
            .udp(1, 2)
            .payload(b"x")
            .build();
        for number in 0..1200 {
            assert_eq!(other.inject(&udp(number)), Verdict::Filtered);
            other.inject(&mine);
            other.run(Duration::from_micros(100));
        }
        let verdict = other.control().promiscuity();
        assert!(matches!(verdict, Promiscuity::Disproven { seen: 1200 }), "{verdict}");
        assert!(verdict.to_string().contains("trust on"));
        other.model().set_trust(true);
        other.run(Duration::from_millis(120));
        other.up();
        other.inject(&udp(1));
        other.run(Duration::from_millis(1));
        assert!(
            matches!(other.control().promiscuity(), Promiscuity::Proven { .. }),
            "trusted since: it is asked for anew"
        );
    }
}

#[test]
fn frames_that_are_sent_arrive_on_the_wire() {
    for mut rig in rigs(&Settings { transmit: true, ..Settings::new(2) }) {
        let mut senders = rig.control.as_mut().unwrap().senders();
        assert_eq!(senders.len(), 2);
        let mut sent = 0;
        for round in 0..200 {
            let sender = &mut senders[round % 2];
            for number in 0..30 {
                sender.push(&udp(number)).unwrap();
                sent += 1;
            }
            sender.commit();
            rig.run(Duration::from_micros(100));
            for _ in 0..30 {
                let frame = rig.model().wire.take().expect("a frame");
                assert_eq!(frame, udp(number_of(&frame).unwrap()));
            }
        }
        assert_eq!(sent, 6000);
        assert!(matches!(senders[0].push(&[0; 10]), Err(Unsent::Refused(_))), "malice is not sent");
        rig.model().reset(model::Reset::Pf);
        rig.run(Duration::from_millis(60));
        assert_eq!(senders[0].push(&udp(1)), Err(Unsent::Away));
        senders[1].commit();
        rig.up();
        senders[0].push(&udp(9)).unwrap();
        senders[0].commit();
        rig.run(Duration::from_millis(1));
        assert_eq!(rig.model().wire.take(), Some(udp(9)));
        rig.check().unwrap();
    }
}
