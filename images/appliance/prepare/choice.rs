//! Which source, and why. A decision over what was seen; nothing here touches the machine.

use crate::Nic;
use crate::document::Mode;
use crate::provision::Roles;
use capture::vf::pci::{Function, State};

/// What there is to choose from.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// How capturing was asked for.
    pub mode: Mode,
    /// The interface or function that was asked for.
    pub named: Option<&'a str>,
    /// Which interface is for what.
    pub roles: &'a Roles,
    /// Virtual functions of the machine.
    pub functions: &'a [Function],
}

/// Where frames come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A virtual function that the sensor drives.
    Function(Function),
    /// An interface, by a packet ring of the kernel.
    Interface(Nic),
    /// There is none.
    Nothing,
}

/// A source, and why it is this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The source.
    pub source: Source,
    /// Why.
    pub reason: String,
    /// Whether the machine is reached by the same interface.
    pub shared: bool,
}

impl Choice {
    /// For people.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.source {
            Source::Function(function) => format!("{} function {}", function.family, function.address),
            Source::Interface(nic) => format!("interface {} ({}), packet ring", nic.name, nic.driver),
            Source::Nothing => "nothing".to_owned(),
        }
    }
}

/// Chooses.
#[must_use]
pub fn choose(seen: &Seen<'_>) -> Choice {
    let none = |reason: String| match seen.mode {
        Mode::Vf => Choice { source: Source::Nothing, reason, shared: false },
        _ => ring(seen.roles, reason),
    };
    if seen.mode == Mode::Packet {
        return none("capture.mode is packet".to_owned());
    }
    let candidates: Vec<&Function> = seen.functions.iter().filter(|function| fits(seen, function)).collect();
    let Some(first) = candidates.first() else {
        let why = match seen.named {
            Some(named) => format!("{named} is no virtual function of an Intel NIC"),
            None => "there is no virtual function of an Intel NIC".to_owned(),
        };
        return none(why);
    };
    match candidates.iter().find(|function| why_not(function).is_none()) {
        Some(function) => Choice {
            source: Source::Function((*function).clone()),
            reason: "a function that can be driven, behind an IOMMU".to_owned(),
            shared: false,
        },
        None => none(format!(
            "function {} cannot be driven: {}",
            first.address,
            why_not(first).unwrap_or_default()
        )),
    }
}

/// Whether a function may be meant: the one that was named, or any by which the machine is not reached.
fn fits(seen: &Seen<'_>, function: &Function) -> bool {
    let interface = match &function.state {
        State::Kernel { interface: Some((name, _)) } => Some(name.as_str()),
        _ => None,
    };
    let slot = function.address.to_string();
    let nic = seen.roles.capture.as_ref().filter(|nic| Some(nic.name.as_str()) == interface);
    match seen.named {
        Some(named) => named == slot || Some(named) == interface || nic.is_some_and(|nic| nic.is(named)),
        None => seen.roles.management.as_ref().is_none_or(|nic| Some(nic.name.as_str()) != interface),
    }
}

fn why_not(function: &Function) -> Option<&'static str> {
    function.group.is_none().then_some(
        "the machine has no IOMMU; show it one (Proxmox: machine q35 with viommu=intel; ESXi: Expose IOMMU to the guest OS)",
    )
}

/// The packet ring of the kernel.
pub(super) fn ring(roles: &Roles, reason: String) -> Choice {
    match &roles.capture {
        Some(nic) => Choice { source: Source::Interface(nic.clone()), reason, shared: roles.shared() },
        None => Choice {
            source: Source::Nothing,
            reason: format!("{reason}; and there is no Ethernet interface"),
            shared: false,
        },
    }
}
