//! The clock: ops 60 and 61.

use avf::virtchnl::{Message, PhcTime, PtpBits, PtpCaps, Status};

use super::Told;
use crate::Function;

/// What a kernel PF of the 800 series lets a function do with the clock.
const SERVED: PtpBits = PtpBits::RX_TSTAMP.union(PtpBits::READ_PHC);

/// Op 60. The bits are read and written where this PF has them, and nowhere else.
pub(super) fn caps(function: &mut Function, payload: &[u8]) -> Told {
    let place = function.options.clock_bits;
    let asked = PtpCaps::decode_at(place, payload).map_err(|_| Status::ERR_PARAM)?;
    function.vf.ptp = asked.bits & SERVED;
    Ok(PtpCaps { bits: function.vf.ptp }.encode_at(place))
}

/// Op 61.
pub(super) fn time(function: &Function) -> Told {
    if !function.vf.ptp.contains(PtpBits::READ_PHC) {
        return Err(Status::NOT_SUPPORTED);
    }
    Ok(PhcTime { nanos: function.clock }.encode())
}
