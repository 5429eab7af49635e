//! Frames arrive as they were sent, however they are laid out, and whatever happens to the rings meanwhile.

use super::front::*;
use super::*;
use frame::Loss;
use vhost::VhostBackend as _;
use vhost::vhost_user::VhostUserFrontend as _;

#[test]
fn a_header_may_lie_in_any_descriptors() {
    let mut stage = Stage::set(1);
    let mut front = Front::join(&stage.path, PLAIN, 1);
    let frame = numbered(7, 300);
    let bytes = [&[0; 12][..], &frame].concat();
    for cuts in [&[][..], &[12], &[5], &[5, 12], &[12, 13, 14], &[0, 100, 100, 200], &[11, 311]] {
        let head = front_chain(&mut front, &bytes, cuts);
        front.offer(1, head);
        assert_eq!(stage.frames(0, 1), std::slice::from_ref(&frame), "{cuts:?}");
    }
    // the same by an indirect table
    let at = front.put(1, &bytes);
    let table = BUFFERS / 2 + 0x4000;
    front.describe_at(table, 0, Desc(at, 100, NEXT, 2));
    front.describe_at(table, 2, Desc(at + 100, 212, 0, 0));
    front.describe(1, 9, Desc(GUEST + table as u64, 48, TABLE, 0));
    front.offer(1, 9);
    assert_eq!(stage.frames(0, 1), [frame]);
    stage.assert_balanced();
    assert_eq!(stage.ledger.lost_in_all(), 0);
    assert_eq!(front.used(1).0, 8);
}

/// A chain from descriptor 100 on, cut at these places.
fn front_chain(front: &mut Front, bytes: &[u8], cuts: &[usize]) -> u16 {
    let ends = cuts.iter().copied().chain([bytes.len()]);
    let mut begin = 0;
    for (number, end) in (100..).zip(ends) {
        let at = front.put(1, &bytes[begin..end]);
        let next = if end == bytes.len() && begin != end { 0 } else { NEXT };
        front.describe(1, number, Desc(at, (end - begin) as u32, next, number + 1));
        begin = end;
    }
    100
}

#[test]
fn lengths_from_nothing_to_the_longest() {
    let mut stage = Stage::set(1);
    let mut front = Front::join(&stage.path, PLAIN, 1);
    for len in [0, 1, 14, 60, 1514, 9014, 65_535 + 32] {
        let bytes = vec![0xaa; 12 + len];
        let at = front.put(1, &bytes);
        front.describe(1, 0, Desc(at, bytes.len() as u32, 0, 0));
        front.offer(1, 0);
        assert_eq!(stage.frames(0, 1)[0].len(), len);
    }
    assert_eq!(stage.ledger.received_bytes, 1 + 14 + 60 + 1514 + 9014 + 65_567);
}

#[test]
fn old_drivers_have_a_shorter_header() {
    let mut stage = Stage::set(1);
    // neither features of the protocol, so that nobody enables rings
    let mut front = Front::join(&stage.path, 0, 1);
    let frame = numbered(1, 64);
    let at = front.put(1, &[&[0; 10][..], &frame].concat());
    front.describe(1, 0, Desc(at, 74, 0, 0));
    front.offer(1, 0);
    assert_eq!(stage.frames(0, 1), [frame]);
}

#[test]
fn a_checksum_that_is_not_filled_in_is_told() {
    let mut stage = Stage::set(1);
    let mut front = Front::join(&stage.path, PLAIN, 1);
    let mut bytes = [&[0; 12][..], &numbered(1, 64)].concat();
    bytes[0] = 1;
    let at = front.put(1, &bytes);
    front.describe(1, 0, Desc(at, 76, 0, 0));
    front.offer(1, 0);
    front.send(1, &numbered(2, 64));
    let mut states = Vec::new();
    while states.len() < 2 {
        states.extend(stage.burst(0).0.into_iter().map(|(_, checksum)| checksum));
    }
    assert_eq!(states, [Checksum::Partial, Checksum::Unknown]);
}

#[test]
fn indices_wrap_and_nothing_is_lost() {
    let mut stage = Stage::set(1);
    let mut front = Front::join(&stage.path, PLAIN, 1);
    let mut got = 0;
    for round in 0..700_u32 {
        for number in 0..100 {
            front.send(1, &numbered(round * 100 + number, 64));
        }
        for frame in stage.frames(0, 100) {
            assert_eq!(frame, numbered(got, 64));
            got += 1;
        }
    }
    assert_eq!(front.used(1).0, (70_000_u32 % 65_536) as u16);
    stage.assert_balanced();
}

#[test]
fn notifications_are_asked_for_only_at_rest() {
    for features in [PLAIN, PLAIN | EVENT_IDX] {
        let by_index = features & EVENT_IDX != 0;
        let mut stage = Stage::set(1);
        let mut front = Front::join(&stage.path, features, 1);
        stage.burst(0);
        front.send(1, &numbered(1, 64));
        front.send(1, &numbered(2, 64));
        let held = stage.queues[0].burst().unwrap().frames.len();
        assert_eq!(held, 2);
        let (_, flags, event) = front.used(1);
        if by_index {
            assert_eq!(event, 0)
        } else {
            assert_eq!(flags, 1)
        }
        // at rest
        while stage.burst(0).1 == RxStatus::More {}
        let (_, flags, event) = front.used(1);
        if by_index {
            assert_eq!(event, 2)
        } else {
            assert_eq!(flags, 0)
        }
        // and a kick ends the wait
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(5));
                front.send(1, &numbered(3, 64));
                front.kick(1);
            });
            stage.frames(0, 1);
        });
    }
}

#[test]
fn drivers_are_woken_when_they_want_to_be() {
    let mut stage = Stage::set(1);
    let mut front = Front::join(&stage.path, PLAIN, 1);
    front.send(1, &numbered(1, 64));
    stage.frames(0, 1);
    assert_eq!(front.calls[1].read().unwrap(), 1);
    front.set_flags(1, 1);
    front.send(1, &numbered(1, 64));
    stage.frames(0, 1);
    assert!(front.calls[1].read().is_err());

    let mut stage = Stage::set(1);
    let mut front = Front::join(&stage.path, PLAIN | EVENT_IDX, 1);
    front.set_used_event(1, 2);
    for (number, woken) in [(1, false), (2, false), (3, true), (4, false)] {
        front.send(1, &numbered(number, 64));
        stage.frames(0, 1);
        assert_eq!(front.calls[1].read().is_ok(), woken, "{number}");
    }
}

#[test]
fn rings_are_dealt_to_queues_in_turn() {
    let mut stage = Stage::set(2);
    let mut front = Front::join(&stage.path, PLAIN, 3);
    for (ring, count) in [(1, 3), (3, 5), (5, 7)] {
        for number in 0..count {
            front.send(ring, &numbered(number, 64));
        }
    }
    stage.frames(0, 10);
    stage.frames(1, 5);
    stage.assert_balanced();
}

#[test]
fn a_ring_that_is_stopped_is_emptied_first() {
    let mut stage = Stage::set(1);
    let mut front = Front::join(&stage.path, PLAIN, 1);
    for round in 0..3_u16 {
        for number in 0..50 {
            front.send(1, &numbered(number, 64));
        }
        let base = std::thread::scope(|scope| {
            let base = scope.spawn(|| front.link.get_vring_base(1).unwrap());
            stage.frames(0, 50);
            base.join().unwrap()
        });
        assert_eq!(base, u32::from(51 * round + 50));
        // what is handed over to a ring that is stopped waits until it is started
        front.send(1, &numbered(9, 64));
        assert_eq!(stage.burst(0).0.len(), 0);
        front.start_at(1, base as u16);
        stage.frames(0, 1);
    }
    stage.assert_balanced();
    assert_eq!(stage.ledger.lost_in_all(), 0);
}

#[test]
fn what_no_worker_takes_in_time_is_counted() {
    let mut stage = Stage::set(1);
    let mut front = Front::join(&stage.path, PLAIN, 1);
    for number in 0..50 {
        front.send(1, &numbered(number, 64));
    }
    assert_eq!(front.link.get_vring_base(1).unwrap(), 0);
    stage.assert_balanced();
    assert_eq!(stage.ledger.lost(Loss::NicReset), 50);
}

#[test]
fn a_ring_that_is_disabled_rests() {
    let mut stage = Stage::set(1);
    let mut front = Front::join(&stage.path, PLAIN, 1);
    front.link.set_vring_enable(1, false).unwrap();
    front.send(1, &numbered(1, 64));
    assert_eq!(stage.burst(0).0.len(), 0);
    front.link.set_vring_enable(1, true).unwrap();
    stage.frames(0, 1);
}

#[test]
fn memory_may_be_told_again_and_grow_and_shrink() {
    let mut stage = Stage::set(1);
    let mut front = Front::join(&stage.path, PLAIN, 1);
    front.send(1, &numbered(1, 64));
    stage.frames(0, 1);
    front.share();
    front.send(1, &numbered(2, 64));
    stage.frames(0, 1);
    // the same memory once more, elsewhere in the guest
    let mut more = front.region();
    (more.guest_phys_addr, more.userspace_addr) = (GUEST + (1 << 30), more.userspace_addr + (1 << 30));
    front.link.add_mem_region(&more).unwrap();
    let at = front.put(1, &[0; 80]) + (1 << 30);
    front.describe(1, 7, Desc(at, 80, 0, 0));
    front.offer(1, 7);
    stage.frames(0, 1);
    front.link.remove_mem_region(&more).unwrap();
    front.send(1, &numbered(2, 64));
    stage.frames(0, 1);
    assert_eq!(stage.warnings, [""; 0]);
    // now that address is nowhere
    front.offer(1, 7);
    stage.until_warned("outside of its memory");
    stage.assert_balanced();
}

#[test]
fn a_front_end_that_is_gone_leaves_its_frames_and_is_waited_for() {
    let mut stage = Stage::set(2);
    for visit in 1..4_u64 {
        let mut front = Front::join(&stage.path, PLAIN, 1);
        for number in 0..200 {
            front.send(1, &numbered(number, 64));
        }
        drop(front);
        stage.frames(0, 200);
        stage.until_warned("went away");
        assert_eq!(stage.ledger.absences, visit);
        assert!(matches!(stage.burst(0), (none, RxStatus::Idle(_)) if none.is_empty()));
        assert!(matches!(stage.burst(1).1, RxStatus::Idle(_)));
        assert_eq!(stage.warnings.iter().any(|said| said.contains("is there again")), visit > 1);
        stage.warnings.clear();
    }
    stage.assert_balanced();
    assert_eq!((stage.ledger.received, stage.ledger.lost_in_all()), (600, 0));
}

#[test]
fn a_stopped_queue_lends_what_is_there_and_ends() {
    let mut stage = Stage::set(2);
    let mut front = Front::join(&stage.path, PLAIN, 1);
    for number in 0..200 {
        front.send(1, &numbered(number, 64));
    }
    stage.queues.iter_mut().for_each(|queue| queue.stop());
    // these come too late
    for number in 0..30 {
        front.send(1, &numbered(number, 64));
    }
    stage.frames(0, 200);
    assert!(matches!(stage.burst(0), (none, RxStatus::End) if none.is_empty()));
    assert!(matches!(stage.burst(1), (none, RxStatus::End) if none.is_empty()));
    stage.assert_balanced();
    assert_eq!(stage.ledger.received, 200);
    stage.queues.clear();
    assert!(front.is_hung_up());
    assert!(!stage.path.exists());
}
