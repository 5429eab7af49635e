//! What each fault does to the mailbox, the registers, the vectors and resets.

use std::time::Duration;

use avf::register::{Absent, Register, ResetState};
use avf::virtchnl::{Opcode, Status};

use super::{Bench, MS, VERSION, model_with, version_reply};
use crate::{Note, Reset};

fn bench(plan: &str) -> Bench {
    Bench::open(model_with(plan))
}

fn ask(bench: &mut Bench) -> Vec<super::Message> {
    bench.call(Opcode::VERSION, &VERSION)
}

#[test]
fn a_request_may_be_lost_late_twice_or_garbled() {
    let mut lost = bench("request 1: drop");
    assert_eq!(ask(&mut lost), []);
    assert_eq!(ask(&mut lost), [version_reply()], "once");
    let mut late = bench("request 1: delay 5ms");
    assert_eq!(ask(&mut late), []);
    late.pass(5 * MS);
    assert_eq!(late.hear_all(), [version_reply()]);
    assert_eq!(ask(&mut bench("request 1: duplicate")), [version_reply(), version_reply()]);
    let garbled = ask(&mut bench("request 1: wrong-length -1"));
    assert_eq!(garbled, [(Opcode::VERSION, Status(-5), vec![])]);
}

#[test]
fn a_wedged_send_ring_takes_nothing_until_a_reset() {
    let mut bench = bench("request 1: never-complete");
    assert_eq!(ask(&mut bench), []);
    assert_eq!(ask(&mut bench), []);
    assert_eq!(bench.read(Register::AtqHead), 0);
    bench.model().reset(Reset::Pf);
    bench.pass(30 * MS);
    bench.open_mailbox();
    assert_eq!(ask(&mut bench), [version_reply()]);
}

#[test]
fn a_reply_may_be_lost_late_twice_wrong_or_out_of_order() {
    assert_eq!(ask(&mut bench("reply 1: drop")), []);
    let mut late = bench("reply 1: delay 2s");
    assert_eq!(ask(&mut late), []);
    late.pass(2000 * MS);
    assert_eq!(late.hear_all(), [version_reply()]);
    assert_eq!(ask(&mut bench("reply 1: duplicate")).len(), 2);
    assert_eq!(ask(&mut bench("reply 1: wrong-status -64"))[0].1, Status(-64));
    assert_eq!(ask(&mut bench("reply 1: wrong-length 4"))[0].2.len(), 12);
    assert_eq!(ask(&mut bench("reply 1: wrong-length -99"))[0].2.len(), 0);
    let mut swapped = bench("reply 1: reorder");
    assert_eq!(ask(&mut swapped), []);
    let heard: Vec<Opcode> = swapped.call(Opcode(999), &[]).into_iter().map(|(op, ..)| op).collect();
    assert_eq!(heard, [Opcode(999), Opcode::VERSION]);
}

#[test]
fn a_reset_may_come_with_any_request() {
    for plan in [
        "request 1: reset",
        "reply 1: reset",
        "read 0x8000: reset",
        "write 0x8400: reset",
        "time after 500us: reset",
    ] {
        let mut bench = bench(plan);
        ask(&mut bench);
        bench.read(Register::ArqLen);
        assert_eq!(bench.model().tally().resets, 1, "{plan}");
        assert_eq!(ResetState::of(bench.read(Register::Rstat)), ResetState::IN_PROGRESS, "{plan}");
    }
}

#[test]
fn a_double_reset_comes_back_once_more() {
    let bench = bench("time after 1ms: double-reset");
    let mut states = Vec::new();
    for _ in 0..80 {
        bench.pass(MS);
        states.push(bench.read(Register::Rstat));
    }
    states.dedup();
    assert_eq!(states, [0, 2, 0, 2]);
}

#[test]
fn a_reset_may_be_followed_by_another_even_for_ever() {
    for (plan, resets) in [("reset: double-reset", 2), ("reset times 0: double-reset", 28)] {
        let bench = bench(plan);
        bench.model().reset(Reset::Pf);
        assert_eq!(bench.model().tally().resets, 1, "{plan}");
        // 30 ms each, and 5 ms between them
        bench.pass(979 * MS);
        assert_eq!(bench.model().tally().resets, resets, "{plan}");
    }
}

#[test]
fn a_reset_may_never_end_or_last() {
    let never = bench("reset: never-complete");
    never.model().reset(Reset::Pf);
    never.pass(100_000 * MS);
    assert_eq!(never.read(Register::Rstat), 0);
    assert_eq!(never.model().next_deadline(), None);
    let long = bench("reset: delay 1s");
    long.model().reset(Reset::Pf);
    long.pass(1029 * MS);
    assert_eq!(long.read(Register::Rstat), 0);
    long.pass(MS);
    assert_eq!(long.read(Register::Rstat), 2);
}

#[test]
fn registers_may_be_hidden_for_a_while() {
    for (plan, value) in
        [("read 0x8800: all-ones 5ms", Absent::ALL_ONES), ("read 0x8800: dead-beef 5ms", Absent::DEAD_BEEF)]
    {
        let bench = bench(plan);
        assert_eq!(bench.read(Register::Rstat), value);
        assert_eq!(bench.read(Register::ArqLen), value);
        bench.pass(5 * MS);
        assert_eq!(bench.read(Register::Rstat), 2);
    }
}

#[test]
fn a_function_may_disappear() {
    let mut bench = bench("reply 1: all-ones 0s");
    ask(&mut bench);
    bench.pass(10_000 * MS);
    assert_eq!(bench.read(Register::Rstat), Absent::ALL_ONES);
    assert!(bench.model().is_removed());
}

#[test]
fn a_written_register_may_not_hear() {
    let mut bench = bench("write 0x8400 nth 2: drop");
    ask(&mut bench);
    assert_eq!(bench.read(Register::AtqHead), 0, "the first was written when the ring was opened");
    assert_eq!(ask(&mut bench), [version_reply(), version_reply()]);
}

#[test]
fn a_signal_may_be_lost_late_or_twice() {
    let mut lost = bench("signal 0: lost-interrupt");
    ask(&mut lost);
    assert!(!lost.signalled(0));
    let mut late = bench("signal 0: delay 3ms");
    ask(&mut late);
    assert!(!late.signalled(0));
    late.pass(3 * MS);
    assert!(late.signalled(0));
    let mut twice = bench("signal 0: duplicate");
    ask(&mut twice);
    assert_eq!(twice.model().tally().signals[0], 2);
}

#[test]
fn the_link_may_flap() {
    let mut bench = bench("time after 10ms: flap 2ms");
    ask(&mut bench);
    bench.call(Opcode::GET_VF_RESOURCES, &0x000B_00E1_u32.to_le_bytes());
    bench.hear_all();
    bench.pass(20 * MS);
    let up: Vec<u8> = bench.hear_all().iter().map(|(_, _, event)| event[8]).collect();
    assert_eq!(up, [0, 1]);
}

#[test]
fn what_struck_is_noted_with_its_time() {
    let mut bench = bench("reply 1: drop");
    ask(&mut bench);
    let text = bench.model().notes.to_string();
    assert!(text.contains("0.000100 fault at Reply(1): drop"), "{text}");
    let model = bench.model();
    assert!(
        model
            .notes
            .iter()
            .any(|(at, note)| matches!(note, Note::Fault(..)) && *at == Duration::from_micros(100))
    );
}
