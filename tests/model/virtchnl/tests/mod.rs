//! Every message as a PF takes it: right, one byte off, for another VSI, out of range.

mod bringup;
mod flows;
mod ice;
mod large;
mod table;

use avf::virtchnl::{Opcode, Request, Status};

use super::Action;
use crate::rig::Rig;

/// The status of a payload that is sent as it is.
fn sent(rig: &mut Rig, op: Opcode, payload: &[u8]) -> Option<Status> {
    match rig.send(op, payload).as_slice() {
        [Action::Reply { status, .. }, ..] => Some(*status),
        _ => None,
    }
}

/// Right is accepted, one byte more or less is not.
fn exact(rig: &mut Rig, request: &Request) {
    let op = request.opcode();
    let mut payload = request.payload();
    assert_eq!(sent(rig, op, &payload), Some(Status::OK), "{request:?}");
    payload.push(0);
    assert_eq!(sent(rig, op, &payload), Some(Status::ERR_PARAM), "{op} one byte longer");
    payload.pop();
    if payload.pop().is_some() {
        assert_eq!(sent(rig, op, &payload), Some(Status::ERR_PARAM), "{op} one byte shorter");
    }
}
