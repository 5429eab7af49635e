//! The mailbox as memory and registers: two rings of 32 descriptors, a buffer of 4 KiB behind each of them, and the
//! state machine that says what may be asked when. AVF specification: mailbox queues, their initialisation and shutdown.

use std::sync::atomic::Ordering;
use std::time::Duration;

use avf::adminq::{BUFFER_BYTES, DESCRIPTOR_BYTES, Descriptor, RING_LENGTH};
use avf::mailbox::{
    BadHead, Condition, Counters, Mailbox, Outcome, Patience, Post, ReceiveRing, Ring, SendRing, TimedOut,
};
use avf::register::{Absent, MailboxLen, Register};
use avf::virtchnl::{Event, Opcode, Status};
use device::{Device, DeviceError, Dma, Registers};

use crate::Ask;

/// Bytes set aside for a ring: each has a page.
const RING: usize = 4096;

/// Where the send ring's buffers begin.
const SEND_BUFFERS: usize = 2 * RING;

const BUFFER: usize = BUFFER_BYTES as usize;

/// Where the receive ring's buffers begin.
const RECEIVE_BUFFERS: usize = SEND_BUFFERS + RING_LENGTH as usize * BUFFER;

const BYTES: usize = RECEIVE_BUFFERS + RING_LENGTH as usize * BUFFER;

/// The function's mailbox.
#[derive(Debug)]
pub(crate) struct Mail {
    memory: Dma,
    registers: Registers,
    send: SendRing,
    receive: ReceiveRing,
    book: Mailbox,
}

/// What came from the PF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    /// The answer to what was asked.
    Answer(Opcode, Status, Vec<u8>),
    /// Something happened.
    Event(Event),
    /// What was asked ended without an answer that can be read.
    Failed(Opcode),
}

impl Mail {
    /// Memory for the mailbox; its rings are not set up.
    ///
    /// # Errors
    /// When the device has no memory for it.
    pub(crate) fn new(device: &mut dyn Device, registers: &Registers) -> Result<Self, DeviceError> {
        Ok(Self {
            memory: device.dma(BYTES)?,
            registers: registers.clone(),
            send: SendRing::new(RING_LENGTH),
            receive: ReceiveRing::new(RING_LENGTH),
            book: Mailbox::new(Patience::default()),
        })
    }

    /// What it did since it was made.
    pub(crate) fn counters(&self) -> &Counters {
        self.book.counters()
    }

    fn read(&self, register: Register) -> u32 {
        self.registers.read(register.offset())
    }

    fn write(&self, register: Register, value: u32) {
        self.registers.write(register.offset(), value);
    }

    /// Sets both rings up, in the order that every driver has: heads, tails, length, base.
    ///
    /// # Errors
    /// The register that does not hold what was written: the function is in reset, or broken.
    pub(crate) fn arm(&mut self) -> Result<(), &'static str> {
        self.send = SendRing::new(RING_LENGTH);
        self.receive = ReceiveRing::new(RING_LENGTH);
        self.memory.words().iter().take(2 * RING / 8).for_each(|word| word.store(0, Ordering::Relaxed));
        (0..RING_LENGTH).for_each(|slot| self.prefill(slot));
        let length = MailboxLen(0).with_length(RING_LENGTH.into()).with_enable(true).0;
        let (low, high) = halves(self.memory.address());
        self.write(Register::AtqHead, 0);
        self.write(Register::AtqTail, 0);
        // A ring that is switched on with an old tail makes the device read descriptors that are not there.
        if self.read(Register::AtqTail) != 0 {
            return Err("VF_ATQT");
        }
        self.write(Register::AtqLen, length);
        self.write(Register::AtqBal, low);
        self.write(Register::AtqBah, high);
        if (self.read(Register::AtqBal), self.read(Register::AtqBah)) != (low, high) {
            return Err("VF_ATQBA");
        }
        let (low, high) = halves(self.memory.address() + RING as u64);
        self.write(Register::ArqHead, 0);
        self.write(Register::ArqTail, 0);
        self.write(Register::ArqLen, length);
        self.write(Register::ArqBal, low);
        self.write(Register::ArqBah, high);
        self.write(Register::ArqTail, self.receive.first_tail().into());
        if (self.read(Register::ArqBal), self.read(Register::ArqBah)) != (low, high) {
            return Err("VF_ARQBA");
        }
        self.book.up();
        Ok(())
    }

    /// Takes both rings away: registers are as they were found.
    pub(crate) fn disarm(&self) {
        // Off first: until then heads and tails mean something.
        for register in [
            Register::AtqLen,
            Register::ArqLen,
            Register::AtqHead,
            Register::AtqTail,
            Register::AtqBal,
            Register::AtqBah,
            Register::ArqHead,
            Register::ArqTail,
            Register::ArqBal,
            Register::ArqBah,
        ] {
            self.write(register, 0);
        }
    }

    /// How both rings stand; error signs are cleared by looking. To be asked after what came was taken.
    pub(crate) fn inspect(&mut self, now: Duration) -> Condition {
        for (ring, register) in [(Ring::Receive, Register::ArqLen), (Ring::Send, Register::AtqLen)] {
            let condition = self.book.inspect(ring, MailboxLen(self.read(register)), now);
            if let Condition::Overflow { write_back, .. } | Condition::Failed { write_back, .. } = condition {
                self.write(register, write_back.0);
            }
            if condition != Condition::Well {
                return condition;
            }
        }
        Condition::Well
    }

    /// Whether the PF has taken it away, or nothing is there: a reset has begun.
    pub(crate) fn is_taken_away(&self) -> bool {
        let raw = self.read(Register::ArqLen);
        Absent::of(raw).is_some() || !MailboxLen(raw).enable()
    }

    /// The function is being reset: nothing from before is answered any more. What was open.
    pub(crate) fn reset_seen(&mut self) -> Option<Opcode> {
        self.book.reset_seen()
    }

    /// The question that stayed open too long.
    pub(crate) fn expired(&mut self, now: Duration) -> Option<TimedOut> {
        self.book.expired(now)
    }

    /// Whether a question is open.
    pub(crate) fn is_open(&self) -> bool {
        self.book.open().is_some()
    }

    /// Asks; false when it cannot be asked now, because the mailbox is down or what was asked before is still open.
    pub(crate) fn ask(&mut self, ask: &Ask, now: Duration) -> bool {
        match self.book.request(ask.opcode, &ask.payload, now) {
            Ok(post) => self.launch(post, &ask.payload),
            Err(_) => false,
        }
    }

    /// Asks once more what stayed open, after the rings were set up anew; false when nothing did.
    pub(crate) fn again(&mut self, now: Duration) -> bool {
        match self.book.again(now).map(|(post, payload)| (post, payload.to_vec())) {
            Some((post, payload)) => self.launch(post, &payload),
            None => false,
        }
    }

    /// Says that the driver unloads.
    pub(crate) fn post_shutdown(&mut self) {
        if let Some(slot) = self.send.slot() {
            self.enqueue(slot, &Descriptor::shutdown());
        }
    }

    /// Whether the device has taken everything that was sent.
    pub(crate) fn is_sent(&mut self) -> bool {
        let head = self.read(Register::AtqHead);
        self.send.reclaim(head).is_ok() && self.send.outstanding() == 0
    }

    /// One question is open at a time, so the ring has room; where it has none the device takes nothing, and time will
    /// tell.
    fn launch(&mut self, post: Post, payload: &[u8]) -> bool {
        let Some(slot) = self.send.slot() else { return true };
        let at = SEND_BUFFERS + usize::from(slot) * BUFFER;
        self.put(at, payload);
        self.enqueue(slot, &post.descriptor(self.memory.address() + at as u64));
        true
    }

    fn enqueue(&mut self, slot: u16, descriptor: &Descriptor) {
        self.put_words(usize::from(slot) * DESCRIPTOR_BYTES, &descriptor.to_words());
        let tail = self.send.posted();
        // The window orders this after the stores above.
        self.write(Register::AtqTail, tail.into());
    }

    /// The next thing that came, if any did.
    ///
    /// # Errors
    /// When a head register makes no sense: the device is in reset, or gone.
    pub(crate) fn take(&mut self, now: Duration) -> Result<Option<Came>, BadHead> {
        if let Some(opcode) = self.sent_back()? {
            return Ok(Some(Came::Failed(opcode)));
        }
        let head = self.read(Register::ArqHead);
        while let Some(slot) = self.receive.slot(head)? {
            let descriptor = Descriptor::from_words(self.words(RING + usize::from(slot) * DESCRIPTOR_BYTES));
            let length = usize::from(descriptor.datalen).min(BUFFER);
            let payload = self.bytes(RECEIVE_BUFFERS + usize::from(slot) * BUFFER, length);
            self.prefill(slot);
            let tail = self.receive.rearmed();
            self.write(Register::ArqTail, tail.into());
            let came = match self.book.arrived(&descriptor, &payload, now) {
                Outcome::Answer { opcode, status, payload } => Came::Answer(opcode, status, payload.to_vec()),
                Outcome::Event(event) => Came::Event(event),
                Outcome::Broken { failed: Some(opcode), .. } => Came::Failed(opcode),
                Outcome::Broken { failed: None, .. } | Outcome::Stale(_) | Outcome::Unexpected(_) => continue,
            };
            return Ok(Some(came));
        }
        Ok(None)
    }

    /// Takes sent descriptors back: the question that the transport did not take.
    fn sent_back(&mut self) -> Result<Option<Opcode>, BadHead> {
        let head = self.read(Register::AtqHead);
        let done: Vec<u16> = self.send.reclaim(head)?.collect();
        let mut failed = None;
        for slot in done {
            let at = usize::from(slot) * DESCRIPTOR_BYTES;
            let back = Descriptor::from_words(self.words(at));
            self.put_words(at, &[0; 4]);
            failed = self.book.sent_back(&back).map(|(opcode, _)| opcode).or(failed);
        }
        Ok(failed)
    }

    fn prefill(&self, slot: u16) {
        let buffer = self.memory.address() + (RECEIVE_BUFFERS + usize::from(slot) * BUFFER) as u64;
        let at = RING + usize::from(slot) * DESCRIPTOR_BYTES;
        self.put_words(at, &Descriptor::prefill(buffer, BUFFER_BYTES).to_words());
    }

    fn put(&self, at: usize, bytes: &[u8]) {
        let words = self.memory.words().iter().skip(at / 8);
        for (word, chunk) in words.zip(bytes.chunks(8)) {
            let mut whole = [0; 8];
            whole.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
            word.store(u64::from_le_bytes(whole), Ordering::Relaxed);
        }
    }

    fn put_words(&self, at: usize, values: &[u64]) {
        let words = self.memory.words().iter().skip(at / 8);
        words.zip(values).for_each(|(word, value)| word.store(*value, Ordering::Relaxed));
    }

    fn words(&self, at: usize) -> [u64; 4] {
        // The head register was read before: a device moves it after the descriptor and its buffer are written, and
        // an acquire load of the first word keeps the others behind it.
        let mut words = self.memory.words().iter().skip(at / 8);
        std::array::from_fn(|_| words.next().map_or(0, |word| word.load(Ordering::Acquire)))
    }

    fn bytes(&self, at: usize, length: usize) -> Vec<u8> {
        let words = self.memory.words().iter().skip(at / 8).take(length.div_ceil(8));
        let mut bytes: Vec<u8> = words.flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes()).collect();
        bytes.truncate(length);
        bytes
    }
}

/// Low and high half of an address.
fn halves(address: u64) -> (u32, u32) {
    let [a, b, c, d, e, f, g, h] = address.to_le_bytes();
    (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]))
}
