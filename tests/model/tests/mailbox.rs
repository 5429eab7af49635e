//! Section 12.3, and the mailbox's part of 12.11 item 3.

use std::time::Duration;

use avf::adminq::{Command, Descriptor, Flags, Retval};
use avf::register::{MailboxLen, Register};
use avf::virtchnl::{Opcode, Status};

use super::{Bench, MS, VERSION, model, version_reply};
use crate::{Latency, Model, Options, Persona};

#[test]
fn a_request_is_taken_at_once_and_answered_after_the_latency() {
    let mut bench = Bench::open(model());
    let at = bench.send(Opcode::VERSION, &VERSION);
    assert_eq!(bench.read(Register::AtqHead), 1);
    let done = bench.get(0, at);
    assert!(done.flags.contains(Flags::DD | Flags::CMP) && !done.flags.contains(Flags::ERR));
    assert_eq!((done.opcode, done.retval), (Opcode::VERSION, Retval::OK));
    bench.pass(Duration::from_micros(99));
    assert_eq!(bench.hear(), None);
    bench.pass(Duration::from_micros(1));
    assert_eq!(bench.hear(), Some(version_reply()));
    assert_eq!(bench.strays(), 0);
}

#[test]
fn a_message_says_what_it_is() {
    let mut bench = Bench::open(model());
    bench.send(Opcode::VERSION, &VERSION);
    bench.pass(MS);
    let message = bench.get(1, 0);
    assert_eq!(message.command, Command::SEND_TO_VF);
    assert_eq!((message.datalen, message.flags), (8, Flags::DD | Flags::CMP | Flags::BUF));
    assert_eq!(message.address, bench.buffers[1].address(), "the address stays");
}

#[test]
fn a_hundred_requests_go_round_the_rings() {
    let mut bench = Bench::open(model());
    for turn in 0..100 {
        assert_eq!(bench.call(Opcode::VERSION, &VERSION), [version_reply()], "turn {turn}");
    }
    assert_eq!(bench.read(Register::AtqHead), 100 % 32);
}

#[test]
fn answers_come_in_the_order_of_requests() {
    let mut bench = Bench::open(model());
    bench.send(Opcode::VERSION, &VERSION);
    bench.send(Opcode(999), &[]);
    bench.send(Opcode::VERSION, &VERSION);
    bench.pass(MS);
    let heard: Vec<Opcode> = bench.hear_all().into_iter().map(|(op, ..)| op).collect();
    assert_eq!(heard, [Opcode::VERSION, Opcode(999), Opcode::VERSION]);
}

#[test]
fn a_pf_may_never_answer() {
    let options = Options { latency: Latency::Never, ..Options::default() };
    let mut bench = Bench::open(Model::new(Persona::i40e(), options));
    bench.send(Opcode::VERSION, &VERSION);
    bench.pass(10_000 * MS);
    assert_eq!((bench.read(Register::AtqHead), bench.hear()), (1, None));
}

#[test]
fn what_the_transport_does_not_know_is_refused_by_it() {
    let mut bench = Bench::open(model());
    let strange = Descriptor { command: Command(0x0123), flags: Flags::SI, ..Descriptor::default() };
    let at = bench.send_descriptor(&strange);
    let done = bench.get(0, at);
    assert!(done.flags.contains(Flags::DD | Flags::ERR));
    assert_eq!((done.retval, bench.read(Register::AtqHead)), (Retval::ENOSYS, 1));
}

#[test]
fn rules_for_descriptors_are_enforced() {
    let mut bench = Bench::open(model());
    let address = bench.buffers[0].address();
    let good = Descriptor::message(Opcode::VERSION, 8, address);
    let cases = [
        (Descriptor { flags: good.flags - Flags::RD, ..good }, Retval::EINVAL),
        (Descriptor { flags: good.flags | Flags::LB, ..good }, Retval::EINVAL),
        (Descriptor { datalen: 600, ..good }, Retval::EINVAL),
        (Descriptor { datalen: 4097, flags: good.flags | Flags::LB, ..good }, Retval::E2BIG),
    ];
    for (descriptor, retval) in cases {
        let at = bench.send_descriptor(&descriptor);
        assert_eq!(bench.get(0, at).retval, retval, "{descriptor:?}");
    }
    bench.pass(MS);
    assert_eq!(bench.hear_all(), []);
}

#[test]
fn an_address_that_is_not_mapped_stops_the_ring_and_is_remembered() {
    let mut bench = Bench::open(model());
    bench.send_descriptor(&Descriptor::message(Opcode::VERSION, 8, 0x1000));
    assert!(MailboxLen(bench.read(Register::AtqLen)).critical());
    assert_eq!(bench.read(Register::AtqHead), 0);
    let strays = bench.model().memory.strays().to_vec();
    assert_eq!((strays.len(), strays[0].stray.address), (1, 0x1000));
    assert_eq!(strays[0].doing, "payload of a request");
}

#[test]
fn a_tail_outside_of_the_ring_is_an_error() {
    let bench = Bench::open(model());
    bench.write(Register::AtqTail, 32);
    assert!(MailboxLen(bench.read(Register::AtqLen)).critical());
}

#[test]
fn without_bus_mastering_nothing_moves() {
    let mut bench = Bench::open(model());
    device::Device::set_master(&mut bench.device, false).expect("off");
    bench.send(Opcode::VERSION, &VERSION);
    bench.pass(100 * MS);
    assert_eq!(bench.read(Register::AtqHead), 0);
    assert_eq!((bench.strays(), MailboxLen(bench.read(Register::AtqLen)).has_error()), (0, false));
}

#[test]
fn a_ring_that_is_off_takes_nothing() {
    let mut bench = Bench::closed(model());
    bench.send(Opcode::VERSION, &VERSION);
    bench.pass(MS);
    assert_eq!(bench.read(Register::AtqHead), 0);
}

#[test]
fn after_its_last_word_the_ring_stays_closed_until_it_is_opened_anew() {
    let mut bench = Bench::open(model());
    let at = bench.send_descriptor(&Descriptor::shutdown());
    assert!(bench.get(0, at).flags.contains(Flags::DD | Flags::CMP));
    bench.send(Opcode::VERSION, &VERSION);
    assert_eq!(bench.read(Register::AtqHead), 1);
    bench.write(Register::AtqLen, 0);
    bench.open_mailbox();
    assert_eq!(bench.call(Opcode::VERSION, &VERSION), [version_reply()]);
}

#[test]
fn messages_wait_for_buffers_and_overflow_after_sixty_four() {
    let mut bench = Bench::open(model());
    // 31 buffers are given; nobody gives them back
    for _ in 0..31 + 64 {
        bench.send(Opcode::VERSION, &VERSION);
        bench.pass(MS);
    }
    assert!(!MailboxLen(bench.read(Register::ArqLen)).overflow());
    bench.send(Opcode(999), &[]);
    bench.pass(MS);
    assert!(MailboxLen(bench.read(Register::ArqLen)).overflow());
    let heard = bench.hear_all();
    assert_eq!(heard, vec![version_reply(); 31 + 64], "the last one is lost, and it alone");
    bench.write(Register::ArqLen, 0x8000_0020);
    assert_eq!(bench.read(Register::ArqLen), 0x8000_0020, "cleared by writing it back");
}

#[test]
fn a_buffer_that_is_too_short_cuts_the_payload_and_tells_its_length() {
    let mut bench = Bench::open(model());
    let short = Descriptor::prefill(bench.buffers[1].address(), 4);
    bench.put(1, 0, &short);
    bench.send(Opcode::VERSION, &VERSION);
    bench.pass(MS);
    let mut seen = [0; 8];
    assert!(bench.buffers[1].copy_out(0, &mut seen));
    assert_eq!((bench.get(1, 0).datalen, seen), (8, [1, 0, 0, 0, 0, 0, 0, 0]));
}

#[test]
fn the_host_tells_of_the_link_at_any_time_after_capabilities_are_known() {
    let mut bench = Bench::open(model());
    bench.call(Opcode::VERSION, &VERSION);
    let heard = bench.call(Opcode::GET_VF_RESOURCES, &0x000B_00E1_u32.to_le_bytes());
    assert_eq!((heard[0].0, heard[0].1), (Opcode::GET_VF_RESOURCES, Status(0)));
    bench.hear_all();
    bench.model().set_link(false);
    let heard = bench.hear_all();
    assert_eq!((heard.len(), heard[0].0), (1, Opcode::EVENT));
    assert_eq!((heard[0].2[0], heard[0].2[8]), (1, 0), "LINK_CHANGE, down");
}

#[test]
fn an_e810_ignores_a_function_that_sends_too_much_at_once() {
    let mut bench = Bench::open(Model::new(Persona::ice(), Options::default()));
    for _ in 0..70 {
        bench.send(Opcode::VERSION, &VERSION);
    }
    bench.pass(MS);
    bench.hear_all();
    assert_eq!(bench.call(Opcode::VERSION, &VERSION), [], "until a reset");
    let tally = bench.model().tally();
    assert_eq!((tally.requests_at_once, tally.ignored), (63, true));
    bench.model().reset(crate::Reset::Pf);
    bench.pass(50 * MS);
    bench.open_mailbox();
    assert_eq!(bench.call(Opcode::VERSION, &VERSION), [version_reply()]);
}
