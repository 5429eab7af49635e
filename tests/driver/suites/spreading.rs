//! Ten thousand conversations: both directions of each come to one queue.
//!
//! Fragments go by addresses alone: all fragments of both directions share a queue, which is the one of their flow's whole
//! packets by chance only. Tunnels go by their inner headers where the PF can tell them; elsewhere by the outer ones, whose
//! source port differs from direction to direction.

use std::collections::BTreeMap;
use std::time::Duration;

use avf::virtchnl::Caps;
use avf_driver::verify::{Spreading, Symmetry};
use avf_driver::{Hashing, Settings};
use model::{Options, Persona};
use world::{Builder, Dice};

use crate::Rig;

/// Conversations of each kind.
const CONVERSATIONS: u64 = 10_000;

/// What a conversation's packets are wrapped in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrap {
    Plain,
    Vlan,
    Vxlan,
    Geneve,
}

/// One end of it.
#[derive(Clone, Copy, Debug)]
struct End {
    address: u32,
    port: u16,
}

fn ip(builder: Builder, six: bool, from: End, to: End) -> Builder {
    if six {
        let wide = |end: End| std::net::Ipv6Addr::from(0x2001_0db8_u128 << 96 | u128::from(end.address));
        builder.ipv6(wide(from), wide(to))
    } else {
        builder.ipv4(from.address.to_be_bytes(), to.address.to_be_bytes())
    }
}

/// A packet of a conversation; `number` picks its transport.
fn packet(wrap: Wrap, six: bool, number: u64, from: End, to: End, entropy: u16) -> Vec<u8> {
    let tunnel = |port| {
        let ends = if from.address < to.address {
            ([192, 0, 2, 1], [192, 0, 2, 2])
        } else {
            ([192, 0, 2, 2], [192, 0, 2, 1])
        };
        Builder::ethernet().ipv4(ends.0, ends.1).udp(entropy, port)
    };
    let begin = match wrap {
        Wrap::Plain => Builder::ethernet(),
        Wrap::Vlan => Builder::ethernet().vlan(100),
        Wrap::Vxlan => tunnel(4789).vxlan(7).inner_ethernet(),
        Wrap::Geneve => tunnel(6081).geneve(7, &[]).inner_ethernet(),
    };
    let inner = ip(begin, six, from, to);
    let bytes = [[0; 8], number.to_be_bytes()].concat();
    match number % 3 {
        0 => inner.udp(from.port, to.port).payload(&bytes).build(),
        1 => {
            let header = world::Tcp::new(from.port, to.port);
            inner.tcp(header).payload(&bytes).build()
        }
        _ => inner.sctp(from.port, to.port, 9).payload(&bytes).build(),
    }
}

/// How many conversations came to one queue, and over how many queues they were spread.
fn split(rig: &mut Rig, wrap: Wrap, six: bool, symmetric_entropy: bool) -> (u64, usize) {
    let mut dice = Dice::new(u64::from(six) + 10 * wrap as u64);
    let mut queues: BTreeMap<u16, u64> = BTreeMap::new();
    let mut together = 0;
    for number in 0..CONVERSATIONS {
        let mut end = || End {
            address: 0x0A00_0000 | dice.roll() as u32 & 0x00FF_FFFF,
            port: 1024 + dice.below(60_000) as u16,
        };
        let (a, b) = (end(), end());
        let entropy = 49_152 + dice.below(16_000) as u16;
        let other = if symmetric_entropy { entropy } else { 49_152 + dice.below(16_000) as u16 };
        rig.inject(&packet(wrap, six, number, a, b, entropy));
        rig.inject(&packet(wrap, six, number, b, a, other));
        if number % 16 == 15 {
            rig.run(Duration::from_micros(50));
        }
    }
    rig.run(Duration::from_millis(1));
    assert_eq!(rig.taken.len() as u64, 2 * CONVERSATIONS, "{wrap:?} {six}");
    let mut seen: BTreeMap<u64, u16> = BTreeMap::new();
    for taken in rig.taken.drain(..) {
        *queues.entry(taken.queue).or_default() += 1;
        // Its number is a frame's end: none is so short that the NIC pads it.
        let number = taken.data.last_chunk().map(|bytes| u64::from_be_bytes(*bytes)).unwrap();
        if let Some(queue) = seen.insert(number, taken.queue) {
            together += u64::from(queue == taken.queue);
        }
    }
    (together, queues.len())
}

fn up(options: Options) -> Rig {
    let mut rig = Rig::new(Persona::ice(), options, Settings::new(16)).unwrap();
    rig.up();
    rig
}

#[test]
fn both_directions_of_ten_thousand_conversations() {
    let inner = Options { inner_patterns: true, vxlan: vec![4789], geneve: vec![6081], ..Options::default() };
    let mut rig = up(inner);
    let agreed = rig.control().negotiated().unwrap();
    assert!(agreed.hashing == Hashing::Folded && agreed.inner, "{agreed:?}");
    let mut spreading = Spreading::new(agreed).unwrap();
    proves(&mut rig, &mut spreading);
    assert_eq!(spreading.tunnels().is_inner(), Some(true), "{}", spreading.tunnels());
    for wrap in [Wrap::Plain, Wrap::Vlan, Wrap::Vxlan, Wrap::Geneve] {
        for six in [false, true] {
            assert_eq!(split(&mut rig, wrap, six, false), (CONVERSATIONS, 16), "{wrap:?} {six}");
        }
    }
    rig.check().unwrap();
}

#[test]
fn the_same_by_key_where_patterns_are_not_served() {
    let mut rig = up(Options { refuses: Caps::ADV_RSS_PF, ..Options::default() });
    assert_eq!(rig.control().negotiated().unwrap().hashing, Hashing::Key);
    for wrap in [Wrap::Plain, Wrap::Vlan] {
        for six in [false, true] {
            assert_eq!(split(&mut rig, wrap, six, false), (CONVERSATIONS, 16), "{wrap:?} {six}");
        }
    }
    rig.check().unwrap();
}

#[test]
fn tunnels_go_by_their_outer_headers_where_the_pf_knows_no_others() {
    let outer = Options { vxlan: vec![4789], geneve: vec![6081], ..Options::default() };
    let mut rig = up(outer);
    let mut spreading = Spreading::new(rig.control().negotiated().unwrap()).unwrap();
    proves(&mut rig, &mut spreading);
    assert_eq!(spreading.tunnels().is_inner(), Some(false), "{}", spreading.tunnels());
    for wrap in [Wrap::Vxlan, Wrap::Geneve] {
        assert_eq!(
            split(&mut rig, wrap, false, true),
            (CONVERSATIONS, 16),
            "{wrap:?}, the same source port both ways"
        );
        let (together, _) = split(&mut rig, wrap, false, false);
        assert!(together < CONVERSATIONS / 4, "{wrap:?}: {together} by chance");
    }
}

/// Shows a proof of spreading a hundred frames of tunnels.
fn proves(rig: &mut Rig, spreading: &mut Spreading) {
    for number in 0..100_u16 {
        let (a, b) = (
            End { address: 0x0A00_0001 + u32::from(number), port: 9 },
            End { address: 0x0B00_0001, port: 80 },
        );
        let wrap = if number % 2 == 0 { Wrap::Vxlan } else { Wrap::Geneve };
        rig.inject(&packet(wrap, false, number.into(), a, b, 50_000 + 31 * number));
    }
    rig.run(Duration::from_millis(1));
    rig.taken.drain(..).for_each(|taken| spreading.see(taken.queue, &taken.data));
}

#[test]
fn all_fragments_of_both_directions_share_a_queue() {
    let mut rig = up(Options::default());
    for n in 0..200_u8 {
        let (a, b) = (
            End { address: 0x0A00_0000 | u32::from(n), port: 5 },
            End { address: 0x0A01_0000 | u32::from(n) << 3, port: 7 },
        );
        let mut queues = std::collections::BTreeSet::new();
        for (from, to) in [(a, b), (b, a)] {
            let whole =
                ip(Builder::ethernet(), false, from, to).udp(from.port, to.port).payload(&[1; 900]).build();
            for fragment in world::fragment_ipv4(&whole, 14, 400) {
                rig.inject(&fragment);
            }
        }
        rig.run(Duration::from_micros(100));
        queues.extend(rig.taken.drain(..).map(|taken| taken.queue));
        assert_eq!(queues.len(), 1, "{n}");
    }
}

#[test]
fn what_was_agreed_on_predicts_the_queue_of_each_frame() {
    for refuses in [Caps::empty(), Caps::ADV_RSS_PF] {
        let mut rig = up(Options { refuses, ..Options::default() });
        let agreed = rig.control().negotiated().unwrap().clone();
        let mut spreading = Spreading::new(&agreed).unwrap();
        let mut other = agreed.clone();
        other.hashing = if agreed.hashing == Hashing::Key { Hashing::Folded } else { Hashing::Key };
        let mut astray = Spreading::new(&other).unwrap();
        for number in 0..300_u64 {
            let (a, b) = (
                End { address: 0x0A00_0001 + number as u32, port: 1000 },
                End { address: 0x0B00_0001, port: 80 },
            );
            rig.inject(&packet(Wrap::Plain, number % 2 == 0, number, a, b, 0));
        }
        rig.run(Duration::from_millis(1));
        for taken in rig.taken.drain(..) {
            spreading.see(taken.queue, &taken.data);
            astray.see(taken.queue, &taken.data);
        }
        assert_eq!(spreading.verdict(), Symmetry::Proven { agreed: 300 });
        assert!(matches!(astray.verdict(), Symmetry::Disproven { .. }), "{}", astray.verdict());
    }
}
