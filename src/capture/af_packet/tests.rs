//! Real rings in a network namespace of the test's own: a pair of virtual interfaces, one sends, one is captured.
//!
//! The namespace belongs to the test's thread and goes with it, interfaces and all. Without root, or where the kernel
//! allows no namespaces, the tests say so and pass.
#![expect(unsafe_code, reason = "a namespace for the thread, and frames sent through a packet socket")]

use std::net::Ipv4Addr;
use std::process::Command;
use std::time::{Duration, Instant};

use frame::{Checksum, Ledger, Loss, RxError, RxQueue, RxStatus, VlanTag};

use super::queue::now;
use super::socket::Socket;
use super::{Clock, Fanout, LiveSettings, OpenError, open};

/// Runs a test in a namespace of its own, with the interfaces `tap` (captured) and `far` (its other end).
fn in_namespace(test: impl FnOnce() + Send + 'static) {
    let ran = std::thread::spawn(move || {
        // SAFETY: takes flags only; it moves this thread, which is the test's own, to a new namespace.
        if unsafe { libc::unshare(libc::CLONE_NEWNET) } != 0 {
            return Err(format!("no network namespace: {}", std::io::Error::last_os_error()));
        }
        stay_here();
        // Nothing but the test's own frames: no neighbour discovery, no router solicitation.
        std::fs::write("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1").map_err(|e| e.to_string())?;
        pair()?;
        test();
        Ok(())
    });
    match ran.join() {
        Ok(Ok(())) => {}
        Ok(Err(why)) => eprintln!("not tested here: {why}"),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// Keeps this thread on one processor: frames that are sent from several may overtake each other on a busy machine.
fn stay_here() {
    // SAFETY: takes nothing and answers a number; the set is made of integers, for which zeros are valid, and is readable
    // for its own size.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(usize::try_from(libc::sched_getcpu()).unwrap_or(0), &mut set);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &set);
    }
}

fn pair() -> Result<(), String> {
    ip("link add tap type veth peer name far")?;
    ip("link set far up")?;
    ip("link set tap up")
}

fn ip(arguments: &str) -> Result<(), String> {
    let out =
        Command::new("ip").args(arguments.split(' ')).output().map_err(|e| format!("no ip command: {e}"))?;
    if out.status.success() {
        return Ok(());
    }
    Err(format!("ip {arguments}: {}", String::from_utf8_lossy(&out.stderr)))
}

/// Tags in a frame, each with protocol and control information.
type Tags = &'static [[u16; 2]];

/// Sends frames out of an interface.
struct Sender(Socket);

impl Sender {
    fn new(interface: &str) -> Self {
        let socket = Socket::new().unwrap();
        socket.bind(socket.index_of(interface).unwrap()).unwrap();
        Self(socket)
    }

    fn send(&self, frame: &[u8]) {
        // SAFETY: `frame` is readable for its length, for the length of the call.
        let sent = unsafe { libc::send(self.0.raw(), frame.as_ptr().cast(), frame.len(), 0) };
        assert_eq!(sent, isize::try_from(frame.len()).unwrap(), "{}", std::io::Error::last_os_error());
    }
}

/// An Ethernet frame with these tags in it, around IPv4 and UDP from one port to another.
fn frame(tags: &[[u16; 2]], ports: [u16; 2], len: usize) -> Vec<u8> {
    let mut out = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    for tag in tags {
        out.extend(tag.iter().flat_map(|half| half.to_be_bytes()));
    }
    out.extend([8, 0, 0x45, 0]);
    let inner = u16::try_from(len - 14).unwrap();
    out.extend(inner.to_be_bytes());
    out.extend([0, 0, 0, 0, 64, 17, 0, 0]);
    out.extend(Ipv4Addr::new(192, 0, 2, 1).octets());
    out.extend(Ipv4Addr::new(192, 0, 2, 2).octets());
    out.extend(ports.iter().flat_map(|port| port.to_be_bytes()));
    out.extend((inner - 20).to_be_bytes());
    out.extend([0, 0]);
    out.resize(len + 4 * tags.len(), 0x5a);
    out
}

fn settings() -> LiveSettings {
    LiveSettings { block_size: 128 << 10, blocks: 32, retire_ms: 5, wait_ms: 50, ..LiveSettings::new("tap") }
}

fn one(settings: &LiveSettings) -> Box<dyn RxQueue> {
    open(settings).unwrap().remove(0)
}

/// What a frame was seen as: bytes, tag, checksum.
type Seen = (Vec<u8>, Option<VlanTag>, Checksum);

/// Everything until nothing comes any more, then a stop, and what is left until the end.
fn empty(queue: &mut dyn RxQueue) -> Vec<Seen> {
    let mut seen = Vec::new();
    loop {
        let batch = queue.burst().unwrap();
        seen.extend(batch.frames.iter().map(|f| (f.data.to_vec(), f.vlan, f.checksum)));
        match batch.status {
            RxStatus::More => {}
            RxStatus::Idle(_) => queue.stop(),
            RxStatus::End => return seen,
        }
    }
}

fn ledger(queue: &mut dyn RxQueue) -> Ledger {
    let mut ledger = Ledger::default();
    queue.account(&mut ledger);
    ledger
}

#[test]
fn what_is_sent_is_what_is_lent() {
    in_namespace(|| {
        let mut queue = one(&LiveSettings { burst: 100, blocks: 64, ..settings() });
        let sender = Sender::new("far");
        let before = now();
        for i in 0..5_000_u16 {
            sender.send(&frame(&[], [i, 53], 60 + usize::from(i % 1_400)));
        }
        let mut number = 0;
        let mut lent = 0;
        let begun = Instant::now();
        while lent < 5_000 {
            assert!(begun.elapsed() < Duration::from_secs(20), "{lent}");
            let batch = queue.burst().unwrap();
            assert!(batch.frames.len() <= 100);
            for got in &batch.frames {
                assert_eq!(got.data, frame(&[], [u16::try_from(number).unwrap(), 53], got.data.len()));
                assert_eq!(got.data.len(), 60 + number % 1_400);
                assert_eq!(usize::try_from(got.wire_len).unwrap(), got.data.len());
                assert!(got.time >= before && got.time <= now());
                number += 1;
                assert_eq!(got.number, number as u64);
            }
            lent += batch.frames.len();
        }
        assert!(empty(&mut *queue).is_empty());
        let ledger = ledger(&mut *queue);
        assert_eq!((ledger.received, ledger.lost_in_all()), (5_000, 0));
        assert_eq!(queue.warnings(), Vec::<String>::new());
    });
}

/// The kernel takes the outermost tag out of a frame and hands it over beside it: of two protocols, and not of others.
#[test]
fn tags_are_recovered() {
    in_namespace(|| {
        let mut queue = one(&settings());
        let sender = Sender::new("far");
        let tag = |tpid, tci| Some(VlanTag { tpid, tci });
        let cases: [(Tags, Option<VlanTag>, Tags); 7] = [
            (&[], None, &[]),
            (&[[0x8100, 7]], tag(0x8100, 7), &[]),
            (&[[0x8100, 0xa000]], tag(0x8100, 0xa000), &[]),
            (&[[0x88a8, 5]], tag(0x88a8, 5), &[]),
            (&[[0x88a8, 100], [0x8100, 8]], tag(0x88a8, 100), &[[0x8100, 8]]),
            (&[[0x8100, 100], [0x8100, 8]], tag(0x8100, 100), &[[0x8100, 8]]),
            (&[[0x9100, 5], [0x8100, 8]], None, &[[0x9100, 5], [0x8100, 8]]),
        ];
        for (tags, ..) in cases {
            sender.send(&frame(tags, [1, 2], 100));
        }
        let seen = empty(&mut *queue);
        assert_eq!(seen.len(), cases.len());
        for ((data, vlan, checksum), (sent, tag, left)) in seen.into_iter().zip(cases) {
            assert_eq!(checksum, Checksum::Unknown);
            assert_eq!(vlan, tag, "sent {sent:x?}");
            assert_eq!(data, frame(left, [1, 2], 100), "sent {sent:x?}");
        }
    });
}

/// A datagram of the machine's own, whose checksum is left to the NIC: what stands in the field is only its seed.
#[test]
fn a_checksum_left_to_the_nic_is_partial() {
    in_namespace(|| {
        ip("address add 192.0.2.1/24 dev far").unwrap();
        ip("neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev far").unwrap();
        let mut queue = one(&settings());
        let socket = std::net::UdpSocket::bind("192.0.2.1:1000").unwrap();
        socket.send_to(b"datagram", "192.0.2.9:53").unwrap();
        let seen = empty(&mut *queue);
        assert_eq!(seen.len(), 1);
        assert!(seen[0].0.ends_with(b"datagram"));
        assert_eq!(seen[0].2, Checksum::Partial);
    });
}

/// More than the ring holds: what is lost is counted, and nothing else is missing.
#[test]
fn drops_are_counted_and_the_ledger_balances() {
    in_namespace(|| {
        let mut queue = one(&LiveSettings { blocks: 2, ..settings() });
        let sender = Sender::new("far");
        for i in 0..10_000_u16 {
            sender.send(&frame(&[], [i, 53], 60));
        }
        let lent = empty(&mut *queue).len() as u64;
        let ledger = ledger(&mut *queue);
        // A slow sender fills blocks only in part: the timer hands them over before.
        assert!(lent > 0 && lent < 5_000, "{lent}");
        assert_eq!(ledger.received, 10_000);
        assert_eq!(ledger.lost(Loss::KernelDrop), 10_000 - lent);
        assert!(ledger.ring_freezes >= 1);
        assert_eq!(queue.warnings(), Vec::<String>::new());
    });
}

/// While frames come in without a pause, lent and dropped add up to received all the time and at the end.
#[test]
fn the_ledger_balances_under_load() {
    in_namespace(|| {
        let mut queue = one(&LiveSettings { blocks: 3, ..settings() });
        let sender = Sender::new("far");
        let sending = std::thread::spawn(move || {
            for i in 0..60_000_u32 {
                sender.send(&frame(&[], [u16::try_from(i % 5_000).unwrap(), 53], 200));
            }
        });
        let mut total = Ledger::default();
        let mut lent = 0;
        while !sending.is_finished() {
            lent += queue.burst().unwrap().frames.len() as u64;
            queue.account(&mut total);
            assert_eq!(total.received, lent + total.lost_in_all());
        }
        sending.join().unwrap();
        lent += empty(&mut *queue).len() as u64;
        queue.account(&mut total);
        assert_eq!(total.received, lent + total.lost_in_all());
        assert_eq!(total.received, 60_000);
        assert_eq!(queue.warnings(), Vec::<String>::new());
    });
}

/// Both directions of a flow go to the same worker, every frame to one worker only, and no worker to none.
#[test]
fn workers_share_by_flow() {
    for fanout in [Fanout::Hash, Fanout::Cpu, Fanout::QueueMapping] {
        in_namespace(move || {
            let mut queues = open(&LiveSettings { workers: 3, fanout, ..settings() }).unwrap();
            let sender = Sender::new("far");
            for i in 0..200_u16 {
                let forth = frame(&[], [1_000 + i, 53], 80);
                let mut back = frame(&[], [53, 1_000 + i], 80);
                back[26..30].copy_from_slice(&[192, 0, 2, 2]);
                back[30..34].copy_from_slice(&[192, 0, 2, 1]);
                sender.send(&forth);
                sender.send(&back);
            }
            let mut flows = std::collections::HashMap::<u16, Vec<usize>>::new();
            for (worker, queue) in queues.iter_mut().enumerate() {
                for (data, ..) in empty(&mut **queue) {
                    let ports = [34, 36].map(|at| u16::from_be_bytes([data[at], data[at + 1]]));
                    flows.entry(ports[0].max(ports[1])).or_default().push(worker);
                }
            }
            assert_eq!(flows.len(), 200);
            assert!(flows.values().all(|workers| workers.len() == 2));
            if fanout == Fanout::Hash {
                assert!(flows.values().all(|workers| workers[0] == workers[1]));
                let used: std::collections::HashSet<_> = flows.values().map(|workers| workers[0]).collect();
                assert_eq!(used.len(), 3);
            }
        });
    }
}

#[test]
fn sent_frames_are_left_out_where_asked() {
    for (workers, ignore_outgoing, want) in [(1, false, 5), (1, true, 0), (2, false, 5), (2, true, 0)] {
        in_namespace(move || {
            let mut queues = open(&LiveSettings { workers, ignore_outgoing, ..settings() }).unwrap();
            let sender = Sender::new("tap");
            (0..5).for_each(|i| sender.send(&frame(&[], [i, 53], 80)));
            let seen: usize = queues.iter_mut().map(|queue| empty(&mut **queue).len()).sum();
            assert_eq!(seen, want, "{workers} workers, outgoing ignored: {ignore_outgoing}");
        });
    }
}

/// The smallest block that is allowed holds the longest frame that such an interface carries.
#[test]
fn the_longest_frames_are_whole() {
    in_namespace(|| {
        ip("link set far mtu 65535").unwrap();
        ip("link set tap mtu 65535").unwrap();
        let mut queue = one(&settings());
        let sender = Sender::new("far");
        sender.send(&frame(&[], [1, 2], 60_000));
        assert_eq!(empty(&mut *queue)[0].0.len(), 60_000);
        assert_eq!(queue.warnings(), Vec::<String>::new());
    });
}

#[test]
fn an_interface_that_goes_down_and_up_goes_on() {
    in_namespace(|| {
        let mut queue = one(&settings());
        let sender = Sender::new("far");
        sender.send(&frame(&[], [1, 53], 80));
        // What still waits in front of the interface goes down with it.
        let begun = Instant::now();
        while queue.burst().unwrap().frames.is_empty() {
            assert!(begun.elapsed() < Duration::from_secs(10));
        }
        ip("link set tap down").unwrap();
        let mut warnings = Vec::new();
        for _ in 0..6 {
            assert!(queue.burst().unwrap().frames.is_empty());
            warnings.extend(queue.warnings());
        }
        assert!(warnings.len() == 1 && warnings[0].contains("tap: went down"), "{warnings:?}");
        ip("link set tap up").unwrap();
        // The other end takes a moment to notice; until then what it is given to send goes nowhere.
        let mut lent = 1;
        while lent == 1 {
            assert!(begun.elapsed() < Duration::from_secs(20));
            sender.send(&frame(&[], [2, 53], 80));
            lent += queue.burst().unwrap().frames.len();
        }
        lent += empty(&mut *queue).len();
        assert_eq!(ledger(&mut *queue).received, lent as u64);
    });
}

/// Deleted and made again: the queue binds to the new one and goes on, with one worker and with several.
#[test]
fn an_interface_that_is_made_again_goes_on() {
    for workers in [1, 2] {
        in_namespace(move || {
            let mut queues = open(&LiveSettings { workers, ..settings() }).unwrap();
            Sender::new("far").send(&frame(&[], [1, 53], 80));
            let begun = Instant::now();
            let mut lent = 0;
            while lent == 0 {
                assert!(begun.elapsed() < Duration::from_secs(10));
                lent += queues.iter_mut().map(|queue| queue.burst().unwrap().frames.len()).sum::<usize>();
            }
            ip("link del tap").unwrap();
            let mut warnings = Vec::new();
            let mut around = |queues: &mut Vec<Box<dyn RxQueue>>, until: &str| {
                let begun = Instant::now();
                let mut told = 0;
                while told < workers {
                    assert!(begun.elapsed() < Duration::from_secs(10), "{until}: {warnings:?}");
                    for queue in &mut *queues {
                        lent += queue.burst().unwrap().frames.len();
                        let fresh = queue.warnings();
                        told += fresh.iter().filter(|text| text.contains(until)).count();
                        warnings.extend(fresh);
                    }
                }
                lent
            };
            assert_eq!(around(&mut queues, "is not there any more"), 1);
            pair().unwrap();
            assert_eq!(around(&mut queues, "is there again"), 1);
            let sender = Sender::new("far");
            (0..20).for_each(|i| sender.send(&frame(&[], [i, 53], 80)));
            let after: usize = queues.iter_mut().map(|queue| empty(&mut **queue).len()).sum();
            assert_eq!(after, 20, "{workers} workers");
            let received: u64 = queues.iter_mut().map(|queue| ledger(&mut **queue).received).sum();
            assert_eq!(received, 21);
        });
    }
}

#[test]
fn an_interface_that_stays_away_is_gone() {
    in_namespace(|| {
        let mut queue = one(&LiveSettings { patience_ms: 300, ..settings() });
        ip("link del tap").unwrap();
        let begun = Instant::now();
        let error = loop {
            match queue.burst() {
                Ok(batch) => assert!(matches!(batch.status, RxStatus::Idle(_))),
                Err(error) => break error,
            }
            assert!(begun.elapsed() < Duration::from_secs(5));
        };
        assert!(begun.elapsed() >= Duration::from_millis(300));
        assert!(matches!(&error, RxError::Gone(text) if text.contains("tap")), "{error}");
        assert!(queue.burst().is_err());
    });
}

/// Waiting has a bound, takes no CPU, and tells the time.
#[test]
fn nothing_comes() {
    in_namespace(|| {
        let mut queue = one(&LiveSettings { wait_ms: 100, ..settings() });
        let begun = Instant::now();
        let batch = queue.burst().unwrap();
        assert!(matches!(batch.status, RxStatus::Idle(time) if time <= now()));
        assert!((100..1_000).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
    });
}

#[test]
fn what_cannot_be_captured_is_refused_with_the_reason() {
    in_namespace(|| {
        let refused = |settings: LiveSettings| open(&settings).err().unwrap();
        let absent = refused(LiveSettings { interface: "absent".to_owned(), ..settings() });
        let text = absent.to_string();
        assert!(matches!(absent, OpenError::NoInterface(..)), "{text}");
        assert!(["absent", "tap", "far", "lo"].iter().all(|name| text.contains(name)), "{text}");
        ip("link set tap down").unwrap();
        assert!(matches!(refused(LiveSettings { workers: 2, ..settings() }), OpenError::Down(_)));
    });
    let memory = open(&LiveSettings { block_size: 1 << 30, blocks: 1 << 20, ..settings() }).err().unwrap();
    assert!(matches!(memory, OpenError::Memory(bytes) if bytes == 1 << 50), "{memory}");
    let cases = [
        LiveSettings { workers: 0, ..settings() },
        LiveSettings { workers: 257, ..settings() },
        LiveSettings { workers: 2, fanout: Fanout::None, ..settings() },
        LiveSettings { block_size: 64 << 10, ..settings() },
        LiveSettings { block_size: (128 << 10) + 4_096, ..settings() },
        LiveSettings { blocks: 1, ..settings() },
        LiveSettings { interface: String::new(), ..settings() },
        LiveSettings { interface: "a-name-that-is-too-long".to_owned(), ..settings() },
    ];
    for case in cases {
        let shown = format!("{case:?}");
        assert!(matches!(open(&case), Err(OpenError::Settings(_))), "{shown}");
    }
}

/// Two sensors at once on one interface: their groups are two, and each has every frame once.
#[test]
fn groups_of_two_sensors_do_not_share() {
    in_namespace(|| {
        let settings = LiveSettings { workers: 2, fanout: Fanout::Hash, ..settings() };
        let mut sensors = [open(&settings).unwrap(), open(&settings).unwrap()];
        let sender = Sender::new("far");
        (0..100).for_each(|i| sender.send(&frame(&[], [i, 53], 80)));
        for queues in &mut sensors {
            let seen: usize = queues.iter_mut().map(|queue| empty(&mut **queue).len()).sum();
            assert_eq!(seen, 100);
        }
    });
}

/// The NIC's time is asked for where a virtual interface has none: the arrival's stands in, and that is said once.
#[test]
fn a_nic_without_a_clock_is_told() {
    in_namespace(|| {
        let mut queue = one(&LiveSettings { clock: Clock::Nic, ..settings() });
        let before = now();
        Sender::new("far").send(&frame(&[], [1, 53], 80));
        let begun = Instant::now();
        let time = loop {
            assert!(begun.elapsed() < Duration::from_secs(10));
            if let Some(frame) = queue.burst().unwrap().frames.first() {
                break frame.time;
            }
        };
        assert!(time >= before && time <= now());
        assert!(matches!(&queue.warnings()[..], [text] if text.contains("without the NIC's time")));
        assert_eq!(queue.warnings(), Vec::<String>::new());
    });
}
