//! More than 16 queue pairs: ops 50, 107, 108 and 111 (reference section 4.10).

use avf::virtchnl::length::{other_len, wire_len};
use avf::virtchnl::{Message, Opcode, QueueKind, QueueRuns, QueueVector, QueueVectors, RssRegion, Status};

use super::{DONE, Told, must, queues, vectors};
use crate::vf::{Direction, Seat};
use crate::{Function, VectorMapLength};

/// Of the two lengths of MAP_QUEUE_VECTOR a PF takes one.
pub(super) fn check_length(function: &Function, op: Opcode, payload: &[u8]) -> Result<(), Status> {
    let Some(count) = payload.get(2..4).and_then(<[u8]>::first_chunk) else { return Ok(()) };
    let n = usize::from(u16::from_le_bytes(*count));
    let wanted = match function.options.vector_map {
        _ if op != Opcode::MAP_QUEUE_VECTOR => return Ok(()),
        VectorMapLength::Short => wire_len(op, n),
        VectorMapLength::Long => other_len(op, n),
        VectorMapLength::Either => return Ok(()),
    };
    must(wanted == Some(payload.len()))
}

/// Op 50.
pub(super) fn region(function: &Function) -> Told {
    let width = function.most_pairs().ilog2();
    Ok(RssRegion { vport: function.persona.vsi, width: u16::try_from(width).unwrap_or_default() }.encode())
}

/// Op 107.
pub(super) fn enable(function: &mut Function, runs: &QueueRuns) -> Told {
    let named = named(function, runs)?;
    queues::start_all(function, &named)
}

/// Op 108.
pub(super) fn disable(function: &mut Function, runs: &QueueRuns) -> Told {
    let named = named(function, runs)?;
    queues::stop(function, &named);
    DONE
}

/// The queues of all runs; none of them may be empty or lead beyond what there is.
fn named(function: &Function, runs: &QueueRuns) -> Result<Vec<(Direction, u16)>, Status> {
    function.own_vsi(runs.vport)?;
    let mut named = Vec::new();
    for run in &runs.runs {
        let (way, end) = (direction(run.kind)?, run.first.checked_add(run.count));
        let end = end.filter(|end| run.count > 0 && *end <= function.pairs()).ok_or(Status::ERR_PARAM)?;
        named.extend((run.first..end).map(|queue| (way, queue)));
    }
    Ok(named)
}

fn direction(kind: QueueKind) -> Result<Direction, Status> {
    match kind {
        QueueKind::RX => Ok(Direction::Rx),
        QueueKind::TX => Ok(Direction::Tx),
        _ => Err(Status::ERR_PARAM),
    }
}

/// Op 111. All of it is looked at before any of it is done.
pub(super) fn map(function: &mut Function, map: &QueueVectors) -> Told {
    function.own_vsi(map.vport)?;
    let seats: Result<Vec<_>, Status> = map.queues.iter().map(|one| seat(function, one)).collect();
    for (way, queue, seat) in seats? {
        function.vf.seats.put(way, queue, seat);
    }
    DONE
}

fn seat(function: &Function, one: &QueueVector) -> Result<(Direction, u16, Seat), Status> {
    let way = direction(one.kind)?;
    let itr = u16::try_from(one.itr).map_err(|_| Status::ERR_PARAM)?;
    must(one.queue < function.pairs() && itr < vectors::THROTTLES)?;
    must(one.vector < function.host.vectors && (one.vector > 0 || function.persona.vector_zero))?;
    Ok((way, one.queue, Seat { vector: one.vector, itr }))
}
