//! Flows come and go: keys, timeouts, reuse, eviction, other protocols.

use super::{Bench, Talk, close, ip_packet, udp};
use crate::{End, FlowRef, Phase, Refused, Settings, Side, Timeouts};
use decode::tcp_flags::{ACK, FIN, PSH, RST, SYN};
use decode::{Embedded, Network, Packet, Transport};
use frame::Timestamp;

fn at(seconds: u64) -> Timestamp {
    Timestamp::new(seconds, 500)
}

fn take_ended(bench: &mut Bench) -> Vec<(u64, End)> {
    let mut ended = Vec::new();
    while let Some((flow, end)) = bench.table.pop_ended(bench.now) {
        ended.push((bench.table.flow(flow).first.number, end));
        bench.table.flush(flow);
        bench.read(flow);
        bench.table.remove(flow);
    }
    ended
}

#[test]
fn vlan_tenant_and_tap_part_flows_unless_told_otherwise() {
    for (use_vlan, use_tap, flows) in [(true, true, 4), (false, true, 3), (true, false, 3), (false, false, 2)]
    {
        let settings = Settings { use_vlan, use_tap, memory: 4 << 20, ..Settings::default() };
        let mut bench = Bench::new(&settings);
        let plain = udp(([1, 1, 1, 1], 5), ([2, 2, 2, 2], 6));
        let mut tagged = plain;
        tagged.vlans.ids = [7, 0, 0];
        tagged.vlans.count = 1;
        let tenant = Packet { tenant: 9, ..plain };
        for packet in [plain, tagged, tenant] {
            bench.send(&packet, b"").unwrap();
        }
        let now = crate::Moment { time: bench.now, number: 9 };
        bench.table.turn(&plain, b"", now, 3).unwrap();
        assert_eq!(bench.table.memory().flows, flows);
    }
}

#[test]
fn udp_is_established_when_both_sides_spoke() {
    let mut bench = Bench::plain();
    let (a, b) = (([1, 1, 1, 1], 5), ([2, 2, 2, 2], 6));
    let first = bench.send(&udp(a, b), b"ask").unwrap();
    assert!(first.is_new && first.direct && !first.established);
    let answer = bench.send(&udp(b, a), b"tell").unwrap();
    assert_eq!((answer.flow, answer.side, answer.established), (first.flow, Side::ToClient, true));
    let flow = bench.table.flow(first.flow);
    assert_eq!((flow.packets, flow.bytes, flow.phase), ([1, 1], [60, 60], Phase::Established));
    assert_eq!(bench.table.counters().delivered, 7);
    bench.finish();
}

#[test]
fn an_echo_and_its_answer_are_one_flow() {
    let mut bench = Bench::plain();
    let mut ask = ip_packet([1, 1, 1, 1], [2, 2, 2, 2], 1);
    ask.transport = Transport::Icmp { kind: 8, code: 0, echo: Some((1, 1)), about: None };
    let mut tell = ip_packet([2, 2, 2, 2], [1, 1, 1, 1], 1);
    tell.transport = Transport::Icmp { kind: 0, code: 0, echo: Some((1, 1)), about: None };
    let flow = bench.send(&ask, b"").unwrap().flow;
    assert_eq!(bench.send(&tell, b"").unwrap().side, Side::ToClient);
    assert_eq!(bench.table.flow(flow).icmp, [Some((8, 0)), Some((0, 0))]);
}

#[test]
fn each_security_association_is_a_flow() {
    let mut bench = Bench::plain();
    let esp = |from, to, spi| Packet { transport: Transport::Esp(spi), ..ip_packet(from, to, 50) };
    let (a, b) = ([1, 1, 1, 1], [2, 2, 2, 2]);
    let there = bench.send(&esp(a, b, 0x1234_5678), b"").unwrap().flow;
    assert!(bench.send(&esp(b, a, 0x9abc_def0), b"").unwrap().is_new);
    assert_eq!(bench.send(&esp(a, b, 0x1234_5678), b"").unwrap().flow, there);
    assert_eq!(bench.table.flow(there).key.spi(), Some(0x1234_5678));
    assert!(bench.send(&esp(a, b, 7), b"").unwrap().is_new);
}

#[test]
fn an_icmp_error_counts_on_the_flow_it_speaks_of() {
    let mut bench = Bench::plain();
    let (a, b) = (([1, 1, 1, 1], 5), ([2, 2, 2, 2], 6));
    let flow = bench.send(&udp(a, b), b"ask").unwrap().flow;
    let mut error = ip_packet([9, 9, 9, 9], [1, 1, 1, 1], 1);
    let sent = udp(a, b);
    let Network::Ip(ip) = sent.network else { unreachable!() };
    let about = Embedded { src: ip.src, dst: ip.dst, protocol: 17, src_port: 5, dst_port: 6 };
    error.transport = Transport::Icmp { kind: 3, code: 3, echo: None, about: Some(about) };
    let turn = bench.send(&error, b"").unwrap();
    assert_eq!((turn.flow, turn.side), (flow, Side::ToClient));
    assert_eq!(bench.table.flow(flow).icmp, [None, None]);
    // It is no answer, and its time to live is that of whoever stands on the way.
    assert!(!bench.send(&udp(a, b), b"ask").unwrap().established);
    let seen = bench.table.flow(flow);
    assert_eq!((seen.packets, seen.phase, seen.ttl[1]), ([2, 1], Phase::New, crate::Ttl::default()));
    // That its time ran out on the way: a flow of its own, as whoever says so is none of its ends.
    error.transport = Transport::Icmp { kind: 11, code: 0, echo: None, about: Some(about) };
    assert!(bench.send(&error, b"").unwrap().is_new);
    // Of a flow that is not known: a flow of its own.
    let about = Embedded { src_port: 77, ..about };
    error.transport = Transport::Icmp { kind: 3, code: 3, echo: None, about: Some(about) };
    assert!(bench.send(&error, b"").unwrap().is_new);
}

#[test]
fn some_packets_have_no_flow() {
    let mut bench = Bench::plain();
    assert_eq!(bench.send(&Packet::default(), b""), Err(Refused::NotAFlow));
    let mut fragment = udp(([1, 1, 1, 1], 5), ([2, 2, 2, 2], 6));
    if let Network::Ip(ip) = &mut fragment.network {
        ip.fragment = true;
    }
    assert_eq!(bench.send(&fragment, b""), Err(Refused::NotAFlow));
    assert!(bench.send(&ip_packet([1, 1, 1, 1], [2, 2, 2, 2], 89), b"").is_ok());
    let mut bench = Bench::new(&Settings { every_protocol: false, memory: 4 << 20, ..Settings::default() });
    assert_eq!(bench.send(&ip_packet([1, 1, 1, 1], [2, 2, 2, 2], 89), b""), Err(Refused::NotAFlow));
    assert!(bench.send(&ip_packet([1, 1, 1, 1], [2, 2, 2, 2], 4), b"").is_ok());
}

#[test]
fn silence_ends_a_flow_by_its_state() {
    let mut bench = Bench::plain();
    let talk = Talk::default();
    bench.shake(&talk);
    bench.send(&udp(([1, 1, 1, 1], 5), ([2, 2, 2, 2], 6)), b"").unwrap();
    bench.now = at(1_030);
    assert_eq!(take_ended(&mut bench), []);
    bench.now = at(1_031);
    assert_eq!(take_ended(&mut bench), [(4, End::Timeout)]);
    bench.now = at(1_300);
    bench.ack(&talk, 0);
    bench.now = at(1_900);
    assert_eq!(take_ended(&mut bench), []);
    bench.now = at(1_901);
    assert_eq!(take_ended(&mut bench), [(1, End::Timeout)]);
    assert_eq!(bench.table.memory().flows, 0);
}

#[test]
fn closed_flows_end_as_closed() {
    let mut bench = Bench::plain();
    let talk = Talk::default();
    bench.shake(&talk);
    close(&mut bench, &talk, 0);
    bench.now = at(1_061);
    assert_eq!(take_ended(&mut bench), [(1, End::Closed)]);
}

#[test]
fn a_timeout_beyond_the_horizon_holds() {
    let mut timeouts = Timeouts::NORMAL;
    timeouts.udp.new = 5_000;
    let mut bench = Bench::new(&Settings { timeouts, memory: 4 << 20, ..Settings::default() });
    bench.send(&udp(([1, 1, 1, 1], 5), ([2, 2, 2, 2], 6)), b"").unwrap();
    bench.now = at(6_000);
    assert_eq!(take_ended(&mut bench), []);
    bench.now = at(6_001);
    assert_eq!(take_ended(&mut bench), [(1, End::Timeout)]);
}

#[test]
fn what_ends_and_when_does_not_depend_on_how_often_is_asked() {
    let run = |every: u64| {
        let mut bench = Bench::plain();
        let mut dice = super::Dice(42);
        let mut ended = Vec::new();
        for n in 0..4_000u64 {
            bench.now = Timestamp::from_nanos(1_000_000_000_000 + n * 100_000_000);
            let host = dice.below(200) as u8;
            let packet = udp(([1, 1, 1, host], 5), ([2, 2, 2, 2], 6));
            bench.send(&packet, b"").unwrap();
            if n % every == 0 {
                ended.extend(take_ended(&mut bench));
            }
        }
        bench.now = at(9_000);
        ended.extend(take_ended(&mut bench));
        ended.sort_by_key(|(first, _)| *first);
        ended
    };
    let often = run(1);
    assert!(often.len() > 200);
    assert_eq!(often, run(10));
    assert_eq!(often, run(997));
}

#[test]
fn flows_that_must_be_put_back_all_at_once_do_not_stall() {
    let mut bench = Bench::new(&Settings { memory: 32 << 20, ..Settings::default() });
    let from = |n: u32| ([10, (n >> 16) as u8, (n >> 8) as u8, n as u8], 5);
    // Ten thousand flows, due in one second; then each says something, too early to be moved on.
    for time in [1_000, 1_005] {
        bench.now = at(time);
        (0..10_000).for_each(|n| {
            bench.send(&udp(from(n), ([2, 2, 2, 2], 6)), b"").unwrap();
        });
    }
    bench.now = at(1_031);
    assert_eq!(take_ended(&mut bench), []);
    // In the end all end, once each.
    let mut ended = 0;
    for time in 1_032..1_060 {
        bench.now = at(time);
        ended += take_ended(&mut bench).len();
        assert!(time > 1_035 || ended == 0);
    }
    assert_eq!((ended, bench.table.memory().flows), (10_000, 0));
}

#[test]
fn time_that_goes_back_or_leaps_is_harmless() {
    let mut bench = Bench::plain();
    let packet = udp(([1, 1, 1, 1], 5), ([2, 2, 2, 2], 6));
    bench.send(&packet, b"").unwrap();
    bench.now = at(10);
    bench.send(&packet, b"").unwrap();
    assert_eq!(take_ended(&mut bench), []);
    bench.now = Timestamp::from_nanos(u64::MAX);
    assert_eq!(take_ended(&mut bench).len(), 1);
    bench.now = at(20);
    assert!(bench.send(&packet, b"").unwrap().is_new);
    assert_eq!(take_ended(&mut bench), []);
    bench.finish();
}

#[test]
fn a_new_connection_on_a_closed_one_replaces_it() {
    let mut bench = Bench::plain();
    let talk = Talk::default();
    let old = bench.shake(&talk);
    bench.table.flow_mut(old).a.push(1);
    close(&mut bench, &talk, 0);
    let again = Talk { first: [77_000, 88_000], ..talk };
    let turn = bench.tcp(&again, Side::ToServer, SYN, -1, 0, b"");
    assert!(turn.is_new && turn.ended && turn.flow != old);
    assert_eq!(bench.table.flow(old).a, [1]);
    assert_eq!(take_ended(&mut bench), [(1, End::Reused)]);
    bench.shake(&again);
    bench.says(&again, 0, b"new");
    bench.ack(&again, 3);
    assert_eq!(bench.text(turn.flow, Side::ToServer), "new");
    bench.finish();
}

#[test]
fn a_bypassed_flow_is_only_counted() {
    let mut bench = Bench::plain();
    let talk = Talk::default();
    let flow = bench.shake(&talk);
    bench.table.bypass(flow);
    let turn = bench.says(&talk, 0, b"abc");
    assert!(turn.bypassed && !turn.readable[0]);
    assert_eq!(bench.table.flow(flow).packets, [3, 1]);
    assert_eq!(bench.table.flow(flow).phase.name(), "bypassed");
    bench.now = at(1_101);
    assert_eq!(take_ended(&mut bench), [(1, End::Timeout)]);
}

#[test]
fn a_new_connection_on_a_bypassed_flow_is_looked_at() {
    let mut bench = Bench::plain();
    let talk = Talk::default();
    let flow = bench.shake(&talk);
    bench.table.bypass(flow);
    // Its own SYN once more begins nothing; nor does a SYN/ACK.
    assert!(bench.tcp(&talk, Side::ToServer, SYN, -1, 0, b"").bypassed);
    assert!(bench.tcp(&talk, Side::ToClient, SYN | ACK, -1, 0, b"").bypassed);
    let another = Talk { first: [77_000, 88_000], ..talk };
    let turn = bench.tcp(&another, Side::ToServer, SYN, -1, 0, b"");
    assert!(turn.is_new && turn.ended && !turn.bypassed);
    assert_eq!(take_ended(&mut bench), [(1, End::Reused)]);
    bench.tcp(&another, Side::ToClient, SYN | ACK, -1, 0, b"");
    bench.tcp(&another, Side::ToServer, ACK, 0, 0, b"");
    bench.says(&another, 0, b"abc");
    assert!(bench.ack(&another, 3).readable[0], "its stream is read");
}

#[test]
fn a_bypassed_connection_that_is_closed_ends_sooner() {
    for resets in [false, true] {
        let mut bench = Bench::plain();
        let talk = Talk::default();
        let flow = bench.shake(&talk);
        bench.table.bypass(flow);
        if resets {
            assert!(bench.tcp(&talk, Side::ToClient, RST, 0, 0, b"").closed_now);
        } else {
            assert!(!bench.tcp(&talk, Side::ToClient, FIN | ACK, 5_000_000, 0, b"").closed_now, "one side");
            assert!(bench.tcp(&talk, Side::ToServer, FIN | ACK, 700, 0, b"").closed_now, "both");
        }
        let last = bench.tcp(&talk, Side::ToClient, ACK, 0, 0, b"");
        assert!(last.bypassed && !last.closed_now, "told once");
        assert_eq!(bench.table.flow(flow).phase.name(), "bypassed");
        bench.now = at(1_059);
        assert!(take_ended(&mut bench).is_empty());
        bench.now = at(1_061);
        assert_eq!(take_ended(&mut bench), [(1, End::Timeout)]);
    }
}

#[test]
fn packets_that_were_counted_elsewhere_keep_a_flow_alive() {
    let mut bench = Bench::plain();
    let talk = Talk::default();
    let flow = bench.shake(&talk);
    bench.table.bypass(flow);
    bench.now = at(1_095);
    bench.table.credit(flow, Side::ToClient, 50, 70_000, at(1_090));
    assert_eq!((bench.table.flow(flow).packets, bench.table.flow(flow).bytes[1]), ([2, 51], 70_054));
    bench.now = at(1_150);
    assert!(take_ended(&mut bench).is_empty(), "it was not silent");
    bench.now = at(1_191);
    assert_eq!(take_ended(&mut bench), [(1, End::Timeout)]);
}

#[test]
fn swapping_exchanges_every_fact() {
    let mut bench = Bench::plain();
    let talk = Talk::default();
    let flow = bench.shake(&talk);
    bench.says(&talk, 0, b"abc");
    bench.table.swap(flow);
    let f = bench.table.flow(flow);
    assert_eq!((f.packets, f.key.src_port, f.swapped), ([1, 3], 80, true));
    let turn = bench.tcp(&talk, Side::ToClient, ACK, 0, 3, b"");
    assert_eq!((turn.side, turn.readable), (Side::ToServer, [false, true]));
    assert_eq!(bench.text(flow, Side::ToClient), "abc");
}

#[test]
fn remaining_flows_leave_in_order_of_creation() {
    let mut bench = Bench::plain();
    for n in [5u8, 3, 9, 1] {
        bench.send(&udp(([1, 1, 1, n], 5), ([2, 2, 2, 2], 6)), b"").unwrap();
    }
    let mut order = Vec::new();
    while let Some(at) = bench.table.pop_any() {
        order.push(bench.table.flow(at).first.number);
        bench.table.remove(at);
    }
    assert_eq!(order, [1, 2, 3, 4]);
}

#[test]
fn a_stale_reference_reaches_nothing() {
    let mut bench = Bench::plain();
    let talk = Talk::default();
    let flow = bench.shake(&talk);
    bench.table.flow_mut(flow).a.push(7);
    assert_eq!(bench.table.remove(flow), [7]);
    assert_eq!(bench.table.remove(flow), []);
    bench.table.stop(flow, Side::ToServer);
    bench.table.flush(flow);
    assert!(bench.table.readable(flow, Side::ToServer).is_none());
    assert_eq!(bench.table.memory().flows, 0);
    assert!(bench.tcp(&talk, Side::ToServer, SYN, -1, 0, b"").is_new);
    bench.finish();
}

/// A connection with data both ways, and one that only shook hands.
fn legitimate(bench: &mut Bench, n: u32) -> FlowRef {
    let talk = Talk::numbered(n);
    let flow = bench.shake(&talk);
    bench.says(&talk, 0, b"ask");
    bench.tcp(&talk, Side::ToClient, PSH | ACK, 0, 3, b"tell");
    flow
}

#[test]
fn a_flood_costs_no_working_connection() {
    let mut bench = Bench::new(&Settings { memory: 1 << 20, ..Settings::default() });
    let most = bench.table.memory().most;
    let good: Vec<FlowRef> = (0..most as u32 / 4).map(|n| legitimate(&mut bench, n)).collect();
    for n in 0..most as u32 * 5 {
        let talk = Talk { client: ([99, (n >> 16) as u8, (n >> 8) as u8, n as u8], 7), ..Talk::default() };
        let turn = bench.tcp(&talk, Side::ToServer, SYN, -1, 0, b"");
        if turn.ended {
            take_ended(&mut bench);
        }
        assert!(bench.table.memory().flows <= most);
    }
    for (n, flow) in (0u32..).zip(good) {
        let turn = bench.tcp(&Talk::numbered(n), Side::ToClient, ACK, 4, 3, b"");
        assert_eq!((turn.flow, turn.is_new), (flow, false));
    }
    let c = bench.table.counters();
    assert!(c.evicted_new > 0 && c.evicted_half + c.evicted_idle == 0, "{c:?}");
    assert_eq!(c.emergency, 1);
    bench.finish();
}

#[test]
fn answered_floods_cost_only_their_own_kind() {
    let mut bench = Bench::new(&Settings { memory: 1 << 20, ..Settings::default() });
    let most = bench.table.memory().most;
    let good: Vec<FlowRef> = (0..most as u32 / 4).map(|n| legitimate(&mut bench, n)).collect();
    for n in 0..most as u32 * 3 {
        let talk = Talk { client: ([99, (n >> 16) as u8, (n >> 8) as u8, n as u8], 7), ..Talk::default() };
        bench.tcp(&talk, Side::ToServer, SYN, -1, 0, b"");
        bench.tcp(&talk, Side::ToClient, SYN | ACK, -1, 0, b"");
        take_ended(&mut bench);
    }
    for (n, flow) in (0u32..).zip(good) {
        assert_eq!(bench.tcp(&Talk::numbered(n), Side::ToClient, ACK, 4, 3, b"").flow, flow);
    }
    bench.finish();
}

#[test]
fn a_table_full_of_working_connections_refuses() {
    let mut bench = Bench::new(&Settings { memory: 256 << 10, ..Settings::default() });
    let most = bench.table.memory().most as u32;
    (0..most).for_each(|n| {
        legitimate(&mut bench, n);
    });
    let talk = Talk { client: ([99, 1, 2, 3], 7), ..Talk::default() };
    let packet = talk.packet(Side::ToServer, SYN, -1, 0, b"");
    assert_eq!(bench.send(&packet, b""), Err(Refused::TableFull));
    assert_eq!(bench.table.counters().table_full, 1);
    bench.finish();
}

#[test]
fn an_emergency_shortens_timeouts_and_passes() {
    let mut bench = Bench::new(&Settings { memory: 1 << 20, ..Settings::default() });
    let most = bench.table.memory().most;
    for n in 0..most as u32 * 19 / 20 {
        bench.tcp(&Talk::numbered(n), Side::ToServer, SYN, -1, 0, b"");
    }
    assert!(bench.table.is_emergency());
    bench.now = at(1_010);
    for n in 0..most as u32 * 3 / 10 {
        let talk = Talk { client: ([99, (n >> 16) as u8, (n >> 8) as u8, n as u8], 7), ..Talk::default() };
        bench.tcp(&talk, Side::ToServer, SYN, -1, 0, b"");
        take_ended(&mut bench);
    }
    assert!(bench.table.counters().emergency_timeout > 0);
    assert!(!bench.table.is_emergency());
    bench.finish();
}

#[test]
fn a_record_is_small_and_the_budget_holds() {
    use crate::{Table, rings::Rings};
    let record = size_of::<super::super::table::Record<()>>() + 2 * Rings::SLOT;
    assert!(record <= 284, "{record}");
    for memory in [1 << 20, 128 << 20, 1 << 30] {
        let table: Table<()> = Table::new(&Settings { memory, ..Settings::default() });
        let most = table.memory().most;
        assert!(most * 300 <= memory + memory / 50 && most * 420 >= memory, "{memory}: {most}");
    }
}
