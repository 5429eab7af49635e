//! What a message was answered.

use crate::code::codes;

codes! {
    /// A message's status: cookie low of the answer's descriptor, signed. Anything but 0 is a failure.
    Status(i32) {
        OK = 0, "Done, or so it says.";
        NOT_PERMITTED = -1, "i40e: refused, such as another MAC than the administrator's.";
        ERR_PARAM = -5, "Wrong length, value or state.";
        NO_MEMORY = -18, "The physical function is short of something.";
        I40E_TIMEOUT = -37, "i40e: a queue did not start or stop in time.";
        OPCODE_MISMATCH = -38, "The opcode does not fit.";
        CQP_COMPL = -39, "An RDMA command failed.";
        INVALID_VF_ID = -40, "No such function.";
        ADMIN_QUEUE_ERROR = -53, "Firmware, or the administrator's settings, refused.";
        I40E_NOT_IMPLEMENTED = -60, "i40e: knows the opcode and does not serve it.";
        NOT_SUPPORTED = -64, "Not granted, or not served.";
    }
}

impl Status {
    /// Whether the request was accepted.
    #[must_use]
    pub const fn is_ok(self) -> bool {
        self.0 == 0
    }

    /// Whether the message itself is not served, so that another way may be tried.
    #[must_use]
    pub const fn is_unserved(self) -> bool {
        matches!(self, Self::NOT_SUPPORTED | Self::I40E_NOT_IMPLEMENTED | Self::OPCODE_MISMATCH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaked_number_keeps_its_value() {
        assert_eq!(Status(-37).to_string(), "I40E_TIMEOUT (-37)");
        assert_eq!(Status(-12345).to_string(), "unknown (-12345)");
        assert!(!Status(1).is_ok() && Status::OK.is_ok());
        assert!(Status(-60).is_unserved() && !Status(-5).is_unserved());
    }
}
