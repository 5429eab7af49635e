//! From the wire into a ring.

use std::borrow::Cow;

use avf::ptype::Ptype;
use avf::rx::{BYTES, DeviceTime, GROUP, Read, Rxdid, STATUS_WORD, Words, WriteBack as Said};

use super::sight::{Ports, Sight, look};
use super::steer::{Steered, is_subscribed, steer};
use super::{Verdict, filter, spread};
use crate::fault::{Act, Site};
use crate::memory::Denied;
use crate::vf::{RxQueue, Strip};
use crate::{Memory, Model, Options, WriteBack};

/// Shortest frame on a wire, without its check sequence (IEEE 802.3).
const SHORTEST: usize = 60;

/// Bytes of a VLAN tag, and where the outer one stands.
const TAG: usize = 4;
const TAG_AT: usize = 12;

/// Bytes of the frame check sequence.
const CRC: usize = 4;

/// A frame as it goes into buffers.
struct Arrival<'a> {
    bytes: Cow<'a, [u8]>,
    tag1: Option<u16>,
    tag2: Option<u16>,
}

/// What its descriptor will say of a frame, as far as it is known before there is one.
struct Told<'a> {
    sight: &'a Sight,
    hash: Option<u32>,
    mark: Option<u32>,
}

/// Offers a frame to the function.
pub(super) fn offer(model: &mut Model, frame: &[u8]) -> Verdict {
    if !model.is_running() || model.function.vf.granted.is_none() {
        return Verdict::NotEnabled;
    }
    let options = &model.function.options;
    let sight = look(frame, Ports { vxlan: &options.vxlan, geneve: &options.geneve });
    let wanted = filter::wants(&model.function, frame, &sight);
    if !wanted && !is_subscribed(&model.function, frame, &sight) {
        return Verdict::Filtered;
    }
    let (hash, spread) = spread::spread(&model.function, &sight);
    count(model, frame.len(), &sight);
    let Steered { drops, queue, mark } = steer(&mut model.function, frame, &sight, hash);
    if drops {
        return Verdict::Dropped;
    }
    let told = Told { sight: &sight, hash, mark };
    let verdict = enter(model, queue.unwrap_or(spread), frame, &told);
    let statistics = &mut model.function.vf.statistics;
    match verdict {
        Verdict::NoDescriptor | Verdict::TooLong | Verdict::Denied => statistics.rx_discards += 1,
        Verdict::NotEnabled => statistics.rx_unknown_protocol += 1,
        Verdict::Received(_) | Verdict::Filtered | Verdict::Dropped | Verdict::Fault => {}
    }
    verdict
}

fn count(model: &mut Model, length: usize, sight: &Sight) {
    let statistics = &mut model.function.vf.statistics;
    statistics.rx_bytes += length.max(SHORTEST) as u64;
    let frames = super::by_cast(
        sight.cast,
        &mut statistics.rx_unicast,
        &mut statistics.rx_multicast,
        &mut statistics.rx_broadcast,
    );
    *frames += 1;
}

/// What a fault does at this door, then the ring.
fn enter(model: &mut Model, queue: u16, frame: &[u8], told: &Told<'_>) -> Verdict {
    let mut off = 0;
    let mut times = 1;
    match model.strike(Site::Receive(queue)) {
        Some(Act::Drop) => return Verdict::Fault,
        Some(Act::Duplicate) => times = 2,
        Some(Act::WrongLength(by)) => off = by,
        Some(Act::StuckQueue) => set_stuck(model, queue),
        _ => {}
    }
    let mut verdict = Verdict::Fault;
    for _ in 0..times {
        verdict = place(model, queue, frame, told, off);
    }
    verdict
}

fn set_stuck(model: &mut Model, queue: u16) {
    if let Some(rx) = model.function.vf.rx.get_mut(usize::from(queue)) {
        rx.stuck = true;
    }
}

fn place(model: &mut Model, queue: u16, frame: &[u8], told: &Told<'_>, off: i32) -> Verdict {
    model.read_clock();
    let Told { sight, hash, mark } = *told;
    let Model { function, memory, ledger, .. } = model;
    let strip = function.vf.strip;
    let double = function.has_double_tags();
    let port = function.persona.longest_frame;
    let port_vlan = function.host.port_vlan.is_some();
    let Some(rx) = function.vf.rx.get_mut(usize::from(queue)).filter(|rx| rx.is_open()) else {
        return Verdict::NotEnabled;
    };
    if rx.stuck {
        return Verdict::Fault;
    }
    let arrival = arrive(frame, sight, strip, double, port_vlan, rx.keep_crc);
    let longest = rx.longest.min(port) as usize + if rx.keep_crc { CRC } else { 0 };
    if arrival.bytes.len() > longest {
        return Verdict::TooLong;
    }
    let last = Said {
        ptype: Ptype::of(&sight.layers),
        hash,
        tag1: arrival.tag1,
        tag2: arrival.tag2,
        cast: sight.cast,
        checks: sight.checks,
        crc: rx.keep_crc,
        flow: mark,
        time: rx.stamps.then(|| device_time(function.clock)),
        last: true,
        ..Said::default()
    };
    let zero_tail = function.options.zero_tail && !rx.keep_crc;
    let mask = function.persona.tail_mask;
    let verdict = match fill(rx, memory, &arrival.bytes, &last, off, zero_tail, mask) {
        Ok(unclean) => {
            ledger.unclean += unclean;
            rx.frames += 1;
            Verdict::Received(queue)
        }
        Err(verdict) => verdict,
    };
    post(rx, memory, &function.options);
    verdict
}

/// The lower half of the clock; the model's has no fractions.
fn device_time(clock: u64) -> DeviceTime {
    DeviceTime { nanoseconds: (clock & u64::from(u32::MAX)) as u32, fraction: 0 }
}

/// Pads a frame, takes tags out of it, and appends its check sequence, as the queue is set.
fn arrive<'a>(
    frame: &'a [u8],
    sight: &Sight,
    strip: Strip,
    double: bool,
    port_vlan: bool,
    keep_crc: bool,
) -> Arrival<'a> {
    let mut arrival = Arrival { bytes: Cow::Borrowed(frame), tag1: None, tag2: None };
    if arrival.bytes.len() < SHORTEST {
        arrival.bytes.to_mut().resize(SHORTEST, 0);
    }
    let mut tags = sight.tags.into_iter().flatten();
    if port_vlan && tags.next().is_some() {
        arrival.cut(TAG_AT);
    }
    let first = tags.next();
    if double {
        arrival.take_outer(first, tags.next(), strip);
    } else if let Some((tpid, tci)) = first
        && strip.inner == Some(tpid)
    {
        arrival.cut(TAG_AT);
        arrival.tag1 = Some(tci);
    }
    if keep_crc {
        let mut crc = flate2::Crc::new();
        crc.update(&arrival.bytes);
        arrival.bytes.to_mut().extend(crc.sum().to_le_bytes());
    }
    arrival
}

impl Arrival<'_> {
    /// Takes out the four bytes of a tag.
    fn cut(&mut self, at: usize) {
        if self.bytes.len() >= at + TAG {
            self.bytes.to_mut().drain(at..at + TAG);
        }
    }

    /// With double tags, the only tag is the outer one (reference section 4.9).
    fn take_outer(&mut self, outer: Option<(u16, u16)>, inner: Option<(u16, u16)>, strip: Strip) {
        if let Some((tpid, tci)) = inner
            && strip.inner == Some(tpid)
        {
            self.cut(TAG_AT + TAG);
            self.tag1 = Some(tci);
        }
        if let Some((tpid, tci)) = outer
            && strip.outer == Some(tpid)
        {
            self.cut(TAG_AT);
            self.tag2 = Some(tci);
        }
    }
}

/// Fills descriptors with a frame; all of it, or none. Answers how many descriptors were posted unclean.
fn fill(
    rx: &mut RxQueue,
    memory: &mut Memory,
    bytes: &[u8],
    last: &Said,
    off: i32,
    zero_tail: bool,
    mask: u32,
) -> Result<u64, Verdict> {
    let buffer = rx.buffer as usize;
    let mut needed = bytes.len().div_ceil(buffer);
    if zero_tail && bytes.len().is_multiple_of(buffer) {
        needed += 1;
    }
    if needed > free(rx, mask) as usize {
        return Err(Verdict::NoDescriptor);
    }
    let mut unclean = 0;
    let mut at = rx.head;
    let from = rx.pending.len();
    for piece in 0..needed {
        let start = bytes.len().min(piece * buffer);
        let part = bytes.get(start..bytes.len().min(start + buffer)).unwrap_or_default();
        match segment(rx, memory, at, part) {
            Ok(clean) => unclean += u64::from(!clean),
            Err(_) => {
                rx.pending.truncate(from);
                return Err(Verdict::Denied);
            }
        }
        let is_last = piece + 1 == needed;
        let said = if is_last { *last } else { Said::default() };
        let length =
            i32::try_from(part.len()).unwrap_or(i32::MAX).saturating_add(if is_last { off } else { 0 });
        let length = u16::try_from(length.clamp(0, 0x3FFF)).unwrap_or(0);
        rx.pending.push((at, rx.format().emit(Rxdid(rx.rxdid), &Said { length, ..said })));
        at = next(at, rx.len);
    }
    rx.head = at;
    Ok(unclean)
}

/// Descriptors that the device may use.
fn free(rx: &RxQueue, mask: u32) -> u32 {
    let tail = rx.tail & mask;
    // written before the ring was: none of its descriptors
    if tail >= rx.len {
        return 0;
    }
    if tail >= rx.head { tail - rx.head } else { (tail + rx.len).saturating_sub(rx.head) }
}

pub(super) fn next(at: u32, len: u32) -> u32 {
    if at + 1 >= len { 0 } else { at + 1 }
}

/// Writes one buffer; tells whether its descriptor was clean.
fn segment(rx: &RxQueue, memory: &mut Memory, at: u32, part: &[u8]) -> Result<bool, Denied> {
    let mut words = [0; 16];
    memory.read("receive descriptor", address(rx, at), &mut words)?;
    let [low, high] = halves(words);
    let posted = Read { buffer: low, header: high };
    if !part.is_empty() {
        memory.write("receive buffer", posted.buffer, part)?;
    }
    Ok(posted.header == 0)
}

pub(super) fn halves(bytes: [u8; 16]) -> [u64; 2] {
    let [low, high] = bytes.as_chunks::<8>().0 else { return [0, 0] };
    [u64::from_le_bytes(*low), u64::from_le_bytes(*high)]
}

fn address(rx: &RxQueue, at: u32) -> u64 {
    rx.base.wrapping_add(u64::from(at) * BYTES as u64)
}

/// Writes back what is due: whole groups, or all of it.
fn post(rx: &mut RxQueue, memory: &mut Memory, options: &Options) {
    let due = match options.write_back {
        WriteBack::Immediate => rx.pending.len(),
        WriteBack::Groups => {
            let closes =
                |(at, _): &(u32, Words)| at % u32::from(GROUP) == u32::from(GROUP) - 1 || at + 1 == rx.len;
            rx.pending.iter().rposition(closes).map_or(0, |last| last + 1)
        }
    };
    write_back(rx, memory, due);
}

/// Writes the oldest `due` descriptors back, each with its status word last.
fn write_back(rx: &mut RxQueue, memory: &mut Memory, due: usize) {
    let (base, doing) = (rx.base, "receive write-back");
    for (at, words) in rx.pending.drain(..due.min(rx.pending.len())) {
        let place = base.wrapping_add(u64::from(at) * BYTES as u64);
        let mut bytes = [0; BYTES];
        for (index, (to, word)) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(words).enumerate() {
            *to = if index == STATUS_WORD { [0; 8] } else { word.to_le_bytes() };
        }
        let [_, status, ..] = words;
        let stored = memory.write(doing, place, &bytes);
        if stored.is_err() || memory.store(doing, place + 8, status).is_err() {
            return;
        }
    }
}

/// Writes everything back that is pending. True when something was.
pub(super) fn flush(model: &mut Model, queue: u16) -> bool {
    if !model.is_running() {
        return false;
    }
    let Model { function, memory, .. } = model;
    let Some(rx) = function.vf.rx.get_mut(usize::from(queue)) else { return false };
    let due = rx.pending.len();
    write_back(rx, memory, due);
    due > 0
}
