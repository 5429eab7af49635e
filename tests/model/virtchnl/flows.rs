//! Rules about single flows: ops 47, 48, 114 and 115 (reference section 4.11).
//!
//! A rule that cannot be had is answered with success, and with a status of its own inside.

use avf::virtchnl::{
    Action, ActionKind, FdirAdd, FdirDel, FdirStatus, FlowSubscribe, FlowUnsubscribe, FsubStatus,
    HeaderPattern, Message, Pattern,
};

use super::{Told, must};
use crate::Function;
use crate::datapath::pattern;
use crate::vf::{Rule, Rules};

/// Why a rule cannot be had, as both kinds of rules say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum No {
    Room,
    Twin,
    Conflict,
    Sense,
}

/// Op 47.
pub(super) fn add(function: &mut Function, mut asked: FdirAdd) -> Told {
    function.own_vsi(asked.vsi)?;
    let rule = Rule { pattern: asked.pattern.clone(), actions: asked.actions.clone(), priority: 0, hits: 0 };
    let known = !matches!(asked.pattern.pattern, Pattern::Masked(_)) && is_steering(function, &asked.actions);
    let done = may(function, &function.vf.steered, &rule, known).and_then(|()| {
        if asked.validate_only { Ok(0) } else { function.vf.steered.put(rule).ok_or(No::Room) }
    });
    asked.flow = done.unwrap_or_default();
    asked.status = match done {
        Ok(_) => FdirStatus::SUCCESS,
        Err(No::Room) => FdirStatus::NO_RESOURCE,
        Err(No::Twin) => FdirStatus::EXISTS,
        Err(No::Conflict) => FdirStatus::CONFLICT,
        Err(No::Sense) => FdirStatus::INVALID,
    };
    Ok(asked.encode())
}

/// Op 48.
pub(super) fn del(function: &mut Function, mut asked: FdirDel) -> Told {
    function.own_vsi(asked.vsi)?;
    let was_there = function.vf.steered.take(asked.flow);
    asked.status = if was_there { FdirStatus::SUCCESS } else { FdirStatus::NON_EXISTENT };
    Ok(asked.encode())
}

/// Op 114; for whoever is trusted.
pub(super) fn subscribe(function: &mut Function, mut asked: FlowSubscribe) -> Told {
    function.own_vsi(asked.vsi)?;
    must(function.host.trusted)?;
    let (pattern, actions) = (asked.pattern.clone(), asked.actions.clone());
    let rule = Rule { pattern, actions, priority: asked.priority, hits: 0 };
    let known = matches!(asked.pattern.pattern, Pattern::Masked(_)) && is_delivery(function, &asked.actions);
    let done = may(function, &function.vf.subscribed, &rule, known).and_then(|()| {
        if asked.validate_only { Ok(0) } else { function.vf.subscribed.put(rule).ok_or(No::Room) }
    });
    asked.flow = done.unwrap_or_default();
    asked.status = match done {
        Ok(_) => FsubStatus::SUCCESS,
        Err(No::Room) => FsubStatus::NO_RESOURCE,
        Err(No::Twin) => FsubStatus::EXISTS,
        Err(No::Conflict | No::Sense) => FsubStatus::INVALID,
    };
    Ok(asked.encode())
}

/// Op 115.
pub(super) fn unsubscribe(function: &mut Function, mut asked: FlowUnsubscribe) -> Told {
    function.own_vsi(asked.vsi)?;
    let was_there = function.vf.subscribed.take(asked.flow);
    asked.status = if was_there { FsubStatus::SUCCESS } else { FsubStatus::NON_EXISTENT };
    Ok(asked.encode())
}

/// Whether a rule can be had beside those that there are.
fn may(function: &Function, others: &Rules, rule: &Rule, known: bool) -> Result<(), No> {
    if !known || !pattern::is_known(&rule.pattern, function.options.inner_patterns) {
        return Err(No::Sense);
    }
    for (_, other) in others.iter() {
        if other.pattern == rule.pattern {
            return Err(No::Twin);
        }
        if contradicts(&other.pattern, &rule.pattern) {
            return Err(No::Conflict);
        }
    }
    Ok(())
}

/// The same headers with other fields: the device has one set of fields for each kind of packet.
fn contradicts(one: &HeaderPattern, other: &HeaderPattern) -> bool {
    match (pattern::shape(one), pattern::shape(other)) {
        (Some((a, kinds, fields)), Some((b, others, other_fields))) => {
            a == b && kinds == others && fields != other_fields
        }
        _ => false,
    }
}

/// One action that says where to, and a mark at the most.
fn is_steering(function: &Function, actions: &[Action]) -> bool {
    let (marks, rest): (Vec<&Action>, Vec<&Action>) =
        actions.iter().partition(|action| action.kind == ActionKind::MARK);
    let [one] = rest.as_slice() else { return false };
    marks.len() <= 1 && (matches!(one.kind, ActionKind::DROP | ActionKind::PASSTHRU) || leads(function, one))
}

/// Nothing, or one action that says where to.
fn is_delivery(function: &Function, actions: &[Action]) -> bool {
    match actions {
        [] => true,
        [one] => one.kind == ActionKind::PASSTHRU || leads(function, one),
        _ => false,
    }
}

/// Whether an action leads to queues that the function has.
fn leads(function: &Function, action: &Action) -> bool {
    let count = match action.kind {
        ActionKind::QUEUE => 1,
        ActionKind::Q_REGION if (1..=7).contains(&action.width()) => 1 << action.width(),
        _ => return false,
    };
    u32::from(action.index()) + count <= u32::from(function.pairs())
}
