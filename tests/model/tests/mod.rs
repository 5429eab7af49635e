//! The model under a hand-written driver that does one thing at a time.

mod faults;
mod hostile;
mod interrupts;
mod mailbox;
mod queues;
mod registers;
mod resets;
mod served;

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use avf::adminq::{BUFFER_BYTES, DESCRIPTOR_BYTES, Descriptor, RING_LENGTH};
use avf::register::{DynCtl, Icr0, MailboxLen, Register};
use avf::virtchnl::{Opcode, Status};
use device::{Device, Dma, Interrupt, Local, Registers, Time};

use crate::{Model, Options, Persona};

/// A message of the PF.
type Message = (Opcode, Status, Vec<u8>);

const MS: Duration = Duration::from_millis(1);

/// A driver's end, its memory, and the model behind it.
struct Bench {
    model: Arc<Mutex<Model>>,
    device: Local,
    registers: Registers,
    vectors: Vec<Interrupt>,
    rings: [Dma; 2],
    buffers: [Dma; 2],
    sent: u16,
    heard: u16,
}

impl Bench {
    /// A function whose mailbox is off.
    fn closed(model: Model) -> Self {
        let model = Arc::new(Mutex::new(model));
        let mut device = Local::new(Arc::clone(&model), Time::Virtual);
        device.set_master(true).expect("bus mastering");
        let registers = device.registers().expect("registers");
        let vectors = device.interrupts(device.vectors()).expect("vectors");
        let ring = usize::from(RING_LENGTH) * DESCRIPTOR_BYTES;
        let area = usize::from(RING_LENGTH) * usize::from(BUFFER_BYTES);
        let mut block = |bytes| device.dma(bytes).expect("memory");
        let (rings, buffers) = ([block(ring), block(ring)], [block(area), block(area)]);
        Self { model, device, registers, vectors, rings, buffers, sent: 0, heard: 0 }
    }

    /// A function whose mailbox is open and whose vector 0 is armed.
    fn open(model: Model) -> Self {
        let mut bench = Self::closed(model);
        bench.open_mailbox();
        bench.write(Register::DynCtl0, DynCtl::arm().0);
        bench.write(Register::Icr0Ena, Icr0(0).with_adminq(true).0);
        bench
    }

    fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().expect("no test has panicked with it")
    }

    fn read(&self, register: Register) -> u32 {
        self.registers.read(register.offset())
    }

    fn write(&self, register: Register, value: u32) {
        self.registers.write(register.offset(), value);
    }

    /// Lets time pass.
    fn pass(&self, time: Duration) {
        let mut model = self.model();
        let now = model.now();
        model.advance(now + time);
    }

    /// In the order of section 3.3.
    fn open_mailbox(&mut self) {
        (self.sent, self.heard) = (0, 0);
        let len = MailboxLen(0).with_length(u32::from(RING_LENGTH)).with_enable(true).0;
        let [atq, arq] = [self.rings[0].address(), self.rings[1].address()];
        for (register, value) in [
            (Register::AtqHead, 0),
            (Register::AtqTail, 0),
            (Register::AtqLen, len),
            (Register::AtqBal, atq as u32),
            (Register::AtqBah, (atq >> 32) as u32),
        ] {
            self.write(register, value);
        }
        (0..RING_LENGTH).for_each(|at| self.prefill(at));
        for (register, value) in [
            (Register::ArqHead, 0),
            (Register::ArqTail, 0),
            (Register::ArqLen, len),
            (Register::ArqBal, arq as u32),
            (Register::ArqBah, (arq >> 32) as u32),
            (Register::ArqTail, u32::from(RING_LENGTH) - 1),
        ] {
            self.write(register, value);
        }
    }

    fn prefill(&self, at: u16) {
        let address = self.buffers[1].address() + u64::from(at) * u64::from(BUFFER_BYTES);
        self.put(1, at, &Descriptor::prefill(address, BUFFER_BYTES));
    }

    fn put(&self, ring: usize, at: u16, descriptor: &Descriptor) {
        let place = usize::from(at) * DESCRIPTOR_BYTES;
        assert!(self.rings[ring].copy_in(place, &descriptor.to_bytes()));
    }

    fn get(&self, ring: usize, at: u16) -> Descriptor {
        let mut bytes = [0; DESCRIPTOR_BYTES];
        assert!(self.rings[ring].copy_out(usize::from(at) * DESCRIPTOR_BYTES, &mut bytes));
        Descriptor::from_bytes(bytes)
    }

    /// Puts a descriptor into the send ring and rings the bell; tells its place.
    fn send_descriptor(&mut self, descriptor: &Descriptor) -> u16 {
        let at = self.sent;
        self.put(0, at, descriptor);
        self.sent = (at + 1) % RING_LENGTH;
        self.write(Register::AtqTail, u32::from(self.sent));
        at
    }

    /// Sends a request; tells its place in the ring.
    fn send(&mut self, op: Opcode, payload: &[u8]) -> u16 {
        let place = usize::from(self.sent) * usize::from(BUFFER_BYTES);
        assert!(self.buffers[0].copy_in(place, payload));
        let bytes = u16::try_from(payload.len()).expect("a payload");
        let address = self.buffers[0].address() + place as u64;
        self.send_descriptor(&Descriptor::message(op, bytes, address))
    }

    /// Takes the next message out of the receive ring and gives its buffer back.
    fn hear(&mut self) -> Option<Message> {
        let head = self.read(Register::ArqHead);
        if head == u32::from(self.heard) || head >= u32::from(RING_LENGTH) {
            return None;
        }
        let at = self.heard;
        let descriptor = self.get(1, at);
        let mut payload = vec![0; usize::from(descriptor.datalen.min(BUFFER_BYTES))];
        assert!(self.buffers[1].copy_out(usize::from(at) * usize::from(BUFFER_BYTES), &mut payload));
        self.prefill(at);
        self.write(Register::ArqTail, u32::from(at));
        self.heard = (at + 1) % RING_LENGTH;
        Some((descriptor.opcode, descriptor.status, payload))
    }

    /// All messages that are there.
    fn hear_all(&mut self) -> Vec<Message> {
        std::iter::from_fn(|| self.hear()).collect()
    }

    /// Sends a request, waits a millisecond, and tells what was heard.
    fn call(&mut self, op: Opcode, payload: &[u8]) -> Vec<Message> {
        self.send(op, payload);
        self.pass(MS);
        self.hear_all()
    }

    /// Whether a vector was signalled since it was asked last.
    fn signalled(&self, vector: usize) -> bool {
        self.vectors[vector].wait(Duration::ZERO)
    }

    fn strays(&self) -> u64 {
        self.model().memory.stray_count()
    }
}

fn model() -> Model {
    Model::new(Persona::i40e(), Options::default())
}

fn model_with(plan: &str) -> Model {
    model().with_plan(plan.parse().expect("a plan"))
}

/// The request for a version, and what is answered.
const VERSION: [u8; 8] = [1, 0, 0, 0, 1, 0, 0, 0];

fn version_reply() -> Message {
    (Opcode::VERSION, Status(0), VERSION.to_vec())
}
