//! What rules about single flows do to a frame (reference sections 4.11 and 5.3).

use avf::virtchnl::{Action, ActionKind};

use super::pattern::holds;
use super::sight::Sight;
use crate::Function;

/// What becomes of a frame that a rule holds for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Steered {
    /// It is dropped.
    pub(super) drops: bool,
    /// The queue that it goes to.
    pub(super) queue: Option<u16>,
    /// The number that its descriptor carries.
    pub(super) mark: Option<u32>,
}

/// What flow director, or else a subscription, does to a frame. `hash` spreads over a region of queues.
pub(super) fn steer(function: &mut Function, frame: &[u8], sight: &Sight, hash: Option<u32>) -> Steered {
    let vf = &mut function.vf;
    let rule = match vf.steered.first(|rule| holds(&rule.pattern, frame, sight)) {
        Some(rule) => Some(rule),
        None => vf.subscribed.first(|rule| holds(&rule.pattern, frame, sight)),
    };
    let mut steered = Steered::default();
    for action in rule.iter().flat_map(|rule| &rule.actions) {
        match action.kind {
            ActionKind::DROP => steered.drops = true,
            ActionKind::QUEUE => steered.queue = Some(action.index()),
            ActionKind::Q_REGION => steered.queue = Some(within(action, hash)),
            ActionKind::MARK => steered.mark = Some(action.number()),
            _ => {}
        }
    }
    steered
}

/// The queue of a region that a hash leads to.
fn within(region: &Action, hash: Option<u32>) -> u16 {
    let width = u32::from(region.width()).min(8);
    let low = hash.unwrap_or(0) & ((1 << width) - 1);
    region.index().saturating_add(u16::try_from(low).unwrap_or_default())
}

/// Whether a function has a frame because it subscribed to its flow.
pub(super) fn is_subscribed(function: &Function, frame: &[u8], sight: &Sight) -> bool {
    function.vf.subscribed.iter().any(|(_, rule)| holds(&rule.pattern, frame, sight))
}
