//! From the PF to the driver.

use std::time::Duration;

use avf::adminq::{DESCRIPTOR_BYTES, Descriptor};
use avf::virtchnl::{Opcode, Status};

use super::{HELD, Letter, send::off_by};
use crate::fault::{Act, Site};
use crate::note::Note;
use crate::{Model, interrupt};

/// Puts a message on its way, and whatever a fault makes of it.
pub(crate) fn post(model: &mut Model, site: Site, op: Opcode, status: Status, payload: Vec<u8>) {
    let mut letter = Letter { due: model.now(), number: 0, op, status, payload };
    match model.strike(site) {
        Some(Act::Drop) => return,
        Some(Act::Delay(us)) => letter.due += Duration::from_micros(us),
        Some(Act::WrongLength(by)) => letter.payload.resize(off_by(letter.payload.len(), by), 0),
        Some(Act::WrongStatus(status)) => letter.status = Status(status),
        Some(Act::Duplicate) => enqueue(model, letter.clone()),
        Some(Act::Reorder) => {
            model.mailbox.late = Some(letter);
            return;
        }
        _ => {}
    }
    enqueue(model, letter);
    if let Some(late) = model.mailbox.late.take() {
        enqueue(model, late);
    }
}

fn enqueue(model: &mut Model, letter: Letter) {
    let number = model.mailbox.next;
    model.mailbox.next += 1;
    let due = letter.due.max(model.now());
    model.mailbox.outbox.push(Letter { due, number, ..letter });
    deliver_due(model);
}

/// Delivers every message whose time has come, oldest first.
pub(crate) fn deliver_due(model: &mut Model) {
    let now = model.now();
    while let Some(letter) = take_due(&mut model.mailbox.outbox, now) {
        if model.mailbox.held.is_empty() {
            deliver_or_hold(model, letter);
        } else {
            hold(model, letter);
        }
    }
}

fn take_due(outbox: &mut Vec<Letter>, now: Duration) -> Option<Letter> {
    let due = outbox.iter().enumerate().filter(|(_, letter)| letter.due <= now);
    let (at, _) = due.min_by_key(|(_, letter)| (letter.due, letter.number))?;
    Some(outbox.remove(at))
}

/// The driver gave buffers: what waited for them goes in.
pub(crate) fn buffers_given(model: &mut Model) {
    while let Some(letter) = model.mailbox.held.pop_front() {
        if !has_room(model) {
            model.mailbox.held.push_front(letter);
            return;
        }
        deliver(model, letter);
    }
}

fn deliver_or_hold(model: &mut Model, letter: Letter) {
    if !model.mailbox.arq.is_enabled() || !model.is_running() {
        return;
    }
    if has_room(model) { deliver(model, letter) } else { hold(model, letter) }
}

fn has_room(model: &Model) -> bool {
    let arq = &model.mailbox.arq;
    model.is_running() && arq.is_enabled() && arq.has_slot()
}

fn hold(model: &mut Model, letter: Letter) {
    if model.mailbox.held.len() == HELD {
        model.mailbox.arq.places.len = model.mailbox.arq.places.len.with_overflow(true);
        model.note(Note::Overflow);
    } else {
        model.mailbox.held.push_back(letter);
    }
}

/// Writes a message into the buffer at the head, its descriptor after it, DD last.
fn deliver(model: &mut Model, letter: Letter) {
    let at = model.mailbox.arq.at_head();
    if write(model, at, &letter).is_none() {
        model.mailbox.arq.places.len = model.mailbox.arq.places.len.with_critical(true);
        model.note(Note::Critical);
        return;
    }
    model.mailbox.arq.places.done();
    model.note(Note::Message(letter.op, letter.status, letter.payload.len()));
    interrupt::mail(model);
}

fn write(model: &mut Model, at: u64, letter: &Letter) -> Option<()> {
    let doing = "receive ring of the mailbox";
    let mut bytes = [0; DESCRIPTOR_BYTES];
    model.memory.read(doing, at, &mut bytes).ok()?;
    let posted = Descriptor::from_bytes(bytes);
    let fits = letter.payload.len().min(usize::from(posted.datalen));
    if fits != 0 {
        model.memory.write("payload of a message", posted.address, letter.payload.get(..fits)?).ok()?;
    }
    let told = u16::try_from(letter.payload.len()).unwrap_or(u16::MAX);
    let done = posted.delivered(letter.op, letter.status, told).to_bytes();
    let (flags, rest) = done.split_first_chunk::<8>()?;
    model.memory.write(doing, at.wrapping_add(8), rest).ok()?;
    model.memory.store(doing, at, u64::from_le_bytes(*flags)).ok()
}
