//! A physical function that says anything, and a function that asks anything: neither side panics, every question ends
//! in one way, rings keep within their bounds, and what was read once is written and read alike.

#![no_main]

use std::time::Duration;

use arbitrary::Arbitrary;
use avf::adminq::{Descriptor, RING_LENGTH};
use avf::mailbox::{DeviceRing, Mailbox, Outcome, Patience, ReceiveRing, Ring, SendRing};
use avf::register::MailboxLen;
use avf::virtchnl::length::check;
use avf::virtchnl::{Answer, Opcode, Request, Version};
use libfuzzer_sys::fuzz_target;

/// One step.
#[derive(Arbitrary, Debug)]
enum Step {
    /// The driver asks.
    Ask { opcode: u16, payload: Vec<u8> },
    /// The driver asks once more what stayed open.
    Again,
    /// A message with this opcode and payload comes.
    Come { opcode: u16, status: i32, payload: Vec<u8> },
    /// Any descriptor comes over any payload.
    Raw { words: [u64; 4], payload: Vec<u8> },
    /// The answer to what is open comes.
    Answer { status: i32, payload: Vec<u8> },
    /// A sent descriptor comes back.
    Back { words: [u64; 4] },
    /// So many milliseconds pass.
    Wait(u16),
    /// A ring's length register reads so.
    Inspect { send: bool, register: u32 },
    /// The send ring's head reads so, after this many messages.
    Head { posts: u8, register: u32 },
    /// A driver writes a ring's registers so: head, tail, length.
    Registers(u32, u32, u32),
    /// The receive ring's head reads so.
    Came { register: u32 },
    /// The rings are set up.
    Up,
    /// The function is being reset.
    Reset,
}

/// Both ends.
struct Ends {
    mailbox: Mailbox,
    send: SendRing,
    receive: ReceiveRing,
    device: DeviceRing,
    now: Duration,
}

fuzz_target!(|steps: Vec<Step>| {
    let mut ends = Ends {
        mailbox: Mailbox::new(Patience::default()),
        send: SendRing::new(RING_LENGTH),
        receive: ReceiveRing::new(RING_LENGTH),
        device: DeviceRing::default(),
        now: Duration::ZERO,
    };
    for step in &steps {
        take(&mut ends, step);
        let open = u64::from(ends.mailbox.open().is_some());
        assert_eq!(ends.mailbox.counters().open(), open, "{:?}", ends.mailbox.counters());
        assert_eq!(ends.mailbox.deadline().is_some(), open == 1);
        if let Some(over) = ends.mailbox.expired(ends.now) {
            assert_eq!(ends.mailbox.open(), None, "{over:?}");
        }
    }
});

fn take(ends: &mut Ends, step: &Step) {
    let now = ends.now;
    match step {
        Step::Ask { opcode, payload } => {
            let opcode = Opcode((*opcode).into());
            as_physical_function(opcode, payload);
            let _ = ends.mailbox.request(opcode, payload, now);
        }
        Step::Again => drop(ends.mailbox.again(now)),
        Step::Come { opcode, status, payload } => come(ends, Opcode((*opcode).into()), *status, payload),
        Step::Raw { words, payload } => arrived(ends, &Descriptor::from_words(*words), payload),
        Step::Answer { status, payload } => {
            if let Some(opcode) = ends.mailbox.open() {
                come(ends, opcode, *status, payload);
            }
        }
        Step::Back { words } => drop(ends.mailbox.sent_back(&Descriptor::from_words(*words))),
        Step::Wait(millis) => ends.now += Duration::from_millis((*millis).into()),
        Step::Inspect { send, register } => {
            let ring = if *send { Ring::Send } else { Ring::Receive };
            ends.mailbox.inspect(ring, MailboxLen(*register), now);
        }
        Step::Head { posts, register } => head(ends, *posts, *register),
        Step::Came { register } => came(ends, *register),
        Step::Registers(head, tail, length) => as_device(&mut ends.device, *head, *tail, *length),
        Step::Up => ends.mailbox.up(),
        Step::Reset => drop(ends.mailbox.reset_seen()),
    }
}

fn come(ends: &mut Ends, opcode: Opcode, status: i32, payload: &[u8]) {
    let bytes = u16::try_from(payload.len()).unwrap_or(u16::MAX);
    let came = Descriptor::prefill(0x1000, 4096).delivered(opcode, avf::virtchnl::Status(status), bytes);
    arrived(ends, &came, payload);
}

fn arrived(ends: &mut Ends, came: &Descriptor, payload: &[u8]) {
    assert_eq!(Descriptor::from_bytes(came.to_bytes()), *came);
    if let Outcome::Answer { opcode, payload, .. } = ends.mailbox.arrived(came, payload, ends.now) {
        let Ok(answer) = Answer::decode(opcode, payload) else { return };
        assert_eq!(Answer::decode(opcode, &answer.payload()), Ok(answer));
    }
}

/// What a model does with a message.
fn as_physical_function(opcode: Opcode, payload: &[u8]) {
    for version in [Version::V1_0, Version::V1_1] {
        let Ok(request) = Request::decode(opcode, payload, version) else { continue };
        let written = request.payload();
        assert_eq!(check(opcode, &written, Version::V1_1), Ok(()), "{request:?}");
        assert_eq!(Request::decode(opcode, &written, Version::V1_1), Ok(request));
    }
}

fn head(ends: &mut Ends, posts: u8, register: u32) {
    for _ in 0..posts {
        let slot = ends.send.slot();
        let tail = ends.send.posted();
        assert!(slot.is_none_or(|slot| slot < RING_LENGTH) && tail < RING_LENGTH);
    }
    let outstanding = ends.send.outstanding();
    if let Ok(done) = ends.send.reclaim(register) {
        let done = done.inspect(|slot| assert!(*slot < RING_LENGTH)).count();
        assert_eq!(done, usize::from(outstanding - ends.send.outstanding()));
    }
}

fn came(ends: &mut Ends, register: u32) {
    let Ok(pending) = ends.receive.pending(register) else { return };
    assert!(pending < RING_LENGTH);
    for _ in 0..pending {
        assert!(matches!(ends.receive.slot(register), Ok(Some(slot)) if slot < RING_LENGTH));
        ends.receive.rearmed();
    }
    assert_eq!(ends.receive.slot(register), Ok(None));
}

fn as_device(ring: &mut DeviceRing, head: u32, tail: u32, length: u32) {
    ring.set_head(head);
    ring.set_tail(tail);
    ring.set_len(length);
    for _ in 0..ring.available() {
        assert!(ring.slot().is_some_and(|slot| u32::from(slot) < ring.len.length()));
        ring.done();
    }
    assert_eq!((ring.slot(), ring.available()), (None, 0));
}
