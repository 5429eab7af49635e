//! Section 12.9.

use std::time::Duration;

use avf::register::{Absent, Register, ResetState};
use avf::virtchnl::Opcode;
use device::{Device, Peer, Region};

use super::{Bench, MS, VERSION, model, version_reply};
use crate::{Model, Options, Persona, Reset, ResetTiming};

const ENABLE: u32 = 1 << 31;

fn timed(reset: ResetTiming) -> Model {
    Model::new(Persona::i40e(), Options { reset, ..Options::default() })
}

fn state(bench: &Bench) -> ResetState {
    ResetState::of(bench.read(Register::Rstat))
}

#[test]
fn a_function_resets_itself_without_an_answer() {
    let mut bench = Bench::open(model());
    bench.send(Opcode::RESET_VF, &[]);
    bench.pass(Duration::from_micros(100));
    assert_eq!(state(&bench), ResetState::IN_PROGRESS);
    assert_ne!(bench.read(Register::ArqLen) & ENABLE, 0, "the rings outlive it for a moment");
    bench.pass(2 * MS);
    assert_eq!(bench.read(Register::ArqLen), 0);
    bench.pass(28 * MS);
    assert_eq!(state(&bench), ResetState::ACTIVE);
    assert_eq!(bench.read(Register::ArqLen), 0, "silent until it is opened");
    bench.open_mailbox();
    assert_eq!(bench.call(Opcode::VERSION, &VERSION), [version_reply()]);
    assert_eq!(bench.model().tally().resets, 1);
}

#[test]
fn after_op_two_the_state_may_be_stale() {
    let stale = ResetTiming { stale: 20 * MS, ..ResetTiming::default() };
    let mut bench = Bench::open(timed(stale));
    bench.send(Opcode::RESET_VF, &[]);
    bench.pass(19 * MS);
    assert_eq!(state(&bench), ResetState::ACTIVE);
    assert_ne!(bench.read(Register::ArqLen) & ENABLE, 0);
    bench.pass(2 * MS);
    assert_eq!(state(&bench), ResetState::IN_PROGRESS);
}

#[test]
fn a_function_level_reset_ends_bus_mastering_and_keeps_bars() {
    let mut bench = Bench::open(model());
    bench.model().write(Region::Config, 0x10, &0xE000_0000_u32.to_le_bytes());
    bench.device.reset().expect("reset");
    assert_eq!((state(&bench), bench.read(Register::ArqLen)), (ResetState::IN_PROGRESS, 0));
    bench.pass(30 * MS);
    let mut bytes = [0; 0x14];
    bench.model().read(Region::Config, 0, &mut bytes);
    assert_eq!((bytes[4] & 4, bytes[0x13]), (0, 0xE0));
    bench.open_mailbox();
    bench.send(Opcode::VERSION, &VERSION);
    bench.pass(MS);
    assert_eq!(bench.read(Register::AtqHead), 0, "no bus mastering, no mailbox");
}

#[test]
fn a_function_level_reset_can_be_asked_for_in_configuration_space() {
    let bench = Bench::open(model());
    bench.model().write(Region::Config, 0xA8, &0x8000_u16.to_le_bytes());
    assert_eq!(state(&bench), ResetState::IN_PROGRESS);
    assert!(!bench.model().memory.is_master());
}

#[test]
fn the_pf_warns_before_it_resets() {
    let mut bench = Bench::open(model());
    bench.call(Opcode::VERSION, &VERSION);
    bench.model().reset_pf();
    let heard = bench.hear_all();
    assert_eq!((heard.len(), heard[0].0), (1, Opcode::EVENT));
    assert_eq!((heard[0].2[0], heard[0].2[12]), (2, 255), "RESET_IMPENDING, certain doom");
    bench.pass(9 * MS);
    assert_eq!(state(&bench), ResetState::ACTIVE);
    bench.pass(MS);
    assert_eq!(state(&bench), ResetState::IN_PROGRESS);
}

#[test]
fn what_the_host_changes_resets_the_function() {
    for change in [
        (|model: &mut Model| model.set_trust(false)) as fn(&mut Model),
        |model| model.set_mac(Some([2, 0, 0, 0, 0, 9])),
        |model| model.set_port_vlan(Some(7)),
    ] {
        let mut bench = Bench::open(model());
        change(&mut bench.model());
        assert_eq!(bench.hear_all().len(), 1, "the event is there before the rings go");
        assert_eq!(state(&bench), ResetState::IN_PROGRESS);
        bench.pass(30 * MS);
        assert_eq!(state(&bench), ResetState::ACTIVE);
    }
}

#[test]
fn nothing_is_written_once_a_reset_began() {
    let mut bench = Bench::open(model());
    bench.send(Opcode::VERSION, &VERSION);
    bench.model().reset(Reset::Pf);
    bench.pass(MS);
    assert_eq!((bench.read(Register::ArqHead), bench.get(1, 0).flags.bits()), (0, 0x1200));
    bench.pass(29 * MS);
    bench.open_mailbox();
    bench.pass(MS);
    assert_eq!(bench.hear(), None, "what was on its way is gone");
}

#[test]
fn registers_are_not_taken_while_a_reset_is_under_way() {
    let mut bench = Bench::open(model());
    bench.model().reset(Reset::Pf);
    bench.pass(5 * MS);
    bench.open_mailbox();
    assert_eq!(bench.read(Register::ArqLen), 0);
    assert!(bench.model().tally().odd_writes > 0);
}

#[test]
fn it_may_take_two_seconds_or_begin_with_dead_registers() {
    let slow = ResetTiming { takes: Some(2000 * MS), dead_beef: 5 * MS, ..ResetTiming::default() };
    let bench = Bench::open(timed(slow));
    bench.model().reset(Reset::Pf);
    assert_eq!(bench.read(Register::Rstat), Absent::DEAD_BEEF);
    bench.pass(5 * MS);
    assert_eq!(state(&bench), ResetState::IN_PROGRESS);
    bench.pass(1994 * MS);
    assert_eq!(state(&bench), ResetState::IN_PROGRESS);
    bench.pass(MS);
    assert_eq!(state(&bench), ResetState::ACTIVE);
}

#[test]
fn a_reset_during_a_reset_begins_it_anew() {
    let mut bench = Bench::open(model());
    bench.model().reset(Reset::Pf);
    bench.pass(20 * MS);
    bench.device.reset().expect("reset");
    bench.pass(29 * MS);
    assert_eq!(state(&bench), ResetState::IN_PROGRESS);
    bench.pass(MS);
    assert_eq!(state(&bench), ResetState::ACTIVE);
}

#[test]
fn a_driver_that_asks_twice_is_reset_once() {
    for stale in [Duration::ZERO, 5 * MS] {
        let mut bench = Bench::open(timed(ResetTiming { stale, ..ResetTiming::default() }));
        bench.send(Opcode::RESET_VF, &[]);
        bench.send(Opcode::RESET_VF, &[]);
        bench.pass(500 * MS);
        assert_eq!(state(&bench), ResetState::ACTIVE);
        assert_eq!(bench.model().tally().resets, 1);
    }
}

#[test]
fn a_reset_overtakes_the_one_that_was_asked_for() {
    let mut bench = Bench::open(timed(ResetTiming { stale: 20 * MS, ..ResetTiming::default() }));
    bench.send(Opcode::RESET_VF, &[]);
    bench.pass(5 * MS);
    bench.device.reset().expect("reset");
    bench.pass(500 * MS);
    assert_eq!(bench.model().tally().resets, 1);
}

#[test]
fn an_e810_takes_the_rings_at_once() {
    let mut bench = Bench::open(Model::new(Persona::ice(), Options::default()));
    bench.send(Opcode::RESET_VF, &[]);
    bench.pass(Duration::from_micros(100));
    assert_eq!((bench.read(Register::ArqLen), state(&bench)), (0, ResetState::IN_PROGRESS));
}
