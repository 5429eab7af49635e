//! Which vector a queue signals: op 7 (reference section 4.8).

use avf::virtchnl::{self as wire, IrqMap, Status};

use super::{DONE, Told, must};
use crate::Function;
use crate::vf::VectorMap;

/// Throttles of a vector.
const THROTTLES: u16 = 3;

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
    let beyond = queues.checked_shr(u32::from(function.host.pairs)).unwrap_or(0);
    must(map.vector < function.host.vectors)?;
    must(map.vector > 0 || queues == 0 || function.persona.vector_zero)?;
    must(beyond == 0 && map.rx_itr < THROTTLES && map.tx_itr < THROTTLES)
}

/// A queue signals the vector that it was mapped to last, and no other.
fn take(function: &mut Function, map: &wire::VectorMap) {
    for other in &mut function.vf.vectors {
        other.rx &= !map.rx;
        other.tx &= !map.tx;
    }
    if let Some(entry) = function.vf.vectors.get_mut(usize::from(map.vector)) {
        *entry = VectorMap { rx: map.rx, tx: map.tx, rx_itr: map.rx_itr, tx_itr: map.tx_itr };
    }
}
