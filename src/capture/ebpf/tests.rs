//! Real frames through a real fanout group. Needs root; without, the test says so.

use super::Tunnels;
use super::trial::{WRAPPINGS, tcp};
use crate::af_packet::{LiveSettings, Outlet, open};
use crate::generator::Cable;
use frame::RxStatus;
use nix::sys::socket::{MsgFlags, send};
use std::collections::HashMap;
use std::os::fd::{AsFd as _, AsRawFd as _};

const CONVERSATIONS: u8 = 64;
const WORKERS: usize = 4;

/// A frame of each direction.
fn conversation(number: u8, wrap: fn(&[u8], &Tunnels) -> Option<Vec<u8>>) -> [Vec<u8>; 2] {
    let ends = [[10, 1, 0, number], [192, 0, 2, 200 - number]];
    let wrapped = |from, to| wrap(&tcp(from, to), &Tunnels::default()).expect("a port");
    [wrapped(ends[0], ends[1]), wrapped(ends[1], ends[0])]
}

fn ipv6(number: u8) -> [Vec<u8>; 2] {
    let address = |last| [&[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], &[last]].concat();
    let frame = |from: &[u8], to: &[u8]| {
        let head = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 20, 6, 64];
        [&head[..], from, to, &[0; 20]].concat()
    };
    let (a, b) = (address(number), address(250 - number));
    [frame(&a, &b), frame(&b, &a)]
}

/// Sends these frames, and tells which worker each conversation's frames came to; and how many came to each.
fn dealt(cable: &Cable, pairs: &[[Vec<u8>; 2]]) -> (Vec<Vec<usize>>, [usize; WORKERS]) {
    let settings = LiveSettings { workers: WORKERS, wait_ms: 20, ..LiveSettings::new(cable.far()) };
    let mut queues = open(&settings).expect("a fanout group");
    let outlet = Outlet::open(cable.near()).expect("an end");
    let mut owner = HashMap::new();
    for (number, pair) in pairs.iter().enumerate() {
        for frame in pair {
            // The outer tag arrives beside the frame.
            let seen = if frame[12..14] == [0x88, 0xa8] {
                [&frame[..12], &frame[16..]].concat()
            } else {
                frame.clone()
            };
            owner.insert(seen, number);
            send(outlet.as_fd().as_raw_fd(), frame, MsgFlags::empty()).expect("sent");
        }
    }
    let mut workers = vec![Vec::new(); pairs.len()];
    let mut load = [0; WORKERS];
    for (worker, queue) in queues.iter_mut().enumerate() {
        loop {
            let batch = queue.burst().expect("frames");
            for frame in &batch.frames {
                let number = *owner.get(frame.data).expect("a frame that was sent");
                workers[number].push(worker);
                load[worker] += 1;
            }
            if matches!(batch.status, RxStatus::Idle(_)) {
                break;
            }
        }
    }
    (workers, load)
}

#[test]
fn no_conversation_is_split_whatever_it_travels_in() {
    let cable = match Cable::lay() {
        Ok(cable) => cable,
        Err(why) => return eprintln!("skipped: {why}"),
    };
    let mut kinds: Vec<(&str, Vec<[Vec<u8>; 2]>)> = WRAPPINGS
        .iter()
        .map(|(name, wrap)| (*name, (0..CONVERSATIONS).map(|n| conversation(n, *wrap)).collect()))
        .collect();
    kinds.push(("IPv6", (0..CONVERSATIONS).map(ipv6).collect()));
    for (name, pairs) in kinds {
        let (workers, load) = dealt(&cable, &pairs);
        assert!(workers.iter().all(|w| w.len() == 2), "{name}: every frame arrives once");
        let split = workers.iter().filter(|w| w[0] != w[1]).count();
        assert_eq!(split, 0, "{name}: {split} of {CONVERSATIONS} split");
        let fair = 2 * usize::from(CONVERSATIONS) / WORKERS;
        assert!(
            load.iter().all(|n| (fair / 2..=fair * 2).contains(n)),
            "{name}: {load:?} is not within 2x of even"
        );
    }
}
