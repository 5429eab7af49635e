//! What the function is told of the link.

use avf::virtchnl::{Caps, Event, LinkSpeed, Message};

use super::Action;
use crate::{Function, LinkBefore};

/// The link changed: what the function is told, if anything, given what it negotiated and enabled.
pub fn link_changed(function: &mut Function) -> Vec<Action> {
    if function.vf.granted.is_none() {
        return Vec::new();
    }
    vec![Action::Event(event(function).encode())]
}

/// Its real state; before the first queue is enabled, what the PF pretends.
fn event(function: &Function) -> Event {
    let host = &function.host;
    let up = host.link_up && (function.vf.started || function.persona.link_before == LinkBefore::Real);
    // the form is chosen by what was asked for, not by what was granted
    let form = function.vf.asked.contains(Caps::ADV_LINK_SPEED);
    Event::link(up, LinkSpeed::new(if up { host.link_mbps } else { 0 }, form))
}
