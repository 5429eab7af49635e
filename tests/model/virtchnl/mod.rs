//! Every message of a driver, as a function over the state of its virtual function (reference section 12.5).
//!
//! What PFs do differently stands in the [`Persona`](crate::Persona); handlers ask it and never for a name.

mod clock;
mod filters;
mod flows;
mod large;
mod link;
mod qos;
mod queues;
mod resources;
mod rss;
#[cfg(test)]
mod tests;
mod unlock;
mod vectors;
mod vlan;

pub use link::link_changed;

use avf::rx::Rxdid;
use avf::virtchnl::length::WrongLength;
use avf::virtchnl::{Caps, Event, Message, Opcode, Refused, Request, Status, Version};

use crate::{Function, Reset};

/// What the PF does about a message, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Answers it.
    Reply {
        /// Operation that is answered.
        op: Opcode,
        /// 0, or why not.
        status: Status,
        /// What is told.
        payload: Vec<u8>,
    },
    /// Tells of something (op 17, status 0): the 16 bytes of `pf_event`.
    Event(Vec<u8>),
    /// Resets the function.
    Reset(Reset),
}

/// What a handler tells, or the status that says why not.
type Told = Result<Vec<u8>, Status>;

/// Nothing to tell but that it is done.
const DONE: Told = Ok(Vec::new());

/// Does what a message asks. No action is silence.
pub fn handle(function: &mut Function, op: Opcode, payload: &[u8]) -> Vec<Action> {
    if function.host.disabled {
        return function.persona.disabled.map(|status| refuse(op, status)).into_iter().collect();
    }
    match admit(function, op, payload) {
        // where its bits lie is the PF's affair, not the protocol's
        Ok(Request::PtpCaps(_)) => vec![answer(op, clock::caps(function, payload))],
        Ok(request) => serve(function, op, request),
        Err(status) => vec![refuse(op, status)],
    }
}

/// The PF is about to reset the function: the event RESET_IMPENDING, severity 255.
pub fn reset_impending() -> Action {
    Action::Event(Event::reset_impending().encode())
}

/// Length, permission, state: what is looked at before a message is.
fn admit(function: &Function, op: Opcode, payload: &[u8]) -> Result<Request, Status> {
    let version = function.vf.version.unwrap_or(Version::V1_1);
    let request = match Request::decode(op, payload, version) {
        Err(Refused::Length(WrongLength::Unknown(_))) => return Err(function.persona.unknown),
        Err(Refused::Length(_)) => return Err(Status::ERR_PARAM),
        other => other,
    };
    large::check_length(function, op, payload)?;
    let granted = function.vf.granted;
    if function.persona.allow_list && !unlock::is_unlocked(op, granted) {
        return Err(Status::NOT_SUPPORTED);
    }
    if !function.persona.serves.contains(&op) {
        return Err(function.persona.not_served);
    }
    if granted.is_none() && !unlock::is_first(op) {
        return Err(Status::ERR_PARAM);
    }
    request.map_err(|refused| match refused {
        Refused::Unserved(_) => function.persona.not_served,
        Refused::Length(_) | Refused::Malformed(_) => Status::ERR_PARAM,
    })
}

fn serve(function: &mut Function, op: Opcode, request: Request) -> Vec<Action> {
    let told = match request {
        Request::Reset => return vec![Action::Reset(Reset::Asked)],
        Request::Queues(wanted) => return resources::request(function, wanted),
        Request::Resources(asked) => resources::resources(function, asked),
        Request::EnableQueues(select) => queues::enable(function, select),
        Request::EnableRuns(runs) => large::enable(function, &runs),
        other => quiet(function, other),
    };
    let tells_link = told.is_ok()
        && matches!(op, Opcode::GET_VF_RESOURCES | Opcode::ENABLE_QUEUES | Opcode::ENABLE_QUEUES_V2);
    let mut actions = vec![answer(op, told)];
    if tells_link {
        actions.extend(link::link_changed(function));
    }
    actions
}

/// Messages that lead to an answer and to nothing else.
fn quiet(function: &mut Function, request: Request) -> Told {
    match request {
        Request::Version(version) => resources::version(function, version),
        Request::Rxdids => Ok(function.rxdids().encode()),
        Request::ConfigQueues(config) => queues::configure(function, &config),
        Request::DisableQueues(select) => queues::disable(function, select),
        Request::Stats(select) => queues::statistics(function, select),
        Request::IrqMap(map) => vectors::map(function, &map),
        Request::AddAddresses(list) => filters::add_addresses(function, &list),
        Request::DelAddresses(list) => filters::del_addresses(function, &list),
        Request::AddVlans(list) => filters::add_vlans(function, &list),
        Request::DelVlans(list) => filters::del_vlans(function, &list),
        Request::Promiscuous(asked) => filters::promiscuous(function, asked),
        Request::EnableStripping => vlan::strip_single(function, true),
        Request::DisableStripping => vlan::strip_single(function, false),
        other => spread_and_more(function, other),
    }
}

/// RSS, and what only the 800 series serves.
fn spread_and_more(function: &mut Function, request: Request) -> Told {
    match request {
        Request::RssKey(key) => rss::key(function, &key),
        Request::RssLut(lut) => rss::lut(function, &lut),
        Request::HenaCaps => rss::classes(function),
        Request::SetHena(hena) => rss::set_classes(function, hena),
        Request::RssHash(hash) => rss::algorithm(function, hash),
        Request::AddRss(config) => rss::add_pattern(function, config),
        Request::DelRss(config) => rss::del_pattern(function, &config),
        Request::VlanCaps => vlan::caps(function),
        Request::AddVlanFilters(list) => vlan::add_filters(function, &list),
        Request::DelVlanFilters(list) => vlan::del_filters(function, &list),
        Request::EnableStrippingV2(setting) => vlan::strip(function, setting, true),
        Request::DisableStrippingV2(setting) => vlan::strip(function, setting, false),
        Request::EnableInsertionV2(setting) => vlan::insert(function, setting, true),
        Request::DisableInsertionV2(setting) => vlan::insert(function, setting, false),
        other => flows_and_large(function, other),
    }
}

/// Single flows, the clock, traffic classes, more than 16 queue pairs.
fn flows_and_large(function: &mut Function, request: Request) -> Told {
    match request {
        Request::AddFdir(rule) => flows::add(function, rule),
        Request::DelFdir(rule) => flows::del(function, rule),
        Request::Subscribe(rule) => flows::subscribe(function, rule),
        Request::Unsubscribe(rule) => flows::unsubscribe(function, rule),
        Request::PtpTime(_) => clock::time(function),
        Request::QosCaps => qos::caps(function),
        Request::QueueClasses(map) => qos::classes(function, &map),
        Request::Bandwidth(rates) => qos::rates(function, &rates),
        Request::Quanta(quanta) => qos::quanta(function, quanta),
        Request::RssRegion => large::region(function),
        Request::DisableRuns(runs) => large::disable(function, &runs),
        Request::MapVectors(map) => large::map(function, &map),
        _ => Err(function.persona.not_served),
    }
}

fn answer(op: Opcode, told: Told) -> Action {
    match told {
        Ok(payload) => Action::Reply { op, status: Status::OK, payload },
        Err(status) => refuse(op, status),
    }
}

fn refuse(op: Opcode, status: Status) -> Action {
    Action::Reply { op, status, payload: Vec::new() }
}

impl Function {
    /// The VSI that a message names has to be the function's own.
    fn own_vsi(&self, vsi: u16) -> Result<(), Status> {
        must(vsi == self.persona.vsi)
    }

    /// Whether op 3 granted all of these.
    fn has(&self, caps: Caps) -> bool {
        self.vf.has(caps)
    }

    /// Receive descriptor formats that are offered, a bit each; the legacy one always is.
    fn rxdids(&self) -> u64 {
        self.options.rxdids.unwrap_or(self.persona.rxdids) | 1 << Rxdid::LEGACY.0
    }
}

/// What must hold, or the message is refused as wrong.
fn must(holds: bool) -> Result<(), Status> {
    if holds { Ok(()) } else { Err(Status::ERR_PARAM) }
}
