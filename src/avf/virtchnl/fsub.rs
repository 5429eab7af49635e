//! Flow subscription: copies of flows for a trusted function, out-of-tree `ice` alone.

use super::fdir::{Action, read_actions, write_actions};
use super::headers::HeaderPattern;
use super::wire::{Malformed, Message, Put, Reader, layout};
use crate::code::codes;

codes! {
    /// How a subscription ended. The codes part from those of flow director behind the third.
    FsubStatus(i32) {
        SUCCESS = 0, "Done.";
        NO_RESOURCE = 1, "No room for another rule.";
        EXISTS = 2, "There is such a rule.";
        NON_EXISTENT = 3, "There is no such rule.";
        INVALID = 4, "The rule makes no sense to the device.";
    }
}

/// FLOW_SUBSCRIBE, 2616 bytes; the answer is the same structure with `flow` and `status` filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlowSubscribe {
    /// VSI.
    pub vsi: u16,
    /// Only say whether it could be done.
    pub validate_only: bool,
    /// 0 goes before all others.
    pub priority: u8,
    /// Number of the rule, from the answer.
    pub flow: u32,
    /// Which packets, by headers with masks.
    pub pattern: HeaderPattern,
    /// Where they go: none is to the function's VSI, by RSS.
    pub actions: Vec<Action>,
    /// How it ended, from the answer.
    pub status: FsubStatus,
}

impl Message for FlowSubscribe {
    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (vsi, validate_only, priority) = (from.u16()?, from.u8()? != 0, from.u8()?);
        let (flow, pattern) = (from.u32()?, HeaderPattern::read(from)?);
        let actions = read_actions(from)?;
        let status = FsubStatus(from.i32()?);
        Ok(Self { vsi, validate_only, priority, flow, pattern, actions, status })
    }

    fn write(&self, to: &mut Vec<u8>) {
        to.u16(self.vsi);
        to.u8(self.validate_only.into());
        to.u8(self.priority);
        to.u32(self.flow);
        self.pattern.write(to);
        write_actions(&self.actions, to);
        to.i32(self.status.0);
    }
}

/// FLOW_UNSUBSCRIBE, 12 bytes; the answer is the same structure with `status` filled in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlowUnsubscribe {
    /// VSI.
    pub vsi: u16,
    /// Number of the rule.
    pub flow: u32,
    /// How it ended, from the answer.
    pub status: FsubStatus,
}

layout! { FlowUnsubscribe {
    vsi: u16;
    pad 2;
    flow: u32;
    status.0: i32;
} }

#[cfg(test)]
mod tests {
    use super::*;
    use crate::virtchnl::{Header, HeaderKind, MaskedHeader, Pattern};

    #[test]
    fn a_subscription_has_2616_bytes() {
        let header = Header { spec: [7; 64], ..Header::new(HeaderKind::IPV4, 0) };
        let sent = FlowSubscribe {
            vsi: 1,
            validate_only: true,
            priority: 5,
            flow: 77,
            pattern: HeaderPattern {
                tunnel: 0,
                pattern: Pattern::Masked(vec![MaskedHeader { header, mask: [0xff; 64] }]),
            },
            actions: vec![Action::region(8, 2)],
            status: FsubStatus::INVALID,
        };
        let bytes = sent.encode();
        assert_eq!(bytes.len(), 2616);
        assert_eq!(bytes[..24], [1, 0, 1, 5, 77, 0, 0, 0, 0, 0, 0, 0, 33, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes[2320..2332], [1, 0, 0, 0, 4, 0, 0, 0, 8, 0, 2, 0]);
        assert_eq!(bytes[2612..], [4, 0, 0, 0]);
        assert_eq!(FlowSubscribe::decode(&bytes), Ok(sent));
    }

    #[test]
    fn taking_one_back_has_12_bytes() {
        let sent = FlowUnsubscribe { vsi: 1, flow: 0x0102, status: FsubStatus::NON_EXISTENT };
        assert_eq!(sent.encode(), [1, 0, 0, 0, 2, 1, 0, 0, 3, 0, 0, 0]);
        assert_eq!(FlowUnsubscribe::decode(&sent.encode()), Ok(sent));
    }
}
