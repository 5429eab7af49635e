//! Real frames through real programs in the kernel. Needs root; without, the tests say so.
#![expect(unsafe_code, reason = "what an interface is told by ethtool")]

use super::PERIOD;
use crate::af_packet::{DropSettings, Fanout, LiveSettings, Outlet, open};
use crate::ebpf::Xdp;
use crate::generator::Cable;
use frame::bypass::{Answer, Bypass, Ends, Half, Home, Kind, Level, News, WhyNot};
use frame::{Ledger, RxQueue, RxStatus, Timestamp};
use nix::sys::socket::{MsgFlags, send};
use std::net::UdpSocket;
use std::os::fd::{AsFd as _, AsRawFd as _};

const ETHERNET: [u8; 12] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
const ACK: u8 = 0x10;
const SYN: u8 = 0x02;
const FIN: u8 = 0x01;

fn four([a, b, c, d]: [u8; 4]) -> [u8; 16] {
    [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
}

/// An Ethernet frame around IPv4.
fn ipv4(from: [u8; 4], to: [u8; 4], protocol: u8, body: &[u8]) -> Vec<u8> {
    let total = u16::try_from(body.len() + 20).unwrap().to_be_bytes();
    let head = [0x45, 0, total[0], total[1], 0, 0, 0x40, 0, 64, protocol, 0, 0];
    [&ETHERNET[..], &[8, 0], &head, &from, &to, body].concat()
}

fn ipv6(from: [u8; 16], to: [u8; 16], body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    let head = [0x60, 0, 0, 0, length[0], length[1], 6, 64];
    [&ETHERNET[..], &[0x86, 0xdd], &head, &from, &to, body].concat()
}

fn segment(ports: [u16; 2], flags: u8) -> Vec<u8> {
    let [[a, b], [c, d]] = ports.map(u16::to_be_bytes);
    [&[a, b, c, d, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, flags, 1, 0, 0, 0, 0, 0][..], &[7; 90]].concat()
}

fn vxlan(vni: u8, inner: &[u8]) -> Vec<u8> {
    let length = u16::try_from(inner.len() + 16).unwrap().to_be_bytes();
    let head = [0xc0, 1, 0x12, 0xb5, length[0], length[1], 0, 0, 8, 0, 0, 0, 0, 0, vni, 0];
    ipv4([198, 51, 100, 1], [198, 51, 100, 2], 17, &[&head[..], inner].concat())
}

fn tagged(id: u8, frame: &[u8]) -> Vec<u8> {
    [&frame[..12], &[0x81, 0, 0, id], &frame[12..]].concat()
}

const A: [u8; 4] = [10, 0, 0, 1];
const B: [u8; 4] = [192, 0, 2, 77];
const PORTS: [u16; 2] = [40_001, 443];

fn plain() -> Half {
    let ends = Ends { src: four(A), dst: four(B), ports: PORTS, vlans: [0; 3] };
    Half { ends, protocol: 6, version: 4, ..Half::default() }
}

fn in_vxlan(vni: u32) -> Half {
    let mut half = plain();
    let ends = Ends {
        src: four([198, 51, 100, 1]),
        dst: four([198, 51, 100, 2]),
        ports: [0xc001, 4789],
        vlans: [0; 3],
    };
    half.around.levels[0] = Level { ends, id: vni, kind: Kind::Vxlan };
    half
}

/// A queue at one end of a cable, and who sends into the other.
struct Bench {
    cable: Cable,
    outlet: Outlet,
    queue: Box<dyn RxQueue>,
    bypass: Box<dyn Bypass>,
    ledger: Ledger,
}

impl Bench {
    /// None where the kernel does not play along.
    fn new(change: impl FnOnce(&mut LiveSettings)) -> Option<Self> {
        Self::with(false, change)
    }

    /// With an interface that leaves VLAN tags in frames, or as it is.
    fn with(tags: bool, change: impl FnOnce(&mut LiveSettings)) -> Option<Self> {
        let cable = Cable::lay().inspect_err(|why| eprintln!("skipped: {why}")).ok()?;
        if tags {
            leave_tags(cable.far());
        }
        let mut settings = LiveSettings { wait_ms: 20, blocks: 8, ..LiveSettings::new(cable.far()) };
        settings.drops = Some(DropSettings { xdp: Xdp::Off, ipv4: 64, ipv6: 64, levels: 2 });
        change(&mut settings);
        let mut queue = open(&settings).expect("a queue").remove(0);
        let outlet = Outlet::open(cable.near()).expect("an end");
        let bypass = handed_over(queue.as_mut())?;
        Some(Self { cable, outlet, queue, bypass, ledger: Ledger::default() })
    }

    fn send(&self, frame: &[u8], times: usize) {
        for _ in 0..times {
            send(self.outlet.as_fd().as_raw_fd(), frame, MsgFlags::empty()).expect("sent");
        }
    }

    /// How many frames lie in the ring.
    fn arrived(&mut self) -> usize {
        let mut count = 0;
        loop {
            let batch = self.queue.burst().expect("frames");
            let over = batch.status != RxStatus::More;
            count += batch.frames.len();
            self.ledger.analysed += batch.frames.len() as u64;
            if over {
                self.queue.account(&mut self.ledger);
                self.bypass.account(&mut self.ledger);
                return count;
            }
        }
    }

    /// Packets and bytes that came home, of each half of a flow, by a walk over everything.
    fn home(&mut self, flow: u32) -> [(u64, u64); 2] {
        let mut home = Vec::new();
        let mut now = Timestamp::new(1 << 33, 0);
        for _ in 0..4 {
            self.bypass.turn(now, &mut home);
            now = now.plus(PERIOD);
        }
        sum(flow, &home)
    }

    fn balances(&self) {
        assert_eq!(self.ledger.imbalance(), 0, "{:?}", self.ledger);
    }
}

/// As `ethtool -K INTERFACE rxvlan off` does.
fn leave_tags(interface: &str) {
    const SIOCETHTOOL: libc::c_ulong = 0x8946;
    const GET: u32 = 0x25;
    const SET: u32 = 0x26;
    let socket = UdpSocket::bind("0.0.0.0:0").expect("any socket will do");
    let ask = |value: &mut [u32; 2]| {
        // SAFETY: an interface request is made of integers and bytes, for which zeros are valid.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        for (to, from) in request.ifr_name.iter_mut().zip(interface.bytes()) {
            *to = from.cast_signed() as libc::c_char;
        }
        request.ifr_ifru.ifru_data = value.as_mut_ptr().cast();
        // SAFETY: the request's name ends with a zero byte; its data is a command and a word, both of which outlive the call.
        let done = unsafe { libc::ioctl(socket.as_raw_fd(), SIOCETHTOOL as _, &mut request) };
        assert_eq!(done, 0, "{}", std::io::Error::last_os_error());
    };
    let mut value = [GET, 0];
    ask(&mut value);
    ask(&mut [SET, value[1] & !(1 << 8)]);
}

/// None without the capabilities; every other reason is a failure.
fn handed_over(queue: &mut dyn RxQueue) -> Option<Box<dyn Bypass>> {
    let bypass = queue.bypass();
    if bypass.is_none() {
        let why = queue.warnings().concat();
        assert!(why.contains("Operation not permitted"), "{why}");
        eprintln!("skipped: {why}");
    }
    bypass
}

fn sum(flow: u32, home: &[Home]) -> [(u64, u64); 2] {
    let mut sums = [(0, 0); 2];
    for Home { news, .. } in home.iter().filter(|home| home.flow == flow) {
        let News::Dropped { half, packets, bytes, .. } = *news else { panic!("{news:?}") };
        let sum = &mut sums[usize::from(half)];
        *sum = (sum.0 + packets, sum.1 + bytes);
    }
    sums
}

/// 100 frames of a half are sent before and after the flow is bypassed, and 3 of another flow.
fn vanish(half: Half, frame: &[u8], back: &[u8], other: &[u8]) {
    let Some(mut bench) = Bench::new(|_| {}) else { return };
    bench.send(frame, 100);
    assert_eq!(bench.arrived(), 100, "nobody asked yet");
    assert_eq!(bench.bypass.ask(7, &[half, half.reversed()]), Answer::Captured);
    bench.send(frame, 100);
    bench.send(back, 40);
    bench.send(other, 3);
    assert_eq!(bench.arrived(), 3, "all but those of another flow vanish");
    let bytes = |packets: u64, frame: &[u8]| packets * frame.len() as u64;
    let expected = [(100, bytes(100, frame)), (40, bytes(40, back))];
    // A tag that the kernel takes out of the frame is not among its bytes.
    let tag = if half.ends.vlans[0] > 0 { 4 } else { 0 };
    let expected = expected.map(|(packets, bytes)| (packets, bytes - packets * tag));
    assert_eq!(bench.home(7), expected, "and come home in the counters");
    assert_eq!(bench.home(7), [(0, 0); 2], "once");
    assert_eq!((bench.ledger.received, bench.ledger.bypassed), (243, 140));
    bench.balances();
    let mut home = Vec::new();
    bench.send(frame, 2);
    bench.bypass.end(7, &mut home);
    assert_eq!(sum(7, &home), [(2, bytes(2, frame) - 2 * tag), (0, 0)], "with what is new at the end");
    bench.send(frame, 5);
    assert_eq!(bench.arrived(), 5, "it is seen again");
    assert_eq!(bench.bypass.halves(), 0);
    bench.balances();
}

#[test]
fn frames_of_an_ipv4_flow_vanish_and_come_home() {
    let other = ipv4(A, B, 6, &segment([40_002, 443], ACK));
    let there = ipv4(A, B, 6, &segment(PORTS, ACK));
    vanish(plain(), &there, &ipv4(B, A, 6, &segment([443, 40_001], ACK)), &other);
}

#[test]
fn frames_of_an_ipv6_flow_vanish_and_come_home() {
    let (a, b) = ([0x20; 16], [0x30; 16]);
    let ends = Ends { src: a, dst: b, ports: PORTS, vlans: [0; 3] };
    let half = Half { ends, protocol: 6, version: 6, ..Half::default() };
    let there = ipv6(a, b, &segment(PORTS, ACK));
    let back = ipv6(b, a, &segment([443, 40_001], ACK));
    vanish(half, &there, &back, &ipv6(a, [0x31; 16], &segment(PORTS, ACK)));
}

#[test]
fn vlans_are_told_apart() {
    let frame = ipv4(A, B, 6, &segment(PORTS, ACK));
    let back = ipv4(B, A, 6, &segment([443, 40_001], ACK));
    let mut half = plain();
    half.ends.vlans = [7, 0, 0];
    vanish(half, &tagged(7, &frame), &tagged(7, &back), &tagged(8, &frame));
}

#[test]
fn tenants_of_one_address_plan_are_told_apart() {
    let frame = ipv4(A, B, 6, &segment(PORTS, ACK));
    let back = ipv4(B, A, 6, &segment([443, 40_001], ACK));
    vanish(in_vxlan(7), &vxlan(7, &frame), &vxlan(7, &back), &vxlan(8, &frame));
}

#[test]
fn beginnings_and_ends_of_connections_are_always_seen() {
    let Some(mut bench) = Bench::new(|_| {}) else { return };
    assert_eq!(bench.bypass.ask(0, &[plain(), plain().reversed()]), Answer::Captured);
    for flags in [SYN, FIN | ACK, 0x04] {
        bench.send(&ipv4(A, B, 6, &segment(PORTS, flags)), 1);
        assert_eq!(bench.arrived(), 1, "{flags:#x}");
    }
    let mut fragment = ipv4(A, B, 6, &segment(PORTS, ACK));
    fragment[20] = 0x20;
    bench.send(&fragment, 1);
    assert_eq!(bench.arrived(), 1, "a fragment");
    bench.balances();
}

#[test]
fn a_full_map_takes_both_halves_or_none() {
    let Some(mut bench) = Bench::new(|settings| {
        settings.drops = Some(DropSettings { xdp: Xdp::Off, ipv4: 5, ipv6: 5, levels: 2 });
    }) else {
        return;
    };
    let flow = |n: u16| {
        let mut half = plain();
        half.ends.ports[0] = n;
        [half, half.reversed()]
    };
    assert_eq!(bench.bypass.ask(1, &flow(1)), Answer::Captured);
    assert_eq!(bench.bypass.ask(2, &flow(2)), Answer::Captured);
    assert_eq!(bench.bypass.ask(3, &flow(3)), Answer::Not(WhyNot::Full), "one half has room, two have not");
    assert_eq!(bench.bypass.halves(), 4);
    bench.send(&ipv4(A, B, 6, &segment([3, 443], ACK)), 10);
    bench.send(&ipv4(A, B, 6, &segment([1, 443], ACK)), 10);
    assert_eq!(bench.arrived(), 10, "those of the flow that had no room");
    bench.bypass.end(1, &mut Vec::new());
    assert_eq!(bench.bypass.ask(3, &flow(3)), Answer::Captured, "there is room again");
    bench.balances();
}

#[test]
fn the_ledger_balances_when_nobody_reads_and_when_the_interface_goes() {
    let Some(mut bench) = Bench::new(|settings| (settings.blocks, settings.block_size) = (2, 128 << 10))
    else {
        return;
    };
    assert_eq!(bench.bypass.ask(0, &[plain(), plain().reversed()]), Answer::Captured);
    // Nobody reads: the ring runs over, the bypassed flow is counted on.
    bench.send(&ipv4(A, B, 6, &segment([1, 443], ACK)), 3000);
    bench.send(&ipv4(A, B, 6, &segment(PORTS, ACK)), 500);
    let arrived = bench.arrived();
    assert!(arrived < 3000, "{arrived}");
    assert_eq!((bench.ledger.received, bench.ledger.bypassed), (3500, 500));
    bench.balances();
    // The interface goes and comes back: what is bypassed stays so.
    drop(std::mem::replace(&mut bench.outlet, Outlet::open("lo").expect("another")));
    bench.cable.pull().expect("pulled");
    while bench.queue.burst().expect("patience").status == RxStatus::More {}
    bench.cable.lay_again().expect("laid");
    bench.outlet = Outlet::open(bench.cable.near()).expect("an end");
    while !bench.queue.warnings().iter().any(|text| text.contains("is there again")) {
        bench.queue.burst().expect("patience");
    }
    bench.send(&ipv4(A, B, 6, &segment(PORTS, ACK)), 50);
    bench.send(&ipv4(A, B, 6, &segment([1, 443], ACK)), 5);
    assert_eq!(bench.arrived(), 5);
    assert_eq!(bench.ledger.bypassed, 550);
    bench.queue.stop();
    assert_eq!(bench.arrived(), 0);
    bench.balances();
}

#[test]
fn at_the_interface_frames_vanish_too_and_only_then() {
    for xdp in [Xdp::Generic, Xdp::Native] {
        let drops = Some(DropSettings { xdp, ipv4: 64, ipv6: 64, levels: 2 });
        let Some(mut bench) = Bench::new(|settings| settings.drops.clone_from(&drops)) else { return };
        let said = bench.queue.warnings().concat();
        // A veth pair takes tags out of frames, so the first try is made at the socket; and this is said.
        assert!(said.contains("rxvlan off"), "{said}");
        drop(bench);
        let Some(mut bench) = Bench::with(true, |settings| settings.drops.clone_from(&drops)) else { return };
        let said = bench.queue.warnings().concat();
        assert!(said.is_empty(), "{said}");
        let (tags, vxlans) = (
            {
                let mut half = plain();
                half.ends.vlans = [7, 0, 0];
                half
            },
            in_vxlan(7),
        );
        assert_eq!(bench.bypass.ask(1, &[plain(), plain().reversed()]), Answer::Captured);
        assert_eq!(bench.bypass.ask(2, &[tags, tags.reversed()]), Answer::Captured);
        assert_eq!(bench.bypass.ask(3, &[vxlans, vxlans.reversed()]), Answer::Captured);
        let frame = ipv4(A, B, 6, &segment(PORTS, ACK));
        bench.send(&frame, 100);
        bench.send(&tagged(7, &frame), 50);
        bench.send(&vxlan(7, &frame), 20);
        bench.send(&tagged(8, &frame), 2);
        bench.send(&vxlan(8, &frame), 3);
        assert_eq!(bench.arrived(), 5, "{xdp:?}");
        let mut home = Vec::new();
        (1..=3).for_each(|flow| bench.bypass.end(flow, &mut home));
        let packets = [1, 2, 3].map(|flow| sum(flow, &home)[0].0);
        assert_eq!(packets, [100, 50, 20], "{xdp:?}");
        bench.send(&frame, 4);
        assert_eq!(bench.arrived(), 4);
        bench.queue.stop();
        bench.arrived();
        assert_eq!((bench.ledger.received, bench.ledger.bypassed), (179, 170));
        bench.balances();
    }
}

#[test]
fn every_worker_drops_for_its_own_flows() {
    let cable = match Cable::lay() {
        Ok(cable) => cable,
        Err(why) => return eprintln!("skipped: {why}"),
    };
    let drops = Some(DropSettings { xdp: Xdp::Off, ipv4: 64, ipv6: 64, levels: 2 });
    let fanout = Fanout::Hash;
    let settings =
        LiveSettings { workers: 3, wait_ms: 20, blocks: 8, drops, fanout, ..LiveSettings::new(cable.far()) };
    let mut queues = open(&settings).expect("queues");
    let Some(mut books): Option<Vec<_>> = queues.iter_mut().map(|q| handed_over(q.as_mut())).collect() else {
        return;
    };
    let outlet = Outlet::open(cable.near()).expect("an end");
    let frame = ipv4(A, B, 6, &segment(PORTS, ACK));
    for book in &mut books {
        assert_eq!(book.ask(0, &[plain(), plain().reversed()]), Answer::Captured);
    }
    for _ in 0..30 {
        send(outlet.as_fd().as_raw_fd(), &frame, MsgFlags::empty()).expect("sent");
    }
    let mut ledger = Ledger::default();
    for (queue, book) in queues.iter_mut().zip(&mut books) {
        while queue.burst().expect("frames").status == RxStatus::More {}
        queue.account(&mut ledger);
        book.account(&mut ledger);
    }
    assert_eq!((ledger.received, ledger.bypassed, ledger.imbalance()), (30, 30, 0));
}
