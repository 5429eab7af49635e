//! Queues: ops 6, 8, 9 and their counters, op 15 (reference section 4.8).

use avf::rx::{Format, Rxdid};
use avf::virtchnl::{
    self as wire, Caps, ConfigQueues, Message, PtpBits, QueuePair, QueueSelect, RxFlags, Status,
};

use super::{DONE, Told, must};
use crate::Function;
use crate::vf::{Direction, RxQueue, TxQueue};

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
    must(config.pairs.len() <= usize::from(function.pairs()))?;
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
    must(pair.tx.queue == pair.rx.queue && pair.rx.queue < function.pairs())
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
    let offered = function.rxdids().checked_shr(u32::from(rxdid)).unwrap_or(0) & 1 == 1;
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
            stamps: pair.rx.flags.contains(RxFlags::PTP) && function.vf.ptp.contains(PtpBits::RX_TSTAMP),
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
    let named = named(function, select)?;
    start_all(function, &named)
}

/// Starts queues, in order, up to the first that cannot be.
pub(super) fn start_all(function: &mut Function, named: &[(Direction, u16)]) -> Told {
    for (way, queue) in named {
        start(function, *way, usize::from(*queue))?;
    }
    function.vf.started = true;
    DONE
}

/// A queue without a ring does not start; the 700 series finds that out by waiting.
fn start(function: &mut Function, way: Direction, at: usize) -> Result<(), Status> {
    let Function { vf, persona, .. } = function;
    let cannot = persona.queues.cannot_start;
    match way {
        Direction::Rx => {
            let rx = vf.rx.get_mut(at).filter(|rx| rx.configured && rx.len > 0).ok_or(cannot)?;
            if !rx.enabled {
                (rx.enabled, rx.head) = (true, 0);
                rx.pending.clear();
            }
        }
        Direction::Tx => {
            let tx = vf.tx.get_mut(at).filter(|tx| tx.configured && tx.len > 0).ok_or(cannot)?;
            if !tx.enabled {
                (tx.enabled, tx.head, tx.tail) = (true, 0, 0);
                tx.pending.clear();
            }
        }
    }
    Ok(())
}

/// Op 9.
pub(super) fn disable(function: &mut Function, select: QueueSelect) -> Told {
    let named = named(function, select)?;
    stop(function, &named);
    DONE
}

/// Stops queues. What is done and not written back yet stays pending for [`drain`](crate::datapath::drain).
pub(super) fn stop(function: &mut Function, named: &[(Direction, u16)]) {
    let vf = &mut function.vf;
    for (way, queue) in named {
        let at = usize::from(*queue);
        match way {
            Direction::Rx => vf.rx.get_mut(at).into_iter().for_each(|rx| rx.enabled = false),
            Direction::Tx => vf.tx.get_mut(at).into_iter().for_each(|tx| tx.enabled = false),
        }
    }
    vf.started = vf.rx.iter().any(|rx| rx.enabled) || vf.tx.iter().any(|tx| tx.enabled);
}

/// The queues of two bit maps: those that receive, then those that send.
fn named(function: &Function, select: QueueSelect) -> Result<Vec<(Direction, u16)>, Status> {
    function.own_vsi(select.vsi)?;
    let most = function.pairs().min(function.persona.queues.selectable);
    let beyond = (select.rx | select.tx).checked_shr(u32::from(most)).unwrap_or(0);
    must(select.rx | select.tx != 0 && beyond == 0)?;
    let queues =
        |way, mask: u32| (0..most).filter(move |queue| mask >> queue & 1 == 1).map(move |q| (way, q));
    Ok(queues(Direction::Rx, select.rx).chain(queues(Direction::Tx, select.tx)).collect())
}

/// Op 15.
pub(super) fn statistics(function: &Function, select: QueueSelect) -> Told {
    function.own_vsi(select.vsi)?;
    Ok(function.vf.statistics.encode())
}
