//! Queues in runs and vectors queue by queue: ops 50, 107, 108, 111 (reference section 4.10).

use avf::virtchnl::{
    self as wire, Message, QueueKind, QueueRuns, QueueSelect, QueueVector, QueueVectors, RssRegion, Status,
};

use super::{DONE, Told, must, queues, vectors};
use crate::Function;

/// Logarithm of the queues that the table of 64 entries reaches.
const REACH: u16 = 4;

/// Op 107.
pub(super) fn enable(function: &mut Function, runs: &QueueRuns) -> Told {
    let select = select(function, runs)?;
    queues::enable(function, select)
}

/// Op 108.
pub(super) fn disable(function: &mut Function, runs: &QueueRuns) -> Told {
    let select = select(function, runs)?;
    queues::disable(function, select)
}

fn select(function: &Function, runs: &QueueRuns) -> Result<QueueSelect, Status> {
    let mut select = QueueSelect { vsi: runs.vport, rx: 0, tx: 0 };
    for run in &runs.runs {
        let end = run.first.saturating_add(run.count);
        must(run.count > 0 && end <= function.host.pairs)?;
        let mask = (run.first..end).fold(0, |mask, queue| mask | 1u32 << queue);
        match run.kind {
            QueueKind::RX => select.rx |= mask,
            QueueKind::TX => select.tx |= mask,
            _ => return Err(Status::ERR_PARAM),
        }
    }
    Ok(select)
}

/// Op 111.
pub(super) fn map(function: &mut Function, list: &QueueVectors) -> Told {
    function.own_vsi(list.vport)?;
    let maps: Vec<wire::VectorMap> =
        list.queues.iter().map(|one| one_map(function, one)).collect::<Result<_, _>>()?;
    for one in maps {
        vectors::join(function, &one)?;
    }
    DONE
}

fn one_map(function: &Function, one: &QueueVector) -> Result<wire::VectorMap, Status> {
    must(one.queue < function.host.pairs && one.vector > 0)?;
    let itr = u16::try_from(one.itr).map_err(|_| Status::ERR_PARAM)?;
    let map = wire::VectorMap { vsi: function.persona.vsi, vector: one.vector, ..wire::VectorMap::default() };
    match one.kind {
        QueueKind::RX => Ok(wire::VectorMap { rx: 1 << one.queue, rx_itr: itr, ..map }),
        QueueKind::TX => Ok(wire::VectorMap { tx: 1 << one.queue, tx_itr: itr, ..map }),
        _ => Err(Status::ERR_PARAM),
    }
}

/// Op 50.
pub(super) fn region(function: &Function) -> Told {
    Ok(RssRegion { vport: function.persona.vsi, width: REACH }.encode())
}
