//! Section 12.2.

use avf::register::{Absent, Register};
use device::{Peer, Region};

use super::{Bench, MS, model};
use crate::{Model, Options, Persona};

#[test]
fn an_untouched_function_is_active_and_its_mailbox_off() {
    let bench = Bench::closed(model());
    assert_eq!(bench.read(Register::Rstat), 2);
    for register in [Register::ArqLen, Register::AtqLen, Register::AtqHead, Register::ArqBal] {
        assert_eq!(bench.read(register), 0, "{register}");
    }
}

#[test]
fn bases_read_back_what_was_written() {
    let bench = Bench::open(model());
    for (ring, low, high) in
        [(0, Register::AtqBal, Register::AtqBah), (1, Register::ArqBal, Register::ArqBah)]
    {
        let read = u64::from(bench.read(high)) << 32 | u64::from(bench.read(low));
        assert_eq!(read, bench.rings[ring].address());
    }
    assert_eq!(bench.read(Register::ArqLen), 0x8000_0020);
    assert_eq!(bench.read(Register::ArqTail), 31);
}

#[test]
fn a_driver_cannot_write_how_its_reset_stands() {
    let bench = Bench::closed(model());
    bench.write(Register::Rstat, 0);
    assert_eq!(bench.read(Register::Rstat), 2);
    assert_eq!(bench.model().tally().odd_writes, 1);
}

#[test]
fn tails_and_tables_store() {
    let bench = Bench::closed(model());
    for register in [
        Register::QrxTail(3),
        Register::QtxTail(0),
        Register::Hena(1),
        Register::Hkey(12),
        Register::Hlut(15),
    ] {
        bench.write(register, 0x1F8);
        assert_eq!(bench.read(register), 0x1F8, "{register}");
    }
}

#[test]
fn what_is_no_register_reads_zero_and_is_counted() {
    let bench = Bench::closed(model());
    bench.registers.write(0x9000, 5);
    assert_eq!(bench.registers.read(0x9000), 0);
    assert_eq!(bench.model().tally().odd_writes, 1);
}

#[test]
fn intervals_have_twelve_bits_and_are_loaded_by_controls_too() {
    let bench = Bench::closed(model());
    bench.write(Register::Itrn { index: 1, vector: 2 }, 0xF_F019);
    assert_eq!(bench.read(Register::Itrn { index: 1, vector: 2 }), 0x019);
    bench.write(Register::DynCtln(2), 16 << 5);
    assert_eq!(bench.read(Register::Itrn { index: 0, vector: 2 }), 16);
    bench.write(Register::DynCtln(2), 3 << 3 | 99 << 5);
    assert_eq!(bench.read(Register::Itrn { index: 0, vector: 2 }), 16, "index 3 touches none");
    bench.write(Register::Itr0(2), 7);
    assert_eq!(bench.read(Register::Itr0(2)), 7);
}

#[test]
fn a_removed_function_reads_all_ones_for_ever() {
    let bench = Bench::open(model());
    bench.model().remove();
    bench.pass(1000 * MS);
    assert_eq!(bench.read(Register::Rstat), Absent::ALL_ONES);
    let mut vendor = [0; 2];
    bench.model().read(Region::Config, 0, &mut vendor);
    assert_eq!(vendor, [0xFF; 2]);
}

#[test]
fn memory_off_hides_registers_where_that_is_wanted() {
    let options = Options { memory_gate: true, ..Options::default() };
    let bench = Bench::closed(Model::new(Persona::i40e(), options));
    assert_eq!(bench.read(Register::Rstat), Absent::ALL_ONES);
    bench.model().write(Region::Config, 4, &[6, 0]);
    assert_eq!(bench.read(Register::Rstat), 2);
}

#[test]
fn accesses_of_any_width_and_place_do_no_harm() {
    let mut model = model();
    for offset in (0..0x1_0000).step_by(0x333) {
        for bytes in [1, 2, 3, 4, 8, 13] {
            for region in [Region::Bar0, Region::Bar3, Region::Config] {
                model.read(region, offset, &mut vec![0; bytes]);
                model.write(region, offset, &vec![0xA5; bytes]);
            }
        }
    }
    assert_eq!(model.memory.stray_count(), 0);
}
