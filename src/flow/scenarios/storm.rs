//! Storms: whatever is sent, nothing panics, budgets hold, and the ledger balances.

use super::{Bench, Dice, Talk, udp};
use crate::{Policy, Settings, Side, UrgentPolicy};
use decode::Transport;
use decode::tcp_flags::{ACK, PSH, URG};

/// One of the connections that the storm is about; its numbers wrap soon.
fn stormy(n: u32) -> Talk {
    Talk { first: [u32::MAX - 2_000, 77], ..Talk::numbered(n) }
}

/// A packet of a few connections with numbers near and far.
fn throw(bench: &mut Bench, dice: &mut Dice, budget: usize) {
    let talk = stormy(dice.below(6) as u32);
    let side = if dice.below(3) == 0 { Side::ToClient } else { Side::ToServer };
    let flags = match dice.below(12) {
        0 => dice.next() as u8,
        1 => 0x02,
        2 => 0x12,
        3 => 0x11,
        4 if dice.below(20) == 0 => 0x04,
        5 => PSH | ACK | URG,
        _ => PSH | ACK,
    };
    let payload = vec![dice.next() as u8; dice.below(1_460) as usize * usize::from(dice.below(3) > 0)];
    let spread = if dice.below(50) == 0 { 1 << 31 } else { 6_000 };
    let (seq, ack) = (dice.below(spread) as i64 - 10, dice.below(spread) as i64 - 10);
    let mut packet = talk.packet(side, flags, seq, ack, &payload);
    if let Transport::Tcp(tcp) = &mut packet.transport {
        tcp.urgent = dice.below(2_000) as u16;
        tcp.wscale = (dice.below(2) == 0).then(|| dice.next() as u8);
        tcp.timestamp = (dice.below(4) == 0).then(|| (dice.next() as u32, dice.next() as u32));
        tcp.fast_open = dice.below(8) == 0;
        tcp.signed = dice.below(8) == 0;
    }
    packet.missing = if dice.below(30) == 0 { dice.below(500) as u32 } else { 0 };
    packet.bad_checksum = dice.below(100) == 0;
    let Ok(turn) = bench.send(&packet, &payload) else { return };
    assert!(bench.table.memory().reassembly <= budget);
    react(bench, dice, turn.flow);
}

fn react(bench: &mut Bench, dice: &mut Dice, flow: crate::FlowRef) {
    for side in Side::BOTH {
        // A reader that waits for ever must still not loop for ever.
        for _ in 0..10 {
            let Some((chunk, _)) = bench.table.readable(flow, side) else { break };
            let n = chunk.data.len();
            match dice.below(8) {
                0 => bench.table.want(flow, side, n + dice.below(3_000) as usize + 1),
                1 => bench.table.skip(flow, side, dice.below(3_000)),
                2 => bench.table.eaten(flow, side, n / 2),
                3 if dice.below(40) == 0 => bench.table.stop(flow, side),
                4 if dice.below(40) == 0 => bench.table.set_depth(flow, side, Some(dice.below(9_000))),
                5 if dice.below(80) == 0 => bench.table.swap(flow),
                6 if dice.below(200) == 0 => bench.table.bypass(flow),
                _ => bench.table.eaten(flow, side, n),
            }
        }
    }
}

fn storm(settings: &Settings, seed: u64, packets: u32) -> crate::Counters {
    let mut bench = Bench::new(settings);
    let mut dice = Dice(seed);
    for n in 0..packets {
        if n % 300 == 0 {
            // Connections that begin as they should; closed ones begin anew.
            (0..6).for_each(|n| {
                bench.shake(&stormy(n));
            });
        }
        bench.now = bench.now.plus(std::time::Duration::from_millis(dice.below(40)));
        throw(&mut bench, &mut dice, settings.reassembly_memory);
        if dice.below(10) == 0 {
            bench.send(&udp(([5, 5, 5, dice.next() as u8], 9), ([6, 6, 6, 6], 10)), b"hello").ok();
        }
        if n % 16 == 0 {
            while let Some((flow, _)) = bench.table.pop_ended(bench.now) {
                bench.table.flush(flow);
                bench.read(flow);
                bench.table.remove(flow);
            }
            bench.check_ledger();
        }
    }
    bench.finish();
    bench.table.counters().clone()
}

#[test]
fn random_packets_never_panic_and_the_ledger_balances() {
    let mut sum = crate::Counters::default();
    for seed in 1..12 {
        let policy = Policy::ALL[seed as usize % Policy::ALL.len()];
        let settings = Settings {
            memory: 256 << 10,
            policy,
            midstream: seed % 2 == 0,
            async_oneside: seed % 3 == 0,
            inline: seed % 5 == 0,
            check_overlap: seed % 2 == 1,
            urgent: [UrgentPolicy::Oob, UrgentPolicy::Gap, UrgentPolicy::Drop, UrgentPolicy::Inline]
                [seed as usize % 4],
            reassembly_memory: 200 << 10,
            depth: if seed % 4 == 0 { 8_000 } else { 0 },
            ..Settings::default()
        };
        sum.add(&storm(&settings, seed * 7_919, 6_000));
    }
    // The storm reaches what it is about.
    let reached = [
        sum.delivered,
        sum.skipped,
        sum.duplicate,
        sum.depth,
        sum.lost_window,
        sum.lost_untracked,
        sum.lost_urgent,
        sum.lost_checksum,
        sum.tcp_gaps,
        sum.tcp_overlap,
        sum.tcp_overlap_different,
        sum.tcp_urgent,
        sum.tcp_established,
        sum.end_reused,
        sum.end_timeout,
    ];
    assert!(reached.iter().all(|n| *n > 0), "{sum:?}");
}

#[test]
fn an_overlap_storm_stays_within_its_budget() {
    let settings = Settings { memory: 4 << 20, reassembly_memory: 64 << 10, ..Settings::default() };
    let mut bench = Bench::new(&settings);
    let talk = Talk::default();
    let flow = bench.shake(&talk);
    let mut dice = Dice(99);
    for _ in 0..10_000 {
        let payload = vec![dice.next() as u8; 1 + dice.below(1_400) as usize];
        bench.says(&talk, dice.below(58_000) as i64, &payload);
        assert!(bench.table.memory().reassembly <= 64 << 10);
    }
    assert!(bench.table.counters().lost_budget > 0);
    bench.check_ledger();
    bench.table.flush(flow);
    bench.read(flow);
    bench.finish();
}

#[test]
fn many_holes_are_bounded() {
    let mut bench = Bench::plain();
    let talk = Talk::default();
    let flow = bench.shake(&talk);
    for n in 0..20_000 {
        bench.says(&talk, 1 + n * 2, b"x");
    }
    assert!(bench.table.memory().reassembly < 4 << 20);
    assert!(bench.table.counters().lost_budget > 0);
    bench.table.flush(flow);
    bench.read(flow);
    bench.finish();
}

#[test]
fn the_same_packets_give_the_same_flows() {
    let run = || {
        let mut bench = Bench::new(&Settings { memory: 256 << 10, ..Settings::default() });
        let mut dice = Dice(5);
        (0..3_000).for_each(|_| throw(&mut bench, &mut dice, usize::MAX));
        let mut all = Vec::new();
        while let Some(at) = bench.table.pop_any() {
            let f = bench.table.flow(at);
            all.push((f.id(), f.packets, f.bytes, f.tcp.state));
            bench.table.remove(at);
        }
        (all, bench.table.counters().clone())
    };
    assert_eq!(run(), run());
}
