//! What `vigie vf probe` prints.

use super::exit::{Exit, Told};
use super::print;
use capture::vf::{Promiscuity, polling_text};
use sensor::Probe;
use serde_json::{Value, json};
use std::fmt::Write as _;

pub(crate) fn tell(probe: &Probe, function: &str, asked: u16, json: bool) -> Result<Exit, Told> {
    if json {
        return print(format!("{:#}\n", to_json(probe, function, asked)).as_bytes());
    }
    let mut out = format!("\n  {function}, watched for {:.1} s\n\n", probe.watched.as_secs_f64());
    for (name, value) in rows(probe, asked) {
        let _ = writeln!(out, "  {name:<22} {value}");
    }
    print(out.as_bytes())
}

fn rows(probe: &Probe, asked: u16) -> Vec<(&'static str, String)> {
    let report = &probe.report;
    let mut rows = vec![
        ("device", report.id.clone()),
        ("came up in", format!("{} ms", probe.came_up.as_millis())),
        ("link", link(report.link)),
    ];
    if let Some(agreed) = &report.agreed {
        let resources = &agreed.resources;
        rows.extend([
            ("virtchnl", agreed.version.to_string()),
            ("address", mac(agreed.address)),
            ("queues", format!("{} of {asked} asked for, {} vectors", agreed.queues, resources.vectors)),
            ("capabilities", names(resources.caps.iter_names().map(|(name, _)| name))),
            ("write-back", polling_text(agreed.polling).to_owned()),
            ("RSS", rss(agreed.rss, agreed.hena)),
            ("VLAN tags", if agreed.stripping { "as asked" } else { "the PF decides" }.to_owned()),
            (
                "largest MTU",
                if resources.max_mtu == 0 { "not told".into() } else { resources.max_mtu.to_string() },
            ),
        ]);
    }
    rows.extend([
        ("promiscuous", report.promiscuity.to_string()),
        ("frames", format!("{} (by queue: {:?})", probe.frames.iter().sum::<u64>(), probe.frames)),
        ("both ways together", symmetry(probe)),
        ("spreading", probe.spreading.map_or_else(|| "nothing is spread".to_owned(), |s| s.to_string())),
        ("NIC without buffer", report.counters.stats.rx_discards.to_string()),
        ("resets seen through", report.counters.control.resets.to_string()),
    ]);
    rows.extend(report.error.clone().map(|why| ("last trouble", why)));
    rows
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(" ")
}

fn link(link: Option<(bool, Option<u32>)>) -> String {
    match link {
        None => "the PF has not told".to_owned(),
        Some((false, _)) => {
            "down: on the hypervisor, see cable and `ip link set PF vf N state auto|enable`".to_owned()
        }
        Some((true, None)) => "up".to_owned(),
        Some((true, Some(mbps))) => format!("up, {mbps} Mbit/s"),
    }
}

fn mac(address: [u8; 6]) -> String {
    let hex: Vec<String> = address.iter().map(|byte| format!("{byte:02x}")).collect();
    hex.join(":")
}

fn rss(taken: bool, hena: u64) -> String {
    if taken {
        format!("symmetric key, classes {hena:#018x}")
    } else {
        "the PF did not take key, table or classes: frames are spread as it likes, both directions of a flow perhaps apart"
            .to_owned()
    }
}

fn symmetry(probe: &Probe) -> String {
    match probe.is_symmetric() {
        None if probe.frames.len() < 2 => "one queue: nothing to take apart".to_owned(),
        None => "not known: no conversation was seen in both directions".to_owned(),
        Some(true) => format!("proven: {} conversations, none split", probe.both_ways),
        Some(false) => {
            format!("NO: {} of {} conversations were split; use --queues 1", probe.split, probe.both_ways)
        }
    }
}

fn to_json(probe: &Probe, function: &str, asked: u16) -> Value {
    let report = &probe.report;
    let agreed = report.agreed.as_ref().map(|agreed| {
        json!({
            "version": agreed.version.to_string(),
            "address": mac(agreed.address),
            "queues": agreed.queues,
            "queues_asked": asked,
            "vectors": agreed.resources.vectors,
            "capabilities": format!("{:#010x}", agreed.resources.caps.bits()),
            "capability_names": agreed.resources.caps.iter_names().map(|(name, _)| name).collect::<Vec<_>>(),
            "max_mtu": agreed.resources.max_mtu,
            "vsi": agreed.vsi,
            "rss": agreed.rss,
            "hena": format!("{:#018x}", agreed.hena),
            "vlan_tags_as_asked": agreed.stripping,
        })
    });
    let (promiscuous, seen) = match report.promiscuity {
        Promiscuity::Unknown { seen } => (None, seen),
        Promiscuity::Proven { seen, .. } => (Some(true), seen),
        Promiscuity::Disproven { seen } => (Some(false), seen),
    };
    let mut counters = serde_json::Map::new();
    report.counters.each(&mut |counter| {
        counters.insert(counter.name.to_owned(), counter.value.into());
    });
    json!({
        "function": function,
        "device": report.id,
        "came_up_ms": u64::try_from(probe.came_up.as_millis()).unwrap_or(u64::MAX),
        "link_up": report.link.map(|link| link.0),
        "link_mbps": report.link.and_then(|link| link.1),
        "agreed": agreed,
        "promiscuous": promiscuous,
        "promiscuous_frames_judged": seen,
        "frames_by_queue": probe.frames,
        "symmetric": probe.is_symmetric(),
        "conversations_both_ways": probe.both_ways,
        "conversations_split": probe.split,
        "spreading": probe.spreading.map(|symmetry| symmetry.to_string()),
        "counters": counters,
        "error": report.error,
    })
}
