//! What `vigie vf probe` prints.

use super::exit::{Exit, Told};
use super::print;
use capture::vf::{Exchange, Hashing, Negotiated, Promiscuity, Reply, polling_text};
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
    out.push_str(&exchanges(&probe.report.exchanges));
    print(out.as_bytes())
}

fn rows(probe: &Probe, asked: u16) -> Vec<(&'static str, String)> {
    let report = &probe.report;
    let mut rows = vec![
        ("device", report.id.clone()),
        ("came up in", format!("{} ms", probe.came_up.as_millis())),
        ("link", link(report.link)),
    ];
    rows.extend(report.agreed.iter().flat_map(|agreed| agreed_rows(agreed, asked)));
    rows.extend([
        ("promiscuous", report.promiscuity.to_string()),
        ("frames", format!("{} (by queue: {:?})", probe.frames.iter().sum::<u64>(), probe.frames)),
        ("both ways together", symmetry(probe)),
        ("spreading", probe.spreading.map_or_else(|| "nothing is spread".to_owned(), |s| s.to_string())),
        (
            "tunnels are dealt out",
            probe.tunnels.map_or_else(|| "nothing is spread".to_owned(), |t| t.to_string()),
        ),
        ("NIC without buffer", report.counters.stats.rx_discards.to_string()),
        ("resets seen through", report.counters.control.resets.to_string()),
    ]);
    rows.extend(report.error.clone().map(|why| ("last trouble", why)));
    rows
}

/// What was agreed on, of either driver: what a PF does not know says so.
fn agreed_rows(agreed: &Negotiated, asked: u16) -> Vec<(&'static str, String)> {
    let resources = &agreed.resources;
    let mtu = if resources.max_mtu == 0 { "not told".into() } else { resources.max_mtu.to_string() };
    let reach = agreed.region.map(|width| format!(", RSS reaches 2^{width}")).unwrap_or_default();
    vec![
        ("driver", format!("{}, by what the PF grants", agreed.driver)),
        ("virtchnl", agreed.version.to_string()),
        ("address", mac(agreed.address)),
        ("queues", format!("{} of {asked} asked for, {} vectors{reach}", agreed.queues, resources.vectors)),
        ("capabilities", names(resources.caps.iter_names().map(|(name, _)| name))),
        ("descriptors", format!("{:?}, of {}", agreed.format, numbers(agreed.formats))),
        ("write-back", polling_text(agreed.polling).to_owned()),
        ("RSS", rss(agreed)),
        ("VLAN tags", if agreed.stripping { "as asked" } else { "the PF decides" }.to_owned()),
        ("VLAN offloads", vlan(agreed)),
        (
            "bypassed flows",
            if agreed.recognises_flows() { "recognised by the NIC" } else { "received, and counted here" }
                .to_owned(),
        ),
        ("flows subscribed to", agreed.subscriptions.to_string()),
        (
            "time of frames",
            if agreed.stamped { "the NIC's clock" } else { "when they are seen here" }.to_owned(),
        ),
        ("largest MTU", mtu),
    ]
}

/// Numbers of set bits.
fn numbers(bits: u64) -> String {
    let set = (0..64_u32).filter(|bit| bits & 1_u64 << bit != 0).map(|bit| bit.to_string());
    set.collect::<Vec<_>>().join(" ")
}

/// Every message of the last way up, and what became of it.
fn exchanges(list: &[Exchange]) -> String {
    let mut out =
        format!("\n  {:<30} {:>5}  {:<24} {:>9} {:>9}\n", "message", "times", "answer", "at", "took");
    for exchange in list {
        let _ = writeln!(
            out,
            "  {:<30} {:>5}  {:<24} {:>6.1} ms {:>6.1} ms",
            exchange.opcode.to_string(),
            exchange.times,
            reply(exchange.reply),
            exchange.at.as_secs_f64() * 1e3,
            exchange.took.as_secs_f64() * 1e3,
        );
    }
    out
}

fn reply(reply: Reply) -> String {
    match reply {
        Reply::None => "none".to_owned(),
        Reply::Status(status) if status.is_ok() => "granted".to_owned(),
        Reply::Status(status) => status.to_string(),
        Reply::Reset => "a reset".to_owned(),
    }
}

fn vlan(agreed: &Negotiated) -> String {
    match &agreed.vlan {
        None => "one tag, first form".to_owned(),
        Some(caps) if caps.strip_outer.is_empty() => {
            format!("one tag, second form; {} filters", caps.max_filters)
        }
        Some(caps) => format!("two tags, second form; {} filters", caps.max_filters),
    }
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

fn rss(agreed: &Negotiated) -> String {
    let how = match agreed.hashing {
        Hashing::Key => "symmetric key",
        Hashing::Folded if agreed.inner => {
            "symmetric hash function, patterns of outer and inner headers taken"
        }
        Hashing::Folded => "symmetric hash function, patterns of outer headers taken",
    };
    if agreed.rss {
        format!("{how}, classes {:#018x}", agreed.hena)
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
            "driver": agreed.driver,
            "descriptor_format": agreed.format.0,
            "descriptor_formats_offered": (0..64).filter(|bit| agreed.formats & 1_u64 << bit != 0).collect::<Vec<u32>>(),
            "hashing": if agreed.hashing == Hashing::Folded { "function" } else { "key" },
            "hashing_inner_asked": agreed.inner,
            "rss_reach": agreed.region.map(|width| 1_u32.checked_shl(width.into())),
            "vlan_v2": agreed.vlan.map(|caps| json!({
                "filters": caps.max_filters,
                "strip_outer": format!("{:#010x}", caps.strip_outer.bits()),
                "strip_inner": format!("{:#010x}", caps.strip_inner.bits()),
            })),
            "clock": format!("{:#x}", agreed.clock.bits()),
            "recognises_flows": agreed.recognises_flows(),
            "subscriptions": agreed.subscriptions,
            "nic_time": agreed.stamped,
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
        "tunnels_by_inner_headers": probe.tunnels.and_then(|tunnels| tunnels.is_inner()),
        "messages": report.exchanges.iter().map(exchange_json).collect::<Vec<_>>(),
        "counters": counters,
        "error": report.error,
    })
}

fn exchange_json(exchange: &Exchange) -> Value {
    let micros = |time: std::time::Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    json!({
        "opcode": exchange.opcode.0,
        "name": exchange.opcode.name(),
        "times": exchange.times,
        "answer": reply(exchange.reply),
        "at_us": micros(exchange.at),
        "took_us": micros(exchange.took),
    })
}
