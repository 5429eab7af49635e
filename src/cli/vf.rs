//! `vigie vf`: virtual functions of this machine.

use super::exit::{Exit, Told};
use super::flags::{Vf, VfAction};
use super::settings::{of_the_machine, settings};
use super::{counters, print, probe};
use capture::vf::pci::{Function, PciAddress, State, System};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

pub(crate) fn vf(args: &Vf) -> Result<Exit, Told> {
    let system = System::under(args.root.as_deref().unwrap_or(Path::new("/")));
    match &args.action {
        VfAction::List { json } => list(&system, *json),
        VfAction::Bind { address } => bind(&system, *address),
        VfAction::Unbind { address } => unbind(&system, *address),
        VfAction::Probe { function, queues, seconds, sources, json } => {
            let mut settings = settings(&of_the_machine(sources))?;
            settings.vf.place = function.to_string();
            let wanted = sensor::function(&settings, *queues)?;
            let time = Duration::from_secs((*seconds).into());
            let probe = sensor::probe(&wanted, &settings.worker.decode, time).map_err(sensor::Failure::Vf)?;
            probe::tell(&probe, &function.to_string(), *queues, *json)
        }
        VfAction::Stats { sources, watch, json } => {
            let of_the_nic =
                |name: &str| ["vf.", "nic.", "ledger.lost.nic"].iter().any(|p| name.starts_with(p));
            counters::show(sources, *watch, *json, &of_the_nic)
        }
    }
}

impl From<capture::vf::DeviceError> for Told {
    fn from(error: capture::vf::DeviceError) -> Self {
        Self::new(Exit::System, error.to_string())
    }
}

fn list(system: &System, json: bool) -> Result<Exit, Told> {
    let functions = system.functions()?;
    if json {
        let list: Vec<Value> = functions.iter().map(described).collect();
        return print(format!("{:#}\n", Value::from(list)).as_bytes());
    }
    if functions.is_empty() {
        return print(
            b"no virtual function of Intel (X710, X722, E810) here: on a host, write a number to sriov_numvfs of the \
              physical function; in a guest, have the hypervisor pass one through\n",
        );
    }
    print(table(&functions).as_bytes())
}

fn table(functions: &[Function]) -> String {
    let mut out = format!(
        "{:<13} {:<6} {:<10} {:>6} {:>5}  {:<28} {}\n",
        "address", "family", "driver", "group", "node", "physical function", "state"
    );
    for function in functions {
        let _ = writeln!(
            out,
            "{:<13} {:<6} {:<10} {:>6} {:>5}  {:<28} {}",
            function.address.to_string(),
            function.family.to_string(),
            function.driver.as_deref().unwrap_or("-"),
            number(function.group),
            number(function.node),
            parent(function),
            state(function),
        );
    }
    out
}

fn number(value: Option<u32>) -> String {
    value.map_or_else(|| "-".to_owned(), |n| n.to_string())
}

/// `0000:03:00.0 enp3s0f0 vf 2`, as far as it can be seen; a guest sees none of it.
fn parent(function: &Function) -> String {
    let Some(parent) = &function.parent else { return "not seen from here".to_owned() };
    let interface = parent.interface.as_deref().unwrap_or("no interface");
    let index = parent.index.map(|n| format!(" vf {n}")).unwrap_or_default();
    format!("{} {interface}{index}", parent.address)
}

fn state(function: &Function) -> String {
    match &function.state {
        State::Ready => "ready: vigie can open it".to_owned(),
        State::Free => format!("free: `vigie vf bind {}`", function.address),
        State::Kernel { interface: None } => format!("with the kernel: `vigie vf bind {}`", function.address),
        State::Kernel { interface: Some((name, false)) } => {
            format!("interface {name}, down: `vigie vf bind {}`", function.address)
        }
        State::Kernel { interface: Some((name, true)) } => format!("interface {name}, up and in use"),
    }
}

fn described(function: &Function) -> Value {
    let (state, interface, up) = match &function.state {
        State::Ready => ("ready", None, None),
        State::Free => ("free", None, None),
        State::Kernel { interface } => {
            ("kernel", interface.as_ref().map(|i| i.0.as_str()), interface.as_ref().map(|i| i.1))
        }
    };
    let parent = function.parent.as_ref().map(|parent| {
        json!({
            "address": parent.address.to_string(),
            "driver": parent.driver,
            "interface": parent.interface,
            "vf": parent.index,
        })
    });
    json!({
        "address": function.address.to_string(),
        "device": format!("8086:{:04x}", function.device),
        "family": function.family.to_string(),
        "driver": function.driver,
        "iommu_group": function.group,
        "numa_node": function.node,
        "pf": parent,
        "state": state,
        "interface": interface,
        "up": up,
    })
}

fn bind(system: &System, address: PciAddress) -> Result<Exit, Told> {
    let before = system.bind(address)?;
    let was = before.driver.as_deref().unwrap_or("nobody");
    print(
        format!("{address}: with vfio-pci now, was with {was}; `vigie vf unbind {address}` puts that back\n")
            .as_bytes(),
    )
}

fn unbind(system: &System, address: PciAddress) -> Result<Exit, Told> {
    let now = system.unbind(address)?;
    let with = now.driver.as_deref().unwrap_or("nobody");
    print(format!("{address}: with {with} again\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(state: State) -> Function {
        Function {
            address: "03:02.1".parse().expect("an address"),
            device: 0x154c,
            family: capture::vf::pci::Family::X710,
            driver: None,
            group: Some(7),
            node: None,
            parent: None,
            state,
        }
    }

    #[test]
    fn each_state_says_what_can_be_done() {
        let up = State::Kernel { interface: Some(("ens1".into(), true)) };
        let text = table(&[function(State::Ready), function(State::Free), function(up)]);
        assert!(text.contains("ready: vigie can open it"), "{text}");
        assert!(text.contains("free: `vigie vf bind 0000:03:02.1`"), "{text}");
        assert!(text.contains("interface ens1, up and in use"), "{text}");
    }

    #[test]
    fn the_list_is_json_too() {
        let json = described(&function(State::Free));
        assert_eq!(
            (&json["device"], &json["iommu_group"], &json["pf"]),
            (&"8086:154c".into(), &7.into(), &Value::Null)
        );
    }
}
