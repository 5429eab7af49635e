//! Which vector a queue signals: op 7 (reference section 4.8).

use avf::virtchnl::{self as wire, IrqMap, Status};

use super::{DONE, Told, must};
use crate::Function;
use crate::vf::{Direction, Seat};

/// Throttles of a vector.
pub(super) const THROTTLES: u16 = 3;

/// Op 7. All of it is looked at before any of it is done.
pub(super) fn map(function: &mut Function, map: &IrqMap) -> Told {
    must(map.vectors.len() <= usize::from(function.host.vectors))?;
    map.vectors.iter().try_for_each(|one| check(function, one))?;
    map.vectors.iter().for_each(|one| take(function, one));
    DONE
}

fn check(function: &Function, map: &wire::VectorMap) -> Result<(), Status> {
    function.own_vsi(map.vsi)?;
    let queues = map.rx | map.tx;
    let beyond = queues.checked_shr(u32::from(function.pairs())).unwrap_or(0);
    must(map.vector < function.host.vectors)?;
    must(map.vector > 0 || queues == 0 || function.persona.vector_zero)?;
    must(beyond == 0 && map.rx_itr < THROTTLES && map.tx_itr < THROTTLES)
}

/// Queues of a vector that are not named any more signal nobody.
fn take(function: &mut Function, map: &wire::VectorMap) {
    let seats = &mut function.vf.seats;
    seats.clear(map.vector);
    for queue in 0..u16::BITS as u16 {
        for (way, mask, itr) in [(Direction::Rx, map.rx, map.rx_itr), (Direction::Tx, map.tx, map.tx_itr)] {
            if mask >> queue & 1 == 1 {
                seats.put(way, queue, Seat { vector: map.vector, itr });
            }
        }
    }
}
