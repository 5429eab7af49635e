//! Section 12.4, the queues' part: what their vectors do, and when lone descriptors reach memory.

use std::time::Duration;

use avf::register::{DynCtl, Icr0, Register};
use avf::virtchnl::{Caps, IrqMap, Request, VectorMap};

use crate::registers;
use crate::rig::{OWN, Rig, Setting};
use crate::{Options, Persona};

const US: Duration = Duration::from_micros(1);

/// A function with one queue pair, on vector 1.
fn one(persona: Persona) -> Rig {
    Rig::running(persona, Options::default(), Setting { pairs: 1, ..Setting::default() })
}

/// The same with its receive queue on vector 0, as the X710 is polled.
fn polled(asked: Caps) -> Rig {
    let mut rig = one(Persona::i40e());
    rig.model.function.vf.granted = Some(Caps::L2 | asked);
    let map = VectorMap { vsi: rig.vsi(), vector: 0, rx: 1, tx: 0, rx_itr: 0, tx_itr: 0 };
    rig.ok(Request::IrqMap(IrqMap { vectors: vec![map] }));
    rig
}

fn write(rig: &mut Rig, register: Register, value: DynCtl) {
    registers::write(&mut rig.model, register.offset(), value.0);
    rig.model.settle();
}

fn read(rig: &mut Rig, register: Register) -> u32 {
    registers::read(&mut rig.model, register.offset())
}

/// A frame arrives; how many have reached memory since the last one.
fn frame(rig: &mut Rig) -> usize {
    let mut frame = [0x5A; 60];
    frame[..6].copy_from_slice(&OWN);
    rig.model.receive(&frame);
    seen(rig)
}

fn seen(rig: &mut Rig) -> usize {
    rig.frames(0).len()
}

fn pass(rig: &mut Rig, time: Duration) -> usize {
    let now = rig.model.now();
    rig.model.advance(now + time);
    seen(rig)
}

fn signals(rig: &Rig, vector: usize) -> u64 {
    rig.model.tally().signals[vector]
}

#[test]
fn an_armed_vector_posts_signals_and_masks_itself() {
    let mut rig = one(Persona::i40e());
    write(&mut rig, Register::DynCtln(0), DynCtl::arm());
    assert_eq!((frame(&mut rig), signals(&rig, 1)), (1, 1));
    assert!(!DynCtl(read(&mut rig, Register::DynCtln(0))).intena());
    assert_eq!((frame(&mut rig), signals(&rig, 1)), (0, 1), "masked: a lone frame stays");
}

#[test]
fn unarmed_queues_post_full_groups_of_four_alone() {
    let mut rig = one(Persona::i40e());
    let posted: Vec<usize> = (0..6).map(|_| frame(&mut rig)).collect();
    assert_eq!(posted, [0, 0, 0, 4, 0, 0]);
    assert_eq!((pass(&mut rig, 1_000_000 * US), signals(&rig, 1)), (0, 0), "for ever");
    write(&mut rig, Register::DynCtln(0), DynCtl::arm());
    assert_eq!((seen(&mut rig), signals(&rig, 1)), (2, 1), "arming acts on what waits");
}

#[test]
fn a_throttle_holds_the_second_signal_back() {
    let mut rig = one(Persona::i40e());
    let arm = DynCtl(0).with_intena(true).with_itr_index(0).with_interval(50);
    write(&mut rig, Register::DynCtln(0), arm);
    assert_eq!(frame(&mut rig), 1);
    write(&mut rig, Register::DynCtln(0), DynCtl::arm());
    assert_eq!((frame(&mut rig), signals(&rig, 1)), (0, 1));
    assert_eq!(rig.model.next_deadline(), Some(100 * US));
    assert_eq!((pass(&mut rig, 99 * US), signals(&rig, 1)), (0, 1));
    assert_eq!((pass(&mut rig, US), signals(&rig, 1)), (1, 2));
}

#[test]
fn a_software_interrupt_posts_what_is_pending() {
    let mut rig = one(Persona::i40e());
    assert_eq!(frame(&mut rig), 0);
    write(&mut rig, Register::DynCtln(0), DynCtl::arm().with_intena(false).with_swint(true));
    assert_eq!((seen(&mut rig), signals(&rig, 1)), (1, 0), "posted, and nobody is told");
}

#[test]
fn the_x722_posts_on_its_throttle_and_the_x710_does_not() {
    let after = |persona| {
        let mut rig = one(persona);
        write(&mut rig, Register::DynCtln(0), DynCtl::write_back(10));
        let at_once = frame(&mut rig);
        let before = pass(&mut rig, 19 * US);
        let then = pass(&mut rig, US);
        (at_once, before, then, signals(&rig, 1))
    };
    assert_eq!(after(Persona::x722()), (0, 0, 1, 0));
    assert_eq!(after(Persona::i40e()), (0, 0, 0, 0));
}

#[test]
fn rewriting_the_poll_does_not_put_it_off() {
    let mut rig = one(Persona::x722());
    write(&mut rig, Register::DynCtln(0), DynCtl::write_back(10));
    frame(&mut rig);
    pass(&mut rig, 15 * US);
    write(&mut rig, Register::DynCtln(0), DynCtl::write_back(10));
    assert_eq!(pass(&mut rig, 5 * US), 1);
}

#[test]
fn vector_zero_is_polled_without_being_masked() {
    let mut rig = polled(Caps::RX_POLLING);
    write(&mut rig, Register::DynCtl0, DynCtl::polling(16));
    assert_eq!(frame(&mut rig), 1, "idle: at once");
    // the fourth would fill its group
    for _ in 0..2 {
        assert_eq!(frame(&mut rig), 0);
        assert_eq!(pass(&mut rig, 32 * US), 1, "each throttle posts what came");
    }
    assert_eq!(signals(&rig, 0), 3);
    assert!(DynCtl(read(&mut rig, Register::DynCtl0)).intena());
    assert_eq!(Icr0(read(&mut rig, Register::Icr0)).queues(), 1);
}

#[test]
fn vector_zero_is_masked_when_nobody_asked_to_poll() {
    let mut rig = polled(Caps::empty());
    write(&mut rig, Register::DynCtl0, DynCtl::polling(16));
    assert_eq!(frame(&mut rig), 1);
    assert!(!DynCtl(read(&mut rig, Register::DynCtl0)).intena());
    frame(&mut rig);
    assert_eq!(pass(&mut rig, 1000 * US), 0);
}

#[test]
fn a_reset_forgets_vectors_and_what_they_waited_for() {
    let mut rig = one(Persona::x722());
    write(&mut rig, Register::DynCtln(0), DynCtl::write_back(10));
    frame(&mut rig);
    rig.model.reset(crate::Reset::Pf);
    assert_eq!(pass(&mut rig, 1_000_000 * US), 0, "nothing is written after a reset began");
    assert_eq!(read(&mut rig, Register::DynCtln(0)), 0);
    assert_eq!(rig.model.memory.stray_count(), 0);
}
