//! The descriptors of one frame, and the bytes they point to.

use avf::tx::{BYTES, Context, Data, Descriptor, Limits, Violation, Words, check};

use crate::Memory;
use crate::datapath::receive::{halves, next};
use crate::vf::TxQueue;

/// Descriptors that are read at once.
const RUN: usize = 32;

/// One frame as the driver posted it.
#[derive(Debug)]
pub(super) struct Job {
    /// The context descriptor before it.
    pub(super) context: Context,
    /// Its first data descriptor, with all settings of the frame.
    pub(super) first: Data,
    /// Its bytes.
    pub(super) bytes: Vec<u8>,
    /// Places of the descriptors that asked for a report.
    pub(super) reports: Vec<u32>,
}

/// What is at the head of a ring.
#[derive(Debug)]
pub(super) enum Gathered {
    /// A frame; the head has moved behind it.
    Job(Job),
    /// Nothing, or the beginning of a frame whose end is not posted.
    Unfinished,
    /// Memory could not be reached.
    Denied,
    /// What no driver may post.
    Malice(Violation),
}

/// Takes one frame off a ring.
pub(super) fn gather(tx: &mut TxQueue, memory: &mut Memory, longest: u32) -> Gathered {
    let Ok((descriptors, after)) = collect(tx, memory) else { return Gathered::Denied };
    let ends = |descriptor: &(u32, Descriptor)| {
        !matches!(&descriptor.1, Descriptor::Data(data) if !data.last)
            && !matches!(descriptor.1, Descriptor::Context(_))
    };
    if !descriptors.last().is_some_and(ends) {
        return Gathered::Unfinished;
    }
    let list: Vec<Descriptor> = descriptors.iter().map(|(_, descriptor)| *descriptor).collect();
    if let Err(violation) = check(&list, Limits { max_frame: longest }) {
        return Gathered::Malice(violation);
    }
    match fetch(&descriptors, memory) {
        Some(job) => {
            tx.head = after;
            Gathered::Job(job)
        }
        None => Gathered::Denied,
    }
}

/// Descriptors from the head on, up to the end of a frame, something that is none, or the tail; and the place behind.
fn collect(tx: &TxQueue, memory: &mut Memory) -> Result<(Vec<(u32, Descriptor)>, u32), ()> {
    let mut found = Vec::new();
    let mut at = tx.head;
    while at != tx.tail {
        let end = if tx.tail > at { tx.tail } else { tx.len };
        let count = (end - at).min(RUN as u32);
        let mut bytes = [0; RUN * BYTES];
        let part = bytes.get_mut(..count as usize * BYTES).ok_or(())?;
        let place = tx.base.wrapping_add(u64::from(at) * BYTES as u64);
        memory.read("transmit descriptor", place, part).map_err(|_| ())?;
        for words in part.as_chunks::<BYTES>().0 {
            let descriptor = Descriptor::parse(&words_of(*words));
            found.push((at, descriptor));
            at = next(at, tx.len);
            let goes_on = match descriptor {
                Descriptor::Data(data) => !data.last,
                Descriptor::Context(_) => true,
                Descriptor::Done | Descriptor::Other(_) => false,
            };
            if !goes_on {
                return Ok((found, at));
            }
        }
    }
    Ok((found, at))
}

fn words_of(bytes: [u8; BYTES]) -> Words {
    halves(bytes)
}

fn fetch(descriptors: &[(u32, Descriptor)], memory: &mut Memory) -> Option<Job> {
    let mut job =
        Job { context: Context::default(), first: Data::default(), bytes: Vec::new(), reports: Vec::new() };
    let mut is_first = true;
    for (at, descriptor) in descriptors {
        match descriptor {
            Descriptor::Context(context) => job.context = *context,
            Descriptor::Data(data) => {
                if std::mem::take(&mut is_first) {
                    job.first = *data;
                }
                if data.report {
                    job.reports.push(*at);
                }
                let from = job.bytes.len();
                job.bytes.resize(from + usize::from(data.size), 0);
                memory.read("transmit buffer", data.buffer, job.bytes.get_mut(from..)?).ok()?;
            }
            Descriptor::Done | Descriptor::Other(_) => return None,
        }
    }
    Some(job)
}
