//! The model behind a socket, in real time.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use avf::adminq::{BUFFER_BYTES, DESCRIPTOR_BYTES, Descriptor};
use avf::register::{DynCtl, Icr0, MailboxLen, Register};
use avf::virtchnl::Opcode;
use device::vfio_user::{Server, VfioUser};
use device::{Device, Registers};

use super::{VERSION, model};
use crate::host::{Hosted, keep_time};

/// How long anything may take.
const LIMIT: Duration = Duration::from_secs(10);

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let since = Instant::now();
    while !done() {
        assert!(since.elapsed() < LIMIT, "{what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Two clients, one after the other, each reset what the other left and exchanged a version by interrupt.
#[test]
fn one_client_after_another_is_answered() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("nic");
    let shared = Arc::new(Mutex::new(Hosted::new(model())));
    keep_time(&shared).expect("a thread");
    let mut server = Server::listen(&path, Arc::clone(&shared)).expect("a socket");
    let served = std::thread::spawn(move || (0..2).for_each(|_| server.serve_one().expect("served")));
    for _ in 0..2 {
        converse(&mut VfioUser::connect(&path).expect("connected"));
    }
    served.join().expect("both were served");
    let strays = shared.lock().expect("sound").now(|model| model.memory.strays().to_vec());
    assert_eq!(strays, []);
}

fn converse(device: &mut VfioUser) {
    assert_eq!((device.identity().vendor, device.identity().device), (0x8086, 0x154C));
    device.reset().expect("reset");
    device.set_master(true).expect("bus mastering");
    let registers = device.registers().expect("registers");
    until("active", || registers.read(Register::Rstat.offset()) == 2);
    let vectors = device.interrupts(1).expect("a vector");
    let ring = device.dma(2 * DESCRIPTOR_BYTES * 8).expect("memory");
    let buffers = device.dma(2 * usize::from(BUFFER_BYTES)).expect("memory");
    assert!(buffers.copy_in(0, &VERSION));
    let sent = Descriptor::message(Opcode::VERSION, 8, buffers.address());
    let posted = Descriptor::prefill(buffers.address() + u64::from(BUFFER_BYTES), BUFFER_BYTES);
    let receive = DESCRIPTOR_BYTES * 8;
    assert!(ring.copy_in(0, &sent.to_bytes()) && ring.copy_in(receive, &posted.to_bytes()));
    open(&registers, ring.address(), ring.address() + receive as u64);
    registers.write(Register::DynCtl0.offset(), DynCtl::arm().0);
    registers.write(Register::Icr0Ena.offset(), Icr0(0).with_adminq(true).0);
    registers.write(Register::AtqTail.offset(), 1);
    assert!(vectors[0].wait(LIMIT), "an interrupt");
    let mut heard = [0; 8];
    assert!(buffers.copy_out(usize::from(BUFFER_BYTES), &mut heard));
    assert_eq!((heard, registers.read(Register::ArqHead.offset())), (VERSION, 1));
}

fn open(registers: &Registers, atq: u64, arq: u64) {
    let len = MailboxLen(0).with_length(8).with_enable(true).0;
    for (register, value) in [
        (Register::AtqLen, len),
        (Register::AtqBal, atq as u32),
        (Register::AtqBah, (atq >> 32) as u32),
        (Register::ArqLen, len),
        (Register::ArqBal, arq as u32),
        (Register::ArqBah, (arq >> 32) as u32),
        (Register::ArqTail, 7),
    ] {
        registers.write(register.offset(), value);
    }
}
