//! Flow director: steering of single flows.

use super::headers::HeaderPattern;
use super::wire::{Malformed, Message, Put, Reader, at_most, layout};
use crate::code::codes;

codes! {
    /// What is done with a flow.
    ActionKind(i32) {
        DROP = 0, "Its frames are dropped.";
        TC_REDIRECT = 1, "It goes to a traffic class.";
        PASSTHRU = 2, "It goes where it would have gone.";
        QUEUE = 3, "It goes to a queue.";
        Q_REGION = 4, "RSS over a run of queues.";
        MARK = 5, "Its frames carry a number.";
        COUNT = 6, "Its frames are counted.";
    }
}

codes! {
    /// How a flow director request ended.
    FdirStatus(i32) {
        SUCCESS = 0, "Done.";
        NO_RESOURCE = 1, "No room for another rule.";
        EXISTS = 2, "There is such a rule.";
        CONFLICT = 3, "It contradicts another rule.";
        NON_EXISTENT = 4, "There is no such rule.";
        INVALID = 5, "The rule makes no sense to the device.";
        TIMEOUT = 6, "The device did not confirm in time.";
        INVALID_QUERY = 7, "There is nothing to be asked about it.";
    }
}

/// Actions of a rule, at the most.
const MOST_ACTIONS: usize = 8;

/// An action, 36 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Action {
    /// What is done.
    pub kind: ActionKind,
    /// Its parameter, by kind.
    pub data: [u8; 32],
}

impl Action {
    /// The flow's frames are dropped.
    #[must_use]
    pub fn drop() -> Self {
        Self::with(ActionKind::DROP, [0; 4])
    }

    /// The flow's frames go where they would have gone.
    #[must_use]
    pub fn pass() -> Self {
        Self::with(ActionKind::PASSTHRU, [0; 4])
    }

    /// The flow goes to a queue.
    #[must_use]
    pub fn queue(index: u16) -> Self {
        let [low, high] = index.to_le_bytes();
        Self::with(ActionKind::QUEUE, [low, high, 0, 0])
    }

    /// RSS over `2^width` queues from `first` on.
    #[must_use]
    pub fn region(first: u16, width: u8) -> Self {
        let [low, high] = first.to_le_bytes();
        Self::with(ActionKind::Q_REGION, [low, high, width, 0])
    }

    /// The flow's frames carry a number.
    #[must_use]
    pub fn mark(number: u32) -> Self {
        Self::with(ActionKind::MARK, number.to_le_bytes())
    }

    fn with(kind: ActionKind, front: [u8; 4]) -> Self {
        let mut data = [0; 32];
        if let Some(place) = data.first_chunk_mut() {
            *place = front;
        }
        Self { kind, data }
    }

    /// Queue, or first queue of a region.
    #[must_use]
    pub const fn index(&self) -> u16 {
        let [low, high, ..] = self.data;
        u16::from_le_bytes([low, high])
    }

    /// Width of a region, as a power of two.
    #[must_use]
    pub const fn width(&self) -> u8 {
        let [_, _, width, ..] = self.data;
        width
    }

    /// Number of a mark.
    #[must_use]
    pub const fn number(&self) -> u32 {
        let [a, b, c, d, ..] = self.data;
        u32::from_le_bytes([a, b, c, d])
    }
}

layout! { Action {
    kind.0: i32;
    data: array;
} }

/// ADD_FDIR_FILTER, 2616 bytes; the answer is the same structure with `flow` and `status` filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FdirAdd {
    /// VSI.
    pub vsi: u16,
    /// Only say whether it could be done.
    pub validate_only: bool,
    /// Number of the rule, from the answer.
    pub flow: u32,
    /// Which packets.
    pub pattern: HeaderPattern,
    /// What is done with them, 8 at the most.
    pub actions: Vec<Action>,
    /// How it ended, from the answer.
    pub status: FdirStatus,
}

impl Message for FdirAdd {
    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (vsi, validate_only) = (from.u16()?, from.u16()? != 0);
        let (flow, pattern) = (from.u32()?, HeaderPattern::read(from)?);
        let actions = read_actions(from)?;
        Ok(Self { vsi, validate_only, flow, pattern, actions, status: FdirStatus(from.i32()?) })
    }

    fn write(&self, to: &mut Vec<u8>) {
        to.u16(self.vsi);
        to.u16(self.validate_only.into());
        to.u32(self.flow);
        self.pattern.write(to);
        write_actions(&self.actions, to);
        to.i32(self.status.0);
    }
}

/// A count and room for eight actions, 292 bytes.
pub(super) fn read_actions(from: &mut Reader<'_>) -> Result<Vec<Action>, Malformed> {
    let count = at_most("count of actions", from.u32()?, MOST_ACTIONS as u64)?;
    let mut list = Reader::new(from.bytes(MOST_ACTIONS * 36)?);
    list.list(u16::try_from(count).unwrap_or_default())
}

pub(super) fn write_actions(actions: &[Action], to: &mut Vec<u8>) {
    let fitting = actions.get(..MOST_ACTIONS).unwrap_or(actions);
    to.u32(u32::try_from(fitting.len()).unwrap_or_default());
    let end = to.len() + MOST_ACTIONS * 36;
    to.list(fitting);
    to.resize(end, 0);
}

/// DEL_FDIR_FILTER, 12 bytes; the answer is the same structure with `status` filled in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FdirDel {
    /// VSI.
    pub vsi: u16,
    /// Number of the rule.
    pub flow: u32,
    /// How it ended, from the answer.
    pub status: FdirStatus,
}

layout! { FdirDel {
    vsi: u16;
    pad 2;
    flow: u32;
    status.0: i32;
} }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_has_2616_bytes() {
        let sent = FdirAdd {
            vsi: 1,
            flow: 77,
            actions: vec![Action::queue(3), Action::mark(0x0102_0304)],
            status: FdirStatus::CONFLICT,
            ..FdirAdd::default()
        };
        let bytes = sent.encode();
        assert_eq!(bytes.len(), 2616);
        assert_eq!(bytes[2320..2332], [2, 0, 0, 0, 3, 0, 0, 0, 3, 0, 0, 0]);
        assert_eq!(bytes[2612..], [3, 0, 0, 0]);
        assert_eq!(FdirAdd::decode(&bytes), Ok(sent));
    }

    #[test]
    fn nine_actions_are_refused() {
        let mut bytes = FdirAdd::default().encode();
        bytes[2320] = 9;
        let said = FdirAdd::decode(&bytes).unwrap_err();
        assert_eq!(said.to_string(), "count of actions is 9, 8 at the most");
    }

    #[test]
    fn parameters_by_kind() {
        let region = Action::region(8, 2);
        assert_eq!((region.kind, region.index(), region.width()), (ActionKind::Q_REGION, 8, 2));
        assert_eq!(Action::mark(9).number(), 9);
        assert_eq!(FdirDel { vsi: 1, flow: 5, status: FdirStatus(0) }.encode().len(), 12);
    }
}
