//! Queues: ops 6, 8, 9 and their counters, op 15 (reference section 4.8).

use avf::rx::{Format, Rxdid};
use avf::virtchnl::{self as wire, Caps, ConfigQueues, Message, QueuePair, QueueSelect, Status};

use super::{DONE, Told, must};
use crate::vf::{RxQueue, TxQueue};
use crate::{Function, QueueRules};

/// Bytes of a buffer, at the most, and the unit in which hardware has them.
const BUFFER_MOST: u32 = 16 * 1024 - 128;
const BUFFER_UNIT: u32 = 128;

/// The unit of ring addresses.
const RING_UNIT: u64 = 128;

/// Descriptors of a ring, at the most, and the unit.
const RING_MOST: u32 = 8160;
const RING_STEP: u32 = 32;

/// Bytes of a VLAN tag that the PF puts in and takes out.
const TAG: u32 = 4;

/// Op 6.
pub(super) fn configure(function: &mut Function, config: &ConfigQueues) -> Told {
    let done = configure_all(function, config);
    if done.is_err() && function.persona.queues.failure_stops_all {
        stop_all(function);
    }
    done
}

fn configure_all(function: &mut Function, config: &ConfigQueues) -> Told {
    function.own_vsi(config.vsi)?;
    must(config.pairs.len() <= usize::from(function.host.pairs))?;
    for pair in &config.pairs {
        check_pair(function, pair)?;
        check_tx(function, &pair.tx)?;
        check_rx(function, &pair.rx)?;
        take(function, pair);
    }
    DONE
}

fn stop_all(function: &mut Function) {
    function.vf.rx.iter_mut().for_each(|rx| *rx = RxQueue { tail: rx.tail, ..RxQueue::default() });
    function.vf.tx.iter_mut().for_each(|tx| *tx = TxQueue::default());
}

fn check_pair(function: &Function, pair: &QueuePair) -> Result<(), Status> {
    function.own_vsi(pair.tx.vsi)?;
    function.own_vsi(pair.rx.vsi)?;
    must(pair.tx.queue == pair.rx.queue && pair.rx.queue < function.host.pairs)
}

fn check_tx(function: &Function, tx: &wire::TxQueue) -> Result<(), Status> {
    must(tx.headwb == 0)?;
    check_ring(function, u32::from(tx.ring_len))
}

fn check_rx(function: &Function, rx: &wire::RxQueue) -> Result<(), Status> {
    let rules = &function.persona.queues;
    check_ring(function, rx.ring_len)?;
    must(rx.buffer <= BUFFER_MOST && (rx.buffer == 0 || rx.buffer >= rules.least_buffer))?;
    let tag = if function.host.port_vlan.is_some() && rules.makes_room_for_tag { TAG } else { 0 };
    must((rules.least_frame..=rules.most_frame - tag).contains(&rx.max_frame))?;
    if rules.keeps_crc {
        must(!rx.keep_crc || function.has(Caps::CRC) && !function.vf.strip.is_on())?;
    }
    must(!rules.has_profiles || is_offered(function, rx.rxdid))
}

/// A ring of no descriptors leaves its queue out.
fn check_ring(function: &Function, len: u32) -> Result<(), Status> {
    let least = function.persona.queues.least_ring;
    must(len == 0 || (least..=RING_MOST).contains(&len) && len.is_multiple_of(RING_STEP))
}

fn is_offered(function: &Function, rxdid: u8) -> bool {
    let offered = function.persona.rxdids.checked_shr(u32::from(rxdid)).unwrap_or(0) & 1 == 1;
    match rxdid {
        0 | 1 => true,
        other => function.has(Caps::RX_FLEX_DESC) && offered && Format::of(Rxdid(other)).is_some(),
    }
}

fn take(function: &mut Function, pair: &QueuePair) {
    let rules = &function.persona.queues;
    let at = usize::from(pair.rx.queue);
    if let Some(rx) = function.vf.rx.get_mut(at) {
        *rx = RxQueue {
            configured: pair.rx.ring_len > 0,
            base: pair.rx.ring & !(RING_UNIT - 1),
            len: pair.rx.ring_len,
            buffer: pair.rx.buffer - pair.rx.buffer % BUFFER_UNIT,
            longest: pair.rx.max_frame,
            rxdid: if rules.has_profiles { pair.rx.rxdid.max(Rxdid::LEGACY.0) } else { Rxdid::LEGACY.0 },
            keep_crc: rules.keeps_crc && pair.rx.keep_crc,
            tail: rx.tail,
            ..RxQueue::default()
        };
    }
    if let Some(tx) = function.vf.tx.get_mut(at) {
        *tx = TxQueue {
            configured: pair.tx.ring_len > 0,
            enabled: rules.configuring_starts_tx && pair.tx.ring_len > 0,
            base: pair.tx.ring & !(RING_UNIT - 1),
            len: u32::from(pair.tx.ring_len),
            ..TxQueue::default()
        };
    }
}

/// Op 8.
pub(super) fn enable(function: &mut Function, select: QueueSelect) -> Told {
    check_select(function, select)?;
    for (_, rx) in (0..).zip(&mut function.vf.rx).filter(|(queue, _)| has(select.rx, *queue)) {
        start(&function.persona.queues, rx.configured && rx.len > 0)?;
        if !rx.enabled {
            (rx.enabled, rx.head) = (true, 0);
            rx.pending.clear();
        }
    }
    for (_, tx) in (0..).zip(&mut function.vf.tx).filter(|(queue, _)| has(select.tx, *queue)) {
        start(&function.persona.queues, tx.configured && tx.len > 0)?;
        if !tx.enabled {
            (tx.enabled, tx.head, tx.tail) = (true, 0, 0);
            tx.pending.clear();
        }
    }
    function.vf.started = true;
    DONE
}

/// A queue without a ring does not start; the 700 series finds that out by waiting.
fn start(rules: &QueueRules, can: bool) -> Result<(), Status> {
    if can { Ok(()) } else { Err(rules.cannot_start) }
}

/// Op 9. What is done and not written back yet stays pending for [`drain`](crate::datapath::drain).
pub(super) fn disable(function: &mut Function, select: QueueSelect) -> Told {
    check_select(function, select)?;
    for (_, rx) in (0..).zip(&mut function.vf.rx).filter(|(queue, _)| has(select.rx, *queue)) {
        rx.enabled = false;
    }
    for (_, tx) in (0..).zip(&mut function.vf.tx).filter(|(queue, _)| has(select.tx, *queue)) {
        tx.enabled = false;
    }
    let vf = &mut function.vf;
    vf.started = vf.rx.iter().any(|rx| rx.enabled) || vf.tx.iter().any(|tx| tx.enabled);
    DONE
}

fn check_select(function: &Function, select: QueueSelect) -> Result<(), Status> {
    function.own_vsi(select.vsi)?;
    let all = select.rx | select.tx;
    let beyond = all.checked_shr(u32::from(function.host.pairs)).unwrap_or(0);
    must(all != 0 && beyond == 0)
}

fn has(mask: u32, queue: u32) -> bool {
    mask.checked_shr(queue).unwrap_or(0) & 1 == 1
}

/// Op 15.
pub(super) fn statistics(function: &Function, select: QueueSelect) -> Told {
    function.own_vsi(select.vsi)?;
    Ok(function.vf.statistics.encode())
}
