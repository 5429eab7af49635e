//! A driver as small as tests of the model itself need one: memory, rings, and messages without a mailbox.

use std::sync::{Arc, Mutex, PoisonError};

use avf::rx::{self, Rxdid, Words, WriteBack};
use avf::virtchnl::{
    Addresses, Caps, ConfigQueues, EtherAddress, IrqMap, Message as _, Opcode, QueuePair, QueueSelect,
    Request, RxQueue, Status, TxQueue, VectorMap, Version,
};
use avf::{tx, virtchnl as wire};
use device::{Bus, Stray};

use crate::datapath::{self, Verdict};
use crate::vf::Direction;
use crate::virtchnl::{Action, handle};
use crate::{Model, Options, Persona};

/// Where its memory begins, and how much there is.
const BASE: u64 = 0x7_0000_0000;
const BYTES: usize = 4 << 20;

/// Memory of one queue pair: receive ring, transmit ring, buffers.
const PAIR: u64 = 1 << 20;
const TX_RING: u64 = 0x8000;
const RX_BUFFERS: u64 = 0x1_0000;
const TX_BUFFERS: u64 = 0x8_0000;

/// Its own address.
pub(crate) const OWN: [u8; 6] = [0x02, 0x56, 0x49, 0x47, 0x49, 0x45];

/// Memory that ends.
pub(crate) struct Ram(Mutex<Vec<u8>>);

impl Ram {
    fn at<T>(&self, stray: Stray, access: impl FnOnce(&mut [u8]) -> T) -> Result<T, Stray> {
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let from = stray.address.checked_sub(BASE).and_then(|at| usize::try_from(at).ok());
        let part = from.and_then(|from| memory.get_mut(from..from.checked_add(stray.bytes)?));
        part.map(access).ok_or(stray)
    }
}

impl Bus for Ram {
    fn read(&self, address: u64, into: &mut [u8]) -> Result<(), Stray> {
        let stray = Stray { address, bytes: into.len(), write: false };
        self.at(stray, |memory| into.copy_from_slice(memory))
    }

    fn write(&self, address: u64, bytes: &[u8]) -> Result<(), Stray> {
        let stray = Stray { address, bytes: bytes.len(), write: true };
        self.at(stray, |memory| memory.copy_from_slice(bytes))
    }

    fn store(&self, address: u64, word: u64) -> Result<(), Stray> {
        self.write(address, &word.to_le_bytes())
    }

    fn signal(&self, _vector: u16) {}
}

/// How its queues are set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    pub(crate) pairs: u16,
    pub(crate) ring: u16,
    pub(crate) buffer: u32,
    pub(crate) longest: u32,
    pub(crate) rxdid: u8,
}

impl Default for Setting {
    fn default() -> Self {
        Self { pairs: 4, ring: 64, buffer: 2048, longest: 9728, rxdid: 1 }
    }
}

/// A model and its driver.
pub(crate) struct Rig {
    pub(crate) model: Model,
    pub(crate) ram: Arc<Ram>,
    pub(crate) setting: Setting,
    /// Next receive descriptor of each queue that is looked at.
    next: Vec<u16>,
    /// Next transmit descriptor of each queue that is filled.
    tail: Vec<u16>,
}

impl Rig {
    /// A function on a bus that nobody has spoken to.
    pub(crate) fn untouched(persona: Persona, options: Options) -> Self {
        let ram = Arc::new(Ram(Mutex::new(vec![0; BYTES])));
        let mut model = Model::new(persona, options);
        model.attach(Arc::clone(&ram) as Arc<dyn Bus>);
        model.memory.set_master(true);
        let setting = Setting::default();
        Self { model, ram, setting, next: vec![0; 4], tail: vec![0; 4] }
    }

    /// One that has negotiated capabilities: what Linux asks for, flexible descriptors, and these.
    fn negotiated_with(persona: Persona, options: Options, more: Caps) -> Self {
        let mut rig = Self::untouched(persona, options);
        rig.ok(Request::Version(Version::V1_1));
        let linux = Caps::from_bits_retain(0x1ABD_8CF9);
        rig.ok(Request::Resources(linux | Caps::RX_FLEX_DESC | more));
        rig
    }

    /// One that has negotiated capabilities.
    pub(crate) fn negotiated(persona: Persona, options: Options) -> Self {
        Self::negotiated_with(persona, options, Caps::empty())
    }

    /// One whose queues run, posted full, each on the vector behind its number.
    pub(crate) fn running(persona: Persona, options: Options, setting: Setting) -> Self {
        Self::asking(persona, options, setting, Caps::empty())
    }

    /// The same with more capabilities asked for.
    pub(crate) fn asking(persona: Persona, options: Options, setting: Setting, more: Caps) -> Self {
        let options = Options { pairs: Some(setting.pairs), ..options };
        let mut rig = Self::negotiated_with(persona, options, more);
        rig.setting = setting;
        // without flexible descriptors there is one format
        if !rig.model.function.vf.has(Caps::RX_FLEX_DESC) {
            rig.setting.rxdid = 1;
        }
        rig.ok(Request::ConfigQueues(rig.config()));
        let map = |queue: u16| VectorMap {
            vsi: rig.vsi(),
            vector: queue + 1,
            rx: 1 << queue,
            tx: 1 << queue,
            rx_itr: 0,
            tx_itr: 1,
        };
        let vectors = (0..setting.pairs).map(map).collect();
        rig.ok(Request::IrqMap(IrqMap { vectors }));
        let own = EtherAddress { address: OWN, kind: wire::AddressKind::PRIMARY };
        rig.ok(Request::AddAddresses(Addresses { vsi: rig.vsi(), list: vec![own] }));
        let all = (1 << setting.pairs) - 1;
        rig.ok(Request::EnableQueues(QueueSelect { vsi: rig.vsi(), rx: all, tx: all }));
        (0..setting.pairs).for_each(|queue| rig.post(queue, setting.ring - 1));
        rig
    }

    /// The X710, at once and without other rules than those of the wire.
    pub(crate) fn lenient() -> Self {
        Self::running(Persona::i40e(), Options::lenient(), Setting::default())
    }

    pub(crate) fn vsi(&self) -> u16 {
        self.model.function.persona.vsi
    }

    pub(crate) fn config(&self) -> ConfigQueues {
        let Setting { pairs, ring, buffer, longest, rxdid } = self.setting;
        let vsi = self.vsi();
        let pair = |queue: u16| QueuePair {
            tx: TxQueue {
                vsi,
                queue,
                ring_len: ring,
                ring: BASE + PAIR * u64::from(queue) + TX_RING,
                ..TxQueue::default()
            },
            rx: RxQueue {
                vsi,
                queue,
                ring_len: ring.into(),
                buffer,
                max_frame: longest,
                rxdid,
                ring: BASE + PAIR * u64::from(queue),
                ..RxQueue::default()
            },
        };
        ConfigQueues { vsi, pairs: (0..pairs).map(pair).collect() }
    }

    /// Sends a message.
    pub(crate) fn send(&mut self, op: Opcode, payload: &[u8]) -> Vec<Action> {
        handle(&mut self.model.function, op, payload)
    }

    /// What a message is answered first.
    pub(crate) fn ask(&mut self, request: &Request) -> Option<(Status, Vec<u8>)> {
        match self.send(request.opcode(), &request.payload()).into_iter().next() {
            Some(Action::Reply { status, payload, .. }) => Some((status, payload)),
            _ => None,
        }
    }

    /// The status of a message.
    pub(crate) fn status(&mut self, request: &Request) -> Option<Status> {
        self.ask(request).map(|(status, _)| status)
    }

    /// A message that must be accepted.
    pub(crate) fn ok(&mut self, request: Request) -> Vec<u8> {
        let (status, payload) = self.ask(&request).expect("an answer");
        assert_eq!(status, Status::OK, "{request:?}");
        payload
    }

    /// Twelve counters.
    pub(crate) fn statistics(&mut self) -> wire::Stats {
        let vsi = self.vsi();
        let payload = self.ok(Request::Stats(QueueSelect { vsi, rx: 0, tx: 0 }));
        wire::Stats::decode(&payload).expect("96 bytes")
    }

    pub(crate) fn buffer_of(&self, queue: u16, at: u16) -> u64 {
        BASE + PAIR * u64::from(queue) + RX_BUFFERS + u64::from(at) * u64::from(self.setting.buffer)
    }

    fn descriptor(&self, queue: u16, at: u16) -> u64 {
        BASE + PAIR * u64::from(queue) + u64::from(at) * rx::BYTES as u64
    }

    /// Posts descriptors from the tail on, all with their own buffers.
    pub(crate) fn post(&mut self, queue: u16, count: u16) {
        let ring = self.setting.ring;
        let before = self.model.function.vf.rx[usize::from(queue)].tail as u16;
        for at in (0..count).map(|n| (before + n) % ring) {
            let words = rx::Read::post(self.buffer_of(queue, at));
            self.put(queue, at, words);
        }
        let tail = (before + count) % ring;
        datapath::tail_written(&mut self.model, Direction::Rx, queue, tail.into());
    }

    /// Writes a receive descriptor as it is.
    pub(crate) fn put(&mut self, queue: u16, at: u16, words: Words) {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.ram.write(self.descriptor(queue, at), &bytes).expect("a ring");
    }

    fn words(&self, queue: u16, at: u16) -> Words {
        let mut bytes = [0; rx::BYTES];
        self.ram.read(self.descriptor(queue, at), &mut bytes).expect("a ring");
        let mut words = Words::default();
        for (word, bytes) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        words
    }

    /// Done descriptors of a queue, in order, with the bytes in their buffers; they are posted again.
    pub(crate) fn segments(&mut self, queue: u16) -> Vec<(WriteBack, Vec<u8>)> {
        let format = rx::Format::of(Rxdid(self.setting.rxdid)).expect("a format");
        let mut found = Vec::new();
        loop {
            let at = self.next[usize::from(queue)];
            let words = self.words(queue, at);
            if !rx::is_done(words[rx::STATUS_WORD]) {
                return found;
            }
            let said = format.parse(&words);
            let mut bytes = vec![0; usize::from(said.length)];
            self.ram.read(self.buffer_of(queue, at), &mut bytes).expect("a buffer");
            found.push((said, bytes));
            self.put(queue, at, Words::default());
            self.next[usize::from(queue)] = (at + 1) % self.setting.ring;
            self.post(queue, 1);
        }
    }

    /// Whole frames of a queue, each with what its last descriptor says.
    pub(crate) fn frames(&mut self, queue: u16) -> Vec<(WriteBack, Vec<u8>)> {
        let mut frames = Vec::new();
        let mut bytes = Vec::new();
        for (said, part) in self.segments(queue) {
            bytes.extend(part);
            if said.last {
                frames.push((said, std::mem::take(&mut bytes)));
            }
        }
        assert!(bytes.is_empty(), "a frame without an end");
        frames
    }

    /// Offers a frame and takes it from the queue it went to.
    pub(crate) fn through(&mut self, frame: &[u8]) -> (u16, WriteBack, Vec<u8>) {
        let verdict = self.inject(frame);
        let Verdict::Received(queue) = verdict else { panic!("{verdict:?}") };
        let mut frames = self.frames(queue);
        assert_eq!(frames.len(), 1);
        let (said, bytes) = frames.remove(0);
        (queue, said, bytes)
    }

    pub(crate) fn inject(&mut self, frame: &[u8]) -> Verdict {
        datapath::inject(&mut self.model, frame)
    }

    /// Posts transmit descriptors as they are.
    pub(crate) fn post_tx(&mut self, queue: u16, descriptors: &[tx::Words]) {
        for words in descriptors {
            let at = self.tail[usize::from(queue)];
            self.put_tx(queue, at, *words);
            self.tail[usize::from(queue)] = (at + 1) % self.setting.ring;
        }
        let tail = self.tail[usize::from(queue)];
        datapath::tail_written(&mut self.model, Direction::Tx, queue, tail.into());
    }

    /// Writes a transmit descriptor as it is.
    pub(crate) fn put_tx(&mut self, queue: u16, at: u16, words: tx::Words) {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.ram.write(self.tx_descriptor(queue, at), &bytes).expect("a ring");
    }

    fn tx_descriptor(&self, queue: u16, at: u16) -> u64 {
        BASE + PAIR * u64::from(queue) + TX_RING + u64::from(at) * tx::BYTES as u64
    }

    /// Puts bytes where transmit descriptors can point to.
    pub(crate) fn stage(&mut self, queue: u16, bytes: &[u8]) -> u64 {
        let address = BASE + PAIR * u64::from(queue) + TX_BUFFERS;
        self.ram.write(address, bytes).expect("a buffer");
        address
    }

    /// Sends one frame from one buffer.
    pub(crate) fn transmit(&mut self, queue: u16, frame: &[u8]) {
        let buffer = self.stage(queue, frame);
        self.post_tx(queue, &[tx::Data::frame(buffer, frame.len() as u16, true).emit()]);
    }

    /// Transmit descriptors, of those that were posted so far, that are reported done.
    pub(crate) fn reported(&self, queue: u16) -> Vec<u16> {
        let is_done = |at: &u16| {
            let mut bytes = [0; 8];
            self.ram.read(self.tx_descriptor(queue, *at) + 8, &mut bytes).expect("a ring");
            tx::is_done(u64::from_le_bytes(bytes))
        };
        (0..self.setting.ring).filter(is_done).collect()
    }
}
