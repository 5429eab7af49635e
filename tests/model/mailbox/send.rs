//! From the driver to the PF.

use std::time::Duration;

use avf::adminq::{Command, DESCRIPTOR_BYTES, Descriptor, Flags, LARGE, Retval};
use avf::virtchnl::Opcode;

use super::{Request, post};
use crate::datapath;
use crate::fault::{Act, Site};
use crate::note::Note;
use crate::virtchnl::{self, Action};
use crate::{Latency, Model, reset};

/// Longest payload that the PF takes.
const LONGEST: u16 = avf::adminq::BUFFER_BYTES;

/// The driver wrote the tail of its send ring.
pub(crate) fn kicked(model: &mut Model) {
    if !model.mailbox.atq.places.is_sound() && model.mailbox.atq.is_enabled() {
        fail(model);
        return;
    }
    // a ring holds at most so many; what a handler does to it ends the loop earlier
    for _ in 0..model.mailbox.atq.places.len.length() {
        let mailbox = &model.mailbox;
        let stopped = mailbox.closing || mailbox.wedged || !model.is_running();
        if stopped || !mailbox.atq.is_enabled() || !mailbox.atq.has_slot() || !take_one(model) {
            return;
        }
    }
}

/// Takes the descriptor at the head. False when the ring cannot go on.
fn take_one(model: &mut Model) -> bool {
    let at = model.mailbox.atq.at_head();
    let mut bytes = [0; DESCRIPTOR_BYTES];
    if model.memory.read("send ring of the mailbox", at, &mut bytes).is_err() {
        fail(model);
        return false;
    }
    let descriptor = Descriptor::from_bytes(bytes);
    let Some(retval) = carry_out(model, &descriptor) else { return false };
    let words = descriptor.completed(retval).to_words();
    let mut rest = [0; DESCRIPTOR_BYTES - 8];
    rest.as_chunks_mut::<8>().0.iter_mut().zip(&words[1..]).for_each(|(to, word)| *to = word.to_le_bytes());
    let doing = "write-back of the mailbox's send ring";
    let written = model
        .memory
        .write(doing, at.wrapping_add(8), &rest)
        .and_then(|()| model.memory.store(doing, at, words[0]));
    if written.is_err() {
        fail(model);
        return false;
    }
    model.mailbox.atq.places.done();
    true
}

/// What the transport answers; none when the ring stops here.
fn carry_out(model: &mut Model, descriptor: &Descriptor) -> Option<Retval> {
    match descriptor.command {
        Command::QUEUE_SHUTDOWN => {
            model.mailbox.closing = true;
            model.note(Note::Closing);
            Some(Retval::OK)
        }
        Command::SEND_TO_PF => send(model, descriptor),
        _ => Some(Retval::ENOSYS),
    }
}

fn send(model: &mut Model, descriptor: &Descriptor) -> Option<Retval> {
    let payload = match payload(model, descriptor) {
        Ok(payload) => payload,
        Err(Retval::BAD_ADDR) => {
            fail(model);
            return None;
        }
        Err(retval) => return Some(retval),
    };
    model.note(Note::Request(descriptor.opcode, payload.len()));
    accept(model, descriptor.opcode, payload).then_some(Retval::OK)
}

/// What a request carries, by the rules for its descriptor.
fn payload(model: &mut Model, descriptor: &Descriptor) -> Result<Vec<u8>, Retval> {
    let Descriptor { flags, datalen, address, .. } = *descriptor;
    if !flags.contains(Flags::BUF) {
        return Ok(Vec::new());
    }
    if datalen > LONGEST {
        return Err(Retval::E2BIG);
    }
    let large_as_said = flags.contains(Flags::LB) == (datalen > LARGE);
    if !flags.contains(Flags::RD) || model.function.options.strict && !large_as_said {
        return Err(Retval::EINVAL);
    }
    let mut payload = vec![0; usize::from(datalen)];
    let read = model.memory.read("payload of a request", address, &mut payload);
    read.map(|()| payload).map_err(|_| Retval::BAD_ADDR)
}

/// Puts a request on its way, and whatever a fault makes of it. False when the ring stops here.
fn accept(model: &mut Model, op: Opcode, mut payload: Vec<u8>) -> bool {
    let mut copies = 1;
    let mut later = Duration::ZERO;
    match model.strike(Site::Request(op.0)) {
        Some(Act::Drop) => return true,
        Some(Act::NeverComplete) => {
            model.mailbox.wedged = true;
            return false;
        }
        Some(Act::Delay(us)) => later = Duration::from_micros(us),
        Some(Act::WrongLength(by)) => payload.resize(off_by(payload.len(), by), 0),
        Some(Act::Duplicate) => copies = 2,
        _ => {}
    }
    let latency = match model.function.options.latency {
        Latency::After(latency) => Some(latency),
        Latency::Never => None,
    };
    let due = latency.map(|latency| model.now() + latency + later);
    // a reset may have struck instead
    if !model.is_running() {
        return false;
    }
    (0..copies).for_each(|_| queue(model, Request { due, op, payload: payload.clone() }));
    true
}

fn queue(model: &mut Model, mut request: Request) {
    let flood = model.function.persona.flood.and_then(|most| usize::try_from(most).ok());
    model.mailbox.ignored |= flood.is_some_and(|most| model.mailbox.inbox.len() >= most);
    if model.mailbox.ignored {
        return;
    }
    // answers come in the order of requests, so nobody overtakes
    if let Some(last) = model.mailbox.inbox.back() {
        request.due = request.due.zip(last.due).map(|(own, before)| own.max(before));
    }
    model.mailbox.inbox.push_back(request);
    model.mailbox.deepest = model.mailbox.deepest.max(model.mailbox.inbox.len());
}

/// Looks at every request whose time has come.
pub(crate) fn handle_due(model: &mut Model) {
    let now = model.now();
    while let Some(request) =
        model.mailbox.inbox.pop_front_if(|request| request.due.is_some_and(|due| due <= now))
    {
        model.read_clock();
        let actions = virtchnl::handle(&mut model.function, request.op, &request.payload);
        datapath::drain(model);
        act(model, actions);
    }
}

/// Does what a handler decided.
pub(crate) fn act(model: &mut Model, actions: Vec<Action>) {
    for action in actions {
        match action {
            Action::Reply { op, status, payload } => post(model, Site::Reply(op.0), op, status, payload),
            Action::Event(event) => {
                let site = Site::Event(event.first_chunk().map_or(0, |code| u32::from_le_bytes(*code)));
                post(model, site, Opcode::EVENT, avf::virtchnl::Status(0), event);
            }
            Action::Reset(kind) => reset::begin(model, kind),
        }
    }
}

pub(super) fn off_by(len: usize, by: i32) -> usize {
    let distance = usize::try_from(by.unsigned_abs()).unwrap_or_default();
    if by < 0 { len.saturating_sub(distance) } else { len + distance }
}

/// The ring could not be read or written.
fn fail(model: &mut Model) {
    // without bus mastering nothing is tried, so nothing fails
    if model.is_running() {
        model.mailbox.atq.places.len = model.mailbox.atq.places.len.with_critical(true);
        model.note(Note::Critical);
    }
}
