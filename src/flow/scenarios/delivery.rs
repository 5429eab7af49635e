//! What a reader is shown, and when.

use super::{Bench, Dice, Seen, Talk, close, names, reset};
use crate::{Settings, Side, UrgentPolicy};
use decode::Transport;
use decode::tcp_flags::{ACK, FIN, PSH, URG};

fn bytes(n: usize) -> Vec<u8> {
    (0..n).map(|i| (i * 7 + i / 251) as u8).collect()
}

#[test]
fn data_waits_for_its_acknowledgment() {
    let mut bench = Bench::plain();
    let talk = Talk::default();
    let flow = bench.shake(&talk);
    assert_eq!(bench.says(&talk, 0, b"hello").readable, [false, false]);
    assert_eq!(bench.read(flow), []);
    assert_eq!(bench.ack(&talk, 3).readable, [true, false]);
    let seen = bench.read(flow);
    assert_eq!((seen[0].offset, seen[0].data.as_slice()), (0, &b"hel"[..]));
    bench.ack(&talk, 5);
    let seen = bench.read(flow);
    assert_eq!((seen[0].offset, seen[0].data.as_slice()), (3, &b"lo"[..]));
    bench.finish();
}

#[test]
fn inline_does_not_wait() {
    let mut bench = Bench::new(&Settings { inline: true, memory: 4 << 20, ..Settings::default() });
    let talk = Talk::default();
    let flow = bench.shake(&talk);
    assert_eq!(bench.says(&talk, 0, b"hello").readable, [true, false]);
    assert_eq!(bench.text(flow, Side::ToServer), "hello");
}

#[test]
fn what_is_not_eaten_is_shown_again_with_more() {
    let mut bench = Bench::plain();
    let talk = Talk::default();
    let flow = bench.shake(&talk);
    bench.says(&talk, 0, b"abc");
    bench.ack(&talk, 3);
    assert_eq!(bench.table.readable(flow, Side::ToServer).unwrap().0.data, b"abc");
    assert!(bench.table.readable(flow, Side::ToServer).is_none());
    bench.table.eaten(flow, Side::ToServer, 1);
    assert_eq!(bench.table.readable(flow, Side::ToServer).unwrap().0.data, b"bc");
    bench.table.want(flow, Side::ToServer, 5);
    bench.says(&talk, 3, b"de");
    assert_eq!(bench.ack(&talk, 5).readable, [false, false]);
    bench.says(&talk, 5, b"fg");
    assert_eq!(bench.ack(&talk, 7).readable, [true, false]);
    let (chunk, _) = bench.table.readable(flow, Side::ToServer).unwrap();
    assert_eq!((chunk.offset, chunk.data), (1, &b"bcdefg"[..]));
    bench.finish();
}

#[test]
fn skipped_bytes_are_not_stored_and_leave_no_gap() {
    let mut bench = Bench::plain();
    let talk = Talk::default();
    let flow = bench.shake(&talk);
    bench.says(&talk, 0, b"headBO");
    bench.ack(&talk, 6);
    assert!(bench.table.readable(flow, Side::ToServer).is_some());
    bench.table.skip(flow, Side::ToServer, 6);
    bench.says(&talk, 6, b"DYDYD");
    assert_eq!(bench.table.memory().stored, 0);
    // One byte of the skipped ones is lost for ever.
    bench.says(&talk, 12, b"next");
    bench.ack(&talk, 16);
    assert_eq!(bench.text(flow, Side::ToServer), "next");
    let c = bench.table.counters();
    assert_eq!((c.delivered, c.skipped, c.tcp_gaps), (10, 5, 0));
    bench.finish();
}

#[test]
fn skipping_drops_what_is_stored_ahead() {
    let mut bench = Bench::plain();
    let talk = Talk::default();
    let flow = bench.shake(&talk);
    bench.says(&talk, 0, b"abcdef");
    bench.says(&talk, 8, b"ijklmn");
    bench.ack(&talk, 2);
    bench.table.readable(flow, Side::ToServer);
    bench.table.skip(flow, Side::ToServer, 9);
    assert_eq!(bench.table.memory().stored, 3);
    bench.ack(&talk, 14);
    assert_eq!(bench.text(flow, Side::ToServer), "lmn");
    bench.finish();
}

#[test]
fn a_stopped_side_costs_nothing() {
    let mut bench = Bench::plain();
    let talk = Talk::default();
    let flow = bench.shake(&talk);
    bench.says(&talk, 0, b"abc");
    bench.table.stop(flow, Side::ToServer);
    bench.says(&talk, 3, b"def");
    assert_eq!(bench.ack(&talk, 6).readable, [false, false]);
    assert_eq!(bench.table.memory().stored, 0);
    assert_eq!(bench.table.counters().skipped, 6);
    bench.finish();
}

#[test]
fn a_gap_is_told_once_and_reading_goes_on() {
    let mut bench = Bench::plain();
    let talk = Talk::default();
    let flow = bench.shake(&talk);
    bench.says(&talk, 0, b"abc");
    bench.says(&talk, 5, b"fgh");
    assert_eq!(names(&bench.ack(&talk, 8)), ["reassembly_seq_gap"]);
    let seen = bench.read(flow);
    let plain = |s: &Seen| (s.offset, s.gap, s.data.clone());
    assert_eq!(
        seen.iter().map(plain).collect::<Vec<_>>(),
        [(0, 0, b"abc".to_vec()), (5, 2, b"fgh".to_vec())]
    );
    assert!(bench.table.flow(flow).peer(Side::ToServer).gap());
    assert_eq!(bench.table.counters().tcp_gap_bytes, 2);
    // Too late.
    assert_eq!(
        names(&bench.says(&talk, 3, b"de")),
        ["pkt_spurious_retransmission", "est_pkt_before_last_ack"]
    );
    bench.finish();
}

#[test]
fn a_reader_that_waits_is_told_of_the_gap_all_the_same() {
    let mut bench = Bench::plain();
    let talk = Talk::default();
    let flow = bench.shake(&talk);
    bench.says(&talk, 0, b"abc");
    bench.ack(&talk, 3);
    bench.table.readable(flow, Side::ToServer);
    bench.table.want(flow, Side::ToServer, 100);
    bench.says(&talk, 6, b"ghi");
    bench.ack(&talk, 9);
    let (chunk, _) = bench.table.readable(flow, Side::ToServer).unwrap();
    assert_eq!((chunk.data, chunk.gap), (&b"abc"[..], 0));
    let (chunk, _) = bench.table.readable(flow, Side::ToServer).unwrap();
    assert_eq!((chunk.offset, chunk.data, chunk.gap), (6, &b"ghi"[..], 3));
    bench.check_ledger();
    bench.finish();
}

#[test]
fn flushing_shows_what_was_never_acknowledged() {
    let mut bench = Bench::plain();
    let talk = Talk::default();
    bench.shake(&talk);
    bench.says(&talk, 0, b"abc");
    bench.says(&talk, 5, b"f");
    let seen = bench.finish();
    assert_eq!(seen.len(), 2);
    assert_eq!((seen[0].data.as_slice(), seen[0].last), (&b"abc"[..], false));
    assert_eq!((seen[1].data.as_slice(), seen[1].gap, seen[1].last), (&b"f"[..], 2, true));
}

#[test]
fn the_last_chunk_says_so_when_the_connection_is_closed() {
    let mut bench = Bench::plain();
    let talk = Talk::default();
    let flow = bench.shake(&talk);
    bench.says(&talk, 0, b"bye");
    assert!(close(&mut bench, &talk, 3).closed_now);
    let seen = bench.read(flow);
    assert_eq!((seen[0].data.as_slice(), seen[0].last), (&b"bye"[..], true));
    assert_eq!(bench.table.flow(flow).tcp.state.name(), Some("closed"));
    assert_eq!(bench.finish(), []);
}

#[test]
fn a_reset_settles_what_its_sender_sent() {
    let mut bench = Bench::plain();
    let talk = Talk::default();
    let flow = bench.shake(&talk);
    bench.says(&talk, 0, b"bye");
    let turn = reset(&mut bench, &talk, 3);
    assert!(turn.closed_now && turn.readable[0]);
    let seen = bench.read(flow);
    assert_eq!((seen[0].data.as_slice(), seen[0].last), (&b"bye"[..], true));
    assert!(bench.table.flow(flow).tcp.is_reset());
}

#[test]
fn sequence_numbers_wrap() {
    let mut bench = Bench::plain();
    let talk = Talk { first: [u32::MAX - 5, u32::MAX], ..Talk::default() };
    let flow = bench.shake(&talk);
    for (at, part) in [(0, "abcd"), (4, "efgh"), (12, "mnop"), (8, "ijkl")] {
        bench.says(&talk, at, part.as_bytes());
    }
    bench.ack(&talk, 16);
    assert_eq!(bench.text(flow, Side::ToServer), "abcdefghijklmnop");
    bench.finish();
}

#[test]
fn one_byte_segments_in_any_order_are_the_same_stream() {
    let data = bytes(600);
    for seed in 1..20 {
        let mut bench = Bench::plain();
        let talk = Talk { first: [u32::MAX - 300, 5], ..Talk::default() };
        let flow = bench.shake(&talk);
        let mut order: Vec<usize> = (0..data.len()).collect();
        // Close to order, as a network shuffles: full disorder would exceed the pieces.
        let mut dice = Dice(seed);
        order.chunks_mut(50).for_each(|c| dice.shuffle(c));
        for at in order {
            bench.says(&talk, at as i64, &data[at..=at]);
        }
        bench.ack(&talk, 600);
        let seen = bench.read(flow);
        assert_eq!(seen.len(), 1);
        assert!(seen[0].data == data, "seed {seed}");
        bench.finish();
    }
}

#[test]
fn shuffled_segments_are_the_same_stream_as_ordered_ones() {
    let data = bytes(50_000);
    for seed in 1..30 {
        let mut dice = Dice(seed * 77);
        let mut parts = Vec::new();
        let mut at = 0;
        while at < data.len() {
            let n = (1 + dice.below(1_400) as usize).min(data.len() - at);
            parts.push((at, n));
            // Some are sent twice, shifted.
            if dice.below(5) == 0 && at > 100 {
                parts.push((at - 100, n));
            }
            at += n;
        }
        dice.shuffle(&mut parts);
        let mut bench = Bench::plain();
        let talk = Talk { first: [u32::MAX - 10_000, 5], ..Talk::default() };
        let flow = bench.shake(&talk);
        for (at, n) in parts {
            bench.says(&talk, at as i64, &data[at..at + n]);
        }
        bench.ack(&talk, 50_000);
        let seen = bench.read(flow);
        assert!(seen.iter().flat_map(|s| s.data.clone()).eq(data.iter().copied()), "seed {seed}");
        bench.finish();
    }
}

#[test]
fn depth_ends_the_reading() {
    let mut bench = Bench::new(&Settings { depth: 10, memory: 4 << 20, ..Settings::default() });
    let talk = Talk::default();
    let flow = bench.shake(&talk);
    bench.says(&talk, 0, b"01234567");
    assert_eq!(names(&bench.says(&talk, 8, b"89ABCD")), ["reassembly_depth_reached"]);
    assert_eq!(names(&bench.says(&talk, 14, b"EFGH")), [""; 0]);
    bench.ack(&talk, 18);
    let seen = bench.read(flow);
    assert_eq!(seen.len(), 1);
    assert_eq!((seen[0].data.as_slice(), seen[0].last, seen[0].truncated), (&b"0123456789"[..], true, true));
    assert_eq!(bench.table.counters().depth, 8);
    bench.finish();
}

#[test]
fn a_flow_may_have_its_own_depth() {
    let mut bench = Bench::new(&Settings { depth: 4, memory: 4 << 20, ..Settings::default() });
    let talk = Talk::default();
    let flow = bench.shake(&talk);
    bench.table.set_depth(flow, Side::ToServer, None);
    bench.says(&talk, 0, b"01234567");
    bench.ack(&talk, 8);
    assert_eq!(bench.text(flow, Side::ToServer), "01234567");
    bench.table.set_depth(flow, Side::ToServer, Some(9));
    bench.says(&talk, 8, b"89");
    bench.ack(&talk, 10);
    assert_eq!(bench.text(flow, Side::ToServer), "8");
    bench.finish();
}

fn with_urgent(urgent: UrgentPolicy, limit: u16) -> (String, Bench) {
    let settings = Settings { urgent, urgent_limit: limit, memory: 4 << 20, ..Settings::default() };
    let mut bench = Bench::new(&settings);
    let talk = Talk::default();
    let flow = bench.shake(&talk);
    bench.says(&talk, 0, b"ab");
    let mut packet = talk.packet(Side::ToServer, PSH | ACK | URG, 2, 0, b"c!d");
    if let Transport::Tcp(tcp) = &mut packet.transport {
        tcp.urgent = 2;
    }
    bench.send(&packet, b"c!d").unwrap();
    // Sent again without the mark.
    bench.says(&talk, 2, b"c!def");
    bench.ack(&talk, 7);
    let text = bench.text(flow, Side::ToServer);
    (text, bench)
}

#[test]
fn urgent_bytes_go_by_policy() {
    for (policy, text) in [
        (UrgentPolicy::Oob, "abcdef"),
        (UrgentPolicy::Inline, "abc!def"),
        (UrgentPolicy::Drop, "abc!def"),
        (UrgentPolicy::Gap, "abc!def"),
    ] {
        let (seen, mut bench) = with_urgent(policy, 10);
        assert_eq!(seen, text, "{policy:?}");
        bench.finish();
    }
    let (seen, mut bench) = with_urgent(UrgentPolicy::Oob, 10);
    assert_eq!(seen, "abcdef");
    assert_eq!(bench.table.counters().tcp_urgent, 1);
    bench.finish();
}

#[test]
fn too_much_urgent_data_is_said() {
    let (_, bench) = with_urgent(UrgentPolicy::Oob, 0);
    assert_eq!(bench.table.counters().tcp_urgent, 0);
    assert_eq!(bench.table.counters().lost_urgent, 3);
}

#[test]
fn bytes_that_the_capture_lacks_become_a_gap() {
    let mut bench = Bench::plain();
    let talk = Talk::default();
    let flow = bench.shake(&talk);
    let mut packet = talk.packet(Side::ToServer, PSH | ACK, 0, 0, b"abc");
    packet.missing = 4;
    bench.send(&packet, b"abc").unwrap();
    bench.says(&talk, 7, b"h");
    bench.ack(&talk, 8);
    assert_eq!(bench.text(flow, Side::ToServer), "abc????h");
}

#[test]
fn data_with_the_fin_is_read() {
    let mut bench = Bench::plain();
    let talk = Talk::default();
    let flow = bench.shake(&talk);
    bench.tcp(&talk, Side::ToServer, FIN | PSH | ACK, 0, 0, b"all");
    bench.ack(&talk, 4);
    assert_eq!(bench.text(flow, Side::ToServer), "all");
    assert_eq!(bench.table.flow(flow).tcp.state.name(), Some("close_wait"));
    bench.finish();
}

#[test]
fn bytes_that_a_mirror_cut_off_are_a_gap_and_nothing_odd() {
    for mirrored in [false, true] {
        let (mut bench, talk) = (Bench::plain(), Talk::default());
        let flow = bench.shake(&talk);
        for seq in [0, 10] {
            let mut packet = talk.packet(Side::ToServer, PSH | ACK, seq, 0, b"abc");
            (packet.missing, packet.mirrored) = (7, mirrored);
            assert_eq!(names(&bench.send(&packet, b"abc").expect("a flow")), [""; 0]);
        }
        let mut ack = talk.packet(Side::ToClient, ACK, 0, 20, b"");
        ack.mirrored = mirrored;
        let odd = names(&bench.send(&ack, b"").expect("a flow"));
        assert_eq!(odd.is_empty(), mirrored, "{odd:?}");
        assert_eq!(bench.text(flow, Side::ToServer), "abc???????abc");
        bench.finish();
    }
}
