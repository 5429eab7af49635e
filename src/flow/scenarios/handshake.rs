//! The state machine: usual and unusual openings and closings, and what is said about them.

use super::{Bench, Talk, close, names};
use crate::{Policy, Settings, Side, TcpState, Timeouts};
use decode::tcp_flags::{ACK, FIN, PSH, RST, SYN};
use decode::{Packet, Transport};

use Side::{ToClient, ToServer};

fn with(packet: Packet, change: impl FnOnce(&mut decode::Tcp)) -> Packet {
    let mut packet = packet;
    if let Transport::Tcp(tcp) = &mut packet.transport {
        change(tcp);
    }
    packet
}

fn state(bench: &Bench, at: crate::FlowRef) -> TcpState {
    bench.table.flow(at).tcp.state
}

#[test]
fn the_usual_life() {
    let mut bench = Bench::plain();
    let talk = Talk::default();
    let syn = bench.tcp(&talk, ToServer, SYN, -1, 0, b"");
    assert!(syn.is_new && !syn.established);
    assert_eq!(state(&bench, syn.flow), TcpState::SynSent);
    let synack = bench.tcp(&talk, ToClient, SYN | ACK, -1, 0, b"");
    assert_eq!((synack.side, synack.is_new), (ToClient, false));
    assert_eq!(state(&bench, syn.flow), TcpState::SynRecv);
    assert!(bench.tcp(&talk, ToServer, ACK, 0, 0, b"").established);
    assert_eq!(state(&bench, syn.flow), TcpState::Established);
    bench.tcp(&talk, ToServer, FIN | ACK, 0, 0, b"");
    assert_eq!(state(&bench, syn.flow), TcpState::CloseWait);
    bench.tcp(&talk, ToClient, FIN | ACK, 0, 1, b"");
    assert_eq!(state(&bench, syn.flow), TcpState::LastAck);
    let last = bench.tcp(&talk, ToServer, ACK, 1, 1, b"");
    assert!(last.closed_now && last.events.is_empty());
    assert_eq!(state(&bench, syn.flow), TcpState::Closed);
    assert_eq!(bench.table.flow(syn.flow).tcp.flags(), SYN | ACK | FIN);
    assert_eq!(bench.table.flow(syn.flow).peer(ToClient).max_regions, 1);
}

#[test]
fn the_server_may_close_first() {
    let mut bench = Bench::plain();
    let talk = Talk::default();
    let flow = bench.shake(&talk);
    let steps = [
        (ToClient, FIN | ACK, 0, 0, TcpState::FinWait1),
        (ToServer, ACK, 0, 1, TcpState::FinWait2),
        (ToServer, FIN | ACK, 0, 1, TcpState::TimeWait),
        (ToClient, ACK, 1, 1, TcpState::Closed),
    ];
    for (side, flags, seq, ack, wanted) in steps {
        let turn = bench.tcp(&talk, side, flags, seq, ack, b"");
        assert_eq!((state(&bench, flow), names(&turn)), (wanted, vec![]), "{wanted:?}");
    }
}

#[test]
fn data_goes_on_after_one_side_closed() {
    let mut bench = Bench::plain();
    let talk = Talk::default();
    let flow = bench.shake(&talk);
    bench.tcp(&talk, ToClient, FIN | ACK, 0, 0, b"");
    bench.tcp(&talk, ToServer, PSH | ACK, 0, 1, b"late");
    bench.tcp(&talk, ToClient, ACK, 1, 4, b"");
    assert_eq!(bench.text(flow, ToServer), "late");
}

#[test]
fn odd_openings_are_named() {
    let talk = Talk::default();
    let cases: &[(Side, u8, i64, i64, &str)] = &[
        (ToClient, SYN | ACK, -1, 5, "3whs_synack_with_wrong_ack"),
        (ToServer, SYN | ACK, -1, 0, "3whs_synack_in_wrong_direction"),
    ];
    for (side, flags, seq, ack, wanted) in cases {
        let mut bench = Bench::plain();
        bench.tcp(&talk, ToServer, SYN, -1, 0, b"");
        let turn = bench.tcp(&talk, *side, *flags, *seq, *ack, b"");
        assert_eq!((names(&turn), turn.invalid), (vec![*wanted], true));
    }
    let cases: &[(Side, u8, i64, i64, &str)] = &[
        (ToServer, SYN | ACK, -1, 0, "3whs_synack_toserver_on_syn_recv"),
        (ToClient, SYN | ACK, -1, 9, "3whs_synack_resend_with_different_ack"),
        (ToClient, SYN, -1, 0, "3whs_syn_toclient_on_syn_recv"),
        (ToServer, SYN, 7, 0, "3whs_syn_resend_diff_seq_on_syn_recv"),
        (ToServer, ACK, 0, 70, "3whs_right_seq_wrong_ack_evasion"),
        (ToServer, ACK, -50, 70, "3whs_wrong_seq_wrong_ack"),
    ];
    for (side, flags, seq, ack, wanted) in cases {
        let mut bench = Bench::plain();
        bench.tcp(&talk, ToServer, SYN, -1, 0, b"");
        bench.tcp(&talk, ToClient, SYN | ACK, -1, 0, b"");
        let turn = bench.tcp(&talk, *side, *flags, *seq, *ack, b"");
        assert_eq!(names(&turn), [*wanted]);
    }
}

#[test]
fn odd_packets_on_an_established_connection_are_named() {
    let talk = Talk::default();
    type Case = (Side, u8, i64, i64, &'static [u8], &'static [&'static str]);
    let cases: &[Case] = &[
        (ToServer, SYN, -1, 0, b"", &["est_syn_resend"]),
        (ToServer, SYN, 5, 0, b"", &["est_syn_resend_diff_seq"]),
        (ToClient, SYN, -1, 0, b"", &["est_syn_toclient"]),
        (ToServer, SYN | ACK, -1, 0, b"", &["est_synack_toserver"]),
        (ToClient, SYN | ACK, -1, 4, b"", &["est_synack_resend_with_different_ack"]),
        (ToClient, SYN | ACK, 4, 0, b"", &["est_synack_resend_with_diff_seq"]),
        (ToServer, ACK, 0, 70_000, b"", &["pkt_invalid_ack", "est_invalid_ack"]),
        (ToServer, PSH | ACK, 70_000, 0, b"x", &["est_packet_out_of_window"]),
        (ToServer, FIN | ACK, 70_000, 0, b"", &["fin_out_of_window"]),
        (ToServer, FIN | SYN | ACK, 0, 0, b"", &["fin_syn"]),
    ];
    for (side, flags, seq, ack, payload, wanted) in cases {
        let mut bench = Bench::plain();
        bench.shake(&talk);
        let turn = bench.tcp(&talk, *side, *flags, *seq, *ack, payload);
        assert_eq!(names(&turn), *wanted);
        assert!(turn.invalid);
    }
}

#[test]
fn no_session_is_said_and_nothing_delivered() {
    let mut bench = Bench::plain();
    let talk = Talk::default();
    assert_eq!(names(&bench.tcp(&talk, ToServer, RST, 0, 0, b"")), ["rst_but_no_session"]);
    assert_eq!(names(&bench.tcp(&talk, ToServer, FIN | ACK, 0, 0, b"")), ["fin_but_no_session"]);
    let turn = bench.says(&talk, 0, b"data");
    assert_eq!((turn.readable, turn.established), ([false; 2], false));
    bench.ack(&talk, 4);
    assert_eq!(bench.read(turn.flow), []);
    assert_eq!(bench.table.counters().lost_untracked, 4);
    bench.finish();
}

#[test]
fn midstream_sessions_are_picked_up_both_ways() {
    let settings = Settings { midstream: true, memory: 4 << 20, ..Settings::default() };
    let mut bench = Bench::new(&settings);
    let talk = Talk::default();
    let flow = bench.says(&talk, 100, b"get").flow;
    bench.tcp(&talk, ToClient, PSH | ACK, 0, 103, b"answer");
    bench.tcp(&talk, ToServer, ACK, 103, 6, b"");
    assert!(bench.table.flow(flow).tcp.is_midstream());
    let seen = bench.read(flow);
    assert_eq!(seen.iter().map(|s| s.data.as_slice()).collect::<Vec<_>>(), [&b"get"[..], b"answer"]);
    bench.finish();
}

#[test]
fn a_loss_right_after_the_pick_up_does_not_end_it() {
    let settings = Settings { midstream: true, memory: 4 << 20, ..Settings::default() };
    let mut bench = Bench::new(&settings);
    let talk = Talk::default();
    let flow = bench.says(&talk, 100, b"get").flow;
    // Sixteen bytes of the server were lost, the client has them.
    assert!(!bench.tcp(&talk, ToServer, PSH | ACK, 103, 16, b"next").invalid);
    assert!(!bench.tcp(&talk, ToClient, PSH | ACK, 16, 107, b"answer").invalid);
    bench.tcp(&talk, ToServer, ACK, 107, 22, b"");
    assert_eq!(bench.text(flow, ToServer), "getnext");
    let c = bench.table.counters();
    assert_eq!((c.tcp_gap_bytes, c.delivered), (16, 13));
    bench.finish();
}

#[test]
fn a_midstream_syn_ack_turns_the_flow_round() {
    let settings = Settings { midstream: true, memory: 4 << 20, ..Settings::default() };
    let mut bench = Bench::new(&settings);
    let talk = Talk::default();
    let turn = bench.tcp(&talk, ToClient, SYN | ACK, -1, 0, b"");
    assert_eq!(turn.side, ToClient);
    let flow = bench.table.flow(turn.flow);
    assert_eq!((flow.key.src_port, flow.packets), (40_000, [0, 1]));
    bench.tcp(&talk, ToServer, ACK, 0, 0, b"");
    bench.says(&talk, 0, b"get");
    bench.ack(&talk, 3);
    assert_eq!(bench.text(turn.flow, ToServer), "get");
}

#[test]
fn one_side_alone_is_followed_when_asked_for() {
    for side in Side::BOTH {
        let settings =
            Settings { async_oneside: true, midstream: true, memory: 4 << 20, ..Settings::default() };
        let mut bench = Bench::new(&settings);
        let talk = Talk::default();
        let flags = if side == ToServer { SYN } else { SYN | ACK };
        let flow = bench.tcp(&talk, side, flags, -1, 0, b"").flow;
        bench.tcp(&talk, side, ACK, 0, 0, b"");
        let turn = bench.tcp(&talk, side, PSH | ACK, 0, 0, b"one");
        assert!(turn.readable[side.index()], "{side:?}");
        bench.tcp(&talk, side, PSH | ACK, 3, 50, b"two");
        assert_eq!(bench.text(flow, side), "onetwo");
        bench.finish();
    }
}

#[test]
fn simultaneous_open() {
    let mut bench = Bench::plain();
    let talk = Talk::default();
    let flow = bench.tcp(&talk, ToServer, SYN, -1, 0, b"").flow;
    bench.tcp(&talk, ToClient, SYN, -1, 0, b"");
    assert_eq!(names(&bench.tcp(&talk, ToServer, SYN | ACK, -1, 0, b"")), [""; 0]);
    assert_eq!(names(&bench.tcp(&talk, ToClient, ACK, 0, 0, b"")), [""; 0]);
    assert_eq!(state(&bench, flow), TcpState::Established);
    bench.says(&talk, 0, b"hi");
    bench.ack(&talk, 2);
    assert_eq!(bench.text(flow, ToServer), "hi");

    let mut bench = Bench::plain();
    bench.tcp(&talk, ToServer, SYN, -1, 0, b"");
    bench.tcp(&talk, ToClient, SYN, -1, 0, b"");
    let turn = bench.tcp(&talk, ToServer, SYN | ACK, -1, 40, b"");
    assert_eq!(names(&turn), ["4whs_synack_with_wrong_ack"]);
}

#[test]
fn fast_open_data_is_read_or_its_loss_said() {
    let mut bench = Bench::plain();
    let talk = Talk::default();
    let syn = with(talk.packet(ToServer, SYN, -1, 0, b"early"), |t| t.fast_open = true);
    let flow = bench.send(&syn, b"early").unwrap().flow;
    bench.tcp(&talk, ToClient, SYN | ACK, -1, 5, b"");
    bench.tcp(&talk, ToServer, PSH | ACK, 5, 0, b"more");
    bench.ack(&talk, 9);
    assert_eq!(bench.text(flow, ToServer), "earlymore");

    let mut bench = Bench::plain();
    bench.send(&syn, b"early").unwrap();
    let turn = bench.tcp(&talk, ToClient, SYN | ACK, -1, 0, b"");
    assert_eq!(names(&turn), ["3whs_synack_tfo_data_ignored"]);
}

#[test]
fn several_syn_acks_are_remembered_and_the_ack_chooses() {
    let mut bench = Bench::plain();
    let talk = Talk::default();
    let flow = bench.tcp(&talk, ToServer, SYN, -1, 0, b"").flow;
    bench.tcp(&talk, ToClient, SYN | ACK, -1, 0, b"");
    let other = Talk { first: [1_000, 70_000], ..talk };
    bench.tcp(&other, ToClient, SYN | ACK, -1, 0, b"");
    bench.tcp(&other, ToServer, ACK, 0, 0, b"");
    assert_eq!(state(&bench, flow), TcpState::Established);
    assert_eq!(bench.table.flow(flow).peer(ToClient).isn, 70_000);
}

#[test]
fn too_many_syn_acks_are_a_flood() {
    let mut bench = Bench::plain();
    let talk = Talk::default();
    bench.tcp(&talk, ToServer, SYN, -1, 0, b"");
    let mut said = Vec::new();
    for n in 0..8 {
        let other = Talk { first: [1_000, 70_000 + n * 1_000], ..talk };
        said.push(names(&bench.tcp(&other, ToClient, SYN | ACK, -1, 0, b"")));
    }
    // The first makes the session, five are remembered.
    assert_eq!(said.iter().filter(|s| s.contains(&"3whs_synack_flood")).count(), 2);
}

#[test]
fn window_scaling_counts() {
    let mut bench = Bench::plain();
    let talk = Talk { window: 1_000, ..Talk::default() };
    let syn = with(talk.packet(ToServer, SYN, -1, 0, b""), |t| t.wscale = Some(2));
    let synack = with(talk.packet(ToClient, SYN | ACK, -1, 0, b""), |t| t.wscale = Some(4));
    let flow = bench.send(&syn, b"").unwrap().flow;
    bench.send(&synack, b"").unwrap();
    bench.tcp(&talk, ToServer, ACK, 0, 0, b"");
    bench.ack(&talk, 0);
    assert_eq!(bench.table.flow(flow).peer(ToServer).window, 16_000);
    assert_eq!(names(&bench.says(&talk, 15_000, b"in")), [""; 0]);
    assert_eq!(names(&bench.says(&talk, 17_000, b"out")), ["est_packet_out_of_window"]);
    assert_eq!(bench.table.counters().lost_window, 3);
}

fn stamped(talk: &Talk, side: Side, flags: u8, seq: i64, stamp: (u32, u32), payload: &[u8]) -> Packet {
    with(talk.packet(side, flags, seq, 0, payload), |t| t.timestamp = Some(stamp))
}

fn stamped_bench(policy: Policy, first: u32) -> (Bench, Talk) {
    // Flows that outlive the rule of 24 days.
    let mut timeouts = Timeouts::NORMAL;
    timeouts.tcp.established = u32::MAX;
    let mut bench = Bench::new(&Settings { policy, timeouts, memory: 4 << 20, ..Settings::default() });
    let talk = Talk::default();
    bench.send(&stamped(&talk, ToServer, SYN, -1, (first, 0), b""), b"").unwrap();
    bench.send(&stamped(&talk, ToClient, SYN | ACK, -1, (500, first), b""), b"").unwrap();
    bench.send(&stamped(&talk, ToServer, ACK, 0, (first, 500), b""), b"").unwrap();
    (bench, talk)
}

#[test]
fn timestamps_that_go_back_are_refused_by_stack() {
    for (policy, back, refused) in [
        (Policy::Windows, 1, true),
        (Policy::Linux, 1, false),
        (Policy::Linux, 2, true),
        (Policy::Bsd, 1, true),
    ] {
        let (mut bench, talk) = stamped_bench(policy, 100);
        let packet = stamped(&talk, ToServer, PSH | ACK, 0, (100 - back, 500), b"x");
        let turn = bench.send(&packet, b"x").unwrap();
        assert_eq!(names(&turn).contains(&"pkt_invalid_timestamp"), refused, "{policy:?} {back}");
    }
}

#[test]
fn a_zero_timestamp_is_taken_by_some_stacks() {
    for policy in Policy::ALL {
        let (mut bench, talk) = stamped_bench(policy, 0xffff_ff00);
        // Zero comes after the largest ones.
        let packet = stamped(&talk, ToServer, PSH | ACK, 0, (0, 500), b"x");
        let refused = names(&bench.send(&packet, b"x").unwrap()).contains(&"pkt_invalid_timestamp");
        let takes = [Policy::OldLinux, Policy::Windows, Policy::Windows2k3, Policy::Vista, Policy::Solaris];
        assert_eq!(refused, !takes.contains(&policy), "{policy:?}");
    }
}

#[test]
fn an_old_timestamp_holds_no_longer_than_24_days() {
    let days = |n: u64| std::time::Duration::from_secs(n * 24 * 3_600);
    for (after, refused) in [(23, true), (25, false)] {
        let (mut bench, talk) = stamped_bench(Policy::Windows, 1_000);
        bench.now = bench.now.plus(days(after));
        let packet = stamped(&talk, ToServer, PSH | ACK, 0, (1, 500), b"x");
        let turn = bench.send(&packet, b"x").unwrap();
        assert_eq!((turn.is_new, turn.invalid), (false, refused), "{after} days");
    }
}

#[test]
fn a_wrong_echo_in_the_syn_ack_is_refused() {
    let mut bench = Bench::plain();
    let talk = Talk::default();
    bench.send(&stamped(&talk, ToServer, SYN, -1, (100, 0), b""), b"").unwrap();
    let turn = bench.send(&stamped(&talk, ToClient, SYN | ACK, -1, (500, 77), b""), b"").unwrap();
    assert_eq!(names(&turn), ["pkt_invalid_timestamp"]);
    // A repeated SYN with another timestamp; the answer to the first one is still good.
    bench.send(&stamped(&talk, ToServer, SYN, -1, (200, 0), b""), b"").unwrap();
    let turn = bench.send(&stamped(&talk, ToClient, SYN | ACK, -1, (500, 100), b""), b"").unwrap();
    assert_eq!(names(&turn), [""; 0]);
}

#[test]
fn a_reset_is_valid_by_stack() {
    for (policy, seq, valid) in [
        (Policy::Windows, 0, true),
        (Policy::Windows, 10, false),
        (Policy::Linux, 10, true),
        (Policy::Linux, -10, false),
        (Policy::Linux, 200_000, false),
        (Policy::Hpux11, 200_000, true),
        (Policy::Hpux11, -1, false),
    ] {
        let mut bench = Bench::new(&Settings { policy, memory: 4 << 20, ..Settings::default() });
        let talk = Talk::default();
        bench.shake(&talk);
        let turn = bench.tcp(&talk, ToServer, RST, seq, 0, b"");
        assert_eq!(turn.closed_now, valid, "{policy:?} {seq}");
    }
}

#[test]
fn a_signed_reset_that_is_ignored_was_injected() {
    let mut bench = Bench::plain();
    let talk = Talk::default();
    let flow = bench.shake(&talk);
    let packet = with(talk.packet(ToServer, RST, 0, 0, b""), |t| t.signed = true);
    assert!(bench.send(&packet, b"").unwrap().closed_now);
    let turn = bench.says(&talk, 0, b"still here");
    assert_eq!(names(&turn), ["suspected_rst_inject"]);
    assert_eq!(state(&bench, flow), TcpState::Established);
    bench.ack(&talk, 10);
    assert_eq!(bench.text(flow, ToServer), "still here");
}

#[test]
fn keepalives_and_probes_bring_nothing() {
    let mut bench = Bench::plain();
    let talk = Talk::default();
    let flow = bench.shake(&talk);
    bench.says(&talk, 0, b"abc");
    bench.ack(&talk, 3);
    let keepalive = bench.tcp(&talk, ToServer, ACK, 2, 0, b"c");
    assert!(!keepalive.invalid && keepalive.events.is_empty());
    bench.ack(&talk, 3);
    assert_eq!(bench.text(flow, ToServer), "abc");
    // The server's window closes, one byte goes out all the same.
    let closed = Talk { window: 0, ..talk };
    bench.tcp(&closed, ToClient, ACK, 0, 3, b"");
    assert!(!bench.says(&talk, 3, b"d").invalid);
    bench.tcp(&closed, ToClient, ACK, 0, 3, b"");
    bench.tcp(&talk, ToClient, ACK, 0, 3, b"");
    bench.says(&talk, 3, b"def");
    bench.ack(&talk, 6);
    assert_eq!(bench.text(flow, ToServer), "def");
    let c = bench.table.counters();
    assert_eq!((c.tcp_keepalive, c.tcp_probe), (1, 1));
    bench.finish();
}

#[test]
fn a_wrong_checksum_moves_nothing() {
    let mut bench = Bench::plain();
    let talk = Talk::default();
    let flow = bench.shake(&talk);
    let mut packet = talk.packet(ToServer, PSH | ACK, 0, 0, b"evil");
    packet.bad_checksum = true;
    assert!(bench.send(&packet, b"evil").unwrap().invalid);
    bench.says(&talk, 0, b"good");
    bench.ack(&talk, 4);
    assert_eq!(bench.text(flow, ToServer), "good");
    assert_eq!(bench.table.counters().lost_checksum, 4);
    bench.finish();
}

#[test]
fn a_lost_last_ack_of_the_handshake_does_not_matter() {
    let mut bench = Bench::plain();
    let talk = Talk::default();
    let flow = bench.tcp(&talk, ToServer, SYN, -1, 0, b"").flow;
    bench.tcp(&talk, ToClient, SYN | ACK, -1, 0, b"");
    bench.tcp(&talk, ToClient, PSH | ACK, 0, 0, b"banner");
    bench.tcp(&talk, ToServer, ACK, 0, 6, b"");
    assert_eq!(bench.text(flow, ToClient), "banner");
}

#[test]
fn a_closed_connection_stays_closed() {
    let mut bench = Bench::plain();
    let talk = Talk::default();
    let flow = bench.shake(&talk);
    assert!(close(&mut bench, &talk, 0).closed_now);
    let again = bench.tcp(&talk, ToServer, ACK, 1, 1, b"");
    assert!(!again.closed_now);
    assert_eq!(state(&bench, flow), TcpState::Closed);
}
