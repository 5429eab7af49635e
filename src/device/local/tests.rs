use super::*;
use crate::Buffers;
use crate::echo::Echo;

struct Bench {
    model: Arc<Mutex<Echo>>,
    local: Local,
    registers: Registers,
    witness: Witness,
}

fn bench(time: Time) -> Bench {
    let model = Arc::new(Mutex::new(Echo::default()));
    let mut local = Local::new(Arc::clone(&model), time);
    let registers = local.registers().expect("registers");
    let witness = local.witness();
    Bench { model, local, registers, witness }
}

impl Bench {
    /// Has the device turn `bytes` bytes at `address` around.
    fn turn(&self, address: u64, bytes: u32) {
        self.registers.write(0, address as u32);
        self.registers.write(4, (address >> 32) as u32);
        self.registers.write(8, bytes);
    }
}

#[test]
fn registers_reach_the_model_and_end_where_they_end() {
    let bench = bench(Time::Virtual);
    bench.registers.write(0, 77);
    assert_eq!(bench.registers.read(0), 77);
    assert_eq!(bench.registers.read(64), u32::MAX);
    assert_eq!(bench.registers.read(2), u32::MAX);
    assert_eq!((bench.local.identity().vendor, bench.local.identity().device), (0x8086, 0x154C));
}

#[test]
fn the_device_reads_and_writes_what_was_mapped_while_its_register_is_written() {
    let mut bench = bench(Time::Virtual);
    let block = bench.local.dma(100).expect("a block");
    assert_eq!(block.bytes(), PAGE);
    assert!(block.copy_in(16, b"abcdefghijk"));
    bench.turn(block.address() + 16, 11);
    let mut out = [0; 11];
    assert!(block.copy_out(16, &mut out));
    assert_eq!(&out, b"kjihgfedcba");
    assert_eq!(bench.witness.strays(), []);
}

#[test]
fn what_leaves_a_block_or_comes_after_it_was_freed_is_stray() {
    let mut bench = bench(Time::Virtual);
    let block = bench.local.dma(PAGE).expect("a block");
    let address = block.address();
    let strays = |list: &[(u64, usize)]| -> Vec<Stray> {
        list.iter().map(|&(address, bytes)| Stray { address, bytes, write: false }).collect()
    };
    bench.turn(address + PAGE as u64 - 4, 8);
    drop(block);
    let next = bench.local.dma(PAGE).expect("another");
    bench.turn(address, 8);
    bench.turn(0, 8);
    bench.turn(u64::MAX - 2, 8);
    assert_ne!(next.address(), address, "addresses are not given twice");
    let expect = [(address + PAGE as u64 - 4, 8), (address, 8), (0, 8), (u64::MAX - 2, 8)];
    assert_eq!(bench.witness.strays(), strays(&expect));
    assert_eq!(bench.witness.stray_count(), 4);
    assert_eq!(bench.witness.mapped(), [(next.address(), PAGE)]);
}

#[test]
fn a_buffer_that_was_not_posted_is_out_of_the_devices_reach() {
    let mut bench = bench(Time::Virtual);
    let mut buffers = Buffers::new(bench.local.dma(PAGE).expect("a block"), 1024).expect("four buffers");
    assert!(buffers.fill(1, b"ping"));
    let address = buffers.post(1).expect("slot 1");
    assert_eq!(buffers.lend(1, 4), None, "it is the device's");
    bench.turn(address, 4);
    assert_eq!(bench.witness.stray_count(), 0);
    bench.turn(address + 1022, 4);
    assert_eq!(bench.witness.stray_count(), 1, "its end lies in a buffer that was not posted");
    buffers.returned(1);
    assert_eq!(buffers.lend(1, 4), Some(&b"gnip"[..]));
    bench.turn(address, 4);
    assert_eq!(bench.witness.stray_count(), 2, "it was given back");
    assert_eq!(buffers.lend(1, 4), Some(&b"gnip"[..]));
}

#[test]
fn a_store_is_one_aligned_word() {
    let mut bench = bench(Time::Virtual);
    let block = bench.local.dma(PAGE).expect("a block");
    let bus = lock(&bench.model).bus.clone().expect("attached");
    assert_eq!(bus.store(block.address() + 8, 5), Ok(()));
    assert_eq!(block.words()[1].load(Ordering::Acquire), 5);
    assert!(bus.store(block.address() + 4, 5).is_err());
    assert_eq!(bench.witness.stray_count(), 1);
}

#[test]
fn vectors_are_flags_until_a_reset_disconnects_them() {
    let mut bench = bench(Time::Virtual);
    let lines = bench.local.interrupts(2).expect("two vectors");
    bench.registers.write(12, 1);
    bench.registers.write(12, 39);
    assert!(!lines[0].wait(Duration::from_secs(60)));
    assert!(lines[1].wait(Duration::from_secs(60)));
    assert!(!lines[1].wait(Duration::from_secs(60)), "a signal is taken once");
    bench.local.reset().expect("a reset");
    bench.registers.write(12, 1);
    assert!(!lines[1].wait(Duration::ZERO));
    assert_eq!((bench.witness.connected(), lock(&bench.model).resets), (0, 1));
    assert!(bench.local.interrupts(41).is_err());
}

#[test]
fn real_waits_end_with_the_signal_or_the_limit() {
    let mut bench = bench(Time::Real);
    let mut lines = bench.local.interrupts(1).expect("a vector");
    let line = lines.remove(0);
    assert!(!line.wait(Duration::from_millis(5)));
    let registers = bench.registers.clone();
    let waiter = std::thread::spawn(move || line.wait(Duration::from_secs(20)));
    registers.write(12, 0);
    assert!(waiter.join().expect("no panic"));
}

#[test]
fn mastering_is_a_bit_of_the_command_register() {
    let mut bench = bench(Time::Virtual);
    lock(&bench.model).command = [2, 4];
    bench.local.set_master(true).expect("set");
    assert_eq!((lock(&bench.model).command, bench.witness.is_master()), ([6, 4], true));
    let block = bench.local.dma(1).expect("a block");
    let address = block.address();
    drop(block);
    assert_eq!(bench.witness.freed_under_master(), [(address, PAGE)]);
    bench.local.set_master(false).expect("cleared");
    assert_eq!((lock(&bench.model).command, bench.witness.is_master()), ([2, 4], false));
}

#[test]
fn a_device_can_be_asked_back() {
    let bench = bench(Time::Virtual);
    assert!(!bench.local.is_leaving());
    bench.witness.ask_back();
    assert!(bench.local.is_leaving());
}
