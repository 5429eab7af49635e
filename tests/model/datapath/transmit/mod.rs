//! From a ring onto the wire.

mod gather;
mod offload;

use avf::tx::{BYTES, DONE, check_tail};

use self::gather::{Gathered, Job, gather};
use super::sight::cast;
use super::{Malice, by_cast};
use crate::fault::{Act, Site};
use crate::vf::{Direction, Strip, TxQueue};
use crate::{Memory, Model, Options, WriteBack};

/// Descriptors whose reports share one line of memory.
const LINE: u32 = 4;

/// The driver wrote the tail: everything before it is sent.
pub(super) fn kick(model: &mut Model, queue: u16, tail: u32) {
    let Some(tx) = model.function.vf.tx.get_mut(usize::from(queue)) else { return };
    if !tx.enabled {
        tx.tail = tail;
        return;
    }
    let ring = u16::try_from(tx.len).unwrap_or(u16::MAX);
    if let Err(violation) = check_tail(tail, ring) {
        return model.accuse(Malice::Transmit { queue, violation });
    }
    tx.tail = tail;
    run(model, queue);
}

/// Sends what the driver has posted, while nothing forbids it.
pub(super) fn run(model: &mut Model, queue: u16) {
    let mut sent = false;
    // a ring holds fewer frames than descriptors, so this ends
    for _ in 0..=u16::MAX {
        let Some(job) = next_job(model, queue) else { break };
        let reports = send(model, queue, job);
        let Some(tx) = model.function.vf.tx.get_mut(usize::from(queue)) else { break };
        tx.pending.extend(reports);
        sent = true;
    }
    if sent {
        post(model, queue);
        model.completed(Direction::Tx, queue);
    }
}

/// The next frame of a queue, its descriptors taken off the ring.
fn next_job(model: &mut Model, queue: u16) -> Option<Job> {
    if !model.is_running() {
        return None;
    }
    let Model { function, memory, .. } = &mut *model;
    let tx = function.vf.tx.get_mut(usize::from(queue))?;
    if !tx.enabled || tx.stuck || tx.len == 0 {
        return None;
    }
    match gather(tx, memory, function.persona.longest_frame) {
        Gathered::Job(job) => Some(job),
        Gathered::Unfinished => None,
        Gathered::Denied => {
            tx.stuck = true;
            None
        }
        Gathered::Malice(violation) => {
            model.accuse(Malice::Transmit { queue, violation });
            None
        }
    }
}

/// Sends one frame, or its segments. Answers the descriptors that asked for a report.
fn send(model: &mut Model, queue: u16, job: Job) -> Vec<u32> {
    let frames = offload::frames(&job, model.function.vf.insert_outer);
    match model.strike(Site::Transmit(queue)) {
        Some(Act::Drop) => model.function.vf.statistics.tx_discards += frames.len() as u64,
        Some(Act::StuckQueue) => {
            if let Some(tx) = model.function.vf.tx.get_mut(usize::from(queue)) {
                tx.stuck = true;
            }
            return Vec::new();
        }
        Some(Act::NeverComplete) => {
            frames.into_iter().for_each(|frame| leave(model, frame));
            return Vec::new();
        }
        Some(Act::Duplicate) => {
            frames.clone().into_iter().for_each(|frame| leave(model, frame));
            frames.into_iter().for_each(|frame| leave(model, frame));
        }
        _ => frames.into_iter().for_each(|frame| leave(model, frame)),
    }
    job.reports
}

/// A frame leaves the function, unless it claims to be from somebody else.
fn leave(model: &mut Model, mut frame: Vec<u8>) {
    if model.function.host.spoof_check && is_spoofed(model, &frame) {
        model.function.vf.statistics.tx_errors += 1;
        return;
    }
    let statistics = &mut model.function.vf.statistics;
    statistics.tx_bytes += frame.len() as u64;
    let destination = frame.first_chunk().copied().unwrap_or_default();
    *by_cast(
        cast(destination),
        &mut statistics.tx_unicast,
        &mut statistics.tx_multicast,
        &mut statistics.tx_broadcast,
    ) += 1;
    if let Some(vlan) = model.function.host.port_vlan {
        offload::insert_tag(&mut frame, Strip::TPID, vlan);
    }
    super::departed(model, frame);
}

fn is_spoofed(model: &Model, frame: &[u8]) -> bool {
    let source = frame.get(6..).and_then(<[u8]>::first_chunk::<6>);
    source.is_none_or(|source| !model.function.vf.filters.macs.contains(source))
}

/// Reports what is due: lines of descriptors that are done as a whole, or everything.
fn post(model: &mut Model, queue: u16) {
    let Model { function, memory, .. } = model;
    let Some(tx) = function.vf.tx.get_mut(usize::from(queue)) else { return };
    report(tx, memory, due(tx, &function.options));
}

fn due(tx: &TxQueue, options: &Options) -> usize {
    match options.write_back {
        WriteBack::Immediate => tx.pending.len(),
        WriteBack::Groups => tx.pending.partition_point(|at| at / LINE != tx.head / LINE),
    }
}

fn report(tx: &mut TxQueue, memory: &mut Memory, due: usize) {
    let base = tx.base;
    for at in tx.pending.drain(..due.min(tx.pending.len())) {
        let place = base.wrapping_add(u64::from(at) * BYTES as u64 + 8);
        if memory.store("transmit write-back", place, DONE).is_err() {
            return;
        }
    }
}

/// Reports everything that is pending. True when something was.
pub(super) fn flush(model: &mut Model, queue: u16) -> bool {
    if !model.is_running() {
        return false;
    }
    let Model { function, memory, .. } = model;
    let Some(tx) = function.vf.tx.get_mut(usize::from(queue)) else { return false };
    let due = tx.pending.len();
    report(tx, memory, due);
    due > 0
}
