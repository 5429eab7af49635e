//! Every message of a driver, as a function over the state of its virtual function (reference section 12.5).

use crate::{Function, Reset};

/// What the PF does about a message, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Answers it.
    Reply {
        /// Operation that is answered.
        op: u32,
        /// 0, or why not.
        status: i32,
        /// What is told.
        payload: Vec<u8>,
    },
    /// Tells of something (op 17, status 0): the 16 bytes of `pf_event`.
    Event(Vec<u8>),
    /// Resets the function.
    Reset(Reset),
}

/// Does what a message asks. No action is silence.
pub fn handle(function: &mut Function, op: u32, _payload: &[u8]) -> Vec<Action> {
    if op == 2 {
        return vec![Action::Reset(Reset::Asked)];
    }
    vec![Action::Reply { op, status: function.persona.not_served, payload: Vec::new() }]
}

/// The link changed: what the function is told, if anything, given what it negotiated and enabled.
pub fn link_changed(_function: &mut Function) -> Vec<Action> {
    Vec::new()
}

/// The PF is about to reset the function: the event RESET_IMPENDING, severity 255.
pub fn reset_impending() -> Action {
    let mut event = vec![0; 16];
    event[0] = 2;
    event[12] = 255;
    Action::Event(event)
}
