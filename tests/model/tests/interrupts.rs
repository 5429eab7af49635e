//! Section 12.4, the mailbox's part; queues are tested with the data path.

use std::time::Duration;

use avf::register::{DynCtl, Icr0, Register};
use avf::virtchnl::Opcode;
use device::{Peer, Region};

use super::{Bench, MS, VERSION, model};

const ADMINQ: u32 = 1 << 30;

#[test]
fn mail_signals_vector_zero_once_and_masks_it() {
    let mut bench = Bench::open(model());
    bench.call(Opcode::VERSION, &VERSION);
    assert!(bench.signalled(0));
    assert!(!DynCtl(bench.read(Register::DynCtl0)).intena(), "masked by itself");
    bench.call(Opcode::VERSION, &VERSION);
    assert!(!bench.signalled(0), "not armed again");
}

#[test]
fn causes_are_latched_whether_enabled_or_not_and_cleared_by_reading() {
    let mut bench = Bench::open(model());
    bench.write(Register::Icr0Ena, 0);
    bench.call(Opcode::VERSION, &VERSION);
    assert!(!bench.signalled(0));
    let causes = Icr0(bench.read(Register::Icr0));
    assert!(causes.adminq() && causes.event());
    assert_eq!(bench.read(Register::Icr0), 0);
}

#[test]
fn arming_for_mail_that_nobody_was_told_of_signals_at_once() {
    let mut bench = Bench::open(model());
    bench.write(Register::DynCtl0, 0);
    bench.call(Opcode::VERSION, &VERSION);
    assert!(!bench.signalled(0));
    bench.write(Register::DynCtl0, DynCtl::arm().0);
    assert!(bench.signalled(0));
    bench.write(Register::DynCtl0, DynCtl::arm().0);
    assert!(!bench.signalled(0), "told once");
}

#[test]
fn enabling_the_cause_last_does_the_same() {
    let mut bench = Bench::open(model());
    bench.write(Register::Icr0Ena, 0);
    bench.call(Opcode::VERSION, &VERSION);
    bench.write(Register::Icr0Ena, ADMINQ);
    assert!(bench.signalled(0));
}

#[test]
fn clearing_pending_bits_does_not_lose_mail() {
    let mut bench = Bench::open(model());
    bench.write(Register::DynCtl0, 0);
    bench.call(Opcode::VERSION, &VERSION);
    bench.write(Register::DynCtl0, DynCtl::arm().with_clearpba(true).0);
    assert!(bench.signalled(0), "as DPDK arms it, 0x1B");
}

#[test]
fn bit_31_leaves_the_vector_as_it_is() {
    let bench = Bench::open(model());
    bench.write(Register::DynCtl0, DynCtl(0).with_intena_msk(true).with_itr_index(3).0);
    assert!(DynCtl(bench.read(Register::DynCtl0)).intena());
}

#[test]
fn a_driver_can_signal_itself() {
    let bench = Bench::open(model());
    bench.write(Register::DynCtl0, DynCtl::arm().with_swint(true).0);
    assert!(bench.signalled(0));
    assert!(Icr0(bench.read(Register::Icr0)).swint());
    bench.write(Register::DynCtln(2), DynCtl::arm().with_swint(true).0);
    assert!(bench.signalled(3) && !bench.signalled(2));
}

#[test]
fn the_table_latches_what_it_masks() {
    let mut bench = Bench::open(model());
    bench.model().write(Region::Bar3, 12, &[1, 0, 0, 0]);
    bench.call(Opcode::VERSION, &VERSION);
    assert!(!bench.signalled(0));
    bench.model().write(Region::Bar3, 12, &[0; 4]);
    assert!(bench.signalled(0));
}

#[test]
fn nothing_is_due_when_nothing_happens() {
    let bench = Bench::open(model());
    assert_eq!(bench.model().next_deadline(), None);
    bench.pass(Duration::from_secs(3600));
    assert!(!bench.signalled(0));
    assert!(MS < bench.model().now());
}
