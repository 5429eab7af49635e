//! Single flows that the NIC recognises: left out in both directions or in none, and counted.

use std::time::Duration;

use avf::virtchnl::Caps;
use avf_driver::Settings;
use frame::RxQueue as _;
use frame::bypass::{Answer, Bypass, Ends, Half, Home, News, WhyNot};
use model::{Options, Persona, Reset};
use world::{Builder, Tcp, TcpFlags};

use crate::Rig;

const A: [u8; 4] = [192, 0, 2, 1];
const B: [u8; 4] = [198, 51, 100, 9];

/// The direction from `from` to `to` of a connection.
fn half(from: [u8; 4], to: [u8; 4], ports: [u16; 2]) -> Half {
    let wide = |address: [u8; 4]| {
        let mut all = [0; 16];
        all[..4].copy_from_slice(&address);
        all
    };
    let ends = Ends { src: wide(from), dst: wide(to), ports, vlans: [0; 3] };
    Half { ends, protocol: 6, version: 4, ..Half::default() }
}

fn segment(from: [u8; 4], to: [u8; 4], ports: [u16; 2], flags: TcpFlags, tagged: bool) -> Vec<u8> {
    let begin = if tagged { Builder::ethernet().vlan(7) } else { Builder::ethernet() };
    let header = Tcp { flags, ..Tcp::new(ports[0], ports[1]) };
    begin.ipv4(from, to).tcp(header).payload(&[7; 100]).build()
}

fn there(flags: TcpFlags, tagged: bool) -> Vec<u8> {
    segment(A, B, [40_000, 443], flags, tagged)
}

fn back(flags: TcpFlags) -> Vec<u8> {
    segment(B, A, [443, 40_000], flags, false)
}

/// A rig that is up, its flow's two halves asked for through the door of the queue to which its frames come.
struct Bench {
    rig: Rig,
    door: Box<dyn Bypass>,
    home: Vec<Home>,
}

impl Bench {
    fn new(options: Options) -> Self {
        let mut rig = Rig::new(Persona::ice(), options, Settings::new(4)).unwrap();
        rig.up();
        rig.inject(&there(TcpFlags::ACK, false));
        rig.run(Duration::from_millis(1));
        let queue = rig.taken.pop().unwrap().queue;
        let door = rig.queues[usize::from(queue)].bypass().expect("a door");
        assert!(rig.queues[usize::from(queue)].bypass().is_none(), "once");
        Self { rig, door, home: Vec::new() }
    }

    fn ask(&mut self, flow: u32) -> Answer {
        let half = half(A, B, [40_000, 443]);
        self.door.ask(flow, &[half, half.reversed()])
    }

    /// Frames of both directions, and time for all that follows. How many were lent.
    fn offer(&mut self, count: u64) -> u64 {
        let before = self.rig.lent;
        for _ in 0..count {
            self.rig.inject(&there(TcpFlags::ACK, false));
            self.rig.inject(&back(TcpFlags::ACK));
        }
        self.rig.run(Duration::from_millis(100));
        let now = self.rig.queues.len();
        (0..now).for_each(|_| self.door.turn(frame::Timestamp::ZERO, &mut self.home));
        self.rig.lent - before
    }

    /// Frames that were told as dropped, by half.
    fn dropped(&self, flow: u32) -> [u64; 2] {
        let mut sum = [0; 2];
        for home in self.home.iter().filter(|home| home.flow == flow) {
            if let News::Dropped { half, packets, bytes, inner, .. } = home.news {
                assert_eq!((bytes, inner), (packets * 154, packets * 140));
                sum[usize::from(half)] += packets;
            }
        }
        sum
    }

    fn rules(&self) -> usize {
        self.rig.model().function.vf.steered.len()
    }
}

#[test]
fn a_flow_is_left_out_in_both_directions_and_counted() {
    let mut bench = Bench::new(Options::default());
    assert_eq!(bench.offer(10), 20);
    assert_eq!(bench.ask(5), Answer::Later);
    bench.rig.run(Duration::from_millis(100));
    assert_eq!((bench.rules(), bench.door.halves()), (2, 2));
    assert_eq!(bench.offer(300), 0);
    assert_eq!(bench.home.first(), Some(&Home { flow: 5, news: News::Captured }));
    assert_eq!(bench.dropped(5), [300, 300]);
    let ledger = &bench.rig.ledger;
    assert_eq!((ledger.bypassed, ledger.received), (600, bench.rig.lent + 600));
    // What begins or ends a connection is lent, and so is another network's.
    for frame in [there(TcpFlags::FIN, false), back(TcpFlags::RST), there(TcpFlags::ACK, true)] {
        let lent = bench.rig.lent;
        bench.rig.inject(&frame);
        bench.rig.run(Duration::from_millis(1));
        assert_eq!(bench.rig.lent, lent + 1);
    }
    bench.door.end(5, &mut bench.home);
    assert_eq!(bench.offer(10), 20, "at once");
    assert_eq!((bench.rules(), bench.door.halves()), (0, 0));
    assert_eq!(bench.dropped(5), [300, 300]);
    bench.rig.check().unwrap();
}

#[test]
fn rules_come_back_after_a_reset() {
    let mut bench = Bench::new(Options::default());
    bench.ask(5);
    bench.offer(50);
    for kind in [Reset::Pf, Reset::Flr] {
        bench.rig.model().reset(kind);
        bench.rig.run(Duration::from_millis(300));
        bench.rig.up();
        bench.rig.run(Duration::from_millis(100));
        assert_eq!(bench.rules(), 2, "{kind:?}");
        let before = bench.dropped(5);
        assert_eq!(bench.offer(50), 0, "{kind:?}");
        assert_eq!(bench.dropped(5), before.map(|n| n + 50));
    }
    bench.rig.check().unwrap();
    bench.rig.close();
    bench.rig.check().unwrap();
}

#[test]
fn a_pf_that_says_no_leaves_no_half_of_a_flow_out() {
    // The second rule is refused, in each of the two ways in which that is said.
    for plan in ["reply 47 nth 2: wrong-status -5", "reply 47 nth 2: drop"] {
        let plan = plan.parse().unwrap();
        let mut rig = Rig::with_plan(Persona::ice(), Options::default(), Settings::new(1), plan).unwrap();
        rig.up();
        let mut door = rig.queues[0].bypass().unwrap();
        let one = half(A, B, [40_000, 443]);
        assert_eq!(door.ask(1, &[one, one.reversed()]), Answer::Later);
        rig.run(Duration::from_secs(20));
        let mut home = Vec::new();
        door.turn(frame::Timestamp::ZERO, &mut home);
        let lost = home.iter().any(|home| matches!(home.news, News::Lost(_)));
        let captured = home.iter().any(|home| home.news == News::Captured);
        assert!(lost != captured, "{home:?}");
        let lent = rig.lent;
        for frame in [there(TcpFlags::ACK, false), back(TcpFlags::ACK)] {
            rig.inject(&frame);
        }
        rig.run(Duration::from_millis(5));
        assert_eq!(rig.lent - lent, if captured { 0 } else { 2 }, "both or none");
        rig.check().unwrap();
    }
}

#[test]
fn what_the_nic_cannot_tell_is_refused_at_once() {
    let mut bench = Bench::new(Options::default());
    let plain = half(A, B, [1, 2]);
    let mut tagged = plain;
    tagged.ends.vlans = [7, 0, 0];
    assert_eq!(bench.door.ask(1, &[plain, tagged]), Answer::Not(WhyNot::Unable));
    assert_eq!(bench.door.ask(1, &[Half { protocol: 47, ..plain }]), Answer::Not(WhyNot::Unable));
    assert_eq!(bench.rules(), 0);
    for refuses in [Caps::FDIR_PF, Caps::RX_FLEX_DESC] {
        let mut rig =
            Rig::new(Persona::ice(), Options { refuses, ..Options::default() }, Settings::new(2)).unwrap();
        rig.up();
        assert!(rig.queues[0].bypass().is_none(), "{refuses:?}");
    }
    let mut other = Rig::new(Persona::i40e(), Options::default(), Settings::new(2)).unwrap();
    other.up();
    assert!(other.queues[0].bypass().is_none());
}

#[test]
fn copies_of_flows_come_to_a_function_that_is_not_promiscuous() {
    let subscriptions = avf_driver::Subscription::parse("udp:4789").unwrap();
    let settings = Settings { promiscuous: false, subscriptions, ..Settings::new(2) };
    let grants = Options { grants: Caps::FSUB_PF, ..Options::default() };
    let vxlan = Builder::ethernet().ipv4(A, B).udp(50_000, 4789).payload(&[7; 60]).build();
    let other = Builder::ethernet().ipv4(A, B).udp(50_000, 53).payload(&[7; 60]).build();
    for (options, lent) in [(grants, 1), (Options::default(), 0)] {
        let mut rig = Rig::new(Persona::ice(), options, settings.clone()).unwrap();
        rig.up();
        [&vxlan, &other].into_iter().for_each(|frame| {
            rig.inject(frame);
        });
        rig.run(Duration::from_millis(1));
        assert_eq!(rig.lent, lent);
        let agreed = rig.control().negotiated().unwrap().subscriptions;
        assert_eq!(u64::from(agreed), 4 * lent, "over either IP, to the port and from it");
        let told = rig.said.iter().any(|said| said.starts_with("copies of 4 flows were asked for"));
        assert_eq!(told, lent == 0, "{:?}", rig.said);
        rig.check().unwrap();
    }
}
