//! Front ends that break every rule: each is sent away, what it did is counted, and the next one is served.

use super::front::*;
use super::*;
use frame::Loss;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use vhost::VhostBackend as _;
use vmm_sys_util::sock_ctrl_msg::ScmSocket as _;

/// A front end that behaves is served, and every frame of it arrives.
fn assert_serves(stage: &mut Stage) {
    let mut front = Front::join(&stage.path, PLAIN, 1);
    for number in 0..10 {
        front.send(1, &numbered(number, 64));
    }
    stage.frames(0, 10);
    drop(front);
    stage.until_warned("went away");
    stage.warnings.clear();
    stage.assert_balanced();
}

/// Three good frames, then what `harm` does: the frames arrive, and the front end is sent away because of `why`.
fn attack(why: &str, broken: u64, harm: impl FnOnce(&mut Front)) {
    let mut stage = Stage::set(1);
    let mut front = Front::join(&stage.path, PLAIN, 1);
    for number in 0..3 {
        front.send(1, &numbered(number, 64));
    }
    stage.frames(0, 3);
    harm(&mut front);
    stage.until_warned("sent away");
    assert!(stage.warnings.iter().any(|warning| warning.contains(why)), "{why}: {:?}", stage.warnings);
    assert!(front.is_hung_up(), "{why}");
    stage.assert_balanced();
    assert_eq!(stage.ledger.lost(Loss::NicBroken), broken, "{why}");
    assert_eq!(stage.ledger.absences, 1);
    drop(front);
    stage.warnings.clear();
    assert_serves(&mut stage);
}

/// One chain of one descriptor.
fn single(front: &mut Front, desc: Desc) {
    front.describe(1, 0, desc);
    front.offer(1, 0);
}

#[test]
fn addresses_outside_of_the_memory() {
    let end = GUEST + SIZE as u64;
    for (at, len) in
        [(0, 64), (GUEST - 1, 64), (end, 64), (end - 63, 64), (u64::MAX - 10, 64), (GUEST, u32::MAX)]
    {
        attack("outside of its memory", 1, |front| single(front, Desc(at, len, 0, 0)));
    }
}

#[test]
fn chains_that_bite_their_tail() {
    attack("descriptors", 1, |front| single(front, Desc(GUEST, 0, NEXT, 0)));
    attack("descriptors", 1, |front| {
        front.describe(1, 1, Desc(GUEST, 1, NEXT, 0));
        single(front, Desc(GUEST, 1, NEXT, 1));
    });
    attack("a frame of more than", 1, |front| single(front, Desc(GUEST, 60_000, NEXT, 0)));
}

#[test]
fn chains_that_are_none() {
    attack("outside of its table", 1, |front| front.offer(1, DESCRIPTORS));
    attack("outside of its table", 1, |front| single(front, Desc(GUEST, 12, NEXT, u16::MAX)));
    attack("to be written to", 1, |front| single(front, Desc(GUEST, 64, WRITE, 0)));
    attack("less than a header", 1, |front| single(front, Desc(GUEST, 11, 0, 0)));
    attack("a frame of more than", 1, |front| single(front, Desc(GUEST, 65_535 + 32 + 13, 0, 0)));
}

#[test]
fn tables_that_are_none() {
    let table = GUEST + BUFFERS as u64;
    attack("an indirect table", 1, |front| single(front, Desc(table, 8, TABLE, 0)));
    attack("an indirect table", 1, |front| single(front, Desc(table, 0, TABLE, 0)));
    attack("an indirect table", 1, |front| single(front, Desc(table, 32, TABLE | NEXT, 1)));
    attack("outside of its memory", 1, |front| single(front, Desc(16, 32, TABLE, 0)));
    attack("outside of its memory", 1, |front| single(front, Desc(table, !15, TABLE, 0)));
    attack("an indirect table", 1, |front| {
        front.describe_at(BUFFERS, 0, Desc(table, 32, TABLE, 0));
        single(front, Desc(table, 32, TABLE, 0));
    });
    attack("descriptors", 1, |front| {
        front.describe_at(BUFFERS, 0, Desc(table, 0, NEXT, 0));
        single(front, Desc(table, 16, TABLE, 0));
    });
}

#[test]
fn an_index_that_jumps() {
    attack("available index that is 257 ahead", 0, |front| front.set_available(1, 3 + DESCRIPTORS + 1));
    attack("available index", 0, |front| front.set_available(1, 2));
}

#[test]
fn what_lies_behind_a_broken_chain_is_lost_and_counted() {
    let mut stage = Stage::set(1);
    let mut front = Front::join(&stage.path, PLAIN, 1);
    for number in 0..10 {
        front.send(1, &numbered(number, 64));
    }
    front.describe(1, 4, Desc(0, 64, 0, 0));
    stage.frames(0, 4);
    stage.until_warned("sent away");
    stage.assert_balanced();
    let lost = (stage.ledger.lost(Loss::NicBroken), stage.ledger.lost(Loss::NicReset));
    assert_eq!((stage.ledger.received, lost), (10, (1, 5)));
}

#[test]
fn memory_that_is_taken_away_while_it_is_read() {
    attack("shorter than it said", 0, |front| {
        front.file.set_len(0).unwrap();
        front.kicks[1].write(1).unwrap();
    });
    // the ring stays, and the buffers go
    let mut stage = Stage::set(1);
    let mut front = Front::join(&stage.path, PLAIN, 1);
    front.send(1, &numbered(1, 64));
    front.describe(1, 1, Desc(GUEST + (SIZE - 4096) as u64, 64, 0, 0));
    front.offer(1, 1);
    front.file.set_len((SIZE - 4096) as u64).unwrap();
    stage.until_warned("shorter than it said");
    stage.assert_balanced();
    assert_eq!(stage.ledger.lost(Loss::NicBroken), 2);
    stage.warnings.clear();
    drop(front);
    assert_serves(&mut stage);
}

#[test]
fn rings_that_lie_nowhere() {
    type Harm = fn(&mut Front) -> vhost::Result<()>;
    let harms: [Harm; 6] = [
        |front| front.link.set_vring_num(1, 100),
        |front| {
            let addresses = vhost::VringConfigData { desc_table_addr: 0x10, ..Front::addresses(1) };
            front.link.set_vring_addr(1, &addresses)
        },
        |front| {
            let mut addresses = Front::addresses(1);
            addresses.used_ring_addr += (SIZE - 0x8000 - 16) as u64;
            front.link.set_vring_addr(1, &addresses)
        },
        |front| {
            let addresses = vhost::VringConfigData { avail_ring_addr: u64::MAX - 1, ..Front::addresses(1) };
            front.link.set_vring_addr(1, &addresses)
        },
        |front| front.link.set_features(1 << 34 | PLAIN),
        |front| front.link.set_vring_base(255 + 1, 0).and(Err(vhost::Error::InvalidQueue)),
    ];
    for harm in harms {
        let mut stage = Stage::set(1);
        let mut front = Front::join(&stage.path, PLAIN, 1);
        assert!(harm(&mut front).is_err());
        drop(front);
        assert_serves(&mut stage);
    }
}

#[test]
fn memory_from_places_that_could_keep_us_waiting() {
    let mut stage = Stage::set(1);
    let front = Front::meet(Front::connect(&stage.path), PLAIN, 1);
    let zero = File::open("/dev/zero").unwrap();
    let region = vhost::VhostUserMemoryRegionInfo { mmap_handle: zero.as_raw_fd(), ..front.region() };
    assert!(front.link.set_mem_table(&[region]).is_err());
    stage.until_warned("sent away");
    let front = Front::meet(Front::connect(&stage.path), PLAIN, 1);
    front.file.set_len(SIZE as u64 - 1).unwrap();
    assert!(front.link.set_mem_table(&[front.region()]).is_err());
    stage.until_warned("of a file of");
    drop(front);
    let mut front = Front::join(&stage.path, PLAIN, 1);
    front.send(1, &numbered(1, 64));
    stage.frames(0, 1);
}

#[test]
fn files_that_are_no_eventfds() {
    let mut stage = Stage::set(1);
    let front = Front::meet(Front::connect(&stage.path), PLAIN, 1);
    let (pipe, _other): (OwnedFd, OwnedFd) = nix::unistd::pipe().unwrap();
    // SET_VRING_CALL of ring 1, with a pipe
    let message = [&[13, 0, 0, 0, 1, 0, 0, 0, 8, 0, 0, 0][..], &[1, 0, 0, 0, 0, 0, 0, 0]].concat();
    front.socket.send_with_fd(&message[..], pipe.as_raw_fd()).unwrap();
    stage.until_warned("is no eventfd");
    assert!(front.is_hung_up());
    drop(front);
    stage.warnings.clear();
    assert_serves(&mut stage);
}

#[test]
fn wild_messages() {
    let mut stage = Stage::set(1);
    let mut random = Random(7);
    for round in 0..300 {
        let mut stream = Front::connect(&stage.path);
        stream.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        for _ in 0..8 {
            let len = random.below(64);
            let code = [random.below(46), 0, 0, 0];
            let flags = [1 | random.below(2) << 3, 0, 0, 0];
            let mut message = [code, flags, [len, 0, 0, 0]].concat();
            message.extend((0..len).map(|_| if random.below(3) == 0 { random.below(255) } else { 0 }));
            // all of it, or cut short
            let end =
                if round % 3 == 0 { usize::from(random.below(40)).min(message.len()) } else { message.len() };
            if stream.write_all(&message[..end]).is_err() {
                break;
            }
        }
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let _ = stream.read(&mut [0; 4096]);
        stage.burst(0);
        stage.warnings.clear();
    }
    assert_serves(&mut stage);
}

#[test]
fn memory_that_changes_while_it_is_read() {
    let mut stage = Stage::set(1);
    let mut random = Random(3);
    for _ in 0..20 {
        let mut front = Front::join(&stage.path, PLAIN | EVENT_IDX, 2);
        let until = Instant::now() + Duration::from_millis(50);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while Instant::now() < until {
                    for number in 0..32 {
                        let address = GUEST + u64::from(random.below(255)) * 8192;
                        let len = u32::from(random.below(255)) * u32::from(random.below(255));
                        let flags = u16::from(random.below(8)) & u16::from(random.below(8));
                        let desc = Desc(address, len, flags, u16::from(random.below(255)));
                        front.describe(1, number, desc);
                        front.describe_at(usize::from(random.below(30)) * 8192, number, desc);
                    }
                    front.offer(1, u16::from(random.below(255)));
                    front.offer(3, u16::from(random.below(255)));
                    front.kick(1);
                }
            });
            while Instant::now() < until {
                stage.burst(0);
            }
        });
        stage.assert_balanced();
        stage.warnings.clear();
    }
    while !matches!(stage.burst(0).1, RxStatus::Idle(_)) {}
    std::thread::sleep(Duration::from_millis(100));
    stage.burst(0);
    stage.warnings.clear();
    assert_serves(&mut stage);
}

#[test]
fn somebody_who_says_nothing_holds_nobody_up_who_closes() {
    for said in [&[][..], &[1, 0, 0]] {
        let stage = Stage::set(1);
        let mut stream = Front::connect(&stage.path);
        stream.write_all(said).unwrap();
        std::thread::sleep(Duration::from_millis(120));
        let begun = Instant::now();
        drop(stage);
        assert!(begun.elapsed() < Duration::from_secs(1));
    }
}

/// Numbers without a pattern, the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u8) -> u8 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % u64::from(bound)) as u8
    }
}
